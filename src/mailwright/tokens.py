"""API tokens: what a script shows in place of an admin's login, never more than the admin may.

A token is ``mw_<id>_<secret>``.  The id is public and finds it; of the secret, which is random, only the
SHA-256 digest is kept.  Tokens lie in ``mailwright_tokens``, beside the sessions.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from mailwright.authz import EVERYTHING, Action, Role, Scope
from mailwright.errors import Forbidden, Invalid, LimitReached, NotAuthenticated, NotFound
from mailwright.fields import page_tokens
from mailwright.fields.addresses import LONGEST_ADDRESS, domain_of
from mailwright.fields.field import AnyField, Field, Values
from mailwright.fields.kinds import (
    Choice,
    DomainName,
    Many,
    Schema,
    Stamp,
    Text,
    Whole,
    YesNo,
    stamp,
)
from mailwright.networks import Networks
from mailwright.resources import admin as admins
from mailwright.resources import domain as domains
from mailwright.resources import user as users
from mailwright.resources.listing import MOST_ON_A_PAGE, PAGE_TOKEN
from mailwright.storage.sql.engine import Database, Row
from mailwright.work import Work

T = TypeVar("T")

RESOURCE: Final = "token"
AUDIT: Final = "audit"  # no sort of account, but a token may be for nothing else
SORTS: Final = (*(each.RESOURCE.name for each in (domains, users, admins)), AUDIT)
ID_BYTES: Final = 8
SECRET_BYTES: Final = 32
USED_SECONDS: Final = 60  # the last use is written at most this often
MOST_MEMBERS: Final = 100  # of each bound; they are read with every request
MOST_DAYS: Final = 36_500
ON_A_PAGE: Final = 100  # where a page token comes without a limit
_ID: Final = re.compile(r"[0-9a-f]{16}")
_TEXT: Final = re.compile(rf"mw_({_ID.pattern})_([A-Za-z0-9_-]{{43}})")
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_COLUMNS: Final = (
    '"id", "secret_hash", "owner", "label", "created", "expires", "networks", "read_only", "domains", '
    '"resources", "last_used", "last_address"'
)


# What is asked for -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class End:
    """A point in time with its zone (RFC 3339), or a number of days from now; empty for never."""

    secret: bool = False

    def parse(self, text: str) -> dt.datetime | dt.timedelta | None:
        text = text.strip()
        if not text:
            return None
        if re.fullmatch(r"[0-9]{1,5}", text) and 1 <= int(text) <= MOST_DAYS:
            return dt.timedelta(days=int(text))
        try:
            if _TIME.fullmatch(text):
                return dt.datetime.fromisoformat(text.upper())
        except ValueError:
            pass
        raise ValueError(
            f"a number of days from 1 to {MOST_DAYS} or a time such as 2027-01-31T12:00:00Z is needed"
        )

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": 40}


@dataclass(frozen=True, slots=True)
class Network:
    """An address or a network, ``192.0.2.0/24``."""

    secret: bool = False

    def parse(self, text: str) -> str:
        try:
            if "%" not in text:
                return str(ipaddress.ip_network(text.strip()))
        except ValueError:
            pass
        raise ValueError(
            "an address or a network such as 192.0.2.0/24 is needed, with no bits set beyond its length"
        )

    def schema(self) -> Schema:
        return {"type": "string", "maxLength": 43}


@dataclass(frozen=True, slots=True)
class Bound(Many[T]):
    """A list that is not empty: a variable that a script left empty must not mean everything."""

    def parse(self, text: str) -> tuple[T, ...]:
        # Named, because a dataclass with slots is not the class that the body knows.
        members = Many.parse(self, text)
        if not members:
            raise ValueError("name at least one, or leave the parameter out")
        if len(members) > MOST_MEMBERS:
            raise ValueError(f"at most {MOST_MEMBERS} are taken")
        return members


LABEL = Field("label", Text(100), "What the token is for", "", example="nightly export")
EXPIRES: Field[dt.datetime | dt.timedelta | None] = Field(
    "expires",
    End(),
    "When the token ends: a time with its zone (RFC 3339), or a number of days; never without it",
    None,
    example="90",
)
NETWORKS: Field[tuple[str, ...]] = Field(
    "networks",
    Bound(Network()),
    "Addresses and networks that the token may be used from; any without it",
    (),
    example="192.0.2.0/24,2001:db8::/32",
)
READ_ONLY = Field(
    "read_only",
    YesNo(),
    "Whether the token changes nothing and only reads",
    empty=False,
    example="yes",
)
DOMAINS: Field[tuple[str, ...]] = Field(
    "domains",
    Bound(DomainName()),
    "Domains that the token is bound to; all that its owner administers without it",
    (),
    example="example.org",
)
RESOURCES: Field[tuple[str, ...]] = Field(
    "resources",
    Bound(Choice(SORTS)),
    "Sorts of accounts, and the audit record, that the token is bound to; any without it",
    (),
    example="user",
)
ALL = Field(
    "all", YesNo(), "The tokens of all admins; for global admins", empty=False, example="yes"
)

LIMIT = Field(
    "limit",
    Whole(1, MOST_ON_A_PAGE),
    "Most tokens in the answer; the next ones are reached with page_token",
    0,
    example="50",
)
TAKEN: Final[tuple[AnyField, ...]] = (LABEL, EXPIRES, NETWORKS, READ_ONLY, DOMAINS, RESOURCES)
LISTED: Final[tuple[AnyField, ...]] = (ALL, LIMIT, PAGE_TOKEN)
PARAMETERS: Final[tuple[AnyField, ...]] = (*TAKEN, ALL)  # that no other route takes

# What an answer tells.
ID = Field("id", Text(), "The public part of the token, which names it", "")
OWNER = Field("owner", Text(LONGEST_ADDRESS), "The admin that the token speaks for", "")
CREATED = Field("created", Stamp(), "When it was created", "")
ENDS = Field("expires", Stamp(), "When it ends; empty for never", "")
LAST_USED = Field("last_used", Stamp(), "When it was last used, to the minute; empty for never", "")
LAST_ADDRESS = Field("last_address", Text(64), "The client address of that use", "")
TEXT = Field("token", Text(), "The token itself; it is told this once", "")

SHOWN: Final[tuple[AnyField, ...]] = (
    ID,
    OWNER,
    LABEL,
    CREATED,
    ENDS,
    NETWORKS,
    READ_ONLY,
    DOMAINS,
    RESOURCES,
    LAST_USED,
    LAST_ADDRESS,
)


# What is kept ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Token:
    """One token as it is stored; times are seconds since 1970, 0 for never."""

    ident: str
    digest: str = field(repr=False)
    owner: str
    label: str
    created: int
    expires: int = 0
    networks: tuple[str, ...] | None = None
    scope: Scope = EVERYTHING
    last_used: int = 0
    last_address: str = ""

    def opens(self, secret: str, now: int, address: str) -> bool:
        """Whether this is its secret, in its time and from one of its networks."""
        return (
            hmac.compare_digest(_digest(secret), self.digest)
            and (not self.expires or now < self.expires)
            and (self.networks is None or address in Networks(filter(None, self.networks)))
        )

    def told(self) -> dict[str, object]:
        """What may be told of it, by name; ``None`` where it is not bound."""
        found = self.values()
        return {each.name: found[each] for each in SHOWN}

    def values(self) -> Values:
        """The same by field."""
        values: dict[AnyField, Any] = {
            ID: self.ident,
            OWNER: self.owner,
            LABEL: self.label,
            CREATED: _stamp(self.created),
            ENDS: _stamp(self.expires),
            NETWORKS: self.networks,
            READ_ONLY: self.scope.read_only,
            DOMAINS: _sorted(self.scope.domains),
            RESOURCES: _sorted(self.scope.resources),
            LAST_USED: _stamp(self.last_used),
            LAST_ADDRESS: self.last_address,
        }
        return Values(values)


Place = tuple[str, int, str]  # of a token in a list: owner, created, id


@dataclass(frozen=True, slots=True)
class Page:
    """Some tokens in order, and the page token of the next ones, if there are any."""

    tokens: Sequence[Token]
    next: str | None = None


class Tokens:
    """The tokens of all workers; safe to use from many threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, ident: str) -> Token | None:
        """The token of an id."""
        found = self._rows('WHERE "id" = %s', ident)
        return found[0] if found else None

    def of(
        self, owner: str | None, *, after: Place | None = None, limit: int | None = None
    ) -> Sequence[Token]:
        """The tokens of an admin or all, by owner and the oldest first; those after a place."""
        conditions, parameters = ["1 = 1"], list[object]()
        if owner is not None:
            conditions.append('"owner" = %s')
            parameters.append(owner)
        if after is not None:
            last_owner, created, ident = after
            conditions.append(
                '("owner" > %s OR ("owner" = %s AND '
                '("created" > %s OR ("created" = %s AND "id" > %s))))'
            )
            parameters += [last_owner, last_owner, created, created, ident]
        several = "" if limit is None else f" LIMIT {int(limit)}"
        where = " AND ".join(conditions)
        return self._rows(f'WHERE {where} ORDER BY "owner", "created", "id"{several}', *parameters)

    def number_of(self, owner: str, now: int) -> int:
        """How many tokens of an admin have not ended."""
        with self._database.connection() as connection:
            return int(
                connection.value(
                    'SELECT COUNT(*) FROM "mailwright_tokens" '
                    'WHERE "owner" = %s AND ("expires" = 0 OR "expires" > %s)',
                    (owner, now),
                )
            )

    def add(self, token: Token) -> None:
        """Keep a new token."""
        scope = token.scope
        values = (
            token.ident,
            token.digest,
            token.owner,
            token.label,
            token.created,
            token.expires,
            _joined(token.networks),
            int(scope.read_only),
            _joined(_sorted(scope.domains)),
            _joined(_sorted(scope.resources)),
            token.last_used,
            token.last_address,
        )
        marks = ", ".join(["%s"] * len(values))
        with self._database.transaction() as connection:
            connection.execute(
                f'INSERT INTO "mailwright_tokens" ({_COLUMNS}) VALUES ({marks})',  # noqa: S608
                values,
            )

    def remove(self, ident: str) -> bool:
        """Drop a token for ever; whether it was there."""
        with self._database.transaction() as connection:
            return (
                connection.execute('DELETE FROM "mailwright_tokens" WHERE "id" = %s', (ident,)) > 0
            )

    def used(self, token: Token, now: int, address: str) -> None:
        """Note the use of a token, unless that was done a moment ago."""
        if now - token.last_used < USED_SECONDS:
            return
        with self._database.connection() as connection:
            connection.execute(
                'UPDATE "mailwright_tokens" SET "last_used" = %s, "last_address" = %s '
                'WHERE "id" = %s AND "last_used" <= %s',
                (now, address[:64], token.ident, now - USED_SECONDS),
            )

    def _rows(self, condition: str, *parameters: object) -> list[Token]:
        with self._database.connection() as connection:
            rows = connection.rows(
                f'SELECT {_COLUMNS} FROM "mailwright_tokens" {condition}',  # noqa: S608
                parameters,
            )
        return [_token(row) for row in rows]


