"""Twenty write at once, in threads of two processes: one chain, nothing lost, no number twice."""

from __future__ import annotations

import multiprocessing
import threading
from typing import Any

from mailwright.app import App
from mailwright.audit.verification import Tip, verify
from mailwright.authz import Action
from mailwright.storage.sql.engine import Database
from mailwright.work import Work
from tests.audit.chains import digest, log, records, tip
from tests.stores import ADMIN, Site

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
