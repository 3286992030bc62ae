"""The lab itself: rows written by hand do what the mail programs should make of them."""

from __future__ import annotations

import pytest

from mailwright.storage.sql.dialect import Dialect
from tests.mailserver.clients import Protocol, Quota
from tests.mailserver.lab import Lab
from tests.mailserver.rows import (
    PASSWORD,
    add_alias_domain,
    add_domain,
    add_forwarding,
    add_user,
)
from tests.mailserver.sink import Sink

OUTSIDE = "friend@example.net"
JANE = "jane@example.org"
JOHN = "john@example.org"


@pytest.fixture
def org(lab: Lab) -> Lab:
    """A domain with two users."""
    add_domain(lab, "example.org")
    add_user(lab, JANE)
    add_user(lab, JOHN)
    return lab


def refused(lab: Lab, recipient: str) -> int:
    reply = lab.send(OUTSIDE, [recipient])[recipient]
    assert not reply.accepted, reply
    return reply.code


def deliver(lab: Lab, recipient: str, sender: str = OUTSIDE) -> None:
    reply = lab.send(sender, [recipient])[recipient]
    assert reply.accepted, reply
    lab.settle()


def count(lab: Lab, user: str) -> int:
    return len(lab.inbox(user, PASSWORD))


# Users


def test_mail_to_a_user_is_delivered_by_lmtp_and_read_by_imap(org: Lab) -> None:
    replies = org.send(OUTSIDE, [JANE], "first letter")

    assert replies[JANE].accepted
    (message,) = org.wait_for_mail(JANE, PASSWORD)
    assert "first letter" == message["Subject"]
    assert "first letter" == message.get_content().strip()
    org.settle()
    assert "lmtp(jane@example.org)" in org.dovecot.log()
    assert 0 == count(org, JOHN)


def test_an_unknown_user_is_refused_beside_a_known_one(org: Lab) -> None:
    replies = org.send(OUTSIDE, [JANE, "nobody@example.org"])

    assert replies[JANE].accepted
    assert 550 == replies["nobody@example.org"].code


def test_an_address_is_found_in_whatever_case(org: Lab) -> None:
    deliver(org, "Jane@Example.ORG")

    assert 1 == count(org, JANE)


def test_an_extension_is_not_part_of_the_address(org: Lab) -> None:
    deliver(org, "jane+news@example.org")

    assert 1 == count(org, JANE)


def test_the_odd_characters_of_an_address_are_like_others(org: Lab) -> None:
    """Dovecot knows neither of them unless told so."""
    odd = add_user(org, "#o&dd@example.org")

    deliver(org, odd)

    assert 1 == count(org, odd)


def test_a_disabled_user_is_refused_and_kept_out(org: Lab) -> None:
    org.database.execute("UPDATE mailbox SET active = 0 WHERE username = ?", JANE)
    org.database.execute("UPDATE forwardings SET active = 0 WHERE address = ?", JANE)

    assert 550 == refused(org, JANE)
    assert not org.login("imap", JANE, PASSWORD)
    assert org.login("imap", JOHN, PASSWORD)


# Domains


def test_a_domain_that_is_not_here_is_refused(org: Lab) -> None:
    assert 554 == refused(org, "jane@example.com")


def test_a_disabled_domain_is_refused_and_kept_out(org: Lab) -> None:
    org.database.execute("UPDATE domain SET active = 0")

    assert 554 == refused(org, JANE)
    assert not org.login("imap", JANE, PASSWORD)


def test_an_alias_domain_has_the_addresses_of_its_target(org: Lab) -> None:
    add_alias_domain(org, "example.com", "example.org")

    deliver(org, "jane@example.com")

    assert 1 == count(org, JANE)
    assert 550 == refused(org, "nobody@example.com")
    assert not org.login("imap", "jane@example.com", PASSWORD)


def test_an_inactive_alias_domain_is_refused(org: Lab) -> None:
    add_alias_domain(org, "example.com", "example.org")
    org.database.execute("UPDATE alias_domain SET active = 0")

    assert 554 == refused(org, "jane@example.com")


def test_a_backup_mx_passes_everything_on_and_lets_nobody_in(org: Lab) -> None:
    org.database.execute(
        "UPDATE domain SET backupmx = 1, transport = ?", f"relay:{org.sink.nexthop}"
    )

    deliver(org, "anybody@example.org")

    assert 1 == len(org.sink.to("anybody@example.org"))
    assert not org.login("imap", JANE, PASSWORD)


