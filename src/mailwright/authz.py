"""Who asks, with which rank and within which bounds.  Pure: nothing here asks a store.

Every route declares its ``Action``; every operation asks ``resources.rights`` before it asks for anything
else.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Action(enum.StrEnum):
    """What an operation does to its target; the word is the route's permission."""

    VIEW = "view"
    LIST = "list"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    GRANT = "grant"  # who administers a domain
    VERIFY = "verify"  # a password
    PUBLIC = "public"  # nobody needs to be logged in
    SESSION = "session"  # whoever is logged in, about themselves


# To compare passwords is not to read: a token that leaked would tell which guess is right.
READING = frozenset({Action.VIEW, Action.LIST})


class Role(enum.StrEnum):
    """The rank of an actor, lowest first."""

    DOMAIN_ADMIN = "domain admin"
    GLOBAL_ADMIN = "global admin"

    @classmethod
    def of(cls, *, is_global: bool) -> Role:
        """The rank of an admin."""
        return cls.GLOBAL_ADMIN if is_global else cls.DOMAIN_ADMIN


@dataclass(frozen=True, slots=True)
class Scope:
    """What an actor is bound to besides the rank; ``None`` is no bound.

    ``domains`` are names of domains, ``resources`` names of resources (``user``, ``domain`` …).
    """

    read_only: bool = False
    domains: frozenset[str] | None = None
    resources: frozenset[str] | None = None

    @property
    def is_bound(self) -> bool:
        """Whether there is something that it leaves out, besides changes."""
        return self.domains is not None or self.resources is not None

    def allows(self, action: Action, resource: str, domain: str | None) -> bool:
        """Whether this is within the bounds; ``domain`` is ``None`` for the whole server."""
        return not self.excludes(action, resource, domain)

    def excludes(self, action: Action, resource: str, domain: str | None) -> str:
        """What leaves this out, to be said of a token; empty if it is within the bounds."""
        if self.read_only and action not in READING:
            return "is read-only"
        if self.resources is not None and resource not in self.resources:
            return f"is bound to resources, and {resource} is none of them"
        if self.domains is not None and domain not in self.domains:
            what = (
                "this is about the whole server" if domain is None else f"{domain} is none of them"
            )
            return f"is bound to domains, and {what}"
        return ""


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks; ``address`` is the client's, empty on the command line.

    ``token`` identifies the API token that speaks for them, ``request`` the request.
    """

    username: str
    role: Role
    address: str = ""
    channel: str = "api"
    scope: Scope = EVERYTHING
    token: str = ""
    request: str = ""

    @property
    def is_unlimited(self) -> bool:
        """Whether this is a global admin, and not with a token that is bound."""
        return self.role is Role.GLOBAL_ADMIN and not self.scope.is_bound
