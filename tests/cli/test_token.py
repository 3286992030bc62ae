"""`mailwright token`: creating, listing and revoking on the machine itself."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from mailwright.tokens import Token, Tokens, parts
from tests.cli.program import Program

ADMIN = "admin@mailwright.internal"
HERE = "192.0.2.1"


@pytest.fixture
def jane(program: Program) -> str:
    """A mail user who is no admin."""
    del program
    return "jane@example.org"


def stored(program: Program, ident: str) -> Token | None:
    with closing(program.app()) as app:
        return Tokens(app.databases["iredadmin"]).find(ident)


def create(program: Program, *words: str) -> Token:
    """A new token as it is stored; what was printed opens it."""
    ident, secret = parts(program("token", "create", *words).strip()) or ("", "")
    found = stored(program, ident)
    assert found is not None
    assert found.opens(secret, found.created, HERE)
    return found


def test_only_the_token_is_on_standard_output(program: Program) -> None:
    result = program.run("token", "create", ADMIN, "--label", "nightly")

    assert 0 == result.exit_code
    assert parts(result.stdout.removesuffix("\n"))
    assert "This is shown once: whoever has it speaks for the admin.\n" == result.stderr


def test_every_bound_is_taken(program: Program) -> None:
    found = create(
        program,
        ADMIN.upper(),
        *("--label", "nightly", "--expires", "2", "--networks", "192.0.2.0/24", "--read-only"),
        *("--domains", "b.example", "--domains", "a.example", "--resources", "user,domain"),
    )

    assert (ADMIN, "nightly", 2 * 86400) == (
        found.owner,
        found.label,
        found.expires - found.created,
    )
    assert ("192.0.2.0/24",) == found.networks
    assert found.scope.read_only
    assert {"a.example", "b.example"} == found.scope.domains
    assert {"user", "domain"} == found.scope.resources


def test_without_bounds_there_are_none(program: Program) -> None:
    found = create(program, ADMIN, "--label", "nightly")

    assert (0, None) == (found.expires, found.networks)
    assert (False, None, None) == (
        found.scope.read_only,
        found.scope.domains,
        found.scope.resources,
    )


def test_json_is_the_apis_answer(program: Program) -> None:
    made = program.json("token", "create", ADMIN, "--label", "nightly")
    text = made["_data"].pop("token")
    listed = program.json("token", "list")

    assert made["_data"]["id"] == parts(text)[0]  # type: ignore[index]
    assert {"_success": True, "_data": [made["_data"]]} == listed
    assert listed == program.json("token", "list", ADMIN)
    assert {"_success": True, "_data": []} == program.json("token", "list", "jane@example.org")


def test_a_list_is_a_table(program: Program) -> None:
    assert "" == program("token", "list")

    found = create(program, ADMIN, "--label", "nightly", "--domains", "a.example,b.example")
    heading, row = program("token", "list").splitlines()

    assert ["id", "owner", "label"] == heading.split()[:3]
    assert [found.ident, ADMIN, "nightly"] == row.split()[:3]
    assert "a.example, b.example" in row


def test_who_is_no_admin_gets_no_token(program: Program, jane: str) -> None:
    status, said = program.failure("token", "create", jane, "--label", "nightly")

    assert (1, f"NO_SUCH_ACCOUNT: {jane} is no active admin\n") == (status, said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "INVALID_PARAMETER: label is required"),
        (("--label", "x", "--networks", ""), "INVALID_PARAMETER: networks: name at least one"),
        (("--label", "x", "--expires", "soon"), "INVALID_PARAMETER: expires (soon): "),
    ],
)
def test_what_cannot_be_is_said(program: Program, words: tuple[str, ...], said: str) -> None:
    status, error = program.failure("token", "create", ADMIN, *words)

    assert 1 == status
    assert error.startswith(said)


def test_a_revoked_token_is_gone_and_the_others_get_their_turn(program: Program) -> None:
    first, second = (create(program, ADMIN, "--label", name) for name in ("a", "b"))
    result = program.run("token", "revoke", first.ident, "0123456789abcdef", second.ident)

    assert 1 == result.exit_code
    assert f"{first.ident} revoked\n{second.ident} revoked\n" == result.stdout
    assert "NO_SUCH_TOKEN: there is no such token\n" == result.stderr
    assert stored(program, first.ident) is None is stored(program, second.ident)


def test_a_failed_revocation_in_json_is_the_apis_answer(program: Program) -> None:
    result = program.run("token", "revoke", "0123456789abcdef", "--json")

    assert 1 == result.exit_code
    assert "NO_SUCH_TOKEN" == json.loads(result.stdout)["_code"]
