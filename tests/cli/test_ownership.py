"""`mailwright ownership`: what a domain waits for, on the machine itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import closing

import pytest

from mailwright.app import App
from mailwright.authz import Actor, Role
from mailwright.resources import operations
from mailwright.resources.domain import ACCOUNT
from mailwright.settings import load
from tests.cli.program import Program
from tests.ownership.internet import NameServer, asking, internet

ANNA = "anna@mailwright.internal"
DOMAIN = "waits.example"


@pytest.fixture
def names(program: Program) -> Iterator[NameServer]:
    """The program asks this name server, and Anna has added a domain."""
    with internet() as found:
        settings = asking(found)
        program.environment |= {
            "MAILWRIGHT_OWNERSHIP__REQUIRED": "true",
            "MAILWRIGHT_OWNERSHIP__NAME_SERVERS": ",".join(settings.name_servers),
            "MAILWRIGHT_OWNERSHIP__NAME_SERVER_PORT": str(settings.name_server_port),
        }
        words = ("--name", "x", "--password", "Wood-Lark-42", "--max-domains", "5")
        program("admin", "create", ANNA, *words)
        add(program)
        yield found


def add(program: Program) -> None:
    """As Anna does over the API."""
    settings = load(program.config, {name: str(text) for name, text in program.environment.items()})
    with closing(App(settings)) as app:
        anna = Actor(ANNA, Role.DOMAIN_ADMIN)
        app.run(anna, lambda work: operations.create(work, ACCOUNT, DOMAIN, {"name": ["x"]}))


def test_the_code_is_shown_and_looked_for(program: Program, names: NameServer) -> None:
    found = program.json("ownership", "show", DOMAIN)["_data"]
    lines = program("ownership", "show", DOMAIN)
    result = program.run("ownership", "verify", DOMAIN)

    assert found["code"] in lines
    assert 1 == result.exit_code
    assert "TXT: DNS knows no waits.example" in result.stdout

    names.say(DOMAIN, "TXT", f'"{found["code"]}"')
    with closing(program.app()) as app, app.databases["iredadmin"].connection() as connection:
        connection.execute('UPDATE "domain_ownership" SET "last_verify" = NULL')
    told = program.json("ownership", "verify", DOMAIN)["_data"]

    assert (True, "active") == (told["verified"], told["accountStatus"])


def test_a_domain_that_waits_for_nothing_is_no_failure(program: Program) -> None:
    assert {"set": False} == program.json("ownership", "verify", "example.org")["_data"]
    status, told = program.failure("ownership", "show", "missing.example")
    assert (1, True) == (status, told.startswith("NO_SUCH_DOMAIN"))


def test_the_job_forgets_what_is_too_old(program: Program, names: NameServer) -> None:
    del names
    past = int(dt.datetime(2020, 1, 1, tzinfo=dt.UTC).timestamp())
    with closing(program.app()) as app:
        app.claims.make(ANNA, "gone.example")
        with app.databases["iredadmin"].connection() as connection:
            connection.execute('UPDATE "domain_ownership" SET "expire" = %s', (past,))

    assert "1 forgotten\n" == program("job", "ownership")
    assert "0 forgotten\n" == program("job", "ownership")
    assert program.json("ownership", "show", DOMAIN)["_data"]["set"]
