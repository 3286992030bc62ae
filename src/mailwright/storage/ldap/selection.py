"""Fields of accounts as they are asked for together: what to ask the directory, and records from entries.

What depends on the fields alone is worked out once for each choice of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, assert_never

from mailwright.fields.addresses import domain_of, local_part_of
from mailwright.fields.field import AnyField, Record
from mailwright.fields.ldap_places import (
    AccountSetting,
    Attribute,
    AttributeValues,
    ChildEntry,
    CountedEntries,
    Granted,
    LdapHome,
    Membership,
    PathPart,
    Service,
    Services,
    Syntax,
)
from mailwright.fields.places import Derived, Joined
from mailwright.fields.resource import Resource
from mailwright.storage.ldap import names
from mailwright.storage.ldap.codecs import decode, members
from mailwright.storage.ldap.connections import ONE_LEVEL, SUBTREE, Question
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.reading import (
    SETTINGS,
    Library,
    administers,
    alias_domains,
    attributes_of,
    chunks,
    count_entries,
    cut_path,
    has_place,
    path_in,
    settings_of,
    shown_services,
    with_needs,
)
from mailwright.storage.ldap.schema import Schema
from mailwright.storage.sql.catalogue import columns_of
from mailwright.storage.sql.codecs import decoder
from mailwright.storage.sql.engine import Database

MOST_KEPT = 512  # choices of fields
Pairs = Sequence[tuple[str, Entry]]
Tell = Callable[[str, Entry], Any]


def selection(library: Library, resource: Resource, fields: Iterable[AnyField]) -> Selection:
    """The selection of these fields."""
    # Two resources may have one name and lie in different branches.
    kept, key = library.schema.selections, (resource.ldap.main_class, tuple(fields))
    found = kept.get(key)
    if found is None:
        found = Selection(library.schema, resource, key[1])
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[key] = found
    return found


class Selection:
    """Some fields of one resource, by what has to be done for them."""

    def __init__(self, schema: Schema, resource: Resource, fields: Iterable[AnyField]) -> None:
        self._home: LdapHome = resource.ldap
        asked = list(dict.fromkeys(fields))
        wanted = with_needs(resource, asked)
        self._unasked = wanted[len(asked) :]  # only to tell others from
        self.attributes = attributes_of(self._home, wanted)
        self._empty: dict[AnyField, Any] = {}
        # Most are: which attribute, and what stands for none.
        self._texts: list[tuple[AnyField, str, str]] = []
        self._told: list[tuple[AnyField, Tell]] = []  # by the entry alone
        self._paths: list[tuple[AnyField, int]] = []
        self._asked: list[tuple[AnyField, AttributeValues | ChildEntry | Granted | Membership]] = []
        self._joined: list[tuple[AnyField, Joined]] = []
        self._joins: _Joins | None = None
        self._derived: list[tuple[AnyField, Derived]] = []
        self._counted: list[tuple[AnyField, CountedEntries]] = []
        for field in wanted:
            if has_place(self._home, field.ldap, schema):
                self._sort(field)
            else:
                self._empty[field] = field.empty

    def _sort(self, field: AnyField) -> None:
        place = field.ldap
        match place:
            case Attribute(name=name, syntax=Syntax.TEXT, default=default):
                self._texts.append((field, name, default))
            case Attribute() | AccountSetting() | Services() | Service():
                self._told.append((field, _tell(place)))
            case PathPart():
                self._paths.append((field, place.part))
            case AttributeValues() | ChildEntry() | Granted() | Membership():
                self._asked.append((field, place))
            case Joined():
                self._joined.append((field, place))
            case Derived():
                self._derived.append((field, place))
            case CountedEntries():
                self._counted.append((field, place))
            case None:
                raise TypeError(f"{field.name} has no place")
            case _:
                assert_never(place)

    def questions(self, library: Library, key: str) -> list[Question]:
        """What can be asked about one account together with its entry: the groups that name it."""
        return [
            _groups_of(library, place, [key])
            for _, place in self._asked
            if isinstance(place, Membership)
        ]

    def records(
        self,
        library: Library,
        pairs: Pairs,
        *,
        counted: bool,
        groups: Sequence[Sequence[Entry]] = (),
    ) -> list[Record]:
        """A record of each key and entry, in their order; ``groups`` answers ``questions``, if asked."""
        found = [Record(key, self._of_entry(library, key, entry)) for key, entry in pairs]
        answers = iter(groups)
        values: Mapping[str, tuple[str, ...]]
        for field, place in self._asked:
            if groups and isinstance(place, Membership):
                values = _groups(library, place, pairs, [next(answers)])
            else:
                values = _ask(library, place, pairs)
            for record in found:
                record[field] = values[record.key]
        if self._joined:
            joins = self._joins
            if joins is None or joins.columns is not columns_of(library.database):
                self._joins = joins = _Joins(library.database, self._joined)
            joins.tell(found)
        if counted and self._counted:
            self._count(library, found)
        if self._derived:
            self._derive(found)
        return found

    def _derive(self, found: list[Record]) -> None:
        for record in found:
            named = {field.name: value for field, value in record.items()}
            for field, derived in self._derived:
                record[field] = derived.tell(named)
            for field in self._unasked:
                record.pop(field)

    def _of_entry(self, library: Library, key: str, entry: Entry) -> dict[AnyField, Any]:
        values = self._empty.copy()
        for field, name, default in self._texts:
            values[field] = entry.text(name) or default
        for field, tell in self._told:
            values[field] = tell(key, entry)
        if self._paths:
            path = path_in(entry, self._home.path, self._home.older_path)
            parts = cut_path(path, library.storage_base, domain_of(key))
            for field, part in self._paths:
                values[field] = parts[part]
        return values

    def _count(self, library: Library, found: list[Record]) -> None:
        for record in found:
            counts = count_entries(library, record.key)
            for field, place in self._counted:
                record[field] = counts.total if place.total else counts.of(place.of_class)


def _tell(place: Attribute | AccountSetting | Services | Service) -> Tell:
    """What an entry alone says."""
    match place:
        case Attribute():
            name, syntax, default = place.name, place.syntax, place.default
            if syntax is Syntax.HASHES:
                return lambda _, entry: entry.texts(name)
            return lambda _, entry: decode(syntax, entry.texts(name), default)
        case AccountSetting():
            return _setting(place)
        case Services():
            return lambda _, entry: shown_services(entry, place)
        case Service():
            return lambda _, entry: place.name in entry.lowered(place.attribute)


def _setting(place: AccountSetting) -> Tell:
    def tell(_: str, entry: Entry) -> Any:
        found = list(settings_of(entry.texts(SETTINGS), place.key))
        if not found and place.read_also:
            found = list(entry.texts(place.read_also))
        if place.syntax is Syntax.LIST:
            return members(found)
        value = decode(place.syntax, [text.strip() for text in found[-1:]])
        # Below -1 nothing is meant (LDAP reference 3.7).
        return max(value, -1) if isinstance(value, int) and not isinstance(value, bool) else value

    return tell


def _ask(
    library: Library, place: AttributeValues | ChildEntry | Granted | Membership, pairs: Pairs
) -> Mapping[str, tuple[str, ...]]:
    """What other entries say, for all accounts together."""
    match place:
        case AttributeValues():
            return _addresses(library, place, pairs)
        case ChildEntry():
            return _children(library, place, pairs)
        case Granted():
            return _grants(library, place, pairs)
        case Membership():
            pages = (
                library.connection.search(*_groups_of(library, place, keys))
                for keys in chunks([key for key, _ in pairs])
            )
            return _groups(library, place, pairs, pages)


def _addresses(
    library: Library, place: AttributeValues, pairs: Pairs
) -> dict[str, tuple[str, ...]]:
    hidden = _repeated(library, place, pairs) if place.alias_domains else {}

    def told(key: str, entry: Entry) -> tuple[str, ...]:
        values = sorted(entry.lowered(place.name) - hidden.get(key, frozenset()))
        return tuple(values) or ((key,) if place.or_own else ())

    return {key: told(key, entry) for key, entry in pairs}


def _repeated(library: Library, place: AttributeValues, pairs: Pairs) -> dict[str, frozenset[str]]:
    """Addresses that only repeat an account's name under an alias domain of its domain."""
    abroad = {
        domain_of(key)
        for key, entry in pairs
        if any(domain_of(value) != domain_of(key) for value in entry.lowered(place.name))
    }
    if not abroad:
        return {}
    aliases = {name: alias_domains(library, name) for name in abroad}
    return {
        key: frozenset(f"{local_part_of(key)}@{alias}" for alias in aliases.get(domain_of(key), ()))
        for key, _ in pairs
    }


