"""Who guesses passwords is on record and cannot fill it: of hasty attempts, the first of each pause."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.client import ADMIN, DOMAIN, JANE, Api, api_with
from tests.audit.chains import log, records
from tests.stores import Site

FREE = 3
CLIENT = "192.0.2.5"
WRONG, HASTY = "INVALID_CREDENTIALS", "TOO_MANY_ATTEMPTS"
Told = tuple[str, str, str, str, str, str]


@pytest.fixture
def api(site: Site) -> Iterator[Api]:
    """Three attempts are free; the global admin is logged in, and there is Jane."""
    with api_with(site, login={"free_attempts": FREE, "address_free_attempts": FREE}) as found:
        found.add_admin()
        assert 200 == found.login().status_code
        found.add_domain()
        found.add_user()
        yield found


def told(api: Api) -> list[Told]:
    """Of every refusal."""
    columns = ("actor", "action", "resource", "target", "address", "code")
    return [
        tuple(row[name] for name in columns)
        for row in records(api.site)
        if row["outcome"] == "refused"
    ]


def guess(api: Api, username: str = ADMIN, address: str = CLIENT) -> int:
    return api.login(username, "Wr0ng", remote_addr=address).status_code


def verify(api: Api, password: str = "Wr0ng", mail: str = JANE) -> int:
    path = f"/api/verify_password/user/{mail}"
    return api.call("POST", path, f"password={password}", remote_addr=CLIENT).status_code


def later(api: Api, seconds: int) -> None:
    api.site.clock.now += dt.timedelta(seconds=seconds)


def test_a_wrong_password_at_verify_password_is_on_record(api: Api) -> None:
    answers = [verify(api), verify(api, mail=f"nobody@{DOMAIN}"), verify(api, "Test-Pass1")]

    assert [400, 400, 200] == answers
    expected = [
        (ADMIN, "verify", "user", mail, CLIENT, WRONG) for mail in (JANE, f"nobody@{DOMAIN}")
    ]
    assert expected == told(api)
    row = records(api.site)[-1]
    assert ("global admin", DOMAIN, "{}") == (row["role"], row["domain"], row["changes"])
    assert row["request"]
    line = log(api.site)[-1]
    assert ("error", "verify", ADMIN) == (line["loglevel"], line["event"], line["admin"])


def test_of_attempts_in_one_pause_the_first_is_on_record(api: Api) -> None:
    assert [401] * FREE + [429] * 20 == [guess(api) for _ in range(FREE + 20)]

    expected = (ADMIN, "login", "admin", ADMIN, CLIENT)
    assert [(*expected, WRONG)] * FREE + [(*expected, HASTY)] == told(api)
    assert {""} == {row["role"] for row in records(api.site) if row["outcome"] == "refused"}


def test_so_it_is_in_each_pause(api: Api) -> None:
    for _ in range(FREE + 2):
        guess(api)
    for pause in (1, 2, 4):
        later(api, pause)
        assert [401, 429, 429] == [guess(api) for _ in range(3)]

    assert [WRONG] * FREE + [HASTY] + [WRONG, HASTY] * 3 == [each[-1] for each in told(api)]


def test_at_verify_password_too(api: Api) -> None:
    assert [400] * FREE + [429] * 5 == [verify(api) for _ in range(FREE + 5)]

    assert [WRONG] * FREE + [HASTY] == [each[-1] for each in told(api)]
    assert (ADMIN, "verify", "user", JANE, CLIENT, HASTY) == told(api)[-1]


def test_one_client_over_many_accounts_is_on_record_once_for_each_pause(api: Api) -> None:
    statuses = [guess(api, f"u{number}@{DOMAIN}") for number in range(FREE + 9)]

    assert [401] * FREE + [429] * 9 == statuses
    assert [WRONG] * FREE + [HASTY] == [each[-1] for each in told(api)]


def test_tokens_too(api: Api) -> None:
    headers = {"Authorization": f"Bearer mw_{'0' * 16}_{'A' * 43}", "Cookie": ""}
    for _ in range(FREE + 5):
        api.call("GET", "/api/domains", headers=headers, remote_addr=CLIENT)

    assert ["INVALID_TOKEN"] * FREE + [HASTY] == [each[-1] for each in told(api)]
    assert CLIENT == told(api)[-1][4]


def test_side_by_side_one_is_the_first(api: Api) -> None:
    for _ in range(FREE):
        guess(api)
    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(lambda _: guess(api), range(40)))

    assert {429} == set(statuses)
    assert 1 == [each[-1] for each in told(api)].count(HASTY)


def test_a_refusal_stays_one_where_it_cannot_be_noted(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailwright.http.login._TELL", "UPDATE nowhere SET x = %s, y = %s, z = %s")

    assert [401] * FREE + [429] * 3 == [guess(api) for _ in range(FREE + 3)]
