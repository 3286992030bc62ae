"""Pages whose commands are run: a development server, and what stands in the fenced blocks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.ports import free_port

COMMAND = Path(sys.executable).with_name("mailwright")
WAIT_SECONDS = 30


@dataclass
class Site:
    folder: Path
    environment: dict[str, str]

    def run(self, command: list[str]) -> str:
        """What a terminal shows."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        ).stdout


@contextmanager
def development_site(folder: Path) -> Iterator[Site]:
    """A checkout's ``.venv`` and ``var``, and a running development server."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "mailwright").symlink_to(COMMAND)
    port = free_port()
    environment = {**os.environ, "MAILWRIGHT_SERVER__PORT": str(port)}
    config = folder / "var" / "mailwright.toml"
    printed = subprocess.run(
        [COMMAND, "--config", config, "init", "--development"],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    password = re.search(r"password:\s+(\S+)", printed)
    assert password is not None, printed
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [COMMAND, "--config", config, "serve"], env=environment, stdout=log, stderr=log
        )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/readyz", server)
        environment |= {"API": f"http://127.0.0.1:{port}/api", "ADMIN_PASSWORD": password[1]}
        yield Site(folder, environment)
    finally:
        server.terminate()
        server.wait(20)


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        assert server.poll() is None, "the server ended"
        assert time.monotonic() < deadline, "the server did not become ready"
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - on loopback
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)  # then ask again


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and text of each fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def conversation(text: str) -> list[tuple[str, str]]:
    """Commands after ``$``, each with what it prints."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [
        (command, printed.strip())
        for command, _, printed in (part.partition("\n") for part in parts)
    ]
