"""A process is killed after every single write of an operation, and the next server start ends it.

In every state between, mail to the accounts concerned is delivered as before, as afterwards, or refused;
mail to all others is delivered as ever.  `repair` then brings the directory and the databases beside it
to exactly "before" or "after".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from tests.crash.lab import Lab, Operation, Picture, Service, difference, fits_between
from tests.crash.scene import BOB, CAROL, JANE, JOHN, NET, NEW, NEWCOMER, ORG, PASSWORD, QUIET


@dataclass(frozen=True)
class Case:
    """An operation, what was done before it, and how many writes to the directory it takes at least."""

    verb: str
    kind: str
    key: str
    form: Mapping[str, str] = field(default_factory=dict)
    given: tuple[Operation, ...] = ()
    writes: int = 2

    @property
    def operation(self) -> Operation:
        return (self.verb, self.kind, self.key, self.form)


DISABLED: Operation = ("update", "domain", ORG, {"accountStatus": "disabled"})
QUIET_DISABLED: Operation = ("update", "domain", QUIET, {"accountStatus": "disabled"})
NAMED: Operation = ("grant", "domain", NET, {"addAdmin": CAROL})

CASES = {
    "create a domain": Case("create", "domain", "new.test", {"name": "New"}, writes=6),
    "remove a domain": Case("remove", "domain", ORG, writes=20),
    "remove a domain that has no catch-all": Case("remove", "domain", QUIET, writes=7),
    "remove a domain with references": Case("remove", "domain", NET, writes=12),
    "create a user who joins lists": Case(
        "create", "user", NEWCOMER, {"password": PASSWORD}, writes=3
    ),
    "remove a user": Case("remove", "user", JANE, writes=12),
    "remove a user with few references": Case("remove", "user", JOHN, writes=5),
    "rename a user": Case("rename", "user", JANE, {"new": NEW}, writes=12),
    "move a user": Case("rename", "user", JANE, {"new": "janet@example.net"}, writes=12),
    "disable a domain": Case("update", "domain", ORG, DISABLED[3], writes=6),
    "enable a domain": Case(
        "update", "domain", ORG, {"accountStatus": "active"}, (DISABLED,), writes=6
    ),
    "a first catch-all": Case("update", "domain", QUIET, {"catchall": CAROL, "name": "Quiet"}),
    "another catch-all": Case("update", "domain", ORG, {"catchall": JOHN, "name": "Other"}),
    "no catch-all": Case("update", "domain", ORG, {"catchall": "", "name": "None"}),
    "disable with a first catch-all": Case(
        "update", "domain", QUIET, {"accountStatus": "disabled", "catchall": CAROL}, writes=3
    ),
    "enable with a first catch-all": Case(
        "update",
        "domain",
        QUIET,
        {"accountStatus": "active", "catchall": CAROL},
        (QUIET_DISABLED,),
        writes=3,
    ),
    "a first catch-all and enable": Case(
        "update",
        "domain",
        QUIET,
        {"catchall": CAROL, "accountStatus": "active"},
        (QUIET_DISABLED,),
        writes=3,
    ),
    "make a domain admin a global one": Case(
        "update", "user", JOHN, {"isGlobalAdmin": "yes", "name": "Boss"}, writes=1
    ),
    "take a global admin's rank": Case(
        "update", "user", JANE, {"isGlobalAdmin": "no", "name": "Jane"}, writes=1
    ),
    "name an admin": Case("grant", "domain", NET, NAMED[3], writes=2),
    "dismiss an admin": Case("grant", "domain", NET, {"removeAdmin": CAROL}, (NAMED,), writes=2),
    "several fields of a user": Case(
        "update",
        "user",
        JOHN,
        {"addAlias": "jack@example.org", "forwarding": BOB, "quota": "9", "name": "Jack"},
        writes=1,
    ),
}


@dataclass(frozen=True)
class Ends:
    """Before and after an operation that nobody disturbed, and every write in between."""

    before: Picture
    after: Picture
    served_before: Service
    served_after: Service
    writes: Sequence[str]


def undisturbed(lab: Lab, case: Case) -> Ends:
    begin(lab, case)
    before, served_before = lab.picture(), lab.service()
    outcome = lab.run(case.operation)
    assert (outcome.killed, outcome.code) == (False, "")
    assert lab.journal == []
    directory = [write for write in outcome.writes if "directory" in write]
    assert len(directory) >= case.writes, directory
    return Ends(before, lab.picture(), served_before, lab.service(), outcome.writes)


def begin(lab: Lab, case: Case) -> None:
    lab.restore()
    if case.given:
        assert not lab.run(*case.given).killed


def crashes(lab: Lab, case: Case, ends: Ends) -> Iterator[str]:
    """The state after each write; told is which it was."""
    for number, write in enumerate(ends.writes, 1):
        begin(lab, case)
        assert lab.run(case.operation, kill_after=number).killed
        yield f"killed after write {number} of {len(ends.writes)} ({write})"


def check_service(now: Service, ends: Ends, told: str) -> None:
    before, after = ends.served_before, ends.served_after
    for address, fate in now.fates.items():
        was, will_be = before.fates[address], after.fates[address]
        assert fits_between(fate, was, will_be, may_refuse=was != will_be), (
            f"{told}: mail to {address} goes to {sorted(fate)}, "
            f"before to {sorted(was)}, afterwards to {sorted(will_be)}"
        )
    for what in ("logins", "admins"):
        for name, may in getattr(now, what).items():
            ways = {getattr(before, what)[name], getattr(after, what)[name]}
            assert may in ways, f"{told}: {what} {name}"


def check_turns_once(seen: Sequence[Service], ends: Ends) -> None:
    """Who was put out does not come in again, and the other way round."""
    for what in ("logins", "admins"):
        for name in getattr(ends.served_before, what):
            course = [getattr(service, what)[name] for service in seen]
            turns = sum(one != other for one, other in pairwise(course))
            assert turns <= 1, f"{what} of {name}: {course}"


@pytest.mark.parametrize("name", CASES)
def test_repair_ends_what_a_crash_left(lab: Lab, name: str) -> None:
    case = CASES[name]
    ends = undisturbed(lab, case)
    seen = [ends.served_before]
    for told in crashes(lab, case, ends):
        now = lab.service()
        check_service(now, ends, told)
        seen.append(now)
        lab.repair()
        repaired = lab.picture()
        left = [difference(repaired, ends.before), difference(repaired, ends.after)]

        assert {} in left, f"{told}: neither before nor after: {min(left, key=len)}"
        assert lab.journal == [], told
        assert list(lab.repair()) == [], told
        assert difference(lab.picture(), repaired) == {}, told
    check_turns_once(seen, ends)
    assert difference(repaired, ends.after) == {}, "after the last write all is done"
