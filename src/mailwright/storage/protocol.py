"""What every account store promises.

* What is written is read back as an equal value.
* A change leaves every other field and every other account alone.
* A removed account leaves nothing behind for its successor.
* A transaction that fails leaves no trace.
* A missing key is ``NotFound``, a taken one ``Exists``; no driver's exception gets out.

The conformance suite holds every store to this.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from mailwright.errors import Unavailable
from mailwright.fields.field import AnyField, Changes, Record
from mailwright.fields.resource import Resource

EVERY_DOMAIN = "ALL"  # what a global admin administers
ZERO_DATE = "0000-00-00 00:00:00"  # a sort value: a time that is none


class Contention(Unavailable):
    """Another piece of work was in the way and this one was undone; the whole of it may be repeated."""

    default_code = "BUSY"


@dataclass(frozen=True, slots=True)
class Query:
    """Which accounts a ``find`` wants, and in which order.

    ``within`` is a domain; ``only`` are fields with the value they must have, ``either`` such of which one
    is enough; ``text`` is looked for in ``searched``.  Of domains, ``administered_by`` wants those of an
    admin, and ``among`` those named.  ``after`` is the sort value and key of the last account of the page
    before.
    """

    within: str | None = None
    only: Mapping[AnyField, Any] = field(default_factory=dict)
    either: Mapping[AnyField, Any] = field(default_factory=dict)
    text: str = ""
    sort: AnyField | None = None
    descending: bool = False
    limit: int | None = None
    after: tuple[str | int, str] | None = None
    administered_by: str | None = None
    among: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Accounts in order, and where the next page begins, if there is one.

    ``places`` are the sort value and key of each, where the query has a limit.
    """

    records: Sequence[Record]
    next: tuple[str | int, str] | None = None
    places: Sequence[tuple[str | int, str]] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """Keys in order, and where the next page begins, if there is one; ``places`` as in ``Page``."""

    keys: Sequence[str]
    next: tuple[str | int, str] | None = None
    places: Sequence[tuple[str | int, str]] = ()


@dataclass(frozen=True, slots=True)
class Farewell:
    """How a removed mailbox is remembered: by whom, when, and until which day (``None``: for ever)."""

    admin: str
    at: dt.datetime
    until: dt.date | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a domain holds: accounts by sort, and the allocated mailbox quota in MB."""

    users: int
    aliases: int
    lists: int
    quota: int


@dataclass(frozen=True, slots=True)
class Administrator:
    """An account that may log in to administer; any of its stored password hashes will do."""

    username: str
    passwords: tuple[str, ...] = field(repr=False)
    is_global: bool = False
    is_mail_user: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """An account that a change of many could not change; an empty ``key`` is all that were not reached."""

    key: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Changed:
    """How many accounts a change of many changed, which it could not, and which ones it spared besides."""

    number: int
    failures: Sequence[Failure] = ()
    spared: Sequence[str] = ()


class AllBut(Container[str]):
    """Any name except these."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def __contains__(self, name: object) -> bool:
        return name not in self._names


