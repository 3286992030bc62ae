"""Servers that tests may ask for; each is started by the first test that names it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.directory_site import directory_site, site_openldap  # noqa: F401
from tests.servers.mariadb import MariaDB
from tests.servers.postgresql import PostgreSQL
from tests.servers.slapd import Slapd
from tests.stores import (  # noqa: F401
    any_app,
    site,
    site_mariadb,
    site_postgresql,
    site_sqlite,
    utc,
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mailwright")
    group.addoption(
        "--equivalence-steps",
        type=int,
        default=2000,
        help="requests that tests/equivalence sends to every backend at least",
    )
    group.addoption(
        "--equivalence-seed",
        type=int,
        default=20260506,
        help="another number makes other requests",
    )
    group.addoption(
        "--equivalence-shrink",
        action="store_true",
        help="look for a smaller sequence that leads to the same failure; takes minutes",
    )


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL of this test process alone; make yourself a database in it."""
    server = PostgreSQL()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDB]:
    """A MariaDB of this test process alone; make yourself a database in it."""
    server = MariaDB()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def openldap_server() -> Iterator[Slapd]:
    """An OpenLDAP of this test process alone, with its base; `empty` it before use."""
    server = Slapd()
    try:
        server.start()
        server.make_base()
        yield server
    finally:
        server.remove()
