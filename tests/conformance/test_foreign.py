"""Other people's data, and servers that are older than we are, are worked with and left alone.

On SQL; `test_directory_foreign.py` is about directories.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailwright.fields.resource import as_text
from mailwright.resources.user import RESOURCE
from mailwright.storage.sql.dialect import Dialect
from tests.conformance.neighbours import FORWARD, add_domain, add_forwarding, add_user
from tests.stores import ENGINES, NOTHING, Site, new_site, on_sql

JANE, JOHN = "jane@example.org", "john@example.org"
PASSWORD = "Right-Horse1"
STRANGE = "zebra:1;foo:bar;;odd part;default_user_quota:7;url:http://x:80/; spaced : out ;"

# What a server of iRedMail 0.9.7 lacks (SQL reference 2.4).
DROPPED_TABLES = ("maillists", "maillist_owners", "last_login")
DROPPED_COLUMNS = {
    "mailbox": (
        *("first_name", "last_name", "mobile", "telephone", "birthday", "recovery_email"),
        *("mailboxformat", "mailboxfolder", "enablequota-status", "enablepop3tls"),
        *("enableimaptls", "enablesievetls", "enablesogowebmail", "enablesogocalendar"),
        *("enablesogoactivesync",),
    ),
    "domain": ("maillists",),
    "forwardings": ("is_maillist",),
    "deleted_mailboxes": ("bytes", "messages"),
}


def drop(site: Site, table: str, column: str) -> None:
    if site.dialect is Dialect.SQLITE:
        for index in site.vmail.rows(
            "SELECT i.name AS n FROM pragma_index_list(?) i JOIN pragma_index_info(i.name) c "
            "WHERE c.name = ?",
            table,
            column,
        ):
            site.vmail.execute(f'DROP INDEX "{index["n"]}"')
    site.vmail.execute(f"ALTER TABLE {table} DROP COLUMN {site.vmail.quoted(column)}")


@pytest.fixture(scope="module", params=ENGINES)
def _aged(request: pytest.FixtureRequest) -> Iterator[Site]:
    with new_site(request.param, request, "aged") as site:
        for table in DROPPED_TABLES:
            site.vmail.execute(f"DROP TABLE {table}")
        for table, columns in DROPPED_COLUMNS.items():
            for column in columns:
                drop(site, table, column)
        site.vmail.execute("ALTER TABLE mailbox ADD COLUMN shoe_size integer")
        site.vmail.execute("CREATE TABLE other_program (id integer PRIMARY KEY, mail varchar(99))")
        if site.dialect is Dialect.MYSQL:  # utf8mb4 came with 1.7.2
            for table in ("mailbox", "domain", "forwardings", "alias_domain"):
                site.vmail.execute(f"ALTER TABLE {table} CONVERT TO CHARACTER SET latin1")
        site.tables["vmail"] = [
            table for table in site.tables["vmail"] if table not in DROPPED_TABLES
        ] + ["other_program"]
        site.app.store.check()
        yield site


@pytest.fixture
def aged(_aged: Site, utc: None) -> Site:  # noqa: ARG001
    """An older server with two domains, other programs' columns and rows."""
    site = _aged
    site.empty()
    zero = "0000-00-00 00:00:00" if site.dialect is Dialect.MYSQL else "1970-01-01 01:01:01"
    for domain in ("example.org", "example.net"):
        add_domain(site, domain, settings=STRANGE, created=zero)
        for local in ("jane", "john"):
            add_user(
                site,
                f"{local}@{domain}",
                shoe_size=42,
                created=zero,
                passwordlastchange=zero,
                settings=STRANGE,
            )
    site.insert("other_program", id=1, mail=JANE)
    # Rows that no rule of ours would make.
    add_forwarding(site, "odd@example.org", "odd@example.org")
    add_forwarding(site, "example.org", "caught@example.net", active=0)
    site.insert("sender_relayhost", account="*", relayhost="strange value")
    return site


def test_an_older_server_is_read(aged: Site) -> None:
    shown = aged.show("user", JANE)
    assert shown["created"] == ""
    assert shown["passwordLastChange"] == ""
    assert (shown["mailboxFormat"], shown["lastLoginImap"]) == ("", "")
    assert "imap" in shown["services"]
    assert "imaptls" not in shown["services"]
    domain = aged.show("domain", "example.org")
    assert (domain["numberOfLists"], domain["existingLists"], domain["existingUsers"]) == (0, 0, 2)
    assert domain["defaultQuota"] == 7


@pytest.mark.parametrize("sort", ["", "name", "-quota", "created", "-created"])
def test_an_older_server_is_listed(aged: Site, sort: str) -> None:
    """Also by dates that are none, and from tables in another character set."""
    whole = [record.key for record in aged.listed("user", None, sort=sort).records or ()]
    first = aged.listed("user", None, sort=sort, limit="3")
    second = aged.listed("user", None, sort=sort, limit="3", page_token=first.next or "")

    assert [record.key for record in (*(first.records or ()), *(second.records or ()))] == whole
    assert sorted(whole) == [
        *("jane@example.net", JANE, "john@example.net", JOHN),
    ]


def test_a_parameter_without_a_column_is_a_warning(aged: Site) -> None:
    assert aged.update("domain", "example.org", numberOfLists="5", name="New") == [
        "numberOfLists has no place in this server's schema; ignored"
    ]
    assert aged.show("domain", "example.org")["name"] == "New"

    (warning,) = aged.update("user", JANE, removeService="imap", addService="sogowebmail")
    assert "sogowebmail" in warning
    assert "imap" not in aged.show("user", JANE)["services"]

    assert aged.create("domain", "new.test", name="New", numberOfLists="5") == [
        "numberOfLists has no place in this server's schema; ignored"
    ]


