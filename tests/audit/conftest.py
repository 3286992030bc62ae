"""Each engine in turn, OpenLDAP among them, with a domain whose making is on record."""

from __future__ import annotations

import pytest

from mailwright.storage.sql.engine import Database
from tests.stores import EVERY_ENGINE, Site, emptied


@pytest.fixture(params=EVERY_ENGINE)
def site(request: pytest.FixtureRequest, utc: None) -> Site:  # noqa: ARG001
    """Each engine in turn, OpenLDAP among them, as after an installation."""
    return emptied(request)


@pytest.fixture
def start(site: Site) -> Site:
    """`example.org` with Jane; two records."""
    site.create("domain", "example.org", name="Example")
    site.create("user", "jane@example.org", password="Right-Horse1", name="Jane", quota="5")
    return site


@pytest.fixture
def database(site: Site) -> Database:
    """Where the records are."""
    return site.app.databases["iredadmin"]
