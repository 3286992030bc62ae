"""The walk-through of the README is executed, word for word, against a server like ``make serve`` starts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import require
from tests.servers.ports import free_port

README = Path(__file__).parents[2] / "README.md"
COMMAND = Path(sys.executable).with_name("mailwright")
WAIT_SECONDS = 30


@dataclass
class Site:
    folder: Path
    environment: dict[str, str]

    def run(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "" == done.stderr
        return done.stdout


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A checkout's ``.venv`` and ``var``, and a running development server."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "mailwright").symlink_to(COMMAND)
    port = free_port()
    environment = {**os.environ, "MAILWRIGHT_SERVER__PORT": str(port)}
    config = tmp_path / "var" / "mailwright.toml"
    printed = subprocess.run(
        [COMMAND, "--config", config, "init", "--development"],
        env=environment, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    password = re.search(r"password:\s+(\S+)", printed)
    assert password is not None, printed
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [COMMAND, "--config", config, "serve"], env=environment, stdout=log, stderr=log
        )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}/readyz", server)
        environment |= {"API": f"http://127.0.0.1:{port}/api", "ADMIN_PASSWORD": password[1]}
        yield Site(tmp_path, environment)
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


def blocks() -> list[tuple[str, str]]:
    """Language and text of each fenced block of the walk-through."""
    walk = README.read_text().split("## The first five minutes", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```(\w+)\n(.*?)^```$", walk, flags=re.DOTALL | re.MULTILINE)


def conversation(text: str) -> list[tuple[str, str]]:
    """Commands after ``$``, each with what it prints."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [
        (command, printed.strip())
        for command, _, printed in (part.partition("\n") for part in parts)
    ]


def test_the_walk_through_prints_what_it_says(site: Site) -> None:
    require.program("curl")
    walk = blocks()
    python = ""
    seen: list[tuple[str, str, str]] = []

    for language, text in walk:
        if language == "console":
            settings = ""
            for command, expected in conversation(text):
                if re.match(r"\w+=", command):
                    settings += f"{command}\n"
                    assert "" == expected
                else:
                    seen.append(
                        (command, expected, site.run(["bash", "-c", settings + command]).strip())
                    )
        elif language == "python":
            python = site.run([sys.executable, "-c", text]).strip()
        elif language == "text":
            seen.append(("the Python walk-through", text.strip(), python))

    assert [expected for _, expected, _ in seen] == [actual for _, _, actual in seen]
    assert len(seen) >= 9
