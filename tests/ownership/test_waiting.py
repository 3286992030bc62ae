"""A domain that a domain admin adds, from the first day to the proof; every backend."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from falcon.testing import Result

from mailwright.errors import Unavailable
from mailwright.ownership import verifying
from mailwright.ownership.claims import Claims
from mailwright.ownership.proving import Evidence
from mailwright.storage.sql.codecs import moment
from tests.api.another_program import demote, dismiss
from tests.api.client import ADMIN, PASSWORD, Api, api_with
from tests.ownership.conftest import ANNA, BERT
from tests.ownership.internet import NameServer
from tests.stores import Row

DOMAIN = "example.org"
PATH = f"/api/domain/{DOMAIN}"
PROOF = f"/api/domain/ownership/{DOMAIN}"


def ok(answer: Result) -> Any:
    assert answer.json["_success"], answer.json
    return answer.json.get("_data")


def add(api: Api, name: str = DOMAIN) -> Result:
    answer = api.call("POST", f"/api/domain/{name}", "name=Example")
    assert answer.status_code == 201, answer.json
    return answer


def status(api: Api) -> str:
    return str(ok(api.call("GET", PATH))["accountStatus"])


def by(api: Api, username: str, method: str, path: str, form: str = "") -> Result:
    """One request by somebody else; Anna is logged in again."""
    assert api.login(username).status_code == 200
    answer = api.call(method, path, form)
    api.login(ANNA)
    return answer


def rows(api: Api) -> list[Row]:
    return api.site.raw["iredadmin"].rows("SELECT * FROM domain_ownership ORDER BY id")


def publish(api: Api, names: NameServer) -> str:
    code = str(ok(api.call("GET", PROOF))["code"])
    names.say(DOMAIN, "TXT", f'"{code}"')
    return code


def later(api: Api, **passed: float) -> None:
    api.site.clock.now += dt.timedelta(**passed)


def relogin(api: Api, username: str = ANNA) -> None:
    assert api.login(username, PASSWORD).status_code == 200


def test_it_is_disabled_and_there_is_a_row_and_a_warning(api: Api) -> None:
    answer = add(api)

    assert "disabled" in answer.json["_warnings"][0]
    assert "disabled" == status(api)
    (row,) = rows(api)
    assert row["verify_code"].startswith("iredmail-domain-verification-")
    assert 32 == len(row["verify_code"].removeprefix("iredmail-domain-verification-"))
    now = int(api.site.clock.now.timestamp())
    assert {
        "admin": ANNA,
        "domain": DOMAIN,
        "alias_domain": "",
        "verified": 0,
        "message": None,
        "last_verify": None,
        "expire": now + 30 * 86_400,
    } == {name: value for name, value in row.items() if name not in {"id", "verify_code"}}


def test_what_is_to_be_published_is_shown(api: Api) -> None:
    add(api)
    code = rows(api)[0]["verify_code"]

    assert {
        "set": True,
        "domain": DOMAIN,
        "admin": ANNA,
        "accountStatus": "disabled",
        "verified": False,
        "code": code,
        "files": [f"http://{DOMAIN}/{code}", f"https://{DOMAIN}/{code}"],
        "message": "",
        "last_verify": "",
        "expires": "2026-06-05T07:08:09Z",
    } == ok(api.call("GET", PROOF))


def test_a_proof_switches_it_on(api: Api, names: NameServer) -> None:
    add(api)
    publish(api, names)

    found = ok(api.call("POST", PROOF))

    assert (True, "active") == (found["verified"], found["accountStatus"])
    assert "active" == status(api)
    (row,) = rows(api)
    assert (1, None) == (row["verified"], row["message"])
    log = api.site.raw["iredadmin"].rows("SELECT * FROM log WHERE event = 'active'")
    assert [(ANNA, DOMAIN)] == [(each["admin"], each["domain"]) for each in log]


def test_without_a_proof_it_stays_off_and_the_reason_is_kept(api: Api) -> None:
    add(api)

    found = ok(api.call("POST", PROOF))

    assert (False, "disabled") == (found["verified"], found["accountStatus"])
    assert "TXT: no record of example.org is the code" in found["message"]
    assert "http: example.org has no address" in found["message"]
    (row,) = rows(api)
    assert found["message"] == row["message"]
    assert "2026-05-06T07:08:09Z" == found["last_verify"]
    assert "disabled" == status(api)
    log = api.site.raw["iredadmin"].rows("SELECT * FROM log WHERE event = 'update'")
    assert 1 == len(log)


def test_a_code_is_not_looked_for_all_the_time(api: Api, names: NameServer) -> None:
    add(api)
    ok(api.call("POST", PROOF))
    publish(api, names)
    asked = len(names.asked)
    answer = api.call("POST", PROOF)

    assert (429, "10") == (answer.status_code, answer.headers["retry-after"])
    assert asked == len(names.asked)

    later(api, seconds=11)
    assert ok(api.call("POST", PROOF))["verified"]


def test_only_so_many_are_looked_for_at_once(api: Api) -> None:
    add(api)
    for _ in range(verifying.MOST_AT_ONCE):
        verifying._room.acquire()
    try:
        answer = api.call("POST", PROOF)
    finally:
        for _ in range(verifying.MOST_AT_ONCE):
            verifying._room.release()

    assert 429 == answer.status_code
    assert 200 == api.call("POST", PROOF).status_code


def test_the_domain_admin_has_no_other_way(api: Api) -> None:
    add(api)
    answers = [
        api.call("PUT", PATH, "accountStatus=active"),
        api.call("POST", PATH, "name=Again&accountStatus=active"),
        api.call("PUT", PROOF, "verified=yes"),
    ]

    assert [403, 409, 405] == [answer.status_code for answer in answers]
    assert "disabled" == status(api)
    assert 0 == rows(api)[0]["verified"]


def test_nobody_else_sees_or_proves_it(api: Api, names: NameServer) -> None:
    add(api)
    publish(api, names)
    missing = "/api/domain/ownership/missing.example"

    for method in ("GET", "POST"):
        there = by(api, BERT, method, PROOF)
        nowhere = by(api, BERT, method, missing)
        assert (403, 403) == (there.status_code, nowhere.status_code)
        assert there.json["_msg"] == nowhere.json["_msg"].replace("missing.example", DOMAIN)
    assert "disabled" == status(api)


def test_an_old_code_of_somebody_else_proves_nothing(api: Api, names: NameServer) -> None:
    """Who gave a domain up published a code once; it does not speak for whoever adds it next."""
    add(api)
    publish(api, names)
    ok(api.call("DELETE", PATH))
    relogin(api, BERT)
    add(api)

    found = ok(api.call("POST", PROOF))

    assert (BERT, False) == (found["admin"], found["verified"])
    assert [(ANNA, 0), (BERT, 0)] == [(row["admin"], row["verified"]) for row in rows(api)]


def test_of_two_admins_each_has_the_own_code(api: Api, names: NameServer) -> None:
    add(api)
    ok(api.call("DELETE", PATH))
    relogin(api, BERT)
    add(api)
    api.site.insert("domain_admins", username=ANNA, domain=DOMAIN)
    seen = [ok(by(api, who, "GET", PROOF))["admin"] for who in (ANNA, BERT, ADMIN)]
    relogin(api, BERT)
    publish(api, names)
    proven = ok(api.call("POST", PROOF))

    assert [ANNA, BERT, ANNA] == seen
    assert (BERT, True, "active") == (proven["admin"], proven["verified"], proven["accountStatus"])
    relogin(api)
    assert (BERT, True) == (
        (found := ok(api.call("GET", PROOF)))["admin"],
        found["verified"],
    )


def test_an_old_proof_of_another_admin_hides_no_code(api: Api, names: NameServer) -> None:
    add(api)
    publish(api, names)
    ok(api.call("POST", PROOF))
    ok(api.call("DELETE", PATH))
    relogin(api, BERT)
    add(api)
    api.site.insert("domain_admins", username=ANNA, domain=DOMAIN)

    found = ok(by(api, ANNA, "GET", PROOF))

    assert (BERT, False, "disabled") == (found["admin"], found["verified"], found["accountStatus"])


def test_a_global_admin_needs_no_proof(api: Api) -> None:
    ok(by(api, ADMIN, "POST", PATH, "name=Example"))

    assert [] == rows(api)
    assert {"set": False} == ok(by(api, ADMIN, "GET", PROOF))
    assert {"set": False} == ok(by(api, ADMIN, "POST", PROOF))
    assert "active" == ok(by(api, ADMIN, "GET", PATH))["accountStatus"]


def test_without_the_setting_nobody_does(api: Api) -> None:
    with api_with(api.site, ownership={"required": False}) as other:
        other.login(ANNA)
        add(other)

        assert "active" == status(other)
    assert [] == rows(api)


def test_a_global_admin_proves_it_on_behalf_of_the_admin(api: Api, names: NameServer) -> None:
    add(api)
    publish(api, names)

    assert ok(by(api, ADMIN, "POST", PROOF))["verified"]
    assert "active" == status(api)


# Removed and added again


def test_the_same_admin_adds_it_again_without_another_proof(api: Api, names: NameServer) -> None:
    add(api)
    publish(api, names)
    ok(api.call("POST", PROOF))
    ok(api.call("DELETE", PATH))
    later(api, days=29)
    relogin(api)

    answer = add(api)

    assert "_warnings" not in answer.json
    assert "active" == status(api)


def test_another_admin_does_not(api: Api, names: NameServer) -> None:
    add(api)
    publish(api, names)
    ok(api.call("POST", PROOF))
    ok(api.call("DELETE", PATH))
    relogin(api, BERT)
    add(api)

    assert "disabled" == status(api)


def test_after_the_remembered_time_a_new_proof_is_needed(api: Api, names: NameServer) -> None:
    add(api)
    old = publish(api, names)
    ok(api.call("POST", PROOF))
    ok(api.call("DELETE", PATH))
    later(api, days=30)
    relogin(api)
    add(api)

    assert "disabled" == status(api)
    assert old != ok(api.call("GET", PROOF))["code"]
    assert not ok(api.call("POST", PROOF))["verified"]


def test_an_unproven_domain_keeps_its_code_when_it_is_added_again(api: Api) -> None:
    add(api)
    code = rows(api)[0]["verify_code"]
    ok(api.call("DELETE", PATH))
    later(api, days=20)
    relogin(api)
    add(api)

    (row,) = rows(api)
    assert code == row["verify_code"]
    assert int(api.site.clock.now.timestamp()) + 30 * 86_400 == row["expire"]


def test_a_code_that_is_too_old_proves_nothing_and_is_replaced(api: Api, names: NameServer) -> None:
    add(api)
    old = publish(api, names)
    later(api, days=30)
    relogin(api)

    answer = api.call("POST", PROOF)

    assert not ok(answer)["verified"]
    assert "too old" in answer.json["_warnings"][0]
    assert old != publish(api, names)
    later(api, seconds=11)
    assert ok(api.call("POST", PROOF))["verified"]


@pytest.mark.parametrize("code", ["", "../../etc/passwd", "a b", "x\r\nHost: y", "é"])
def test_a_code_that_is_no_name_of_a_file_is_replaced(api: Api, code: str) -> None:
    """Other programs write these rows too, and what they wrote becomes a part of a request."""
    add(api)
    api.site.raw["iredadmin"].execute("UPDATE domain_ownership SET verify_code = ?", code)

    ok(api.call("POST", PROOF))

    assert rows(api)[0]["verify_code"].startswith("iredmail-domain-verification-")


# What global admins decide


def test_a_global_admin_switches_it_on_and_it_counts_as_proven(api: Api) -> None:
    add(api)
    ok(by(api, ADMIN, "PUT", PATH, "accountStatus=active"))

    assert "active" == status(api)
    assert [1] == [row["verified"] for row in rows(api)]


def test_what_a_global_admin_switched_off_no_proof_switches_on(api: Api, names: NameServer) -> None:
    add(api)
    publish(api, names)
    ok(api.call("POST", PROOF))
    ok(by(api, ADMIN, "PUT", PATH, "accountStatus=disabled"))
    later(api, minutes=1)

    assert {"set": False} == ok(api.call("POST", PROOF))
    assert "disabled" == status(api)


def test_nor_what_another_program_switched_off(
    api: Api, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a program knows nothing of the rows."""
    add(api)
    publish(api, names)
    ok(api.call("POST", PROOF))
    with monkeypatch.context() as patch:
        patch.setattr(Claims, "withdraw", lambda *_: False)
        ok(by(api, ADMIN, "PUT", PATH, "accountStatus=disabled"))
    later(api, minutes=1)

    answer = api.call("POST", PROOF)

    assert ok(answer)["verified"]
    assert "switched off by a global admin" in answer.json["_warnings"][0]
    assert "disabled" == status(api)
    assert 403 == api.call("DELETE", PATH).status_code


