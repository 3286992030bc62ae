"""What is only so where accounts are in a directory."""

from __future__ import annotations

import pytest

from mailwright.passwords import SLAPD_VERIFIES, WRITABLE, hash_password
from tests.mailserver.entries import add_alias, add_list
from tests.mailserver.operations.host import DOMAIN, JANE, JOHN, OUTSIDE, PASSWORD, DirectoryHost

pytestmark = pytest.mark.openldap

JACK = "jack@example.org"
NEWS = "news@example.org"
TEAM = "team@example.org"
TAKEN, UNKNOWN, NOT_HERE = 250, 550, 554


@pytest.fixture
def org(directory_host: DirectoryHost) -> DirectoryHost:
    """A domain with two users."""
    directory_host.add_domain()
    directory_host.add_user(JANE)
    directory_host.add_user(JOHN)
    return directory_host


def let_new_users_join(org: DirectoryHost, *settings: str) -> None:
    org.directory.replace(org.domain_dn(DOMAIN), accountSetting=settings)


# Alias domains


def test_a_new_user_gets_mail_below_an_alias_domain_at_once(org: DirectoryHost) -> None:
    """No look-up replaces a domain: each account carries its addresses there (LDAP reference 3.2)."""
    org.add_alias_domain("example.com")
    org.add_user(JACK)

    answers = org.post("jack@example.com", "jack+news@example.com", "nobody@example.com")
    org.post(JACK)

    assert [TAKEN, TAKEN, UNKNOWN] == answers
    assert 3 == org.mail_of(JACK)
    assert org.lets_in("jack@example.com")


def test_replaced_addresses_leave_those_below_an_alias_domain(org: DirectoryHost) -> None:
    org.add_alias_domain("example.com")

    org.change_user(JANE, aliases="sales@example.org")
    org.change_user(JANE, aliases="office@example.com")

    answers = org.post("jane@example.com", "office@example.com", "sales@example.org")
    assert [TAKEN, TAKEN, UNKNOWN] == answers


def test_the_catch_all_gets_mail_below_an_alias_domain(org: DirectoryHost) -> None:
    org.add_alias_domain("example.com")

    org.change_domain(catchall=JOHN)

    assert [TAKEN, TAKEN] == org.post("anybody@example.com", "jane@example.com")
    assert [1, 1] == [org.mail_of(JANE), org.mail_of(JOHN)]


# Lists and aliases that new users join


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param((f"defaultList:{NEWS},{TEAM}",), id="one value"),
        pytest.param((f"defaultList:{NEWS}", f"defaultList:{TEAM}"), id="two values"),
    ],
)
def test_a_new_user_joins_a_list_and_an_alias(
    org: DirectoryHost, settings: tuple[str, ...]
) -> None:
    add_list(org.lab, NEWS, "member@example.net")
    add_alias(org.lab, TEAM, JANE)
    let_new_users_join(org, *settings)

    org.add_user(JACK)
    org.post(NEWS)
    assert [1, 0, 0] == [org.mail_of(user) for user in (JACK, JANE, JOHN)]
    assert 1 == org.mail_outside("member@example.net")

    org.post(TEAM)
    assert [2, 1, 0] == [org.mail_of(user) for user in (JACK, JANE, JOHN)]


def test_a_new_user_joins_a_list_that_has_an_address_below_an_alias_domain(
    org: DirectoryHost,
) -> None:
    """Who is on the list is found by the very address that mail comes to (LDAP reference 3.4)."""
    org.add_alias_domain("example.com")
    add_list(org.lab, NEWS, shadowAddress="news@example.com")
    let_new_users_join(org, f"defaultList:{NEWS}")

    org.add_user(JACK)

    assert [TAKEN] == org.post("news@example.com")
    assert 1 == org.mail_of(JACK)


def test_a_removed_member_gets_no_mail_and_neither_does_a_successor(org: DirectoryHost) -> None:
    add_list(org.lab, NEWS, "member@example.net")
    add_alias(org.lab, TEAM, JANE)
    let_new_users_join(org, f"defaultList:{NEWS},{TEAM}")
    org.add_user(JACK)

    org.remove("user", JACK)
    assert [TAKEN, TAKEN] == org.post(NEWS, TEAM)
    assert 1 == org.mail_of(JANE)
    assert [("member@example.net",)] == [mail.recipients for mail in org.lab.sink.mail]

    let_new_users_join(org)
    org.add_user(JACK)
    assert [TAKEN, TAKEN] == org.post(NEWS, TEAM)
    assert 0 == org.mail_of(JACK)


# Disabled domains


def test_a_disabled_domain_shuts_everything_and_enabling_opens_it_again(
    org: DirectoryHost,
) -> None:
    """Dovecot asks about the user alone, so each account says that its domain is disabled."""
    org.add_alias_domain("example.com")
    add_list(org.lab, NEWS, "member@example.net")
    add_alias(org.lab, TEAM, JANE)
    org.change_user(JOHN, forwarding=f"{JOHN},john@example.net")
    everything = (JANE, JOHN, NEWS, TEAM, "jane@example.com")

    org.change_domain(accountStatus="disabled")
    assert [NOT_HERE] * 5 == org.post(*everything)
    assert [False, False] == [org.lets_in(user) for user in (JANE, JOHN)]
    assert [] == org.lab.sink.mail

    org.change_domain(accountStatus="active")
    assert [TAKEN] * 5 == org.post(*everything)
    assert [True, True] == [org.lets_in(user) for user in (JANE, JOHN)]
    assert [1, 1] == [org.mail_of(user) for user in (JANE, JOHN)]
    assert [1, 1] == [org.mail_outside(f"{name}@example.net") for name in ("john", "member")]


