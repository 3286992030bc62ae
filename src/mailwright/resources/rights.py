"""What an actor may do to whom: decided here, before an operation asks for anything else.

Sources: the API document, policy reference 8.3, LDAP reference 4.6, product decision 23.  What is not
listed here is for global admins.  A domain is asked for in the same way whether it exists or not, and the
refusal is the same, so that nobody learns what others have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from mailwright.authz import Action, Role
from mailwright.errors import Forbidden
from mailwright.fields.field import AnyField, Changes, Field, Record
from mailwright.fields.resource import Request, Resource
from mailwright.resources import limits
from mailwright.storage.protocol import EVERY_DOMAIN
from mailwright.work import Work

# What is in no domain, whatever its address says: a token for one domain makes no admins.
OF_THE_SERVER: Final = frozenset({"admin"})
RANK: Final = "rank"  # the profile of what makes a mail user a global admin
# What a domain admin may do in the domains that were given to them.
DOMAIN_ADMINS_MAY: Final = frozenset(
    {
        ("domain", Action.VIEW),
        ("domain", Action.UPDATE),
        ("domain", Action.GRANT),
        ("user", Action.VIEW),
        ("user", Action.LIST),
        ("user", Action.CREATE),
        ("user", Action.UPDATE),
        ("user", Action.DELETE),
    }
)


@dataclass(frozen=True, slots=True)
class Lock:
    """Where a domain says which profiles of an account are closed to normal admins."""

    resource: Resource
    field: Field[tuple[str, ...]]
    profiles: tuple[str, ...]

    def closed_by(self, domain: Record) -> frozenset[str]:
        """The closed profiles; other names that stand there close nothing."""
        closed: tuple[str, ...] = domain[self.field]
        return frozenset(closed).intersection(self.profiles)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which domains a list of domains may show."""

    administered_by: str | None
    among: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Reach:
    """Of the admins among the users of a domain those within reach, and those who rank above."""

    known: frozenset[str]
    above: frozenset[str]


def permit(work: Work, action: Action, resource: str, domain: str | None, key: str = "") -> None:
    """Let the actor go on or raise ``Forbidden``; ``domain`` is ``None`` for the whole server.

    ``key`` is the account where one is meant: a refusal is on record with it.
    """
    work.attempt(action, resource, key, domain)
    if resource in OF_THE_SERVER:
        domain = None
    actor = work.actor
    bound = actor.scope.excludes(action, resource, domain)
    if bound:
        raise Forbidden(f"this API token {bound}")
    if actor.role is not Role.GLOBAL_ADMIN and not _was_given(work, action, resource, domain):
        what = _said(action, resource, domain)
        raise Forbidden(f"{actor.username} may not {what}")


def permit_still(work: Work, action: Action, resource: str, domain: str | None) -> None:
    """Ask once more within the transaction: who was let in may have been removed or dismissed since.

    Hashing takes long, and so may waiting for a lock.  Whoever comes with no request has no account.
    """
    actor = work.actor
    if not actor.request:
        return
    now = work.accounts.administrator(actor.username)
    if now is None or (actor.role is Role.GLOBAL_ADMIN and not now.is_global):
        raise Forbidden(f"{actor.username} is no {actor.role.value} any more")
    permit(work, action, resource, domain)


def _said(action: Action, resource: str, domain: str | None) -> str:
    """What is refused, in words that do not depend on what is there."""
    if resource == "domain" and domain:
        what = "name admins of" if action is Action.GRANT else action.value
        return f"{what} the domain {domain}"
    where = f" in {domain}" if domain else ""
    return f"{action.value} {resource}s{where}"


def _was_given(work: Work, action: Action, resource: str, domain: str | None) -> bool:
    """Whether a domain admin may do this; each question is the same for a domain that is missing."""
    if domain is None:
        return False
    username = work.actor.username
    if (resource, action) == ("domain", Action.CREATE):
        return limits.may_create_domains(work)
    if (resource, action) == ("domain", Action.DELETE):
        managed = work.accounts.manages(username, domain)
        return limits.may_create_domains(work) and managed
    return (resource, action) in DOMAIN_ADMINS_MAY and work.accounts.manages(username, domain)


def permit_domains(work: Work) -> Bounds:
    """Which domains the actor may list.  ``Forbidden``."""
    work.attempt(Action.LIST, "domain", "", None)
    actor = work.actor
    # Which domains a token is bound to decides what the list holds, not whether there is one.
    bound = replace(actor.scope, domains=None).excludes(Action.LIST, "domain", None)
    if bound:
        raise Forbidden(f"this API token {bound}")
    admin = None if actor.role is Role.GLOBAL_ADMIN else actor.username
    return Bounds(admin, actor.scope.domains)


def manages(work: Work, domain: str) -> bool:
    """Whether the actor may change accounts of a domain."""
    try:
        permit(work, Action.UPDATE, "user", domain)
    except Forbidden:
        return False
    return True


def closed_profiles(work: Work, lock: Lock | None, domain: str) -> frozenset[str]:
    """The profiles of accounts in a domain that are closed to the actor.  ``NotFound``."""
    if lock is None or work.actor.role is Role.GLOBAL_ADMIN:
        return frozenset()
    return lock.closed_by(work.accounts.get(lock.resource, domain, (lock.field,)))


