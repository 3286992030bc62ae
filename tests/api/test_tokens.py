"""API tokens: what opens, what is bound, what ends, and what is told."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from falcon.testing import Result

from mailwright import tokens
from mailwright.app import ACCOUNTS
from mailwright.audit.trail import Trail
from mailwright.authz import Action, Actor, Role, Scope
from mailwright.errors import Invalid, Unavailable
from mailwright.http import audit
from mailwright.networks import Networks
from mailwright.passwords import hash_password
from mailwright.storage.sql.engine import Connection
from mailwright.tokens import Token, Tokens
from mailwright.work import Leftover
from tests.api.another_program import demote, disable, dismiss, promote, store_hash
from tests.api.client import (
    ADMIN,
    DOMAIN,
    JANE,
    MANAGER,
    PASSWORD,
    Api,
    api_with,
    on_openldap,
    on_sqlite,
)
from tests.api.test_log import Lines, lines  # noqa: F401
from tests.stores import Site

OTHER = "other.example"
HERE = "192.0.2.1"
ELSEWHERE = "198.51.100.1"
REFUSED = (401, "INVALID_TOKEN: the API token is not valid")


def issue(api: Api, form: str = "label=x") -> str:
    """A token of whoever is logged in."""
    result = api.call("POST", "/api/tokens", form)
    assert 201 == result.status_code, result.text
    return str(result.json["_data"]["token"])


def show(
    api: Api,
    token: str,
    method: str = "GET",
    path: str = "/api/domains",
    form: str = "",
    **more: Any,
) -> Result:
    """A request with a token, and with the cookie if there is one."""
    headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
    return api.call(method, path, form, headers=headers, remote_addr=HERE, **more)


def status(
    api: Api, token: str, method: str = "GET", path: str = "/api/domains", form: str = ""
) -> int:
    return show(api, token, method, path, form).status_code


def outcome(result: Result) -> tuple[int, str]:
    return result.status_code, result.json.get("_msg", "")


def later(api: Api, **by: float) -> None:
    api.site.clock.now += dt.timedelta(**by)


def rows(api: Api) -> list[dict[str, Any]]:
    return api.site.raw["iredadmin"].rows("SELECT * FROM mailwright_tokens ORDER BY created, id")


def ident_of(token: str) -> str:
    return token.split("_")[1]


def failures(api: Api) -> dict[str, int]:
    found = api.site.raw["iredadmin"].rows("SELECT * FROM mailwright_login_failures")
    return {row["subject"]: row["failures"] for row in found}


@pytest.fixture
def out(admin: Api) -> Api:
    """The API with a domain and a user, and nobody logged in any more; `issue` first logs in."""
    admin.add_user()
    admin.add_domain(OTHER)
    return admin


def manager(api: Api) -> Api:
    """An admin of example.org, logged in."""
    api.add_admin(MANAGER, domain=DOMAIN)
    other = Api(api.site)
    assert 200 == other.login(MANAGER).status_code
    return other


def without_cookie(api: Api) -> Api:
    return Api(api.site)


# How many --------------------------------------------------------------------------------------


def test_an_admin_has_so_many_and_those_that_ended_do_not_count(site: Site) -> None:
    with api_with(site, api={"tokens_per_admin": 2}) as api:
        for each in (ADMIN, MANAGER):
            api.add_admin(each)
        api.login(MANAGER)
        issue(api)
        api.cookie = ""
        api.login()
        issue(api, "label=x&expires=1")
        last = issue(api)
        refused = api.call("POST", "/api/tokens", "label=x")
        told = f"EXCEED_LIMIT_TOKENS: {ADMIN} may have 2 API tokens; revoke one that is not needed"

        assert (409, told) == outcome(refused)
        assert 3 == len(rows(api))
        assert 200 == api.call("DELETE", f"/api/token/{ident_of(last)}").status_code
        issue(api)
        later(api, days=1, seconds=-1)
        api.login()
        assert 409 == api.call("POST", "/api/tokens", "label=x").status_code
        later(api, seconds=1)
        issue(api)
        assert 409 == api.call("POST", "/api/tokens", "label=x").status_code


# How they are listed ---------------------------------------------------------------------------


def _pages(api: Api, owner: str | None, limit: int) -> list[list[str]]:
    """The ids of every page that an admin gets."""
    store, actor = Tokens(api.site.app.databases["iredadmin"]), Actor(ADMIN, Role.GLOBAL_ADMIN)
    found: list[list[str]] = []
    after = ""
    while True:
        page, _ = api.site.app.run(
            actor,
            lambda work, after=after: tokens.page(work, store, owner, limit=limit, after=after),
        )
        found.append([token.ident for token in page.tokens])
        if page.next is None:
            return found
        after = page.next


def test_a_list_comes_in_pages(site: Site) -> None:
    with api_with(site) as api:
        store = Tokens(api.site.app.databases["iredadmin"])
        for ident, owner, created in (
            *(("a", MANAGER, 1), ("b", ADMIN, 2), ("c", ADMIN, 1)),
            *(("d", ADMIN, 2), ("e", ADMIN, 2), ("f", "z@example.net", 0)),
        ):
            store.add(Token(ident, "", owner, "x", created))

        for limit in range(1, 7):
            pages = _pages(api, None, limit)
            assert list("cbdeaf") == [ident for page in pages for ident in page]
            assert -(-6 // limit) == len(pages)
            own = _pages(api, ADMIN, limit)
            assert list("cbde") == [ident for page in own for ident in page]
            assert -(-4 // limit) == len(own)
        assert [list("cbdeaf")] == _pages(api, None, 0)


def test_the_api_gives_the_pages(out: Api) -> None:
    for _ in range(5):
        issue(out)
    first = out.call("GET", "/api/tokens", query_string="limit=3").json
    following = first["_next_page_token"]
    second = out.call("GET", "/api/tokens", query_string=f"limit=3&page_token={following}").json

    assert [3, 2] == [len(page["_data"]) for page in (first, second)]
    assert [row["id"] for row in rows(out)] == [
        token["id"] for page in (first, second) for token in page["_data"]
    ]
    assert "_next_page_token" not in second
    wrong = out.call("GET", "/api/tokens", query_string="page_token=x")
    assert 400 == wrong.status_code


def test_parameters_of_tokens_are_known_elsewhere(out: Api) -> None:
    answer = out.call("PUT", f"/api/user/{JANE}", "label=x&name=Jane")

    assert ["label is not taken here; ignored"] == answer.json["_warnings"]


def _token_of(*place: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        *("x", "é", "!", _token_of("a", 1), _token_of("a", 2**63, "b"), _token_of("a", "1", "b")),
        *(_token_of("a\0", 1, "b"), _token_of("a", 1, "b\0")),
    ],
)
def test_a_page_token_of_ones_own_making_is_refused(out: Api, text: str) -> None:
    store, actor = Tokens(out.site.app.databases["iredadmin"]), Actor(ADMIN, Role.GLOBAL_ADMIN)

    with pytest.raises(Invalid, match="page_token: this is no token of an earlier answer"):
        out.site.app.run(actor, lambda work: tokens.page(work, store, None, after=text))


def test_a_page_token_alone_gives_a_page(out: Api) -> None:
    store, actor = Tokens(out.site.app.databases["iredadmin"]), Actor(ADMIN, Role.GLOBAL_ADMIN)
    for number in range(tokens.ON_A_PAGE + 3):
        store.add(Token(f"{number:03}", "", ADMIN, "x", 1))
    first = _token_of(ADMIN, 1, "000")

    page, _ = out.site.app.run(actor, lambda work: tokens.page(work, store, ADMIN, after=first))

    assert ("001", tokens.ON_A_PAGE) == (page.tokens[0].ident, len(page.tokens))
    assert page.next is not None
    whole, _ = out.site.app.run(actor, lambda work: tokens.page(work, store, ADMIN))
    assert (tokens.ON_A_PAGE + 3, None) == (len(whole.tokens), whole.next)


# What opens ------------------------------------------------------------------------------------


def test_a_token_opens_what_its_owner_may(site: Site) -> None:
    with api_with(site) as api:
        api.add_admin()
        api.login()
        token = issue(
            api, f"label=all&domains={DOMAIN}&resources=domain,user&networks={HERE}&expires=1"
        )
        api.cookie = ""
        new = f"/api/domain/{DOMAIN}"

        assert 201 == status(api, token, "POST", new, "name=Example")
        assert 200 == status(api, token, "PUT", new, "name=Other")
        assert "Other" == show(api, token, path=new).json["_data"]["name"]
        assert 401 == api.call("GET", new).status_code


def test_a_token_is_told_once_and_only_its_digest_is_kept(out: Api) -> None:
    token = issue(out)
    secret = token.removeprefix(f"mw_{ident_of(token)}_")
    listed = out.call("GET", "/api/tokens")

    assert 43 == len(secret)
    assert secret not in str(rows(out)) + listed.text
    assert {**listed.json["_data"][0]} == {
        "id": ident_of(token),
        "owner": ADMIN,
        "label": "x",
        "created": "2026-05-06T07:08:09Z",
        "expires": "",
        "networks": None,
        "read_only": False,
        "domains": None,
        "resources": None,
        "last_used": "",
        "last_address": "",
    }


def test_the_header_wins_over_the_cookie_and_never_falls_back_on_it(out: Api) -> None:
    narrow = issue(manager(out))
    wrong = [show(out, text) for text in ("", "x", "mw_0123456789abcdef_" + "A" * 43, f"{narrow}x")]

    assert [DOMAIN] == [each["domain"] for each in show(out, narrow).json["_data"]]
    assert 2 == len(out.call("GET", "/api/domains").json["_data"])
    assert [REFUSED] * 4 == [outcome(each) for each in wrong]
    assert ["Bearer"] * 4 == [each.headers["www-authenticate"] for each in wrong]


@pytest.mark.parametrize("header", ["bearer {}", "BEARER   {}  "])
def test_the_word_before_the_token_has_no_case(out: Api, header: str) -> None:
    headers = {"Authorization": header.format(issue(out))}

    assert 200 == without_cookie(out).call("GET", "/api/domains", headers=headers).status_code


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "bearer\t", "Bearer a b"])
def test_a_header_with_no_token_is_a_wrong_token(out: Api, header: str) -> None:
    result = out.call("GET", "/api/domains", headers={"Authorization": header})

    assert 401 == result.status_code


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearers x", "Token x"])
def test_a_header_of_another_scheme_is_none_of_ours(out: Api, header: str) -> None:
    """A proxy that asks for a password of its own passes the header on."""
    headers = {"Authorization": header}

    assert 200 == out.call("GET", "/api/domains", headers=headers).status_code
    assert 401 == without_cookie(out).call("GET", "/api/domains", headers=headers).status_code


def test_a_page_of_another_site_matters_to_cookies_only(out: Api) -> None:
    token = issue(out)
    headers = {"Origin": "https://elsewhere.example"}
    form, path = "name=New", f"/api/domain/{DOMAIN}"

    assert 200 == show(out, token, "PUT", path, form, headers=headers).status_code
    assert 403 == out.call("PUT", path, form, headers=headers).status_code


# What is bound ---------------------------------------------------------------------------------


def test_a_token_that_reads_only_changes_nothing(out: Api) -> None:
    token = issue(out, "label=x&read_only=yes")
    out.cookie = ""
    user, domain = f"/api/user/{JANE}", f"/api/domain/{DOMAIN}"
    reading = [status(out, token, path=path) for path in (user, domain, f"/api/users/{DOMAIN}")]
    writing = [
        status(out, token, "PUT", user, "name=New"),
        status(out, token, "PUT", domain, "name=New"),
        status(out, token, "PUT", f"/api/users/{DOMAIN}", "language=en_US"),
        status(out, token, "POST", f"/api/user/new@{DOMAIN}", "password=Test-Pass1"),
        status(out, token, "POST", "/api/domain/new.example", "name=New"),
        status(out, token, "DELETE", user),
        status(out, token, "DELETE", domain),
    ]

    assert [200] * 3 == reading
    assert [403] * 7 == writing
    assert 200 == status(out, token, path=user)


def test_a_token_of_one_domain_neither_sees_nor_touches_another(out: Api) -> None:
    token = issue(out, f"label=x&domains={DOMAIN}")
    out.cookie = ""
    names = show(out, token, query_string="name_only=yes").json["_data"]

    assert [DOMAIN] == names
    assert 200 == status(out, token, "PUT", f"/api/user/{JANE}", "name=New")
    assert 200 == status(out, token, path=f"/api/users/{DOMAIN}")
    for name in (OTHER, "missing.example"):
        assert 403 == status(out, token, path=f"/api/domain/{name}")
        assert 403 == status(out, token, "PUT", f"/api/domain/{name}", "name=New")
        assert 403 == status(out, token, path=f"/api/users/{name}")
        assert 403 == status(out, token, path=f"/api/user/x@{name}")


def test_a_token_of_some_resources_reaches_no_others(out: Api) -> None:
    token = issue(out, "label=x&resources=user")
    out.cookie = ""

    assert 200 == status(out, token, "PUT", f"/api/user/{JANE}", "name=New")
    assert 200 == status(out, token, path=f"/api/users/{DOMAIN}")
    assert 403 == status(out, token)
    assert 403 == status(out, token, path=f"/api/domain/{DOMAIN}")
    assert 403 == status(out, token, "PUT", f"/api/domain/{DOMAIN}", "name=New")
    assert 403 == status(out, token, path="/api/admins")


def test_a_token_of_the_audit_record_reads_nothing_else(out: Api) -> None:
    token = issue(out, "label=x&resources=audit")
    other = issue(out, "label=x&resources=user")
    out.cookie = ""

    assert 200 == status(out, token, path="/api/audit")
    assert 403 == status(out, token, path=f"/api/user/{JANE}")
    assert 403 == status(out, token)
    assert 403 == status(out, other, path="/api/audit")


def test_every_sort_of_account_can_be_bound_to() -> None:
    assert {*ACCOUNTS, audit.RESOURCE} == set(tokens.SORTS)


def test_a_token_is_never_more_than_its_owner(out: Api) -> None:
    """Whoever could write into the table's bounds would still be an admin of one domain."""
    token = issue(manager(out), f"label=x&domains={DOMAIN}")
    out.site.raw["iredadmin"].execute("UPDATE mailwright_tokens SET domains = ?", OTHER)

    assert 403 == status(out, token, path=f"/api/domain/{OTHER}")
    assert 403 == status(out, token, path=f"/api/domain/{DOMAIN}")


