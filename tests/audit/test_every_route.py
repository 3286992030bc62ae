"""Every route that changes something leaves one record, and one row of the log, for each changed account.

What is asked for comes from the cells of the authorization matrix; what it leaves is said here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from mailwright.audit.verification import Tip, verify
from mailwright.http.routes import ROUTES, Route
from mailwright.ownership import verifying
from mailwright.ownership.proving import Evidence
from tests.api.client import ADMIN, JANE, MANAGER, SQLITE
from tests.audit.chains import digest, log, records
from tests.authorization import conftest
from tests.authorization.cells import REQUESTS
from tests.authorization.world import (
    BOSS,
    EMPTY,
    FOREIGNER,
    HERE,
    NEIGHBOUR,
    NOWHERE,
    ROLES,
    ROOT,
    THERE,
    TOKENS,
    Role,
    World,
)
from tests.stores import EVERY_ENGINE, Row

ADDRESS = "192.0.2.77"
OF_THE_ANSWER = "the id that the answer tells"
world = conftest.world
BY_ROLE = {role.name: role for role in ROLES}
MUTATING = {route.name: route for route in ROUTES if route.method != "GET"}
LARGE = "mailwright.internal"
REFUSED = "PERMISSION_DENIED"


@dataclass(frozen=True)
class Told:
    """What a request leaves, and what it asks for: a target of `tests/authorization/cells.py` and a role.

    `why` says why it leaves nothing; then there is no record.
    """

    asked: str
    by: str
    target: str = ""
    domain: str = ""
    action: str = ""
    event: str = ""
    resource: str = ""
    code: str = ""
    why: str = ""
    before: Callable[[World, pytest.MonkeyPatch], None] | None = None
    ok: bool = False


def done(asked: str, target: str, domain: str, *, by: str = "global admin", **more: Any) -> Told:
    return Told(asked, by, target, domain, ok=True, **more)


def nothing(asked: str, why: str, *, by: str = "global admin", ok: bool = True) -> Told:
    return Told(asked, by, why=why, ok=ok)


def refused(asked: str, target: str, domain: str, by: str = "domain admin", **more: Any) -> Told:
    return Told(asked, by, target, domain, code=more.pop("code", REFUSED), **more)


def by_reader(target: str, domain: str, asked: str = "own") -> Told:
    """By a token that only reads."""
    return refused(asked, target, domain, by="token, read-only")


def _waits_for_a_proof(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A domain that is off, and whose code is published."""
    world.api.cookie = world.headers(BY_ROLE["global admin"])["Cookie"]
    path = f"/api/domain/{NOWHERE}"
    for method, where, form in (
        ("POST", path, "name=x"),
        ("PUT", path, "accountStatus=disabled"),
        ("PUT", f"/api/domain/admins/{NOWHERE}", f"addAdmin={MANAGER}"),
    ):
        assert world.api.call(method, where, form).json["_success"]
    world.api.cookie = ""
    assert not world.site.app.claims.make(MANAGER, NOWHERE)
    monkeypatch.setattr(verifying, "look_for", lambda *_: Evidence(proven=True, message=""))


_NOBODY_ELSES = "the client's own session ends, and no account is otherwise than before"
_COMPARED = "a right password changes nothing and lets nobody in"

