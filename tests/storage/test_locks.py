"""Locks that threads and processes share."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailwright.errors import Unavailable
from mailwright.storage.protocol import Contention
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Target
from mailwright.storage.sql.locks import Locks
from tests.servers.mariadb import MariaDB
from tests.servers.ports import free_port
from tests.servers.postgresql import PostgreSQL
from tests.storage.told import THREADS, said, say, told

SOON = 10.0  # seconds; far below it, unless somebody waits in vain
apart = pytest.mark.parametrize(
    "dialect",
    [
        pytest.param(Dialect.POSTGRESQL, id="postgresql", marks=pytest.mark.postgresql),
        pytest.param(Dialect.MYSQL, id="mariadb", marks=pytest.mark.mariadb),
    ],
    indirect=True,
)


@pytest.fixture
def locks(target: Target) -> Iterator[Locks]:
    locks = Locks(target, size=THREADS)
    yield locks
    locks.close()


@pytest.fixture
def hasty(target: Target) -> Iterator[Locks]:
    """As another worker has them, if it gave up after a second."""
    locks = Locks(target, size=2, wait_seconds=1)
    yield locks
    locks.close()


def is_free(locks: Locks, name: str) -> bool:
    with locks.hold() as held:
        try:
            return held.take(name)
        except Contention:
            return False


def test_a_lock_is_taken_once(locks: Locks) -> None:
    with locks.hold() as held:
        taken = [held.take(name) for name in ("a", "b", "a", "b")]

    assert [True, True, False, False] == taken


def test_nothing_is_connected_before_the_first_lock(target: Target, folder: Path) -> None:
    nowhere = replace(target, port=free_port(), path=target.path and folder / "none" / "beside.db")
    locks = Locks(nowhere, size=1)

    with locks.hold():
        pass

    with locks.hold() as held, pytest.raises(Unavailable):
        held.take("a")


def test_sqlite_keeps_its_locks_in_a_file_of_their_own(folder: Path) -> None:
    locks = Locks(Target(Dialect.SQLITE, "iredadmin", path=folder / "iredadmin.db"), size=1)
    file = folder / "mailwright-locks.db"
    with locks.hold() as held:
        before = file.exists()
        held.take("a")

    assert (False, True) == (before, file.exists())
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    locks.close()
    assert [file] == list(folder.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_a_file_that_root_makes_belongs_to_those_who_work_with_the_database(folder: Path) -> None:
    """A command of root's left a file that kept the server's own account from every change."""
    (folder / "iredadmin.db").touch()
    os.chown(folder / "iredadmin.db", 65534, 65533)
    locks = Locks(Target(Dialect.SQLITE, "iredadmin", path=folder / "iredadmin.db"), size=1)
    with locks.hold() as held:
        held.take("a")
    locks.close()
    found = (folder / "mailwright-locks.db").stat()

    assert (65534, 65533) == (found.st_uid, found.st_gid)


def test_sqlites_file_may_be_made_by_many_at_once(folder: Path) -> None:
    """Whoever found the file empty made it SQLite's, and failed if another was about to as well."""
    target = Target(Dialect.SQLITE, "iredadmin", path=folder / "iredadmin.db")
    with ExitStack() as stack:
        workers = [stack.enter_context(told(target, "first")) for _ in range(4)]
        assert ["ready"] * 4 == [said(worker) for worker in workers]
        for attempt in range(50):
            place = folder / str(attempt)
            place.mkdir()
            for worker in workers:
                say(worker, str(place / "iredadmin.db"))

            assert ["taken"] * 4 == [said(worker) for worker in workers]


def test_another_worker_waits_and_gives_up(locks: Locks, hasty: Locks) -> None:
    with locks.hold() as held:
        held.take("a")
        began = time.monotonic()

        assert not is_free(hasty, "a")
        assert time.monotonic() - began < SOON

    assert is_free(hasty, "a")


def test_another_thread_waits_and_gives_up(hasty: Locks) -> None:
    with hasty.hold() as held, ThreadPoolExecutor(1) as threads:
        held.take("a")

        assert not threads.submit(is_free, hasty, "a").result()

    assert is_free(hasty, "a")


def test_who_waits_goes_on_as_soon_as_the_lock_is_free(locks: Locks) -> None:
    begun = threading.Event()

    def wait() -> float:
        begun.set()
        with locks.hold() as held:
            held.take("a")
            return time.monotonic()

    with ThreadPoolExecutor(1) as threads:
        with locks.hold() as held:
            held.take("a")
            waiting = threads.submit(wait)
            begun.wait()
            let_go = time.monotonic()

        assert 0 <= waiting.result() - let_go < SOON


