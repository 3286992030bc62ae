"""The chain: records are added at its end, under the lock of its tip.

The tip is a row of its own, with the number and the hash of the last record.  So writers queue, no number
is given twice, and removing the newest records is noticed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from mailwright.audit.records import FIELDS, Record
from mailwright.errors import Unavailable
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Connection

COLUMNS: Final = (*FIELDS, "previous", "hash")
NAMED: Final = ", ".join(f'"{name}"' for name in COLUMNS)
TIP: Final = 'SELECT "sequence", "hash" FROM "mailwright_audit_tip" WHERE "id" = 1'

_LOCK = {Dialect.SQLITE: "", Dialect.POSTGRESQL: " FOR UPDATE", Dialect.MYSQL: " FOR UPDATE"}
_ADD = f'INSERT INTO "mailwright_audit" ({NAMED}) VALUES ({", ".join(["%s"] * len(COLUMNS))})'  # noqa: S608
_MOVE = 'UPDATE "mailwright_audit_tip" SET "sequence" = %s, "hash" = %s WHERE "id" = 1'


def append(connection: Connection, records: Sequence[Record]) -> list[Record]:
    """Add records at the end, inside the caller's transaction; they come back with their numbers.

    Nobody else can add one until that transaction ends: call this last in it.
    """
    tip = connection.row(TIP + _LOCK[connection.dialect])
    if tip is None:
        # A new beginning would look as if there had never been any records.
        raise Unavailable("the audit record has lost its tip", code="AUDIT_BROKEN")
    sequence, last = int(tip[0]), str(tip[1])
    added: list[Record] = []
    for each in records:
        sequence += 1
        record = msgspec.structs.replace(each, sequence=sequence)
        previous, last = last, record.digest(last)
        connection.execute(_ADD, (*values(record), previous, last))
        added.append(record)
    connection.execute(_MOVE, (sequence, last))
    return added


def values(record: Record) -> tuple[Any, ...]:
    """The values of a record in the order of its columns."""
    return msgspec.structs.astuple(record)
