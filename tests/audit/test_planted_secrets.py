"""No secret stands in any log, record, answer, error or traceback, nor in plain text in any table or entry.

Marked secrets are planted in every field of every route that takes one, and in everything that logs
somebody in; then all that was written is searched.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import falcon.testing
import pytest

from mailwright.app import App
from mailwright.fields.differences import is_secret
from mailwright.http.app import create_wsgi
from mailwright.http.routes import ROUTES, Route
from mailwright.resources import bulk, grants, operations
from mailwright.settings import Settings
from mailwright.settings.sections import Api as ApiSettings
from mailwright.settings.sections import Database, Databases, Ldap, Secret, Storage
from tests.api.client import ADMIN, DOMAIN, JANE, MANAGER, PASSWORD, SQLITE, api_with
from tests.audit.planting import Sender, Written, everything_written
from tests.authorization import conftest
from tests.authorization.cells import REQUESTS
from tests.authorization.world import (
    OPEN,
    ROLES,
    TOKENS,
    USERS_PASSWORD,
    World,
    shown,
)
from tests.stores import OPENLDAP, Site

world = conftest.world
on_both = pytest.mark.parametrize("world", [SQLITE, OPENLDAP], indirect=True)
JSON = {"Content-Type": "application/json"}
BY_ROLE = {role.name: role for role in ROLES}
ASKING = ("anonymous", "domain admin", "token, read-only", "token, users", "global admin")
FIELDS: dict[str, tuple[str, ...]] = {
    "post_login": ("password",),
    "post_verify_password_admin_mail": ("password",),
    "post_verify_password_user_mail": ("password",),
    "post_admin_mail": ("password",),
    "put_admin_mail": ("password",),
    "post_user_mail": ("password",),
    "put_user_mail": ("password",),
    "put_users_domain": ("password",),
}

_TAKEN = {
    "LOGIN_REQUIRED",
    "PERMISSION_DENIED",
    "INVALID_PARAMETER",
    "INVALID_REQUEST",
    "TOO_LARGE",
}
# What comes of it at least, where secrets are taken.
OUTCOMES = {
    "post_login": {"INVALID_CREDENTIALS", "TOO_MANY_ATTEMPTS"},
    "post_verify_password_admin_mail": {*_TAKEN, "INVALID_CREDENTIALS"},
    "post_verify_password_user_mail": {*_TAKEN, "INVALID_CREDENTIALS"},
    "post_admin_mail": {*_TAKEN, "201", "ALREADY_EXISTS"},
    "put_admin_mail": {*_TAKEN, "200"},
    "post_user_mail": {*_TAKEN, "201", "ALREADY_EXISTS"},
    "put_user_mail": {*_TAKEN, "200"},
    "put_users_domain": {*_TAKEN, "200"},
}


def secret_names(route: Route) -> tuple[str, ...]:
    """The parameters of a route whose values are secrets, by the declarations."""
    taken = route.resource.taken_by(route.verb) if route.resource and route.verb else route.options
    return tuple(name for each in taken if is_secret(each) for name in each.names())


def test_the_declarations_say_which_routes_take_secrets() -> None:
    """Written by hand: a password that is declared like any other text would be planted nowhere."""
    found = {route.name: secret_names(route) for route in ROUTES}

    assert FIELDS == {name: names for name, names in found.items() if names}


@pytest.fixture
def written(world: World) -> Iterator[Written]:
    """What is written, and the secrets that are there from the beginning."""
    world.be(OPEN)
    with everything_written() as found:
        found.marks += [PASSWORD, USERS_PASSWORD]
        found.marks += [shown(token).rpartition("_")[2] for token in TOKENS.values()]
        found.marks += [
            world.headers(role)["Cookie"].partition("=")[2]
            for role in ROLES
            if role.session and role.name != "mail user"  # that one's secret is no random text
        ]
        yield found


@pytest.fixture
def sender(world: World, written: Written) -> Sender:
    return Sender(world, written)


@on_both
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_no_secret_of_a_request_is_written(
    world: World, written: Written, sender: Sender, route: Route
) -> None:
    for role in map(BY_ROLE.__getitem__, ASKING):
        for target, asked in REQUESTS[route.name].items():
            headers = world.headers(role)
            for name in secret_names(route) or ("password",):
                others = "&".join(
                    each for each in asked.form.split("&") if not each.startswith(f"{name}=")
                )
                for body, more, query in planted(written, name, others, asked.query):
                    sender.send(
                        route.method, asked.path, body, headers={**headers, **more}, query=query
                    )
                    if target != "own":
                        break  # the other spellings are read by the same code
    sender.look_at_what_is_stored()

    assert [] == written.found()
    assert OUTCOMES.get(route.name, {"LOGIN_REQUIRED"}) <= sender.codes


def planted(
    written: Written, name: str, others: str, query: str
) -> Iterator[tuple[str | bytes, dict[str, str], str]]:
    """The same secret parameter, well and badly spelled: the body, its headers and the query."""

    def form(text: str) -> str:
        return "&".join(filter(None, (others, text)))

    mark = written.mark
    yield form(f"{name}={mark()}"), {}, query
    yield form(f"{name}={mark('weak').lower()}"), {}, query  # no policy takes it
    yield form(f"{name}={mark()}&{name}={mark()}"), {}, query
    yield form(f"{name}={mark()}%00"), {}, query
    yield form(f"{name}={mark()}%ff"), {}, query
    yield form(f"{name}={mark()}%zz"), {}, query
    yield form(f"{name}={mark() * 100}"), {}, query
    yield form(f"{name.upper()}={mark()}"), {}, query
    yield form(f"{name[:-1]}={mark()}"), {}, query
    yield form(f"{name}={mark()}" + "&x=" * 300), {}, query
    yield form(f"{name}={mark() * 60_000}"), {}, query
    yield others, {}, "&".join(filter(None, (query, f"{name}={mark()}")))
    for value in (mark(), [mark()], {"x": mark()}, [[mark()]]):
        yield json.dumps({name: value}), JSON, query
    yield f'{{"{name}": "{mark()}', JSON, query
    yield f'{{"{name}": "{mark()}"}} {mark()}', JSON, query
    yield mark(), {"Content-Type": "text/plain"}, query
    yield mark(), {"Content-Type": "multipart/form-data; boundary=b"}, query
    yield (
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{mark()}\r\n--b--\r\n',
        {"Content-Type": "multipart/form-data; boundary=b"},
        query,
    )


@on_both
def test_no_secret_that_logs_in_is_written(world: World, written: Written, sender: Sender) -> None:
    mark = written.mark
    login = f"username={MANAGER}&password="
    sender.send("POST", "/api/login", login + PASSWORD, given="cookie")
    for form in (
        login + mark(),
        f"username={mark()}&password={mark()}",  # typed into the wrong box
        f"username={JANE}&password={USERS_PASSWORD}",
        login,
    ):
        sender.send("POST", "/api/login", form)
    expired, right = shown(TOKENS["expired"]), shown(TOKENS["user"])
    wrong = f"{right[:-43]}{mark().ljust(43, '-')}"
    cookie = world.site.app.settings.sessions.cookie_name
    for headers in (
        {"Authorization": f"Bearer {right}"},
        {"Authorization": f"Bearer {expired}"},
        {"Authorization": f"Bearer {wrong}"},
        {"Authorization": f"Bearer mw_{'f' * 16}_{mark().ljust(43, '-')}"},
        {"Authorization": f"Bearer {mark()}"},
        {"Authorization": f"bearer  {mark()} {mark()}"},
        {"Authorization": mark()},
        {"Authorization": "Basic " + base64.b64encode(f"{ADMIN}:{mark()}".encode()).decode()},
        {"Cookie": f"{cookie}={mark().ljust(43, '-')}"},
        {"Cookie": f"{cookie}={mark()}"},
        {"Cookie": f"{mark()}; {cookie}={mark()}; {cookie}={mark()}"},
    ):
        for method, path in (("GET", f"/api/users/{DOMAIN}"), ("PUT", f"/api/user/{JANE}")):
            sender.send(method, path, headers=headers)
    by_admin = world.headers(BY_ROLE["global admin"])
    sender.send("POST", "/api/tokens", "label=new", headers=by_admin, given="token")
    for number in range(25):  # until attempts are slowed, here and by the address
        sender.send("POST", "/api/login", f"username=u{number}@{DOMAIN}&password={mark()}")
        path = f"/api/verify_password/user/{JANE}"
        sender.send("POST", path, f"password={mark()}", headers=by_admin)
    for path in ("/api/audit", "/api/tokens", "/api/domains", f"/api/users/{DOMAIN}"):
        sender.send("GET", path, headers=by_admin)
    sender.look_at_what_is_stored()

    assert [] == written.found()
    expected = {"INVALID_CREDENTIALS", "INVALID_TOKEN", "LOGIN_REQUIRED", "TOO_MANY_ATTEMPTS"}
    assert expected <= sender.codes


@on_both
def test_no_secret_is_written_at_a_limit(world: World, written: Written, sender: Sender) -> None:
    by_admin = world.headers(BY_ROLE["global admin"])
    sender.send("PUT", f"/api/domain/{DOMAIN}", "numberOfUsers=1", headers=by_admin)
    sender.send("POST", f"/api/user/x@{DOMAIN}", f"password={written.mark()}", headers=by_admin)
    sender.send("POST", f"/api/user/{JANE}", f"password={written.mark()}", headers=by_admin)
    sender.look_at_what_is_stored()

    assert [] == written.found()
    assert {"200", "EXCEEDED_DOMAIN_ACCOUNT_LIMIT", "ALREADY_EXISTS"} == sender.codes


@on_both
@pytest.mark.parametrize("name", FIELDS)
def test_no_secret_is_written_by_a_mistake_of_ours(
    world: World,
    written: Written,
    sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """An exception whose words, causes and frames all hold the secret."""
    secret = written.mark()

    def broken(*asked: object, **more: object) -> Any:
        local = secret
        try:
            {}[local]
        except KeyError as error:
            raise RuntimeError(f"{secret} {asked} {more}", {"password": secret}) from error

    for place in (operations, bulk, grants):
        for each in ("create", "update", "update_users", "update_admins"):
            monkeypatch.setattr(place, each, broken, raising=False)
    monkeypatch.setattr("mailwright.http.login.verify_any", broken)
    (route,) = (route for route in ROUTES if route.name == name)
    asked = REQUESTS[name]["own"]
    form = "&".join(each for each in asked.form.split("&") if not each.startswith("password="))
    headers = world.headers(BY_ROLE["anonymous" if name == "post_login" else "global admin"])
    sender.send(route.method, asked.path, f"{form}&password={secret}", headers=headers)

    assert {"INTERNAL_ERROR"} == sender.codes
    assert [] == written.found()
    assert any("RuntimeError" in text for where, text in written.texts if where == "log")


def settings_of(backend: str, password: Secret) -> Settings:
    """Of servers that nobody runs."""
    here: dict[str, Any] = {
        "name": "mail",
        "host": "127.0.0.1",
        "port": 1,
        "user": "mail",
        "password": password,
    }
    return Settings(
        api=ApiSettings(enable_restful_api=True),
        storage=Storage(backend=backend, sqlite_directory=Path("/nonexistent")),
        databases=Databases(
            vmail=Database(**here),
            amavisd=Database(**here),
            iredapd=Database(**here),
            iredadmin=Database(**here),
        ),
        ldap=Ldap(uri="ldap://127.0.0.1:1", bind_password=password),
    )


@pytest.mark.parametrize("backend", ["sqlite", "postgresql", "mysql", "ldap"])
def test_the_passwords_of_the_settings_are_not_written(backend: str) -> None:
    with everything_written() as written:
        app = App(settings_of(backend, Secret(written.mark())))
        client = falcon.testing.TestClient(create_wsgi(app))
        form = f"username={ADMIN}&password={written.mark()}"
        for method, path in (("POST", "/api/login"), ("GET", "/api/domains")):
            answer = client.simulate_request(
                method, path, body=form if method == "POST" else None, headers={"Cookie": "x=y"}
            )
            written.add(f"answer to {method} {path}", answer.text, dict(answer.headers))
        written.add("repr", app.settings, *(each.target for each in app.databases.values()))
        app.close()

    assert [] == written.found()


@pytest.mark.openldap
def test_a_bind_password_that_is_refused_is_not_written(site_openldap: Site) -> None:
    with everything_written() as written:
        password = written.mark()
        with api_with(site_openldap, ldap={"bind_password": Secret(password)}) as api:
            answer = api.login()
            written.add("answer", answer.text, dict(answer.headers))

        assert 503 == answer.status_code
        assert [] == written.found()
