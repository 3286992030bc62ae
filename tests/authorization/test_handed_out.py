"""What an admin hands out stays within the limits of that admin, over all domains together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from unittest.mock import patch

import pytest
from falcon.testing import Result

from tests.api.client import ADMIN, DOMAIN, PASSWORD, Api, on_sqlite

SECOND = "second.example"
LIMITED = "limited@mailwright.internal"
Limited = Callable[[str], Api]


@pytest.fixture
def limited(admin: Api) -> Limited:
    """Logs in an admin of DOMAIN and SECOND with some limits."""

    def login(limits: str) -> Api:
        admin.add_domain(SECOND)
        ok(admin.call("POST", f"/api/admin/{LIMITED}", f"password={PASSWORD}&{limits}"))
        for domain in (DOMAIN, SECOND):
            ok(admin.call("PUT", f"/api/domain/admins/{domain}", f"addAdmin={LIMITED}"))
        admin.login(LIMITED)
        return admin

    return login


def ok(answer: Result) -> None:
    assert answer.json["_success"], answer.json


def refused(answer: Result, code: str) -> None:
    assert (409, code) == (answer.status_code, answer.json.get("_code")), answer.json


def make(api: Api, mail: str, form: str = "") -> Result:
    return api.call("POST", f"/api/user/{mail}", f"password=Test-Pass1&{form}".rstrip("&"))


def test_users_are_counted_over_all_domains(limited: Limited) -> None:
    api = limited("maxUsers=2")
    ok(make(api, f"a@{DOMAIN}"))
    ok(make(api, f"b@{SECOND}"))
    refused(make(api, f"c@{DOMAIN}"), "EXCEED_LIMIT_USERS")
    ok(api.call("DELETE", f"/api/user/a@{DOMAIN}"))
    ok(make(api, f"c@{DOMAIN}"))


def test_so_are_quotas(limited: Limited) -> None:
    api = limited("maxQuota=100&quotaUnit=MB")
    ok(make(api, f"a@{DOMAIN}", "quota=60"))
    refused(make(api, f"b@{SECOND}", "quota=41"), "EXCEED_LIMIT_QUOTA")
    ok(make(api, f"b@{SECOND}", "quota=40"))
    refused(make(api, f"c@{SECOND}", "quota=1"), "EXCEED_LIMIT_QUOTA")


def test_a_quota_is_changed_within_what_is_left(limited: Limited) -> None:
    api = limited("maxQuota=100&quotaUnit=MB")
    ok(make(api, f"a@{DOMAIN}", "quota=60"))
    ok(make(api, f"b@{SECOND}", "quota=30"))
    path = f"/api/user/a@{DOMAIN}"
    refused(api.call("PUT", path, "quota=71"), "EXCEED_LIMIT_QUOTA")
    ok(api.call("PUT", path, "quota=70"))
    ok(api.call("PUT", path, "quota=10"))
    refused(api.call("PUT", path, "quota=0"), "EXCEED_LIMIT_QUOTA")


def test_where_quotas_are_limited_none_is_without_end(limited: Limited) -> None:
    api = limited("maxQuota=100&quotaUnit=MB")
    refused(make(api, f"a@{DOMAIN}", "quota=0"), "EXCEED_LIMIT_QUOTA")
    refused(make(api, f"a@{DOMAIN}"), "EXCEED_LIMIT_QUOTA")


def test_downwards_is_the_way_out(limited: Limited) -> None:
    """Another program, or a global admin, has given more than the admin has."""
    api = limited("maxQuota=100&quotaUnit=MB")
    api.login(ADMIN)
    for mail in (f"a@{DOMAIN}", f"b@{DOMAIN}"):
        ok(make(api, mail, "quota=500"))
    ok(make(api, f"c@{DOMAIN}", "quota=0"))
    api.login(LIMITED)
    path = f"/api/user/a@{DOMAIN}"
    refused(api.call("PUT", path, "quota=501"), "EXCEED_LIMIT_QUOTA")
    ok(api.call("PUT", path, "quota=400"))
    refused(api.call("PUT", f"/api/user/c@{DOMAIN}", "quota=50"), "EXCEED_LIMIT_QUOTA")
    ok(api.call("PUT", path, "name=A"))


def test_lowered_seats_leave_those_who_are_there_alone(limited: Limited) -> None:
    api = limited("maxUsers=2&maxQuota=100&quotaUnit=MB")
    for name in ("a", "b"):
        ok(make(api, f"{name}@{DOMAIN}", "quota=10"))
    api.login(ADMIN)
    ok(api.call("PUT", f"/api/admin/{LIMITED}", "maxUsers=1"))
    api.login(LIMITED)
    ok(api.call("PUT", f"/api/user/a@{DOMAIN}", "quota=20"))
    refused(make(api, f"c@{DOMAIN}", "quota=10"), "EXCEED_LIMIT_USERS")


def test_limits_of_one_kind_leave_the_other_alone(limited: Limited) -> None:
    api = limited("maxUsers=1")
    ok(make(api, f"a@{DOMAIN}", "quota=0"))
    ok(api.call("PUT", f"/api/user/a@{DOMAIN}", "quota=5000"))
    ok(api.call("PUT", f"/api/user/a@{DOMAIN}", "quota=6000"))
    refused(make(api, f"b@{DOMAIN}", "quota=0"), "EXCEED_LIMIT_USERS")


def test_who_has_no_limits_has_none(limited: Limited) -> None:
    api = limited("maxDomains=-1")
    for number in range(3):
        ok(make(api, f"u{number}@{DOMAIN}", f"quota={number}"))
        ok(api.call("POST", f"/api/domain/new{number}.example", "name=x"))


def test_domains_are_counted_with_those_that_were_given(limited: Limited) -> None:
    api = limited("maxDomains=3")
    ok(api.call("POST", "/api/domain/third.example", "name=x"))
    refused(api.call("POST", "/api/domain/fourth.example", "name=x"), "EXCEED_LIMIT_DOMAIN")
    ok(api.call("DELETE", "/api/domain/third.example"))
    ok(api.call("POST", "/api/domain/fourth.example", "name=x"))


def test_without_the_right_no_domain_is_made_or_removed(limited: Limited) -> None:
    api = limited("maxDomains=0&maxUsers=5")
    for method in ("POST", "DELETE"):
        for domain in ("third.example", SECOND):
            assert 403 == api.call(method, f"/api/domain/{domain}").status_code


@on_sqlite  # a directory has the same settings in another place
@pytest.mark.parametrize(
    ("stored", "code"),
    [
        ("create_new_domains:yes;create_max_domains:-1;", "EXCEED_LIMIT_DOMAIN"),
        ("create_new_domains:yes;create_max_domains:many;", ""),
        ("create_new_domains:yes;create_max_domains:\u0662;", ""),  # a digit, but no number of ours
        ("create_new_domains:yes;create_max_domains:2;", "EXCEED_LIMIT_DOMAIN"),
        ("create_new_domains:yes;create_max_domains:3;", ""),
    ],
)
def test_what_another_program_stored_counts(limited: Limited, stored: str, code: str) -> None:
    api = limited("maxDomains=1")
    api.site.vmail.execute("UPDATE admin SET settings = ? WHERE username = ?", stored, LIMITED)

    answer = api.call("POST", "/api/domain/third.example", "name=x")

    assert code == answer.json.get("_code", "")


@on_sqlite
@pytest.mark.parametrize("kind", ["users", "quota"])
def test_none_allowed_allows_none(limited: Limited, kind: str) -> None:
    api = limited("maxUsers=1")
    api.site.vmail.execute(
        "UPDATE admin SET settings = ? WHERE username = ?", f"create_max_{kind}:-1;", LIMITED
    )

    refused(make(api, f"a@{DOMAIN}", "quota=1"), f"EXCEED_LIMIT_{kind.upper()}")


@on_sqlite
def test_global_admins_have_no_limits_whatever_is_stored(limited: Limited) -> None:
    api = limited("maxUsers=1&maxQuota=1&quotaUnit=MB")
    api.login(ADMIN)
    ok(api.call("PUT", f"/api/admin/{LIMITED}", "isGlobalAdmin=yes"))
    api.site.vmail.execute(
        "UPDATE admin SET settings = 'create_max_users:-1;' WHERE username = ?", LIMITED
    )
    api.login(LIMITED)
    for number in range(2):
        ok(make(api, f"u{number}@{DOMAIN}", "quota=500"))
    ok(api.call("PUT", f"/api/user/u1@{DOMAIN}", "quota=900"))


def test_a_refusal_for_the_whole_server_names_no_domain(limited: Limited) -> None:
    answer = limited("maxUsers=1").call("GET", "/api/admins")

    assert f"PERMISSION_DENIED: {LIMITED} may not list admins" == answer.json["_msg"]


def test_what_is_counted_is_held(limited: Limited) -> None:
    """Or two at a time would both find the last place free; `tests/concurrency` has them race."""
    api = limited("maxUsers=1&maxDomains=3")
    with api.site.app.store.session() as accounts:
        kind = type(accounts)
    called: list[str] = []

    def noting(name: str) -> Callable[..., object]:
        plain = getattr(kind, name)

        def noted(*args: object) -> object:
            called.append(name)
            return plain(*args)

        return noted

    with ExitStack() as stack:
        for name in ("hold_limits", "usage"):
            stack.enter_context(patch.object(kind, name, noting(name)))
        ok(make(api, f"a@{DOMAIN}", "quota=1"))
        assert ["hold_limits", "usage"] == called[called.index("hold_limits") :][:2]
        called.clear()
        ok(api.call("POST", "/api/domain/third.example", "name=x"))
        assert "hold_limits" in called
