"""Lists of accounts: filtered, sorted and paged by the last key seen, never by an offset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mailwright.fields.field import AnyField
from mailwright.fields.places import Codec, Column
from mailwright.fields.resource import Resource
from mailwright.storage.protocol import Names, Page, Query
from mailwright.storage.sql.codecs import stored
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Connection, Row
from mailwright.storage.sql.reading import Reading
from mailwright.storage.sql.removal import escaped

# Every engine sorts by code point, so that a list has one order wherever it is kept.
_COLLATE = {
    Dialect.SQLITE: "",
    Dialect.POSTGRESQL: ' COLLATE "C"',
    Dialect.MYSQL: " COLLATE utf8mb4_bin",
}


class Finding:
    """One query, as conditions and an order."""

    def __init__(self, resource: Resource, query: Query, dialect: Dialect) -> None:
        self._resource = resource
        self._query = query
        self._dialect = dialect
        self._collate = _COLLATE[dialect]
        self._key = f'm."{resource.sql.key}"{self._collate}'
        self._sort = self._sorted_by(query.sort)
        self._parameters: list[object] = []
        self._conditions: list[str] = []
        self._filter()

    def page(self, connection: Connection, reading: Reading) -> Page:
        """Whole accounts."""
        sort = f", {self._sort}" if self._sort else ""
        head = reading.head.replace(" FROM ", f"{sort} FROM ", 1) if sort else reading.head
        rows = self._rows(connection, head)
        kept, after = self._cut(rows, key_at=0, sort_at=-1 if self._sort else None)
        return Page(reading.many(connection, kept), after)

    def names(self, connection: Connection) -> Names:
        """Keys alone."""
        home = self._resource.sql
        sort = f", {self._sort}" if self._sort else ""
        rows = self._rows(connection, f'SELECT m."{home.key}"{sort} FROM "{home.table}" m')
        kept, after = self._cut(rows, key_at=0, sort_at=1 if self._sort else None)
        return Names([row[0] for row in kept], after)

    def count(self, connection: Connection) -> int:
        """How many accounts there are."""
        where = f" WHERE {' AND '.join(self._conditions)}" if self._conditions else ""
        return int(
            connection.value(
                f'SELECT COUNT(*) FROM "{self._resource.sql.table}" m{where}', self._parameters
            )
        )

    def _filter(self) -> None:
        query, home = self._query, self._resource.sql
        if query.within is not None:
            self._also(f'm."{home.domain}" = %s', query.within)
        for field, value in query.only.items():
            place = field.sql
            if isinstance(place, Column):
                self._also(f'm."{place.name}" = %s', stored(place.codec, value, self._dialect))
        if query.text:
            pattern = f"%{escaped(query.text.lower())}%"
            searched = [f'm."{home.key}"'] + [
                f'm."{field.sql.name}"'
                for field in self._resource.searched
                if isinstance(field.sql, Column)
            ]
            self._conditions.append(
                "(" + " OR ".join(f"LOWER({name}) LIKE %s ESCAPE '!'" for name in searched) + ")"
            )
            self._parameters.extend([pattern] * len(searched))

    def _also(self, condition: str, value: object) -> None:
        self._conditions.append(condition)
        self._parameters.append(value)

    def _rows(self, connection: Connection, head: str) -> list[Row]:
        conditions, parameters = list(self._conditions), list(self._parameters)
        direction = " DESC" if self._query.descending else ""
        beyond = "<" if self._query.descending else ">"
        if self._query.after is not None:
            sort_value, key = self._query.after
            if self._sort:
                conditions.append(
                    f"({self._sort} {beyond} %s OR ({self._sort} = %s AND {self._key} {beyond} %s))"
                )
                parameters += [sort_value, sort_value, key]
            else:
                conditions.append(f"{self._key} {beyond} %s")
                parameters.append(key)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        order = f"{self._sort}{direction}, " if self._sort else ""
        limit = "" if self._query.limit is None else f" LIMIT {int(self._query.limit) + 1}"
        return connection.rows(
            f"{head}{where} ORDER BY {order}{self._key}{direction}{limit}", parameters
        )

    def _cut(
        self, rows: list[Row], *, key_at: int, sort_at: int | None
    ) -> tuple[Sequence[Row], tuple[str | int, str] | None]:
        limit = self._query.limit
        if limit is None or len(rows) <= limit:
            return rows, None
        last = rows[limit - 1]
        sort_value: Any = "" if sort_at is None else last[sort_at]
        return rows[:limit], (
            sort_value if isinstance(sort_value, int) else str(sort_value),
            last[key_at],
        )

    def _sorted_by(self, field: AnyField | None) -> str:
        if field is None or not isinstance(field.sql, Column):
            return ""
        name = f'm."{field.sql.name}"'
        return f"COALESCE({name}, ''){self._collate}" if field.sql.codec is Codec.TEXT else name
