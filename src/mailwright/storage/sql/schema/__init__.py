"""The four databases of a mail server, declared once for every engine."""

from __future__ import annotations

from typing import Final

from mailwright.storage.sql.schema.amavisd import AMAVISD
from mailwright.storage.sql.schema.ddl import seed_rows, statements
from mailwright.storage.sql.schema.iredadmin import IREDADMIN
from mailwright.storage.sql.schema.iredapd import IREDAPD
from mailwright.storage.sql.schema.model import Database
from mailwright.storage.sql.schema.vmail import VMAIL

DATABASES: Final[dict[str, Database]] = {
    database.name: database for database in (VMAIL, AMAVISD, IREDAPD, IREDADMIN)
}

__all__ = ["DATABASES", "seed_rows", "statements"]
