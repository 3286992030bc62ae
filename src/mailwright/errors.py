"""Every error that Mailwright raises on purpose.

    MailwrightError
    ├── Invalid             a parameter, a body or a path is not acceptable
    │   └── ConfigurationError   the same, for the settings file and the environment
    ├── NotAuthenticated    nobody is logged in, or the login failed
    ├── Forbidden           the actor may not do this
    ├── NotFound            no such account, domain or route
    ├── Exists              the name or address is taken
    ├── LimitReached        a limit of the domain or the server stands against it
    ├── NotSupported        this backend or this server's schema cannot do it
    ├── TooLarge            the body or the number of parameters passes the limit
    ├── TooManyAttempts     logins are slowed; carries the seconds to wait
    └── Unavailable         a database or directory cannot be reached or is locked
        └── PartlyDone      a directory failed half-way, or refused some of many accounts

An error carries a stable upper-case ``code`` that clients may rely on and a ``reason`` for people.
Neither may hold a secret or a driver's own words.
"""

from __future__ import annotations


class MailwrightError(Exception):
    """The root: ``code`` for programs, ``reason`` for people, ``parameter`` where one is to blame."""

    default_code = "ERROR"

    def __init__(
        self, reason: str, *, code: str | None = None, parameter: str | None = None
    ) -> None:
        super().__init__(reason)
        self.code = code or self.default_code
        self.reason = reason
        self.parameter = parameter

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"


class Invalid(MailwrightError):
    default_code = "INVALID_PARAMETER"


class ConfigurationError(Invalid):
    """The configuration is wrong; ``reason`` names the file or variable, the key and why."""

    default_code = "INVALID_CONFIGURATION"


class NotAuthenticated(MailwrightError):
    default_code = "LOGIN_REQUIRED"


class Forbidden(MailwrightError):
    default_code = "PERMISSION_DENIED"


class NotFound(MailwrightError):
    default_code = "NO_SUCH_ACCOUNT"


class Exists(MailwrightError):
    default_code = "ALREADY_EXISTS"


class LimitReached(MailwrightError):
    default_code = "NOT_ALLOWED"


class NotSupported(MailwrightError):
    default_code = "NOT_SUPPORTED"


class TooLarge(MailwrightError):
    default_code = "TOO_LARGE"


class TooManyAttempts(MailwrightError):
    """Logins are being slowed; ``retry_after`` is in seconds."""

    default_code = "TOO_MANY_ATTEMPTS"

    def __init__(self, reason: str, *, retry_after: int) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Unavailable(MailwrightError):
    """Something cannot be reached; ``detail`` (where, and why) is for the machine's own administrators.

    It never stands in an answer to a client.
    """

    default_code = "SERVER_DOWN"

    def __init__(self, reason: str, *, code: str | None = None, detail: str = "") -> None:
        super().__init__(reason, code=code)
        self.detail = detail


class PartlyDone(Unavailable):
    """Not all of it was done.  ``data`` tells a client what was and what was not, where that is known."""

    default_code = "PARTLY_DONE"

    def __init__(self, reason: str, *, detail: str = "", data: object = None) -> None:
        super().__init__(reason, detail=detail)
        self.data = data
        self.warnings: tuple[str, ...] = ()
