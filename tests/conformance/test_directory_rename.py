"""In a directory an account gets a new key wherever the old one stands: as an address and as a DN."""

from __future__ import annotations

import pytest

from tests.conformance.furnished import STAFF, branch_dn, furnish, holding
from tests.conformance.neighbours import JANE, JOHN, OTHER, TEAM
from tests.conformance.test_directory_removal import HOLDING_A_USER, INFORMATION
from tests.conformance.test_rename import MOVED, NEW, rename
from tests.directory_site import DirectorySite
from tests.stores import Row

pytestmark = pytest.mark.openldap


@pytest.fixture
def site(directory_site: DirectorySite) -> DirectorySite:
    furnish(directory_site)
    return directory_site


def renamed(
    site: DirectorySite, rows: dict[str, Row], new: str, own: dict[str, tuple[str, ...]]
) -> dict[str, Row]:
    """Each entry with the new address and DN in place of the old ones; `own` are Jane's others."""
    old_dn, new_dn = site.user_dn(JANE), site.user_dn(new)
    found = {}
    for dn, row in rows.items():
        kept = {
            name: tuple(
                sorted(
                    new
                    if text.lower() == JANE and name not in {"userManager", "cn"}
                    else new_dn
                    if text.lower() == old_dn.lower()
                    else text
                    for text in values
                )
            )
            for name, values in row.items()
        }
        if dn == old_dn.lower():
            kept |= own
        found[dn.replace(old_dn.lower(), new_dn.lower())] = kept
    return found


@pytest.mark.parametrize(
    ("new", "under_alias_domains"),
    [(NEW, "janet@example.com"), (MOVED, "janet@example.info")],
)
def test_the_new_address_stands_where_the_old_one_did(
    site: DirectorySite, new: str, under_alias_domains: str
) -> None:
    """Her entries below come along, and the name under alias domains is the new domain's."""
    before = site.snapshot()
    own = {
        "uid": ("janet",),
        "sn": ("janet",),
        "shadowAddress": tuple(sorted(("jane.too@example.org", under_alias_domains))),
    }

    rename(site, JANE, new)

    after = site.snapshot()
    for domain in ("example.org", "example.net"):
        for name in ("domainCurrentUserNumber", "domainCurrentQuotaSize"):
            after[site.domain_dn(domain).lower()].pop(name, None)
    assert after == renamed(site, before, new, own)
    assert holding(site, JANE) == INFORMATION
    assert holding(site, new) == HOLDING_A_USER - INFORMATION


def test_her_rows_beside_the_directory_come_along(site: DirectorySite) -> None:
    before = site.snapshot("iredadmin")
    hers = {name for name in before if JANE in name.split()}
    assert {name.split()[0] for name in hers} == {
        *("used_quota", "last_login", "share_folder", "anyone_shares"),
    }

    rename(site, JANE, NEW)

    after = site.snapshot("iredadmin")
    assert {name.replace(JANE, NEW) for name in hers} <= after.keys()
    assert not hers & after.keys()
    assert site.show("user", NEW)["usedQuotaBytes"] == 1000


def test_domains_count_their_users_anew(site: DirectorySite) -> None:
    rename(site, JANE, MOVED)

    org, net = site.domain("example.org"), site.domain("example.net")
    assert (org["domainCurrentUserNumber"], net["domainCurrentUserNumber"]) == (("1",), ("3",))
    megabytes = 2**20
    assert org["domainCurrentQuotaSize"] == (str(100 * megabytes),)
    assert net["domainCurrentQuotaSize"] == (str(300 * megabytes),)


def test_an_address_elsewhere_that_begins_alike_is_not_the_alias_domains(
    site: DirectorySite,
) -> None:
    """It was taken for the name under an alias domain, and renamed to one that was somebody's to give."""
    site.directory.replace(
        site.user_dn(JANE), shadowAddress=["jane@example.com", "jane@anyexample.org"]
    )

    rename(site, JANE, NEW)

    assert site.user(NEW)["shadowAddress"] == ("jane@anyexample.org", "janet@example.com")


def test_a_name_under_an_alias_domain_that_somebody_has_stays_theirs(site: DirectorySite) -> None:
    site.directory.replace(site.user_dn(JOHN), shadowAddress="janet@example.com")

    rename(site, JANE, NEW)

    assert site.user(NEW)["shadowAddress"] == ("jane.too@example.org",)
    assert site.user(JOHN)["shadowAddress"] == ("janet@example.com",)


def test_somebody_who_has_both_addresses_keeps_one_value(site: DirectorySite) -> None:
    """The new address may have been a member, or a destination, before anybody had it."""
    new_dn = site.user_dn(NEW)
    site.directory.replace(
        branch_dn(site, TEAM, "Aliases"), mailForwardingAddress=[JANE, "Janet@Example.Org"]
    )
    site.directory.replace(site.user_dn(JANE), mailForwardingAddress=[JANE, NEW])
    site.directory.replace(
        branch_dn(site, STAFF, "Groups"), member=[site.user_dn(JANE), new_dn], listOwner=[JANE, NEW]
    )

    rename(site, JANE, NEW)

    assert site.entry(branch_dn(site, TEAM, "Aliases"))["mailForwardingAddress"] == (
        "Janet@Example.Org",
    )
    assert site.user(NEW)["mailForwardingAddress"] == (NEW,)
    staff = site.entry(branch_dn(site, STAFF, "Groups"))
    assert (staff["member"], staff["listOwner"]) == ((new_dn,), (NEW,))


def test_an_own_alias_becomes_the_address(site: DirectorySite) -> None:
    rename(site, JANE, "jane.too@example.org")

    entry = site.user("jane.too@example.org")
    assert entry["mail"] == ("jane.too@example.org",)
    assert entry["shadowAddress"] == ("jane.too@example.com",)
    assert site.show("user", "jane.too@example.org")["aliases"] == ()


def test_an_account_is_renamed_whatever_case_its_entry_has(site: DirectorySite) -> None:
    with site.directory.connect() as connection:
        connection.rename_s(site.user_dn(OTHER), "mail=OTHER@Example.net", delold=1)

    rename(site, OTHER, "otto@example.net")

    assert holding(site, OTHER) == {"mailUser.recoveryEmail"}
