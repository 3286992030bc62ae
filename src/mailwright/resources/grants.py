"""Who administers a domain (``PUT /api/domain/admins/<domain>``).

Sources: the API document, SQL reference 4.9, LDAP reference 1.3 and 8.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mailwright.authz import Action, Role
from mailwright.errors import Forbidden, Invalid, NotFound
from mailwright.fields.addresses import domain_of
from mailwright.fields.field import AnyField, Changes, Record
from mailwright.fields.resource import Form, Verb
from mailwright.resources import admin as admins
from mailwright.resources import domain as domains
from mailwright.resources import rights
from mailwright.resources import user as users
from mailwright.resources.operations import read_request
from mailwright.storage.protocol import EVERY_DOMAIN, Contention
from mailwright.work import Attempt, Work


def update_admins(work: Work, name: str, form: Form) -> None:
    """Name further admins of a domain, or take the domain from some.

    ``Invalid``, ``Forbidden``, ``NotFound``.
    """
    name = domains.RESOURCE.read_key(name)
    rights.permit(work, Action.GRANT, domains.RESOURCE.name, name, name)
    request = read_request(work, domains.RESOURCE, form, Verb.GRANT)
    edit = request.edits.get(domains.ADMINS)
    if edit is None:
        return
    before = work.accounts.get(domains.RESOURCE, name, (domains.ADMINS,))[domains.ADMINS]
    wanted = edit.applied_to(before)
    added = [address for address in wanted if address not in before]
    removed = [address for address in before if address not in wanted]
    for address in (*added, *removed):
        _is_for_the_actor(work, address, name)
    work.accounts.begin()
    # Accounts before domains, and always in one order: whoever changes one does the same.
    promoted = _locked_users(work, added)
    demoted = _locked_users(work, removed)
    record = work.accounts.get(domains.RESOURCE, name, (domains.ADMINS,), lock=True)
    rights.permit_still(work, Action.GRANT, domains.RESOURCE.name, name)
    if record[domains.ADMINS] != before:
        raise Contention("somebody else is naming admins of the same domain; try again")
    added = [address for address in added if _is_to_be_named(work, address, name, promoted)]
    if not added and not removed:
        return
    appointed = _appointments(work, name, [promoted[each] for each in added if each in promoted])
    # A directory is written in this order: the rank first when it is given, last when it is taken.
    for address, changes in appointed.items():
        if changes:
            work.accounts.change(admins.PROMOTED, promoted[address], changes)
    kept = (address for address in before if address not in removed)
    work.accounts.change(domains.RESOURCE, record, Changes({domains.ADMINS: (*kept, *added)}))
    for address in added:
        work.note(
            *(Action.GRANT, domains.RESOURCE.name, address, name),
            event="grant",
            before=promoted.get(address),
            after=appointed.get(address, Changes()),
        )
    for address in removed:
        work.end_sessions(address)
        if address in demoted and not work.accounts.administers(address) - {name}:
            taken = Changes({users.IS_ADMIN: False})
            work.accounts.change(users.RESOURCE, demoted[address], taken)
        work.note(Action.GRANT, domains.RESOURCE.name, address, name, event="revoke")


def _appointments(work: Work, name: str, named: Sequence[Record]) -> Mapping[str, Changes]:
    """What makes each user an admin; whom no global admin names gets the namer's bounds with it.

    Else a limit would hold until its admin has named another one, who has none.
    """
    if not named:
        return {}
    bounds = None
    if work.actor.role is not Role.GLOBAL_ADMIN:
        work.accounts.hold_limits(work.actor.username)
        bounds = admins.bounds_of(work, work.actor.username)
    found: dict[str, Changes] = {}
    for user in named:
        _attempt(work, user.key, name)
        found[user.key] = changes = Changes()
        if not user[users.IS_ADMIN]:
            changes[users.IS_ADMIN] = True
        if work.actor.is_unlimited:
            continue  # what stands there of an earlier grant, or of another program, goes on
        if user[users.IS_ADMIN] or work.accounts.administers(user.key):
            _has_no_more(work, user, bounds)
            continue
        for field, value in admins.handed_on(user, bounds).items():
            _has_a_place(work, user.key, field)
            changes[field] = value
    return found


def _has_no_more(work: Work, user: Record, bounds: Record | None) -> None:
    """Who is an admin already keeps their bounds, so they may be no wider than the actor's."""
    wider = admins.wider(user, bounds) if bounds is not None else ()
    if wider:
        raise Forbidden(
            f"addAdmin ({user.key}): they are an admin with wider limits than "
            f"{work.actor.username} ({', '.join(wider)}); only a global admin names them"
        )


def _has_a_place(work: Work, address: str, field: AnyField) -> None:
    """A limit that this server cannot keep of a mail user would not hold."""
    if not work.accounts.supports(admins.PROMOTED, field):
        raise Forbidden(
            f"addAdmin ({address}): this server's schema has no place for {field.name} of a mail "
            f"user, which is limited for {work.actor.username}; only a global admin names them"
        )


def _attempt(work: Work, address: str, name: str) -> None:
    """A refusal from here on is about this admin, and on record as the grant itself would be."""
    work.attempted = Attempt(Action.GRANT, domains.RESOURCE.name, address, name)


def _is_for_the_actor(work: Work, address: str, name: str) -> None:
    """A domain admin names and dismisses users of own domains, and none of higher rank.

    With a bound token a global admin does no more; and one for some sorts of accounts would give away
    the others with the rank.
    """
    _attempt(work, address, name)
    scope = work.actor.scope
    if scope.resources is not None:
        raise Forbidden("an API token that is bound to sorts of accounts names no admins")
    if work.actor.is_unlimited:
        return
    try:
        rights.permit(work, Action.UPDATE, users.RESOURCE.name, domain_of(address), address)
    except Forbidden:
        if scope.excludes(Action.UPDATE, users.RESOURCE.name, domain_of(address)):
            raise
        raise Forbidden(
            f"{address} is in no domain that {work.actor.username} administers; "
            "only a global admin names and dismisses them"
        ) from None
    rights.reach(work, Action.GRANT, address)


def _locked_users(work: Work, addresses: Sequence[str]) -> dict[str, Record]:
    fields = (users.IS_ADMIN, users.IS_GLOBAL_ADMIN, *admins.KEPT)
    found: dict[str, Record] = {}
    for address in sorted(addresses, key=lambda each: (domain_of(each), each)):
        try:
            found[address] = work.accounts.get(admins.PROMOTED, address, fields, lock=True)
        except NotFound:
            continue  # a standalone admin, or nobody
    return found


def _is_to_be_named(work: Work, address: str, name: str, promoted: dict[str, Record]) -> bool:
    _attempt(work, address, name)
    if address not in promoted:
        if work.actor.role is not Role.GLOBAL_ADMIN:
            raise Forbidden(f"addAdmin ({address}): domain admins name mail users only")
        try:
            work.accounts.get(admins.RESOURCE, address, ())
        except NotFound:
            raise Invalid(
                f"addAdmin ({address}): there is neither such an admin nor such a user",
                code="INVALID_ADMIN",
                parameter="addAdmin",
            ) from None
    if EVERY_DOMAIN in work.accounts.administers(address):
        work.warn(f"{address} is a global admin and administers every domain already")
        return False
    return True
