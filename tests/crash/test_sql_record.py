"""Accounts and the audit record are in two databases: whatever is killed in between, no change lacks one.

On SQLite, where the files show what was committed and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.crash.lab import Operation, Outcome, Worker, records_of
from tests.crash.test_every_write import told_of
from tests.stores import Row, Site

PASSWORD = "Right-Horse1"
ORG, NET = "example.org", "example.net"
JANE, JOHN, ANNA = "jane@example.org", "john@example.org", "anna@admins.test"
OPERATIONS: Mapping[str, Operation] = {
    "create a domain": ("create", "domain", "new.test", {"name": "New"}),
    "update a domain": ("update", "domain", ORG, {"catchall": JOHN, "name": "Other", "quota": "9"}),
    "remove a domain": ("remove", "domain", ORG, {}),
    "create a user": ("create", "user", "new@example.org", {"password": PASSWORD}),
    "update a user": ("update", "user", JANE, {"addAlias": "j@example.org", "quota": "5"}),
    "promote a user": ("update", "user", JOHN, {"isGlobalAdmin": "yes"}),
    "update all users": ("change all", "user", ORG, {"accountStatus": "disabled"}),
    "remove a user": ("remove", "user", JANE, {}),
    "create an admin": ("create", "admin", "new@admins.test", {"password": PASSWORD}),
    "update an admin": ("update", "admin", ANNA, {"isGlobalAdmin": "yes", "name": "Boss"}),
    "remove an admin": ("remove", "admin", ANNA, {}),
    "name and dismiss admins": (
        "grant",
        "domain",
        ORG,
        {"addAdmin": f"{JOHN},{ANNA}", "removeAdmin": JANE},
    ),
}


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    found = Worker()
    yield found
    found.close()


class Course:
    """One operation on one start state, again and again."""

    def __init__(self, site: Site, worker: Worker, operation: Operation) -> None:
        self.site = site
        self.worker = worker
        self.operation = operation
        for domain in (ORG, NET):
            site.create("domain", domain, name="Example")
        for user in (JANE, JOHN):
            site.create("user", user, password=PASSWORD)
        site.create("admin", ANNA, password=PASSWORD)
        for admin in (JANE, ANNA):
            site.insert("domain_admins", username=admin, domain=NET)
        site.insert("domain_admins", username=JANE, domain=ORG)
        site.vmail.execute("UPDATE mailbox SET isadmin = 1 WHERE username = ?", JANE)
        self.before = site.snapshot()
        self.restart()

    def restart(self) -> None:
        self.site.empty()
        self.site.go_back(self.before)

    def run(self, kill_after: int | None = None) -> Outcome:
        folder = str(self.site.place.folder)
        return self.worker.run(folder=folder, operations=[self.operation], kill_after=kill_after)


def without_id(rows: Mapping[str, Row]) -> dict[str, Row]:
    return {
        name: {column: value for column, value in row.items() if column not in {"id", "password"}}
        for name, row in rows.items()
    }


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", OPERATIONS)
def test_no_change_is_without_its_record(site: Site, worker: Worker, name: str) -> None:
    course = Course(site, worker, OPERATIONS[name])
    outcome = course.run()
    after, wanted = without_id(site.snapshot()), told_of(records_of(site))
    ends = [without_id(course.before), after]
    seen: list[tuple[bool, bool]] = []
    assert (outcome.killed, outcome.code) == (False, "")
    assert wanted

    for number, write in enumerate(outcome.writes, 1):
        course.restart()
        assert course.run(number).killed
        told = f"killed after {write}"
        state, records = without_id(site.snapshot()), told_of(records_of(site))

        assert state in ends, told
        assert records in ([], wanted), told
        changed, recorded = state == after, records == wanted
        assert recorded or not changed, told
        site.app.repair()
        assert without_id(site.snapshot()) == state, told
        site.update("domain", NET, name=f"After write {number}")
        assert len(records_of(site)) == len(records) + 1, told
        seen.append((recorded, changed))
    # A record of what was not done, never the other way round.
    assert list(dict.fromkeys(seen)) == [(False, False), (True, False), (True, True)]
