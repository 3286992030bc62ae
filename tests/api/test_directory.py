"""A directory that is down, refuses or changes meanwhile: clear answers, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from falcon.testing import Result

from mailwright.http.routes import ROUTES, Route
from mailwright.settings.sections import Secret
from tests.api.another_program import promote
from tests.api.client import ADMIN, DOMAIN, JANE, PASSWORD, Api, api_with, on_openldap
from tests.api.described import is_described
from tests.directory_site import DirectorySite
from tests.servers import require
from tests.servers.slapd import Slapd
from tests.stores import Site

pytestmark = on_openldap
ROUTE = {route.name: route for route in ROUTES}
ALL = f"/api/users/{DOMAIN}"
USERS = tuple(f"{name}@{DOMAIN}" for name in ("a", "b", "c", "d"))


def directory_of(api: Api) -> Slapd:
    assert isinstance(api.site, DirectorySite)
    return api.site.directory


@contextmanager
def stopped(directory: Slapd) -> Iterator[None]:
    directory.stop()
    try:
        yield
    finally:
        directory.start()


def path_of(route: Route) -> str:
    new = route.method == "POST"
    domain, mail = ("new.example", f"new@{DOMAIN}") if new else (DOMAIN, JANE)
    return route.path.format(domain=domain, mail=mail, number="30", id="A" * 16)


def body_of(route: Route) -> str:
    match route.name:
        case "post_login":
            return f"username={ADMIN}&password={PASSWORD}"
        case "post_user_mail" | "post_admin_mail":
            return "password=Test-Pass1"
        case "post_verify_password_user_mail" | "post_verify_password_admin_mail":
            return "password=Test-Pass1"
        case "post_tokens":
            return "label=Test"
        case "post_domain_domain":
            return "name=New"
        case "put_user_mail" | "put_users_domain":
            return "language=en_US"
        case "put_domain_domain":
            return "name=Other"
        case _:
            return ""


def send(api: Api, route: Route) -> Result:
    return api.call(route.method, path_of(route), body_of(route))


def code(result: Result) -> tuple[int, str]:
    return result.status_code, result.json["_code"]


@pytest.fixture
def many(admin: Api) -> Api:
    """A domain with some users."""
    for user in USERS:
        admin.add_user(user)
    return admin


@pytest.fixture
def before_write(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], None]], None]:
    """Have something done before each write; it is told the entry's name."""
    connection_class = require.module("mailwright.storage.ldap.connections").Connection

    def arrange(happens: Callable[[str], None]) -> None:
        def after_that(write: Callable[..., None]) -> Callable[..., None]:
            def both(connection: Any, dn: str, *more: Any) -> None:
                happens(dn)
                write(connection, dn, *more)

            return both

        for verb in ("add", "modify", "delete"):
            monkeypatch.setattr(connection_class, verb, after_that(getattr(connection_class, verb)))

    return arrange


# Down


def test_every_route_says_that_the_directory_is_down_and_works_again_when_it_is_back(
    admin: Api,
) -> None:
    admin.add_user()
    before = admin.site.snapshot()
    with stopped(directory_of(admin)):
        answers = {route.name: send(admin, route) for route in ROUTES}

    assert {(503, "SERVER_DOWN")} == {code(answer) for answer in answers.values()}
    for route in ROUTES:
        assert is_described(route, answers[route.name])
        assert str(directory_of(admin).port) not in answers[route.name].text
    assert before == admin.site.snapshot()
    assert 200 == admin.call("PUT", f"/api/user/{JANE}", "name=Jane").status_code


@pytest.mark.parametrize("status", ["semantic", "always-200"])
def test_without_the_directory_it_is_alive_but_not_ready(empty_site: Site, status: str) -> None:
    with api_with(empty_site, api={"http_status": status}) as api:
        with stopped(directory_of(api)):
            alive, ready = api.call("GET", "/healthz"), api.call("GET", "/readyz")
        again = api.call("GET", "/readyz")

    assert [200, 503, 200] == [each.status_code for each in (alive, ready, again)]
    assert "SERVER_DOWN: no answer from directory" == ready.json["_msg"]


def test_attempts_that_nobody_can_judge_do_not_slow_the_login(api: Api) -> None:
    """Whoever tried to log in while the directory was away had to wait when it was back."""
    with stopped(directory_of(api)):
        away = [api.login().status_code for _ in range(7)]
    counted = api.site.raw["iredadmin"].rows("SELECT failures FROM mailwright_login_failures")

    assert [503] * 7 == away
    assert {0} == {row["failures"] for row in counted}
    assert 200 == api.login().status_code


def test_an_operation_that_the_directory_leaves_half_way_says_so(
    many: Api, before_write: Callable[..., None]
) -> None:
    directory = directory_of(many)
    seen: list[str] = []

    def leave(dn: str) -> None:
        seen.append(dn)
        if len(seen) == 3:
            directory.stop()

    before_write(leave)
    try:
        result = many.call("DELETE", f"/api/domain/{DOMAIN}")
    finally:
        directory.restart()
    half = many.call("GET", f"/api/domain/{DOMAIN}").json["_data"]

    assert (503, "PARTLY_DONE") == code(result)
    assert "_data" not in result.json
    assert is_described(ROUTE["delete_domain_domain"], result)
    assert "disabled" == half["accountStatus"]

    many.site.app.repair()

    assert 404 == many.call("GET", f"/api/domain/{DOMAIN}").status_code