@pytest.mark.parametrize("bound", ["networks", "domains", "resources"])
def test_a_bound_that_lost_its_members_binds_to_nothing(out: Api, bound: str) -> None:
    """An empty text is not the same as none: that would open everything."""
    token = issue(out)
    out.cookie = ""
    out.site.raw["iredadmin"].execute(f"UPDATE mailwright_tokens SET {bound} = ''")

    assert status(out, token, path=f"/api/domain/{DOMAIN}") in {401, 403}


def test_empty_bounds_are_kept_as_such(site: Site) -> None:
    store = Tokens(site.app.databases["iredadmin"])
    store.add(Token("1", "", ADMIN, "x", 0, 0, (), Scope(False, frozenset(), frozenset())))  # noqa: FBT003
    found = store.find("1")

    assert found is not None
    assert None not in (found.networks, found.scope.domains, found.scope.resources)
    assert not found.scope.allows(Action.VIEW, "user", DOMAIN)


@pytest.mark.parametrize(
    ("networks", "address", "expected"),
    [
        ("192.0.2.0/24", "192.0.2.255", 200),
        ("192.0.2.0/24", "192.0.3.0", 401),
        ("192.0.2.0/24", "::ffff:192.0.2.7", 200),
        ("203.0.113.9,2001:db8::/32", "2001:db8::1", 200),
        ("203.0.113.9,2001:db8::/32", "203.0.113.9", 200),
        ("203.0.113.9,2001:db8::/32", "203.0.113.8", 401),
        ("203.0.113.9", "", 401),
    ],
)
def test_a_token_opens_from_its_networks_only(
    out: Api, networks: str, address: str, expected: int
) -> None:
    headers = {"Authorization": f"Bearer {issue(out, f'label=x&networks={networks}')}"}
    found = out.call("GET", "/api/domains", headers=headers, remote_addr=address)

    assert expected == found.status_code


