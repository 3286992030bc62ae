"""What holds for every route, taken from the route table."""

from __future__ import annotations

import dataclasses

import pytest

from mailwright.authz import Action
from mailwright.fields.resource import Verb
from mailwright.http.routes import ROUTES, Route, RouteError, Session, build
from mailwright.tokens import Token, Tokens
from tests.api.client import ADMIN, DOMAIN, JANE, MANAGER, PASSWORD, Api

routes = pytest.mark.parametrize(
    "route", ROUTES, ids=[f"{route.method} {route.path}" for route in ROUTES]
)
guarded = pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.action is not Action.PUBLIC],
    ids=lambda route: f"{route.method} {route.path}",
)
TOKEN = "0123456789abcdef"
# What also answers with data.
TELLING = ("/api/audit", "/api/tokens", "/api/domain/ownership/{domain}")
ANNA = "anna@admins.test"  # a standalone admin
BODIES = {
    "POST /api/tokens": "label=x",
    "POST /api/login": f"username={ADMIN}&password={PASSWORD}",
    "POST /api/domain/{domain}": "name=Example",
    "POST /api/user/{mail}": "password=Test-Pass1",
    "POST /api/admin/{mail}": "password=Test-Pass1",
    "POST /api/verify_password/user/{mail}": "password=Test-Pass1",
    "POST /api/verify_password/admin/{mail}": f"password={PASSWORD}",
}


@pytest.fixture
def admin(admin: Api) -> Api:
    """Beside the global admin who is logged in there is Anna."""
    admin.add_admin(ANNA, domain=DOMAIN)
    return admin


def path_of(route: Route) -> str:
    new = route.verb is Verb.CREATE
    domain = "new.example" if new else DOMAIN
    mail = f"new@{DOMAIN}" if new else JANE
    if "/admin/" in route.path:
        mail = "new@admins.test" if new else ANNA
    return route.path.format(domain=domain, mail=mail, number="30", id=TOKEN)


def add_token(api: Api, owner: str = ADMIN) -> None:
    """A token under the id that paths name."""
    Tokens(api.site.app.databases["iredadmin"]).add(Token(TOKEN, "", owner, "x", 0))


def body_of(route: Route) -> str:
    return BODIES.get(f"{route.method} {route.path}", "")


@routes
def test_a_success_is_an_envelope(admin: Api, route: Route) -> None:
    admin.add_user()
    add_token(admin)
    result = admin.call(route.method, path_of(route), body_of(route))

    assert route.status == result.status_code
    assert result.json["_success"] is True
    tells = route.method == "GET" or route.path in TELLING
    assert tells == ("_data" in result.json)
    assert result.headers["content-type"] == "application/json"
    assert result.headers["cache-control"] == "no-store"
    assert 16 == len(result.headers["x-request-id"])


@routes
def test_an_unknown_parameter_is_refused_and_named(admin: Api, route: Route) -> None:
    admin.add_user()
    body = "&".join(filter(None, (body_of(route), "nonsense=1")))
    result = admin.call(route.method, path_of(route), body)

    assert (400, "INVALID_PARAMETER") == (result.status_code, result.json["_code"])
    assert result.json["_msg"].startswith("INVALID_PARAMETER: nonsense is not known here")


@guarded
@pytest.mark.parametrize("cookie", ["", "mailwright_session=" + "A" * 43], ids=["none", "false"])
def test_nobody_is_let_in_without_a_session(admin: Api, route: Route, cookie: str) -> None:
    admin.cookie = cookie
    result = admin.call(route.method, path_of(route), body_of(route))

    assert 401 == result.status_code
    assert {
        "_success": False,
        "_msg": "LOGIN_REQUIRED: log in first with POST /api/login",
        "_code": "LOGIN_REQUIRED",
    } == result.json


