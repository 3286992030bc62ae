"""Mail accounts whose address is that of a standalone admin."""

from __future__ import annotations

import pytest

from mailwright.errors import Exists
from tests.behaviour.conftest import PASSWORD
from tests.directory_site import DirectorySite
from tests.stores import Site

BOSS = "boss@nowhere.test"  # of the fixture: a global admin who is no mail user


def grants(site: Site) -> list[tuple[str, str]]:
    """Who administers what."""
    if isinstance(site, DirectorySite):
        found = []
        for entry in site.snapshot().values():
            found += [(admin, entry["domainName"][0]) for admin in entry.get("domainAdmin", ())]
            found += [(entry["mail"][0], "ALL")] if "domainGlobalAdmin" in entry else []
        return sorted(found)
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
    start.insert("domain_admins", username=BOSS, domain="example.org")
    start.insert("mailbox", username=BOSS, domain="nowhere.test", password="", name="", maildir="x")

    start.remove("user", BOSS)

    assert [(BOSS, "ALL"), (BOSS, "example.org")] == grants(start)


def test_removing_the_domain_leaves_its_standalone_admins_alone(start: Site) -> None:
    start.create("domain", "nowhere.test", name="Nowhere")
    start.create("user", "mary@nowhere.test", password=PASSWORD)
    start.update("user", "mary@nowhere.test", isGlobalAdmin="yes")
    for admin in (BOSS, "mary@nowhere.test"):
        start.insert("domain_admins", username=admin, domain="example.org")

    start.remove("domain", "nowhere.test")

    assert [(BOSS, "ALL"), (BOSS, "example.org")] == grants(start)
