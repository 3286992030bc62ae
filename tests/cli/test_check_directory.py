"""`mailwright check` on a directory: how it is reached, what it lacks, what it refuses."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from mailwright.storage.ldap.connections import DirectoryTarget
from mailwright.storage.ldap.inspection import unprotected
from tests.cli.directory import as_root, configure
from tests.cli.program import OWN_TABLES, Program
from tests.servers.slapd import Slapd

pytestmark = pytest.mark.openldap
BESIDE = ("amavisd", "iredapd", "iredadmin")


@contextmanager
def running(**how: Any) -> Iterator[Slapd]:
    server = Slapd(**how)
    try:
        server.start()
        server.make_base()
        yield server
    finally:
        server.remove()


@pytest.fixture
def server(openldap_server: Slapd) -> Slapd:
    openldap_server.empty()
    return openldap_server


@pytest.fixture
def site(fresh: Program, server: Slapd) -> Program:
    """A directory with its base and an admin."""
    configure(fresh, server)
    fresh("init", "--admin", "root@elsewhere.test")
    return fresh


def broken(program: Program) -> dict[str, Any]:
    """What check says about a directory that is not in order."""
    result = program.run("check", "--json")
    assert 1 == result.exit_code, result.output
    found: dict[str, Any] = json.loads(result.stdout)["directory"]
    return found


def test_everything_is_named_and_nothing_is_broken(site: Program) -> None:
    output, report = site("check"), site.json("check")

    assert "directory  answers  OpenLDAP, iRedMail 1.7.3 or newer\n" in output
    assert "admins     1 global\n" in output
    assert "iredadmin  answers" in output
    assert "Broken" not in output
    assert "Switched off" not in output
    assert (True, "ldap", 1) == (report["sound"], report["backend"], report["global_admins"])
    assert set(BESIDE) == set(report["databases"])
    assert (True, False, "OpenLDAP") == (
        report["directory"]["answers"],
        report["directory"]["tls"],
        report["directory"]["server"],
    )


def test_it_changes_nothing(site: Program, server: Slapd) -> None:
    before = server.entries()

    site("check")

    assert before == server.entries()


# What an older directory lacks: how its schema is named, and some of the sentences about it.
OLD = [
    (
        {"senderRelayHost"},
        "older than iRedMail 0.9.5, with parts of 1.7.3",
        [
            "the attribute mailDomain.senderRelayHost is missing: "
            "no domain has a relay host of its own; outboundRelay of a domain is ignored"
        ],
    ),
    (
        {"mailboxFormat", "mailboxFolder", "maxMessageSize"},
        "iRedMail 0.9.6 or newer, older than iRedMail 0.9.9, with parts of 1.7.3",
        ["the attribute mailUser.mailboxFormat is missing: format and folder of a mailbox are"],
    ),
    (
        {"mailList.listOwner", "mailList.listModerator"},
        "iRedMail 0.9.9 or newer, older than iRedMail 1.4.0, with parts of 1.7.3",
        ["the attribute mailList.listOwner is missing: mailing lists have no owners"],
    ),
    (
        {"recoveryEmail", "amavisAccount"},
        "iRedMail 1.7.2 or newer, older than iRedMail 1.7.3",
        [
            "the attribute mailUser.recoveryEmail is missing: birthday and recovery address",
            "the object class amavisAccount is missing: a new user goes without it",
        ],
    ),
]


@pytest.mark.parametrize(("without", "version", "sentences"), OLD)
def test_an_older_schema_works_with_parts_switched_off(
    fresh: Program, without: set[str], version: str, sentences: list[str]
) -> None:
    with running(without=frozenset(without)) as server:
        configure(fresh, server)
        fresh("init")
        report = fresh.json("check")

    found = report["directory"]
    assert (True, version) == (report["sound"], found["version"])
    for sentence in sentences:
        assert any(said.startswith(sentence) for said in found["switched_off"]), found


def test_what_check_calls_ignored_is_warned_of_by_the_operations(fresh: Program) -> None:
    with running(without=frozenset({"senderRelayHost"})) as server:
        configure(fresh, server)
        fresh("init")
        fresh("domain", "create", "example.org", "--name", "Example")
        warned = fresh.run("domain", "update", "example.org", "--outbound-relay", "[192.0.2.1]")
        said = fresh("check")

    assert "outboundRelay" in warned.stderr
    assert "outboundRelay of a domain is ignored" in said


def test_an_account_that_may_only_read_is_named(fresh: Program, server: Slapd) -> None:
    configure(fresh, server, bind_dn=server.reader_dn, bind_password=server.reader_password)
    fresh.environment.update(as_root(server))
    fresh("init")
    fresh.environment.clear()
    before = server.entries()

    assert [
        f"{server.reader_dn} may not write to {dn}" for dn in (server.base_dn, server.admin_base_dn)
    ] == broken(fresh)["problems"]
    assert before == server.entries()


def test_a_size_limit_is_told_once_it_is_passed(fresh: Program) -> None:
    with running(size_limit=5) as server:
        configure(fresh, server)
        fresh("init")
        assert fresh.json("check")["sound"]
        fresh("domain", "create", "example.org", "--name", "Example")

        found = broken(fresh)

    (problem,) = found["problems"]
    assert f"a size limit keeps a part of the entries from {server.bind_dn}" in problem


def test_a_replica_is_not_taken_for_the_server_to_write_to(fresh: Program) -> None:
    with running(read_only_with_referral="ldap://127.0.0.1:1") as server:
        configure(fresh, server)
        fresh.environment.update(as_root(server))
        fresh("init")
        fresh.environment.clear()

        found = broken(fresh)

    (problem,) = found["problems"]
    assert problem.startswith("this server is a replica that takes no changes")


def test_a_missing_entry_is_broken(site: Program, server: Slapd) -> None:
    server.delete_tree(server.admin_base_dn)
    try:
        assert [f"the entry {server.admin_base_dn} is missing"] == broken(site)["problems"]
    finally:
        server.add(server.admin_base_dn, {"objectClass": "organization", "o": "domainAdmins"})


def test_a_wrong_password_is_told_with_where_and_who(site: Program, server: Slapd) -> None:
    site.environment["MAILWRIGHT_LDAP__BIND_PASSWORD"] = "geheim"

    result = site.run("check")

    assert 1 == result.exit_code
    assert "directory  DOWN" in result.stdout
    assert f"{server.uri} as {server.bind_dn}: Invalid credentials" in result.stdout
    assert "geheim" not in result.output
    assert "iredadmin  answers" in result.stdout


def test_a_directory_that_is_down_is_told_beside_the_databases(site: Program) -> None:
    site.environment["MAILWRIGHT_LDAP__URI"] = "ldap://127.0.0.1:1"

    result = site.run("check")

    assert 1 == result.exit_code
    assert "directory  DOWN" in result.stdout
    assert "the directory cannot be reached (ldap://127.0.0.1:1 as" in result.stdout
    assert "iredadmin  answers" in result.stdout
    assert "admins " not in result.stdout


def test_tls_is_shown_and_its_certificate_checked(fresh: Program) -> None:
    with running(tls=True) as server:
        configure(fresh, server, uri=server.tls_uri, ca_file=str(server.ca_file))
        fresh("init")
        assert "directory  answers  OpenLDAP, with TLS, iRedMail" in fresh("check")
        configure(fresh, server, uri=server.uri, start_tls=True, ca_file=str(server.ca_file))
        assert fresh.json("check")["directory"]["tls"]

        configure(fresh, server, uri=server.tls_uri)
        found = broken(fresh)

    assert not found["answers"]
    assert "certificate" in found["problems"][0]


@pytest.mark.parametrize(
    ("uri", "start_tls", "noted"),
    [
        ("ldap://ldap.example.invalid", False, True),
        ("ldap://192.0.2.7:389", False, True),
        ("ldap://192.0.2.7:389", True, False),
        ("ldaps://192.0.2.7", False, False),
        ("ldap://127.0.0.1", False, False),
        ("ldap://[::1]:389", False, False),
        ("ldap://localhost", False, False),
        ("ldap:///", False, False),
        ("ldapi://%2Frun%2Fldapi", False, False),
    ],
)
def test_passwords_on_the_network_are_noted(uri: str, *, start_tls: bool, noted: bool) -> None:
    told = list(unprotected(DirectoryTarget(uri, "cn=nobody", "", start_tls)))

    assert noted == any("unprotected" in sentence for sentence in told)


def test_own_tables_that_are_not_there_yet_are_only_a_note(site: Program) -> None:
    with closing(sqlite3.connect(site.config.parent / "iredadmin.db")) as connection:
        for name in OWN_TABLES:
            connection.execute(f"DROP TABLE {name}")
        connection.commit()

    assert "will be made when it is started" in site("check")


def test_a_server_without_an_active_global_admin_is_noted(site: Program, server: Slapd) -> None:
    server.replace(f"mail=root@elsewhere.test,{server.admin_base_dn}", accountStatus="disabled")

    output = site("check")

    assert "admins     0 global" in output
    assert "there is no active global admin" in output


def test_a_server_that_tells_its_version_is_named_with_it(fresh: Program) -> None:
    server = Slapd()
    path = server.folder / "slapd.conf"
    monitor = "database monitor\naccess to * by * read\n"
    loads = "moduleload back_mdb\n"
    path.write_text(path.read_text().replace(loads, f"{loads}moduleload back_monitor\n") + monitor)
    try:
        server.start()
        server.make_base()
        configure(fresh, server)
        fresh("init")

        found = fresh.json("check")["directory"]
    finally:
        server.remove()

    assert re.fullmatch(r"OpenLDAP 2\.\d+\.\S+", found["server"])
