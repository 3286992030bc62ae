"""One change for every user of a domain."""

from __future__ import annotations

import pytest

from mailwright.errors import Invalid
from mailwright.passwords import verify_password
from tests.behaviour.conftest import PASSWORD
from tests.stores import NOTHING, Site

USERS = [f"user{number}@example.org" for number in range(5)]
OUTSIDE = "outside@example.net"


@pytest.fixture
def five(start: Site) -> Site:
    for user in (*USERS, OUTSIDE):
        start.create("user", user, password=PASSWORD)
    return start


def test_each_user_gets_a_salt_of_its_own(five: Site) -> None:
    touched = five.update_users("example.org", password="Fresh-Horse2")

    users = [*USERS, "jane@example.org"]
    hashes = [text for user in users for text in five.hashes(user)]
    assert touched == len(users)
    assert len(set(hashes)) == len(users)
    assert all(verify_password("Fresh-Horse2", text) for text in hashes)
    for user in users:
        assert five.show("user", user)["passwordLastChange"].startswith("2026-05-06T")
    (outside,) = five.hashes(OUTSIDE)
    assert verify_password(PASSWORD, outside)


@pytest.mark.parametrize(
    ("form", "code", "parameter"),
    [
        ({"password": "short"}, "PW_SHORTER_THAN_MIN_LENGTH", "password"),
        ({"language": "xx_XX"}, "INVALID_PARAMETER", "language"),
        ({"transport": "a b"}, "INVALID_PARAMETER", "transport"),
        ({"accountStatus": "maybe"}, "INVALID_PARAMETER", "accountStatus"),
    ],
)
def test_what_is_refused_changes_nobody(
    five: Site, form: dict[str, str], code: str, parameter: str
) -> None:
    before = five.snapshot("vmail", "iredadmin")

    with pytest.raises(Invalid) as caught:
        five.update_users("example.org", {"accountStatus": "disabled", **form})

    assert caught.value.code.startswith(code)
    assert caught.value.parameter == parameter
    assert five.since(before, "vmail", "iredadmin") == NOTHING


def test_what_belongs_to_one_user_is_ignored(five: Site) -> None:
    before = five.snapshot()

    five.update_users("example.org", name="Everybody", quota="1")

    assert five.since(before) == NOTHING


def test_nobody_outside_the_domain_changes(five: Site) -> None:
    before = five.snapshot()

    five.update_users("example.org", accountStatus="disabled", password="Fresh-Horse2")

    assert all("example.org" in row for row in five.since(before).touched)


def test_a_domain_without_users_is_no_error(five: Site) -> None:
    five.create("domain", "empty.test", name="Empty")

    assert five.update_users("empty.test", language="en_US", password="Fresh-Horse2") == 0
