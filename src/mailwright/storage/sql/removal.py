"""Removing and renaming accounts: every row that refers to a key, found through declarations."""

from __future__ import annotations

import datetime as dt

from mailwright.errors import Exists
from mailwright.fields.addresses import domain_of
from mailwright.fields.places import Journal, Match, Reference, SideRows, SqlHome
from mailwright.storage.protocol import Farewell
from mailwright.storage.sql.codecs import day, moment
from mailwright.storage.sql.engine import Connection
from mailwright.storage.sql.reading import Columns, conditions


def remove(
    connection: Connection, home: SqlHome, columns: Columns, key: str, farewell: Farewell
) -> int:
    """Remove an account's row and all that refers to it; the number of account rows removed."""
    if home.journal is not None:
        _remember(connection, home.journal, columns, home, key, farewell)
    left = _left_without_rows(connection, home, key)
    for reference in (*home.contains, *home.references):
        if reference.column in columns.get(reference.table, ()):
            _delete(connection, reference, key)
    removed = connection.execute(f'DELETE FROM "{home.table}" WHERE "{home.key}" = %s', (key,))
    if home.self_rows is not None:
        _give_self_back(connection, home, home.self_rows, left)
    return removed


def rename(
    connection: Connection, home: SqlHome, columns: Columns, old: str, new: str, now: dt.datetime
) -> int:
    """Give an account a new key wherever the old one stands; the number of account rows renamed."""
    row: dict[str, object] = {home.key: new}
    if home.domain:
        row[home.domain] = domain_of(new)
    if "modified" in columns[home.table]:
        row["modified"] = moment(now, connection.dialect)
    names = ", ".join(f'"{name}" = %s' for name in row)
    renamed = connection.execute(
        f'UPDATE "{home.table}" SET {names} WHERE "{home.key}" = %s', (*row.values(), old)
    )
    for reference in home.references:
        if reference.column in columns.get(reference.table, ()):
            _repoint(connection, reference, old, new)
    return renamed


def _remember(
    connection: Connection,
    journal: Journal,
    columns: Columns,
    home: SqlHome,
    key: str,
    farewell: Farewell,
) -> None:
    present = columns.get(journal.table, frozenset())
    path = " || '/' || ".join(f'm."{part}"' for part in journal.path)
    chosen: dict[str, str] = {
        "username": f'm."{journal.key}"',
        "domain": f'm."{journal.domain}"',
        "maildir": path,
        "bytes": "COALESCE(u.bytes, 0)",
        "messages": "COALESCE(u.messages, 0)",
        "admin": "%s",
        "timestamp": "%s",
        "delete_date": "%s",
    }
    values: dict[str, object] = {
        "admin": farewell.admin,
        "timestamp": moment(farewell.at, connection.dialect),
        "delete_date": day(farewell.until, connection.dialect),
    }
    chosen = {name: text for name, text in chosen.items() if name in present}
    parameters = [values[name] for name in chosen if name in values]
    names = ", ".join(f'"{name}"' for name in chosen)
    expressions = ", ".join(
        _typed(connection, name, text) if text == "%s" else text for name, text in chosen.items()
    )
    by = journal.key if home.table == journal.mailboxes else journal.domain
    connection.execute(
        f'INSERT INTO "{journal.table}" ({names}) SELECT {expressions} FROM "{journal.mailboxes}" m '
        f'LEFT JOIN "{journal.usage}" u ON u."username" = m."{journal.key}" WHERE m."{by}" = %s',
        (*parameters, key),
    )


def _typed(connection: Connection, name: str, mark: str) -> str:
    # In a SELECT list PostgreSQL takes an untyped parameter for text, which no date column accepts.
    types = {"timestamp": "timestamp", "delete_date": "date"}
    if connection.dialect == "postgresql" and name in types:
        return f"{mark}::{types[name]}"
    return mark


def _delete(connection: Connection, reference: Reference, key: str) -> None:
    match reference.match:
        case Match.KEY:
            condition, value = "= %s", key
        case Match.AT_KEY:
            condition, value = "= %s", f"@{key}"
        case Match.WITHIN:
            condition, value = "LIKE %s ESCAPE '!'", f"%@{escaped(key)}"
    connection.execute(
        f'DELETE FROM "{reference.table}" WHERE "{reference.column}" {condition}', (value,)
    )


def escaped(text: str) -> str:
    """Text for a LIKE pattern whose escape character is ``!``."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _left_without_rows(connection: Connection, home: SqlHome, key: str) -> list[str]:
    """Accounts that have this key among their rows, and so might lose their last one."""
    rows = home.self_rows
    if rows is None:
        return []
    found = connection.rows(
        f'SELECT DISTINCT "{rows.key}" FROM "{rows.table}" WHERE "{rows.value}" = %s '
        f'AND "{rows.key}" <> %s{conditions(rows.where)}',
        (key, key),
    )
    return [row[0] for row in found]


def _give_self_back(connection: Connection, home: SqlHome, rows: SideRows, keys: list[str]) -> None:
    for key in keys:
        flags = "".join(f', "{name}"' for name in rows.where)
        ones = "".join(f", {value}" for value in rows.where.values())
        connection.execute(
            f'INSERT INTO "{rows.table}" ("{rows.key}", "{rows.value}", "domain", "dest_domain", '
            f'"{rows.status}"{flags}) SELECT m."{home.key}", m."{home.key}", m."{home.domain}", '
            f'm."{home.domain}", m."{rows.status}"{ones} FROM "{home.table}" m WHERE m."{home.key}" = %s '
            f'AND NOT EXISTS (SELECT 1 FROM "{rows.table}" f WHERE f."{rows.key}" = m."{home.key}"'
            + "".join(f' AND f."{name}" = {value}' for name, value in rows.where.items())
            + ")",
            (key,),
        )


def _repoint(connection: Connection, reference: Reference, old: str, new: str) -> None:
    prefix = "@" if reference.match is Match.AT_KEY else ""
    row: dict[str, object] = {reference.column: prefix + new}
    if reference.domain:
        row[reference.domain] = domain_of(new)
    names = ", ".join(f'"{name}" = %s' for name in row)
    try:
        connection.execute(
            f'UPDATE "{reference.table}" SET {names} WHERE "{reference.column}" = %s',
            (*row.values(), prefix + old),
        )
    except Exists:
        raise Exists(f"{new} already stands beside {old} in {reference.table}") from None
