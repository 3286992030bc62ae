"""``mailwright ownership``: what proves whose a domain is."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from mailwright.app import App
from mailwright.authz import Actor
from mailwright.cli.context import actor, config_option, json_option, opened, printable, writing
from mailwright.cli.tables import cell, pairs
from mailwright.http import answers
from mailwright.http.answers import Answer
from mailwright.ownership import verifying


@click.group()
def ownership() -> None:
    """Show and look for the codes that prove whose domains are."""


@ownership.command()
@click.argument("domain")
@config_option
@json_option
def show(domain: str, *, as_json: bool) -> None:
    """Show the code of a domain, and where to publish it."""
    with opened() as app:
        _tell(app, verifying.show, domain, as_json=as_json)


@ownership.command()
@click.argument("domain")
@config_option
@json_option
def verify(domain: str, *, as_json: bool) -> None:
    """Look for the code of a domain now; exit status 1 if it waits for one that is not there."""
    with writing() as app:
        told = _tell(app, verifying.verify, domain, as_json=as_json)
    if told[verifying.IS_SET.name] and not told[verifying.VERIFIED.name]:
        sys.exit(1)


def _tell(
    app: App, operation: Callable[[App, Actor, str], verifying.Told], domain: str, *, as_json: bool
) -> dict[str, object]:
    told, warnings = operation(app, actor(), domain)
    for warning in warnings:
        click.echo(f"warning: {printable(warning)}", err=True)
    if as_json:
        click.echo(answers.success(Answer(told), warnings))
        return told
    for line in pairs([(name, cell(value)) for name, value in told.items()]):
        click.echo(line)
    return told
