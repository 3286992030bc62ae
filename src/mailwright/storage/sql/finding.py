"""Lists of accounts: filtered, sorted and paged by the last key seen, never by an offset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from mailwright.fields.field import AnyField, Record
from mailwright.fields.places import Codec, Column
from mailwright.fields.resource import Resource
from mailwright.storage.protocol import ZERO_DATE, Names, Page, Query
from mailwright.storage.sql.catalogue import lowering, ordering
from mailwright.storage.sql.codecs import stored
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Connection, Database, Row
from mailwright.storage.sql.grants import ADMINISTERED, as_kept
from mailwright.storage.sql.reading import Reading
from mailwright.storage.sql.removal import escaped
from mailwright.storage.sql.writing import chunks

FIRST_DATE = "0001-01-01 00:00:00"


class Finding:
    """One query, as conditions and an order."""

    def __init__(self, resource: Resource, query: Query, database: Database) -> None:
        self._resource = resource
        self._query = query
        self._dialect = database.dialect
        self._ordering = ordering(database)
        self._lowering = lowering(database) if query.text else ""
        self._key = self._ordering.format(f'm."{resource.sql.key}"')
        self._sort_value = self._value_sorted_by(query.sort)
        self._sort = self._sorted_by(query.sort)
        self._parameters: list[object] = []
        self._conditions: list[str] = []
        self._source = self._any_of(query.either) if query.either else f'"{resource.sql.table}"'
        self._filter()

    def page(self, connection: Connection, reading: Reading) -> Page:
        """Whole accounts.

        The keys of a page come first: to sort whole rows with their joins, only to throw most of them
        away, would cost many times as much.
        """
        if self._query.limit is None and not self._query.either:
            return Page(reading.many(connection, self._rows(connection, reading.head)), None)
        names = self.names(connection)
        if not names.keys:
            return Page((), None)
        key = self._resource.sql.key
        found: dict[str, Record] = {}
        for some in chunks(names.keys) if self._query.limit is None else (names.keys,):
            marks = ", ".join(["%s"] * len(some))
            rows = connection.rows(f'{reading.head} WHERE m."{key}" IN ({marks})', some)
            found |= {record.key: record for record in reading.many(connection, rows)}
        records = [found[name] for name in names.keys if name in found]
        return Page(records, names.next, [place for place in names.places if place[1] in found])

    def names(self, connection: Connection) -> Names:
        """Keys alone."""
        sort = f", {self._sort_value}" if self._sort else ""
        rows = self._rows(
            connection, f'SELECT m."{self._resource.sql.key}"{sort} FROM {self._source} m'
        )
        kept, after = self._cut(rows)
        keys = [row[0] for row in kept] if self._sort else [*chain.from_iterable(kept)]
        places = () if self._query.limit is None else [_place(row) for row in kept]
        return Names(keys, after, places)

    def count(self, connection: Connection) -> int:
        """How many accounts there are."""
        where = f" WHERE {' AND '.join(self._conditions)}" if self._conditions else ""
        return int(
            connection.value(f"SELECT COUNT(*) FROM {self._source} m{where}", self._parameters)
        )

    def _any_of(self, either: Mapping[AnyField, Any]) -> str:
        """The rows of which one of several columns has its value, each once.

        Each column is asked for alone, by its index: of a condition with OR an engine may make a walk
        over the whole table in the order of the list.
        """
        home, query = self._resource.sql, self._query
        fields = (*query.only, *self._resource.searched, *((query.sort,) if query.sort else ()))
        names = [home.key, *([home.domain] if home.domain else [])]
        names += [field.sql.name for field in fields if isinstance(field.sql, Column)]
        columns = ", ".join(f'"{name}"' for name in dict.fromkeys(names))
        parts: list[str] = []
        conditions: list[str] = []
        values: list[object] = []
        for field, value in either.items():
            if isinstance(field.sql, Column):
                conditions.insert(0, f'"{field.sql.name}" = %s')
                values.insert(0, stored(field.sql.codec, value, self._dialect))
                which = " AND NOT ".join(conditions)
                parts.append(f'SELECT {columns} FROM "{home.table}" WHERE {which}')
                self._parameters += values
        return f"({' UNION ALL '.join(parts)})"

    def _filter(self) -> None:
        query, home = self._query, self._resource.sql
        if query.within is not None:
            self._also(f'm."{home.domain}" = %s', query.within)
        for field, value in query.only.items():
            place = field.sql
            if isinstance(place, Column):
                self._also(f'm."{place.name}" = %s', stored(place.codec, value, self._dialect))
        if query.administered_by is not None:
            self._also(f'm."{home.key}" IN ({ADMINISTERED})', as_kept(query.administered_by))
        if query.among is not None:
            self._only_among(sorted(query.among))
        if query.text:
            self._search(query.text)

    def _only_among(self, keys: Sequence[str]) -> None:
        marks = ", ".join(["%s"] * len(keys))
        self._conditions.append(f'm."{self._resource.sql.key}" IN ({marks})' if keys else "1 = 0")
        self._parameters.extend(keys)

    def _search(self, text: str) -> None:
        """The engine lowers both sides: what it does not know how to lower is still equal to itself."""
        searched = [self._resource.sql.key] + [
            field.sql.name for field in self._resource.searched if isinstance(field.sql, Column)
        ]
        pattern = self._lowering.format("%s")
        self._conditions.append(
            "("
            + " OR ".join(
                self._lowering.format(f'm."{name}"') + f" LIKE {pattern} ESCAPE '!'"
                for name in searched
            )
            + ")"
        )
        self._parameters.extend([f"%{escaped(text)}%"] * len(searched))

    def _also(self, condition: str, value: object) -> None:
        self._conditions.append(condition)
        self._parameters.append(value)

    def _rows(self, connection: Connection, head: str) -> list[Row]:
        conditions, parameters = list(self._conditions), list(self._parameters)
        direction = " DESC" if self._query.descending else ""
        beyond = "<" if self._query.descending else ">"
        if self._query.after is not None:
            sort_value, key = self._query.after
            if sort_value == ZERO_DATE and self._dialect is Dialect.POSTGRESQL:
                sort_value = FIRST_DATE  # there is no earlier one, and a zero date is refused
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

    def _cut(self, rows: list[Row]) -> tuple[Sequence[Row], tuple[str | int, str] | None]:
        limit = self._query.limit
        if limit is None or len(rows) <= limit:
            return rows, None
        return rows[:limit], _place(rows[limit - 1])

    def _value_sorted_by(self, field: AnyField | None) -> str:
        if field is None or not isinstance(field.sql, Column):
            return ""
        name = f'm."{field.sql.name}"'
        return f"COALESCE({name}, '')" if field.sql.codec is Codec.TEXT else name

    def _sorted_by(self, field: AnyField | None) -> str:
        if field is None or not isinstance(field.sql, Column) or field.sql.codec is not Codec.TEXT:
            return self._sort_value
        return self._ordering.format(self._sort_value)


def _place(row: Row) -> tuple[str | int, str]:
    """Where a row stands in the order: what it is sorted by, and its key."""
    key, *sort_value = row
    value: Any = sort_value[0] if sort_value else ""
    if value is None:  # how mysqlclient gives a date that is none
        value = ZERO_DATE
    return (value if isinstance(value, int) else str(value)), key
