"""What is removed from a directory leaves nothing behind for its successor, entry by entry."""

from __future__ import annotations

import pytest

from tests.conformance.furnished import (
    GUESTS,
    LIKE_A_DOMAIN,
    STAFF,
    branch_dn,
    external_dn,
    furnish,
    holding,
)
from tests.conformance.neighbours import ALIKE, ALONE, JANE, JOHN, OTHER, STRANGE, TEAM, populate
from tests.directory_site import DirectorySite
from tests.stores import NOTHING

pytestmark = pytest.mark.openldap

# Where a user's address or DN can stand.  What nobody reads, such as the manager, keeps it.
INFORMATION = {"mailUser.userManager"}
HOLDING_A_USER = INFORMATION | {
    *("mailUser.mail", "mailUser.mailForwardingAddress", "mailUser.backupMailAddress"),
    *("mailUser.userSenderBccAddress", "mailUser.userRecipientBccAddress"),
    *("mailAlias.mailForwardingAddress", "mailAlias.listModerator"),
    *("mailDomain.domainAdmin", "mailDomain.domainSenderBccAddress"),
    *("mailDomain.domainRecipientBccAddress", "mailExternalUser.mail"),
    *("mailList.listAllowedUser", "mailList.listModerator", "mailList.listOwner"),
    *("mailList.member", "mailList.uniqueMember"),
}

STAYING = tuple(sorted((OTHER, *LIKE_A_DOMAIN)))


@pytest.fixture
def site(directory_site: DirectorySite) -> DirectorySite:
    furnish(directory_site)
    return directory_site


def members_left(site: DirectorySite) -> tuple[object, object]:
    """Of the guests Jane goes, by DN too."""
    left = tuple(sorted(map(site.user_dn, (OTHER, ALIKE))))
    return (tuple(sorted((site.user_dn(JANE), *left))), left)


def lost(site: DirectorySite, user: str) -> dict[str, dict[str, tuple[object, object]]]:
    """What others lose with Jane: the value before and after, entry by entry."""
    org, net = site.domain_dn("example.org"), site.domain_dn("example.net")
    jane = site.user_dn(user)
    capital = "Jane@Example.ORG"
    return {
        org: {
            "domainSenderBccAddress": ((JANE,), None),
            "domainRecipientBccAddress": ((JANE,), None),
        },
        net: {"domainAdmin": ((capital, JOHN), (JOHN,))},
        site.user_dn("@example.org"): {"mailForwardingAddress": ((JANE, OTHER), (OTHER,))},
        site.user_dn(JOHN): {
            "backupMailAddress": ((JANE,), None),
            "mailForwardingAddress": ((capital, JOHN), (JOHN,)),
            "userRecipientBccAddress": ((JANE,), None),
            "userSenderBccAddress": ((JANE,), None),
        },
        site.user_dn(OTHER): {
            "mailForwardingAddress": (
                (JANE, "other@elsewhere.test", OTHER),
                ("other@elsewhere.test", OTHER),
            )
        },
        site.user_dn(ALONE): {"mailForwardingAddress": ((JANE,), None)},
        **{
            branch_dn(site, group, "Aliases"): {
                "mailForwardingAddress": ((JANE, JOHN, OTHER), (JOHN, OTHER)),
                "listModerator": ((JANE, JOHN, OTHER), (JOHN, OTHER)),
            }
            for group in (TEAM, STRANGE)
        },
        **{
            branch_dn(site, f"news@{domain}", "Groups"): {
                "listOwner": ((JANE, JOHN, OTHER), (JOHN, OTHER))
            }
            for domain in ("example.org", "example.net")
        },
        branch_dn(site, STAFF, "Groups"): {
            "listAllowedUser": ((capital, JOHN), (JOHN,)),
            "listModerator": ((JANE, OTHER), (OTHER,)),
            "listOwner": ((JANE,), None),
            "member": ((jane, site.user_dn(JOHN)), (site.user_dn(JOHN),)),
            "uniqueMember": ((jane.replace("=jane", "=Jane"),), None),
        },
        branch_dn(site, GUESTS, "Groups"): {
            "listAllowedUser": ((JANE,), None),
            "member": members_left(site),
        },
        external_dn(site, GUESTS): {"mail": ((capital, *STAYING), STAYING)},
    }


def test_jane_stands_in_every_attribute_that_can_hold_her(site: DirectorySite) -> None:
    assert holding(site, JANE) == HOLDING_A_USER


def test_a_removed_user_is_in_no_attribute_that_anybody_reads(site: DirectorySite) -> None:
    site.remove("user", JANE)

    assert holding(site, JANE) == INFORMATION
    for name in ("amavisd", "iredapd"):
        assert not any(JANE in str(row) for row in site.snapshot(name).values())
    beside = site.snapshot("iredadmin")
    left = {name.split()[0] for name, row in beside.items() if JANE in str(row)}
    assert left == {"deleted_mailboxes", "log", "mailwright_audit"}


def test_others_lose_jane_and_nothing_else(site: DirectorySite) -> None:
    before = site.snapshot()

    site.remove("user", JANE)

    difference = site.since(before)
    tally = difference.changed[site.domain_dn("example.org").lower()]
    assert tally.pop("domainCurrentUserNumber") == (None, ("1",))
    assert tally.pop("domainCurrentQuotaSize") == (None, (str(100 * 2**20),))
    assert {dn.lower(): columns for dn, columns in lost(site, JANE).items()} == difference.changed
    jane = site.user_dn(JANE).lower()
    assert set(difference.removed) == {
        *(jane, f"ou=addressbook,{jane}", f"ou=friends,ou=addressbook,{jane}"),
    }
    assert difference.added == {}


