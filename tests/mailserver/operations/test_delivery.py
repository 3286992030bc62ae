"""Who gets mail: users, their further addresses, forwardings, the catch-all, copies."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from tests.mailserver.clients import Quota
from tests.mailserver.operations.host import DOMAIN, JANE, JOHN, OUTSIDE, PASSWORD, Host
from tests.mailserver.sink import Sink

ARCHIVE = "archive@example.net"
TAKEN, UNKNOWN, NOT_HERE = 250, 550, 554

# Users and domains


def test_mail_to_a_new_user_is_delivered_and_read_with_the_password_that_was_set(
    host: Host,
) -> None:
    host.add_domain()
    host.add_user(JANE, name="Jane Doe")

    answers = host.post(JANE, "nobody@example.org", "jane@example.com", text="first letter")

    assert [TAKEN, UNKNOWN, NOT_HERE] == answers
    (message,) = host.lab.inbox(JANE, PASSWORD)
    assert "first letter" == message["Subject"]
    assert "first letter" == message.get_content().strip()
    assert f"lmtp({JANE})" in host.lab.dovecot.log()
    assert not host.lets_in(JANE, "Wrong-Pass1")


def test_a_disabled_user_gets_no_mail_until_enabled_again(org: Host) -> None:
    org.change_user(JANE, aliases="sales@example.org")

    org.change_user(JANE, accountStatus="disabled")
    assert [UNKNOWN, UNKNOWN, TAKEN] == org.post(JANE, "sales@example.org", JOHN)
    assert not org.lets_in(JANE)
    assert org.lets_in(JOHN)

    org.change_user(JANE, accountStatus="active")
    assert [TAKEN, TAKEN] == org.post(JANE, "sales@example.org")
    assert org.lets_in(JANE)
    assert 1 == org.mail_of(JANE)
    assert 1 == org.mail_of(JOHN)


def test_all_users_are_disabled_and_enabled_together(org: Host) -> None:
    org.add_domain("example.com")
    org.add_user("jane@example.com")

    assert 2 == org.update_users(DOMAIN, accountStatus="disabled")
    assert [UNKNOWN, UNKNOWN, TAKEN] == org.post(JANE, JOHN, "jane@example.com")
    assert [False, False, True] == [org.lets_in(user) for user in (JANE, JOHN, "jane@example.com")]

    assert 2 == org.update_users(DOMAIN, accountStatus="active")
    assert [TAKEN, TAKEN] == org.post(JANE, JOHN)
    assert [1, 1] == [org.mail_of(JANE), org.mail_of(JOHN)]


def test_a_disabled_domain_takes_no_mail_until_enabled_again(org: Host) -> None:
    org.change_domain(catchall=JOHN)

    org.change_domain(accountStatus="disabled")
    assert [NOT_HERE, NOT_HERE] == org.post(JANE, "anybody@example.org")
    assert not org.lets_in(JANE)

    org.change_domain(accountStatus="active")
    assert [TAKEN, TAKEN] == org.post(JANE, "anybody@example.org")
    assert org.lets_in(JANE)
    assert [1, 1] == [org.mail_of(JANE), org.mail_of(JOHN)]


# Quota


def test_dovecot_keeps_to_the_quota_that_was_set(org: Host) -> None:
    assert Quota(0, None) == org.lab.quota(JANE, PASSWORD)
    org.add_user("jack@example.org", quota="7")
    assert Quota(0, 7 * 1048576) == org.lab.quota("jack@example.org", PASSWORD)

    org.change_user("jack@example.org", quota="2048")
    assert Quota(0, 2048 * 1048576) == org.lab.quota("jack@example.org", PASSWORD)

    org.change_user("jack@example.org", quota="0")
    assert Quota(0, None) == org.lab.quota("jack@example.org", PASSWORD)


def test_a_new_user_has_the_quota_that_is_usual_in_the_domain(host: Host) -> None:
    host.add_domain(defaultQuota="12", maxUserQuota="100")
    host.add_user(JANE)
    host.change_domain(defaultQuota="0")
    host.add_user(JOHN)

    assert Quota(0, 12 * 1048576) == host.lab.quota(JANE, PASSWORD)
    assert Quota(0, 100 * 1048576) == host.lab.quota(JOHN, PASSWORD)


def test_mail_above_the_quota_is_sent_back_until_there_is_more(org: Host) -> None:
    big = "\n".join(["x" * 70] * 30_000)
    org.change_user(JANE, quota="1")
    org.post(JANE, text=big)
    assert 0 == org.mail_of(JANE)
    assert [""] == [mail.sender for mail in org.lab.sink.to(OUTSIDE)]

    org.change_user(JANE, quota="10")
    org.post(JANE, text=big)
    assert 1 == org.mail_of(JANE)


# Forwarding


def test_forwarding_keeps_a_copy_only_where_the_own_address_is_named(org: Host) -> None:
    org.change_user(JANE, forwarding=f"jane@example.net,{JANE}")
    org.post(JANE)
    assert (1, 1) == (org.mail_of(JANE), org.mail_outside("jane@example.net"))

    org.change_user(JANE, forwarding="jane@example.net")
    org.post(JANE)
    assert (1, 2) == (org.mail_of(JANE), org.mail_outside("jane@example.net"))
    assert org.lets_in(JANE)


def test_forwarding_goes_to_several_until_emptied(org: Host) -> None:
    org.change_user(JANE, forwarding=f"a@example.net,{JOHN},b@example.net")
    org.post(JANE)
    assert [1, 1] == [org.mail_outside("a@example.net"), org.mail_outside("b@example.net")]
    assert [0, 1] == [org.mail_of(JANE), org.mail_of(JOHN)]

    org.change_user(JANE, forwarding="")
    assert [TAKEN] == org.post(JANE)
    assert [1, 1] == [org.mail_of(JANE), org.mail_of(JOHN)]
    assert [1, 1] == [org.mail_outside("a@example.net"), org.mail_outside("b@example.net")]


# Further addresses


def test_further_addresses_are_added_removed_and_replaced(org: Host) -> None:
    """A directory lets users in by them too (LDAP reference 5.2); a database knows only mailboxes."""
    first, second, third = "a@example.org", "b@example.org", "c@example.org"

    org.change_user(JANE, addAlias=f"{first},{second}")
    assert [TAKEN, TAKEN, UNKNOWN] == org.post(first, second, third)
    assert 1 == org.mail_of(JANE)
    assert org.in_directory == org.lets_in(first)

    org.change_user(JANE, removeAlias=first)
    assert [UNKNOWN, TAKEN, UNKNOWN] == org.post(first, second, third)
    assert not org.lets_in(first)

    org.change_user(JANE, aliases=third)
    assert [UNKNOWN, UNKNOWN, TAKEN] == org.post(first, second, third)

    org.change_user(JANE, aliases="")
    assert [UNKNOWN, UNKNOWN, UNKNOWN, TAKEN] == org.post(first, second, third, JANE)
    assert 4 == org.mail_of(JANE)


def test_mail_to_a_further_address_is_forwarded_as_that_of_the_user(org: Host) -> None:
    org.change_user(JANE, aliases="sales@example.org", forwarding="jane@example.net")

    org.post("sales@example.org")

    assert (0, 1) == (org.mail_of(JANE), org.mail_outside("jane@example.net"))


def test_a_further_address_below_an_alias_domain_gets_mail(org: Host) -> None:
    org.add_alias_domain("example.com")
    org.change_user(JANE, aliases="sales@example.com")

    assert [TAKEN, TAKEN] == org.post("sales@example.com", "john@example.com")

    assert [1, 1] == [org.mail_of(JANE), org.mail_of(JOHN)]


# Catch-all


def test_the_catch_all_gets_mail_for_nobody_else_until_cleared(org: Host) -> None:
    org.change_user(JANE, addAlias="sales@example.org")
    org.change_domain(catchall=JOHN)

    assert [TAKEN] == org.post("anybody@example.org")
    assert [TAKEN] == org.post("any+body@example.org")
    assert [0, 2] == [org.mail_of(JANE), org.mail_of(JOHN)]
    for address in (JANE, "jane+news@example.org", "sales@example.org"):
        assert [TAKEN] == org.post(address)
    assert [3, 2] == [org.mail_of(JANE), org.mail_of(JOHN)]

    org.change_domain(catchall=f"{JANE},else@example.net,more@example.net")
    org.post("anybody@example.org")
    assert [4, 2] == [org.mail_of(JANE), org.mail_of(JOHN)]
    assert [1, 1] == [org.mail_outside("else@example.net"), org.mail_outside("more@example.net")]

    org.change_domain(catchall="")
    assert [UNKNOWN, TAKEN] == org.post("anybody@example.org", JANE)


def test_the_catch_all_gets_mail_for_a_disabled_user_too(org: Host) -> None:
    org.change_domain(catchall=JOHN)
    org.change_user(JANE, accountStatus="disabled")

    assert [TAKEN] == org.post(JANE)
    assert 1 == org.mail_of(JOHN)


# Copies


def test_everything_that_a_domain_receives_is_copied_to_one_address(host: Host) -> None:
    host.add_domain(recipientBcc=ARCHIVE)
    host.add_user(JANE)
    host.add_user(JOHN)
    host.post(JANE)
    host.post(JOHN)
    assert 2 == host.mail_outside(ARCHIVE)

    host.change_domain(recipientBcc=JOHN)
    host.post(JANE)
    assert [2, 2] == [host.mail_of(JANE), host.mail_of(JOHN)]
    assert 2 == host.mail_outside(ARCHIVE)

    host.change_domain(recipientBcc="")
    host.post(JANE)
    assert [3, 2] == [host.mail_of(JANE), host.mail_of(JOHN)]
    assert 2 == len(host.lab.sink.mail)


def test_everything_that_a_domain_sends_is_copied_to_one_address(org: Host) -> None:
    org.change_domain(senderBcc=ARCHIVE)
    org.post_as(JANE, OUTSIDE)
    org.post_as(JOHN, JANE)
    assert 2 == org.mail_outside(ARCHIVE)

    org.change_domain(senderBcc=JOHN)
    org.post_as(JANE, OUTSIDE)
    assert [1, 1] == [org.mail_of(JANE), org.mail_of(JOHN)]

    org.change_domain(senderBcc="")
    assert [TAKEN] == org.post_as(JANE, OUTSIDE)
    assert (3, 1) == (org.mail_outside(OUTSIDE), org.mail_of(JOHN))
    assert 2 == org.mail_outside(ARCHIVE)


# Removal


def test_a_removed_user_gets_no_mail_and_a_new_one_sees_none_of_the_old(org: Host) -> None:
    org.change_user(JANE, aliases="sales@example.org", forwarding=f"{JANE},jane@example.net")
    org.post(JANE)
    assert 1 == org.mail_of(JANE)

    org.remove("user", JANE)
    assert [UNKNOWN, UNKNOWN, TAKEN] == org.post(JANE, "sales@example.org", JOHN)
    assert not org.lets_in(JANE)

    org.clock.now += dt.timedelta(seconds=1)
    org.add_user(JANE)
    assert 0 == org.mail_of(JANE)
    assert [TAKEN, UNKNOWN] == org.post(JANE, "sales@example.org")
    assert (1, 1) == (org.mail_of(JANE), org.mail_outside("jane@example.net"))


def test_nothing_is_forwarded_to_a_removed_user(org: Host) -> None:
    org.change_user(JOHN, forwarding=f"{JOHN},{JANE}")
    org.change_domain(catchall=f"{JOHN},{JANE}", recipientBcc=JANE)

    org.remove("user", JANE)
    assert [TAKEN, TAKEN] == org.post(JOHN, "anybody@example.org")

    assert 1 == org.mail_of(JOHN)
    assert [] == org.lab.sink.mail


def test_a_removed_domain_takes_no_mail_and_nothing_of_it_comes_back(
    org: Host, other_server: Sink
) -> None:
    org.change_domain(catchall=JOHN, recipientBcc=ARCHIVE, senderBcc=ARCHIVE)
    org.change_domain(transport="smtp:[192.0.2.1]:25", outboundRelay=other_server.nexthop)
    org.change_user(JANE, transport="dovecot", aliases="sales@example.org")
    org.post(JANE)
    org.post_as(JANE, OUTSIDE)
    assert (1, 1) == (org.mail_of(JANE), org.mail_outside(ARCHIVE))
    assert [OUTSIDE] == [
        to for mail in other_server.mail for to in mail.recipients if to == OUTSIDE
    ]

    org.remove("domain", DOMAIN)
    assert [NOT_HERE] * 2 == org.post(JANE, "anybody@example.org")
    assert not org.lets_in(JANE)

    org.clock.now += dt.timedelta(seconds=1)
    org.add_domain()
    assert not org.lets_in(JANE)
    org.add_user(JANE)
    answers = org.post(JANE, JOHN, "sales@example.org", "anybody@example.org")
    assert [TAKEN, UNKNOWN, UNKNOWN, UNKNOWN] == answers
    org.lab.sink.clear()
    org.post_as(JANE, OUTSIDE)
    assert [(OUTSIDE,)] == [mail.recipients for mail in org.lab.sink.mail]
    assert 1 == org.mail_of(JANE)


def test_removal_leaves_the_mailbox_on_disk_and_says_where_it_is(org: Host) -> None:
    """A job of the mail server's own deletes it when its time has come."""
    org.post(JANE)

    org.remove("user", JANE, "7")

    kept = Path(org.kept_mailbox(JANE)["maildir"])
    letters = [path for path in kept.glob("Maildir/new/*") if path.is_file()]
    assert 1 == len(letters)
