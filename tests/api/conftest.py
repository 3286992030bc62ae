"""The API on SQLite; `site` of tests/stores.py runs what needs it on every engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.client import Api, api_with
from tests.stores import Site


@pytest.fixture
def empty_site(site_sqlite: Site) -> Site:
    """SQLite as after an installation."""
    site_sqlite.empty()
    return site_sqlite


@pytest.fixture
def api(empty_site: Site) -> Iterator[Api]:
    """The API with a global admin, whom nobody has logged in."""
    with api_with(empty_site) as found:
        found.add_admin()
        yield found


@pytest.fixture
def admin(api: Api) -> Api:
    """The API with the global admin logged in, and a domain."""
    assert api.login().status_code == 200
    api.add_domain()
    return api
