"""Which attributes each parameter of a domain is kept in, spelled out: this is what the look-ups read."""

from __future__ import annotations

import pytest

from tests.directory_site import DirectorySite
from tests.stores import EARLIER, LATER, NOTHING, Difference

pytestmark = pytest.mark.openldap

ORG = "example.org"
Columns = dict[str, tuple[object, object]]


@pytest.fixture
def start(directory_site: DirectorySite) -> DirectorySite:
    """One domain, made earlier."""
    site = directory_site
    site.clock.now = EARLIER
    site.create("domain", ORG, name="Old")
    site.clock.now = LATER
    return site


def own(site: DirectorySite, **columns: tuple[object, object]) -> Difference:
    """Only attributes of the domain's own entry change."""
    return Difference(changed={site.domain_dn(ORG).lower(): columns} if columns else {})


def setting(*values: str) -> Columns:
    return {"accountSetting": (None, values)}


SINGLE: dict[str, tuple[dict[str, str], Columns]] = {
    "name": ({"name": "Žluťoučký"}, {"cn": (("Old",), ("Žluťoučký",))}),
    "cn": ({"cn": "New Name"}, {"cn": (("Old",), ("New Name",))}),
    "quota": ({"quota": "2048"}, setting("domainQuota:2048:MB")),
    "language": ({"language": "en_US"}, setting("defaultLanguage:en_US")),
    "transport": (
        {"transport": "lmtp:[192.0.2.1]:24"},
        {"mtaTransport": (("dovecot",), ("lmtp:[192.0.2.1]:24",))},
    ),
    "defaultQuota": ({"defaultQuota": "1024"}, setting("defaultQuota:1024")),
    "maxUserQuota": ({"maxUserQuota": "2048"}, setting("maxUserQuota:2048")),
    "numberOfUsers": ({"numberOfUsers": "20"}, setting("numberOfUsers:20")),
    "numberOfUsers-none": ({"numberOfUsers": "-1"}, setting("numberOfUsers:-1")),
    "numberOfAliases": ({"numberOfAliases": "30"}, setting("numberOfAliases:30")),
    "numberOfLists": ({"numberOfLists": "40"}, setting("numberOfLists:40")),
    "accountStatus": (
        {"accountStatus": "disabled"},
        {"accountStatus": (("active",), ("disabled",))},
    ),
    "minPasswordLength": ({"minPasswordLength": "8"}, setting("minPasswordLength:8")),
    "maxPasswordLength": ({"maxPasswordLength": "20"}, setting("maxPasswordLength:20")),
    # Without its service a copy is not sent: the look-ups ask for both.
    "senderBcc": (
        {"senderBcc": "Copy@Example.Net"},
        {
            "domainSenderBccAddress": (None, ("copy@example.net",)),
            "enabledService": (("mail",), ("mail", "senderbcc")),
        },
    ),
    "recipientBcc": (
        {"recipientBcc": "copy@example.net"},
        {
            "domainRecipientBccAddress": (None, ("copy@example.net",)),
            "enabledService": (("mail",), ("mail", "recipientbcc")),
        },
    ),
    "outboundRelay": (
        {"outboundRelay": "smtp:[192.168.1.2]:25"},
        {"senderRelayHost": (None, ("[192.168.1.2]:25",))},
    ),
    "enableService": (
        {"enableService": "self-service,domainalias"},
        {"enabledService": (("mail",), ("domainalias", "mail", "self-service"))},
    ),
    "addService": (
        {"addService": "senderbcc"},
        {"enabledService": (("mail",), ("mail", "senderbcc"))},
    ),
    "disableService": ({"disableService": "mail"}, {"enabledService": (("mail",), None)}),
    "removeService-that-is-not-there": ({"removeService": "self-service"}, {}),
    "removeAllServices": ({"removeAllServices": ""}, {"enabledService": (("mail",), None)}),
    "services": (
        {"services": "self-service"},
        {"enabledService": (("mail",), ("mail", "self-service"))},
    ),
    "disableDomainProfile": (
        {"disableDomainProfile": "relay,bcc,aliases"},
        setting(
            "disabledDomainProfile:aliases",
            "disabledDomainProfile:bcc",
            "disabledDomainProfile:relay",
        ),
    ),
    "disableUserProfile": (
        {"disableUserProfile": "relay,bcc"},
        setting("disabledUserProfile:bcc", "disabledUserProfile:relay"),
    ),
    "disableUserPreference": (
        {"disableUserPreference": "wblist,forwarding"},
        setting("disabledUserPreference:forwarding", "disabledUserPreference:wblist"),
    ),
    "backupmx": (
        {"is_backupmx": "yes", "primarymx": "202.96.134.133"},
        {
            "domainBackupMX": (None, ("yes",)),
            "mtaTransport": (("dovecot",), ("relay:[202.96.134.133]:25",)),
        },
    ),
    "backupmx-port": (
        {"is_backupmx": "yes", "primarymx": "[mail.example.test]:2525"},
        {
            "domainBackupMX": (None, ("yes",)),
            "mtaTransport": (("dovecot",), ("relay:[mail.example.test]:2525",)),
        },
    ),
    "backupmx-by-dns": (
        {"is_backupmx": "yes", "primarymx": ""},
        {
            "domainBackupMX": (None, ("yes",)),
            "mtaTransport": (("dovecot",), ("relay:example.org",)),
        },
    ),
    "no-backupmx": ({"is_backupmx": "no"}, {}),
}


