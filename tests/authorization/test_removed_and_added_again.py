"""A domain admin who may create domains neither undoes what global admins set nor takes their place."""

from __future__ import annotations

from typing import Any

import pytest
from falcon.testing import Result

from tests.api.client import ADMIN, DOMAIN, PASSWORD, Api

INTERNAL = "mailwright.internal"
FOUNDER = "founder@customer.example"
OWN = "own.example"


def ok(answer: Result) -> Any:
    assert answer.json["_success"], answer.json
    return answer.json.get("_data")


def refused(answer: Result, *said: str) -> None:
    assert (403, "PERMISSION_DENIED") == (answer.status_code, answer.json["_code"]), answer.json
    for text in said:
        assert text in answer.json["_msg"], answer.json


@pytest.fixture
def founder(admin: Api) -> Api:
    """A domain admin who administers DOMAIN and may create others."""
    ok(admin.call("POST", f"/api/admin/{FOUNDER}", f"password={PASSWORD}&maxDomains=5"))
    ok(admin.call("PUT", f"/api/domain/admins/{DOMAIN}", f"addAdmin={FOUNDER}"))
    found = Api(admin.site)
    assert found.login(FOUNDER).status_code == 200
    return found


# The domain of the admins' addresses


def test_the_domain_of_other_admins_addresses_is_taken(admin: Api, founder: Api) -> None:
    answer = founder.call("POST", f"/api/domain/{INTERNAL}", "name=x")

    assert (409, "ALREADY_EXISTS") == (answer.status_code, answer.json["_code"])
    assert 404 == admin.call("GET", f"/api/domain/{INTERNAL}").status_code


def test_nor_is_it_added_with_a_bound_token(admin: Api) -> None:
    form = f"label=x&domains={INTERNAL}"
    token = ok(admin.call("POST", "/api/tokens", form))["token"]
    client = Api(admin.site)

    answer = client.call(
        "POST",
        f"/api/domain/{INTERNAL}",
        "name=x",
        headers={"Authorization": f"Bearer {token}"},
    )

    assert answer.status_code in {403, 409}
    assert 404 == admin.call("GET", f"/api/domain/{INTERNAL}").status_code


def test_the_domain_of_the_own_address_alone_is_free(founder: Api) -> None:
    ok(founder.call("POST", "/api/domain/customer.example", "name=x"))
    ok(founder.call("DELETE", "/api/domain/customer.example"))


def test_a_global_admin_is_told_whose_domain_it_is(admin: Api) -> None:
    ok(admin.call("POST", f"/api/admin/other@{INTERNAL}", f"password={PASSWORD}"))

    answer = admin.call("POST", f"/api/domain/{INTERNAL}", "name=x")

    assert ok(answer) is None
    assert f"other@{INTERNAL}" in answer.json["_warnings"][0]
    assert ADMIN not in answer.json["_warnings"][0]


def test_a_domain_where_other_admins_have_addresses_is_not_removed(
    admin: Api, founder: Api
) -> None:
    ok(admin.call("POST", f"/api/domain/{INTERNAL}", "name=x"))
    ok(admin.call("PUT", f"/api/domain/admins/{INTERNAL}", f"addAdmin={FOUNDER}"))

    refused(founder.call("DELETE", f"/api/domain/{INTERNAL}"), "other admins")

    assert 200 == admin.call("GET", "/api/domains").status_code


def test_admins_who_have_addresses_there_outlast_the_domain(admin: Api) -> None:
    other = f"other@{INTERNAL}"
    ok(admin.call("POST", f"/api/admin/{other}", f"password={PASSWORD}&maxUsers=3"))
    token = ok(admin.call("POST", "/api/tokens", "label=x"))["token"]
    client = Api(admin.site)
    assert client.login(other).status_code == 200
    limits = ok(admin.call("GET", f"/api/admin/{other}"))
    ok(admin.call("POST", f"/api/domain/{INTERNAL}", "name=x"))

    ok(admin.call("DELETE", f"/api/domain/{INTERNAL}"))

    assert 200 == client.call("GET", "/api/domains").status_code
    bearer = {"Authorization": f"Bearer {token}"}
    assert 200 == Api(admin.site).call("GET", "/api/domains", headers=bearer).status_code
    assert limits == ok(admin.call("GET", f"/api/admin/{other}"))


# Removed and added again


@pytest.mark.parametrize(
    ("form", "names"),
    [
        ("accountStatus=disabled", "accountStatus"),
        ("numberOfUsers=1", "numberOfUsers"),
        ("numberOfAliases=-1", "numberOfAliases"),
        ("numberOfLists=2", "numberOfLists"),
        ("quota=100&maxUserQuota=100", "quota, maxUserQuota"),
        ("transport=lmtp:unix:private/special", "transport"),
        ("outboundRelay=[smtp.example.net]:25", "outboundRelay"),
        ("enableService=self-service", "services"),
        ("disableDomainProfile=catchall", "disableDomainProfile"),
        ("disableUserProfile=forwarding", "disableUserProfile"),
        ("disableUserPreference=wblist", "disableUserPreference"),
        ("is_backupmx=yes&primarymx=[192.0.2.1]:2525", "transport"),
    ],
)
def test_what_a_global_admin_set_stays(admin: Api, founder: Api, form: str, names: str) -> None:
    ok(admin.call("PUT", f"/api/domain/{DOMAIN}", form))

    refused(founder.call("DELETE", f"/api/domain/{DOMAIN}"), f"remove it: {names}")
    ok(admin.call("DELETE", f"/api/domain/{DOMAIN}"))


def test_a_domain_where_mail_was_switched_off_stays(admin: Api, founder: Api) -> None:
    """Of services SQL keeps self-service alone."""
    answer = admin.call("PUT", f"/api/domain/{DOMAIN}", "disableService=mail")
    is_kept = not answer.json.get("_warnings") and admin.site.engine == "openldap"

    removed = founder.call("DELETE", f"/api/domain/{DOMAIN}")

    if is_kept:
        refused(removed, "services")
    else:
        ok(removed)


def test_what_its_admin_set_goes(admin: Api, founder: Api) -> None:
    ok(founder.call("POST", f"/api/domain/{OWN}", "name=x&defaultQuota=10&senderBcc=a@b.example"))
    form = "recipientBcc=a@b.example&catchall=a@b.example&minPasswordLength=30&language="
    ok(founder.call("PUT", f"/api/domain/{OWN}", form))
    ok(founder.call("PUT", f"/api/domain/{OWN}", "is_backupmx=yes&primarymx=mx.b.example"))

    ok(founder.call("DELETE", f"/api/domain/{OWN}"))
    ok(founder.call("DELETE", f"/api/domain/{DOMAIN}"))
    assert [] == ok(admin.call("GET", "/api/domains?name_only=yes"))
