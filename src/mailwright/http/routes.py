"""The route table: every path, verb, permission, operation and parameter of the API, as data.

``build`` refuses a table with a route that has no action, so nothing is reachable by oversight.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from mailwright import tokens
from mailwright.app import ACCOUNTS, App
from mailwright.authz import Action, Actor
from mailwright.fields.credentials import PASSWORD, USERNAME
from mailwright.fields.field import AnyField
from mailwright.fields.resource import Form, Resource, Verb
from mailwright.http import answers, audit
from mailwright.http.answers import Answer
from mailwright.ownership import verifying
from mailwright.resources import bulk, grants, listing, operations
from mailwright.resources.operations import Account
from mailwright.work import Work

Path = Mapping[str, str]
# An operation of the API: a piece of work, the parts of the path, what the client sent.
Operation = Callable[[Work, Path, Form], Answer | None]

PREFIX: Final = "/api"
METHODS: Final = ("GET", "POST", "PUT", "DELETE")


class Shape(enum.Enum):
    """What ``_data`` is."""

    NOTHING = "nothing"
    PROFILE = "profile"
    LIST = "list"


class Session(enum.Enum):
    """The routes that are about the session itself and have no piece of work."""

    LOGIN = "login"
    LOGOUT = "logout"


class Token(enum.Enum):
    """The routes about the API tokens of whoever is logged in."""

    LIST = "list"
    CREATE = "create"
    REVOKE = "revoke"


class Trail(enum.Enum):
    """The route about the audit record."""

    LIST = "list"


@dataclass(frozen=True, slots=True)
class Verification:
    """A route that compares a password with an account's; its attempts are counted like logins."""

    account: Account


@dataclass(frozen=True, slots=True)
class Prolonged:
    """A route that makes its pieces of work itself, because what is between them takes long.

    It gives what the answer holds, whose fields are ``shown``, and warnings.
    """

    operation: Callable[[App, Actor, str], tuple[dict[str, object], Sequence[str]]]
    shown: Sequence[AnyField]


class RouteError(ValueError):
    """The table itself is wrong; a mistake of the programmer."""


@dataclass(frozen=True, slots=True)
class Route:
    """One verb on one path."""

    method: str
    path: str
    action: Action
    operation: Operation | Session | Token | Trail | Verification | Prolonged
    help: str
    tag: str
    resource: Resource | None = None
    verb: Verb | None = None  # takes the resource's parameters for this verb
    options: Sequence[AnyField] = ()  # or these, and no others
    required: Sequence[AnyField] = ()
    status: int = 200
    shape: Shape = Shape.NOTHING

    @property
    def name(self) -> str:
        """A name that is unique in the table."""
        words = self.path.removeprefix(PREFIX).replace("{", "").replace("}", "")
        return "_".join((self.method.lower(), *filter(None, words.split("/"))))

    @property
    def reads_form(self) -> bool:
        """Whether the operation itself judges every parameter."""
        return self.verb is not None or self.shape is Shape.LIST


def build(routes: Sequence[Route]) -> dict[str, dict[str, Route]]:
    """The routes by path and method.  ``RouteError``."""
    table: dict[str, dict[str, Route]] = {}
    for route in routes:
        where = f"{route.method} {route.path}"
        if not isinstance(route.action, Action):
            raise RouteError(f"{where} has no action")
        if route.method not in METHODS or not route.path.startswith(f"{PREFIX}/"):
            raise RouteError(f"{where} is no route of the API")
        if (route.action is Action.PUBLIC) != (route.operation is Session.LOGIN):
            raise RouteError(f"{where}: only the login is for everybody")
        if table.setdefault(route.path, {}).setdefault(route.method, route) is not route:
            raise RouteError(f"{where} is there twice")
    return table


def _shows(account: Account) -> Operation:
    key = account.resource.key_name
    return lambda work, path, _form: answers.profile(
        account.resource, operations.show(work, account, path[key])
    )


