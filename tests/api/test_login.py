"""Who may log in, and what the client gets for it."""

from __future__ import annotations

import bcrypt
import pytest

from mailwright.passwords import hash_password
from tests.api.client import ADMIN, DOMAIN, JANE, MANAGER, PASSWORD, Api, api_with
from tests.stores import Site


@pytest.mark.parametrize(
    "sent",
    [
        {"form": f"username={ADMIN}&password={PASSWORD}"},
        {"json": {"username": ADMIN, "password": PASSWORD}},
        {"query_string": f"username={ADMIN}&password={PASSWORD}"},
    ],
    ids=["form", "json", "query"],
)
def test_an_admin_logs_in_and_is_let_in(api: Api, sent: dict[str, object]) -> None:
    result = api.call("POST", "/api/login", **sent)  # type: ignore[arg-type]
    api.cookie = result.headers["set-cookie"].partition(";")[0]

    assert {"_success": True} == result.json
    assert 200 == result.status_code == api.call("GET", "/api/domains").status_code


def test_the_cookie_is_kept_from_scripts_and_other_sites(api: Api) -> None:
    name, *attributes = api.login().headers["set-cookie"].split("; ")

    assert ["Path=/", "HttpOnly", "SameSite=Strict"] == attributes
    assert name.startswith("mailwright_session=")
    assert 43 == len(name.partition("=")[2])


def test_the_cookie_is_secure_where_the_request_came_by_tls(api: Api) -> None:
    result = api.login(protocol="https")

    assert result.headers["set-cookie"].endswith("; Secure")


def test_the_username_is_lower_cased(api: Api) -> None:
    result = api.login(username=f" {ADMIN.upper()} ")

    assert 200 == result.status_code


@pytest.mark.parametrize(
    ("username", "password"),
    [
        (ADMIN, "wrong"),
        (ADMIN, PASSWORD.lower()),
        (ADMIN, PASSWORD + " "),
        ("nobody@mailwright.internal", PASSWORD),
        ("nobody", PASSWORD),
        ("*)(uid=*@x.org", PASSWORD),
        ("admin@mailwright.internal' OR '1'='1", PASSWORD),
        ("admin@mailwr\u0456ght.internal", PASSWORD),
    ],
)
def test_every_wrong_login_gets_the_same_answer(api: Api, username: str, password: str) -> None:
    result = api.call("POST", "/api/login", json={"username": username, "password": password})

    assert 401 == result.status_code
    assert "set-cookie" not in result.headers
    assert {
        "_success": False,
        "_msg": "INVALID_CREDENTIALS: username or password is wrong",
        "_code": "INVALID_CREDENTIALS",
    } == result.json


@pytest.mark.parametrize("form", ["", f"username={ADMIN}", f"password={PASSWORD}", "username="])
def test_username_and_password_are_required(api: Api, form: str) -> None:
    result = api.call("POST", "/api/login", form)

    assert 400 == result.status_code
    assert "is required" in result.json["_msg"]


def test_a_disabled_admin_is_not_let_in(api: Api) -> None:
    api.site.vmail.execute("UPDATE admin SET active = 0 WHERE username = ?", ADMIN)

    assert 401 == api.login().status_code


def test_a_mail_user_is_let_in_only_as_an_admin(admin: Api) -> None:
    admin.add_user()
    admin.site.vmail.execute(
        "UPDATE mailbox SET password = ? WHERE username = ?", hash_password(PASSWORD), JANE
    )
    before = admin.login(JANE).status_code
    admin.site.vmail.execute("UPDATE mailbox SET isglobaladmin = 1 WHERE username = ?", JANE)
    after = admin.login(JANE).status_code

    assert (401, 200) == (before, after)


def test_an_admin_of_one_domain_logs_in_and_may_not_do_more(admin: Api) -> None:
    admin.add_admin(MANAGER, domain=DOMAIN)
    logged_in = admin.login(MANAGER)
    result = admin.call("GET", "/api/domains")

    assert 200 == logged_in.status_code
    assert (403, "PERMISSION_DENIED") == (result.status_code, result.json["_code"])


def test_a_login_is_noted_in_the_administration_log(api: Api) -> None:
    api.login(remote_addr="192.0.2.7")
    (row,) = api.site.raw["iredadmin"].rows("SELECT admin, ip, event, msg FROM log")

    assert {
        "admin": ADMIN,
        "ip": "192.0.2.7",
        "event": "login",
        "msg": f"[API] Login admin {ADMIN}.",
    } == row


def test_only_the_digest_of_the_token_is_stored(api: Api) -> None:
    api.login()
    token = api.cookie.partition("=")[2]
    (row,) = api.site.raw["iredadmin"].rows("SELECT * FROM mailwright_sessions")

    assert token not in str(row)
    assert 64 == len(row["token_hash"])


@pytest.mark.parametrize("scheme", ["SSHA512", "BCRYPT"])
def test_a_missing_account_costs_what_a_wrong_password_costs(
    empty_site: Site, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wasted: list[str] = []
    monkeypatch.setattr(
        "mailwright.passwords.schemes.waste_time",
        lambda _password, scheme: wasted.append(scheme),
    )
    with api_with(empty_site, passwords={"scheme": scheme}) as api:
        wasted.clear()
        api.login("nobody@mailwright.internal")

    assert [scheme] == wasted


def test_a_page_of_another_site_cannot_log_in_or_change_anything(admin: Api) -> None:
    foreign = {"Origin": "https://evil.example", "Host": "mail.example.org"}
    own = {"Origin": "http://mail.example.org", "Host": "mail.example.org:80"}
    path, form = f"/api/domain/{DOMAIN}", "quota=5"
    statuses = [
        admin.login(headers=foreign).status_code,
        admin.call("PUT", path, form, headers=foreign).status_code,
        admin.call("DELETE", path, headers={"Origin": "null"}).status_code,
        admin.call("PUT", path, form, headers={"Origin": "https://[oops"}).status_code,
        admin.call("GET", path, headers=foreign).status_code,
        admin.call("PUT", path, form, headers=own).status_code,
    ]

    assert [403, 403, 403, 403, 200, 200] == statuses


def test_a_login_that_fails_costs_the_configured_scheme_whatever_is_stored(
    empty_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An admin with an old, cheap hash was answered at once, and so told apart from no admin at all."""
    checked: list[bytes] = []
    real = bcrypt.checkpw

    def watched(password: bytes, stored: bytes) -> bool:
        checked.append(stored[:7])
        return real(password, stored)

    def made_by(username: str) -> list[bytes]:
        checked.clear()
        assert 401 == api.login(username, "wrong").status_code
        return list(checked)

    with api_with(empty_site, passwords={"scheme": "BCRYPT"}) as api:
        old, weak, same = (f"{name}@mailwright.internal" for name in ("old", "weak", "same"))
        stored = {
            old: hash_password(PASSWORD),
            weak: "{CRYPT}" + bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode(),
            same: hash_password(PASSWORD, "BCRYPT"),
        }
        for username, hashed in stored.items():
            api.site.insert("admin", username=username, password=hashed)
        monkeypatch.setattr(bcrypt, "checkpw", watched)

        assert [b"$2b$12$"] == made_by("nobody@mailwright.internal")
        assert [b"$2b$12$"] == made_by("no address")
        assert [b"$2b$12$"] == made_by(old)
        assert [b"$2b$04$", b"$2b$12$"] == made_by(weak)
        assert [b"$2b$12$"] == made_by(same)
