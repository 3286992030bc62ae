"""`host` is each engine in turn: its lab, emptied, with an `App` on the same accounts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailwright.storage.sql.dialect import Dialect
from tests.mailserver.lab import Lab
from tests.mailserver.operations.host import JANE, JOHN, Beside, Host
from tests.mailserver.sink import Sink

_SERVER = {Dialect.POSTGRESQL: "postgresql_server", Dialect.MYSQL: "mariadb_server"}


@pytest.fixture(scope="session")
def hosts() -> Iterator[dict[Dialect, Host]]:
    """Those that this process has made already."""
    made: dict[Dialect, Host] = {}
    yield made
    for host in made.values():
        host.close()


@pytest.fixture
def host(lab: Lab, hosts: dict[Dialect, Host], request: pytest.FixtureRequest) -> Host:
    dialect = lab.database.dialect
    if dialect not in hosts:
        server = request.getfixturevalue(_SERVER[dialect]) if dialect in _SERVER else None
        place = Beside(lab, server)
        place.create()
        hosts[dialect] = Host(place)
        hosts[dialect].create_tables()
    hosts[dialect].empty()
    return hosts[dialect]


@pytest.fixture
def org(host: Host) -> Host:
    """A domain with two users."""
    host.add_domain()
    host.add_user(JANE)
    host.add_user(JOHN)
    return host


@pytest.fixture
def other_server() -> Iterator[Sink]:
    """A mail server that gets only what is sent right there."""
    sink = Sink()
    yield sink
    sink.close()
