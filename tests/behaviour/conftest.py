"""A domain with one user, made by the operations themselves."""

from __future__ import annotations

import pytest

from tests.stores import EARLIER, EVERY_ENGINE, LATER, Site, emptied

PASSWORD = "Right-Horse1"


@pytest.fixture(params=EVERY_ENGINE)
def site(request: pytest.FixtureRequest, utc: None) -> Site:  # noqa: ARG001
    """Each engine in turn, OpenLDAP among them, as after an installation."""
    return emptied(request)


@pytest.fixture
def start(site: Site) -> Site:
    """`example.org` with an alias domain and Jane, and a global admin who is no mail user."""
    site.clock.now = EARLIER
    site.insert("admin", username="boss@nowhere.test", settings="")
    site.insert("domain_admins", username="boss@nowhere.test", domain="ALL")
    site.create("domain", "example.org", name="Example")
    site.create("domain", "example.net", name="Other")
    site.insert("alias_domain", alias_domain="example.com", target_domain="example.org")
    site.create("user", "jane@example.org", password=PASSWORD)
    site.clock.now = LATER
    return site
