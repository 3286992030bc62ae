"""What is about to be done beyond the databases, noted so that a crash leaves nothing half-done.

A plan is written before its first step and erased after its last.  The plans that a crash left are
finished or undone from here; what they mean is the writer's business.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Connection, Database, Parameters

_COLUMNS = '"id", "subject", "plan", "noted"'


@dataclass(frozen=True, slots=True)
class Entry:
    """A plan that was not finished yet; it may hold secrets, so it does not show itself."""

    ident: str
    subject: str
    plan: str = field(repr=False)
    noted: int


class Journal:
    """The plans of all workers; safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, subject: str, plan: str, now: int) -> str:
        """Note a plan, which outlives us once this returns; the name to erase it by."""
        # Begins with the time, so that plans of the same second stay in order.
        ident = f"{time.time_ns():016x}{secrets.token_hex(8)}"
        with self._database.connection() as connection:
            _outlive_the_machine(connection)
            try:
                connection.begin()
                connection.execute(
                    f'INSERT INTO "mailwright_journal" ({_COLUMNS}) VALUES (%s, %s, %s, %s)',
                    (ident, subject, plan, now),
                )
                connection.commit()
            finally:
                _outlive_the_process(connection)
        return ident

    def erase(self, ident: str) -> None:
        """Drop a plan that is finished or undone; one that is gone already is no error."""
        with self._database.transaction() as connection:
            connection.execute('DELETE FROM "mailwright_journal" WHERE "id" = %s', (ident,))

    def open_under(self, subject: str) -> list[Entry]:
        """The unfinished plans of one subject, the oldest first."""
        return self._entries('WHERE "subject" = %s ', (subject,))

    def all(self) -> list[Entry]:
        """Every unfinished plan, the oldest first."""
        return self._entries("", ())

    def _entries(self, condition: str, parameters: Parameters) -> list[Entry]:
        with self._database.connection() as connection:
            rows = connection.rows(
                f'SELECT {_COLUMNS} FROM "mailwright_journal" {condition}ORDER BY "noted", "id"',
                parameters,
            )
        return [Entry(ident, subject, plan, int(noted)) for ident, subject, plan, noted in rows]


def _outlive_the_machine(connection: Connection) -> None:
    """Have commits wait for the disk: on SQLite they only outlive the process otherwise."""
    if connection.dialect is Dialect.SQLITE:
        connection.execute("PRAGMA synchronous = FULL")


def _outlive_the_process(connection: Connection) -> None:
    if connection.dialect is Dialect.SQLITE and not connection.closed:
        if connection.in_transaction:
            connection.rollback()
        connection.execute("PRAGMA synchronous = NORMAL")
