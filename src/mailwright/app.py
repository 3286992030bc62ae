"""The composition root: settings become databases, a store and pieces of work.

Nothing connects on import or on construction; ``App`` connects when it is first asked for something.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from mailwright import overrides, tokens
from mailwright.audit.trail import UNFORESEEN, Trail
from mailwright.authz import Action, Actor, Role
from mailwright.errors import (
    ConfigurationError,
    Exists,
    Forbidden,
    LimitReached,
    MailwrightError,
    NotFound,
    Unavailable,
)
from mailwright.fields.addresses import domain_of
from mailwright.fields.credentials import PASSWORD, USERNAME
from mailwright.logs import REQUEST
from mailwright.overrides import Overrides
from mailwright.ownership.claims import Claims
from mailwright.passwords import hash_password
from mailwright.policies.forgetting import forget
from mailwright.resources import admin as admins
from mailwright.resources import domain as domains
from mailwright.resources import listing
from mailwright.resources import user as users
from mailwright.resources.operations import Account
from mailwright.settings import Settings
from mailwright.storage.protocol import Accounts, AccountStore, Clock, Contention
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Database, Target
from mailwright.storage.sql.store import SqlAccountStore
from mailwright.work import Attempt, Leftover, Work

T = TypeVar("T")
# Who asks, once somebody can ask the accounts for their rank of this moment.  ``NotAuthenticated``.
Identify = Callable[[Accounts], Actor]
LOG = logging.getLogger("mailwright")
LOGICAL = ("vmail", "amavisd", "iredapd", "iredadmin")
# Another program's lock or a deadlock ends a transaction without a fault of the client's.
TRIES = 6
LONGEST_PAUSE_SECONDS = 0.05  # before the second try; grows with each
OVERRIDES_LAST_SECONDS = 15.0
SETTLED_SECONDS = 60

ACCOUNTS: Mapping[str, Account] = {
    account.resource.name: account for account in (domains.ACCOUNT, users.ACCOUNT, admins.ACCOUNT)
}
# Every parameter name that some route takes or shows: where it is not taken, it is ignored and not refused.
KNOWN = frozenset(
    name
    for fields in (
        (USERNAME, PASSWORD),
        *(account.resource.fields for account in ACCOUNTS.values()),
        *(listing.parameters(account.resource) for account in ACCOUNTS.values()),
        tokens.PARAMETERS,
    )
    for field in fields
    if not field.internal
    for name in (field.name, *field.names())
)


def utc_now() -> dt.datetime:
    """The time, in UTC."""
    return dt.datetime.now(dt.UTC)


class App:
    """Everything that the ways in share; safe to use from many threads."""

    def __init__(self, settings: Settings, clock: Callable[[], dt.datetime] = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self.databases: dict[str, Database] = {
            name: Database(
                target, size=_pool_size(settings), idle_seconds=settings.pool.idle_seconds
            )
            for name, target in targets(settings).items()
        }
        self.store: AccountStore = (
            _directory_store(settings, self.databases["iredadmin"], clock)
            if settings.storage.backend == "ldap"
            else SqlAccountStore(self.databases["vmail"], clock)
        )
        self.claims = Claims(self.databases["iredadmin"], settings.ownership, clock)
        self._hash = partial(hash_password, scheme=settings.passwords.scheme)
        self._overrides: tuple[float, Overrides | None] = (0.0, None)

    def run(self, who: Actor | Identify, operation: Callable[[Work], T]) -> tuple[T, Sequence[str]]:
        """Run an operation as one piece of work; its result and the warnings for the client.

        Records it and commits when it returns, undoes everything when it raises, and starts again if the
        database gave the transaction up because of another one.
        """
        for attempt in range(1, TRIES + 1):
            work: Work | None = None
            try:
                with self.store.session() as accounts:
                    actor = who if isinstance(who, Actor) else who(accounts)
                    trail = self._trail(actor)
                    work = self._work(actor, accounts, trail)
                    result = operation(work)
                    trail.write(work.notes)
                    accounts.commit()
            except Exception as error:
                if work is not None:
                    self._wind_up(work, error, trail)
                if not isinstance(error, Contention) or attempt == TRIES:
                    raise
                # Those that met in a deadlock would meet again if they came back at once.
                time.sleep(random.random() * LONGEST_PAUSE_SECONDS * attempt)  # noqa: S311
            else:
                self._conclude(work, trail)
                return result, work.warnings
        raise AssertionError("unreachable")  # pragma: no cover

    def _conclude(self, work: Work, trail: Trail) -> None:
        """What is left to do when a try was committed."""
        if work.shortfall:
            trail.failed(work.shortfall)
        if work.signed_out and not self._end_sessions(work.signed_out, work.stay_signed_in):
            work.warn("sessions that began with the old password could not be ended")
        for leftover in work.leftovers:
            if not self._forget(leftover):
                work.warn(
                    f"policies of {leftover.key} could not be removed yet; "
                    "that is made up for later, at the latest before the name is used again"
                )

    def _wind_up(self, work: Work, error: Exception, trail: Trail) -> None:
        """What is left to do when everything of a try was undone."""
        trail.failed(error.code if isinstance(error, MailwrightError) else UNFORESEEN)
        if isinstance(error, Forbidden | LimitReached) and work.attempted:
            trail.refused(work.attempted, error.code)
        if isinstance(error, NotFound):
            # Somebody else removed it meanwhile, and dropped their note before this one was made.
            for leftover in work.leftovers:
                self._forget(leftover, drop_if_there=False)

    def login_failed(self, username: str, address: str, code: str, *, token: str = "") -> None:
        """Record a login that was refused; ``username`` is an address, never just what was typed.

        ``token`` is the id of the API token that was shown.
        """
        stranger = Actor(username, Role.DOMAIN_ADMIN, address, token=token)
        attempt = Attempt(Action.SESSION, "admin", username, domain_of(username))
        self._trail(stranger, stranger=True).refused(attempt, code)

    @property
    def overrides(self) -> Overrides:
        """What is in force of settings that an admin panel may have stored; read every few seconds."""
        read_at, found = self._overrides
        if found is None or time.monotonic() - read_at > OVERRIDES_LAST_SECONDS:
            try:
                rows = self._iredadmin_rows(overrides.STATEMENT)
            except MailwrightError:
                # Without the database nothing works anyway; what was read last stays in force.
                rows = []
                if found is not None:
                    return found
            found = overrides.in_force(self.settings, rows)
            self._overrides = (time.monotonic(), found)
        return found

    def finish_leftovers(self, *, settled_seconds: int = SETTLED_SECONDS) -> int:
        """Finish removals that were interrupted between databases; how many notes there were.

        A younger note of an account that is still there may belong to a removal that another process is
        about to commit: it stays for the next time.
        """
        rows = self._iredadmin_rows('SELECT "kind", "account", "noted" FROM "mailwright_leftovers"')
        settled = self.clock().timestamp() - settled_seconds
        for kind, account, noted in rows:
            self._forget(Leftover(kind, account), drop_if_there=int(noted) <= settled)
        return len(rows)

    def repair(self) -> Sequence[str]:
        """Finish what an interruption left half-done; sentences about it."""
        told = self.store.repair()
        self.finish_leftovers()
        return told

    def close(self) -> None:
        """Close the idle connections."""
        self.store.close()
        for database in self.databases.values():
            database.close()

    def _work(self, actor: Actor, accounts: Accounts, trail: Trail) -> Work:
        return Work(
            actor=actor,
            accounts=accounts,
            settings=self.settings,
            policy=self.overrides.policy,
            now=self.clock(),
            hash_password=self._hash,
            announce=self._announce,
            finish=self._finish,
            known=KNOWN,
            write_notes=trail.write,
            claims=self.claims,
        )

    def _announce(self, leftover: Leftover) -> None:
        # Exists: who removes the same account at the same moment has noted it.
        with suppress(Exists), self.databases["iredadmin"].transaction() as connection:
            connection.execute(
                'DELETE FROM "mailwright_leftovers" WHERE "kind" = %s AND "account" = %s',
                (leftover.kind, leftover.key),
            )
            connection.execute(
                'INSERT INTO "mailwright_leftovers" ("kind", "account", "noted") VALUES (%s, %s, %s)',
                (leftover.kind, leftover.key, int(self.clock().timestamp())),
            )

    def _finish(self, leftover: Leftover) -> None:
        """Finish an interrupted removal of an account whose name is about to be used again."""
        with self.databases["iredadmin"].connection() as connection:
            noted = connection.row(
                'SELECT 1 FROM "mailwright_leftovers" WHERE "kind" = %s AND "account" = %s',
                (leftover.kind, leftover.key),
            )
        if noted is None:
            return
        if self.store.is_unfinished(leftover.key):
            self.store.finish(leftover.key)
        if not self._forget(leftover):
            raise Unavailable(
                f"policies of an earlier {leftover.key} cannot be removed now; try again later"
            )

    def _forget(self, leftover: Leftover, *, drop_if_there: bool = True) -> bool:
        """Have the policy databases forget an account, unless it is (still or again) there.

        Whether that worked.  If not, the note stays: the account is gone and its mail stopped.
        """
        try:
            gone = self._is_gone(leftover)
            if not gone and self.store.is_unfinished(leftover.key):
                return False
            if gone:
                forget(self.databases, leftover, self._who_stays(leftover))
            if gone or drop_if_there:
                with self.databases["iredadmin"].transaction() as connection:
                    connection.execute(
                        'DELETE FROM "mailwright_leftovers" WHERE "kind" = %s AND "account" = %s',
                        (leftover.kind, leftover.key),
                    )
        except MailwrightError as error:
            LOG.warning(
                "leftovers of %s %s stay for now: %s", leftover.kind, leftover.key, error.code
            )
            return False
        return True

    def _is_gone(self, leftover: Leftover) -> bool:
        with self.store.session() as accounts:
            try:
                accounts.get(ACCOUNTS[leftover.kind].resource, leftover.key, ())
            except NotFound:
                return True
        return False

    def _who_stays(self, leftover: Leftover) -> frozenset[str]:
        """The standalone admins whose addresses are in a domain that is gone."""
        if leftover.kind != "domain":
            return frozenset()
        with self.store.session() as accounts:
            return accounts.standalone_admins(leftover.key)

    def _end_sessions(self, usernames: Sequence[str], spared: Collection[str]) -> bool:
        """End the sessions of these accounts, except of those that are spared.  Whether that worked."""
        gone = frozenset(usernames)
        try:
            with self.databases["iredadmin"].connection() as connection:
                # One at a time: a login that cleans up never waits for this and this for it.
                for token_hash, username in connection.rows(
                    'SELECT "token_hash", "username" FROM "mailwright_sessions"'
                ):
                    name = username.lower()
                    if name in spared:
                        continue
                    if name in gone or f"@{domain_of(name)}" in gone:
                        connection.execute(
                            'DELETE FROM "mailwright_sessions" WHERE "token_hash" = %s',
                            (token_hash,),
                        )
        except MailwrightError as error:
            LOG.warning("sessions could not be ended: %s", error.code)
            return False
        return True

    def _trail(self, actor: Actor, *, stranger: bool = False) -> Trail:
        return Trail(
            self.databases["iredadmin"], self.clock, actor, REQUEST.get(), stranger=stranger
        )

    def _iredadmin_rows(self, statement: str) -> list[tuple[str, ...]]:
        with self.databases["iredadmin"].connection() as connection:
            return [tuple(map(str, row)) for row in connection.rows(statement)]


def targets(settings: Settings) -> dict[str, Target]:
    """Where each logical database is; those that are switched off are left out.

    Beside a directory there are the policies, sessions and the log, but no accounts.
    """
    beside = settings.storage.backend == "ldap"
    dialect = Dialect(settings.ldap.sql_backend if beside else settings.storage.backend)
    logical = [name for name in LOGICAL if not (beside and name == "vmail")]
    if dialect is Dialect.SQLITE:
        directory = Path(settings.storage.sqlite_directory).absolute()
        return {name: Target(dialect, name, path=directory / f"{name}.db") for name in logical}
    found: dict[str, Target] = {}
    for name in logical:
        configured = getattr(settings.databases, name)
        if configured.enabled:
            found[name] = Target(
                dialect,
                configured.name,
                host=configured.host,
                port=configured.port,
                socket=configured.socket,
                user=configured.user,
                password=configured.password.reveal(),
                connect_timeout=configured.connect_timeout_seconds,
            )
    return found


def _directory_store(settings: Settings, database: Database, clock: Clock) -> AccountStore:
    try:
        from mailwright.storage.ldap.opening import open_store  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name != "ldap":
            raise
        raise ConfigurationError(
            "storage.backend is ldap, and for that python-ldap is needed: "
            "`make install-ldap` in a checkout, or pip install 'mailwright[ldap]'"
        ) from None
    chosen = settings.ldap
    return open_store(
        chosen.uri,
        bind_dn=chosen.bind_dn,
        password=chosen.bind_password.reveal(),
        start_tls=chosen.start_tls,
        ca_file=chosen.ca_file,
        timeout=chosen.timeout_seconds,
        page_size=chosen.page_size,
        base=chosen.base_dn,
        admins=chosen.admin_base_dn,
        size=settings.pool.size,
        idle_seconds=settings.pool.idle_seconds,
        database=database,
        clock=clock,
        storage_base=settings.accounts.storage_base_directory,
    )


def _pool_size(settings: Settings) -> int:
    # SQLite readers fight for the interpreter; four connections serve better than sixteen.
    sqlite = "sqlite" in {settings.storage.backend, settings.ldap.sql_backend}
    return 4 if sqlite else settings.pool.size


__all__ = ["ACCOUNTS", "KNOWN", "App", "targets", "utc_now"]
