"""Tables for people: fitted to the terminal, whole where nobody looks at one."""

from __future__ import annotations

import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from mailwright.cli.context import is_terminal, printable

GAP: Final = "  "
NARROWEST: Final = 8


def cell(value: object) -> str:
    """A value for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value)


class Table:
    """Rows under headings; the first rows decide how wide the columns are."""

    def __init__(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self._headings = headings
        widest = [
            max(map(_width, column)) for column in zip(headings, *map(_clean, rows), strict=True)
        ]
        room = shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None
        self._widths = widest if room is None else _fitted(widest, room)
        self._cuts = room is not None

    def heading(self) -> str:
        """The first line."""
        return self.line(self._headings)

    def line(self, row: Sequence[str]) -> str:
        """One row."""
        cells = [
            _padded(_cut(text, width) if self._cuts else text, width)
            for text, width in zip(_clean(row), self._widths, strict=True)
        ]
        return GAP.join(cells).rstrip()


def pairs(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Names and values in lines; a long value goes on below itself where a person looks at it."""
    names = max((len(name) for name, _ in rows), default=0) + len(GAP)
    room = shutil.get_terminal_size().columns - names if is_terminal(sys.stdout) else None
    for name, value in rows:
        (text,) = _clean((value,))
        lines = [text]
        if room is not None and _width(text) > max(room, NARROWEST):
            lines = textwrap.wrap(text, max(room, NARROWEST), break_on_hyphens=False) or [""]
        for at, line in enumerate(lines):
            yield f"{'' if at else name:{names}}{line}".rstrip()


def _clean(row: Sequence[str]) -> list[str]:
    return [printable(text).replace("\n", " ") for text in row]


def _fitted(widths: Sequence[int], room: int) -> list[int]:
    """Take from the widest column until all fit."""
    fitted = list(widths)
    surplus = sum(fitted) + len(GAP) * (len(fitted) - 1) - room
    while surplus > 0 and max(fitted) > NARROWEST:
        at = fitted.index(max(fitted))
        rest = max([width for width in fitted if width < fitted[at]], default=NARROWEST)
        step = min(surplus, max(1, fitted[at] - max(rest, NARROWEST)))
        fitted[at] -= step
        surplus -= step
    return fitted


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    kept, used = [], 0
    for char in text:
        used += _char_width(char)
        if used >= width:
            break
        kept.append(char)
    return "".join(kept) + "…"
