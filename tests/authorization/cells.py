"""What is asked for in each cell of the matrix: a row for each route, a request for each target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mailwright.http.routes import ROUTES, Route
from tests.api.client import ADMIN, JANE, MANAGER, PASSWORD
from tests.authorization.world import (
    BOSS,
    CHIEF,
    EMPTY,
    FOREIGNER,
    HERE,
    NEIGHBOUR,
    NO_TOKEN,
    NOBODY,
    NOWHERE,
    ROLES,
    ROOT,
    THERE,
    TOKENS,
    USERS_PASSWORD,
    Role,
)

TARGETS = ("own", "foreign", "higher", "missing")
_NEW = "New-Pass-1"
_SENT = f"password={_NEW}"
_GUESS = f"password={USERS_PASSWORD}"


@dataclass(frozen=True)
class Asked:
    """A request; `closed` is what it also names where profiles are closed."""

    path: str
    form: str = ""
    query: str = ""
    closed: str = ""

    def body(self, role: Role) -> str:
        return "&".join(filter(None, (self.form, self.closed if role.names_closed else "")))

    def __str__(self) -> str:
        words = self.path + (f"?{self.query}" if self.query else "")
        words += f"  {self.form}" if self.form else ""
        return words + (f"  (closed: {self.closed})" if self.closed else "")


@dataclass(frozen=True)
class Cell:
    """One question of the matrix."""

    route: Route
    role: Role
    target: str
    asked: Asked

    def __str__(self) -> str:
        return f"{self.route.method} {self.route.path} | {self.role.name} | {self.target}"


def _each(*paths: str, form: str = "", closed: str = "") -> dict[str, Asked]:
    return {
        target: Asked(path, form, closed=closed)
        for target, path in zip(TARGETS, paths, strict=True)
    }


def _domains(path: str, form: str = "", closed: str = "") -> dict[str, Asked]:
    """A domain has no rank: the highest that can be named is the mark of those who have them all."""
    paths = (path.format(name) for name in (HERE, THERE, "ALL", NOWHERE))
    return _each(*paths, form=form, closed=closed)


def _removals(path: str) -> dict[str, Asked]:
    """Of a domain without users, and of one with users of every rank."""
    return _each(*(path.format(name) for name in (EMPTY, THERE, HERE, NOWHERE)))


def _users(path: str, form: str = "", closed: str = "") -> dict[str, Asked]:
    paths = (path.format(mail) for mail in (JANE, FOREIGNER, BOSS, NOBODY))
    return _each(*paths, form=form, closed=closed)


def _admins(path: str, form: str = "") -> dict[str, Asked]:
    missing = "missing@mailwright.internal"
    return _each(*(path.format(mail) for mail in (MANAGER, NEIGHBOUR, ROOT, missing)), form=form)


def _lists(path: str, *words: str) -> dict[str, Asked]:
    return {
        target: Asked(path, query=f"q={word}" if word else "")
        for target, word in zip(TARGETS, words, strict=True)
    }


_FORWARDING = "forwarding=x@example.net"
_BCC = "senderBcc=x@example.net"

REQUESTS: Mapping[str, Mapping[str, Asked]] = {
    "post_login": {
        "own": Asked("/api/login", f"username={MANAGER}&password={PASSWORD}"),
        "foreign": Asked("/api/login", f"username={JANE}&password={USERS_PASSWORD}"),
        "higher": Asked("/api/login", f"username={ADMIN}&password=wrong"),
        "missing": Asked("/api/login", f"username={NOBODY}&password={PASSWORD}"),
    },
    "post_logout": {"own": Asked("/api/logout")},
    "get_audit": {
        "own": Asked("/api/audit", query=f"domain={HERE}"),
        "foreign": Asked("/api/audit", query=f"domain={THERE}"),
        "missing": Asked("/api/audit", query=f"domain={NOWHERE}"),
    },
    "get_tokens": {"own": Asked("/api/tokens"), "higher": Asked("/api/tokens", query="all=yes")},
    "post_tokens": {
        "own": Asked("/api/tokens", f"label=new&domains={HERE}"),
        "foreign": Asked("/api/tokens", f"label=new&domains={THERE}"),
        "higher": Asked("/api/tokens", "label=new"),
        "missing": Asked("/api/tokens", f"label=new&domains={NOWHERE}"),
    },
    "delete_token_id": _each(
        *(f"/api/token/{TOKENS[label].ident}" for label in ("here", "neighbour's", "domain")),
        f"/api/token/{NO_TOKEN}",
    ),
    "get_domains": _lists("/api/domains", "", THERE, "ALL", NOWHERE),
    "get_domain_domain": _domains("/api/domain/{}"),
    "post_domain_domain": {
        **_domains("/api/domain/{}", "name=New"),
        "higher": Asked(f"/api/domain/{NOWHERE}", "name=New&transport=smtp:[192.0.2.1]"),
    },
    "put_domain_domain": {
        **_domains("/api/domain/{}", "name=Other", _BCC),
        "higher": Asked(f"/api/domain/{HERE}", "accountStatus=disabled", closed=_BCC),
    },
    "delete_domain_domain": _removals("/api/domain/{}"),
    "delete_domain_domain_keep_mailbox_days_number": _removals(
        "/api/domain/{}/keep_mailbox_days/7"
    ),
    "put_domain_admins_domain": {
        **_domains("/api/domain/admins/{}", f"addAdmin={JANE}"),
        "foreign": Asked(f"/api/domain/admins/{THERE}", f"addAdmin={FOREIGNER}"),
        "higher": Asked(f"/api/domain/admins/{HERE}", f"removeAdmin={CHIEF}"),
    },
    "get_domain_ownership_domain": _domains("/api/domain/ownership/{}"),
    "post_domain_ownership_domain": _domains("/api/domain/ownership/{}"),
    "get_admins": _lists("/api/admins", "", NEIGHBOUR, ROOT, NOBODY),
    "get_admin_mail": _admins("/api/admin/{}"),
    "post_admin_mail": {
        **_admins("/api/admin/{}", _SENT),
        "higher": Asked("/api/admin/new@mailwright.internal", f"{_SENT}&isGlobalAdmin=yes"),
    },
    "put_admin_mail": _admins("/api/admin/{}", _SENT),
    "delete_admin_mail": _admins("/api/admin/{}"),
    "post_verify_password_admin_mail": _admins(
        "/api/verify_password/admin/{}", f"password={PASSWORD}"
    ),
    "get_user_mail": _users("/api/user/{}"),
    "post_user_mail": _each(
        *(f"/api/user/{mail}" for mail in (f"new@{HERE}", f"new@{THERE}", BOSS, f"new@{NOWHERE}")),
        form=_SENT,
    ),
    "put_user_mail": _users("/api/user/{}", _SENT, _FORWARDING),
    "delete_user_mail": _users("/api/user/{}"),
    "delete_user_mail_keep_mailbox_days_number": _users("/api/user/{}/keep_mailbox_days/7"),
    "post_verify_password_user_mail": _users("/api/verify_password/user/{}", _GUESS),
    "get_users_domain": {
        **_domains("/api/users/{}"),
        "higher": Asked(f"/api/users/{HERE}", query=f"q={BOSS}"),
    },
    "put_users_domain": {
        **_domains("/api/users/{}", "language=en_US"),
        "higher": Asked(f"/api/users/{HERE}", "transport=smtp:[192.0.2.1]"),
    },
}


def cells() -> Iterator[Cell]:
    """Every cell, in the order of the route table."""
    for route in ROUTES:
        for role in ROLES:
            for target in TARGETS:
                asked = REQUESTS.get(route.name, {}).get(target)
                if asked is not None:
                    yield Cell(route, role, target, asked)