def open_fields(fields: Iterable[AnyField], closed: Collection[str]) -> tuple[AnyField, ...]:
    """The fields that are not in a closed profile."""
    if not closed:
        return tuple(fields)
    return tuple(field for field in fields if field.group not in closed)


def permit_fields(request: Request, closed: Collection[str]) -> None:
    """The request names nothing of a closed profile, not even to repeat what is stored."""
    for field in request.fields:
        if field.group in closed:
            raise Forbidden(
                f"{field.name} is in the profile {field.group}, which is closed to domain admins",
                parameter=field.name,
            )


def permit_changes(work: Work, changes: Request | Changes) -> None:
    """Nothing changes that only global admins change; a bound token of theirs gives nobody their rank.

    What repeats the stored value is no change: the answer of a GET can be sent back.
    """
    actor = work.actor
    is_global = actor.role is Role.GLOBAL_ADMIN
    if actor.is_unlimited:
        return
    fields = changes.fields if isinstance(changes, Request) else changes.fields()
    for field in fields:
        if field.global_only and (not is_global or field.group == RANK):
            needed = "API tokens without bounds" if is_global else "global admins"
            raise Forbidden(f"{field.name} is for {needed}", parameter=field.name)


def permit_password(work: Work, key: str, fields: Iterable[AnyField]) -> None:
    """No API token sets its owner's password: a login with it would have what the token has not."""
    actor = work.actor
    if not actor.token or key.lower() != actor.username.lower():
        return
    for field in fields:
        if field.kind.secret:
            raise Forbidden(
                f"an API token does not change the {field.name} of its owner", parameter=field.name
            )


def reach(work: Work, action: Action, key: str, *, is_admin: bool = False) -> None:
    """The account does not rank above the actor: to look at, to change, to remove, by any way.

    With a bound token the own account may rank above, too: its password opens what the token does not.
    ``is_admin`` says that the account may log in to administer, were it given nothing yet.  Who names or
    dismisses an admin takes over nothing: of limits, ``grants`` has a rule of its own.
    """
    actor = work.actor
    if actor.is_unlimited or (actor.role is Role.GLOBAL_ADMIN and action is Action.VIEW):
        return
    rank = work.accounts.administers(key)
    if EVERY_DOMAIN in rank:
        raise Forbidden(
            f"{key} is a global admin", code="PERMISSION_DENIED_UPDATE_GLOBAL_ADMIN_PROFILE"
        )
    if action is Action.VIEW or not (rank or is_admin):
        return
    if not rank <= _administered(work):
        raise Forbidden(f"{key} administers domains that {asking(work)} does not")
    if action is not Action.GRANT and _are_wider(work, (key,)):
        raise Forbidden(f"{key} is an admin with wider limits than {asking(work)}")


def admins_in_reach(work: Work, domain: str) -> Reach | None:
    """Which admins among the users of a domain rank above the actor; ``None`` if nobody could."""
    if work.actor.is_unlimited:
        return None
    own = _administered(work)
    ranks = work.accounts.admins_among(domain)
    lower = [name for name, rank in ranks.items() if rank <= own]
    known = frozenset(lower) - _are_wider(work, lower)
    return Reach(known, frozenset(ranks) - known)


def reach_everybody(work: Work, domain: str) -> None:
    """Nobody who ranks above the actor goes with a domain."""
    found = admins_in_reach(work, domain)
    if found is not None and found.above:
        raise Forbidden(f"{domain} has users who rank above {asking(work)}")


def narrow(work: Work, records: Collection[Record], field: AnyField, domain: str) -> None:
    """Leave of lists of domains only those that the actor has to do with, as it has with this one."""
    actor = work.actor
    if actor.role is Role.GLOBAL_ADMIN and actor.scope.domains is None:
        return
    shown = frozenset({domain, EVERY_DOMAIN})
    if all(shown.issuperset(record.get(field) or ()) for record in records):
        return
    shown |= _domains(work)
    for record in records:
        if field in record:
            record[field] = tuple(name for name in record[field] if name in shown)


def _administered(work: Work) -> frozenset[str]:
    """The domains that the actor administers wholly: of a bound token none, or those it is bound to."""
    return frozenset() if work.actor.scope.resources is not None else _domains(work)


def _domains(work: Work) -> frozenset[str]:
    """The domains of an actor who has not all of them: only what is in force counts for them."""
    bound = work.actor.scope.domains
    if work.actor.role is Role.GLOBAL_ADMIN:
        return bound or frozenset()
    own = work.accounts.administers(work.actor.username, active=True) - {EVERY_DOMAIN}
    return own if bound is None else own & bound


def _are_wider(work: Work, admins: Collection[str]) -> frozenset[str]:
    """Those of some admins whose limits are wider than the actor's: their password would lift these."""
    actor = work.actor
    others = [name for name in admins if name.lower() != actor.username.lower()]
    if not others:
        return frozenset()
    is_global = actor.role is Role.GLOBAL_ADMIN
    own = {} if is_global else dict(work.accounts.admin_settings(actor.username))
    if actor.scope.is_bound:
        own.pop(limits.MAY_CREATE_DOMAINS, None)  # such a token adds no domains
    return frozenset(
        name for name in others if limits.wider(work.accounts.admin_settings(name), own)
    )


def asking(work: Work) -> str:
    """Whose rank it is that does not suffice: the owner of a bound token may have a higher one."""
    return "this API token" if work.actor.scope.is_bound else work.actor.username
