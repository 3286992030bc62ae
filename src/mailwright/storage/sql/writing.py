"""Statements that write accounts: only what was asked, each value where its place says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any, assert_never

from mailwright.fields.addresses import domain_of
from mailwright.fields.field import AnyField, Changes, Record
from mailwright.fields.places import (
    Column,
    Counted,
    Derived,
    Joined,
    Mirror,
    Part,
    Setting,
    SideRow,
    SideRows,
    SqlHome,
    Switches,
)
from mailwright.fields.resource import Resource
from mailwright.storage.sql.catalogue import Columns
from mailwright.storage.sql.codecs import moment, setting_text, stored
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Connection
from mailwright.storage.sql.reading import conditions, has_place
from mailwright.storage.sql.settings_text import SettingsText

MOST_ROWS_AT_ONCE = 500


class Writing:
    """One change of one account, or of all accounts of a domain, put together before it runs."""

    def __init__(
        self, resource: Resource, columns: Columns, connection: Connection, now: dt.datetime
    ) -> None:
        self._home = resource.sql
        self._columns = columns
        self._connection = connection
        self._dialect = connection.dialect
        self._now = moment(now, self._dialect)
        self._row: dict[str, object] = {}
        self._settings: dict[str, str] = {}
        self._mirrors: list[tuple[Mirror, object]] = []
        self._singles: list[tuple[SideRow, str]] = []
        self._lists: list[tuple[SideRows, Sequence[str], Sequence[str]]] = []

    def take(self, changes: Changes, record: Record | None) -> None:
        """Sort changes by where they go; ``record`` holds the lists as they are now."""
        for field, value in changes.items():
            if isinstance(field.sql, Derived):
                continue  # told from other fields, which the rules change with it
            if has_place(self._home, field.sql, self._columns):
                self._take_one(field, value, changes, record)

    def insert(self, key: str) -> None:
        """Write a new account's row, then the rows around it."""
        home = self._home
        row: dict[str, object] = {**self._row, home.key: key}
        if home.domain:
            row[home.domain] = domain_of(key)
        if self._settings:
            row[home.settings] = SettingsText("").updated(self._settings)
        present = self._columns[home.table]
        for stamp in ("created", "modified"):
            if stamp in present:
                row.setdefault(stamp, self._now)
        row = {column: value for column, value in row.items() if column in present}
        self._insert(home.table, row)
        self._around(key)

    def update(self, key: str) -> None:
        """Write the changed columns of an account, then the rows around it."""
        home = self._home
        row = dict(self._row)
        if self._settings:
            text = self._connection.value(
                f'SELECT "{home.settings}" FROM "{home.table}" WHERE "{home.key}" = %s', (key,)
            )
            row[home.settings] = SettingsText(text).updated(self._settings)
        self._update_row(row, home.key, key)
        self._around(key)

    def update_all(self, domain: str, spared: Container[str] = ()) -> int:
        """Write the same columns and mirrored rows for every account of a domain; how many.

        ``spared`` are keys in lower case.
        """
        # Locked first: an account that comes meanwhile is either changed with all its rows or not at all.
        held = lock_all(self._connection, self._home, domain)
        keys = [key for key in held if key.lower() not in spared]
        # By keys, a few hundred at once: MariaDB would scan the whole table for a sub-query.
        for some in chunks(keys):
            self._update_some(some)
        return len(keys)

    def _update_some(self, some: Sequence[str]) -> None:
        home = self._home
        marks = ", ".join(["%s"] * len(some))
        row = self._dated(dict(self._row))
        names = ", ".join(f'"{name}" = %s' for name in row)
        self._connection.execute(
            f'UPDATE "{home.table}" SET {names} WHERE "{home.key}" IN ({marks})',
            (*row.values(), *some),
        )
        for mirror, value in self._mirrors:
            self._connection.execute(
                f'UPDATE "{mirror.table}" SET "{mirror.column}" = %s '
                f'WHERE "{mirror.key}" IN ({marks}){conditions(mirror.where)}',
                (value, *some),
            )

    def _take_one(
        self, field: AnyField, value: Any, changes: Changes, record: Record | None
    ) -> None:
        place = field.sql
        match place:
            case Column():
                kept = stored(place.codec, value, self._dialect)
                self._row[place.name] = kept
                self._mirrors.extend((mirror, kept) for mirror in place.mirrors)
            case Setting():
                self._settings[place.key] = setting_text(place.codec, value)
            case SideRow():
                self._singles.append((place, value))
            case SideRows():
                before: Iterable[str] = record[field] if record is not None else ()
                added = [member for member in value if member not in set(before)]
                removed = [member for member in before if member not in set(value)]
                self._lists.append((place, added, removed))
            case Switches():
                self._take_switches(place, field, value, changes, record)
            case Joined() | Counted() | Derived() | None:
                raise TypeError(f"{field.name} cannot be written")
            case _:
                assert_never(place)

    def _take_switches(
        self, place: Switches, field: AnyField, value: Any, changes: Changes, record: Record | None
    ) -> None:
        present = self._columns[self._home.table]
        names = {name: switch for name, switch in place.names.items() if switch.own in present}
        wanted = set(value)
        before = set(record[field]) if record is not None else set(names)
        edit = changes.edits.get(field)
        turned_on = wanted if edit is None or edit.replace is not None else wanted - before
        on = {
            column
            for name in turned_on & set(names)
            for column in (names[name].own, *names[name].coupled)
        }
        off = {
            column
            for name in (before - wanted) & set(names)
            for column in (names[name].own, *names[name].coupled)
        }
        spelled = {switch.own: (switch.on, switch.off) for switch in names.values()}
        for column in sorted((on | off) & present):
            yes, no = spelled.get(column, (1, 0))
            self._row[column] = yes if column in on else no

    def _around(self, key: str) -> None:
        for mirror, value in self._mirrors:
            self._connection.execute(
                f'UPDATE "{mirror.table}" SET "{mirror.column}" = %s WHERE "{mirror.key}" = %s'
                f"{conditions(mirror.where)}",
                (value, key),
            )
        for single, value in self._singles:
            self._write_single(single, key, value)
        for place, added, removed in self._lists:
            self._delete_members(place, key, removed)
            for member in added:
                self._insert_member(place, key, member)

    def _write_single(self, place: SideRow, key: str, value: str) -> None:
        whose = place.prefix + key
        if not value:
            self._connection.execute(
                f'DELETE FROM "{place.table}" WHERE "{place.key}" = %s', (whose,)
            )
            return
        row: dict[str, object] = {place.value: value}
        if place.stamped:
            row |= {"modified": self._now, "active": 1}
        names = ", ".join(f'"{column}" = %s' for column in row)
        touched = self._connection.execute(
            f'UPDATE "{place.table}" SET {names} WHERE "{place.key}" = %s', (*row.values(), whose)
        )
        if not touched:
            if place.stamped:
                row["created"] = self._now
            row |= self._parts(place.parts, key, value)
            self._insert(place.table, row | {place.key: whose})

    def _delete_members(self, place: SideRows, key: str, members: Sequence[str]) -> None:
        for some in chunks(members):
            marks = ", ".join(["%s"] * len(some))
            self._connection.execute(
                f'DELETE FROM "{place.table}" WHERE "{place.key}" = %s AND "{place.value}" IN ({marks})'
                f"{conditions(place.where)}",
                (key, *some),
            )

    def _insert_member(self, place: SideRows, key: str, member: str) -> None:
        row: dict[str, object] = {place.key: key, place.value: member, **place.where}
        row |= self._parts(place.parts, key, member)
        if place.stamped:
            row |= {"created": self._now, "modified": self._now, "active": 1}
        if not place.status:
            self._insert(place.table, row)
            return
        # The new row is on or off as the account is: one statement reads and writes it.
        names = ", ".join(f'"{column}"' for column in (*row, place.status))
        marks = ", ".join(["%s"] * len(row))
        self._connection.execute(
            f'INSERT INTO "{place.table}" ({names}) SELECT {marks}, m."{place.status}" '
            f'FROM "{self._home.table}" m WHERE m."{self._home.key}" = %s',
            (*row.values(), key),
        )

    def _parts(self, parts: Mapping[str, Part], key: str, value: str) -> dict[str, object]:
        return {column: self._part(part, key, value) for column, part in parts.items()}

    def _part(self, part: Part, key: str, value: str) -> str:
        match part:
            case Part.KEY_DOMAIN:
                return domain_of(key)
            case Part.VALUE_DOMAIN:
                return domain_of(value)
            case Part.VALUE_HOST:
                return hosted_domain(self._connection, domain_of(value)) or domain_of(value)
            case _:
                assert_never(part)

    def _update_row(self, row: dict[str, object], column: str, value: str) -> int:
        row = self._dated(row)
        names = ", ".join(f'"{name}" = %s' for name in row)
        return self._connection.execute(
            f'UPDATE "{self._home.table}" SET {names} WHERE "{column}" = %s', (*row.values(), value)
        )

    def _dated(self, row: dict[str, object]) -> dict[str, object]:
        if "modified" in self._columns[self._home.table]:
            row["modified"] = self._now
        return row

    def _insert(self, table: str, row: Mapping[str, object]) -> None:
        names = ", ".join(f'"{column}"' for column in row)
        marks = ", ".join(["%s"] * len(row))
        self._connection.execute(
            f'INSERT INTO "{table}" ({names}) VALUES ({marks})', tuple(row.values())
        )


def lock_all(connection: Connection, home: SqlHome, domain: str) -> Sequence[str]:
    """Lock the accounts of a domain, in one order for everybody; their keys."""
    lock = "" if connection.dialect is Dialect.SQLITE else " FOR UPDATE"
    rows = connection.rows(
        f'SELECT "{home.key}" FROM "{home.table}" WHERE "{home.domain}" = %s '
        f'ORDER BY "{home.key}"{lock}',
        (domain,),
    )
    return [row[0] for row in rows]


def chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """A few hundred at once: engines limit how many values a statement has."""
    for start in range(0, len(keys), MOST_ROWS_AT_ONCE):
        yield keys[start : start + MOST_ROWS_AT_ONCE]


def hosted_domain(connection: Connection, name: str) -> str | None:
    """The domain itself, the target of an alias domain, or ``None``."""
    found = connection.value(
        'SELECT "domain" FROM "domain" WHERE "domain" = %s '
        'UNION ALL SELECT "target_domain" FROM "alias_domain" WHERE "alias_domain" = %s',
        (name, name),
    )
    return None if found is None else str(found)
