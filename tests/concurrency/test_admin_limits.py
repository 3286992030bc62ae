"""Fifty ask at once for the last thing that a domain admin may hand out: one gets it.

The limits are shared by all domains of the admin, so the domains' own locks do not settle them.
`MAILWRIGHT_TEST_RACES` is how often each race is run (5 unless set).
"""

from __future__ import annotations

import pytest

from mailwright.app import ACCOUNTS
from mailwright.authz import Actor, Role
from mailwright.resources import operations
from tests.concurrency.test_only_one_wins import PASSWORD, RACES, THREADS, WON, race
from tests.stores import Site

MANAGER = "manager@mailwright.internal"
ACTOR = Actor(MANAGER, Role.DOMAIN_ADMIN, "192.0.2.7")
DOMAINS = [f"d{number}.example" for number in range(5)]


def create(site: Site, kind: str, key: str, **form: str) -> None:
    asked = {name: [text] for name, text in form.items()}
    site.app.run(ACTOR, lambda work: operations.create(work, ACCOUNTS[kind], key, asked))


def update(site: Site, kind: str, key: str, **form: str) -> None:
    asked = {name: [text] for name, text in form.items()}
    site.app.run(ACTOR, lambda work: operations.update(work, ACCOUNTS[kind], key, asked))


@pytest.fixture
def managed(site: Site) -> Site:
    site.create("admin", MANAGER, password=PASSWORD)
    for domain in DOMAINS:
        site.create("domain", domain, name="Example")
        site.insert("domain_admins", username=MANAGER, domain=domain)
    return site


@pytest.mark.parametrize("_round", range(RACES))
def test_the_last_seat_of_an_admin(managed: Site, _round: int) -> None:
    managed.update("admin", MANAGER, maxUsers="3")
    for domain in DOMAINS[:2]:
        create(managed, "user", f"old@{domain}", password=PASSWORD)

    outcomes = race(
        [
            lambda n=number: create(managed, "user", f"new{n}@{DOMAINS[n % 5]}", password=PASSWORD)
            for number in range(THREADS)
        ]
    )

    assert outcomes == {WON: 1, "EXCEED_LIMIT_USERS": THREADS - 1}
    assert len(managed.vmail.rows("SELECT username FROM mailbox")) == 3


@pytest.mark.parametrize("_round", range(RACES))
def test_the_last_megabytes_of_an_admin(managed: Site, _round: int) -> None:
    """Half of the threads make a user, the others enlarge one."""
    half = THREADS // 2
    olds = [f"old{number}@{DOMAINS[number % 5]}" for number in range(half)]
    for old in olds:
        managed.create("user", old, password=PASSWORD, quota="1")
    managed.update("admin", MANAGER, maxQuota=str(half + 10), quotaUnit="MB")

    outcomes = race(
        [
            *(
                lambda n=number: create(
                    managed, "user", f"new{n}@{DOMAINS[n % 5]}", password=PASSWORD, quota="10"
                )
                for number in range(half)
            ),
            *(lambda o=old: update(managed, "user", o, quota="11") for old in olds),
        ]
    )

    assert outcomes == {WON: 1, "EXCEED_LIMIT_QUOTA": THREADS - 1}
    assert sum(row["quota"] for row in managed.vmail.rows("SELECT quota FROM mailbox")) == half + 10


@pytest.mark.parametrize("already", [0, 2])
@pytest.mark.parametrize("_round", range(RACES))
def test_the_last_domain_of_an_admin(site: Site, already: int, _round: int) -> None:
    site.create("admin", MANAGER, password=PASSWORD, maxDomains=str(already + 1))
    for number in range(already):
        create(site, "domain", f"old{number}.example", name="Old")

    outcomes = race(
        [
            lambda n=number: create(site, "domain", f"new{n}.example", name="New")
            for number in range(THREADS)
        ]
    )

    assert outcomes == {WON: 1, "EXCEED_LIMIT_DOMAIN": THREADS - 1}
    assert len(site.vmail.rows("SELECT domain FROM domain")) == already + 1
    assert len(site.vmail.rows("SELECT domain FROM domain_admins")) == already + 1
