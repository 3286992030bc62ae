"""The private OpenLDAP server keeps its promises, and so do schema and rules in `contrib/`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.servers import require
from tests.servers.dovecot import make_certificate
from tests.servers.ports import answers
from tests.servers.slapd import Slapd, normalised, ssha

ldap = require.module("ldap")

pytestmark = pytest.mark.openldap

DOMAIN = f"domainName=example.org,{Slapd.base_dn}"
JANE = f"mail=jane@example.org,ou=Users,{DOMAIN}"
ADMIN = f"mail=root@admin.test,{Slapd.admin_base_dn}"
BASE = {
    normalised(dn)
    for dn in (Slapd.suffix, Slapd.bind_dn, Slapd.reader_dn, Slapd.base_dn, Slapd.admin_base_dn)
}


def user(name: str) -> dict[str, str | list[str]]:
    return {
        "objectClass": ["inetOrgPerson", "mailUser", "shadowAccount", "amavisAccount"],
        "mail": f"{name}@example.org",
        "uid": name,
        "cn": name,
        "sn": name,
        "amavisLocal": "TRUE",
        "userPassword": ssha("Test-Pass1"),
        "accountStatus": "active",
        "enabledService": ["mail", "smtp"],
    }


def fill(server: Slapd) -> None:
    """A domain with a user, and an admin."""
    server.add(DOMAIN, {"objectClass": "mailDomain", "domainName": "example.org"})
    server.add(f"ou=Users,{DOMAIN}", {"objectClass": "organizationalUnit", "ou": "Users"})
    server.add(JANE, user("jane"))
    server.add(ADMIN, {"objectClass": "mailAdmin", "mail": "root@admin.test"})


def bulk(count: int) -> dict[str, dict[str, str | list[str]]]:
    return {
        DOMAIN: {"objectClass": "mailDomain", "domainName": "example.org"},
        f"ou=Users,{DOMAIN}": {"objectClass": "organizationalUnit", "ou": "Users"},
        **{
            f"mail=u{number}@example.org,ou=Users,{DOMAIN}": user(f"u{number}")
            for number in range(count)
        },
    }


@contextmanager
def running(**options: Any) -> Iterator[Slapd]:
    server = Slapd(**options)
    try:
        server.start()
        server.make_base()
        yield server
    finally:
        server.remove()


@pytest.fixture
def server(openldap_server: Slapd) -> Slapd:
    openldap_server.empty()
    fill(openldap_server)
    return openldap_server


def seen(server: Slapd, who: str, password: str, base: str) -> dict[str, dict[str, list[bytes]]]:
    with server.connect(who, password) as connection:
        return dict(connection.search_s(base, ldap.SCOPE_SUBTREE))


# The server


def test_an_emptied_server_has_its_base_and_nothing_else(server: Slapd) -> None:
    assert normalised(JANE) in server.entries()

    server.empty()

    assert set(server.entries()) == BASE


def test_entries_are_read_by_one_spelling_of_their_names(server: Slapd) -> None:
    server.add(rf"mail=Odd\2CName@Example.ORG,  ou=Users,{DOMAIN}", user(r"odd"))

    assert normalised(rf"MAIL=odd\,name@example.org,ou=users,{DOMAIN}") in server.entries(DOMAIN)


def test_an_entry_is_added_changed_and_deleted(server: Slapd) -> None:
    server.replace(JANE, cn="Zoë", enabledService=None)
    server.modify(JANE, [(ldap.MOD_ADD, "shadowAddress", ["b@example.org", "a@example.org"])])

    changed = server.entry(JANE)
    assert ["Zoë".encode()] == changed["cn"]
    assert [b"a@example.org", b"b@example.org"] == changed["shadowAddress"]
    assert "enabledService" not in changed
    server.delete_tree(DOMAIN)
    assert {*BASE, normalised(ADMIN)} == set(server.entries())


@pytest.mark.parametrize("end", [Slapd.stop, Slapd.kill])
def test_data_survives_on_the_same_port(server: Slapd, end: Any) -> None:
    before, port = server.entries(), server.port

    end(server)
    assert not answers(port)
    server.start()

    assert before == server.entries()
    assert port == server.port


@pytest.mark.parametrize("count", [1_500, 4_000])
def test_many_entries_are_loaded_and_emptied(server: Slapd, count: int) -> None:
    server.empty()

    server.load(bulk(count))

    with server.connect() as connection:
        last = f"(mail=u{count - 1}@*)"
        assert 1 == len(connection.search_s(server.base_dn, ldap.SCOPE_SUBTREE, last))
    assert count + 3 == len(server.entries(server.base_dn))
    server.empty()
    assert set(server.entries()) == BASE


def test_a_file_is_loaded(server: Slapd, tmp_path: Path) -> None:
    file = tmp_path / "one.ldif"
    file.write_text(
        f"dn: domainName=example.net,{server.base_dn}\n"
        "objectClass: mailDomain\ndomainName: example.net\n"
    )

    server.load(file)

    assert normalised(f"domainName=example.net,{server.base_dn}") in server.entries()


def test_a_removed_server_leaves_nothing() -> None:
    with running() as server:
        folder, port = server.folder, server.port
        assert folder.exists()

    assert not folder.exists()
    assert not answers(port)


# Rules


def test_the_account_of_the_control_plane_reads_and_writes_everything_below_the_bases(
    server: Slapd,
) -> None:
    with server.connect(server.bind_dn, server.bind_password) as connection:
        for dn in (DOMAIN, ADMIN, JANE):
            connection.modify_s(dn, [(ldap.MOD_REPLACE, "cn", b"changed")])
            connection.modify_s(dn, [(ldap.MOD_REPLACE, "accountSetting", b"a:b")])
        connection.modify_s(ADMIN, [(ldap.MOD_REPLACE, "userPassword", b"new")])
        ((_, found),) = connection.search_s(JANE, ldap.SCOPE_BASE)
        assert set(server.entry(JANE)) == set(found)
        with pytest.raises(ldap.INSUFFICIENT_ACCESS):
            connection.modify_s(server.suffix, [(ldap.MOD_REPLACE, "description", b"no")])
        with pytest.raises(ldap.INSUFFICIENT_ACCESS):
            connection.modify_s(server.reader_dn, [(ldap.MOD_REPLACE, "userPassword", b"no")])


def test_the_account_of_the_mail_programs_reads_and_sees_no_password(server: Slapd) -> None:
    found = seen(server, server.reader_dn, server.reader_password, server.suffix)

    assert {DOMAIN, JANE, ADMIN} <= set(found)
    assert "userPassword" not in found[JANE]
    assert found[JANE]["mail"] == [b"jane@example.org"]
    with server.connect(server.reader_dn, server.reader_password) as connection:
        for dn in (DOMAIN, JANE, ADMIN):
            with pytest.raises(ldap.INSUFFICIENT_ACCESS):
                connection.modify_s(dn, [(ldap.MOD_REPLACE, "cn", b"no")])


def test_a_user_binds_and_sees_nothing(server: Slapd) -> None:
    with server.connect(JANE, "Test-Pass1") as connection:
        with pytest.raises(ldap.NO_SUCH_OBJECT):
            connection.search_s(server.base_dn, ldap.SCOPE_SUBTREE)
        with pytest.raises(ldap.INSUFFICIENT_ACCESS):
            connection.modify_s(JANE, [(ldap.MOD_REPLACE, "domainGlobalAdmin", b"yes")])
    with pytest.raises(ldap.INVALID_CREDENTIALS), server.connect(JANE, "wrong"):
        pass


def test_nobody_asks_without_a_name(server: Slapd) -> None:
    connection = ldap.initialize(server.uri)
    with pytest.raises(ldap.INAPPROPRIATE_AUTH):
        connection.simple_bind_s("", "")
    with pytest.raises(ldap.UNWILLING_TO_PERFORM):
        connection.search_s(server.suffix, ldap.SCOPE_SUBTREE)
    connection.unbind_s()


# The password is "Test-Pass1".
SSHA512 = (
    "{SSHA512}m4GQGwbDQ5xSjIqh1zKf30PpXexuG8HUmcPQkWOA/lm3HthmkXoO3esjVCl1"
    "CYFzAWEU7fX2mra9Zors/L3thWxhYi1zYWx0"
)


def test_a_salted_sha512_hash_is_verified_by_the_server(server: Slapd) -> None:
    server.replace(JANE, userPassword=SSHA512)

    with server.connect(JANE, "Test-Pass1") as connection:
        assert f"dn:{JANE}" == connection.whoami_s()


# Options


def test_many_entries_are_found_without_a_limit_and_not_with_one() -> None:
    with running(size_limit=500) as server:
        server.load(bulk(600))
        for dn, password in (
            (server.root_dn, server.root_password),
            (server.reader_dn, server.reader_password),
        ):
            assert 600 < len(seen(server, dn, password, server.base_dn))
        with pytest.raises(ldap.SIZELIMIT_EXCEEDED):
            seen(server, server.bind_dn, server.bind_password, server.base_dn)


def test_there_is_no_limit_unless_one_is_asked_for(server: Slapd) -> None:
    server.empty()
    server.load(bulk(600))

    assert 600 < len(seen(server, server.bind_dn, server.bind_password, server.base_dn))


def test_an_older_schema_lacks_what_was_left_out() -> None:
    without = frozenset({"listOwner", "mailList.member", "amavisAccount", "mailboxFolder"})
    with running(without=without) as server:
        server.add(DOMAIN, {"objectClass": "mailDomain", "domainName": "example.org"})
        team = f"mail=team@example.org,{DOMAIN}"
        server.add(team, {"objectClass": "mailList", "mail": "team@example.org"})

        server.replace(team, listModerator="jane@example.org")
        with pytest.raises(ldap.UNDEFINED_TYPE):
            server.replace(team, listOwner="jane@example.org")
        with pytest.raises(ldap.OBJECT_CLASS_VIOLATION):
            server.replace(team, member=server.suffix)
        with pytest.raises(ldap.INVALID_SYNTAX):
            server.add(JANE.replace("ou=Users,", ""), user("jane"))


def test_writes_are_sent_elsewhere_but_for_those_of_the_root() -> None:
    with running(read_only_with_referral="ldap://127.0.0.2:389") as server:
        fill(server)
        with server.connect(server.bind_dn, server.bind_password) as connection:
            with pytest.raises(ldap.REFERRAL) as answer:
                connection.modify_s(JANE, [(ldap.MOD_REPLACE, "cn", b"no")])
            assert 1 == len(connection.search_s(JANE, ldap.SCOPE_BASE))

    assert "ldap://127.0.0.2:389" in str(answer.value)


@pytest.fixture(scope="module")
def secured() -> Iterator[Slapd]:
    with running(tls=True) as server:
        yield server


def asked_over_tls(server: Slapd, way: str, authority: Path) -> str:
    connection = ldap.initialize(server.tls_uri if way == "ldaps" else server.uri)
    connection.set_option(ldap.OPT_X_TLS_CACERTFILE, str(authority))
    connection.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
    connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    try:
        if way == "StartTLS":
            connection.start_tls_s()
        connection.simple_bind_s(server.bind_dn, server.bind_password)
        return str(connection.whoami_s())
    finally:
        connection.unbind_s()


@pytest.mark.parametrize("way", ["ldaps", "StartTLS"])
def test_a_connection_is_secured_and_its_certificate_is_known(secured: Slapd, way: str) -> None:
    assert f"dn:{secured.bind_dn}" == asked_over_tls(secured, way, secured.ca_file)


@pytest.mark.parametrize("way", ["ldaps", "StartTLS"])
def test_the_certificate_of_somebody_else_is_not_known(
    secured: Slapd, tmp_path: Path, way: str
) -> None:
    make_certificate(tmp_path, "somebody.else.test")

    with pytest.raises((ldap.CONNECT_ERROR, ldap.SERVER_DOWN)):
        asked_over_tls(secured, way, tmp_path / "cert.pem")
