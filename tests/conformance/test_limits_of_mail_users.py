"""What a mail user who was named an admin may hand out is shown and set at `/api/admin/<mail>`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mailwright.errors import Invalid, NotFound
from mailwright.fields.resource import as_text
from mailwright.resources import limits
from tests.conformance.neighbours import add_domain, add_user
from tests.stores import NOTHING, Site

ORG, NET = "example.org", "example.net"
ALONE = "anna@consultant.test"
JANE, BOSS, USER = f"jane@{ORG}", f"boss@{ORG}", f"user@{ORG}"
EVERYTHING = {
    "maxDomains": "7",
    "maxQuota": "2",
    "quotaUnit": "GB",
    "maxUsers": "3",
    "maxAliases": "4",
    "maxLists": "5",
    "disableViewingMailLog": "yes",
    "disableManagingQuarantinedMails": "yes",
}
SHOWN = {
    "maxDomains": 7,
    "maxQuota": 2048,
    "quotaUnit": "MB",
    "maxUsers": 3,
    "maxAliases": 4,
    "maxLists": 5,
    "disableViewingMailLog": True,
    "disableManagingQuarantinedMails": True,
}


@pytest.fixture
def start(site: Site) -> Site:
    with site.together():
        for domain in (ORG, NET):
            add_domain(site, domain)
        site.insert("admin", username=ALONE, password="{PLAIN}x", name="", active=1)
        site.insert("admin", username="root@consultant.test", password="{PLAIN}x", active=1)
        site.insert("domain_admins", username="root@consultant.test", domain="ALL")
        add_user(site, JANE, isadmin=1, name="Jane", settings="timezone:UTC;")
        add_user(site, BOSS, isadmin=1, isglobaladmin=1)
        add_user(site, USER)
        for mail in (ALONE, JANE):
            for domain in (ORG, NET):
                site.insert("domain_admins", username=mail, domain=domain)
        site.insert("domain_admins", username=BOSS, domain="ALL")
    return site


def settings(site: Site, mail: str) -> dict[str, str]:
    with site.app.store.session() as accounts:
        return dict(accounts.admin_settings(mail))


def test_all_of_them_are_set_shown_and_taken_back(start: Site) -> None:
    before = start.snapshot()
    assert [] == start.update("admin", JANE, EVERYTHING)

    assert SHOWN.items() <= start.show("admin", JANE).items()
    assert True is start.show("admin", JANE)["isMailUser"]
    assert limits.Limits(
        may_create_domains=True, domains=7, users=3, quota=2048
    ) == limits.Limits.of(settings(start, JANE))
    assert "UTC" == settings(start, JANE)["timezone"]

    nothing = {name: "no" if text == "yes" else "0" for name, text in EVERYTHING.items()}
    start.update("admin", JANE, {**nothing, "quotaUnit": "TB"})
    assert start.since(before).touched <= {name for name in before if JANE in name}
    assert {"timezone": "UTC"} == {k: v for k, v in settings(start, JANE).items() if v}


def test_the_user_is_as_before(start: Site) -> None:
    before = start.show("user", JANE)

    start.update("admin", JANE, EVERYTHING)

    after = start.show("user", JANE)
    assert {"modified"} >= {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize("mail", [ALONE, JANE, BOSS])
def test_what_is_shown_can_be_sent_back(start: Site, mail: str) -> None:
    if mail != BOSS:
        start.update("admin", mail, EVERYTHING)
    form = {name: as_text(value) for name, value in start.show("admin", mail).items()}
    before = start.snapshot()

    assert [] == start.update("admin", mail, form)

    assert NOTHING == start.since(before)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("name", "Other"),
        ("cn", "Other"),
        ("password", "Fresh-Pass1"),
        ("accountStatus", "disabled"),
        ("language", "de_DE"),
        ("isGlobalAdmin", "yes"),
    ],
)
def test_what_is_the_users_is_refused_and_says_where(start: Site, name: str, text: str) -> None:
    before = start.snapshot()

    with pytest.raises(Invalid, match=f"PUT /api/user/{JANE}") as caught:
        start.update("admin", JANE, {name: text, "maxUsers": "3"})

    assert {"cn": "name"}.get(name, name) == caught.value.parameter
    assert NOTHING == start.since(before)


def test_a_quota_has_its_unit(start: Site) -> None:
    with pytest.raises(Invalid, match="must be used with quotaUnit"):
        start.update("admin", JANE, maxQuota="2")


def test_a_global_admin_has_no_limits(start: Site) -> None:
    before = start.snapshot()

    (warning,) = start.update("admin", BOSS, maxUsers="3", disableViewingMailLog="yes")

    assert "no such limits; ignored: maxUsers, disableViewingMailLog" in warning
    assert NOTHING == start.since(before)


@pytest.mark.parametrize("mail", [USER, f"nobody@{ORG}", "x@nowhere.test"])
def test_who_is_no_admin_is_not_there(start: Site, mail: str) -> None:
    for operation in (start.show, start.update, start.remove):
        with pytest.raises(NotFound, match=f"admin {mail} does not exist"):
            operation("admin", mail)


@pytest.mark.parametrize("mail", [JANE, BOSS])
def test_a_mail_user_is_not_deleted_as_an_admin(start: Site, mail: str) -> None:
    before = start.snapshot("vmail", "iredadmin")

    with pytest.raises(NotFound, match="removeAdmin") as caught:
        start.remove("admin", mail)

    assert "NO_SUCH_ACCOUNT" == caught.value.code
    assert NOTHING == start.since(before, "vmail", "iredadmin")


def test_the_record_names_what_was_changed(start: Site) -> None:
    start.update("admin", JANE, maxUsers="3")

    (row,) = start.raw["iredadmin"].rows(
        "SELECT action, resource, target, domain, changes FROM mailwright_audit"
    )
    changes = msgspec.json.decode(row.pop("changes"))
    assert ["update", "admin", JANE, ORG] == list(row.values())
    assert {"maxUsers": [0, 3]} == changes


def test_a_standalone_namesake_is_who_is_meant(start: Site) -> None:
    start.insert("admin", username=JANE, password="{PLAIN}x", name="Alone", active=1)

    assert ("Alone", False) == tuple(
        start.show("admin", JANE)[name] for name in ("name", "isMailUser")
    )


BELOW = [
    ({"maxUsers": "2"}, "maxUsers", 3),
    ({"maxQuota": "299", "quotaUnit": "MB"}, "maxQuota", 300),
    ({"maxDomains": "1"}, "maxDomains", 2),
]


@pytest.mark.parametrize("mail", [ALONE, JANE])
@pytest.mark.parametrize(("form", "name", "used"), BELOW)
def test_a_limit_below_what_is_there_is_told(
    start: Site, mail: str, form: dict[str, str], name: str, used: int
) -> None:
    use(start)
    start.update("admin", mail, maxDomains="-1")

    (warning,) = start.update("admin", mail, form)

    assert f"{name} is below what {mail} already has ({used}); what is there stays" == warning
    assert [] == start.update("admin", mail, form)  # is no news


def use(site: Site) -> None:
    """Three users, 300 MB, two domains."""
    for mail, quota in ((JANE, 100), (BOSS, 0), (USER, 200)):
        site.update("user", mail, quota=str(quota))


@pytest.mark.parametrize("mail", [ALONE, JANE])
@pytest.mark.parametrize(
    "form",
    [
        {"maxUsers": "3"},
        {"maxUsers": "0"},
        {"maxQuota": "300", "quotaUnit": "MB"},
        {"maxDomains": "2"},
        {"maxDomains": "0"},
        {"maxAliases": "1", "maxLists": "1"},
        {"disableViewingMailLog": "yes"},
    ],
)
def test_a_limit_that_holds_is_not(start: Site, mail: str, form: dict[str, str]) -> None:
    use(start)
    start.update("admin", mail, maxUsers="2", maxDomains="-1")

    assert [] == start.update("admin", mail, form)


def test_a_higher_limit_is_not_either(start: Site) -> None:
    start.update("admin", JANE, maxUsers="1", maxDomains="0")

    assert [] == start.update("admin", JANE, maxUsers="2", maxDomains="1")


def test_the_use_of_all_domains_is_asked_for_once(
    start: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    with start.app.store.session() as accounts:
        kind = type(accounts)
    plain = kind.usage

    def usage(self: Any, *domains: str) -> Any:
        asked.append(domains)
        return plain(self, *domains)

    monkeypatch.setattr(kind, "usage", usage)
    start.update("admin", JANE, maxUsers="1", maxAliases="1", maxQuota="1", quotaUnit="MB")
    start.update("admin", JANE, maxUsers="2", maxDomains="3")

    assert [(NET, ORG)] == asked


def test_that_none_is_allowed_is_shown_and_sent_back(start: Site) -> None:
    """Other programs write -1; -7 means no more than that."""
    none = "create_new_domains:yes;create_max_domains:-1;create_max_users:-7;create_max_quota:-1;"
    add_user(start, f"none@{ORG}", isadmin=1, settings=none)
    start.insert("domain_admins", username=f"none@{ORG}", domain=ORG)

    shown = start.show("admin", f"none@{ORG}")

    assert (0, -1, -1) == tuple(shown[name] for name in ("maxDomains", "maxUsers", "maxQuota"))
    form = {name: as_text(value) for name, value in shown.items()}
    before = start.snapshot()
    assert [] == start.update("admin", f"none@{ORG}", form)
    assert NOTHING == start.since(before)
