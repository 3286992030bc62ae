"""What an admin of one domain may do over HTTP, and what not; the store is each of the families."""

from __future__ import annotations

import pytest
from falcon.testing import Result

from tests.api.client import ADMIN, DOMAIN, JANE, MANAGER, Api

OTHER = "other.example"
MISSING = "missing.example"
THERE = f"there@{OTHER}"
BOSS = f"boss@{DOMAIN}"  # a mail user who administers everything
PEER = f"peer@{DOMAIN}"  # a mail user who administers one more domain than MANAGER
SECOND = "second@mailwright.internal"


@pytest.fixture
def manager(admin: Api) -> Api:
    """An admin of DOMAIN is logged in; there are OTHER, and users of every rank."""
    admin.add_domain(OTHER)
    for mail in (JANE, THERE, BOSS, PEER):
        admin.add_user(mail)
    ok(admin.call("PUT", f"/api/user/{BOSS}", "isGlobalAdmin=yes"))
    admin.add_admin(MANAGER, domain=DOMAIN)
    for domain in (DOMAIN, OTHER):
        ok(admin.call("PUT", f"/api/domain/admins/{domain}", f"addAdmin={PEER}"))
    admin.login(MANAGER)
    return admin


def as_global(api: Api, method: str, path: str, form: str = "") -> Result:
    api.login(ADMIN)
    answer = api.call(method, path, form)
    api.login(MANAGER)
    return ok(answer)


def ok(answer: Result) -> Result:
    assert answer.json["_success"], answer.json
    return answer


def refused(answer: Result, code: str = "PERMISSION_DENIED") -> str:
    assert (403, code) == (answer.status_code, answer.json.get("_code")), answer.json
    return str(answer.json["_msg"])


def test_the_own_domain_and_its_users_are_open(manager: Api) -> None:
    assert ok(manager.call("GET", f"/api/domain/{DOMAIN}")).json["_data"]["name"] == "Example"
    ok(manager.call("PUT", f"/api/domain/{DOMAIN}", "name=Renamed"))
    ok(manager.call("POST", f"/api/user/new@{DOMAIN}", "password=Test-Pass1&quota=10"))
    ok(manager.call("PUT", f"/api/user/new@{DOMAIN}", "name=New&quota=20&accountStatus=disabled"))
    found = ok(manager.call("GET", f"/api/user/new@{DOMAIN}")).json["_data"]
    assert ("New", 20, "disabled") == (found["name"], found["quota"], found["accountStatus"])
    ok(manager.call("DELETE", f"/api/user/new@{DOMAIN}"))


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("GET", "/api/domain/{domain}", ""),
        ("PUT", "/api/domain/{domain}", "name=x"),
        ("DELETE", "/api/domain/{domain}", ""),
        ("PUT", "/api/domain/admins/{domain}", f"addAdmin={JANE}"),
        ("GET", "/api/users/{domain}", ""),
        ("PUT", "/api/users/{domain}", "language=en_US"),
        ("GET", "/api/user/there@{domain}", ""),
        ("POST", "/api/user/new@{domain}", "password=Test-Pass1"),
        ("PUT", "/api/user/there@{domain}", "name=x"),
        ("DELETE", "/api/user/there@{domain}", ""),
        ("GET", "/api/user/nobody@{domain}", ""),
    ],
)
def test_a_foreign_domain_is_closed_and_does_not_tell_whether_it_exists(
    manager: Api, method: str, path: str, form: str
) -> None:
    there = refused(manager.call(method, path.format(domain=OTHER), form))
    missing = refused(manager.call(method, path.format(domain=MISSING), form))

    assert there.replace(OTHER, MISSING) == missing
    assert ok_names(manager) == [DOMAIN]


def ok_names(api: Api) -> list[str]:
    return list(ok(api.call("GET", "/api/domains?name_only=yes")).json["_data"])


def test_lists_show_own_domains_and_no_global_admins(manager: Api) -> None:
    profiles = ok(manager.call("GET", "/api/domains")).json["_data"]
    users = ok(manager.call("GET", f"/api/users/{DOMAIN}?email_only=yes")).json["_data"]

    assert [DOMAIN] == [profile["domain"] for profile in profiles]
    assert sorted((JANE, PEER)) == sorted(users)


