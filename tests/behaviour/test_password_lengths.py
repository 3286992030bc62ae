"""A domain's own lengths stand in place of the server's; every objection has its code."""

from __future__ import annotations

import pytest

from mailwright.errors import Invalid
from tests.stores import NOTHING, Site

JANE = "jane@example.org"
LENGTHS = {"minPasswordLength": "10", "maxPasswordLength": "12"}


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("Right-Ho1", "PW_SHORTER_THAN_MIN_LENGTH"),
        ("Right-Horse12", "PW_GREATER_THAN_MAX_LENGTH"),
        ("", "PW_EMPTY"),
        (
            "a",
            "PW_SHORTER_THAN_MIN_LENGTH,PW_NO_UPPERCASE,PW_NO_DIGIT_NUMBER,PW_NO_SPECIAL_CHAR",
        ),
        ("right-horse1", "PW_NO_UPPERCASE"),
        ("1234567-89", "PW_NO_LETTER,PW_NO_UPPERCASE"),
        ("Right-Horse", "PW_NO_DIGIT_NUMBER"),
        ("RightHorse1", "PW_NO_SPECIAL_CHAR"),
        ("Rïght-Horse1", "PW_NON_ASCII"),
    ],
)
def test_a_password_is_refused_with_these_codes(start: Site, password: str, codes: str) -> None:
    start.update("domain", "example.org", LENGTHS)
    before = start.snapshot()
    for attempt in (
        lambda: start.update("user", JANE, password=password),
        lambda: start.create("user", "new@example.org", password=password),
        lambda: start.update_users("example.org", password=password),
    ):
        with pytest.raises(Invalid) as caught:
            attempt()

        assert (caught.value.code, caught.value.parameter) == (codes, "password")
        assert not password or password not in caught.value.reason or password == "a"
    assert start.since(before) == NOTHING


@pytest.mark.parametrize("password", ["Right-Hor1", "Right-Horse1"])
def test_both_ends_of_the_range_are_taken(start: Site, password: str) -> None:
    start.update("domain", "example.org", LENGTHS)

    start.update("user", JANE, password=password)
    start.create("user", "new@example.org", password=password)


def test_another_domain_has_the_servers_lengths(start: Site) -> None:
    start.update("domain", "example.org", LENGTHS)

    start.create("user", "new@example.net", password="Right-1x")
    start.create("user", "newer@example.net", password="Right-Horse-Battery-1")


def test_without_own_lengths_the_server_decides_again(start: Site) -> None:
    start.update("domain", "example.org", LENGTHS)
    start.update("domain", "example.org", minPasswordLength="0", maxPasswordLength="0")

    start.update("user", JANE, password="Right-1x")


def test_a_domain_cannot_make_every_password_impossible(start: Site) -> None:
    """The server's own shortest password counts where the domain has none."""
    with pytest.raises(Invalid) as caught:
        start.update("domain", "example.org", maxPasswordLength="5")

    assert "maxPasswordLength" == caught.value.parameter

    start.update("domain", "example.org", minPasswordLength="4", maxPasswordLength="5")
