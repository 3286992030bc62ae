"""What every command shares: the settings, the application, the actor, and how things are said."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

import click

from mailwright.app import App
from mailwright.authz import Actor, Role
from mailwright.errors import MailwrightError, PartlyDone, Unavailable
from mailwright.http import answers
from mailwright.settings import Settings, load
from mailwright.settings.locating import settings_file
from mailwright.storage.sql import own_tables
from mailwright.storage.sql.catalogue import columns_of

if TYPE_CHECKING:
    from mailwright.storage.ldap.store import LdapAccountStore

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
_CONFIG: Final = "mailwright.config"
_JSON: Final = "mailwright.json"
SHORTEST_BAR: Final = 2


def _remember(key: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def callback(ctx: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        if value:  # the one nearest to the command wins
            ctx.meta[key] = value
        return value

    return callback


config_option: Final = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    expose_value=False,
    callback=_remember(_CONFIG),
    metavar="FILE",
    help="Settings file; else $MAILWRIGHT_CONFIG, ./mailwright.toml or "
    "/etc/mailwright/mailwright.toml.",
)
json_option: Final = click.option(
    "--json",
    "as_json",
    is_flag=True,
    callback=_remember(_JSON),
    help="Print JSON, in the shape of the API's answers.",
)


class Failed(click.ClickException):
    """An error of ours on its way to standard error and exit status 1."""

    def __init__(self, error: MailwrightError, *, as_json: bool) -> None:
        # Whoever runs this has the machine: where and why is for them.
        detail = error.detail if isinstance(error, Unavailable) else ""
        super().__init__(printable(f"{error} ({detail})" if detail else str(error)))
        self.error = error
        self.as_json = as_json

    def show(self, file: IO[Any] | None = None) -> None:
        if self.as_json:
            error = self.error
            click.echo(
                answers.part(error)
                if isinstance(error, PartlyDone)
                else answers.failure(error.code, error.reason)
            )
        click.echo(self.message, err=True, file=file)


def failed(ctx: click.Context, error: MailwrightError) -> Failed:
    """The error as click wants it."""
    return Failed(error, as_json=bool(ctx.meta.get(_JSON)))


def named_file() -> Path | None:
    """The settings file that the command line names."""
    return click.get_current_context().meta.get(_CONFIG)


def read_settings() -> Settings:
    """The settings of this run."""
    return load(named_file() or settings_file(os.environ), os.environ)


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[App]:
    """The application over these settings, closed afterwards."""
    settings = settings or read_settings()
    app = App(settings)
    for database in app.databases.values():
        path = database.target.path
        if path is not None and not path.exists():
            raise Unavailable(f"{path} does not exist; `mailwright init` makes it")
    try:
        yield app
    finally:
        app.close()


def directory_store(app: App) -> LdapAccountStore | None:
    """The store, where the accounts are in a directory."""
    if app.store.backend != "ldap":
        return None
    from mailwright.storage.ldap.store import LdapAccountStore  # noqa: PLC0415 - an extra

    return app.store if isinstance(app.store, LdapAccountStore) else None


def actor() -> Actor:
    """Whoever runs this program may do everything: the system let them read the settings."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # an account without a name
        name = str(os.getuid())
    return Actor(f"cli:{name}", Role.GLOBAL_ADMIN, channel="cli")


def run(app: App, operation: Callable[[Any], T]) -> tuple[T, Sequence[str]]:
    """A piece of work by whoever runs this program; warnings are said on standard error."""
    result, warnings = app.run(actor(), operation)
    for warning in warnings:
        click.echo(f"warning: {printable(warning)}", err=True)
    return result, warnings


def printable(text: str) -> str:
    """A text from a database or a client without anything that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode()
        for char in text
    )


def is_terminal(stream: IO[Any] = sys.stderr) -> bool:
    """Whether a person looks at a stream."""
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


@contextmanager
def writing() -> Iterator[App]:
    """The application, with our own tables ready for what a change notes in them."""
    with opened() as app:
        database = app.databases["iredadmin"]
        if own_version(app) < own_tables.latest():
            own_tables.migrate(database)
            database.catalogue = None
        yield app


def own_version(app: App) -> int:
    """The version of our own tables; 0 where there are none."""
    database = app.databases["iredadmin"]
    with database.connection() as connection:
        return own_tables.version(connection, frozenset(columns_of(database)))


@contextmanager
def progress(length: int, label: str) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while a person waits for more than one thing."""
    if length < SHORTEST_BAR or not is_terminal():
        yield _no_bar
        return
    with click.progressbar(length=length, label=label, file=sys.stderr) as bar:
        yield bar.update


def _no_bar(_steps: int) -> None:
    return
