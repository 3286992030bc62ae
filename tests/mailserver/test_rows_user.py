"""Which rows each parameter of a user is kept in, spelled out: this is what the mail programs read."""

from __future__ import annotations

import time

import pytest

from mailwright.passwords import verify_password
from tests.stores import EARLIER, LATER, Difference, Row, Site

JANE = "jane@example.org"
OLD, NEW = "2026-01-02 03:04:05", "2026-05-06 07:08:09"
STAMPED = {"modified": (OLD, NEW)}
FORWARD = {"is_maillist": 0, "is_list": 0, "is_forwarding": 1, "is_alias": 0, "active": 1}
ALIAS = {"is_maillist": 0, "is_list": 0, "is_forwarding": 0, "is_alias": 1, "active": 1}
MEMBER = {"is_maillist": 0, "is_list": 1, "is_forwarding": 0, "is_alias": 0, "active": 1}
SELF_ROW = {
    "address": JANE,
    "forwarding": JANE,
    "domain": "example.org",
    "dest_domain": "example.org",
    **FORWARD,
}


@pytest.fixture
def start(site: Site) -> Site:
    """A domain with an alias domain and one user, made earlier."""
    site.clock.now = EARLIER
    site.create("domain", "example.org", name="Old")
    site.insert("alias_domain", alias_domain="example.com", target_domain="example.org")
    site.create("user", JANE, name="Old", password="Right-Horse1")
    site.clock.now = LATER
    return site


def own(**columns: tuple[object, object]) -> Difference:
    """Only columns of the user's own row change, and the time."""
    return Difference(changed={f"mailbox {JANE}": {**columns, **STAMPED}})


