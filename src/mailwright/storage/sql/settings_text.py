"""The ``key:value;`` settings strings of accounts, read and written without losing other people's keys.

Rules: SQL reference 3.2.  Unknown keys, their order and parts that are no pair at all are kept as they are.
"""

from __future__ import annotations

from collections.abc import Mapping


class SettingsText:
    """One settings string; unchanged keys are written back byte for byte."""

    __slots__ = ("_parts",)

    def __init__(self, text: str | None) -> None:
        self._parts: list[tuple[str | None, str]] = []
        for part in text.removesuffix(";").split(";") if text else ():
            key, colon, _ = part.partition(":")
            self._parts.append((key.strip() if colon else None, part))

    def get(self, key: str) -> str:
        """The value of a key, empty where it is not written; the last of several wins."""
        for name, part in reversed(self._parts):
            if name == key:
                return part.partition(":")[2].strip()
        return ""

    def pairs(self) -> dict[str, str]:
        """Every key with its value; the last of several wins."""
        return {
            name: part.partition(":")[2].strip() for name, part in self._parts if name is not None
        }

    def updated(self, values: Mapping[str, str]) -> str:
        """The string with these values; an empty one removes its key."""
        left = dict(values)
        parts: list[str] = []
        for name, part in self._parts:
            if name is None or name not in values:
                parts.append(part)
            elif name in left and (value := left.pop(name)):
                parts.append(f"{name}:{value}")
        parts.extend(f"{key}:{value}" for key, value in left.items() if value)
        return "".join(f"{part};" for part in parts)
