"""A process of its own that does one thing to a database it is told of, and waits to be killed.

Its first argument is what to do; where the database is comes as a line of JSON on standard input.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Database, Target
from mailwright.storage.sql.journal import Journal
from mailwright.storage.sql.locks import Locks

THREADS = 10


@contextmanager
def told(target: Target, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Such a process; it is killed on leaving if it has not ended."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.storage.told", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        say(process, json.dumps(asdict(target), default=str))
        try:
            yield process
        finally:
            process.kill()


def say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    """Its next line."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def count_up(locks: Locks, counter: Path) -> None:
    """Add one to the number in a file; a second process or thread in between would lose one."""
    with locks.hold() as held:
        held.take("counter")
        number = int(counter.read_text())
        time.sleep(0.002)
        counter.write_text(str(number + 1))


def main(what: str, *words: str) -> None:
    given = json.loads(sys.stdin.readline())
    given["dialect"] = Dialect(given["dialect"])
    given["path"] = given["path"] and Path(given["path"])
    target = Target(**given)
    if what == "write":
        print_line(Journal(Database(target)).write("example.org", "a", 1))
        threading.Event().wait()
    if what == "first":
        print_line("ready")
        for line in sys.stdin:
            with Locks(replace(target, path=Path(line.strip())), size=1).hold() as held:
                held.take("a")
            print_line("taken")
    locks = Locks(target, size=THREADS)
    if what == "hold":
        with locks.hold() as held:
            for word in words:
                held.take(word)
            print_line("held")
            sys.stdin.readline()
        print_line("let go")
        return
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(lambda _: count_up(locks, Path(words[0])), range(THREADS)))
    print_line("counted")


def print_line(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
