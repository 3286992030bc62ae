"""The last active global admin can be neither demoted, disabled nor removed."""

from __future__ import annotations

import pytest

from mailwright.errors import Forbidden
from tests.behaviour.conftest import PASSWORD
from tests.stores import NOTHING, Site

JANE, JOHN = "jane@example.org", "john@example.net"

WAYS = {
    "demoted": lambda site: site.update("user", JANE, isGlobalAdmin="no"),
    "disabled": lambda site: site.update("user", JANE, accountStatus="disabled"),
    "removed": lambda site: site.remove("user", JANE),
    "removed with the domain": lambda site: site.remove("domain", "example.org"),
    "disabled with all": lambda site: site.update_users("example.org", accountStatus="disabled"),
}


@pytest.fixture
def last(start: Site) -> Site:
    """Jane is the only one left."""
    start.update("user", JANE, isGlobalAdmin="yes")
    start.create("user", JOHN, password=PASSWORD)
    start.dismiss("boss@nowhere.test")
    return start


@pytest.mark.parametrize("way", WAYS)
def test_the_last_one_cannot_be(last: Site, way: str) -> None:
    before = last.snapshot()

    with pytest.raises(Forbidden) as caught:
        WAYS[way](last)

    assert caught.value.code == "NOT_ALLOWED"
    assert last.since(before) == NOTHING


@pytest.mark.parametrize("way", WAYS)
def test_the_last_but_one_can_be(last: Site, way: str) -> None:
    last.update("user", JOHN, isGlobalAdmin="yes")

    WAYS[way](last)


@pytest.mark.parametrize("way", WAYS)
def test_a_disabled_admin_does_not_count(last: Site, way: str) -> None:
    last.update("user", JOHN, isGlobalAdmin="yes")
    last.update("user", JOHN, accountStatus="disabled")

    with pytest.raises(Forbidden):
        WAYS[way](last)


def test_other_changes_of_the_last_one_are_free(last: Site) -> None:
    last.update("user", JANE, name="Boss", accountStatus="active", isGlobalAdmin="yes")
    last.update_users("example.org", language="en_US")

    assert last.show("user", JANE)["isGlobalAdmin"] is True


def test_a_disabled_global_admin_can_be_removed(last: Site) -> None:
    last.update("user", JOHN, isGlobalAdmin="yes")
    last.update("user", JOHN, accountStatus="disabled")

    last.remove("user", JOHN)


def test_an_interrupted_refusal_leaves_no_note_to_forget_the_account(last: Site) -> None:
    with pytest.raises(Forbidden):
        last.remove("user", JANE)

    last.app.finish_leftovers(settled_seconds=0)

    assert last.show("user", JANE)["isGlobalAdmin"] is True
    rows = last.raw["iredadmin"].rows("SELECT * FROM mailwright_leftovers")
    assert rows == []


def test_a_young_note_of_an_account_that_is_there_waits(last: Site) -> None:
    """Another process may be about to commit the removal: without the note a crash would lose it."""
    with pytest.raises(Forbidden):
        last.remove("user", JANE)

    last.app.finish_leftovers()

    assert len(last.raw["iredadmin"].rows("SELECT * FROM mailwright_leftovers")) == 1
