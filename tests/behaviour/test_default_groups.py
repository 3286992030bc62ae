"""Which default groups of a domain a new user joins."""

from __future__ import annotations

from tests.behaviour.conftest import PASSWORD
from tests.directory_site import DirectorySite
from tests.stores import Site, on_openldap, on_sql

NEW = "new@example.org"


@on_sql
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


@on_openldap
def test_in_a_directory_a_new_user_joins_mail_aliases_and_lists(start: Site) -> None:
    """Postfix finds a list's members by the list's address on them, other programs by their DN on it."""
    assert isinstance(start, DirectorySite)
    start.insert("alias", address="team@example.org", domain="example.org")
    group = f"mail=staff@example.org,ou=Groups,{start.domain_dn('example.org')}"
    start.directory.add(
        group,
        {
            "objectClass": "mailList",
            "mail": "staff@example.org",
            "accountStatus": "active",
            "shadowAddress": "staff@example.com",
        },
    )
    start.directory.replace(
        start.domain_dn("example.org"),
        accountSetting="defaultList:jane@example.org,team@example.org,Staff@example.org,gone@example.org",
    )
    before = start.snapshot()

    start.create("user", NEW, password=PASSWORD)

    difference = start.since(before)
    team = f"mail=team@example.org,ou=aliases,{start.domain_dn('example.org')}".lower()
    assert difference.added[start.user_dn(NEW).lower()]["memberOfGroup"] == (
        *("staff@example.com", "staff@example.org"),
    )
    assert difference.changed[group.lower()] == {"member": (None, (start.user_dn(NEW),))}
    assert difference.changed[team] == {"mailForwardingAddress": (None, (NEW,))}
    assert len(difference.changed) == len({group, team, "the domain's number of users"})
    assert start.show("user", NEW)["groups"] == ("staff@example.org", "team@example.org")
