"""``mailwright serve``: the HTTP server in the foreground."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import click

from mailwright import logs
from mailwright.cli.context import config_option, named_file, opened
from mailwright.errors import Unavailable
from mailwright.settings import Settings, load
from mailwright.settings.locating import VARIABLE, settings_file
from mailwright.storage.sql.own_tables import migrate

TARGET = "mailwright.http.wsgi:application"
# How long a request that is being answered may take once the server is told to stop.
GRACE_SECONDS = 20
_STOPPING = (signal.SIGTERM, signal.SIGINT)


@click.command()
@config_option
def serve() -> None:
    """Serve the API until SIGTERM or SIGINT."""
    path = named_file() or settings_file(os.environ)
    settings = load(path, os.environ)
    _require_free(settings)
    logs.configure(settings.log)
    with opened(settings) as app:
        migrate(app.databases["iredadmin"])
        app.repair()  # a directory that is down is only logged
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
    import_module("mailwright.http.app")  # once, before the workers are forked
    lose_no_signal()
    server.serve()


def _require_free(settings: Settings) -> None:
    """Workers share their port, so the system would let a second server share it too."""
    host, port = settings.server.host, settings.server.port
    try:
        ((family, kind, protocol, _, address), *_) = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Unavailable(f"cannot listen on {host} port {port}: {error.strerror}") from None


def lose_no_signal() -> None:
    """Have every process that is forked from here end at SIGTERM from its first moment on."""
    os.register_at_fork(
        before=_hold_signals, after_in_parent=_let_signals_in, after_in_child=_forget_signals
    )


def _forget_signals() -> None:
    """A worker that is told to stop while it still starts ends at once.

    It inherits the handlers of the main process, which would only note the signal.
    """
    for number in _STOPPING:
        signal.signal(number, signal.SIG_DFL)
    _let_signals_in()


def _hold_signals() -> None:
    """What reaches a new process before it runs its first line waits for it: Python would forget it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)


def _let_signals_in() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)


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
