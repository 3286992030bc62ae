"""Global admins of both sorts are demoted, disabled and removed all at once: one remains."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import pytest

from tests.concurrency.test_only_one_wins import PASSWORD, RACES, WON, race
from tests.stores import EVERY_ENGINE, Site, emptied


@pytest.fixture(params=EVERY_ENGINE)
def site(request: pytest.FixtureRequest, utc: None) -> Site:  # noqa: ARG001
    """Each engine in turn, OpenLDAP among them, as after an installation and a start."""
    found = emptied(request)
    found.app.store.check()
    return found


@pytest.mark.parametrize("_round", range(RACES))
def test_one_remains_whatever_sort_of_account_it_is(site: Site, _round: int) -> None:
    site.create("domain", "example.org", name="Example")
    admins = [("admin", f"admin{number}@admins.test") for number in range(6)]
    admins += [("user", f"user{number}@example.org") for number in range(6)]
    for kind, key in admins:
        site.create(kind, key, password=PASSWORD)
        site.update(kind, key, isGlobalAdmin="yes")
    ways: list[Callable[[str, str], object]] = [
        lambda kind, key: site.update(kind, key, isGlobalAdmin="no"),
        lambda kind, key: site.update(kind, key, accountStatus="disabled"),
        site.remove,
    ]

    outcomes = race(
        [
            lambda k=kind, a=key, w=way: w(k, a)
            for (kind, key), way in zip(admins, cycle(ways), strict=False)
        ]
    )

    assert outcomes == {WON: len(admins) - 1, "NOT_ALLOWED": 1}
    with site.app.store.session() as accounts:
        assert len(accounts.global_admins()) == 1


@pytest.mark.parametrize("_round", range(RACES))
def test_one_address_is_given_once(site: Site, _round: int) -> None:
    outcomes = race(
        [
            lambda: site.create("admin", "anna@admins.test", password=PASSWORD, isGlobalAdmin="yes")
            for _ in range(8)
        ]
    )

    assert outcomes == {WON: 1, "ALREADY_EXISTS": 7}
    assert site.show("admin", "anna@admins.test")["managedDomains"] == ("ALL",)
