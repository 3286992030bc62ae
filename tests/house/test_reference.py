"""docs/api/reference.md: its routes and error codes are those of the source."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mailwright import errors
from mailwright.app import ACCOUNTS, App
from mailwright.errors import ConfigurationError, Invalid, MailwrightError, NotFound
from mailwright.fields.resource import Verb
from mailwright.http import answers
from mailwright.http import app as http
from mailwright.http.routes import ROUTES
from mailwright.resources import operations
from mailwright.resources.operations import Account
from mailwright.storage.protocol import Contention
from tests.cli.program import Program
from tests.stores import ADMIN

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "mailwright"
PAGE = ROOT / "docs" / "api" / "reference.md"
CODES = ROOT / "tools" / "pages" / "codes.toml"
WORD = re.compile(r"[A-Z]+(_[A-Z]+)*")
CLASSES: dict[str, type[MailwrightError]] = {
    "Contention": Contention,
    **{
        name: found
        for name, found in vars(errors).items()
        if isinstance(found, type) and issubclass(found, MailwrightError)
    },
}
# What no answer holds: these end the program.
AT_THE_START = (MailwrightError, ConfigurationError)


def raised() -> set[tuple[int, str]]:
    """Status and code of each error that the source makes."""
    found = {(status, code) for status, code in http._CODES.items()}
    found |= {(400, "INVALID_REQUEST"), (500, "INTERNAL_ERROR")}
    found |= {
        (answers.status_of(NotFound("")), account.resource.missing) for account in ACCOUNTS.values()
    }
    for path in SOURCE.rglob("*.py"):
        if "cli" not in path.relative_to(SOURCE).parts:
            found |= set(of_module(ast.parse(path.read_text(encoding="utf-8"))))
    return found


def of_module(module: ast.Module) -> Iterator[tuple[int, str]]:
    named = {
        target.id: value.value
        for statement in module.body
        if isinstance(statement, ast.AnnAssign)
        and isinstance(target := statement.target, ast.Name)
        and isinstance(value := statement.value, ast.Constant)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and str(node.value).startswith("PW_"):
            yield 400, str(node.value)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        kind = CLASSES.get(node.func.id)
        if kind is None or kind in AT_THE_START:
            continue
        status = answers.status_of(kind.__new__(kind))
        given = [word.value for word in node.keywords if word.arg == "code"]
        for code in codes(given[0], named) if given else [kind.default_code]:
            yield status, code


def codes(value: ast.expr, named: dict[str, object]) -> Iterator[str]:
    """What an expression can be: its literals, and constants of the module."""
    for node in ast.walk(value):
        text = node.value if isinstance(node, ast.Constant) else None
        text = named.get(node.id) if isinstance(node, ast.Name) else text
        if isinstance(text, str) and WORD.fullmatch(text):
            yield text


def documented() -> set[tuple[int, str]]:
    found = tomllib.loads(CODES.read_text(encoding="utf-8"))
    return {(int(status), code) for status, words in found.items() for code in words}


def test_every_code_that_is_raised_is_told_with_its_status() -> None:
    assert documented() == raised()


def row(route_name: str) -> list[str]:
    (line,) = [
        line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{route_name}` |")
    ]
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_says_what_it_requires_and_who_may(route: object) -> None:
    method, path, required = route.method, route.path, route.required  # type: ignore[attr-defined]
    _, _, needed, who = row(f"{method} {path}")

    assert {field.name for field in required} <= set(re.findall(r"`(\w+)`", needed))
    assert who


@pytest.mark.parametrize(
    ("name", "key"),
    [("domain", "example.net"), ("user", "john@example.org"), ("admin", "a@customer.test")],
)
def test_what_a_new_account_needs_is_told(tmp_path: Path, name: str, key: str) -> None:
    program = Program(tmp_path / "mailwright.toml")
    program("init", "--development")
    program("domain", "create", "example.org", "--name", "Example")
    account = ACCOUNTS[name]
    by_name = account.resource.by_name
    (path,) = {
        route.path
        for route in ROUTES
        if route.resource is account.resource and route.verb is Verb.CREATE
    }
    asked: dict[str, list[str]] = {}
    with closing(program.app()) as app:
        while (name := missing(app, account, key, asked)) not in {"", *asked}:
            asked[name] = [by_name[name].example]

    assert "" == name
    assert set(asked) == set(re.findall(r"`(\w+)`", row(f"POST {path}")[2]))


def missing(app: App, account: Account, key: str, form: dict[str, list[str]]) -> str:
    """The parameter that a new account lacks; nothing once it is there."""
    try:
        app.run(ADMIN, lambda work: operations.create(work, account, key, form))
    except Invalid as error:
        return error.parameter or "?"
    return ""
