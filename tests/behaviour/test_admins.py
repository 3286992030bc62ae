"""Standalone admins: who may be one, which rank they have, and what goes with it."""

from __future__ import annotations

import pytest

from mailwright.errors import Exists, Forbidden, Invalid, MailwrightError, NotFound
from tests.behaviour.conftest import PASSWORD
from tests.behaviour.test_standalone_admins import grants
from tests.directory_site import DirectorySite
from tests.stores import NOTHING, Site, on_openldap

ANNA, BOSS = "anna@admins.test", "boss@nowhere.test"


@pytest.fixture
def anna(start: Site) -> Site:
    """A normal admin of one domain."""
    start.create("admin", ANNA, password=PASSWORD, maxUsers="5")
    start.insert("domain_admins", username=ANNA, domain="example.org")
    return start


@pytest.fixture
def last(start: Site) -> Site:
    """Anna is the only global admin."""
    start.create("admin", ANNA, password=PASSWORD, isGlobalAdmin="yes")
    start.dismiss(BOSS)
    return start


def sessions(site: Site) -> set[str]:
    rows = site.raw["iredadmin"].rows("SELECT username FROM mailwright_sessions")
    return {row["username"] for row in rows}


def log_in(site: Site, *usernames: str) -> None:
    for username in usernames:
        site.raw["iredadmin"].insert(
            "mailwright_sessions",
            token_hash=username,
            username=username,
            created=1,
            seen=1,
            address="",
        )


# Who may be one


@pytest.mark.parametrize("address", ["a@example.org", "a@example.com", "A@EXAMPLE.ORG."])
def test_nobody_of_a_hosted_domain(start: Site, address: str) -> None:
    before = start.snapshot()

    with pytest.raises(Invalid) as caught:
        start.create("admin", address, password=PASSWORD)

    assert (caught.value.code, caught.value.parameter) == ("CAN_NOT_BE_LOCAL_DOMAIN", "mail")
    assert start.since(before) == NOTHING


@pytest.mark.parametrize("address", [BOSS, "BOSS@Nowhere.Test"])
def test_nobody_twice(start: Site, address: str) -> None:
    before = start.snapshot()

    with pytest.raises(Exists) as caught:
        start.create("admin", address, password=PASSWORD)

    assert (caught.value.code, caught.value.parameter) == ("ALREADY_EXISTS", "mail")
    assert start.since(before) == NOTHING


def test_nobody_whose_address_is_a_mail_users(start: Site) -> None:
    """Another program gave Jane an address in a domain that is not hosted here."""
    start.insert(
        "forwardings",
        address=ANNA,
        forwarding="jane@example.org",
        domain="example.org",
        dest_domain="example.org",
        is_alias=1,
    )

    with pytest.raises(Exists):
        start.create("admin", ANNA, password=PASSWORD)


@pytest.mark.parametrize("address", ["anna", "@admins.test", "a b@admins.test", "anna@localhost"])
def test_nobody_without_an_address(start: Site, address: str) -> None:
    with pytest.raises(Invalid) as caught:
        start.create("admin", address, password=PASSWORD)

    assert "INVALID_MAIL" == caught.value.code


@pytest.mark.parametrize(
    ("form", "code", "parameter"),
    [
        ({}, "PW_EMPTY", "password"),
        ({"password": ""}, "PW_EMPTY", "password"),
        ({"password": "short"}, None, "password"),
        ({"password": PASSWORD, "maxQuota": "5"}, "INVALID_PARAMETER", "maxQuota"),
        ({"password": PASSWORD, "quotaUnit": "GB"}, "INVALID_PARAMETER", "quotaUnit"),
        ({"password": PASSWORD, "language": "xx_XX"}, "INVALID_PARAMETER", "language"),
    ],
)
def test_what_is_refused_when_creating_leaves_no_trace(
    start: Site, form: dict[str, str], code: str | None, parameter: str
) -> None:
    before = start.snapshot()

    with pytest.raises(Invalid) as caught:
        start.create("admin", ANNA, form)

    assert caught.value.parameter == parameter
    assert code is None or caught.value.code == code
    assert start.since(before) == NOTHING


def test_somebody_of_a_domain_that_is_hosted_later_stays(anna: Site) -> None:
    anna.create("domain", "admins.test", name="Later")

    anna.update("admin", ANNA, name="Anna")

    assert anna.show("admin", ANNA)["name"] == "Anna"


# Rank


def test_a_new_admin_administers_nothing_unless_global(start: Site) -> None:
    start.create("admin", ANNA, password=PASSWORD)
    start.create("admin", "root@admins.test", password=PASSWORD, isGlobalAdmin="yes")

    shown = {name: start.show("admin", name) for name in (ANNA, "root@admins.test")}
    assert [(False, ()), (True, ("ALL",))] == [
        (each["isGlobalAdmin"], each["managedDomains"]) for each in shown.values()
    ]


def test_domains_of_a_normal_admin_are_shown_and_kept(anna: Site) -> None:
    anna.update("admin", ANNA, name="Anna", maxUsers="6", password="Other-Horse2")

    assert anna.show("admin", ANNA)["managedDomains"] == ("example.org",)
    assert (ANNA, "example.org") in grants(anna)


