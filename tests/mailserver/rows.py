"""Rows as the mail programs expect them, written by hand and not by the product."""

from __future__ import annotations

from tests.mailserver.lab import Lab

PASSWORD = "Test-Pass1"


def add_domain(lab: Lab, domain: str, **columns: object) -> None:
    row: dict[str, object] = {"domain": domain, "transport": "dovecot"}
    lab.database.insert("domain", **{**row, **columns})


def add_alias_domain(lab: Lab, alias: str, target: str) -> None:
    lab.database.insert("alias_domain", alias_domain=alias, target_domain=target)


def add_user(lab: Lab, address: str, *, own_copy: bool = True, **columns: object) -> str:
    """A user with the row that makes its mail stay, unless it is to have no copy."""
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
        add_forwarding(lab, address, address, is_forwarding=1)
    return address


def add_forwarding(lab: Lab, address: str, forwarding: str, **columns: object) -> None:
    row: dict[str, object] = {
        "address": address,
        "forwarding": forwarding,
        "domain": address.rpartition("@")[2],
        "dest_domain": forwarding.rpartition("@")[2],
    }
    lab.database.insert("forwardings", **{**row, **columns})
