"""Databases that the declared statements have made."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pymysql.connections

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.schema import DATABASES, seed_rows, statements
from mailwright.storage.sql.schema.model import Database
from tests.servers.mariadb import MariaDB
from tests.servers.postgresql import PostgreSQL


@contextmanager
def in_sqlite(
    name: str, declared: Mapping[str, Database] = DATABASES
) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for statement in statements(declared[name], Dialect.SQLITE):
            connection.execute(statement)
        for insert, values in seed_rows(declared[name], Dialect.SQLITE):
            connection.execute(insert, values)
        yield connection


@contextmanager
def in_postgresql(
    name: str, server: PostgreSQL, declared: Mapping[str, Database] = DATABASES
) -> Iterator[psycopg.Connection]:
    server.create_database(f"schema_{name}")
    with server.connect(f"schema_{name}") as connection:
        for statement in statements(declared[name], Dialect.POSTGRESQL):
            connection.execute(statement.encode())
        for insert, values in seed_rows(declared[name], Dialect.POSTGRESQL):
            connection.execute(insert.encode(), values)
        yield connection


@contextmanager
def in_mariadb(
    name: str, server: MariaDB, declared: Mapping[str, Database] = DATABASES
) -> Iterator[pymysql.connections.Connection[Any]]:
    server.create_database(f"schema_{name}")
    with closing(server.connect(f"schema_{name}")) as connection, connection.cursor() as cursor:
        for statement in statements(declared[name], Dialect.MYSQL):
            cursor.execute(statement)
        for insert, values in seed_rows(declared[name], Dialect.MYSQL):
            cursor.execute(insert, values)
        yield connection
