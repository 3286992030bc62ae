"""``mailwright token``: API tokens of any admin."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import click

from mailwright import tokens
from mailwright.app import App
from mailwright.cli import options
from mailwright.cli.context import (
    config_option,
    failed,
    json_option,
    printable,
    run,
    writing,
)
from mailwright.cli.tables import Table, cell
from mailwright.errors import Invalid, MailwrightError
from mailwright.http import answers
from mailwright.http.answers import Answer
from mailwright.http.forms import options as values_of

COLUMNS: Final = (
    tokens.ID,
    tokens.OWNER,
    tokens.LABEL,
    tokens.ENDS,
    tokens.READ_ONLY,
    tokens.DOMAINS,
    tokens.RESOURCES,
    tokens.NETWORKS,
    tokens.LAST_USED,
    tokens.LAST_ADDRESS,
)


@click.group()
def token() -> None:
    """Create, list and revoke API tokens."""


def _create(owner: str, *, as_json: bool, **given: Any) -> None:
    form = options.form(given, tokens.TAKEN)
    asked, _ = values_of(tokens.TAKEN, form, (), ignore_unknown=False)
    if not asked[tokens.LABEL]:
        raise Invalid(f"{tokens.LABEL.name} is required", parameter=tokens.LABEL.name)
    with writing() as app:
        (made, text), warnings = run(
            app, lambda work: tokens.issue(work, _store(app), owner.strip().lower(), asked)
        )
    if as_json:
        told = {tokens.TEXT.name: text, **made.told()}
        click.echo(answers.success(Answer(told), warnings))
        return
    click.echo(text)
    click.echo("This is shown once: whoever has it speaks for the admin.", err=True)


token.add_command(
    config_option(
        json_option(
            click.Command(
                "create",
                callback=_create,
                help="Create a token that speaks for an admin.",
                params=[
                    click.Argument(["owner"], metavar="ADDRESS"),
                    *options.of(tokens.TAKEN, flags=True),
                ],
            )
        )
    )
)


@token.command("list")
@config_option
@json_option
@click.argument("owner", required=False, metavar="[ADDRESS]")
def list_(owner: str | None, *, as_json: bool) -> None:
    """List the tokens of an admin, or all."""
    wanted = None if owner is None else owner.strip().lower()
    with writing() as app:
        page, warnings = run(app, lambda work: tokens.page(work, _store(app), wanted))
    found = page.tokens
    if as_json:
        click.echo(answers.success(Answer([each.told() for each in found]), warnings))
        return
    if not found:
        click.echo("no tokens", err=True)
        return
    rows = [_row(each) for each in found]
    table = Table([column.name for column in COLUMNS], rows)
    click.echo(table.heading())
    for row in rows:
        click.echo(table.line(row))


@token.command()
@config_option
@json_option
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
def revoke(ids: Sequence[str], *, as_json: bool) -> None:
    """End tokens for ever."""
    failures = 0
    with writing() as app:
        for ident in ids:
            failures += not _revoke_one(app, ident, as_json=as_json)
    if failures:
        sys.exit(1)


def _revoke_one(app: App, ident: str, *, as_json: bool) -> bool:
    """Revoke one of several; whether it went, so that the others get their turn."""
    try:
        _, warnings = run(app, lambda work: tokens.revoke(work, _store(app), ident))
    except MailwrightError as error:
        failed(click.get_current_context(), error).show()
        return False
    click.echo(answers.success(None, warnings) if as_json else printable(f"{ident} revoked"))
    return True


def _store(app: App) -> tokens.Tokens:
    return tokens.Tokens(app.databases["iredadmin"])


def _row(found: tokens.Token) -> list[str]:
    values = dict(found.values().items())
    return [_cell(values[column]) for column in COLUMNS]


def _cell(value: object) -> str:
    return "any" if value is None else cell(value)
