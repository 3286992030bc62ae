"""The directory that a lab reads, and the SQLite file in which Dovecot keeps what it counts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.schema import BESIDE_LDAP, statements
from tests.servers.slapd import Slapd

_COUNTED = ("used_quota", "last_login")


@dataclass(frozen=True)
class AccountDirectory:
    """A server with its base; `path` is the file of the database `iredadmin`."""

    server: Slapd
    path: Path
    family = "ldap"
    engine = "ldap"
    dictionaries = "sqlite"

    def create_tables(self) -> None:
        with closing(self._connect()) as connection:
            for statement in statements(BESIDE_LDAP["iredadmin"], Dialect.SQLITE):
                connection.execute(statement)
            connection.commit()

    def share(self) -> None:
        """Let Dovecot, which runs under an account of its own, into the file."""
        self.path.parent.chmod(0o777)
        for file in self.path.parent.glob(f"{self.path.name}*"):
            file.chmod(0o666)

    def placeholders(self) -> dict[str, str]:
        return {
            "URI": self.server.uri,
            "BASE": self.server.base_dn,
            "BINDDN": self.server.reader_dn,
            "PASSWORD": self.server.reader_password,
            "DBPATH": str(self.path),
        }

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What Dovecot has counted."""
        with closing(self._connect()) as connection:
            return connection.execute(statement, values).fetchall()

    def empty(self) -> None:
        self.server.empty()
        with closing(self._connect()) as connection:
            for table in _COUNTED:
                connection.execute(f"DELETE FROM {table}")
            connection.commit()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=10)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        return connection