def _creates(account: Account) -> Operation:
    key = account.resource.key_name

    def operation(work: Work, path: Path, form: Form) -> None:
        operations.create(work, account, path[key], form)

    return operation


def _updates(account: Account) -> Operation:
    key = account.resource.key_name

    def operation(work: Work, path: Path, form: Form) -> None:
        operations.update(work, account, path[key], form)

    return operation


def _removes(account: Account) -> Operation:
    key = account.resource.key_name

    def operation(work: Work, path: Path, _form: Form) -> None:
        operations.remove(work, account, path[key], path.get("number"))

    return operation


def _lists_domains(work: Work, _path: Path, form: Form) -> Answer:
    return answers.listing(
        ACCOUNTS["domain"].resource, listing.listed(work, ACCOUNTS["domain"], None, form)
    )


def _lists_admins(work: Work, _path: Path, form: Form) -> Answer:
    admin = ACCOUNTS["admin"]
    return answers.listing(admin.resource, listing.listed(work, admin, None, form))


def _lists_users(work: Work, path: Path, form: Form) -> Answer:
    domain = ACCOUNTS["domain"].resource.read_key(path["domain"])
    found = listing.listed(work, ACCOUNTS["user"], domain, form)
    return answers.listing(ACCOUNTS["user"].resource, found)


def _grants(work: Work, path: Path, form: Form) -> None:
    grants.update_admins(work, path["domain"], form)


def _updates_users(work: Work, path: Path, form: Form) -> Answer | None:
    error = answers.partly(bulk.update_users(work, path["domain"], form))
    return None if error is None else Answer(error=error)


def _account(
    account: Account, tag: str, what: str, keeps: str = "", known: str = ""
) -> tuple[Route, ...]:
    """The routes that every sort of account has; ``known`` is what is shown and changed, if it is more."""
    resource = account.resource
    path = f"{PREFIX}/{resource.name}/{{{resource.key_name}}}"
    return (
        Route(
            "GET",
            path,
            Action.VIEW,
            _shows(account),
            f"Get the profile of {known or what}",
            tag,
            resource,
            shape=Shape.PROFILE,
        ),
        Route(
            "POST",
            path,
            Action.CREATE,
            _creates(account),
            f"Create {what}",
            tag,
            resource,
            Verb.CREATE,
            required=resource.required,
            status=201,
        ),
        Route(
            "PUT",
            path,
            Action.UPDATE,
            _updates(account),
            f"Update the profile of {known or what}",
            tag,
            resource,
            Verb.UPDATE,
        ),
        Route(
            "DELETE",
            path,
            Action.DELETE,
            _removes(account),
            f"Delete {what}; {keeps}" if keeps else f"Delete {what}",
            tag,
            resource,
        ),
    )


def _removal_for_days(account: Account, tag: str, what: str) -> Route:
    resource = account.resource
    return Route(
        "DELETE",
        f"{PREFIX}/{resource.name}/{{{resource.key_name}}}/keep_mailbox_days/{{number}}",
        Action.DELETE,
        _removes(account),
        f"Delete {what} and keep its mail for the given number of days; 0 is for ever",
        tag,
        resource,
    )


def _verification(account: Account, tag: str, what: str) -> Route:
    resource = account.resource
    return Route(
        "POST",
        f"{PREFIX}/verify_password/{resource.name}/{{{resource.key_name}}}",
        Action.VERIFY,
        Verification(account),
        f"Compare a password with the stored one of {what}",
        tag,
        resource,
        options=(PASSWORD,),
        required=(PASSWORD,),
    )


