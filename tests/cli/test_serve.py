"""`mailwright serve`, and the same application under gunicorn: real processes on a real port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import OWN_TABLES, Program, shown_password
from tests.servers.ports import answers, free_port, wait_until_it_is_free

ADMIN = "admin@mailwright.internal"
SERVE = [sys.executable, "-m", "mailwright", "serve"]
GUNICORN = [sys.executable, "-m", "gunicorn", "mailwright.http.wsgi:application"]


class Server:
    """A server process and a client with cookies."""

    def __init__(self, program: Program, command: list[str], output: Path, **more: str) -> None:
        self.port = free_port()
        self.output = output
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()), urllib.request.ProxyHandler({})
        )
        kept = {name: value for name, value in os.environ.items() if "MAILWRIGHT" not in name}
        with output.open("wb") as log:
            self.process = subprocess.Popen(
                [word.replace("{port}", str(self.port)) for word in command],
                env={
                    **kept,
                    "MAILWRIGHT_CONFIG": str(program.config),
                    "MAILWRIGHT_SERVER__PORT": str(self.port),
                    **more,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait(self, seconds: float = 30) -> float:
        """Until it is ready; how long that took."""
        began = time.monotonic()
        while not self._ready():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() - began < seconds, self.text()
            time.sleep(0.02)
        return time.monotonic() - began

    def call(self, method: str, path: str, **parameters: str) -> Any:
        body = urllib.parse.urlencode(parameters).encode() if parameters else None
        request = urllib.request.Request(self.url(path), body, method=method)  # noqa: S310
        with self._opener.open(request, timeout=10) as answer:
            return json.load(answer)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status."""
        self.process.send_signal(sign)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def _ready(self) -> bool:
        try:
            self._opener.open(self.url("/readyz"), timeout=5).close()
        except OSError:
            return False
        return True


@contextmanager
def started(program: Program, command: list[str], **more: str) -> Iterator[Server]:
    server = Server(program, command, program.config.parent / "server.log", **more)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()


def metrics_directories(server: Server) -> list[str]:
    folder = Path(server.output.parent)
    return [path.name for path in folder.iterdir() if path.name.startswith("mailwright-metrics")]


def test_the_printed_password_logs_in_and_stays_out_of_the_log(fresh: Program) -> None:
    password = shown_password(fresh("init", "--development"))

    with started(fresh, SERVE, TMPDIR=str(fresh.config.parent)) as server:
        server.wait()
        assert metrics_directories(server)
        assert server.call("POST", "/api/login", username=ADMIN, password=password)["_success"]
        assert server.call("POST", "/api/domain/example.org", name="Example")["_success"]
        over_http = server.call("GET", "/api/domain/example.org")
        with pytest.raises(urllib.error.HTTPError) as refused:
            server.call("POST", "/api/login", username=ADMIN, password=password + "x")
        refused.value.close()
        assert 0 == server.stop()

    assert over_http == fresh.json("domain", "show", "example.org")
    assert password not in server.text()
    assert f"API:           http://127.0.0.1:{server.port}/api\n" in server.text()
    assert f"API reference: http://127.0.0.1:{server.port}/docs\n" in server.text()
    assert "Traceback" not in server.text()
    assert [] == metrics_directories(server)
    assert not answers(server.port)


FORKS = """
import os, signal, time
from mailwright.cli.serve import lose_no_signal
signal.signal(signal.SIGTERM, lambda *_: None)
lose_no_signal()
for _ in range(20):
    child = os.fork()
    if not child:
        time.sleep(1)
        os._exit(0)
    os.kill(child, signal.SIGTERM)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
"""


def test_a_worker_heeds_a_signal_from_its_first_moment_on() -> None:
    """Python forgets, after a fork, what reached the new process before its first line."""
    subprocess.run([sys.executable, "-c", FORKS], check=True, timeout=60)


def test_it_stops_at_once_while_its_workers_still_start(program: Program) -> None:
    """A worker that had no handler of its own yet lost the signal and was killed 20 seconds later."""
    with started(program, SERVE, MAILWRIGHT_SERVER__WORKERS="8") as server:
        began = time.monotonic()
        while "API reference" not in server.text():
            assert time.monotonic() - began < 30
        told = time.monotonic()

        assert 0 == server.stop()

        assert time.monotonic() - told < 10


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_at_once(program: Program, sign: signal.Signals) -> None:
    with started(program, SERVE) as server:
        server.wait()
        began = time.monotonic()

        assert 0 == server.stop(sign)

        assert time.monotonic() - began < 10
        wait_until_it_is_free(server.port)


