"""Rules that more than one resource shares."""

from __future__ import annotations

from mailwright.errors import Forbidden, Invalid
from mailwright.fields.field import Changes, Field, Record
from mailwright.fields.resource import Resource
from mailwright.work import Work


def language_is_installed(work: Work, field: Field[str], changes: Changes) -> None:
    """A language is one of the server's, or none."""
    code = changes.get(field)
    if code and code not in work.settings.accounts.languages:
        raise Invalid(
            f"{field.name} ({code}): this server has no such language", parameter=field.name
        )


def names_are_known(
    field: Field[tuple[str, ...]], known: tuple[str, ...], record: Record, changes: Changes
) -> None:
    """New members of a list are names that mean something; stored ones stay, whoever wrote them."""
    if field not in changes:
        return
    before = record[field]
    strange = [name for name in changes[field] if name not in before and name not in known]
    if strange:
        raise Invalid(
            f"{field.name} ({', '.join(strange)}): known are {', '.join(known)}",
            parameter=field.name,
        )


def names_are_kept(
    work: Work, resource: Resource, field: Field[tuple[str, ...]], record: Record, changes: Changes
) -> None:
    """Names that this backend or schema has no place for are ignored, as the API document says."""
    kept = work.accounts.names_kept(resource, field)
    if field not in changes or kept is None:
        return
    before = record[field]
    ignored = [name for name in changes[field] if name not in kept and name not in before]
    if ignored:
        work.warn(f"{field.name}: {', '.join(ignored)} has no place on this server; ignored")
        changes[field] = tuple(name for name in changes[field] if name not in ignored)
    wanted = changes[field]
    if set(wanted) == set(before):
        changes.pop(field)


def sessions_end(
    work: Work,
    key: str,
    changes: Changes,
    *,
    rank: Field[bool],
    status: Field[str],
    password: Field[str],
) -> None:
    """Who has another password or a lower rank now, or is switched off, logs in anew."""
    lower = changes.get(rank) is False or changes.get(status) == "disabled"
    if lower or password in changes:
        work.end_sessions(key)


def another_global_admin_remains(work: Work, key: str) -> None:
    """An active global admin is left without this one."""
    if not any(name != key for name in work.accounts.global_admins()):
        raise Forbidden(f"{key} is the last active global admin", code="NOT_ALLOWED")


def a_global_admin_is_elsewhere(work: Work, domain: str) -> None:
    """An active global admin is left without the users of this domain."""
    admins = work.accounts.global_admins()
    users = [name for name in admins if name.endswith(f"@{domain}") and _is_user(work, name)]
    if admins and len(users) == len(admins):
        raise Forbidden(f"the last active global admin is a user of {domain}", code="NOT_ALLOWED")


def _is_user(work: Work, name: str) -> bool:
    admin = work.accounts.administrator(name)
    return admin is not None and admin.is_mail_user


def lowered(field: Field[int], record: Record, changes: Changes) -> bool:
    """Whether a limit becomes tighter; 0 is no limit, -1 allows none."""
    if field not in changes:
        return False
    before, after = record[field], changes[field]
    return after != 0 and (before == 0 or after < before)
