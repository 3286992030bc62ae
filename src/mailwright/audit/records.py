"""A record: who did what to which account, from where, with which outcome; and its hash.

The hash of a record is SHA-256 over the hash of the one before it and the record's canonical text: a
JSON object with its names in alphabetical order.  The first record has an empty text before it.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
from typing import Any, Final

import msgspec

SHORT: Final = 64  # what the columns of the table take
NAME: Final = 320
LONGEST_SENTENCE: Final = 4000  # characters, before some become escapes; MariaDB takes 64 KiB
LONGEST_CHANGES: Final = 4_000_000  # bytes; MariaDB's column takes 16 MB

_canonical = msgspec.json.Encoder(order="sorted")
_changes = msgspec.json.Encoder(order="sorted", enc_hook=str)


class Outcome(enum.StrEnum):
    """How it went.

    ``done`` is written before the change itself; one that did not take effect is followed by ``failed``.
    """

    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One record; ``sequence`` has no gaps, ``corrects`` is the record that this one is about, or 0.

    ``changes`` is JSON: field name to the values before and after.
    """

    sequence: int = 0
    time: str
    actor: str
    role: str = ""
    token: str = ""
    address: str = ""
    channel: str = ""
    request: str = ""
    action: str
    resource: str
    target: str
    domain: str
    outcome: str
    code: str = ""
    corrects: int = 0
    changes: str = "{}"

    def canonical(self) -> bytes:
        """The text that is hashed."""
        return _canonical.encode(self)

    def digest(self, previous: str) -> str:
        """The hash of this record after the one with the hash ``previous``."""
        return hashlib.sha256(previous.encode() + self.canonical()).hexdigest()


FIELDS: Final = Record.__struct_fields__


def moment(time: dt.datetime) -> str:
    """A time in UTC, always of the same length, so that texts sort as times do."""
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def changes_text(changes: dict[str, Any]) -> str:
    """Changes as they are kept; only the names of what would not fit."""
    text = _changes.encode(changes)
    if len(text) > LONGEST_CHANGES:
        text = _changes.encode(dict.fromkeys(changes, "too long"))
    return text.decode()


def short(text: str, longest: int = SHORT) -> str:
    """What a column takes of a text, the same on every engine."""
    return text[:longest].replace("\0", "").encode("utf-8", "replace").decode()


def one_line(text: str, longest: int) -> str:
    """A text of a log that is read by people: nothing in it looks like another line, or is obeyed."""
    text = text[:longest]
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
