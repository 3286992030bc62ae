"""Named locks that all worker processes share, for what no database transaction can cover.

The engine lets go of a lock when its holder's connection ends, so a killed process keeps none.  Names do
not wait for one another on PostgreSQL and MariaDB; SQLite has one writer, and so one lock for all names.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

from mailwright.errors import MailwrightError, Unavailable
from mailwright.storage.protocol import Contention
from mailwright.storage.sql import setup
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.drivers import LOCK_WAIT_SECONDS
from mailwright.storage.sql.engine import Connection, Database, Target

SQLITE_FILE = "mailwright-locks.db"


class Locks:
    """The locks of one server; safe to use from many threads.

    ``size`` is how many can hold locks at once in this process.  The connections are nobody else's, so
    that those who wait for a lock never keep its holder from a connection.
    """

    def __init__(self, target: Target, *, size: int, wait_seconds: int = LOCK_WAIT_SECONDS) -> None:
        if target.path is not None:
            target = replace(target, path=target.path.with_name(SQLITE_FILE))
        self._target = target
        self._wait_seconds = wait_seconds
        self._database = Database(target, size=size)
        self._one_at_a_time = threading.Lock()

    def hold(self) -> Held:
        """Take locks as they are needed; all of them are let go on leaving.

        Nothing is connected before the first one is taken.  A thread that is inside must not enter again.
        """
        return Held(self._connected, self._target.name, self._wait_seconds)

    def close(self) -> None:
        """Close the idle connections."""
        self._database.close()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection inside a transaction: should it break, it is not opened anew unnoticed."""
        if self._target.dialect is Dialect.SQLITE:
            with self._only_writer() as connection:
                yield connection
            return
        with self._database.connection() as connection:
            connection.begin()
            if self._target.dialect is Dialect.POSTGRESQL:
                # Whoever holds a lock is idle here, and at work elsewhere for as long as it takes.
                connection.rows(
                    "SELECT set_config('lock_timeout', %s, true), "
                    "set_config('idle_in_transaction_session_timeout', '0', true)",
                    (f"{self._wait_seconds}s",),
                )
            yield connection

    @contextmanager
    def _only_writer(self) -> Iterator[Connection]:
        """The write lock of the file; the threads of this process queue before they ask for it."""
        until = time.monotonic() + self._wait_seconds
        if not self._one_at_a_time.acquire(timeout=self._wait_seconds):
            raise _busy()
        try:
            if self._target.path is not None and not self._target.path.exists():
                _make_file(self._target, self._target.path)
            with self._database.connection() as connection:
                left = max(0, int((until - time.monotonic()) * 1000))
                connection.rows(f"PRAGMA busy_timeout = {left}")
                connection.begin()
                yield connection
        finally:
            self._one_at_a_time.release()


class Held:
    """The locks that one piece of work holds, while it is inside."""

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[Connection]],
        database: str,
        wait_seconds: int,
    ) -> None:
        self._connect = connect
        self._until_leaving: ExitStack | None = None  # most work takes no lock
        self._database = database
        self._wait_seconds = wait_seconds
        self._connection: Connection | None = None
        self._names: set[str] = set()
        self._lost = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        until_leaving, self._until_leaving = self._until_leaving, None
        if until_leaving is not None:
            until_leaving.__exit__(kind, error, trace)

    def take(self, name: str) -> bool:
        """Wait for a lock; false if it is held already.

        ``Contention`` if it does not come free in time, or if two wait for each other: then no lock is
        held any more, and the work is to start again.
        """
        if self._lost:
            raise _busy()
        if name in self._names:
            return False
        try:
            if self._until_leaving is None:
                self._until_leaving = ExitStack()
            if self._connection is None:
                self._connection = self._until_leaving.enter_context(self._connect())
            self._wait_for(name, self._connection, self._until_leaving)
        except BaseException:
            # PostgreSQL has let go of the others too, so they all do.
            self._lost = True
            if self._connection is not None:
                self._connection.close()
            raise
        self._names.add(name)
        return True

    def _wait_for(self, name: str, connection: Connection, until_leaving: ExitStack) -> None:
        match connection.dialect:
            case Dialect.SQLITE:
                return  # the transaction is the lock
            case Dialect.POSTGRESQL:
                digest = blake2b(name.encode(), digest_size=8).digest()
                connection.rows(
                    "SELECT pg_advisory_xact_lock(%s)", (int.from_bytes(digest, signed=True),)
                )
            case Dialect.MYSQL:
                # These locks belong to the whole server, and their names are short.
                digest = blake2b(f"{self._database}/{name}".encode(), digest_size=16).digest()
                key = f"mailwright_{digest.hex()}"
                if connection.value("SELECT GET_LOCK(%s, %s)", (key, self._wait_seconds)) != 1:
                    raise _busy()
                until_leaving.callback(_release, connection, key)


def _make_file(target: Target, path: Path) -> None:
    """Put the file in place ready for use: SQLite fails if several open an empty one at once."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    setup.make_file(new, setup.PRIVATE)
    try:
        Connection(Database(replace(target, path=new))).close()
        _belongs_to(new, target, path)
        with suppress(FileExistsError):
            path.hardlink_to(new)
    except OSError as error:
        raise Unavailable(f"{path} cannot be made: {error.strerror}") from None
    finally:
        new.unlink()


def _belongs_to(new: Path, target: Target, path: Path) -> None:
    """Give a file that root makes to those whose database it guards: else they would be locked out."""
    guarded = path.with_name(f"{target.name}.db")
    if os.geteuid() == 0 and guarded.exists():
        found = guarded.stat()
        os.chown(new, found.st_uid, found.st_gid)


def _release(connection: Connection, key: str) -> None:
    """Let go of a lock of MariaDB; a connection that cannot is closed, and its locks end with it."""
    if connection.closed:
        return
    try:
        connection.rows("SELECT RELEASE_LOCK(%s)", (key,))
    except MailwrightError:
        connection.close()


def _busy() -> Contention:
    return Contention("somebody else is at work on the same accounts; try again")
