"""The lab on a directory: entries written by hand do what the mail programs should make of them."""

from __future__ import annotations

import pytest

from tests.mailserver.clients import Protocol, Quota
from tests.mailserver.entries import (
    PASSWORD,
    add_alias,
    add_catch_all,
    add_domain,
    add_list,
    add_user,
    change,
    dn,
    without,
)
from tests.mailserver.lab import Lab
from tests.mailserver.sink import Sink
from tests.servers.slapd import Value

pytestmark = pytest.mark.openldap

OUTSIDE = "friend@example.net"
JANE = "jane@example.org"
JOHN = "john@example.org"


@pytest.fixture
def org(lab_of_directory: Lab) -> Lab:
    """A domain with two users."""
    add_domain(lab_of_directory, "example.org")
    add_user(lab_of_directory, JANE)
    add_user(lab_of_directory, JOHN)
    return lab_of_directory


def refused(lab: Lab, recipient: str) -> int:
    reply = lab.send(OUTSIDE, [recipient])[recipient]
    assert not reply.accepted, reply
    return reply.code


def deliver(lab: Lab, *recipients: str) -> None:
    """A message to each: of one message a mailbox gets one copy, whatever the addresses."""
    for recipient in recipients:
        reply = lab.send(OUTSIDE, [recipient])[recipient]
        assert reply.accepted, (recipient, reply)
    lab.settle()


def send_as(lab: Lab, sender: str, login: str | None = None) -> int:
    reply = lab.send(sender, [OUTSIDE], login=(login or sender, PASSWORD))[OUTSIDE]
    lab.settle()
    return reply.code


def count(lab: Lab, user: str) -> int:
    return len(lab.inbox(user, PASSWORD))


def add_alias_domain(lab: Lab, **attributes: str) -> None:
    """`example.com` for `example.org`, with the addresses of Jane there."""
    change(
        lab,
        "example.org",
        domainAliasName="example.com",
        enabledService=["mail", "domainalias"],
        **attributes,
    )
    change(lab, JANE, shadowAddress="jane@example.com")


# Users


def test_mail_to_a_user_is_delivered_by_lmtp_and_read_by_imap(org: Lab) -> None:
    replies = org.send(OUTSIDE, [JANE], "first letter")

    assert replies[JANE].accepted
    (message,) = org.wait_for_mail(JANE, PASSWORD)
    assert "first letter" == message["Subject"]
    org.settle()
    assert "lmtp(jane@example.org)" in org.dovecot.log()
    assert 0 == count(org, JOHN)


def test_an_unknown_user_is_refused_beside_a_known_one(org: Lab) -> None:
    replies = org.send(OUTSIDE, [JANE, "nobody@example.org"])

    assert replies[JANE].accepted
    assert 550 == replies["nobody@example.org"].code


def test_an_address_is_found_in_whatever_case_and_without_its_extension(org: Lab) -> None:
    deliver(org, "Jane@Example.ORG", "jane+news@example.org")

    assert 2 == count(org, JANE)


@pytest.mark.parametrize("address", ["*@example.org", "jan*@example.org", "a)(mail=*@example.org"])
def test_an_address_is_no_pattern(org: Lab, address: str) -> None:
    assert org.lookup("user_maps", address) is None


def test_the_odd_characters_of_an_address_are_like_others(org: Lab) -> None:
    odd = add_user(org, "#o&dd@example.org")

    deliver(org, odd)

    assert 1 == count(org, odd)
    assert 250 == send_as(org, odd)


def test_a_mailbox_lies_where_its_entry_says_in_lower_case(org: Lab) -> None:
    change(org, JANE, homeDirectory=f"{org.storage}/Elsewhere/Jane/")

    deliver(org, JANE)

    assert (org.storage / "elsewhere/jane/Maildir").is_dir()
    assert 1 == count(org, JANE)


def test_a_mailbox_has_a_format_and_a_folder_of_its_own(org: Lab) -> None:
    change(org, JANE, homeDirectory=f"{org.storage}/jane", mailboxFormat="mdbox")
    change(org, JANE, mailboxFolder="Boxes")

    deliver(org, JANE)

    assert 1 == count(org, JANE)
    assert (org.storage / "jane/Boxes/mailboxes").is_dir()


