"""Records that somebody asks for, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from mailwright.audit.records import FIELDS, Outcome, Record
from mailwright.authz import Action, Role
from mailwright.storage.sql.engine import Database

ON_A_PAGE: Final = 100
MOST_ON_A_PAGE: Final = 1000
_NAMED: Final = ", ".join(f'"{name}"' for name in FIELDS)
_EQUAL: Final = ("actor", "domain", "target", "action", "resource", "outcome")
_TOKENS: Final = "token"  # records about these are their actor's own
DOMAINS_AT_ONCE: Final = 5000  # in one statement; engines take some ten thousand values
_LAST_OF_A_NAME: Final = (
    'SELECT "sequence" FROM "mailwright_audit" WHERE "target" = %s AND "resource" IN (%s, %s) '
    'AND "action" IN (%s, %s) AND "outcome" = %s ORDER BY "sequence" DESC LIMIT 1'
)
_Condition = tuple[str, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Own:
    """What a domain admin sees: what they did as such, since ``since`` and record ``behind``.

    About these domains, and what concerns only themselves: their logins and tokens.  A name says little:
    somebody else may have had it before, or they themselves another rank.
    """

    actor: str
    domains: frozenset[str]
    since: str = ""
    behind: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which records, the newest first unless ``oldest_first``.

    ``since`` and ``until`` are times as ``records.moment`` writes them, the second one not included.
    ``after`` is the number of the last record of the page before.  ``own`` and ``within`` are bounds and no
    filters: only what a domain admin may see, only what is about these domains.
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
    own: Own | None = None
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
    direction = "ASC" if search.oldest_first else "DESC"
    found: dict[int, Record] = {}
    with database.connection() as connection:
        for bounds, values in _bounds(search):
            where = " AND ".join(filter(None, (*conditions, bounds)))
            rows = connection.rows(
                f'SELECT {_NAMED} FROM "mailwright_audit" {where and f"WHERE {where} "}'  # noqa: S608
                f'ORDER BY "sequence" {direction} LIMIT %s',
                (*parameters, *values, search.limit + 1),
            )
            for row in rows:
                record = Record(**dict(zip(FIELDS, row, strict=True)))
                found[record.sequence] = record
    # Each statement gave as many as the page can take, so what comes first of all is the page.
    numbers = sorted(found, reverse=not search.oldest_first)
    records = [found[number] for number in numbers[: search.limit]]
    return Found(records, records[-1].sequence if len(numbers) > search.limit else None)


def last_of_name(database: Database, username: str) -> int:
    """The last record of how an account of this name was made or removed; 0 if there is none."""
    with database.connection() as connection:
        row = connection.row(
            _LAST_OF_A_NAME,
            (
                *(username.lower(), "user", "admin", Action.CREATE.value, Action.DELETE.value),
                Outcome.DONE.value,
            ),
        )
    return 0 if row is None else int(row[0])


def _bounds(search: Search) -> Iterator[_Condition]:
    """One statement each: a record may be within several of them."""
    own, within = search.own, search.within
    if own is None:
        if within is None:
            yield "", ()
        else:
            yield from _about(within, search)
        return
    rank = '"actor" = %s AND "role" <> %s AND "time" >= %s AND "sequence" > %s'
    values: tuple[object, ...] = (own.actor, Role.GLOBAL_ADMIN.value, own.since, own.behind)
    for condition, more in _about(own.domains if within is None else own.domains & within, search):
        yield f"{rank} AND {condition}", (*values, *more)
    personal = f'{rank} AND ("target" = %s OR "resource" = %s)'
    values += (own.actor, _TOKENS)
    if within is None:
        yield personal, values
        return
    for condition, more in _about(within, search):
        yield f"{personal} AND {condition}", (*values, *more)


def _about(domains: frozenset[str], search: Search) -> Iterator[_Condition]:
    names = sorted(domains & {search.domain} if search.domain else domains)
    for start in range(0, len(names), DOMAINS_AT_ONCE):
        some = names[start : start + DOMAINS_AT_ONCE]
        yield f'"domain" IN ({", ".join(["%s"] * len(some))})', tuple(some)


def shown(record: Record) -> dict[str, Any]:
    """A record as answers have it."""
    fields = msgspec.structs.asdict(record)
    try:
        return {**fields, "changes": msgspec.json.decode(record.changes)}
    except (msgspec.DecodeError, TypeError):
        return fields  # somebody altered it; `verify` says so
