"""``mailwright check``: whether everything answers, and what this schema switches off."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from mailwright.app import ACCOUNTS, App
from mailwright.cli.context import (
    config_option,
    directory_store,
    json_option,
    own_version,
    printable,
    read_settings,
)
from mailwright.http.answers import encode
from mailwright.settings import Settings
from mailwright.storage.sql import own_tables
from mailwright.storage.sql.inspection import Found, Report, inspect
from mailwright.storage.sql.journal import Journal

if TYPE_CHECKING:
    from mailwright.storage.ldap.inspection import Found as Directory

OTHERS_MAY_READ = 0o004


@click.command()
@config_option
@json_option
def check(*, as_json: bool) -> None:
    """Connect to every database and the directory; exit status 1 if something is broken."""
    settings = read_settings()
    app = App(settings)
    try:
        report = inspect(app.databases, [account.resource for account in ACCOUNTS.values()])
        directory = _directory(app)
        admins = _global_admins(app, report, directory)
        document = _document(settings, report, directory, admins)
        document["notes"] += _interrupted(app, report)
    finally:
        app.close()
    if as_json:
        click.echo(encode(document))
    else:
        _print(document)
    sys.exit(0 if document["sound"] else 1)


def _directory(app: App) -> Directory | None:
    store = directory_store(app)
    if store is None:
        return None
    from mailwright.storage.ldap.inspection import inspect as look  # noqa: PLC0415 - an extra

    return look(store.directory, store.tree, [account.resource for account in ACCOUNTS.values()])


def _document(
    settings: Settings, report: Report, directory: Directory | None, admins: list[str] | None
) -> dict[str, Any]:
    left_out = [name for name in ("amavisd", "iredapd") if not _is_used(settings, name)]
    told = {} if directory is None else {"directory": _told(settings, directory)}
    return {
        "sound": report.sound and (directory is None or not directory.problems),
        "settings": str(settings.path or "environment"),
        "backend": settings.storage.backend,
        "api": settings.api.enable_restful_api,
        "global_admins": None if admins is None else len(admins),
        **told,
        "databases": {found.name: _described(found) for found in report.databases},
        "notes": [
            *(directory.notes if directory is not None else ()),
            *(f"{name}: switched off in the settings" for name in left_out),
            *(
                "Mailwright's own tables in iredadmin will be made when it is started"
                for found in report.databases
                if found.own_are_old
            ),
            *_notes(settings, admins),
        ],
    }


def _is_used(settings: Settings, name: str) -> bool:
    beside = settings.storage.backend == "ldap"
    engine = settings.ldap.sql_backend if beside else settings.storage.backend
    return engine == "sqlite" or getattr(settings.databases, name).enabled


def _told(settings: Settings, found: Directory) -> dict[str, Any]:
    uri = settings.ldap.uri
    return {
        "uri": uri,
        "tls": uri.startswith("ldaps:") or settings.ldap.start_tls,
        "answers": found.answers,
        "server": found.server,
        "version": found.version,
        "problems": found.problems,
        "switched_off": found.off,
    }


def _described(found: Found) -> dict[str, Any]:
    described: dict[str, Any] = {
        "answers": found.answers,
        "version": found.version,
        "problems": found.problems,
        "switched_off": found.off,
    }
    if found.own_version is not None:
        described["own_tables"] = found.own_version
    return described


def _notes(settings: Settings, admins: list[str] | None) -> list[str]:
    notes = []
    if settings.path is not None and settings.path.stat().st_mode & OTHERS_MAY_READ:
        notes.append(f"{settings.path} can be read by everybody and may hold passwords")
    if admins == []:
        notes.append("there is no active global admin; `mailwright init` makes one")
    if not settings.api.enable_restful_api:
        notes.append("the API is off (enable_restful_api in [api])")
    return notes


def _global_admins(app: App, report: Report, directory: Directory | None) -> list[str] | None:
    problems = (
        directory.problems
        if directory is not None
        else next(found.problems for found in report.databases if found.name == "vmail")
    )
    if problems:
        return None
    with app.store.session() as accounts:
        return list(accounts.global_admins())


def _interrupted(app: App, report: Report) -> list[str]:
    """What waits to be finished."""
    beside = next(found for found in report.databases if found.name == "iredadmin")
    if beside.problems or own_version(app) < own_tables.latest():
        return []
    database = app.databases["iredadmin"]
    with database.connection() as connection:
        removals = connection.rows(
            'SELECT "account" FROM "mailwright_leftovers" ORDER BY "account"'
        )
    subjects = dict.fromkeys(entry.subject for entry in Journal(database).all())
    return [
        f"{what}: `mailwright repair` finishes it"
        for what in (
            *(f"an interrupted operation on {subject}" for subject in subjects),
            *(f"an interrupted removal of {account}" for (account,) in removals),
        )
    ]


def _print(document: dict[str, Any]) -> None:
    click.echo(f"settings   {document['settings']}, backend {document['backend']}")
    if "directory" in document:
        found = document["directory"]
        state = "answers" if found["answers"] else "DOWN"
        tls = "with TLS" if found["tls"] else ""
        words = [word for word in (found["server"], tls, found["version"]) if word]
        click.echo(f"directory  {state:8} {', '.join(words)}".rstrip())
    for name, found in document["databases"].items():
        state = "answers" if found["answers"] else "DOWN"
        own = f", own tables {found['own_tables']}" if found.get("own_tables") else ""
        click.echo(f"{name:10} {state:8} {found['version']}{own}".rstrip())
    if document["global_admins"] is not None:
        click.echo(f"admins     {document['global_admins']} global")
    parts = {name: document[name] for name in ("directory",) if name in document}
    parts |= document["databases"]
    broken = [(name, found["problems"]) for name, found in parts.items()]
    off = [(name, found["switched_off"]) for name, found in parts.items()]
    _sentences("Broken", broken)
    _sentences("Switched off", off)
    _sentences("Notes", [("", document["notes"])])


def _sentences(title: str, groups: list[tuple[str, list[str]]]) -> None:
    if not any(sentences for _, sentences in groups):
        return
    click.echo(f"\n{title}:")
    for name, sentences in groups:
        for sentence in sentences:
            click.echo(printable(f"  {name}: {sentence}" if name else f"  {sentence}"))
