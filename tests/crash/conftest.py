"""The scene, kept once for each test process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash import scene
from tests.crash.lab import Lab
from tests.directory_site import DirectorySite


@pytest.fixture(scope="module")
def crash_lab(site_openldap: DirectorySite) -> Iterator[Lab]:
    """The scene of `scene.py` and a process to kill."""
    site_openldap.empty()
    scene.build(site_openldap)
    lab = Lab(site_openldap)
    try:
        with lab.flow:
            lab.keep()
            yield lab
    finally:
        lab.close()


@pytest.fixture
def lab(crash_lab: Lab, utc: None) -> Lab:  # noqa: ARG001
    """Everything as in the scene."""
    crash_lab.restore()
    return crash_lab
