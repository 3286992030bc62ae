"""Kinds: what a parameter's text means.

A kind turns one text into a value and describes itself as JSON Schema.  ``parse`` raises
``ValueError`` with a reason for people; it never names the parameter, its caller does.
Kinds know no resource, no backend and no permission.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from mailwright.fields import addresses

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Schema = dict[str, object]

LONGEST_TEXT = 255
LARGEST_PORT = 65535
LONGEST_SHOWN = 80
LARGEST_NUMBER = 2**53 - 1  # the largest that a JSON client reads back exactly
_CONTROL = re.compile("[\x00-\x1f\x7f\x80-\x9f\u2028\u2029\ud800-\udfff]")


class Kind(Protocol[T_co]):
    """One text in, one value out."""

    @property
    def secret(self) -> bool: ...
    def parse(self, text: str) -> T_co: ...
    def schema(self) -> Schema: ...


@dataclass(frozen=True, slots=True)
class Text:
    """Free text on one line, at most ``longest`` characters."""

    longest: int = LONGEST_TEXT
    secret: bool = False

    def parse(self, text: str) -> str:
        text = text.strip()
        if len(text) > self.longest:
            raise ValueError(f"at most {self.longest} characters are taken")
        if _CONTROL.search(text):
            raise ValueError("control characters and line breaks are not taken")
        return text

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": self.longest}


@dataclass(frozen=True, slots=True)
class Password:
    """A password in plain text; its policy is checked where the domain is known."""

    secret: bool = True

    def parse(self, text: str) -> str:
        return text

    def schema(self) -> Schema:
        return {"type": "string", "format": "password", "writeOnly": True}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number; decimal digits only."""

    least: int = 0
    most: int = LARGEST_NUMBER
    secret: bool = False

    def parse(self, text: str) -> int:
        text = text.strip()
        if not re.fullmatch(r"-?[0-9]{1,20}", text):
            raise ValueError("a whole number is needed")
        number = int(text)
        if not self.least <= number <= self.most:
            raise ValueError(f"a number from {self.least} to {self.most} is needed")
        return number

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


MEGABYTES = Whole(0, 2**43 - 1)  # Dovecot's query multiplies by 1048576 in 64 bits

_YES = frozenset({"yes", "true", "1", "on"})
_NO = frozenset({"no", "false", "0", "off"})


