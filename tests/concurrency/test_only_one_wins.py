"""Fifty ask at once for what only one can have: one gets it, the others are told why not.

`MAILWRIGHT_TEST_RACES` is how often each race is run (5 unless set).
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from mailwright.errors import MailwrightError
from tests.stores import Site

RACES = int(os.environ.get("MAILWRIGHT_TEST_RACES", "5"))
THREADS = 50
PASSWORD = "Right-Horse1"
WON = "won"


def race(attempts: Sequence[Callable[[], object]]) -> Counter[str]:
    """Run all at once; how many won, and the codes of the others."""
    outcomes: list[str] = []
    together = threading.Barrier(len(attempts))

    def run(attempt: Callable[[], object]) -> None:
        together.wait()
        try:
            attempt()
        except MailwrightError as error:
            outcomes.append(error.code)
        except BaseException as error:  # noqa: BLE001
            outcomes.append(repr(error))
        else:
            outcomes.append(WON)

    threads = [threading.Thread(target=run, args=(attempt,)) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(outcomes)


@pytest.fixture
def start(site: Site) -> Site:
    site.create("domain", "example.org", name="Example")
    site.insert("alias_domain", alias_domain="example.com", target_domain="example.org")
    return site


def users(site: Site) -> list[str]:
    return sorted(row["username"] for row in site.vmail.rows("SELECT username FROM mailbox"))


@pytest.mark.parametrize("_round", range(RACES))
def test_the_last_seat(start: Site, _round: int) -> None:
    start.update("domain", "example.org", numberOfUsers="3")
    for number in range(2):
        start.create("user", f"old{number}@example.org", password=PASSWORD)

    outcomes = race(
        [
            lambda n=number: start.create("user", f"new{n}@example.org", password=PASSWORD)
            for number in range(THREADS)
        ]
    )

    assert outcomes == {WON: 1, "EXCEEDED_DOMAIN_ACCOUNT_LIMIT": THREADS - 1}
    assert len(users(start)) == 3


@pytest.mark.parametrize("_round", range(RACES))
def test_the_last_megabytes(start: Site, _round: int) -> None:
    """Half of the threads make a user, the others enlarge one."""
    for number in range(THREADS // 2):
        start.create("user", f"old{number}@example.org", password=PASSWORD, quota="1")
    start.update("domain", "example.org", quota=str(THREADS // 2 + 10))

    outcomes = race(
        [
            *(
                lambda n=number: start.create(
                    "user", f"new{n}@example.org", password=PASSWORD, quota="10"
                )
                for number in range(THREADS // 2)
            ),
            *(
                lambda n=number: start.update("user", f"old{n}@example.org", quota="11")
                for number in range(THREADS // 2)
            ),
        ]
    )

    assert outcomes == {WON: 1, "EXCEEDED_DOMAIN_QUOTA_SIZE": THREADS - 1}
    assert start.show("domain", "example.org")["allocatedQuota"] == THREADS // 2 + 10


@pytest.mark.parametrize("_round", range(RACES))
def test_one_address_for_users(start: Site, _round: int) -> None:
    outcomes = race([lambda: start.create("user", "same@example.org", password=PASSWORD)] * THREADS)

    assert outcomes == {WON: 1, "ALREADY_EXISTS": THREADS - 1}
    assert len(start.vmail.rows("SELECT * FROM forwardings")) == 1


@pytest.mark.parametrize("_round", range(RACES))
def test_one_name_for_domains(start: Site, _round: int) -> None:
    outcomes = race([lambda: start.create("domain", "same.test", name="Same")] * THREADS)

    assert outcomes == {WON: 1, "ALREADY_EXISTS": THREADS - 1}


@pytest.mark.parametrize("_round", range(RACES))
@pytest.mark.parametrize("wanted", ["same@example.org", "same@example.com"])
def test_one_address_for_a_user_and_for_aliases(start: Site, wanted: str, _round: int) -> None:
    """Whether as a user or as a further address of one, in the domain or in an alias of it."""
    holders = [f"holder{number}@example.org" for number in range(10)]
    for holder in holders:
        start.create("user", holder, password=PASSWORD)

    outcomes = race(
        [
            *(
                lambda h=holder: start.update("user", h, addAlias=wanted)
                for holder in holders
                for _ in range(2)
            ),
            *(
                lambda: start.create("user", "same@example.org", password=PASSWORD)
                for _ in range(THREADS - 20)
            ),
        ]
    )

    rows = start.vmail.rows("SELECT * FROM forwardings WHERE address = ?", wanted)
    # By way of the alias domain the address is the user's, where the user came first.
    theirs = wanted == "same@example.com" and "same@example.org" in users(start)
    assert len(rows) == 1 or (theirs and not rows), outcomes
    assert set(outcomes) <= {WON, "ALREADY_EXISTS"}
    if wanted == "same@example.org" and rows[0]["is_alias"]:
        assert "same@example.org" not in users(start)


@pytest.mark.parametrize("_round", range(RACES))
def test_one_global_admin_remains(start: Site, _round: int) -> None:
    """Each is demoted, disabled or removed while the others are."""
    admins = [f"admin{number}@example.org" for number in range(9)]
    for admin in admins:
        start.create("user", admin, password=PASSWORD)
        start.update("user", admin, isGlobalAdmin="yes")
    ways: list[Callable[[str], object]] = [
        lambda admin: start.update("user", admin, isGlobalAdmin="no"),
        lambda admin: start.update("user", admin, accountStatus="disabled"),
        lambda admin: start.remove("user", admin),
    ]

    outcomes = race(
        [lambda a=admin, w=ways[number % 3]: w(a) for number, admin in enumerate(admins)]
    )

    left = start.vmail.rows("SELECT username FROM mailbox WHERE isglobaladmin = 1 AND active = 1")
    assert outcomes == {WON: len(admins) - 1, "NOT_ALLOWED": 1}
    assert len(left) == 1


@pytest.mark.parametrize("_round", range(RACES))
def test_nobodys_change_is_lost(start: Site, _round: int) -> None:
    """Keys of one settings string, and members of one list, changed by different hands."""
    start.create("user", "jane@example.org", password=PASSWORD)
    profiles = ("bcc", "relay", "catchall", "aliases", "throttle", "greylisting", "wblist")

    outcomes = race(
        [
            *(
                lambda p=profile: start.update("domain", "example.org", disableDomainProfile=p)
                for profile in profiles
            ),
            lambda: start.update("domain", "example.org", language="de_DE"),
            lambda: start.update("domain", "example.org", defaultQuota="7"),
            *(
                lambda n=number: start.update(
                    "user", "jane@example.org", addAlias=f"j{n}@example.org"
                )
                for number in range(10)
            ),
        ]
    )

    assert set(outcomes) == {WON}
    domain = start.show("domain", "example.org")
    assert domain["disableDomainProfile"] == tuple(sorted(profiles))
    assert (domain["language"], domain["defaultQuota"]) == ("de_DE", 7)
    assert len(start.show("user", "jane@example.org")["aliases"]) == 10


@pytest.mark.parametrize("_round", range(RACES))
def test_one_removal(start: Site, _round: int) -> None:
    """Two of them noted the account at once, and one was told that something existed already."""
    start.create("user", "jane@example.org", password=PASSWORD)

    outcomes = race([lambda: start.remove("user", "jane@example.org")] * 10)

    assert set(outcomes) == {WON, "NO_SUCH_ACCOUNT"}
    assert users(start) == []
    assert start.raw["iredadmin"].rows("SELECT * FROM mailwright_leftovers") == []


def test_a_change_of_all_and_changes_of_each_end(start: Site) -> None:
    """They lock the domain and the users in different orders; whoever is in the way begins again."""
    names = [f"user{number}@example.org" for number in range(10)]
    for name in names:
        start.create("user", name, password=PASSWORD)

    outcomes = race(
        [
            *(
                lambda: start.update_users("example.org", accountStatus="disabled")
                for _ in range(4)
            ),
            *(
                lambda n=name: start.update("user", n, quota="5", addAlias=f"x.{n}")
                for name in names
            ),
            *(lambda n=name: start.update("user", n, forwarding=n) for name in names),
        ]
    )

    assert set(outcomes) == {WON}
    assert {row["active"] for row in start.vmail.rows("SELECT active FROM mailbox")} == {0}
