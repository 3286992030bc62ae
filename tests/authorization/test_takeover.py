"""Nobody gets more by way of an account, or of a moment, than they have themselves."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from mailwright.authz import Actor, Role
from mailwright.fields.field import Changes
from mailwright.resources import operations
from mailwright.resources import user as users
from tests.api.client import (
    ADMIN,
    DOMAIN,
    JANE,
    MANAGER,
    PASSWORD,
    Api,
    on_openldap,
    on_sqlite,
)

OTHER = f"other@{DOMAIN}"
THIRD = f"third@{DOMAIN}"
SECRET = "secret.example"
EVIL = "password=Evil-Pass1"
USERS_PASSWORD = "Test-Pass1"


def ok(api: Api, method: str, path: str, form: str = "") -> None:
    answer = api.call(method, path, form)
    assert answer.json["_success"], answer.json


def another(api: Api, who: str, password: str = PASSWORD) -> Api:
    """Somebody else at the same server."""
    found = Api(api.site)
    found.login(who, password)
    assert found.cookie
    return found


def while_hashing(api: Api, happens: Callable[[], None]) -> None:
    """What happens once, while the next password is hashed."""
    plain = api.site.app._hash

    waiting = [happens]

    def slow(password: str) -> str:
        if waiting:
            waiting.pop()()
        return plain(password)

    api.site.app._hash = slow


@pytest.fixture
def start(admin: Api) -> Api:
    """A global admin is logged in; a manager of a domain with three users."""
    for mail in (JANE, OTHER, THIRD):
        admin.add_user(mail)
    admin.add_admin(MANAGER, domain=DOMAIN)
    return admin


@pytest.mark.parametrize("rise", ["global", "admin of another domain"])
def test_who_rises_while_everybodys_password_is_hashed_is_spared(start: Api, rise: str) -> None:
    start.add_domain(SECRET)
    manager = another(start, MANAGER)

    def rises() -> None:
        if rise == "global":
            ok(start, "PUT", f"/api/user/{JANE}", "isGlobalAdmin=yes")
        else:
            ok(start, "PUT", f"/api/domain/admins/{SECRET}", f"addAdmin={JANE}")

    while_hashing(start, rises)
    answer = manager.call("PUT", f"/api/users/{DOMAIN}", EVIL)

    assert answer.json["_success"], answer.json
    assert [f"left alone: 1, because {MANAGER} may not change them"] == answer.json["_warnings"]
    assert 401 == Api(start.site).login(JANE, "Evil-Pass1").status_code
    another(start, JANE, USERS_PASSWORD)
    start.login()
    ok(start, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={OTHER}")
    another(start, OTHER, "Evil-Pass1")


@on_sqlite  # a directory hashes for one after the other, once the change has begun
def test_who_is_removed_while_everybodys_password_is_hashed_changes_nothing(start: Api) -> None:
    manager = another(start, MANAGER)
    while_hashing(start, lambda: ok(start, "DELETE", f"/api/admin/{MANAGER}"))

    answer = manager.call("PUT", f"/api/users/{DOMAIN}", EVIL)

    assert 403 == answer.status_code


def leave(start: Api, how: str) -> None:
    form = {"disabled": "accountStatus=disabled", "no more": f"removeAdmin={MANAGER}"}
    if how == "removed":
        ok(start, "DELETE", f"/api/admin/{MANAGER}")
    elif how == "disabled":
        ok(start, "PUT", f"/api/admin/{MANAGER}", form[how])
    else:
        ok(start, "PUT", f"/api/domain/admins/{DOMAIN}", form[how])


@pytest.mark.parametrize("how", ["removed", "disabled", "no more"])
@pytest.mark.parametrize(
    ("method", "mail"), [("PUT", JANE), ("POST", f"new@{DOMAIN}")], ids=["change", "new"]
)
def test_who_is_no_admin_any_more_changes_nothing(
    start: Api, how: str, method: str, mail: str
) -> None:
    manager = another(start, MANAGER)
    while_hashing(start, lambda: leave(start, how))

    answer = manager.call(method, f"/api/user/{mail}", EVIL)

    assert (403, "PERMISSION_DENIED") == (answer.status_code, answer.json["_code"])
    assert 200 == start.call("GET", f"/api/user/{JANE}").status_code
    assert (404 if mail != JANE else 200) == start.call("GET", f"/api/user/{mail}").status_code


def test_who_was_a_global_admin_changes_nothing(start: Api) -> None:
    ok(start, "PUT", f"/api/user/{OTHER}", "isGlobalAdmin=yes")
    other = another(start, OTHER, USERS_PASSWORD)
    while_hashing(start, lambda: ok(start, "PUT", f"/api/user/{OTHER}", "isGlobalAdmin=no"))

    assert 403 == other.call("PUT", f"/api/user/{JANE}", EVIL).status_code


@on_sqlite
def test_the_command_line_has_no_account_that_could_be_lost(start: Api) -> None:
    actor = Actor("cli:root", Role.GLOBAL_ADMIN, channel="cli")
    form = {"password": ["Other-Pass1"]}

    start.site.app.run(actor, lambda work: operations.update(work, users.ACCOUNT, JANE, form))


WIDER = ["maxDomains=-1", "maxUsers=0"]


@pytest.mark.parametrize("bounds", WIDER)
@pytest.mark.parametrize(
    "form", [EVIL, "accountStatus=disabled", "forwarding=spy@elsewhere.example"]
)
def test_wider_limits_are_out_of_reach(start: Api, bounds: str, form: str) -> None:
    ok(start, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={JANE},{OTHER}")
    ok(start, "PUT", f"/api/admin/{JANE}", bounds)
    for mail in (MANAGER, OTHER):
        ok(start, "PUT", f"/api/admin/{mail}", "maxUsers=1")
    manager = another(start, MANAGER)

    assert 403 == manager.call("PUT", f"/api/user/{JANE}", form).status_code
    assert 403 == manager.call("DELETE", f"/api/user/{JANE}").status_code
    assert 200 == manager.call("GET", f"/api/user/{JANE}").status_code
    assert 200 == manager.call("PUT", f"/api/user/{OTHER}", form).status_code
    answer = manager.call("PUT", f"/api/users/{DOMAIN}", EVIL)
    assert [f"left alone: 1, because {MANAGER} may not change them"] == answer.json["_warnings"]
    another(start, JANE, USERS_PASSWORD)


def test_ones_own_limits_are_no_hindrance(start: Api) -> None:
    ok(start, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={JANE}")
    ok(start, "PUT", f"/api/admin/{JANE}", "maxDomains=-1")
    jane = another(start, JANE, USERS_PASSWORD)

    assert 200 == jane.call("PUT", f"/api/user/{JANE}", "password=Other-Pass1").status_code


def test_an_admin_whose_domain_is_gone_may_still_have_more(start: Api) -> None:
    """The right to create domains needs none."""
    start.add_domain(SECRET)
    ok(start, "PUT", f"/api/domain/admins/{SECRET}", f"addAdmin={JANE}")
    ok(start, "PUT", f"/api/admin/{JANE}", "maxDomains=-1")
    ok(start, "DELETE", f"/api/domain/{SECRET}")
    manager = another(start, MANAGER)

    assert 403 == manager.call("PUT", f"/api/user/{JANE}", EVIL).status_code
    manager.call("PUT", f"/api/users/{DOMAIN}", EVIL)
    another(start, JANE, USERS_PASSWORD)


@on_sqlite
@pytest.mark.parametrize("given", [SECRET, "ALL"])
def test_what_is_not_in_force_is_no_rank_of_ones_own(start: Api, given: str) -> None:
    start.add_domain(SECRET)
    ok(start, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={OTHER}")
    ok(start, "PUT", f"/api/domain/admins/{SECRET}", f"addAdmin={JANE}")
    start.site.insert("domain_admins", username=OTHER, domain=given, active=int(given == "ALL"))
    other = another(start, OTHER, USERS_PASSWORD)

    assert 403 == other.call("PUT", f"/api/user/{JANE}", EVIL).status_code
    other.call("PUT", f"/api/users/{DOMAIN}", EVIL)
    another(start, JANE, USERS_PASSWORD)


def comes_back(start: Api, cookie: str) -> bool:
    found = Api(start.site)
    found.cookie = cookie
    return found.call("GET", "/api/domains").status_code == 200


@pytest.mark.parametrize(
    ("away", "back"),
    [
        (("user/{}", "accountStatus=disabled"), ("user/{}", "accountStatus=active")),
        (("users/" + DOMAIN, "accountStatus=disabled"), ("user/{}", "accountStatus=active")),
        (("domain/admins/" + DOMAIN, "removeAdmin={}"), ("domain/admins/" + DOMAIN, "addAdmin={}")),
        (("user/{}", "isGlobalAdmin=no"), ("user/{}", "isGlobalAdmin=yes")),
    ],
    ids=["disabled", "all disabled", "dismissed", "no global admin"],
)
def test_a_session_that_was_over_stays_so(
    start: Api, away: tuple[str, str], back: tuple[str, str]
) -> None:
    ok(start, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={JANE}")
    if "isGlobalAdmin" in away[1]:
        ok(start, "PUT", f"/api/user/{JANE}", "isGlobalAdmin=yes")
    jane = another(start, JANE, USERS_PASSWORD)
    assert comes_back(start, jane.cookie)
    for path, form in (away, back):
        ok(start, "PUT", "/api/" + path.format(JANE), form.format(JANE))

    assert not comes_back(start, jane.cookie)


def test_a_session_is_not_the_successors(start: Api) -> None:
    ok(start, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={JANE}")
    jane = another(start, JANE, USERS_PASSWORD)
    ok(start, "DELETE", f"/api/user/{JANE}")
    start.add_user(JANE)
    ok(start, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={JANE}")

    assert not comes_back(start, jane.cookie)


def test_domains_of_others_are_not_shown(start: Api) -> None:
    start.add_domain(SECRET)
    for name in (DOMAIN, SECRET):
        ok(start, "PUT", f"/api/domain/admins/{name}", f"addAdmin={JANE}")
    manager = another(start, MANAGER)

    def told(api: Api) -> list[list[str]]:
        one = api.call("GET", f"/api/user/{JANE}").json["_data"]
        listed = api.call("GET", f"/api/users/{DOMAIN}").json["_data"]
        return [sorted(each["managedDomains"]) for each in (one, *listed) if each["mail"] == JANE]

    assert [[DOMAIN], [DOMAIN]] == told(manager)
    assert [[DOMAIN, SECRET]] * 2 == told(start)
    # What was shown can be sent back, and does not tell that there is more.
    plain = start.call("PUT", f"/api/user/{JANE}", f"name=A&managedDomains={DOMAIN}").json
    assert "_warnings" in plain
    start.add_admin("both@mailwright.internal", domain=DOMAIN)
    start.call("PUT", f"/api/domain/admins/{SECRET}", "addAdmin=both@mailwright.internal")
    assert [[DOMAIN, SECRET]] * 2 == told(another(start, "both@mailwright.internal"))
    assert 403 == manager.call("PUT", f"/api/user/{JANE}", "name=B").status_code


def test_global_admins_are_counted_and_not_named(start: Api) -> None:
    ok(start, "PUT", f"/api/user/{OTHER}", "isGlobalAdmin=yes")
    manager = another(start, MANAGER)

    answer = manager.call("PUT", f"/api/users/{DOMAIN}", "language=de_DE")

    assert [f"left alone: 1, because {MANAGER} may not change them"] == answer.json["_warnings"]
    (row,) = start.site.raw["iredadmin"].rows(
        "SELECT changes FROM mailwright_audit ORDER BY sequence DESC LIMIT 1"
    )
    assert [OTHER] == json.loads(row["changes"])["_spared"]
    # Nor does the record tell a domain admin what the list does not.
    assert OTHER not in manager.call("GET", "/api/audit").text
    newest, *_ = start.call("GET", "/api/audit", query_string="action=update").json["_data"]
    assert [OTHER] == newest["changes"]["_spared"]


def test_the_last_global_admin_is_no_hindrance_where_they_are_spared(start: Api) -> None:
    ok(start, "PUT", f"/api/user/{OTHER}", "isGlobalAdmin=yes")
    other = another(start, OTHER, USERS_PASSWORD)
    ok(other, "DELETE", f"/api/admin/{ADMIN}")
    manager = another(start, MANAGER)

    ok(manager, "PUT", f"/api/users/{DOMAIN}", "accountStatus=disabled")
    assert 403 == other.call("PUT", f"/api/users/{DOMAIN}", "accountStatus=disabled").status_code
    assert "active" == other.call("GET", f"/api/user/{OTHER}").json["_data"]["accountStatus"]


@on_openldap  # elsewhere they are held
def test_a_directory_spares_who_has_risen_when_their_turn_comes(start: Api) -> None:
    ok(start, "PUT", f"/api/user/{JANE}", "isGlobalAdmin=yes")
    ok(start, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={OTHER},{THIRD}")
    with start.site.app.store.session() as accounts:
        changed = accounts.change_all(
            *(users.RESOURCE, DOMAIN, Changes({users.NAME: "Else"})), known={OTHER, JANE}
        )

    assert (1, {JANE, THIRD}) == (changed.number, set(changed.spared))