def test_an_error_lets_go(locks: Locks, hasty: Locks) -> None:
    def fail() -> None:
        with locks.hold() as held:
            held.take("a")
            held.take("b")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert is_free(hasty, "a")
    assert is_free(hasty, "b")


@apart
def test_names_do_not_wait_for_one_another(locks: Locks, hasty: Locks) -> None:
    with locks.hold() as first, hasty.hold() as second:
        first.take("a")

        assert second.take("b")
        assert first.take("c")


@apart
def test_who_gives_up_holds_nothing_any_more(locks: Locks, hasty: Locks) -> None:
    with locks.hold() as first, hasty.hold() as second:
        first.take("a")
        second.take("b")
        with pytest.raises(Contention):
            second.take("a")

        assert first.take("b")
        for name in "abc":
            with pytest.raises(Contention):
                second.take(name)


@apart
def test_two_that_wait_for_each_other_are_told(locks: Locks) -> None:
    both = threading.Barrier(2)

    def take(names: str) -> bool:
        with locks.hold() as held:
            held.take(names[0])
            both.wait()
            try:
                return held.take(names[1])
            except Contention:
                return False

    with ThreadPoolExecutor(2) as threads:
        began = time.monotonic()
        outcome = list(threads.map(take, ("ab", "ba")))

    assert [False, True] == sorted(outcome)
    assert time.monotonic() - began < SOON


@apart
def test_two_servers_may_share_an_engine(locks: Locks, another: Target) -> None:
    """MariaDB's named locks are common to all its databases."""
    other = Locks(another, size=1, wait_seconds=1)
    with locks.hold() as held:
        held.take("a")

        assert is_free(other, "a")
    other.close()


def kill_all(target: Target, server: PostgreSQL | MariaDB) -> None:
    connection: Any = server.connect()
    cursor = connection.cursor()
    if target.dialect is Dialect.POSTGRESQL:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s",
            (target.name,),
        )
    else:
        cursor.execute(
            "SELECT id FROM information_schema.processlist WHERE db = %s", (target.name,)
        )
        for (ident,) in cursor.fetchall():
            cursor.execute(f"KILL {ident}")
    connection.close()


@apart
def test_a_lost_connection_is_not_replaced_in_silence(
    locks: Locks, hasty: Locks, target: Target, request: pytest.FixtureRequest
) -> None:
    """The locks went with it, so whoever thinks to hold them must not go on."""
    server = {Dialect.POSTGRESQL: "postgresql_server", Dialect.MYSQL: "mariadb_server"}
    with locks.hold() as held:
        held.take("a")
        kill_all(target, request.getfixturevalue(server[target.dialect]))

        with pytest.raises(Unavailable):
            held.take("b")
        assert is_free(hasty, "a")

    assert is_free(locks, "a")


def test_postgresql_does_not_end_a_holder_for_being_idle(
    postgresql_server: PostgreSQL,
) -> None:
    postgresql_server.create_database("beside")
    with postgresql_server.connect() as connection:
        connection.execute("ALTER DATABASE beside SET idle_in_transaction_session_timeout = '1min'")
    target = Target(
        *(Dialect.POSTGRESQL, "beside"),
        host=postgresql_server.host,
        port=postgresql_server.port,
        user=postgresql_server.superuser,
    )
    locks = Locks(target, size=1)
    with locks.hold() as held:
        held.take("a")
        assert held._connection is not None

        assert "0" == held._connection.value("SHOW idle_in_transaction_session_timeout")
    locks.close()


def test_another_process_waits(target: Target, hasty: Locks) -> None:
    with told(target, "hold", "a", "b") as holder:
        assert "held" == said(holder)

        assert not is_free(hasty, "a")
        assert not is_free(hasty, "b")
        say(holder, "let go")
        assert "let go" == said(holder)
        assert is_free(hasty, "a")


def test_a_killed_process_holds_nothing(target: Target, locks: Locks, hasty: Locks) -> None:
    with told(target, "hold", "a") as holder:
        assert "held" == said(holder)
        assert not is_free(hasty, "a")
        holder.kill()

        began = time.monotonic()
        assert is_free(locks, "a")
        assert time.monotonic() - began < SOON


def test_thirty_contenders_in_three_processes_go_in_turn(target: Target, folder: Path) -> None:
    """On SQLite none of them finds the file of the locks there."""
    counter = folder / "counter"
    counter.write_text("0")
    with ExitStack() as stack:
        contenders = [stack.enter_context(told(target, "count", str(counter))) for _ in range(3)]

        assert ["counted"] * 3 == [said(contender) for contender in contenders]

    assert str(3 * THREADS) == counter.read_text()
