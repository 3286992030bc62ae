"""Lists of accounts.

A directory neither sorts nor starts in the middle of an order, so the keys of a domain are all looked at
for each page; whole entries are read only for the page itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mailwright.fields.field import AnyField, Record
from mailwright.fields.ldap_places import Attribute, Syntax
from mailwright.fields.resource import Resource
from mailwright.storage.ldap import names
from mailwright.storage.ldap.codecs import decode
from mailwright.storage.ldap.connections import ONE_LEVEL, SUBTREE
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.reading import Library, chunks
from mailwright.storage.ldap.selection import selection
from mailwright.storage.protocol import ZERO_DATE, Names, Page, Query

_NUMBERS = (Syntax.WHOLE, Syntax.MEGABYTES)
_TIMES = (Syntax.TIME, Syntax.DAYS)
_Order = tuple[str | int, str]


class Finding:
    """One query."""

    def __init__(self, library: Library, resource: Resource, query: Query) -> None:
        self._library = library
        self._resource = resource
        self._home = resource.ldap
        self._query = query
        place = query.sort.ldap if query.sort is not None else None
        self._sort = place if isinstance(place, Attribute) else None
        self._searched = [
            field.ldap for field in resource.searched if isinstance(field.ldap, Attribute)
        ]

    def page(self, fields: Sequence[AnyField]) -> Page:
        """Whole accounts."""
        found, after = self._cut(self._ordered())
        chosen = selection(self._library, self._resource, fields)
        result: list[Record] = []
        for keys in chunks([key for _, key in found]):
            entries = dict(self._entries(keys, chosen.attributes))
            pairs = [(key, entries[key]) for key in keys if key in entries]
            result += chosen.records(self._library, pairs, counted=False)
        return Page(result, after)

    def names(self) -> Names:
        """Keys alone."""
        found, after = self._cut(self._ordered())
        return Names([key for _, key in found], after)

    def count(self) -> int:
        """How many there are."""
        return len(self._ordered())

    def _entries(self, keys: Sequence[str], wanted: Sequence[str]) -> list[tuple[str, Entry]]:
        base, scope = self._where()
        asked = names.both(names.of_class(self._home.main_class), names.among(self._home.rdn, keys))
        return [
            (self._key(entry), entry)
            for entry in self._library.connection.search(base, scope, asked, wanted)
        ]

    def _ordered(self) -> list[_Order]:
        base, scope = self._where()
        wanted = {self._home.rdn: None}
        if self._sort is not None:
            wanted[self._sort.name] = None
        if self._query.text:
            wanted.update((place.name, None) for place in self._searched)
        found: list[_Order] = []
        for page in self._library.connection.pages(base, scope, self._filter(), tuple(wanted)):
            for entry in page:
                key = self._key(entry)
                if key[:1] == "@" or not self._has_text(entry, key):
                    continue
                found.append((self._sort_value(entry), key))
        found.sort(reverse=self._query.descending)
        return found

    def _where(self) -> tuple[str, int]:
        tree = self._library.tree
        if not self._home.branch:
            return tree.base, ONE_LEVEL
        if self._query.within is None:
            return tree.base, SUBTREE
        return tree.container(self._home.branch, self._query.within), ONE_LEVEL

    def _filter(self) -> str:
        conditions = [names.of_class(self._home.main_class)]
        for field, value in self._query.only.items():
            place = field.ldap
            if isinstance(place, Attribute):
                active = names.equals(place.name, "active")
                conditions.append(active if value == "active" else names.no(active))
        return names.both(*conditions)

    def _key(self, entry: Entry) -> str:
        return names.value_of(entry.dn).lower()

    def _has_text(self, entry: Entry, key: str) -> bool:
        text = self._query.text.lower()
        return (
            not text
            or text in key
            or any(text in entry.text(place.name).lower() for place in self._searched)
        )

    def _sort_value(self, entry: Entry) -> str | int:
        if self._sort is None:
            return ""
        value: Any = decode(self._sort.syntax, entry.texts(self._sort.name)[:1], self._sort.default)
        if self._sort.syntax in _NUMBERS:
            return int(value)
        if self._sort.syntax in _TIMES:
            return str(value).rstrip("Z").replace("T", " ") or ZERO_DATE
        return str(value)

    def _cut(self, found: list[_Order]) -> tuple[list[_Order], tuple[str | int, str] | None]:
        query = self._query
        if query.after is not None:
            after = query.after if self._sort is not None else ("", query.after[1])
            found = [item for item in found if (item < after if query.descending else item > after)]
        if query.limit is None or len(found) <= query.limit:
            return found, None
        return found[: query.limit], found[query.limit - 1]
