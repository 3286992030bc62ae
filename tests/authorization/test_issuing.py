"""Tokens at their bounds, and for whom there is none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from mailwright import tokens
from mailwright.authz import Actor, Role
from mailwright.errors import MailwrightError, NotFound
from mailwright.networks import Networks
from mailwright.tokens import Tokens
from tests.api.client import ADMIN, JANE, Api, api_with
from tests.stores import Site

UNBOUND = {
    tokens.LABEL: "x",
    tokens.EXPIRES: None,
    tokens.NETWORKS: (),
    tokens.READ_ONLY: False,
    tokens.DOMAINS: (),
    tokens.RESOURCES: (),
}


@pytest.mark.parametrize("owner", [JANE, "nobody@mailwright.internal"])
def test_who_is_no_admin_gets_none(admin: Api, owner: str) -> None:
    admin.add_user(JANE)
    app = admin.site.app
    kept = Tokens(app.databases["iredadmin"])
    actor = Actor(ADMIN, Role.GLOBAL_ADMIN)

    with pytest.raises(NotFound, match=owner):
        app.run(actor, lambda work: tokens.issue(work, kept, owner, UNBOUND))

    assert [] == kept.of(None)


@pytest.mark.parametrize(
    ("number", "status"), [(tokens.MOST_DAYS, 201), (tokens.MOST_DAYS + 1, 400), (0, 400)]
)
def test_the_longest_time(admin: Api, number: int, status: int) -> None:
    answer = admin.call("POST", "/api/tokens", f"label=x&expires={number}")

    assert status == answer.status_code


@pytest.mark.parametrize(
    ("number", "status"), [(tokens.MOST_MEMBERS, 201), (tokens.MOST_MEMBERS + 1, 400)]
)
def test_the_most_members(admin: Api, number: int, status: int) -> None:
    domains = ",".join(f"d{each}.example" for each in range(number))

    assert status == admin.call("POST", "/api/tokens", f"label=x&domains={domains}").status_code


def test_at_the_same_time_one_gets_the_last(site: Site) -> None:
    with api_with(site, api={"tokens_per_admin": 2}) as api:
        api.add_admin()
        app = api.site.app
        kept = Tokens(app.databases["iredadmin"])
        actor = Actor(ADMIN, Role.GLOBAL_ADMIN)

        def issue(_: int) -> str:
            try:
                app.run(actor, lambda work: tokens.issue(work, kept, ADMIN, UNBOUND))
            except MailwrightError as error:
                return error.code
            return ""

        issue(0)
        with ThreadPoolExecutor(8) as threads:
            codes = sorted(threads.map(issue, range(16)))

        assert ["", *["EXCEED_LIMIT_TOKENS"] * 15] == codes
        assert 2 == len(kept.of(ADMIN))


def test_a_token_from_where_admins_may_not_log_in_is_on_record(admin: Api) -> None:
    app = admin.site.app
    text = admin.call("POST", "/api/tokens", "label=x").json["_data"]["token"]
    overrides = replace(app.overrides, login_clients=Networks(["198.51.100.1"]))
    app._overrides = (app._overrides[0], overrides)

    answer = admin.call("GET", "/api/domains", headers={"Authorization": f"Bearer {text}"})

    assert "NOT_ALLOWED_IP" == answer.json["_code"]
    refused = "SELECT actor, code FROM mailwright_audit WHERE outcome = 'refused'"
    rows = admin.site.raw["iredadmin"].rows(refused)
    assert [(ADMIN, "NOT_ALLOWED_IP")] == [tuple(row.values()) for row in rows]