def test_a_disabled_user_is_refused_and_kept_out(org: Lab) -> None:
    change(org, JANE, accountStatus="disabled")

    assert 550 == refused(org, JANE)
    assert not org.login("imap", JANE, PASSWORD)
    assert not org.login("smtp", JANE, PASSWORD)
    assert org.login("imap", JOHN, PASSWORD)


# Domains


def test_a_domain_that_is_not_here_is_refused(org: Lab) -> None:
    assert 554 == refused(org, "jane@example.com")


def test_a_disabled_domain_is_refused_and_its_accounts_are_kept_out(org: Lab) -> None:
    change(org, "example.org", accountStatus="disabled")
    change(org, JANE, domainStatus="disabled")

    assert 554 == refused(org, JANE)
    assert not org.login("imap", JANE, PASSWORD)
    assert org.login("imap", JOHN, PASSWORD), "his entry does not say that the domain is disabled"


def test_what_a_disabled_domain_says_on_an_account_stops_its_mail(org: Lab) -> None:
    add_alias(org, "team@example.org", JANE, domainStatus="disabled")
    add_catch_all(org, "example.org", JOHN, domainStatus="disabled")
    change(org, JANE, domainStatus="disabled", mailForwardingAddress=JOHN)

    for recipient in (JANE, "team@example.org", "nobody@example.org"):
        assert 550 == refused(org, recipient)
    deliver(org, JOHN)
    assert 1 == count(org, JOHN)


def test_a_domain_without_mail_is_refused(org: Lab) -> None:
    change(org, "example.org", enabledService=None)

    assert 554 == refused(org, JANE)


def test_an_alias_domain_has_the_addresses_that_accounts_carry(org: Lab) -> None:
    add_alias_domain(org)

    deliver(org, "jane@example.com", "jane+news@example.com")

    assert 2 == count(org, JANE)
    assert 550 == refused(org, "john@example.com")
    assert org.login("imap", "jane@example.com", PASSWORD)
    deliver(org, JANE)
    assert 3 == len(org.inbox("jane@example.com", PASSWORD))


def test_an_alias_domain_needs_its_service(org: Lab) -> None:
    add_alias_domain(org)
    change(org, "example.org", enabledService="mail")

    assert 554 == refused(org, "jane@example.com")


def test_an_alias_domain_whose_owner_is_unknown_is_refused(org: Lab) -> None:
    change(
        org,
        "example.org",
        domainPendingAliasName="example.com",
        enabledService=["mail", "domainalias"],
    )

    assert 554 == refused(org, "jane@example.com")


def test_a_backup_mx_passes_everything_on(org: Lab) -> None:
    change(org, "example.org", domainBackupMX="yes", mtaTransport=f"relay:{org.sink.nexthop}")

    deliver(org, "anybody@example.org", JANE)

    assert 1 == len(org.sink.to("anybody@example.org"))
    assert 1 == len(org.sink.to(JANE))


def test_a_former_backup_mx_delivers(org: Lab) -> None:
    change(org, "example.org", domainBackupMX="no")

    deliver(org, JANE)

    assert 1 == count(org, JANE)
    assert 550 == refused(org, "anybody@example.org")


def test_a_domain_is_relayed_to_another_server(org: Lab) -> None:
    change(org, "example.org", mtaTransport=f"smtp:{org.sink.nexthop}")

    deliver(org, JANE)

    assert 1 == len(org.sink.to(JANE))
    assert 550 == refused(org, "nobody@example.org")


def test_the_transport_of_a_user_comes_before_that_of_the_domain(org: Lab) -> None:
    change(org, "example.org", mtaTransport="smtp:[127.0.0.1]:1")
    change(org, JANE, mtaTransport=f"smtp:{org.sink.nexthop}")
    change(org, JOHN, mtaTransport="dovecot")

    deliver(org, JANE, JOHN)

    assert 1 == len(org.sink.to(JANE))
    assert 1 == count(org, JOHN)


