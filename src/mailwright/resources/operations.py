"""The operations on every resource: show, list, create, update, remove.

The ways in (HTTP, command line, later panel and jobs) call these with a mapping of text and nothing
else.  Each checks the permission before it asks the store, so that nobody learns what exists elsewhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from mailwright.authz import Action, Role
from mailwright.errors import Invalid
from mailwright.fields.addresses import domain_of
from mailwright.fields.field import AnyField, Changes, Record, Values
from mailwright.fields.kinds import Whole
from mailwright.fields.resource import Form, Request, Resource, Verb
from mailwright.resources import rights
from mailwright.resources.rights import Lock
from mailwright.storage.protocol import Farewell
from mailwright.work import Leftover, Work

# A preparation reads and computes before the transaction: it may take long (hashing), a rule may not.
Prepare = Callable[[Work, str, Request], None]
# A rule sees the account as it is, locked, and what will change; it adds changes, warns or raises.
Rule = Callable[[Work, str, Record, Changes], None]
# What a new account gets besides what was asked for.
Found = Callable[[Work, str, Changes], None]

LONGEST_KEPT_DAYS = 36_500
LONGEST_KEPT_DAYS_OF_A_DOMAIN_ADMIN = 365


@dataclass(frozen=True)
class Account:
    """A resource with its rules.

    ``lock`` says where profiles of it are closed.  Of accounts that may administer, ``rank`` is the field of
    global admins, ``promoted`` that of all admins, and ``given`` lists their domains.  ``meant`` tells which
    account a key is of, where some lie in another place.
    """

    resource: Resource
    found: Found
    lock: Lock | None = None
    rank: AnyField | None = None
    promoted: AnyField | None = None
    given: AnyField | None = None
    prepare: tuple[Prepare, ...] = ()
    rules: tuple[Rule, ...] = ()
    before_removal: tuple[Callable[[Work, str], None], ...] = ()
    meant: Callable[[Work, str, Action], Account] | None = None


def show(work: Work, account: Account, key: str) -> Record:
    """One account.  ``Forbidden``, ``NotFound``."""
    key = account.resource.read_key(key)
    domain = _domain(key)
    rights.permit(work, Action.VIEW, account.resource.name, domain, key)
    asked, account = account, _meant(work, account, key, Action.VIEW)
    closed = rights.closed_profiles(work, account.lock, domain)
    fields = rights.open_fields(visible(work, account.resource), closed)
    record = work.accounts.get(account.resource, key, fields)
    if account.rank is not None:
        rights.reach(work, Action.VIEW, key)
    if account.given is not None:
        rights.narrow(work, (record,), account.given, domain)
    return record if account is asked else as_of(asked.resource, record)


def create(work: Work, account: Account, key: str, form: Form) -> str:
    """A new account; its stored key.  ``Invalid``, ``Forbidden``, ``Exists``, ``LimitReached``."""
    resource = account.resource
    key = resource.read_key(key)
    domain = _domain(key)
    rights.permit(work, Action.CREATE, resource.name, domain, key)
    request = read_request(work, resource, form, Verb.CREATE)
    if domain != key:  # a new domain has closed nothing yet
        rights.permit_fields(request, rights.closed_profiles(work, account.lock, domain))
    rights.permit_changes(work, request)
    for prepare in account.prepare:
        prepare(work, key, request)
    changes = Changes()
    for field in request.fields:
        edit = request.edits.get(field)
        changes[field] = request.values[field] if edit is None else edit.applied_to(())
    # What the policy databases still hold of a predecessor is not the new account's.
    work.finish(Leftover(resource.name, key))
    work.accounts.begin()
    rights.permit_still(work, Action.CREATE, resource.name, domain)
    account.found(work, key, changes)
    work.accounts.add(resource, key, changes)
    work.note(Action.CREATE, resource.name, key, domain, fields=_names(changes), after=changes)
    return key


def update(work: Work, account: Account, key: str, form: Form) -> str:
    """Change what the form names.  ``Invalid``, ``Forbidden``, ``NotFound``, ``LimitReached``."""
    resource = account.resource
    key = resource.read_key(key)
    domain = _domain(key)
    rights.permit(work, Action.UPDATE, resource.name, domain, key)
    account = _meant(work, account, key, Action.UPDATE)
    resource = account.resource
    request = read_request(work, resource, form, Verb.UPDATE)
    rights.permit_fields(request, rights.closed_profiles(work, account.lock, domain))
    rights.permit_password(work, key, request.fields)
    for prepare in account.prepare:
        prepare(work, key, request)
    work.accounts.begin()
    needed = [*resource.needed_for((*request.fields, *request.repeated))]
    if account.promoted is not None and account.promoted not in needed:
        needed.append(account.promoted)
    record = work.accounts.get(resource, key, needed, lock=True)
    rights.permit_still(work, Action.UPDATE, resource.name, domain)
    _reach(work, account, Action.UPDATE, record)
    if account.given is not None:
        rights.narrow(work, (record,), account.given, domain)
    changes = request.against(record)
    work.warnings.extend(request.unheeded(record))
    rights.permit_changes(work, changes)
    for rule in account.rules:
        rule(work, key, record, changes)
    if changes:
        work.accounts.change(resource, record, changes)
        work.note(
            Action.UPDATE,
            resource.name,
            key,
            domain,
            fields=_names(changes),
            event=_event(changes),
            before=record,
            after=changes,
        )
    return key


def remove(work: Work, account: Account, key: str, keep_days: str | None = None) -> str:
    """Remove an account; its mailbox stays for ``keep_days`` (none or 0: for ever)."""
    resource = account.resource
    key = resource.read_key(key)
    domain = _domain(key)
    rights.permit(work, Action.DELETE, resource.name, domain, key)
    _meant(work, account, key, Action.DELETE)
    days = _days(work, keep_days)
    until = work.now.date() + dt.timedelta(days=days) if days else None
    work.accounts.get(resource, key, ())
    work.leave(Leftover(resource.name, key))
    work.accounts.begin()
    before = _whole(work, resource, key)
    rights.permit_still(work, Action.DELETE, resource.name, domain)
    _reach(work, account, Action.DELETE, before)
    if key == domain:
        rights.reach_everybody(work, domain)
    for rule in account.before_removal:
        rule(work, key)
    if key == domain:
        # Standalone admins who have their addresses there stay.
        work.end_sessions(f"@{key}", work.accounts.standalone_admins(key))
    else:
        work.end_sessions(key)  # a successor's they are not
    work.accounts.remove(resource, key, Farewell(work.actor.username, work.now, until))
    work.note(Action.DELETE, resource.name, key, domain, before=before)
    return key


def visible(work: Work, resource: Resource) -> tuple[AnyField, ...]:
    """The fields that answers hold; password hashes only where the settings say so."""
    if work.settings.api.expose_password_hashes:
        return (*resource.shown, *resource.exposed)
    return resource.shown


def as_of(resource: Resource, record: Record) -> Record:
    """An account as another resource names its fields."""
    named = {field.name: field for field in resource.fields}
    return Record(record.key, {named[field.name]: value for field, value in record.items()})


def _reach(work: Work, account: Account, action: Action, record: Record) -> None:
    if account.rank is not None:
        is_admin = account.promoted is not None and bool(record.get(account.promoted))
        rights.reach(work, action, record.key, is_admin=is_admin)


def _meant(work: Work, account: Account, key: str, action: Action) -> Account:
    return account if account.meant is None else account.meant(work, key, action)


def _whole(work: Work, resource: Resource, key: str) -> Record:
    """What an account is, for the record; nobody else changes it until the transaction ends."""
    record = work.accounts.get(resource, key, resource.shown, lock=True)
    # Under the lock of a row nothing is counted.
    counted = [field for field in resource.shown if field not in record]
    more = work.accounts.get(resource, key, counted) if counted else Values()
    return Record(key, {field: value for each in (record, more) for field, value in each.items()})


def _domain(key: str) -> str:
    return domain_of(key) if "@" in key else key


def _names(changes: Changes) -> tuple[str, ...]:
    return tuple(field.name for field in changes.fields() if not field.hidden)


def _event(changes: Changes) -> str:
    """Switching an account on or off has words of its own in the administration log."""
    for field, value in changes.items():
        if field.name == "accountStatus" and len(_names(changes)) == 1:
            return "active" if value == "active" else "disable"
    return Action.UPDATE.value


def read_request(work: Work, resource: Resource, form: Form, verb: Verb) -> Request:
    """Parse a form and leave out what this server has no place for, with a warning."""
    request = resource.read(
        form,
        verb,
        ignore_unknown=work.settings.api.unknown_parameters == "ignore",
        elsewhere=work.known,
    )
    work.warnings.extend(request.warnings)
    if verb is not Verb.UPDATE:  # which has an account to compare with
        work.warnings.extend(request.unheeded())
    for field in tuple(request.fields):
        if not work.accounts.supports(resource, field):
            work.warn(f"{field.name} has no place in this server's schema; ignored")
            request.leave_out(field)
    if verb is Verb.CREATE:
        for field in resource.required:
            if not request.values.get(field):
                raise Invalid(
                    f"{field.name} is required", parameter=field.name, code=_missing(field)
                )
    return request


def _missing(field: AnyField) -> str:
    return "PW_EMPTY" if field.kind.secret else "INVALID_PARAMETER"


def _days(work: Work, text: str | None) -> int:
    if text is None:
        return 0
    is_global = work.actor.role is Role.GLOBAL_ADMIN
    most = LONGEST_KEPT_DAYS if is_global else LONGEST_KEPT_DAYS_OF_A_DOMAIN_ADMIN
    try:
        return Whole(0, most).parse(text)
    except ValueError as error:
        raise Invalid(f"keep_mailbox_days: {error}", parameter="keep_mailbox_days") from None
