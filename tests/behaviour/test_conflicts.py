"""Parameters that cannot stand together are refused by name, and nothing is half done."""

from __future__ import annotations

import pytest

from mailwright.errors import Invalid
from tests.stores import NOTHING, Site

JANE = "jane@example.org"


@pytest.mark.parametrize(
    ("kind", "form", "named"),
    [
        (
            "user",
            {"aliases": "a@example.org", "addAlias": "b@example.org"},
            {"aliases", "addAlias"},
        ),
        ("user", {"addAlias": "b@example.org", "aliases": ""}, {"aliases", "addAlias"}),
        ("user", {"aliases": "", "removeAlias": "b@example.org"}, {"aliases", "removeAlias"}),
        ("user", {"services": "smtp", "addService": "imap"}, {"services", "addService"}),
        ("user", {"services": "smtp", "removeService": "imap"}, {"services", "removeService"}),
        (
            "domain",
            {"removeAllServices": "", "enableService": "self-service"},
            {"removeAllServices", "enableService"},
        ),
        (
            "domain",
            {"is_backupmx": "yes", "primarymx": "192.0.2.1", "transport": "lmtp:x"},
            {"is_backupmx", "transport"},
        ),
        ("domain", {"primarymx": "192.0.2.1"}, {"primarymx", "is_backupmx"}),
        ("domain", {"is_backupmx": "yes"}, {"primarymx", "is_backupmx"}),
        ("domain", {"is_backupmx": "no", "primarymx": "192.0.2.1"}, {"primarymx", "is_backupmx"}),
    ],
)
def test_the_conflict_is_named(
    start: Site, kind: str, form: dict[str, str], named: set[str]
) -> None:
    key = {"user": JANE, "domain": "example.org"}[kind]
    before = start.snapshot("vmail", "iredadmin")

    with pytest.raises(Invalid) as caught:
        start.update(kind, key, {"name": "Half", "accountStatus": "disabled", **form})

    assert all(name in caught.value.reason for name in named)
    assert caught.value.parameter in named
    assert start.since(before, "vmail", "iredadmin") == NOTHING


def test_a_backup_mx_has_no_other_transport(start: Site) -> None:
    start.update("domain", "example.org", is_backupmx="yes", primarymx="192.0.2.1")

    with pytest.raises(Invalid) as caught:
        start.update("domain", "example.org", transport="dovecot")

    assert caught.value.parameter == "transport"
    start.update("domain", "example.org", transport="relay:[192.0.2.1]:25", is_backupmx="yes")


def test_adding_and_removing_go_together(start: Site) -> None:
    start.update("user", JANE, aliases="a@example.org,b@example.org")

    start.update("user", JANE, addAlias="c@example.org", removeAlias="a@example.org")

    assert start.show("user", JANE)["aliases"] == ("b@example.org", "c@example.org")


def test_the_current_name_wins_over_its_synonym(start: Site) -> None:
    start.update("user", JANE, {"cn": "Older", "name": "Newer", "mailQuota": "1", "quota": "2"})

    shown = start.show("user", JANE)
    assert (shown["name"], shown["quota"]) == ("Newer", 2)


def test_an_unknown_parameter_is_named_with_a_near_one(start: Site) -> None:
    with pytest.raises(Invalid) as caught:
        start.update("user", JANE, quoat="1", name="X")

    assert str(caught.value) == ("INVALID_PARAMETER: quoat is not known here; did you mean quota?")
    assert caught.value.parameter == "quoat"


def test_an_unknown_parameter_can_be_a_warning(start: Site) -> None:
    lenient = start.with_settings(api={"unknown_parameters": "ignore"})
    try:
        warnings = lenient.update("user", JANE, quoat="1", name="Lenient")
    finally:
        lenient.close()

    assert warnings == ["quoat is not known here; did you mean quota?"]
    assert start.show("user", JANE)["name"] == "Lenient"


def test_a_failure_late_in_the_work_undoes_all_of_it(start: Site) -> None:
    """The alias in somebody else's domain is found out after the row was locked and measured."""
    before = start.snapshot("vmail", "iredadmin")

    with pytest.raises(Invalid):
        start.update(
            "user",
            JANE,
            name="Half",
            quota="5",
            forwarding="x@example.net",
            accountStatus="disabled",
            addAlias="ok@example.org,bad@example.net",
        )

    assert start.since(before, "vmail", "iredadmin") == NOTHING


def test_a_transport_that_is_the_stored_one_still_conflicts_with_becoming_a_backup_mx(
    start: Site,
) -> None:
    """It was taken for an echo and overwritten in silence."""
    with pytest.raises(Invalid) as caught:
        start.update(
            "domain",
            "example.org",
            is_backupmx="yes",
            primarymx="mail.example.net",
            transport="dovecot",
        )

    assert "transport" == caught.value.parameter
