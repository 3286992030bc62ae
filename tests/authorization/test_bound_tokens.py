"""A token that is bound opens nothing else by way of an account that it can reach."""

from __future__ import annotations

import pytest
from falcon.testing import Result

from mailwright.authz import Scope
from mailwright.tokens import Token, Tokens, _digest
from tests.api.client import ADMIN, DOMAIN, JANE, MANAGER, Api
from tests.authorization.world import shown

OTHER = "other.example"
BOSS = f"boss@{DOMAIN}"  # a mail user who administers everything
WIDE = f"wide@{DOMAIN}"  # a mail user who administers OTHER too
NARROW = f"narrow@{DOMAIN}"  # a mail user who administers DOMAIN alone
FOREIGNER = f"foreigner@{OTHER}"
HERE = Scope(domains=frozenset({DOMAIN}))
USERS = Scope(resources=frozenset({"user"}))
EVERYTHING_NAMED = Scope(resources=frozenset({"domain", "user", "admin"}))
PASSWORD = "password=Stolen-Pass1"


@pytest.fixture
def out(admin: Api) -> Api:
    """Nobody is logged in; there are users of every rank."""
    admin.add_domain(OTHER)
    for mail in (JANE, BOSS, WIDE, NARROW, FOREIGNER):
        admin.add_user(mail)
    admin.add_admin(MANAGER, domain=DOMAIN)
    for path, form in (
        (f"/api/user/{BOSS}", "isGlobalAdmin=yes"),
        (f"/api/domain/admins/{DOMAIN}", f"addAdmin={WIDE},{NARROW}"),
        (f"/api/domain/admins/{OTHER}", f"addAdmin={WIDE}"),
    ):
        assert admin.call("PUT", path, form).json["_success"]
    admin.cookie = ""
    return admin


def put(api: Api, owner: str, scope: Scope, path: str, form: str) -> Result:
    """What a new token of this scope gets for a change."""
    token = Token(f"{1:016x}", _digest(f"{1:043x}"), owner, "x", 0, scope=scope)
    tokens = Tokens(api.site.app.databases["iredadmin"])
    tokens.remove(token.ident)
    tokens.add(token)
    headers = {"Authorization": f"Bearer {shown(token)}"}
    return api.call("PUT", path, form, headers=headers)


def is_refused(answer: Result) -> bool:
    return answer.status_code == 403


@pytest.mark.parametrize("owner", [ADMIN, BOSS])
@pytest.mark.parametrize("scope", [HERE, USERS, EVERYTHING_NAMED])
def test_it_takes_over_nobody_whose_rank_is_beyond_it(out: Api, owner: str, scope: Scope) -> None:
    for mail in (BOSS, WIDE):
        assert is_refused(put(out, owner, scope, f"/api/user/{mail}", PASSWORD))
        assert is_refused(put(out, owner, scope, f"/api/user/{JANE}", "isGlobalAdmin=yes"))
        assert 401 == out.login(mail, "Stolen-Pass1").status_code
    assert 200 == put(out, owner, scope, f"/api/user/{JANE}", PASSWORD).status_code


def test_it_reaches_those_who_administer_no_more_than_it_is_bound_to(out: Api) -> None:
    path = f"/api/user/{NARROW}"
    assert is_refused(put(out, ADMIN, USERS, path, PASSWORD))
    assert 200 == put(out, ADMIN, HERE, path, PASSWORD).status_code


@pytest.mark.parametrize("scope", [HERE, USERS])
def test_not_even_its_owner(out: Api, scope: Scope) -> None:
    assert is_refused(put(out, WIDE, scope, f"/api/user/{WIDE}", PASSWORD))
    assert is_refused(put(out, WIDE, Scope(), f"/api/user/{WIDE}", PASSWORD))
    assert 200 == put(out, WIDE, Scope(), f"/api/user/{WIDE}", "name=Else").status_code


@pytest.mark.parametrize("owner", [ADMIN, MANAGER, BOSS, NARROW])
def test_no_token_changes_the_password_of_its_owner(out: Api, owner: str) -> None:
    """A login with it would have what the token has not, be it only its duration."""
    kind = "admin" if owner in {ADMIN, MANAGER} else "user"
    assert is_refused(put(out, owner, Scope(), f"/api/{kind}/{owner}", PASSWORD))

    answer = put(out, owner, Scope(), f"/api/users/{DOMAIN}", PASSWORD)

    assert answer.json["_success"]
    assert 401 == out.login(owner, "Stolen-Pass1").status_code
    if owner == BOSS:
        assert ["left alone: 1, because boss@example.org may not change them"] == (
            answer.json["_warnings"]
        )


def test_other_changes_of_everybody_are_the_owners_too(out: Api) -> None:
    answer = put(out, BOSS, Scope(), f"/api/users/{DOMAIN}", "language=de_DE")

    assert "_warnings" not in answer.json
    found = put(out, BOSS, Scope(), f"/api/user/{BOSS}", "language=de_DE")
    assert 200 == found.status_code
    out.login()
    assert "de_DE" == out.call("GET", f"/api/user/{BOSS}").json["_data"]["language"]


