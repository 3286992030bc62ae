"""Which default groups of a domain a new user joins."""

from __future__ import annotations

from tests.behaviour.conftest import PASSWORD
from tests.stores import Site

NEW = "new@example.org"


def test_a_new_user_joins_mail_aliases_and_nobody_elses_mailbox(start: Site) -> None:
    """A user's address among the groups would copy that user's mail to everybody who comes."""
    start.insert("alias", address="team@example.org", domain="example.org")
    start.vmail.execute(
        "UPDATE domain SET settings = ? WHERE domain = 'example.org'",
        "default_groups:jane@example.org,team@example.org,gone@example.org;",
    )

    start.create("user", NEW, password=PASSWORD)

    rows = start.vmail.rows("SELECT address, is_list FROM forwardings WHERE forwarding = ?", NEW)
    assert [(NEW, 0), ("team@example.org", 1)] == sorted(
        (row["address"], row["is_list"]) for row in rows
    )