def test_a_disabled_domain_keeps_out_whoever_is_new_in_it(org: DirectoryHost) -> None:
    org.change_domain(accountStatus="disabled")
    org.add_user(JACK)
    org.change_domain(catchall=JOHN)
    assert not org.lets_in(JACK)

    org.change_domain(accountStatus="active")

    assert org.lets_in(JACK)
    assert [TAKEN, TAKEN] == org.post(JACK, "anybody@example.org")
    assert [1, 1] == [org.mail_of(JACK), org.mail_of(JOHN)]


def test_enabling_a_domain_does_not_enable_its_users(org: DirectoryHost) -> None:
    org.change_user(JANE, accountStatus="disabled")
    org.change_domain(accountStatus="disabled")

    org.change_domain(accountStatus="active")

    assert [UNKNOWN, TAKEN] == org.post(JANE, JOHN)
    assert [False, True] == [org.lets_in(JANE), org.lets_in(JOHN)]


# Services


def test_services_listed_as_for_a_database_leave_what_only_a_directory_asks_for(
    org: DirectoryHost,
) -> None:
    """The list replaced every name, `mail` among them, without which there is no account at all."""
    org.change_user(JANE, aliases="sales@example.org", forwarding=f"{JANE},jane@example.net")

    org.change_user(JANE, services="smtp,imap,deliver")

    assert [TAKEN, TAKEN] == org.post(JANE, "sales@example.org")
    assert 1 == org.mail_outside("jane@example.net")
    assert org.lab.login("imap", "sales@example.org", PASSWORD)
    assert [TAKEN] == org.post_as(JANE, OUTSIDE)
    assert not org.lab.login("imap", JANE, PASSWORD, tls=True)
    assert not org.lab.login("pop3", JANE, PASSWORD)

    org.change_user(JANE, addService="imapsecured")
    assert 1 == org.mail_of(JANE)


def test_imap_over_tls_goes_with_its_older_name(org: DirectoryHost) -> None:
    """Dovecot 2.3 asks for `imaptls`, which most clients of the API do not know."""
    org.change_user(JANE, removeService="imapsecured")
    assert not org.lab.login("imap", JANE, PASSWORD, tls=True)
    assert {"imapsecured", "imaptls"}.isdisjoint(org.user(JANE)["enabledService"])

    org.change_user(JANE, addService="imapsecured")
    assert org.lab.login("imap", JANE, PASSWORD, tls=True)


# Passwords


@pytest.mark.parametrize("scheme", WRITABLE)
def test_openldap_verifies_just_what_is_said_to_be_verified(
    org: DirectoryHost, scheme: str
) -> None:
    """Dovecot binds with the password; what the server cannot compare lets nobody in."""
    org.directory.replace(org.user_dn(JANE), userPassword=hash_password("Other-Pass2", scheme))

    assert (scheme in SLAPD_VERIFIES) == org.lab.login("imap", JANE, "Other-Pass2")
    assert not org.lab.login("imap", JANE, PASSWORD)


def test_one_of_several_passwords_is_enough_until_one_is_set(org: DirectoryHost) -> None:
    (stored,) = org.hashes(JANE)
    org.directory.replace(org.user_dn(JANE), userPassword=[stored, hash_password("Other-Pass2")])
    assert [True, True] == [org.lets_in(JANE, each) for each in (PASSWORD, "Other-Pass2")]

    org.change_user(JANE, password="Third-Pass3")

    assert [False, False] == [org.lets_in(JANE, each) for each in (PASSWORD, "Other-Pass2")]
    assert org.lets_in(JANE, "Third-Pass3")


def test_one_of_several_passwords_is_enough_until_one_is_set_for_all(org: DirectoryHost) -> None:
    (stored,) = org.hashes(JANE)
    org.directory.replace(org.user_dn(JANE), userPassword=[stored, hash_password("Other-Pass2")])

    assert 2 == org.update_users(DOMAIN, password="Third-Pass3")

    assert [False, False] == [org.lets_in(JANE, each) for each in (PASSWORD, "Other-Pass2")]
    assert [True, True] == [org.lets_in(user, "Third-Pass3") for user in (JANE, JOHN)]


# Names


@pytest.mark.parametrize("odd", ["#o&dd@example.org", "#@example.org"])
def test_odd_characters_of_an_address_are_like_others(org: DirectoryHost, odd: str) -> None:
    """They have a meaning in the names of entries, and in the questions that programs ask."""
    org.add_user(odd)
    org.change_user(JANE, forwarding=f"{JANE},{odd}")

    assert [TAKEN, TAKEN] == org.post(odd, JANE)
    assert org.lets_in(odd)
    assert [TAKEN] == org.post_as(odd, OUTSIDE)
    org.change_user(odd, password="Other-Pass2")
    assert 1 == org.mail_of(odd, "Other-Pass2")

    org.remove("user", odd)
    assert [UNKNOWN, TAKEN] == org.post(odd, JANE)
    assert 2 == org.mail_of(JANE)