@pytest.mark.parametrize("path", ["/api/domain/new.example", f"/api/domain/{DOMAIN}"])
def test_domains_come_and_go_by_global_admins(manager: Api, path: str) -> None:
    refused(manager.call("POST", path, "name=x"))
    refused(manager.call("DELETE", path))


@pytest.mark.parametrize(
    "form",
    [
        "accountStatus=disabled",
        "quota=1",
        "maxUserQuota=1",
        "numberOfUsers=1",
        "numberOfAliases=1",
        "numberOfLists=1",
        "transport=smtp:[192.0.2.1]",
        "outboundRelay=[192.0.2.1]",
        "addService=self-service",
        "disableDomainProfile=bcc",
        "disableUserProfile=bcc",
        "disableUserPreference=wblist",
    ],
)
def test_what_only_global_admins_change_of_a_domain(manager: Api, form: str) -> None:
    before = ok(manager.call("GET", f"/api/domain/{DOMAIN}")).json["_data"]

    reason = refused(manager.call("PUT", f"/api/domain/{DOMAIN}", f"name=Other&{form}"))

    assert form.partition("=")[0].removeprefix("addS").casefold()[:6] in reason.casefold()
    assert before == ok(manager.call("GET", f"/api/domain/{DOMAIN}")).json["_data"]


@pytest.mark.parametrize("form", ["isGlobalAdmin=yes", "transport=smtp:[192.0.2.1]"])
def test_what_only_global_admins_change_of_a_user(manager: Api, form: str) -> None:
    refused(manager.call("PUT", f"/api/user/{JANE}", f"name=Other&{form}"))

    assert ok(manager.call("GET", f"/api/user/{JANE}")).json["_data"]["name"] != "Other"


@pytest.mark.parametrize("path", [f"/api/domain/{DOMAIN}", f"/api/user/{JANE}"])
def test_what_a_get_answers_can_be_sent_back(manager: Api, path: str) -> None:
    shown = ok(manager.call("GET", path)).json["_data"]

    ok(manager.call("PUT", path, json=shown))

    after = ok(manager.call("GET", path)).json["_data"]
    assert {**after, "modified": ""} == {**shown, "modified": ""}


def test_a_closed_domain_profile_is_neither_shown_nor_changed(manager: Api) -> None:
    path = f"/api/domain/{DOMAIN}"
    # The users of higher rank keep a domain admin from setting it.
    as_global(manager, "PUT", path, "senderBcc=copy@example.net")
    as_global(manager, "PUT", path, "disableDomainProfile=bcc,catchall")

    shown = ok(manager.call("GET", path)).json["_data"]
    (listed,) = ok(manager.call("GET", "/api/domains")).json["_data"]
    for found in (shown, listed):
        assert {"senderBcc", "recipientBcc", "catchall"}.isdisjoint(found)
        assert "minPasswordLength" in found
    # Not even what is stored there can be guessed.
    for form in ("senderBcc=copy@example.net", "senderBcc=", f"catchall={JANE}"):
        assert "profile" in refused(manager.call("PUT", path, form))
    ok(manager.call("PUT", path, "minPasswordLength=9"))

    seen = as_global(manager, "GET", path).json["_data"]
    assert ("copy@example.net", 9) == (seen["senderBcc"], seen["minPasswordLength"])


def test_a_closed_user_profile_is_neither_shown_nor_changed(manager: Api) -> None:
    path = f"/api/user/{JANE}"
    as_global(manager, "PUT", f"/api/domain/{DOMAIN}", "disableUserProfile=forwarding,aliases")

    for found in (
        ok(manager.call("GET", path)).json["_data"],
        *ok(manager.call("GET", f"/api/users/{DOMAIN}")).json["_data"],
    ):
        assert {"forwarding", "aliases"}.isdisjoint(found)
        assert "services" in found
    for form in (f"forwarding={JANE}", f"addAlias=j@{DOMAIN}", "aliases="):
        assert "profile" in refused(manager.call("PUT", path, form))
    ok(manager.call("PUT", path, "name=Jane"))