class NotTheirs(NotFound, Forbidden):
    """For a client there is nothing; on record it was refused."""


def parts(text: str) -> tuple[str, str] | None:
    """The id and the secret of what looks like a token."""
    match = _TEXT.fullmatch(text)
    return None if match is None else (match[1], match[2])


# What is done ----------------------------------------------------------------------------------


def issue(
    work: Work, tokens: Tokens, owner: str, asked: Mapping[AnyField, Any]
) -> tuple[Token, str]:
    """A new token and, this once, its text.

    ``Invalid``, ``Forbidden``, ``NotFound``, ``LimitReached``.
    """
    work.attempt(Action.CREATE, RESOURCE, owner, domain_of(owner))
    _by_login_only(work)
    work.accounts.begin()
    work.accounts.hold_limits(owner)
    admin = work.accounts.administrator(owner)
    if admin is None:
        raise NotFound(f"{owner} is no active admin")
    now = int(work.now.timestamp())
    expires = _end(asked[EXPIRES], now)
    for domain in () if admin.is_global else asked[DOMAINS]:
        if not work.accounts.manages(admin.username, domain):
            raise Forbidden(f"{admin.username} does not administer {domain}")
    most = work.settings.api.tokens_per_admin
    if tokens.number_of(admin.username, now) >= most:
        raise LimitReached(
            f"{admin.username} may have {most} API tokens; revoke one that is not needed",
            code="EXCEED_LIMIT_TOKENS",
        )
    ident, secret = secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    scope = Scope(asked[READ_ONLY], _bound(asked[DOMAINS]), _bound(asked[RESOURCES]))
    token = Token(
        ident,
        _digest(secret),
        admin.username,
        asked[LABEL],
        now,
        expires,
        asked[NETWORKS] or None,
        scope,
    )
    values = token.values()
    work.note(
        Action.CREATE,
        RESOURCE,
        ident,
        domain_of(admin.username),
        after=Values({each: values[each] for each in (OWNER, ENDS, *TAKEN) if each is not EXPIRES}),
    )
    work.record()
    tokens.add(token)
    # Who is removed from now on takes the token along; who was removed meanwhile leaves none.  On SQL
    # nobody is: their row is held.
    if work.accounts.administrator(admin.username) is None:
        tokens.remove(ident)
        raise NotAuthenticated(f"{admin.username} is no admin any more")
    return token, f"mw_{ident}_{secret}"


