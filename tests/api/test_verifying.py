"""Comparing a password with the stored one: for global admins, counted like logins."""

from __future__ import annotations

import logging
from urllib.parse import quote

import pytest
from falcon.testing import Result

from mailwright.passwords import hash_password, schemes
from tests.api.another_program import disable, store_hash
from tests.api.client import ADMIN, DOMAIN, JANE, MANAGER, PASSWORD, Api, api_with, on_openldap
from tests.directory_site import DirectorySite
from tests.stores import Site

ANNA = "anna@admins.test"
RIGHT = "Test-Pass1"  # of everybody here
USER, STANDALONE = f"/api/verify_password/user/{JANE}", f"/api/verify_password/admin/{ANNA}"
both = pytest.mark.parametrize("path", [USER, STANDALONE], ids=["user", "admin"])
WRONG = {
    "_success": False,
    "_msg": "INVALID_CREDENTIALS: password is not the account's, or there is no such account",
    "_code": "INVALID_CREDENTIALS",
}


@pytest.fixture
def known(admin: Api) -> Api:
    """A global admin is logged in; there are a mail user and a standalone admin."""
    admin.add_user()
    assert 201 == admin.call("POST", f"/api/admin/{ANNA}", f"password={RIGHT}").status_code
    return admin


def ask(api: Api, path: str, password: str = RIGHT) -> Result:
    return api.call("POST", path, f"password={quote(password)}")


def failures(site: Site) -> dict[str, int]:
    rows = site.raw["iredadmin"].rows("SELECT * FROM mailwright_login_failures")
    return {row["subject"]: row["failures"] for row in rows if row["failures"]}


@both
def test_the_right_password_is_a_success_and_any_other_is_not(known: Api, path: str) -> None:
    right, wrong = ask(known, path), ask(known, path, "Test-Pass2")

    assert (200, {"_success": True}) == (right.status_code, right.json)
    assert (400, WRONG) == (wrong.status_code, wrong.json)
    assert "set-cookie" not in right.headers


@both
@pytest.mark.parametrize(
    "password", [RIGHT.lower(), f"{RIGHT} ", RIGHT[:-1], "\x00", "é", "x" * 5000]
)
def test_nearly_right_is_wrong(known: Api, path: str, password: str) -> None:
    answer = ask(known, path, password)

    assert 400 == answer.status_code
    assert answer.json["_code"] in {"INVALID_CREDENTIALS", "INVALID_PARAMETER"}


@both
def test_a_password_has_to_be_given(known: Api, path: str) -> None:
    for form in ("", "password="):
        answer = known.call("POST", path, form)

        assert (400, "INVALID_PARAMETER") == (answer.status_code, answer.json["_code"])
        assert "INVALID_PARAMETER: password is required" == answer.json["_msg"]


def test_who_is_no_such_account_is_answered_like_a_wrong_password(known: Api) -> None:
    for path in (
        f"/api/verify_password/user/nobody@{DOMAIN}",
        "/api/verify_password/user/nobody@elsewhere.test",
        "/api/verify_password/admin/nobody@admins.test",
        f"/api/verify_password/admin/{JANE}",  # is no standalone admin
        f"/api/verify_password/user/{ANNA}",  # is no mail user
    ):
        answer = ask(known, path)

        assert (400, WRONG) == (answer.status_code, answer.json)


