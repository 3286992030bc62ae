"""Failed logins are slowed, by account and by client address."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from falcon.testing import Result

from tests.api.client import ADMIN, Api, api_with
from tests.stores import OPENLDAP, Site


def attempt(api: Api, username: str = ADMIN, address: str = "192.0.2.1") -> Result:
    return api.login(username, "wrong", remote_addr=address)


def later(api: Api, seconds: int) -> None:
    api.site.clock.now += dt.timedelta(seconds=seconds)


def failures(api: Api) -> dict[str, int]:
    rows = api.site.raw["iredadmin"].rows("SELECT * FROM mailwright_login_failures")
    return {row["subject"]: row["failures"] for row in rows if row["failures"]}


def test_after_the_free_attempts_each_failure_doubles_the_delay(api: Api) -> None:
    free = [attempt(api).status_code for _ in range(5)]
    slowed = attempt(api)
    waits = [slowed.headers["retry-after"]]
    for _ in range(3):
        later(api, int(waits[-1]))
        assert 401 == attempt(api).status_code
        waits.append(attempt(api).headers["retry-after"])

    assert [401] * 5 == free
    assert (429, "TOO_MANY_ATTEMPTS") == (slowed.status_code, slowed.json["_code"])
    assert ["1", "2", "4", "8"] == waits


def test_the_delay_has_an_end(empty_site: Site) -> None:
    with api_with(empty_site, login={"free_attempts": 1, "max_delay_seconds": 3}) as api:
        for _ in range(60):
            attempt(api)
            later(api, 3)
        attempt(api)

        assert "3" == attempt(api).headers["retry-after"]


def test_a_slowed_attempt_is_refused_even_with_the_right_password(api: Api) -> None:
    for _ in range(5):
        attempt(api)

    assert 429 == api.login().status_code


def test_a_success_lets_the_account_start_anew_and_gives_the_address_its_attempt_back(
    api: Api,
) -> None:
    for _ in range(4):
        attempt(api)
    api.login(remote_addr="192.0.2.1")

    assert {"address:192.0.2.1": 4} == failures(api)


def test_one_address_is_slowed_over_all_accounts(api: Api) -> None:
    statuses = [attempt(api, f"u{number}@example.org").status_code for number in range(21)]
    elsewhere = attempt(api, address="192.0.2.2").status_code

    assert [401] * 20 + [429] == statuses
    assert 401 == elsewhere


def test_an_account_is_slowed_over_all_addresses(api: Api) -> None:
    statuses = [attempt(api, address=f"192.0.2.{number}").status_code for number in range(6)]

    assert [401] * 5 + [429] == statuses


def test_a_network_of_one_ipv6_client_counts_as_one_address(api: Api) -> None:
    attempt(api, address="2001:db8::1")
    attempt(api, address="2001:db8::ffff:2")
    attempt(api, address="::ffff:192.0.2.1")

    assert {f"account:{ADMIN}": 3, "address:2001:db8::/64": 2, "address:192.0.2.1": 1} == failures(
        api
    )


def test_after_the_window_all_attempts_are_free_again(api: Api) -> None:
    for _ in range(5):
        attempt(api)
    later(api, 3601)

    assert [401] * 5 + [429] == [attempt(api).status_code for _ in range(6)]


def test_failures_older_than_the_window_are_forgotten_and_removed(api: Api) -> None:
    for _ in range(5):
        attempt(api)
    later(api, 3601)
    attempt(api, "other@example.org", "192.0.2.9")

    assert {"account:other@example.org": 1, "address:192.0.2.9": 1} == failures(api)


def test_refused_attempts_are_not_counted(api: Api) -> None:
    for _ in range(9):
        attempt(api)

    assert {f"account:{ADMIN}": 5, "address:192.0.2.1": 5} == failures(api)


def test_fifty_attempts_side_by_side_get_no_free_tries_of_their_own(site: Site) -> None:
    with api_with(site) as api, ThreadPoolExecutor(16) as threads:
        api.add_admin()
        statuses = Counter(threads.map(lambda _: attempt(Api(api.site)).status_code, range(50)))

    assert Counter({401: 5, 429: 45}) == statuses


@pytest.mark.parametrize(
    "spelling",
    ["ädmin@mailwright.internal", "ADMIN@Mailwright.Internal.", "admin@\uff4dailwright.internal"],
)
def test_another_spelling_of_a_name_gets_no_attempts_of_its_own(site: Site, spelling: str) -> None:
    """MariaDB finds `admin@` under `ädmin@`, and counts the two apart: each accent gave five more guesses."""
    with api_with(site) as api:
        api.add_admin()
        for number in range(5):
            attempt(api, address=f"192.0.2.{number}")
        as_it_is = attempt(api, address="192.0.2.8")
        otherwise = api.login(spelling, remote_addr="192.0.2.9")

        assert 429 == as_it_is.status_code
        assert otherwise.status_code == (401 if spelling.startswith("ä") else 429)


def test_what_cannot_be_an_account_is_counted_by_address_alone(api: Api) -> None:
    """No row for each made-up text that no account can have."""
    attempt(api, "no address")
    attempt(api, "ädmin@mailwright.internal")

    assert {"address:192.0.2.1": 2} == failures(api)


@pytest.mark.parametrize(
    "site",
    [pytest.param("mariadb", id="mariadb", marks=pytest.mark.mariadb), OPENLDAP],
    indirect=True,
)
def test_the_stored_spelling_of_a_name_is_the_one_that_counts(site: Site) -> None:
    """An admin stored by another program with capitals is one admin in session, log and refusals.

    Only MariaDB and OpenLDAP compare without regard to case.
    """
    with api_with(site) as api:
        api.add_admin("Admin@Mailwright.internal")
        result = api.login()
        (row,) = api.site.raw["iredadmin"].rows("SELECT username FROM mailwright_sessions")
        (note,) = api.site.raw["iredadmin"].rows("SELECT admin FROM log")

        assert 200 == result.status_code == api.call("GET", "/api/domains").status_code
        assert "Admin@Mailwright.internal" == row["username"] == note["admin"]