def test_nor_does_its_admin_by_removing_it(api: Api, names: NameServer) -> None:
    add(api)
    publish(api, names)
    ok(api.call("POST", PROOF))
    ok(by(api, ADMIN, "PUT", PATH, "accountStatus=disabled"))
    answer = api.call("DELETE", PATH)

    assert (403, True) == (answer.status_code, "accountStatus" in answer.json["_msg"])
    ok(by(api, ADMIN, "DELETE", PATH))
    add(api)
    assert "disabled" == status(api)


def test_to_switch_off_what_waits_ends_the_waiting(api: Api, names: NameServer) -> None:
    add(api)
    publish(api, names)
    ok(by(api, ADMIN, "PUT", PATH, "accountStatus=disabled"))
    ok(by(api, ADMIN, "PUT", PATH, "accountStatus=disabled"))

    assert [] == rows(api)
    assert {"set": False} == ok(api.call("POST", PROOF))
    assert 403 == api.call("DELETE", PATH).status_code
    log = api.site.raw["iredadmin"].rows("SELECT * FROM log WHERE event = 'disable'")
    assert [(ADMIN, DOMAIN)] == [(row["admin"], row["domain"]) for row in log]


def test_what_its_own_admin_says_again_ends_nothing(api: Api, names: NameServer) -> None:
    add(api)
    publish(api, names)
    ok(api.call("PUT", PATH, "accountStatus=disabled"))

    assert ok(api.call("POST", PROOF))["verified"]


