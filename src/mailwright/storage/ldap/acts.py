"""What steps do to single entries, each in a way that may be repeated."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from mailwright.errors import Exists, MailwrightError, NotFound
from mailwright.storage.ldap import names
from mailwright.storage.ldap.connections import NO_ATTRIBUTES, SUBTREE
from mailwright.storage.ldap.draft import Draft
from mailwright.storage.ldap.entry import Entry, as_bytes
from mailwright.storage.ldap.reading import Library

LOG = logging.getLogger("mailwright")
UUID = "entryUUID"
CSN = "entryCSN"
EVERY = ("*", UUID, CSN)
# What slapd says of an entry with something that its schema does not know any more.
_DAMAGED = ("INVALID_DATA", "ERROR_WHILE_QUERYING_DIRECTORY")


class Stop(Exception):
    """What an interrupted operation was about is not there: it never began, or somebody else ended it."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where steps run; ``repeated`` if they may have run before."""

    library: Library
    repeated: bool = False


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
