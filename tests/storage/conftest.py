"""An empty database on each engine, as the product reaches it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Target
from tests.servers.process import make_folder, remove

SERVERS = {Dialect.POSTGRESQL: "postgresql_server", Dialect.MYSQL: "mariadb_server"}
ENGINES = (
    pytest.param(Dialect.SQLITE, id="sqlite"),
    pytest.param(Dialect.POSTGRESQL, id="postgresql", marks=pytest.mark.postgresql),
    pytest.param(Dialect.MYSQL, id="mariadb", marks=pytest.mark.mariadb),
)


@pytest.fixture(params=ENGINES)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    found: Dialect = request.param
    return found


@pytest.fixture
def folder() -> Iterator[Path]:
    made = make_folder("storage")
    yield made
    remove(made)


@pytest.fixture
def target(dialect: Dialect, folder: Path, request: pytest.FixtureRequest) -> Target:
    """An empty database called `beside`."""
    if dialect is Dialect.SQLITE:
        path = folder / "beside.db"
        path.touch()
        return Target(dialect, "beside", path=path)
    server = request.getfixturevalue(SERVERS[dialect])
    server.create_database("beside")
    return Target(
        dialect,
        "beside",
        host=server.host,
        port=server.port,
        user=server.superuser,
        password=server.password,
    )


@pytest.fixture
def another(target: Target, request: pytest.FixtureRequest) -> Target:
    """An empty database called `another`, on the same server or in the same folder."""
    if target.path is not None:
        path = target.path.with_name("another.db")
        path.touch()
        return replace(target, name="another", path=path)
    request.getfixturevalue(SERVERS[target.dialect]).create_database("another")
    return replace(target, name="another")
