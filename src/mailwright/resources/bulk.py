"""The same change for every user of a domain (``PUT /api/users/<domain>``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailwright.authz import Action
from mailwright.errors import PartlyDone
from mailwright.fields.addresses import domain_of
from mailwright.fields.field import Changes
from mailwright.fields.kinds import stamp
from mailwright.fields.resource import Form, Verb
from mailwright.resources import domain as domains
from mailwright.resources import rights
from mailwright.resources import user as users
from mailwright.resources.operations import read_request
from mailwright.resources.rules import a_global_admin_is_elsewhere, language_is_installed
from mailwright.resources.stamps import PASSWORD_CHANGED
from mailwright.storage.protocol import Changed, Query
from mailwright.work import Work


class _OwnHashes(Mapping[str, Changes]):
    """For each user a hash of the same password, and so a salt, of its own; made when it is asked for."""

    def __init__(self, work: Work, password: str) -> None:
        self._work = work
        self._password = password

    def __getitem__(self, key: str) -> Changes:
        return Changes(
            {
                users.PASSWORD: self._work.hash_password(self._password),
                PASSWORD_CHANGED: stamp(self._work.now),
            }
        )

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def update_users(work: Work, name: str, form: Form) -> Changed:
    """Change every user of a domain: how many, and on a directory also which could not be changed.

    ``Invalid``, ``Forbidden``, ``NotFound``.
    """
    resource = users.RESOURCE
    name = domains.RESOURCE.read_key(name)
    rights.permit(work, Action.UPDATE, resource.name, name)
    request = read_request(work, resource, form, Verb.BULK)
    rights.permit_fields(request, rights.closed_profiles(work, users.LOCK, name))
    rights.permit_changes(work, request)
    domain = work.accounts.get(
        domains.RESOURCE, name, (domains.MIN_PASSWORD_LENGTH, domains.MAX_PASSWORD_LENGTH)
    )
    changes = Changes(dict(request.values))
    language_is_installed(work, users.LANGUAGE, changes)
    password = changes.pop(users.PASSWORD)
    each: Mapping[str, Changes] = {}
    if password is not None:
        policy = work.policy.with_lengths(
            domain[domains.MIN_PASSWORD_LENGTH], domain[domains.MAX_PASSWORD_LENGTH]
        )
        policy.require(password)
        each = _OwnHashes(work, password)
        if work.accounts.all_at_once:
            # Hashing takes long: it is over before anything is locked.
            _, spared = _in_reach(work, name, password)
            keys = work.accounts.find_names(resource, Query(within=name)).keys
            each = {key: each[key] for key in keys if key.lower() not in spared}
    if not changes and password is None:
        return Changed(0)
    # The domain is not locked: whoever changes one user locks the user first and the domain second.
    work.accounts.begin()
    work.accounts.hold_all(resource, name)
    rights.permit_still(work, Action.UPDATE, resource.name, name)
    known, spared = _in_reach(work, name, password)
    _a_global_admin_remains(work, name, changes)
    told = Changes(dict(changes.items()))
    if password is not None:
        told[users.PASSWORD] = ""  # its value is never noted
    if password is not None or changes.get(users.STATUS) == "disabled":
        work.end_sessions(f"@{name}", spare=spared)
    work.note(
        Action.UPDATE,
        resource.name,
        "",
        name,
        fields=tuple(field.name for field in told.fields()),
        after=told,
        spared=spared,
    )
    if not work.accounts.all_at_once:
        work.record()
    changed = work.accounts.change_all(resource, name, changes, each, spared, known=known)
    if changed.spared:  # who became admins while others were changed
        work.note(Action.UPDATE, resource.name, "", name, spared=changed.spared)
    left = len(spared) + len(changed.spared)
    if left:  # their names would tell whom the lists do not show
        work.warn(f"left alone: {left}, because {rights.asking(work)} may not change them")
    if changed.failures:
        work.shortfall = PartlyDone.default_code
    return changed


def _in_reach(
    work: Work, name: str, password: str | None
) -> tuple[frozenset[str] | None, frozenset[str]]:
    """Which admins may be changed (``None``: all of them), and who is spared, in lower case."""
    actor = work.actor
    found = rights.admins_in_reach(work, name)
    known = None if found is None else found.known
    spared = {user.lower() for user in (found.above if found is not None else ())}
    owner = actor.username.lower()
    if actor.token and password is not None and domain_of(owner) == name:
        spared.add(owner)  # as `permit_password` does for one
    return known, frozenset(spared)


def _a_global_admin_remains(work: Work, name: str, changes: Changes) -> None:
    # Whoever has bounds spares global admins anyway.
    if changes.get(users.STATUS) == "disabled" and work.actor.is_unlimited:
        a_global_admin_is_elsewhere(work, name)
