"""API tokens over HTTP: who shows one in ``Authorization: Bearer``, and the routes about them.

A token that is right is looked at and nothing else: no count of failures, no lock.  It cannot be guessed, so
it also works while its client's address or its id is slowed for others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from mailwright import tokens
from mailwright.app import App
from mailwright.authz import Actor, Role
from mailwright.errors import Forbidden, NotAuthenticated
from mailwright.fields.field import AnyField
from mailwright.http import login
from mailwright.http.answers import Answer
from mailwright.http.clients import Client, subject
from mailwright.http.login import Counted, Throttle
from mailwright.http.routes import Path, Token
from mailwright.resources.listing import PAGE_TOKEN
from mailwright.storage.protocol import Accounts, Administrator
from mailwright.work import Work

Operation = Callable[[Work, Path, Mapping[AnyField, Any]], Answer | None]
CODE: Final = "INVALID_TOKEN"
_BEARER: Final = re.compile(r"bearer(?: +(.*))?", re.IGNORECASE | re.DOTALL)


class Bearers:
    """Those who show tokens, and what they ask about them."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._tokens = tokens.Tokens(app.databases["iredadmin"])

    def found(self, shown: str, client: Client) -> tokens.Token:
        """The token that is shown.

        ``NotAuthenticated`` for whatever is wrong with it, ``TooManyAttempts``.
        """
        parts = tokens.parts(shown)
        token = self._tokens.find(parts[0]) if parts else None
        now = int(self._app.clock().timestamp())
        if parts and token and token.opens(parts[1], now, client.address):
            return token
        raise self._refused(parts[0] if parts else "", token, client)

    def actor(self, accounts: Accounts, token: tokens.Token, client: Client, request: str) -> Actor:
        """Whom a token speaks for, with the rank of this moment.

        ``NotAuthenticated`` as from ``found``; ``Forbidden`` where the owner may not log in from.
        """
        admin = accounts.administrator(token.owner)
        if admin is None:
            raise self._refused(token.ident, token, client)
        return self._let_in(token, admin, client, request)

    def operation(self, route: Token) -> Operation:
        """What a route does."""
        match route:
            case Token.LIST:
                return self._list
            case Token.CREATE:
                return self._create
            case Token.REVOKE:
                return self._revoke

    def _let_in(
        self, token: tokens.Token, admin: Administrator, client: Client, request: str
    ) -> Actor:
        try:
            login.is_let_in_from(self._app, client, admin)
        except Forbidden as error:
            self._app.login_failed(token.owner, client.address, error.code, token=token.ident)
            raise
        self._tokens.used(token, int(self._app.clock().timestamp()), client.address)
        return Actor(
            admin.username,
            Role.of(is_global=admin.is_global),
            address=client.address,
            scope=token.scope,
            token=token.ident,
            request=request,
        )

    def _refused(self, ident: str, token: tokens.Token | None, client: Client) -> NotAuthenticated:
        settings = self._app.settings.login
        address = Counted(f"address:{subject(client.address)}", settings.address_free_attempts)
        shown = Counted(f"token:{ident}", settings.free_attempts)
        # Only of a token that there is: what else was typed may be anything.
        owner, known = (token.owner, token.ident) if token else ("", "")

        def tell(code: str) -> None:
            self._app.login_failed(owner, client.address, code, token=known)

        Throttle(self._app).count(*((shown, address) if ident else (address,)), tell=tell)
        tell(CODE)
        return NotAuthenticated("the API token is not valid", code=CODE)

    def _list(self, work: Work, _path: Path, asked: Mapping[AnyField, Any]) -> Answer:
        owner = None if asked[tokens.ALL] else work.actor.username
        limit, after = asked[tokens.LIMIT], asked[PAGE_TOKEN]
        page = tokens.page(work, self._tokens, owner, limit=limit, after=after)
        return Answer([token.told() for token in page.tokens], page.next)

    def _create(self, work: Work, _path: Path, asked: Mapping[AnyField, Any]) -> Answer:
        token, text = tokens.issue(work, self._tokens, work.actor.username, asked)
        return Answer({tokens.TEXT.name: text, **token.told()})

    def _revoke(self, work: Work, path: Path, _asked: Mapping[AnyField, Any]) -> None:
        tokens.revoke(work, self._tokens, path["id"])


def shown_in(header: str) -> str | None:
    """The token of an ``Authorization`` header, right or wrong; ``None`` if it is of another scheme."""
    match = _BEARER.fullmatch(header.strip())
    return None if match is None else (match[1] or "").strip()
