"""Lists of what an admin may see, and sums over it."""

from __future__ import annotations

import pytest

from mailwright.resources import domain, user
from mailwright.storage.protocol import Page, Query, Usage
from tests.conformance.neighbours import add_domain, add_user
from tests.directory_site import DirectorySite
from tests.stores import Site, on_openldap, on_sql

JANE, CHIEF = "jane@a.test", "chief@admin.test"
DOMAINS = ("a.test", "b.test", "c.test", "d.test")


@pytest.fixture
def start(site: Site) -> Site:
    """Four domains; Jane has the second, the third (switched off) and the fourth."""
    with site.together():
        for name in DOMAINS:
            add_domain(site, name, active=int(name != "c.test"))
        add_user(site, JANE, isadmin=1, quota=100)
        add_user(site, "john@a.test", quota=20)
        add_user(site, "boss@a.test", isglobaladmin=1, quota=3)
        add_user(site, "other@b.test", quota=4000, active=0)
        site.insert("alias", address="team@b.test", domain="b.test")
        site.insert("alias", address="club@d.test", domain="d.test")
        site.insert("admin", username=CHIEF, password="{PLAIN}x", name="", active=1)
        for name in DOMAINS[1:]:
            site.insert("domain_admins", username=JANE, domain=name)
        site.insert("domain_admins", username=CHIEF, domain="ALL")
        site.insert("domain_admins", username="john@a.test", domain="a.test")
        if isinstance(site, DirectorySite):
            site.directory.replace(site.user_dn("boss@a.test"), domainGlobalAdmin=["yes"])
    return site


def keys(site: Site, query: Query, resource: object = domain.RESOURCE) -> list[str]:
    """What every way of asking finds; all have to agree."""
    with site.app.store.session() as accounts:
        names = list(accounts.find_names(resource, query).keys)
        page: Page = accounts.find(resource, query, (user.NAME,) if query.only else ())
        number = accounts.count(resource, query)

    assert names == [record.key for record in page.records]
    assert len(names) == number
    return names


def test_the_domains_of_an_admin(start: Site) -> None:
    assert ["b.test", "c.test", "d.test"] == keys(start, Query(administered_by=JANE))
    assert ["a.test"] == keys(start, Query(administered_by="john@a.test"))


@pytest.mark.parametrize("admin", [CHIEF, "nobody@a.test", "", "*", "j\u00e4ne@a.test"])
def test_whoever_was_given_no_domain_has_none(start: Site, admin: str) -> None:
    """A global admin too: a rank is not a grant."""
    assert [] == keys(start, Query(administered_by=admin))


@on_sql
def test_a_grant_that_is_switched_off_shows_nothing(start: Site) -> None:
    start.vmail.execute("UPDATE domain_admins SET active = 0 WHERE domain = 'b.test'")

    assert ["c.test", "d.test"] == keys(start, Query(administered_by=JANE))


def test_the_domains_of_an_admin_page_by_page_and_filtered(start: Site) -> None:
    with start.app.store.session() as accounts:
        first = accounts.find_names(domain.RESOURCE, Query(administered_by=JANE, limit=2))
        rest = accounts.find_names(
            domain.RESOURCE, Query(administered_by=JANE, limit=2, after=first.next)
        )
        off = accounts.find_names(
            domain.RESOURCE, Query(administered_by=JANE, only={domain.STATUS: "disabled"})
        )
        named = accounts.find_names(domain.RESOURCE, Query(administered_by=JANE, text="d.te"))

    assert ["b.test", "c.test"] == list(first.keys)
    assert ["d.test"] == list(rest.keys)
    assert rest.next is None
    assert ["c.test"] == list(off.keys)
    assert ["d.test"] == list(named.keys)


@pytest.mark.parametrize(
    ("among", "found"),
    [
        ({"a.test", "c.test", "gone.test"}, ["a.test", "c.test"]),
        ({"gone.test"}, []),
        ({"*", "%"}, []),
        (set(), []),
        ({f"b{number}.test" for number in range(450)} | {"d.test", "a.test"}, ["a.test", "d.test"]),
    ],
)
def test_the_domains_that_are_named(start: Site, among: set[str], found: list[str]) -> None:
    assert found == keys(start, Query(among=frozenset(among)))


def test_the_domains_of_an_admin_among_those_that_are_named(start: Site) -> None:
    wanted = Query(administered_by=JANE, among=frozenset({"a.test", "c.test", "d.test"}))

    assert ["c.test", "d.test"] == keys(start, wanted)


def test_the_users_who_are_global_admins_and_those_who_are_not(start: Site) -> None:
    for is_global, expected in ((True, ["boss@a.test"]), (False, [JANE, "john@a.test"])):
        query = Query(within="a.test", only={user.IS_GLOBAL_ADMIN: is_global})

        assert expected == keys(start, query, user.RESOURCE)


@on_openldap
def test_whoever_says_no_is_none(start: DirectorySite) -> None:
    start.directory.replace(start.user_dn(JANE), domainGlobalAdmin=["no"])
    query = Query(within="a.test", only={user.IS_GLOBAL_ADMIN: False})

    assert [JANE, "john@a.test"] == keys(start, query, user.RESOURCE)


def test_users_by_another_value(start: Site) -> None:
    query = Query(within="a.test", only={user.NAME: "Name of john"})

    assert ["john@a.test"] == keys(start, query, user.RESOURCE)


@pytest.mark.parametrize(
    ("domains", "held"),
    [
        ((), Usage(0, 0, 0, 0)),
        (("a.test",), Usage(3, 0, 0, 123)),
        (("a.test", "b.test"), Usage(4, 1, 0, 4123)),
        (("b.test", "gone.test", "c.test", "d.test"), Usage(1, 2, 0, 4000)),
        (("a.test", "a.test"), Usage(3, 0, 0, 123)),
        (("gone.test",), Usage(0, 0, 0, 0)),
    ],
)
def test_what_domains_hold_together(start: Site, domains: tuple[str, ...], held: Usage) -> None:
    with start.app.store.session() as accounts:
        assert held == accounts.usage(*domains)


@on_sql
def test_more_domains_than_one_statement_takes(start: Site) -> None:
    names = [f"no{number}.test" for number in range(1200)]

    with start.app.store.session() as accounts:
        assert Usage(4, 2, 0, 4123) == accounts.usage("a.test", *names, "b.test", "d.test")


def test_lists_are_counted_together(start: Site) -> None:
    if isinstance(start, DirectorySite):
        for name in ("a.test", "d.test"):
            start.directory.add(
                f"mail=list@{name},ou=Groups,{start.domain_dn(name)}",
                {"objectClass": "mailList", "mail": f"list@{name}"},
            )
    else:
        for name in ("a.test", "d.test"):
            start.insert("maillists", address=f"list@{name}", domain=name, mlid=name)

    with start.app.store.session() as accounts:
        assert Usage(3, 1, 2, 123) == accounts.usage("a.test", "d.test")


@on_sql
def test_a_server_without_lists_holds_none(start: Site) -> None:
    ddl = start.vmail
    ddl.execute("ALTER TABLE maillists RENAME TO gone_maillists")
    try:
        start.app.store.check()
        with start.app.store.session() as accounts:
            assert Usage(4, 1, 0, 4123) == accounts.usage("a.test", "b.test")
    finally:
        ddl.execute("ALTER TABLE gone_maillists RENAME TO maillists")
        start.app.store.check()
