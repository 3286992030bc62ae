"""What a directory lacks, in sentences for the people who run it."""

from __future__ import annotations

from collections.abc import Sequence

from mailwright.storage.ldap.connections import Connection
from mailwright.storage.ldap.names import Tree
from mailwright.storage.ldap.schema import Schema

CLASSES = ("mailDomain", "mailUser", "mailList", "mailAlias", "mailAdmin", "mailExternalUser")
NEEDED = ("inetOrgPerson", "shadowAccount")


def missing(connection: Connection, tree: Tree, schema: Schema) -> Sequence[str]:
    """What nothing works without."""
    told = [
        f"the object class {name} is missing from the directory's schema"
        for name in (*CLASSES, *NEEDED)
        if not schema.knows_class(name)
    ]
    told += [
        f"the entry {dn} is missing"
        for dn in (tree.base, tree.admins)
        if connection.read(dn, ("1.1",)) is None
    ]
    return told
