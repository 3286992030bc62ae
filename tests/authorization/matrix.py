"""Asks the cells of the matrix, and writes and reads the file of their outcomes.

`python -m tests.authorization` writes `matrix.txt` anew; what has changed in it is then for a person to
judge by policy reference 8.3 and decision 23.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mailwright.authz import READING
from mailwright.http.routes import Route
from tests.authorization.cells import REQUESTS, TARGETS, Cell, cells
from tests.authorization.world import ROLES, World

FILE = Path(__file__).parent / "matrix.txt"
NOT_ASKED = "-"
_GAP = "  "
_HEAD = """\
# Who may do what: every route x role x target, with the status and the code of the answer.
# Written by `python -m tests.authorization` from the route table; judged by people.
# A number in brackets is how many a list holds.
"""


def outcome(world: World, cell: Cell) -> str:
    """What becomes of a request; a refused one has changed no account."""
    world.be(cell.role.variant)
    asked = cell.asked
    answer = world.api.call(
        cell.route.method,
        asked.path,
        asked.body(cell.role),
        headers=world.headers(cell.role),
        query_string=asked.query,
    )
    assert answer.status_code < 500, f"{cell}: {answer.text}"
    found = answer.json
    words = [str(answer.status_code)]
    if "_code" in found:
        words.append(found["_code"])
    elif isinstance(found.get("_data"), list):
        words.append(f"({len(found['_data'])})")
    if not found["_success"] or cell.route.action in READING:
        assert not world.accounts_changed(), f"{cell} has changed something"
    return " ".join(words)


def outcomes(world: World, asked: Iterable[Cell]) -> dict[str, str]:
    return {str(cell): outcome(world, cell) for cell in asked}


def written(found: Mapping[str, str]) -> str:
    """The text of the file."""
    width = max(len(role.name) for role in ROLES)
    lines = [_HEAD, "# The roles:"]
    lines += [f"#   {role.name:{width}}{_GAP}{role.what}" for role in ROLES]
    by_route: dict[str, list[Cell]] = {}
    for cell in cells():
        by_route.setdefault(cell.route.name, []).append(cell)
    for name, asked in by_route.items():
        lines += ["", *_block(found, name, asked[0].route)]
    return "\n".join(lines) + "\n"


def _block(found: Mapping[str, str], name: str, route: Route) -> Iterator[str]:
    heading = f"{route.method} {route.path}"
    yield heading
    for target, asked in REQUESTS[name].items():
        yield f"# {target:8}{asked}"
    rows = [("#", *TARGETS)]
    for role in ROLES:
        keys = (f"{heading} | {role.name} | {target}" for target in TARGETS)
        rows.append((f"  {role.name}", *(found.get(key, NOT_ASKED) for key in keys)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        words = (f"{word:{width}}" for word, width in zip(row, widths, strict=True))
        yield " | ".join(words).rstrip()


def read(text: str) -> dict[str, str]:
    """The outcomes that the file holds, by cell."""
    found: dict[str, str] = {}
    route = ""
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if not line.startswith(" "):
            route = line
            continue
        role, *words = (word.strip() for word in line.split("|"))
        for target, word in zip(TARGETS, words, strict=True):
            if word != NOT_ASKED:
                key = f"{route} | {role} | {target}"
                assert key not in found, f"{key} is there twice"
                found[key] = word
    return found
