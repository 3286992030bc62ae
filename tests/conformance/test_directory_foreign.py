"""Other people's entries, and servers whose schema is older, are worked with and left alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mailwright.fields.resource import as_text
from tests.conformance.neighbours import JANE, JOHN, OTHER, add_domain, populate
from tests.conformance.test_rename import rename
from tests.directory_site import DirectorySite, new_directory_site
from tests.servers.slapd import Slapd, Value
from tests.stores import NOTHING

pytestmark = pytest.mark.openldap

PASSWORD = "Right-Horse1"
ORG = "example.org"
STRANGE = ("zebra:1", "ant:x:y", "timezone:GMT+08:00", "odd part", "defaultQuota:7", "url:http://x")
# What other programs keep on a user's entry, with classes of their own.
ON_A_USER: dict[str, Value] = {
    "objectClass": [
        *("inetOrgPerson", "mailUser", "shadowAccount", "amavisAccount"),
        "labeledURIObject",
    ],
    "labeledURI": "https://example.org/~jane me",
    "description;lang-de": "Hauptkonto",
    "jpegPhoto": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\xff\xfe",
    "cn": ["Jane Doe", "Doe, Jane", "Žanéta"],
    "sn": ["jane", "Doe"],
    "description": ["  blanks kept  ", "two\nlines"],
    "telephoneNumber": ["+1 555 1", "+1 555 2"],
    "mobile": "+1 555 3",
    "title": "Dr",
    "manager": "cn=Manager,dc=example,dc=test",
    "mailHost": "mx.example.org",
    "userManager": "boss@example.org",
    "allowNets": "192.0.2.0/24,10.0.0.1",
    "accountSetting": STRANGE,
    "enabledService": ["mail", "IMAP", "smtp", "deliver", "quota-status", "gitlab", "VPN"],
    "disabledService": "view_mail_log",
}
ON_A_DOMAIN: dict[str, Value] = {
    "description": "Ours",
    "telephoneNumber": "+1 555 0",
    "accountSetting": STRANGE,
    "disclaimer": "Gruß\nund Kuß",
    "domainWhitelistIP": "192.0.2.1",
    "domainPendingAliasName": "pending.example",
    "enabledService": ["mail", "gitlab"],
}


@pytest.fixture
def site(directory_site: DirectorySite) -> DirectorySite:
    """Entries full of what is not ours."""
    populate(directory_site)
    directory_site.directory.replace(directory_site.user_dn(JANE), **ON_A_USER)
    directory_site.directory.replace(directory_site.domain_dn(ORG), **ON_A_DOMAIN)
    return directory_site


def stamps(site: DirectorySite) -> dict[str, Any]:
    """When and how often each entry was written."""
    with site.directory.connect() as connection:
        found = connection.search_s(site.directory.suffix, 2, "(objectClass=*)", ["entryCSN"])
    return dict(found)


@pytest.mark.parametrize(
    ("kind", "key"), [("user", JANE), ("user", JOHN), ("user", OTHER), ("domain", ORG)]
)
def test_an_answer_sent_back_writes_no_entry(site: DirectorySite, kind: str, key: str) -> None:
    """Not even with the values that are there already."""
    form = {name: as_text(value) for name, value in site.show(kind, key).items()}
    before = stamps(site)

    site.update(kind, key, form)

    assert before == stamps(site)


USER_CHANGES: dict[str, tuple[dict[str, str], dict[str, tuple[object, object]]]] = {
    "name": (
        {"name": "Jane New"},
        {"cn": (("Doe, Jane", "Jane Doe", "Žanéta"), ("Doe, Jane", "Jane New", "Žanéta"))},
    ),
    "addService": (
        {"addService": "sogo"},
        {
            "enabledService": (
                ("IMAP", "VPN", "deliver", "gitlab", "mail", "quota-status", "smtp"),
                ("IMAP", "VPN", "deliver", "gitlab", "mail", "quota-status", "smtp", "sogo"),
            )
        },
    ),
    "addService-that-is-there": ({"addService": "imap,vpn"}, {}),
    "removeService": (
        {"removeService": "imap"},
        {
            "enabledService": (
                ("IMAP", "VPN", "deliver", "gitlab", "mail", "quota-status", "smtp"),
                ("VPN", "deliver", "gitlab", "mail", "quota-status", "smtp"),
            )
        },
    ),
    "quota": (
        {"quota": "5"},
        {"mailQuota": ((str(100 * 2**20),), (str(5 * 2**20),))},
    ),
    "accountStatus": (
        {"accountStatus": "disabled"},
        {"accountStatus": (("active",), ("disabled",))},
    ),
    "transport": ({"transport": "lmtp:x"}, {"mtaTransport": (None, ("lmtp:x",))}),
}


@pytest.mark.parametrize("case", USER_CHANGES)
def test_a_change_of_a_user_leaves_the_rest_of_the_entry(site: DirectorySite, case: str) -> None:
    form, expected = USER_CHANGES[case]
    before = site.snapshot()

    site.update("user", JANE, form)

    changed = site.since(before).changed
    changed.pop(site.domain_dn(ORG).lower(), None)  # the sum of quotas
    assert changed == ({site.user_dn(JANE).lower(): expected} if expected else {})


@pytest.mark.parametrize(
    ("form", "gone", "come"),
    [
        ({"language": "en_US"}, (), ("defaultLanguage:en_US",)),
        ({"defaultQuota": "9"}, ("defaultQuota:7",), ("defaultQuota:9",)),
        ({"defaultQuota": "0"}, ("defaultQuota:7",), ()),
        (
            {"disableDomainProfile": "relay,bcc"},
            (),
            ("disabledDomainProfile:bcc", "disabledDomainProfile:relay"),
        ),
    ],
)
def test_unknown_settings_stay_byte_for_byte(
    site: DirectorySite, form: dict[str, str], gone: tuple[str, ...], come: tuple[str, ...]
) -> None:
    before = site.snapshot()

    site.update("domain", ORG, form)

    expected = tuple(sorted({*STRANGE, *come} - {*gone}))
    assert site.domain(ORG)["accountSetting"] == expected
    assert set(site.since(before).touched) == {site.domain_dn(ORG).lower()}


def test_settings_that_other_programs_wrote_differently_are_understood(site: DirectorySite) -> None:
    """Several units, a list with commas, the language in an attribute (LDAP reference 3.7)."""
    site.directory.replace(
        site.domain_dn(ORG),
        preferredLanguage="de_DE",
        accountSetting=[
            *("domainQuota:2:GB", "maxUserQuota:lots", "numberOfUsers:-1", "numberOfLists:-9"),
            *("disabledDomainProfile:bcc,relay", "disabledDomainProfile:wblist"),
        ],
    )

    shown = site.show("domain", ORG)
    numbers = ("quota", "maxUserQuota", "numberOfUsers", "numberOfLists")
    assert [shown[name] for name in numbers] == [2048, 0, -1, -1]
    assert shown["disableDomainProfile"] == ("bcc", "relay", "wblist")
    assert shown["language"] == "de_DE"

    site.update("domain", ORG, language="fr_FR", enableDomainProfile="relay")

    entry = site.domain(ORG)
    assert "preferredLanguage" not in entry
    assert set(entry["accountSetting"]) == {
        *("domainQuota:2:GB", "maxUserQuota:lots", "numberOfUsers:-1", "numberOfLists:-9"),
        *("disabledDomainProfile:bcc", "disabledDomainProfile:wblist", "defaultLanguage:fr_FR"),
    }


def test_every_operation_leaves_the_others_alone(site: DirectorySite) -> None:
    """Entry by entry, from a new account to its end."""
    new = "new@example.org"
    site.directory.add(
        f"cn=card,{site.user_dn(JOHN)}", {"objectClass": "device", "cn": "card", "l": "Here"}
    )
    site.directory.replace(
        site.domain_dn(ORG), domainCurrentUserNumber="2", domainCurrentQuotaSize=str(200 * 2**20)
    )
    before = site.snapshot()

    site.create("user", new, password=PASSWORD, quota="1")
    site.update("user", new, forwarding="x@example.net", aliases="n@example.org", quota="2")
    site.update("user", new, accountStatus="disabled", services="imapsecured")
    rename(site, new, "newer@example.org")
    site.update("domain", ORG, senderBcc="x@example.net", quota="9999", outboundRelay="[192.0.2.9]")
    site.update("domain", ORG, is_backupmx="yes", primarymx="192.0.2.1", language="en_US")
    site.remove("user", "newer@example.org", "3")
    site.create("domain", "new.test", name="New")
    site.create("user", "a@new.test", password=PASSWORD)
    site.update_users("new.test", accountStatus="disabled", language="en_US")
    site.update("domain", "new.test", catchall="c@new.test", accountStatus="disabled")
    site.remove("domain", "new.test")

    difference = site.since(before)
    assert (difference.added, difference.removed) == ({}, {})
    assert difference.changed == {
        site.domain_dn(ORG).lower(): {
            "domainSenderBccAddress": ((JANE,), ("x@example.net",)),
            "senderRelayHost": (("[192.0.2.7]:25",), ("[192.0.2.9]",)),
            "domainBackupMX": (None, ("yes",)),
            "mtaTransport": (("dovecot",), ("relay:[192.0.2.1]:25",)),
            "enabledService": (("gitlab", "mail"), ("gitlab", "mail", "senderbcc")),
            "accountSetting": (
                tuple(sorted(STRANGE)),
                tuple(sorted((*STRANGE, "domainQuota:9999:MB", "defaultLanguage:en_US"))),
            ),
        }
    }


def test_a_renamed_account_keeps_what_others_wrote(site: DirectorySite) -> None:
    site.directory.add(
        f"ou=addressbook,{site.user_dn(JANE)}",
        {"objectClass": "organizationalUnit", "ou": "addressbook"},
    )
    before = site.user(JANE)

    rename(site, JANE, "janet@example.org")

    after = site.user("janet@example.org")
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed == {"mail", "uid", "mailForwardingAddress", "shadowAddress"}
    below = f"ou=addressbook,{site.user_dn('janet@example.org')}"
    assert site.entry(below)["ou"] == ("addressbook",)


def test_an_entry_that_is_hardly_one_is_shown_and_mended(directory_site: DirectorySite) -> None:
    """No status, no services, no path: what is not said reads as the look-ups take it."""
    site = directory_site
    add_domain(site, ORG)
    site.directory.add(
        site.user_dn(JANE),
        {
            "objectClass": ["inetOrgPerson", "mailUser"],
            "mail": JANE,
            "uid": "x",
            "cn": "x",
            "sn": "x",
        },
    )

    shown = site.show("user", JANE)
    assert (shown["accountStatus"], shown["services"], shown["quota"]) == ("disabled", (), 0)
    assert (shown["maildir"], shown["passwordLastChange"]) == ("", "")
    assert shown["forwarding"] == (JANE,)

    site.update("user", JANE, accountStatus="active", password=PASSWORD, services="imap")

    entry = site.user(JANE)
    assert entry["accountStatus"] == ("active",)
    assert entry["enabledService"] == ("imap",)
    assert entry["shadowLastChange"] == ("20579",)
    assert "shadowAccount" in entry["objectClass"]
    site.remove("user", JANE)


# What directories of iRedMail before 0.9.5 do not know (LDAP reference 1.4).
OLDER = frozenset(
    {
        *("senderRelayHost", "domainPendingAliasName", "domainStatus", "listModerator"),
        *("maxMessageSize", "mailboxFormat", "mailboxFolder", "mailingListID", "listOwner"),
        *("recoveryEmail", "birthday", "amavisAccount", "mailList.member"),
    }
)


@pytest.fixture(scope="module")
def _aged() -> Iterator[DirectorySite]:
    server = Slapd(without=OLDER)
    try:
        server.start()
        server.make_base()
        with new_directory_site(server) as site:
            yield site
    finally:
        server.remove()


@pytest.fixture
def aged(_aged: DirectorySite, utc: None) -> DirectorySite:  # noqa: ARG001
    """An older server with a domain and a user made by us."""
    _aged.empty()
    _aged.create("domain", ORG, name="Old")
    _aged.create("user", JANE, password=PASSWORD)
    return _aged


def test_a_parameter_that_the_schema_does_not_know_is_a_warning(aged: DirectorySite) -> None:
    before = aged.snapshot()

    warnings = aged.update("domain", ORG, outboundRelay="[192.0.2.1]", name="New")

    assert warnings == ["outboundRelay has no place in this server's schema; ignored"]
    assert aged.since(before).changed == {aged.domain_dn(ORG).lower(): {"cn": (("Old",), ("New",))}}
    assert aged.show("domain", ORG)["outboundRelay"] == ""


def test_attributes_that_the_schema_does_not_know_are_never_written(aged: DirectorySite) -> None:
    """The mailbox format, which is not the usual one; the status of the domain; the amavis class."""
    other = aged.with_settings(accounts={"mailbox_format": "mdbox", "mailbox_folder": "mdbox"})
    try:
        other.update("domain", ORG, accountStatus="disabled", catchall="c@example.org")
        assert other.create("user", JOHN, password=PASSWORD) == []
    finally:
        other.close()

    entry = aged.user(JOHN)
    assert entry["objectClass"] == ("inetOrgPerson", "mailUser", "shadowAccount")
    assert not {name.lower() for name in OLDER} & {name.lower() for name in entry}
    assert "amavisLocal" not in entry
    assert aged.user("@example.org")["mailForwardingAddress"] == ("c@example.org",)
    assert aged.show("user", JOHN)["mailboxFormat"] == ""


def test_an_older_server_goes_through_every_operation(aged: DirectorySite) -> None:
    aged.directory.replace(aged.domain_dn(ORG), accountSetting="defaultList:staff@example.org")
    aged.directory.add(
        f"mail=staff@example.org,ou=Groups,{aged.domain_dn(ORG)}",
        {"objectClass": "mailList", "mail": "staff@example.org"},
    )
    before = aged.snapshot()

    aged.create("user", JOHN, password=PASSWORD)
    assert aged.show("user", JOHN)["groups"] == ("staff@example.org",)
    aged.update("user", JOHN, aliases="j@example.org", forwarding="x@example.net", quota="3")
    rename(aged, JOHN, "johnny@example.org")
    aged.update("domain", ORG, accountStatus="disabled")
    aged.update("domain", ORG, accountStatus="active")
    aged.update_users(ORG, language="en_US")
    aged.remove("user", "johnny@example.org")
    aged.update_users(ORG, language="")

    assert aged.since(before) == NOTHING
    aged.remove("domain", ORG)
