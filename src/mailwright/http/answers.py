"""Answers: the envelope, and accounts as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from mailwright.errors import (
    Exists,
    Forbidden,
    Invalid,
    LimitReached,
    MailwrightError,
    NotAuthenticated,
    NotFound,
    NotSupported,
    PartlyDone,
    TooLarge,
    TooManyAttempts,
    Unavailable,
)
from mailwright.fields.field import Record
from mailwright.fields.resource import Resource
from mailwright.resources.listing import Listed
from mailwright.storage.protocol import Changed

encode = msgspec.json.Encoder().encode

# The most derived class that an error is an instance of decides.
STATUS: Final[Mapping[type[MailwrightError], int]] = {
    Invalid: 400,
    NotSupported: 400,
    NotAuthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Exists: 409,
    LimitReached: 409,
    TooLarge: 413,
    TooManyAttempts: 429,
    Unavailable: 503,
}
SUCCESS: Final = b'{"_success":true}'


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes under ``_data``, the token of the next page of a list, and what failed all the same."""

    data: object = None
    next: str | None = None
    error: PartlyDone | None = None


def success(answer: Answer | None, warnings: Sequence[str] = ()) -> bytes:
    """The body of a success; without data where the verb gives none."""
    if answer is None and not warnings:
        return SUCCESS
    body: dict[str, object] = {"_success": True}
    if answer is not None:
        body["_data"] = answer.data
        if answer.next is not None:
            body["_next_page_token"] = answer.next
    if warnings:
        body["_warnings"] = warnings
    return encode(body)


def failure(code: str, reason: str) -> bytes:
    """The body of a failure."""
    return encode({"_success": False, "_msg": f"{code}: {reason}", "_code": code})


def part(error: PartlyDone) -> bytes:
    """The body of a failure that left a part of the work done."""
    body: dict[str, object] = {
        "_success": False,
        "_msg": f"{error.code}: {error.reason}",
        "_code": error.code,
    }
    if error.data is not None:
        body["_data"] = error.data
    if error.warnings:
        body["_warnings"] = error.warnings
    return encode(body)


def partly(changed: Changed) -> PartlyDone | None:
    """The error of a change of many accounts that could not change all of them."""
    if not changed.failures:
        return None
    failed = [
        {"key": failure.key, "code": failure.code, "reason": failure.reason}
        for failure in changed.failures
    ]
    named = ", ".join(failure.key or "those that come after" for failure in changed.failures[:5])
    more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""  # noqa: PLR2004
    return PartlyDone(
        f"{changed.number} accounts were changed, but not {named}{more}",
        data={"changed": changed.number, "failed": failed},
    )


def status_of(error: MailwrightError) -> int:
    """The HTTP status that says the same as an error of ours."""
    for kind in type(error).__mro__:
        found = STATUS.get(kind)
        if found is not None:
            return found
    return 500


def profile(resource: Resource, record: Record) -> Answer:
    """One account under the names of the API, in the order of its declaration."""
    values = dict(record.items())
    return Answer({field.name: values[field] for field in resource.fields if field in values})


def listing(resource: Resource, found: Listed) -> Answer:
    """Accounts, or only their names."""
    if found.records is None:
        return Answer(found.keys, found.next)
    named = [(field.name, field) for field in resource.fields]
    profiles: list[dict[str, Any]] = []
    for record in found.records:
        values = dict(record.items())  # looked up without a call for each field
        # One may lack what another has: profiles are closed domain by domain.
        profiles.append({name: values[field] for name, field in named if field in values})
    return Answer(profiles, found.next)