def test_a_domain_is_relayed_to_another_server(org: Lab) -> None:
    org.database.execute("UPDATE domain SET transport = ?", f"smtp:{org.sink.nexthop}")

    deliver(org, JANE)

    assert 1 == len(org.sink.to(JANE))
    assert 550 == refused(org, "nobody@example.org")


def test_a_new_transport_counts_at_once(org: Lab) -> None:
    """Postfix remembers for half a minute where an address goes; the lab makes it forget."""
    deliver(org, JANE)
    org.database.execute(
        "UPDATE mailbox SET transport = ? WHERE username = ?", f"smtp:{org.sink.nexthop}", JANE
    )

    deliver(org, JANE)

    assert 1 == count(org, JANE)
    assert 1 == len(org.sink.to(JANE))


def test_a_new_transport_counts_for_an_alias_too(org: Lab) -> None:
    add_forwarding(org, "sales@example.org", JANE, is_alias=1)
    deliver(org, "sales@example.org")
    org.database.execute("UPDATE mailbox SET transport = ?", f"smtp:{org.sink.nexthop}")

    deliver(org, "sales@example.org")
    org.database.execute("UPDATE mailbox SET transport = ''")
    deliver(org, JANE)

    assert 2 == count(org, JANE)
    assert 1 == len(org.sink.to(JANE))


def test_the_transport_of_a_user_comes_before_that_of_the_domain(org: Lab) -> None:
    other = f"smtp:{org.sink.nexthop}"
    org.database.execute("UPDATE mailbox SET transport = ? WHERE username = ?", other, JANE)

    deliver(org, JANE)
    deliver(org, JOHN)

    assert 1 == len(org.sink.to(JANE))
    assert 1 == count(org, JOHN)


def test_a_list_has_a_transport_of_its_own(org: Lab) -> None:
    address = "news@example.org"
    org.database.insert(
        "maillists",
        address=address,
        domain="example.org",
        transport=f"smtp:{org.sink.nexthop}",
        mlid="0b6e9a3c-3c65-4a4a-9d0c-0c2d0f7d5a11",
    )
    add_forwarding(org, address, address, is_maillist=1)

    deliver(org, address)

    assert 1 == len(org.sink.to(address))


def test_the_delivery_program_serves_too(org: Lab) -> None:
    """`dovecot:` with a colon is the pipe service whatever `dovecot` stands for."""
    org.database.execute("UPDATE mailbox SET transport = 'dovecot:', enablelmtp = 0")

    deliver(org, JANE)

    assert 1 == count(org, JANE)
    assert "lda(jane@example.org)" in org.dovecot.log()


# Forwarding, aliases, catch-all


def test_forwarding_with_a_copy_of_ones_own(org: Lab) -> None:
    add_forwarding(org, JANE, "jane@example.net", is_forwarding=1)

    deliver(org, JANE)

    assert 1 == count(org, JANE)
    assert 1 == len(org.sink.to("jane@example.net"))


def test_forwarding_without_a_copy_of_ones_own(org: Lab) -> None:
    org.database.execute("DELETE FROM forwardings WHERE address = ?", JANE)
    add_forwarding(org, JANE, "jane@example.net", is_forwarding=1)

    deliver(org, JANE)

    assert 0 == count(org, JANE)
    assert 1 == len(org.sink.to("jane@example.net"))


def test_a_user_has_a_second_address(org: Lab) -> None:
    add_forwarding(org, "sales@example.org", JANE, is_alias=1)

    deliver(org, "sales@example.org")

    assert 1 == count(org, JANE)


def test_a_second_address_below_an_alias_domain_needs_the_primary_domain(org: Lab) -> None:
    add_alias_domain(org, "example.com", "example.org")
    add_forwarding(org, "good@example.com", JANE, is_alias=1, domain="example.org")
    add_forwarding(org, "bad@example.com", JANE, is_alias=1)

    deliver(org, "good@example.com")

    assert 1 == count(org, JANE)
    assert 550 == refused(org, "bad@example.com")


def test_an_alias_reaches_its_members_here_and_elsewhere(org: Lab) -> None:
    for member in (JANE, JOHN, "member@example.net"):
        add_forwarding(org, "team@example.org", member, is_list=1)

    deliver(org, "team@example.org")

    assert 1 == count(org, JANE)
    assert 1 == count(org, JOHN)
    assert 1 == len(org.sink.to("member@example.net"))


