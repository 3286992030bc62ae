"""``mailwright serve``: the HTTP server in the foreground."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import click

from mailwright.cli.context import config_option, named_file, opened
from mailwright.errors import Unavailable
from mailwright.settings import Settings, load
from mailwright.settings.locating import VARIABLE, settings_file
from mailwright.storage.sql.own_tables import migrate

TARGET = "mailwright.http.wsgi:application"
# How long a request that is being answered may take once the server is told to stop.
GRACE_SECONDS = 20


@click.command()
@config_option
def serve() -> None:
    """Serve the API until SIGTERM or SIGINT."""
    path = named_file() or settings_file(os.environ)
    settings = load(path, os.environ)
    with opened(settings) as app:
        migrate(app.databases["iredadmin"])
        app.finish_leftovers()
    with tempfile.TemporaryDirectory(prefix="mailwright-metrics-") as metrics:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
        os.environ["MAILWRIGHT_PREPARED"] = "1"
        if path is not None:
            os.environ[VARIABLE] = str(path.absolute())
        _serve(settings, path)


def _serve(settings: Settings, path: Path | None) -> None:
    from granian import Granian  # noqa: PLC0415 - only this command needs it
    from granian.constants import Interfaces  # noqa: PLC0415
    from granian.log import LogLevels  # noqa: PLC0415

    server = Granian(
        TARGET,
        address=settings.server.host,
        port=settings.server.port,
        interface=Interfaces.WSGI,
        workers=settings.server.workers,
        blocking_threads=settings.server.threads,
        websockets=False,
        log_level=LogLevels.error,
        log_access=False,
        respawn_failed_workers=True,
        workers_kill_timeout=GRACE_SECONDS,
    )
    server.on_startup(lambda: _greet(settings, path))
    try:
        server.serve()
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {settings.server.host} port {settings.server.port}: {error.strerror}"
        ) from None


def _greet(settings: Settings, path: Path | None) -> None:
    host = settings.server.host
    base = f"http://{f'[{host}]' if ':' in host else host}:{settings.server.port}"
    base += settings.server.base_path
    click.echo(f"Settings:      {path or 'the environment'}")
    if settings.api.enable_restful_api:
        click.echo(f"API:           {base}/api")
    else:
        click.echo("API:           off (enable_restful_api in [api])")
    if settings.server.public_docs:
        click.echo(f"API reference: {base}/docs")
    sys.stdout.flush()
