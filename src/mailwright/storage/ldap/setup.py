"""First steps in a directory: the entries that all others are below, and the first global admin.

What exists stays as it is.  Schema, rules and the accounts of programs are the operator's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Final

from mailwright.errors import ConfigurationError, Exists, Unavailable
from mailwright.storage.ldap import names
from mailwright.storage.ldap.connections import NO_ATTRIBUTES, Connection
from mailwright.storage.ldap.entry import as_bytes
from mailwright.storage.ldap.names import Tree
from mailwright.storage.ldap.schema import Schema

# Attribute that an entry is named by: the classes that it needs (LDAP reference 1.1).
CONTAINERS: Final = {
    "o": ("organization",),
    "ou": ("organizationalUnit",),
    "dc": ("organization", "dcObject"),
}
_EPOCH = dt.date(1970, 1, 1)


def create_base(connection: Connection, tree: Tree) -> list[str]:
    """The containers of domains and of standalone admins, and what they are below; the new ones."""
    root = connection.read("", ("namingContexts",))
    tops = root.texts("namingContexts") if root is not None else ()
    return [dn for base in (tree.base, tree.admins) for dn in _create(connection, base, tops)]


def add_global_admin(
    connection: Connection, tree: Tree, username: str, password_hash: str, now: dt.datetime
) -> None:
    """A standalone account that may do everything (LDAP reference 3.8).  ``Exists``."""
    values = {
        "objectClass": "mailAdmin",
        "mail": username,
        "userPassword": password_hash,
        "accountStatus": "active",
        "domainGlobalAdmin": "yes",
        "shadowLastChange": str((now.astimezone(dt.UTC).date() - _EPOCH).days),
    }
    schema = Schema(connection)
    try:
        connection.add(
            tree.admin(username),
            {
                name: [as_bytes(value)]
                for name, value in values.items()
                if schema.allows(("mailAdmin",), name)
            },
        )
    except Exists:
        raise Exists(f"admin {username} already exists") from None


def _create(connection: Connection, dn: str, tops: Collection[str]) -> list[str]:
    """An entry and those above it, down from the top of a database."""
    if connection.read(dn, NO_ATTRIBUTES) is not None:
        return []
    if not any(f",{names.normal(dn)}".endswith(f",{names.normal(top)}") for top in tops):
        raise ConfigurationError(
            f"the directory has no place for {dn}; it is for {' and '.join(tops) or 'nothing'}"
        )
    attribute, value, parent = names.split(dn)
    is_top = names.normal(dn) in map(names.normal, tops)
    above = [] if is_top else _create(connection, parent, tops)
    classes = CONTAINERS.get(attribute.lower())
    if classes is None:
        raise ConfigurationError(
            f"{dn} is missing and has to be made by hand: "
            f"an entry of which only {attribute} is known may be anything"
        )
    attributes = {"objectClass": classes, attribute.lower(): (value,)}
    if "organization" in classes:
        attributes["o"] = (value,)
    try:
        connection.add(dn, {name: [*map(as_bytes, each)] for name, each in attributes.items()})
    except Exists:
        return above  # hidden from us, or made by another process
    except Unavailable as error:
        if error.code != "DIRECTORY_REFUSED":
            raise
        raise Unavailable(
            f"{dn} is missing, and the configured bind DN may not make it; "
            "run init once as the root of the directory (docs/operate/openldap.md)",
            code=error.code,
        ) from None
    return [*above, dn]
