"""Who administers a domain: the rows and attributes of a promotion and of a demotion, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from mailwright.errors import Invalid
from mailwright.resources import grants
from tests.directory_site import DirectorySite
from tests.stores import ADMIN, Site

ORG, NET = "example.org", "example.net"
JANE = "jane@example.org"
ALONE = "alone@admin.test"
GRANT = {
    "username": JANE,
    "created": "2026-05-06 07:08:09",
    "modified": "2026-05-06 07:08:09",
    "active": 1,
}


@pytest.fixture
def start(site: Site) -> Site:
    for name in (ORG, NET):
        site.create("domain", name, name="Example")
    site.create("user", JANE, password="Right-Horse1")
    site.create("admin", ALONE, password="Right-Horse1")
    return site


def name_admins(site: Site, domain: str, **form: str) -> list[str]:
    asked = {name: [text] for name, text in form.items()}
    _, warnings = site.app.run(ADMIN, lambda work: grants.update_admins(work, domain, asked))
    return list(warnings)


def changed(site: Site, before: dict[str, Any]) -> set[str]:
    after = site.snapshot()
    return {key for key in {*before, *after} if before.get(key) != after.get(key)}


def granted(site: Site) -> dict[str, Any]:
    """What stands there of the grants: rows, or attributes of the entries."""
    if isinstance(site, DirectorySite):
        services = site.user(JANE)["enabledService"]
        return {
            "admins": {name: site.domain(name).get("domainAdmin", ()) for name in (ORG, NET)},
            "marked": "domainadmin" in services,
        }
    rows = site.vmail.rows("SELECT username, domain FROM domain_admins ORDER BY domain, username")
    (flags,) = site.vmail.rows("SELECT isadmin, isglobaladmin FROM mailbox")
    assert flags["isglobaladmin"] == 0
    return {
        "admins": {
            name: tuple(row["username"] for row in rows if row["domain"] == name)
            for name in (ORG, NET)
        },
        "marked": flags["isadmin"] == 1,
    }


def test_a_promotion_and_a_demotion_touch_the_domain_and_the_user_alone(start: Site) -> None:
    beginning = start.snapshot()

    name_admins(start, ORG, addAdmin=f"{JANE},{ALONE}")

    assert granted(start) == {"admins": {ORG: (ALONE, JANE), NET: ()}, "marked": True}
    if isinstance(start, DirectorySite):
        touched = {start.user_dn(JANE).lower(), start.domain_dn(ORG).lower()}
        assert changed(start, beginning) == touched
    else:
        tables = {key.partition(" ")[0] for key in changed(start, beginning)}
        assert tables == {"domain_admins", "mailbox"}
        (row,) = start.vmail.rows("SELECT * FROM domain_admins WHERE username = ?", JANE)
        assert {name: str(row[name]) for name in GRANT} == {k: str(v) for k, v in GRANT.items()}

    name_admins(start, ORG, removeAdmin=JANE)

    assert granted(start) == {"admins": {ORG: (ALONE,), NET: ()}, "marked": False}


def test_the_mark_stays_with_the_last_domain(start: Site) -> None:
    for name in (ORG, NET):
        name_admins(start, name, addAdmin=JANE)

    name_admins(start, ORG, removeAllAdmins="")
    assert granted(start) == {"admins": {ORG: (), NET: (JANE,)}, "marked": True}

    name_admins(start, NET, removeAllAdmins="")
    assert granted(start) == {"admins": {ORG: (), NET: ()}, "marked": False}


def test_who_is_there_already_or_not_at_all_changes_nothing(start: Site) -> None:
    name_admins(start, ORG, addAdmin=JANE)
    before = start.snapshot()

    assert name_admins(start, ORG, addAdmin=JANE, removeAdmin=ALONE) == []
    with pytest.raises(Invalid, match=r"nobody@example\.org"):
        name_admins(start, NET, addAdmin=f"{JANE},nobody@example.org")

    assert start.snapshot() == before


def test_a_grant_goes_with_the_user_and_with_the_domain(start: Site) -> None:
    for name in (ORG, NET):
        name_admins(start, name, addAdmin=f"{JANE},{ALONE}")

    start.remove("user", JANE)
    assert start.show("domain", ORG)["admins"] == (ALONE,)

    start.remove("domain", ORG)
    start.create("domain", ORG, name="Again")
    assert start.show("domain", ORG)["admins"] == ()
    assert start.show("admin", ALONE)["managedDomains"] == (NET,)
