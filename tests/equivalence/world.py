"""Four sites that are asked the same: what each answered, and what its accounts look like since.

A site here is everything that a client can see of one backend; the start state is written past the
product where the API has no word for it (alias domains, groups, standalone admins, used quota).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from falcon.testing import Result

from mailwright.app import ACCOUNTS
from mailwright.passwords import hash_password
from mailwright.storage.protocol import Query
from mailwright.work import Work
from tests.api.client import Api, api_with
from tests.directory_site import DirectorySite
from tests.servers import require
from tests.servers.slapd import Slapd
from tests.stores import ADMIN, EARLIER, Raw, Row, Site

ROOT, MANAGER = "root@admin.test", "manager@admin.test"
PASSWORD = "Right-Pass1"
DOMAIN, OTHER_DOMAIN, ALIAS_DOMAIN = "example.org", "example.net", "example.com"
TEAM, NEWS = "team@example.org", "news@example.org"
JANE, JOHN, OTHER = "jane@example.org", "john@example.org", "other@example.net"
_HASH = hash_password(PASSWORD)
_FORM = "application/x-www-form-urlencoded"

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
    def asked(self) -> dict[str, str]:
        """The parameters that were given as one text."""
        return {name: value for name, value in self.form if isinstance(value, str)}

    @property
    def kind(self) -> str:
        """What the profiles of the answer are of."""
        return "domain" if self.path.startswith("/api/domain") else "user"

    def arguments(self, place: int) -> dict[str, Any]:
        """What a client of falcon's sends."""
        if self.own:
            return {"form": json.dumps(self.own[place]).encode(), "headers": _JSON}
        if self.method == "GET":
            token = [("page_token", self.tokens[place])] if self.tokens else []
            return {"query_string": _encoded([*self.form, *token]).decode("latin-1")}
        if self.as_json:
            return {"form": json.dumps(dict(self.form)).encode(), "headers": _JSON}
        return {"form": _encoded(self.form)}


_JSON = {"Content-Type": "application/json"}


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

    def profiles(self, kind: str) -> Iterator[Row]:
        """Every profile of a sort, in the answer or stored."""
        yield from (self.domains if kind == "domain" else self.users).values()
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
            "rows": self.rows,
        }


class Store:
    """One backend: its site, and the cookies of those who are logged in."""

    def __init__(self, api: Api, place: int, directory: Any = None) -> None:
        self.api = api
        self.site = api.site
        self.place = place
        self.directory = directory  # a connection of the root's
        self.cookies: dict[str, str] = {}
        self._logged = 0
        self._subtree = require.module("ldap").SCOPE_SUBTREE if directory is not None else 0

    @property
    def name(self) -> str:
        return self.site.engine

    @property
    def is_directory(self) -> bool:
        return self.directory is not None

    def restart(self) -> None:
        """The start state, and nobody logged in."""
        self.cookies.clear()
        self._logged = 0
        self.site.empty()
        self.site.clock.now = EARLIER
        for name in (DOMAIN, OTHER_DOMAIN):
            self.site.create("domain", name, name="Example")
        if isinstance(self.site, DirectorySite):
            _fill_directory(self.site)
        else:
            _fill_tables(self.site)
        for mail in (JANE, JOHN, OTHER):
            self.site.create("user", mail, password=PASSWORD)

    def ask(self, request: Request, actor: str) -> Seen:
        """Send a request and look at what is there afterwards."""
        self.api.cookie = self.cookies.get(actor, "")
        result = self.api.call(request.method, request.path, **request.arguments(self.place))
        answer = result.json
        self._keep_cookie(request, result, actor)
        seen = Seen(
            request, result.status_code, answer, {}, {}, {}, answer.pop("_next_page_token", None)
        )
        answer["more"] = seen.token is not None
        if request.writes:
            seen.domains, seen.users = self.picture()
            seen.rows = self.rows(whole=request.method in ("DELETE", "POST"))
        return seen

    def picture(self) -> tuple[dict[str, Row], dict[str, Row]]:
        """What lists say of every domain and every user, and what each domain holds."""
        domain, user = ACCOUNTS["domain"].resource, ACCOUNTS["user"].resource

        def look(work: Work) -> tuple[dict[str, Row], dict[str, Row]]:
            domains = {
                record.key: {**_plain(record), "usage": work.accounts.usage(record.key)}
                for record in work.accounts.find(domain, Query()).records
            }
            found = work.accounts.find(user, Query()).records
            return domains, {record.key: _plain(record) for record in found}

        return self.site.app.run(ADMIN, look)[0]

    def rows(self, *, whole: bool) -> dict[str, list[Row]]:
        """What tables hold that every backend has; of the administration log what is new."""
        iredadmin = self.site.raw["iredadmin"]
        log = iredadmin.rows("SELECT * FROM log WHERE id > ? ORDER BY id", self._logged)
        self._logged = max((row.pop("id") for row in log), default=self._logged)
        found = {"log": log}
        for table in ("sessions", "login_failures"):
            found[table] = _sorted(iredadmin.rows(f"SELECT * FROM mailwright_{table}"))
        if whole:
            beside = iredadmin if self.is_directory else self.site.vmail
            for table in ("deleted_mailboxes", "used_quota", "last_login"):
                found[table] = _sorted(beside.rows(f"SELECT * FROM {table}"))
            for table in ("leftovers", "journal"):
                found[table] = _sorted(iredadmin.rows(f"SELECT * FROM mailwright_{table}"))
            found["members"] = [{"member": name} for name in self._members()]
        return found

    def _members(self) -> list[str]:
        """Who gets the mail of the group, as the mail programs read it."""
        if self.directory is None:
            rows = self.site.vmail.rows(
                "SELECT forwarding FROM forwardings WHERE address = ? AND is_list = 1", TEAM
            )
            return sorted(row["forwarding"] for row in rows)
        found = self.directory.search_s(
            Slapd.base_dn, self._subtree, f"(&(objectClass=mailAlias)(mail={TEAM}))"
        )
        return sorted(
            value.decode() for _, entry in found for value in entry.get("mailForwardingAddress", ())
        )

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

    def restart(self) -> None:
        """The start state, with the global admin logged in."""
        list(self._pool.map(Store.restart, self.stores))
        self.ask(login(ROOT))

    def pass_time(self, seconds: int) -> None:
        """Move every clock."""
        for store in self.stores:
            store.site.clock.now += dt.timedelta(seconds=seconds)

    def ask(self, request: Request, actor: str = ROOT) -> list[Seen]:
        """What each store makes of a request."""
        self.steps += 1
        return list(self._pool.map(lambda store: store.ask(request, actor), self.stores))


