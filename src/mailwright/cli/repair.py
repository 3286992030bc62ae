"""``mailwright repair``: what interrupted operations left half-done."""

from __future__ import annotations

import logging
import sys

import click

from mailwright.app import App
from mailwright.cli.context import config_option, printable, writing
from mailwright.storage.sql.journal import Journal


@click.command()
@config_option
def repair() -> None:
    """Finish interrupted operations; exit status 1 if something stays for now."""
    # What is logged is said here.
    logging.getLogger("mailwright").addHandler(logging.NullHandler())
    with writing() as app:
        operations, removals = _operations(app), _removals(app)
        for sentence in app.repair():
            click.echo(printable(sentence))
        operations_left, removals_left = _operations(app), _removals(app)
        for note in sorted(removals):
            what = "stays for now" if note in removals_left else "finished"
            click.echo(printable(f"{note[1]}: an interrupted removal {what}"))
    if not operations and not removals:
        click.echo("nothing was interrupted")
    # What others have begun meanwhile is none of our business.
    if operations & operations_left or removals & removals_left:
        click.echo("`mailwright check` says what does not answer", err=True)
        sys.exit(1)


def _operations(app: App) -> set[str]:
    return {entry.ident for entry in Journal(app.databases["iredadmin"]).all()}


def _removals(app: App) -> set[tuple[str, str, int]]:
    """Accounts that the policy databases have still to forget."""
    with app.databases["iredadmin"].connection() as connection:
        rows = connection.rows('SELECT "kind", "account", "noted" FROM "mailwright_leftovers"')
    return {(str(kind), str(account), int(noted)) for kind, account, noted in rows}
