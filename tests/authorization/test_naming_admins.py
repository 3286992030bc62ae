"""Naming admins is on record, is done wholly or not at all, and takes nobody's else change back."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest

from mailwright.errors import Unavailable
from mailwright.resources import domain as domains
from tests.api.client import DOMAIN, JANE, MANAGER, Api, on_sqlite

PATH = f"/api/domain/admins/{DOMAIN}"
OTHER = f"other@{DOMAIN}"


@pytest.fixture
def start(admin: Api) -> Api:
    for mail in (JANE, OTHER):
        admin.add_user(mail)
    return admin


def named(api: Api) -> list[str]:
    return sorted(api.call("GET", f"/api/domain/{DOMAIN}").json["_data"]["admins"])


def accounts_of(api: Api) -> type:
    with api.site.app.store.session() as accounts:
        return type(accounts)


def test_each_admin_is_on_record(start: Api) -> None:
    assert start.call("PUT", PATH, f"addAdmin={JANE}").json["_success"]
    assert start.call("PUT", PATH, f"removeAdmin={JANE}").json["_success"]

    rows = start.site.raw["iredadmin"].rows(
        "SELECT event, domain, username FROM log WHERE event IN ('grant', 'revoke')"
    )
    assert [("grant", DOMAIN, JANE), ("revoke", DOMAIN, JANE)] == [
        tuple(row.values()) for row in rows
    ]


def test_a_domain_admin_names_nobody_who_is_no_mail_user(start: Api) -> None:
    start.add_admin(MANAGER, domain=DOMAIN)
    start.login(MANAGER)

    answer = start.call("PUT", PATH, f"addAdmin=nobody@{DOMAIN}")

    assert (403, "PERMISSION_DENIED") == (answer.status_code, answer.json["_code"])


def test_a_refusal_is_on_record_with_whom_it_was_about(start: Api) -> None:
    start.add_domain("other.example")
    start.add_admin(MANAGER, domain=DOMAIN)
    assert start.call("PUT", PATH, f"addAdmin={JANE}").json["_success"]
    start.login(MANAGER)
    foreign, nobody = "jane@other.example", f"nobody@{DOMAIN}"
    for path, form in (
        ("/api/domain/admins/other.example", f"addAdmin={JANE}"),
        (PATH, f"addAdmin={OTHER},{foreign}"),
        (PATH, f"addAdmin={nobody},{OTHER}"),
    ):
        assert 403 == start.call("PUT", path, form).status_code

    rows = start.site.raw["iredadmin"].rows(
        "SELECT action, resource, target, domain FROM mailwright_audit "
        "WHERE outcome = 'refused' ORDER BY sequence"
    )
    assert [
        ("grant", "domain", "other.example", "other.example"),
        ("grant", "domain", foreign, DOMAIN),
        ("grant", "domain", nobody, DOMAIN),
    ] == [tuple(row.values()) for row in rows]


@on_sqlite  # a directory has no transaction
def test_what_fails_half_way_leaves_nothing(start: Api) -> None:
    kind = accounts_of(start)
    plain = kind.change

    def change(self: Any, resource: Any, *args: Any) -> None:
        if resource is domains.RESOURCE:
            raise Unavailable("gone")
        plain(self, resource, *args)

    with patch.object(kind, "change", change):
        assert 503 == start.call("PUT", PATH, f"addAdmin={JANE}").status_code

    assert [] == named(start)
    assert not start.call("GET", f"/api/user/{JANE}").json["_data"]["isAdmin"]


def test_who_was_named_meanwhile_stays(start: Api) -> None:
    kind = accounts_of(start)
    plain = kind.begin
    meanwhile = [OTHER]

    def begin(self: Any) -> None:
        for mail in meanwhile:
            start.site.insert("domain_admins", username=mail, domain=DOMAIN)
        meanwhile.clear()
        plain(self)

    with patch.object(kind, "begin", begin):
        assert start.call("PUT", PATH, f"addAdmin={JANE}").json["_success"]

    assert [JANE, OTHER] == named(start)


SELF = f"self@{DOMAIN}"


def logged_in(api: Api, mail: str, *domains: str) -> Api:
    """As a mail user who administers these."""
    if mail not in (JANE, OTHER):
        api.add_user(mail)
    for domain in domains:
        assert api.call("PUT", f"/api/domain/admins/{domain}", f"addAdmin={mail}").json["_success"]
    api.cookie = ""
    assert 200 == api.login(mail, "Test-Pass1").status_code
    return api


def test_a_user_of_the_domain_gives_it_up(start: Api) -> None:
    api = logged_in(start, SELF, DOMAIN)
    assert api.call("PUT", PATH, f"removeAdmin={SELF}").json["_success"]

    assert 401 == api.call("GET", "/api/domains").status_code


@pytest.mark.parametrize("who", [MANAGER, "far@other.example"])
def test_others_do_not_and_are_told_why(start: Api, who: str) -> None:
    start.add_domain("other.example")
    if who == MANAGER:
        start.add_admin(MANAGER, domain=DOMAIN)
        start.login(MANAGER)
    else:
        logged_in(start, who, DOMAIN)
    answer = start.call("PUT", PATH, f"removeAdmin={who}")

    assert (403, "PERMISSION_DENIED") == (answer.status_code, answer.json["_code"])
    assert answer.json["_msg"].endswith(
        f"{who} is in no domain that {who} administers; "
        "only a global admin names and dismisses them"
    )
    assert [who] == named(start)


def test_the_list_itself_cannot_be_set(start: Api) -> None:
    answer = start.call("PUT", PATH, f"admins={JANE}&addAdmin={OTHER}")

    assert [
        "admins cannot be set; ignored; here are addAdmin, removeAdmin, removeAllAdmins"
    ] == answer.json["_warnings"]
    assert [OTHER] == named(start)


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("PUT", f"/api/domain/{DOMAIN}", f"admins={JANE}"),
        ("PUT", f"/api/user/{JANE}", "managedDomains=other.example"),
        ("PUT", "/api/admin/admin@mailwright.internal", f"managedDomains={DOMAIN}"),
        (
            "POST",
            "/api/admin/new@mailwright.internal",
            f"password=Right-1x&managedDomains={DOMAIN}",
        ),
    ],
)
def test_nor_elsewhere(start: Api, method: str, path: str, form: str) -> None:
    answer = start.call(method, path, form)

    assert answer.json["_success"], answer.json
    (warning,) = answer.json["_warnings"]
    assert "cannot be set; ignored; PUT /api/domain/admins/<domain>" in warning


@pytest.mark.parametrize(
    ("method", "path", "form", "words"),
    [
        ("GET", "/api/admins", "", "list admins"),
        ("GET", f"/api/admin/{MANAGER}", "", "view admins"),
        ("GET", "/api/domain/other.example", "", "view the domain other.example"),
        (
            *("PUT", "/api/domain/admins/other.example", f"addAdmin={JANE}"),
            "name admins of the domain other.example",
        ),
        ("PUT", "/api/user/x@other.example", "name=x", "update users in other.example"),
    ],
)
def test_a_refusal_says_what_is_refused(
    start: Api, method: str, path: str, form: str, words: str
) -> None:
    start.add_admin(MANAGER, domain=DOMAIN)
    start.login(MANAGER)

    assert (
        f"PERMISSION_DENIED: {MANAGER} may not {words}"
        == start.call(method, path, form).json["_msg"]
    )