def test_a_global_admin_loses_domains_and_limits_and_does_not_get_them_back(anna: Site) -> None:
    assert anna.update("admin", ANNA, isGlobalAdmin="yes") == []
    shown = anna.show("admin", ANNA)
    assert (shown["managedDomains"], shown["maxUsers"]) == (("ALL",), 0)

    anna.update("admin", ANNA, isGlobalAdmin="no")

    shown = anna.show("admin", ANNA)
    assert (shown["isGlobalAdmin"], shown["managedDomains"], shown["maxUsers"]) == (False, (), 0)
    assert [(BOSS, "ALL")] == grants(anna)


LIMITS = {
    "maxDomains": "5",
    "maxQuota": "2",
    "quotaUnit": "GB",
    "maxUsers": "5",
    "maxAliases": "5",
    "maxLists": "5",
    "disableViewingMailLog": "yes",
    "disableManagingQuarantinedMails": "yes",
}
NAMED = ", ".join(name for name in LIMITS if name != "quotaUnit")


def test_limits_are_discarded_with_a_warning_for_whoever_becomes_global(start: Site) -> None:
    told = [f"{ANNA} is a global admin, who has no such limits; ignored: {NAMED}"]

    assert told == start.create(
        "admin", ANNA, {**LIMITS, "isGlobalAdmin": "yes"}, password=PASSWORD
    )
    created = start.show("admin", ANNA)
    start.update("admin", ANNA, isGlobalAdmin="no")

    assert told == start.update("admin", ANNA, {**LIMITS, "isGlobalAdmin": "yes"})
    for shown in (created, start.show("admin", ANNA)):
        assert {0} == {shown[name] for name in LIMITS if name.startswith("max")}
        assert not shown["disableViewingMailLog"]


def test_limits_are_discarded_with_a_warning_for_whoever_is_global(last: Site) -> None:
    before = last.snapshot()

    warnings = last.update("admin", ANNA, LIMITS)

    assert warnings == [f"{ANNA} is a global admin, who has no such limits; ignored: {NAMED}"]
    assert last.since(before) == NOTHING


def test_limits_are_taken_with_the_rank_of_a_normal_admin(last: Site) -> None:
    last.create("admin", "root@admins.test", password=PASSWORD, isGlobalAdmin="yes")

    warnings = last.update("admin", ANNA, {**LIMITS, "isGlobalAdmin": "no"})

    shown = last.show("admin", ANNA)
    assert warnings == []
    assert (shown["maxDomains"], shown["maxQuota"], shown["quotaUnit"]) == (5, 2048, "MB")


@pytest.mark.parametrize("form", [LIMITS, {"isGlobalAdmin": "yes"}, {"maxDomains": "-1"}])
def test_what_is_shown_can_be_sent_back(start: Site, form: dict[str, str]) -> None:
    start.create("admin", ANNA, form, password=PASSWORD)
    start.insert("domain_admins", username=ANNA, domain="example.org")
    shown = start.show("admin", ANNA)
    sent = {
        name: "yes" if value is True else "no" if value is False else str(value)
        for name, value in shown.items()
        if not isinstance(value, tuple)
    }
    before = start.snapshot()

    assert start.update("admin", ANNA, sent) == []

    assert start.since(before) == NOTHING


# The last one


WAYS = {
    "demoted": lambda site: site.update("admin", ANNA, isGlobalAdmin="no"),
    "disabled": lambda site: site.update("admin", ANNA, accountStatus="disabled"),
    "removed": lambda site: site.remove("admin", ANNA),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_last_global_admin_cannot_be(last: Site, way: str) -> None:
    before = last.snapshot()

    with pytest.raises(Forbidden) as caught:
        WAYS[way](last)

    assert caught.value.code == "NOT_ALLOWED"
    assert last.since(before) == NOTHING


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["admin", "user"])
def test_the_last_but_one_can_be(last: Site, way: str, kind: str) -> None:
    """Whatever sort of account the other one is."""
    if kind == "admin":
        last.create("admin", "root@admins.test", password=PASSWORD, isGlobalAdmin="yes")
    else:
        last.update("user", "jane@example.org", isGlobalAdmin="yes")

    WAYS[way](last)


@pytest.mark.parametrize("way", WAYS)
def test_a_disabled_global_admin_does_not_count(last: Site, way: str) -> None:
    last.create("admin", "root@admins.test", password=PASSWORD, isGlobalAdmin="yes")
    last.update("admin", "root@admins.test", accountStatus="disabled")

    with pytest.raises(Forbidden):
        WAYS[way](last)


def test_other_changes_of_the_last_one_are_free(last: Site) -> None:
    last.update("admin", ANNA, name="Boss", isGlobalAdmin="yes", accountStatus="active")

    assert last.show("admin", ANNA)["name"] == "Boss"


# Sessions


