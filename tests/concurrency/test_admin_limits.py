"""Fifty ask at once for the last thing that a domain admin may hand out: one gets it.

The limits are shared by all domains of the admin, so the domains' own locks do not settle them.
In every other round the admin is a mail user, whose limits and lock are elsewhere.
`MAILWRIGHT_TEST_RACES` is how often each race is run (5 unless set).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mailwright.app import ACCOUNTS
from mailwright.authz import Actor, Role
from mailwright.resources import operations
from mailwright.storage.protocol import Query, Usage
from mailwright.work import Work
from tests.concurrency.test_only_one_wins import PASSWORD, RACES, THREADS, WON, race
from tests.directory_site import DirectorySite
from tests.stores import EVERY_ENGINE, Site, emptied

STANDALONE = "manager@mailwright.internal"
HOME = "home.example"
PROMOTED = f"manager@{HOME}"
DOMAINS = [f"d{number}.example" for number in range(5)]


@dataclass(frozen=True)
class Manager:
    """A domain admin of either sort, and what such a one may do."""

    site: Site
    username: str

    def limit(self, **settings: str) -> None:
        """As an admin panel notes it, which knows limits of mail users too."""
        parts = [f"{key}:{value}" for key, value in settings.items()]
        if isinstance(self.site, DirectorySite):
            dn = f"mail={STANDALONE},{self.site.directory.admin_base_dn}"
            if self.username == PROMOTED:
                dn = self.site.user_dn(PROMOTED)
            self.site.directory.replace(dn, accountSetting=parts)
            return
        table = "mailbox" if self.username == PROMOTED else "admin"
        self.site.vmail.execute(
            f"UPDATE {table} SET settings = ? WHERE username = ?",
            "".join(f"{part};" for part in parts),
            self.username,
        )

    def create(self, kind: str, key: str, **form: str) -> None:
        asked = {name: [text] for name, text in form.items()}
        self._run(lambda work: operations.create(work, ACCOUNTS[kind], key, asked))

    def update(self, kind: str, key: str, **form: str) -> None:
        asked = {name: [text] for name, text in form.items()}
        self._run(lambda work: operations.update(work, ACCOUNTS[kind], key, asked))

    def usage(self) -> Usage:
        """What the domains that were given to them hold."""
        with self.site.app.store.session() as accounts:
            return accounts.usage(*self.domains())

    def domains(self) -> list[str]:
        with self.site.app.store.session() as accounts:
            return sorted(accounts.administers(self.username))

    def _run(self, operation: Callable[[Work], object]) -> None:
        self.site.app.run(Actor(self.username, Role.DOMAIN_ADMIN, "192.0.2.7"), operation)


def appoint(site: Site, turn: int, *domains: str) -> Manager:
    """A domain admin of these."""
    username = PROMOTED if turn % 2 else STANDALONE
    if username == PROMOTED:
        site.create("domain", HOME, name="Home")
        site.create("user", PROMOTED, password=PASSWORD)
        make_admin(site)
    else:
        site.create("admin", STANDALONE, password=PASSWORD)
    for domain in domains:
        site.create("domain", domain, name="Example")
        site.insert("domain_admins", username=username, domain=domain)
    return Manager(site, username)


def make_admin(site: Site) -> None:
    """A mail user who administers, though no domain yet."""
    if isinstance(site, DirectorySite):
        services = site.user(PROMOTED)["enabledService"]
        site.directory.replace(site.user_dn(PROMOTED), enabledService=[*services, "domainadmin"])
    else:
        site.vmail.execute("UPDATE mailbox SET isadmin = 1 WHERE username = ?", PROMOTED)


@pytest.fixture(params=EVERY_ENGINE)
def site(request: pytest.FixtureRequest, utc: None) -> Site:  # noqa: ARG001
    """Each engine in turn, OpenLDAP among them, as after an installation and a start."""
    found = emptied(request)
    found.app.store.check()
    return found


@pytest.mark.parametrize("turn", range(RACES))
def test_the_last_seat_of_an_admin(site: Site, turn: int) -> None:
    manager = appoint(site, turn, *DOMAINS)
    manager.limit(create_max_users="3")
    for domain in DOMAINS[:2]:
        manager.create("user", f"old@{domain}", password=PASSWORD)

    outcomes = race(
        [
            lambda n=number: manager.create("user", f"new{n}@{DOMAINS[n % 5]}", password=PASSWORD)
            for number in range(THREADS)
        ]
    )

    assert outcomes == {WON: 1, "EXCEED_LIMIT_USERS": THREADS - 1}
    assert manager.usage().users == 3


@pytest.mark.parametrize("turn", range(RACES))
def test_the_last_megabytes_of_an_admin(site: Site, turn: int) -> None:
    """Half of the threads make a user, the others enlarge one."""
    half = THREADS // 2
    manager = appoint(site, turn, *DOMAINS)
    olds = [f"old{number}@{DOMAINS[number % 5]}" for number in range(half)]
    for old in olds:
        site.create("user", old, password=PASSWORD, quota="1")
    manager.limit(create_max_quota=str(half + 10))

    outcomes = race(
        [
            *(
                lambda n=number: manager.create(
                    "user", f"new{n}@{DOMAINS[n % 5]}", password=PASSWORD, quota="10"
                )
                for number in range(half)
            ),
            *(lambda o=old: manager.update("user", o, quota="11") for old in olds),
        ]
    )

    assert outcomes == {WON: 1, "EXCEED_LIMIT_QUOTA": THREADS - 1}
    assert manager.usage().quota == half + 10


@pytest.mark.parametrize("already", [0, 2])
@pytest.mark.parametrize("turn", range(RACES))
def test_the_last_domain_of_an_admin(site: Site, already: int, turn: int) -> None:
    manager = appoint(site, turn)
    manager.limit(create_new_domains="yes", create_max_domains=str(already + 1))
    for number in range(already):
        manager.create("domain", f"old{number}.example", name="Old")

    outcomes = race(
        [
            lambda n=number: manager.create("domain", f"new{n}.example", name="New")
            for number in range(THREADS)
        ]
    )

    assert outcomes == {WON: 1, "EXCEED_LIMIT_DOMAIN": THREADS - 1}
    assert len(manager.domains()) == already + 1
    with site.app.store.session() as accounts:
        assert accounts.count(ACCOUNTS["domain"].resource, Query()) == already + 1 + turn % 2