@pytest.mark.parametrize("owner", [ADMIN, BOSS, WIDE])
@pytest.mark.parametrize("scope", [HERE, USERS])
def test_a_change_of_every_user_leaves_them_alone(out: Api, owner: str, scope: Scope) -> None:
    answer = put(out, owner, scope, f"/api/users/{DOMAIN}", PASSWORD)

    assert answer.json["_success"]
    for mail in (BOSS, WIDE):
        assert mail not in str(answer.json["_warnings"])
        assert 401 == out.login(mail, "Stolen-Pass1").status_code
    number = 2 if scope is HERE else 3
    assert answer.json["_warnings"][0].startswith(f"left alone: {number}, because this API token")


@pytest.mark.parametrize(("owner", "scope"), [(MANAGER, Scope()), (ADMIN, HERE)])
def test_but_not_those_of_the_same_rank(out: Api, owner: str, scope: Scope) -> None:
    put(out, owner, scope, f"/api/users/{DOMAIN}", PASSWORD)

    assert 200 == out.login(NARROW, "Stolen-Pass1").status_code
    assert 401 == out.login(WIDE, "Stolen-Pass1").status_code


def test_it_still_changes_what_is_for_global_admins_where_it_is_bound_to(out: Api) -> None:
    form = "transport=smtp:[192.0.2.1]"
    for scope in (HERE, USERS):
        assert 200 == put(out, ADMIN, scope, f"/api/user/{JANE}", form).status_code
    form = "transport=smtp:[192.0.2.2]"
    assert is_refused(put(out, WIDE, HERE, f"/api/user/{JANE}", form))


def test_it_names_and_dismisses_whom_it_reaches(out: Api) -> None:
    path = f"/api/domain/admins/{DOMAIN}"
    for form in (f"addAdmin={FOREIGNER}", f"removeAdmin={WIDE}", f"removeAdmin={MANAGER}"):
        assert is_refused(put(out, ADMIN, HERE, path, form))
    assert 200 == put(out, ADMIN, HERE, path, f"addAdmin={JANE}").status_code
    assert 200 == put(out, ADMIN, HERE, path, f"removeAdmin={NARROW}").status_code
    assert 200 == put(out, ADMIN, Scope(), path, f"addAdmin={FOREIGNER}").status_code


@pytest.mark.parametrize("owner", [ADMIN, MANAGER])
def test_one_for_sorts_of_accounts_names_nobody(out: Api, owner: str) -> None:
    path = f"/api/domain/admins/{DOMAIN}"
    assert is_refused(put(out, owner, EVERYTHING_NAMED, path, f"addAdmin={JANE}"))


@pytest.mark.parametrize(
    ("owner", "scope", "path", "told"),
    [
        (ADMIN, Scope(read_only=True), f"/api/user/{JANE}", "this API token is read-only"),
        (MANAGER, Scope(read_only=True), f"/api/user/{FOREIGNER}", "this API token is read-only"),
        (
            *(ADMIN, USERS, f"/api/domain/{DOMAIN}"),
            "this API token is bound to resources, and domain is none of them",
        ),
        (
            *(ADMIN, HERE, f"/api/user/{FOREIGNER}"),
            f"this API token is bound to domains, and {OTHER} is none of them",
        ),
        (
            *(ADMIN, HERE, f"/api/admin/{MANAGER}"),
            "this API token is bound to domains, and this is about the whole server",
        ),
        (
            ADMIN,
            HERE,
            f"/api/user/{WIDE}",
            f"{WIDE} administers domains that this API token does not",
        ),
        (
            MANAGER,
            Scope(),
            f"/api/user/{WIDE}",
            f"{WIDE} administers domains that {MANAGER} does not",
        ),
        (
            *(MANAGER, Scope(), f"/api/user/{FOREIGNER}"),
            f"{MANAGER} may not update users in {OTHER}",
        ),
    ],
)
def test_a_refusal_names_what_the_token_is_bound_to(
    out: Api, owner: str, scope: Scope, path: str, told: str
) -> None:
    answer = put(out, owner, scope, path, PASSWORD)

    assert f"PERMISSION_DENIED: {told}" == answer.json["_msg"]


def test_also_of_lists_fields_and_domains(out: Api) -> None:
    headers = {"Authorization": f"Bearer mw_{1:016x}_{1:043x}"}
    rank = put(out, ADMIN, USERS, f"/api/user/{JANE}", "isGlobalAdmin=yes")
    listed = out.call("GET", "/api/domains", headers=headers)
    put(out, ADMIN, HERE, f"/api/user/{JANE}", "name=x")
    removed = out.call("DELETE", f"/api/domain/{DOMAIN}", headers=headers)

    assert [
        "PERMISSION_DENIED: isGlobalAdmin is for API tokens without bounds",
        "PERMISSION_DENIED: this API token is bound to resources, and domain is none of them",
        f"PERMISSION_DENIED: {DOMAIN} has users who rank above this API token",
    ] == [answer.json["_msg"] for answer in (rank, listed, removed)]


def test_a_read_only_one_may_look_at_everybody_that_its_owner_may(out: Api) -> None:
    for scope, owner in ((Scope(read_only=True), ADMIN), (HERE, ADMIN), (HERE, BOSS)):
        put(out, owner, scope, f"/api/user/{BOSS}", "name=x")
        headers = {"Authorization": f"Bearer mw_{1:016x}_{1:043x}"}
        assert 200 == out.call("GET", f"/api/user/{BOSS}", headers=headers).status_code
