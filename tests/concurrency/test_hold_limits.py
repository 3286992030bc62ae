"""Whoever settles the limits of an admin is alone with them, on every backend."""

from __future__ import annotations

import threading

import pytest

from mailwright.errors import LimitReached
from mailwright.fields.field import Changes
from mailwright.resources import domain
from mailwright.storage.protocol import Query
from tests.concurrency.test_directory_wins import racing_site  # noqa: F401
from tests.concurrency.test_only_one_wins import RACES, WON, race
from tests.conformance.neighbours import add_domain, add_user
from tests.directory_site import DirectorySite
from tests.stores import Site

ADMIN, JANE, JOHN = "admin@admin.test", "jane@example.org", "john@example.org"
HOME = "example.org"
THREADS = 20


def furnish(site: Site) -> Site:
    """Admins who may make domains and have none yet: no row of a grant could be locked."""
    site.empty()
    with site.together():
        add_domain(site, HOME)
        for address in (JANE, JOHN):
            add_user(site, address, isadmin=1)
        site.insert("admin", username=ADMIN, password="{PLAIN}x", name="", active=1)
    return site


@pytest.fixture
def on_sql(site: Site) -> Site:
    return furnish(site)


@pytest.fixture
def on_openldap(racing_site: DirectorySite, utc: None) -> Site:  # noqa: ARG001, F811
    return furnish(racing_site)


def make_the_only_domain(site: Site, admin: str, name: str) -> None:
    """One more domain, if the admin has none: all but the first are too late."""
    with site.app.store.session() as accounts:
        accounts.begin()
        accounts.hold_limits(admin)
        if accounts.count(domain.RESOURCE, Query()) > 1:
            raise LimitReached(f"{admin} has a domain")
        accounts.add(domain.RESOURCE, name, Changes({domain.NAME: "New"}))
        accounts.commit()


def the_last_domain(site: Site, admin: str) -> None:
    outcomes = race(
        [
            lambda n=number: make_the_only_domain(site, admin, f"new{n}.test")
            for number in range(THREADS)
        ]
    )

    assert outcomes == {WON: 1, LimitReached("").code: THREADS - 1}
    with site.app.store.session() as accounts:
        assert accounts.count(domain.RESOURCE, Query()) == 2


@pytest.mark.parametrize("_round", range(RACES))
@pytest.mark.parametrize("admin", [ADMIN, JANE])
def test_the_last_domain(on_sql: Site, admin: str, _round: int) -> None:
    the_last_domain(on_sql, admin)


@pytest.mark.parametrize("_round", range(RACES))
@pytest.mark.parametrize("admin", [ADMIN, JANE])
def test_the_last_domain_in_a_directory(on_openldap: Site, admin: str, _round: int) -> None:
    the_last_domain(on_openldap, admin)


def the_second_waits(site: Site, first: str, second: str) -> None:
    """The second one is in when the first is out, and not before."""
    inside = threading.Event()

    def come() -> None:
        with site.app.store.session() as accounts:
            accounts.begin()
            accounts.hold_limits(second)
            inside.set()

    thread = threading.Thread(target=come)
    with site.app.store.session() as accounts:
        accounts.begin()
        accounts.hold_limits(first)
        accounts.hold_limits(first)  # once more is no harm
        thread.start()

        assert not inside.wait(0.3)
        accounts.commit()
    assert inside.wait(30)
    thread.join()


@pytest.mark.parametrize("admin", [ADMIN, JANE])
def test_the_second_waits_for_the_first(on_sql: Site, admin: str) -> None:
    the_second_waits(on_sql, admin, admin)


@pytest.mark.parametrize("admin", [ADMIN, JANE])
def test_the_second_waits_for_the_first_in_a_directory(on_openldap: Site, admin: str) -> None:
    the_second_waits(on_openldap, admin, admin.upper())


def two_are_inside(site: Site) -> None:
    with site.app.store.session() as one, site.app.store.session() as another:
        one.begin()
        another.begin()
        one.hold_limits(JANE)
        another.hold_limits(JOHN)
        another.hold_limits(ADMIN)


@pytest.mark.parametrize(
    "site",
    [
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
    indirect=True,
)
def test_other_admins_do_not_wait(on_sql: Site) -> None:
    """On SQLite they do: it has one writer."""
    two_are_inside(on_sql)


@pytest.mark.parametrize(
    "racing_site",
    [
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
    indirect=True,
)
def test_other_admins_do_not_wait_in_a_directory(on_openldap: Site) -> None:
    two_are_inside(on_openldap)
