"""One world for all tests here: its servers and connections stay, its accounts do not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.directory_site import DirectorySite
from tests.equivalence.world import World, new_world
from tests.stores import Site


@pytest.fixture
def sites(
    site_sqlite: Site,
    site_postgresql: Site,
    site_mariadb: Site,
    site_openldap: DirectorySite,
    utc: None,  # noqa: ARG001
) -> tuple[Site, ...]:
    return site_sqlite, site_postgresql, site_mariadb, site_openldap


@pytest.fixture
def world(sites: tuple[Site, ...]) -> Iterator[World]:
    with new_world(sites) as found:
        yield found
