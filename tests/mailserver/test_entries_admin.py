"""Which attributes each parameter of a standalone admin is kept in, spelled out."""

from __future__ import annotations

import pytest

from mailwright.passwords import verify_password
from tests.directory_site import DirectorySite
from tests.stores import EARLIER, LATER, Difference

pytestmark = pytest.mark.openldap

ANNA, OTHER = "anna@admins.test", "other@admins.test"
KEPT = ("ant:2", "zebra:x:1")  # settings of another program
NEW_DAY = "20579"  # days since 1970-01-01


def dn(site: DirectorySite, address: str = ANNA) -> str:
    return f"mail={address},{site.directory.admin_base_dn}".lower()


@pytest.fixture
def start(directory_site: DirectorySite) -> DirectorySite:
    """An admin of two domains, made earlier, another of one, and a global one."""
    site = directory_site
    site.clock.now = EARLIER
    site.insert("admin", username="boss@nowhere.test", settings="")
    site.insert("domain_admins", username="boss@nowhere.test", domain="ALL")
    for domain in ("example.org", "example.net"):
        site.create("domain", domain, name="Old")
    for admin in (ANNA, OTHER):
        site.create("admin", admin, name="Old", password="Right-Horse1")
    site.directory.replace(dn(site), accountSetting=list(KEPT), description="another program's")
    for domain in ("example.org", "example.net"):
        site.insert("domain_admins", username=ANNA, domain=domain)
    site.insert("domain_admins", username=OTHER, domain="example.org")
    site.clock.now = LATER
    return site


Columns = dict[str, tuple[object, object]]


def kept(*more: str) -> Columns:
    return {"accountSetting": (KEPT, tuple(sorted((*KEPT, *more))))}


SINGLE: dict[str, tuple[dict[str, str], Columns]] = {
    "name": ({"name": "Žanéta New"}, {"cn": (("Old",), ("Žanéta New",))}),
    "name-empty": ({"name": ""}, {"cn": (("Old",), None)}),
    "language": ({"language": "en_US"}, {"preferredLanguage": (None, ("en_US",))}),
    "accountStatus": (
        {"accountStatus": "disabled"},
        {"accountStatus": (("active",), ("disabled",))},
    ),
    "maxDomains": ({"maxDomains": "5"}, kept("create_new_domains:yes", "create_max_domains:5")),
    "maxDomains-any": ({"maxDomains": "-1"}, kept("create_new_domains:yes")),
    "maxQuota-GB": ({"maxQuota": "2", "quotaUnit": "GB"}, kept("create_max_quota:2048")),
    "maxUsers": ({"maxUsers": "100"}, kept("create_max_users:100")),
    "maxAliases": ({"maxAliases": "200"}, kept("create_max_aliases:200")),
    "maxLists": ({"maxLists": "300"}, kept("create_max_lists:300")),
    "disableViewingMailLog": (
        {"disableViewingMailLog": "yes"},
        {"disabledService": (None, ("view_mail_log",))},
    ),
    "disableManagingQuarantinedMails": (
        {"disableManagingQuarantinedMails": "yes"},
        {"disabledService": (None, ("manage_quarantined_mails",))},
    ),
}


@pytest.mark.parametrize("name", SINGLE)
def test_a_parameter_is_kept_there_and_nowhere_else(start: DirectorySite, name: str) -> None:
    form, columns = SINGLE[name]
    before = start.snapshot()

    assert start.update("admin", ANNA, form) == []

    assert start.since(before) == Difference(changed={dn(start): columns})


def test_services_that_others_switched_off_stay_off(start: DirectorySite) -> None:
    start.directory.replace(dn(start), disabledService=["view_mail_log", "other"])

    start.update("admin", ANNA, disableViewingMailLog="no", disableManagingQuarantinedMails="yes")

    assert start.entry(dn(start))["disabledService"] == ("manage_quarantined_mails", "other")


def test_a_password_is_hashed_and_dated(start: DirectorySite) -> None:
    before = start.snapshot()

    start.update("admin", ANNA, password="Other-Horse2")

    columns = start.since(before).changed[dn(start)]
    assert set(columns) == {"userPassword", "shadowLastChange"}
    assert columns["shadowLastChange"] == (("20455",), (NEW_DAY,))
    (password,) = columns["userPassword"][1]  # type: ignore[misc]
    assert verify_password("Other-Horse2", password)


