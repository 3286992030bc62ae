"""The reference pages say what the declarations say."""

from __future__ import annotations

import runpy
from pathlib import Path

from mailwright.app import ACCOUNTS

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "api" / "reference.md"


def test_the_parameter_reference_is_current() -> None:
    """Run ``make docs`` when this fails."""
    page = runpy.run_path(str(ROOT / "tools" / "pages" / "reference.py"))["page"]()

    assert page == REFERENCE.read_text(encoding="utf-8")


def test_every_parameter_name_is_in_the_reference() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    names = {
        name
        for account in ACCOUNTS.values()
        for name, field in account.resource.by_name.items()
        if not (field.hidden and field.read_only)  # what nobody sends and no answer shows
    }

    assert [] == [name for name in sorted(names) if f"`{name}`" not in text]
