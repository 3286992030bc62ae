"""A directory that gives only so much at once, and a replica that takes no changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailwright.http.routes import ROUTES
from tests.api.client import DOMAIN, Api, api_with
from tests.api.described import is_described
from tests.directory_site import DirectorySite, new_directory_site
from tests.servers.slapd import Slapd

pytestmark = pytest.mark.openldap
ROUTE = {route.name: route for route in ROUTES}
USER = f"u0@{DOMAIN}"


@pytest.fixture(scope="module")
def narrow() -> Iterator[DirectorySite]:
    """A directory that gives three entries at once and sends writes elsewhere."""
    server = Slapd(size_limit=3, read_only_with_referral="ldap://127.0.0.1:1")
    try:
        server.start()
        server.make_base()
        with new_directory_site(server) as site:
            yield site
    finally:
        server.remove()


@pytest.fixture
def narrow_api(narrow: DirectorySite) -> Iterator[Api]:
    """A domain of six users there."""
    narrow.empty()
    with api_with(narrow) as api:
        api.add_admin()
        narrow.insert("domain", domain=DOMAIN)
        for number in range(6):
            narrow.insert("mailbox", username=f"u{number}@{DOMAIN}")
        assert 200 == api.login().status_code
        yield api


@pytest.mark.parametrize("query", ["", "email_only=yes", "limit=2"])
def test_a_list_of_which_the_directory_gives_a_part_is_no_list(narrow_api: Api, query: str) -> None:
    result = narrow_api.call("GET", f"/api/users/{DOMAIN}", query_string=query)

    assert (503, "SIZE_LIMIT_EXCEEDED") == (result.status_code, result.json["_code"])
    assert is_described(ROUTE["get_users_domain"], result)


def test_the_directory_gives_single_accounts_all_the_same(narrow_api: Api) -> None:
    assert 200 == narrow_api.call("GET", f"/api/user/{USER}").status_code
    assert 200 == narrow_api.call("GET", "/readyz").status_code


@pytest.mark.parametrize(
    ("name", "path", "form"),
    [
        ("put_user_mail", f"/api/user/{USER}", "quota=5"),
        ("put_domain_domain", f"/api/domain/{DOMAIN}", "name=Other"),
        ("delete_user_mail", f"/api/user/{USER}", ""),
        ("post_domain_domain", "/api/domain/new.example", "name=New"),
    ],
)
def test_a_replica_takes_no_changes_and_says_so(
    narrow_api: Api, name: str, path: str, form: str
) -> None:
    before = narrow_api.site.snapshot()
    result = narrow_api.call(name.partition("_")[0].upper(), path, form)
    told = narrow_api.site.raw["iredadmin"].rows("SELECT msg FROM log WHERE event <> 'login'")

    assert (503, "REFERRAL") == (result.status_code, result.json["_code"])
    assert is_described(ROUTE[name], result)
    assert "127.0.0.1" not in result.text
    assert before == narrow_api.site.snapshot()
    assert ["Failed: REFERRAL."] == [
        row["msg"][-17:] for row in told[1:]
    ]  # what was tried is first
    assert [] == narrow_api.site.raw["iredadmin"].rows("SELECT * FROM mailwright_journal")
