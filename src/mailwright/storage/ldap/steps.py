"""Steps of an operation on several entries: each may be repeated, whatever a crash left of it.

A step holds names and values, never a password, so that it can be written into the journal.
"""

from __future__ import annotations

import msgspec

from mailwright.errors import Exists, NotFound
from mailwright.storage.ldap import names
from mailwright.storage.ldap.acts import (
    EVERY,
    UUID,
    Room,
    Stop,
    add,
    erase,
    is_the_same,
    let_follow,
    modify,
    snapshot,
)
from mailwright.storage.ldap.draft import Draft
from mailwright.storage.ldap.entry import Entry, as_bytes
from mailwright.storage.ldap.reading import Library
from mailwright.storage.ldap.references import Strip
from mailwright.storage.ldap.rows import Forget, Remember
from mailwright.storage.ldap.tallies import recount

Values = dict[str, list[str]]


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


class Recount(msgspec.Struct, tag=True, frozen=True):
    """Count a domain's users anew for the attributes that repeat their number."""

    domain: str
    number: str
    total: str
    of: str

    def apply(self, room: Room) -> None:
        recount(room.library, self.domain, self.number, self.total, self.of)


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


def _is_catch_all(entry: Entry) -> bool:
    return names.value_of(entry.dn).startswith("@")
