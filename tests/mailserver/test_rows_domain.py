"""Which rows each parameter of a domain is kept in, spelled out: this is what the mail programs read."""

from __future__ import annotations

import pytest

from tests.stores import EARLIER, LATER, Difference, Row, Site

OLD, NEW = "2026-01-02 03:04:05", "2026-05-06 07:08:09"
STAMPED = {"modified": (OLD, NEW)}
NO_FLAGS = {"is_maillist": 0, "is_list": 0, "is_forwarding": 0, "is_alias": 0, "active": 1}


@pytest.fixture
def start(site: Site) -> Site:
    """One domain, made earlier."""
    site.clock.now = EARLIER
    site.create("domain", "example.org", name="Old")
    site.clock.now = LATER
    return site


def own(column: str, before: object, after: object) -> Difference:
    """Only a column of the domain's own row changes, and the time."""
    return Difference(changed={"domain example.org": {column: (before, after), **STAMPED}})


def setting(after: str, before: str = "") -> Difference:
    return own("settings", before, after)


def blank_settings(difference: Difference) -> Difference:
    """MariaDB has no default for text: nothing written there is NULL, elsewhere it is empty."""
    for columns in difference.changed.values():
        if "settings" in columns and columns["settings"][0] is None:
            columns["settings"] = ("", columns["settings"][1])
    return difference


def side(table: str, key: str, value: str, **columns: object) -> Difference:
    return Difference(
        added={f"{table} {key}": {**columns, "active": 1}},
        changed={"domain example.org": STAMPED} if value else {},
    )


SINGLE = {
    "name": ({"name": "New Name"}, own("description", "Old", "New Name")),
    "quota": ({"quota": "2048"}, own("maxquota", 0, 2048)),
    "language": ({"language": "en_US"}, setting("default_language:en_US;")),
    "transport": (
        {"transport": "lmtp:[192.0.2.1]:24"},
        own("transport", "dovecot", "lmtp:[192.0.2.1]:24"),
    ),
    "defaultQuota": ({"defaultQuota": "1024"}, setting("default_user_quota:1024;")),
    "maxUserQuota": ({"maxUserQuota": "2048"}, setting("max_user_quota:2048;")),
    "numberOfUsers": ({"numberOfUsers": "20"}, own("mailboxes", 0, 20)),
    "numberOfUsers-none": ({"numberOfUsers": "-1"}, own("mailboxes", 0, -1)),
    "numberOfAliases": ({"numberOfAliases": "30"}, own("aliases", 0, 30)),
    "numberOfLists": ({"numberOfLists": "40"}, own("maillists", 0, 40)),
    "accountStatus": ({"accountStatus": "disabled"}, own("active", 1, 0)),
    "minPasswordLength": ({"minPasswordLength": "8"}, setting("min_passwd_length:8;")),
    "maxPasswordLength": ({"maxPasswordLength": "20"}, setting("max_passwd_length:20;")),
    "enableService": ({"enableService": "self-service"}, setting("enabled_services:self-service;")),
    "disableDomainProfile": (
        {"disableDomainProfile": "relay,bcc,aliases"},
        setting("disabled_domain_profiles:aliases,bcc,relay;"),
    ),
    "disableUserProfile": (
        {"disableUserProfile": "relay,bcc"},
        setting("disabled_user_profiles:bcc,relay;"),
    ),
    "disableUserPreference": (
        {"disableUserPreference": "wblist,forwarding"},
        setting("disabled_user_preferences:forwarding,wblist;"),
    ),
    "backupmx": (
        {"is_backupmx": "yes", "primarymx": "202.96.134.133"},
        Difference(
            changed={
                "domain example.org": {
                    "backupmx": (0, 1),
                    "transport": ("dovecot", "relay:[202.96.134.133]:25"),
                    **STAMPED,
                }
            }
        ),
    ),
    "backupmx-port": (
        {"is_backupmx": "yes", "primarymx": "[mail.example.test]:2525"},
        Difference(
            changed={
                "domain example.org": {
                    "backupmx": (0, 1),
                    "transport": ("dovecot", "relay:[mail.example.test]:2525"),
                    **STAMPED,
                }
            }
        ),
    ),
    "backupmx-by-dns": (
        {"is_backupmx": "yes", "primarymx": ""},
        Difference(
            changed={
                "domain example.org": {
                    "backupmx": (0, 1),
                    "transport": ("dovecot", "relay:example.org"),
                    **STAMPED,
                }
            }
        ),
    ),
    "catchall": (
        {"catchall": "one@example.org,two@example.net"},
        Difference(
            added={
                "forwardings example.org one@example.org": {
                    "address": "example.org",
                    "forwarding": "one@example.org",
                    "domain": "example.org",
                    "dest_domain": "example.org",
                    **NO_FLAGS,
                },
                "forwardings example.org two@example.net": {
                    "address": "example.org",
                    "forwarding": "two@example.net",
                    "domain": "example.org",
                    "dest_domain": "example.net",
                    **NO_FLAGS,
                },
            },
            changed={"domain example.org": STAMPED},
        ),
    ),
    "outboundRelay": (
        {"outboundRelay": "smtp:[192.168.1.2]:25"},
        Difference(
            added={
                "sender_relayhost @example.org": {
                    "account": "@example.org",
                    "relayhost": "[192.168.1.2]:25",
                }
            },
            changed={"domain example.org": STAMPED},
        ),
    ),
}


