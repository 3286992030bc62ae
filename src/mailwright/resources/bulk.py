"""The same change for every user of a domain (``PUT /api/users/<domain>``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailwright.authz import Action
from mailwright.errors import PartlyDone
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
    spared = rights.out_of_reach(work, name)
    if spared:
        work.warn(f"left alone, because they rank higher: {', '.join(sorted(spared))}")
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
            keys = work.accounts.find_names(resource, Query(within=name)).keys
            each = {key: each[key] for key in keys if key not in spared}
    if not changes and password is None:
        return Changed(0)
    # The domain is not locked: whoever changes one user locks the user first and the domain second.
    work.accounts.begin()
    _a_global_admin_remains(work, name, changes)
    told = Changes(dict(changes.items()))
    if password is not None:
        told[users.PASSWORD] = ""  # its value is never noted
        work.end_sessions(f"@{name}", spare=spared)
    work.note(
        Action.UPDATE,
        resource.name,
        "",
        name,
        fields=tuple(field.name for field in told.fields()),
        after=told,
    )
    if not work.accounts.all_at_once:
        work.record()
    changed = work.accounts.change_all(resource, name, changes, each, spared)
    if changed.failures:
        work.shortfall = PartlyDone.default_code
    return changed


def _a_global_admin_remains(work: Work, name: str, changes: Changes) -> None:
    if changes.get(users.STATUS) != "disabled":
        return
    a_global_admin_is_elsewhere(work, name)