def _without_repeated(library: Library, groups: dict[str, set[str]]) -> None:
    """Drop names under alias domains, which a member of a list carries besides the list's own."""
    aliases: dict[str, frozenset[str]] = {}
    for key, names_of_groups in groups.items():
        own = domain_of(key)
        if any(domain_of(group) != own for group in names_of_groups):
            if own not in aliases:
                aliases[own] = alias_domains(library, own)
            names_of_groups -= {
                group
                for group in names_of_groups
                if domain_of(group) in aliases[own]
                and f"{local_part_of(group)}@{own}" in names_of_groups
            }


def _children(library: Library, place: ChildEntry, pairs: Pairs) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {key: () for key, _ in pairs}
    wanted = (place.attribute,)
    if len(pairs) == 1:
        key = pairs[0][0]
        entry = library.connection.read(library.tree.child(place.branch, key), wanted)
        if entry is not None:
            found[key] = tuple(sorted(entry.lowered(place.attribute)))
        return found
    for keys in chunks(list(found)):
        asked = names.among("mail", (f"@{key}" for key in keys))
        for entry in library.connection.search(
            library.tree.base,
            SUBTREE,
            names.both(asked, names.of_class(place.classes[-1])),
            ("mail", *wanted),
        ):
            addresses = tuple(sorted(entry.lowered(place.attribute)))
            found[entry.text("mail").lower().removeprefix("@")] = addresses
    return found


