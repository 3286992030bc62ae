"""Somebody is named an admin while the limits that go with it are changed: one waits for the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from mailwright.resources import admin as admins
from mailwright.resources import domain as domains
from tests.authorization.test_handed_on import ANNA, U1, bounds, furnish, limit, name
from tests.concurrency.test_directory_wins import racing_site  # noqa: F401
from tests.directory_site import DirectorySite
from tests.stores import Site


@pytest.fixture
def on_sql(site: Site) -> Site:
    site.empty()
    return furnish(site)


@pytest.fixture
def on_openldap(racing_site: DirectorySite, utc: None) -> Site:  # noqa: ARG001, F811
    racing_site.empty()
    return furnish(racing_site)


def meanwhile(site: Site, of: object, one: Callable[[], Any], another: Callable[[], Any]) -> None:
    """While one has changed an account of a resource and not ended, the other comes; and waits."""
    done = threading.Event()

    def come() -> None:
        another()
        done.set()

    thread = threading.Thread(target=come)
    with site.app.store.session() as accounts:
        kind = type(accounts)
    plain = kind.change

    def change(self: Any, resource: Any, *args: Any) -> None:
        plain(self, resource, *args)
        if resource is of and thread.ident is None:
            thread.start()
            assert not done.wait(0.3)

    with patch.object(kind, "change", change):
        one()
        assert done.wait(30)
    thread.join()


def a_change_waits(site: Site) -> None:
    limit(site, ANNA, maxUsers=9)

    meanwhile(
        site,
        domains.RESOURCE,
        lambda: name(site, ANNA, U1),
        lambda: site.update("admin", ANNA, maxUsers="1"),
    )

    assert (9, 1) == (bounds(site, U1)["maxUsers"], site.show("admin", ANNA)["maxUsers"])


def who_names_waits(site: Site) -> None:
    limit(site, ANNA, maxUsers=9)

    meanwhile(
        site,
        admins.RESOURCE,
        lambda: site.update("admin", ANNA, maxUsers="1"),
        lambda: name(site, ANNA, U1),
    )

    assert 1 == bounds(site, U1)["maxUsers"]


def test_a_change_of_the_limits_waits_until_somebody_is_named(on_sql: Site) -> None:
    a_change_waits(on_sql)


def test_a_change_of_the_limits_waits_until_somebody_is_named_in_a_directory(
    on_openldap: Site,
) -> None:
    a_change_waits(on_openldap)


def test_who_names_waits_for_a_change_of_the_limits(on_sql: Site) -> None:
    who_names_waits(on_sql)


def test_who_names_waits_for_a_change_of_the_limits_in_a_directory(on_openldap: Site) -> None:
    who_names_waits(on_openldap)