SINGLE = {
    "name": ({"name": "Jane New"}, own(name=("Old", "Jane New"))),
    "quota": ({"quota": "1024"}, own(quota=(0, 1024))),
    "language": ({"language": "en_US"}, own(language=("", "en_US"))),
    "employeeid": ({"employeeid": "E 10"}, own(employeeid=("", "E 10"))),
    "transport": ({"transport": "smtp:[192.0.2.1]:25"}, own(transport=("", "smtp:[192.0.2.1]:25"))),
    "accountStatus": (
        {"accountStatus": "disabled"},
        Difference(
            changed={
                f"mailbox {JANE}": {"active": (1, 0), **STAMPED},
                f"forwardings {JANE} {JANE}": {"active": (1, 0)},
            }
        ),
    ),
    "forwarding-without-copy": (
        {"forwarding": "x@example.net"},
        Difference(
            added={
                f"forwardings {JANE} x@example.net": {
                    "address": JANE,
                    "forwarding": "x@example.net",
                    "domain": "example.org",
                    "dest_domain": "example.net",
                    **FORWARD,
                }
            },
            removed={f"forwardings {JANE} {JANE}": SELF_ROW},
            changed={f"mailbox {JANE}": STAMPED},
        ),
    ),
    "forwarding-with-copy": (
        {"forwarding": f"x@example.net,{JANE}"},
        Difference(
            added={
                f"forwardings {JANE} x@example.net": {
                    "address": JANE,
                    "forwarding": "x@example.net",
                    "domain": "example.org",
                    "dest_domain": "example.net",
                    **FORWARD,
                }
            },
            changed={f"mailbox {JANE}": STAMPED},
        ),
    ),
    "aliases": (
        {"aliases": "j@example.org"},
        Difference(
            added={
                f"forwardings j@example.org {JANE}": {
                    "address": "j@example.org",
                    "forwarding": JANE,
                    "domain": "example.org",
                    "dest_domain": "example.org",
                    **ALIAS,
                }
            },
            changed={f"mailbox {JANE}": STAMPED},
        ),
    ),
    # With the alias domain's own name, Postfix would join the row to no domain and bounce.
    "addAlias-in-alias-domain": (
        {"addAlias": "j.doe@example.com"},
        Difference(
            added={
                f"forwardings j.doe@example.com {JANE}": {
                    "address": "j.doe@example.com",
                    "forwarding": JANE,
                    "domain": "example.org",
                    "dest_domain": "example.org",
                    **ALIAS,
                }
            },
            changed={f"mailbox {JANE}": STAMPED},
        ),
    ),
    "removeService-imapsecured": (
        {"removeService": "imapsecured"},
        own(enableimapsecured=(1, 0), enableimaptls=(1, 0)),
    ),
    "removeService-pop3secured": (
        {"removeService": "pop3secured"},
        own(enablepop3secured=(1, 0), enablepop3tls=(1, 0)),
    ),
    "removeService-managesieve": (
        {"removeService": "managesieve"},
        own(enablemanagesieve=(1, 0), enablesieve=(1, 0)),
    ),
    "removeService-managesievesecured": (
        {"removeService": "managesievesecured"},
        own(enablemanagesievesecured=(1, 0), enablesievesecured=(1, 0), enablesievetls=(1, 0)),
    ),
    "removeService-deliver": (
        {"removeService": "deliver"},
        own(enabledeliver=(1, 0), enablelda=(1, 0), enablelmtp=(1, 0)),
    ),
    "removeService-smtp": ({"removeService": "smtp"}, own(enablesmtp=(1, 0))),
    "removeService-smtpsecured": ({"removeService": "smtpsecured"}, own(enablesmtpsecured=(1, 0))),
    "removeService-pop3": ({"removeService": "pop3"}, own(enablepop3=(1, 0))),
    "removeService-imap": ({"removeService": "imap"}, own(enableimap=(1, 0))),
    "removeService-sogo": ({"removeService": "sogo"}, own(enablesogo=(1, 0))),
    # SOGo asks for letters here.
    "removeService-sogowebmail": (
        {"removeService": "sogowebmail,sogocalendar,sogoactivesync"},
        own(
            enablesogowebmail=("y", "n"),
            enablesogocalendar=("y", "n"),
            enablesogoactivesync=("y", "n"),
        ),
    ),
    "services": (
        {"services": "smtpsecured,imapsecured,deliver"},
        own(
            enablesmtp=(1, 0),
            enablepop3=(1, 0),
            enablepop3secured=(1, 0),
            enablepop3tls=(1, 0),
            enableimap=(1, 0),
            enablemanagesieve=(1, 0),
            enablemanagesievesecured=(1, 0),
            enablesieve=(1, 0),
            enablesievesecured=(1, 0),
            enablesievetls=(1, 0),
            enablesogo=(1, 0),
            enablesogowebmail=("y", "n"),
            enablesogocalendar=("y", "n"),
            enablesogoactivesync=("y", "n"),
        ),
    ),
}


@pytest.mark.parametrize("case", SINGLE)
def test_one_parameter_changes_these_rows(start: Site, case: str) -> None:
    form, expected = SINGLE[case]
    before = start.snapshot()

    start.update("user", JANE, form)

    assert expected == start.since(before)


def test_a_service_that_is_added_takes_its_columns_along(start: Site) -> None:
    start.update("user", JANE, services="")

    start.update("user", JANE, addService="managesievesecured,sogowebmail")

    row = start.row("mailbox", JANE)
    assert {
        *("enablemanagesievesecured", "enablesievesecured", "enablesievetls", "enablesogowebmail"),
        *("enableinternal", "enabledoveadm", "enablelib-storage", "enablequota-status"),
        *("enableindexer-worker", "enabledsync"),
    } == {name for name, value in row.items() if name.startswith("enable") and value in {1, "y"}}


def test_a_password_is_hashed_and_dated(start: Site) -> None:
    before = start.snapshot()

    start.update("user", JANE, password="Battery-Staple2")

    (columns,) = start.since(before).changed.values()
    _, after = columns.pop("password")
    assert str(after).startswith("{SSHA512}")
    assert verify_password("Battery-Staple2", str(after))
    assert columns == {"passwordlastchange": (OLD, NEW), **STAMPED}


