"""The program as people run it, in the test's process, on settings of its own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from mailwright.app import App
from mailwright.cli.main import main
from mailwright.settings import load

PASSWORD = "Wood-Lark-42"
# Every table of ours in `iredadmin`.
OWN_TABLES = tuple(
    f"mailwright_{name}"
    for name in (
        *("schema", "sessions", "login_failures", "leftovers", "journal", "tokens"),
        *("audit", "audit_tip"),
    )
)


@dataclass
class Program:
    """`mailwright` with one settings file."""

    config: Path
    environment: dict[str, str | None] = field(default_factory=dict)

    def run(self, *words: str, stdin: str | bytes | None = None) -> Result:
        """Run it to the end, whatever its exit status."""
        return CliRunner().invoke(
            main,
            list(words),
            input=stdin,
            env={"MAILWRIGHT_CONFIG": str(self.config), **self.environment},
            prog_name="mailwright",
        )

    def __call__(self, *words: str, stdin: str | bytes | None = None) -> str:
        """What it prints; it has to succeed."""
        result = self.run(*words, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str) -> Any:
        """What it prints with --json; it has to succeed."""
        return json.loads(self(*words, "--json"))

    def failure(self, *words: str, stdin: str | bytes | None = None) -> tuple[int, str]:
        """Exit status and standard error; nothing may be left to a traceback."""
        result = self.run(*words, stdin=stdin)
        assert isinstance(result.exception, SystemExit), repr(result.exception)
        return result.exit_code, result.stderr

    def app(self) -> App:
        """An application of its own on the same settings; close it."""
        return App(load(self.config, {}))


def shown_password(output: str) -> str:
    """The generated password in what init prints."""
    (found,) = re.findall(r"^password: +(\S+)$", output, re.MULTILINE)
    return str(found)
