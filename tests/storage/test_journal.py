"""Plans that outlive a crash, in the order in which they were written."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailwright.errors import MailwrightError
from mailwright.storage.sql import own_tables
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Database, Target
from mailwright.storage.sql.journal import Entry, Journal
from tests.storage.told import said, told


@pytest.fixture
def database(target: Target) -> Iterator[Database]:
    database = Database(target, size=4)
    own_tables.migrate(database)
    yield database
    database.close()


def test_a_plan_is_kept_until_it_is_erased(database: Database) -> None:
    journal = Journal(database)

    ident = journal.write("example.org", '{"ö": 1}', 1_800_000_000)

    entry = Entry(ident, "example.org", '{"ö": 1}', 1_800_000_000)
    assert [entry] == journal.all()
    assert [entry] == journal.open_under("example.org")
    journal.erase(ident)
    assert [] == journal.all()
    journal.erase(ident)


def test_plans_come_oldest_first_also_within_a_second(database: Database) -> None:
    journal = Journal(database)
    plans = [f"plan {number}" for number in range(20)]
    for plan in plans:
        journal.write("example.org", plan, 1_800_000_000)
    journal.write("example.org", "earlier", 1_700_000_000)

    assert ["earlier", *plans] == [entry.plan for entry in journal.open_under("example.org")]


def test_a_subject_has_its_own_plans(database: Database) -> None:
    journal = Journal(database)
    first = journal.write("example.org", "a", 1)
    second = journal.write("example.net", "b", 2)

    assert [first] == [entry.ident for entry in journal.open_under("example.org")]
    assert [] == journal.open_under("EXAMPLE.ORG")
    assert [first, second] == [entry.ident for entry in journal.all()]


def test_a_plan_may_be_long(database: Database) -> None:
    """MariaDB's plain text ends at 64 KB."""
    journal = Journal(database)
    plan = "0123456789" * 100_000

    journal.write("example.org", plan, 1)

    assert plan == journal.all()[0].plan


def test_an_entry_does_not_show_its_plan() -> None:
    shown = repr(Entry("1", "example.org", "{SSHA512}geheim-1", 1))

    assert "geheim-1" not in shown
    assert "example.org" in shown


def test_many_threads_write_side_by_side(database: Database) -> None:
    journal = Journal(database)

    with ThreadPoolExecutor(8) as threads:
        idents = set(threads.map(lambda n: journal.write(f"{n}.test", str(n), n), range(40)))

    assert idents == {entry.ident for entry in journal.all()}
    assert 40 == len(idents)


def test_a_plan_outlives_the_process_that_wrote_it(database: Database) -> None:
    with told(database.target, "write") as writer:
        ident = said(writer)
        writer.kill()

    assert [ident] == [entry.ident for entry in Journal(database).all()]


def test_sqlite_waits_for_the_disk_when_a_plan_is_written_and_not_otherwise(folder: Path) -> None:
    """Without it a power failure takes the plan and leaves what the directory has done of it."""
    (folder / "beside.db").touch()
    database = Database(Target(Dialect.SQLITE, "beside", path=folder / "beside.db"), size=1)
    own_tables.migrate(database)
    statements: list[str] = []
    with database.connection() as connection:
        connection._raw.set_trace_callback(lambda text: statements.append(text.partition(" (")[0]))
        levels = [connection.value("PRAGMA synchronous")]

    Journal(database).write("example.org", "a", 1)

    with database.connection() as connection:
        levels.append(connection.value("PRAGMA synchronous"))
    database.close()
    assert [1, 1] == levels
    assert [
        "PRAGMA synchronous = FULL",
        "BEGIN IMMEDIATE",
        'INSERT INTO "mailwright_journal"',
        "COMMIT",
        "PRAGMA synchronous = NORMAL",
    ] == statements[1:-1]


def test_a_plan_that_cannot_be_written_is_an_error_and_leaves_the_connection_sound(
    database: Database,
) -> None:
    journal = Journal(database)
    with database.connection() as connection:
        connection.execute('ALTER TABLE "mailwright_journal" RENAME TO "mailwright_elsewhere"')

    with pytest.raises(MailwrightError):
        journal.write("example.org", "a", 1)

    with database.connection() as connection:
        connection.execute('ALTER TABLE "mailwright_elsewhere" RENAME TO "mailwright_journal"')
    journal.write("example.org", "b", 2)
    assert ["b"] == [entry.plan for entry in journal.all()]
