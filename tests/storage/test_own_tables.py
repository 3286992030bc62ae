"""Our own tables are made, and upgraded where an earlier release made them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailwright.storage.sql import catalogue, own_tables
from mailwright.storage.sql.engine import Database, Target
from mailwright.storage.sql.journal import Journal

VERSION_1 = {"mailwright_schema", "mailwright_sessions", "mailwright_login_failures"} | {
    "mailwright_leftovers"
}
LATER = {
    "mailwright_journal",
    "mailwright_audit",
    "mailwright_audit_tip",
    "mailwright_tokens",
}


@pytest.fixture
def database(target: Target) -> Iterator[Database]:
    database = Database(target, size=2)
    yield database
    database.close()


def tables(database: Database) -> set[str]:
    with database.connection() as connection:
        return set(catalogue.read(connection))


def version(database: Database) -> int:
    found = tables(database)
    with database.connection() as connection:
        return own_tables.version(connection, found)


def test_a_new_database_gets_all_of_them(database: Database) -> None:
    assert own_tables.latest() == own_tables.migrate(database)

    assert VERSION_1 | LATER == tables(database)
    assert own_tables.latest() == version(database)
    assert 0 == own_tables.migrate(database)


def test_version_1_is_upgraded_and_keeps_what_it_has(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(own_tables, "_MIGRATIONS", own_tables._MIGRATIONS[:1])
        own_tables.migrate(database)
        assert (VERSION_1, 1) == (tables(database), version(database))
    with database.connection() as connection:
        connection.execute(
            'INSERT INTO "mailwright_leftovers" ("kind", "account", "noted") VALUES (%s, %s, %s)',
            ("user", "jane@example.org", 7),
        )

    assert own_tables.latest() - 1 == own_tables.migrate(database)

    assert own_tables.latest() == version(database)
    Journal(database).write("example.org", "a", 1)
    with database.connection() as connection:
        assert [("user", "jane@example.org", 7)] == [
            tuple(row) for row in connection.rows('SELECT * FROM "mailwright_leftovers"')
        ]
