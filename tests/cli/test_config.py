"""Which settings are read, and `mailwright config import`."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from mailwright.settings import load
from tests.cli.program import Program

SETTINGS_PY = """
from libs.default_settings import *
backend = "pgsql"
vmail_db_host = "192.0.2.5"
vmail_db_password = "geh\\x65im"
enable_restful_api = True
something_else = 3
"""


@pytest.fixture
def settings_py(tmp_path: Path) -> Path:
    path = tmp_path / "settings.py"
    path.write_text(SETTINGS_PY)
    return path


def test_an_import_prints_settings_that_load(
    fresh: Program, settings_py: Path, tmp_path: Path
) -> None:
    result = fresh.run("config", "import", str(settings_py))

    (tmp_path / "new.toml").write_text(result.stdout)
    settings = load(tmp_path / "new.toml", {})
    assert 0 == result.exit_code
    assert "postgresql" == settings.storage.backend
    assert ("192.0.2.5", "geheim") == (
        settings.databases.vmail.host,
        settings.databases.vmail.password.reveal(),
    )
    assert "note: something_else: has no equal here" in result.stderr
    assert "geheim" not in result.stderr


def test_an_import_writes_a_file_for_its_owner_only(fresh: Program, settings_py: Path) -> None:
    fresh("config", "import", str(settings_py), "--output", str(fresh.config))

    assert 0o600 == stat.S_IMODE(fresh.config.stat().st_mode)
    assert load(fresh.config, {}).api.enable_restful_api


def test_an_import_overwrites_nothing(fresh: Program, settings_py: Path) -> None:
    fresh.config.parent.mkdir()
    fresh.config.write_text("# mine\n")

    status, error = fresh.failure(
        "config", "import", str(settings_py), "--output", str(fresh.config)
    )

    assert (1, "# mine\n") == (status, fresh.config.read_text())
    assert "already exists" in error


@pytest.mark.parametrize("content", [b"\xff\xfe", b"def (", None])
def test_what_cannot_be_read_is_refused(
    fresh: Program, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "other.py"
    if content is not None:
        path.write_bytes(content)

    status, error = fresh.failure("config", "import", str(path))

    assert 1 == status
    assert error.startswith("INVALID_CONFIGURATION: ")


def test_the_option_wins_over_the_environment(program: Program, tmp_path: Path) -> None:
    status, error = program.failure("--config", str(tmp_path / "no.toml"), "domain", "list")

    assert 1 == status
    assert "no.toml" in error


@pytest.mark.parametrize("place", ["before", "after"])
def test_the_option_stands_before_or_after_the_command(program: Program, place: str) -> None:
    named = ["--config", str(program.config)]
    program.environment["MAILWRIGHT_CONFIG"] = None
    words = ["domain", "list", "--name-only"]

    assert "example.org\n" == program(*(named + words if place == "before" else words + named))


def test_settings_in_the_working_directory_are_found(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.environment["MAILWRIGHT_CONFIG"] = None
    monkeypatch.chdir(program.config.parent)

    assert "example.org\n" == program("domain", "list", "--name-only")


def test_without_settings_the_places_are_named(fresh: Program) -> None:
    fresh.environment["MAILWRIGHT_CONFIG"] = None

    status, error = fresh.failure("domain", "list")

    assert 1 == status
    assert "mailwright init" in error


def test_the_environment_alone_is_enough(program: Program) -> None:
    program.environment["MAILWRIGHT_CONFIG"] = None
    program.environment["MAILWRIGHT_STORAGE__SQLITE_DIRECTORY"] = str(program.config.parent)

    assert "example.org\n" == program("domain", "list", "--name-only")


def test_databases_that_were_never_made_are_explained(fresh: Program) -> None:
    fresh.config.parent.mkdir()
    fresh.config.write_text("")

    status, error = fresh.failure("domain", "list")

    assert 1 == status
    assert "`mailwright init` makes it" in error


@pytest.mark.parametrize("backend", ["backend = 'ldapd'", "x = 1"])
def test_an_import_without_a_backend_that_can_be_taken_over_fails(
    fresh: Program, tmp_path: Path, backend: str
) -> None:
    """It became SQLite in silence: an empty store beside a directory full of accounts."""
    (tmp_path / "settings.py").write_text(f"{backend}\n")
    output = tmp_path / "mailwright.toml"

    result = fresh.run("config", "import", str(tmp_path / "settings.py"), "--output", str(output))

    assert 1 == result.exit_code
    assert "names no backend that can be taken over" in result.output
    assert not output.exists()
