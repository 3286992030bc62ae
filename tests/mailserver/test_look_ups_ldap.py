"""Every condition of every look-up in a directory counts: without it there is no answer."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.mailserver.entries import (
    add_alias,
    add_catch_all,
    add_domain,
    add_list,
    add_user,
    dn,
    domain_dn,
    without,
)
from tests.mailserver.lab import Lab
from tests.servers.slapd import Value

pytestmark = pytest.mark.openldap

JANE = dn("jane@example.org")
CATCH_ALL = dn("@example.org")
TEAM = dn("team@example.org", "Aliases")
NEWS = dn("news@example.org", "Groups")
BESIDE = f"memberOfGroup=all@example.org,ou=Externals,{domain_dn('example.org')}"
HOSTED = domain_dn("example.org")
RELAYED = domain_dn("backup.example")

DOMAIN_SERVICES = ("mail", "domainalias", "senderbcc", "recipientbcc")

DISABLED: dict[str, Value] = {"accountStatus": "disabled"}
OF_DISABLED_DOMAIN: dict[str, Value] = {"domainStatus": "disabled"}


@pytest.fixture
def full(lab_of_directory: Lab) -> Lab:
    """Two of everything: what is asked for, and a neighbour that must not be the answer."""
    lab = lab_of_directory
    for domain, alias in (("example.org", "example.com"), ("other.example", "alias.example")):
        add_domain(
            lab,
            domain,
            domainAliasName=alias,
            enabledService=DOMAIN_SERVICES,
            mtaTransport=f"smtp:[{domain}]",
            senderRelayHost=f"[relay.{domain}]",
            domainSenderBccAddress=f"from@{domain}",
            domainRecipientBccAddress=f"to@{domain}",
        )
        add_user(
            lab,
            f"jane@{domain}",
            homeDirectory=f"/mail/jane@{domain}",
            shadowAddress=[f"sales@{domain}", f"jane@{alias}"],
            mailForwardingAddress=f"jane@away.{domain}",
            memberOfGroup=f"all@{domain}",
            mtaTransport=f"smtp:[jane.{domain}]",
            senderRelayHost=f"[jane.relay.{domain}]",
            userSenderBccAddress=f"jane-from@{domain}",
            userRecipientBccAddress=f"jane-to@{domain}",
        )
        add_user(lab, f"local@{domain}", mtaTransport="dovecot")
        add_alias(lab, f"team@{domain}", f"member@{domain}", memberOfGroup=f"staff@{domain}")
        add_list(lab, f"all@{domain}", f"beside@{domain}")
        add_list(
            lab,
            f"news@{domain}",
            enabledService=["mail", "deliver", "mlmmj"],
            mtaTransport=f"mlmmj:{domain}/news",
        )
        add_catch_all(lab, domain, f"caught@{domain}", shadowAddress=f"@{alias}")
    add_domain(lab, "backup.example", domainBackupMX="yes")
    return lab


@dataclass(frozen=True)
class Question:
    """What a table answers, and what must not be so on which entry for it to answer at all."""

    table: str
    key: str
    answer: str
    entry: str
    off: tuple[dict[str, Value], ...]
    instead: str | None = None


def domain_off(*services: str) -> tuple[dict[str, Value], ...]:
    """Ways for a domain to be off, for look-ups that need `mail` and these services."""
    return (
        DISABLED,
        *(
            {"enabledService": [name for name in DOMAIN_SERVICES if name != service]}
            for service in ("mail", *services)
        ),
    )


def user_off(*services: str) -> tuple[dict[str, Value], ...]:
    return (
        *(DISABLED, OF_DISABLED_DOMAIN),
        *({"enabledService": without(service)} for service in ("mail", *services)),
    )


def account_off(*services: str) -> tuple[dict[str, Value], ...]:
    return (
        *(DISABLED, OF_DISABLED_DOMAIN),
        *(
            {"enabledService": [name for name in services if name != service]}
            for service in services
        ),
    )


BACKUP: dict[str, Value] = {"domainBackupMX": "yes"}
NO_BACKUP: dict[str, Value] = {"domainBackupMX": "no"}

QUESTIONS = (
    Question(
        *("virtual_mailbox_domains", "example.org", "example.org", HOSTED),
        (*domain_off(), BACKUP),
    ),
    Question(
        *("virtual_mailbox_domains", "example.com", "example.org", HOSTED),
        (*domain_off("domainalias"), BACKUP),
    ),
    Question(
        *("relay_domains", "backup.example", "backup.example", RELAYED),
        (*domain_off(), NO_BACKUP),
    ),
    Question(
        *("virtual_mailbox_maps", "jane@example.org", "/mail/jane@example.org/Maildir/", JANE),
        user_off("deliver"),
    ),
    *(
        Question(
            "virtual_alias_maps", key, "jane@away.example.org", JANE, user_off("deliver", "forward")
        )
        for key in ("jane@example.org", "sales@example.org", "jane@example.com")
    ),
    Question(
        *("virtual_alias_maps", "team@example.org", "member@example.org", TEAM),
        account_off("mail", "deliver"),
    ),
    Question(
        *("list_member_maps", "all@example.org", "jane@example.org,beside@example.org", JANE),
        user_off("deliver"),
        "beside@example.org",
    ),
    Question(
        *("list_member_maps", "all@example.org", "jane@example.org,beside@example.org", BESIDE),
        account_off("mail", "deliver"),
        "jane@example.org",
    ),
    Question(
        *("list_member_maps", "staff@example.org", "team@example.org", TEAM),
        (*account_off("mail", "deliver"), {"shadowAddress": "staff@example.org"}),
    ),
    Question(
        *("list_member_maps", "news@example.org", "news@example.org", NEWS),
        account_off("mail", "deliver", "mlmmj"),
    ),
    Question(*("user_maps", "jane@example.com", "jane@example.org", JANE), user_off("deliver")),
    *(
        Question(
            *("catchall_maps", key, "caught@example.org", CATCH_ALL),
            (DISABLED, OF_DISABLED_DOMAIN),
        )
        for key in ("@example.org", "@example.com")
    ),
    Question(
        *("transport_maps_user", "jane@example.org", "smtp:[jane.example.org]", JANE),
        (*user_off(), {"mtaTransport": "dovecot"}),
    ),
    Question(
        *("transport_maps_user", "news@example.org", "mlmmj:example.org/news", NEWS),
        account_off("mail", "mlmmj"),
    ),
    *(
        Question(
            *("transport_maps_domain", key, "smtp:[example.org]", HOSTED),
            (*domain_off(), {"mtaTransport": "dovecot"}),
        )
        for key in ("example.org", "example.com")
    ),
    Question(
        *("sender_login_maps", "sales@example.org", "jane@example.org", JANE),
        user_off("smtp"),
    ),
    *(
        question
        for way, word in (("sender", "from"), ("recipient", "to"))
        for question in (
            Question(
                *(f"{way}_bcc_maps_user", "jane@example.org", f"jane-{word}@example.org", JANE),
                user_off(f"{way}bcc"),
            ),
            *(
                Question(
                    *(f"{way}_bcc_maps_domain", key, f"{word}@example.org", HOSTED),
                    domain_off(f"{way}bcc"),
                )
                for key in ("any@example.org", "any@example.com")
            ),
        )
    ),
    Question(
        *("sender_dependent_relayhost_maps_user", "jane@example.org"),
        *("[jane.relay.example.org]", JANE),
        user_off(),
    ),
    *(
        Question(
            *("sender_dependent_relayhost_maps_domain", key, "[relay.example.org]", HOSTED),
            domain_off(),
        )
        for key in ("any@example.org", "any@example.com", "@example.org")
    ),
)


@pytest.mark.parametrize(
    "question", [pytest.param(each, id=f"{each.table}-{each.key}") for each in QUESTIONS]
)
def test_a_look_up_answers_unless_a_condition_fails(full: Lab, question: Question) -> None:
    def asked() -> list[str] | None:
        found = full.lookup(question.table, question.key)
        return sorted(found.split(",")) if found else None

    server = full.directory.server
    before = server.entry(question.entry)
    assert sorted(question.answer.split(",")) == asked()
    for off in question.off:
        server.replace(question.entry, **off)
        expected = [question.instead] if question.instead else None
        assert expected == asked(), off
        server.replace(question.entry, **{name: before.get(name) for name in off})
    assert sorted(question.answer.split(",")) == asked()


@pytest.mark.parametrize("table", ["transport_maps_user_local", "transport_maps_domain_local"])
def test_local_delivery_is_asked_for_by_name(full: Lab, table: str) -> None:
    of_user = table == "transport_maps_user_local"
    key, entry = (
        ("local@example.org", dn("local@example.org")) if of_user else ("example.org", HOSTED)
    )
    full.directory.server.replace(entry, mtaTransport="dovecot")
    before = full.directory.server.entry(entry)
    local = f"lmtp:inet:{full.dovecot.host}:{full.dovecot.lmtp}"

    assert local == full.lookup(table, key)
    for off in (*(user_off() if of_user else domain_off()), {"mtaTransport": "smtp:[elsewhere]"}):
        full.directory.server.replace(entry, **off)
        assert full.lookup(table, key) is None, off
        full.directory.server.replace(entry, **{name: before.get(name) for name in off})


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("virtual_mailbox_maps", "team@example.org"),
        ("user_maps", "team@example.org"),
        ("user_maps", "all@example.org"),
        ("virtual_alias_maps", "all@example.org"),
        ("sender_login_maps", "team@example.org"),
        ("transport_maps_user", "all@example.org"),
        ("transport_maps_domain", "jane@example.org"),
        ("sender_bcc_maps_user", "jane@example.com"),
        ("sender_dependent_relayhost_maps_user", "sales@example.org"),
        ("catchall_maps", "anything@example.org"),
    ],
)
def test_a_look_up_does_not_answer_for_another_kind_of_account(
    full: Lab, table: str, key: str
) -> None:
    """Whatever attributes it has: an alias or a list is no user, and a user no domain."""
    address, _, _ = key.partition("@")
    if address == "team":
        full.directory.server.replace(TEAM, enabledService=without())

    assert full.lookup(table, key) is None
