"""Steps of an operation on several entries: each may be repeated, whatever a crash left of it.

A step holds names and values, never a password, so that it can be written into the journal.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from msgspec import structs

from mailwright.errors import Exists, MailwrightError, NotFound
from mailwright.fields.addresses import domain_of
from mailwright.fields.ldap_places import By, LdapHome, LdapReference
from mailwright.fields.places import Match, Reference
from mailwright.storage.ldap import names
from mailwright.storage.ldap.connections import NO_ATTRIBUTES, SUBTREE
from mailwright.storage.ldap.draft import Draft
from mailwright.storage.ldap.entry import Entry, as_bytes
from mailwright.storage.ldap.reading import Library, path_in
from mailwright.storage.ldap.tallies import recount
from mailwright.storage.protocol import Farewell
from mailwright.storage.sql.catalogue import columns_of
from mailwright.storage.sql.codecs import day, moment
from mailwright.storage.sql.engine import Connection as SqlConnection
from mailwright.storage.sql.removal import escaped

LOG = logging.getLogger("mailwright")
UUID = "entryUUID"
CSN = "entryCSN"
EVERY = ("*", UUID, CSN)
# What slapd says of an entry with something that its schema does not know any more.
_DAMAGED = ("INVALID_DATA", "ERROR_WHILE_QUERYING_DIRECTORY")
Values = dict[str, list[str]]


class Stop(Exception):
    """What an interrupted operation was about is not there: it never began, or somebody else ended it."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where steps run; ``repeated`` if they may have run before."""

    library: Library
    repeated: bool = False


class Require(msgspec.Struct, tag=True, frozen=True):
    """Stop unless an entry is there, and with these values: one made anew has others."""

    dn: str
    having: Values = {}

    def apply(self, room: Room) -> None:
        entry = room.library.connection.read(self.dn, (UUID, *self.having))
        if entry is None or any(
            set(entry.texts(name)) != set(values) for name, values in self.having.items()
        ):
            raise Stop


class Vacant(msgspec.Struct, tag=True, frozen=True):
    """Stop if an entry is there that is not the one with this ``uuid``: a successor is left alone."""

    dn: str
    uuid: str

    def apply(self, room: Room) -> None:
        entry = room.library.connection.read(self.dn, (UUID,))
        if entry is not None and entry.text(UUID) != self.uuid:
            raise Stop


class Insert(msgspec.Struct, tag=True, frozen=True):
    """A new entry."""

    dn: str
    attributes: Values

    def apply(self, room: Room) -> None:
        octets = {name: [*map(as_bytes, values)] for name, values in self.attributes.items()}
        try:
            add(room.library, self.dn, octets)
        except Exists:
            if not room.repeated:
                raise


class Change(msgspec.Struct, tag=True, frozen=True):
    """One modify of an entry: attributes that get exactly these values, or these too, or lose them."""

    dn: str
    uuid: str = ""
    put: Values = {}
    add: Values = {}
    drop: Values = {}

    def apply(self, room: Room) -> None:
        library = room.library
        entry = library.connection.read(self.dn, EVERY)
        if entry is None or (self.uuid and entry.text(UUID) != self.uuid):
            return
        draft = Draft(library.schema, entry)
        for name, values in self.put.items():
            draft.put(name, values)
        for name, values in self.add.items():
            draft.add(name, values)
        for name, values in self.drop.items():
            draft.drop(name, values)
        modify(library, entry, draft)


class PutChild(msgspec.Struct, tag=True, frozen=True):
    """Addresses in an entry of their own: it comes with the first and goes with the last."""

    dn: str
    attribute: str
    addresses: list[str]
    new: Values

    def apply(self, room: Room) -> None:
        library = room.library
        entry = library.connection.read(self.dn, EVERY)
        if not self.addresses:
            if entry is not None:
                erase(library, self.dn)
            return
        if entry is None:
            Insert(self.dn, {**self.new, self.attribute: self.addresses}).apply(room)
            return
        draft = Draft(library.schema, entry)
        draft.put(self.attribute, self.addresses)
        # Whoever sets a catch-all wants it to work, also one that another program switched off.
        draft.put_first("accountStatus", self.new["accountStatus"])
        modify(library, entry, draft)


class Erase(msgspec.Struct, tag=True, frozen=True):
    """Remove an entry and everything below it, the deepest first."""

    dn: str
    uuid: str = ""

    def apply(self, room: Room) -> None:
        if is_the_same(room, self.dn, self.uuid):
            erase(room.library, self.dn)


