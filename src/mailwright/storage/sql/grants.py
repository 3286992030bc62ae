"""Who was given which domains: the rows of ``domain_admins``, and the column of global mail users.

An admin's name is compared as the engine compares it, as everywhere in ``vmail``: MariaDB takes ``Jane``
for ``jane``, the others do not.  ``administrator`` gives the stored spelling, which is what is asked for
here; a row of an older program in another one gives its admin nothing, to the mail programs neither.
"""

from __future__ import annotations

from collections.abc import Mapping

from mailwright.storage.protocol import EVERY_DOMAIN
from mailwright.storage.sql.catalogue import Columns
from mailwright.storage.sql.engine import Connection
from mailwright.storage.sql.settings_text import SettingsText

ADMINISTERED = 'SELECT "domain" FROM "domain_admins" WHERE "username" = %s AND "active" = 1'
_MANAGES = f'{ADMINISTERED} AND "domain" = %s'
_ADMINISTERS = (
    'SELECT "domain" FROM "domain_admins" WHERE "username" = %s UNION ALL '
    f'SELECT \'{EVERY_DOMAIN}\' FROM "mailbox" WHERE "username" = %s AND "isglobaladmin" = 1'
)
# What a row of ALL gives, the column has to say, too.
_ADMINISTERS_NOW = (
    f"{ADMINISTERED} AND \"domain\" <> '{EVERY_DOMAIN}' UNION ALL "
    f"SELECT '{EVERY_DOMAIN}' FROM \"mailbox\" "
    'WHERE "username" = %s AND "active" = 1 AND "isglobaladmin" = 1'
)
_ADMINS_AMONG = (
    'SELECT m."username", d."domain" FROM "domain_admins" d '
    'JOIN "mailbox" m ON m."username" = d."username" WHERE m."domain" = %s UNION ALL '
    f'SELECT "username", \'{EVERY_DOMAIN}\' FROM "mailbox" '
    'WHERE "domain" = %s AND "isglobaladmin" = 1 UNION ALL '
    'SELECT "username", NULL FROM "mailbox" WHERE "domain" = %s AND "isadmin" = 1'
)
_SETTINGS = (
    ("mailbox", ' AND ("isadmin" = 1 OR "isglobaladmin" = 1)'),
    ("admin", ""),
)
_ACCOUNTS = (
    'SELECT 1 FROM "admin" WHERE "username" = %s',
    'SELECT 1 FROM "mailbox" WHERE "username" = %s',
)


def manages(connection: Connection, username: str, domain: str) -> bool:
    """Whether an admin was given this very domain."""
    return connection.row(_MANAGES, (as_kept(username), as_kept(domain))) is not None


def administers(connection: Connection, username: str, *, active: bool) -> frozenset[str]:
    """The domains that an account was given, or only what they give it now."""
    asked = _ADMINISTERS_NOW if active else _ADMINISTERS
    rows = connection.rows(asked, (as_kept(username), username))
    return frozenset(_name(domain) for (domain,) in rows)


def admins_among(connection: Connection, domain: str) -> Mapping[str, frozenset[str]]:
    """The mail users of a domain that were given anything, whatever their flags say, or have one."""
    found: dict[str, set[str]] = {}
    for username, given in connection.rows(_ADMINS_AMONG, (domain, domain, domain)):
        own = found.setdefault(username, set())
        if given is not None:
            own.add(_name(given))
    return {username: frozenset(given) for username, given in found.items()}


def admin_settings(connection: Connection, columns: Columns, username: str) -> Mapping[str, str]:
    """What a mail user that administers has, or else a standalone admin (SQL reference 3.2)."""
    for table, condition in _SETTINGS:
        if "settings" not in columns[table]:
            continue
        row = connection.row(
            f'SELECT "settings" FROM "{table}" WHERE "username" = %s{condition}', (username,)
        )
        if row is not None:
            return SettingsText(row[0]).pairs()
    return {}


def hold_limits(connection: Connection, username: str, lock: str) -> None:
    """Lock the account that has the limits; an admin may have no row in ``domain_admins`` yet."""
    for account in _ACCOUNTS:
        connection.rows(f"{account}{lock}", (username,))


def as_kept(name: str) -> str:
    """A name for ``domain_admins``: MariaDB compares its ASCII columns with nothing but ASCII.

    What was replaced is found nowhere, as no name has a question mark.
    """
    return name.encode("ascii", "replace").decode()


def _name(domain: str) -> str:
    return EVERY_DOMAIN if domain.upper() == EVERY_DOMAIN else domain.lower()
