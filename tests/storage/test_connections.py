"""Connections: a restarted server, a server that is down, a transaction that is left."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from mailwright.errors import Exists, Unavailable
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Database, Target
from tests.servers.mariadb import MariaDB
from tests.servers.ports import free_port
from tests.servers.postgresql import PostgreSQL


@pytest.fixture(params=[PostgreSQL, MariaDB], ids=["postgresql", "mariadb"], scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A server of these tests alone: they stop it under everybody's feet."""
    server = request.param()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def database(server: Any, request: pytest.FixtureRequest) -> Any:
    name = f"connections_{abs(hash(request.node.nodeid)) % 10**9}"
    server.create_database(name)
    dialect = Dialect.POSTGRESQL if "postgresql" in request.node.name else Dialect.MYSQL
    target = Target(
        dialect,
        name,
        host=server.host,
        port=server.port,
        user=server.superuser,
        password=server.password,
    )
    database = Database(target, size=2)
    yield database
    database.close()


def test_a_server_restart_costs_no_request(server: Any, database: Database) -> None:
    """A connection that slept less than five seconds is not asked whether it lives."""
    with database.connection() as connection:
        connection.value("SELECT 1")
    server.restart()

    with database.connection() as connection:
        assert 2 == connection.value("SELECT 2")
    server.restart()
    with database.transaction() as connection:
        assert 3 == connection.value("SELECT 3")


def test_a_server_that_is_down_is_named_without_the_drivers_words(database: Database) -> None:
    target = Target(
        database.dialect, "vmail", host="127.0.0.1", port=free_port(), user="u", password="geheim-1"
    )

    with pytest.raises(Unavailable) as caught, Database(target).connection():
        pass

    assert "SERVER_DOWN: the vmail database cannot be reached" == str(caught.value)
    assert caught.value.detail.endswith(" as u: nothing listens there")
    assert "geheim-1" not in repr(target)


def test_a_transaction_that_is_left_by_an_error_leaves_no_trace(database: Database) -> None:
    with database.connection() as connection:
        connection.execute('CREATE TABLE "seats" ("seat" INTEGER PRIMARY KEY)')

    def take_one_seat_twice() -> None:
        with database.transaction() as connection:
            connection.execute('INSERT INTO "seats" VALUES (%s)', (1,))
            connection.execute('INSERT INTO "seats" VALUES (%s)', (1,))

    with pytest.raises(Exists):
        take_one_seat_twice()

    with database.connection() as connection:
        assert [] == connection.rows('SELECT * FROM "seats"')


def test_more_callers_than_connections_wait_their_turn(database: Database) -> None:
    with database.connection() as first, database.connection() as second:
        first.value("SELECT 1")
        second.value("SELECT 1")

    with database.connection() as again:
        assert again in (first, second)


def test_a_connection_that_nobody_used_for_long_is_closed(database: Database) -> None:
    short = Database(database.target, size=2, idle_seconds=0)
    with short.connection() as first:
        with short.connection() as second:
            second.value("SELECT 1")
        assert second.closed
        first.value("SELECT 1")

    assert first.closed


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"name": "nowhere"}, "there is no such database"),
        ({"user": "nobody_at_all", "password": "geheim-1"}, "user or password is refused"),
        ({"host": "no-such-host.invalid"}, "the host name is not known"),
    ],
)
def test_the_reason_of_a_failed_connection_is_told(
    database: Database, changed: dict[str, str], why: str
) -> None:
    target = dataclasses.replace(database.target, **changed)

    with pytest.raises(Unavailable) as caught, Database(target).connection():
        pass

    assert caught.value.detail.endswith(f": {why}")
    assert "geheim-1" not in caught.value.detail
