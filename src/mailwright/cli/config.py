"""``mailwright config``: settings files."""

from __future__ import annotations

from pathlib import Path

import click

from mailwright.cli.context import config_option
from mailwright.cli.files import write_private
from mailwright.errors import ConfigurationError
from mailwright.settings import write_toml
from mailwright.settings_import import import_settings_py


@click.group()
def config() -> None:
    """Write settings files."""


@config.command("import")
@config_option
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where to write the settings; standard output without it. An existing file stays.",
)
def import_(file: Path, output: Path | None) -> None:
    """Make a settings file of the settings.py of an iRedAdmin; it is parsed and never executed."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file}: is not UTF-8 text") from None
    nested, notes = import_settings_py(text)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    if "backend" not in nested.get("storage", {}):
        # Without one the default would make an empty store beside the one that has the accounts.
        raise ConfigurationError(
            f"{file}: names no backend that can be taken over (mysql, pgsql or ldap)"
        )
    written = write_toml(nested)
    if output is None:
        click.echo(written, nl=False)
    else:
        write_private(output, written)
    if output is not None:
        click.echo(f"{output} written", err=True)
