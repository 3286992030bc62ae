"""A statement that fails ends its transaction, and keeps nobody else out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailwright.errors import Unavailable
from mailwright.storage.sql.engine import Connection, Database, Target


@pytest.fixture
def database(target: Target) -> Iterator[Database]:
    database = Database(target, size=1)
    yield database
    database.close()


def test_the_lock_goes_with_the_transaction(database: Database, target: Target) -> None:
    """SQLite kept it for as long as the closed connection's last statement was referred to.

    That statement fails while it runs, not when it is prepared: it was run before, and its table went.
    """
    held: list[Connection] = []
    with database.connection() as connection:
        connection.execute('CREATE TABLE "kept" ("x" BIGINT)')
        connection.execute('CREATE TABLE "gone" ("x" BIGINT)')
        connection.execute('INSERT INTO "gone" VALUES (%s)', (1,))
    other = Database(target, size=1)
    with other.connection() as connection:
        connection.execute('DROP TABLE "gone"')

    with pytest.raises(Unavailable):
        _fail(database, held)

    with other.transaction() as connection:
        connection.execute('INSERT INTO "kept" VALUES (%s)', (2,))
        assert [(2,)] == [tuple(row) for row in connection.rows('SELECT "x" FROM "kept"')]
    other.close()
    assert held


def _fail(database: Database, held: list[Connection]) -> None:
    with database.transaction() as connection:
        held.append(connection)
        connection.execute('INSERT INTO "kept" VALUES (%s)', (1,))
        connection.execute('INSERT INTO "gone" VALUES (%s)', (1,))
