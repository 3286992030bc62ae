"""Two admins who may create domains, on every backend, and an internet of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.client import Api, api_with
from tests.ownership.internet import NameServer, asking, internet
from tests.stores import EVERY_ENGINE, Site, emptied

ANNA = "anna@mailwright.internal"
BERT = "bert@mailwright.internal"


@pytest.fixture(params=EVERY_ENGINE)
def site(request: pytest.FixtureRequest, utc: None) -> Site:  # noqa: ARG001
    """Each engine in turn, OpenLDAP among them, as after an installation."""
    return emptied(request)


@pytest.fixture
def names() -> Iterator[NameServer]:
    """A name server that knows `example.org`, without a code."""
    with internet() as found:
        yield found


@pytest.fixture
def api(site: Site, names: NameServer) -> Iterator[Api]:
    """The API where domains need a proof, with a global admin and Anna, who is logged in."""
    settings = asking(names, timeout_seconds=2)
    values = {name: getattr(settings, name) for name in settings.__struct_fields__}
    with api_with(site, ownership=values) as found:
        found.add_admin()
        found.login()
        for username in (ANNA, BERT):
            made = found.call(
                "POST", f"/api/admin/{username}", "name=x&password=Right-Pass1&maxDomains=5"
            )
            assert made.status_code == 201, made.json
        found.login(ANNA)
        yield found
