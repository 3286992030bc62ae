"""``mailwright openapi``: the API described for programs."""

from __future__ import annotations

import json

import click

from mailwright.cli.context import config_option, named_file
from mailwright.settings import Settings, load


@click.command()
@config_option
def openapi() -> None:
    """Print the OpenAPI document of the API."""
    from mailwright.http.openapi import document  # noqa: PLC0415 - only this command needs it

    path = named_file()
    settings = Settings() if path is None else load(path, {})
    click.echo(json.dumps(document(settings), indent=2, ensure_ascii=False))
