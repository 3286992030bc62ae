"""What the policy databases keep of an account, and how they forget it (SQL reference 4.3, 4.6).

Every step may be repeated; nothing here fails because something is gone already.
"""

from __future__ import annotations

from collections.abc import Mapping

from mailwright.storage.sql.catalogue import Columns, columns_of
from mailwright.storage.sql.engine import Connection, Database
from mailwright.storage.sql.removal import escaped
from mailwright.work import Leftover


def forget(databases: Mapping[str, Database], leftover: Leftover) -> None:
    """Remove an account's rows from amavisd, iredapd and iredadmin."""
    for name, step in (("iredapd", _iredapd), ("amavisd", _amavisd), ("iredadmin", _iredadmin)):
        database = databases.get(name)
        if database is not None:
            tables = columns_of(database)
            with database.transaction() as connection:
                step(connection, tables, leftover)


def _accounts(column: str, leftover: Leftover, *, at: bool = True) -> tuple[str, list[object]]:
    """The condition that finds a user, or a domain with everything in it."""
    if leftover.kind == "user":
        return f'"{column}" = %s', [leftover.key]
    within = f"%@{escaped(leftover.key)}"
    names = [f"@{leftover.key}", f"@.{leftover.key}"] if at else [leftover.key]
    marks = ", ".join(["%s"] * len(names))
    return f'("{column}" IN ({marks}) OR "{column}" LIKE %s ESCAPE \'!\')', [*names, within]


def _iredapd(connection: Connection, tables: Columns, leftover: Leftover) -> None:
    condition, parameters = _accounts("account", leftover)
    if "throttle_tracking" in tables and "throttle" in tables:
        # A rule of the domain or of everybody counts each account by itself.
        connection.execute(
            f'DELETE FROM "throttle_tracking" WHERE {condition} '
            f'OR "tid" IN (SELECT "id" FROM "throttle" WHERE {condition})',
            [*parameters, *parameters],
        )
    for table in ("throttle", "greylisting", "greylisting_whitelists"):
        if table in tables:
            connection.execute(f'DELETE FROM "{table}" WHERE {condition}', parameters)


def _amavisd(connection: Connection, tables: Columns, leftover: Leftover) -> None:
    if "users" not in tables:
        return
    condition, parameters = _accounts("email", leftover)
    octets = [value.encode() if isinstance(value, str) else value for value in parameters]
    # Only LIKE needs help: bytea has no ESCAPE with text on every engine, so addresses are compared in full.
    if leftover.kind == "user":
        found = connection.rows(f'SELECT "id" FROM "users" WHERE {condition}', octets)
        policies = [leftover.key]
    else:
        rows = connection.rows('SELECT "id", "email" FROM "users"')
        suffix = f"@{leftover.key}".encode()
        names = {f"@{leftover.key}".encode(), f"@.{leftover.key}".encode()}
        hits = [
            (ident, bytes(email))
            for ident, email in rows
            if bytes(email) in names or bytes(email).endswith(suffix)
        ]
        found = [(ident,) for ident, _ in hits]
        policies = [email.decode("utf-8", "replace") for _, email in hits]
    for (ident,) in found:
        for table, column in (("wblist", "rid"), ("outbound_wblist", "sid"), ("users", "id")):
            if table in tables:
                connection.execute(f'DELETE FROM "{table}" WHERE "{column}" = %s', (ident,))
    for name in policies:
        connection.execute('DELETE FROM "policy" WHERE "policy_name" = %s', (name,))


def _iredadmin(connection: Connection, tables: Columns, leftover: Leftover) -> None:
    for table, column in (("settings", "account"), ("mailwright_sessions", "username")):
        if table in tables:
            condition, parameters = _accounts(column, leftover, at=False)
            connection.execute(f'DELETE FROM "{table}" WHERE {condition}', parameters)
