"""A server whose accounts are in a directory has no `vmail`, and more in `iredadmin`."""

from __future__ import annotations

import pytest

from mailwright.storage.sql import catalogue
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Database, Target
from mailwright.storage.sql.inspection import Report, inspect
from mailwright.storage.sql.schema import BESIDE_LDAP, DATABASES
from mailwright.storage.sql.setup import Made, create_schema
from tests.servers.mariadb import MariaDB
from tests.servers.postgresql import PostgreSQL
from tests.storage import found_schema
from tests.storage.expected_schema import Description, expected
from tests.storage.made import in_mariadb, in_postgresql, in_sqlite

MOVED = ["used_quota", "last_login", "deleted_mailboxes", "share_folder", "anyone_shares"]


def wanted(dialect: Dialect) -> Description:
    vmail = expected("vmail", dialect)
    return expected("iredadmin", dialect) | {table: vmail[table] for table in MOVED}


def test_the_policy_databases_are_the_same() -> None:
    assert ["amavisd", "iredapd", "iredadmin"] == list(BESIDE_LDAP)
    for name in ("amavisd", "iredapd"):
        assert DATABASES[name] is BESIDE_LDAP[name]


def test_sqlite_has_what_moved() -> None:
    with in_sqlite("iredadmin", BESIDE_LDAP) as connection:
        found = found_schema.in_sqlite(connection)

    assert wanted(Dialect.SQLITE) == found


def test_postgresql_has_what_moved(postgresql_server: PostgreSQL) -> None:
    with in_postgresql("iredadmin", postgresql_server, BESIDE_LDAP) as connection:
        found = found_schema.in_postgresql(connection)

    assert wanted(Dialect.POSTGRESQL) == found


def test_mariadb_has_what_moved(mariadb_server: MariaDB) -> None:
    with in_mariadb("iredadmin", mariadb_server, BESIDE_LDAP) as connection:
        found = found_schema.in_mariadb(connection)

    assert wanted(Dialect.MYSQL) == found


def tables(database: Database) -> set[str]:
    with database.connection() as connection:
        return set(catalogue.read(connection))


def test_without_vmail_its_tables_for_the_mail_programs_move(target: Target) -> None:
    database = Database(target, size=2)

    made = create_schema({"iredadmin": database})

    assert {"iredadmin": Made.CREATED} == made
    assert set(MOVED) < tables(database)
    assert {"iredadmin": Made.KEPT} == create_schema({"iredadmin": database})
    database.close()


def test_with_vmail_nothing_moves(target: Target, another: Target) -> None:
    databases = {"vmail": Database(another, size=2), "iredadmin": Database(target, size=2)}

    create_schema(databases)

    assert set(MOVED) < tables(databases["vmail"])
    assert not tables(databases["iredadmin"]) & (set(MOVED) - {"deleted_mailboxes"})
    assert () == looked_at(databases).databases[1].off
    for database in databases.values():
        database.close()


def looked_at(databases: dict[str, Database]) -> Report:
    return inspect(databases, [])


@pytest.mark.parametrize(
    ("statement", "off"),
    [
        ("DROP TABLE used_quota", ["the table used_quota is missing: the used quota is not shown"]),
        (
            "ALTER TABLE last_login DROP COLUMN lda",
            ["the column last_login.lda is missing: last logins are not shown"],
        ),
    ],
    ids=["used quota", "last login"],
)
def test_what_is_missing_beside_a_directory_is_told(
    target: Target, statement: str, off: list[str]
) -> None:
    databases = {"iredadmin": Database(target, size=2)}
    create_schema(databases)
    assert () == looked_at(databases).databases[0].off
    with databases["iredadmin"].connection() as connection:
        if target.dialect is Dialect.SQLITE and "lda" in statement:
            connection.execute('DROP INDEX "idx_last_login_lda"')
        connection.execute(statement)

    report = looked_at(databases)

    assert report.sound
    assert off == list(report.databases[0].off)
    databases["iredadmin"].close()