def test_every_operation_leaves_the_rest_of_an_older_server_alone(aged: Site) -> None:
    """Row by row: only Jane's and her domain's own rows move."""
    before = aged.snapshot()

    aged.create("user", "new@example.org", password=PASSWORD)
    aged.update("user", "new@example.org", forwarding="x@example.net", aliases="n@example.org")
    aged.update("user", "new@example.org", accountStatus="disabled", services="imapsecured")
    aged.update("domain", "example.org", senderBcc="x@example.net", catchall="caught@example.net")
    aged.update("domain", "example.org", senderBcc="", is_backupmx="yes", primarymx="192.0.2.1")
    aged.update("domain", "example.org", is_backupmx="no", outboundRelay="[192.0.2.1]")
    aged.update("domain", "example.org", outboundRelay="")
    aged.remove("user", "new@example.org", "3")
    aged.create("domain", "new.test", name="New")
    aged.create("user", "a@new.test", password=PASSWORD)
    aged.update_users("new.test", accountStatus="disabled", language="en_US")
    aged.remove("domain", "new.test")

    difference = aged.since(before)
    assert set(difference.added) == {
        *("deleted_mailboxes new@example.org", "deleted_mailboxes a@new.test")
    }
    assert difference.removed == {}
    assert {name: set(columns) for name, columns in difference.changed.items()} == {
        "domain example.org": {"modified"}
    }


def test_a_removed_account_takes_only_its_own_rows(aged: Site) -> None:
    before = aged.snapshot()

    aged.remove("user", JANE)

    difference = aged.since(before)
    assert set(difference.removed) == {f"mailbox {JANE}", f"forwardings {JANE} {JANE}"}
    assert set(difference.added) == {f"deleted_mailboxes {JANE}"}
    assert difference.changed == {}


def test_a_renamed_account_keeps_what_others_wrote(aged: Site) -> None:
    before = aged.row("mailbox", JANE)

    with aged.app.store.session() as accounts:
        accounts.begin()
        accounts.rename(RESOURCE, JANE, "janet@example.org")
        accounts.commit()

    after = aged.row("mailbox", "janet@example.org")
    assert {name for name in before if before[name] != after[name]} == {"username", "modified"}


def test_an_answer_of_an_older_server_can_be_sent_back(aged: Site) -> None:
    everything = ("vmail", "iredadmin")
    for kind, key in (("user", JANE), ("domain", "example.org")):
        form = {name: as_text(value) for name, value in aged.show(kind, key).items()}
        before = aged.snapshot(*everything)

        aged.update(kind, key, form)

        assert aged.since(before, *everything) == NOTHING


@pytest.mark.parametrize(
    ("form", "settings"),
    [
        (
            {"language": "en_US"},
            "zebra:1;foo:bar;;odd part;default_user_quota:7;url:http://x:80/; spaced : out ;"
            "default_language:en_US;",
        ),
        (
            {"defaultQuota": "9"},
            "zebra:1;foo:bar;;odd part;default_user_quota:9;url:http://x:80/; spaced : out ;",
        ),
        (
            {"defaultQuota": "0"},
            "zebra:1;foo:bar;;odd part;url:http://x:80/; spaced : out ;",
        ),
    ],
)
def test_unknown_settings_stay_byte_for_byte(
    aged: Site, form: dict[str, str], settings: str
) -> None:
    aged.update("domain", "example.org", form)

    assert settings == aged.row("domain", "example.org")["settings"]
    assert STRANGE == aged.row("domain", "example.net")["settings"]


@on_sql
@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("a:1", "a:1;default_language:en_US;"),
        ("a:1;b", "a:1;b;default_language:en_US;"),
        ("default_language:de_DE", "default_language:en_US;"),
        ("default_language:de_DE;x:y;default_language:fr_FR;", "default_language:en_US;x:y;"),
        ("default_language:de:DE;", "default_language:en_US;"),
        ("", "default_language:en_US;"),
    ],
)
def test_a_key_is_written_once_where_it_stood(site: Site, stored: str, expected: str) -> None:
    add_domain(site, "example.org", settings=stored)

    site.update("domain", "example.org", language="en_US")

    assert expected == site.row("domain", "example.org")["settings"]


@on_sql
def test_settings_that_make_no_sense_count_as_not_set(site: Site) -> None:
    add_domain(
        site, "example.org", settings="default_user_quota:lots;max_user_quota:-5;min_passwd_length:"
    )

    shown = site.show("domain", "example.org")

    assert [shown[name] for name in ("defaultQuota", "maxUserQuota", "minPasswordLength")] == [
        0
    ] * 3
    site.create("user", JANE, password=PASSWORD)


@on_sql
def test_a_user_whose_rows_another_program_wrote_differently(site: Site) -> None:
    """No row of its own, or one without a flag: still shown, and mended by a forward."""
    add_domain(site, "example.org")
    add_user(site, JANE)
    site.vmail.execute("DELETE FROM forwardings")
    assert site.show("user", JANE)["forwarding"] == ()

    site.update("user", JANE, forwarding=JANE)

    assert site.show("user", JANE)["forwarding"] == (JANE,)
    add_forwarding(site, JANE, "x@example.net", FORWARD, active=0)
    assert site.show("user", JANE)["forwarding"] == (JANE, "x@example.net")
