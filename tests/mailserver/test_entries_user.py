"""Which attributes each parameter of a user is kept in, spelled out: this is what the look-ups read."""

from __future__ import annotations

import pytest

from mailwright.passwords import verify_password
from tests.directory_site import DirectorySite
from tests.mailserver.entries import SERVICES
from tests.stores import EARLIER, LATER, NOTHING, Difference

pytestmark = pytest.mark.openldap

JANE, JOHN = "jane@example.org", "john@example.org"
OLD_DAY, NEW_DAY = "20455", "20579"  # days since 1970-01-01
MEGABYTE = 2**20

Columns = dict[str, tuple[object, object]]


@pytest.fixture
def start(directory_site: DirectorySite) -> DirectorySite:
    """A domain with an alias domain and one user, made earlier."""
    site = directory_site
    site.clock.now = EARLIER
    site.create("domain", "example.org", name="Old")
    site.insert("alias_domain", alias_domain="example.com", target_domain="example.org")
    site.create("user", JANE, name="Old", password="Right-Horse1")
    site.clock.now = LATER
    return site


def own(site: DirectorySite, **columns: tuple[object, object]) -> Difference:
    """Only attributes of the user's own entry change."""
    return Difference(changed={site.user_dn(JANE).lower(): columns} if columns else {})


def services_without(*names: str) -> Columns:
    assert set(names) <= set(SERVICES)
    kept = tuple(sorted(set(SERVICES) - set(names)))
    return {"enabledService": (tuple(sorted(SERVICES)), kept)}


UNDER_ALIAS_DOMAIN = ("jane@example.com",)

SINGLE: dict[str, tuple[dict[str, str], Columns]] = {
    "name": ({"name": "Žanéta New"}, {"cn": (("Old",), ("Žanéta New",))}),
    "cn": ({"cn": "Jane New"}, {"cn": (("Old",), ("Jane New",))}),
    # The class needs a name; the local part says who it is.
    "name-empty": ({"name": ""}, {"cn": (("Old",), ("jane",))}),
    "language": ({"language": "en_US"}, {"preferredLanguage": (None, ("en_US",))}),
    "employeeid": ({"employeeid": "E 10"}, {"employeeNumber": (None, ("E 10",))}),
    "transport": (
        {"transport": "smtp:[192.0.2.1]:25"},
        {"mtaTransport": (None, ("smtp:[192.0.2.1]:25",))},
    ),
    "accountStatus": (
        {"accountStatus": "disabled"},
        {"accountStatus": (("active",), ("disabled",))},
    ),
    "forwarding-without-copy": (
        {"forwarding": "x@example.net"},
        {"mailForwardingAddress": (None, ("x@example.net",))},
    ),
    # Among the targets the own address keeps a copy here.
    "forwarding-with-copy": (
        {"forwarding": f"X@Example.Net,{JANE}"},
        {"mailForwardingAddress": (None, (JANE, "x@example.net"))},
    ),
    "forwarding-to-nobody": ({"forwarding": ""}, {}),
    "forwarding-to-oneself": ({"forwarding": JANE}, {}),
    "aliases": (
        {"aliases": "j@example.org,a@example.com"},
        {
            "shadowAddress": (
                UNDER_ALIAS_DOMAIN,
                ("a@example.com", "j@example.org", *UNDER_ALIAS_DOMAIN),
            )
        },
    ),
    "addAlias": (
        {"addAlias": "j@example.org"},
        {"shadowAddress": (UNDER_ALIAS_DOMAIN, ("j@example.org", *UNDER_ALIAS_DOMAIN))},
    ),
    "addAlias-that-the-alias-domain-gives": ({"addAlias": "jane@example.com"}, {}),
    "removeAlias-that-the-alias-domain-gives": ({"removeAlias": "jane@example.com"}, {}),
    # A service takes along those that the look-ups ask for in its stead (LDAP reference 3.5).
    "removeService-smtp": ({"removeService": "smtp"}, services_without("smtp")),
    "removeService-smtpsecured": (
        {"removeService": "smtpsecured"},
        services_without("smtpsecured", "smtptls"),
    ),
    "removeService-pop3": ({"removeService": "pop3"}, services_without("pop3")),
    "removeService-pop3secured": (
        {"removeService": "pop3secured"},
        services_without("pop3secured", "pop3tls"),
    ),
    "removeService-imap": ({"removeService": "imap"}, services_without("imap")),
    "removeService-imapsecured": (
        {"removeService": "imapsecured"},
        services_without("imapsecured", "imaptls"),
    ),
    "removeService-managesieve": (
        {"removeService": "managesieve"},
        services_without("managesieve", "sieve"),
    ),
    "removeService-managesievesecured": (
        {"removeService": "managesievesecured"},
        services_without("managesievesecured", "managesievetls", "sievesecured", "sievetls"),
    ),
    "removeService-deliver": (
        {"removeService": "deliver"},
        services_without("deliver", "lda", "lmtp"),
    ),
    "removeService-mail": ({"removeService": "mail"}, services_without("mail")),
    "removeService-sogo": (
        {"removeService": "sogo,sogowebmail,sogocalendar,sogoactivesync"},
        services_without("sogo", "sogowebmail", "sogocalendar", "sogoactivesync"),
    ),
    "removeService-in-other-letters": (
        {"removeService": "DisplayedInGlobalAddressBook"},
        services_without("displayedInGlobalAddressBook"),
    ),
    "addService": (
        {"addService": "GitLab"},
        {"enabledService": (tuple(sorted(SERVICES)), tuple(sorted((*SERVICES, "gitlab"))))},
    ),
    # What no list for SQL can name stays: addresses, forwards and copies would stop without it.
    "services": (
        {"services": "smtpsecured,imapsecured,deliver"},
        services_without(
            *("smtp", "pop3", "pop3secured", "pop3tls", "imap", "managesieve"),
            *("managesievesecured", "managesievetls", "sieve", "sievesecured", "sievetls"),
            *("sogo", "sogowebmail", "sogocalendar", "sogoactivesync"),
        ),
    ),
}


