"""Where users may have further addresses in any domain, that is any domain of the admin who gives them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.client import DOMAIN, JANE, MANAGER, Api, api_with
from tests.stores import Site

SECOND, FOREIGN = "second.example", "foreign.example"


@pytest.fixture
def manager(empty_site: Site) -> Iterator[Api]:
    """An admin of DOMAIN and SECOND is logged in."""
    with api_with(empty_site, accounts={"alias_addresses_in_any_domain": True}) as api:
        api.add_admin()
        api.login()
        for domain in (DOMAIN, SECOND, FOREIGN):
            api.add_domain(domain)
        api.add_user(JANE)
        api.add_admin(MANAGER, domain=DOMAIN)
        api.site.insert("domain_admins", username=MANAGER, domain=SECOND)
        api.login(MANAGER)
        yield api


def test_an_address_in_another_domain_of_the_admin_is_given(manager: Api) -> None:
    answer = manager.call("PUT", f"/api/user/{JANE}", f"addAlias=j@{SECOND}")

    assert answer.json["_success"], answer.json
    assert [f"j@{SECOND}"] == manager.call("GET", f"/api/user/{JANE}").json["_data"]["aliases"]


@pytest.mark.parametrize("domain", [FOREIGN, "missing.example"])
def test_one_elsewhere_is_not(manager: Api, domain: str) -> None:
    answer = manager.call("PUT", f"/api/user/{JANE}", f"addAlias=j@{domain}")

    assert (400, "INVALID_PARAMETER") == (answer.status_code, answer.json["_code"])
    assert [] == manager.call("GET", f"/api/user/{JANE}").json["_data"]["aliases"]
