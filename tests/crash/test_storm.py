"""A process that does everything to a few accounts is killed at any moment, again and again.

`MAILWRIGHT_TEST_KILLS` is how often (5 unless set).
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.crash.lab import Lab
from tests.directory_site import DirectorySite
from tests.servers.slapd import Entry, normalised

KILLS = int(os.environ.get("MAILWRIGHT_TEST_KILLS", "5"))
MOST_KILLS = 20 * KILLS  # where none of the first hit an operation of several writes
PATIENCE_SECONDS = 10.0
ROOT = Path(__file__).parents[2]
CONTAINERS = ("Users", "Groups", "Aliases", "Externals")


def kill_a_stormy_process(lab: Lab, day: int, seed: int, seconds: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash.storm"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(lab.order(day=day, seed=seed)) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "begun\n"
        time.sleep(seconds)
        wait_for_several_writes(lab)
        assert process.poll() is None, "it ended of itself"
        process.send_signal(signal.SIGKILL)


def wait_for_several_writes(lab: Lab) -> None:
    """A kill at just any moment mostly hits a process that hashes a password."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not lab.journal:
        assert time.monotonic() < until, "no operation of several writes came along"


def faults(site: DirectorySite) -> list[str]:
    """What no finished operation leaves."""
    entries = site.directory.entries()
    return [*domains_apart(site, entries), *dangling(entries), *erasable(site, entries)]


def domains_apart(site: DirectorySite, entries: Mapping[str, Entry]) -> Iterator[str]:
    """Domains that lack something, and accounts that are not in the state of theirs."""
    for domain in entries.values():
        if b"mailDomain" not in domain["objectClass"]:
            continue
        name = domain["domainName"][0].decode()
        below = normalised(site.domain_dn(name))
        for container in CONTAINERS:
            if f"ou={container.lower()},{below}" not in entries:
                yield f"{name} has no {container}"
        wanted = domain["accountStatus"] == [b"disabled"]
        for dn, values in entries.items():
            is_user = dn.endswith(f",{below}") and b"mailUser" in values["objectClass"]
            if is_user and (values.get("domainStatus") == [b"disabled"]) != wanted:
                yield f"{dn} differs from its domain"


def dangling(entries: Mapping[str, Entry]) -> Iterator[str]:
    """References to users who are not there."""
    addresses = {value for values in entries.values() for value in values.get("mail", ())}
    for dn, values in entries.items():
        for name in ("mailForwardingAddress", "domainAdmin"):
            for value in values.get(name, ()):
                if value.startswith(b"user") and value not in addresses:
                    yield f"{dn} names {value.decode()}, which is not there"
        for value in values.get("member", ()):
            if normalised(value.decode()) not in entries:
                yield f"{dn} has a member that is not there"


def erasable(site: DirectorySite, entries: Mapping[str, Entry]) -> Iterator[str]:
    """Living mailboxes that are noted as left behind, so that a job would erase them."""
    living = {
        values["homeDirectory"][0] for values in entries.values() if "homeDirectory" in values
    }
    for row in site.raw["iredadmin"].rows("SELECT maildir FROM deleted_mailboxes"):
        if row["maildir"].encode() in living:
            yield f"{row['maildir']} is living and noted as removed"


def test_nothing_stays_half_done(lab: Lab) -> None:
    chance = random.Random(20261121)  # noqa: S311
    interrupted = 0
    for day in range(MOST_KILLS):
        if day >= KILLS and interrupted:
            break
        kill_a_stormy_process(lab, day, chance.randrange(2**32), 0.3 + chance.random())
        interrupted += len(lab.journal)
        lab.repair()

        assert lab.journal == []
        assert faults(lab.site) == []
        lab.site.create("user", "after@example.org", password="Right-Horse1")
        lab.site.remove("user", "after@example.org")
    assert interrupted > 0, "no kill hit an operation of several writes"


def test_the_storm_would_show_a_fault(lab: Lab) -> None:
    """What `faults` looks for is found."""
    lab.site.directory.replace(lab.site.user_dn("john@example.org"), domainStatus="disabled")
    lab.site.directory.replace(
        lab.site.user_dn("bob@example.net"), mailForwardingAddress="user9@example.org"
    )

    lab.site.raw["iredadmin"].insert(
        "deleted_mailboxes",
        username="john@example.org",
        domain="example.org",
        maildir=lab.site.user("john@example.org")["homeDirectory"][0],
    )

    assert len(faults(lab.site)) == 3


@pytest.fixture(autouse=True)
def _tidy(lab: Lab) -> Iterator[None]:
    yield
    lab.restore()
