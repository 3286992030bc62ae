"""Logging in: who may, and how attempts are slowed.

An attempt is counted before its password is looked at, under a lock that all workers share, so that
attempts side by side do not each get a free try.  An attempt that is refused for its haste is not counted.

Of those that are refused for their haste only the first in each pause is on record.  A pause begins with an
attempt that was judged, and so is on record itself: whoever sends a million of them writes no more than
twice what the pauses let through.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from mailwright.app import App
from mailwright.audit.trail import Trail
from mailwright.authz import Action, Actor, Role
from mailwright.errors import (
    Forbidden,
    Invalid,
    MailwrightError,
    NotAuthenticated,
    TooManyAttempts,
    Unavailable,
)
from mailwright.fields.addresses import domain_of, mail_address
from mailwright.http.clients import Client, subject
from mailwright.logs import REQUEST
from mailwright.passwords import verify_any, waste_time
from mailwright.resources.verifying import Stored
from mailwright.settings import Login
from mailwright.storage.protocol import Administrator, Contention
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Connection
from mailwright.work import Work

TRIES = 4
CLEANED_AT_ONCE = 200
LARGEST_EXPONENT = 20

_TABLE = '"mailwright_login_failures"'
_ADD = f'INSERT INTO {_TABLE} ("subject", "failures", "last_failure") VALUES (%s, 0, 0)'  # noqa: S608
_ADD_IF_MISSING = {
    Dialect.SQLITE: f"{_ADD} ON CONFLICT DO NOTHING",
    Dialect.POSTGRESQL: f"{_ADD} ON CONFLICT DO NOTHING",
    # INSERT IGNORE would share the row's lock, and two that share it deadlock when both go on.
    Dialect.MYSQL: f'{_ADD} ON DUPLICATE KEY UPDATE "subject" = "subject"',
}
_READ = f'SELECT "failures", "last_failure" FROM {_TABLE} WHERE "subject" = %s'  # noqa: S608
_LOCK = {Dialect.SQLITE: "", Dialect.POSTGRESQL: " FOR UPDATE", Dialect.MYSQL: " FOR UPDATE"}
_WRITE = f'UPDATE {_TABLE} SET "failures" = %s, "last_failure" = %s WHERE "subject" = %s'  # noqa: S608
_TAKE_BACK = (
    f'UPDATE {_TABLE} SET "failures" = "failures" - 1 WHERE "subject" = %s AND "failures" > 0'  # noqa: S608
)
_DROP = f'DELETE FROM {_TABLE} WHERE "subject" = %s'  # noqa: S608
_STALE = (
    f'SELECT "subject" FROM {_TABLE} WHERE "last_failure" > 0 AND "last_failure" < %s '  # noqa: S608
    f'ORDER BY "last_failure" LIMIT {CLEANED_AT_ONCE}'
)
# Of which pause somebody has been told: its row has the time at which the pause began.
_TOLD = "told:"
_TELL = f'UPDATE {_TABLE} SET "last_failure" = %s WHERE "subject" = %s AND "last_failure" < %s'  # noqa: S608


@dataclass(frozen=True, slots=True)
class Counted:
    """Something whose failed logins are counted together."""

    subject: str
    free: int


class Hasty(TooManyAttempts):
    """An attempt in a pause of ``subject`` that began at ``since``."""

    def __init__(self, subject: str, since: int, left: int) -> None:
        super().__init__(f"too many failed logins; try again in {left} seconds", retry_after=left)
        self.subject = subject
        self.since = since


def authenticate(
    app: App, username: str, password: str, client: Client
) -> tuple[Actor, Administrator]:
    """The admin who logs in, and the account as it was.

    ``NotAuthenticated`` for whatever reason, ``TooManyAttempts``.
    """
    asked = _address(username)
    login = app.settings.login
    account = Counted(f"account:{asked}", login.free_attempts)
    address = Counted(f"address:{subject(client.address)}", login.address_free_attempts)
    throttle = Throttle(app)
    # What cannot be an address is no account: its attempts are counted under where they come from.
    throttle.count(
        *((account, address) if asked else (address,)),
        tell=lambda code: app.login_failed(asked, client.address, code),
    )
    try:
        found = _administrator(app, asked) if asked else None
    except Unavailable:
        # Nobody has judged this attempt: who tries again while the accounts are away is not slowed for it.
        throttle.give_back(account, address)
        raise
    stored = () if found is None else found.passwords
    if not verify_any(password, stored, app.settings.passwords.scheme) or found is None:
        refused = refusal()
        app.login_failed(asked, client.address, refused.code)
        raise refused
    throttle.forgive(account, address)
    try:
        is_let_in_from(app, client, found)
    except Forbidden as error:
        app.login_failed(asked, client.address, error.code)
        raise
    role = Role.of(is_global=found.is_global)
    actor = Actor(found.username, role, address=client.address, channel="api")
    app.run(actor, _noted)
    return actor, found


def compare(app: App, key: str, password: str, stored: Stored) -> None:
    """Compare a password with what is stored of an account: counted like a login, but nobody is let in.

    ``Invalid``, ``TooManyAttempts``; both are on record, because many of them are somebody who guesses.  A
    right one does not forgive the wrong ones of others.
    """

    def tell(code: str) -> None:
        trail = Trail(app.databases["iredadmin"], app.clock, stored.actor, REQUEST.get())
        trail.refused(stored.attempt, code)

    account = Counted(f"account:{key}", app.settings.login.free_attempts)
    throttle = Throttle(app)
    throttle.count(account, tell=tell)
    if not verify_any(password, stored.hashes, app.settings.passwords.scheme):
        wrong = Invalid(
            "password is not the account's, or there is no such account",
            code="INVALID_CREDENTIALS",
            parameter="password",
        )
        tell(wrong.code)
        raise wrong
    throttle.give_back(account)


def is_outdated(app: App, admin: Administrator) -> bool:
    """Whether the password has changed since: the change ended only the sessions that it found."""
    found = _administrator(app, admin.username)
    return found is None or found.passwords != admin.passwords


def refusal() -> NotAuthenticated:
    """The one answer to a wrong login, whatever is wrong."""
    return NotAuthenticated("username or password is wrong", code="INVALID_CREDENTIALS")


def is_let_in_from(app: App, client: Client, admin: Administrator) -> None:
    """Whether an admin may log in from there, where an admin panel stored such a list.  ``Forbidden``."""
    stored = app.overrides
    for clients in (stored.login_clients, stored.global_login_clients if admin.is_global else None):
        if clients and client.address not in clients:
            raise Forbidden("admins may not log in from this address", code="NOT_ALLOWED_IP")


class Throttle:
    """Failed logins of accounts and client addresses, in a table that all workers share."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._database = app.databases["iredadmin"]
        self._login: Login = app.settings.login

    def count(self, *subjects: Counted, tell: Callable[[str], None]) -> None:
        """Count one attempt for each, or refuse it for all.  ``TooManyAttempts``.

        ``tell`` puts a refusal on record.
        """
        for attempt in range(1, TRIES + 1):
            try:
                self._count(subjects)
            except Contention:
                if attempt == TRIES:
                    raise
            except Hasty as error:
                if self._is_the_first(error):
                    tell(error.code)
                raise
            else:
                return

    def forgive(self, account: Counted, address: Counted) -> None:
        """A right password: the account starts anew, and its address gets the attempt back."""
        with self._database.transaction() as connection:
            connection.execute(_DROP, (account.subject,))
            connection.execute(_TAKE_BACK, (address.subject,))

    def give_back(self, *subjects: Counted) -> None:
        """Take back one attempt of each."""
        with self._database.transaction() as connection:
            for counted in subjects:
                connection.execute(_TAKE_BACK, (counted.subject,))

    def _is_the_first(self, error: Hasty) -> bool:
        """Whether no other attempt was refused in the same pause, by whichever worker."""
        told = f"{_TOLD}{error.subject}"
        # A refusal stays one, whether that it was the first can be noted or not.
        with suppress(MailwrightError), self._database.connection() as connection:
            row = connection.row(_READ, (told,))
            if row is None or int(row[1]) < error.since:
                connection.execute(_ADD_IF_MISSING[connection.dialect], (told,))
                return connection.execute(_TELL, (error.since, told, error.since)) > 0
        return False

    def _count(self, subjects: tuple[Counted, ...]) -> None:
        now = self._now()
        with self._database.transaction() as connection:
            # Accounts before addresses, always: two attempts never wait for one another in a circle.
            failures = {counted: self._failures(connection, counted, now) for counted in subjects}
            for counted, number in failures.items():
                connection.execute(_WRITE, (number + 1, now, counted.subject))

    def _failures(self, connection: Connection, counted: Counted, now: int) -> int:
        dialect = connection.dialect
        connection.execute(_ADD_IF_MISSING[dialect], (counted.subject,))
        row = connection.row(_READ + _LOCK[dialect], (counted.subject,))
        failures, last = (int(row[0]), int(row[1])) if row else (0, 0)
        if not last:
            self._clean(connection)  # the table only grows with rows that are new
        if now - last > self._login.window_minutes * 60:
            return 0
        if failures >= counted.free:
            left = last + self._delay(failures - counted.free) - now
            if left > 0:
                raise Hasty(counted.subject, last, left)
        return failures

    def _delay(self, excess: int) -> int:
        delay = self._login.first_delay_seconds * 2 ** min(excess, LARGEST_EXPONENT)
        return int(min(delay, self._login.max_delay_seconds))

    def _clean(self, connection: Connection) -> None:
        before = self._now() - self._login.window_minutes * 60
        # A row at 0 is one that an attempt has just added.
        for (stale,) in connection.rows(_STALE, (before,)):
            connection.execute(_DROP, (stale,))

    def _now(self) -> int:
        return int(self._app.clock().timestamp())


def warm_up(app: App) -> None:
    """Make the hash that missing accounts are compared with, before the first login needs it."""
    waste_time(secrets.token_hex(8), app.settings.passwords.scheme)


def _address(username: str) -> str:
    """The one spelling of a username, so that nobody is counted under several; empty for none."""
    try:
        return mail_address(username)
    except ValueError:
        return ""


def _administrator(app: App, username: str) -> Administrator | None:
    with app.store.session() as accounts:
        return accounts.administrator(username)


def _noted(work: Work) -> None:
    username = work.actor.username
    work.note(Action.SESSION, "admin", username, domain_of(username), event="login")
