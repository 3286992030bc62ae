"""Which standalone admins have addresses in a domain, whether it is hosted or not."""

from __future__ import annotations

import pytest

from tests.conformance.neighbours import add_domain, add_user
from tests.stores import Site

NAMES = (
    *("one@admin.test", "two@admin.test", "x@sub.admin.test", "x@anadmin.test"),
    *("x@an_admin.test", "x@anyadmin.test", "x@admin.test.example"),
)


@pytest.fixture
def start(site: Site) -> Site:
    with site.together():
        add_domain(site, "example.org")
        add_user(site, "jane@example.org", isadmin=1, isglobaladmin=1)
        for name in NAMES:
            active = int(not name.startswith("two"))
            site.insert("admin", username=name, password="{PLAIN}x", name="", active=active)
    return site


@pytest.mark.parametrize(
    ("domain", "admins"),
    [
        ("admin.test", {"one@admin.test", "two@admin.test"}),
        ("an_admin.test", {"x@an_admin.test"}),
        ("ADMIN.test", {"one@admin.test", "two@admin.test"}),
        ("test", set()),
        ("example.org", set()),
        ("missing.test", set()),
        ("%", set()),
        ("*", set()),
        ("\u00e4dmin.test", set()),
    ],
)
def test_who_has_an_address_there(start: Site, domain: str, admins: set[str]) -> None:
    with start.app.store.session() as accounts:
        assert admins == accounts.standalone_admins(domain)


def test_a_name_in_another_case_is_one_of_them(start: Site) -> None:
    start.insert("admin", username="Three@Admin.TEST", password="{PLAIN}x", name="", active=1)

    with start.app.store.session() as accounts:
        assert "three@admin.test" in accounts.standalone_admins("admin.test")