def test_a_global_admin_has_a_column_and_a_row(start: Site) -> None:
    """Dovecot's and the panel's look-ups ask for one or the other, so both have to agree."""
    start.insert("admin", username="boss@nowhere.test", settings="")
    start.insert("domain_admins", username="boss@nowhere.test", domain="ALL")
    before = start.snapshot()

    start.update("user", JANE, isGlobalAdmin="yes")

    difference = start.since(before)
    row = difference.added.pop(f"domain_admins {JANE} ALL")
    assert row.pop("expired").startswith("9999-12-31")
    assert row == {
        "username": JANE,
        "domain": "ALL",
        "created": NEW,
        "modified": NEW,
        "active": 1,
    }
    assert difference == own(isadmin=(0, 1), isglobaladmin=(0, 1))

    start.update("user", JANE, isGlobalAdmin="no")

    row = start.row("mailbox", JANE)
    assert (row["isadmin"], row["isglobaladmin"]) == (0, 0)
    assert start.vmail.rows("SELECT 1 FROM domain_admins WHERE username = ?", JANE) == []


def test_who_administers_a_domain_as_well_stays_an_admin(start: Site) -> None:
    start.insert("admin", username="boss@nowhere.test", settings="")
    start.insert("domain_admins", username="boss@nowhere.test", domain="ALL")
    start.insert("domain_admins", username=JANE, domain="example.org")
    start.update("user", JANE, isGlobalAdmin="yes")

    start.update("user", JANE, isGlobalAdmin="no")

    row = start.row("mailbox", JANE)
    assert (row["isadmin"], row["isglobaladmin"]) == (1, 0)


ALWAYS = {
    "username": "john@example.org",
    "name": "",
    "language": "",
    "first_name": "",
    "last_name": "",
    "mobile": "",
    "telephone": "",
    "recovery_email": "",
    "birthday": "0001-01-01",
    "mailboxformat": "maildir",
    "mailboxfolder": "Maildir",
    "storagebasedirectory": "/var/vmail",
    "storagenode": "vmail1",
    "maildir": "example.org/j/o/h/john-2026.05.06.07.08.09/",
    "quota": 0,
    "domain": "example.org",
    "transport": "",
    "department": "",
    "rank": "normal",
    "employeeid": "",
    "isadmin": 0,
    "isglobaladmin": 0,
    "allow_nets": None,
    "passwordlastchange": NEW,
    "created": NEW,
    "modified": NEW,
    "active": 1,
}


def new_user(site: Site, address: str = "john@example.org", **form: str) -> tuple[Row, Difference]:
    """The row of a new user without what engines differ in, and the other rows."""
    before = site.snapshot()
    site.create("user", address, password="Right-Horse1", **form)
    difference = site.since(before)
    row = difference.added.pop(f"mailbox {address}")
    assert row.pop("password").startswith("{SSHA512}")
    assert row.pop("expired").startswith("9999-12-31")
    assert not row.pop("disclaimer")
    assert not row.pop("settings")
    return row, difference


def test_a_new_user_is_this_row_and_one_that_keeps_the_mail(start: Site) -> None:
    row, difference = new_user(start)

    services = {name: row.pop(name) for name in list(row) if name.startswith("enable")}
    assert row == ALWAYS
    assert set(services.values()) == {1, "y"}
    assert {name for name, value in services.items() if value == "y"} == {
        *("enablesogowebmail", "enablesogocalendar", "enablesogoactivesync"),
    }
    assert difference == Difference(
        added={
            "forwardings john@example.org john@example.org": {
                "address": "john@example.org",
                "forwarding": "john@example.org",
                "domain": "example.org",
                "dest_domain": "example.org",
                **FORWARD,
            }
        }
    )


def test_a_new_user_has_what_was_asked_for(start: Site) -> None:
    row, _ = new_user(start, name="John", language="de_DE", quota="77")

    assert (row["name"], row["language"], row["quota"]) == ("John", "de_DE", 77)


