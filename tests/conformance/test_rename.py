"""An account gets a new key wherever the old one stands."""

from __future__ import annotations

import pytest

from mailwright.errors import Exists, NotFound
from mailwright.resources.user import RESOURCE as USER
from tests.conformance.neighbours import FORWARD, JANE, JOHN, OTHER, TEAM, add_forwarding, populate
from tests.conformance.test_removal import HOLDING_A_USER, holding
from tests.stores import NOTHING, Site, on_sql

NEW = "janet@example.org"
MOVED = "janet@example.net"


def rename(site: Site, old: str, new: str) -> None:
    with site.app.store.session() as accounts:
        accounts.begin()
        accounts.rename(USER, old, new)
        accounts.commit()


@on_sql
@pytest.mark.parametrize("new", [NEW, MOVED])
def test_the_new_address_stands_where_the_old_one_did(site: Site, new: str) -> None:
    """Who removed a mailbox long ago keeps the name of that day."""
    populate(site)
    before = site.snapshot()

    rename(site, JANE, new)

    assert holding(site, JANE) == {"deleted_mailboxes.admin"}
    assert holding(site, new) == HOLDING_A_USER - {"deleted_mailboxes.admin"}
    after = site.snapshot()
    assert len(after) == len(before)
    expected = {
        name.replace(JANE, new): {
            column: new if value == JANE else value for column, value in row.items()
        }
        for name, row in before.items()
    }
    domain = new.rpartition("@")[2]
    for name, row in after.items():
        kept = {"domain", "dest_domain", "modified"} if new in name else set[str]()
        wanted = expected[name] if "deleted_mailboxes" not in name else before[name]
        assert {c: v for c, v in row.items() if c not in kept} == {
            c: v for c, v in wanted.items() if c not in kept
        }
    for row in site.vmail.rows("SELECT * FROM forwardings"):
        if row["forwarding"] == new:
            assert row["dest_domain"] == domain
        if row["address"] == new:
            assert row["domain"] == domain


def test_what_was_hers_is_shown_under_the_new_address(site: Site) -> None:
    populate(site)
    before = site.show("user", JANE)

    rename(site, JANE, MOVED)

    after = site.show("user", MOVED)
    moved = {name for name in before if before[name] != after[name]}
    assert moved - {"modified"} == {"mail", "forwarding"}
    assert after["maildir"] == before["maildir"]
    assert after["forwarding"] == ("jane@elsewhere.test", MOVED)


def test_an_unknown_account_is_not_found(site: Site) -> None:
    populate(site)
    with pytest.raises(NotFound) as caught:
        rename(site, "nobody@example.org", NEW)

    assert caught.value.code == "NO_SUCH_ACCOUNT"


def test_a_taken_address_is_refused_and_nothing_moves(site: Site) -> None:
    populate(site)
    before = site.snapshot()

    with pytest.raises(Exists):
        rename(site, JANE, JOHN)

    assert site.since(before) == NOTHING


@on_sql
def test_somebody_who_has_both_addresses_keeps_one_row(site: Site) -> None:
    """The new address may have been a member, or a destination, before anybody had it."""
    populate(site)
    add_forwarding(site, TEAM, NEW, "is_list")
    add_forwarding(site, OTHER, NEW, FORWARD)
    add_forwarding(site, JANE, NEW, FORWARD)
    site.insert("moderators", address=TEAM, moderator=NEW)
    site.insert("used_quota", username=NEW, bytes=1, messages=1)
    site.insert("share_folder", from_user=NEW, to_user=JOHN, dummy="1")

    rename(site, JANE, NEW)

    rows = site.vmail.rows("SELECT address FROM forwardings WHERE forwarding = ?", NEW)
    addresses = [row["address"] for row in rows]
    assert len(addresses) == len(set(addresses))
    assert {TEAM, OTHER, NEW} <= set(addresses)
    assert site.row("used_quota", NEW)["bytes"] == 1000
    assert site.show("user", NEW)["forwarding"] == ("jane@elsewhere.test", NEW)
