"""Entries into records: what the entry itself says, then what is looked up for all of them together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    LdapPlace,
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
from mailwright.storage.ldap.connections import NO_ATTRIBUTES, ONE_LEVEL, SUBTREE, Connection
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.names import MOST_IN_ONE_FILTER, Tree
from mailwright.storage.ldap.schema import Schema
from mailwright.storage.sql.catalogue import columns_of
from mailwright.storage.sql.codecs import decoder
from mailwright.storage.sql.engine import Database

SETTINGS = "accountSetting"
SERVICES = "enabledService"
OPERATIONAL = ("createTimestamp", "modifyTimestamp")
Pairs = Sequence[tuple[str, Entry]]


@dataclass(frozen=True, slots=True)
class Library:
    """What reading needs besides the entries."""

    connection: Connection
    tree: Tree
    schema: Schema
    database: Database  # beside the directory
    storage_base: str


def has_place(home: LdapHome, place: LdapPlace | None, schema: Schema) -> bool:
    """Whether the server's schema has what a place needs."""
    match place:
        case Joined() | Derived():
            return True
        case CountedEntries():
            return schema.knows_class(place.of_class)
        case None:
            return False
        case _:
            classes, attribute = needed_by(home, place)
            return attribute in OPERATIONAL or schema.allows(classes, attribute)


def needed_by(
    home: LdapHome,
    place: Attribute
    | AttributeValues
    | AccountSetting
    | Services
    | Service
    | PathPart
    | ChildEntry
    | Granted
    | Membership,
) -> tuple[Sequence[str], str]:
    """The attribute that a place needs, and the classes of the entry that has it."""
    own = (*home.classes, *home.extra_classes)
    match place:
        case Attribute() | AttributeValues():
            return own, place.name
        case AccountSetting():
            return own, SETTINGS
        case Services() | Service():
            return own, SERVICES
        case PathPart():
            return own, home.path
        case Membership():
            return own, place.attribute
        case ChildEntry():
            return place.classes, place.attribute
        case Granted():
            return (place.of_class,), place.attribute
        case _:
            assert_never(place)


def attributes_of(home: LdapHome, fields: Iterable[AnyField]) -> tuple[str, ...]:
    """The attributes that have to be asked for."""
    wanted: dict[str, None] = {home.rdn: None}
    for field in fields:
        match field.ldap:
            case Attribute() | AttributeValues():
                wanted[field.ldap.name] = None
            case AccountSetting():
                wanted[SETTINGS] = None
                if field.ldap.read_also:
                    wanted[field.ldap.read_also] = None
            case Services() | Service():
                wanted[SERVICES] = None
            case PathPart():
                wanted.update(dict.fromkeys((home.path, *home.older_path)))
            case Granted():
                wanted.update({field.ldap.own: None, SERVICES: None})
            case Membership():
                wanted[field.ldap.attribute] = None
            case ChildEntry() | CountedEntries() | Joined() | Derived() | None:
                pass
            case _:
                assert_never(field.ldap)
    return tuple(wanted)


def records(
    library: Library,
    resource: Resource,
    pairs: Pairs,
    fields: Iterable[AnyField],
    *,
    counted: bool,
) -> list[Record]:
    """A record of each key and entry, in their order."""
    return _Reading(library, resource, pairs, fields, counted=counted).records()


