"""Sets of client addresses understand what administrators write."""

from __future__ import annotations

import pytest

from mailwright.networks import Networks


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("192.0.2.0/24", "::ffff:192.0.2.200", "192.0.3.1"),
        ("192.0.2.9/24", "192.0.2.1", "::ffff:192.0.3.1"),
        ("192.0.2.10-20", "192.0.2.20", "192.0.2.21"),
        ("192.0.2.10-192.0.3.5", "192.0.3.5", "192.0.3.6"),
        ("192.0.2.", "192.0.2.255", "192.0.20.1"),
        ("192.0.2.*", "192.0.2.0", "192.0.1.255"),
        ("2001:db8::/32", "2001:db8:1::5", "2001:db9::"),
        ("fe80::/10", "fe80::1%eth0", "::1"),
    ],
)
def test_an_address_is_inside_or_outside(text: str, inside: str, outside: str) -> None:
    networks = Networks([text])

    assert inside in networks
    assert outside not in networks


@pytest.mark.parametrize(
    "text", ["", "home", "192.0.2.0/33", "192.0.2.20-10", "192.0.", "192.0.2.1-::1", "300.1.1.*"]
)
def test_what_is_no_set_of_addresses_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        Networks([text])


def test_what_is_no_address_is_in_no_set() -> None:
    assert "unix:" not in Networks(["0.0.0.0/0", "::/0"])


def test_sets_are_compared_by_what_was_written() -> None:
    assert Networks(["::1"]) == Networks([" ::1"])
    assert hash(Networks(["::1"])) == hash(Networks(["::1"]))
    assert not Networks()
    assert repr(Networks(["::1"])) == "Networks(['::1'])"
