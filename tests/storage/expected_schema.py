"""Reads expected_schema.txt: what each engine must say about each table."""

from __future__ import annotations

import re
from pathlib import Path

from mailwright.storage.sql.dialect import Dialect

FACTS = Path(__file__).with_name("expected_schema.txt")
PLACE = {Dialect.POSTGRESQL: 0, Dialect.MYSQL: 1, Dialect.SQLITE: 2}

Description = dict[str, list[str]]


def expected(database: str, dialect: Dialect) -> Description:
    """What is in each table, sorted; the tests put what they find into the same words."""
    tables: Description = {}
    table = ""
    for line in FACTS.read_text().splitlines():
        heading = re.fullmatch(r"\[(\w+)\.(\w+)\]", line)
        if heading:
            table = heading[2] if heading[1] == database else ""
        elif line and not line.startswith("#") and table:
            said = _said(line, dialect)
            if said:
                tables.setdefault(table, []).append(said)
    return {table: sorted(lines) for table, lines in tables.items()}


def _said(line: str, dialect: Dialect) -> str | None:
    kind, *cells = line.split(" | ")
    names = dict(zip(PLACE, cells, strict=False))
    match kind.split(" ")[0]:
        case "primary":
            columns = _choice(kind.removeprefix("primary key "), dialect)
            return None if columns == "none" else f"primary key {columns}"
        case "index" | "unique" if "(" in kind:
            what, columns = kind.split(" ", 1)
            return None if names[dialect] == "-" else f"{what} {names[dialect]} {columns}"
        case "trigger":
            return f"trigger {names[dialect]}"
        case "check":
            return kind if dialect is Dialect.POSTGRESQL else None
        case "foreign":
            return f"{kind} references {cells[0]}"
        case _:
            return _column(kind, cells, dialect)


def _column(name: str, cells: list[str], dialect: Dialect) -> str | None:
    *types, null, default = cells
    kind = types[PLACE[dialect]]
    if kind == "absent":
        return None
    nullness = "null" if _choice(null, dialect) == "yes" else "not null"
    return column(name, kind, nullness, _choice(default, dialect))


def _choice(cell: str, dialect: Dialect) -> str:
    """One side of a cell in which the engines differ."""
    postgresql, _, mysql = cell.partition(" / ")
    return mysql if mysql and dialect is Dialect.MYSQL else postgresql


def column(name: str, kind: str, nullness: str, default: str) -> str:
    given = "" if default in {"-", "NULL"} else f" default {default}"
    return f"{name} {kind} {nullness}{given}"
