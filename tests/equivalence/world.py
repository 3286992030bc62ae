"""Four sites that are asked the same: what each answered, and what its accounts look like since.

A store here is everything that a client can see of one backend, and a few rows that clients cannot.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from falcon.testing import Result

from mailwright.app import ACCOUNTS
from mailwright.storage.protocol import Query
from mailwright.work import Work
from tests.api.client import Api, api_with
from tests.directory_site import DirectorySite
from tests.equivalence import contradictions
from tests.equivalence.start import PASSWORD, ROOT, admit, begin, dismiss
from tests.servers.slapd import Slapd
from tests.stores import ADMIN, Row, Site

Form = Sequence[tuple[str, str | Sequence[str]]]


@dataclass(frozen=True)
class Request:
    """One request; `own` and `tokens` are what each site is sent of its own, in their order."""

    method: str
    path: str
    form: Form = ()
    as_json: bool = False
    own: Sequence[Mapping[str, Any]] = ()
    tokens: Sequence[str] = ()

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def is_login(self) -> bool:
        return self.path == "/api/login"

    @property
    def asked(self) -> dict[str, str]:
        """The parameters that were given as one text."""
        return {name: value for name, value in self.form if isinstance(value, str)}

    @property
    def kind(self) -> str:
        """What the profiles of the answer are of."""
        first = self.path.removeprefix("/api/").partition("/")[0].removesuffix("s")
        return first if first in ACCOUNTS else ""

    def arguments(self, place: int) -> dict[str, Any]:
        """What a client of falcon's sends."""
        if self.own:
            return {"form": json.dumps(self.own[place]).encode(), "headers": {**_JSON}}
        if self.method == "GET":
            token = [("page_token", self.tokens[place])] if self.tokens else []
            return {"query_string": _encoded([*self.form, *token]).decode("latin-1")}
        if self.as_json:
            return {"form": json.dumps(dict(self.form)).encode(), "headers": {**_JSON}}
        return {"form": _encoded(self.form)}


_JSON = {"Content-Type": "application/json"}
TOKENS = "/api/tokens"
CREATED = 201
# Without what is random, or follows from other records.
_AUDIT = """
    SELECT sequence, time, actor, role, token, address, channel, action, resource, target, domain,
    outcome, code, corrects > 0 AS corrects, changes FROM mailwright_audit WHERE sequence > ?
    ORDER BY sequence
"""
Picture = tuple[dict[str, Row], dict[str, Row], dict[str, Row], dict[str, list[str]]]


@dataclass
class Seen:
    """What is compared: an answer, and what is stored after it where something was asked to change."""

    request: Request
    status: int
    answer: dict[str, Any]
    domains: dict[str, Row]
    users: dict[str, Row]
    rows: dict[str, list[Row]]
    token: str | None
    gone: frozenset[str] = frozenset()  # domains that were removed at any time before
    admins: dict[str, Row] = field(default_factory=dict)
    ranks: dict[str, list[str]] = field(default_factory=dict)  # what each account administers

    def copy(self) -> Seen:
        """One whose profiles and rows may be changed."""
        answer = {**self.answer}
        match answer.get("_data"):
            case dict() as profile:
                answer["_data"] = {**profile}
            case list() as found:
                answer["_data"] = [{**each} if isinstance(each, dict) else each for each in found]
        return replace(
            self,
            answer=answer,
            domains={key: {**profile} for key, profile in self.domains.items()},
            users={key: {**profile} for key, profile in self.users.items()},
            admins={key: {**profile} for key, profile in self.admins.items()},
            rows={table: [{**row} for row in rows] for table, rows in self.rows.items()},
        )

    def profiles(self, kind: str) -> Iterator[Row]:
        """Every profile of a sort, in the answer or stored."""
        stored = {"domain": self.domains, "user": self.users, "admin": self.admins}
        yield from stored[kind].values()
        data = self.answer.get("_data")
        if self.request.kind == kind and self.request.method == "GET":
            yield from (
                each
                for each in (data if isinstance(data, list) else [data])
                if isinstance(each, dict)
            )

    def told(self) -> dict[str, Any]:
        """Everything, as plain data."""
        return {
            "status": self.status,
            "answer": self.answer,
            "domains": self.domains,
            "users": self.users,
            "admins": self.admins,
            "ranks": self.ranks,
            "rows": self.rows,
        }