def test_an_inactive_alias_is_refused(org: Lab) -> None:
    add_forwarding(org, "team@example.org", JANE, is_list=1, active=0)

    assert 550 == refused(org, "team@example.org")


def test_the_catch_all_gets_what_nobody_else_gets(org: Lab) -> None:
    add_forwarding(org, "example.org", JOHN, domain="example.org")
    add_alias_domain(org, "example.com", "example.org")

    for recipient in ("anything@example.org", "x+y@example.org", "anything@example.com"):
        deliver(org, recipient)
    for recipient in (JANE, "jane+news@example.org", "jane+news@example.com"):
        deliver(org, recipient)

    assert 3 == count(org, JOHN)
    assert 3 == count(org, JANE)


# Copies, relays, senders


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("recipient_bcc_domain", {"domain": "example.org"}),
        ("recipient_bcc_user", {"username": JANE, "domain": "example.org"}),
    ],
)
def test_a_copy_of_incoming_mail(org: Lab, table: str, row: dict[str, str]) -> None:
    org.database.insert(table, bcc_address="archive@example.net", **row)

    deliver(org, JANE)

    assert 1 == count(org, JANE)
    assert 1 == len(org.sink.to("archive@example.net"))


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("sender_bcc_domain", {"domain": "example.org"}),
        ("sender_bcc_user", {"username": JANE, "domain": "example.org"}),
    ],
)
def test_a_copy_of_outgoing_mail(org: Lab, table: str, row: dict[str, str]) -> None:
    org.database.insert(table, bcc_address=JOHN, **row)

    org.send(JANE, [OUTSIDE], login=(JANE, PASSWORD))
    org.settle()

    assert 1 == len(org.sink.to(OUTSIDE))
    assert 1 == count(org, JOHN)


def test_the_copy_of_a_user_comes_before_that_of_the_domain(org: Lab) -> None:
    org.database.insert("recipient_bcc_domain", domain="example.org", bcc_address="d@example.net")
    org.database.insert(
        "recipient_bcc_user", username=JANE, domain="example.org", bcc_address="u@example.net"
    )

    deliver(org, JANE)

    assert 1 == len(org.sink.to("u@example.net"))
    assert 0 == len(org.sink.to("d@example.net"))


def test_outgoing_mail_takes_the_relay_of_its_sender(org: Lab) -> None:
    of_jane, of_domain = Sink(), Sink()
    for account, sink in ((JANE, of_jane), ("@example.org", of_domain)):
        org.database.insert("sender_relayhost", account=account, relayhost=sink.nexthop)

    for sender in (JANE, JOHN):
        org.send(sender, [OUTSIDE], login=(sender, PASSWORD))
    org.settle()

    assert [JANE] == [mail.sender for mail in of_jane.mail]
    assert [JOHN] == [mail.sender for mail in of_domain.mail]
    assert [] == org.sink.mail
    of_jane.close()
    of_domain.close()


def test_nobody_sends_as_somebody_else(org: Lab) -> None:
    as_john = org.send(JOHN, [OUTSIDE], login=(JANE, PASSWORD))
    as_jane = org.send(JANE, [OUTSIDE], login=(JANE, PASSWORD))

    assert 553 == as_john[OUTSIDE].code
    assert as_jane[OUTSIDE].accepted


def test_nobody_sends_to_the_world_without_a_login(org: Lab) -> None:
    assert 554 == refused(org, OUTSIDE)


# Quota and last login


def test_the_quota_is_shown_and_its_use_is_recorded(org: Lab) -> None:
    org.database.execute("UPDATE mailbox SET quota = 10 WHERE username = ?", JANE)

    org.send(OUTSIDE, [JANE], "x" * 50_000)
    org.wait_for_mail(JANE, PASSWORD)
    org.wait(lambda: org.quota(JANE, PASSWORD).used > 50_000)

    ((used, messages, domain),) = org.database.rows(
        "SELECT bytes, messages, domain FROM used_quota WHERE username = ?", JANE
    )
    assert 10 * 1024 * 1024 == org.quota(JANE, PASSWORD).limit
    assert (1, "example.org") == (messages, domain)
    assert 50_000 < used < 60_000


def test_no_quota_is_no_limit(org: Lab) -> None:
    assert Quota(0, None) == org.quota(JANE, PASSWORD)


def test_a_full_mailbox_sends_mail_back(org: Lab) -> None:
    org.database.execute("UPDATE mailbox SET quota = 1 WHERE username = ?", JANE)

    org.send(OUTSIDE, [JANE], "\n".join(["x" * 70] * 30_000))
    org.settle()

    assert 0 == count(org, JANE)
    assert [""] == [mail.sender for mail in org.sink.to(OUTSIDE)]