def test_the_network_is_the_clients_and_not_the_proxys(empty_site: Site) -> None:
    with api_with(empty_site, server={"trusted_proxies": Networks(["10.0.0.1"])}) as api:
        api.add_admin()
        api.login()
        headers = {"Authorization": f"Bearer {issue(api, f'label=x&networks={HERE}')}"}

        def call(peer: str, told: str) -> int:
            more = {**headers, "X-Forwarded-For": told}
            return api.call("GET", "/api/domains", headers=more, remote_addr=peer).status_code

        assert [200, 401, 401] == [
            call("10.0.0.1", HERE),
            call("10.0.0.1", ELSEWHERE),
            call(ELSEWHERE, HERE),
        ]


# What ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize("expires", ["1", "2026-05-07T07:08:09Z", "2026-05-07T09:08:09%2B02:00"])
def test_a_token_ends_at_its_time(out: Api, expires: str) -> None:
    token = issue(out, f"label=x&expires={expires}")
    told = out.call("GET", "/api/tokens").json["_data"][0]["expires"]
    later(out, days=1, seconds=-1)
    before = status(out, token)
    later(out, seconds=1)

    assert "2026-05-07T07:08:09Z" == told
    assert (200, REFUSED) == (before, outcome(show(out, token)))


@pytest.mark.parametrize("done", [disable, dismiss])
def test_a_token_of_a_disabled_or_removed_admin_is_wrong_at_once(
    site: Site, done: Callable[[Site, str], None]
) -> None:
    with api_with(site) as api:
        api.add_admin()
        api.login()
        token = issue(api)
        api.cookie = ""
        before = status(api, token)
        done(api.site, ADMIN)

        assert (200, REFUSED) == (before, outcome(show(api, token)))


