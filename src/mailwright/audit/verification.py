"""Whether the records are as they were written: the first one that is not is named.

The records are read page by page, in order; memory does not grow with their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mailwright.audit.chain import NAMED, TIP
from mailwright.audit.records import Record
from mailwright.errors import Unavailable
from mailwright.storage.sql.engine import Database, Row

PAGE: Final = 500
_FIRST_PAGE = f'SELECT {NAMED} FROM "mailwright_audit" ORDER BY "sequence" LIMIT %s'  # noqa: S608
_NEXT_PAGE = (
    f'SELECT {NAMED} FROM "mailwright_audit" WHERE "sequence" > %s '  # noqa: S608
    'ORDER BY "sequence" LIMIT %s'
)


@dataclass(frozen=True, slots=True)
class Broken:
    """The first record that is not as it was written, and a sentence about it."""

    sequence: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Tip:
    """The number and the hash of a record, by default of the last one."""

    sequence: int
    hash: str

    def __str__(self) -> str:
        return f"{self.sequence}:{self.hash}"


START: Final = Tip(0, "")


def verify(database: Database, expected: Tip | None = None) -> Tip | Broken:
    """Look at every record; the last one, or the first that is broken.

    ``expected`` is what an earlier look found and somebody kept elsewhere: that record has to be there
    still, with the same hash, so that a chain that was written anew as a whole is noticed, too.
    """
    last = START
    while True:
        rows = _page(database, last.sequence)
        if rows is None:
            return Broken(last.sequence + 1, f"record {last.sequence + 1} cannot be read")
        for row in rows:
            found = _look_at(row, last)
            if isinstance(found, Broken):
                return found
            if (
                expected is not None
                and found.sequence == expected.sequence
                and found.hash != expected.hash
            ):
                return Broken(1, f"record {found.sequence} or one before it was written anew")
            last = found
        if not rows:
            end = _end(database, last)
            if end is not None:
                if expected is not None and expected.sequence > end.sequence:
                    return _missing(end.sequence + 1, "an earlier look found more")
                return end
            if not _page(database, last.sequence):
                return _end_of(database, last)


def _end(database: Database, last: Tip) -> Tip | None:
    """The last record where the tip says the same."""
    return last if _tip(database) == last else None


def _end_of(database: Database, last: Tip) -> Broken:
    """Why the tip says something else though there are no further records."""
    tip = _tip(database)
    if tip is None:
        return Broken(last.sequence, "the tip of the chain was removed")
    if tip.sequence > last.sequence:
        return _missing(last.sequence + 1, f"the chain goes on to record {tip.sequence}")
    if tip.sequence < last.sequence:
        return Broken(
            tip.sequence + 1, f"record {tip.sequence + 1} was added behind the tip of the chain"
        )
    return Broken(last.sequence, f"record {last.sequence} was replaced: the tip has another hash")


def _look_at(row: Row, last: Tip) -> Tip | Broken:
    *fields, previous, found = row
    record = Record(**dict(zip(Record.__struct_fields__, fields, strict=True)))
    number = last.sequence + 1
    if record.sequence != number:
        return _missing(number, f"record {record.sequence} stands in its place")
    if not isinstance(previous, str) or found != record.digest(previous):
        return Broken(number, f"record {number} was altered, or moved from another place")
    if previous != last.hash:
        # It fits itself, so it followed on another one when it was written.
        before = max(1, last.sequence)
        return Broken(
            before, f"record {before} was replaced by another one: record {number} does not fit it"
        )
    return Tip(number, found)


def _missing(number: int, why: str) -> Broken:
    return Broken(number, f"record {number} was removed: {why}")


def _page(database: Database, after: int) -> list[Row] | None:
    """The records that follow; ``None`` if the next one cannot be read."""
    try:
        return _rows(database, after, PAGE)
    except Unavailable as error:
        if error.code == Unavailable.default_code:
            raise
    # On SQLite a text may hold what is no UTF-8: then the pages end before it.
    try:
        return _rows(database, after, 1)
    except Unavailable:
        return None


def _rows(database: Database, after: int, limit: int) -> list[Row]:
    with database.connection() as connection:
        if not after:
            return connection.rows(_FIRST_PAGE, (limit,))
        return connection.rows(_NEXT_PAGE, (after, limit))


def _tip(database: Database) -> Tip | None:
    with database.connection() as connection:
        row = connection.row(TIP)
    return None if row is None else Tip(int(row[0]), str(row[1]))