class Rename(msgspec.Struct, tag=True, frozen=True):
    """Another name and parent for an entry.

    ``undo`` is what it loses again if another program has taken the name since.
    """

    dn: str
    uuid: str
    rdn: str
    parent: str
    undo: Values

    def apply(self, room: Room) -> None:
        if room.repeated and not is_the_same(room, self.dn, self.uuid):
            return
        try:
            room.library.connection.rename(self.dn, self.rdn, self.parent)
        except (NotFound, Exists):
            if not room.repeated:
                raise
            Change(self.dn, self.uuid, drop=self.undo).apply(room)
            raise Stop from None


class SpreadStatus(msgspec.Struct, tag=True, frozen=True):
    """Say a domain's status on every account below it."""

    base: str
    attribute: str
    value: str
    classes: list[str]
    active: bool

    def look(self, library: Library) -> list[Entry]:
        """The accounts that have to be told."""
        said = names.equals(self.attribute, self.value)
        found_by = names.both(
            names.of_class(*self.classes), said if self.active else names.no(said)
        )
        return snapshot(library, self.base, found_by, ("objectClass", self.attribute))

    def apply(self, room: Room) -> None:
        library = room.library
        wanted = [] if self.active else [self.value]
        # The catch-all gets the mail of every account that is off: it goes off first and on last.
        for entry in sorted(
            self.look(library), key=lambda entry: _is_catch_all(entry) is self.active
        ):
            draft = Draft(library.schema, entry)
            draft.put(self.attribute, wanted)
            let_follow(library, entry, draft)


class Mention(msgspec.Struct, frozen=True):
    """Attributes of some classes that can name an account, by address or by DN."""

    classes: list[str]
    attributes: list[str]
    by_dn: bool
    spares_admins: bool

    @classmethod
    def of(cls, reference: LdapReference) -> Mention:
        return cls(
            list(reference.classes),
            list(reference.attributes),
            reference.by is By.DN,
            reference.spares_admins,
        )


class Strip(msgspec.Struct, tag=True, frozen=True):
    """Take an account, or every address of a domain, out of all other entries: one modify each.

    ``new`` and ``new_dn`` stand in its place instead, where they are given; not if the account, which has
    this ``uuid``, was removed from there before an interrupted operation could end.
    """

    base: str
    key: str
    dn: str
    mentions: list[Mention]
    new: str = ""
    new_dn: str = ""
    uuid: str = ""

    def apply(self, room: Room) -> None:
        if self.new and room.repeated and not is_the_same(room, self.new_dn, self.uuid):
            structs.replace(self, new="", new_dn="").apply(room)
            return
        library = room.library
        found: dict[str, Entry] = {}
        for mention in self.mentions:
            wanted = [name for name in mention.attributes if library.schema.knows(name)]
            if not wanted:
                continue
            asked = names.both(
                names.of_class(*mention.classes),
                names.either(*(self._condition(name, mention) for name in wanted)),
            )
            for page in library.connection.pages(self.base, SUBTREE, asked, EVERY):
                found |= {
                    names.normal(entry.dn): entry
                    for entry in page
                    if any(
                        self._is_meant(value, mention)
                        for name in wanted
                        for value in entry.texts(name)
                    )
                }
        inside = names.normal(self.dn)
        for where, entry in found.items():
            if where != inside and not where.endswith(f",{inside}"):
                self._strip(library, entry)

    def _condition(self, attribute: str, mention: Mention) -> str:
        if "@" in self.key:
            return names.equals(attribute, self.dn if mention.by_dn else self.key)
        # Nothing finds the DNs of a domain's accounts by their end, so all are looked at.
        return (
            names.present(attribute)
            if mention.by_dn
            else names.ends_with(attribute, f"@{self.key}")
        )

    def _strip(self, library: Library, entry: Entry) -> None:
        draft = Draft(library.schema, entry)
        classes = entry.classes
        for mention in self.mentions:
            if classes.isdisjoint(name.lower() for name in mention.classes):
                continue
            for name in mention.attributes:
                self._strip_attribute(library, draft, name, mention)
        let_follow(library, entry, draft)

    def _strip_attribute(self, library: Library, draft: Draft, name: str, mention: Mention) -> None:
        gone = [value for value in draft.values(name) if self._is_meant(value, mention)]
        if mention.spares_admins:
            gone = [value for value in gone if not _is_an_admins(library, value)]
        if not gone:
            return
        draft.drop(name, gone)
        if self.new:
            draft.add(name, [self.new_dn if mention.by_dn else self.new])

    def _is_meant(self, value: str, mention: Mention) -> bool:
        if mention.by_dn:
            if domain_of(self.key).lower() not in value.lower():
                return False  # without taking it apart
            named, own = names.normal(value), names.normal(self.dn)
            return named == own or ("@" not in self.key and named.endswith(f",{own}"))
        if "@" in self.key:
            return value.lower() == self.key
        return domain_of(value.lower()) == self.key and "@" in value