def test_nor_where_the_proof_could_not_be_remembered(
    api: Api, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The domain is on and its row still says that it waits, as after a crash in between."""
    add(api)
    publish(api, names)
    with monkeypatch.context() as patch:
        patch.setattr(Claims, "proven", _crash)
        assert 503 == api.call("POST", PROOF).status_code
    assert ("active", 0) == (status(api), rows(api)[0]["verified"])
    ok(by(api, ADMIN, "PUT", PATH, "accountStatus=disabled"))

    assert [] == rows(api)
    assert {"set": False} == ok(api.call("POST", PROOF))
    assert "disabled" == status(api)


def test_a_profile_that_is_sent_back_decides_nothing(api: Api, names: NameServer) -> None:
    add(api)
    shown = ok(by(api, ADMIN, "GET", PATH))
    relogin(api, ADMIN)
    ok(api.call("PUT", PATH, json=shown))
    relogin(api)
    publish(api, names)

    assert ok(api.call("POST", PROOF))["verified"]


# Between the databases


def _crash(*_anything: object) -> None:
    raise Unavailable("the database went away")


def test_a_crash_after_the_switch_costs_another_look(
    api: Api, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(api)
    publish(api, names)
    with monkeypatch.context() as patch:
        patch.setattr(Claims, "proven", _crash)
        assert 503 == api.call("POST", PROOF).status_code
    later(api, minutes=1)

    assert ok(api.call("POST", PROOF))["verified"]
    assert ("active", 1) == (status(api), rows(api)[0]["verified"])


def test_a_domain_that_could_not_be_added_leaves_only_a_code(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = type(api.site.app.store.session().__enter__())
    with monkeypatch.context() as patch:
        patch.setattr(session, "commit", _crash)
        assert 503 == api.call("POST", PATH, "name=Example").status_code
    assert [0] == [row["verified"] for row in rows(api)]

    add(api)

    assert "disabled" == status(api)
    assert 1 == len(rows(api))


def test_without_the_row_there_is_no_domain(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Claims, "make", _crash)
        assert 503 == api.call("POST", PATH, "name=Example").status_code

    assert 404 == by(api, ADMIN, "GET", PATH).status_code


@pytest.mark.parametrize(
    "meanwhile", ["withdrawn", "switched off", "another code", "another admin", "removed"]
)
def test_what_changed_during_the_look_counts(
    api: Api, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    add(api)
    claims = api.site.app.claims

    def look_for(*_anything: object) -> Evidence:
        raw = api.site.raw["iredadmin"]
        match meanwhile:
            case "withdrawn":
                claims.withdraw(DOMAIN)
            case "switched off":  # on and off again
                for word in ("active", "disabled"):
                    api.site.update("domain", DOMAIN, accountStatus=word)
            case "another code":
                raw.execute("UPDATE domain_ownership SET verify_code = 'other'")
            case "another admin":
                api.site.insert("domain_admins", username=BERT, domain=DOMAIN)
                raw.execute("UPDATE domain_ownership SET admin = 'gone@mailwright.internal'")
            case _:
                api.site.remove("domain", DOMAIN)
        return Evidence(proven=True, message="")

    monkeypatch.setattr(verifying, "look_for", look_for)
    answer = api.call("POST", PROOF)

    if meanwhile == "removed":
        assert 403 == answer.status_code
    else:
        assert answer.json.get("_data", {}).get("accountStatus") != "active"
        assert "disabled" == status(api)


@pytest.mark.parametrize(
    ("meanwhile", "expected"),
    [("nothing", 200), ("dismissed", 401), ("demoted", 403), ("token revoked", 401)],
)
def test_who_asks_is_looked_at_again_after_the_look(
    api: Api, monkeypatch: pytest.MonkeyPatch, meanwhile: str, expected: int
) -> None:
    """A global admin may look for anybody's code; who was one a moment ago switches nothing on."""
    add(api)
    relogin(api, ADMIN)
    token = ok(api.call("POST", "/api/tokens", "label=x"))

    def look_for(*_anything: object) -> Evidence:
        match meanwhile:
            case "dismissed":
                dismiss(api.site, ADMIN)
            case "demoted":
                demote(api.site, ADMIN)
            case "token revoked":
                ok(api.call("DELETE", f"/api/token/{token['id']}"))
        return Evidence(proven=True, message="")

    monkeypatch.setattr(verifying, "look_for", look_for)
    script = Api(api.site)
    answer = script.call("POST", PROOF, headers={"Authorization": f"Bearer {token['token']}"})

    assert expected == answer.status_code
    relogin(api, ANNA)
    assert ("active" if meanwhile == "nothing" else "disabled") == status(api)


# Successors, old servers, old rows


def test_a_proof_is_not_inherited_by_the_next_admin_of_that_name(
    api: Api, names: NameServer
) -> None:
    add(api)
    publish(api, names)
    ok(api.call("POST", PROOF))
    relogin(api, ADMIN)
    ok(api.call("DELETE", PATH))
    ok(api.call("DELETE", f"/api/admin/{ANNA}"))
    ok(api.call("POST", f"/api/admin/{ANNA}", "name=x&password=Right-Pass1&maxDomains=5"))
    relogin(api)
    add(api)

    assert "disabled" == status(api)


def test_what_is_too_old_is_forgotten_but_no_code_that_is_waited_for(
    api: Api, names: NameServer
) -> None:
    add(api)
    publish(api, names)
    ok(api.call("POST", PROOF))
    add(api, "waits.example")
    add(api, "gone.example")
    ok(api.call("DELETE", "/api/domain/gone.example"))
    raw = api.site.raw["iredadmin"]
    raw.insert("domain_ownership", admin=ANNA, domain=DOMAIN, alias_domain="a.example", expire=1)
    hosted = {DOMAIN, "waits.example"}
    claims = api.site.app.claims
    later(api, days=29)
    before = claims.forget(hosted.__contains__)
    later(api, days=1)

    assert (0, 2) == (before, claims.forget(hosted.__contains__))
    assert {("waits.example", ""), (DOMAIN, "a.example")} == {
        (row["domain"], row["alias_domain"]) for row in rows(api)
    }


def test_a_row_of_an_alias_domain_is_none_of_ours(api: Api) -> None:
    raw = api.site.raw["iredadmin"]
    raw.insert(
        "domain_ownership",
        admin=ANNA,
        domain=DOMAIN,
        alias_domain="a.example",
        verify_code="x",
        verified=1,
        expire=2**31 - 1,
    )
    add(api)

    assert "disabled" == status(api)


def test_a_row_that_another_program_wrote_is_understood(api: Api, names: NameServer) -> None:
    raw = api.site.raw["iredadmin"]
    add(api)
    raw.execute(
        "UPDATE domain_ownership SET admin = ?, verify_code = ?, message = ?, last_verify = ?, "
        "expire = 0",
        ANNA.upper(),
        "iredmail-domain-verification-5tzh5gHjU688yyWK7cSV",
        "no answer",
        moment(api.site.clock.now - dt.timedelta(days=1), api.site.dialect),
    )
    found = ok(api.call("GET", PROOF))
    names.say(DOMAIN, "TXT", f'"{found["code"]}"')

    assert ("no answer", "2026-05-05T07:08:09Z", "") == (
        found["message"],
        found["last_verify"],
        found["expires"],
    )
    assert ok(api.call("POST", PROOF))["verified"]


def test_an_old_server_without_the_table_refuses_such_domains(api: Api) -> None:
    app = api.site.app
    known = app.databases["iredadmin"]
    tables = {name: columns for name, columns in _tables(api).items() if name != "domain_ownership"}
    known.catalogue = tables
    try:
        answer = api.call("POST", PATH, "name=Example")
    finally:
        known.catalogue = None

    assert (400, "NOT_SUPPORTED") == (answer.status_code, answer.json["_code"])
    assert 404 == by(api, ADMIN, "GET", PATH).status_code


def _tables(api: Api) -> dict[str, frozenset[str]]:
    from mailwright.storage.sql.catalogue import columns_of  # noqa: PLC0415 - only here

    return dict(columns_of(api.site.app.databases["iredadmin"]))