_DOMAIN, _USER, _ADMIN = ACCOUNTS["domain"], ACCOUNTS["user"], ACCOUNTS["admin"]

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "POST",
        f"{PREFIX}/login",
        Action.PUBLIC,
        Session.LOGIN,
        "Log in as an admin; the session cookie of the answer opens all other paths",
        "Session",
        options=(USERNAME, PASSWORD),
        required=(USERNAME, PASSWORD),
    ),
    Route(
        "POST",
        f"{PREFIX}/logout",
        Action.SESSION,
        Session.LOGOUT,
        "End the session",
        "Session",
    ),
    Route(
        "GET",
        f"{PREFIX}/tokens",
        Action.SESSION,
        Token.LIST,
        "Get one's own API tokens; a token gets itself",
        "Token",
        options=tokens.LISTED,
    ),
    Route(
        "POST",
        f"{PREFIX}/tokens",
        Action.SESSION,
        Token.CREATE,
        "Create an API token for oneself; this answer alone tells it",
        "Token",
        options=tokens.TAKEN,
        required=(tokens.LABEL,),
        status=201,
    ),
    Route(
        "DELETE",
        f"{PREFIX}/token/{{id}}",
        Action.SESSION,
        Token.REVOKE,
        "Revoke an API token of one's own; a global admin revokes any",
        "Token",
    ),
    Route(
        "GET",
        f"{PREFIX}/audit",
        Action.SESSION,
        Trail.LIST,
        "Get records of who changed what, the newest first; domain admins get their own",
        "Audit",
        options=audit.OPTIONS,
    ),
    Route(
        "GET",
        f"{PREFIX}/domains",
        Action.LIST,
        _lists_domains,
        "Get the profiles of all domains, or only their names",
        "Domain",
        _DOMAIN.resource,
        options=listing.parameters(_DOMAIN.resource),
        shape=Shape.LIST,
    ),
    *_account(_DOMAIN, "Domain", "a domain", "the mail stays on disk for ever"),
    _removal_for_days(_DOMAIN, "Domain", "a domain"),
    Route(
        "PUT",
        f"{PREFIX}/domain/admins/{{domain}}",
        Action.GRANT,
        _grants,
        "Name further admins of a domain, or take it from some",
        "Domain",
        _DOMAIN.resource,
        Verb.GRANT,
    ),
    Route(
        "GET",
        f"{PREFIX}/domain/ownership/{{domain}}",
        Action.VIEW,
        Prolonged(verifying.show, verifying.SHOWN),
        "Get the code that proves whose a domain is, and where to publish it",
        "Domain",
        _DOMAIN.resource,
    ),
    Route(
        "POST",
        f"{PREFIX}/domain/ownership/{{domain}}",
        Action.UPDATE,
        Prolonged(verifying.verify, verifying.SHOWN),
        "Look for the code now, and switch the domain on if it is published",
        "Domain",
        _DOMAIN.resource,
    ),
    Route(
        "GET",
        f"{PREFIX}/admins",
        Action.LIST,
        _lists_admins,
        "Get the profiles of all admins, standalone ones and mail users, or only their addresses",
        "Admin",
        _ADMIN.resource,
        options=listing.parameters(_ADMIN.resource),
        shape=Shape.LIST,
    ),
    *_account(
        _ADMIN,
        "Admin",
        "a standalone admin",
        known="an admin, standalone or a mail user",
    ),
    _verification(_ADMIN, "Admin", "a standalone admin"),
    *_account(_USER, "User", "a mail user", "the mailbox stays on disk for ever"),
    _removal_for_days(_USER, "User", "a mail user"),
    _verification(_USER, "User", "a mail user"),
    Route(
        "GET",
        f"{PREFIX}/users/{{domain}}",
        Action.LIST,
        _lists_users,
        "Get the profiles of all mail users of a domain, or only their addresses",
        "User",
        _USER.resource,
        options=listing.parameters(_USER.resource),
        shape=Shape.LIST,
    ),
    Route(
        "PUT",
        f"{PREFIX}/users/{{domain}}",
        Action.UPDATE,
        _updates_users,
        "Update the profiles of all mail users of a domain",
        "User",
        _USER.resource,
        Verb.BULK,
    ),
)
