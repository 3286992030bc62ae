"""The record comes before the change: what is on record when the change then fails, or the process ends."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mailwright.app import ACCOUNTS, App
from mailwright.audit import trail
from mailwright.errors import PartlyDone, Unavailable
from mailwright.resources import operations
from mailwright.storage.protocol import Accounts, Changed, Contention, Failure
from tests.audit.chains import log, records
from tests.stores import ADMIN, Site

JANE = "jane@example.org"


def told(site: Site) -> list[tuple[object, ...]]:
    """Of every record after the start."""
    return [
        (row["outcome"], row["code"], row["target"], row["corrects"]) for row in records(site)[2:]
    ]


@contextmanager
def commits(site: Site, instead: Any) -> Iterator[None]:
    """`instead` is called where the accounts would commit."""
    session = site.app.store.session

    @contextmanager
    def opened() -> Iterator[Accounts]:
        with session() as accounts:
            genuine = accounts.commit
            accounts.commit = lambda: instead(genuine)  # type: ignore[method-assign]
            yield accounts

    site.app.store.session = opened  # type: ignore[method-assign]
    try:
        yield
    finally:
        site.app.store.session = session  # type: ignore[method-assign]


def failing(error: Exception) -> Any:
    def commit(_genuine: Any) -> None:
        raise error

    return commit


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Unavailable("gone"), "SERVER_DOWN"),
        (PartlyDone("half"), "PARTLY_DONE"),
        (RuntimeError("a mistake of ours"), "INTERNAL_ERROR"),
    ],
)
def test_a_change_that_fails_after_its_record_is_followed_by_one_that_says_so(
    start: Site, error: Exception, code: str
) -> None:
    with commits(start, failing(error)), pytest.raises(type(error)):
        start.update("user", JANE, quota="9")

    assert [("done", "", JANE, 0), ("failed", code, JANE, 3)] == told(start)
    lines = [(line["loglevel"], line["msg"]) for line in log(start)[2:]]
    assert [
        ("info", f"[API] Update user {JANE} (quota)."),
        ("error", f"[API] Update user {JANE} (quota). Failed: {code}."),
    ] == lines
    assert 5 == start.show("user", JANE)["quota"]


def test_a_change_that_is_tried_again_says_what_the_first_try_came_to(start: Site) -> None:
    left = [Contention("busy")]

    def commit(genuine: Any) -> None:
        if left:
            raise left.pop()
        genuine()

    with commits(start, commit):
        start.update("user", JANE, quota="9")

    assert [
        ("done", "", JANE, 0),
        ("failed", Contention("busy").code, JANE, 3),
        ("done", "", JANE, 0),
    ] == told(start)
    assert 9 == start.show("user", JANE)["quota"]


def test_a_chain_that_is_busy_is_waited_for_with_the_whole_change(
    start: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, genuine = [Contention("busy")], trail.write

    def write(*asked: Any) -> Any:
        if left:
            raise left.pop()
        return genuine(*asked)

    monkeypatch.setattr(trail, "write", write)
    start.update("user", JANE, quota="9")

    assert [("done", "", JANE, 0)] == told(start)
    assert ["create", "create", "update"] == [line["event"] for line in log(start)]
    assert 9 == start.show("user", JANE)["quota"]


def test_what_fails_before_its_record_leaves_none(start: Site) -> None:
    def broken(work: Any) -> None:
        operations.update(work, ACCOUNTS["user"], JANE, {"quota": ["9"]})
        raise Unavailable("gone")

    with pytest.raises(Unavailable):
        start.app.run(ADMIN, broken)

    assert [] == told(start)


def test_what_was_done_in_part_only_says_so(start: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that refuses some of many accounts raises nothing."""
    with start.app.store.session() as accounts:
        kind = type(accounts)
    monkeypatch.setattr(
        kind, "change_all", lambda *_, **__: Changed(0, [Failure(JANE, "SERVER_DOWN", "refused")])
    )

    start.change_users("example.org", language="de_DE")

    assert [("done", "", "", 0), ("failed", "PARTLY_DONE", "", 3)] == told(start)


def test_a_change_that_takes_effect_at_once_is_recorded_first(
    start: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory writes account by account, long before the operation is over."""
    seen: list[int] = []
    with start.app.store.session() as accounts:
        kind, at_once = type(accounts), not accounts.all_at_once

    def change_all(*_: object, **__: object) -> Changed:
        seen.append(len(records(start)))
        return Changed(1)

    monkeypatch.setattr(kind, "change_all", change_all)
    start.change_users("example.org", language="de_DE")

    assert [3 if at_once else 2] == seen
    assert [("done", "", "", 0)] == told(start)


def _end_at_the_commit(settings: Any, clock: Any) -> None:
    app = App(settings, clock)
    with app.store.session() as accounts:
        type(accounts).commit = lambda _self: os._exit(7)  # type: ignore[method-assign]
    app.run(ADMIN, lambda work: operations.update(work, ACCOUNTS["user"], JANE, {"quota": ["9"]}))


def test_a_process_that_ends_between_record_and_change_leaves_a_record_too_many(
    start: Site,
) -> None:
    """Over-reported, never under-reported."""
    child = multiprocessing.get_context("fork").Process(
        target=_end_at_the_commit, args=(start.app.settings, start.clock)
    )
    child.start()
    child.join()

    assert 7 == child.exitcode
    assert [("done", "", JANE, 0)] == told(start)
    assert 5 == start.show("user", JANE)["quota"]
