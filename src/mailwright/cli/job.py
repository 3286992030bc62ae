"""``mailwright job``: what runs now and then, safe to run twice."""

from __future__ import annotations

import click

from mailwright.app import App
from mailwright.cli.context import config_option, opened
from mailwright.storage.sql.own_tables import migrate


@click.group()
def job() -> None:
    """Run a job."""


@job.command()
@config_option
def leftovers() -> None:
    """Finish removals that were interrupted between databases."""
    with opened() as app:
        click.echo(_sentence(app))


@job.command()
@config_option
def ownership() -> None:
    """Forget proofs of ownership, and codes of domains that are gone, which are too old."""
    with opened() as app, app.store.session() as accounts:
        gone = app.claims.forget(lambda domain: accounts.hosted_domain(domain) is not None)
        click.echo(f"{gone} forgotten")


def _sentence(app: App) -> str:
    database = app.databases["iredadmin"]
    migrate(database)
    found = app.finish_leftovers()
    with database.connection() as connection:
        left = int(connection.value('SELECT COUNT(*) FROM "mailwright_leftovers"'))
    return f"{found - left} finished" + (f", {left} stay for now" if left else "")
