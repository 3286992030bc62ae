"""The settings about proof of ownership."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailwright.errors import ConfigurationError
from mailwright.settings import load
from mailwright.settings_import import import_settings_py


def loaded(tmp_path: Path, line: str) -> object:
    path = tmp_path / "mailwright.toml"
    path.write_text(f"[ownership]\n{line}\n")
    return load(path, {}).ownership


def test_no_proof_is_asked_for_unless_somebody_wants_it(tmp_path: Path) -> None:
    path = tmp_path / "mailwright.toml"
    path.write_text("")

    assert load(path, {}).ownership.required is False


@pytest.mark.parametrize(
    "line",
    [
        'name_servers = ["ns.example.org"]',
        'name_servers = ["192.0.2.53:53"]',
        f'code_prefix = "{"x" * 60}"',
        'code_prefix = "../"',
        'code_prefix = ""',
        "timeout_seconds = 0",
        "expire_days = 0",
        'also_allowed = ["everywhere"]',
    ],
)
def test_what_cannot_be_used_is_refused_with_its_key(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, line)

    assert f"ownership.{line.partition(' ')[0]}" == refused.value.parameter


def test_the_settings_of_iredadmin_are_taken_over() -> None:
    nested, notes = import_settings_py(
        "REQUIRE_DOMAIN_OWNERSHIP_VERIFICATION = True\n"
        "DOMAIN_OWNERSHIP_VERIFY_CODE_PREFIX = 'proof-'\n"
        "DOMAIN_OWNERSHIP_VERIFY_TIMEOUT = 5\n"
        "DOMAIN_OWNERSHIP_EXPIRE_DAYS = 7\n"
    )

    assert [] == notes
    assert {
        "ownership": {
            "required": True,
            "code_prefix": "proof-",
            "timeout_seconds": 5,
            "expire_days": 7,
        }
    } == nested
