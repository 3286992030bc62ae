"""The same change for every user of a domain (``PUT /api/users/<domain>``)."""

from __future__ import annotations

from mailwright.authz import Action, check
from mailwright.fields.field import Changes
from mailwright.fields.kinds import stamp
from mailwright.fields.resource import Form, Verb
from mailwright.resources import domain as domains
from mailwright.resources import user as users
from mailwright.resources.operations import read_request
from mailwright.resources.rules import a_global_admin_is_elsewhere, language_is_installed
from mailwright.storage.protocol import Query
from mailwright.work import Work


def update_users(work: Work, name: str, form: Form) -> int:
    """Change every user of a domain; how many there are.

    Each user's password gets a hash, and so a salt, of its own.  ``Invalid``, ``Forbidden``, ``NotFound``.
    """
    resource = users.RESOURCE
    name = domains.RESOURCE.read_key(name)
    request = read_request(work, resource, form, Verb.BULK)
    check(work.actor, Action.UPDATE, name, {field.group for field in request.fields})
    domain = work.accounts.get(
        domains.RESOURCE, name, (domains.MIN_PASSWORD_LENGTH, domains.MAX_PASSWORD_LENGTH)
    )
    changes = Changes(dict(request.values))
    language_is_installed(work, users.LANGUAGE, changes)
    password = changes.pop(users.PASSWORD)
    each: dict[str, Changes] = {}
    if password is not None:
        policy = work.policy.with_lengths(
            domain[domains.MIN_PASSWORD_LENGTH], domain[domains.MAX_PASSWORD_LENGTH]
        )
        policy.require(password)
        for key in work.accounts.find_names(resource, Query(within=name)).keys:
            each[key] = Changes(
                {
                    users.PASSWORD: work.hash_password(password),
                    users.PASSWORD_CHANGED: stamp(work.now),
                }
            )
    if not changes and not each:
        return 0
    # The domain is not locked: whoever changes one user locks the user first and the domain second.
    work.accounts.begin()
    _a_global_admin_remains(work, name, changes)
    touched = work.accounts.change_all(resource, name, changes, each)
    for key in each:
        work.end_sessions(key.lower())
    work.note(
        Action.UPDATE,
        resource.name,
        "",
        name,
        fields=(*(field.name for field in changes.fields()), *(("password",) if each else ())),
    )
    return touched


def _a_global_admin_remains(work: Work, name: str, changes: Changes) -> None:
    if changes.get(users.STATUS) != "disabled":
        return
    a_global_admin_is_elsewhere(work, name)
