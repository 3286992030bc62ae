"""The program: its commands, looked up by name so that each start imports only what it needs."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

import click

from mailwright.cli.context import config_option, failed
from mailwright.errors import MailwrightError

# Command: module and object.  The commands on accounts come from the resources themselves.
COMMANDS: Final = {
    "init": ("mailwright.cli.init", "init"),
    "serve": ("mailwright.cli.serve", "serve"),
    "repair": ("mailwright.cli.repair", "repair"),
    "check": ("mailwright.cli.check", "check"),
    "config": ("mailwright.cli.config", "config"),
    "openapi": ("mailwright.cli.openapi", "openapi"),
    "audit": ("mailwright.cli.audit", "audit"),
    "token": ("mailwright.cli.token", "token"),
    "ownership": ("mailwright.cli.ownership", "ownership"),
    "job": ("mailwright.cli.job", "job"),
}


class Program(click.Group):
    """A group whose commands are imported on demand, and the place where errors become an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*super().list_commands(ctx), *COMMANDS, *_accounts()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module, name = COMMANDS[cmd_name]
            found: click.Command = getattr(import_module(module), name)
            return found
        return super().get_command(ctx, cmd_name) or _accounts().get(cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MailwrightError as error:
            raise failed(ctx, error) from None


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@config_option
@click.version_option(package_name="mailwright", message="%(prog)s %(version)s")
def main() -> None:
    """The control plane of a mail server: domains, users and policies in its databases or directory."""


def _accounts() -> dict[str, click.Command]:
    return import_module("mailwright.cli.account").groups()  # type: ignore[no-any-return]
