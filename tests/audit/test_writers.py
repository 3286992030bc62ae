"""Twenty write at once, in threads of two processes: one chain, nothing lost, no number twice."""

from __future__ import annotations

import multiprocessing
import threading
from typing import Any

import pytest

from mailwright.app import App
from mailwright.audit import chain
from mailwright.audit.verification import Tip, verify
from mailwright.authz import Action
from mailwright.errors import Unavailable
from mailwright.storage.sql.drivers import mysql_module
from mailwright.storage.sql.engine import Connection, Database
from mailwright.work import Work
from tests.audit.chains import digest, log, records, tip
from tests.stores import ADMIN, ENGINES, Site

PROCESSES, THREADS, EACH = 2, 10, 5


def write(settings: Any, clock: Any, process: int, together: Any, failures: Any) -> None:
    app = App(settings, clock)

    def run(thread: int) -> None:
        together.wait()
        for number in range(EACH):
            key = f"{process}.{thread}.{number}@example.org"
            try:
                app.run(ADMIN, lambda work, key=key: note(work, key))
            except Exception as error:  # noqa: BLE001
                failures.put(repr(error))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    app.close()


def note(work: Work, key: str) -> None:
    work.note(Action.UPDATE, "user", key, "example.org", fields=("quota",))


def test_twenty_writers_keep_one_unbroken_chain(site: Site, database: Database) -> None:
    context = multiprocessing.get_context("fork")
    together = context.Barrier(PROCESSES * THREADS)
    failures = context.Queue()
    children = [
        context.Process(
            target=write, args=(site.app.settings, site.clock, number, together, failures)
        )
        for number in range(PROCESSES)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()

    rows = records(site)
    total = PROCESSES * THREADS * EACH
    assert [0, 0] == [child.exitcode for child in children]
    assert failures.empty()
    assert list(range(1, total + 1)) == [row["sequence"] for row in rows]
    assert total == len({row["target"] for row in rows}) == len(log(site))
    previous = ""
    for row in rows:
        assert previous == row["previous"]
        previous = digest(previous, row)
    assert Tip(total, previous) == verify(database)
    assert {"sequence": total, "hash": previous} == tip(site)


def test_a_server_that_cannot_do_it_all_at_once_writes_the_same_chain(
    site: Site, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MySQL, and PostgreSQL before version 11; a server may be replaced by one that can."""
    genuine = chain._hashes_by_itself
    for number, can in enumerate((genuine, lambda _: False, genuine, genuine)):
        monkeypatch.setattr(chain, "_hashes_by_itself", can)
        key = f"{number}é\\\"'%s@example.org"
        site.app.run(ADMIN, lambda work, key=key: note(work, key))

    found = records(site)
    assert [1, 2, 3, 4] == [row["sequence"] for row in found]
    assert found[-1]["hash"] == digest(found[-2]["hash"], found[-1])
    assert Tip(4, found[-1]["hash"]) == verify(database)
    assert 4 == len(log(site))


def test_where_it_can_be_done_all_at_once_it_is(site: Site, database: Database) -> None:
    """Each further statement is another way to the server and back, while everybody waits for the tip."""
    seen: list[str] = []
    plain = Connection._run

    def run(connection: Connection, statement: str, parameters: Any) -> None:
        seen.append(statement)
        plain(connection, statement, parameters)

    expected = {"sqlite": 6, "openldap": 6, "postgresql": 1, "mariadb": 2}[site.engine]
    if site.engine == "mariadb" and mysql_module().__name__ != "MySQLdb":
        expected = 6
    site.app.run(ADMIN, lambda work: note(work, "first@example.org"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connection, "_run", run)
        site.app.run(ADMIN, lambda work: note(work, "second@example.org"))

    assert expected == len(seen)
    assert isinstance(verify(database), Tip)


on_mariadb = pytest.mark.parametrize("site", [ENGINES[-1]], indirect=True)


@on_mariadb
def test_a_connection_that_breaks_on_the_way_loses_no_record(
    site: Site, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question after the packet is asked again on a new connection, which knows nothing of it."""
    plain, left = Connection._run, ["packet", "question"]

    def run(connection: Connection, statement: str, parameters: Any) -> None:
        if left and statement.startswith("START TRANSACTION; SET"):
            return  # never arrived
        if left and statement.startswith("SELECT LAST_INSERT_ID"):
            left.clear()
            connection.close()
            raise Unavailable("gone")
        plain(connection, statement, parameters)

    monkeypatch.setattr(Connection, "_run", run)
    site.app.run(ADMIN, lambda work: note(work, "first@example.org"))

    assert ["first@example.org"] == [row["target"] for row in records(site)]
    assert isinstance(verify(database), Tip)


@on_mariadb
def test_a_number_that_is_taken_leaves_no_transaction_open(site: Site, database: Database) -> None:
    raw = site.raw["iredadmin"]
    site.app.run(ADMIN, lambda work: note(work, "first@example.org"))
    raw.insert("mailwright_audit", **{**records(site)[0], "sequence": 2})
    with pytest.raises(Unavailable):
        site.app.run(ADMIN, lambda work: note(work, "second@example.org"))
    raw.execute("DELETE FROM mailwright_audit WHERE sequence = 2")

    site.app.run(ADMIN, lambda work: note(work, "third@example.org"))

    assert ["first@example.org", "third@example.org"] == [row["target"] for row in records(site)]
    assert 2 == len(log(site))
    assert isinstance(verify(database), Tip)


@on_mariadb
def test_what_is_refused_half_way_is_undone(site: Site, database: Database) -> None:
    """The packet goes on to the server as a whole; the connection that it failed on is given up."""
    raw = site.raw["iredadmin"]
    site.app.run(ADMIN, lambda work: note(work, "first@example.org"))
    raw.execute(
        "ALTER TABLE mailwright_audit ADD CONSTRAINT refused CHECK (target NOT LIKE 'bad%')"
    )
    try:
        with pytest.raises(Unavailable):
            site.app.run(ADMIN, lambda work: note(work, "bad@example.org"))
    finally:
        raw.execute("ALTER TABLE mailwright_audit DROP CONSTRAINT refused")
    site.app.run(ADMIN, lambda work: note(work, "second@example.org"))

    assert ["first@example.org", "second@example.org"] == [row["target"] for row in records(site)]
    assert 2 == len(log(site))
    assert isinstance(verify(database), Tip)
