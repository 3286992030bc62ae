"""``mailwright init``: settings, databases and the first global admin, each only where missing."""

from __future__ import annotations

import os
import secrets
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from mailwright.app import App
from mailwright.cli.context import config_option, directory_store, named_file
from mailwright.cli.files import write_private
from mailwright.errors import ConfigurationError, Invalid, NotSupported, Unavailable
from mailwright.fields.kinds import Email
from mailwright.passwords import PasswordPolicy, hash_password
from mailwright.settings import ENVIRONMENT_PREFIX, Settings, load, write_toml
from mailwright.settings.locating import HERE, SYSTEM, VARIABLE
from mailwright.storage.sql import setup

DEFAULT_ADMIN: Final = "admin@mailwright.internal"
DEVELOPMENT: Final = Path("var/mailwright.toml")
PASSWORD_LENGTH: Final = 20
# Without look-alikes; none of these needs care in a shell's single quotes, a URL or a TOML text.
_ALPHABET: Final = "".join(set(string.ascii_letters + string.digits) - set("0O1lI")) + "-_.+:,"
_TRIES: Final = 10_000


@click.command()
@config_option
@click.option(
    "--backend",
    type=click.Choice(["sqlite", "postgresql", "mysql", "ldap"]),
    help="What keeps the accounts; mysql is MariaDB too, ldap is OpenLDAP. [default: sqlite]",
)
@click.option(
    "--admin",
    default=DEFAULT_ADMIN,
    show_default=True,
    metavar="ADDRESS",
    help="Address of the first global admin; its domain must not be hosted here.",
)
@click.option(
    "--development",
    is_flag=True,
    help=f"Settings to try things out: the API on, on loopback. [default file: {DEVELOPMENT}]",
)
@click.option("--quiet", is_flag=True, help="Say only what is new.")
def init(backend: str | None, admin: str, *, development: bool, quiet: bool) -> None:
    """Set up settings, databases or a directory, and a first global admin.

    What exists stays as it is.
    """
    path = _settings_path(development=development)
    say_known = _say_nothing if quiet else click.echo
    if path.exists():
        say_known(f"{path} exists")
    else:
        write_private(path, write_toml(_first_settings(path, backend, development), complete=True))
        click.echo(f"{path} written")
    settings = load(path, os.environ)
    if backend is not None and backend != settings.storage.backend:
        raise ConfigurationError(
            f"{path}: storage.backend is {settings.storage.backend}, not {backend}"
        )
    app = App(settings)
    try:
        _directory(app, path, say_known)
        _databases(app, path, say_known)
        _first_admin(app, _address(admin), say_known)
    finally:
        app.close()


def _say_nothing(_sentence: str) -> None:
    return


def _settings_path(*, development: bool) -> Path:
    named = named_file()
    if named is not None:
        return named
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE])
    if development:
        return DEVELOPMENT
    return SYSTEM if SYSTEM.exists() and not HERE.exists() else HERE


def _first_settings(path: Path, backend: str | None, development: bool) -> dict[str, Any]:  # noqa: FBT001
    storage: dict[str, Any] = {"backend": backend or "sqlite"}
    nested: dict[str, Any] = {"storage": storage}
    if development:
        nested |= {
            "server": {"host": "127.0.0.1"},
            "api": {"enable_restful_api": True},
            "log": {"format": "text"},
        }
    if storage["backend"] == "ldap":
        chosen = Settings().ldap
        nested["ldap"] = {
            "uri": chosen.uri,
            "start_tls": chosen.start_tls,
            "base_dn": chosen.base_dn,
            "admin_base_dn": chosen.admin_base_dn,
            "bind_dn": chosen.bind_dn,
            "bind_password": "",
            "sql_backend": chosen.sql_backend,
        }
    if storage["backend"] in {"sqlite", "ldap"}:
        system = path.absolute().parent == SYSTEM.parent
        # Beside a settings file of its own, else where a system keeps a service's data.
        storage["sqlite_directory"] = "." if development else _data_directory(system=system)
    else:
        defaults = Settings().databases
        nested["databases"] = {
            name: {"host": found.host, "name": found.name, "user": found.user, "password": ""}
            for name in ("vmail", "amavisd", "iredapd", "iredadmin")
            if (found := getattr(defaults, name))
        }
    return nested


