"""The chain: records are added at its end, under the lock of its tip.

The tip is a row of its own, with the number and the hash of the last record.  So writers queue, no number
is given twice, and removing the newest records is noticed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import msgspec

from mailwright.audit.records import FIELDS, LONGEST_SENTENCE, Record, one_line
from mailwright.errors import MailwrightError, Unavailable
from mailwright.storage.sql import codecs
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.drivers import mysql_module
from mailwright.storage.sql.engine import Connection, Database

REFUSED: Final = "ERROR_WHILE_QUERYING_DB"
COLUMNS: Final = (*FIELDS, "previous", "hash")
NAMED: Final = ", ".join(f'"{name}"' for name in COLUMNS)
TIP: Final = 'SELECT "sequence", "hash" FROM "mailwright_audit_tip" WHERE "id" = 1'

_LOCK = {Dialect.SQLITE: "", Dialect.POSTGRESQL: " FOR UPDATE", Dialect.MYSQL: " FOR UPDATE"}
_ADD = f'INSERT INTO "mailwright_audit" ({NAMED}) VALUES ({", ".join(["%s"] * len(COLUMNS))})'  # noqa: S608
_MOVE = 'UPDATE "mailwright_audit_tip" SET "sequence" = %s, "hash" = %s WHERE "id" = 1'
_LOG = 'INSERT INTO "log" ("timestamp", "admin", "ip", "domain", "username", "event", "loglevel", "msg")'
_ADD_LINE = f"{_LOG} VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
# The same for one record in a single statement: each further one would be another way to the server and
# back, while everybody else waits for the tip.
_VALUES = ", ".join("%s::bigint" if name == "corrects" else "%s" for name in FIELDS[1:])
_ON_POSTGRESQL = (
    f"WITH tip AS ({TIP} FOR UPDATE), "  # noqa: S608
    'new AS (SELECT "sequence" + 1 AS "sequence", "hash" AS "previous", encode(sha256(convert_to('
    '"hash" || %s || ("sequence" + 1)::text || %s, \'UTF8\')), \'hex\') AS "hash" FROM tip), '
    'moved AS (UPDATE "mailwright_audit_tip" t SET "sequence" = new."sequence", "hash" = new."hash" '
    'FROM new WHERE t."id" = 1), '
    f"line AS ({_LOG} SELECT %s::timestamp, %s, %s, %s, %s, %s, %s, %s FROM new) "
    f'INSERT INTO "mailwright_audit" ({NAMED}) SELECT new."sequence", {_VALUES}, '
    'new."previous", new."hash" FROM new RETURNING "sequence"'
)
# And in one packet of several.  The variables carry what the tip was and is from one to the next; without
# a tip the hash is nothing, which its column refuses.
_ON_MARIADB = (
    "START TRANSACTION; "  # noqa: S608
    "SET @mailwright_hash = NULL; "
    f"{_ADD_LINE}; "
    'UPDATE "mailwright_audit_tip" SET "sequence" = LAST_INSERT_ID("sequence" + 1), '
    '"hash" = @mailwright_hash := SHA2(CONCAT(@mailwright_previous := "hash", %s, "sequence", %s), 256) '
    'WHERE "id" = 1; '
    f'INSERT INTO "mailwright_audit" ({NAMED}) VALUES (LAST_INSERT_ID(), '
    f"{', '.join(['%s'] * len(FIELDS[1:]))}, @mailwright_previous, @mailwright_hash); "
    "COMMIT"
)
_SEQUENCE = ',"sequence":0,'

_hashing: WeakKeyDictionary[Database, bool] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the admin panel's log, beside a record."""

    time: dt.datetime
    admin: str
    address: str
    domain: str
    username: str
    event: str
    level: str
    sentence: str

    def values(self, dialect: Dialect) -> tuple[Any, ...]:
        """What the columns take: an escape may be longer than what it stands for."""
        return (
            codecs.moment(self.time, dialect),
            one_line(self.admin, 255)[:255],
            one_line(self.address, 40)[:40],
            one_line(self.domain, 255)[:255],
            one_line(self.username, 255)[:255],
            one_line(self.event, 20)[:20],
            self.level,
            one_line(self.sentence, LONGEST_SENTENCE),
        )


