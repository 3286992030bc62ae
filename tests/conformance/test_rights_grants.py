"""Who was given which domains, told from rows and entries that were written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.neighbours import add_domain, add_user
from tests.directory_site import DirectorySite
from tests.stores import Site, on_openldap, on_sql

ORG, NET, ALIKE = "example.org", "example.net", "anexample.org"
JANE, JOHN, MARY = "jane@example.org", "john@example.org", "mary@example.org"
BOSS, OTHER, PLAIN = "boss@example.org", "other@example.net", "plain@example.org"
ALONE, CHIEF, IDLE = "alone@admin.test", "chief@admin.test", "idle@admin.test"


@pytest.fixture
def start(site: Site) -> Site:
    """Mail users and standalone admins: with two domains, one, none, and all."""
    with site.together():
        for name in (ORG, NET, ALIKE, "more.test"):
            add_domain(site, name)
        add_user(site, JANE, isadmin=1)
        add_user(site, JOHN)  # the flag was forgotten
        add_user(site, MARY, isadmin=1)  # a flag and nothing to administer
        add_user(site, BOSS, isadmin=1, isglobaladmin=1)
        add_user(site, OTHER, isadmin=1)
        add_user(site, PLAIN)
        add_user(site, f"jane@{ALIKE}", isadmin=1)
        for admin in (ALONE, CHIEF, IDLE):
            site.insert("admin", username=admin, password="{PLAIN}x", name="", active=1)
        for admin, domain in (
            (JANE, ORG),
            (JANE, NET),
            (JOHN, ORG),
            (BOSS, "ALL"),
            (OTHER, NET),
            (f"jane@{ALIKE}", ORG),
            (ALONE, NET),
            (CHIEF, "ALL"),
        ):
            grant(site, admin, domain)
    return site


def grant(site: Site, admin: str, domain: str, **columns: object) -> None:
    site.insert("domain_admins", username=admin, domain=domain, **columns)
    if isinstance(site, DirectorySite) and admin == JOHN:
        site.directory.replace(site.user_dn(JOHN), enabledService=["mail"])


def ask(site: Site, verb: str, *about: str) -> Any:
    with site.app.store.session() as accounts:
        return getattr(accounts, verb)(*about)


def active(site: Site, username: str) -> frozenset[str]:
    with site.app.store.session() as accounts:
        return accounts.administers(username, active=True)


@pytest.mark.parametrize(
    ("username", "domains"),
    [
        (JANE, {ORG, NET}),
        (JOHN, {ORG}),
        (MARY, set()),
        (BOSS, set()),  # a rank is not a grant
        (ALONE, {NET}),
        (CHIEF, set()),
        (IDLE, set()),
        ("nobody@example.org", set()),
        ("jane@example.or", set()),
        ("ne@example.org", set()),
        ("*", set()),
        ("%", set()),
        ("j\u00e4ne@example.org", set()),
    ],
)
def test_an_admin_manages_the_domains_that_were_given(
    start: Site, username: str, domains: set[str]
) -> None:
    named = (ORG, NET, ALIKE, "more.test", "gone.test")

    found = {name for name in named if ask(start, "manages", username, name)}

    assert domains == found


@on_sql
def test_a_domain_that_is_gone_and_one_that_is_not_are_asked_for_alike(start: Site) -> None:
    """The row decides, so that a domain that is there can be told from none by nobody else."""
    grant(start, JANE, "gone.test")

    assert ask(start, "manages", JANE, "gone.test")
    assert not ask(start, "manages", ALONE, "gone.test")


@on_sql
def test_a_grant_that_is_switched_off_gives_nothing_and_still_ranks(start: Site) -> None:
    grant(start, JANE, "more.test", active=0)
    grant(start, PLAIN, "more.test", active=0)

    assert not ask(start, "manages", JANE, "more.test")
    assert {ORG, NET, "more.test"} == ask(start, "administers", JANE)
    assert {ORG, NET} == active(start, JANE)
    assert {"more.test"} == ask(start, "admins_among", ORG)[PLAIN]


@on_sql
def test_a_row_of_everything_is_not_in_force_without_the_column(start: Site) -> None:
    grant(start, JANE, "ALL")

    assert {"ALL", ORG, NET} == ask(start, "administers", JANE)
    assert {ORG, NET} == active(start, JANE)


def test_what_is_in_force(start: Site) -> None:
    assert {ORG, NET} == active(start, JANE)
    assert {"ALL"} == active(start, BOSS)
    assert set() == active(start, PLAIN)


@on_sql
def test_an_admin_in_another_case_is_another_one_where_the_engine_says_so(start: Site) -> None:
    same = start.engine == "mariadb"

    assert same == ask(start, "manages", JANE.title(), ORG)
    assert ({ORG, NET} if same else set()) == ask(start, "administers", JANE.title())


@on_openldap
def test_a_directory_knows_no_case(start: DirectorySite) -> None:
    start.directory.replace(start.domain_dn("more.test"), domainAdmin=["Jane@Example.ORG"])

    assert ask(start, "manages", JANE, "more.test")
    assert {ORG, NET, "more.test"} == ask(start, "administers", JANE.upper())
    assert {ORG, NET, "more.test"} == ask(start, "admins_among", ORG)[JANE]


@pytest.mark.parametrize(
    ("username", "domains"),
    [
        (JANE, {ORG, NET}),
        (JOHN, {ORG}),
        (MARY, set()),
        (BOSS, {"ALL"}),
        (OTHER, {NET}),
        (PLAIN, set()),
        (ALONE, {NET}),
        (CHIEF, {"ALL"}),
        (IDLE, set()),
        ("nobody@example.org", set()),
        ("nobody@gone.test", set()),
        ("root", set()),
    ],
)
def test_what_an_account_administers(start: Site, username: str, domains: set[str]) -> None:
    assert domains == ask(start, "administers", username)


@on_sql
def test_a_name_beyond_ascii_is_compared_too(start: Site) -> None:
    """MariaDB refused to compare it with its ASCII column; a user may be called so all the same."""
    foreign = "j\u00f6rg@example.org"
    add_user(start, foreign, isglobaladmin=1)

    assert {"ALL"} == ask(start, "administers", foreign)
    assert set() == ask(start, "administers", "j\u00f6rn@example.org")
    assert {"ALL"} == ask(start, "admins_among", ORG)[foreign]


def test_a_global_admin_may_have_domains_besides(start: Site) -> None:
    grant(start, BOSS, NET)
    grant(start, CHIEF, ORG)

    assert {"ALL", NET} == ask(start, "administers", BOSS)
    assert {"ALL", ORG} == ask(start, "administers", CHIEF)
    assert {"ALL", NET} == ask(start, "admins_among", ORG)[BOSS]


@on_sql
def test_either_the_column_or_the_row_makes_a_user_global(start: Site) -> None:
    """Other programs look at one of them each, and some write only one."""
    grant(start, PLAIN, "ALL")
    start.vmail.execute("DELETE FROM domain_admins WHERE username = ?", BOSS)

    assert {"ALL"} == ask(start, "administers", PLAIN)
    assert {"ALL"} == ask(start, "administers", BOSS)
    among = ask(start, "admins_among", ORG)
    assert {PLAIN: {"ALL"}, BOSS: {"ALL"}} == {name: among[name] for name in (PLAIN, BOSS)}


def test_the_admins_among_the_users_of_a_domain(start: Site) -> None:
    """Not those of a domain whose name ends alike; who has the flag and no domain is one, too."""
    found = ask(start, "admins_among", ORG)
    assert {JANE: {ORG, NET}, JOHN: {ORG}, BOSS: {"ALL"}, MARY: set()} == found
    assert {OTHER: {NET}} == ask(start, "admins_among", NET)
    assert {f"jane@{ALIKE}": {ORG}} == ask(start, "admins_among", ALIKE)
    assert {} == ask(start, "admins_among", "more.test")
    assert {} == ask(start, "admins_among", "gone.test")


def test_a_grant_to_a_user_who_is_gone_names_nobody(start: Site) -> None:
    if isinstance(start, DirectorySite):
        start.directory.replace(start.domain_dn(ALIKE), domainAdmin=["gone@example.org"])
    else:
        grant(start, "gone@example.org", ALIKE)

    assert "gone@example.org" not in ask(start, "admins_among", ORG)


@on_openldap
def test_a_user_who_is_no_longer_global_may_still_say_no(start: DirectorySite) -> None:
    start.directory.replace(start.user_dn(BOSS), domainGlobalAdmin=["no"])
    start.directory.replace(start.user_dn(JANE), domainGlobalAdmin=["no"])

    assert set() == ask(start, "administers", BOSS)
    found = ask(start, "admins_among", ORG)
    assert {JANE: {ORG, NET}, JOHN: {ORG}, BOSS: set(), MARY: set()} == found


def test_many_admins_among_the_users_of_a_domain(start: Site) -> None:
    """More than one filter of a directory asks for."""
    admins = [f"admin{number:03}@{ALIKE}" for number in range(205)]
    with start.together():
        for admin in admins:
            add_user(start, admin, keeps=False)
    if isinstance(start, DirectorySite):
        start.directory.replace(start.domain_dn("more.test"), domainAdmin=admins)
    else:
        with start.together():
            for admin in admins:
                grant(start, admin, "more.test")

    found = ask(start, "admins_among", ALIKE)

    assert {admin: {"more.test"} for admin in admins} | {f"jane@{ALIKE}": {ORG}} == found
