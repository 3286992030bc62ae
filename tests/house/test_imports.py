"""Who may import whom, as docs/architecture.md says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import mailwright

ROOT = Path(mailwright.__file__).parent

# Package or module: what it may import of Mailwright besides itself.
ALLOWED = {
    "errors": set(),
    "networks": set(),
    "fields": {"errors"},
    "authz": {"errors"},
    "passwords": {"errors"},
    "settings": {"errors", "networks", "passwords"},
    "settings_import": {"errors", "settings", "networks"},
    "storage.protocol": {"fields", "errors"},
    "storage.permits": {"errors"},
    "storage.sql": {"storage.protocol", "storage.permits", "fields", "errors"},
    "storage.ldap": {"storage.protocol", "storage.permits", "storage.sql", "fields", "errors"},
    "work": {"authz", "fields", "storage.protocol", "settings", "passwords"},
    "audit": {"authz", "errors", "storage.protocol", "storage.sql", "work"},
    "resources": {"fields", "work", "authz", "errors", "settings", "storage.protocol"},
    "policies": {"storage.sql", "work", "errors"},
    "ownership": {
        *("app", "authz", "errors", "fields", "resources", "settings"),
        *("storage.protocol", "storage.sql", "tokens", "work"),
    },
    "overrides": {"settings", "passwords", "networks"},
}
WAYS_IN = {"http", "cli", "jobs"}


def parts() -> Iterator[tuple[str, Path]]:
    for path in sorted(ROOT.rglob("*.py")):
        names = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(names), path


def part_of(module: str) -> str:
    """The row of the table that a module belongs to."""
    names = module.split(".")
    return ".".join(names[:2]) if names[0] == "storage" else names[0]


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mailwright."):
            module = (node.module or "").removeprefix("mailwright.")
            found |= {f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {
                alias.name.removeprefix("mailwright.")
                for alias in node.names
                if alias.name.startswith("mailwright.")
            }
    return {part_of(name) for name in found}


def test_the_inner_parts_import_only_what_the_architecture_allows() -> None:
    broken = [
        f"{module} imports {other}"
        for module, path in parts()
        if (own := part_of(module)) in ALLOWED
        for other in imported(path) - {own}
        if other not in ALLOWED[own]
    ]

    assert [] == broken


def test_ways_in_do_not_import_one_another_except_that_the_cli_starts_http() -> None:
    broken = [
        f"{module} imports {other}"
        for module, path in parts()
        if (own := part_of(module)) in WAYS_IN
        for other in imported(path) & WAYS_IN - {own}
        if (own, other) != ("cli", "http")
    ]

    assert [] == broken


def test_storage_and_fields_name_no_resource() -> None:
    broken = [
        module
        for module, path in parts()
        if part_of(module) in {"fields", "storage.sql", "storage.ldap", "storage.protocol"}
        and "resources" in imported(path)
    ]

    assert [] == broken
