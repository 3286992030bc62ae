"""A domain admin learns of nothing elsewhere: not by answers, nor by what the store is asked, nor by time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

import pytest

from mailwright import app
from mailwright.http.routes import ROUTES, Session
from tests.api.client import JANE, PASSWORD, SQLITE
from tests.authorization.cells import Asked
from tests.authorization.recording import recorded
from tests.authorization.world import (
    BOSS,
    FOREIGNER,
    HERE,
    MANAGER,
    NEIGHBOUR,
    NO_TOKEN,
    NOWHERE,
    OPEN,
    ROLES,
    ROOT,
    THERE,
    TOKENS,
    Role,
    World,
)
from tests.stores import OPENLDAP

ABSENT = f"absentee@{THERE}"
ELSEWHERE = f"absentee@{NOWHERE}"
NO_ADMIN = "missing@mailwright.internal"
_PASSWORD = f"password={PASSWORD}"

DOMAINS = ((THERE, NOWHERE), (THERE, "a.very.much.longer.missing.example"))
USERS = ((FOREIGNER, ABSENT), (FOREIGNER, ELSEWHERE))
ADMINS = ((NEIGHBOUR, NO_ADMIN), (ROOT, NO_ADMIN), (BOSS, f"nobody@{HERE}"))
IDS = ((TOKENS["neighbour's"].ident, NO_TOKEN), (TOKENS["domain"].ident, NO_TOKEN))

Pairs = tuple[tuple[str, str], ...]
# For each route: what is there and what is not, and how a request names it.
ROWS: Mapping[str, tuple[Pairs, Callable[[str], Asked]]] = {
    "get_audit": (DOMAINS, lambda name: Asked("/api/audit", query=f"domain={name}")),
    "get_tokens": (DOMAINS, lambda name: Asked("/api/tokens", query=f"all=yes&domain={name}")),
    "post_tokens": (DOMAINS, lambda name: Asked("/api/tokens", f"label=x&domains={name}")),
    "delete_token_id": (IDS, lambda ident: Asked(f"/api/token/{ident}")),
    "get_domains": (DOMAINS, lambda name: Asked("/api/domains", query=f"q={name}")),
    "get_domain_domain": (DOMAINS, lambda name: Asked(f"/api/domain/{name}")),
    "post_domain_domain": (DOMAINS, lambda name: Asked(f"/api/domain/{name}", "name=x")),
    "put_domain_domain": (DOMAINS, lambda name: Asked(f"/api/domain/{name}", "name=x")),
    "delete_domain_domain": (DOMAINS, lambda name: Asked(f"/api/domain/{name}")),
    "delete_domain_domain_keep_mailbox_days_number": (
        DOMAINS,
        lambda name: Asked(f"/api/domain/{name}/keep_mailbox_days/7"),
    ),
    "put_domain_admins_domain": (
        DOMAINS,
        lambda name: Asked(f"/api/domain/admins/{name}", f"addAdmin={JANE}"),
    ),
    "get_domain_ownership_domain": (
        DOMAINS,
        lambda name: Asked(f"/api/domain/ownership/{name}"),
    ),
    "post_domain_ownership_domain": (
        DOMAINS,
        lambda name: Asked(f"/api/domain/ownership/{name}"),
    ),
    "get_admins": (ADMINS, lambda mail: Asked("/api/admins", query=f"q={mail}")),
    "get_admin_mail": (ADMINS, lambda mail: Asked(f"/api/admin/{mail}")),
    "post_admin_mail": (ADMINS, lambda mail: Asked(f"/api/admin/{mail}", _PASSWORD)),
    "put_admin_mail": (ADMINS, lambda mail: Asked(f"/api/admin/{mail}", _PASSWORD)),
    "delete_admin_mail": (ADMINS, lambda mail: Asked(f"/api/admin/{mail}")),
    "post_verify_password_admin_mail": (
        ADMINS,
        lambda mail: Asked(f"/api/verify_password/admin/{mail}", _PASSWORD),
    ),
    "get_user_mail": (USERS, lambda mail: Asked(f"/api/user/{mail}")),
    "post_user_mail": (USERS, lambda mail: Asked(f"/api/user/{mail}", _PASSWORD)),
    "put_user_mail": (USERS, lambda mail: Asked(f"/api/user/{mail}", _PASSWORD)),
    "delete_user_mail": (USERS, lambda mail: Asked(f"/api/user/{mail}")),
    "delete_user_mail_keep_mailbox_days_number": (
        USERS,
        lambda mail: Asked(f"/api/user/{mail}/keep_mailbox_days/7"),
    ),
    "post_verify_password_user_mail": (
        USERS,
        lambda mail: Asked(f"/api/verify_password/user/{mail}", _PASSWORD),
    ),
    "get_users_domain": (DOMAINS, lambda name: Asked(f"/api/users/{name}")),
    "put_users_domain": (DOMAINS, lambda name: Asked(f"/api/users/{name}", "language=en_US")),
}
# The same of what requests about the own domain mention.
MENTIONED: Mapping[str, tuple[str, Pairs, Callable[[str], Asked]]] = {
    "admins": (
        "put_domain_admins_domain",
        (*USERS, (NEIGHBOUR, NO_ADMIN)),
        lambda mail: Asked(f"/api/domain/admins/{HERE}", f"addAdmin={mail}"),
    ),
    "aliases": (
        "put_user_mail",
        USERS,
        lambda mail: Asked(f"/api/user/{JANE}", f"addAlias={mail}"),
    ),
}
ASKING = tuple(
    pytest.param(role, id=role.name)
    for role in ROLES
    if role.username == MANAGER and role.variant == OPEN
)
on_both = pytest.mark.parametrize("world", [SQLITE, OPENLDAP], indirect=True)


@pytest.fixture(autouse=True)
def _settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What an admin panel stored is read again after a while, also between the two that are compared."""
    monkeypatch.setattr(app, "OVERRIDES_LAST_SECONDS", float("inf"))


