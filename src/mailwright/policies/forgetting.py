"""What the policy databases keep of an account, and how they forget it (SQL reference 4.3, 4.6).

Every step may be repeated; nothing here fails because something is gone already.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from mailwright.storage.sql.catalogue import Columns, columns_of
from mailwright.storage.sql.engine import Connection, Database
from mailwright.storage.sql.reading import MOST_KEYS_AT_ONCE
from mailwright.storage.sql.removal import escaped
from mailwright.work import Leftover


def forget(
    databases: Mapping[str, Database], leftover: Leftover, spare: Collection[str] = ()
) -> None:
    """Remove an account's rows from amavisd, iredapd and iredadmin.

    ``spare`` are standalone admins whose addresses are in a removed domain: they are still there, with
    their sessions, tokens and settings.  They have no mail, so policies under their addresses go.
    """

    def iredadmin(connection: Connection, tables: Columns, leftover: Leftover) -> None:
        _iredadmin(connection, tables, leftover, sorted({name.lower() for name in spare}))

    steps = (("iredapd", _iredapd), ("amavisd", _amavisd), ("iredadmin", iredadmin))
    # A standalone admin has no mail: policies under that address are a namesake's.
    for name, step in steps[-1:] if leftover.kind == "admin" else steps:
        database = databases.get(name)
        if database is not None:
            tables = columns_of(database)
            with database.transaction() as connection:
                step(connection, tables, leftover)


def _accounts(column: str, leftover: Leftover, *, at: bool = True) -> tuple[str, list[object]]:
    """The condition that finds a user, or a domain with everything in it."""
    if leftover.kind != "domain":
        return f'"{column}" = %s', [leftover.key]
    within = f"%@{escaped(leftover.key)}"
    names = [f"@{leftover.key}", f"@.{leftover.key}"] if at else [leftover.key]
    marks = ", ".join(["%s"] * len(names))
    return f'("{column}" IN ({marks}) OR "{column}" LIKE %s ESCAPE \'!\')', [*names, within]


def _iredapd(connection: Connection, tables: Columns, leftover: Leftover) -> None:
    condition, parameters = _accounts("account", leftover)
    if "throttle_tracking" in tables and "throttle" in tables:
        _stop_counting(connection, leftover)
    for table in ("throttle", "greylisting", "greylisting_whitelists"):
        if table in tables:
            connection.execute(f'DELETE FROM "{table}" WHERE {condition}', parameters)


def _stop_counting(connection: Connection, leftover: Leftover) -> None:
    """Drop what throttling counted: by the account's own rules, and of the account by all others.

    A rule of the domain or of everybody counts each account by itself.  The only index of the counts
    begins with the rule, and there are as many counts as senders: a user's are found through the rules
    that can apply.  A domain's users are gone by now, so for a domain, which is seldom, all are looked at.
    """
    condition, parameters = _accounts("account", leftover)
    own = _rules(connection, condition, parameters)
    _delete_by_rule(connection, own, "", [])
    if leftover.kind != "user":
        connection.execute(f'DELETE FROM "throttle_tracking" WHERE {condition}', parameters)
        return
    names = _rule_names(leftover.key)
    others = _rules(connection, f'"account" IN ({", ".join(["%s"] * len(names))})', names)
    _delete_by_rule(connection, others, f" AND {condition}", parameters)


def _rules(connection: Connection, condition: str, parameters: list[object]) -> list[object]:
    found = connection.rows(f'SELECT "id" FROM "throttle" WHERE {condition}', parameters)
    return [ident for (ident,) in found]


def _delete_by_rule(
    connection: Connection, rules: list[object], more: str, parameters: list[object]
) -> None:
    for start in range(0, len(rules), MOST_KEYS_AT_ONCE):
        some = rules[start : start + MOST_KEYS_AT_ONCE]
        marks = ", ".join(["%s"] * len(some))
        connection.execute(
            f'DELETE FROM "throttle_tracking" WHERE "tid" IN ({marks}){more}', [*some, *parameters]
        )


def _rule_names(address: str) -> list[object]:
    """Whose rules apply to an address, besides its own: from its domain up to everybody."""
    local, _, domain = address.rpartition("@")
    labels = domain.split(".")
    above = [f"@.{'.'.join(labels[at:])}" for at in range(len(labels))]
    return [f"{local}@*", f"@{domain}", *above, "@.", "@*"]


def _amavisd(connection: Connection, tables: Columns, leftover: Leftover) -> None:
    if "users" not in tables:
        return
    # Addresses are octets here, for which not every engine has a LIKE with ESCAPE.
    if leftover.kind == "user":
        condition, octets = '"email" = %s', [leftover.key.encode()]
    else:
        within = f"@{leftover.key}".encode()
        condition = f'SUBSTR("email", LENGTH("email") - {len(within) - 1}) = %s OR "email" = %s'
        octets = [within, f"@.{leftover.key}".encode()]
    found = connection.rows(f'SELECT "id", "email" FROM "users" WHERE {condition}', octets)
    for ident, _ in found:
        for table, column in (("wblist", "rid"), ("outbound_wblist", "sid"), ("users", "id")):
            if table in tables:
                connection.execute(f'DELETE FROM "{table}" WHERE "{column}" = %s', (ident,))
    policies = {bytes(email).decode("utf-8", "replace") for _, email in found}
    if leftover.kind == "user":
        policies.add(leftover.key)
    for name in sorted(policies):
        connection.execute('DELETE FROM "policy" WHERE "policy_name" = %s', (name,))


def _iredadmin(
    connection: Connection, tables: Columns, leftover: Leftover, spare: Sequence[str]
) -> None:
    for table, column in (
        ("settings", "account"),
        ("mailwright_sessions", "username"),
        ("mailwright_tokens", "owner"),
        # What an admin proved is not their successor's; what others proved of a domain stays.
        ("domain_ownership", "admin"),
    ):
        if table in tables:
            condition, parameters = _accounts(column, leftover, at=False)
            if spare:
                condition += f' AND LOWER("{column}") NOT IN ({", ".join(["%s"] * len(spare))})'
                parameters += spare
            connection.execute(f'DELETE FROM "{table}" WHERE {condition}', parameters)
