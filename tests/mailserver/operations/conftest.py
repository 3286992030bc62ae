"""`host` is each engine in turn: its lab, emptied, with an `App` on the same accounts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailwright.storage.sql.dialect import Dialect
from tests.mailserver.conftest import quiet
from tests.mailserver.lab import Lab
from tests.mailserver.operations.host import (
    JANE,
    JOHN,
    Beside,
    BesideDirectory,
    DirectoryHost,
    Host,
)
from tests.mailserver.sink import Sink

_SERVER = {Dialect.POSTGRESQL: "postgresql_server", Dialect.MYSQL: "mariadb_server"}


@pytest.fixture(scope="session")
def hosts() -> Iterator[dict[str, Host]]:
    """Those that this process has made already."""
    found: dict[str, Host] = {}
    yield found
    for host in found.values():
        host.close()


def made(kind: type[Host], place: Beside | BesideDirectory) -> Host:
    place.create()
    host = kind(place)
    host.create_tables()
    return host


@pytest.fixture(
    params=[
        *(dialect.value for dialect in Dialect),
        pytest.param("openldap", marks=pytest.mark.openldap),
    ]
)
def host(request: pytest.FixtureRequest, hosts: dict[str, Host]) -> Iterator[Host]:
    if request.param == "openldap":
        yield request.getfixturevalue("directory_host")
        return
    dialect = Dialect(request.param)
    with quiet(request.getfixturevalue(f"lab_{dialect.value}")) as lab:
        if request.param not in hosts:
            server = request.getfixturevalue(_SERVER[dialect]) if dialect in _SERVER else None
            hosts[request.param] = made(Host, Beside(lab, server))
        hosts[request.param].empty()
        yield hosts[request.param]


@pytest.fixture
def directory_host(lab_ldap: Lab, hosts: dict[str, Host]) -> Iterator[DirectoryHost]:
    """The one of those whose accounts are in OpenLDAP."""
    with quiet(lab_ldap) as lab:
        if "openldap" not in hosts:
            hosts["openldap"] = made(DirectoryHost, BesideDirectory(lab))
        host = hosts["openldap"]
        assert isinstance(host, DirectoryHost)
        host.empty()
        yield host


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