def test_the_delivery_program_serves_too(org: Lab) -> None:
    """`dovecot:` with a colon is the pipe service whatever `dovecot` stands for."""
    change(org, JANE, mtaTransport="dovecot:", enabledService=without("lmtp"))

    deliver(org, JANE)

    assert 1 == count(org, JANE)
    assert "lda(jane@example.org)" in org.dovecot.log()


# Forwarding, aliases, lists, catch-all


def test_forwarding_with_a_copy_of_ones_own(org: Lab) -> None:
    change(org, JANE, mailForwardingAddress=[JANE, "jane@example.net"])

    deliver(org, JANE)

    assert 1 == count(org, JANE)
    assert 1 == len(org.sink.to("jane@example.net"))


def test_forwarding_without_a_copy_of_ones_own(org: Lab) -> None:
    change(org, JANE, mailForwardingAddress="jane@example.net")

    deliver(org, JANE)

    assert 0 == count(org, JANE)
    assert 1 == len(org.sink.to("jane@example.net"))


def test_forwarding_needs_its_service(org: Lab) -> None:
    change(org, JANE, mailForwardingAddress="jane@example.net", enabledService=without("forward"))

    deliver(org, JANE)

    assert 1 == count(org, JANE)
    assert [] == org.sink.to("jane@example.net")


def test_without_delivery_mail_is_still_forwarded_but_for_its_attribute(org: Lab) -> None:
    """The catch-all's question asks for no service, and finds any user with targets."""
    change(
        *(org, JANE),
        mailForwardingAddress="jane@example.net",
        enabledService=without("forward", "deliver"),
    )
    deliver(org, JANE)
    assert 1 == len(org.sink.to("jane@example.net"))

    change(org, JANE, mailForwardingAddress=None)

    assert 550 == refused(org, JANE)


def test_a_user_has_a_second_address(org: Lab) -> None:
    change(org, JANE, shadowAddress=["sales@example.org", "office@example.org"])

    deliver(org, "sales@example.org", "office@example.org")

    assert 2 == count(org, JANE)


def test_mail_to_a_second_address_is_forwarded_too(org: Lab) -> None:
    change(org, JANE, shadowAddress="sales@example.org", mailForwardingAddress="jane@example.net")

    deliver(org, "sales@example.org")

    assert 0 == count(org, JANE)
    assert 1 == len(org.sink.to("jane@example.net"))


def test_a_login_with_a_second_address_needs_its_service(org: Lab) -> None:
    change(org, JANE, shadowAddress="sales@example.org")
    assert org.login("imap", "sales@example.org", PASSWORD)

    change(org, JANE, enabledService=without("shadowaddress"))

    assert not org.login("imap", "sales@example.org", PASSWORD)
    assert org.login("imap", JANE, PASSWORD)
    deliver(org, "sales@example.org")
    assert 1 == count(org, JANE)


def test_an_alias_reaches_its_members_here_and_elsewhere(org: Lab) -> None:
    add_alias(org, "team@example.org", JANE, JOHN, "member@example.net")

    deliver(org, "team@example.org")

    assert 1 == count(org, JANE)
    assert 1 == count(org, JOHN)
    assert 1 == len(org.sink.to("member@example.net"))


def test_an_alias_has_a_second_address(org: Lab) -> None:
    add_alias(org, "team@example.org", JANE, shadowAddress="crew@example.org")

    deliver(org, "crew@example.org")

    assert 1 == count(org, JANE)


@pytest.mark.parametrize("off", [{"accountStatus": "disabled"}, {"enabledService": "mail"}])
def test_an_alias_that_is_off_is_refused(org: Lab, off: dict[str, str]) -> None:
    add_alias(org, "team@example.org", JANE, **off)

    assert 550 == refused(org, "team@example.org")


def test_a_list_reaches_those_who_name_it_and_those_beside_it(org: Lab) -> None:
    add_list(org, "news@example.org", "member@example.net", "other@example.net")
    change(org, JANE, memberOfGroup="news@example.org")

    deliver(org, "news@example.org")

    assert 1 == count(org, JANE)
    assert 0 == count(org, JOHN)
    assert 1 == len(org.sink.to("member@example.net"))
    assert 1 == len(org.sink.to("other@example.net"))