def write(database: Database, records: Sequence[Record], lines: Sequence[Line]) -> list[Record]:
    """Add records at the end and their lines to the log, all or nothing; the records with their numbers."""
    if len(records) == len(lines) == 1 and _hashes_by_itself(database):
        with database.connection() as connection:
            added = _write_one(connection, records[0], lines[0])
        if added is not None:
            return [added]
    with database.transaction() as connection:
        for line in lines:
            connection.execute(_ADD_LINE, line.values(connection.dialect))
        return append(connection, records)


def append(connection: Connection, records: Sequence[Record]) -> list[Record]:
    """Add records at the end, inside the caller's transaction; they come back with their numbers.

    Nobody else can add one until that transaction ends: call this last in it.
    """
    tip = connection.row(TIP + _LOCK[connection.dialect])
    if tip is None:
        raise _no_tip()
    sequence, last = int(tip[0]), str(tip[1])
    added: list[Record] = []
    for each in records:
        sequence += 1
        record = msgspec.structs.replace(each, sequence=sequence)
        previous, last = last, record.digest(last)
        connection.execute(_ADD, (*msgspec.structs.astuple(record), previous, last))
        added.append(record)
    connection.execute(_MOVE, (sequence, last))
    return added


def _write_one(connection: Connection, record: Record, line: Line) -> Record | None:
    """The server computes the hash itself, of the very text that ``Record.digest`` would take.

    ``None`` if it cannot be told that it did: then it is done step by step, or the reason is found out.
    """
    record = msgspec.structs.replace(record, sequence=0)
    # No text of a record can hold this: its quotes would be escaped.
    before, found, after = record.canonical().decode().partition(_SEQUENCE)
    hashed = (before + found[:-2], found[-1] + after)
    values = msgspec.structs.astuple(record)[1:]
    told = line.values(connection.dialect)
    # Should the connection break, it is said twice rather than not at all.
    if connection.dialect is Dialect.POSTGRESQL:
        sequence = connection.value(_ON_POSTGRESQL, (*hashed, *told, *values))
        if sequence is None:
            raise _no_tip()
    else:
        try:
            connection.execute(_ON_MARIADB, (*told, *hashed, *values))
            # The driver reads all answers of the packet before it asks anything else; here is an error.
            sequence = connection.value("SELECT LAST_INSERT_ID()")
        except MailwrightError as error:
            connection.close()  # which undoes what was done of it
            if error.code != REFUSED:
                raise
            return None
        if not sequence:
            return None  # of another connection, because that one broke
    return msgspec.structs.replace(record, sequence=int(sequence))


def _hashes_by_itself(database: Database) -> bool:
    """Whether the server takes it all at once.

    PostgreSQL can compute SHA-256 from version 11 on.  On MariaDB it needs mysqlclient, which sends
    several statements in one packet; what MySQL makes of the variables nobody has tried.
    """
    if database.dialect is Dialect.SQLITE:
        return False  # nothing is far away
    if database not in _hashing:
        with database.connection() as connection:
            if database.dialect is Dialect.POSTGRESQL:
                found = connection.value("SELECT to_regproc('pg_catalog.sha256') IS NOT NULL")
            else:
                found = mysql_module().__name__ == "MySQLdb" and "MariaDB" in connection.value(
                    "SELECT VERSION()"
                )
        _hashing[database] = bool(found)
    return _hashing[database]


def _no_tip() -> Unavailable:
    """A new beginning would look as if there had never been any records."""
    return Unavailable("the audit record has lost its tip", code="AUDIT_BROKEN")