def test_every_route_that_names_something_is_asked() -> None:
    """A login names an account too: `tests/api/test_login.py` has what it tells, which is nothing."""
    assert set(ROWS) == {route.name for route in ROUTES if not isinstance(route.operation, Session)}


@on_both
@pytest.mark.parametrize("role", ASKING)
@pytest.mark.parametrize("name", ROWS)
def test_answers_and_questions_are_the_same(world: World, name: str, role: Role) -> None:
    _compare(world, name, role, *ROWS[name])


@on_both
@pytest.mark.parametrize("role", ASKING)
@pytest.mark.parametrize("what", MENTIONED)
def test_so_are_they_for_what_a_request_mentions(world: World, what: str, role: Role) -> None:
    name, pairs, asked = MENTIONED[what]
    _compare(world, name, role, pairs, asked)


def _compare(
    world: World, name: str, role: Role, pairs: Pairs, asked: Callable[[str], Asked]
) -> None:
    for there, missing in pairs:
        _ask(world, name, role, asked(missing))  # what is asked only once is asked now
        found = [_ask(world, name, role, asked(word), word) for word in (there, missing)]

        assert found[0] == found[1]


@pytest.mark.parametrize("world", [SQLITE], indirect=True)
@pytest.mark.parametrize("name", ["get_user_mail", "put_user_mail", "get_users_domain"])
def test_it_takes_the_same_time(world: World, name: str) -> None:
    """Of this thread, which does all of it: what else the machine does is not counted."""
    (pair, *_), asked = ROWS[name]
    role = ROLES[2]
    assert role.username == MANAGER
    world.be(OPEN)
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(60):
        for word, times in zip(pair, seconds, strict=True):
            request = asked(word)
            started = time.thread_time()
            _send(world, name, role, request)
            times.append(time.thread_time() - started)

    there, missing = map(median, seconds)
    assert 0.75 < there / missing < 1.33


def _ask(
    world: World, name: str, role: Role, asked: Asked, word: str = ""
) -> tuple[int, str, list[str]]:
    """The answer and what the store was asked for it, with the name taken out."""
    world.be(OPEN)
    with recorded() as questions:
        status, text = _send(world, name, role, asked)
    return status, _without(word, text), [_without(word, each) for each in questions]


def _send(world: World, name: str, role: Role, asked: Asked) -> tuple[int, str]:
    (route,) = (route for route in ROUTES if route.name == name)
    answer = world.api.call(
        route.method,
        asked.path,
        asked.form,
        headers=world.headers(role),
        query_string=asked.query,
    )
    return answer.status_code, answer.text


def _without(word: str, text: str) -> str:
    """A text with neither the address, nor its domain, nor the name in it."""
    if not word:
        return text
    for part in (word, word.partition("@")[2]):
        text = text.replace(part, "...") if part else text
    return text
