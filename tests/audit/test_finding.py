"""Records are found page by page, and within bounds."""

from __future__ import annotations

import pytest

from mailwright.audit.finding import Search, find, shown
from mailwright.authz import Action, Actor, Role
from mailwright.storage.sql.engine import Database
from mailwright.work import Work
from tests.stores import EARLIER, LATER, Site

ONE = Actor("one@admin.test", Role.DOMAIN_ADMIN, "192.0.2.1")
OTHER = Actor("other@admin.test", Role.GLOBAL_ADMIN, "192.0.2.2")


def noted(site: Site, actor: Actor, action: Action, key: str, domain: str) -> None:
    def operation(work: Work) -> None:
        work.note(action, "user", key, domain)

    site.app.run(actor, operation)


@pytest.fixture
def filled(site: Site) -> Site:
    site.clock.now = EARLIER
    noted(site, ONE, Action.CREATE, "a@one.test", "one.test")
    noted(site, OTHER, Action.CREATE, "b@two.test", "two.test")
    site.clock.now = LATER
    noted(site, ONE, Action.UPDATE, "a@one.test", "one.test")
    noted(site, OTHER, Action.DELETE, "a@one.test", "one.test")
    site.app.login_failed("one@admin.test", "192.0.2.3", "INVALID_CREDENTIALS")
    return site


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (Search(), [5, 4, 3, 2, 1]),
        (Search(oldest_first=True), [1, 2, 3, 4, 5]),
        (Search(actor="one@admin.test"), [5, 3, 1]),
        (Search(domain="one.test"), [4, 3, 1]),
        (Search(target="a@one.test", action="update"), [3]),
        (Search(resource="admin"), [5]),
        (Search(outcome="refused"), [5]),
        (Search(since="2026-05-06T07:08:09.000000Z"), [5, 4, 3]),
        (Search(until="2026-05-06T07:08:09.000000Z"), [2, 1]),
        (Search(after=3), [2, 1]),
        (Search(after=3, oldest_first=True), [4, 5]),
        (Search(seen_by="one@admin.test"), [5, 3, 1]),
        (Search(seen_by="one@admin.test", actor="other@admin.test"), []),
        (Search(within=frozenset({"two.test"})), [2]),
        (Search(within=frozenset({"two.test", "one.test"}), actor="other@admin.test"), [4, 2]),
        (Search(within=frozenset()), []),
    ],
)
def test_filters_and_bounds(
    filled: Site, database: Database, search: Search, expected: list[int]
) -> None:
    del filled

    assert expected == [record.sequence for record in find(database, search).records]


def test_pages_follow_one_another(filled: Site, database: Database) -> None:
    del filled
    seen: list[list[int]] = []
    after: int | None = None
    while True:
        found = find(database, Search(limit=2, after=after))
        seen.append([record.sequence for record in found.records])
        if (after := found.next) is None:
            break

    assert [[5, 4], [3, 2], [1]] == seen


def test_a_failed_login_says_who_was_named_and_claims_no_rank(
    filled: Site, database: Database
) -> None:
    del filled
    (record,) = find(database, Search(limit=1)).records

    told = shown(record)
    assert {
        "sequence": 5,
        "time": "2026-05-06T07:08:09.000000Z",
        "actor": "one@admin.test",
        "role": "",
        "token": "",
        "address": "192.0.2.3",
        "channel": "api",
        "request": "",
        "action": "login",
        "resource": "admin",
        "target": "one@admin.test",
        "domain": "admin.test",
        "outcome": "refused",
        "code": "INVALID_CREDENTIALS",
        "corrects": 0,
        "changes": {},
    } == told
