"""Admins on the command line: who administers a domain, and who the whole server."""

from __future__ import annotations

import json

import click
import pytest

from mailwright.app import ACCOUNTS
from mailwright.cli import account as commands
from mailwright.fields.resource import Verb
from tests.cli.program import PASSWORD, Program

ANNA = "anna@customer.test"
JANE = "jane@example.org"


@pytest.fixture
def anna(program: Program) -> str:
    """A standalone admin without a domain."""
    program("admin", "create", ANNA, "--password", PASSWORD)
    return ANNA


def admins(program: Program) -> list[str]:
    return program("domain", "admins", "example.org").splitlines()


def test_admins_are_named_shown_and_dismissed(program: Program, anna: str) -> None:
    assert "" == program("domain", "admins", "example.org")
    named = program("domain", "admins", "Example.ORG.", "--add-admin", anna, "--add-admin", JANE)

    assert "example.org updated\n" == named
    assert [anna, JANE] == admins(program)
    assert ["example.org"] == program.json("admin", "show", anna)["_data"]["managedDomains"]
    assert "example.org updated\n" == program(
        "domain", "admins", "example.org", "--remove-admin", anna
    )
    assert [JANE] == admins(program)
    program("domain", "admins", "example.org", "--removeAllAdmins")
    assert [] == admins(program)


def test_admins_as_json_are_answers_of_the_api(program: Program, anna: str) -> None:
    named = program.json("domain", "admins", "example.org", "--addAdmin", f"{anna},{JANE}")

    assert {"_success": True} == named
    assert {"_success": True, "_data": [anna, JANE]} == program.json(
        "domain", "admins", "example.org"
    )


def test_a_global_admin_is_passed_over_with_a_warning(program: Program) -> None:
    result = program.run(
        *("domain", "admins", "example.org", "--add-admin", "admin@mailwright.internal", "--json")
    )

    assert result.stderr.startswith("warning: admin@mailwright.internal is a global admin")
    assert 1 == len(json.loads(result.stdout)["_warnings"])
    assert [] == admins(program)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("missing.test",), "NO_SUCH_DOMAIN"),
        (("missing.test", "--add-admin", JANE), "NO_SUCH_DOMAIN"),
        (("example.org", "--add-admin", "nobody@example.org"), "INVALID_ADMIN"),
        (("example.org", "--add-admin", f"{JANE},nobody@example.org"), "INVALID_ADMIN"),
        (("example.org", "--add-admin", JANE, "--remove-all-admins"), "INVALID_PARAMETER"),
        (("no domain",), "INVALID_DOMAIN_NAME"),
    ],
)
def test_what_is_refused_names_nobody(program: Program, words: tuple[str, ...], code: str) -> None:
    status, error = program.failure("domain", "admins", *words)

    assert (1, code) == (status, error.partition(":")[0])
    assert [] == admins(program)


def test_naming_and_dismissing_are_on_record(program: Program, anna: str) -> None:
    program("domain", "admins", "example.org", "--add-admin", anna)
    program("domain", "admins", "example.org", "--remove-all-admins")

    records = program.json("audit", "list", "--action", "grant")["_data"]
    assert [(anna, "example.org", "done")] * 2 == [
        (each["target"], each["domain"], each["outcome"]) for each in records
    ]


@pytest.mark.parametrize(("command", "verb"), [("create", Verb.CREATE), ("update", Verb.UPDATE)])
def test_every_parameter_of_an_admin_is_an_option(command: str, verb: Verb) -> None:
    group = commands.groups()["admin"]
    made = group.commands[command]  # type: ignore[attr-defined]
    known = {spelling for option in made.params for spelling in option.opts}

    for field in ACCOUNTS["admin"].resource.taken_by(verb):
        assert {f"--{name}" for name in field.names()} <= known
    assert all(option.help for option in made.params if isinstance(option, click.Option))


def test_an_admin_lives_from_create_to_delete(program: Program) -> None:
    limits = ("--max-domains", "2", "--max-users", "5", "--max-quota", "2", "--quota-unit", "GB")
    assert f"{ANNA} created\n" == program(
        *("admin", "create", ANNA.upper(), "--name", "Anna", "--password", PASSWORD, *limits)
    )
    shown = program.json("admin", "show", ANNA)["_data"]
    assert (2, 5, 2048, "MB", False) == tuple(
        shown[name] for name in ("maxDomains", "maxUsers", "maxQuota", "quotaUnit", "isGlobalAdmin")
    )
    assert f"{ANNA} updated\n" == program("admin", "update", ANNA, "--is-global-admin", "yes")
    heading, line, _ = program("admin", "list").splitlines()
    assert ["mail", "name", "accountStatus", "isGlobalAdmin"] == heading.split()[:4]
    assert ["admin@mailwright.internal", "active", "yes"] == line.split()[:3]
    assert f"{ANNA} deleted\n" == program("admin", "delete", ANNA, "--yes")
    assert "admin@mailwright.internal\n" == program("admin", "list", "--email-only")


@pytest.mark.parametrize(
    "words",
    [
        ("update", "--account-status", "disabled"),
        ("update", "--is-global-admin", "no"),
        ("delete", "--yes"),
    ],
)
def test_the_last_global_admin_stays(program: Program, words: tuple[str, ...]) -> None:
    command, *rest = words
    status, error = program.failure("admin", command, "admin@mailwright.internal", *rest)

    assert (1, "NOT_ALLOWED") == (status, error.partition(":")[0])


def test_commands_speak_of_an_admin_and_a_user(program: Program) -> None:
    assert "Show an admin." in program("admin", "show", "--help")
    assert "Show a user." in program("user", "show", "--help")
    assert "delete domains, and name their admins." in " ".join(program("domain", "--help").split())
