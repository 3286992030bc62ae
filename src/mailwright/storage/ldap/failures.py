"""What the directory's refusals mean: each a clear error of ours with a stable code."""

from __future__ import annotations

from collections.abc import Callable

import ldap

from mailwright.errors import Exists, Invalid, MailwrightError, NotFound, Unavailable
from mailwright.storage.protocol import Contention


class NoAnswer(Unavailable):
    """The time to wait is over; asking again would take as long."""


DOWN = (ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.TIMEOUT)
_FITS_NOT = (
    ldap.CONSTRAINT_VIOLATION,
    ldap.INVALID_SYNTAX,
    ldap.INVALID_DN_SYNTAX,
    ldap.OBJECT_CLASS_VIOLATION,
    ldap.NAMING_VIOLATION,
    ldap.UNDEFINED_TYPE,
    ldap.TYPE_OR_VALUE_EXISTS,
)
_REFUSED = (ldap.INSUFFICIENT_ACCESS, ldap.UNWILLING_TO_PERFORM, ldap.STRONG_AUTH_REQUIRED)
_LIMITS = (ldap.SIZELIMIT_EXCEEDED, ldap.ADMINLIMIT_EXCEEDED, ldap.TIMELIMIT_EXCEEDED)
# A value that was to be removed is gone, or the entry is not what it was: another program was here.
_CHANGED = (ldap.ASSERTION_FAILED, ldap.NO_SUCH_ATTRIBUTE)
_BUSY = (ldap.BUSY, ldap.UNAVAILABLE)

_Kinds = type[ldap.LDAPError] | tuple[type[ldap.LDAPError], ...]
_MEANINGS: tuple[tuple[_Kinds, Callable[[str], MailwrightError]], ...] = (
    (ldap.TIMEOUT, lambda why: NoAnswer("the directory does not answer in time", detail=why)),
    (DOWN, lambda why: Unavailable("the directory cannot be reached", detail=why)),
    (ldap.ALREADY_EXISTS, lambda _: Exists("an entry of this name already exists")),
    (ldap.NO_SUCH_OBJECT, lambda _: NotFound("there is no such entry")),
    (_CHANGED, lambda _: Contention("another program changed the entry", code="BUSY")),
    (
        _BUSY,
        lambda why: Unavailable("the directory is busy; try again", code="BUSY", detail=why),
    ),
    (
        ldap.REFERRAL,
        lambda why: Unavailable(
            "this directory server is a replica that takes no changes",
            code="REFERRAL",
            detail=why,
        ),
    ),
    (
        ldap.INVALID_CREDENTIALS,
        lambda why: Unavailable(
            "the directory refuses the configured bind DN or its password",
            code="BIND_REFUSED",
            detail=why,
        ),
    ),
    (
        _LIMITS,
        lambda why: Unavailable(
            "the directory gives the configured bind DN only a part of what is there; "
            "its limits have to be raised",
            code="SIZE_LIMIT_EXCEEDED",
            detail=why,
        ),
    ),
    (
        _REFUSED,
        lambda why: Unavailable(
            "the directory does not let the configured bind DN do this",
            code="DIRECTORY_REFUSED",
            detail=why,
        ),
    ),
    (
        _FITS_NOT,
        lambda _: Invalid("a value does not fit the directory's schema", code="INVALID_DATA"),
    ),
)


def translate(error: ldap.LDAPError) -> MailwrightError:
    """Our error for one of python-ldap's; none of its words reach a client."""
    for kinds, make in _MEANINGS:
        if isinstance(error, kinds):
            return make(why(error))
    return Unavailable(
        "the directory failed", code="ERROR_WHILE_QUERYING_DIRECTORY", detail=why(error)
    )


def why(error: ldap.LDAPError) -> str:
    """What the library says, for the machine's own administrators."""
    found = error.args[0] if error.args else ""
    if not isinstance(found, dict):
        return type(error).__name__
    texts = (found.get("desc"), found.get("info"))
    return ": ".join(str(text).strip() for text in texts if text)
