"""The private database servers keep their promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.mariadb import MariaDB
from tests.servers.ports import answers
from tests.servers.postgresql import PostgreSQL


@pytest.fixture(params=["postgresql_server", "mariadb_server"])
def server(request: pytest.FixtureRequest) -> PostgreSQL | MariaDB:
    server: PostgreSQL | MariaDB = request.getfixturevalue(request.param)
    return server


def ask(server: PostgreSQL | MariaDB, database: str, *statements: str) -> list[tuple[object, ...]]:
    with server.connect(database) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


def test_a_database_is_created_empty_every_time(server: PostgreSQL | MariaDB) -> None:
    for _ in range(2):
        server.create_database("fresh")
        ask(server, "fresh", "CREATE TABLE t (a int)", "SELECT a FROM t")


def test_data_survives_a_restart(server: PostgreSQL | MariaDB) -> None:
    server.create_database("kept")
    ask(server, "kept", "CREATE TABLE t (a int)", "INSERT INTO t VALUES (1)", "SELECT 1")

    server.restart()

    assert [(1,)] == ask(server, "kept", "SELECT a FROM t")


def test_text_is_unicode(server: PostgreSQL | MariaDB) -> None:
    server.create_database("words")

    assert [("Zoë 📬",)] == ask(server, "words", "SELECT 'Zoë 📬'")


@pytest.mark.parametrize("kind", [PostgreSQL, MariaDB])
def test_a_removed_server_leaves_nothing(kind: type[PostgreSQL | MariaDB]) -> None:
    server = kind()
    server.start()
    folder: Path = server._folder
    assert folder.exists()

    server.remove()

    assert not folder.exists()
    assert not answers(server.port)