class Accounts(Protocol):
    """Accounts as one piece of work sees them; reads before ``begin`` are not in a transaction."""

    @property
    def all_at_once(self) -> bool:
        """Whether ``change_all`` changes all accounts or none; else it tells which it could not."""
        ...

    def begin(self) -> None:
        """Start the transaction; everything after it is one."""
        ...

    def commit(self) -> None:
        """Make the changes last; leaving without it undoes them."""
        ...

    def get(
        self,
        resource: Resource,
        key: str,
        fields: Iterable[AnyField] | None = None,
        *,
        lock: bool = False,
    ) -> Record:
        """One account; with ``lock`` nobody else changes it until the transaction ends.  ``NotFound``."""
        ...

    def find(
        self, resource: Resource, query: Query, fields: Iterable[AnyField] | None = None
    ) -> Page:
        """Accounts in order; counted fields are left out, because each would cost a scan."""
        ...

    def find_names(self, resource: Resource, query: Query) -> Names:
        """Only the keys of ``find``."""
        ...

    def count(self, resource: Resource, query: Query) -> int:
        """How many accounts ``find`` would give without a limit."""
        ...

    def add(self, resource: Resource, key: str, changes: Changes) -> None:
        """A new account.  ``Exists``."""
        ...

    def change(self, resource: Resource, record: Record, changes: Changes) -> None:
        """Write the changed fields of an account that ``get`` gave with ``lock``."""
        ...

    def hold_all(self, resource: Resource, domain: str) -> None:
        """Have nobody else change the accounts of a domain until the transaction ends, if ``all_at_once``.

        They are locked as one account is: before domains.
        """
        ...

    def change_all(
        self,
        resource: Resource,
        domain: str,
        changes: Changes,
        each: Mapping[str, Changes] | None = None,
        spare: Collection[str] = (),
        *,
        known: Collection[str] | None = None,
    ) -> Changed:
        """Write the same changes to every account of a domain but ``spare``, and ``each`` account's own.

        Where not ``all_at_once``, who ranks as an admin when their turn comes is spared, too, unless they
        are among ``known`` and no global admins; with ``None`` nobody else is.
        """
        ...

    def remove(self, resource: Resource, key: str, farewell: Farewell) -> None:
        """Remove the account and all that refers to it.  ``NotFound``."""
        ...

    def rename(self, resource: Resource, old: str, new: str) -> None:
        """Give an account a new key, everywhere.  ``NotFound``, ``Exists``."""
        ...

    def is_taken(self, address: str) -> bool:
        """Whether a user, alias, list, admin or further address of one of them has this address."""
        ...

    def is_group(self, address: str) -> bool:
        """Whether a mail alias account has this address."""
        ...

    def kept_mailboxes(self, address: str) -> Sequence[str]:
        """Paths of mailboxes that removed accounts of this address left behind."""
        ...

    def hosted_domain(self, name: str) -> str | None:
        """The domain itself, the target of an alias domain, or ``None``."""
        ...

    def standalone_admins(self, domain: str) -> frozenset[str]:
        """The standalone admins, active or not, whose addresses are in a domain, hosted or not."""
        ...

    def usage(self, *domains: str) -> Usage:
        """What domains hold, together."""
        ...

    def manages(self, username: str, domain: str) -> bool:
        """Whether an admin was given this very domain; asks the same whether it exists or not."""
        ...

    def administers(self, username: str, *, active: bool = False) -> frozenset[str]:
        """The domains that an account was given; ``EVERY_DOMAIN`` for a global admin.

        Also what was switched off, unless only what is ``active`` is asked for.
        """
        ...

    def admins_among(self, domain: str) -> Mapping[str, frozenset[str]]:
        """The mail users of a domain that may administer, and what, as ``administers`` says it.

        Some were given nothing yet.
        """
        ...

    def admin_settings(self, username: str) -> Mapping[str, str]:
        """The settings that an account has as an admin: limits, and what else stands there."""
        ...

    def hold_limits(self, username: str) -> None:
        """Have nobody else settle the limits of an admin until the transaction ends.

        Taken after the locks of accounts and domains, by everybody.
        """
        ...

    def administrator(self, username: str) -> Administrator | None:
        """The active account that may administer under this name, with the spelling that is stored."""
        ...

    def global_admins(self) -> Sequence[str]:
        """The active global admins; within a transaction nobody else changes who they are."""
        ...

    def supports(self, resource: Resource, field: AnyField) -> bool:
        """Whether this server's schema has a place for the field."""
        ...

    def names_kept(self, resource: Resource, field: AnyField) -> Container[str] | None:
        """The members of a list that this backend can keep; ``None`` for any."""
        ...


class AccountStore(Protocol):
    """Where accounts are kept."""

    @property
    def backend(self) -> str:
        """The configured name: ``sqlite``, ``postgresql``, ``mysql``, ``ldap``."""
        ...

    def session(self) -> AbstractContextManager[Accounts]:
        """Accounts for one piece of work."""
        ...

    def check(self) -> Sequence[str]:
        """Connect and look at the schema; sentences about what is missing."""
        ...

    def down(self) -> Sequence[str]:
        """What it needs besides the databases and gets no answer from."""
        ...

    def is_unfinished(self, key: str) -> bool:
        """Whether an interrupted operation on this account or its domain is still to be finished."""
        ...

    def finish(self, key: str) -> None:
        """Finish what an interruption left half-done of this account's domain.  ``Unavailable``."""
        ...

    def repair(self) -> Sequence[str]:
        """Finish what an interruption left half-done; sentences about what was done and what stays."""
        ...

    def close(self) -> None:
        """Close the idle connections."""
        ...


Clock = Callable[[], dt.datetime]