def _data_directory(*, system: bool) -> str:
    return "/var/lib/mailwright" if system else "var"


def _directory(app: App, path: Path, say_known: Callable[[str], None]) -> None:
    store = directory_store(app)
    if store is None:
        return
    from mailwright.storage.ldap.setup import create_base  # noqa: PLC0415 - an extra

    try:
        connection = store.directory.lend()
    except Unavailable as error:
        why = f" ({error.detail})" if error.detail else ""
        raise Unavailable(
            f"{error.reason}{why}; correct {_place('ldap', path)} and run init again",
            code=error.code,
        ) from None
    try:
        made = create_base(connection, store.tree)
    finally:
        store.directory.take_back(connection)
    for dn in made:
        click.echo(f"directory: {dn} created")
    for dn in (store.tree.base, store.tree.admins):
        if dn not in made:
            say_known(f"directory: {dn} exists")
    lacking = store.check()
    if lacking:
        raise NotSupported(f"{'; '.join(lacking)}; see docs/operate/openldap.md")


def _databases(app: App, path: Path, say_known: Callable[[str], None]) -> None:
    setup.create_files(app.databases)
    try:
        made = setup.create_schema(app.databases)
    except Unavailable as error:
        if error.code != "SERVER_DOWN" or app.databases["iredadmin"].target.path is not None:
            raise
        raise Unavailable(
            f"{error.reason}; correct {_place('databases', path)} and run init again",
            code=error.code,
        ) from None
    for name, what in made.items():
        where = app.databases[name].target.path or app.databases[name].target.name
        if what is setup.Made.CREATED:
            click.echo(f"{name} ({where}): tables created")
        else:
            say_known(f"{name} ({where}): has tables, left as it is")


def _place(section: str, path: Path) -> str:
    """Where a section's values come from: a variable wins over the file, so it is named first."""
    beginning = f"{ENVIRONMENT_PREFIX}{section.upper()}__"
    variables = [name for name in sorted(os.environ) if name.startswith(beginning)]
    file = f"[{section}] in {path}"
    if not variables:
        return file
    verb = "wins" if len(variables) == 1 else "win"
    return f"{', '.join(variables)} in the environment, which {verb} over {file},"


def _address(text: str) -> str:
    try:
        return Email().parse(text)
    except ValueError as error:
        raise Invalid(f"--admin ({text}): {error}", code="INVALID_MAIL") from None


def _first_admin(app: App, address: str, say_known: Callable[[str], None]) -> None:
    with app.store.session() as accounts:
        present = accounts.global_admins()
        hosted = accounts.hosted_domain(address.rpartition("@")[2])
    if present:
        say_known(f"global admin: {', '.join(sorted(present)[:3])} (exists)")
        return
    if hosted is not None:
        raise Invalid(
            f"--admin ({address}): the domain {hosted} is hosted here; take another",
            code="CAN_NOT_BE_LOCAL_DOMAIN",
        )
    password = generated_password(app.overrides.policy)
    hashed = hash_password(password, scheme=app.settings.passwords.scheme)
    _add_global_admin(app, address, hashed)
    click.echo(f"global admin: {address}")
    click.echo(f"password:     {password}")
    click.echo("This password is shown only now.")


def _add_global_admin(app: App, address: str, hashed: str) -> None:
    store = directory_store(app)
    if store is None:
        setup.add_global_admin(app.databases["vmail"], address, hashed, app.clock())
        return
    from mailwright.storage.ldap.setup import add_global_admin  # noqa: PLC0415 - an extra

    with store.directory.connection() as connection:
        add_global_admin(connection, store.tree, address, hashed, app.clock())


def generated_password(policy: PasswordPolicy) -> str:
    """A password that the policy takes."""
    length = max(PASSWORD_LENGTH, policy.min_length)
    length = min(length, policy.max_length or length)
    for _ in range(_TRIES):
        password = "".join(secrets.choice(_ALPHABET) for _ in range(length))
        if password[0].isalnum() and password[-1].isalnum() and not policy.check(password):
            return password
    raise ConfigurationError(
        f"no password of {length} characters satisfies the [passwords] settings"
    )
