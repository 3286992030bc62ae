"""The world of the matrix on each engine, built once for a module; and the API as `tests/api` has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.client import api_with
from tests.api.conftest import admin, api, empty_site  # noqa: F401
from tests.authorization.world import World
from tests.stores import EVERY_ENGINE, Site


@pytest.fixture(scope="module", params=EVERY_ENGINE)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    site: Site = request.getfixturevalue(f"site_{request.param}")
    site.empty()
    with api_with(site) as client:
        found = World(client)
        try:
            yield found
        finally:
            found.close()