def page(work: Work, tokens: Tokens, owner: str | None, *, limit: int = 0, after: str = "") -> Page:
    """The tokens of one admin, or all; whoever shows a token sees that one.

    With a limit that many, after the page token of the page before.  ``Forbidden``, ``Invalid``.
    """
    actor = work.actor
    if owner != actor.username and (actor.role is not Role.GLOBAL_ADMIN or actor.token):
        work.attempt(Action.LIST, RESOURCE, owner or "", None)
        raise Forbidden("the tokens of all admins are for global admins who have logged in")
    if actor.token:
        own = tokens.find(actor.token)
        return Page(() if own is None else (own,))
    if after and not limit:
        limit = ON_A_PAGE
    found = tokens.of(owner, after=_place(after), limit=limit + 1 if limit else None)
    if not limit or len(found) <= limit:
        return Page(found)
    last = found[limit - 1]
    return Page(found[:limit], page_tokens.written((last.owner, last.created, last.ident)))


def revoke(work: Work, tokens: Tokens, ident: str) -> Token:
    """End a token.  ``Forbidden``, ``NotFound``: the same for one of others and for none.

    So is what is on record of it: a domain admin who read there which of both it was would know.
    """
    actor, missing = work.actor, _no_such_token()
    if _ID.fullmatch(ident) is None:
        raise missing
    work.attempt(Action.DELETE, RESOURCE, ident, None)
    _by_login_only(work)
    token = tokens.find(ident)
    if actor.role is not Role.GLOBAL_ADMIN and (token is None or token.owner != actor.username):
        raise NotTheirs(missing.reason, code=missing.code, parameter=missing.parameter)
    if token is None:
        raise missing
    work.note(
        Action.DELETE,
        RESOURCE,
        ident,
        domain_of(token.owner),
        event="revoke",
        before=Values({OWNER: token.owner, LABEL: token.label}),
    )
    work.record()
    if not tokens.remove(ident):
        raise missing
    return token


