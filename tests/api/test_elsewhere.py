"""A parameter that another verb or path takes is ignored with a warning; only unknown ones are refused."""

from __future__ import annotations

import pytest

from tests.api.client import DOMAIN, JANE, PASSWORD, Api


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", f"/api/user/{JANE}", "name"),
        ("GET", f"/api/domain/{DOMAIN}", "email_only"),
        ("GET", f"/api/users/{DOMAIN}", "name_only"),
        ("GET", "/api/domains", "username"),
        ("PUT", f"/api/user/{JANE}", "catchall"),
        ("PUT", f"/api/users/{DOMAIN}", "limit"),
        ("POST", f"/api/domain/{DOMAIN}.net", "disabled_only"),
        ("DELETE", f"/api/user/{JANE}", "name"),
        ("DELETE", f"/api/domain/{DOMAIN}", "cn"),
        ("DELETE", f"/api/domain/{DOMAIN}/keep_mailbox_days/3", "password"),
        ("POST", "/api/logout", "name"),
    ],
)
def test_a_parameter_of_another_route_is_a_warning(
    admin: Api, method: str, path: str, name: str
) -> None:
    """A script that sends one set of parameters with every verb was refused (decision 5)."""
    admin.add_user()
    sent = f"{name}=yes" + ("&name=x" if method == "POST" and "domain" in path else "")
    result = admin.call(method, path, **{"query_string" if method == "GET" else "form": sent})

    assert result.status_code in {200, 201}, result.text
    assert [f"{name} is not taken here; ignored"] == result.json["_warnings"]


def test_the_login_ignores_what_others_take(api: Api) -> None:
    """The login had rules of its own."""
    result = api.login(password=f"{PASSWORD}&name=x")

    assert ["name is not taken here; ignored"] == result.json["_warnings"]


@pytest.mark.parametrize(
    ("method", "path", "name", "hint"),
    [
        ("GET", f"/api/users/{DOMAIN}", "emial_only", "email_only"),
        ("GET", f"/api/user/{JANE}", "emplyeeid", "employeeid"),
        ("DELETE", f"/api/user/{JANE}", "nmae", "name"),
        ("PUT", f"/api/user/{JANE}", "quoat", "quota"),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_nearest_name(
    admin: Api, method: str, path: str, name: str, hint: str
) -> None:
    """Lists and paths without parameters listed all they know, or nothing, instead of a hint."""
    admin.add_user()
    result = admin.call(method, path, query_string=f"{name}=x")

    assert 400 == result.status_code
    assert (
        f"INVALID_PARAMETER: {name} is not known here; did you mean {hint}?" == result.json["_msg"]
    )