@pytest.mark.parametrize("case", SINGLE)
def test_one_parameter_changes_these_attributes(start: DirectorySite, case: str) -> None:
    form, expected = SINGLE[case]
    before = start.snapshot()

    start.update("domain", ORG, form)

    assert own(start, **expected) == start.since(before)


@pytest.mark.parametrize(
    ("form", "back"),
    [
        ({"name": "x"}, {"name": "Old"}),
        ({"quota": "5", "numberOfUsers": "7"}, {"quota": "0", "numberOfUsers": "0"}),
        (
            {"numberOfAliases": "5", "numberOfLists": "-1"},
            {"numberOfAliases": "0", "numberOfLists": "0"},
        ),
        ({"defaultQuota": "5", "maxUserQuota": "7"}, {"defaultQuota": "0", "maxUserQuota": "0"}),
        ({"language": "en_US"}, {"language": ""}),
        ({"transport": "lmtp:x"}, {"transport": "dovecot"}),
        ({"accountStatus": "disabled"}, {"accountStatus": "active"}),
        ({"minPasswordLength": "9"}, {"minPasswordLength": "0"}),
        ({"maxPasswordLength": "20"}, {"maxPasswordLength": "0"}),
        ({"outboundRelay": "[192.0.2.1]"}, {"outboundRelay": ""}),
        ({"enableService": "self-service"}, {"disableService": "self-service"}),
        ({"removeAllServices": ""}, {"enableService": "mail"}),
        ({"disableDomainProfile": "bcc"}, {"enableDomainProfile": "bcc"}),
        ({"disableUserProfile": "bcc"}, {"enableUserProfile": "bcc"}),
        ({"disableUserPreference": "wblist"}, {"enableUserPreference": "wblist"}),
        ({"catchall": "c@example.net"}, {"catchall": ""}),
    ],
)
def test_an_empty_value_takes_the_attribute_away(
    start: DirectorySite, form: dict[str, str], back: dict[str, str]
) -> None:
    before = start.snapshot()
    start.update("domain", ORG, form)
    assert start.since(before) != NOTHING

    start.update("domain", ORG, back)

    assert start.since(before) == NOTHING


def test_a_name_is_taken_away_with_its_attribute(start: DirectorySite) -> None:
    start.update("domain", ORG, name="")

    assert "cn" not in start.domain(ORG)


@pytest.mark.parametrize("way", ["sender", "recipient"])
def test_the_end_of_a_copy_is_the_end_of_its_attribute(start: DirectorySite, way: str) -> None:
    """The service stays: who has none to copy to loses nothing by it."""
    before = start.snapshot()
    start.update("domain", ORG, {f"{way}Bcc": "copy@example.net"})

    start.update("domain", ORG, {f"{way}Bcc": ""})

    assert start.since(before) == own(start, enabledService=(("mail",), ("mail", f"{way}bcc")))


def test_the_end_of_a_backup_mx_is_the_default_transport(start: DirectorySite) -> None:
    before = start.snapshot()
    start.update("domain", ORG, is_backupmx="yes", primarymx="192.0.2.1")

    start.update("domain", ORG, is_backupmx="no")

    assert start.since(before) == own(start, domainBackupMX=(None, ("no",)))


def test_what_only_answers_is_read_from_these(start: DirectorySite) -> None:
    start.create("user", "jane@example.org", password="Right-Horse1", quota="7")
    start.insert("alias", address="team@example.org", domain=ORG)
    start.insert("maillists", address="news@example.org", domain=ORG, mlid="1")
    start.directory.replace(
        start.domain_dn(ORG),
        domainAliasName=["Example.Com", "example.info"],
        accountSetting=["disabledMailService:sogo", "defaultList:a@example.org,b@example.org"],
    )

    shown = start.show("domain", ORG)

    counted = ("existingUsers", "existingAliases", "existingLists", "allocatedQuota")
    assert [shown[name] for name in counted] == [1, 1, 1, 7]
    assert shown["aliasDomains"] == ("example.com", "example.info")
    assert shown["disabledMailServices"] == ("sogo",)
    assert shown["defaultGroups"] == ("a@example.org", "b@example.org")
    assert shown["domain"] == ORG


# The catch-all


