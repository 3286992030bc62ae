"""Every setting is described, and the manual page says what the declarations say."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path

from mailwright.settings import Secret, Settings, describe, load, toml_value

ROOT = Path(__file__).parents[2]


def test_every_setting_has_type_default_and_a_sentence_of_help() -> None:
    settings = describe()

    assert len({setting.key for setting in settings}) == len(settings) > 70
    assert [s.key for s in settings if not (s.type and s.default)] == []
    assert [s.key for s in settings if not s.help.endswith(".")] == []


def test_the_described_defaults_load_as_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "all.toml"
    path.write_text("\n".join(f"{setting.key} = {setting.default}" for setting in describe()))

    loaded = load(path, {})

    assert loaded.databases == Settings().databases
    assert loaded.accounts == Settings().accounts


def test_values_are_written_as_toml() -> None:
    for value in ('a"b\\c\n', "\x7f\x00é", 3, True, ["x", "y"], []):
        assert tomllib.loads(f"v = {toml_value(value)}")["v"] == value
    assert toml_value(Secret("s")) == '"s"'


def test_the_manual_page_is_current() -> None:
    """Run ``make docs`` when this fails."""
    page = runpy.run_path(str(ROOT / "tools" / "pages" / "configuration.py"))["page"]()

    assert (ROOT / "docs" / "operate" / "configuration.md").read_text(encoding="utf-8") == page