def test_a_token_of_a_demoted_admin_has_lost_the_rank_at_once(out: Api) -> None:
    token = issue(out)
    out.cookie = ""
    before = status(out, token, "PUT", f"/api/domain/{DOMAIN}", "name=New")
    demote(out.site, ADMIN)

    assert 200 == before
    assert 200 != status(out, token, "PUT", f"/api/domain/{DOMAIN}", "name=New")
    assert [] == show(out, token).json.get("_data", [])


def test_a_changed_password_ends_sessions_and_no_tokens(out: Api) -> None:
    promote(out.site, JANE)
    store_hash(out.site, JANE, hash_password(PASSWORD))
    janes = Api(out.site)
    janes.login(JANE)
    token = issue(janes)
    assert 200 == out.call("PUT", f"/api/user/{JANE}", "password=Other-Pass1").status_code

    assert 401 == janes.call("GET", "/api/domains").status_code
    assert 200 == status(without_cookie(out), token)


@pytest.mark.parametrize("path", [f"/api/user/{JANE}", f"/api/domain/{DOMAIN}"])
def test_a_successor_inherits_no_token(site: Site, path: str) -> None:
    with api_with(site) as api:
        api.add_admin()
        api.login()
        api.add_domain()
        api.add_user()
        promote(api.site, JANE)
        janes = Api(api.site)
        janes.login(JANE, "Test-Pass1")
        token, kept = issue(janes), issue(api)
        assert 200 == status(without_cookie(api), token)
        assert 200 == api.call("DELETE", path).status_code

        assert [ident_of(kept)] == [row["id"] for row in rows(api)]


