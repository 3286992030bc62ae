"""The settings in words: for the manual, for messages and for a new settings file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.inspect import type_info

from mailwright.networks import Networks
from mailwright.settings.sections import Secret, Section, Settings

_CUSTOM_WORDS: Final = {
    "Networks": "list of addresses and networks",
    "Path": "path",
    "Secret": "secret text",
}


class Description(NamedTuple):
    """One setting for people: its dotted key, its type in words, its default in TOML, its help."""

    key: str
    type: str
    default: str
    help: str


def describe() -> list[Description]:
    """Every setting in the order of declaration."""
    return [
        Description(key, in_words(type_info(kind)), toml_value(default), _help(kind))
        for key, kind, default in leaves(Settings(), "")
    ]


def describe_sections() -> list[tuple[str, str]]:
    """The dotted name of every section that has settings of its own, with a sentence about it."""
    return [(key, (type(section).__doc__ or "").strip()) for key, section in nested(Settings(), "")]


def toml_value(value: object) -> str:
    """A value as it is written in the settings file."""
    match value:
        case Secret():
            return json.dumps(value.reveal(), ensure_ascii=False)
        case Networks():
            return toml_value(value.texts)
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case list() | tuple():
            return f"[{', '.join(toml_value(item) for item in value)}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007F")


def in_words(kind: msgspec.inspect.Type) -> str:
    """The type of a setting, as the manual and the messages name it."""
    words = "text"
    match kind:
        case msgspec.inspect.Metadata():
            words = in_words(kind.type)
        case msgspec.inspect.BoolType():
            words = "true or false"
        case msgspec.inspect.IntType():
            bounds = [f"at least {kind.ge}"] if kind.ge is not None else []
            bounds += [f"at most {kind.le}"] if kind.le is not None else []
            words = ", ".join(["whole number", *bounds])
        case msgspec.inspect.LiteralType():
            words = "one of " + ", ".join(f'"{value}"' for value in kind.values)
        case msgspec.inspect.VarTupleType():
            words = "list of texts"
        case msgspec.inspect.CustomType():
            words = _CUSTOM_WORDS[kind.cls.__name__]
    return words


def nested(section: Section, key: str) -> Iterator[tuple[str, Section]]:
    """The sections inside a section, at every depth, with their dotted names."""
    for field in msgspec.structs.fields(section):
        inner = getattr(section, field.name)
        if isinstance(inner, Section):
            dotted = f"{key}.{field.name}" if key else field.name
            yield dotted, inner
            yield from nested(inner, dotted)


def leaves(section: Section, key: str) -> Iterator[tuple[str, Any, object]]:
    """Every single setting: its dotted key, its declared type, its present value."""
    for dotted, inner in nested(section, key):
        for field in msgspec.structs.fields(inner):
            value = getattr(inner, field.name)
            if not isinstance(value, Section):
                yield f"{dotted}.{field.name}", field.type, value


def _help(kind: Any) -> str:
    return next((meta.description for meta in kind.__metadata__ if meta.description), "")
