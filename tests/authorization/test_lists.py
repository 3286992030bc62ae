"""A list shows of each domain what is open there, whatever is closed in another."""

from __future__ import annotations

import pytest

from tests.api.client import ADMIN, DOMAIN, MANAGER, Api


@pytest.mark.parametrize("closed", [DOMAIN, "other.example"])
def test_profiles_are_closed_domain_by_domain(admin: Api, closed: str) -> None:
    admin.add_domain("other.example")
    admin.add_admin(MANAGER, domain=DOMAIN)
    admin.site.insert("domain_admins", username=MANAGER, domain="other.example")
    assert admin.call("PUT", f"/api/domain/{closed}", "disableDomainProfile=bcc").json["_success"]
    admin.login(MANAGER)

    found = admin.call("GET", "/api/domains").json["_data"]

    assert {
        DOMAIN: closed != DOMAIN,
        "other.example": closed == DOMAIN,
    } == {profile["domain"]: "senderBcc" in profile for profile in found}
    admin.login(ADMIN)
    assert all("senderBcc" in each for each in admin.call("GET", "/api/domains").json["_data"])