class Store:
    """One backend: its site, the cookies of those who are logged in, and the API tokens.

    Tokens are random, so each has a name instead, the same in every store.
    """

    def __init__(self, api: Api, place: int, directory: Any = None) -> None:
        self.api = api
        self.site = api.site
        self.place = place
        self.directory = directory  # a connection of the root's
        self.cookies: dict[str, str] = {}
        self.tokens: dict[str, str] = {}  # by name
        self._logged = self._recorded = 0

    @property
    def name(self) -> str:
        return self.site.engine

    @property
    def is_directory(self) -> bool:
        return self.directory is not None

    def restart(self) -> None:
        """The start state, and nobody logged in."""
        self.cookies.clear()
        self.tokens.clear()
        self._logged = self._recorded = 0
        begin(self.site)

    def ask(self, request: Request, actor: str) -> Seen:
        """Send a request and look at what is there afterwards."""
        self.api.cookie = self.cookies.get(actor, "")
        arguments = request.arguments(self.place)
        if actor in self.tokens:
            bearer = {"Authorization": f"Bearer {self.tokens[actor]}"}
            arguments["headers"] = {**arguments.get("headers", {}), **bearer}
        result = self.api.call(request.method, self._real(request.path), **arguments)
        self._keep_cookie(request, result, actor)
        self._keep_token(request, result)
        answer = self._told(result.json)
        if request.path == TOKENS and isinstance(answer.get("_data"), list):
            answer["_data"].sort(key=lambda each: str(each["id"]))  # ids decide where times do not
        seen = Seen(
            request, result.status_code, answer, {}, {}, {}, answer.pop("_next_page_token", None)
        )
        answer["more"] = seen.token is not None
        if request.writes:
            whole = request.method != "PUT" or request.kind == "domain"
            seen.domains, seen.users, seen.admins, seen.ranks = self.picture(counted=whole)
            seen.rows = self.rows(whole=whole)
            found = self._contradictions() if whole else []

            assert not found, f"{self.name} contradicts itself after {request}: {found}"
        return seen

    def picture(self, *, counted: bool) -> Picture:
        """What lists say of every account, and what each administers; if asked for, what domains hold."""

        def look(work: Work) -> Picture:
            domains, users, admins = (
                {
                    record.key: _plain(record)
                    for record in work.accounts.find(ACCOUNTS[kind].resource, Query()).records
                }
                for kind in ("domain", "user", "admin")
            )
            for key, profile in domains.items() if counted else ():
                profile["usage"] = work.accounts.usage(key)
                profile["admins among"] = {
                    name: sorted(given) for name, given in work.accounts.admins_among(key).items()
                }
            ranks = {name: sorted(work.accounts.administers(name)) for name in (*users, *admins)}
            return domains, users, admins, ranks

        return self.site.app.run(ADMIN, look)[0]

    def rows(self, *, whole: bool) -> dict[str, list[Row]]:
        """What tables hold that every backend has; of the administration log what is new."""
        iredadmin = self.site.raw["iredadmin"]
        log = iredadmin.rows("SELECT * FROM log WHERE id > ? ORDER BY id", self._logged)
        self._logged = max((row.pop("id") for row in log), default=self._logged)
        audit = iredadmin.rows(_AUDIT, self._recorded)
        self._recorded = max((row.pop("sequence") for row in audit), default=self._recorded)
        found = {"log": self._told(log), "audit": [_record(row) for row in self._told(audit)]}
        tokens = self._told(iredadmin.rows("SELECT * FROM mailwright_tokens"))
        found["tokens"] = _sorted([{**row, "name": row["id"]} for row in tokens])
        for table in ("sessions", "login_failures"):
            rows = iredadmin.rows(f"SELECT * FROM mailwright_{table}")
            found[table] = _sorted(self._told(rows))
        if whole:
            beside = iredadmin if self.is_directory else self.site.vmail
            for table in ("deleted_mailboxes", "used_quota", "last_login"):
                found[table] = _sorted(beside.rows(f"SELECT * FROM {table}"))
            for table in ("leftovers", "journal"):
                found[table] = _sorted(iredadmin.rows(f"SELECT * FROM mailwright_{table}"))
        return found

    def _contradictions(self) -> list[str]:
        if self.directory is None:
            return contradictions.in_tables(self.site.vmail)
        return contradictions.in_directory(
            self.directory, Slapd.base_dn, self.site.directory.admin_base_dn
        )

    def _keep_token(self, request: Request, result: Result) -> None:
        if (request.method, request.path, result.status_code) == ("POST", TOKENS, CREATED):
            self.tokens[f"token-{len(self.tokens) + 1}"] = result.json["_data"]["token"]

    def _real(self, where: str) -> str:
        """A path with the id of a token in place of its name."""
        parent, _, last = where.rpartition("/")
        return f"{parent}/{_ident(self.tokens[last])}" if last in self.tokens else where

    def _told(self, found: Any) -> Any:
        """An answer or rows with the names of tokens."""
        text = json.dumps(found)
        for name, token in self.tokens.items():
            text = text.replace(token, name).replace(_ident(token), name)
        return json.loads(text)

    def _keep_cookie(self, request: Request, result: Result, actor: str) -> None:
        if "set-cookie" not in result.headers:
            return
        cookie = result.headers["set-cookie"].partition(";")[0]
        if request.path.endswith("/login"):
            self.cookies[request.asked.get("username", "").strip().lower()] = cookie
        else:
            self.cookies[actor] = cookie


