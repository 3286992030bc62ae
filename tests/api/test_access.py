"""Switching the API on, restricting it, and believing proxies."""

from __future__ import annotations

import pytest

from mailwright.http.routes import ROUTES
from mailwright.networks import Networks
from tests.api.client import DOMAIN, api_with
from tests.stores import Site

PATHS = sorted({route.path for route in ROUTES} | {"/api", "/api/nothing"})
PROXIES = {"trusted_proxies": Networks(["10.0.0.0/8"])}


@pytest.mark.parametrize("path", PATHS)
def test_a_disabled_api_has_nothing_at_any_path(empty_site: Site, path: str) -> None:
    with api_with(empty_site, api={"enable_restful_api": False}) as api:
        answers = [api.call(method, path) for method in ("GET", "POST", "PATCH")]

    assert {(404, "NOT_FOUND")} == {(each.status_code, each.json["_code"]) for each in answers}


@pytest.mark.parametrize("path", PATHS)
def test_a_restricted_api_turns_other_clients_away_before_the_login(
    empty_site: Site, path: str
) -> None:
    restricted = {
        "restrict_api_access": True,
        "restful_api_clients": Networks(["192.0.2.0/24", "2001:db8::/32"]),
    }
    with api_with(empty_site, api=restricted) as api:
        outside = api.call("POST", path, remote_addr="198.51.100.1")
        inside = api.call("POST", "/api/login", remote_addr="192.0.2.200")
        inside_v6 = api.call("POST", "/api/login", remote_addr="2001:db8::5")
        mapped = api.call("POST", "/api/login", remote_addr="::ffff:192.0.2.9")

    assert (403, "NOT_AUTHORIZED") == (outside.status_code, outside.json["_code"])
    assert [400, 400, 400] == [each.status_code for each in (inside, inside_v6, mapped)]


def client(site: Site, peer: str, forwarded: str, **server: object) -> str:
    """The address that a login is noted with."""
    with api_with(site, server={**PROXIES, **server}) as api:
        api.add_admin()
        api.login(remote_addr=peer, headers={"X-Forwarded-For": forwarded})
        (row,) = site.raw["iredadmin"].rows("SELECT ip FROM log")
    return str(row["ip"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("198.51.100.1", "192.0.2.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "192.0.2.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1, nonsense, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "192.0.2.1:4711", "192.0.2.1"),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_trusted_proxy(
    empty_site: Site, peer: str, forwarded: str, expected: str
) -> None:
    assert expected == client(empty_site, peer, forwarded)


def test_a_restriction_cannot_be_passed_with_a_header(empty_site: Site) -> None:
    restricted = {
        "restrict_api_access": True,
        "restful_api_clients": Networks(["192.0.2.1"]),
    }
    with api_with(empty_site, api=restricted, server=PROXIES) as api:
        claimed = {"X-Forwarded-For": "192.0.2.1"}
        by_itself = api.call("POST", "/api/login", remote_addr="198.51.100.1", headers=claimed)
        by_proxy = api.call("POST", "/api/login", remote_addr="10.1.1.1", headers=claimed)

    assert (403, 400) == (by_itself.status_code, by_proxy.status_code)


@pytest.mark.parametrize(("peer", "secure"), [("10.0.0.1", True), ("198.51.100.1", False)])
def test_only_a_trusted_proxy_says_that_the_client_speaks_tls(
    empty_site: Site,
    peer: str,
    secure: bool,  # noqa: FBT001
) -> None:
    with api_with(empty_site, server=PROXIES) as api:
        api.add_admin()
        result = api.login(remote_addr=peer, headers={"X-Forwarded-Proto": "https"})

    assert secure == result.headers["set-cookie"].endswith("; Secure")


def test_everything_is_below_the_base_path(empty_site: Site) -> None:
    with api_with(empty_site, server={"base_path": "/iredadmin"}) as api:
        api.add_admin()
        cookie = api.login().headers["set-cookie"]
        api.add_domain()
        below = [
            api.call("GET", path).status_code
            for path in (f"/api/domain/{DOMAIN}", "/healthz", "/docs", "/openapi.json")
        ]
        api.base = ""
        beside = [
            api.call("GET", path).status_code
            for path in ("/api/domains", "/healthz", "/docs", "/iredadmin", "/")
        ]

    assert [200] * 4 == below
    assert [404] * 5 == beside
    assert "Path=/iredadmin;" in cookie


def test_with_a_base_path_the_switch_covers_the_same_paths(empty_site: Site) -> None:
    settings = {"enable_restful_api": False}
    with api_with(empty_site, server={"base_path": "/a/b"}, api=settings) as api:
        assert 404 == api.call("POST", "/api/login").status_code
        assert 200 == api.call("GET", "/healthz").status_code


def test_unknown_parameters_can_be_ignored_with_a_warning(empty_site: Site) -> None:
    with api_with(empty_site, api={"unknown_parameters": "ignore"}) as api:
        api.add_admin()
        warned = api.login(password="Right-Pass1&nonsense=1").json
        api.add_domain()
        others = [
            api.call("GET", "/api/domains", query_string="nonsense=1"),
            api.call("GET", f"/api/domain/{DOMAIN}", query_string="nonsense=1"),
            api.call("PUT", f"/api/domain/{DOMAIN}", "nonsense=1"),
            api.call("DELETE", f"/api/domain/{DOMAIN}", query_string="nonsense=1"),
        ]

    assert {"_success": True, "_warnings": ["nonsense is not known here; ignored"]} == warned
    assert all(each.json["_warnings"][0].startswith("nonsense is not known") for each in others)


def test_a_client_that_looks_at_nothing_but_the_body_always_gets_200(empty_site: Site) -> None:
    with api_with(empty_site, api={"http_status": "always-200"}) as api:
        api.add_admin()
        anonymous = api.call("GET", "/api/domains")
        wrong = api.login(password="wrong")
        api.login()
        created = api.call("POST", f"/api/domain/{DOMAIN}", "name=Example")
        taken = api.call("POST", f"/api/domain/{DOMAIN}", "name=Example")
        invalid = api.call("PUT", f"/api/domain/{DOMAIN}", "quota=x")
        large = api.call("PUT", f"/api/domain/{DOMAIN}", b"a" * 2_000_000)
        answers = (anonymous, wrong, created, taken, invalid, large)
        unknown_path = api.call("GET", "/api/nothing")

    assert {200} == {each.status_code for each in answers}
    assert [
        "LOGIN_REQUIRED",
        "INVALID_CREDENTIALS",
        None,
        "ALREADY_EXISTS",
        "INVALID_PARAMETER",
        "TOO_LARGE",
    ] == [each.json.get("_code") for each in answers]
    assert 404 == unknown_path.status_code


def test_slowed_logins_still_say_how_long_to_wait(empty_site: Site) -> None:
    settings = {"http_status": "always-200"}
    with api_with(empty_site, api=settings, login={"free_attempts": 1}) as api:
        api.login()
        result = api.login()

    assert (200, "1") == (result.status_code, result.headers["retry-after"])
