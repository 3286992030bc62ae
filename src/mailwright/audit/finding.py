"""Records that somebody asks for, page by page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from mailwright.audit.records import FIELDS, Record
from mailwright.storage.sql.engine import Database

ON_A_PAGE: Final = 100
MOST_ON_A_PAGE: Final = 1000
_NAMED: Final = ", ".join(f'"{name}"' for name in FIELDS)
_EQUAL: Final = ("actor", "domain", "target", "action", "resource", "outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which records, the newest first unless ``oldest_first``.

    ``since`` and ``until`` are times as ``records.moment`` writes them, the second one not included.
    ``after`` is the number of the last record of the page before.  ``seen_by`` and ``within`` are bounds
    and no filters: only the records of this actor, only those about these domains.
    """

    actor: str = ""
    domain: str = ""
    target: str = ""
    action: str = ""
    resource: str = ""
    outcome: str = ""
    since: str = ""
    until: str = ""
    after: int | None = None
    limit: int = ON_A_PAGE
    oldest_first: bool = False
    seen_by: str | None = None
    within: frozenset[str] | None = None

    def going_on(self, after: int | None, limit: int) -> Search:
        """The same for another page."""
        return replace(self, after=after, limit=limit)


@dataclass(frozen=True, slots=True)
class Found:
    """A page, and the ``after`` of the next one."""

    records: list[Record]
    next: int | None


def find(database: Database, search: Search) -> Found:
    """One page of records."""
    conditions: list[str] = []
    parameters: list[object] = []

    def require(condition: str, *values: object) -> None:
        conditions.append(condition)
        parameters.extend(values)

    for name in _EQUAL:
        if value := getattr(search, name):
            require(f'"{name}" = %s', value)
    if search.since:
        require('"time" >= %s', search.since)
    if search.until:
        require('"time" < %s', search.until)
    if search.after is not None:
        require(f'"sequence" {">" if search.oldest_first else "<"} %s', search.after)
    if search.seen_by is not None:
        require('"actor" = %s', search.seen_by)
    if search.within is not None:
        marks = ", ".join(["%s"] * len(search.within)) or "NULL"
        require(f'"domain" IN ({marks})', *sorted(search.within))
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    direction = "ASC" if search.oldest_first else "DESC"
    with database.connection() as connection:
        rows = connection.rows(
            f'SELECT {_NAMED} FROM "mailwright_audit" {where}'  # noqa: S608
            f'ORDER BY "sequence" {direction} LIMIT %s',
            (*parameters, search.limit + 1),
        )
    records = [Record(**dict(zip(FIELDS, row, strict=True))) for row in rows[: search.limit]]
    return Found(records, records[-1].sequence if len(rows) > search.limit else None)


def shown(record: Record) -> dict[str, Any]:
    """A record as answers have it."""
    fields = msgspec.structs.asdict(record)
    try:
        return {**fields, "changes": msgspec.json.decode(record.changes)}
    except (msgspec.DecodeError, TypeError):
        return fields  # somebody altered it; `verify` says so
