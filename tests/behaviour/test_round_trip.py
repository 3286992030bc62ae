"""What a GET answers can be sent back unchanged, and then nothing changes at all."""

from __future__ import annotations

import pytest

from mailwright.fields.resource import as_text
from tests.conformance.neighbours import JANE, JOHN, OTHER, populate
from tests.directory_site import DirectorySite
from tests.servers.slapd import Value
from tests.stores import NOTHING, Site, on_openldap, on_sql

EVERYTHING = ("vmail", "amavisd", "iredapd", "iredadmin")


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("user", JANE),
        ("user", JOHN),
        ("user", OTHER),
        ("user", "alone@example.net"),
        ("domain", "example.org"),
        ("domain", "example.net"),
    ],
)
def test_an_answer_sent_back_changes_no_row(site: Site, kind: str, key: str) -> None:
    populate(site)
    form = {name: as_text(value) for name, value in site.show(kind, key).items()}
    before = site.snapshot(*EVERYTHING)

    warnings = site.update(kind, key, form)

    assert warnings == []
    assert site.since(before, *EVERYTHING) == NOTHING


@pytest.mark.parametrize(
    "form",
    [
        {"is_backupmx": "yes", "primarymx": "192.0.2.1"},
        {"is_backupmx": "yes", "primarymx": ""},
        {"accountStatus": "disabled", "catchall": "x@example.net,y@example.net"},
        {"outboundRelay": "smtp:mail.example.test:26", "senderBcc": "a@example.net"},
        {"services": "self-service", "disableDomainProfile": "bcc,relay"},
        {"numberOfUsers": "-1", "quota": "1", "defaultQuota": "5", "maxUserQuota": "6"},
    ],
)
def test_also_after_a_change(start: Site, form: dict[str, str]) -> None:
    start.update("domain", "example.org", form)
    shown = {name: as_text(value) for name, value in start.show("domain", "example.org").items()}
    before = start.snapshot(*EVERYTHING)

    warnings = start.update("domain", "example.org", shown)

    assert warnings == []
    assert start.since(before, *EVERYTHING) == NOTHING


@on_sql
@pytest.mark.parametrize("column", ["transport", "relayhost"])
def test_also_where_another_program_wrote_what_a_client_could_not(start: Site, column: str) -> None:
    """A next hop without brackets, a prefix that is dropped from new values, capital letters."""
    start.vmail.execute(
        "UPDATE domain SET backupmx = 1, transport = 'relay:mx.example.test', description = ?, "
        "settings = 'enabled_services:self-service,vpn;default_language:xx;' "
        "WHERE domain = 'example.org'",
        "two\nlines",
    )
    if column == "relayhost":
        start.insert("sender_relayhost", account="@example.org", relayhost="smtp:[192.0.2.1]:25")
    start.insert("forwardings", address="example.org", forwarding="Some.Body@Example.NET")
    shown = {name: as_text(value) for name, value in start.show("domain", "example.org").items()}
    before = start.snapshot(*EVERYTHING)

    start.update("domain", "example.org", shown)

    assert start.since(before, *EVERYTHING) == NOTHING


@on_openldap
@pytest.mark.parametrize(
    "attributes",
    [
        {"mtaTransport": "relay:mx.example.test", "domainBackupMX": "YES"},
        {"accountStatus": "Active", "senderRelayHost": "smtp:[192.0.2.1]:25"},
        {"accountSetting": ["defaultQuota:lots", "domainQuota:3:GB", "numberOfUsers:-7"]},
        {"accountSetting": ["defaultLanguage:xx", "zebra:1", "disabledDomainProfile:bcc,relay"]},
        {"preferredLanguage": "xx", "enabledService": ["Mail", "vpn"]},
        {"cn": ["two\nlines", "Second"], "domainSenderBccAddress": "Some.Body@Example.NET"},
    ],
)
def test_also_where_another_program_wrote_an_entry_differently(
    start: Site, attributes: dict[str, Value]
) -> None:
    assert isinstance(start, DirectorySite)
    start.directory.replace(start.domain_dn("example.org"), **attributes)
    start.insert("forwardings", address="example.org", forwarding="Some.Body@Example.NET")
    shown = {name: as_text(value) for name, value in start.show("domain", "example.org").items()}
    before = start.snapshot(*EVERYTHING)

    start.update("domain", "example.org", shown)

    assert start.since(before, *EVERYTHING) == NOTHING


def test_an_empty_form_changes_nothing(start: Site) -> None:
    before = start.snapshot(*EVERYTHING)

    start.update("user", "jane@example.org")
    start.update("domain", "example.org", {})
    start.update_users("example.org")

    assert start.since(before, *EVERYTHING) == NOTHING
