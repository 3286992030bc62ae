"""Every store that there is."""

from __future__ import annotations

import pytest

from tests.stores import EVERY_ENGINE, Site, emptied


@pytest.fixture(params=EVERY_ENGINE)
def site(request: pytest.FixtureRequest, utc: None) -> Site:  # noqa: ARG001
    """Each engine in turn, OpenLDAP among them, as after an installation."""
    return emptied(request)
