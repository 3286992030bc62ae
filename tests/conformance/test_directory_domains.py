"""What accounts take over from their domain in a directory: names under alias domains, and its status."""

from __future__ import annotations

import pytest
from ldap import MOD_REPLACE

from mailwright.errors import Exists, LimitReached
from tests.conformance.furnished import furnish
from tests.conformance.neighbours import JANE, JOHN, OTHER
from tests.conformance.test_rename import rename
from tests.directory_site import DirectorySite
from tests.stores import NOTHING, Difference, Row

pytestmark = pytest.mark.openldap

ORG = "example.org"
NEW = "new@example.org"
PASSWORD = "Right-Horse1"


@pytest.fixture
def site(directory_site: DirectorySite) -> DirectorySite:
    furnish(directory_site)
    return directory_site


# Alias domains


def test_a_new_user_is_reached_under_every_alias_domain(site: DirectorySite) -> None:
    """Postfix accepts mail for an alias domain and then asks for the whole address."""
    site.insert("alias_domain", alias_domain="Second.Example", target_domain=ORG)

    site.create("user", NEW, password=PASSWORD)

    assert site.user(NEW)["shadowAddress"] == ("new@example.com", "new@second.example")
    assert site.show("user", NEW)["aliases"] == ()


def test_a_name_under_an_alias_domain_that_somebody_has_is_theirs(site: DirectorySite) -> None:
    """The user was made, and the request failed as if somebody else had been quicker."""
    site.update("user", JANE, addAlias="new@example.com")

    assert site.create("user", NEW, password=PASSWORD) == []

    assert "shadowAddress" not in site.user(NEW)
    assert "new@example.com" in site.show("user", JANE)["aliases"]


@pytest.mark.parametrize(
    ("form", "after"),
    [
        ({"aliases": ""}, ("jane@example.com",)),
        ({"aliases": "a@example.org"}, ("a@example.org", "jane@example.com")),
        (
            {"addAlias": "a@example.com"},
            ("a@example.com", "jane.too@example.org", "jane@example.com"),
        ),
        ({"removeAlias": "jane.too@example.org"}, ("jane@example.com",)),
        ({"removeAlias": "jane@example.com"}, ("jane.too@example.org", "jane@example.com")),
        ({"aliases": "jane@example.com,b@example.org"}, ("b@example.org", "jane@example.com")),
    ],
)
def test_aliases_neither_show_nor_remove_the_name_under_an_alias_domain(
    site: DirectorySite, form: dict[str, str], after: tuple[str, ...]
) -> None:
    assert site.show("user", JANE)["aliases"] == ("jane.too@example.org",)

    site.update("user", JANE, form)

    assert site.user(JANE)["shadowAddress"] == after
    assert set(site.show("user", JANE)["aliases"]) == set(after) - {"jane@example.com"}


def test_a_new_catch_all_is_asked_under_every_alias_domain(site: DirectorySite) -> None:
    site.update("domain", ORG, catchall="")

    site.update("domain", ORG, catchall="x@example.net")

    assert site.user(f"@{ORG}")["shadowAddress"] == ("@example.com",)


@pytest.mark.parametrize("name", ["example.com", "pending.example"])
def test_a_further_name_of_a_domain_is_taken(site: DirectorySite, name: str) -> None:
    """Also one whose owner has still to be proved."""
    site.directory.replace(site.domain_dn("example.net"), domainPendingAliasName="Pending.Example")
    before = site.snapshot()

    with pytest.raises(Exists):
        site.create("domain", name, name="Mine")

    assert site.since(before) == NOTHING


# The domain's status


def under(site: DirectorySite, kinds: set[str]) -> dict[str, Row]:
    inside = site.domain_dn(ORG).lower()
    return {
        dn: entry
        for dn, entry in site.snapshot().items()
        if dn.endswith(f",{inside}") and kinds & set(entry["objectClass"])
    }


def test_a_disabled_domain_says_so_on_every_account_and_takes_it_back(site: DirectorySite) -> None:
    """The look-ups of an account do not look at its domain."""
    accounts = under(site, {"mailUser", "mailAlias", "mailList", "mailExternalUser"})
    names = {dn.partition(",")[0] for dn in accounts}
    assert {"mail=@example.org", f"mail={JANE}", "mail=news@example.org"} <= names
    site.directory.add(
        f"memberOfGroup=news@example.org,ou=Externals,{site.domain_dn(ORG)}",
        {
            "objectClass": "mailExternalUser",
            "memberOfGroup": "news@example.org",
            "mail": "x@a.test",
        },
    )
    before = site.snapshot()
    accounts = under(site, {"mailUser", "mailAlias", "mailList", "mailExternalUser"})

    site.update("domain", ORG, accountStatus="disabled")

    said = {"domainStatus": (None, ("disabled",))}
    assert site.since(before) == Difference(
        changed={
            site.domain_dn(ORG).lower(): {"accountStatus": (("active",), ("disabled",))},
            **dict.fromkeys(accounts, said),
        }
    )
    assert len(accounts) == 7

    site.update("domain", ORG, accountStatus="active")

    assert site.since(before) == NOTHING


def test_an_account_that_is_off_by_itself_stays_off(site: DirectorySite) -> None:
    site.update("user", JANE, accountStatus="disabled")

    site.update("domain", ORG, accountStatus="disabled")
    site.update("domain", ORG, accountStatus="active")

    entry = site.user(JANE)
    assert entry["accountStatus"] == ("disabled",)
    assert "domainStatus" not in entry