@pytest.mark.parametrize("case", SINGLE)
def test_one_parameter_changes_these_attributes(start: DirectorySite, case: str) -> None:
    form, expected = SINGLE[case]
    before = start.snapshot()

    start.update("user", JANE, form)

    assert own(start, **expected) == start.since(before)


@pytest.mark.parametrize("case", [name for name in SINGLE if SINGLE[name][0] and SINGLE[name][1]])
def test_what_it_was_before_comes_back(start: DirectorySite, case: str) -> None:
    """Each parameter set to what a GET showed: an empty one takes its attribute away."""
    form, _ = SINGLE[case]
    shown, before = start.show("user", JANE), start.snapshot()
    start.update("user", JANE, form)
    names = {"cn": "name", "addAlias": "aliases"}
    names |= {"removeService": "services", "addService": "services"}
    (parameter,) = {names.get(name, name) for name in form}

    value = shown[parameter]
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    start.update("user", JANE, {parameter: text})

    assert start.since(before) == NOTHING


def test_a_quota_is_kept_in_bytes_and_added_up_at_the_domain(start: DirectorySite) -> None:
    before = start.snapshot()
    start.update("user", JANE, quota="1024")

    domain = start.domain_dn("example.org").lower()
    octets = str(1024 * MEGABYTE)
    assert start.since(before) == Difference(
        changed={
            start.user_dn(JANE).lower(): {"mailQuota": (None, (octets,))},
            domain: {"domainCurrentQuotaSize": (("0",), (octets,))},
        }
    )

    start.update("user", JANE, quota="0")

    assert start.since(before) == NOTHING


def test_a_password_is_hashed_and_dated_in_one_modify(start: DirectorySite) -> None:
    """Older hashes go: any one of several opens the account (LDAP reference 3.8)."""
    start.directory.replace(
        start.user_dn(JANE), userPassword=[*start.hashes(JANE), "{CRYPT}$2b$04$another"]
    )
    before = start.snapshot()

    start.update("user", JANE, password="Battery-Staple2")

    (columns,) = start.since(before).changed.values()
    _, (after,) = columns.pop("userPassword")  # type: ignore[misc]
    assert str(after).startswith("{SSHA512}")
    assert verify_password("Battery-Staple2", str(after))
    assert columns == {"shadowLastChange": ((OLD_DAY,), (NEW_DAY,))}
    with start.directory.connect(start.user_dn(JANE), "Battery-Staple2") as connection:
        assert "jane" in connection.whoami_s()


