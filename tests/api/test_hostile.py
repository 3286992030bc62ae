"""Values that mean something elsewhere are plain text here, or refused; never a 500."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.api.client import DOMAIN, JANE, Api

HOSTILE = (
    *("'", '"', "';DROP TABLE mailbox;--", "\\", "%", "%s", "%(x)s", "_", "*)(uid=*", "(&(x=*))"),
    *("../../etc/passwd", "..", ".", "a\nb", "a\r\nSet-Cookie: x=y", "a\tb", "\x7f", "\u2028"),
    *("<script>alert(1)</script>", "${x}", "{{7*7}}", "$(id)", "`id`", "|id", ";", ","),
    *("jane@ex\u0430mple.org", "\uff0e\uff0e", "\u202eexample", "a\u0301", "\U0001f600", "\u00df"),
    *(
        "\\2a",
        "\\00",
        "*",
        "#",
        "+",
        "=",
        "cn=x,ou=Users",
        "a+b=c",
        "#x",
        " jane",
        "jane ",
        "\u00a0jane",
    ),
    *(
        "\uff0a\uff09\uff08uid=\uff0a",
        f"*@{DOMAIN}",
        f"{JANE})(mail=*",
        f"{JANE},ou=Users",
        f"\\6a{JANE}",
    ),
    *("-1", "9" * 40, "1e3", "0x10", " ", "null", "NULL", "None", "true", "a" * 5000),
)
named = pytest.mark.parametrize("value", HOSTILE, ids=[ascii(value)[:30] for value in HOSTILE])


def nameless(api: Api) -> str:
    """The name of a user without one; `cn` must have a value."""
    return JANE.partition("@")[0] if api.site.engine == "openldap" else ""


def everything(api: Api) -> dict[str, Any]:
    return api.site.snapshot("vmail", "iredapd", "amavisd")


@named
def test_a_hostile_name_is_stored_as_it_is_or_refused(admin: Api, value: str) -> None:
    admin.add_user()
    result = admin.call("PUT", f"/api/user/{JANE}", json={"name": value})

    assert result.status_code in {200, 400}
    if result.status_code == 200:
        profile = admin.call("GET", f"/api/user/{JANE}").json["_data"]
        assert (value.strip() or nameless(admin)) == profile["name"]


@named
def test_a_hostile_key_finds_nothing_and_changes_nothing(admin: Api, value: str) -> None:
    admin.add_user()
    before = everything(admin)
    for method in ("GET", "PUT", "DELETE"):
        for path in (
            "/api/user",
            "/api/domain",
            "/api/users",
            f"/api/domain/{DOMAIN}/keep_mailbox_days",
        ):
            result = admin.call(method, f"{path}/{quote(value, safe='')}")
            if path.endswith("days") and value in {"9" * 40, "-1"}:
                assert result.status_code in {400, 405}

            assert result.status_code in {400, 404, 405}, result.text
            assert result.json["_success"] is False
            assert "\n" not in result.json["_msg"]

    assert before == everything(admin)


@named
@pytest.mark.parametrize("path", ["/api/domains", f"/api/users/{DOMAIN}"])
def test_a_hostile_search_finds_nothing_and_fails_cleanly(
    admin: Api, path: str, value: str
) -> None:
    for name in ("q", "sort", "limit", "page_token", "disabled_only"):
        result = admin.call("GET", path, query_string=f"{name}={quote(value)}")

        assert result.status_code in {200, 400}, result.text


def test_per_cent_and_underscore_are_no_wildcards(admin: Api) -> None:
    for pattern in ("%25", "_", "exampl_", "e%25g"):
        assert [] == admin.call("GET", "/api/domains", query_string=f"q={pattern}").json["_data"]


@named
def test_a_hostile_password_is_no_other_password(admin: Api, value: str) -> None:
    admin.add_user()
    result = admin.call("PUT", f"/api/user/{JANE}", json={"password": value})

    assert result.status_code in {200, 400}
    if len(value) > 3:
        assert value not in result.text


def test_characters_that_mean_something_to_a_server_are_only_characters(admin: Api) -> None:
    names = ("#", "#a", "_", "a", "a#", "a&", "a&b", "a-b", "a.b", "ab")
    users = sorted(f"{name}@{DOMAIN}" for name in names)
    for user in users:
        admin.add_user(user)
    for user in users:
        path = f"/api/user/{quote(user)}"
        form = {
            "name": f"I am {user}",
            "forwarding": [user, f"x+=/'&#{user}.test"],
            "addAlias": f"_&{user}",
        }
        assert 200 == admin.call("PUT", path, json=form).status_code

    for user in users:
        found = admin.call("GET", f"/api/user/{quote(user)}").json["_data"]

        assert (f"I am {user}", [f"_&{user}"]) == (found["name"], found["aliases"])
        assert sorted([user, f"x+=/'&#{user}.test"]) == sorted(found["forwarding"])

    for gone in list(users):
        listed = admin.call("GET", f"/api/users/{DOMAIN}", query_string="email_only=yes")
        assert users == listed.json["_data"]
        assert 200 == admin.call("DELETE", f"/api/user/{quote(gone)}").status_code
        users.remove(gone)


@pytest.mark.parametrize("value", ["*", "a*", f"*@{DOMAIN}", "\\2a", "(uid=*)", "*)(uid=*", "\\"])
@pytest.mark.parametrize("name", ["forwarding", "aliases", "addAlias", "removeAlias", "services"])
def test_patterns_in_lists_find_and_change_nobody(admin: Api, name: str, value: str) -> None:
    admin.add_user()
    admin.add_user(f"a@{DOMAIN}")
    others = {key: row for key, row in everything(admin).items() if JANE not in key.split(",")[0]}
    result = admin.call("PUT", f"/api/user/{JANE}", json={name: value})

    assert result.status_code in {200, 400}, result.text
    now = everything(admin)
    assert others == {key: now[key] for key in others}


def test_a_path_that_is_not_utf8_is_no_mistake_of_ours(admin: Api) -> None:
    assert 400 == admin.call("GET", "/api/user/%ff%fe@example.org").status_code


def test_a_nul_in_a_path_is_refused(admin: Api) -> None:
    assert 400 == admin.call("GET", "/api/user/ja%00ne@example.org").status_code


def test_ways_up_lead_nowhere(admin: Api) -> None:
    assert 404 == admin.call("GET", "/docs/../assets/reference.js").status_code
    assert 404 == admin.call("GET", "/docs/%2e%2e%2fapp.py").status_code


def test_an_international_domain_is_one_with_its_punycode(admin: Api) -> None:
    admin.add_domain(quote("bücher.example"))

    profile = admin.call("GET", "/api/domain/xn--bcher-kva.example").json["_data"]

    assert "xn--bcher-kva.example" == profile["domain"]