@on_openldap  # on SQL the admin's row is held meanwhile
def test_an_admin_who_is_removed_while_a_token_is_created_leaves_none(
    admin: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The removal takes the tokens that it finds; one that comes a moment later would be a successor's."""
    real = Tokens.add

    def late(self: Tokens, token: Token) -> None:
        dismiss(admin.site, ADMIN)
        real(self, token)

    monkeypatch.setattr(Tokens, "add", late)

    assert 401 == admin.call("POST", "/api/tokens", "label=x").status_code
    assert [] == rows(admin)


def test_a_removed_admin_takes_the_tokens_along_once_the_removal_is_finished(site: Site) -> None:
    with api_with(site) as api:
        store = Tokens(api.site.app.databases["iredadmin"])
        for number, owner in enumerate(
            (ADMIN, MANAGER, JANE, f"x@sub.{DOMAIN}", "x@anyexample.org")
        ):
            store.add(Token(str(number), "", owner, "x", number))
        for leftover in (Leftover("admin", ADMIN), Leftover("domain", DOMAIN)):
            with api.site.app.databases["iredadmin"].transaction() as connection:
                connection.execute(
                    'INSERT INTO "mailwright_leftovers" ("kind", "account", "noted") VALUES (%s, %s, 1)',
                    (leftover.kind, leftover.key),
                )
        api.site.app.finish_leftovers()

        assert ["1", "3", "4"] == [row["id"] for row in rows(api)]


# What a wrong token costs ----------------------------------------------------------------------


def test_whatever_is_wrong_is_refused_and_counted_in_the_same_way(out: Api) -> None:
    token = issue(out)
    other = issue(manager(out))
    wrong = {
        "made up": "x",
        "unknown": "mw_0123456789abcdef_" + "A" * 43,
        "secret": f"mw_{ident_of(token)}_" + "A" * 43,
        "of another": f"mw_{ident_of(token)}_{other.split('_', 2)[2]}",
        "expired": issue(out, "label=x&expires=1"),
        "network": issue(out, f"label=x&networks={ELSEWHERE}"),
    }
    later(out, days=2)
    found = {name: show(out, text) for name, text in wrong.items()}

    assert dict.fromkeys(wrong, REFUSED) == {name: outcome(each) for name, each in found.items()}
    assert {
        f"address:{HERE}": 6,
        "token:0123456789abcdef": 1,
        f"token:{ident_of(token)}": 2,
        f"token:{ident_of(wrong['expired'])}": 1,
        f"token:{ident_of(wrong['network'])}": 1,
    } == failures(out)


def test_wrong_tokens_are_slowed_by_address_and_id(site: Site) -> None:
    with api_with(site, login={"address_free_attempts": 7}) as api:
        api.add_admin()
        api.login()
        wrong = f"mw_{ident_of(issue(api))}_" + "A" * 43
        first = [show(api, wrong) for _ in range(6)]
        by_address = [outcome(show(api, "x"))[0] for _ in range(3)]

        assert [401] * 5 + [429] == [each.status_code for each in first]
        assert "1" == first[-1].headers["retry-after"]
        assert [401, 401, 429] == by_address
        assert 429 == api.login(password="wrong", remote_addr=HERE).status_code


def test_a_right_token_opens_where_wrong_ones_are_slowed(out: Api) -> None:
    """Whoever knows the id of a script's token, which logs tell, could have stopped the script."""
    token = issue(out)
    for _ in range(25):
        show(out, f"mw_{ident_of(token)}_" + "A" * 43)

    assert 200 == status(out, token)


# What a right token costs ----------------------------------------------------------------------


def test_the_last_use_is_written_once_a_minute_at_most(site: Site) -> None:
    with api_with(site) as api:
        api.add_admin()
        api.login()
        token = issue(api)
        seen = []
        for seconds, address in ((0, HERE), (59, ELSEWHERE), (1, ELSEWHERE), (30, HERE)):
            later(api, seconds=seconds)
            headers = {"Authorization": f"Bearer {token}"}
            api.call("GET", "/api/domains", headers=headers, remote_addr=address)
            told = api.call("GET", "/api/tokens").json["_data"][0]
            seen.append((told["last_used"][-9:], told["last_address"]))

        assert [
            ("07:08:09Z", HERE),
            ("07:08:09Z", HERE),
            ("07:09:09Z", ELSEWHERE),
            ("07:09:09Z", ELSEWHERE),
        ] == seen


@on_sqlite
def test_a_right_token_costs_one_look_at_its_row(out: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    token = issue(out)
    show(out, token)
    statements: list[str] = []
    real = Connection._run

    def counted(self: Connection, statement: str, parameters: Any) -> None:
        statements.append(statement)
        real(self, statement, parameters)

    monkeypatch.setattr(Connection, "_run", counted)
    show(out, token)
    ours = [each for each in statements if "mailwright_" in each]

    assert len(ours) == 1
    assert ours[0].endswith('FROM "mailwright_tokens" WHERE "id" = %s')
    assert [] == [each for each in statements if not each.startswith("SELECT")]


def test_a_use_that_was_noted_meanwhile_is_not_noted_again(site: Site) -> None:
    store = Tokens(site.app.databases["iredadmin"])
    token = Token("1", "", ADMIN, "x", 0)
    store.add(token)
    store.used(token, 100, HERE)
    store.used(token, 110, ELSEWHERE)
    found = store.find("1")

    assert found is not None
    assert (100, HERE) == (found.last_used, found.last_address)


# Creating, listing, revoking -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "parameter"),
    [
        ("", "label"),
        ("label=", "label"),
        ("label=" + "x" * 101, "label"),
        ("label=x&expires=0", "expires"),
        ("label=x&expires=36501", "expires"),
        ("label=x&expires=-1", "expires"),
        ("label=x&expires=2026-05-06T07:08:09Z", "expires"),
        ("label=x&expires=2026-05-07T07:08:09", "expires"),
        ("label=x&expires=2026-13-01T00:00:00Z", "expires"),
        ("label=x&expires=tomorrow", "expires"),
        ("label=x&networks=", "networks"),
        ("label=x&networks=192.0.2.1/24", "networks"),
        ("label=x&networks=192.0.2.300", "networks"),
        ("label=x&networks=fe80::1%25eth0", "networks"),
        ("label=x&networks=" + ",".join(f"192.0.2.{n}" for n in range(101)), "networks"),
        ("label=x&domains=", "domains"),
        ("label=x&domains=nonsense", "domains"),
        ("label=x&resources=", "resources"),
        ("label=x&resources=everything", "resources"),
        ("label=x&read_only=perhaps", "read_only"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(admin: Api, form: str, parameter: str) -> None:
    result = admin.call("POST", "/api/tokens", form)

    assert 400 == result.status_code
    assert result.json["_msg"].startswith(f"INVALID_PARAMETER: {parameter}")
    assert [] == rows(admin)


def test_an_empty_bound_in_json_is_refused_too(admin: Api) -> None:
    results = [
        admin.call("POST", "/api/tokens", json={"label": "x", name: empty})
        for name in ("networks", "domains", "resources")
        for empty in ([], "", None)
    ]

    assert [400] * 9 == [each.status_code for each in results]


@pytest.mark.parametrize("domain", [OTHER, "missing.example"])
def test_a_domain_admin_names_own_domains_only(out: Api, domain: str) -> None:
    theirs = manager(out)
    result = theirs.call("POST", "/api/tokens", f"label=x&domains={DOMAIN},{domain}")

    assert (403, f"PERMISSION_DENIED: {MANAGER} does not administer {domain}") == outcome(result)
    assert 201 == theirs.call("POST", "/api/tokens", f"label=x&domains={DOMAIN}").status_code


def test_everybody_sees_and_revokes_their_own(out: Api) -> None:
    theirs = manager(out)
    own, other = issue(theirs, "label=theirs"), issue(out, "label=mine")
    listed = [each["label"] for each in theirs.call("GET", "/api/tokens").json["_data"]]
    foreign = outcome(theirs.call("DELETE", f"/api/token/{ident_of(other)}"))
    missing = outcome(theirs.call("DELETE", "/api/token/0123456789abcdef"))
    everybody = outcome(theirs.call("GET", "/api/tokens", query_string="all=yes"))
    revoked = theirs.call("DELETE", f"/api/token/{ident_of(own)}").status_code

    assert ["theirs"] == listed
    assert (404, "NO_SUCH_TOKEN: there is no such token") == foreign == missing
    assert 403 == everybody[0]
    assert 200 == revoked
    assert REFUSED == outcome(show(out, own))
    assert 200 == status(out, other)


def test_a_global_admin_sees_and_revokes_all(out: Api) -> None:
    theirs = issue(manager(out), "label=theirs")
    issue(out, "label=mine")

    def labels(query: str = "") -> list[str]:
        found = out.call("GET", "/api/tokens", query_string=query).json["_data"]
        return [each["label"] for each in found]

    assert (["mine"], ["mine", "theirs"]) == (labels(), labels("all=yes"))
    assert 200 == out.call("DELETE", f"/api/token/{ident_of(theirs)}").status_code
    assert 404 == out.call("DELETE", f"/api/token/{ident_of(theirs)}").status_code
    assert REFUSED == outcome(show(out, theirs))


def test_a_token_sees_itself_and_makes_and_ends_none(out: Api) -> None:
    """Who has a token that ends could have made one that does not."""
    token, other = issue(out, "label=this"), issue(out, "label=other")
    listed = [each["label"] for each in show(out, token, path="/api/tokens").json["_data"]]
    refused = [
        show(out, token, path="/api/tokens", query_string="all=yes"),
        show(out, token, "POST", "/api/tokens", "label=x"),
        show(out, token, "DELETE", f"/api/token/{ident_of(other)}"),
        show(out, token, "DELETE", f"/api/token/{ident_of(token)}"),
        show(out, token, "POST", "/api/logout"),
    ]

    assert ["this"] == listed
    assert [403] * 5 == [each.status_code for each in refused]
    assert 2 == len(rows(out))
    assert 200 == out.call("GET", "/api/domains").status_code


def test_an_address_that_admins_may_not_log_in_from_is_none_for_tokens(site: Site) -> None:
    """A stored list of login addresses would have been passed by whoever had a token of one of them."""
    with api_with(site) as api:
        api.add_admin()
        api.login()
        token = issue(api)
        before = status(api, token)
        overrides = dataclasses.replace(api.site.app.overrides, login_clients=Networks([ELSEWHERE]))
        api.site.app._overrides = (api.site.app._overrides[0], overrides)

        found = show(api, token)
        assert (200, 403, "NOT_ALLOWED_IP") == (before, found.status_code, found.json["_code"])


# What is told ----------------------------------------------------------------------------------


def test_creation_and_revocation_are_in_the_log(admin: Api) -> None:
    ident = ident_of(issue(admin))
    admin.call("DELETE", f"/api/token/{ident}")
    log = admin.site.raw["iredadmin"].rows("SELECT event, msg FROM log ORDER BY id")

    assert ["create", "revoke"] == [row["event"] for row in log[-2:]]
    assert [True, True] == [f"token {ident}" in row["msg"] for row in log[-2:]]

    kept = admin.site.raw["iredadmin"].rows(
        "SELECT changes FROM mailwright_audit ORDER BY sequence"
    )
    made, ended = (json.loads(row["changes"]) for row in kept[-2:])
    assert [None, ADMIN] == made["owner"]
    assert [ADMIN, None] == ended["owner"]


@on_sqlite
@pytest.mark.parametrize("what", ["create", "revoke"])
def test_what_cannot_be_recorded_is_not_done(
    admin: Api, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue(admin)
    before = rows(admin)

    def broken(*_: object) -> None:
        raise Unavailable("the record cannot be written")

    monkeypatch.setattr(Trail, "write", broken)
    path = "/api/tokens" if what == "create" else f"/api/token/{before[0]['id']}"
    result = admin.call(
        "POST" if what == "create" else "DELETE", path, "label=x" * (what == "create")
    )

    assert 503 == result.status_code
    assert before == rows(admin)


def test_a_token_that_somebody_else_revokes_meanwhile_is_missing(
    admin: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    ident = ident_of(issue(admin))
    real = Tokens.remove

    def twice(self: Tokens, revoked: str) -> bool:
        real(self, revoked)
        return real(self, revoked)

    monkeypatch.setattr(Tokens, "remove", twice)

    assert 404 == admin.call("DELETE", f"/api/token/{ident}").status_code


def records(api: Api) -> list[tuple[str, ...]]:
    """Who asked, with which token, for what, how it went, the last one first."""
    found = api.site.raw["iredadmin"].rows("SELECT * FROM mailwright_audit ORDER BY sequence DESC")
    names = ("actor", "token", "action", "resource", "target", "outcome", "code")
    return [tuple(row[name] for name in names) for row in found]


def test_what_is_done_or_refused_with_a_token_is_on_record_with_it(out: Api) -> None:
    token = issue(out, "label=x&read_only=yes")
    ident = ident_of(token)
    created = records(out)[0]
    show(out, token, "PUT", f"/api/user/{JANE}", "name=New")
    changed = records(out)[0]
    show(out, token, "POST", "/api/tokens", "label=y")
    asked = records(out)[0]
    out.call("DELETE", f"/api/token/{ident}")
    revoked = records(out)[0]

    assert (ADMIN, "", "create", "token", ident, "done", "") == created
    refused = ("refused", "PERMISSION_DENIED")
    assert (ADMIN, ident, "update", "user", JANE, *refused) == changed
    assert (ADMIN, ident, "create", "token", ADMIN, *refused) == asked
    assert (ADMIN, "", "delete", "token", ident, "done", "") == revoked


def test_a_wrong_token_is_on_record_like_a_failed_login(out: Api) -> None:
    token = issue(out)
    ident = ident_of(token)
    show(out, f"mw_{ident}_" + "A" * 43)
    known = records(out)[0]
    show(out, "mw_0123456789abcdef_" + "A" * 43)
    unknown = records(out)[0]

    assert (ADMIN, ident, "login", "admin", ADMIN, "refused", "INVALID_TOKEN") == known
    assert ("", "", "login", "admin", "", "refused", "INVALID_TOKEN") == unknown


def test_the_request_log_names_the_token(out: Api, lines: Lines) -> None:  # noqa: F811
    token = issue(out)
    show(out, token)

    assert f'"token":"{ident_of(token)}"' in lines.texts[-1].replace(" ", "")


def test_no_secret_is_in_any_line_answer_row_or_repr(
    out: Api,
    lines: Lines,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marked = "M4rked" + "x" * 37
    monkeypatch.setattr(tokens.secrets, "token_urlsafe", lambda _: marked)
    token = issue(out)
    assert marked in token
    answers = [
        show(out, token),
        show(out, token, "PUT", f"/api/domain/{DOMAIN}", "nonsense=1"),
        show(out, token, path="/api/tokens"),
        show(out, f"{token}-"),
        show(out, f"{token} x"),
        show(out, f"mw_0123456789abcdef_{marked}"),
        out.call("GET", "/api/tokens"),
    ]

    def broken(*_: object) -> None:
        raise RuntimeError(marked)

    with monkeypatch.context() as patch:
        patch.setattr(Token, "opens", broken)
        answers.append(show(out, token))
    out.call("DELETE", f"/api/token/{ident_of(token)}")
    stored = [
        str(out.site.raw["iredadmin"].rows(f"SELECT * FROM {table}"))
        for table in out.site.tables["iredadmin"]
    ]
    everything = "".join([*lines.texts, *stored, *(each.text for each in answers)])

    assert [200, 400, 200, 401, 401, 401, 200, 500] == [each.status_code for each in answers]
    assert "M4rked" not in everything
    digest = Token("1", marked, ADMIN, "x", 0, scope=Scope(read_only=True))
    assert marked not in repr(digest) + str(digest)
