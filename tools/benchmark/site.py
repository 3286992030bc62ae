"""A private PostgreSQL with the four databases, filled with accounts, and servers on it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.servers.ports import free_port
from tests.servers.postgresql import PostgreSQL

LOGICAL = ("vmail", "amavisd", "iredapd", "iredadmin")
WORKERS, THREADS = 2, 8
PASSWORD = "Bench-Pass1"
ADMIN = "bench@mailwright.internal"
WAIT_SECONDS = 30
MOST_SENDERS = 100_000
COMMAND = str(Path(sys.executable).with_name("mailwright"))


@dataclass
class Server:
    """A running server and a session on it."""

    base: str
    process: subprocess.Popen[bytes]
    start_seconds: float
    cookie: str = ""

    def login(self) -> None:
        body = f"username={ADMIN}&password={PASSWORD}".encode()
        with urllib.request.urlopen(f"{self.base}/api/login", body, timeout=10) as answer:
            self.cookie = answer.headers["Set-Cookie"].split(";", 1)[0]

    def ask(self, method: str, path: str, body: str = "") -> bytes:
        """The answer to one request, however long it takes."""
        request = urllib.request.Request(
            f"{self.base}{path}", body.encode() or None, {"Cookie": self.cookie}, method=method
        )
        with urllib.request.urlopen(request) as answer:
            found: bytes = answer.read()
        return found

    def largest_worker_mib(self) -> float:
        """Resident memory of the largest process of the server, in MiB."""
        return self._largest("VmRSS:")

    def largest_peak_mib(self) -> float:
        """The most that it ever had, in MiB."""
        return self._largest("VmHWM:")

    def _largest(self, what: str) -> float:
        pids = (self.process.pid, *_children(self.process.pid))
        return max(_memory(pid, what) for pid in pids) / 1024


class Site:
    """Start with ``with``; everything is gone afterwards."""

    def __enter__(self) -> Self:
        self.postgresql = PostgreSQL()
        self.postgresql.start()
        self.folder = tempfile.TemporaryDirectory(prefix="mailwright-bench-")
        self._log = (Path(self.folder.name) / "log").open("wb")
        self.config = Path(self.folder.name) / "mailwright.toml"
        for name in LOGICAL:
            self.postgresql.create_database(name)
        sections = "".join(
            f'[databases.{name}]\nhost = "{self.postgresql.host}"\nport = {self.postgresql.port}\n'
            f'name = "{name}"\nuser = "{self.postgresql.superuser}"\n'
            for name in LOGICAL
        )
        self.port = free_port()
        self.config.write_text(
            f"[server]\nport = {self.port}\nworkers = {WORKERS}\nthreads = {THREADS}\n"
            f'[api]\nenable_restful_api = true\n[storage]\nbackend = "postgresql"\n{sections}'
        )
        self._command("init", "--admin", ADMIN)
        self._set_password()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.postgresql.remove()
        self._log.close()
        self.folder.cleanup()

    def seed(self, domains: int, mailboxes: int, per_domain: int) -> None:
        """Have this many domains and mailboxes, ``per_domain`` of them in each domain that has any.

        One mailbox in ten sent something, so that throttling counts it.
        """
        with self.postgresql.connect("vmail") as connection:
            connection.execute("TRUNCATE domain, mailbox, forwardings")
            connection.execute(
                "INSERT INTO domain (domain, description, settings) "
                "SELECT 'd' || n || '.example', 'Domain ' || n, 'default_user_quota:100;' "
                "FROM generate_series(0, %s - 1) n",
                (domains,),
            )
            connection.execute(
                "INSERT INTO mailbox (username, password, name, quota, domain, maildir, "
                "storagebasedirectory, storagenode) "
                "SELECT 'u' || n %% %s || '@d' || n / %s || '.example', '{SSHA512}x', 'User ' || n, 100, "
                "'d' || n / %s || '.example', 'd/u/', '/var/vmail', 'vmail1' "
                "FROM generate_series(0, %s - 1) n",
                (per_domain, per_domain, per_domain, mailboxes),
            )
            connection.execute(
                "INSERT INTO forwardings (address, forwarding, domain, dest_domain, is_forwarding) "
                "SELECT username, username, domain, domain, 1 FROM mailbox"
            )
            connection.execute("VACUUM ANALYZE")
        self._seed_counts(min(mailboxes // 10, MOST_SENDERS), per_domain)

    def _seed_counts(self, senders: int, per_domain: int) -> None:
        """Have a rule for everybody that counts this many senders."""
        with self.postgresql.connect("iredapd") as connection:
            connection.execute("TRUNCATE throttle, throttle_tracking")
            connection.execute("INSERT INTO throttle (account, kind) VALUES ('@.', 'outbound')")
            connection.execute(
                "INSERT INTO throttle_tracking (tid, account) "
                "SELECT id, 'u' || n %% %s || '@d' || n / %s || '.example' "
                "FROM throttle, generate_series(0, %s - 1) n",
                (per_domain, per_domain, senders),
            )
            connection.execute("VACUUM ANALYZE")

    def server(self) -> AbstractContextManager[Server]:
        """The real server with a session; see `serve`."""
        return serve(self.config, self.port, self._log)

    def _command(self, *arguments: str) -> None:
        subprocess.run(
            [COMMAND, "--config", str(self.config), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def _set_password(self) -> None:
        from mailwright.passwords import hash_password

        with self.postgresql.connect("vmail") as connection:
            connection.execute(
                "UPDATE admin SET password = %s WHERE username = %s",
                (hash_password(PASSWORD), ADMIN),
            )


@contextmanager
def serve(config: Path, port: int, log: IO[bytes]) -> Iterator[Server]:
    """The real server, as ``mailwright serve`` starts it, with a session."""
    base = f"http://127.0.0.1:{port}"
    begun = time.monotonic()
    process = subprocess.Popen(
        [COMMAND, "--config", str(config), "serve"],
        stdout=subprocess.DEVNULL,
        stderr=log,  # a line for each request, as in production
        start_new_session=True,
    )
    try:
        _wait_until_ready(f"{base}/readyz", process, begun)
        server = Server(base, process, time.monotonic() - begun)
        server.login()
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], begun: float) -> None:
    while time.monotonic() - begun < WAIT_SECONDS:
        if process.poll() is not None:
            message = f"the server ended with {process.returncode}"
            raise RuntimeError(message)
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                json.load(answer)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.01)
        else:
            return
    message = "the server did not become ready"
    raise RuntimeError(message)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found + [grandchild for child in found for grandchild in _children(child)]


def _memory(pid: int, what: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1])
    return 0
