"""A settings file with the help of every setting beside it."""

from __future__ import annotations

from collections.abc import Mapping

from mailwright.settings.describing import describe, describe_sections, toml_value
from mailwright.settings.loading import overlaid
from mailwright.settings.sections import Settings


def write_toml(nested: Mapping[str, object], *, complete: bool = False) -> str:
    """The text of a file that sets ``nested``; complete: the other settings too, commented out.

    Settings that would not load again are refused with the same ``ConfigurationError``.
    """
    overlaid(Settings(), nested, source="new settings", key="")
    parts = ["# Settings of Mailwright; docs/operate/configuration.md explains every one.\n"]
    for section, about in describe_sections():
        given = _at(nested, section)
        lines = []
        for setting in describe():
            within, _, name = setting.key.rpartition(".")
            if within != section or not (name in given or complete):
                continue
            value = toml_value(given[name]) if name in given else setting.default
            mark = "" if name in given else "# "
            lines.append(f"\n# {setting.help}\n{mark}{name} = {value}\n")
        if lines:
            parts.append(f"\n\n# {about}\n[{section}]\n{''.join(lines)}")
    return "".join(parts)


def _at(nested: Mapping[str, object], dotted: str) -> Mapping[str, object]:
    for name in dotted.split("."):
        inner = nested.get(name, {})
        nested = inner if isinstance(inner, Mapping) else {}
    return nested
