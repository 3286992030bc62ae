"""The account database that a lab reads: plain SQL by hand, `?` for values on every engine."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pymysql

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.schema import DATABASES, statements

_ENGINES = {Dialect.SQLITE: "sqlite", Dialect.POSTGRESQL: "pgsql", Dialect.MYSQL: "mysql"}


@dataclass(frozen=True)
class AccountDatabase:
    """Where it is. SQLite uses `path`, the servers use the rest."""

    dialect: Dialect
    path: Path = Path()
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    name: str = ""
    family = "sql"

    @property
    def engine(self) -> str:
        return _ENGINES[self.dialect]

    @property
    def dictionaries(self) -> str:
        return self.engine

    def placeholders(self) -> dict[str, str]:
        return {
            "DBPATH": str(self.path),
            "HOST": self.host,
            "PORT": str(self.port),
            "DBNAME": self.name,
            "USER": self.user,
            "PASSWORD": self.password,
        }

    def create_tables(self) -> None:
        with self._cursor() as cursor:
            for statement in statements(DATABASES["vmail"], self.dialect):
                cursor.execute(statement)
        self.share()

    def share(self) -> None:
        """Let the daemons, which run under accounts of their own, into an SQLite file."""
        if self.dialect is Dialect.SQLITE:
            self.path.parent.chmod(0o777)
            for file in self.path.parent.glob(f"{self.path.name}*"):
                file.chmod(0o666)

    def execute(self, statement: str, *values: object) -> None:
        with self._cursor() as cursor:
            cursor.execute(self._marks(statement), values)

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._cursor() as cursor:
            cursor.execute(self._marks(statement), values)
            return [tuple(row) for row in cursor.fetchall()]

    def insert(self, table: str, **row: object) -> None:
        names = ", ".join(row)
        marks = ", ".join("?" for _ in row)
        self.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", *row.values())

    def empty(self) -> None:
        with self._cursor() as cursor:
            for table in DATABASES["vmail"].tables:
                if self.dialect in table.dialects:
                    cursor.execute(f"DELETE FROM {table.name}")

    def _marks(self, statement: str) -> str:
        return statement if self.dialect is Dialect.SQLITE else statement.replace("?", "%s")

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        with closing(self._connect()) as connection, closing(connection.cursor()) as cursor:
            yield cursor
            connection.commit()

    def _connect(self) -> Any:
        match self.dialect:
            case Dialect.SQLITE:
                connection = sqlite3.connect(self.path, timeout=10)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = OFF")
                return connection
            case Dialect.POSTGRESQL:
                return psycopg.connect(
                    host=self.host,
                    port=self.port,
                    dbname=self.name,
                    user=self.user,
                    password=self.password,
                )
            case Dialect.MYSQL:
                return pymysql.connect(
                    host=self.host,
                    port=self.port,
                    database=self.name,
                    user=self.user,
                    password=self.password,
                )