class Recount(msgspec.Struct, tag=True, frozen=True):
    """Count a domain's users anew for the attributes that repeat their number."""

    domain: str
    number: str
    total: str
    of: str

    def apply(self, room: Room) -> None:
        recount(room.library, self.domain, self.number, self.total, self.of)


class Row(msgspec.Struct, frozen=True):
    """A column of the SQL database beside the directory that can hold an account's key."""

    table: str
    column: str
    match: str
    domain: str
    beside: str

    @classmethod
    def of(cls, reference: Reference) -> Row:
        return cls(
            reference.table,
            reference.column,
            reference.match.name,
            reference.domain,
            reference.beside,
        )


class Forget(msgspec.Struct, tag=True, frozen=True):
    """Remove an account's rows from the SQL database beside the directory, or give them a new key.

    ``new_dn`` and ``uuid`` as in ``Strip``.
    """

    key: str
    rows: list[Row]
    new: str = ""
    new_dn: str = ""
    uuid: str = ""

    def apply(self, room: Room) -> None:
        if self.new and room.repeated and not is_the_same(room, self.new_dn, self.uuid):
            structs.replace(self, new="").apply(room)
            return
        database = room.library.database
        columns = columns_of(database)
        with database.transaction() as connection:
            for row in self.rows:
                if row.column not in columns.get(row.table, ()):
                    continue
                if self.new:
                    if room.repeated and not _has_row(connection, row, self.key):
                        continue  # moved already: what stands there is no predecessor's
                    connection.execute(
                        f'DELETE FROM "{row.table}" WHERE "{row.column}" = %s', (self.new,)
                    )
                    follows = f', "{row.domain}" = %s' if row.domain else ""
                    values = (self.new, *((domain_of(self.new),) if row.domain else ()))
                    connection.execute(
                        f'UPDATE "{row.table}" SET "{row.column}" = %s{follows} '
                        f'WHERE "{row.column}" = %s',
                        (*values, self.key),
                    )
                elif row.match == Match.WITHIN.name:
                    connection.execute(
                        f'DELETE FROM "{row.table}" WHERE "{row.column}" LIKE %s ESCAPE \'!\'',
                        (f"%@{escaped(self.key)}",),
                    )
                else:
                    connection.execute(
                        f'DELETE FROM "{row.table}" WHERE "{row.column}" = %s', (self.key,)
                    )


class Remember(msgspec.Struct, tag=True, frozen=True):
    """Note the mailbox of a user, or of every user of a domain, so that a job can erase it one day.

    Written before anything is removed: a mailbox that nobody remembers would stay for ever.
    """

    key: str
    dn: str
    uuid: str
    of_class: str
    path: str
    older_path: list[str]
    admin: str
    at: dt.datetime
    until: dt.date | None

    @classmethod
    def of(cls, key: str, entry: Entry, home: LdapHome, farewell: Farewell) -> Remember:
        return cls(
            key,
            entry.dn,
            entry.text(UUID),
            home.mailboxes,
            home.path,
            list(home.older_path),
            farewell.admin,
            farewell.at,
            farewell.until,
        )

    def apply(self, room: Room) -> None:
        self._note(room.library, self._mailboxes(room.library))

    def undo(self, room: Room) -> None:
        """The mailbox is still somebody's: a note would have it erased."""
        database = room.library.database
        if "deleted_mailboxes" not in columns_of(database):
            return
        users = self._mailboxes(room.library)
        with database.transaction() as connection:
            for address, path in users:
                connection.execute(
                    'DELETE FROM "deleted_mailboxes" WHERE "username" = %s AND "maildir" = %s',
                    (address, path),
                )

    def _mailboxes(self, library: Library) -> list[tuple[str, str]]:
        """All of them, before any is noted: if some cannot be read, the removal does not begin."""
        wanted = ("mail", self.path, *self.older_path)
        found_by = names.of_class(self.of_class)
        return [
            (entry.text("mail").lower(), path)
            for page in library.connection.pages(self.dn, SUBTREE, found_by, wanted)
            for entry in page
            if not entry.text("mail").startswith("@")
            and (path := path_in(entry, self.path, self.older_path))
        ]

    def _note(self, library: Library, users: Sequence[tuple[str, str]]) -> None:
        database = library.database
        present = columns_of(database).get("deleted_mailboxes", frozenset())
        if not present:
            return
        dialect = database.dialect
        with database.transaction() as connection:
            for address, path in users:
                row: Mapping[str, object] = {
                    "username": address,
                    "domain": domain_of(address),
                    "maildir": path,
                    "admin": self.admin,
                    "timestamp": moment(self.at, dialect),
                    "delete_date": day(self.until, dialect),
                    **_usage_of(connection, library, address),
                }
                row = {name: value for name, value in row.items() if name in present}
                known = connection.row(
                    'SELECT 1 FROM "deleted_mailboxes" WHERE "username" = %s AND "maildir" = %s',
                    (address, path),
                )
                if known is None:
                    columns = ", ".join(f'"{name}"' for name in row)
                    marks = ", ".join(["%s"] * len(row))
                    connection.execute(
                        f'INSERT INTO "deleted_mailboxes" ({columns}) VALUES ({marks})',
                        tuple(row.values()),
                    )