def test_a_global_admin_says_so_and_no_domain_does(start: DirectorySite) -> None:
    start.update("admin", ANNA, maxUsers="5", maxDomains="1", disableViewingMailLog="yes")
    before = start.snapshot()

    start.update("admin", ANNA, isGlobalAdmin="yes")

    limits = ("create_max_domains:1", "create_max_users:5", "create_new_domains:yes")
    assert start.since(before) == Difference(
        changed={
            dn(start): {
                "domainGlobalAdmin": (None, ("yes",)),
                "accountSetting": (tuple(sorted((*KEPT, *limits))), KEPT),
            },
            start.domain_dn("example.org").lower(): {"domainAdmin": ((ANNA, OTHER), (OTHER,))},
            start.domain_dn("example.net").lower(): {"domainAdmin": ((ANNA,), None)},
        }
    )


def test_who_is_no_global_admin_any_more_does_not_say_so(start: DirectorySite) -> None:
    start.update("admin", ANNA, isGlobalAdmin="yes")
    before = start.snapshot()

    start.update("admin", ANNA, isGlobalAdmin="no", maxUsers="5")

    assert start.since(before) == Difference(
        changed={
            dn(start): {
                "domainGlobalAdmin": (("yes",), None),
                "accountSetting": (KEPT, tuple(sorted((*KEPT, "create_max_users:5")))),
            }
        }
    )


def test_an_older_no_is_none(start: DirectorySite) -> None:
    start.directory.replace(dn(start), domainGlobalAdmin="no")

    shown = start.show("admin", ANNA)

    assert (shown["isGlobalAdmin"], shown["managedDomains"]) == (
        False,
        ("example.net", "example.org"),
    )


def test_a_new_admin_is_one_entry(start: DirectorySite) -> None:
    before = start.snapshot()

    start.create("admin", "new@admins.test", password="Right-Horse1")

    difference = start.since(before)
    entry = dict(difference.added.pop(dn(start, "new@admins.test")))
    assert verify_password("Right-Horse1", entry.pop("userPassword")[0])
    assert entry == {
        "objectClass": ("mailAdmin",),
        "mail": ("new@admins.test",),
        "accountStatus": ("active",),
        "shadowLastChange": (NEW_DAY,),
    }
    assert difference == Difference()


def test_a_new_admin_has_what_was_asked_for(start: DirectorySite) -> None:
    start.create(
        "admin",
        "new@admins.test",
        password="Right-Horse1",
        name="New",
        language="de_DE",
        accountStatus="disabled",
        maxDomains="3",
        maxQuota="1",
        quotaUnit="TB",
        disableViewingMailLog="yes",
    )

    entry = dict(start.entry(dn(start, "new@admins.test")))
    del entry["userPassword"]
    assert entry == {
        "objectClass": ("mailAdmin",),
        "mail": ("new@admins.test",),
        "cn": ("New",),
        "preferredLanguage": ("de_DE",),
        "accountStatus": ("disabled",),
        "shadowLastChange": (NEW_DAY,),
        "accountSetting": (
            *("create_max_domains:3", "create_max_quota:1048576", "create_new_domains:yes"),
        ),
        "disabledService": ("view_mail_log",),
    }


def test_a_new_global_admin_has_no_limits_whatever_was_asked_for(start: DirectorySite) -> None:
    start.create(
        "admin",
        "new@admins.test",
        password="Right-Horse1",
        isGlobalAdmin="yes",
        maxUsers="5",
        disableViewingMailLog="yes",
    )

    entry = start.entry(dn(start, "new@admins.test"))
    assert entry["domainGlobalAdmin"] == ("yes",)
    assert set(entry).isdisjoint({"accountSetting", "disabledService"})


def test_a_removed_admin_is_named_nowhere(start: DirectorySite) -> None:
    before = start.snapshot("vmail", "iredapd", "amavisd")

    start.remove("admin", ANNA)

    difference = start.since(before, "vmail", "iredapd", "amavisd")
    assert set(difference.removed) == {dn(start)}
    assert difference.added == {}
    assert difference.changed == {
        start.domain_dn("example.org").lower(): {"domainAdmin": ((ANNA, OTHER), (OTHER,))},
        start.domain_dn("example.net").lower(): {"domainAdmin": ((ANNA,), None)},
    }
    assert start.beside.rows("SELECT * FROM deleted_mailboxes") == []


def test_an_address_that_needs_escaping_is_no_other(start: DirectorySite) -> None:
    odd = "#anna+x@admins.test"
    start.create("admin", odd, password="Right-Horse1", name="Odd")

    start.update("admin", odd, isGlobalAdmin="yes")
    assert start.show("admin", odd)["managedDomains"] == ("ALL",)
    assert start.listed("admin", None, email_only="yes").keys == [
        *(odd, ANNA, "boss@nowhere.test", OTHER),
    ]
    start.remove("admin", odd)

    assert odd not in start.listed("admin", None, email_only="yes").keys
