"""The comparison itself: what it lets pass and what it does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.equivalence.machine import Comparison, differences
from tests.equivalence.tolerances import TOLERANCES, declared
from tests.equivalence.world import Request, Seen

JANE = {
    "mail": "jane@example.org",
    "name": "Jane",
    "quota": 5,
    "groups": ["team@example.org"],
    "services": ["imap", "smtp"],
    "forwarding": ["jane@example.org"],
    "passwordLastChange": "2026-01-02T03:04:05Z",
    "created": "2026-01-02T03:04:05Z",
    "modified": "2026-01-02T03:04:05Z",
}
# What a directory may make of her, and the row that says so.
FORGIVEN = [
    ("name-default", {"name": ""}, {"name": "jane"}),
    ("default-lists", {}, {"groups": ["news@example.org", "team@example.org"]}),
    ("removed-domain", {"forwarding": ["x@gone.test"]}, {}),
    ("services", {}, {"services": ["forward", "imap", "mail", "smtp"]}),
    ("password-day", {}, {"passwordLastChange": "2026-01-02T00:00:00Z"}),
    ("times", {}, {"created": "2027-01-02T03:04:05Z"}),
]
UNFORGIVEN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"quota": 6}),
    ({}, {"name": ""}),
    ({"name": ""}, {"name": "john"}),
    ({}, {"groups": []}),
    ({}, {"services": ["imap"]}),
    ({"forwarding": ["x@there.test"]}, {}),
    ({}, {"passwordLastChange": "2026-01-03T00:00:00Z"}),
]


@dataclass(frozen=True)
class Named:
    """As much of a store as the comparison asks for."""

    name: str
    is_directory: bool


def seen(user: dict[str, Any], **answer: Any) -> Seen:
    return Seen(
        request=Request("GET", "/api/user/jane@example.org"),
        status=200,
        answer={"_success": True, "_data": {**JANE, **user}, **answer},
        domains={},
        users={},
        rows={},
        token=None,
        gone=frozenset({"gone.test"}),
    )


def compare(one: Seen, other: Seen, *, directory: bool) -> set[str]:
    """The tolerances that were needed."""
    comparison = Comparison()
    stores = [Named("one", is_directory=False), Named("other", is_directory=directory)]
    comparison.compare([one, other], stores)
    return comparison.needed


def test_every_row_of_the_page_has_a_tolerance_and_no_tolerance_is_without_a_row() -> None:
    assert list(TOLERANCES) == declared()
    assert [name for name, *_ in FORGIVEN] == declared()


@pytest.mark.parametrize(("needed", "one", "other"), FORGIVEN, ids=[row[0] for row in FORGIVEN])
def test_a_directory_may_differ_in_what_is_declared(
    needed: str, one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert {needed} == compare(seen(one), seen(other), directory=True)


@pytest.mark.parametrize(("one", "other"), UNFORGIVEN)
def test_a_directory_may_differ_in_nothing_else(one: dict[str, Any], other: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="one and other differ after"):
        compare(seen(one), seen(other), directory=True)


@pytest.mark.parametrize(("one", "other"), [*UNFORGIVEN, *(row[1:] for row in FORGIVEN)])
def test_sql_engines_may_differ_in_nothing(one: dict[str, Any], other: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="one and other differ after"):
        compare(seen(one), seen(other), directory=False)


def recorded(action: str = "update", **changes: Any) -> Seen:
    """A change of Jane's on record."""
    found = seen({})
    row = {"action": action, "resource": "user", "outcome": "done", "changes": changes}
    return replace(found, rows={"log": [], "audit": [row]})


@pytest.mark.parametrize(
    ("needed", "name", "one", "other"),
    [
        ("name-default", "name", ["", "Jane"], ["jane", "Jane"]),
        ("default-lists", "groups", [None, []], [None, ["news@example.org"]]),
        ("removed-domain", "forwarding", [["x@gone.test"], []], [[], []]),
        ("services", "services", [["imap"], []], [["imap", "mail"], ["mail"]]),
        (
            "password-day",
            "passwordLastChange",
            ["2026-01-02T03:04:05Z", "2026-01-03T03:04:05Z"],
            ["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"],
        ),
    ],
)
def test_the_audit_record_may_differ_in_what_is_declared(
    needed: str, name: str, one: Any, other: Any
) -> None:
    pair = (recorded(**{name: one, "quota": [1, 2]}), recorded(**{name: other, "quota": [1, 2]}))

    assert {needed} == compare(*pair, directory=True)
    with pytest.raises(AssertionError, match="/rows/audit/"):
        compare(*pair, directory=False)


def test_the_audit_record_may_differ_in_nothing_else() -> None:
    for one, other in (
        (recorded(quota=[1, 2]), recorded(quota=[1, 3])),
        (recorded(quota=[1, 2]), recorded(aliases=[1, 2])),
        (recorded("delete"), recorded("update")),
        (recorded(quota=[1, 2]), replace(seen({}), rows={"log": [], "audit": []})),
    ):
        with pytest.raises(AssertionError, match="/rows/audit"):
            compare(one, other, directory=True)


def test_admins_and_ranks_are_compared() -> None:
    anna = replace(seen({}), ranks={"anna@admin.test": ["example.org"]})
    with pytest.raises(AssertionError, match="/ranks/anna@"):
        compare(anna, seen({}), directory=True)


def test_what_is_the_same_needs_no_tolerance() -> None:
    assert set() == compare(seen({}), seen({}), directory=True)


def test_warnings_codes_and_statuses_are_compared() -> None:
    for other in (seen({}, _warnings=["odd"]), seen({}, _code="ODD")):
        with pytest.raises(AssertionError, match="/answer/"):
            compare(seen({}), other, directory=True)
    refused = seen({})
    refused.status = 409
    with pytest.raises(AssertionError, match="/status: 200 != 409"):
        compare(seen({}), refused, directory=True)


def test_differences_are_told_by_their_place() -> None:
    assert [
        "/a/1/b: 2 != 3",
        "/c: '(nothing)' != 4",
    ] == differences({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}], "c": 4})