Step = (
    Require
    | Vacant
    | Insert
    | Change
    | PutChild
    | Erase
    | Rename
    | SpreadStatus
    | Strip
    | Recount
    | Forget
    | Remember
)


def _is_an_admins(library: Library, address: str) -> bool:
    return library.connection.read(library.tree.admin(address), NO_ATTRIBUTES) is not None


def _is_catch_all(entry: Entry) -> bool:
    return names.value_of(entry.dn).startswith("@")


def is_the_same(room: Room, dn: str, uuid: str) -> bool:
    """Whether an entry is there, and the one that is meant."""
    entry = room.library.connection.read(dn, (UUID,))
    return entry is not None and (not uuid or entry.text(UUID) == uuid)


def add(library: Library, dn: str, octets: Mapping[str, Sequence[bytes]]) -> None:
    """A new entry, and the container that it belongs into where a domain of another program has none."""
    try:
        library.connection.add(dn, octets)
    except NotFound:
        container = names.split(dn)[2]
        attribute, name, _ = names.split(container)
        if attribute != "ou":
            raise
        with suppress(Exists):
            library.connection.add(
                container, {"objectClass": [b"organizationalUnit"], attribute: [as_bytes(name)]}
            )
        library.connection.add(dn, octets)


def modify(library: Library, entry: Entry, draft: Draft) -> None:
    """Write what a draft changes, unless nobody has the entry any more."""
    changes = draft.modifications()
    if changes:
        try:
            library.connection.modify(entry.dn, changes, entry.text(CSN))
        except NotFound:
            return


def let_follow(library: Library, entry: Entry, draft: Draft) -> None:
    """Write what a draft changes in an entry that follows another; a damaged one is left as it is.

    Nobody can write such an entry, and waiting for it would close the domain for ever.
    """
    try:
        modify(library, entry, draft)
    except MailwrightError as error:
        if error.code not in _DAMAGED:
            raise
        LOG.warning("%s cannot be written and does not follow: %s", entry.dn, error.code)


def erase(library: Library, dn: str) -> None:
    """Remove an entry and everything below it, the deepest first."""
    below = [entry.dn for entry in snapshot(library, dn, names.EVERYTHING, NO_ATTRIBUTES)]
    for found in sorted(below, key=names.depth, reverse=True):
        try:
            library.connection.delete(found)
        except NotFound:
            continue


def snapshot(library: Library, base: str, found_by: str, wanted: Sequence[str]) -> list[Entry]:
    """The entries that a filter finds now; the connection is free for changes afterwards."""
    return [
        entry
        for page in library.connection.pages(base, SUBTREE, found_by, wanted)
        for entry in page
    ]


def _has_row(connection: SqlConnection, row: Row, key: str) -> bool:
    found = connection.row(f'SELECT 1 FROM "{row.table}" WHERE "{row.column}" = %s', (key,))
    return found is not None


def _usage_of(connection: SqlConnection, library: Library, address: str) -> dict[str, object]:
    """What Dovecot counted in a mailbox."""
    if "used_quota" not in columns_of(library.database):
        return {}
    row = connection.row(
        'SELECT "bytes", "messages" FROM "used_quota" WHERE "username" = %s', (address,)
    )
    return {"bytes": row[0], "messages": row[1]} if row else {}