@pytest.mark.parametrize(
    ("mail", "code"),
    [(BOSS, "PERMISSION_DENIED_UPDATE_GLOBAL_ADMIN_PROFILE"), (PEER, "PERMISSION_DENIED")],
)
@pytest.mark.parametrize(
    ("method", "form"),
    [
        ("PUT", "password=Stolen-Pass1"),
        ("PUT", "removeService=imap"),
        ("PUT", f"forwarding={JANE}"),
        ("PUT", "accountStatus=disabled"),
        ("PUT", "name=x"),
        ("DELETE", ""),
    ],
)
def test_nobody_reaches_an_account_of_higher_rank(
    manager: Api, mail: str, code: str, method: str, form: str
) -> None:
    refused(manager.call(method, f"/api/user/{mail}", form), code)
    refused(manager.call("PUT", f"/api/domain/admins/{DOMAIN}", f"removeAdmin={PEER}"))

    found = as_global(manager, "GET", f"/api/user/{mail}").json["_data"]
    assert found["accountStatus"] == "active"
    assert (mail,) == tuple(found["forwarding"])
    assert "imap" in found["services"]
    assert manager.login(mail, "Test-Pass1").status_code == 200


def test_a_global_admin_is_not_even_looked_at(manager: Api) -> None:
    refused(
        manager.call("GET", f"/api/user/{BOSS}"), "PERMISSION_DENIED_UPDATE_GLOBAL_ADMIN_PROFILE"
    )
    assert ok(manager.call("GET", f"/api/user/{PEER}")).json["_data"]["mail"] == PEER


