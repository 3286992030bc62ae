"""Limits refuse, they never clamp; their codes are those that clients of iRedAdmin know."""

from __future__ import annotations

import pytest

from mailwright.errors import Invalid, LimitReached, NotFound
from tests.behaviour.conftest import PASSWORD
from tests.stores import NOTHING, Site

JANE, JOHN = "jane@example.org", "john@example.org"


def refused(site: Site, code: str, kind: str, key: str, **form: str) -> LimitReached:
    """Creating, or changing what exists, is refused with a code and leaves no trace."""
    before = site.snapshot()
    try:
        site.show(kind, key)
        change = site.update
    except NotFound:
        change = site.create
    with pytest.raises(LimitReached) as caught:
        change(kind, key, form)

    assert caught.value.code == code
    assert site.since(before) == NOTHING
    return caught.value


def test_the_number_of_users(start: Site) -> None:
    start.update("domain", "example.org", numberOfUsers="2")
    start.create("user", JOHN, password=PASSWORD)

    refused(start, "EXCEEDED_DOMAIN_ACCOUNT_LIMIT", "user", "third@example.org", password=PASSWORD)

    start.remove("user", JANE)
    start.create("user", "third@example.org", password=PASSWORD)


def test_no_users_at_all(start: Site) -> None:
    assert start.update("domain", "example.org", numberOfUsers="-1") == [
        "numberOfUsers is below what example.org already has (1); existing accounts stay"
    ]

    refused(start, "NOT_ALLOWED", "user", JOHN, password=PASSWORD)


def test_zero_is_no_limit(start: Site) -> None:
    start.update("domain", "example.org", numberOfUsers="0", quota="0", maxUserQuota="0")

    start.create("user", JOHN, password=PASSWORD, quota="8796093022207")
    start.create("user", "third@example.org", password=PASSWORD, quota="0")


def test_the_quota_of_the_domain_is_full_to_the_last_megabyte(start: Site) -> None:
    start.update("user", JANE, quota="100")
    start.update("domain", "example.org", quota="150")
    error = refused(
        start, "EXCEEDED_DOMAIN_QUOTA_SIZE", "user", JOHN, password=PASSWORD, quota="51"
    )
    assert (error.parameter, "50 MB left" in error.reason) == ("quota", True)

    start.create("user", JOHN, password=PASSWORD, quota="50")

    refused(start, "EXCEEDED_DOMAIN_QUOTA_SIZE", "user", JOHN, quota="51")
    start.update("user", JANE, quota="99")
    start.update("user", JOHN, quota="51")


def test_what_a_user_has_counts_only_once(start: Site) -> None:
    """The old quota goes before the new one is measured."""
    start.update("user", JANE, quota="100")
    start.update("domain", "example.org", quota="100")

    start.update("user", JANE, quota="100", name="Same")
    start.update("user", JANE, quota="99")
    start.update("user", JANE, quota="100")

    refused(start, "EXCEEDED_DOMAIN_QUOTA_SIZE", "user", JANE, quota="101")


def test_the_largest_quota_of_a_user(start: Site) -> None:
    start.update("domain", "example.org", maxUserQuota="70")

    error = refused(start, "EXCEED_LIMIT_QUOTA", "user", JOHN, password=PASSWORD, quota="71")
    assert error.parameter == "quota"
    start.create("user", JOHN, password=PASSWORD, quota="70")
    refused(start, "EXCEED_LIMIT_QUOTA", "user", JOHN, quota="71")


@pytest.mark.parametrize("limit", [{"quota": "500"}, {"maxUserQuota": "500"}])
def test_no_limit_for_a_user_where_the_domain_has_one(start: Site, limit: dict[str, str]) -> None:
    start.update("domain", "example.org", limit)

    refused(start, "EXCEEDED_DOMAIN_QUOTA_SIZE", "user", JOHN, password=PASSWORD, quota="0")
    start.create("user", JOHN, password=PASSWORD, quota="10")
    refused(start, "EXCEEDED_DOMAIN_QUOTA_SIZE", "user", JOHN, quota="0")


@pytest.mark.parametrize(
    ("limits", "quota"),
    [
        ({}, 0),
        ({"defaultQuota": "30"}, 30),
        ({"maxUserQuota": "40"}, 40),
        ({"defaultQuota": "30", "maxUserQuota": "40"}, 30),
    ],
)
def test_a_user_for_whom_nothing_is_asked(start: Site, limits: dict[str, str], quota: int) -> None:
    start.update("domain", "example.org", limits)

    start.create("user", JOHN, password=PASSWORD)

    assert start.show("user", JOHN)["quota"] == quota


def test_a_default_above_the_maximum_is_refused(start: Site) -> None:
    with pytest.raises(Invalid) as caught:
        start.update("domain", "example.org", defaultQuota="50", maxUserQuota="40")
    assert caught.value.parameter == "defaultQuota"

    start.update("domain", "example.org", defaultQuota="40", maxUserQuota="40")
    with pytest.raises(Invalid):
        start.update("domain", "example.org", maxUserQuota="39")
    with pytest.raises(Invalid):
        start.create("domain", "new.test", name="X", defaultQuota="50", maxUserQuota="40")


@pytest.mark.parametrize("quota", ["much", "-5", "9223372036854775808", "1.5", ""])
def test_no_number_is_refused_as_such_also_under_a_limit(start: Site, quota: str) -> None:
    start.update("domain", "example.org", maxUserQuota="500")
    before = start.snapshot()
    for attempt in (
        lambda: start.update("user", JANE, quota=quota),
        lambda: start.create("user", JOHN, password=PASSWORD, quota=quota),
    ):
        with pytest.raises(Invalid) as caught:
            attempt()

        assert (caught.value.code, caught.value.parameter) == ("INVALID_PARAMETER", "quota")
    assert start.since(before) == NOTHING


@pytest.mark.parametrize(
    ("form", "warned"),
    [
        ({"numberOfUsers": "1"}, True),
        ({"numberOfUsers": "2"}, False),
        ({"numberOfAliases": "1"}, True),
        ({"numberOfAliases": "-1"}, True),
        ({"numberOfLists": "-1"}, True),
        ({"quota": "149"}, True),
        ({"quota": "150"}, False),
        ({"quota": "0"}, False),
    ],
)
def test_a_limit_below_what_is_there_is_taken_with_a_warning(
    start: Site, form: dict[str, str], *, warned: bool
) -> None:
    start.update("user", JANE, quota="100")
    start.create("user", JOHN, password=PASSWORD, quota="50")
    for number in range(2):
        start.insert("alias", address=f"team{number}@example.org", domain="example.org")
    start.insert("maillists", address="news@example.org", domain="example.org", mlid="1")

    warnings = start.update("domain", "example.org", form)

    assert bool(warnings) == warned
    ((name, value),) = form.items()
    assert start.show("domain", "example.org")[name] == int(value)
    assert all(name in sentence for sentence in warnings)


def test_a_quota_can_be_lowered_in_a_domain_that_gave_away_too_much(start: Site) -> None:
    """Each step was refused as long as the sum was above the limit: there was no way back."""
    start.update("user", JANE, quota="1000")
    start.create("user", JOHN, password=PASSWORD, quota="1000")
    start.update("domain", "example.org", quota="1500")

    start.update("user", JANE, quota="900")
    start.update("user", JOHN, quota="600")

    refused(start, "EXCEEDED_DOMAIN_QUOTA_SIZE", "user", JOHN, quota="601")