@pytest.mark.parametrize(
    "form",
    [
        {"password": "Other-Horse2"},
        {"accountStatus": "disabled"},
        {"isGlobalAdmin": "no"},
    ],
    ids=lambda form: next(iter(form)),
)
def test_sessions_end_with_the_password_the_account_or_the_rank(
    start: Site, form: dict[str, str]
) -> None:
    start.create("admin", ANNA, password=PASSWORD, isGlobalAdmin="yes")
    log_in(start, ANNA, BOSS)

    start.update("admin", ANNA, name="Other")
    assert {ANNA, BOSS} == sessions(start)
    start.update("admin", ANNA, form)

    assert {BOSS} == sessions(start)


def test_sessions_end_with_the_removal(anna: Site) -> None:
    log_in(anna, ANNA, BOSS)

    anna.remove("admin", ANNA)

    assert {BOSS} == sessions(anna)
    assert anna.raw["iredadmin"].rows("SELECT * FROM mailwright_leftovers") == []


# Removal


def test_a_removed_admin_has_no_grants_for_a_successor(anna: Site) -> None:
    anna.remove("admin", ANNA)
    with pytest.raises(NotFound) as caught:
        anna.show("admin", ANNA)
    assert caught.value.code == "NO_SUCH_ACCOUNT"
    with pytest.raises(NotFound):
        anna.remove("admin", ANNA)

    anna.create("admin", ANNA, password=PASSWORD)

    assert anna.show("admin", ANNA)["managedDomains"] == ()
    assert [(BOSS, "ALL")] == grants(anna)


def test_a_mail_user_of_the_same_address_is_no_admin_any_more(anna: Site) -> None:
    """Another program made both, and their grants are the same rows."""
    anna.create("domain", "admins.test", name="Later")
    anna.insert(
        "mailbox",
        username=ANNA,
        domain="admins.test",
        password="",
        name="Namesake",
        maildir="x",
        isadmin=1,
        isglobaladmin=1,
    )

    anna.remove("admin", ANNA)

    shown = anna.show("user", ANNA)
    assert (shown["name"], shown["isAdmin"], shown["isGlobalAdmin"]) == ("Namesake", False, False)
    assert [(BOSS, "ALL")] == grants(anna)


def test_policies_of_a_mail_user_of_the_same_address_stay(anna: Site) -> None:
    iredapd = anna.raw["iredapd"]
    iredapd.insert("throttle", id=1_000_001, account=ANNA, kind="outbound", priority=1)

    anna.remove("admin", ANNA)

    assert [ANNA] == [row["account"] for row in iredapd.rows("SELECT account FROM throttle")]


# Lists


def test_admins_are_listed_searched_sorted_and_paged(anna: Site) -> None:
    anna.create("admin", "zoe@admins.test", password=PASSWORD, name="Anna's friend")
    anna.update("admin", "zoe@admins.test", accountStatus="disabled")

    def names(**form: str) -> list[str]:
        return list(anna.listed("admin", None, email_only="yes", **form).keys)

    assert [ANNA, BOSS, "zoe@admins.test"] == names()
    assert [ANNA, "zoe@admins.test"] == names(q="anna")
    assert ["zoe@admins.test"] == names(disabled_only="yes")
    assert ["zoe@admins.test", BOSS, ANNA] == names(sort="-mail")
    page = anna.listed("admin", None, limit="2")
    assert [ANNA, BOSS] == [record.key for record in page.records or ()]
    rest = anna.listed("admin", None, limit="2", page_token=page.next or "")
    assert ["zoe@admins.test"] == [record.key for record in rest.records or ()]
    profiles = {record.key: record for record in anna.listed("admin", None).records or ()}
    for name in (ANNA, BOSS):
        listed = {field.name: value for field, value in profiles[name].items()}
        assert anna.show("admin", name) == listed


@on_openldap
def test_an_unfinished_promotion_is_finished(anna: DirectorySite) -> None:
    """On a directory the domains are other entries, and the process may end between two writes."""
    anna.insert("domain_admins", username=ANNA, domain="example.net")
    directory, dn = anna.directory, anna.domain_dn("example.net")
    before = anna.snapshot()
    with pytest.MonkeyPatch.context() as patch:
        _die_before(patch, f"mail={ANNA},{directory.admin_base_dn}")
        with pytest.raises((MailwrightError, KeyboardInterrupt)):
            anna.update("admin", ANNA, isGlobalAdmin="yes", name="Anna")
    assert anna.since(before).touched <= {dn.lower(), anna.domain_dn("example.org").lower()}

    anna.app.repair()

    assert anna.show("admin", ANNA)["isGlobalAdmin"] is True
    assert grants(anna) == sorted([(ANNA, "ALL"), (BOSS, "ALL")])


def _die_before(patch: pytest.MonkeyPatch, dn: str) -> None:
    from tests.servers import require  # noqa: PLC0415 - python-ldap may be missing

    connection_class = require.module("mailwright.storage.ldap.connections").Connection
    modify = connection_class.modify

    def die(connection: object, name: str, *more: object) -> None:
        if name.lower() == dn.lower():
            raise KeyboardInterrupt
        modify(connection, name, *more)

    patch.setattr(connection_class, "modify", die)
