"""Who gets in: passwords, and each service over each protocol."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from mailwright.settings.sections import Disagreement
from tests.api.client import api_with
from tests.mailserver.clients import Protocol, Quota
from tests.mailserver.operations.host import DOMAIN, JANE, JOHN, OUTSIDE, PASSWORD, Host

# Passwords


def test_a_new_password_counts_at_once_and_the_old_one_no_longer(org: Host) -> None:
    org.change_user(JANE, password="Other-Pass2")

    assert not org.lets_in(JANE)
    assert org.lets_in(JANE, "Other-Pass2")
    assert org.lets_in(JOHN)


def test_a_new_password_for_every_user_of_a_domain_counts_at_once(org: Host) -> None:
    org.add_domain("example.com")
    org.add_user("jane@example.com")

    assert 2 == org.update_users(DOMAIN, password="Other-Pass2")

    assert [False, False] == [org.lets_in(user) for user in (JANE, JOHN)]
    assert [True, True] == [org.lets_in(user, "Other-Pass2") for user in (JANE, JOHN)]
    assert org.lets_in("jane@example.com")


@pytest.mark.parametrize("scheme", ["SSHA512", "BCRYPT", "ARGON2ID"])
def test_dovecot_knows_each_way_in_which_passwords_are_stored(host: Host, scheme: str) -> None:
    """What a directory cannot compare is not stored there: Dovecot has it do so."""
    if host.in_directory and scheme == "ARGON2ID":
        with pytest.raises(Disagreement, match="OpenLDAP does not verify it"):
            host.with_settings(passwords={"scheme": scheme})
        return
    site = host.with_settings(passwords={"scheme": scheme})
    site.create("domain", DOMAIN, name="Example")
    site.create("user", JANE, password=PASSWORD)
    site.close()
    (stored,) = host.hashes(JANE)

    assert stored.startswith({"ARGON2ID": "{ARGON2ID}", "BCRYPT": "{CRYPT}$2"}.get(scheme, "{SSHA"))
    assert host.lab.login("imap", JANE, PASSWORD)
    assert not host.lab.login("imap", JANE, "Test-Pass2")


@pytest.mark.parametrize("password", ["Quo\"te's\\ %u$1{x}", "Two  Words-1", "{PLAIN}Test-1"])
def test_dovecot_takes_any_password_as_it_was_set(org: Host, password: str) -> None:
    org.change_user(JANE, password=password)

    assert org.lab.login("sieve", JANE, password, tls=True)
    assert not org.lab.login("sieve", JANE, f"{password}x", tls=True)


# Services


class Way(NamedTuple):
    protocol: Protocol
    tls: bool
    trusted: bool


def ways(protocol: Protocol, *kinds: str) -> set[Way]:
    return {Way(protocol, kind == "tls", kind == "trusted") for kind in kinds}


EVERY_WAY = {
    way
    for protocol in ("imap", "pop3", "sieve", "smtp")
    for way in ways(protocol, "plain", "trusted", "tls")
}
SERVICES = {
    "smtp": ways("smtp", "plain", "trusted"),
    "smtpsecured": ways("smtp", "tls"),
    "pop3": ways("pop3", "plain"),
    "pop3secured": ways("pop3", "trusted", "tls"),
    "imap": ways("imap", "plain"),
    "imapsecured": ways("imap", "trusted", "tls"),
    "managesieve": ways("sieve", "plain"),
    "managesievesecured": ways("sieve", "trusted", "tls"),
}


def let_in(host: Host, user: str = JANE) -> set[Way]:
    return {
        way
        for way in EVERY_WAY
        if host.lab.login(way.protocol, user, PASSWORD, tls=way.tls, trusted=way.trusted)
    }


def test_a_new_user_is_let_in_every_way(org: Host) -> None:
    assert EVERY_WAY == let_in(org)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_switched_off_keeps_out_just_its_own_way_in(org: Host, service: str) -> None:
    org.change_user(JANE, removeService=service)
    assert EVERY_WAY - SERVICES[service] == let_in(org)

    org.change_user(JANE, addService=service)
    assert EVERY_WAY == let_in(org)


def test_delivery_switched_off_takes_no_mail_and_lets_the_user_in(org: Host) -> None:
    """Postfix asks a directory for the service (LDAP reference 5.1), and a database not.

    So mail is refused at once, or else sent back by Dovecot.
    """
    org.change_user(JANE, removeService="deliver")
    answers = org.post(JANE, JOHN)
    assert [550 if org.in_directory else 250, 250] == answers
    assert EVERY_WAY == let_in(org)
    assert [0, 1] == [org.mail_of(JANE), org.mail_of(JOHN)]
    sent_back = [mail.sender for mail in org.lab.sink.to(OUTSIDE)]
    assert ([] if org.in_directory else [""]) == sent_back

    org.change_user(JANE, addService="deliver")
    org.post(JANE)
    assert 1 == org.mail_of(JANE)


def test_services_are_replaced_as_a_whole(org: Host) -> None:
    org.change_user(JANE, services="imapsecured,smtpsecured")
    assert SERVICES["imapsecured"] | SERVICES["smtpsecured"] == let_in(org)
    org.post(JANE)
    assert 0 == org.mail_of(JANE)
    assert EVERY_WAY == let_in(org, JOHN)

    org.change_user(JANE, services="")
    assert set() == let_in(org)

    org.change_user(JANE, services=",".join([*SERVICES, "deliver"]))
    assert EVERY_WAY == let_in(org)
    org.post(JANE)
    assert 1 == org.mail_of(JANE)


# The same over HTTP


def test_accounts_made_over_http_get_mail_and_get_in(host: Host) -> None:
    with api_with(host) as api:
        api.add_admin()

        def ask(method: str, path: str, form: str = "") -> None:
            result = api.call(method, f"/api/{path}", form)
            assert result.json["_success"], result.json

        assert not api.call("POST", f"/api/domain/{DOMAIN}", "name=Example").json["_success"]
        assert api.login().json["_success"]
        ask("POST", f"domain/{DOMAIN}", "name=Example")
        ask("POST", f"user/{JANE}", f"password={PASSWORD}&quota=10")
        ask("POST", f"user/{JOHN}", f"password={PASSWORD}")
        assert [250, 550] == host.post(JANE, "nobody@example.org")
        assert 1 == host.mail_of(JANE)
        assert 10 * 1048576 == host.lab.quota(JANE, PASSWORD).limit

        ask("PUT", f"user/{JANE}", "quota=0&forwarding=jane%40example.net&removeService=imap")
        ask("PUT", f"domain/{DOMAIN}", f"catchall={JOHN}")
        assert [250, 250] == host.post(JANE, "anybody@example.org")
        assert [1, 1] == [host.mail_of(JANE), host.mail_of(JOHN)]
        assert 1 == host.mail_outside("jane@example.net")
        assert Quota(0, None) == host.lab.quota(JANE, PASSWORD)
        assert not host.lab.login("imap", JANE, PASSWORD)

        ask("PUT", f"users/{DOMAIN}", "password=Other-Pass2")
        assert not host.lets_in(JANE)
        assert host.lets_in(JANE, "Other-Pass2")
        ask("PUT", f"users/{DOMAIN}", "accountStatus=disabled")
        assert not host.lets_in(JOHN, "Other-Pass2")

        ask("PUT", f"users/{DOMAIN}", "accountStatus=active")
        ask("DELETE", f"user/{JANE}")
        ask("PUT", f"domain/{DOMAIN}", "catchall=")
        assert [550, 250] == host.post(JANE, JOHN)
        ask("DELETE", f"domain/{DOMAIN}")
        assert [554] == host.post(JOHN)
        assert not host.lets_in(JOHN, "Other-Pass2")