def test_an_account_is_removed_whatever_case_its_entry_has(site: DirectorySite) -> None:
    """Another program wrote the address in capitals."""
    with site.directory.connect() as connection:
        connection.rename_s(site.user_dn(JANE), "mail=Jane@Example.Org", delold=1)

    site.remove("user", JANE)

    assert holding(site, JANE) == INFORMATION


@pytest.mark.parametrize("local", ["#jane", "a&b", "j.d-x_y"])
def test_an_address_that_has_to_be_escaped(directory_site: DirectorySite, local: str) -> None:
    site, key = directory_site, f"{local}@example.org"
    populate(site)
    site.create("user", key, password="Right-Horse1")
    escaped = local.replace("#", "\\#")
    dn = site.user_dn(f"{escaped}@example.org")
    group = branch_dn(site, "news@example.org", "Groups")
    site.directory.replace(group, member=dn, listModerator=key)
    before = site.snapshot()

    site.update("user", key, name="Else", forwarding=f"x@example.net,{key}")
    assert site.show("user", key)["forwarding"] == tuple(sorted(("x@example.net", key)))
    site.remove("user", key)

    difference = site.since(before)
    assert len(difference.removed) == 1
    assert difference.changed[group.lower()] == {
        "member": (before[group.lower()]["member"], None),  # spelled as the server likes
        "listModerator": ((key,), None),
    }


def test_rights_end_with_the_account(site: DirectorySite) -> None:
    site.update("user", JANE, isGlobalAdmin="yes")

    site.remove("user", JANE)
    site.create("user", JANE, password="Fresh-Pass1")

    shown = site.show("user", JANE)
    assert (shown["isGlobalAdmin"], shown["isAdmin"], shown["managedDomains"]) == (False, False, ())
    assert shown["groups"] == ()


def test_a_removed_domain_takes_its_tree_and_what_leads_into_it(site: DirectorySite) -> None:
    """Who is reached elsewhere by an address of the domain, or is in a list of it, is not any more."""
    site.directory.replace(
        site.user_dn(OTHER),
        shadowAddress=["o@example.org", "other.too@example.net"],
        memberOfGroup=[STAFF, GUESTS],
    )
    before = site.snapshot()

    site.remove("domain", "example.org")

    difference = site.since(before)
    inside = site.domain_dn("example.org").lower()
    assert difference.added == {}
    assert set(difference.removed) == {dn for dn in before if dn.endswith(inside)}
    capital = "Jane@Example.ORG"
    wanted = {
        site.domain_dn("example.net"): {"domainAdmin": ((capital, JOHN), None)},
        site.user_dn(OTHER): {
            "mailForwardingAddress": (
                (JANE, "other@elsewhere.test", OTHER),
                ("other@elsewhere.test", OTHER),
            ),
            "userRecipientBccAddress": ((JOHN,), None),
            "userSenderBccAddress": ((JOHN,), None),
            "shadowAddress": (
                ("o@example.org", "other.too@example.net"),
                ("other.too@example.net",),
            ),
            "memberOfGroup": ((GUESTS, STAFF), (GUESTS,)),
        },
        site.user_dn(ALONE): {"mailForwardingAddress": ((JANE,), None)},
        branch_dn(site, STRANGE, "Aliases"): {
            "mailForwardingAddress": ((JANE, JOHN, OTHER), (OTHER,)),
            "listModerator": ((JANE, JOHN, OTHER), (OTHER,)),
        },
        branch_dn(site, "news@example.net", "Groups"): {
            "listOwner": ((JANE, JOHN, OTHER), (OTHER,))
        },
        branch_dn(site, GUESTS, "Groups"): {
            "listAllowedUser": ((JANE,), None),
            "member": members_left(site),
        },
        external_dn(site, GUESTS): {"mail": ((capital, *STAYING), STAYING)},
    }
    assert {dn.lower(): columns for dn, columns in wanted.items()} == difference.changed


@pytest.mark.parametrize("name", ["an_example.org", "example.org"])
def test_domains_with_a_like_name_are_left_alone(site: DirectorySite, name: str) -> None:
    """One name can be the end of another."""
    alike = {"an_example.org", "anyexample.org", "example.org"} - {name}
    before = site.snapshot()

    site.remove("domain", name)

    touched = site.since(before).touched
    for other in alike:
        inside = f",{site.domain_dn(other)}".lower()
        assert [dn for dn in touched if f",{dn}".endswith(inside)] == []


def test_a_domain_without_containers_is_removed(directory_site: DirectorySite) -> None:
    """Another program, or a crash, left the entry alone."""
    before = directory_site.snapshot()
    directory_site.directory.add(
        directory_site.domain_dn("bare.test"),
        {"objectClass": "mailDomain", "domainName": "bare.test"},
    )

    directory_site.remove("domain", "bare.test")

    assert directory_site.since(before) == NOTHING


def test_a_mailbox_of_an_older_entry_is_remembered(site: DirectorySite) -> None:
    """Its path is in two attributes; one that had none is not noted."""
    site.directory.replace(
        site.user_dn(JANE),
        homeDirectory=None,
        storageBaseDirectory="/var/vmail",
        mailMessageStore="vmail1/example.org/jane/",
    )
    site.directory.replace(site.user_dn(JOHN), homeDirectory=None)

    site.remove("domain", "example.org")

    rows = site.beside.rows(
        "SELECT username, maildir FROM deleted_mailboxes WHERE domain = 'example.org'"
    )
    assert rows == [{"username": JANE, "maildir": "/var/vmail/vmail1/example.org/jane"}]