class World:
    """The stores, and how many steps they have been through together."""

    def __init__(self, stores: Sequence[Store], pool: ThreadPoolExecutor) -> None:
        self.stores = stores
        self.steps = 0
        self._pool = pool  # while one waits for its server, another goes on
        self._domains: set[str] = set()
        self._gone: frozenset[str] = frozenset()

    def restart(self) -> None:
        """The start state, with the global admin logged in."""
        self._domains, self._gone = set(), frozenset()
        list(self._pool.map(Store.restart, self.stores))
        self.ask(login(ROOT))

    def dismiss(self) -> None:
        """Leave no global admin but mail users."""
        for store in self.stores:
            dismiss(store.site)

    def admit(self) -> None:
        """Take the standalone global admin back."""
        for store in self.stores:
            admit(store.site)

    def pass_time(self, seconds: int) -> None:
        """Move every clock."""
        for store in self.stores:
            store.site.clock.now += dt.timedelta(seconds=seconds)

    def ask(self, request: Request, actor: str = ROOT) -> list[Seen]:
        """What each store makes of a request."""
        self.steps += 1
        found = list(self._pool.map(lambda store: store.ask(request, actor), self.stores))
        if request.writes:
            self._gone |= self._domains - found[0].domains.keys()
            self._domains = {*found[0].domains}
        for each in found:
            each.gone = self._gone
        return found


@contextmanager
def new_world(sites: Sequence[Site], **sections: dict[str, Any]) -> Iterator[World]:
    """A world on sites, the first of which is what the others are compared with."""
    with ExitStack() as stack:
        stores = []
        for place, site in enumerate(sites):
            directory = (
                stack.enter_context(site.directory.connect())
                if isinstance(site, DirectorySite)
                else None
            )
            api = stack.enter_context(api_with(site, **sections))
            stores.append(Store(api, place, directory))
        yield World(stores, stack.enter_context(ThreadPoolExecutor(len(stores))))


def login(username: str, password: str = PASSWORD) -> Request:
    return Request("POST", "/api/login", (("username", username), ("password", password)))


def path(*parts: str) -> str:
    """A path of the API; a part may have any character."""
    return "/api/" + "/".join(
        quote(part.encode("utf-8", "surrogatepass"), safe="@") for part in parts
    )


def _encoded(form: Form) -> bytes:
    return b"&".join(
        _quoted(name) + b"=" + _quoted(value)
        for name, values in form
        for value in ([values] if isinstance(values, str) else values)
    )


def _quoted(text: str) -> bytes:
    return quote(text.encode("utf-8", "surrogatepass"), safe="").encode()


def _plain(record: Any) -> Row:
    return {
        field.name: list(value) if isinstance(value, tuple) else value
        for field, value in record.items()
    }


def _record(row: Row) -> Row:
    return {**row, "corrects": bool(row["corrects"]), "changes": json.loads(row["changes"])}


def _ident(token: str) -> str:
    return token.split("_")[1]


def _sorted(rows: list[Row]) -> list[Row]:
    """Rows in an order that every engine would have; counting ids and tokens are its own."""
    kept = [
        {name: row[name] for name in sorted(row) if name not in {"id", "token_hash", "secret_hash"}}
        for row in rows
    ]
    return sorted(kept, key=lambda row: str([*row.values()]))