CATCH_ALL = {
    "objectClass": ("inetOrgPerson", "mailUser"),
    "mail": ("@example.org",),
    "uid": ("catch-all",),
    "cn": ("catch-all",),
    "sn": ("catch-all",),
    "accountStatus": ("active",),
    "mailForwardingAddress": ("one@example.org", "two@example.net"),
}


def test_a_catch_all_is_an_entry_of_its_own(start: DirectorySite) -> None:
    before = start.snapshot()

    start.update("domain", ORG, catchall="Two@Example.Net,one@example.org")

    dn = start.user_dn("@example.org").lower()
    assert start.since(before) == Difference(added={dn: CATCH_ALL})


def test_other_targets_are_one_attribute_of_it(start: DirectorySite) -> None:
    start.update("domain", ORG, catchall="one@example.org,two@example.net")
    start.directory.replace(start.user_dn("@example.org"), description="Kept")
    before = start.snapshot()

    start.update("domain", ORG, catchall="three@example.net,one@example.org")

    assert start.since(before) == Difference(
        changed={
            start.user_dn("@example.org").lower(): {
                "mailForwardingAddress": (
                    ("one@example.org", "two@example.net"),
                    ("one@example.org", "three@example.net"),
                )
            }
        }
    )


def test_a_catch_all_of_a_disabled_domain_with_alias_domains(start: DirectorySite) -> None:
    start.insert("alias_domain", alias_domain="example.com", target_domain=ORG)
    start.update("domain", ORG, accountStatus="disabled")
    before = start.snapshot()

    start.update("domain", ORG, catchall="one@example.org,two@example.net")

    dn = start.user_dn("@example.org").lower()
    assert start.since(before) == Difference(
        added={
            dn: {
                **CATCH_ALL,
                "shadowAddress": ("@example.com",),
                "domainStatus": ("disabled",),
            }
        }
    )


# New domains


def containers(site: DirectorySite, name: str) -> dict[str, dict[str, tuple[str, ...]]]:
    return {
        f"ou={branch},{site.domain_dn(name)}".lower(): {
            "objectClass": ("organizationalUnit",),
            "ou": (branch,),
        }
        for branch in ("Users", "Groups", "Aliases", "Externals")
    }


def test_a_new_domain_is_these_entries(directory_site: DirectorySite) -> None:
    site = directory_site
    before = site.snapshot()

    site.create("domain", "Example.ORG", name="Example Inc")

    assert site.since(before) == Difference(
        added={
            site.domain_dn(ORG).lower(): {
                "objectClass": ("mailDomain",),
                "domainName": (ORG,),
                "cn": ("Example Inc",),
                "mtaTransport": ("dovecot",),
                "accountStatus": ("active",),
                "enabledService": ("mail",),
            },
            **containers(site, ORG),
        }
    )


def test_a_new_domain_has_what_was_asked_for(directory_site: DirectorySite) -> None:
    site = directory_site
    before = site.snapshot()

    site.create(
        "domain",
        ORG,
        {
            "name": "Example Inc",
            "quota": "2048",
            "language": "en_US",
            "transport": "lmtp:unix:x",
            "defaultQuota": "1024",
            "maxUserQuota": "2048",
            "numberOfUsers": "20",
            "numberOfAliases": "30",
            "numberOfLists": "-1",
            "senderBcc": "out@example.net",
            "recipientBcc": "in@example.net",
        },
    )

    assert site.since(before) == Difference(
        added={
            site.domain_dn(ORG).lower(): {
                "objectClass": ("mailDomain",),
                "domainName": (ORG,),
                "cn": ("Example Inc",),
                "mtaTransport": ("lmtp:unix:x",),
                "accountStatus": ("active",),
                "enabledService": ("mail", "recipientbcc", "senderbcc"),
                "domainSenderBccAddress": ("out@example.net",),
                "domainRecipientBccAddress": ("in@example.net",),
                "accountSetting": (
                    *("defaultLanguage:en_US", "defaultQuota:1024", "domainQuota:2048:MB"),
                    *("maxUserQuota:2048", "numberOfAliases:30", "numberOfLists:-1"),
                    "numberOfUsers:20",
                ),
            },
            **containers(site, ORG),
        }
    )


def test_an_international_domain_is_kept_in_punycode(directory_site: DirectorySite) -> None:
    directory_site.create("domain", "Exämple.Org", name="Ü")

    entry = directory_site.domain("xn--exmple-cua.org")
    assert (entry["domainName"], entry["cn"]) == (("xn--exmple-cua.org",), ("Ü",))


@pytest.mark.parametrize("way", ["sender", "recipient"])
def test_a_domain_that_takes_all_of_its_accounts_along(start: DirectorySite, way: str) -> None:
    before = {dn for dn in start.snapshot() if not dn.endswith(start.domain_dn(ORG).lower())}
    start.create("user", "jane@example.org", password="Right-Horse1")
    start.update("domain", ORG, {"catchall": "x@example.net", f"{way}Bcc": "jane@example.org"})

    start.remove("domain", ORG)

    assert set(start.snapshot()) == before
