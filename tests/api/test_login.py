"""Who may log in, and what the client gets for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bcrypt
import pytest

from mailwright.passwords import hash_password
from tests.api.another_program import disable, promote, store_hash
from tests.api.client import ADMIN, DOMAIN, JANE, MANAGER, PASSWORD, Api, api_with, on_openldap
from tests.directory_site import DirectorySite
from tests.servers import require
from tests.servers.slapd import ssha
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
        ("*", PASSWORD),
        ("*@mailwright.internal", PASSWORD),
        ("adm\\69n@mailwright.internal", PASSWORD),
        ("admin@mailwright.internal,o=domainAdmins", PASSWORD),
        ("admin@mailwright.internal+cn=x", PASSWORD),
        ("admin+x@mailwright.internal", PASSWORD),
        ("#admin@mailwright.internal", PASSWORD),
        (ADMIN, "*"),
        (ADMIN, PASSWORD + "\\00"),
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
    disable(api.site, ADMIN)

    assert 401 == api.login().status_code


def test_a_mail_user_is_let_in_only_as_an_admin(admin: Api) -> None:
    admin.add_user()
    store_hash(admin.site, JANE, hash_password(PASSWORD))
    before = admin.login(JANE).status_code
    promote(admin.site, JANE)
    after = admin.login(JANE).status_code

    assert (401, 200) == (before, after)


def test_an_admin_of_one_domain_logs_in_and_has_that_domain(admin: Api) -> None:
    admin.add_domain("other.example")
    admin.add_admin(MANAGER, domain=DOMAIN)
    logged_in = admin.login(MANAGER)
    result = admin.call("GET", "/api/domains?name_only=yes")

    assert 200 == logged_in.status_code
    assert [DOMAIN] == result.json["_data"]


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


@pytest.mark.parametrize(
    ("scheme", "beginning"),
    [
        ("SSHA512", "{SSHA512}"),
        ("SSHA", "{SSHA}"),
        ("BCRYPT", "{CRYPT}$2b$"),
        ("SHA512-CRYPT", "{CRYPT}$6$"),
    ],
)
def test_every_form_that_a_mail_server_stores_is_verified(
    admin: Api, scheme: str, beginning: str
) -> None:
    stored = hash_password(PASSWORD, scheme)
    admin.add_user()
    promote(admin.site, JANE)
    store_hash(admin.site, JANE, stored)
    statuses = [admin.login(JANE, text).status_code for text in (PASSWORD, PASSWORD[:-1], stored)]

    assert stored.startswith(beginning)
    assert [200, 401, 401] == statuses


def directory_of(api: Api) -> DirectorySite:
    assert isinstance(api.site, DirectorySite)
    return api.site


@on_openldap
@pytest.mark.parametrize("who", ["admin", "user"])
def test_any_of_several_passwords_opens(admin: Api, who: str) -> None:
    """An attribute has many values, and other programs put there what nobody can read."""
    site = directory_of(admin)
    admin.add_user()
    promote(site, JANE)
    username, dn = {
        "admin": (ADMIN, f"mail={ADMIN},{site.directory.admin_base_dn}"),
        "user": (JANE, site.user_dn(JANE)),
    }[who]
    values = [
        *(ssha("First-Pass1"), hash_password("Second-Pass2"), hash_password("x", "BCRYPT")),
        *("{SASL}someone@example.org", "{SSHA}", "{NONSENSE}Third-Pass3"),
    ]
    site.directory.replace(dn, userPassword=[*(each.encode() for each in values), b"\xff\xfe\x00"])
    passwords = ("First-Pass1", "Second-Pass2", "Third-Pass3", "{SSHA}", "someone@example.org", "x")

    assert [200, 200, 401, 401, 401, 200] == [
        admin.login(username, password).status_code for password in passwords
    ]


@on_openldap
@pytest.mark.parametrize(
    "entry",
    [
        {"objectClass": "mailAdmin", "userPassword": ""},
        {"objectClass": ["inetOrgPerson", "simpleSecurityObject"], "cn": "x", "sn": "x"},
        {"objectClass": "mailAdmin", "accountStatus": "suspended"},
        {"objectClass": "mailAdmin", "accountStatus": ""},
    ],
    ids=["no password", "no mailAdmin", "another status", "no status"],
)
def test_not_every_entry_among_the_admins_is_one(api: Api, entry: dict[str, Any]) -> None:
    directory = directory_of(api).directory
    wanted = {"mail": MANAGER, "userPassword": ssha(PASSWORD), "accountStatus": "active", **entry}
    if entry["objectClass"] != "mailAdmin":
        del wanted["accountStatus"]
    directory.add(
        f"mail={MANAGER},{directory.admin_base_dn}",
        {name: value for name, value in wanted.items() if value},
    )

    assert [401, 401] == [api.login(MANAGER, text).status_code for text in (PASSWORD, "x")]


@on_openldap
def test_a_disabled_mail_user_administers_nothing(admin: Api) -> None:
    site = directory_of(admin)
    admin.add_user()
    promote(site, JANE)
    janes = Api(site)
    before = janes.login(JANE, "Test-Pass1").status_code
    site.directory.replace(site.user_dn(JANE), accountStatus="disabled")

    assert (200, 401) == (before, janes.login(JANE, "Test-Pass1").status_code)
    assert 401 == janes.call("GET", "/api/domains").status_code


def watched(connections: Any, verb: str, asked: list[object]) -> Callable[..., Any]:
    """A way to ask the directory that keeps what is asked."""
    real = getattr(connections.Connection, verb)

    def ask(connection: Any, *question: object) -> Any:
        asked.append((verb, *question))
        return real(connection, *question)

    return ask


@on_openldap
def test_a_login_asks_the_directory_the_same_whoever_tries(
    admin: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mail user who is an admin was found with one question, others with two: the time told who is."""
    connections = require.module("mailwright.storage.ldap.connections")
    asked: list[object] = []
    for verb in ("read", "read_each", "search", "pages"):
        monkeypatch.setattr(connections.Connection, verb, watched(connections, verb, asked))
    boss = f"boss@{DOMAIN}"
    admin.add_user()
    admin.add_user(boss)
    promote(admin.site, boss)
    questions: dict[str, list[str]] = {}
    for username in (ADMIN, JANE, boss, f"nobody@{DOMAIN}", "nobody@nowhere.test"):
        asked.clear()
        assert 401 == admin.login(username, "wrong").status_code
        domain = username.partition("@")[2]
        questions[username] = [
            str(each).replace(username, "WHO").replace(domain, "WHERE") for each in asked
        ]

    (the_same,) = {tuple(each) for each in questions.values()}
    assert 1 == len(the_same)