def test_bcrypt_has_the_prefix_that_the_directory_verifies(start: DirectorySite) -> None:
    """Dovecot binds as the user, and slapd knows no {BLF-CRYPT}."""
    site = start.with_settings(passwords={"scheme": "BCRYPT"})
    try:
        site.update("user", JANE, password="Battery-Staple2")
    finally:
        site.close()

    (stored,) = start.hashes(JANE)
    assert stored.startswith("{CRYPT}$2")
    with start.directory.connect(start.user_dn(JANE), "Battery-Staple2") as connection:
        assert "jane" in connection.whoami_s()


def test_a_global_admin_has_an_attribute_and_a_service(start: DirectorySite) -> None:
    """One decides about the rank, the other lets other panels in."""
    start.insert("admin", username="boss@nowhere.test", settings="")
    start.insert("domain_admins", username="boss@nowhere.test", domain="ALL")
    before = start.snapshot()

    start.update("user", JANE, isGlobalAdmin="yes")

    assert start.since(before) == own(
        start,
        domainGlobalAdmin=(None, ("yes",)),
        enabledService=(tuple(sorted(SERVICES)), tuple(sorted((*SERVICES, "domainadmin")))),
    )
    assert start.show("user", JANE)["managedDomains"] == ("ALL",)

    start.update("user", JANE, isGlobalAdmin="no")

    assert start.since(before) == NOTHING


def test_who_administers_a_domain_as_well_stays_an_admin(start: DirectorySite) -> None:
    start.insert("admin", username="boss@nowhere.test", settings="")
    start.insert("domain_admins", username="boss@nowhere.test", domain="ALL")
    start.insert("domain_admins", username=JANE, domain="example.org")
    start.update("user", JANE, isGlobalAdmin="yes")
    assert start.show("user", JANE)["managedDomains"] == ("ALL", "example.org")

    start.update("user", JANE, isGlobalAdmin="no")

    entry = start.user(JANE)
    assert "domainGlobalAdmin" not in entry
    assert "domainadmin" in entry["enabledService"]
    assert start.domain("example.org")["domainAdmin"] == (JANE,)


# New users

ALWAYS = {
    "objectClass": ("amavisAccount", "inetOrgPerson", "mailUser", "shadowAccount"),
    "mail": (JOHN,),
    "uid": ("john",),
    "sn": ("john",),
    "cn": ("john",),
    "shadowLastChange": (NEW_DAY,),
    "homeDirectory": ("/var/vmail/vmail1/example.org/j/o/h/john-2026.05.06.07.08.09/",),
    "accountStatus": ("active",),
    "amavisLocal": ("TRUE",),
    "enabledService": tuple(sorted(SERVICES)),
    "shadowAddress": ("john@example.com",),
}


def new_user(
    site: DirectorySite, address: str = JOHN, **form: str
) -> tuple[dict[str, tuple[str, ...]], Difference]:
    """The entry of a new user without its password, and what else happened."""
    before = site.snapshot()
    site.create("user", address, password="Right-Horse1", **form)
    difference = site.since(before)
    escaped = address.replace("#", "\\#")
    entry = difference.added.pop(site.user_dn(escaped).lower())
    (stored,) = entry.pop("userPassword")
    assert stored.startswith("{SSHA512}")
    assert verify_password("Right-Horse1", stored)
    return entry, difference


def test_a_new_user_is_this_entry(start: DirectorySite) -> None:
    entry, difference = new_user(start)

    assert len(SERVICES) == 34
    assert entry == ALWAYS
    assert difference == Difference(
        changed={
            start.domain_dn("example.org").lower(): {"domainCurrentUserNumber": (("1",), ("2",))}
        }
    )


def test_a_new_user_has_what_was_asked_for(start: DirectorySite) -> None:
    entry, difference = new_user(start, name="John", language="de_DE", quota="77")

    octets = str(77 * MEGABYTE)
    assert entry == {
        **ALWAYS,
        "cn": ("John",),
        "preferredLanguage": ("de_DE",),
        "mailQuota": (octets,),
    }
    assert difference.changed == {
        start.domain_dn("example.org").lower(): {
            "domainCurrentUserNumber": (("1",), ("2",)),
            "domainCurrentQuotaSize": (("0",), (octets,)),
        }
    }


