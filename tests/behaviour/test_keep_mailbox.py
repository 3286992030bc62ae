"""For how many days the mail of a removed account stays."""

from __future__ import annotations

import pytest

from mailwright.errors import Invalid
from tests.stores import NOTHING, Site

JANE = "jane@example.org"


@pytest.mark.parametrize("days", ["soon", "-1", "1.5", "", "36501", "99999999999999999999"])
@pytest.mark.parametrize(("kind", "key"), [("user", JANE), ("domain", "example.org")])
def test_what_is_no_number_of_days_is_refused(start: Site, kind: str, key: str, days: str) -> None:
    before = start.snapshot("vmail", "iredadmin")

    with pytest.raises(Invalid) as caught:
        start.remove(kind, key, days)

    assert caught.value.parameter == "keep_mailbox_days"
    assert start.since(before, "vmail", "iredadmin") == NOTHING


@pytest.mark.parametrize(
    ("days", "until"), [(None, None), ("0", None), ("7", "2026-05-13"), ("36500", "2126-04-12")]
)
def test_every_mailbox_of_a_domain_stays_as_long(
    start: Site, days: str | None, until: str | None
) -> None:
    start.remove("domain", "example.org", days)

    rows = start.beside.rows("SELECT username, delete_date FROM deleted_mailboxes")
    assert rows == [{"username": JANE, "delete_date": until}]
