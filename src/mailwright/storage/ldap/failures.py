"""What the directory's refusals mean: each a clear error of ours with a stable code."""

from __future__ import annotations

import ldap

from mailwright.errors import Exists, Invalid, MailwrightError, NotFound, Unavailable
from mailwright.storage.protocol import Contention

DOWN = (ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.TIMEOUT)
_FITS_NOT = (
    ldap.CONSTRAINT_VIOLATION,
    ldap.INVALID_SYNTAX,
    ldap.INVALID_DN_SYNTAX,
    ldap.OBJECT_CLASS_VIOLATION,
    ldap.NAMING_VIOLATION,
    ldap.UNDEFINED_TYPE,
    ldap.TYPE_OR_VALUE_EXISTS,
    ldap.NO_SUCH_ATTRIBUTE,
)
_REFUSED = (ldap.INSUFFICIENT_ACCESS, ldap.UNWILLING_TO_PERFORM, ldap.STRONG_AUTH_REQUIRED)
_LIMITS = (ldap.SIZELIMIT_EXCEEDED, ldap.ADMINLIMIT_EXCEEDED, ldap.TIMELIMIT_EXCEEDED)


def translate(error: ldap.LDAPError) -> MailwrightError:
    """Our error for one of python-ldap's; none of its words reach a client."""
    match error:
        case _ if isinstance(error, DOWN):
            return Unavailable("the directory cannot be reached", detail=why(error))
        case ldap.ALREADY_EXISTS():
            return Exists("an entry of this name already exists")
        case ldap.NO_SUCH_OBJECT():
            return NotFound("there is no such entry")
        case ldap.ASSERTION_FAILED():
            return Contention("another program changed the entry", code="BUSY")
        case ldap.BUSY() | ldap.UNAVAILABLE():
            return Unavailable("the directory is busy; try again", code="BUSY", detail=why(error))
        case ldap.REFERRAL():
            return Unavailable(
                "this directory server is a replica that takes no changes",
                code="REFERRAL",
                detail=why(error),
            )
        case ldap.INVALID_CREDENTIALS():
            return Unavailable(
                "the directory refuses the configured bind DN or its password", code="BIND_REFUSED"
            )
        case _ if isinstance(error, _LIMITS):
            return Unavailable(
                "the directory gives the configured bind DN only a part of what is there; "
                "its limits have to be raised",
                code="SIZE_LIMIT_EXCEEDED",
                detail=why(error),
            )
        case _ if isinstance(error, _REFUSED):
            return Unavailable(
                "the directory does not let the configured bind DN do this",
                code="DIRECTORY_REFUSED",
                detail=why(error),
            )
        case _ if isinstance(error, _FITS_NOT):
            return Invalid("a value does not fit the directory's schema", code="INVALID_DATA")
        case _:
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
