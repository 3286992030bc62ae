"""A piece of work: one actor, one transaction, what was done and what the client should hear."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from mailwright.authz import Action, Actor
from mailwright.fields.differences import Differences, differences
from mailwright.fields.field import Values
from mailwright.passwords import PasswordPolicy
from mailwright.settings import Settings
from mailwright.storage.protocol import Accounts

SPARED: Final = "_spared"  # among the changes of a note: no field's name begins so


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was done, for the record and the administration log; never a secret value."""

    action: Action
    event: str
    resource: str
    key: str
    domain: str
    fields: tuple[str, ...] = ()
    changes: Differences = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What an actor asks for, told before it is decided whether they may."""

    action: Action
    resource: str
    key: str
    domain: str


@dataclass(frozen=True, slots=True)
class Leftover:
    """What the policy databases still hold of an account that is being removed."""

    kind: str  # domain or user
    key: str


class Claims(Protocol):
    """Domains that wait for a proof that they belong to the admin who added them."""

    def make(self, admin: str, domain: str) -> bool:
        """Have a domain wait for a proof, unless this admin gave one lately: whether they did."""
        ...

    def vouch(self, domain: str, admins: Collection[str]) -> None:
        """A global admin switches the domain on, which is as good as a proof by its admins."""
        ...

    def withdraw(self, domain: str) -> bool:
        """A global admin switches the domain off: no proof switches it on again.  Whether there was one."""
        ...

    def waits(self, domain: str, admins: Collection[str]) -> bool:
        """Whether one of its admins has yet to prove that the domain is theirs."""
        ...


@dataclass(slots=True)
class Work:
    """What an operation needs, and what it leaves behind."""

    actor: Actor
    accounts: Accounts
    settings: Settings
    policy: PasswordPolicy
    now: dt.datetime
    hash_password: Callable[[str], str]
    announce: Callable[[Leftover], None]
    finish: Callable[[Leftover], None]
    known: frozenset[str]  # every parameter name that any route takes or shows
    write_notes: Callable[[Sequence[Note]], None]
    claims: Claims
    attempted: Attempt | None = None
    shortfall: str = ""  # the code, where not all of it could be done
    notes: list[Note] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    signed_out: list[str] = field(default_factory=list)
    stay_signed_in: set[str] = field(default_factory=set)

    def note(
        self,
        action: Action,
        resource: str,
        key: str,
        domain: str,
        *,
        fields: tuple[str, ...] = (),
        event: str = "",
        before: Values | None = None,
        after: Values | None = None,
        spared: Collection[str] = (),
    ) -> None:
        """Remember what was done; it is recorded before it is committed.

        ``spared`` are accounts that a change of many left alone.
        """
        changes = differences(before, after)
        if spared:
            changes[SPARED] = sorted(spared)
        self.notes.append(
            Note(action, event or action.value, resource, key, domain, fields, changes)
        )

    def record(self) -> None:
        """Record now what was noted, because what follows takes effect at once.  ``Unavailable``."""
        self.write_notes(self.notes)

    def attempt(self, action: Action, resource: str, key: str, domain: str | None) -> None:
        """Say what is asked for, so that a refusal is on record with it; what is said first counts."""
        if self.attempted is None:
            self.attempted = Attempt(action, resource, key, domain or "")

    def warn(self, sentence: str) -> None:
        """Tell the client something that is no error."""
        self.warnings.append(sentence)

    def end_sessions(self, username: str, spare: Collection[str] = ()) -> None:
        """Have the sessions of an account end once the work has committed, or of all ``@domain`` but some."""
        self.signed_out.append(username)
        self.stay_signed_in.update(name.lower() for name in spare)

    def leave(self, leftover: Leftover) -> None:
        """Have the policy databases forget an account once its removal has committed.

        Recorded before the account goes, so that an interruption loses nothing.
        """
        self.announce(leftover)
        self.leftovers.append(leftover)
