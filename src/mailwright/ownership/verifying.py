"""Showing what a domain waits for, and looking for it (``/api/domain/ownership/<domain>``).

Looking takes seconds, so it happens between two pieces of work, while neither a database connection nor a
lock is held.  What may have changed meanwhile is asked again under the lock of the domain, and who asks is
then again somebody with the rank of that moment.  The domain is
switched on first and the proof remembered then: a crash in between costs another look, and nothing that is
remembered ever switches a domain on.
"""

from __future__ import annotations

import datetime as dt
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from mailwright.app import App, Identify
from mailwright.authz import Action, Actor, Role
from mailwright.errors import NotAuthenticated, TooManyAttempts
from mailwright.fields.field import AnyField, Changes, Field, Values
from mailwright.fields.kinds import DomainName, Email, Many, Stamp, Text, YesNo
from mailwright.ownership.claims import PAUSE_SECONDS, Claim, Claims
from mailwright.ownership.proving import Evidence, look_for
from mailwright.resources import rights
from mailwright.resources.domain import ADMINS, DOMAIN, RESOURCE, STATUS
from mailwright.storage.protocol import Accounts
from mailwright.tokens import Tokens
from mailwright.work import Work

MOST_AT_ONCE: Final = 2  # in one process: the other threads answer requests
WAITED_FOR: Final = "ownership"  # what the log says of a look without success
_room = threading.BoundedSemaphore(MOST_AT_ONCE)

IS_SET = Field("set", YesNo(), "Whether a proof was asked for", empty=False)
NAME = Field("domain", DomainName(), DOMAIN.help, "")
ADMIN = Field("admin", Email(), "The admin whose proof it is", "")
VERIFIED = Field("verified", YesNo(), "Whether it was proven", empty=False)
CODE = Field("code", Text(), "What a TXT record of the domain has to hold", "")
FILES = Field(
    "files", Many(Text()), "Or else a file at one of these places, with the code as its content", ()
)
MESSAGE = Field("message", Text(), "Why the code was not found", "")
LAST_VERIFY = Field("last_verify", Stamp(), "When it was looked for; empty for never", "")
EXPIRES = Field("expires", Stamp(), "Until when the code, or the proof, is good", "")

SHOWN: Final[tuple[AnyField, ...]] = (
    IS_SET,
    NAME,
    ADMIN,
    STATUS,
    VERIFIED,
    CODE,
    FILES,
    MESSAGE,
    LAST_VERIFY,
    EXPIRES,
)

Told = tuple[dict[str, object], Sequence[str]]


def show(app: App, actor: Actor, name: str) -> Told:
    """What a domain waits for.  ``Forbidden``, ``NotFound``."""
    return _shown(app, actor, RESOURCE.read_key(name), Action.VIEW)


def verify(app: App, actor: Actor, name: str, tls: ssl.SSLContext | None = None) -> Told:
    """Look for the code now if it is waited for, and switch the domain on if it is there.

    ``Forbidden``, ``NotFound``, ``TooManyAttempts``; ``NotAuthenticated`` if the actor is no admin any more
    when that is done.  ``tls`` is for web servers without a certificate of
    an authority that the system knows.
    """
    name = RESOURCE.read_key(name)
    claims = app.claims

    def started(work: Work) -> tuple[Claim | None, bool]:
        rights.permit(work, Action.UPDATE, RESOURCE.name, name, name)
        claim, _ = _standing(work, claims, name)
        if claim is None or claim.verified:
            return None, False
        begun = claims.begin(claim)
        return begun, begun.code == claim.code

    with _one_of_few():
        (claim, is_to_be_looked_for), warnings = app.run(actor, started)
        if claim is not None and is_to_be_looked_for:
            evidence = look_for(claim.code, name, app.settings.ownership, tls)
            again = _as_they_are(app, actor)
            if app.run(again, lambda work: _concluded(work, claims, claim, evidence))[0]:
                claims.proven(claim)
        elif claim is not None:
            warnings = [*warnings, "the code was too old; there is a new one to publish"]
    told, _ = _shown(app, _as_they_are(app, actor), name, Action.UPDATE)
    if told.get(VERIFIED.name) and told[STATUS.name] != "active":
        warnings = [*warnings, f"{name} was proven before, and switched off by a global admin"]
    return told, warnings


