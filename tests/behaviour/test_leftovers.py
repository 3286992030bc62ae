"""Removing an account while a policy database is down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailwright.errors import NotFound, Unavailable
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Database, Target
from mailwright.work import Leftover
from tests.behaviour.conftest import PASSWORD
from tests.stores import Site

JANE = "jane@example.org"


@contextmanager
def without_iredapd(site: Site) -> Iterator[None]:
    real = site.app.databases["iredapd"]
    nowhere = Target(Dialect.SQLITE, "iredapd", path=Path("/nonexistent/iredapd.db"))
    site.app.databases["iredapd"] = Database(nowhere)
    try:
        yield
    finally:
        site.app.databases["iredapd"] = real


def throttled(site: Site) -> list[str]:
    return [row["account"] for row in site.raw["iredapd"].rows("SELECT account FROM throttle")]


@pytest.fixture
def policed(start: Site) -> Site:
    start.raw["iredapd"].insert("throttle", account=JANE, kind="outbound", period=60, priority=100)
    return start


def test_the_answer_says_so_and_a_successor_starts_without_the_old_policy(policed: Site) -> None:
    """The note was dropped as soon as the address was used again, and the rule stayed for ever."""
    with without_iredapd(policed):
        warnings = policed.remove("user", JANE)

    assert len(warnings) == 1
    assert JANE in warnings[0]
    assert [JANE] == throttled(policed)

    policed.create("user", JANE, password=PASSWORD)

    assert [] == throttled(policed)
    assert [] == policed.raw["iredadmin"].rows("SELECT * FROM mailwright_leftovers")


def test_the_name_is_not_used_again_while_the_database_is_still_down(policed: Site) -> None:
    with without_iredapd(policed):
        policed.remove("user", JANE)
        with pytest.raises(Unavailable):
            policed.create("user", JANE, password=PASSWORD)

    policed.app.finish_leftovers()
    policed.create("user", JANE, password=PASSWORD)

    assert [] == throttled(policed)


def test_who_comes_too_late_leaves_no_note(policed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten removed one account: the note of a loser stood there until the next repair, now and then."""
    genuine = policed.app._announce

    def late(leftover: Leftover) -> None:
        monkeypatch.undo()
        policed.remove("user", JANE)  # somebody else, from the beginning to the end
        genuine(leftover)

    monkeypatch.setattr(policed.app, "_announce", late)
    with pytest.raises(NotFound):
        policed.remove("user", JANE)

    assert [] == policed.raw["iredadmin"].rows("SELECT * FROM mailwright_leftovers")
    assert [] == throttled(policed)
