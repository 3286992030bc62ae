"""Who may do what.  Pure: it asks the actor and the target, never a store.

Every operation calls ``check`` first; every route declares its ``Action``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from mailwright.errors import Forbidden


class Action(enum.StrEnum):
    """What an operation does to its target; the word is the route's permission."""

    VIEW = "view"
    LIST = "list"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    PUBLIC = "public"  # nobody needs to be logged in
    SESSION = "session"  # whoever is logged in, about themselves


class Role(enum.StrEnum):
    """The rank of an actor, lowest first."""

    DOMAIN_ADMIN = "domain admin"
    GLOBAL_ADMIN = "global admin"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks; ``address`` is the client's, empty on the command line."""

    username: str
    role: Role
    address: str = ""
    channel: str = "api"


def check(actor: Actor, action: Action, domain: str | None, groups: Iterable[str] = ()) -> None:
    """Let the actor go on or raise ``Forbidden``.

    ``domain`` is the domain of the target, ``None`` for the whole server; ``groups`` are the groups of
    the fields that the request names.
    """
    if actor.role is Role.GLOBAL_ADMIN:
        return
    where = f" in {domain}" if domain else ""
    raise Forbidden(
        f"{actor.username} may not {action.value}{where} ({', '.join(sorted(groups)) or 'any'})"
    )