def test_whoever_comes_to_a_disabled_domain_is_disabled_with_it(site: DirectorySite) -> None:
    site.update("domain", ORG, catchall="", accountStatus="disabled")

    site.create("user", NEW, password=PASSWORD)
    site.update("domain", ORG, catchall="x@example.net")

    assert site.user(NEW)["domainStatus"] == ("disabled",)
    assert site.user(f"@{ORG}")["domainStatus"] == ("disabled",)
    assert site.show("user", NEW)["accountStatus"] == "active"

    site.update("domain", ORG, accountStatus="active")

    assert "domainStatus" not in site.user(NEW)
    assert "domainStatus" not in site.user(f"@{ORG}")


@pytest.mark.parametrize("status", ["active", "disabled"])
def test_status_and_catch_all_can_change_together(site: DirectorySite, status: str) -> None:
    site.update("domain", ORG, catchall="")
    other = {"active": "disabled", "disabled": "active"}[status]
    site.update("domain", ORG, accountStatus=other)

    site.update("domain", ORG, accountStatus=status, catchall="x@example.net")

    disabled = status == "disabled"
    assert ("domainStatus" in site.user(f"@{ORG}")) == disabled
    assert ("domainStatus" in site.user(JANE)) == disabled


def test_a_user_who_moves_to_a_disabled_domain_is_disabled_with_it(site: DirectorySite) -> None:
    """The status that its entry repeated was still that of the domain it came from."""
    site.update("domain", "example.net", accountStatus="disabled")

    rename(site, JANE, "janet@example.net")
    rename(site, OTHER, "otto@example.org")

    assert site.user("janet@example.net")["domainStatus"] == ("disabled",)
    assert "domainStatus" not in site.user("otto@example.org")


# What the domain counts


def test_the_numbers_that_a_domain_repeats_follow(site: DirectorySite) -> None:
    """Counted once, then kept in step; they are a cache for other programs."""

    def numbers() -> tuple[str, str]:
        entry = site.domain(ORG)
        return entry["domainCurrentUserNumber"][0], entry["domainCurrentQuotaSize"][0]

    megabyte = 2**20
    site.create("user", NEW, password=PASSWORD, quota="1")
    assert numbers() == ("3", str(201 * megabyte))

    site.update("user", NEW, quota="0")
    site.update("user", JOHN, quota="7")
    assert numbers() == ("3", str(107 * megabyte))

    site.remove("user", JANE)
    assert numbers() == ("2", str(7 * megabyte))


def test_limits_count_entries_and_not_what_the_domain_repeats(site: DirectorySite) -> None:
    site.directory.replace(
        site.domain_dn(ORG), domainCurrentUserNumber="0", domainCurrentQuotaSize="0"
    )
    site.update("domain", ORG, numberOfUsers="3", quota="250")

    with pytest.raises(LimitReached):
        site.create("user", NEW, password=PASSWORD, quota="51")
    site.create("user", NEW, password=PASSWORD, quota="50")
    with pytest.raises(LimitReached):
        site.create("user", "newer@example.org", password=PASSWORD, quota="1")


def test_the_catch_all_is_no_user(site: DirectorySite) -> None:
    """Its entry looks like one."""
    assert site.show("domain", ORG)["existingUsers"] == 2
    assert site.listed("user", ORG, email_only="yes").keys == [JANE, JOHN]

    assert site.update_users(ORG, language="en_US") == 2
    site.remove("domain", ORG)

    rows = site.beside.rows("SELECT username FROM deleted_mailboxes WHERE domain = ?", ORG)
    assert sorted(row["username"] for row in rows) == [JANE, JOHN]


def test_lists_and_mail_aliases_are_counted_by_their_class(site: DirectorySite) -> None:
    shown = site.show("domain", ORG)

    assert (shown["existingLists"], shown["existingAliases"]) == (2, 1)


# What else is told and kept


def test_a_list_is_shown_once_whatever_names_its_members_carry(site: DirectorySite) -> None:
    """Members of a list name it under alias domains too; the user seemed to be in two lists."""
    site.directory.modify(
        site.user_dn(JANE),
        [(MOD_REPLACE, "memberOfGroup", ["staff@example.org", "staff@example.com"])],
    )

    groups = site.show("user", JANE)["groups"]

    assert [group for group in groups if group.startswith("staff@")] == ["staff@example.org"]


def test_services_written_for_sql_leave_a_domain_its_mail(site: DirectorySite) -> None:
    """A script that knows the one service of SQL switched off the whole domain."""
    site.update("domain", ORG, services="self-service")

    assert {"mail", "self-service"} <= set(site.domain(ORG)["enabledService"])


@pytest.mark.parametrize("form", [{"removeAllServices": ""}, {"services": ""}])
def test_no_service_at_all_is_none_at_all(site: DirectorySite, form: dict[str, str]) -> None:
    site.update("domain", ORG, form)

    assert "enabledService" not in site.domain(ORG)


def test_mail_is_switched_off_by_its_name(site: DirectorySite) -> None:
    site.update("domain", ORG, disableService="mail")

    assert "mail" not in site.domain(ORG).get("enabledService", ())


def test_a_catch_all_that_is_set_works_again(site: DirectorySite) -> None:
    """Another program had switched it off; it was shown as set and caught nothing."""
    dn = f"mail=@{ORG},ou=Users,{site.domain_dn(ORG)}"
    site.update("domain", ORG, catchall=JANE)
    site.directory.replace(dn, accountStatus="disabled")

    site.update("domain", ORG, catchall=JOHN)

    assert site.entry(dn)["accountStatus"] == ("active",)