# What each route leaves when it is done, and when it is refused.
SAMPLES: Mapping[str, tuple[Told, ...]] = {
    "post_login": (
        done(
            "own", MANAGER, LARGE, by="anonymous", action="login", event="login", resource="admin"
        ),
        *(
            refused(
                asked,
                who,
                domain,
                by="anonymous",
                action="login",
                event="login",
                resource="admin",
                code="INVALID_CREDENTIALS",
            )
            for asked, who, domain in (("higher", ADMIN, LARGE), ("foreign", JANE, HERE))
        ),
    ),
    "post_logout": (
        nothing("own", _NOBODY_ELSES, by="domain admin"),
        nothing("own", "a token has no session", by="token, read-only", ok=False),
    ),
    "post_tokens": (
        done("own", OF_THE_ANSWER, LARGE, resource="token"),
        refused("foreign", MANAGER, LARGE, resource="token"),
        Told("own", "token, read-only", ADMIN, LARGE, resource="token", code=REFUSED),
    ),
    "delete_token_id": (
        done("own", TOKENS["here"].ident, LARGE, resource="token", event="revoke"),
        refused("foreign", TOKENS["neighbour's"].ident, "", resource="token", code="NO_SUCH_TOKEN"),
        Told("own", "token, read-only", TOKENS["here"].ident, "", resource="token", code=REFUSED),
    ),
    "post_domain_domain": (
        done("missing", NOWHERE, NOWHERE),
        done("missing", NOWHERE, NOWHERE, by="may create domains"),
        refused("missing", NOWHERE, NOWHERE),
        by_reader(HERE, HERE),
    ),
    "put_domain_domain": (
        done("own", HERE, HERE),
        done("own", HERE, HERE, by="token, domains"),
        refused("foreign", THERE, THERE),
        refused("higher", HERE, HERE),
        by_reader(HERE, HERE),
    ),
    "delete_domain_domain": (
        done("own", EMPTY, EMPTY),
        done("higher", HERE, HERE),
        refused("foreign", THERE, THERE),
        by_reader(EMPTY, EMPTY),
    ),
    "delete_domain_domain_keep_mailbox_days_number": (
        done("own", EMPTY, EMPTY),
        refused("foreign", THERE, THERE),
        by_reader(EMPTY, EMPTY),
    ),
    "put_domain_admins_domain": (
        done("own", JANE, HERE, event="grant"),
        done("higher", "chief@" + HERE, HERE, event="revoke"),
        refused("foreign", THERE, THERE),
        by_reader(HERE, HERE),
    ),
    "post_domain_ownership_domain": (
        done(
            "missing",
            NOWHERE,
            NOWHERE,
            by="domain admin",
            before=_waits_for_a_proof,
            event="active",
        ),
        nothing("own", "there is nothing to be proven", by="domain admin"),
        refused("foreign", THERE, THERE),
        by_reader(HERE, HERE),
    ),
    "post_admin_mail": (
        done("missing", f"missing@{LARGE}", LARGE),
        refused("missing", f"missing@{LARGE}", LARGE),
        by_reader(MANAGER, LARGE),
    ),
    "put_admin_mail": (
        done("own", MANAGER, LARGE),
        refused("foreign", NEIGHBOUR, LARGE),
        by_reader(MANAGER, LARGE),
    ),
    "delete_admin_mail": (
        done("own", MANAGER, LARGE),
        done("higher", ROOT, LARGE),
        refused("foreign", NEIGHBOUR, LARGE),
        by_reader(MANAGER, LARGE),
    ),
    "post_verify_password_admin_mail": (
        nothing("own", _COMPARED),
        refused("foreign", NEIGHBOUR, LARGE),
        by_reader(MANAGER, LARGE),
    ),
    "post_user_mail": (
        done("own", f"new@{HERE}", HERE, by="domain admin"),
        refused("foreign", f"new@{THERE}", THERE),
        by_reader(f"new@{HERE}", HERE),
    ),
    "put_user_mail": (
        done("own", JANE, HERE, by="domain admin"),
        done("own", JANE, HERE, by="token, of this"),
        refused("foreign", FOREIGNER, THERE),
        refused("higher", BOSS, HERE, code="PERMISSION_DENIED_UPDATE_GLOBAL_ADMIN_PROFILE"),
        by_reader(JANE, HERE),
    ),
    "delete_user_mail": (
        done("own", JANE, HERE, by="domain admin"),
        refused("foreign", FOREIGNER, THERE),
        by_reader(JANE, HERE),
    ),
    "delete_user_mail_keep_mailbox_days_number": (
        done("own", JANE, HERE, by="token, users"),
        refused("foreign", FOREIGNER, THERE),
        by_reader(JANE, HERE),
    ),
    "post_verify_password_user_mail": (
        nothing("own", _COMPARED),
        refused("own", JANE, HERE),
        by_reader(JANE, HERE),
    ),
    "put_users_domain": (
        done("own", "", HERE, by="domain admin"),
        refused("foreign", "", THERE),
        by_reader("", HERE),
    ),
}
CASES = [
    pytest.param(name, told, id=f"{name}-{told.asked}-{told.by}".replace(" ", "_"))
    for name, samples in SAMPLES.items()
    for told in samples
]
STEP = 3  # of the cases on the engines that take longer


