"""Settings that an admin panel stored in the database win over the settings file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.api.client import DOMAIN, PASSWORD, Api, api_with
from tests.stores import Site

HERE = "127.0.0.1"
ELSEWHERE = "192.0.2.1"


@pytest.fixture
def api_after(empty_site: Site) -> Iterator[Callable[..., Api]]:
    """The API on databases in which these settings are stored."""
    opened = []

    def start(**stored: object) -> Api:
        for key, value in stored.items():
            row = {"account": "global", "k": key, "v": json.dumps({"value": value})}
            empty_site.raw["iredadmin"].insert("settings", **row)
        context = api_with(empty_site)
        opened.append(context)
        api = context.__enter__()
        api.add_admin()
        return api

    yield start
    for context in opened:
        context.__exit__(None, None, None)


def test_only_stored_clients_may_use_the_api(api_after: Callable[..., Api]) -> None:
    api = api_after(restful_api_clients=[ELSEWHERE])

    assert api.login().json["_code"] == "NOT_AUTHORIZED"
    assert api.login(remote_addr=ELSEWHERE).status_code == 200


def test_a_stored_list_that_nobody_can_read_lets_nobody_in(api_after: Callable[..., Api]) -> None:
    api = api_after(restful_api_clients=["not an address", 7])

    assert api.login().status_code == 403


def test_an_empty_stored_list_restricts_nobody(api_after: Callable[..., Api]) -> None:
    api = api_after(restful_api_clients=[], admin_login_ip_list=[], global_admin_ip_list=[])

    assert api.login().status_code == 200


@pytest.mark.parametrize("key", ["admin_login_ip_list", "global_admin_ip_list"])
def test_admins_log_in_from_stored_addresses_only(api_after: Callable[..., Api], key: str) -> None:
    api = api_after(**{key: [ELSEWHERE]})

    assert api.login(remote_addr=HERE).json["_code"] == "NOT_ALLOWED_IP"
    assert api.login(remote_addr=ELSEWHERE).status_code == 200


def test_the_stored_password_policy_is_in_force(api_after: Callable[..., Api]) -> None:
    api = api_after(min_passwd_length=4, password_has_special_char=False, max_passwd_length="x")
    api.login()
    api.add_domain()

    short = api.call("POST", f"/api/user/a@{DOMAIN}", "password=Ab1")
    plain = api.call("POST", f"/api/user/a@{DOMAIN}", "password=Abc1")

    assert short.json["_code"] == "PW_SHORTER_THAN_MIN_LENGTH"
    assert plain.status_code == 201


def test_rows_of_another_shape_change_nothing(api_after: Callable[..., Api]) -> None:
    api = api_after(min_passwd_length=[1], restful_api_clients="127.0.0.9", password_has_letter=3)
    api.site.raw["iredadmin"].insert(
        "settings", account="global", k="admin_login_ip_list", v="{not json"
    )

    assert api.login(password=PASSWORD).status_code == 200
