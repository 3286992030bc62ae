"""The server that every cell of the matrix starts from, and who asks.

It is built once for each engine through the API, in two variants: open, and with every closable profile of
`HERE` closed.  `World.be` brings a variant back, which costs little when nothing has changed since.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailwright import tokens
from mailwright.app import ACCOUNTS
from mailwright.authz import EVERYTHING, Scope
from mailwright.tokens import Token, Tokens
from tests.api.client import ADMIN, DOMAIN, JANE, MANAGER, PASSWORD, Api
from tests.directory_site import DirectorySite
from tests.stores import LATER, Row, Site

HERE = DOMAIN
THERE = "other.example"
EMPTY = "empty.example"  # of those who administer HERE, and without users
NOWHERE = "missing.example"
ROOT = "root@mailwright.internal"  # another global admin
NEIGHBOUR = "neighbour@mailwright.internal"  # administers THERE
FOUNDER = "founder@mailwright.internal"  # administers HERE and may create domains
BOSS = f"boss@{HERE}"  # a mail user who administers everything
CHIEF = f"chief@{HERE}"  # a mail user who administers THERE too
USER = f"user@{HERE}"  # a mail user without any rank
FOREIGNER = f"foreigner@{THERE}"
NOBODY = f"nobody@{HERE}"
USERS = (JANE, USER, BOSS, CHIEF, FOREIGNER)
USERS_PASSWORD = "Test-Pass1"
OPEN, CLOSED = "open", "closed"
NOW = int(LATER.timestamp())
# Rows beside the accounts that a cell may change and the next one must not see.
_PASSING = (
    *("sessions", "tokens", "login_failures", "leftovers", "journal"),
    *("audit", "audit_tip"),
)


@dataclass(frozen=True)
class Role:
    """Who asks: with the session of `session`, with `token`, or with nothing."""

    name: str
    what: str
    session: str = ""
    token: str = ""
    variant: str = OPEN
    names_closed: bool = False

    @property
    def username(self) -> str:
        return self.session or (TOKENS[self.token].owner if self.token else "")


def _token(
    number: int, label: str, owner: str, scope: Scope = EVERYTHING, *, expires: int = 0
) -> Token:
    ident, created = f"{number:016x}", NOW - 3600
    return Token(
        ident, tokens._digest(f"{number:043x}"), owner, label, created, expires, scope=scope
    )


def shown(token: Token) -> str:
    """What a script sends of a token."""
    return f"mw_{token.ident}_{int(token.ident, 16):043x}"


TOKENS: Mapping[str, Token] = {
    token.label: token
    for token in (
        _token(1, "read-only", ADMIN, Scope(read_only=True)),
        _token(2, "there", ADMIN, Scope(domains=frozenset({THERE}))),
        _token(3, "domain", ADMIN, Scope(resources=frozenset({"domain"}))),
        _token(4, "here", MANAGER, Scope(domains=frozenset({HERE}))),
        _token(5, "expired", ADMIN, expires=NOW),
        _token(6, "neighbour's", NEIGHBOUR),
        _token(7, "global, here", ADMIN, Scope(domains=frozenset({HERE}))),
        _token(8, "user", ADMIN, Scope(resources=frozenset({"user"}))),
    )
}
NO_TOKEN = f"{9:016x}"

ROLES = (
    Role("anonymous", "nobody is logged in"),
    Role("mail user", f"a session that {USER} has left from having been an admin", USER),
    Role("domain admin", f"{MANAGER} administers {HERE}", MANAGER),
    Role("admin of another", f"{NEIGHBOUR} administers {THERE}", NEIGHBOUR),
    Role(
        "closed profile",
        f"{MANAGER}, where every closable profile of {HERE} is closed; a field of one is named",
        MANAGER,
        variant=CLOSED,
        names_closed=True,
    ),
    Role("open profile", "the same, and no such field is named", MANAGER, variant=CLOSED),
    Role("may create domains", f"{FOUNDER} administers {HERE} and may create domains", FOUNDER),
    Role("global admin", f"{ADMIN}", ADMIN),
    Role("token, read-only", f"of {ADMIN}, which only reads", token="read-only"),
    Role("token, of another", f"of {ADMIN}, bound to {THERE}", token="there"),
    Role("token, domains", f"of {ADMIN}, bound to the resource domain", token="domain"),
    Role("token, users", f"of {ADMIN}, bound to the resource user", token="user"),
    Role("token, global", f"of {ADMIN}, bound to {HERE}", token="global, here"),
    Role("token, of this", f"of {MANAGER}, bound to {HERE}", token="here"),
    Role("token, expired", f"of {ADMIN}, until a moment ago", token="expired"),
)


@dataclass
class _State:
    rows: dict[str, Row] = field(default_factory=dict)
    beside: dict[str, list[Row]] = field(default_factory=dict)
    copies: dict[str, sqlite3.Connection] = field(default_factory=dict)


class World:
    """The site and its variants."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.site: Site = api.site
        self._cookies: dict[str, str] = {}
        self._build()
        self._states = {OPEN: self._remember()}
        self._close_profiles()
        self._states[CLOSED] = self._remember()
        self._variant = CLOSED
        self._versions = self._read_versions()

    def headers(self, role: Role) -> dict[str, str]:
        """What the client of a role sends with every request."""
        if role.token:
            return {"Authorization": f"Bearer {shown(TOKENS[role.token])}"}
        return {"Cookie": self._cookies[role.session]} if role.session else {}

    def be(self, variant: str) -> None:
        """Everything as it was."""
        if self._in_files:
            versions = self._read_versions()
            for name, copy in self._states[variant].copies.items():
                if variant != self._variant or versions[name] != self._versions[name]:
                    copy.backup(self.site.raw[name].connection)
        elif variant != self._variant or self.accounts_changed():
            self.site.go_back(self._states[variant].rows)
        if not self._in_files:
            self._put_back_beside(self._states[variant].beside)
        self._variant = variant
        self._versions = self._read_versions()

    def accounts_changed(self) -> bool:
        """Whether anything of the accounts is otherwise than in the variant."""
        if self._in_files:
            return self._read_versions()["vmail"] != self._versions["vmail"]
        return self.site.snapshot() != self._states[self._variant].rows

    def close(self) -> None:
        for state in self._states.values():
            for copy in state.copies.values():
                copy.close()

    @property
    def _in_files(self) -> bool:
        return self.site.engine == "sqlite"

    def _read_versions(self) -> dict[str, int]:
        """A number for each database that is another one once somebody else has written there."""
        if not self._in_files:
            return {}
        return {
            name: self.site.raw[name].rows("PRAGMA data_version")[0]["data_version"]
            for name in ("vmail", "iredadmin")
        }

    def _build(self) -> None:
        api = self.api
        if isinstance(self.site, DirectorySite):
            # A directory dates its entries itself, and nobody sees records that are older than their account.
            self.site.clock.now = LATER.replace(year=2037)
        api.add_admin(ADMIN)
        assert api.login(ADMIN).status_code == 200
        for domain in (HERE, THERE, EMPTY):
            api.add_domain(domain)
        for mail in USERS:
            api.add_user(mail)
        self._ok("PUT", f"/api/user/{BOSS}", "isGlobalAdmin=yes")
        self._ok("POST", f"/api/admin/{ROOT}", f"password={PASSWORD}&isGlobalAdmin=yes")
        for admin in (MANAGER, NEIGHBOUR):
            self._ok("POST", f"/api/admin/{admin}", f"password={PASSWORD}")
        self._ok("POST", f"/api/admin/{FOUNDER}", f"password={PASSWORD}&maxDomains=5")
        for domain, admins in (
            (HERE, (MANAGER, FOUNDER, CHIEF)),
            (EMPTY, (MANAGER, FOUNDER)),
            (THERE, (NEIGHBOUR, CHIEF)),
        ):
            self._ok("PUT", f"/api/domain/admins/{domain}", f"addAdmin={','.join(admins)}")
        self._cookies[ADMIN] = api.cookie
        for admin, user in ((MANAGER, JANE), (NEIGHBOUR, FOREIGNER), (FOUNDER, USER)):
            api.cookie = ""
            assert api.login(admin).status_code == 200
            self._cookies[admin] = api.cookie
            self._ok("PUT", f"/api/user/{user}", "name=Known")  # something for the record
        self._cookies[USER] = self._session_of(USER)
        api.cookie = ""
        for token in TOKENS.values():
            Tokens(self.site.app.databases["iredadmin"]).add(token)

    def _session_of(self, username: str) -> str:
        secret = "0" * 43
        self.site.raw["iredadmin"].insert(
            "mailwright_sessions",
            token_hash=hashlib.sha256(secret.encode()).hexdigest(),
            username=username,
            created=NOW,
            seen=NOW,
            address="127.0.0.1",
        )
        return f"{self.site.app.settings.sessions.cookie_name}={secret}"

    def _close_profiles(self) -> None:
        self.api.cookie = self._cookies[ADMIN]
        locks = [account.lock for account in ACCOUNTS.values() if account.lock]
        form = "&".join(f"{lock.field.name}={','.join(lock.profiles)}" for lock in locks)
        self._ok("PUT", f"/api/domain/{HERE}", form)
        self.api.cookie = ""

    def _ok(self, method: str, path: str, form: str) -> None:
        answer = self.api.call(method, path, form)
        assert answer.json["_success"], answer.json

    def _remember(self) -> _State:
        state = _State()
        if self._in_files:
            for name in ("vmail", "iredadmin"):
                state.copies[name] = copy = sqlite3.connect(":memory:")
                self.site.raw[name].connection.backup(copy)
            return state
        state.rows = self.site.snapshot()
        for table in _PASSING:
            state.beside[table] = self.site.raw["iredadmin"].rows(
                f"SELECT * FROM mailwright_{table}"
            )
        return state

    def _put_back_beside(self, tables: Mapping[str, list[Row]]) -> None:
        raw = self.site.raw["iredadmin"]
        raw.execute("BEGIN")
        for table, rows in tables.items():
            raw.execute(f"DELETE FROM mailwright_{table}")
            for row in rows:
                raw.insert(f"mailwright_{table}", **row)
        raw.execute("COMMIT")
