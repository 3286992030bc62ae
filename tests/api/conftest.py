"""The API on SQLite and on OpenLDAP; `site` is for what needs every engine.

A test that says something about statements, tables or pages without accounts is marked `on_sqlite`
(`tests/api/client.py`), with the reason beside it where the test does not tell.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.client import SQLITE, Api, api_with
from tests.stores import EVERY_ENGINE, OPENLDAP, Site, emptied


@pytest.fixture(params=(SQLITE, OPENLDAP))
def empty_site(request: pytest.FixtureRequest) -> Site:
    """SQLite and OpenLDAP in turn, as after an installation."""
    return emptied(request)


@pytest.fixture(params=EVERY_ENGINE)
def site(request: pytest.FixtureRequest, utc: None) -> Site:  # noqa: ARG001
    """Each engine in turn, OpenLDAP among them, as after an installation."""
    return emptied(request)


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