def test_a_new_user_has_what_the_domain_gives(start: Site) -> None:
    """Also in the groups; a service withheld takes its columns along, SOGo's have letters."""
    start.insert("alias", address="team@example.org", domain="example.org")
    settings = (
        "default_user_quota:55;default_language:fr_FR;default_groups:gone@example.org,"
        "team@example.org;disabled_mail_services:pop3secured,sogo,sogowebmail;"
    )
    start.vmail.execute("UPDATE domain SET settings = ?", settings)

    row, difference = new_user(start)

    assert (row["quota"], row["language"]) == (55, "fr_FR")
    assert {name for name, value in row.items() if value in (0, "n") and "enable" in name} == {
        *("enablepop3secured", "enablepop3tls", "enablesogo", "enablesogowebmail"),
    }
    assert row["enablesogowebmail"] == "n"
    assert difference.added["forwardings team@example.org john@example.org"] == {
        "address": "team@example.org",
        "forwarding": "john@example.org",
        "domain": "example.org",
        "dest_domain": "example.org",
        **MEMBER,
    }
    assert len(difference.added) == 2


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("john@example.org", "example.org/j/o/h/john-2026.05.06.07.08.09/"),
        ("jo@example.org", "example.org/j/o/_/jo-2026.05.06.07.08.09/"),
        ("a.b@example.org", "example.org/a/_/b/a.b-2026.05.06.07.08.09/"),
        ("X@Example.Org", "example.org/x/_/_/x-2026.05.06.07.08.09/"),
    ],
)
def test_a_mailbox_lies_there(start: Site, address: str, path: str) -> None:
    row, _ = new_user(start, address.lower())

    assert row["maildir"] == path


def test_a_mailbox_is_named_after_the_time_on_the_servers_clock(
    start: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "EAST-5:30")
        time.tzset()

        row, _ = new_user(start)

    time.tzset()
    assert row["maildir"] == "example.org/j/o/h/john-2026.05.06.12.38.09/"
    assert row["created"] == NEW


@pytest.mark.parametrize(
    ("days", "until"),
    [(None, None), ("0", None), ("1", "2026-05-07"), ("30", "2026-06-05"), ("365", "2027-05-06")],
)
def test_a_removed_mailbox_is_remembered_until(
    start: Site, days: str | None, until: str | None
) -> None:
    start.insert("used_quota", username=JANE, domain="example.org", bytes=4321, messages=12)

    start.remove("user", JANE, days)

    (row,) = start.vmail.rows("SELECT * FROM deleted_mailboxes")
    del row["id"]
    assert row == {
        "timestamp": NEW,
        "username": JANE,
        "domain": "example.org",
        "maildir": "/var/vmail/vmail1/example.org/j/a/n/jane-2026.01.02.03.04.05/",
        "bytes": 4321,
        "messages": 12,
        "admin": "postmaster@admin.test",
        "delete_date": until,
    }


def test_every_user_of_a_domain_changes(start: Site) -> None:
    start.create("user", "john@example.org", password="Right-Horse1")
    start.update("user", JANE, aliases="j@example.org")
    start.insert("alias", address="team@example.org", domain="example.org")
    start.insert("forwardings", address="team@example.org", forwarding=JANE, is_list=1)
    before = start.snapshot()

    start.update_users(
        "example.org", accountStatus="disabled", language="de_DE", transport="lmtp:inet:x"
    )

    changed = start.since(before).changed
    assert {
        f"forwardings {JANE} {JANE}": {"active": (1, 0)},
        "forwardings john@example.org john@example.org": {"active": (1, 0)},
        f"forwardings j@example.org {JANE}": {"active": (1, 0)},
    } == {name: columns for name, columns in changed.items() if name.startswith("forwardings")}
    for user in (JANE, "john@example.org"):
        columns = changed[f"mailbox {user}"]
        assert columns["active"] == (1, 0)
        assert columns["language"] == ("", "de_DE")
        assert columns["transport"] == ("", "lmtp:inet:x")
        assert set(columns) <= {"active", "language", "transport", "modified"}
