"""The lab itself: rows written by hand do what the mail programs should make of them."""

from __future__ import annotations

import pytest

from tests.mailserver.lab import Lab

PASSWORD = "Test-Pass1"
OUTSIDE = "friend@example.net"


def add_domain(lab: Lab, domain: str, **columns: object) -> None:
    lab.database.insert("domain", **{"domain": domain, "transport": "dovecot", **columns})


def add_user(lab: Lab, address: str, own_copy: bool = True, **columns: object) -> None:
    local, _, domain = address.partition("@")
    row: dict[str, object] = {
        "username": address,
        "domain": domain,
        "password": f"{{PLAIN}}{PASSWORD}",
        "storagebasedirectory": str(lab.storage),
        "storagenode": "vmail1",
        "maildir": f"{domain}/{local}-2026.01.02.03.04.05/",
    }
    lab.database.insert("mailbox", **{**row, **columns})
    if own_copy:
        add_row(lab, address, address, is_forwarding=1)


def add_row(lab: Lab, address: str, forwarding: str, **columns: object) -> None:
    row: dict[str, object] = {
        "address": address,
        "forwarding": forwarding,
        "domain": address.rpartition("@")[2],
        "dest_domain": forwarding.rpartition("@")[2],
    }
    lab.database.insert("forwardings", **{**row, **columns})


@pytest.fixture
def jane(lab: Lab) -> str:
    add_domain(lab, "example.org")
    add_user(lab, "jane@example.org", quota=10)
    return "jane@example.org"


def test_mail_to_a_user_is_delivered_and_read(lab: Lab, jane: str) -> None:
    replies = lab.send(OUTSIDE, [jane], "first letter")

    assert replies[jane].accepted
    (message,) = lab.wait_for_mail(jane, PASSWORD)
    assert "first letter" == message["Subject"]
    assert "first letter" == message.get_content().strip()
    assert "lmtp" in lab.dovecot.log()


def test_an_unknown_user_is_refused(lab: Lab, jane: str) -> None:
    replies = lab.send(OUTSIDE, [jane, "nobody@example.org"])

    assert replies[jane].accepted
    assert 550 == replies["nobody@example.org"].code


def test_an_unknown_domain_is_refused(lab: Lab, jane: str) -> None:
    assert 554 == lab.send(OUTSIDE, ["jane@example.com"])["jane@example.com"].code