@pytest.mark.parametrize(
    "off",
    [
        {"accountStatus": "disabled"},
        {"domainStatus": "disabled"},
        {"enabledService": without("mail")},
        {"enabledService": without("deliver")},
    ],
    ids=["disabled", "disabled-domain", "no-mail", "no-delivery"],
)
def test_a_member_that_is_off_gets_nothing_from_a_list(org: Lab, off: dict[str, Value]) -> None:
    add_list(org, "news@example.org")
    for member in (JANE, JOHN):
        change(org, member, memberOfGroup="news@example.org")
    change(org, JANE, **off)

    deliver(org, "news@example.org")

    assert JOHN == org.lookup("list_member_maps", "news@example.org")
    assert 1 == count(org, JOHN)
    assert [] == org.sink.mail


def test_an_alias_and_a_list_are_members_of_a_list(org: Lab) -> None:
    add_list(org, "all@example.org")
    add_alias(org, "team@example.org", JANE, memberOfGroup="all@example.org")
    add_list(org, "news@example.org", memberOfGroup="all@example.org")
    change(org, JOHN, memberOfGroup="news@example.org")

    deliver(org, "all@example.org")

    assert 1 == count(org, JANE)
    assert 1 == count(org, JOHN)


def test_a_list_without_members_is_refused(org: Lab) -> None:
    add_list(org, "news@example.org")

    assert 550 == refused(org, "news@example.org")


def test_a_subscribable_list_has_a_transport_of_its_own(org: Lab) -> None:
    add_list(
        *(org, "news@example.org"),
        enabledService=["mail", "deliver", "mlmmj"],
        mtaTransport=f"smtp:{org.sink.nexthop}",
    )

    deliver(org, "news@example.org")

    assert 1 == len(org.sink.to("news@example.org"))


def test_the_catch_all_gets_what_nobody_else_gets(org: Lab) -> None:
    add_alias_domain(org)
    add_catch_all(org, "example.org", JOHN, "caught@example.net", shadowAddress="@example.com")

    deliver(org, "anything@example.org", "x+y@example.org", "anything@example.com")
    deliver(org, JANE, "jane+news@example.org", "jane+news@example.com")

    assert 3 == count(org, JOHN)
    assert 3 == count(org, JANE)
    assert 3 == len(org.sink.to("caught@example.net"))


def test_a_disabled_catch_all_gets_nothing(org: Lab) -> None:
    add_catch_all(org, "example.org", JOHN, accountStatus="disabled")

    assert 550 == refused(org, "anything@example.org")


# Copies, relays, senders


def test_a_copy_of_incoming_mail(org: Lab) -> None:
    change(
        org,
        "example.org",
        domainRecipientBccAddress="domain@example.net",
        enabledService=["mail", "recipientbcc"],
    )
    change(org, JANE, userRecipientBccAddress="user@example.net")

    deliver(org, JANE)
    deliver(org, JOHN)

    assert 1 == count(org, JANE)
    assert 1 == count(org, JOHN)
    assert [JANE] == [str(mail.message["To"]) for mail in org.sink.to("user@example.net")]
    assert [JOHN] == [str(mail.message["To"]) for mail in org.sink.to("domain@example.net")]


def test_a_copy_of_outgoing_mail(org: Lab) -> None:
    change(
        org,
        "example.org",
        domainSenderBccAddress="domain@example.net",
        enabledService=["mail", "senderbcc"],
    )
    change(org, JANE, userSenderBccAddress="user@example.net")

    for sender in (JANE, JOHN):
        assert 250 == send_as(org, sender)

    assert [JANE] == [mail.sender for mail in org.sink.to("user@example.net")]
    assert [JOHN] == [mail.sender for mail in org.sink.to("domain@example.net")]


