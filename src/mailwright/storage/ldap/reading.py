"""What entries say, and where in an entry a field is; `selection` makes records of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

from mailwright.fields.field import AnyField
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
from mailwright.storage.ldap.codecs import decode
from mailwright.storage.ldap.connections import SUBTREE, Connection
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.names import MOST_IN_ONE_FILTER, Tree
from mailwright.storage.ldap.schema import Schema
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
        case Services():
            return own, SERVICES
        case Service():
            return own, place.attribute
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
                place = field.ldap
                wanted[place.attribute if isinstance(place, Service) else SERVICES] = None
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


def alias_domains(library: Library, domain: str) -> frozenset[str]:
    """Further names of a domain."""
    entry = library.connection.read(library.tree.domain(domain), ("domainAliasName",))
    return entry.lowered("domainAliasName") if entry is not None else frozenset()


def shown_services(entry: Entry, place: Services) -> tuple[str, ...]:
    """The names that are switched on and not reserved, in lower case."""
    return _without(entry.services, place.reserved)


@lru_cache(maxsize=1024)
def _without(services: frozenset[str], reserved: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(services.difference(reserved)))


def administers(entry: Entry, place: Granted) -> bool:
    """Whether what other entries grant under its name is the account's: few have the service."""
    return (
        not place.service or entry.lowered(place.own) == {"yes"} or place.service in entry.services
    )


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
