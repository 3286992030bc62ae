"""`mailwright audit`: the record for people, for programs, and whether it is whole."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing

from tests.cli.program import Program

JANE = "jane@example.org"


def tamper(program: Program, statement: str) -> None:
    path = program.config.parent / "iredadmin.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        assert 1 == connection.execute(statement).rowcount


def test_the_chain_is_whole_and_what_it_says_can_be_given_back(program: Program) -> None:
    said = program("audit", "verify")
    found = re.fullmatch(r"2 records, unbroken; the tip is (2:[0-9a-f]{64})\n", said)
    assert found
    program("user", "update", JANE, "--quota", "7")

    assert "3 records, unbroken" in program("audit", "verify", "--expect", found[1])
    status, message = program.failure("audit", "verify", "--expect", f"2:{'0' * 64}")

    assert 1 == status
    assert "AUDIT_BROKEN: record 2 or one before it was written anew" in message


def test_a_broken_chain_is_exit_status_1_and_a_sentence(program: Program) -> None:
    tamper(program, "UPDATE mailwright_audit SET actor = 'x' WHERE sequence = 2")

    status, message = program.failure("audit", "verify")
    answer = program.run("audit", "verify", "--json")

    assert (1, "AUDIT_BROKEN: record 2 was altered, or moved from another place") == (
        status,
        message.strip(),
    )
    assert (1, "AUDIT_BROKEN") == (answer.exit_code, json.loads(answer.stdout)["_code"])


def test_records_are_listed_filtered_and_paged(program: Program) -> None:
    program("user", "update", JANE, "--quota", "7")

    lines = program("audit", "list", "--target", JANE).splitlines()
    assert ["sequence", "time", "actor", "action", "resource", "target"] == lines[0].split()[:6]
    assert ["3", "2"] == [line.split()[0] for line in lines[1:]]

    page = program.run("audit", "list", "--limit", "1")
    assert ["3"] == [line.split()[0] for line in page.stdout.splitlines()[1:]]
    assert "more: --after 3\n" == page.stderr

    following = program("audit", "list", "--after", "3").splitlines()
    assert ["2", "1"] == [line.split()[0] for line in following[1:]]
    oldest = program("audit", "list", "--oldest-first").splitlines()
    assert ["1", "2", "3"] == [line.split()[0] for line in oldest[1:]]

    answer = program.json("audit", "list", "--action", "update")
    assert answer["_success"]
    assert [0, 7] == answer["_data"][0]["changes"]["quota"]
    assert [] == program.json("audit", "list", "--until", "2001-01-01")["_data"]
    assert 3 == len(program.json("audit", "list", "--since", "2001-01-01T00:00:00")["_data"])
    # The words that records show are the ones that are taken.
    assert 3 == len(program.json("audit", "list", "--outcome", "done")["_data"])
    assert [] == program.json("audit", "list", "--outcome", "refused")["_data"]


def test_a_time_that_is_none_is_refused(program: Program) -> None:
    status, message = program.failure("audit", "list", "--since", "yesterday")

    assert 1 == status
    assert "INVALID_PARAMETER: yesterday: a time such as 2026-05-06T07:08:09 is needed" in message