def test_a_copy_needs_its_service(org: Lab) -> None:
    change(org, "example.org", domainRecipientBccAddress="domain@example.net")
    change(
        *(org, JANE),
        userRecipientBccAddress="user@example.net",
        userSenderBccAddress="user@example.net",
        enabledService=without("recipientbcc", "senderbcc"),
    )

    deliver(org, JANE)
    assert 250 == send_as(org, JANE)

    assert [OUTSIDE] == [recipient for mail in org.sink.mail for recipient in mail.recipients]


def test_outgoing_mail_takes_the_relay_of_its_sender(org: Lab) -> None:
    of_jane, of_domain = Sink(), Sink()
    change(org, JANE, senderRelayHost=of_jane.nexthop)
    change(org, "example.org", senderRelayHost=of_domain.nexthop)

    for sender in (JANE, JOHN):
        assert 250 == send_as(org, sender)

    assert [JANE] == [mail.sender for mail in of_jane.mail]
    assert [JOHN] == [mail.sender for mail in of_domain.mail]
    assert [] == org.sink.mail
    of_jane.close()
    of_domain.close()


def test_nobody_sends_as_somebody_else(org: Lab) -> None:
    assert 553 == send_as(org, JOHN, login=JANE)
    assert 250 == send_as(org, JANE)


def test_a_user_sends_with_a_second_address(org: Lab) -> None:
    change(org, JANE, shadowAddress="sales@example.org")

    assert 250 == send_as(org, "sales@example.org", login=JANE)
    assert 553 == send_as(org, "sales@example.org", login=JOHN)


def test_nobody_sends_to_the_world_without_a_login(org: Lab) -> None:
    assert 554 == refused(org, OUTSIDE)


# Quota and last login


def test_the_quota_is_shown_and_its_use_is_recorded(org: Lab) -> None:
    change(org, JANE, mailQuota=str(10 * 1024 * 1024))

    org.send(OUTSIDE, [JANE], "x" * 50_000)
    org.wait_for_mail(JANE, PASSWORD)
    org.wait(lambda: org.quota(JANE, PASSWORD).used > 50_000)

    ((used, messages, domain),) = org.directory.rows(
        "SELECT bytes, messages, domain FROM used_quota WHERE username = ?", JANE
    )
    assert 10 * 1024 * 1024 == org.quota(JANE, PASSWORD).limit
    assert (1, "example.org") == (messages, domain)
    assert 50_000 < used < 60_000


@pytest.mark.parametrize("quota", [None, "0"])
def test_no_quota_is_no_limit(org: Lab, quota: str | None) -> None:
    change(org, JANE, mailQuota=quota)

    assert Quota(0, None) == org.quota(JANE, PASSWORD)


def test_a_full_mailbox_sends_mail_back(org: Lab) -> None:
    change(org, JANE, mailQuota=str(1024 * 1024))

    org.send(OUTSIDE, [JANE], "\n".join(["x" * 70] * 30_000))
    org.settle()

    assert 0 == count(org, JANE)
    assert [""] == [mail.sender for mail in org.sink.to(OUTSIDE)]


def test_logins_and_deliveries_are_recorded(org: Lab) -> None:
    deliver(org, JANE)
    assert org.login("imap", JANE, PASSWORD)
    assert org.login("pop3", JANE, PASSWORD)

    def times() -> list[tuple[int, ...]]:
        return org.directory.rows(
            "SELECT imap, pop3, lda FROM last_login WHERE username = ? AND domain = ?",
            *(JANE, "example.org"),
        )

    org.wait(lambda: times() and all(times()[0]))
    assert 1 == len(times())
    assert all(when > 1_700_000_000 for when in times()[0])


# Logins

WAYS: list[tuple[Protocol, bool, bool, str]] = [
    ("imap", False, False, "imap"),
    ("imap", False, True, "imapsecured"),
    ("imap", True, False, "imaptls"),
    ("pop3", False, False, "pop3"),
    ("pop3", False, True, "pop3secured"),
    ("pop3", True, False, "pop3tls"),
    ("sieve", False, False, "sieve"),
    ("sieve", False, True, "sievesecured"),
    ("sieve", True, False, "sievetls"),
    ("smtp", False, False, "smtp"),
    ("smtp", True, False, "smtpsecured"),
]