def test_every_route_that_changes_something_has_samples() -> None:
    assert set(MUTATING) == set(SAMPLES)


@pytest.mark.parametrize("name", MUTATING)
def test_of_each_something_is_done_and_something_is_refused(name: str) -> None:
    assert {True, False} == {told.ok for told in SAMPLES[name]}


@pytest.mark.parametrize("world", [SQLITE], indirect=True)
@pytest.mark.parametrize(("name", "told"), CASES)
def test_one_record_and_one_row(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    told: Told,
) -> None:
    _check(world, monkeypatch, MUTATING[name], told)


@pytest.mark.parametrize(
    "world", [each for each in EVERY_ENGINE if each.id != "sqlite"], indirect=True
)
@pytest.mark.parametrize(("name", "told"), CASES[::STEP])
def test_so_on_the_other_backends(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    told: Told,
) -> None:
    _check(world, monkeypatch, MUTATING[name], told)


def _check(world: World, monkeypatch: pytest.MonkeyPatch, route: Route, told: Told) -> None:
    role = BY_ROLE[told.by]
    asked = REQUESTS[route.name][told.asked]
    world.be(role.variant)
    if told.before is not None:
        told.before(world, monkeypatch)
    chain, lines = records(world.site), log(world.site)

    answer = world.api.call(
        route.method,
        asked.path,
        asked.body(role),
        headers=world.headers(role),
        query_string=asked.query,
        remote_addr=ADDRESS,
    )

    new, added = records(world.site)[len(chain) :], log(world.site)[len(lines) :]
    assert told.ok == answer.json["_success"], answer.json
    if told.why:
        assert [] == new
        assert [] == added
        return
    target = answer.json["_data"]["id"] if told.target == OF_THE_ANSWER else told.target
    record, line = _expected(route, told, role, target)
    request = answer.headers["x-request-id"]
    assert [{**record, "request": request}] == [{each: row[each] for each in record} for row in new]
    assert [line] == [{each: row[each] for each in line} for row in added]
    assert added[0]["msg"].startswith("[API] ")
    assert chain[-1]["hash"] == new[0]["previous"]
    assert digest(chain[-1]["hash"], new[0]) == new[0]["hash"]
    if route.name != "put_domain_admins_domain":  # who was named or dismissed is the target itself
        assert bool(json.loads(new[0]["changes"])) is (told.ok and route.name != "post_login")
    assert Tip(len(chain) + 1, new[0]["hash"]) == verify(world.site.app.databases["iredadmin"])


def _expected(route: Route, told: Told, role: Role, target: str) -> tuple[Row, Row]:
    action = told.action or route.action.value
    if route.tag == "Token":
        action = {"POST": "create", "DELETE": "delete"}[route.method]
    actor = role.username or told.target
    record = {
        "actor": actor,
        "role": "" if not told.ok and not role.username else _rank(actor),
        "token": TOKENS[role.token].ident if role.token else "",
        "address": ADDRESS,
        "channel": "api",
        "request": "",
        "action": action,
        "resource": told.resource or (route.resource.name if route.resource else ""),
        "target": target,
        "domain": told.domain,
        "outcome": "done" if told.ok else "refused",
        "code": told.code,
        "corrects": 0,
    }
    line = {
        "admin": actor,
        "ip": ADDRESS,
        "domain": told.domain,
        "username": target if "@" in target else "",
        "event": told.event or action,
        "loglevel": "info" if told.ok else "error",
    }
    return record, line


def _rank(username: str) -> str:
    return "global admin" if username == ADMIN else "domain admin"
