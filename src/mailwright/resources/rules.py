"""Rules that more than one resource shares."""

from __future__ import annotations

from mailwright.errors import Invalid
from mailwright.fields.field import Changes, Field, Record
from mailwright.work import Work


def language_is_installed(work: Work, field: Field[str], changes: Changes) -> None:
    """A language is one of the server's, or none."""
    code = changes.get(field)
    if code and code not in work.settings.accounts.languages:
        raise Invalid(
            f"{field.name} ({code}): this server has no such language", parameter=field.name
        )


def lowered(field: Field[int], record: Record, changes: Changes) -> bool:
    """Whether a limit becomes tighter; 0 is no limit, -1 allows none."""
    if field not in changes:
        return False
    before, after = record[field], changes[field]
    return after != 0 and (before == 0 or after < before)
