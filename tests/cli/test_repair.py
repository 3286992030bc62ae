"""`mailwright repair`, and what a starting server repairs."""

from __future__ import annotations

import time
import urllib.request
from contextlib import closing
from typing import Any

import pytest

from mailwright.storage.ldap.connections import Connection
from mailwright.storage.sql.journal import Journal
from tests.cli.directory import configure
from tests.cli.program import Program
from tests.cli.test_serve import GUNICORN, SERVE, started
from tests.servers.ports import answers
from tests.servers.slapd import Slapd

NOWHERE = "ldap://127.0.0.1:1"


def note_removal(program: Program, account: str, noted: int = 1) -> None:
    """As a removal leaves it that was interrupted before the policy databases forgot the account."""
    with closing(program.app()) as app, app.databases["iredadmin"].transaction() as connection:
        connection.execute(
            "INSERT INTO mailwright_leftovers VALUES ('domain', %s, %s)", (account, noted)
        )


def unfinished(program: Program) -> list[str]:
    """What the journal still has."""
    with closing(program.app()) as app:
        return [entry.subject for entry in Journal(app.databases["iredadmin"]).all()]


def test_nothing_to_do_is_said(program: Program) -> None:
    assert "nothing was interrupted\n" == program("repair")


def test_a_removal_is_finished_in_the_policy_databases(program: Program) -> None:
    note_removal(program, "gone.test")
    assert "an interrupted removal of gone.test: `mailwright repair` finishes it" in program(
        "check"
    )

    assert "gone.test: an interrupted removal finished\n" == program("repair")

    assert "gone.test" not in program("check")
    assert "nothing was interrupted\n" == program("repair")


def test_what_stays_is_an_exit_status(program: Program) -> None:
    """A young note of an account that is there may be one of a removal that is still at work."""
    note_removal(program, "example.org", int(time.time()))

    result = program.run("repair")

    assert 1 == result.exit_code
    assert "example.org: an interrupted removal stays for now\n" == result.stdout


@pytest.fixture
def directory(fresh: Program, openldap_server: Slapd) -> Program:
    """Set up on a directory."""
    openldap_server.empty()
    configure(fresh, openldap_server)
    fresh("init")
    return fresh


@pytest.fixture
def interrupted(directory: Program, monkeypatch: pytest.MonkeyPatch) -> Program:
    """The program ended after the entry of a domain, before its containers."""
    add = Connection.add

    def add_and_end(connection: Connection, dn: str, attributes: Any) -> None:
        if dn.startswith("ou=Groups,"):
            raise SystemExit(9)
        add(connection, dn, attributes)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "add", add_and_end)
        assert 9 == directory.run("domain", "create", "example.org", "--name", "Example").exit_code
    assert ["example.org"] == unfinished(directory)
    return directory


@pytest.mark.openldap
def test_an_interrupted_operation_is_finished(interrupted: Program, openldap_server: Slapd) -> None:
    note = "an interrupted operation on example.org: `mailwright repair` finishes it"
    assert note in interrupted.json("check")["notes"]

    assert "example.org: an interrupted operation finished\n" == interrupted("repair")

    assert [] == unfinished(interrupted)
    assert "active" == interrupted.json("domain", "show", "example.org")["_data"]["accountStatus"]
    base = f"domainname=example.org,{openldap_server.base_dn.lower()}"
    assert {
        base,
        *(f"ou={name},{base}" for name in ("users", "groups", "aliases", "externals")),
    } == set(openldap_server.entries(base))


@pytest.mark.openldap
def test_what_a_directory_that_is_down_needs_stays(interrupted: Program) -> None:
    interrupted.environment["MAILWRIGHT_LDAP__URI"] = NOWHERE

    result = interrupted.run("repair")

    assert 1 == result.exit_code
    assert "example.org: an interrupted operation stays for now (SERVER_DOWN)\n" == result.stdout, (
        result.output
    )
    assert ["example.org"] == unfinished(interrupted)


@pytest.mark.openldap
@pytest.mark.parametrize(
    "command",
    [SERVE, [*GUNICORN, "--bind", "127.0.0.1:{port}", "--threads", "2"]],
    ids=["serve", "gunicorn"],
)
def test_a_starting_server_repairs(interrupted: Program, command: list[str]) -> None:
    with started(interrupted, command) as server:
        server.wait()

        assert [] == unfinished(interrupted)

    assert "an interrupted operation on example.org finished" in server.text()


@pytest.mark.openldap
@pytest.mark.parametrize(
    "command",
    [SERVE, [*GUNICORN, "--bind", "127.0.0.1:{port}", "--threads", "2"]],
    ids=["serve", "gunicorn"],
)
def test_a_server_starts_without_its_directory(interrupted: Program, command: list[str]) -> None:
    with started(interrupted, command, MAILWRIGHT_LDAP__URI=NOWHERE) as server:
        began = time.monotonic()
        while not answers(server.port):
            assert server.process.poll() is None, server.text()
            assert time.monotonic() - began < 30
            time.sleep(0.02)
        urllib.request.urlopen(server.url("/healthz"), timeout=5).close()  # noqa: S310

    assert "an interrupted operation on example.org stays for now: SERVER_DOWN" in server.text()
    assert ["example.org"] == unfinished(interrupted)
