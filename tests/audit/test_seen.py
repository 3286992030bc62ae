"""What a caller of the API may see of the record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from mailwright.authz import Action, Actor, Role, Scope
from mailwright.errors import Forbidden, Invalid, NotAuthenticated
from mailwright.http import audit
from mailwright.work import Work
from tests.api.client import ADMIN, DOMAIN, JANE, MANAGER, Api, api_with
from tests.audit.chains import records
from tests.stores import EARLIER, Site

GLOBAL = Actor("boss@admin.test", Role.GLOBAL_ADMIN)
ONE = Actor("one@admin.test", Role.DOMAIN_ADMIN)
# A directory says itself when an entry was made, whatever the clock of a test says.
AFTER = dt.datetime(2037, 5, 6, 7, 8, 9, tzinfo=dt.UTC)


@pytest.fixture
def filled(site: Site) -> Site:
    """Three records: one, the boss, one."""
    site.clock.now = AFTER
    site.insert("admin", username=ONE.username, password="", created=str(EARLIER.date()))
    for name in ("one.test", "two.test"):
        site.insert("domain", domain=name)
        site.insert("domain_admins", username=ONE.username, domain=name)
    for actor, domain in ((ONE, "one.test"), (GLOBAL, "one.test"), (ONE, "two.test")):
        site.app.run(actor, lambda work, domain=domain: note(work, domain))
    return site


def note(work: Work, domain: str) -> None:
    work.note(Action.UPDATE, "user", f"a@{domain}", domain)


def seen(site: Site, actor: Actor, /, **given: object) -> list[int]:
    asked = {field: given.get(field.name, field.empty) for field in audit.OPTIONS}
    database = site.app.databases["iredadmin"]
    answer, _ = site.app.run(actor, lambda work: audit.listed(work, database, asked))
    return [record["sequence"] for record in answer.data]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("actor", "scope", "given", "expected"),
    [
        (GLOBAL, Scope(), {}, [3, 2, 1]),
        (ONE, Scope(), {}, [3, 1]),
        (ONE, Scope(), {"actor": "boss@admin.test"}, []),
        (ONE, Scope(read_only=True), {"domain": "ONE.test"}, [1]),
        (GLOBAL, Scope(domains=frozenset({"one.test"})), {}, [2, 1]),
        (ONE, Scope(domains=frozenset({"one.test"})), {}, [1]),
        (GLOBAL, Scope(resources=frozenset({"audit"})), {"limit": 1}, [3]),
        (GLOBAL, Scope(), {"page_token": "3"}, [2, 1]),
        (GLOBAL, Scope(), {"since": "2037-05-06T09:08:09+02:00"}, [3, 2, 1]),
        (GLOBAL, Scope(), {"until": "2037-05-06"}, []),
    ],
)
def test_each_sees_their_own(
    filled: Site,
    actor: Actor,
    scope: Scope,
    given: dict[str, object],
    expected: list[int],
) -> None:
    who = Actor(actor.username, actor.role, scope=scope)

    assert expected == seen(filled, who, **given)


def test_a_token_for_other_things_sees_nothing(filled: Site) -> None:
    who = Actor(GLOBAL.username, GLOBAL.role, scope=Scope(resources=frozenset({"user"})))

    with pytest.raises(Forbidden):
        seen(filled, who)

    assert [("list", "audit", "refused")] == [
        (row["action"], row["resource"], row["outcome"]) for row in records(filled)[3:]
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"page_token": "x"},
        {"page_token": "9" * 20},
        {"since": "yesterday"},
        {"until": "0001-01-01T00:00:00+23:00"},
    ],
)
def test_what_means_nothing_is_refused(site: Site, given: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        seen(site, GLOBAL, **given)


def test_who_is_no_admin_sees_nothing(site: Site) -> None:
    with pytest.raises(NotAuthenticated):
        seen(site, ONE)


def test_what_another_of_the_same_name_did_is_theirs(site: Site) -> None:
    """Another program removed the one and made the other: only the account says since when it is there."""
    site.clock.now = EARLIER
    site.insert("domain", domain="one.test")
    site.app.run(ONE, lambda work: note(work, "one.test"))
    site.clock.now = AFTER
    site.insert("admin", username=ONE.username, password="", created="2026-02-03 04:05:06")
    site.insert("domain_admins", username=ONE.username, domain="one.test")
    site.app.run(ONE, lambda work: note(work, "one.test"))

    assert [2] == seen(site, ONE)


@pytest.fixture
def api(site: Site) -> Iterator[Api]:
    """A global admin who is logged in, a domain with Jane, and its admin."""
    with api_with(site) as found:
        found.site.clock.now = AFTER
        found.add_admin()
        found.login()
        found.add_domain()
        found.add_admin(MANAGER, domain=DOMAIN)
        found.add_user()
        yield found


def by(api: Api, username: str, password: str = "Test-Pass1") -> Api:
    other = Api(api.site)
    assert other.login(username, password).status_code == 200
    return other


def ok(api: Api, method: str, path: str, form: str = "") -> None:
    answer = api.call(method, path, form)
    assert answer.json["_success"], answer.json


def told(api: Api) -> list[tuple[str, str, str]]:
    answer = api.call("GET", "/api/audit").json["_data"]
    return [(each["action"], each["target"], each["domain"]) for each in answer]


def as_global_admin(api: Api) -> None:
    """What Jane does while she is one, in her domain and in another."""
    ok(api, "PUT", f"/api/user/{JANE}", "isGlobalAdmin=yes")
    jane = by(api, JANE)
    jane.add_domain("secret.example")
    jane.add_user("ceo@secret.example")
    ok(jane, "PUT", f"/api/domain/{DOMAIN}", "name=Other")
    ok(jane, "POST", "/api/tokens", "label=x")
    assert ("create", "secret.example", "secret.example") in told(jane)


def test_who_has_the_name_of_a_former_global_admin_sees_nothing_of_theirs(api: Api) -> None:
    as_global_admin(api)
    ok(api, "DELETE", f"/api/user/{JANE}")
    manager = by(api, MANAGER, "Right-Pass1")
    ok(manager, "POST", f"/api/user/{JANE}", "password=Other-Pass1")
    ok(manager, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={JANE}")
    jane = by(api, JANE, "Other-Pass1")
    ok(jane, "PUT", f"/api/domain/{DOMAIN}", "name=Third")

    assert [("update", DOMAIN, DOMAIN), ("login", JANE, DOMAIN)] == told(jane)


def test_who_was_a_domain_admin_of_elsewhere_leaves_nothing_to_the_next(api: Api) -> None:
    """Both were domain admins, made and removed within one second of the clock."""
    api.add_domain("other.example")
    for domain in (DOMAIN, "other.example"):
        ok(api, "PUT", f"/api/domain/admins/{domain}", f"addAdmin={JANE}")
    jane = by(api, JANE)
    ok(jane, "PUT", f"/api/domain/{DOMAIN}", "name=Other")
    ok(jane, "PUT", "/api/domain/other.example", "name=Other")
    ok(api, "DELETE", f"/api/user/{JANE}")
    ok(api, "POST", f"/api/user/{JANE}", "password=Other-Pass1")
    ok(api, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={JANE}")

    assert [("login", JANE, DOMAIN)] == told(by(api, JANE, "Other-Pass1"))


def test_a_demoted_global_admin_sees_only_what_they_do_from_then_on(api: Api) -> None:
    as_global_admin(api)
    ok(api, "PUT", f"/api/user/{JANE}", "isGlobalAdmin=no")
    ok(api, "PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={JANE}")
    jane = by(api, JANE)
    ok(jane, "PUT", f"/api/domain/{DOMAIN}", "name=Third")

    assert [("update", DOMAIN, DOMAIN), ("login", JANE, DOMAIN)] == told(jane)


def test_who_lost_a_domain_sees_its_records_no_more(api: Api) -> None:
    api.add_domain("other.example")
    for domain in (DOMAIN, "other.example"):
        ok(api, "PUT", f"/api/domain/admins/{domain}", f"addAdmin={JANE}")
    jane = by(api, JANE)
    ok(jane, "PUT", f"/api/domain/{DOMAIN}", "name=Other")
    ok(jane, "PUT", "/api/domain/other.example", "name=Other")
    assert 3 == len(told(jane))
    ok(api, "PUT", "/api/domain/admins/other.example", f"removeAdmin={JANE}")

    assert [("update", DOMAIN, DOMAIN), ("login", JANE, DOMAIN)] == told(by(api, JANE))[1:]


def test_their_own_tokens_are_shown(api: Api) -> None:
    manager = by(api, MANAGER, "Right-Pass1")
    answer = manager.call("POST", "/api/tokens", "label=x").json["_data"]

    login = ("login", MANAGER, "mailwright.internal")
    assert [("create", answer["id"], "mailwright.internal"), login] == told(manager)
    assert ADMIN not in str(told(manager))
