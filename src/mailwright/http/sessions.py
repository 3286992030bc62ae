"""Sessions of the API: a random token in a cookie, and only its digest in the database."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from mailwright.app import App
from mailwright.authz import Actor, Role
from mailwright.errors import NotAuthenticated
from mailwright.http.clients import Client
from mailwright.storage.protocol import Accounts

TOKEN_BYTES = 32
TOKEN_LENGTH = 43  # of 32 bytes in base64 without padding
SEEN_SECONDS = 60  # `seen` is written at most this often

_FIND = 'SELECT "username", "created", "seen" FROM "mailwright_sessions" WHERE "token_hash" = %s'
_SEEN = 'UPDATE "mailwright_sessions" SET "seen" = %s WHERE "token_hash" = %s'
_DROP = 'DELETE FROM "mailwright_sessions" WHERE "token_hash" = %s'
_ADD = (
    'INSERT INTO "mailwright_sessions" ("token_hash", "username", "created", "seen", "address") '
    "VALUES (%s, %s, %s, %s, %s)"
)
_STALE = (
    'SELECT "token_hash" FROM "mailwright_sessions" WHERE "seen" < %s ORDER BY "seen" LIMIT 200'
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a session is, and when it was last seen."""

    username: str
    digest: str = field(repr=False)
    seen: int


class Sessions:
    """The sessions of one application."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._database = app.databases["iredadmin"]
        self._idle = app.settings.sessions.idle_minutes * 60
        self._absolute = app.settings.sessions.absolute_hours * 3600
        self._cookie = app.settings.sessions.cookie_name
        self._path = app.settings.server.base_path or "/"

    def holder(self, token: str | None) -> Holder:
        """Whose session the cookie's token is.  ``NotAuthenticated``."""
        if token is not None and len(token) == TOKEN_LENGTH:
            digest = _digest(token)
            with self._database.connection() as connection:
                row = connection.row(_FIND, (digest,))
            if row is not None:
                username, created, seen = row
                now = self._now()
                if now - seen <= self._idle and now - created <= self._absolute:
                    return Holder(str(username), digest, seen)
        raise _nobody()

    def actor(self, accounts: Accounts, holder: Holder, client: Client, request: str) -> Actor:
        """The holder of a session with the rank of this moment.  ``NotAuthenticated``.

        Of nobody who may not administer just now the session is kept alive by asking.
        """
        found = accounts.administrator(holder.username)
        if found is None:
            raise _nobody()
        now = self._now()
        if now - holder.seen >= SEEN_SECONDS:
            with self._database.connection() as connection:
                connection.execute(_SEEN, (now, holder.digest))
        role = Role.of(is_global=found.is_global)
        return Actor(found.username, role, address=client.address, request=request)

    def start(self, username: str, client: Client, replaced: str | None) -> str:
        """A new session and its token; the session that the client had before ends."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._now()
        with self._database.transaction() as connection:
            if replaced:
                connection.execute(_DROP, (_digest(replaced),))
            for (stale,) in connection.rows(_STALE, (now - self._idle,)):
                connection.execute(_DROP, (stale,))
            connection.execute(_ADD, (_digest(token), username, now, now, client.address[:64]))
        return token

    def end(self, token: str | None) -> None:
        """Forget a session."""
        if token:
            with self._database.connection() as connection:
                connection.execute(_DROP, (_digest(token),))

    def cookie(self, token: str, client: Client) -> str:
        """The header that gives the token to the client."""
        return f"{self._cookie}={token}; {self._attributes(client)}"

    def no_cookie(self, client: Client) -> str:
        """The header that takes it back."""
        return f"{self._cookie}=; Max-Age=0; {self._attributes(client)}"

    def _attributes(self, client: Client) -> str:
        secure = "; Secure" if client.secure else ""
        return f"Path={self._path}; HttpOnly; SameSite=Strict{secure}"

    def _now(self) -> int:
        return int(self._app.clock().timestamp())


def _nobody() -> NotAuthenticated:
    return NotAuthenticated("log in first with POST /api/login")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
