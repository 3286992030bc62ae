"""Where mail goes: transports, outbound relays, backup MX."""

from __future__ import annotations

from tests.mailserver.operations.host import DOMAIN, JANE, JOHN, OUTSIDE, Host
from tests.mailserver.sink import Received, Sink

NOBODY = "nobody@example.org"


def recipients(mail: list[Received]) -> list[str]:
    return sorted(address for received in mail for address in received.recipients)


# Transports


def test_mail_takes_the_transport_of_the_domain(org: Host, other_server: Sink) -> None:
    org.change_domain(transport=f"smtp:{other_server.nexthop}")
    assert [250, 250, 550] == org.post(JANE, JOHN, NOBODY)
    assert [JANE, JOHN] == recipients(other_server.mail)

    org.change_domain(transport="dovecot")
    org.post(JANE, JOHN)
    assert [1, 1] == [org.mail_of(JANE), org.mail_of(JOHN)]
    assert [JANE, JOHN] == recipients(other_server.mail)
    assert [] == org.lab.sink.mail


def test_a_domain_is_made_with_a_transport(host: Host, other_server: Sink) -> None:
    host.add_domain(transport=f"smtp:{other_server.nexthop}")
    host.add_user(JANE)

    host.post(JANE)

    assert [JANE] == recipients(other_server.mail)


def test_a_user_without_a_transport_takes_that_of_the_domain(org: Host, other_server: Sink) -> None:
    org.change_user(JANE, transport=f"smtp:{other_server.nexthop}")
    org.post(JANE, JOHN)
    assert [JANE] == recipients(other_server.mail)
    assert 1 == org.mail_of(JOHN)

    org.change_domain(transport=f"smtp:{org.lab.sink.nexthop}")
    org.change_user(JOHN, transport="dovecot")
    org.post(JANE, JOHN)
    assert [JANE, JANE] == recipients(other_server.mail)
    assert 2 == org.mail_of(JOHN)
    assert [] == org.lab.sink.mail

    org.change_user(JANE, transport="")
    org.post(JANE)
    assert [JANE] == recipients(org.lab.sink.mail)
    assert [JANE, JANE] == recipients(other_server.mail)


def test_all_users_of_a_domain_get_a_transport_together(org: Host, other_server: Sink) -> None:
    assert 2 == org.update_users(DOMAIN, transport=f"smtp:{other_server.nexthop}")
    org.post(JANE, JOHN)
    assert [JANE, JOHN] == recipients(other_server.mail)

    assert 2 == org.update_users(DOMAIN, transport="")
    org.post(JANE, JOHN)
    assert [1, 1] == [org.mail_of(JANE), org.mail_of(JOHN)]


# Outbound relay


def test_what_users_send_outside_takes_the_relay_of_their_domain(
    org: Host, other_server: Sink
) -> None:
    org.add_domain("example.com")
    org.add_user("jane@example.com")

    org.change_domain(outboundRelay=f"smtp:{other_server.nexthop}")
    assert [250, 250] == org.post_as(JANE, OUTSIDE, JOHN)
    org.post_as(JOHN, OUTSIDE)
    org.post_as("jane@example.com", OUTSIDE)
    assert [JANE, JOHN] == sorted(mail.sender for mail in other_server.mail)
    assert ["jane@example.com"] == [mail.sender for mail in org.lab.sink.mail]
    assert [OUTSIDE, OUTSIDE] == recipients(other_server.mail)
    assert 1 == org.mail_of(JOHN)

    org.change_domain(outboundRelay="")
    org.post_as(JANE, OUTSIDE)
    assert 2 == len(other_server.mail)
    assert ["jane@example.com", JANE] == [mail.sender for mail in org.lab.sink.mail]


def test_the_outbound_relay_changes(org: Host, other_server: Sink) -> None:
    org.change_domain(outboundRelay="[192.0.2.1]:2525")
    org.change_domain(outboundRelay=other_server.nexthop)

    org.post_as(JANE, OUTSIDE)

    assert [JANE] == [mail.sender for mail in other_server.mail]


# Backup MX


def test_a_backup_mx_passes_mail_on_and_delivers_again_when_it_is_none(
    org: Host, other_server: Sink
) -> None:
    """Dovecot asks a directory about users only, so there they still read what came before."""
    org.change_domain(is_backupmx="yes", primarymx=f"{other_server.host}:{other_server.port}")
    assert [250, 250] == org.post(JANE, "anybody@example.org")
    assert [JANE, "anybody@example.org"] == sorted(recipients(other_server.mail), reverse=True)
    assert [org.in_directory] * 2 == [org.lets_in(JANE), org.lets_in(JOHN)]

    org.change_domain(primarymx=org.lab.sink.nexthop)
    org.post(JANE)
    assert [JANE] == recipients(org.lab.sink.mail)

    org.change_domain(is_backupmx="no")
    assert [250, 550] == org.post(JANE, "anybody@example.org")
    assert 1 == org.mail_of(JANE)
    assert org.lets_in(JANE)
    assert (1, 2) == (len(org.lab.sink.mail), len(recipients(other_server.mail)))


def test_the_catch_all_and_the_copies_of_a_backup_mx_wait_until_it_is_none(
    org: Host, other_server: Sink
) -> None:
    """In a directory the catch-all does not know what its domain is (LDAP reference 5.1).

    There its addresses stand for the unknown ones at once, and the primary gets the mail all the same.
    """
    org.change_domain(catchall=JOHN)
    org.change_domain(is_backupmx="yes", primarymx=other_server.nexthop)
    org.post("anybody@example.org")
    passed_on = JOHN if org.in_directory else "anybody@example.org"
    assert [passed_on] == recipients(other_server.mail)
    assert 0 == len(org.lab.sink.mail)

    org.change_domain(is_backupmx="no")
    org.post("anybody@example.org")
    assert 1 == org.mail_of(JOHN)
    assert 1 == len(other_server.mail)