def _grants(library: Library, place: Granted, pairs: Pairs) -> dict[str, tuple[str, ...]]:
    granted: dict[str, set[str]] = {key: set() for key, _ in pairs}
    admins: set[str] = set()
    for key, entry in pairs:
        if entry.lowered(place.own) == {"yes"}:
            granted[key].add(place.everything)
        if administers(entry, place):
            admins.add(key)
    for keys in chunks(sorted(admins)):
        asked = names.both(names.among(place.attribute, keys), names.of_class(place.of_class))
        for entry in library.connection.search(
            library.tree.base, ONE_LEVEL, asked, (place.attribute, place.gives)
        ):
            for admin in entry.lowered(place.attribute) & admins:
                granted[admin].add(entry.text(place.gives).lower())
    return {key: tuple(sorted(given)) for key, given in granted.items()}


def _groups_of(library: Library, place: Membership, keys: Sequence[str]) -> Question:
    """Which mail aliases name any of these accounts."""
    asked = names.both(names.among(place.forwarding, keys), names.of_class(place.alias_class))
    return library.tree.base, SUBTREE, asked, ("mail", place.forwarding)


def _groups(
    library: Library, place: Membership, pairs: Pairs, pages: Iterable[Sequence[Entry]]
) -> dict[str, tuple[str, ...]]:
    groups = {key: set(entry.lowered(place.attribute)) for key, entry in pairs}
    _without_repeated(library, groups)
    for entries in pages:
        for entry in entries:
            for member in entry.lowered(place.forwarding) & groups.keys():
                groups[member].add(entry.text("mail").lower())
    return {key: tuple(sorted(names)) for key, names in groups.items()}


class _Joins:
    """What SQL tables have of each account: one statement for all tables, made once."""

    def __init__(self, database: Database, wanted: Sequence[tuple[AnyField, Joined]]) -> None:
        self.columns = columns_of(database)  # these are what it was made for
        kept = [
            (field, place)
            for field, place in wanted
            if {place.key, place.column} <= self.columns.get(place.table, frozenset())
        ]
        self._database = database
        self._missing = [
            (field, decoder(place.codec)(None))
            for field, place in wanted
            if (field, place) not in kept
        ]
        self._read = [(field, decoder(place.codec)) for field, place in kept]
        self._nothing = (None,) * len(kept)
        self._parts = [
            f'SELECT "{key}", {_columns([place for _, place in kept], (table, key))} '
            f'FROM "{table}" WHERE "{key}" IN '
            for table, key in dict.fromkeys((place.table, place.key) for _, place in kept)
        ]

    def tell(self, records: list[Record]) -> None:
        """Set the fields of all records."""
        found = self._look_up([record.key for record in records]) if self._parts else {}
        for record in records:
            for field, value in self._missing:
                record[field] = value
            values = found.get(record.key, self._nothing)
            for (field, read), value in zip(self._read, values, strict=True):
                record[field] = read(value)

    def _look_up(self, keys: Sequence[str]) -> dict[str, Sequence[Any]]:
        found: dict[str, Sequence[Any]] = {}
        with self._database.connection() as connection:
            for some in chunks(keys):
                marks = f"({', '.join(['%s'] * len(some))})"
                statement = " UNION ALL ".join([part + marks for part in self._parts])
                for account, *values in connection.rows(statement, [*some] * len(self._parts)):
                    before = found.get(account.lower(), self._nothing)
                    found[account.lower()] = [
                        old if value is None else value
                        for old, value in zip(before, values, strict=True)
                    ]
        return found


def _columns(places: Sequence[Joined], table: tuple[str, str]) -> str:
    """The columns of one table, with room left for those of the others."""
    return ", ".join(
        f'"{place.column}"' if (place.table, place.key) == table else "NULL" for place in places
    )
