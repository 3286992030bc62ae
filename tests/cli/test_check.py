"""`mailwright check`: what works, of what age the schema is, and what that switches off."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.cli.program import OWN_TABLES, Program


def alter(program: Program, database: str, *statements: str) -> None:
    path = program.config.parent / f"{database}.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def test_everything_is_named_and_nothing_is_broken(program: Program) -> None:
    output = program("check")

    assert "vmail      answers  iRedMail 1.7.3 or newer" in output
    assert "iredadmin  answers  iRedAdmin 1.0 or newer, own tables 4" in output
    assert "Broken" not in output
    assert "Switched off" not in output


# What an older server lacks: how its schema is named, and some of the sentences about it.
OLD = [
    (
        "vmail",
        [f"ALTER TABLE mailbox DROP COLUMN {name}" for name in ("first_name", "birthday")],
        "iRedMail 1.4.1 or newer, older than iRedMail 1.7.3",
        ["the columns mailbox.first_name, mailbox.birthday are missing: first and last name"],
    ),
    (
        "vmail",
        ["DROP TABLE last_login"],
        "iRedMail 1.0 or newer, older than iRedMail 1.2, with parts of 1.7.3",
        [
            "the table last_login is missing: last logins are not shown",
            "user: lastLoginImap has no place (last_login.imap)",
        ],
    ),
    (
        "vmail",
        [
            "DROP INDEX idx_mailbox_enableimaptls",
            "ALTER TABLE mailbox DROP COLUMN enableimaptls",
        ],
        "iRedMail 0.9.7 or newer, older than iRedMail 0.9.8, with parts of 1.7.3",
        [
            "the column mailbox.enableimaptls is missing: IMAP and POP3 over TLS",
            "user: services cannot hold imaptls",
        ],
    ),
    (
        "vmail",
        ["DROP TABLE maillists"],
        "iRedMail 0.9.7 or newer, older than iRedMail 0.9.8, with parts of 1.7.3",
        [
            "the table maillists is missing: mailing lists are not known",
            "domain: existingLists has no place (maillists.domain)",
        ],
    ),
    (
        "iredapd",
        ["ALTER TABLE throttle DROP COLUMN max_rcpts"],
        "iRedAPD 3.2 or newer, older than iRedAPD 5.0",
        ["the column throttle.max_rcpts is missing: the number of recipients"],
    ),
    (
        "iredadmin",
        ["DROP TABLE settings"],
        "iRedAdmin 0.1 or newer, older than iRedAdmin 1.0",
        ["the table settings is missing: settings of the admin panel are not read"],
    ),
]


@pytest.mark.parametrize(("database", "statements", "version", "sentences"), OLD)
def test_an_older_schema_works_with_parts_switched_off(
    program: Program, database: str, statements: list[str], version: str, sentences: list[str]
) -> None:
    alter(program, database, *statements)

    report = program.json("check")

    found = report["databases"][database]
    assert (True, version) == (report["sound"], found["version"])
    for sentence in sentences:
        assert any(said.startswith(sentence) for said in found["switched_off"]), found
    assert f"  {database}: {sentences[0]}" in program("check")


def test_what_check_calls_switched_off_is_warned_of_by_the_operations(program: Program) -> None:
    alter(program, "vmail", "DROP TABLE sender_relayhost")

    status, output = program.failure("check")
    warned = program.run("domain", "update", "example.org", "--outbound-relay", "smtp:[192.0.2.1]")

    assert 1 == status, output
    assert "outboundRelay has no place" in warned.stderr


def test_a_missing_required_table_is_broken(program: Program) -> None:
    alter(program, "vmail", "DROP TABLE forwardings")

    result = program.run("check")

    assert 1 == result.exit_code
    assert "vmail: the table forwardings is missing" in result.stdout
    assert "older than iRedMail 0.9.7" in result.stdout


def test_a_foreign_database_is_not_taken_for_a_mail_server(program: Program) -> None:
    with closing(sqlite3.connect(program.config.parent / "vmail.db")) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (name,) in names.fetchall():
            if not name.startswith("sqlite_"):
                connection.execute(f'DROP TABLE "{name}"')
        connection.execute("CREATE TABLE customers (name TEXT)")
        connection.commit()

    result = program.run("check", "--json")

    assert 1 == result.exit_code
    assert "the table mailbox is missing" in result.stdout


def test_an_empty_and_a_lost_database_are_told_apart(program: Program) -> None:
    folder = program.config.parent
    for name in ("amavisd.db", "iredapd.db"):
        for path in folder.glob(f"{name}*"):
            path.unlink()
    (folder / "amavisd.db").touch()

    result = program.run("check")

    assert 1 == result.exit_code
    assert "amavisd    answers  empty" in result.stdout
    assert "iredapd    DOWN" in result.stdout
    assert f"{folder / 'iredapd.db'}: the file is missing" in result.stdout
    assert "vmail      answers  iRedMail 1.7.3" in result.stdout


def test_a_file_that_is_no_database_is_down(program: Program) -> None:
    for path in program.config.parent.glob("iredapd.db*"):
        path.unlink()
    (program.config.parent / "iredapd.db").write_bytes(b"no database at all" * 100)

    status, _ = program.failure("check")

    assert 1 == status


def test_own_tables_of_a_newer_release_are_broken(program: Program) -> None:
    alter(program, "iredadmin", "INSERT INTO mailwright_schema VALUES (99)")

    result = program.run("check")

    assert 1 == result.exit_code
    assert "of version 99, which a newer release made" in result.stdout


def test_own_tables_that_are_not_there_yet_are_only_a_note(program: Program) -> None:
    """An existing server is checked before anything of ours was ever started on it."""
    alter(
        program,
        "iredadmin",
        *(f"DROP TABLE {name}" for name in OWN_TABLES),
    )

    assert "will be made when it is started" in program("check")


def test_a_change_makes_the_own_tables_that_it_needs(program: Program) -> None:
    test_own_tables_that_are_not_there_yet_are_only_a_note(program)

    program("user", "delete", "jane@example.org", "--yes")

    assert "own tables 4" in program("check")


def test_settings_that_others_can_read_are_noted(program: Program) -> None:
    program.config.chmod(0o644)

    assert "can be read by everybody" in program("check")


def test_a_server_without_an_active_global_admin_is_noted(program: Program) -> None:
    alter(program, "vmail", "UPDATE admin SET active = 0")

    assert "there is no active global admin" in program("check")


def test_databases_out_of_reach_are_all_named(fresh: Program) -> None:
    fresh.config.parent.mkdir()
    fresh.config.write_text(
        '[storage]\nbackend = "postgresql"\n[databases.vmail]\nport = 1\npassword = "geheim"\n'
        "[databases.amavisd]\nenabled = false\n[databases.iredapd]\nport = 1\n"
        "[databases.iredadmin]\nport = 1\n"
    )

    result = fresh.run("check")

    assert 1 == result.exit_code
    assert 3 == result.stdout.count("DOWN")
    assert "vmail at 127.0.0.1:1 as vmailadmin: nothing listens there" in result.stdout
    assert "amavisd: switched off in the settings" in result.stdout
    assert "geheim" not in result.output


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[nonsense]\n", "nonsense"),
        ("[storage]\nbackend = 7\n", "storage.backend"),
        ("[", "is not TOML"),
    ],
)
def test_wrong_settings_are_named(fresh: Program, text: str, code: str) -> None:
    fresh.config.parent.mkdir()
    fresh.config.write_text(text)

    status, error = fresh.failure("check")

    assert 1 == status
    assert error.startswith("INVALID_CONFIGURATION: ")
    assert code in error