@dataclass(frozen=True, slots=True)
class YesNo:
    """``yes`` or ``no``; JSON's true and false mean the same."""

    secret: bool = False

    def parse(self, text: str) -> bool:
        word = text.strip().lower()
        if word in _YES:
            return True
        if word in _NO:
            return False
        raise ValueError("yes or no is needed")

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words, whatever their case."""

    words: tuple[str, ...]
    secret: bool = False

    def parse(self, text: str) -> str:
        asked = text.strip().lower()
        for word in self.words:
            if word.lower() == asked:
                return word
        raise ValueError(f"one of {', '.join(self.words)} is needed")

    def schema(self) -> Schema:
        return {"type": "string", "enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Email:
    """One address that mail can be sent to; ``optional`` takes the empty text for none."""

    optional: bool = False
    secret: bool = False

    def parse(self, text: str) -> str:
        if self.optional and not text.strip():
            return ""
        return addresses.mail_address(text)

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": addresses.LONGEST_ADDRESS}


@dataclass(frozen=True, slots=True)
class Mailbox:
    """The address of a mail user."""

    secret: bool = False

    def parse(self, text: str) -> str:
        return addresses.mailbox_address(text)

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": addresses.LONGEST_ADDRESS}


@dataclass(frozen=True, slots=True)
class DomainName:
    """The name of a mail domain."""

    secret: bool = False

    def parse(self, text: str) -> str:
        return addresses.domain_name(text)

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": addresses.LONGEST_DOMAIN}


@dataclass(frozen=True, slots=True)
class Language:
    """A language code such as ``en_US``; the empty text for none."""

    secret: bool = False

    def parse(self, text: str) -> str:
        code = text.strip()
        if code and not re.fullmatch(r"[a-z]{2}(_[A-Z]{2})?", code):
            raise ValueError("a language code such as en_US is needed")
        return code

    def schema(self) -> Schema:
        return {"type": "string", "pattern": "^([a-z]{2}(_[A-Z]{2})?)?$"}


@dataclass(frozen=True, slots=True)
class Transport:
    """A Postfix transport, ``name`` or ``name:nexthop`` (transport(5)); ``optional`` takes none."""

    optional: bool = False
    secret: bool = False

    def parse(self, text: str) -> str:
        text = text.strip()
        if not text:
            if self.optional:
                return ""
            raise ValueError("a transport is needed, such as dovecot or smtp:[192.0.2.1]:25")
        if len(text) > LONGEST_TEXT:
            raise ValueError(f"at most {LONGEST_TEXT} characters are taken")
        # Postfix reads printable ASCII; a comma or a blank would end the value early.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*(:[!-+\--~]*)?", text):
            raise ValueError("a transport is needed, such as dovecot or smtp:[192.0.2.1]:25")
        return text

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": LONGEST_TEXT}


_NEXT_HOP = re.compile(
    r"(?:(?P<bare>[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)"
    r"|\[(?P<fixed>[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|(?:[Ii][Pp][Vv]6:)?[0-9A-Fa-f:.]+)\])"
    r"(?::(?P<port>[0-9]{1,5}|[a-z]+))?"
)


@dataclass(frozen=True, slots=True)
class NextHop:
    """A Postfix next hop: ``host``, ``[host]``, with or without ``:port``; the empty text for none.

    A leading ``smtp:`` or ``relay:`` is dropped: sender-dependent relay maps do not know it.
    With ``fixed`` the result is always ``[host]:port``, so that no MX look-up is done.
    """

    fixed: bool = False
    secret: bool = False

    def parse(self, text: str) -> str:
        hop = re.sub(r"^(smtp|relay):", "", text.strip())
        if not hop:
            return ""
        match = _NEXT_HOP.fullmatch(hop)
        if match is None or len(hop) > LONGEST_TEXT - len("relay:[]:25"):
            raise ValueError(
                "a host such as mail.example.org, [192.0.2.1] or [192.0.2.1]:25 is needed"
            )
        port = match["port"]
        if port and port.isdigit() and not 0 < int(port) <= LARGEST_PORT:
            raise ValueError("a port is a number from 1 to 65535")
        if not self.fixed:
            return hop
        return f"[{match['bare'] or match['fixed']}]:{port or 25}"

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": LONGEST_TEXT}


@dataclass(frozen=True, slots=True)
class Stamp:
    """A point in time in UTC, read only: ``2026-05-06T07:08:09Z``, empty where unknown."""

    secret: bool = False

    def parse(self, text: str) -> str:
        return text

    def schema(self) -> Schema:
        return {"type": "string"}


def stamp(moment: dt.datetime) -> str:
    """A time as a ``Stamp`` has it."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Names:
    """A member of a list of names; ``known`` are the ones that this server acts on."""

    known: tuple[str, ...]
    secret: bool = False

    def parse(self, text: str) -> str:
        name = text.strip().lower()
        if not re.fullmatch(r"[a-z0-9_-]{1,64}", name):
            raise ValueError("a name takes letters, digits, hyphens and underscores only")
        return name

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": 64}


MOST_MEMBERS = 10_000


@dataclass(frozen=True, slots=True)
class Many(Generic[T]):
    """A list, written with commas; blanks around members and repeated members are dropped."""

    of: Kind[T]
    secret: bool = False

    def parse(self, text: str) -> tuple[T, ...]:
        members: dict[T, None] = {}
        refused: list[str] = []
        parts = [part for part in text.split(",") if part.strip()]
        if len(parts) > MOST_MEMBERS:
            raise ValueError(f"at most {MOST_MEMBERS} members are taken at once")
        for part in parts:
            try:
                members[self.of.parse(part)] = None
            except ValueError as error:
                refused.append(f"{shown(part)} ({error})")
        if refused:
            raise ValueError("; ".join(refused[:20]))
        return tuple(members)

    def schema(self) -> Schema:
        return {"type": "array", "items": self.of.schema()}


def shown(text: str) -> str:
    """A client's text, safe to repeat in a message: short and without control characters."""
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.strip())
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."