def test_a_user_is_let_in_everywhere_with_the_right_password_only(org: Lab) -> None:
    for protocol, tls, trusted, _ in WAYS:
        assert org.login(protocol, JANE, PASSWORD, tls=tls, trusted=trusted), protocol
        assert not org.login(protocol, JANE, "wrong", tls=tls, trusted=trusted), protocol


def test_each_service_keeps_just_its_own_way_out(org: Lab) -> None:
    for _, _, _, service in WAYS:
        change(org, JANE, enabledService=without(service))
        shut = [
            name
            for protocol, tls, trusted, name in WAYS
            if not org.login(protocol, JANE, PASSWORD, tls=tls, trusted=trusted)
        ]

        assert [service] == shut


def test_no_mail_service_is_no_way_in(org: Lab) -> None:
    change(org, JANE, enabledService=without("mail"))

    for protocol, tls, trusted, _ in WAYS:
        assert not org.login(protocol, JANE, PASSWORD, tls=tls, trusted=trusted), protocol
    assert 550 == refused(org, JANE)


def test_who_may_not_use_smtp_sends_nothing(org: Lab) -> None:
    change(org, JANE, enabledService=without("smtp"))

    assert 553 == send_as(org, JANE, login=JOHN)
    assert org.lookup("sender_login_maps", JANE) is None


def test_one_of_several_passwords_is_enough(org: Lab) -> None:
    before = org.directory.server.entry(dn(JANE))["userPassword"]
    change(org, JANE, userPassword=[*before, b"Second-Pass2"])

    assert org.login("imap", JANE, PASSWORD)
    assert org.login("imap", JANE, "Second-Pass2")
    assert not org.login("imap", JANE, "")


def test_logins_from_named_networks_only(org: Lab) -> None:
    change(org, JANE, allowNets="127.0.0.2/32,192.0.2.1")

    assert org.login("imap", JANE, PASSWORD, trusted=False)
    assert not org.login("imap", JANE, PASSWORD, trusted=True)


@pytest.mark.parametrize("service", ["lmtp", "deliver"])
def test_delivery_can_be_shut(org: Lab, service: str) -> None:
    change(org, JANE, enabledService=without(service))

    if service == "deliver":
        assert 550 == refused(org, JANE)
    else:
        deliver(org, JANE)
        assert [""] == [mail.sender for mail in org.sink.to(OUTSIDE)]
    assert 0 == count(org, JANE)


# The rest


def test_dovecot_lists_every_user(org: Lab) -> None:
    add_catch_all(org, "example.org", JOHN)
    add_user(org, "off@example.org", accountStatus="disabled")

    assert [JANE, JOHN] == sorted(
        user for user in org.dovecot.doveadm("user", "*").split() if not user.startswith("@")
    )


def test_a_table_can_be_asked_alone(org: Lab) -> None:
    assert JANE == org.lookup("user_maps", JANE)
    assert JANE == org.lookup("sender_login_maps", JANE)
    assert org.lookup("user_maps", "nobody@example.org") is None
    assert org.lookup("sender_bcc_maps_user", "nobody@example.net") is None


def test_an_emptied_lab_knows_nobody(org: Lab) -> None:
    deliver(org, JANE)

    org.empty()

    assert 554 == refused(org, JANE)
    assert [] == list(org.storage.iterdir())


def test_a_directory_that_is_down_refuses_nobody_for_good(lab_ldap: Lab) -> None:
    """Mail waits at its sender. The fixture would fail a test during which a program complains."""
    lab_ldap.empty()
    add_domain(lab_ldap, "example.org")
    add_user(lab_ldap, JANE)
    lab_ldap.directory.server.stop()
    try:
        assert 451 == refused(lab_ldap, JANE)
    finally:
        lab_ldap.directory.server.start()

    assert any("table lookup problem" in line for line in lab_ldap.complaints())
    deliver(lab_ldap, JANE)
    assert 1 == count(lab_ldap, JANE)
