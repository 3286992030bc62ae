"""A removed account leaves nothing behind for its successor."""

from __future__ import annotations

from mailwright.storage.sql.schema import DATABASES
from mailwright.storage.sql.schema.model import Type
from tests.conformance.neighbours import ALONE, FIRST_ID, JANE, JOHN, OTHER, populate
from tests.stores import Site, on_sql

# The places of a user's address in `vmail`; after the removal only the last ones hold it.
HOLDING_A_USER = {
    *("mailbox.username", "forwardings.address", "forwardings.forwarding"),
    *("moderators.moderator", "maillist_owners.owner", "domain_admins.username"),
    *("sender_bcc_user.username", "sender_bcc_user.bcc_address", "sender_bcc_domain.bcc_address"),
    *("recipient_bcc_user.username", "recipient_bcc_user.bcc_address"),
    *("recipient_bcc_domain.bcc_address", "sender_relayhost.account", "used_quota.username"),
    *("last_login.username", "share_folder.from_user", "share_folder.to_user"),
    *("anyone_shares.from_user", "deleted_mailboxes.admin"),
}
HISTORY = {"deleted_mailboxes.admin", "deleted_mailboxes.username"}
# Text that can never be the address of a mail user: names of other things, and words.
NEVER_A_USER = {
    *("domain.domain", "domain.description", "domain.disclaimer", "domain.transport"),
    *("domain.settings", "alias_domain.alias_domain", "alias_domain.target_domain"),
    *("mailbox.password", "mailbox.name", "mailbox.language", "mailbox.first_name"),
    *("mailbox.last_name", "mailbox.mobile", "mailbox.telephone", "mailbox.mailboxformat"),
    *("mailbox.mailboxfolder", "mailbox.storagebasedirectory", "mailbox.storagenode"),
    *("mailbox.maildir", "mailbox.domain", "mailbox.transport", "mailbox.department"),
    *("mailbox.rank", "mailbox.employeeid", "mailbox.allow_nets", "mailbox.disclaimer"),
    *("mailbox.settings", "forwardings.domain", "forwardings.dest_domain", "alias.address"),
    *("alias.name", "alias.accesspolicy", "alias.domain", "moderators.address"),
    *("moderators.domain", "moderators.dest_domain", "maillists.address", "maillists.domain"),
    *("maillists.transport", "maillists.accesspolicy", "maillists.name", "maillists.description"),
    *("maillists.mlid", "maillists.settings", "maillist_owners.address"),
    *("maillist_owners.domain", "maillist_owners.dest_domain", "admin.password", "admin.name"),
    *("admin.language", "admin.settings", "domain_admins.domain", "sender_bcc_domain.domain"),
    *("sender_bcc_user.domain", "recipient_bcc_domain.domain", "recipient_bcc_user.domain"),
    *("sender_relayhost.relayhost", "used_quota.domain", "last_login.domain"),
    *("deleted_mailboxes.domain", "deleted_mailboxes.maildir"),
}
# An address outside the server in the first, an account of another sort in the second.
SOMEBODY_ELSES = {"mailbox.recovery_email", "admin.username"}
SHORT = {"varchar(1)", "char(1)"}


def text_columns() -> set[str]:
    def is_text(kind: Type) -> bool:
        return kind.sqlite == "TEXT" and "char" in kind.postgresql and kind.postgresql not in SHORT

    return {
        f"{table.name}.{column.name}"
        for table in DATABASES["vmail"].tables
        for column in table.columns
        if is_text(column.type) or column.type.postgresql == "text"
    }


def holding(site: Site, text: str, *databases: str) -> set[str]:
    """The columns in which a text stands, alone or within a longer one."""
    octets = text.encode()
    return {
        f"{name.split()[0]}.{column}"
        for name, row in site.snapshot(*databases).items()
        for column, value in row.items()
        if (isinstance(value, str) and text in value)
        or (isinstance(value, bytes) and octets in value)
    }


def test_somebody_decided_for_every_column_whether_it_can_hold_a_user() -> None:
    decided = (HOLDING_A_USER | HISTORY, NEVER_A_USER, SOMEBODY_ELSES)

    assert text_columns() == set().union(*decided)
    assert sum(map(len, decided)) == len(text_columns())


@on_sql
def test_the_neighbours_have_jane_in_every_column_that_can_hold_her(site: Site) -> None:
    populate(site)

    assert holding(site, JANE) == HOLDING_A_USER


@on_sql
def test_a_removed_user_is_in_no_column_of_any_database(site: Site) -> None:
    populate(site)

    site.remove("user", JANE)

    assert holding(site, JANE) == HISTORY
    assert holding(site, JANE, "amavisd", "iredapd") == set()
    assert holding(site, JANE, "iredadmin") == {
        *("log.username", "log.msg"),
        *("mailwright_audit.target", "mailwright_audit.changes"),
    }


