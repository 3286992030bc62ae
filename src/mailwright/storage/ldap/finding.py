"""Lists of accounts.

A directory neither sorts nor starts in the middle of an order, so the keys of a domain are all looked at
for each page; whole entries are read only for the page itself.  Without a limit that page is everything,
and all is read at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from operator import itemgetter
from typing import Any

from mailwright.fields.field import AnyField, Record
from mailwright.fields.ldap_places import Attribute, Service, Syntax
from mailwright.fields.resource import Resource
from mailwright.storage.ldap import names
from mailwright.storage.ldap.codecs import decode, encode
from mailwright.storage.ldap.connections import ONE_LEVEL, SUBTREE, Connection
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.grants import administered_by
from mailwright.storage.ldap.reading import Library, chunks
from mailwright.storage.ldap.selection import selection
from mailwright.storage.protocol import ZERO_DATE, Names, Page, Query

_NUMBERS = (Syntax.WHOLE, Syntax.MEGABYTES)
_TIMES = (Syntax.TIME, Syntax.DAYS)
_Order = tuple[str | int, str]


class Finding:
    """One query; ``lend`` gives another connection where one is needed."""

    def __init__(
        self,
        library: Library,
        resource: Resource,
        query: Query,
        lend: Callable[[], AbstractContextManager[Connection]],
    ) -> None:
        self._library = library
        self._lend = lend
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
        if self._query.limit is None and self._query.after is None:
            return Page(self._everything(fields))
        found, after = self._cut(self._ordered())
        chosen = selection(self._library, self._resource, fields)
        result: list[Record] = []
        there: set[str] = set()
        for keys in chunks([key for _, key in found]):
            entries = dict(self._entries(keys, chosen.attributes))
            pairs = [(key, entries[key]) for key in keys if key in entries]
            there.update(entries)
            result += chosen.records(self._library, pairs, counted=False)
        return Page(result, after, [place for place in found if place[1] in there])

    def names(self) -> Names:
        """Keys alone."""
        found, after = self._cut(self._ordered())
        return Names([key for _, key in found], after, found)

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

    def _everything(self, fields: Sequence[AnyField]) -> list[Record]:
        """Whole accounts from one look at each entry; what else is to be asked is asked beside it."""
        chosen = selection(self._library, self._resource, fields)
        found: list[tuple[_Order, Record]] = []
        with self._lend() as reader:
            for page in self._pages(reader, chosen.attributes):
                pairs = [(key, entry) for (_, key), entry in page]
                accounts = chosen.records(self._library, pairs, counted=False)
                found += zip((order for order, _ in page), accounts, strict=True)
        found.sort(key=itemgetter(0), reverse=self._query.descending)
        return [record for _, record in found]

    def _ordered(self) -> list[_Order]:
        pages = self._pages(self._library.connection, (self._home.rdn,))
        return sorted(
            (order for page in pages for order, _ in page), reverse=self._query.descending
        )

    def _pages(
        self, connection: Connection, attributes: Sequence[str]
    ) -> Iterator[list[tuple[_Order, Entry]]]:
        """The entries that are meant, with what they are sorted by."""
        base, scope = self._where()
        wanted = dict.fromkeys(attributes)
        if self._sort is not None:
            wanted[self._sort.name] = None
        if self._query.text:
            wanted.update((place.name, None) for place in self._searched)
        for found_by in self._filters():
            for page in connection.pages(base, scope, found_by, tuple(wanted)):
                found: list[tuple[_Order, Entry]] = []
                for entry in page:
                    key = self._key(entry)
                    if key[:1] != "@" and self._has_text(entry, key):
                        found.append(((self._sort_value(entry), key), entry))
                yield found

    def _where(self) -> tuple[str, int]:
        tree = self._library.tree
        if self._home.standalone:
            return tree.admins, ONE_LEVEL
        if not self._home.branch:
            return tree.base, ONE_LEVEL
        if self._query.within is None:
            return tree.base, SUBTREE
        return tree.container(self._home.branch, self._query.within), ONE_LEVEL

    def _filters(self) -> list[str]:
        """What is meant, asked in one search, or of many names in several."""
        query = self._query
        conditions = [names.of_class(self._home.main_class)]
        for field, value in query.only.items():
            if isinstance(field.ldap, Attribute):
                conditions.append(_has_value(field.ldap, value))
        if query.either:
            each = (_any_value(field, value) for field, value in query.either.items())
            conditions.append(names.either(*filter(None, each)))
        if query.administered_by is not None:
            conditions.append(administered_by(query.administered_by))
        if query.among is None:
            return [names.both(*conditions)]
        return [
            names.both(names.among(self._home.rdn, keys), *conditions)
            for keys in chunks(sorted({key.lower() for key in query.among}))
        ]

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


def _any_value(field: AnyField, value: Any) -> str:
    """Entries of which this is one of several conditions; empty for what no entry alone says."""
    match field.ldap:
        case Attribute():
            return _has_value(field.ldap, value)
        case Service(name, attribute):
            there = names.equals(attribute, name)
            return there if value else names.no(there)
        case _:
            return ""


def _has_value(place: Attribute, value: Any) -> str:
    """Entries whose attribute reads as this value; of a status or a yes, all but one word are the other."""
    match place.syntax:
        case Syntax.STATUS:
            active = names.equals(place.name, "active")
            return active if value == "active" else names.no(active)
        case Syntax.YES | Syntax.YES_NO:
            yes = names.equals(place.name, "yes")
            return yes if value else names.no(yes)
        case _:
            texts = encode(place.syntax, value)
            if not texts:
                return names.no(names.present(place.name))
            return names.both(*(names.equals(place.name, text) for text in texts))