class _Reading:
    def __init__(
        self,
        library: Library,
        resource: Resource,
        pairs: Pairs,
        fields: Iterable[AnyField],
        *,
        counted: bool,
    ) -> None:
        self.library = library
        self.resource = resource
        self.home = resource.ldap
        self.pairs = pairs
        self.fields = with_needs(resource, fields)
        self.counted = counted
        self.found = [Record(key, {}) for key, _ in pairs]

    def records(self) -> list[Record]:
        derived: list[tuple[AnyField, Derived]] = []
        counted: list[tuple[AnyField, CountedEntries]] = []
        for field in self.fields:
            place = field.ldap
            if not has_place(self.home, place, self.library.schema):
                self._each(field, lambda _key, _entry, empty=field.empty: empty)
                continue
            match place:
                case Derived():
                    derived.append((field, place))
                case CountedEntries():
                    counted.append((field, place))
                case Joined():
                    self._join(field, place)
                case _:
                    self._read(field, place)
        if self.counted and counted:
            self._count(counted)
        for record in self.found:
            if derived:
                named = {field.name: value for field, value in record.items()}
                for field, place in derived:
                    record[field] = place.tell(named)
        return self.found

    def _read(self, field: AnyField, place: LdapPlace | None) -> None:
        match place:
            case Attribute():
                self._each(
                    field,
                    lambda _, entry: decode(place.syntax, entry.texts(place.name), place.default),
                )
            case AccountSetting():
                self._each(field, lambda _, entry: _setting(entry, place))
            case Services():
                self._each(field, lambda _, entry: shown_services(entry, place))
            case Service():
                self._each(field, lambda _, entry: place.name in entry.lowered(SERVICES))
            case PathPart():
                self._each(field, self._path_part(place))
            case AttributeValues():
                self._addresses(field, place)
            case ChildEntry():
                self._children(field, place)
            case Granted():
                self._grants(field, place)
            case Membership():
                self._groups(field, place)

    def _each(self, field: AnyField, tell: Any) -> None:
        for record, (key, entry) in zip(self.found, self.pairs, strict=True):
            record[field] = tell(key, entry)

    def _path_part(self, place: PathPart) -> Any:
        return lambda key, entry: cut_path(
            path_in(entry, self.home.path, self.home.older_path),
            self.library.storage_base,
            domain_of(key),
        )[place.part]

    def _addresses(self, field: AnyField, place: AttributeValues) -> None:
        hidden = self._repeated(place) if place.alias_domains else {}

        def tell(key: str, entry: Entry) -> tuple[str, ...]:
            values = sorted(entry.lowered(place.name) - hidden.get(key, frozenset()))
            return tuple(values) or ((key,) if place.or_own else ())

        self._each(field, tell)

    def _repeated(self, place: AttributeValues) -> dict[str, frozenset[str]]:
        """Addresses that only repeat an account's name under an alias domain of its domain."""
        abroad = {
            domain_of(key)
            for key, entry in self.pairs
            if any(domain_of(value) != domain_of(key) for value in entry.lowered(place.name))
        }
        if not abroad:
            return {}
        aliases = {name: alias_domains(self.library, name) for name in abroad}
        return {
            key: frozenset(
                f"{local_part_of(key)}@{alias}" for alias in aliases.get(domain_of(key), ())
            )
            for key, _ in self.pairs
        }

    def _children(self, field: AnyField, place: ChildEntry) -> None:
        library = self.library
        found: dict[str, tuple[str, ...]] = {}
        wanted = (place.attribute,)
        if len(self.pairs) == 1:
            key = self.pairs[0][0]
            entry = library.connection.read(library.tree.child(place.branch, key), wanted)
            if entry is not None:
                found[key] = tuple(sorted(entry.lowered(place.attribute)))
        else:
            for keys in chunks([key for key, _ in self.pairs]):
                asked = names.among("mail", (f"@{key}" for key in keys))
                for entry in library.connection.search(
                    library.tree.base,
                    SUBTREE,
                    names.both(asked, names.of_class(place.classes[-1])),
                    ("mail", *wanted),
                ):
                    addresses = tuple(sorted(entry.lowered(place.attribute)))
                    found[entry.text("mail").lower().removeprefix("@")] = addresses
        self._each(field, lambda key, _: found.get(key, ()))

    def _grants(self, field: AnyField, place: Granted) -> None:
        """Only those who have the service administer anything, and few have it."""
        admins = [
            key
            for key, entry in self.pairs
            if entry.lowered(place.own) == {"yes"} or "domainadmin" in entry.lowered(SERVICES)
        ]
        granted: dict[str, set[str]] = {key: set() for key in admins}
        for key, entry in self.pairs:
            if key in granted and entry.lowered(place.own) == {"yes"}:
                granted[key].add(place.everything)
        for keys in chunks(admins):
            asked = names.both(names.of_class(place.of_class), names.among(place.attribute, keys))
            for entry in self.library.connection.search(
                self.library.tree.base, ONE_LEVEL, asked, (place.attribute, place.gives)
            ):
                for admin in entry.lowered(place.attribute) & granted.keys():
                    granted[admin].add(entry.text(place.gives).lower())
        self._each(field, lambda key, _: tuple(sorted(granted.get(key, ()))))

    def _groups(self, field: AnyField, place: Membership) -> None:
        groups = {key: set(entry.lowered(place.attribute)) for key, entry in self.pairs}
        for keys in chunks(list(groups)):
            asked = names.both(
                names.of_class(place.alias_class), names.among(place.forwarding, keys)
            )
            for entry in self.library.connection.search(
                self.library.tree.base, SUBTREE, asked, ("mail", place.forwarding)
            ):
                for member in entry.lowered(place.forwarding) & groups.keys():
                    groups[member].add(entry.text("mail").lower())
        self._each(field, lambda key, _: tuple(sorted(groups[key])))

    def _join(self, field: AnyField, place: Joined) -> None:
        found: dict[str, Any] = {}
        database, read = self.library.database, decoder(place.codec)
        if {place.key, place.column} <= columns_of(database).get(place.table, frozenset()):
            with database.connection() as connection:
                for keys in chunks([key for key, _ in self.pairs]):
                    marks = ", ".join(["%s"] * len(keys))
                    for key, value in connection.rows(
                        f'SELECT "{place.key}", "{place.column}" FROM "{place.table}" '
                        f'WHERE "{place.key}" IN ({marks})',
                        keys,
                    ):
                        found[key.lower()] = value
        self._each(field, lambda key, _: read(found.get(key)))

    def _count(self, fields: list[tuple[AnyField, CountedEntries]]) -> None:
        for record in self.found:
            counts = count_entries(self.library, record.key)
            for field, place in fields:
                record[field] = counts.total if place.total else counts.of(place.of_class)