# Refusals


def test_a_wrong_bind_password_is_a_clear_answer(empty_site: Site) -> None:
    with api_with(empty_site, ldap={"bind_password": Secret("wrong")}) as api:
        login, ready = api.login(), api.call("GET", "/readyz")

    assert (503, "BIND_REFUSED") == code(login)
    assert 503 == ready.status_code
    assert is_described(ROUTE["post_login"], login)
    assert "wrong" not in login.text


def test_one_account_that_another_program_changes_all_the_time_is_busy(
    many: Api, before_write: Callable[..., None]
) -> None:
    directory = directory_of(many)
    before_write(lambda dn: directory.replace(dn, employeeNumber=str(next(counting))))
    counting = count()
    result = many.call("PUT", f"/api/user/{USERS[0]}", "quota=5")

    assert (503, "BUSY") == code(result)
    assert is_described(ROUTE["put_user_mail"], result)
    assert 0 == many.call("GET", f"/api/user/{USERS[0]}").json["_data"]["quota"]


# Many at once


def languages(api: Api) -> dict[str, str]:
    found = api.call("GET", ALL).json["_data"]
    return {each["mail"]: each["language"] for each in found}


def test_a_change_of_all_users_tells_which_ones_it_could_not_change(
    many: Api, before_write: Callable[..., None]
) -> None:
    directory = directory_of(many)
    counting = count()

    def happens(dn: str) -> None:
        if USERS[1] in dn:
            directory.replace(dn, employeeNumber=str(next(counting)))

    before_write(happens)
    result = many.call("PUT", ALL, "language=de_DE&name=Everybody")
    failed = {
        "key": USERS[1],
        "code": "BUSY",
        "reason": "another program changed the entry",
    }
    notes = many.site.raw["iredadmin"].rows(
        "SELECT msg FROM log WHERE event = 'update' AND domain = ?", DOMAIN
    )

    assert 503 == result.status_code
    assert {
        "_success": False,
        "_msg": f"PARTLY_DONE: 3 accounts were changed, but not {USERS[1]}",
        "_code": "PARTLY_DONE",
        "_data": {"changed": 3, "failed": [failed]},
        "_warnings": ["name is not taken when updating every user; ignored"],
    } == result.json
    assert is_described(ROUTE["put_users_domain"], result)
    assert {user: "" if user == USERS[1] else "de_DE" for user in USERS} == languages(many)
    done = f"[API] Update every user of {DOMAIN} (language)."
    assert [done, f"{done} Failed: PARTLY_DONE."] == [row["msg"] for row in notes]


def test_a_change_of_all_users_that_the_directory_leaves_half_way_tells_where(
    many: Api, before_write: Callable[..., None]
) -> None:
    directory = directory_of(many)
    seen: list[str] = []

    def happens(dn: str) -> None:
        seen.append(dn)
        if len(seen) == 3:
            directory.stop()

    before_write(happens)
    try:
        result = many.call("PUT", ALL, "language=de_DE")
    finally:
        directory.restart()
    changed = {user for user, language in languages(many).items() if language == "de_DE"}

    assert (503, "PARTLY_DONE") == code(result)
    assert is_described(ROUTE["put_users_domain"], result)
    assert {"changed": 2, "failed": [{"key": "", "code": "SERVER_DOWN"}]} == {
        "changed": result.json["_data"]["changed"],
        "failed": [
            {name: each[name] for name in ("key", "code")}
            for each in result.json["_data"]["failed"]
        ],
    }
    assert 2 == len(changed)


def test_a_part_that_failed_is_in_the_body_where_every_status_is_200(
    empty_site: Site, before_write: Callable[..., None]
) -> None:
    counting = count()
    with api_with(empty_site, api={"http_status": "always-200"}) as api:
        directory = directory_of(api)
        api.add_admin()
        api.login()
        for path, form in (
            (f"/api/domain/{DOMAIN}", "name=Example"),
            (f"/api/user/{JANE}", "password=Test-Pass1"),
        ):
            assert api.call("POST", path, form).json["_success"]
        before_write(lambda dn: directory.replace(dn, employeeNumber=str(next(counting))))
        result = api.call("PUT", ALL, "language=de_DE")

    assert (200, "PARTLY_DONE") == code(result)
    assert 0 == result.json["_data"]["changed"]
    assert is_described(ROUTE["put_users_domain"], result, http_status="always-200")


def test_sessions_of_a_domain_end_with_the_password_even_if_some_users_kept_theirs(
    many: Api, before_write: Callable[..., None]
) -> None:
    directory = directory_of(many)
    promote(many.site, USERS[0])
    theirs = Api(many.site)
    assert 200 == theirs.login(USERS[0], "Test-Pass1").status_code
    counting = count()

    def happens(dn: str) -> None:
        if USERS[1] in dn:
            directory.replace(dn, employeeNumber=str(next(counting)))

    before_write(happens)
    result = many.call("PUT", ALL, "password=Other-Pass1")

    assert (503, 3) == (result.status_code, result.json["_data"]["changed"])
    assert 401 == theirs.call("GET", "/api/domains").status_code
    assert 200 == theirs.login(USERS[0], "Other-Pass1").status_code
