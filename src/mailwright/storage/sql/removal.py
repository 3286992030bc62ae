"""Removing and renaming accounts: every row that refers to a key, found through declarations."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from mailwright.fields.addresses import domain_of
from mailwright.fields.places import Journal, Match, Reference, SideRows, SqlHome
from mailwright.storage.protocol import Farewell
from mailwright.storage.sql.catalogue import Columns
from mailwright.storage.sql.codecs import day, moment
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Connection
from mailwright.storage.sql.reading import conditions


@dataclass(frozen=True, slots=True)
class Removal:
    """One account's home as this server has it, and a transaction to work in."""

    connection: Connection
    home: SqlHome
    columns: Columns

    def remove(self, key: str, farewell: Farewell) -> int:
        """Remove an account's row and all that refers to it; the number of account rows removed."""
        home = self.home
        if home.journal is not None:
            self._remember(home.journal, key, farewell)
        left = [] if home.self_rows is None else self._left_without_rows(home.self_rows, key)
        for reference in (*home.contains, *home.references):
            if self._has(reference):
                self._delete(reference, key)
        removed = self.connection.execute(
            f'DELETE FROM "{home.table}" WHERE "{home.key}" = %s', (key,)
        )
        if home.self_rows is not None:
            self._give_self_back(home.self_rows, left)
        return removed

    def rename(self, old: str, new: str, now: dt.datetime) -> int:
        """Give an account a new key wherever the old one stands; the number of rows renamed."""
        home = self.home
        row: dict[str, object] = {home.key: new}
        if home.domain:
            row[home.domain] = domain_of(new)
        if "modified" in self.columns[home.table]:
            row["modified"] = moment(now, self.connection.dialect)
        renamed = self._update(home.table, row, home.key, old)
        for reference in home.references:
            if self._has(reference):
                self._repoint(reference, old, new)
        return renamed

    def _has(self, reference: Reference) -> bool:
        return reference.column in self.columns.get(reference.table, ())

    def _remember(self, journal: Journal, key: str, farewell: Farewell) -> None:
        present = self.columns.get(journal.table, frozenset())
        dialect = self.connection.dialect
        path = " || '/' || ".join(f'm."{part}"' for part in journal.path)
        texts = {
            "username": f'm."{journal.key}"',
            "domain": f'm."{journal.domain}"',
            "maildir": path,
            "bytes": "COALESCE(u.bytes, 0)",
            "messages": "COALESCE(u.messages, 0)",
        }
        values: dict[str, object] = {
            "admin": farewell.admin,
            "timestamp": moment(farewell.at, dialect),
            "delete_date": day(farewell.until, dialect),
        }
        texts |= {name: _mark(dialect, name) for name in values}
        texts = {name: text for name, text in texts.items() if name in present}
        names = ", ".join(f'"{name}"' for name in texts)
        by = journal.key if self.home.table == journal.mailboxes else journal.domain
        self.connection.execute(
            f'INSERT INTO "{journal.table}" ({names}) SELECT {", ".join(texts.values())} '
            f'FROM "{journal.mailboxes}" m '
            f'LEFT JOIN "{journal.usage}" u ON u."username" = m."{journal.key}" WHERE m."{by}" = %s',
            (*(values[name] for name in texts if name in values), key),
        )

    def _delete(self, reference: Reference, key: str) -> None:
        match reference.match:
            case Match.KEY:
                condition, value = "= %s", key
            case Match.AT_KEY:
                condition, value = "= %s", f"@{key}"
            case Match.WITHIN:
                condition, value = "LIKE %s ESCAPE '!'", f"%@{escaped(key)}"
        stays = ""
        if reference.unless is not None:
            table, column = reference.unless
            stays = (
                f' AND NOT EXISTS (SELECT 1 FROM "{table}" o WHERE o."{column}" = '
                f'"{reference.table}"."{reference.column}")'
            )
        self.connection.execute(
            f'DELETE FROM "{reference.table}" WHERE "{reference.column}" {condition}'
            f"{conditions(reference.where)}{stays}",
            (value,),
        )

    def _left_without_rows(self, rows: SideRows, key: str) -> list[str]:
        """Accounts that have this key among their rows, and so might lose their last one."""
        found = self.connection.rows(
            f'SELECT DISTINCT "{rows.key}" FROM "{rows.table}" WHERE "{rows.value}" = %s '
            f'AND "{rows.key}" <> %s{conditions(rows.where)}',
            (key, key),
        )
        return [row[0] for row in found]

    def _give_self_back(self, rows: SideRows, keys: list[str]) -> None:
        home = self.home
        domains = ", ".join(f'"{column}"' for column in rows.parts)
        flags = "".join(f', "{name}"' for name in rows.where)
        ones = "".join(f", {int(value)}" for value in rows.where.values())
        same = "".join(f' AND f."{name}" = {int(value)}' for name, value in rows.where.items())
        own = ", ".join([f'm."{home.domain}"'] * len(rows.parts))
        for key in keys:
            self.connection.execute(
                f'INSERT INTO "{rows.table}" '
                f'("{rows.key}", "{rows.value}", {domains}, "{rows.status}"{flags}) '
                f'SELECT m."{home.key}", m."{home.key}", {own}, m."{rows.status}"{ones} '
                f'FROM "{home.table}" m WHERE m."{home.key}" = %s AND NOT EXISTS '
                f'(SELECT 1 FROM "{rows.table}" f WHERE f."{rows.key}" = m."{home.key}"{same})',
                (key,),
            )

    def _repoint(self, reference: Reference, old: str, new: str) -> None:
        prefix = "@" if reference.match is Match.AT_KEY else ""
        row: dict[str, object] = {reference.column: prefix + new}
        if reference.domain and reference.domain in self.columns[reference.table]:
            row[reference.domain] = domain_of(new)
        self._make_room(reference, prefix + old, prefix + new)
        self._update(reference.table, row, reference.column, prefix + old)

    def _make_room(self, reference: Reference, old: str, new: str) -> None:
        """Remove rows that the renamed ones would repeat: the new address was named before it existed."""
        table, column, beside = reference.table, reference.column, reference.beside
        if beside:
            self.connection.execute(
                f'DELETE FROM "{table}" WHERE "{column}" = %s AND "{beside}" IN (SELECT p."{beside}" '
                f'FROM (SELECT DISTINCT "{beside}" FROM "{table}" WHERE "{column}" = %s) p)',
                (new, old),
            )
        elif reference.unique:
            self.connection.execute(
                f'DELETE FROM "{table}" WHERE "{column}" = %s AND EXISTS (SELECT 1 '
                f'FROM (SELECT DISTINCT "{column}" FROM "{table}" WHERE "{column}" = %s) p)',
                (new, old),
            )

    def _update(self, table: str, row: dict[str, object], column: str, value: str) -> int:
        names = ", ".join(f'"{name}" = %s' for name in row)
        return self.connection.execute(
            f'UPDATE "{table}" SET {names} WHERE "{column}" = %s', (*row.values(), value)
        )


def escaped(text: str) -> str:
    """Text for a LIKE pattern whose escape character is ``!``."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _mark(dialect: Dialect, column: str) -> str:
    # In a SELECT list PostgreSQL takes an untyped parameter for text, which no date column accepts.
    types = {"timestamp": "timestamp", "delete_date": "date"}
    if dialect is Dialect.POSTGRESQL and column in types:
        return f"%s::{types[column]}"
    return "%s"
