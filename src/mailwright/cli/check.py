"""``mailwright check``: whether everything answers, and what this schema switches off."""

from __future__ import annotations

import sys
from typing import Any

import click

from mailwright.app import ACCOUNTS, App
from mailwright.cli.context import (
    config_option,
    json_option,
    printable,
    read_settings,
)
from mailwright.http.answers import encode
from mailwright.settings import Settings
from mailwright.storage.sql.inspection import Found, Report, inspect

OTHERS_MAY_READ = 0o004


@click.command()
@config_option
@json_option
def check(*, as_json: bool) -> None:
    """Connect to every database; exit status 1 if something is broken."""
    settings = read_settings()
    app = App(settings)
    try:
        report = inspect(app.databases, [account.resource for account in ACCOUNTS.values()])
        admins = _global_admins(app, report)
    finally:
        app.close()
    document = _document(settings, report, admins)
    if as_json:
        click.echo(encode(document))
    else:
        _print(document)
    sys.exit(0 if document["sound"] else 1)


def _document(settings: Settings, report: Report, admins: list[str] | None) -> dict[str, Any]:
    left_out = [name for name in ("amavisd", "iredapd") if not _is_used(settings, name)]
    return {
        "sound": report.sound,
        "settings": str(settings.path or "environment"),
        "backend": settings.storage.backend,
        "api": settings.api.enable_restful_api,
        "databases": {found.name: _described(found) for found in report.databases},
        "notes": [
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
    return settings.storage.backend == "sqlite" or getattr(settings.databases, name).enabled


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


def _global_admins(app: App, report: Report) -> list[str] | None:
    vmail = next(found for found in report.databases if found.name == "vmail")
    if vmail.problems:
        return None
    with app.store.session() as accounts:
        return list(accounts.global_admins())


def _print(document: dict[str, Any]) -> None:
    click.echo(f"settings   {document['settings']}, backend {document['backend']}")
    for name, found in document["databases"].items():
        state = "answers" if found["answers"] else "DOWN"
        own = f", own tables {found['own_tables']}" if found.get("own_tables") else ""
        click.echo(f"{name:10} {state:8} {found['version']}{own}".rstrip())
    broken = [(name, found["problems"]) for name, found in document["databases"].items()]
    off = [(name, found["switched_off"]) for name, found in document["databases"].items()]
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
