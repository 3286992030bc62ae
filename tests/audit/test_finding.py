"""Records are found page by page, and within bounds."""

from __future__ import annotations

import pytest

from mailwright.audit import finding
from mailwright.audit.finding import Own, Search, find, last_of_name, shown
from mailwright.authz import Action, Actor, Role
from mailwright.storage.sql.engine import Database
from mailwright.work import Work
from tests.stores import EARLIER, LATER, Site

ONE = Actor("one@admin.test", Role.DOMAIN_ADMIN, "192.0.2.1")
OTHER = Actor("other@admin.test", Role.GLOBAL_ADMIN, "192.0.2.2")
BOTH = frozenset({"one.test", "two.test"})


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
        (Search(own=Own("one@admin.test", BOTH)), [5, 3, 1]),
        (Search(own=Own("one@admin.test", BOTH), actor="other@admin.test"), []),
        (Search(own=Own("other@admin.test", BOTH)), []),
        (Search(own=Own("one@admin.test", frozenset({"two.test"}))), [5]),
        (Search(own=Own("one@admin.test", BOTH), domain="one.test"), [3, 1]),
        (Search(own=Own("one@admin.test", BOTH), domain="three.test"), []),
        (Search(own=Own("one@admin.test", BOTH, "2026-05-06T07:08:09.000000Z")), [5, 3]),
        (Search(own=Own("one@admin.test", BOTH, behind=3)), [5]),
        (Search(own=Own("one@admin.test", BOTH), within=frozenset({"one.test"})), [3, 1]),
        (Search(own=Own("one@admin.test", BOTH), within=frozenset({"admin.test"})), [5]),
        (Search(own=Own("one@admin.test", BOTH), within=frozenset()), []),
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


@pytest.mark.parametrize("at_once", [1, 5000])
@pytest.mark.parametrize(
    "asked", [(number, first) for number in (1, 2, 3) for first in (True, False)]
)
def test_pages_are_exact_however_many_statements_there_are(
    site: Site,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
    asked: tuple[int, bool],
) -> None:
    """A record about their own account, in a domain of theirs, is found twice and shown once."""
    limit, oldest_first = asked
    monkeypatch.setattr(finding, "DOMAINS_AT_ONCE", at_once)
    for key, domain in (
        *(("a@one.test", "one.test"), ("a@two.test", "two.test"), ("b@else.test", "else.test")),
        *(("one@admin.test", "admin.test"), ("b@two.test", "two.test"), ("b@one.test", "one.test")),
    ):
        noted(site, ONE, Action.UPDATE, key, domain)
    own = Own("one@admin.test", BOTH | {"admin.test"})
    found: list[int] = []
    after: int | None = None
    while True:
        search = Search(own=own, limit=limit, after=after, oldest_first=oldest_first)
        page = find(database, search)
        found += [record.sequence for record in page.records]
        assert limit == len(page.records) or page.next is None
        if (after := page.next) is None:
            break

    assert sorted([1, 2, 4, 5, 6], reverse=not oldest_first) == found


def test_what_was_done_as_a_global_admin_is_no_domain_admins(
    site: Site, database: Database
) -> None:
    noted(site, Actor("one@admin.test", Role.GLOBAL_ADMIN), Action.UPDATE, "a@one.test", "one.test")

    assert [] == find(database, Search(own=Own("one@admin.test", BOTH))).records


def test_the_last_of_a_name_is_when_it_was_made_or_removed(site: Site, database: Database) -> None:
    assert 0 == last_of_name(database, "a@one.test")
    noted(site, OTHER, Action.CREATE, "a@one.test", "one.test")
    noted(site, OTHER, Action.UPDATE, "a@one.test", "one.test")
    noted(site, OTHER, Action.CREATE, "b@one.test", "one.test")

    assert 1 == last_of_name(database, "A@one.test")
    noted(site, OTHER, Action.DELETE, "a@one.test", "one.test")

    assert 4 == last_of_name(database, "a@one.test")


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