def test_logins_and_deliveries_are_recorded(org: Lab) -> None:
    deliver(org, JANE)
    assert org.login("imap", JANE, PASSWORD)
    assert org.login("pop3", JANE, PASSWORD)

    def times() -> list[tuple[int, ...]]:
        return org.database.rows(
            "SELECT imap, pop3, lda FROM last_login WHERE username = ? AND domain = ?",
            *(JANE, "example.org"),
        )

    org.wait(lambda: times() and all(times()[0]))
    assert 1 == len(times())
    assert all(when > 1_700_000_000 for when in times()[0])


# Protocols

WAYS: list[tuple[Protocol, bool, bool, str]] = [
    ("imap", False, False, "enableimap"),
    ("imap", False, True, "enableimapsecured"),
    ("imap", True, False, "enableimaptls"),
    ("pop3", False, False, "enablepop3"),
    ("pop3", False, True, "enablepop3secured"),
    ("pop3", True, False, "enablepop3tls"),
    ("sieve", False, False, "enablesieve"),
    ("sieve", False, True, "enablesievesecured"),
    ("sieve", True, False, "enablesievetls"),
    ("smtp", False, False, "enablesmtp"),
    ("smtp", True, False, "enablesmtpsecured"),
]


def test_a_user_is_let_in_everywhere_with_the_right_password_only(org: Lab) -> None:
    for protocol, tls, trusted, _ in WAYS:
        assert org.login(protocol, JANE, PASSWORD, tls=tls, trusted=trusted), protocol
        assert not org.login(protocol, JANE, "wrong", tls=tls, trusted=trusted), protocol


def test_each_column_keeps_just_its_own_way_out(org: Lab) -> None:
    for _, _, _, column in WAYS:
        org.database.execute(f"UPDATE mailbox SET {column} = 0 WHERE username = ?", JANE)
        shut = [
            name
            for protocol, tls, trusted, name in WAYS
            if not org.login(protocol, JANE, PASSWORD, tls=tls, trusted=trusted)
        ]
        org.database.execute(f"UPDATE mailbox SET {column} = 1 WHERE username = ?", JANE)

        assert [column] == shut


def test_logins_from_named_networks_only(org: Lab) -> None:
    org.database.execute("UPDATE mailbox SET allow_nets = '127.0.0.2/32' WHERE username = ?", JANE)

    assert org.login("imap", JANE, PASSWORD, trusted=False)
    assert not org.login("imap", JANE, PASSWORD, trusted=True)


def test_delivery_can_be_shut(org: Lab) -> None:
    org.database.execute("UPDATE mailbox SET enablelmtp = 0 WHERE username = ?", JANE)

    deliver(org, JANE)

    assert 0 == count(org, JANE)
    assert [""] == [mail.sender for mail in org.sink.to(OUTSIDE)]


# The rest


def test_dovecot_lists_every_user(org: Lab) -> None:
    assert [JANE, JOHN] == sorted(org.dovecot.doveadm("user", "*").split())


def test_a_table_can_be_asked_alone(org: Lab) -> None:
    assert JANE == org.lookup("virtual_alias_maps", JANE)
    assert JANE == org.lookup("sender_login_maps", JANE)
    assert org.lookup("virtual_alias_maps", "nobody@example.org") is None


def test_an_emptied_lab_knows_nobody(org: Lab) -> None:
    deliver(org, JANE)

    org.empty()

    assert 554 == refused(org, JANE)
    assert [] == list(org.storage.iterdir())


def test_sqlite_is_read_and_written_in_wal_mode(lab_sqlite: Lab) -> None:
    assert Dialect.SQLITE is lab_sqlite.database.dialect
    assert [("wal",)] == lab_sqlite.database.rows("PRAGMA journal_mode")


def test_a_failing_query_is_noticed(lab_sqlite: Lab) -> None:
    """The fixture `lab` fails a test during which a program complained."""
    lab_sqlite.empty()
    lab_sqlite.database.execute("ALTER TABLE domain RENAME TO hidden")
    try:
        with pytest.raises(AssertionError, match="neither let in nor refused"):
            lab_sqlite.login("imap", JANE, PASSWORD)
    finally:
        lab_sqlite.database.execute("ALTER TABLE hidden RENAME TO domain")

    assert JANE in lab_sqlite.complaints()[-1]