def test_a_new_user_has_what_the_domain_gives(start: DirectorySite) -> None:
    """A service withheld takes its couples along; a mailbox lies where the domain says."""
    start.insert("alias", address="team@example.org", domain="example.org")
    start.directory.replace(
        start.domain_dn("example.org"),
        accountStatus="disabled",
        accountSetting=[
            *(
                "defaultQuota:55",
                "defaultLanguage:fr_FR",
                "defaultList:gone@a.test,team@example.org",
            ),
            *("disabledMailService:pop3secured", "disabledMailService:sogo"),
            "defaultStorageBaseDirectory:/srv/mail/node2",
        ],
    )

    entry, difference = new_user(start)

    withheld = {"pop3secured", "pop3tls", "sogo"}
    assert entry == {
        **ALWAYS,
        "preferredLanguage": ("fr_FR",),
        "mailQuota": (str(55 * MEGABYTE),),
        "enabledService": tuple(sorted(set(SERVICES) - withheld)),
        "homeDirectory": ("/srv/mail/node2/example.org/j/o/h/john-2026.05.06.07.08.09/",),
        "domainStatus": ("disabled",),
    }
    team = f"mail=team@example.org,ou=Aliases,{start.domain_dn('example.org')}".lower()
    assert difference.changed[team] == {"mailForwardingAddress": (None, (JOHN,))}
    assert difference.added == {}


def test_a_mailbox_of_another_kind_is_named(start: DirectorySite) -> None:
    """What Dovecot assumes anyhow is not written, so that older schemas do as well."""
    site = start.with_settings(accounts={"mailbox_format": "mdbox", "mailbox_folder": "mdbox"})
    try:
        entry, _ = new_user(site)
    finally:
        site.close()

    assert entry == {**ALWAYS, "mailboxFormat": ("mdbox",), "mailboxFolder": ("mdbox",)}


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("jo@example.org", "example.org/j/o/_/jo-2026.05.06.07.08.09/"),
        ("a.b@example.org", "example.org/a/_/b/a.b-2026.05.06.07.08.09/"),
        ("X@Example.Org", "example.org/x/_/_/x-2026.05.06.07.08.09/"),
    ],
)
def test_a_mailbox_lies_there(start: DirectorySite, address: str, path: str) -> None:
    entry, _ = new_user(start, address.lower())

    assert entry["homeDirectory"] == (f"/var/vmail/vmail1/{path}",)


def test_an_address_that_needs_escaping_in_a_name_is_kept_as_it_is(start: DirectorySite) -> None:
    entry, _ = new_user(start, "#j&o@example.org")

    assert (entry["mail"], entry["uid"]) == (("#j&o@example.org",), ("#j&o",))
    assert start.show("user", "#j&o@example.org")["mail"] == "#j&o@example.org"


@pytest.mark.parametrize(
    ("days", "until"),
    [(None, None), ("0", None), ("1", "2026-05-07"), ("30", "2026-06-05"), ("365", "2027-05-06")],
)
def test_a_removed_mailbox_is_remembered_until(
    start: DirectorySite, days: str | None, until: str | None
) -> None:
    start.insert("used_quota", username=JANE, domain="example.org", bytes=4321, messages=12)

    start.remove("user", JANE, days)

    (row,) = start.beside.rows("SELECT * FROM deleted_mailboxes")
    del row["id"]
    assert row == {
        "timestamp": "2026-05-06 07:08:09",
        "username": JANE,
        "domain": "example.org",
        "maildir": "/var/vmail/vmail1/example.org/j/a/n/jane-2026.01.02.03.04.05/",
        "bytes": 4321,
        "messages": 12,
        "admin": "postmaster@admin.test",
        "delete_date": until,
    }


def test_every_user_of_a_domain_changes(start: DirectorySite) -> None:
    start.create("user", JOHN, password="Right-Horse1")
    start.update("domain", "example.org", catchall="x@example.net")
    start.insert("alias", address="team@example.org", domain="example.org")
    before = start.snapshot()

    start.update_users(
        "example.org", accountStatus="disabled", language="de_DE", transport="lmtp:inet:x"
    )

    columns = {
        "accountStatus": (("active",), ("disabled",)),
        "preferredLanguage": (None, ("de_DE",)),
        "mtaTransport": (None, ("lmtp:inet:x",)),
    }
    assert start.since(before) == Difference(
        changed={start.user_dn(user).lower(): columns for user in (JANE, JOHN)}
    )