def _place(text: str) -> Place | None:
    if not text:
        return None
    place: Place = page_tokens.read(text, tuple[str, int, str])
    if abs(place[1]) >= 2**63:
        raise page_tokens.made_up()
    return place


def _by_login_only(work: Work) -> None:
    if work.actor.token:
        raise Forbidden("an API token neither creates nor revokes tokens; log in for that")


def _no_such_token() -> NotFound:
    return NotFound("there is no such token", code="NO_SUCH_TOKEN", parameter="id")


def _end(asked: dt.datetime | dt.timedelta | None, now: int) -> int:
    match asked:
        case None:
            return 0
        case dt.timedelta():
            return now + int(asked.total_seconds())
        case _ if (end := int(asked.timestamp())) > now:
            return end
    raise Invalid("expires: this time is over", parameter="expires")


def _bound(members: tuple[str, ...]) -> frozenset[str] | None:
    return frozenset(members) or None


def _sorted(members: frozenset[str] | None) -> tuple[str, ...] | None:
    return None if members is None else tuple(sorted(members))


def _joined(members: tuple[str, ...] | None) -> str | None:
    return None if members is None else ",".join(members)


def _split(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(text.split(","))


def _set(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(text.split(","))


def _token(row: Row) -> Token:
    ident, digest, owner, label, created, expires, networks, *rest = row
    read_only, domains, resources, last_used, last_address = rest
    scope = Scope(bool(read_only), _set(domains), _set(resources))
    return Token(
        ident,
        digest,
        owner,
        label,
        int(created),
        int(expires),
        _split(networks),
        scope,
        int(last_used),
        last_address,
    )


def _stamp(seconds: int) -> str:
    return stamp(dt.datetime.fromtimestamp(seconds, dt.UTC)) if seconds else ""


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("ascii", "replace")).hexdigest()
