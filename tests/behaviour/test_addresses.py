"""Further addresses, forwards, and switching accounts off and on."""

from __future__ import annotations

import pytest

from mailwright.errors import Invalid
from tests.behaviour.conftest import PASSWORD
from tests.directory_site import DirectorySite
from tests.stores import NOTHING, Difference, Site, on_openldap, on_sql

JANE, JOHN = "jane@example.org", "john@example.org"


def test_a_taken_alias_address_is_skipped_with_a_warning(start: Site) -> None:
    start.create("user", JOHN, password=PASSWORD)
    start.update("user", JOHN, aliases="j@example.org")
    start.insert("alias", address="team@example.org", domain="example.org")

    warnings = start.update(
        "user", JANE, addAlias=f"new@example.org,{JOHN},j@example.org,team@example.org,{JANE}"
    )

    assert start.show("user", JANE)["aliases"] == ("new@example.org",)
    assert warnings == [
        f"already in use and therefore skipped: {JOHN}, j@example.org, team@example.org, {JANE}"
    ]


def test_an_own_alias_that_is_named_again_stays(start: Site) -> None:
    start.update("user", JANE, aliases="a@example.org,b@example.org")

    warnings = start.update("user", JANE, aliases="b@example.org,c@example.org")

    assert warnings == []
    assert start.show("user", JANE)["aliases"] == ("b@example.org", "c@example.org")


def test_an_alias_in_another_domain_needs_a_setting(start: Site) -> None:
    with pytest.raises(Invalid) as caught:
        start.update("user", JANE, aliases="jane@example.net")
    assert "jane@example.net" in caught.value.reason

    generous = start.with_settings(accounts={"alias_addresses_in_any_domain": True})
    try:
        generous.update("user", JANE, aliases="jane@example.net")
        with pytest.raises(Invalid):
            generous.update("user", JANE, aliases="jane@nowhere.test")
    finally:
        generous.close()
    assert start.show("user", JANE)["aliases"] == ("jane@example.net",)


@on_sql
def test_the_row_of_an_alias_in_another_domain_has_both(start: Site) -> None:
    generous = start.with_settings(accounts={"alias_addresses_in_any_domain": True})
    generous.update("user", JANE, aliases="jane@example.net")
    generous.close()

    row = start.row("forwardings", "jane@example.net")
    assert (row["domain"], row["dest_domain"]) == ("example.net", "example.org")


def test_no_forward_is_the_own_mailbox(start: Site) -> None:
    start.update("user", JANE, forwarding="x@example.net")

    start.update("user", JANE, forwarding="")

    assert start.show("user", JANE)["forwarding"] == (JANE,)


@on_sql
def test_switching_off_and_on_takes_the_rows_along(start: Site) -> None:
    """Memberships are left alone: the group, not the user, decides about them."""
    start.create("user", JOHN, password=PASSWORD)
    start.update("user", JANE, aliases="j@example.org", forwarding=f"x@example.net,{JANE}")
    start.update("user", JOHN, forwarding=f"{JANE},{JOHN}")
    start.insert("alias", address="team@example.org", domain="example.org")
    start.insert("forwardings", address="team@example.org", forwarding=JANE, is_list=1)
    before = start.snapshot()

    start.update("user", JANE, accountStatus="disabled")

    assert {
        *(f"forwardings {JANE} {JANE}", f"forwardings {JANE} x@example.net"),
        *(f"forwardings j@example.org {JANE}", f"mailbox {JANE}"),
    } == start.since(before).touched
    assert start.show("user", JANE)["accountStatus"] == "disabled"

    start.update("user", JANE, accountStatus="active")

    assert start.since(before).touched <= {f"mailbox {JANE}"}


@on_sql
def test_rows_of_a_disabled_user_begin_disabled(start: Site) -> None:
    start.update("user", JANE, accountStatus="disabled")

    start.update("user", JANE, aliases="j@example.org", forwarding="x@example.net")

    assert {row["active"] for row in start.vmail.rows("SELECT active FROM forwardings")} == {0}
    start.update("user", JANE, accountStatus="active")
    assert {row["active"] for row in start.vmail.rows("SELECT active FROM forwardings")} == {1}


@on_sql
def test_rows_and_status_can_change_together(start: Site) -> None:
    start.update("user", JANE, accountStatus="disabled", aliases="j@example.org")
    assert start.row("forwardings", "j@example.org")["active"] == 0

    start.update("user", JANE, accountStatus="active", aliases="k@example.org")
    assert start.row("forwardings", "k@example.org")["active"] == 1


@on_openldap
def test_switching_off_and_on_is_one_attribute_of_one_entry(start: Site) -> None:
    """The look-ups ask the user's own entry, whatever leads to it."""
    assert isinstance(start, DirectorySite)
    start.update("user", JANE, aliases="j@example.org", forwarding=f"x@example.net,{JANE}")
    start.insert("alias", address="team@example.org", domain="example.org")
    start.insert("forwardings", address="team@example.org", forwarding=JANE, is_list=1)
    before = start.snapshot()

    start.update("user", JANE, accountStatus="disabled")

    assert start.since(before) == Difference(
        changed={start.user_dn(JANE).lower(): {"accountStatus": (("active",), ("disabled",))}}
    )
    assert start.show("user", JANE)["accountStatus"] == "disabled"

    start.update("user", JANE, accountStatus="active")

    assert start.since(before) == NOTHING


def test_a_removed_target_gives_the_own_mailbox_back(start: Site) -> None:
    start.create("user", JOHN, password=PASSWORD)
    start.update("user", JOHN, forwarding=JANE)
    start.update("domain", "example.org", catchall=f"{JANE},x@example.net")

    start.remove("user", JANE)

    assert start.show("user", JOHN)["forwarding"] == (JOHN,)
    assert start.show("domain", "example.org")["catchall"] == ("x@example.net",)


@pytest.mark.parametrize("delimiter", ["+", "-", "+-"])
def test_an_extension_of_a_taken_address_is_taken(start: Site, delimiter: str) -> None:
    """As in Postfix, every character of the setting starts an extension."""
    site = start.with_settings(accounts={"recipient_delimiter": delimiter})
    try:
        warnings = site.update("user", JANE, addAlias="jane-x@example.org")
    finally:
        site.close()

    assert bool(warnings) == ("-" in delimiter)
