"""Programs on fresh settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mailwright.app import App
from tests.cli.program import Program


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Nothing is set up yet."""
    monkeypatch.chdir(tmp_path)
    return Program(tmp_path / "var" / "mailwright.toml")


@pytest.fixture
def program(fresh: Program) -> Program:
    """Set up on SQLite, with the domain example.org and the user jane."""
    fresh("init", "--development")
    fresh("domain", "create", "example.org", "--name", "Example")
    fresh("user", "create", "jane@example.org", "--name", "Jane", "--password", "Wood-Lark-42")
    return fresh


@pytest.fixture
def app(program: Program) -> Iterator[App]:
    """An application beside the program."""
    with closing(program.app()) as app:
        yield app


@pytest.fixture(scope="module")
def program_once(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The same, set up once for many tests that change little."""
    program = Program(tmp_path_factory.mktemp("once") / "mailwright.toml")
    program("init", "--development")
    program("domain", "create", "example.org", "--name", "Example")
    program("user", "create", "jane@example.org", "--name", "Jane", "--password", "Wood-Lark-42")
    return program