@guarded
def test_an_admin_of_another_domain_may_not_use_it(admin: Api, route: Route) -> None:
    admin.add_user()
    admin.add_domain("other.example")
    admin.add_admin(MANAGER, domain="other.example")
    add_token(admin, MANAGER)
    admin.login(MANAGER)
    result = admin.call(route.method, path_of(route), body_of(route))

    own = route.action is Action.SESSION or route.path == "/api/domains"
    expected = route.status if own else 403
    assert expected == result.status_code
    if expected == 403:
        assert "PERMISSION_DENIED" == result.json["_code"]


@routes
def test_slashes_too_many_do_no_harm(admin: Api, route: Route) -> None:
    admin.add_user()
    add_token(admin)
    path = "/" + path_of(route).replace("/", "//") + "/"

    assert route.status == admin.call(route.method, path, body_of(route)).status_code


@routes
def test_another_method_is_refused_with_the_ones_that_are_taken(admin: Api, route: Route) -> None:
    result = admin.call("PATCH", path_of(route))

    assert (405, "METHOD_NOT_ALLOWED") == (result.status_code, result.json["_code"])
    assert route.method in result.headers["allow"]


def test_an_unknown_path_is_an_envelope_too(admin: Api) -> None:
    result = admin.call("GET", "/api/nothing/here")

    assert (404, "NOT_FOUND") == (result.status_code, result.json["_code"])


def test_users_of_an_unknown_domain_are_not_an_empty_list(admin: Api) -> None:
    result = admin.call("GET", "/api/users/unknown.example")

    assert (404, "NO_SUCH_DOMAIN") == (result.status_code, result.json["_code"])


def test_head_is_get_without_its_body(admin: Api) -> None:
    result = admin.call("HEAD", "/api/domains")

    assert (200, b"") == (result.status_code, result.content)


def test_every_page_of_a_list_is_reached(admin: Api) -> None:
    for name in ("b.example", "a.example", "c.example"):
        admin.add_domain(name)
    found: list[str] = []
    query = "name_only=yes&limit=3"
    while query:
        result = admin.call("GET", "/api/domains", query_string=query).json
        found += result["_data"]
        token = result.get("_next_page_token")
        query = f"name_only=yes&limit=3&page_token={token}" if token else ""

    assert ["a.example", "b.example", "c.example", DOMAIN] == found


def test_what_get_gives_back_can_be_put_unchanged(admin: Api) -> None:
    admin.add_user()
    for path in (f"/api/user/{JANE}", f"/api/domain/{DOMAIN}", f"/api/admin/{ANNA}"):
        profile = admin.call("GET", path).json["_data"]
        result = admin.call("PUT", path, json=profile)

        assert (200, {"_success": True}) == (result.status_code, result.json)
        assert profile == admin.call("GET", path).json["_data"]


@pytest.mark.parametrize(
    "change",
    [
        {"action": None},
        {"action": "view"},
        {"action": Action.PUBLIC},
        {"method": "PATCH"},
        {"path": "/login"},
    ],
)
def test_a_table_with_a_faulty_route_is_not_built(change: dict[str, object]) -> None:
    route = next(route for route in ROUTES if not isinstance(route.operation, Session))

    with pytest.raises(RouteError):
        build([dataclasses.replace(route, **change)])  # type: ignore[arg-type]


def test_a_table_with_a_route_twice_is_not_built() -> None:
    with pytest.raises(RouteError, match="twice"):
        build([*ROUTES, dataclasses.replace(ROUTES[0])])


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/login", "POST"),
        ("/api/domains", "GET, HEAD"),
        ("/api/user/jane@example.org", "DELETE, GET, HEAD, POST, PUT"),
    ],
)
def test_options_is_no_method_of_the_api(admin: Api, path: str, allowed: str) -> None:
    """OPTIONS was answered with 200 and an empty body, which no client of the envelope can read."""
    for method in ("OPTIONS", "PATCH"):
        result = admin.call(method, path)

        assert (405, "METHOD_NOT_ALLOWED") == (result.status_code, result.json["_code"])
        assert allowed == result.headers["allow"]
