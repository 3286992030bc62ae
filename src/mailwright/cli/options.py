"""Command line options made from fields, and what was given turned into the API's mapping of text."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from mailwright.cli.context import is_terminal
from mailwright.fields.field import AnyField
from mailwright.fields.kinds import YesNo

Form = dict[str, list[str]]

_PREFIX: Final = "parameter_"
_STDIN, _PROMPT = "stdin_", "prompt_"
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def of(fields: Sequence[AnyField], *, flags: bool = False) -> list[click.Option]:
    """The options of these fields; ``flags`` makes a yes/no field an option without a value."""
    taken: set[str] = set()
    made: list[click.Option] = []
    for field in fields:
        for name in field.names():
            spellings = [text for text in _spellings(name) if text not in taken]
            if spellings:
                taken.update(spellings)
                made.append(_option(field, name, spellings, flags=flags))
        if field.kind.secret:
            made.extend(_quiet(field))
    return made


def form(
    given: Mapping[str, Any], fields: Sequence[AnyField], ask: Sequence[AnyField] = ()
) -> Form:
    """The parameters that were given, by name; secrets may come from elsewhere than the options.

    ``ask`` are those that a person is asked for if they are missing.
    """
    found: Form = {}
    for key, value in given.items():
        if key.startswith(_PREFIX) and value:
            name = key.removeprefix(_PREFIX)
            found[name] = ["yes"] if value is True else list(value)
    for field in fields:
        if field.kind.secret:
            _take_quietly(field, given, found, asked=field in ask)
    return found


def _spellings(name: str) -> list[str]:
    return list(dict.fromkeys((f"--{_HUMP.sub('-', name).lower().replace('_', '-')}", f"--{name}")))


def _option(field: AnyField, name: str, spellings: Sequence[str], *, flags: bool) -> click.Option:
    is_flag = name in field.clears or (flags and isinstance(field.kind, YesNo))
    value: dict[str, Any] = {"is_flag": True} if is_flag else {"multiple": True}
    return click.Option(
        [f"{_PREFIX}{name}", *spellings],
        help=_help(field, name),
        hidden=_is_synonym(field, name),
        metavar=None if is_flag else _metavar(field),
        **value,
    )


def _is_synonym(field: AnyField, name: str) -> bool:
    return not any(
        name == names[0]
        for names in ((field.name,), field.adds, field.removes, field.clears)
        if names
    )


def _help(field: AnyField, name: str) -> str:
    if name in field.adds:
        return f"{field.help}: add these."
    if name in field.removes:
        return f"{field.help}: take these out."
    if name in field.clears:
        return f"{field.help}: none."
    return f"{field.help}."


def _metavar(field: AnyField) -> str:
    schema = field.kind.schema()
    words = schema.get("enum")
    if isinstance(words, list | tuple):
        return "|".join(map(str, words))
    known = {"integer": "NUMBER", "boolean": "yes|no", "array": "LIST"}
    return known.get(str(schema.get("type")), "TEXT")


def _quiet(field: AnyField) -> Iterator[click.Option]:
    name = _spellings(field.name)[0]
    yield click.Option(
        [f"{_STDIN}{field.name}", f"{name}-stdin"],
        is_flag=True,
        help=f"Read the {field.name} from the first line of standard input.",
    )
    yield click.Option(
        [f"{_PROMPT}{field.name}", f"{name}-prompt"],
        is_flag=True,
        help=f"Ask for the {field.name} without showing it.",
    )


def _take_quietly(field: AnyField, given: Mapping[str, Any], found: Form, *, asked: bool) -> None:
    from_stdin = bool(given.get(f"{_STDIN}{field.name}"))
    prompt = bool(given.get(f"{_PROMPT}{field.name}"))
    if from_stdin + prompt + (field.name in found) > 1:
        raise click.UsageError(f"give the {field.name} in one way only")
    if from_stdin:
        line = sys.stdin.readline()
        found[field.name] = [line.removesuffix("\n").removesuffix("\r")]
    elif prompt or (asked and field.name not in found and is_terminal(sys.stdin)):
        found[field.name] = [
            click.prompt(
                field.name.capitalize(), hide_input=True, confirmation_prompt=True, err=True
            )
        ]
