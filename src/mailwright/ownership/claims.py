"""Domains that wait for a proof, and proofs that are remembered: the rows of `iredadmin.domain_ownership`.

A row is of one admin and one domain.  ``verified`` is set only after the domain was switched on, or when
a global admin did that.  It switches on no domain that is there; it spares its admin another proof when
they remove the domain and add it again, so whoever switches the domain off has the rows removed.
``expire`` is the end of the code or of the memory, in seconds since 1970 (policy reference 7.1 and 9).
Names that are to become alias domains have rows of their own, which are not looked at here.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from mailwright.errors import Exists, NotSupported, TooManyAttempts
from mailwright.fields.places import Codec
from mailwright.settings import Ownership
from mailwright.storage.protocol import Clock, Contention
from mailwright.storage.sql import codecs
from mailwright.storage.sql.catalogue import columns_of
from mailwright.storage.sql.engine import Connection, Database, Row

RANDOM_OCTETS: Final = 16
PAUSE_SECONDS: Final = 10  # between two looks for the same code
LAST_SECOND: Final = 2**31 - 1  # that the column takes
_TABLE: Final = "domain_ownership"
_COLUMNS: Final = (
    '"id", "admin", "domain", "verify_code", "verified", "message", "last_verify", "expire"'
)
_OF_A_DOMAIN: Final = '"domain" = %s AND "alias_domain" = \'\''
_PENDING: Final = '"id" = %s AND "verify_code" = %s AND "verified" = 0'
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_stamp: Final = codecs.decoder(Codec.STAMP)


@dataclass(frozen=True, slots=True)
class Claim:
    """One row; ``expires`` is in seconds since 1970, 0 for never."""

    ident: int
    admin: str
    domain: str
    code: str
    verified: bool
    message: str
    last_verify: str
    expires: int

    def is_over(self, now: int) -> bool:
        """Whether the code, or the memory of the proof, is too old."""
        return 0 < self.expires <= now


class Claims:
    """The rows of all workers; safe to use from many threads."""

    def __init__(self, database: Database, settings: Ownership, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    def make(self, admin: str, domain: str) -> bool:
        """Have a domain wait for a proof, unless this admin gave one lately: whether they did.

        ``NotSupported`` where the database has no place for it, ``Contention``.
        """
        if not self._is_there:
            raise NotSupported(
                "the iredadmin database has no table domain_ownership, so nobody can prove that a "
                "domain is theirs"
            )
        admin = admin.lower()
        with self._database.transaction() as connection:
            found = _rows(connection, f'WHERE {_OF_A_DOMAIN} AND "admin" = %s', domain, admin)
            if not found:
                self._add(connection, admin, domain)
                return False
            (claim,) = found
            if not claim.is_over(self._now) and (claim.verified or is_usable(claim.code)):
                if not claim.verified:
                    self._extend(connection, claim)
                return claim.verified
            self._renew(connection, claim)
        return False

    def of(self, domain: str, admins: Collection[str]) -> Sequence[Claim]:
        """The claims on a domain of those who administer it now, the oldest first."""
        if not self._is_there:
            return ()
        names = {name.lower() for name in admins}
        with self._database.connection() as connection:
            found = _rows(connection, f'WHERE {_OF_A_DOMAIN} ORDER BY "id"', domain)
        return [claim for claim in found if claim.admin.lower() in names]

    def again(self, claim: Claim) -> Claim | None:
        """The same claim as it is now."""
        with self._database.connection() as connection:
            found = _rows(connection, 'WHERE "id" = %s', claim.ident)
        return found[0] if found else None

    def begin(self, claim: Claim) -> Claim:
        """Before a code is looked for; one that is too old is replaced by a new one.

        ``TooManyAttempts`` where somebody did that a moment ago.
        """
        now = self._clock()
        with self._database.transaction() as connection:
            started = connection.execute(
                f'UPDATE "{_TABLE}" SET "last_verify" = %s WHERE {_PENDING} '  # noqa: S608
                'AND ("last_verify" IS NULL OR "last_verify" <= %s)',
                (
                    codecs.moment(now, connection.dialect),
                    claim.ident,
                    claim.code,
                    codecs.moment(now - dt.timedelta(seconds=PAUSE_SECONDS), connection.dialect),
                ),
            )
            if not started:
                raise TooManyAttempts(
                    f"the code of {claim.domain} was looked for a moment ago",
                    retry_after=PAUSE_SECONDS,
                )
            if claim.is_over(self._now) or not is_usable(claim.code):
                self._renew(connection, claim)
        return self.again(claim) or claim

    def failed(self, claim: Claim, message: str) -> None:
        """Remember why the code was not found."""
        with self._database.connection() as connection:
            connection.execute(
                f'UPDATE "{_TABLE}" SET "message" = %s WHERE {_PENDING}',  # noqa: S608
                (message, claim.ident, claim.code),
            )

    def proven(self, claim: Claim) -> None:
        """Remember a proof; the domain is on by now."""
        with self._database.connection() as connection:
            connection.execute(
                f'UPDATE "{_TABLE}" SET "verified" = 1, "message" = NULL, "expire" = %s '  # noqa: S608
                f"WHERE {_PENDING}",
                (self._end, claim.ident, claim.code),
            )

    def vouch(self, domain: str, admins: Collection[str]) -> None:
        """A global admin switches the domain on, which is as good as a proof by its admins."""
        for claim in self.of(domain, admins):
            self.proven(claim)

    def withdraw(self, domain: str) -> bool:
        """A global admin switches the domain off: no proof, old or new, switches it on again.

        Whether there was one, or a code that was waited for.
        """
        if not self._is_there:
            return False
        with self._database.connection() as connection:
            gone = connection.execute(
                f'DELETE FROM "{_TABLE}" WHERE {_OF_A_DOMAIN}',  # noqa: S608
                (domain,),
            )
        return gone > 0

    def waits(self, domain: str, admins: Collection[str]) -> bool:
        """Whether one of its admins has yet to prove that the domain is theirs."""
        return any(not claim.verified for claim in self.of(domain, admins))

    def forget(self, is_hosted: Callable[[str], bool]) -> int:
        """Drop what is too old, but no code that a domain still waits for; how many rows."""
        if not self._is_there:
            return 0
        condition = '"expire" > 0 AND "expire" <= %s'
        with self._database.connection() as connection:
            old = _rows(connection, f"WHERE \"alias_domain\" = '' AND {condition}", self._now)
        gone = 0
        for claim in old:
            if claim.verified or not is_hosted(claim.domain):
                with self._database.connection() as connection:
                    gone += connection.execute(
                        f'DELETE FROM "{_TABLE}" '  # noqa: S608
                        f'WHERE "id" = %s AND "verified" = %s AND {condition}',
                        (claim.ident, int(claim.verified), self._now),
                    )
        return gone

    @property
    def _is_there(self) -> bool:
        """Whether the server is new enough to have the table."""
        return _TABLE in columns_of(self._database)

    @property
    def _now(self) -> int:
        return int(self._clock().timestamp())

    @property
    def _end(self) -> int:
        return min(self._now + self._settings.expire_days * 86_400, LAST_SECOND)

    def _code(self) -> str:
        return self._settings.code_prefix + secrets.token_hex(RANDOM_OCTETS)

    def _add(self, connection: Connection, admin: str, domain: str) -> None:
        try:
            connection.execute(
                f'INSERT INTO "{_TABLE}" ("admin", "domain", "alias_domain", "verify_code", '  # noqa: S608
                '"verified", "expire") VALUES (%s, %s, \'\', %s, 0, %s)',
                (admin, domain, self._code(), self._end),
            )
        except Exists:
            raise Contention("the same domain is being added; try again") from None

    def _extend(self, connection: Connection, claim: Claim) -> None:
        connection.execute(
            f'UPDATE "{_TABLE}" SET "expire" = %s WHERE {_PENDING}',  # noqa: S608
            (self._end, claim.ident, claim.code),
        )

    def _renew(self, connection: Connection, claim: Claim) -> None:
        connection.execute(
            f'UPDATE "{_TABLE}" SET "verify_code" = %s, "verified" = 0, "message" = NULL, '  # noqa: S608
            '"expire" = %s WHERE "id" = %s',
            (self._code(), self._end, claim.ident),
        )


def is_usable(code: str) -> bool:
    """Whether a code can be the name of a file; other programs write codes too."""
    return _CODE.fullmatch(code) is not None


def _rows(connection: Connection, condition: str, *parameters: object) -> list[Claim]:
    rows = connection.rows(f'SELECT {_COLUMNS} FROM "{_TABLE}" {condition}', parameters)  # noqa: S608
    return [_claim(row) for row in rows]


def _claim(row: Row) -> Claim:
    ident, admin, domain, code, verified, message, last_verify, expires = row
    return Claim(
        int(ident),
        str(admin),
        str(domain),
        str(code),
        bool(verified),
        message or "",
        _stamp(last_verify),
        int(expires or 0),
    )
