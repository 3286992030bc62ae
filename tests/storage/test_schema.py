"""Each engine's tables are those that an installed mail server has."""

from __future__ import annotations

import pytest

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.schema import DATABASES
from tests.servers.mariadb import MariaDB
from tests.servers.postgresql import PostgreSQL
from tests.storage import found_schema
from tests.storage.expected_schema import expected
from tests.storage.made import in_mariadb, in_postgresql, in_sqlite

NAMES = ["vmail", "amavisd", "iredapd", "iredadmin"]


def test_there_are_four_databases() -> None:
    assert list(DATABASES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_sqlite_has_what_is_expected(name: str) -> None:
    with in_sqlite(name) as connection:
        found = found_schema.in_sqlite(connection)

    assert expected(name, Dialect.SQLITE) == found


@pytest.mark.parametrize("name", NAMES)
def test_postgresql_has_what_is_expected(name: str, postgresql_server: PostgreSQL) -> None:
    with in_postgresql(name, postgresql_server) as connection:
        found = found_schema.in_postgresql(connection)

    assert expected(name, Dialect.POSTGRESQL) == found


@pytest.mark.parametrize("name", NAMES)
def test_mariadb_has_what_is_expected(name: str, mariadb_server: MariaDB) -> None:
    with in_mariadb(name, mariadb_server) as connection:
        found = found_schema.in_mariadb(connection)

    assert expected(name, Dialect.MYSQL) == found


@pytest.mark.parametrize(
    ("name", "constraints"),
    [
        ("vmail", []),
        ("amavisd", ["mailaddr_email_key", "part_email", "users_email_key"]),
        ("iredapd", []),
        ("iredadmin", ["sessions_session_id_key"]),
    ],
)
def test_a_few_unique_keys_are_constraints_on_postgresql(
    name: str, constraints: list[str], postgresql_server: PostgreSQL
) -> None:
    with in_postgresql(name, postgresql_server) as connection:
        found = connection.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 'u'"
            " AND connamespace = 'public'::regnamespace ORDER BY conname"
        ).fetchall()

    assert [(constraint,) for constraint in constraints] == found


@pytest.mark.parametrize(
    ("name", "collation"),
    [
        ("vmail", "utf8mb4_general_ci"),
        ("amavisd", "utf8mb4_general_ci"),
        ("iredapd", "utf8mb4_unicode_ci"),
        ("iredadmin", "utf8mb4_unicode_ci"),
    ],
)
def test_mariadb_tables_compare_text_as_installed(
    name: str, collation: str, mariadb_server: MariaDB
) -> None:
    with in_mariadb(name, mariadb_server) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT engine, table_collation FROM information_schema.tables"
            " WHERE table_schema = database() AND table_type = 'BASE TABLE'"
        )
        found = cursor.fetchall()

    assert (("InnoDB", collation),) == found


def test_mariadb_keeps_wide_mailbox_rows_dynamic(mariadb_server: MariaDB) -> None:
    with in_mariadb("vmail", mariadb_server) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT create_options FROM information_schema.tables"
            " WHERE table_schema = database() AND table_name = 'mailbox'"
        )
        found = cursor.fetchall()

    assert (("row_format=DYNAMIC",),) == found
