"""Which rows each parameter of a standalone admin is kept in, spelled out: other panels read the same."""

from __future__ import annotations

import pytest

from mailwright.passwords import verify_password
from tests.stores import EARLIER, LATER, Difference, Row, Site

ANNA = "anna@admins.test"
OLD, NEW = "2026-01-02 03:04:05", "2026-05-06 07:08:09"
STAMPED = {"modified": (OLD, NEW)}
ROW = f"admin {ANNA}"
ALL = f"domain_admins {ANNA} ALL"


@pytest.fixture
def start(site: Site) -> Site:
    """An admin of two domains, made earlier, and a global one."""
    site.clock.now = EARLIER
    site.insert("admin", username="boss@nowhere.test", settings="")
    site.insert("domain_admins", username="boss@nowhere.test", domain="ALL")
    for domain in ("example.org", "example.net"):
        site.create("domain", domain, name="Old")
    site.create("admin", ANNA, name="Old", password="Right-Horse1")
    site.vmail.execute("UPDATE admin SET settings = ? WHERE username = ?", "zebra:1;ant:2;", ANNA)
    for domain in ("example.org", "example.net"):
        site.insert("domain_admins", username=ANNA, domain=domain, created=OLD, modified=OLD)
    site.clock.now = LATER
    return site


def kept(more: str) -> Difference:
    """Only these keys come into the settings, after those of others."""
    settings = ("zebra:1;ant:2;", f"zebra:1;ant:2;{more}")
    return Difference(changed={ROW: {"settings": settings, **STAMPED}})


def own(**columns: tuple[object, object]) -> Difference:
    return Difference(changed={ROW: {**columns, **STAMPED}})


SINGLE = {
    "name": ({"name": "Anna New"}, own(name=("Old", "Anna New"))),
    "language": ({"language": "en_US"}, own(language=("", "en_US"))),
    "accountStatus": ({"accountStatus": "disabled"}, own(active=(1, 0))),
    "maxDomains": ({"maxDomains": "5"}, kept("create_new_domains:yes;create_max_domains:5;")),
    "maxDomains-any": ({"maxDomains": "-1"}, kept("create_new_domains:yes;")),
    "maxQuota-MB": ({"maxQuota": "2", "quotaUnit": "MB"}, kept("create_max_quota:2;")),
    "maxQuota-GB": ({"maxQuota": "2", "quotaUnit": "GB"}, kept("create_max_quota:2048;")),
    "maxQuota-TB": ({"maxQuota": "2", "quotaUnit": "TB"}, kept("create_max_quota:2097152;")),
    "maxUsers": ({"maxUsers": "100"}, kept("create_max_users:100;")),
    "maxAliases": ({"maxAliases": "200"}, kept("create_max_aliases:200;")),
    "maxLists": ({"maxLists": "300"}, kept("create_max_lists:300;")),
    "disableViewingMailLog": (
        {"disableViewingMailLog": "yes"},
        kept("disable_viewing_mail_log:yes;"),
    ),
    "disableManagingQuarantinedMails": (
        {"disableManagingQuarantinedMails": "yes"},
        kept("disable_managing_quarantined_mails:yes;"),
    ),
}


@pytest.mark.parametrize("name", SINGLE)
def test_a_parameter_is_kept_there_and_nowhere_else(start: Site, name: str) -> None:
    form, expected = SINGLE[name]
    before = start.snapshot()

    assert start.update("admin", ANNA, form) == []

    assert start.since(before) == expected


def test_a_password_is_hashed_and_dated(start: Site) -> None:
    before = start.snapshot()

    start.update("admin", ANNA, password="Other-Horse2")

    (columns,) = start.since(before).changed.values()
    assert set(columns) == {"password", "passwordlastchange", "modified"}
    assert columns["passwordlastchange"] == (OLD, NEW)
    assert verify_password("Other-Horse2", str(columns["password"][1]))


def test_what_is_no_more_leaves_no_key(start: Site) -> None:
    limits = {"maxDomains": "5", "maxQuota": "2", "quotaUnit": "GB", "maxUsers": "100"}
    limits |= {"maxAliases": "1", "maxLists": "2", "disableViewingMailLog": "yes"}
    before = start.snapshot()
    start.update("admin", ANNA, limits)

    zero = {name: "0" for name in limits if name.startswith("max")}
    start.update("admin", ANNA, {**zero, "quotaUnit": "TB", "disableViewingMailLog": "no"})

    assert start.since(before) == Difference(changed={ROW: STAMPED})


