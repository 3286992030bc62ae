"""One logical database: its connections, its transactions and its driver's errors.

Statements are written once, with ``%s`` for values and double quotes around names; what an engine wants
otherwise is settled here.  No exception of a driver leaves this module.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from mailwright.errors import Unavailable
from mailwright.storage.permits import Permits
from mailwright.storage.protocol import Contention
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.drivers import Row, Target, driver_for

Parameters = Sequence[object]

# A connection that slept longer than this is asked whether it still lives before it is used.
TRUSTED_IDLE_SECONDS = 5.0


class Connection:
    """A connection outside the pool's reach for as long as one caller has it."""

    __slots__ = ("_cursor", "_database", "_driver", "_raw", "idle_since", "in_transaction")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._driver = database.driver
        self._raw: Any = None
        self._cursor: Any = None
        self.in_transaction = False
        self.idle_since = 0.0
        self._open()

    @property
    def dialect(self) -> Dialect:
        """The engine behind this connection."""
        return self._database.dialect

    def execute(self, statement: str, parameters: Parameters = ()) -> int:
        """Run a statement that changes rows; the number of rows it touched."""
        self._run(statement, parameters)
        return int(self._cursor.rowcount)

    def rows(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        """All rows of a query."""
        self._run_safely(statement, parameters)
        try:
            found = self._cursor.fetchall()
        except self._driver.errors as error:
            raise self._driver.translate(error) from None
        return found if isinstance(found, list) else list(found)

    def row(self, statement: str, parameters: Parameters = ()) -> Row | None:
        """The first row of a query, if there is one."""
        found = self.rows(statement, parameters)
        return found[0] if found else None

    def value(self, statement: str, parameters: Parameters = ()) -> Any:
        """The first column of the first row, or ``None``."""
        found = self.rows(statement, parameters)
        return found[0][0] if found else None

    def begin(self) -> None:
        """Start a transaction that will write."""
        self._database.writer.acquire()
        try:
            self._run_safely(self._driver.begin, ())
        except BaseException:
            self._database.writer.release()
            raise
        self.in_transaction = True

    def commit(self) -> None:
        """Make the transaction's changes last."""
        self._end("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction; a connection that cannot is closed."""
        try:
            self._end("ROLLBACK")
        except Unavailable:
            self.close()

    def close(self) -> None:
        """Drop the connection."""
        raw, self._raw = self._raw, None
        if raw is not None:
            try:
                if self.dialect is Dialect.SQLITE and self._cursor is not None:
                    # Its statement would keep the transaction, and so everybody else out, until it goes.
                    self._cursor.close()
                raw.close()
            except self._driver.errors:
                return

    @property
    def closed(self) -> bool:
        """Whether the connection was dropped."""
        return self._raw is None

    def refresh(self) -> None:
        """Open anew if the server went away while nobody used the connection."""
        if self._raw is None or not self._driver.alive(self._raw, self._cursor):
            self.close()
            self._open()

    def _open(self) -> None:
        try:
            self._raw = self._driver.connect(self._database.target)
            self._cursor = self._raw.cursor()
            for statement in self._driver.greeting:
                self._cursor.execute(statement)
        except self._driver.errors as error:
            self.close()
            target = self._database.target
            raise Unavailable(
                f"the {target.name} database cannot be reached",
                detail=f"{target.place}: {self._driver.why(error)}",
            ) from None

    def _run_safely(self, statement: str, parameters: Parameters) -> None:
        """Run a statement that may be repeated; a server that was restarted costs no request."""
        try:
            self._run(statement, parameters)
        except Unavailable as error:
            if self.in_transaction or not self.closed or error.code != Unavailable.default_code:
                raise
            self._open()
            self._run(statement, parameters)

    def _run(self, statement: str, parameters: Parameters) -> None:
        try:
            self._cursor.execute(self._driver.text(statement), parameters)
        except self._driver.errors as error:
            translated = self._driver.translate(error)
            if isinstance(translated, Unavailable) and not isinstance(translated, Contention):
                self.close()
            raise translated from None

    def _end(self, statement: str) -> None:
        if not self.in_transaction:
            return
        self.in_transaction = False
        try:
            if self._raw is not None:
                self._run(statement, ())
        finally:
            self._database.writer.release()


class _NoLock:
    """Stands where an engine needs no lock of ours around its writers."""

    def acquire(self) -> None:
        return

    def release(self) -> None:
        return


class Loan:
    """A connection for as long as one is inside; every request is, more than once."""

    __slots__ = ("_connection", "_database")

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Connection:
        self._connection = self._database.lend()
        return self._connection

    def __exit__(self, *_error: object) -> None:
        self._database.take_back(self._connection)


class Database:
    """A logical database and its pool: last in, first out, so that few connections stay warm."""

    def __init__(self, target: Target, *, size: int = 16, idle_seconds: float = 300) -> None:
        self.target = target
        self.dialect = target.dialect
        self.driver = driver_for(target.dialect)
        # SQLite has one writer at a time; waiting here is fairer and quicker than its busy handler.
        self.writer: threading.Lock | _NoLock = (
            threading.Lock() if target.dialect is Dialect.SQLITE else _NoLock()
        )
        # The columns of every table, once somebody asked (see catalogue.py).
        self.catalogue: Mapping[str, frozenset[str]] | None = None
        self.ordering: str | None = None
        self.lowering: str | None = None
        self._idle_seconds = idle_seconds
        self._idle: deque[Connection] = deque()
        self._room = Permits(size)

    def connection(self) -> Loan:
        """Lend a connection; an unfinished transaction is undone when it comes back."""
        return Loan(self)

    def lend(self) -> Connection:
        """A connection, until ``take_back``.  ``Unavailable``."""
        self._room.take("database connections")
        try:
            return self._take()
        except BaseException:
            self._room.give_back()
            raise

    def take_back(self, connection: Connection) -> None:
        """Keep a connection for the next caller."""
        try:
            self._give_back(connection)
        finally:
            self._room.give_back()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lend a connection with a transaction that commits on leaving without an error."""
        with self.connection() as connection:
            connection.begin()
            yield connection
            connection.commit()

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> Connection:
        try:
            connection = self._idle.pop()
        except IndexError:
            return Connection(self)
        if time.monotonic() - connection.idle_since > TRUSTED_IDLE_SECONDS:
            connection.refresh()
        return connection

    def _give_back(self, connection: Connection) -> None:
        if connection.in_transaction:
            connection.rollback()
        if not connection.closed:
            connection.idle_since = time.monotonic()
            self._idle.append(connection)
            self._close_the_unused(connection.idle_since - self._idle_seconds)

    def _close_the_unused(self, before: float) -> None:
        """The longest unused connection is leftmost; one is looked at each time."""
        try:
            oldest = self._idle.popleft()
        except IndexError:
            return
        if oldest.idle_since <= before:
            oldest.close()
        else:
            self._idle.appendleft(oldest)


__all__ = ["Connection", "Database", "Parameters", "Row", "Target"]