@dataclass(slots=True)
class Counts:
    """What is below a domain."""

    users: int = 0
    aliases: int = 0
    lists: int = 0
    total: int = 0  # MB

    def of(self, class_name: str) -> int:
        """How many entries of a class."""
        return {"mailUser": self.users, "mailAlias": self.aliases, "mailList": self.lists}[
            class_name
        ]


def count_entries(library: Library, domain: str) -> Counts:
    """Count what is below a domain, a page at a time."""
    counts = Counts()
    wanted = ("objectClass", "mailQuota")
    found_by = names.both(
        names.of_class("mailUser", "mailAlias", "mailList"),
        names.no(names.equals("mail", f"@{domain}")),
    )
    for page in library.connection.pages(library.tree.domain(domain), SUBTREE, found_by, wanted):
        for entry in page:
            classes = entry.classes
            if "mailuser" in classes:
                counts.users += 1
                counts.total += decode(Syntax.MEGABYTES, entry.texts("mailQuota"))
            elif "mailalias" in classes:
                counts.aliases += 1
            else:
                counts.lists += 1
    return counts


def count_users(library: Library, domain: str) -> int:
    """How many users a domain has, without a look at them."""
    found_by = names.both(names.of_class("mailUser"), names.no(names.equals("mail", f"@{domain}")))
    container = library.tree.container("Users", domain)
    return sum(
        len(page)
        for page in library.connection.pages(container, ONE_LEVEL, found_by, NO_ATTRIBUTES)
    )


def alias_domains(library: Library, domain: str) -> frozenset[str]:
    """Further names of a domain."""
    entry = library.connection.read(library.tree.domain(domain), ("domainAliasName",))
    return entry.lowered("domainAliasName") if entry is not None else frozenset()


def shown_services(entry: Entry, place: Services) -> tuple[str, ...]:
    """The names that are switched on and not reserved, in lower case."""
    return tuple(sorted(entry.lowered(SERVICES) - set(place.reserved)))


def settings_of(values: Iterable[str], key: str) -> Iterator[str]:
    """The values of a key in ``accountSetting``."""
    for value in values:
        name, colon, text = value.partition(":")
        if colon and name == key:
            yield text


def path_in(entry: Entry, path: str, older: Sequence[str]) -> str:
    """Where the mailbox is; older entries have it in two attributes."""
    return entry.text(path) or "/".join(
        text.strip("/") if at else text.rstrip("/")
        for at, text in enumerate(map(entry.text, older))
        if text
    )


def cut_path(path: str, base: str, domain: str) -> tuple[str, str, str]:
    """A mailbox path as base directory, node and the rest.

    A directory keeps it whole: it is cut where the configured base or the domain's name says.
    """
    start, slash, rest = path.partition(f"{base}/")
    if not start and slash:
        above, _, node = base.rpartition("/")
        return above, node, rest
    start, slash, rest = path.partition(f"/{domain}/")
    if slash and start.count("/") > 1:
        above, _, node = start.rpartition("/")
        return above, node, f"{domain}/{rest}"
    parts = path.split("/", 4)
    if len(parts) == len(("", "var", "vmail", "vmail1", "rest")):
        return f"/{parts[1]}/{parts[2]}", parts[3], parts[4]
    return "", "", path


def with_needs(resource: Resource, fields: Iterable[AnyField]) -> list[AnyField]:
    """The fields, and those that a derived one among them is told from."""
    wanted = list(dict.fromkeys(fields))
    by_name: Mapping[str, AnyField] = {field.name: field for field in resource.fields}
    for field in list(wanted):
        if isinstance(field.ldap, Derived):
            wanted.extend(by_name[name] for name in field.ldap.needs if by_name[name] not in wanted)
    return wanted


def chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    """A few hundred at once."""
    for start in range(0, len(keys), MOST_IN_ONE_FILTER):
        yield keys[start : start + MOST_IN_ONE_FILTER]


def _setting(entry: Entry, place: AccountSetting) -> Any:
    found = list(settings_of(entry.texts(SETTINGS), place.key))
    if not found and place.read_also:
        found = list(entry.texts(place.read_also))
    if place.syntax is Syntax.LIST:
        return members(found)
    value = decode(place.syntax, [text.strip() for text in found[-1:]])
    # Below -1 nothing is meant (LDAP reference 3.7).
    return max(value, -1) if isinstance(value, int) and not isinstance(value, bool) else value