@pytest.mark.parametrize("case", SINGLE)
def test_one_parameter_changes_these_rows(start: Site, case: str) -> None:
    form, expected = SINGLE[case]
    before = start.snapshot()

    start.update("domain", "example.org", form)

    assert expected == blank_settings(start.since(before))


@pytest.mark.parametrize("way", ["sender", "recipient"])
def test_a_bcc_is_one_row_with_times_of_its_own(start: Site, way: str) -> None:
    before = start.snapshot()

    start.update("domain", "example.org", {f"{way}Bcc": "copy@example.net"})

    difference = start.since(before)
    row = difference.added.pop(f"{way}_bcc_domain example.org")
    assert row.pop("expired").startswith("9999-12-31")
    assert row == {
        "domain": "example.org",
        "bcc_address": "copy@example.net",
        "created": NEW,
        "modified": NEW,
        "active": 1,
    }
    assert difference == Difference(changed={"domain example.org": STAMPED})


@pytest.mark.parametrize(
    ("form", "row"),
    [
        ({"senderBcc": "c@example.net"}, "sender_bcc_domain example.org"),
        ({"recipientBcc": "c@example.net"}, "recipient_bcc_domain example.org"),
        ({"outboundRelay": "[192.0.2.1]"}, "sender_relayhost @example.org"),
        ({"catchall": "c@example.net"}, "forwardings example.org c@example.net"),
    ],
)
def test_an_empty_value_removes_the_row(start: Site, form: dict[str, str], row: str) -> None:
    start.update("domain", "example.org", form)
    before = start.snapshot()

    start.update("domain", "example.org", dict.fromkeys(form, ""))

    difference = start.since(before)
    assert {row} == set(difference.removed)
    assert {} == difference.added


def test_an_empty_value_removes_the_settings_key(start: Site) -> None:
    start.update(
        "domain",
        "example.org",
        {
            "language": "en_US",
            "defaultQuota": "10",
            "enableService": "self-service",
            "disableDomainProfile": "bcc",
        },
    )
    assert (
        "default_language:en_US;default_user_quota:10;enabled_services:self-service;"
        "disabled_domain_profiles:bcc;"
    ) == start.row("domain", "example.org")["settings"]

    start.update(
        "domain",
        "example.org",
        {
            "language": "",
            "defaultQuota": "0",
            "removeAllServices": "",
            "enableDomainProfile": "bcc",
        },
    )

    assert start.row("domain", "example.org")["settings"] == ""


def test_the_end_of_a_backup_mx_is_the_default_transport(start: Site) -> None:
    start.update("domain", "example.org", is_backupmx="yes", primarymx="192.0.2.1")

    start.update("domain", "example.org", is_backupmx="no")

    row = start.row("domain", "example.org")
    assert (row["backupmx"], row["transport"]) == (0, "dovecot")


def test_a_new_domain_is_this_row(site: Site) -> None:
    before = site.snapshot()

    site.create(
        "domain",
        "Example.ORG",
        {
            "name": "Example Inc",
            "quota": "2048",
            "language": "en_US",
            "transport": "dovecot",
            "defaultQuota": "1024",
            "maxUserQuota": "2048",
            "numberOfUsers": "20",
            "numberOfAliases": "30",
            "numberOfLists": "40",
            "senderBcc": "out@example.net",
            "recipientBcc": "in@example.net",
        },
    )

    added = site.since(before).added
    row: Row = added.pop("domain example.org")
    assert row.pop("expired").startswith("9999-12-31")
    assert not row.pop("disclaimer")
    assert row == {
        "domain": "example.org",
        "description": "Example Inc",
        "aliases": 30,
        "mailboxes": 20,
        "maillists": 40,
        "maxquota": 2048,
        "quota": 0,
        "transport": "dovecot",
        "settings": "default_language:en_US;default_user_quota:1024;max_user_quota:2048;",
        "backupmx": 0,
        "created": NEW,
        "modified": NEW,
        "active": 1,
    }
    assert {name: row["bcc_address"] for name, row in added.items()} == {
        "sender_bcc_domain example.org": "out@example.net",
        "recipient_bcc_domain example.org": "in@example.net",
    }


def test_a_catch_all_set_on_a_disabled_domain_works_once_the_domain_does(start: Site) -> None:
    """Its row was written switched off like the domain, and nothing ever switched it on."""
    start.update("domain", "example.org", accountStatus="disabled")
    start.update("domain", "example.org", catchall="c@example.net")
    start.update("domain", "example.org", accountStatus="active")

    assert start.row("forwardings", "example.org")["active"] == 1