@on_sql
def test_a_removed_user_takes_nobody_elses_rows_along(site: Site) -> None:
    """Also no policy of the domain, of everybody, or of a user whose address is alike."""
    populate(site)
    everything = ("vmail", "amavisd", "iredapd")
    before = site.snapshot(*everything)
    jane = {str(FIRST_ID)}

    site.remove("user", JANE)

    difference = site.since(before, *everything)
    assert difference.changed == {}
    assert set(difference.added) == {f"deleted_mailboxes {JANE}", f"forwardings {ALONE} {ALONE}"}
    for name, row in difference.removed.items():
        values = {str(row.get(column)) for column in ("rid", "sid", "tid", "policy_id")}
        assert JANE in name or JANE in str(row) or values & jane, (name, row)


def test_an_account_without_any_row_left_gets_itself_back(site: Site) -> None:
    populate(site)

    site.remove("user", JANE)

    assert site.show("user", ALONE)["forwarding"] == (ALONE,)
    assert site.show("user", OTHER)["forwarding"] == ("other@elsewhere.test", OTHER)


@on_sql
def test_the_row_that_it_gets_back_is_switched_on(site: Site) -> None:
    populate(site)

    site.remove("user", JANE)

    assert site.row("forwardings", ALONE)["active"] == 1


@on_sql
def test_a_disabled_account_gets_its_row_back_disabled(site: Site) -> None:
    populate(site)
    site.update("user", ALONE, accountStatus="disabled")

    site.remove("user", JANE)

    assert site.row("forwardings", ALONE)["active"] == 0


def test_a_successor_starts_as_anybody_does(site: Site) -> None:
    populate(site)
    site.remove("user", JANE)

    site.create("user", JANE, password="Fresh-Pass1", quota="5")

    shown = site.show("user", JANE)
    assert shown["forwarding"] == (JANE,)
    empty = ("aliases", "groups", "managedDomains", "lastLoginImap", "usedQuotaBytes")
    assert [shown[name] for name in empty] == [(), (), (), "", 0]
    assert shown["isAdmin"] is False


@on_sql
def test_a_removed_domain_is_in_no_column_but_as_a_destination(site: Site) -> None:
    """Mail to the old domain may go on to wherever it moved, so destinations stay."""
    populate(site)

    site.remove("domain", "example.org")

    domain = "example.org"
    rows = site.snapshot("vmail", "amavisd", "iredapd", "iredadmin")
    left = {
        name
        for name, row in rows.items()
        for value in row.values()
        if isinstance(value, str | bytes)
        and (text := value.decode() if isinstance(value, bytes) else value)
        and (text == domain or text.endswith(f"@{domain}"))
    }
    remembered = ("log ", "mailwright_audit ", "deleted_mailboxes ")
    assert {name for name in left if not name.startswith(remembered)} == {
        *(f"forwardings {ALONE} {JANE}", f"forwardings {OTHER} {JANE}"),
        *(f"forwardings strange@example.net {member}" for member in (JANE, JOHN)),
        *(f"moderators strange@example.net {member}" for member in (JANE, JOHN)),
        *(f"maillist_owners news@example.net {member}" for member in (JANE, JOHN)),
        *(f"{way}_bcc_user {OTHER}" for way in ("sender", "recipient")),
    }


@on_sql
def test_a_removed_domain_leaves_domains_with_a_like_name_alone(site: Site) -> None:
    """An underscore in LIKE stands for any character, and one name can be the end of another."""
    populate(site)
    everything = ("vmail", "amavisd", "iredapd")
    before = site.snapshot(*everything)

    site.remove("domain", "an_example.org")

    difference = site.since(before, *everything)
    assert difference.touched == {
        *("domain an_example.org", "mailbox jane@an_example.org"),
        *("forwardings jane@an_example.org jane@an_example.org",),
        *("deleted_mailboxes jane@an_example.org",),
    }


def test_the_mailboxes_of_a_removed_domain_are_remembered(site: Site) -> None:
    populate(site)

    site.remove("domain", "example.org", "30")

    remembered = site.beside.rows(
        "SELECT username, domain, maildir, bytes, messages, admin, delete_date, timestamp "
        "FROM deleted_mailboxes WHERE domain = 'example.org' ORDER BY username"
    )
    assert [tuple(row.values()) for row in remembered] == [
        (
            *(user, "example.org", f"/var/vmail/vmail1/example.org/x/y/z/{path}/", size, count),
            *("postmaster@admin.test", "2026-06-05", "2026-05-06 07:08:09"),
        )
        for user, path, size, count in (
            (JANE, "jane-2026.01.02.03.04.05", 1000, 1),
            (JOHN, "john-2026.01.02.03.04.05", 2000, 2),
        )
    ]