def test_another_programs_unit_does_not_stay_beside_a_new_quota(start: Site) -> None:
    """It says in which unit a page shows the number, which is in MB."""
    settings = "create_max_quota:2048;create_quota_unit:GB;"
    start.vmail.execute("UPDATE admin SET settings = ? WHERE username = ?", settings, ANNA)
    shown = start.show("admin", ANNA)
    assert (shown["maxQuota"], shown["quotaUnit"]) == (2048, "MB")

    start.update("admin", ANNA, maxQuota="7", quotaUnit="MB")

    assert start.row("admin", ANNA)["settings"] == "create_max_quota:7;"


def test_a_global_admin_has_one_row_for_all_domains_and_no_limits(start: Site) -> None:
    start.update("admin", ANNA, maxUsers="5", maxDomains="1", disableViewingMailLog="yes")
    start.clock.now = LATER
    before = start.snapshot()
    settings = before[ROW]["settings"]
    assert "create_" in settings

    start.update("admin", ANNA, isGlobalAdmin="yes")

    difference = start.since(before)
    assert {name: row["domain"] for name, row in difference.added.items()} == {ALL: "ALL"}
    row = difference.added[ALL]
    assert (row["created"], row["modified"], row["active"]) == (NEW, NEW, 1)
    assert set(difference.removed) == {
        f"domain_admins {ANNA} {domain}" for domain in ("example.org", "example.net")
    }
    assert difference.changed == {
        ROW: {"settings": (settings, "zebra:1;ant:2;disable_viewing_mail_log:yes;")}
    }


def test_who_is_no_global_admin_any_more_has_no_row(start: Site) -> None:
    start.update("admin", ANNA, isGlobalAdmin="yes")
    before = start.snapshot()

    start.update("admin", ANNA, isGlobalAdmin="no", maxUsers="5")

    difference = start.since(before)
    assert set(difference.removed) == {ALL}
    assert difference.added == {}
    assert difference.changed == {
        ROW: {"settings": ("zebra:1;ant:2;", "zebra:1;ant:2;create_max_users:5;")}
    }


def created(start: Site, **form: str) -> tuple[Row, Difference]:
    before = start.snapshot()
    start.create("admin", "new@admins.test", password="Right-Horse1", **form)
    difference = start.since(before)
    row = dict(difference.added.pop("admin new@admins.test"))
    assert verify_password("Right-Horse1", str(row.pop("password")))
    del row["expired"]
    return row, difference


def test_a_new_admin_is_one_row(start: Site) -> None:
    row, difference = created(start)

    assert row == {
        "username": "new@admins.test",
        "name": "",
        "language": "",
        "passwordlastchange": NEW,
        "settings": row["settings"],
        "created": NEW,
        "modified": NEW,
        "active": 1,
    }
    assert not row["settings"]  # MariaDB has NULL where nothing is given
    assert difference == Difference()


def test_a_new_admin_has_what_was_asked_for(start: Site) -> None:
    row, difference = created(
        start,
        name="New",
        language="de_DE",
        accountStatus="disabled",
        maxDomains="3",
        maxQuota="1",
        quotaUnit="TB",
        maxUsers="10",
        disableManagingQuarantinedMails="yes",
    )

    assert (row["name"], row["language"], row["active"]) == ("New", "de_DE", 0)
    assert set(row["settings"].rstrip(";").split(";")) == {
        *("create_new_domains:yes", "create_max_domains:3", "create_max_quota:1048576"),
        *("create_max_users:10", "disable_managing_quarantined_mails:yes"),
    }
    assert difference == Difference()


def test_a_new_global_admin_is_two_rows_whatever_else_was_asked_for(start: Site) -> None:
    row, difference = created(start, isGlobalAdmin="yes", maxUsers="5", disableViewingMailLog="yes")

    assert not row["settings"]
    (grant,) = difference.added.values()
    assert (grant["username"], grant["domain"]) == ("new@admins.test", "ALL")
    assert (difference.removed, difference.changed) == ({}, {})


def test_a_removed_admin_leaves_no_row(start: Site) -> None:
    start.insert("domain_admins", username="other@admins.test", domain="example.org")
    before = start.snapshot("vmail", "iredapd", "amavisd")

    start.remove("admin", ANNA)

    difference = start.since(before, "vmail", "iredapd", "amavisd")
    assert set(difference.removed) == {
        ROW,
        *(f"domain_admins {ANNA} {domain}" for domain in ("example.org", "example.net")),
    }
    assert (difference.added, difference.changed) == ({}, {})