@contextmanager
def new_world(sites: Sequence[Site]) -> Iterator[World]:
    """A world on sites, the first of which is what the others are compared with."""
    with ExitStack() as stack:
        stores = []
        for place, site in enumerate(sites):
            directory = (
                stack.enter_context(site.directory.connect())
                if isinstance(site, DirectorySite)
                else None
            )
            api = stack.enter_context(api_with(site))
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


def _sorted(rows: list[Row]) -> list[Row]:
    """Rows in an order that every engine would have; counting ids and tokens are its own."""
    kept = [
        {name: row[name] for name in sorted(row) if name not in {"id", "token_hash"}}
        for row in rows
    ]
    return sorted(kept, key=lambda row: str([*row.values()]))


def _fill_tables(site: Site) -> None:
    site.vmail.execute("BEGIN")
    for username, domain in ((ROOT, "ALL"), (MANAGER, DOMAIN)):
        site.insert("admin", username=username, password=_HASH, settings="")
        site.insert("domain_admins", username=username, domain=domain)
    settings = f"default_groups:{TEAM};"
    site.vmail.execute("UPDATE domain SET settings = ? WHERE domain = ?", settings, DOMAIN)
    site.insert("alias_domain", alias_domain=ALIAS_DOMAIN, target_domain=DOMAIN)
    site.insert("alias", address=TEAM, name="Team", domain=DOMAIN)
    site.insert("maillists", address=NEWS, domain=DOMAIN, transport="mlmmj:", mlid="1", name="News")
    site.insert(
        "forwardings",
        address=NEWS,
        forwarding=NEWS,
        domain=DOMAIN,
        dest_domain=DOMAIN,
        is_maillist=1,
    )
    _fill_used(site.vmail)
    site.vmail.execute("COMMIT")


def _fill_directory(site: DirectorySite) -> None:
    directory = site.directory
    for username in (ROOT, MANAGER):
        directory.add(
            f"mail={username},{directory.admin_base_dn}",
            {
                "objectClass": "mailAdmin",
                "mail": username,
                "cn": "Admin",
                "accountStatus": "active",
                "userPassword": _HASH,
                **({"domainGlobalAdmin": "yes"} if username == ROOT else {}),
            },
        )
    directory.replace(
        site.domain_dn(DOMAIN),
        domainAliasName=ALIAS_DOMAIN,
        domainAdmin=MANAGER,
        accountSetting=f"defaultList:{TEAM}",
    )
    for mail, container, of_class in ((TEAM, "Aliases", "mailAlias"), (NEWS, "Groups", "mailList")):
        directory.add(
            f"mail={mail},ou={container},{site.domain_dn(DOMAIN)}",
            {"objectClass": of_class, "mail": mail, "cn": "Group", "accountStatus": "active"},
        )
    _fill_used(site.raw["iredadmin"])


def _fill_used(raw: Raw) -> None:
    raw.insert("used_quota", username=JANE, domain=DOMAIN, bytes=4096, messages=2)
    raw.insert("last_login", username=JANE, domain=DOMAIN, imap=1767323045, lda=1767323046)
