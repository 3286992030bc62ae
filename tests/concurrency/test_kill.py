"""A process that is killed at any moment leaves every account whole or absent.

`MAILWRIGHT_TEST_KILLS` is how often (5 unless set).
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from mailwright.app import utc_now
from tests.stores import NAMES, Site

KILLS = int(os.environ.get("MAILWRIGHT_TEST_KILLS", "5"))
ROOT = Path(__file__).parents[2]


def given(site: Site, start: int) -> dict[str, Any]:
    if site.place.folder is not None:
        return {"backend": "sqlite", "folder": str(site.place.folder), "start": start}
    databases = {}
    for name in NAMES:
        one = getattr(site.app.settings.databases, name)
        databases[name] = {
            "host": one.host,
            "port": one.port,
            "name": one.name,
            "user": one.user,
        }
    return {"backend": site.dialect.value, "databases": databases, "start": start}


def kill_a_writer(site: Site, start: int, seconds: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.concurrency.writer"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write(json.dumps(given(site, start)) + "\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == "begun\n"
        time.sleep(seconds)
        assert writer.poll() is None
        writer.kill()


def broken(site: Site) -> list[str]:
    """Accounts that are neither as they were made, nor as they were changed, nor gone."""
    mailboxes = {row["username"]: row for row in site.vmail.rows("SELECT * FROM mailbox")}
    rows: dict[str, set[tuple[str, str, int, int]]] = {}
    for row in site.vmail.rows("SELECT * FROM forwardings"):
        owner = row["forwarding"] if row["is_alias"] else row["address"]
        rows.setdefault(owner, set()).add(
            (row["address"], row["forwarding"], row["is_alias"], row["active"])
        )
    found = []
    for key in mailboxes.keys() | rows.keys():
        made = {(key, key, 0, 1)}
        changed = {
            (key, key, 0, 0),
            (key, "copy@example.net", 0, 0),
            (f"also.{key}", key, 1, 0),
        }
        mailbox = mailboxes.get(key)
        states = {1: made, 0: changed}
        if mailbox is None or rows.get(key) != states[mailbox["active"]] or mailbox["quota"] != 5:
            found.append(key)
    return found


def test_every_account_is_whole_or_absent(site: Site) -> None:
    site.create("domain", "example.org", name="Example")
    chance = random.Random(20260506)  # noqa: S311
    for number in range(KILLS):
        kill_a_writer(site, number * 100_000, 0.05 + chance.random() * 0.3)

        assert broken(site) == []

    left = site.raw["iredadmin"].rows("SELECT * FROM mailwright_leftovers")
    assert len(site.vmail.rows("SELECT * FROM mailbox")) > KILLS
    site.clock.now = utc_now()  # the writers' clock
    assert site.app.finish_leftovers(settled_seconds=0) == len(left)
    assert site.raw["iredadmin"].rows("SELECT * FROM mailwright_leftovers") == []
    remembered = {
        row["username"] for row in site.vmail.rows("SELECT username FROM deleted_mailboxes")
    }
    present = {row["username"] for row in site.vmail.rows("SELECT username FROM mailbox")}
    assert remembered & present == set()
    # The databases are still good for work.
    site.create("user", "after@example.org", password="Right-Horse1")
