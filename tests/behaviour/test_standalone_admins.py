"""Mail accounts whose address is that of a standalone admin."""

from __future__ import annotations

import pytest

from mailwright.errors import Exists
from tests.behaviour.conftest import PASSWORD
from tests.stores import Site

BOSS = "boss@nowhere.test"  # of the fixture: a global admin who is no mail user


def grants(site: Site) -> list[tuple[str, str]]:
    rows = site.vmail.rows("SELECT username, domain FROM domain_admins ORDER BY username, domain")
    return [(row["username"], row["domain"]) for row in rows]


def test_an_admins_address_is_taken(start: Site) -> None:
    """A user of that address, once deleted, took the admin's rank with it: nobody was left."""
    start.create("domain", "nowhere.test", name="Nowhere")

    with pytest.raises(Exists):
        start.create("user", BOSS, password=PASSWORD)

    assert [("boss@nowhere.test", "ALL")] == grants(start)


def test_removing_a_user_of_the_same_address_leaves_the_admin_alone(start: Site) -> None:
    """Another program made both; each keeps what is its own."""
    start.create("domain", "nowhere.test", name="Nowhere")
    start.create("user", "mary@nowhere.test", password=PASSWORD)
    start.vmail.execute(
        "UPDATE mailbox SET username = ? WHERE username = ?", BOSS, "mary@nowhere.test"
    )

    start.remove("user", BOSS)

    assert [(BOSS, "ALL")] == grants(start)


def test_removing_the_domain_leaves_its_standalone_admins_alone(start: Site) -> None:
    start.create("domain", "nowhere.test", name="Nowhere")
    start.create("user", "mary@nowhere.test", password=PASSWORD)
    start.update("user", "mary@nowhere.test", isGlobalAdmin="yes")

    start.remove("domain", "nowhere.test")

    assert [(BOSS, "ALL")] == grants(start)