def _as_they_are(app: App, actor: Actor) -> Actor | Identify:
    """The same actor with the rank of the moment when they are asked for; who has the machine stays that."""
    if actor.channel != "api":
        return actor

    def identify(accounts: Accounts) -> Actor:
        found = accounts.administrator(actor.username)
        if found is None:
            raise NotAuthenticated(f"{actor.username} is no admin any more")
        if actor.token and Tokens(app.databases["iredadmin"]).find(actor.token) is None:
            raise NotAuthenticated("the API token was revoked")
        return replace(actor, role=Role.of(is_global=found.is_global))

    return identify


def _shown(app: App, who: Actor | Identify, name: str, action: Action) -> Told:
    def operation(work: Work) -> dict[str, object]:
        rights.permit(work, action, RESOURCE.name, name, name)
        claim, status = _standing(work, app.claims, name)
        return _told(claim, name, status)

    return app.run(who, operation)


def _concluded(work: Work, claims: Claims, claim: Claim, evidence: Evidence) -> bool:
    """Switch the domain on if the code was found and is still waited for: whether it is on."""
    name = claim.domain
    rights.permit(work, Action.UPDATE, RESOURCE.name, name, name)
    if not evidence.proven:
        claims.failed(claim, evidence.message)
        work.note(Action.UPDATE, RESOURCE.name, name, name, fields=(WAITED_FOR,))
        return False
    work.accounts.begin()
    record = work.accounts.get(RESOURCE, name, (STATUS, ADMINS), lock=True)
    admins: tuple[str, ...] = record[ADMINS]
    now = claims.again(claim)
    if now is None or now.verified or now.code != claim.code or now not in claims.of(name, admins):
        return False
    if record[STATUS] != "active":
        changes = Changes({STATUS: "active"})
        work.accounts.change(RESOURCE, record, changes)
        work.note(
            Action.UPDATE,
            RESOURCE.name,
            name,
            name,
            fields=(STATUS.name,),
            event="active",
            before=record,
            after=changes,
        )
    return True


def _standing(work: Work, claims: Claims, name: str) -> tuple[Claim | None, str]:
    """The claim that counts for the actor, and whether the domain is on.  ``NotFound``.

    Only claims of its present admins count: of a domain that is off what is still to be proven, of one
    that is on what was; among those the actor's own.
    """
    record = work.accounts.get(RESOURCE, name, (STATUS, ADMINS))
    admins: tuple[str, ...] = record[ADMINS]
    own = work.actor.username.lower()
    is_on = record[STATUS] == "active"
    found = sorted(
        claims.of(name, admins),
        key=lambda claim: (claim.verified != is_on, claim.admin.lower() != own),
    )
    return (found[0] if found else None), record[STATUS]


def _told(claim: Claim | None, name: str, status: str) -> dict[str, object]:
    if claim is None:
        return {IS_SET.name: False}
    files = tuple(f"{scheme}://{name}/{claim.code}" for scheme in ("http", "https"))
    values: dict[AnyField, Any] = {
        IS_SET: True,
        NAME: name,
        ADMIN: claim.admin,
        STATUS: status,
        VERIFIED: claim.verified,
        CODE: claim.code,
        FILES: files,
        MESSAGE: claim.message,
        LAST_VERIFY: claim.last_verify,
        EXPIRES: _moment(claim.expires),
    }
    found = Values(values)
    return {field.name: found[field] for field in SHOWN}


def _moment(seconds: int) -> str:
    if not seconds:
        return ""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def _one_of_few() -> Iterator[None]:
    """Whoever looks for codes keeps a thread for seconds; some are left for everybody else."""
    if not _room.acquire(blocking=False):
        raise TooManyAttempts("other domains are being verified now", retry_after=PAUSE_SECONDS)
    try:
        yield
    finally:
        _room.release()
