"""Places: where a field's value is kept.  Data only; storage acts on it.

Each ``match`` over ``SqlPlace`` ends in ``assert_never``, so that the type checker names the one that
was forgotten.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Codec(enum.Enum):
    """How one value is written into one column or settings key."""

    TEXT = enum.auto()
    WHOLE = enum.auto()
    LIMIT = enum.auto()  # a whole number, or -1 where none is allowed; settings only
    FLAG = enum.auto()  # true/false as 1/0; a settings key says yes, or is not there
    STATUS = enum.auto()  # active/disabled as 1/0
    STAMP = enum.auto()  # UTC time without a zone
    EPOCH = enum.auto()  # Unix seconds, read only
    LIST = enum.auto()  # comma list, sorted; settings only
    NEVER_SHOWN = enum.auto()  # password hashes
    HASHES = enum.auto()  # the same, to compare a password with; read only


@dataclass(frozen=True, slots=True)
class Mirror:
    """Rows of another table whose ``column`` follows the account's own value."""

    table: str
    key: str
    column: str
    where: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the account's own row."""

    name: str
    codec: Codec = Codec.TEXT
    mirrors: tuple[Mirror, ...] = ()


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of the account's ``key:value;`` settings string; empty and 0 are not written."""

    key: str
    codec: Codec = Codec.TEXT
    only: tuple[str, ...] = ()  # of a list: the members that mean something here; empty for any


class Part(enum.Enum):
    """What a derived column of a side row holds."""

    KEY_DOMAIN = enum.auto()  # the domain of the account
    VALUE_DOMAIN = enum.auto()  # the domain part of the value
    VALUE_HOST = enum.auto()  # the hosted (primary) domain of the value


@dataclass(frozen=True, slots=True)
class SideRow:
    """At most one row of another table; no row means the empty value."""

    table: str
    key: str
    value: str
    prefix: str = ""  # put before the account's key, such as the @ of @example.org
    parts: Mapping[str, Part] = field(default_factory=dict)
    stamped: bool = True  # the table has created, modified and active


@dataclass(frozen=True, slots=True)
class SideRows:
    """Any number of rows of another table, one for each member of a list.

    ``where`` both selects the rows and marks new ones.  ``status``, if given, is the column that
    follows the account's own status when a row is written.
    """

    table: str
    key: str
    value: str
    where: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)
    status: str = ""
    stamped: bool = False


@dataclass(frozen=True, slots=True)
class Switch:
    """One name of a ``Switches``: its own column and those that change with it."""

    own: str
    coupled: tuple[str, ...] = ()
    on: int | str = 1
    off: int | str = 0


@dataclass(frozen=True, slots=True)
class Switches:
    """A list of names, each an on/off column of the account's row."""

    names: Mapping[str, Switch]


@dataclass(frozen=True, slots=True)
class Joined:
    """A column of another table's row for this account, read only; another program writes it."""

    table: str
    key: str
    column: str
    codec: Codec


@dataclass(frozen=True, slots=True)
class Counted:
    """A number of rows, or a sum over them, read only; left out of lists."""

    table: str
    key: str
    where: Mapping[str, int] = field(default_factory=dict)
    total: str = ""  # the column to add up; empty counts rows


@dataclass(frozen=True, slots=True)
class Derived:
    """Not stored: told from other fields' values, which are given by name."""

    needs: tuple[str, ...]
    tell: Callable[[Mapping[str, Any]], object]


SqlPlace = Column | Setting | SideRow | SideRows | Switches | Joined | Counted | Derived


class Match(enum.Enum):
    """How a column refers to an account."""

    KEY = enum.auto()  # equals the account's key
    WITHIN = enum.auto()  # an address of this domain
    AT_KEY = enum.auto()  # @ and the key


@dataclass(frozen=True, slots=True)
class Reference:
    """A column of the account database in which an account's key can stand.

    ``domain`` is the column that repeats the domain part and follows a rename.  A table has one row
    for each account if the column is ``unique``, or one for each pair with the column ``beside``.
    ``unless`` is a table and its column: a row whose key stands there belongs to an account of another
    sort and stays.  ``where`` are fixed values of the rows that are meant.
    """

    table: str
    column: str
    match: Match = Match.KEY
    domain: str = ""
    unique: bool = False
    beside: str = ""
    unless: tuple[str, str] | None = None
    where: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Journal:
    """The table that remembers mailboxes whose account is gone, so that a job can erase them."""

    table: str
    path: tuple[str, ...]  # columns of the mailbox row, joined with /
    mailboxes: str
    key: str
    domain: str
    usage: str


@dataclass(frozen=True, slots=True)
class SqlHome:
    """Where the accounts of one resource live in SQL."""

    table: str
    key: str
    domain: str = ""  # the column with the domain part; empty where the key is a domain
    settings: str = "settings"
    references: tuple[Reference, ...] = ()
    contains: tuple[Reference, ...] = ()  # rows of accounts below a domain, removed with it
    journal: Journal | None = None
    self_rows: SideRows | None = None  # an account left without any row here gets itself back
