"""`mailwright domain`, `mailwright user` and `mailwright admin`: every verb, for people and for programs."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import click
import msgspec
import pytest

from mailwright.app import ACCOUNTS, App
from mailwright.cli import account as commands
from mailwright.cli import options
from mailwright.fields.resource import Verb
from mailwright.http import answers
from mailwright.passwords import verify_password
from mailwright.resources import listing, operations
from tests.cli.program import PASSWORD, Program
from tests.stores import ADMIN


def rows(program: Program, database: str, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(program.config.parent / f"{database}.db")) as connection:
        return connection.execute(statement).fetchall()


def password_of(app: App, address: str) -> str:
    with app.databases["vmail"].connection() as connection:
        return str(
            connection.value('SELECT "password" FROM "mailbox" WHERE "username" = %s', (address,))
        )


# What the API would answer -----------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "key"), [("domain", "example.org"), ("user", "jane@example.org")])
def test_json_of_an_account_is_the_apis_answer(
    program: Program, app: App, kind: str, key: str
) -> None:
    account = ACCOUNTS[kind]
    record, _ = app.run(ADMIN, lambda work: operations.show(work, account, key))

    expected = answers.success(answers.profile(account.resource, record))
    assert expected.decode() + "\n" == program(kind, "show", key, "--json")


@pytest.mark.parametrize(
    "form", [{}, {"limit": ["2"]}, {"email_only": ["yes"]}, {"sort": ["-mail"]}]
)
def test_json_of_a_list_is_the_apis_answer(
    program: Program, app: App, form: dict[str, list[str]]
) -> None:
    for name in ("anna", "john", "zoe"):
        program("user", "create", f"{name}@example.org", "--password", PASSWORD)
    account = ACCOUNTS["user"]
    found, _ = app.run(ADMIN, lambda work: listing.listed(work, account, "example.org", form))
    words = [f"--{name}={value[0]}" for name, value in form.items() if value != ["yes"]]
    words += [f"--{name}" for name, value in form.items() if value == ["yes"]]

    expected = answers.success(answers.listing(account.resource, found))
    assert expected.decode() + "\n" == program("user", "list", "example.org", *words, "--json")


def test_a_failure_as_json_is_the_apis_answer_and_a_sentence(program: Program) -> None:
    result = program.run("user", "show", "nobody@example.org", "--json")

    assert 1 == result.exit_code
    assert {
        "_success": False,
        "_msg": "NO_SUCH_ACCOUNT: user nobody@example.org does not exist",
        "_code": "NO_SUCH_ACCOUNT",
    } == json.loads(result.stdout)
    assert "NO_SUCH_ACCOUNT: user nobody@example.org does not exist\n" == result.stderr


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_the_list_of_a_missing_domain_prints_no_beginning(
    program: Program, words: tuple[str, ...]
) -> None:
    result = program.run("user", "list", "missing.test", *words)

    assert 1 == result.exit_code
    assert not result.stdout.startswith('{"_success":true')
    assert "NO_SUCH_DOMAIN" in result.stderr


def test_a_long_list_is_whole(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_ON_A_PAGE", 2)
    for number in range(6):
        program("user", "create", f"u{number}@example.org", "--password", PASSWORD)

    listed = program.json("user", "list", "example.org", "--email-only")

    assert ["jane@example.org", *(f"u{n}@example.org" for n in range(6))] == listed["_data"]
    assert {"_success", "_data"} == set(listed)
    assert 8 == len(program("user", "list", "example.org").splitlines())


def test_an_empty_list_is_an_answer(program: Program) -> None:
    program("user", "delete", "jane@example.org", "--yes")

    assert {"_success": True, "_data": []} == program.json("user", "list", "example.org")
    assert "" == program("user", "list", "example.org", "--email-only")


# For people --------------------------------------------------------------------------------------


def test_a_table_has_the_main_columns(program: Program) -> None:
    heading, line = program("user", "list", "example.org").splitlines()

    columns = ["mail", "name", "accountStatus", "isGlobalAdmin", "quota", "created"]
    assert columns == heading.split()
    assert ["jane@example.org", "Jane", "active", "no", "0"] == line.split()[:5]


def test_an_account_is_shown_name_by_name(program: Program) -> None:
    shown = dict(
        line.split(maxsplit=1)
        for line in program("domain", "show", "example.org").splitlines()
        if " " in line
    )

    assert ("Example", "active", "no") == (
        shown["name"],
        shown["accountStatus"],
        shown["is_backupmx"],
    )


def test_a_page_says_how_to_get_the_next(program: Program) -> None:
    program("user", "create", "zoe@example.org", "--password", PASSWORD)
    first = program.run("user", "list", "example.org", "--limit", "1", "--email-only")
    token = first.stderr.split()[-1]

    assert "jane@example.org\n" == first.stdout
    assert "zoe@example.org\n" == program(
        "user", "list", "example.org", "--email-only", "--page-token", token
    )


def test_control_characters_of_other_programs_do_not_reach_the_terminal(program: Program) -> None:
    with closing(sqlite3.connect(program.config.parent / "vmail.db")) as connection:
        connection.execute("UPDATE mailbox SET name = 'x' || char(27) || '[2J' || char(10) || 'y'")
        connection.commit()

    for words in (("user", "list", "example.org"), ("user", "show", "jane@example.org")):
        output = program(*words)
        assert "\x1b" not in output
        assert "x\\x1b[2J y" in output


# Verbs -------------------------------------------------------------------------------------------


def test_a_domain_lives_from_create_to_delete(program: Program) -> None:
    assert "example.net created\n" == program("domain", "create", "Example.NET.", "--name", "Net")
    assert "example.net updated\n" == program(
        "domain", "update", "example.net", "--numberOfUsers", "-1", "--default-quota", "5"
    )
    profile = program.json("domain", "show", "example.net")["_data"]
    assert (-1, 5) == (profile["numberOfUsers"], profile["defaultQuota"])
    assert "example.net\nexample.org\n" == program("domain", "list", "--name-only")
    assert "example.net deleted\n" == program("domain", "delete", "example.net", "--yes")
    assert "example.org\n" == program("domain", "list", "--name-only")


def test_a_user_lives_from_create_to_delete(program: Program) -> None:
    words = ("--password", PASSWORD, "--cn", "John", "--mailQuota", "7")
    assert "john@example.org created\n" == program("user", "create", "John@Example.org", *words)
    assert "john@example.org updated\n" == program(
        *("user", "update", "john@example.org", "--add-alias", "j@example.org"),
        *("--forwarding", "a@b.test", "--forwarding", "c@d.test,john@example.org"),
        *("--services", "imap,smtp", "--account-status", "disabled"),
    )
    profile = program.json("user", "show", "john@example.org")["_data"]
    assert ("John", 7, "disabled", ["j@example.org"]) == (
        profile["name"],
        profile["quota"],
        profile["accountStatus"],
        profile["aliases"],
    )
    assert {"a@b.test", "c@d.test", "john@example.org"} == set(profile["forwarding"])
    assert {"imap", "smtp"} == set(profile["services"])
    assert "john@example.org\n" == program(
        "user", "list", "example.org", "--disabled-only", "--email-only"
    )
    assert "john@example.org deleted\n" == program("user", "delete", "john@example.org", "--yes")


def test_every_user_of_a_domain_is_updated(program: Program) -> None:
    program("user", "create", "zoe@example.org", "--password", PASSWORD)

    assert "2 users updated\n" == program(
        "user", "update-all", "example.org", "--language", "de_DE"
    )

    assert [("de_DE",)] == rows(program, "vmail", "SELECT DISTINCT language FROM mailbox")


def test_removed_mail_is_kept_as_long_as_asked(program: Program) -> None:
    program("user", "delete", "jane@example.org", "--keep-days", "3", "--yes")

    ((days, admin),) = rows(
        program,
        "vmail",
        "SELECT julianday(delete_date) - julianday(date(timestamp)), admin FROM deleted_mailboxes",
    )
    assert 3 == days
    assert admin.startswith("cli:")


@pytest.mark.parametrize("days", ["-1", "three", "99999999"])
def test_days_that_are_none_are_refused(program: Program, days: str) -> None:
    status, error = program.failure(
        "user", "delete", "jane@example.org", "--keep-days", days, "--yes"
    )

    assert (1, "INVALID_PARAMETER") == (status, error.partition(":")[0])


def test_of_several_those_that_exist_are_deleted(program: Program) -> None:
    result = program.run("user", "delete", "nobody@example.org", "jane@example.org", "--yes")

    assert (1, "jane@example.org deleted\n") == (result.exit_code, result.stdout)
    assert "NO_SUCH_ACCOUNT: user nobody@example.org does not exist\n" == result.stderr


@pytest.mark.parametrize(("answer", "left"), [("n\n", 1), ("", 1), ("y\n", 0)])
def test_deleting_asks_first(program: Program, answer: str, left: int) -> None:
    result = program.run("user", "delete", "jane@example.org", stdin=answer)

    assert left == result.exit_code
    assert [(left,)] == rows(program, "vmail", "SELECT COUNT(*) FROM mailbox")


def test_what_was_done_is_in_the_administration_log(program: Program) -> None:
    ((admin, event, message, address),) = rows(
        program,
        "iredadmin",
        "SELECT admin, event, msg, ip FROM log WHERE username = 'jane@example.org'",
    )

    assert admin.startswith("cli:")
    assert ("create", "Create user jane@example.org.", "") == (event, message, address)


def test_warnings_are_said_and_answered(program: Program) -> None:
    result = program.run(
        "user", "update", "jane@example.org", "--services", "imap,teleport", "--json"
    )

    assert result.stderr.startswith("warning: services: teleport")
    assert 1 == len(json.loads(result.stdout)["_warnings"])


# Passwords ---------------------------------------------------------------------------------------


def test_a_password_comes_from_standard_input(program: Program, app: App) -> None:
    program("user", "update", "jane@example.org", "--password-stdin", stdin="Reed-Wren-77\nmore\n")

    assert verify_password("Reed-Wren-77", password_of(app, "jane@example.org"))


def test_a_password_is_asked_for_twice_and_not_shown(program: Program, app: App) -> None:
    result = program.run(
        *("user", "update", "jane@example.org", "--password-prompt"),
        stdin="Reed-Wren-77\nReed-Wren-77\n",
    )

    assert 0 == result.exit_code
    assert "Reed" not in result.output
    assert verify_password("Reed-Wren-77", password_of(app, "jane@example.org"))


def test_a_missing_password_is_not_asked_for_where_nobody_sits(program: Program) -> None:
    status, error = program.failure("user", "create", "zoe@example.org", stdin="Reed-Wren-77\n")

    assert (1, "PW_EMPTY: password is required\n") == (status, error)


def test_a_missing_password_is_asked_for_on_a_terminal(
    program: Program, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "is_terminal", lambda _stream: True)

    program("user", "create", "zoe@example.org", stdin="Reed-Wren-77\nReed-Wren-77\n")

    assert verify_password("Reed-Wren-77", password_of(app, "zoe@example.org"))


def test_a_password_is_given_in_one_way(program: Program) -> None:
    status, _ = program.failure(
        "user", "update", "jane@example.org", "--password-stdin", "--password", PASSWORD
    )

    assert 2 == status


@pytest.mark.parametrize(
    "password", ["short", " Wood-Lark-42", "Wood-Lark-\u00e4\u00e42", "\x07" * 12]
)
def test_a_refused_password_is_not_repeated(program: Program, password: str) -> None:
    status, error = program.failure("user", "create", "zoe@example.org", "--password", password)

    assert 1 == status
    assert error.startswith("PW_")
    assert password not in error


# Options -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "command", "verb"),
    [
        ("domain", "create", Verb.CREATE),
        ("domain", "update", Verb.UPDATE),
        ("user", "create", Verb.CREATE),
        ("user", "update", Verb.UPDATE),
        ("user", "update-all", Verb.BULK),
    ],
)
def test_every_parameter_is_an_option_and_says_what_it_is(
    kind: str, command: str, verb: Verb
) -> None:
    group = commands.groups()[kind]
    made = group.commands[command]  # type: ignore[attr-defined]
    known = {spelling for option in made.params for spelling in option.opts}

    for field in ACCOUNTS[kind].resource.taken_by(verb):
        assert {f"--{name}" for name in field.names()} <= known
    assert all(option.help for option in made.params if isinstance(option, click.Option))


@pytest.mark.parametrize(
    "words",
    [
        ("user", "update", "jane@example.org"),
        ("user", "update", "jane@example.org", "--quoat", "3"),
        ("user", "update"),
        ("user", "update-all", "example.org"),
        ("user", "delete"),
        ("user", "fly"),
        ("nothing",),
        ("init", "--backend", "oracle"),
    ],
)
def test_a_wrong_use_has_status_2(program: Program, words: tuple[str, ...]) -> None:
    status, error = program.failure(*words)

    assert 2 == status
    assert "Error" in error


HOSTILE = [
    "",
    " ",
    "'; DROP TABLE mailbox; --",
    "%s%d%%",
    "\x1b]0;title\x07",
    "a\nb",
    "\udcff\udcfe",
    "\u202etxt",
    "x" * 100_000,
    "../../etc/passwd",
    "-1",
    "--help",
    "@",
    "\U0001f600@example.org",
]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize(
    "words",
    [
        ("user", "show", "--", "{}"),
        ("user", "delete", "--yes", "--", "{}"),
        ("user", "list", "--", "{}"),
        ("domain", "create", "--name", "x", "--", "{}"),
        ("user", "update", "jane@example.org", "--name", "{}"),
        ("user", "update", "jane@example.org", "--quota", "{}"),
        ("user", "update", "jane@example.org", "--forwarding", "{}"),
        ("user", "list", "example.org", "--q", "{}"),
        ("user", "list", "example.org", "--sort", "{}"),
        ("user", "list", "example.org", "--page-token", "{}"),
    ],
    ids=" ".join,
)
def test_hostile_values_end_in_an_answer(
    program_once: Program, words: tuple[str, ...], value: str
) -> None:
    result = program_once.run(*(word.replace("{}", value) for word in words))

    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.exit_code in (0, 1)
    assert "\x1b" not in result.output
    assert len(result.stderr) < 2000
    assert "example.org\n" == program_once("domain", "list", "--name-only")


def test_what_was_stored_is_what_was_given(program: Program) -> None:
    text = 'O\'Neil; "%s" -- <b>\u65e5\u672c\u8a9e</b>'

    program("user", "update", "jane@example.org", "--name", text)

    assert text == program.json("user", "show", "jane@example.org")["_data"]["name"]


# The rest ----------------------------------------------------------------------------------------


def test_leftovers_are_finished(program: Program, app: App) -> None:
    with app.databases["iredadmin"].transaction() as connection:
        connection.execute(
            "INSERT INTO mailwright_leftovers VALUES ('user', 'gone@example.org', 1)"
        )
    with app.databases["iredapd"].transaction() as connection:
        connection.execute(
            "INSERT INTO greylisting (account, priority, sender, sender_priority) "
            "VALUES ('gone@example.org', 100, '@.', 0)"
        )

    assert "1 finished\n" == program("job", "leftovers")

    assert [] == rows(program, "iredadmin", "SELECT * FROM mailwright_leftovers")
    assert [("@.",)] == rows(program, "iredapd", "SELECT account FROM greylisting")


def test_the_openapi_document_needs_no_settings(fresh: Program) -> None:
    fresh.environment["MAILWRIGHT_CONFIG"] = None

    document = msgspec.json.decode(fresh("openapi"))

    assert "/api/user/{mail}" in document["paths"]


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("init",),
        ("serve",),
        ("check",),
        ("config", "import"),
        ("job", "leftovers"),
        ("domain", "update"),
        ("user", "list"),
    ],
    ids=" ".join,
)
def test_every_command_has_help(fresh: Program, words: tuple[str, ...]) -> None:
    output = fresh(*words, "--help")

    assert output.startswith("Usage: mailwright")


# Standalone admins --------------------------------------------------------------------------------


def test_admins_are_made_shown_changed_listed_and_removed(program: Program) -> None:
    anna = "anna@admins.test"
    words = ("--max-quota", "2", "--quota-unit", "GB", "--max-domains", "5")

    assert f"{anna} created\n" == program("admin", "create", anna, "--password", PASSWORD, *words)
    shown = json.loads(program("admin", "show", anna, "--json"))["_data"]
    assert (2048, "MB", 5) == (shown["maxQuota"], shown["quotaUnit"], shown["maxDomains"])
    assert "createNewDomains" not in shown
    assert f"{anna} updated\n" == program("admin", "update", anna, "--is-global-admin", "yes")
    assert anna in program("admin", "list", "--email-only").split()
    assert f"{anna} deleted\n" == program("admin", "delete", "--yes", anna)
    assert anna not in program("admin", "list", "--email-only").split()


def test_an_admin_has_no_mail_to_keep(program: Program) -> None:
    assert "--keep-days" in program("user", "delete", "--help")
    assert "--keep-days" not in program("admin", "delete", "--help")
