"""Statements that read accounts, put together once for each set of fields and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, assert_never

from mailwright.fields.field import AnyField, Record
from mailwright.fields.places import (
    Column,
    Counted,
    Derived,
    Joined,
    Setting,
    SideRow,
    SideRows,
    SqlHome,
    Switches,
)
from mailwright.fields.resource import Resource
from mailwright.storage.sql.catalogue import Columns
from mailwright.storage.sql.codecs import decoder, setting_value
from mailwright.storage.sql.engine import Connection, Row
from mailwright.storage.sql.settings_text import SettingsText

Read = Callable[[Row], Any]
MOST_KEYS_AT_ONCE = 500


def conditions(where: Mapping[str, int]) -> str:
    """The fixed conditions of a place, each with an ``AND`` before it."""
    return "".join(f' AND "{column}" = {int(value)}' for column, value in where.items())


def has_place(home: SqlHome, place: object, columns: Columns) -> bool:
    """Whether the tables found at start have what a place needs."""
    match place:
        case Column():
            return place.name in columns.get(home.table, ())
        case Setting():
            return home.settings in columns.get(home.table, ())
        case SideRow() | SideRows():
            found = columns.get(place.table, frozenset())
            wanted = {place.key, place.value, *place.parts}
            if isinstance(place, SideRows):
                wanted |= set(place.where)
            return wanted <= found
        case Joined():
            return {place.key, place.column} <= columns.get(place.table, frozenset())
        case Counted():
            return {place.key, *place.where} <= columns.get(place.table, frozenset())
        case Switches():
            return any(switch.own in columns.get(home.table, ()) for switch in place.names.values())
        case Derived() | None:
            return True
        case _:
            return False


class Reading:
    """How to read some fields of one resource: one statement for the row, one for each list."""

    def __init__(
        self,
        resource: Resource,
        fields: Iterable[AnyField],
        columns: Columns,
        *,
        alone: bool = False,
        counted: bool = True,
    ) -> None:
        """``alone`` leaves joins out, so that the row can be locked; ``counted`` allows counts."""
        self.resource = resource
        self.home = resource.sql
        self._columns = columns
        self._selected: list[str] = []
        self._joins: dict[tuple[str, str, str], str] = {}
        self._reads: list[tuple[AnyField, Read]] = []
        self._settings: list[tuple[AnyField, Setting]] = []
        self._settings_at = -1
        self._lists: list[tuple[AnyField, SideRows]] = []
        self._singles: list[tuple[AnyField, SideRow | Joined]] = []
        self._derived: list[tuple[AnyField, Derived]] = []
        self._empty: list[AnyField] = []
        self._alone = alone
        self._counted = counted
        self._key_at = self._select(f'm."{self.home.key}"')
        asked = list(dict.fromkeys(fields))
        wanted = _with_needs(resource, asked)
        self._unasked = wanted[len(asked) :]  # only to tell others from
        for field in wanted:
            self._add(field)
        joined = "".join(
            f' LEFT JOIN "{table}" {alias} ON {alias}."{key}" = {wanted}'
            for (table, key, wanted), alias in self._joins.items()
        )
        self.head = f'SELECT {", ".join(self._selected)} FROM "{self.home.table}" m{joined}'
        self._lists_statement = " UNION ALL ".join(
            f'SELECT {at}, "{place.value}" FROM "{place.table}" WHERE "{place.key}" = %s'
            f"{conditions(place.where)}"
            for at, (_, place) in enumerate(self._lists)
        )
        self.by_key = f'{self.head} WHERE m."{self.home.key}" = %s'

    def one(self, connection: Connection, key: str, *, lock: str = "") -> Record | None:
        """The account with this key."""
        row = connection.row(self.by_key + lock, (key,))
        if row is None:
            return None
        values = self._values(row)
        if self._lists:
            self._read_lists(connection, key, values)
        for field, single in self._singles:
            values[field] = self._single(connection, single, key)
        self._derive(values)
        return Record(key, values)

    def many(self, connection: Connection, rows: Sequence[Row]) -> list[Record]:
        """Accounts of rows that ``head`` selected; lists are read for all of them together."""
        records = [Record(row[self._key_at], self._values(row)) for row in rows]
        for field, place in self._lists:
            members: dict[str, list[str]] = {record.key: [] for record in records}
            keys = list(members)
            for start in range(0, len(keys), MOST_KEYS_AT_ONCE):
                self._lists_of(connection, place, keys[start : start + MOST_KEYS_AT_ONCE], members)
            for record in records:
                record[field] = tuple(members[record.key])
        for record in records:
            self._derive(record)
        return records

    def _select(self, expression: str) -> int:
        if expression not in self._selected:
            self._selected.append(expression)
        return self._selected.index(expression)

    def _add(self, field: AnyField) -> None:
        place = field.sql
        if not has_place(self.home, place, self._columns):
            self._empty.append(field)
            return
        match place:
            case Column():
                self._read(field, f'm."{place.name}"', decoder(place.codec))
            case Setting():
                self._settings_at = self._select(f'm."{self.home.settings}"')
                self._settings.append((field, place))
            case SideRows():
                self._lists.append((field, place))
            case SideRow() | Joined():
                self._add_single(field, place)
            case Switches():
                self._add_switches(field, place)
            case Counted():
                self._add_counted(field, place)
            case Derived():
                self._derived.append((field, place))
            case None:
                self._empty.append(field)
            case _:
                assert_never(place)

    def _read(self, field: AnyField, expression: str, decode: Callable[[Any], Any]) -> None:
        at = self._select(expression)
        self._reads.append((field, lambda row: decode(row[at])))

    def _add_single(self, field: AnyField, place: SideRow | Joined) -> None:
        if self._alone:
            self._singles.append((field, place))
            return
        prefix = place.prefix if isinstance(place, SideRow) else ""
        column = place.value if isinstance(place, SideRow) else place.column
        key = f'm."{self.home.key}"'
        wanted = f"'{prefix}' || {key}" if prefix else key
        alias = self._joins.setdefault((place.table, place.key, wanted), f"j{len(self._joins)}")
        self._read(field, f'{alias}."{column}"', _decoder_of(place))

    def _add_switches(self, field: AnyField, place: Switches) -> None:
        present = self._columns.get(self.home.table, frozenset())
        places = [
            (name, self._select(f'm."{switch.own}"'), switch.on)
            for name, switch in place.names.items()
            if switch.own in present
        ]
        self._reads.append(
            (field, lambda row: tuple(name for name, at, on in places if row[at] == on))
        )

    def _add_counted(self, field: AnyField, place: Counted) -> None:
        if not self._counted or self._alone:
            return
        what = f'COALESCE(SUM(c."{place.total}"), 0)' if place.total else "COUNT(*)"
        fixed = "".join(f' AND c."{name}" = {int(value)}' for name, value in place.where.items())
        self._read(
            field,
            f'(SELECT {what} FROM "{place.table}" c WHERE c."{place.key}" = m."{self.home.key}"{fixed})',
            int,
        )

    def _values(self, row: Row) -> dict[AnyField, Any]:
        values = {field: read(row) for field, read in self._reads}
        if self._settings:
            settings = SettingsText(row[self._settings_at])
            for field, place in self._settings:
                values[field] = setting_value(place.codec, settings.get(place.key))
        for field in self._empty:
            values[field] = field.empty
        return values

    def _derive(self, values: Any) -> None:
        if self._derived:
            named = {field.name: value for field, value in values.items()}
            for field, place in self._derived:
                values[field] = place.tell(named)
            for field in self._unasked:
                values.pop(field)

    def _read_lists(self, connection: Connection, key: str, values: dict[AnyField, Any]) -> None:
        """All lists of one account in one round trip."""
        members: list[list[str]] = [[] for _ in self._lists]
        for at, value in connection.rows(self._lists_statement, (key,) * len(self._lists)):
            members[at].append(value)
        for (field, _), found in zip(self._lists, members, strict=True):
            found.sort()
            values[field] = tuple(found)

    def _lists_of(
        self,
        connection: Connection,
        place: SideRows,
        keys: Sequence[str],
        members: dict[str, list[str]],
    ) -> None:
        marks = ", ".join(["%s"] * len(keys))
        rows = connection.rows(
            f'SELECT "{place.key}", "{place.value}" FROM "{place.table}" WHERE "{place.key}" IN ({marks})'
            f"{conditions(place.where)}",
            keys,
        )
        for key, value in sorted(rows):
            # A row's spelling may differ in case where the engine compares without it.
            members.get(key, members.get(key.lower(), [])).append(value)

    def _single(self, connection: Connection, place: SideRow | Joined, key: str) -> Any:
        prefix = place.prefix if isinstance(place, SideRow) else ""
        column = place.value if isinstance(place, SideRow) else place.column
        found = connection.value(
            f'SELECT "{column}" FROM "{place.table}" WHERE "{place.key}" = %s', (prefix + key,)
        )
        return _decoder_of(place)(found)


def _decoder_of(place: SideRow | Joined) -> Callable[[Any], Any]:
    return decoder(place.codec) if isinstance(place, Joined) else _text_of


def _text_of(value: Any) -> str:
    return "" if value is None else str(value)


def _with_needs(resource: Resource, fields: Iterable[AnyField]) -> list[AnyField]:
    """The fields, and those that a derived one among them is told from."""
    wanted = list(dict.fromkeys(fields))
    by_name = {field.name: field for field in resource.fields}
    for field in list(wanted):
        if isinstance(field.sql, Derived):
            wanted.extend(by_name[name] for name in field.sql.needs if by_name[name] not in wanted)
    return wanted
