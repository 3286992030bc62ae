"""The four databases of a mail server, declared once for every engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from mailwright.storage.sql.schema.amavisd import AMAVISD
from mailwright.storage.sql.schema.ddl import seed_rows, statements
from mailwright.storage.sql.schema.iredadmin import IREDADMIN, IREDADMIN_BESIDE_LDAP
from mailwright.storage.sql.schema.iredapd import IREDAPD
from mailwright.storage.sql.schema.model import Database
from mailwright.storage.sql.schema.vmail import VMAIL

DATABASES: Final[dict[str, Database]] = {
    database.name: database for database in (VMAIL, AMAVISD, IREDAPD, IREDADMIN)
}

# The databases of a server whose accounts are in a directory.
BESIDE_LDAP: Final[dict[str, Database]] = {
    database.name: database for database in (AMAVISD, IREDAPD, IREDADMIN_BESIDE_LDAP)
}


def declared(names: Collection[str]) -> Mapping[str, Database]:
    """What a server with databases of these names should have in them."""
    return DATABASES if VMAIL.name in names else BESIDE_LDAP


__all__ = ["BESIDE_LDAP", "DATABASES", "declared", "seed_rows", "statements"]