def test_a_change_of_every_user_leaves_higher_ranks_alone(manager: Api) -> None:
    answer = ok(manager.call("PUT", f"/api/users/{DOMAIN}", "password=Fresh-Pass1&language=en_US"))

    (warning,) = answer.json["_warnings"]
    assert warning.startswith("left alone: 2,")
    assert BOSS not in warning  # whom no list shows
    assert [200, 200] == [manager.login(each, "Test-Pass1").status_code for each in (BOSS, PEER)]
    ok(as_global(manager, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={JANE}"))
    assert manager.login(JANE, "Fresh-Pass1").status_code == 200


def test_and_their_sessions_go_on(manager: Api) -> None:
    as_global(manager, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={JANE}")
    cookies: list[str] = []
    for mail in (BOSS, PEER, JANE):
        manager.cookie = ""
        manager.login(mail, "Test-Pass1")
        cookies.append(manager.cookie)
    manager.cookie = ""
    manager.login(MANAGER)

    ok(manager.call("PUT", f"/api/users/{DOMAIN}", "language=en_US"))
    assert [200] * 3 == [_status(manager, cookie) for cookie in cookies]
    ok(manager.call("PUT", f"/api/users/{DOMAIN}", "password=Fresh-Pass1"))
    assert [200, 200, 401] == [_status(manager, cookie) for cookie in cookies]


def _status(api: Api, cookie: str) -> int:
    return api.call("GET", "/api/domains", headers={"Cookie": cookie}).status_code


def test_every_user_has_only_what_a_domain_admin_may_change(manager: Api) -> None:
    refused(manager.call("PUT", f"/api/users/{DOMAIN}", "transport=smtp:[192.0.2.1]"))


@pytest.mark.parametrize(("days", "status"), [("365", 200), ("366", 400), ("0", 200)])
def test_a_domain_admin_keeps_a_mailbox_for_a_year_or_for_ever(
    manager: Api, days: str, status: int
) -> None:
    answer = manager.call("DELETE", f"/api/user/{JANE}/keep_mailbox_days/{days}")

    assert status == answer.status_code, answer.json


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("minPasswordLength=7", 400),
        ("minPasswordLength=8", 200),
        ("minPasswordLength=0", 200),
        ("minPasswordLength=12", 200),
    ],
)
def test_a_domain_admin_asks_for_no_weaker_passwords(manager: Api, form: str, status: int) -> None:
    assert status == manager.call("PUT", f"/api/domain/{DOMAIN}", form).status_code


# Who administers a domain


def test_a_user_is_promoted_and_demoted(manager: Api) -> None:
    path = f"/api/domain/admins/{DOMAIN}"
    ok(manager.call("PUT", path, f"addAdmin={JANE}"))

    shown = ok(manager.call("GET", f"/api/domain/{DOMAIN}")).json["_data"]["admins"]
    jane = ok(manager.call("GET", f"/api/user/{JANE}")).json["_data"]
    assert sorted((JANE, PEER, MANAGER)) == sorted(shown)
    assert (True, [DOMAIN]) == (jane["isAdmin"], jane["managedDomains"])
    assert manager.login(JANE, "Test-Pass1").status_code == 200
    assert ok_names(manager) == [DOMAIN]
    session = manager.cookie

    manager.login(MANAGER)
    ok(manager.call("PUT", path, f"removeAdmin={JANE}"))

    jane = ok(manager.call("GET", f"/api/user/{JANE}")).json["_data"]
    assert (False, []) == (jane["isAdmin"], jane["managedDomains"])
    assert 401 == manager.call("GET", "/api/domains", headers={"Cookie": session}).status_code
    assert 401 == manager.login(JANE, "Test-Pass1").status_code


def test_who_keeps_another_domain_stays_an_admin(manager: Api) -> None:
    as_global(manager, "PUT", f"/api/domain/admins/{DOMAIN}", f"removeAdmin={PEER}")

    manager.login(PEER, "Test-Pass1")
    assert ok_names(manager) == [OTHER]


def test_all_admins_are_dismissed(manager: Api) -> None:
    as_global(manager, "PUT", f"/api/domain/admins/{DOMAIN}", "removeAllAdmins=")

    manager.login(ADMIN)
    assert [] == ok(manager.call("GET", f"/api/domain/{DOMAIN}")).json["_data"]["admins"]
    assert 200 == manager.login(BOSS, "Test-Pass1").status_code  # a global admin needs no row
    manager.login(MANAGER)
    assert ok_names(manager) == []


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (f"addAdmin={THERE}", "PERMISSION_DENIED"),
        (f"addAdmin=nobody@{OTHER}", "PERMISSION_DENIED"),
        (f"addAdmin={ADMIN}", "PERMISSION_DENIED"),
        (f"removeAdmin={PEER}", "PERMISSION_DENIED"),
        ("removeAllAdmins=", "PERMISSION_DENIED"),
    ],
)
def test_a_domain_admin_names_users_of_own_domains(manager: Api, form: str, code: str) -> None:
    refused(manager.call("PUT", f"/api/domain/admins/{DOMAIN}", form), code)

    shown = as_global(manager, "GET", f"/api/domain/{DOMAIN}").json["_data"]["admins"]
    assert sorted((PEER, MANAGER)) == sorted(shown)


def test_a_standalone_admin_is_named_by_a_global_one(manager: Api) -> None:
    manager.add_admin(SECOND, domain=OTHER)
    as_global(manager, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={SECOND}")

    manager.login(SECOND)
    assert sorted((DOMAIN, OTHER)) == sorted(ok_names(manager))


def test_who_is_nobody_becomes_no_admin(manager: Api) -> None:
    manager.login(ADMIN)
    answer = manager.call("PUT", f"/api/domain/admins/{DOMAIN}", "addAdmin=nobody@example.net")

    assert (400, "INVALID_ADMIN") == (answer.status_code, answer.json["_code"])
    told = ok(manager.call("PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={BOSS}"))
    assert BOSS in told.json["_warnings"][0]
    assert sorted((PEER, MANAGER)) == sorted(
        ok(manager.call("GET", f"/api/domain/{DOMAIN}")).json["_data"]["admins"]
    )


def test_a_change_of_the_domain_says_where_admins_are_named(manager: Api) -> None:
    answer = ok(manager.call("PUT", f"/api/domain/{DOMAIN}", f"addAdmin={JANE}"))

    assert [
        "addAdmin is not taken when updating a domain; ignored; "
        "PUT /api/domain/admins/<domain> takes it"
    ] == answer.json["_warnings"]
