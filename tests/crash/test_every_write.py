"""A process is killed after every single write of an operation, and the next server start ends it.

In every state between, mail to the accounts concerned is delivered as before, as afterwards, or refused;
mail to all others is delivered as ever, and nobody administers what they do neither before nor
afterwards.  Nothing is changed that is not on record, and the record is whole.  `repair` then brings the
directory and the databases beside it to exactly "before" or "after".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from tests.crash.lab import Lab, Operation, Picture, Service, difference, fits_between
from tests.crash.scene import (
    ANNA,
    BOB,
    CAROL,
    JANE,
    JOHN,
    NET,
    NEW,
    NEW_ADMIN,
    NEWCOMER,
    ORG,
    PASSWORD,
    QUIET,
    ROOT,
    TWIN,
)
from tests.stores import Row


@dataclass(frozen=True)
class Case:
    """An operation, what was done before it, and how many writes to the directory it takes at least.

    A global admin does it, unless a domain admin is named.
    """

    verb: str
    kind: str
    key: str
    form: Mapping[str, str] = field(default_factory=dict)
    given: tuple[Operation, ...] = ()
    writes: int = 2
    domain_admin: str = ""

    @property
    def operation(self) -> Operation:
        return (self.verb, self.kind, self.key, self.form)


DISABLED: Operation = ("update", "domain", ORG, {"accountStatus": "disabled"})
QUIET_DISABLED: Operation = ("update", "domain", QUIET, {"accountStatus": "disabled"})
NAMED: Operation = ("grant", "domain", NET, {"addAdmin": CAROL})
JOHN_HAS_ONE: Operation = ("grant", "domain", NET, {"removeAdmin": JOHN})
COMING: Operation = ("create", "admin", NEW_ADMIN, {"password": PASSWORD})
MAY_CREATE: Operation = ("update", "admin", ANNA, {"maxDomains": "5"})
LIMITS = {
    "maxDomains": "3",
    "maxQuota": "2",
    "quotaUnit": "TB",
    "maxUsers": "7",
    "maxAliases": "8",
    "maxLists": "9",
}

CASES = {
    "create a domain": Case("create", "domain", "new.test", {"name": "New"}, writes=6),
    "remove a domain": Case("remove", "domain", ORG, writes=20),
    # And that is the only one of some of its admins.
    "remove a domain that has no catch-all": Case(
        "remove", "domain", QUIET, given=(JOHN_HAS_ONE,), writes=7
    ),
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
    "name several admins, dismiss others": Case(
        "grant",
        "domain",
        QUIET,
        {"addAdmin": f"{CAROL},{NEW_ADMIN}", "removeAdmin": f"{TWIN},{ANNA}"},
        (COMING,),
        writes=3,
    ),
    "dismiss all admins": Case(
        "grant", "domain", QUIET, {"removeAllAdmins": "yes"}, (JOHN_HAS_ONE,), writes=3
    ),
    "create a domain as a domain admin": Case(
        "create", "domain", "new.test", {"name": "New"}, (MAY_CREATE,), 6, ANNA
    ),
    "create an admin with limits": Case(
        "create", "admin", NEW_ADMIN, {"password": PASSWORD, **LIMITS}, writes=1
    ),
    "create a global admin": Case(
        "create", "admin", NEW_ADMIN, {"password": PASSWORD, "isGlobalAdmin": "yes"}, writes=1
    ),
    "change everything of an admin": Case(
        "update",
        "admin",
        ANNA,
        {**LIMITS, "name": "Anna", "password": "Left-Horse2", "disableViewingMailLog": "yes"},
        writes=1,
    ),
    "disable an admin": Case("update", "admin", ANNA, {"accountStatus": "disabled"}, writes=1),
    "make an admin of domains a global one": Case(
        "update", "admin", ANNA, {"isGlobalAdmin": "yes", "name": "Boss"}, writes=3
    ),
    "take a standalone admin's rank": Case(
        "update", "admin", ROOT, {"isGlobalAdmin": "no", "name": "Root", "maxUsers": "5"}, writes=1
    ),
    "remove an admin": Case("remove", "admin", ANNA, writes=3),
    "remove a global admin": Case("remove", "admin", ROOT, writes=1),
    "remove an admin who is a mail user, too": Case("remove", "admin", TWIN, writes=3),
    "remove a mail user who is an admin, too": Case("remove", "user", TWIN, writes=3),
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
    """Before and after an operation that nobody disturbed, every write in between, and its records."""

    before: Picture
    after: Picture
    served_before: Service
    served_after: Service
    writes: Sequence[str]
    records: Sequence[tuple[str, ...]]


def undisturbed(lab: Lab, case: Case) -> Ends:
    begin(lab, case)
    before, served_before, known = lab.picture(), lab.service(), len(lab.records())
    outcome = lab.run(case.operation, domain_admin=case.domain_admin)
    assert (outcome.killed, outcome.code) == (False, "")
    assert lab.journal == []
    directory = [write for write in outcome.writes if "directory" in write]
    assert len(directory) >= case.writes, directory
    records = told_of(lab.records()[known:])
    assert bool(records) == (case.verb != "rename"), "only what clients can ask for is on record"
    return Ends(before, lab.picture(), served_before, lab.service(), outcome.writes, records)


def begin(lab: Lab, case: Case) -> None:
    lab.restore()
    if case.given:
        assert not lab.run(*case.given).killed


def crashes(lab: Lab, case: Case, ends: Ends) -> Iterator[str]:
    """The state after each write; told is which it was."""
    for number, write in enumerate(ends.writes, 1):
        begin(lab, case)
        known = len(lab.records())
        outcome = lab.run(case.operation, kill_after=number, domain_admin=case.domain_admin)
        assert outcome.killed
        told = f"killed after write {number} of {len(ends.writes)} ({write})"
        check_records(lab, told_of(lab.records()[known:]), ends, told)
        yield told


def told_of(records: Sequence[Row]) -> list[tuple[str, ...]]:
    names = ("actor", "action", "resource", "target", "domain", "outcome", "changes")
    return [tuple(row[name] for name in names) for row in records]


def check_records(lab: Lab, found: Sequence[tuple[str, ...]], ends: Ends, told: str) -> None:
    """All of what is to be changed is on record before any of it is."""
    changed = [
        name
        for name in difference(lab.picture(), ends.before)
        if not name.startswith("mailwright_")
    ]
    assert found == ends.records or not (found or changed), f"{told}: {changed}, but {found}"


def check_service(now: Service, ends: Ends, told: str) -> None:
    before, after = ends.served_before, ends.served_after
    for address, fate in now.fates.items():
        was, will_be = before.fates[address], after.fates[address]
        assert fits_between(fate, was, will_be, may_refuse=was != will_be), (
            f"{told}: mail to {address} goes to {sorted(fate)}, "
            f"before to {sorted(was)}, afterwards to {sorted(will_be)}"
        )
    for name, may in now.logins.items():
        assert may in {before.logins[name], after.logins[name]}, f"{told}: login of {name}"
    for name, domains in now.admins.items():
        was, will_be = before.admins[name], after.admins[name]
        assert was & will_be <= domains <= was | will_be, f"{told}: {name} administers {domains}"


def check_turns_once(seen: Sequence[Service], ends: Ends) -> None:
    """Who was put out does not come in again, and the other way round."""
    for name in ends.served_before.logins:
        check_course([service.logins[name] for service in seen], f"login of {name}")
    for name, before in ends.served_before.admins.items():
        for domain in before | ends.served_after.admins[name]:
            course = [domain in service.admins[name] for service in seen]
            check_course(course, f"{name} administers {domain}")


def check_course(course: Sequence[bool], what: str) -> None:
    assert sum(one != other for one, other in pairwise(course)) <= 1, f"{what}: {course}"


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