def test_a_wrong_password_costs_the_same_work_whether_the_account_is_there_or_not(
    known: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time is what the hashes cost: each question looks at one of the configured scheme."""
    seen: list[int] = []
    verify = schemes.verify_password

    def counted(password: str, stored: str) -> bool:
        seen[-1] += 1
        return bool(verify(password, stored))

    monkeypatch.setattr(schemes, "verify_password", counted)
    for path in (USER, f"/api/verify_password/user/nobody@{DOMAIN}", STANDALONE):
        seen.append(0)
        ask(known, path, "Wrong-Pass9")

    assert [1, 1, 1] == seen


@both
def test_a_disabled_account_has_a_password_all_the_same(known: Api, path: str) -> None:
    kind, mail = path.split("/")[3:]
    known.call("PUT", f"/api/{kind}/{mail}", "accountStatus=disabled")

    assert 200 == ask(known, path).status_code
    assert 400 == ask(known, path, "Test-Pass2").status_code


@pytest.mark.parametrize("scheme", ["SSHA512", "BCRYPT", "SSHA"])
def test_hashes_of_other_schemes_are_read(known: Api, scheme: str) -> None:
    store_hash(known.site, JANE, hash_password("Another-1", scheme))

    assert 200 == ask(known, USER, "Another-1").status_code
    assert 400 == ask(known, USER).status_code


@on_openldap
def test_any_of_several_values_will_do(known: Api) -> None:
    """A directory can have several, and each opens the account (LDAP reference 3.8)."""
    assert isinstance(known.site, DirectorySite)
    hashes = [hash_password(password) for password in ("First-Pass1", "Second-Pass2")]
    known.site.directory.replace(known.site.user_dn(JANE), userPassword=hashes)

    answers = [
        ask(known, USER, word).status_code for word in ("First-Pass1", "Second-Pass2", RIGHT)
    ]
    assert [200, 200, 400] == answers


# Counted


def test_a_wrong_password_counts_as_a_failed_login_of_the_account(known: Api) -> None:
    for _ in range(5):
        assert 400 == ask(known, STANDALONE, "wrong").status_code
    slowed = ask(known, STANDALONE)
    login = Api(known.site).login(ANNA, RIGHT)

    assert {f"account:{ANNA}": 5} == failures(known.site)
    assert (429, "TOO_MANY_ATTEMPTS") == (slowed.status_code, slowed.json["_code"])
    assert (429, "1") == (login.status_code, login.headers["retry-after"])
    assert 200 == ask(known, USER).status_code


def test_a_right_password_counts_nothing_and_forgives_nothing(known: Api) -> None:
    Api(known.site).login(ANNA, "wrong")
    before = failures(known.site)

    for _ in range(10):
        assert 200 == ask(known, STANDALONE).status_code

    assert before == failures(known.site)
    assert 1 == before[f"account:{ANNA}"]


def test_the_account_is_counted_under_one_spelling(known: Api) -> None:
    for spelled in (JANE, JANE.upper(), f"{JANE}."):
        ask(known, f"/api/verify_password/user/{spelled}", "wrong")

    assert {f"account:{JANE}": 3} == failures(known.site)


# For whom


@both
def test_domain_admins_may_not_ask_and_are_not_told_who_is_there(known: Api, path: str) -> None:
    known.add_admin(MANAGER, domain=DOMAIN)
    known.login(MANAGER)
    missing = path.replace("jane", "nobody").replace("anna", "nobody")
    answers = [
        known.call("POST", where, form)
        for where in (path, missing)
        for form in (f"password={RIGHT}", "password=wrong", "")
    ]

    assert {(403, "PERMISSION_DENIED")} == {
        (answer.status_code, answer.json["_code"]) for answer in answers
    }
    assert {} == failures(known.site)


# Never anywhere else


@both
@pytest.mark.parametrize("password", [RIGHT, "Wrong-Secret-99"])
def test_the_password_is_in_no_log_no_answer_and_no_row(
    known: Api, path: str, password: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    by_form = ask(known, path, password)
    by_query = known.call("POST", path, query_string=f"password={password}")
    rows = known.site.snapshot("iredadmin", "iredapd", "amavisd")
    lines = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]

    assert password not in by_form.text + by_query.text
    assert password not in "\n".join(lines)
    assert password not in str(rows)


def test_a_session_is_needed(known: Api) -> None:
    known.cookie = ""

    assert 401 == ask(known, USER).status_code


def test_nobody_is_let_in_by_it(empty_site: Site) -> None:
    with api_with(empty_site) as api:
        api.add_admin()
        api.login()
        answer = ask(api, f"/api/verify_password/admin/{ADMIN}", PASSWORD)

        assert 200 == answer.status_code
        rows = empty_site.raw["iredadmin"].rows("SELECT username FROM mailwright_sessions")
        assert [ADMIN] == [row["username"] for row in rows]
        disable(empty_site, ADMIN)
        assert 401 == ask(api, f"/api/verify_password/admin/{ADMIN}", PASSWORD).status_code