def test_removals_that_were_interrupted_are_finished_at_start(program: Program) -> None:
    with closing(program.app()) as app:
        with app.databases["iredadmin"].transaction() as connection:
            connection.execute("INSERT INTO mailwright_leftovers VALUES ('domain', 'gone.test', 1)")

        with started(program, SERVE) as server:
            server.wait()

        with app.databases["iredadmin"].connection() as connection:
            assert [] == connection.rows("SELECT * FROM mailwright_leftovers")


def test_our_own_tables_are_made_at_start(program: Program) -> None:
    """A server that somebody else set up has none of ours."""
    with closing(program.app()) as app, app.databases["iredadmin"].connection() as connection:
        for name in OWN_TABLES:
            connection.execute(f"DROP TABLE {name}")

    with started(program, SERVE) as server:
        server.wait()

    assert 4 == program.json("check")["databases"]["iredadmin"]["own_tables"]


def test_all_workers_count_together(program: Program) -> None:
    with started(program, SERVE, MAILWRIGHT_SERVER__WORKERS="2") as server:
        server.wait()
        for _ in range(20):
            urllib.request.urlopen(server.url("/healthz"), timeout=5).close()  # noqa: S310
        with urllib.request.urlopen(server.url("/metrics"), timeout=5) as answer:  # noqa: S310
            text = answer.read().decode()

    assert 'route="/healthz",status="200"} 20.0' in text


def test_a_port_in_use_is_said(program: Program) -> None:
    with started(program, SERVE) as first:
        first.wait()
        with started(program, SERVE, MAILWRIGHT_SERVER__PORT=str(first.port)) as second:
            assert 1 == second.process.wait(30)
            text = second.text()

    assert "cannot listen on 127.0.0.1 port" in text
    assert "Traceback" not in text


def test_wrong_settings_stop_the_start(program: Program) -> None:
    program.config.write_text("[server]\nport = 0\n")

    status, error = program.failure("serve")

    assert 1 == status
    assert error.startswith("INVALID_CONFIGURATION: ")
    assert "server.port" in error


def test_an_api_that_is_off_is_said(program: Program) -> None:
    with started(program, SERVE, MAILWRIGHT_API__ENABLE_RESTFUL_API="false") as server:
        server.wait()
        with pytest.raises(urllib.error.HTTPError) as refused:
            server.call("GET", "/api/domains")
        refused.value.close()

    assert 404 == refused.value.code
    assert "API:           off" in server.text()


@pytest.mark.parametrize("more", [[], ["--preload"]], ids=["plain", "preload"])
def test_gunicorn_serves_the_same(program: Program, more: list[str]) -> None:
    with closing(program.app()) as app, app.databases["iredadmin"].connection() as connection:
        for name in OWN_TABLES:
            connection.execute(f"DROP TABLE {name}")
    command = [*GUNICORN, "--bind", "127.0.0.1:{port}", "--workers", "2", "--threads", "4"]
    command += ["--worker-class", "gthread", *more]

    with started(program, command) as server:
        server.wait()
        with pytest.raises(urllib.error.HTTPError) as refused:
            server.call("POST", "/api/login", username=ADMIN, password="wrong")
        refused.value.close()
        assert 401 == refused.value.code
        assert 0 == server.stop()

    assert "Traceback" not in server.text()


def test_gunicorn_comes_up_while_a_database_is_away(program: Program) -> None:
    path = program.config.parent / "iredadmin.db"
    path.rename(path.with_suffix(".away"))
    command = [*GUNICORN, "--bind", "127.0.0.1:{port}", "--threads", "4"]

    with started(program, command) as server:
        began = time.monotonic()
        while not answers(server.port):
            assert time.monotonic() - began < 30
            time.sleep(0.02)
        with pytest.raises(urllib.error.HTTPError) as refused:
            server.call("GET", "/readyz")
        refused.value.close()
        path.with_suffix(".away").rename(path)
        server.wait()

    assert 503 == refused.value.code
    assert "the databases could not be prepared" in server.text()
