"""Settings from a file and the environment, with errors that name their place."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec.inspect import type_info

from mailwright.errors import ConfigurationError
from mailwright.networks import Networks
from mailwright.settings.describing import in_words, leaves
from mailwright.settings.sections import Disagreement, Section, Settings

ENVIRONMENT_PREFIX: Final = "MAILWRIGHT_"


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the file, then the environment; a relative SQLite directory starts where the file is."""
    settings = Settings(path=path)
    if path is not None:
        settings = overlaid(settings, _read(path), source=str(path), key="")
    # All variables at once: two of them may fit together where each alone does not fit the rest.
    given: dict[str, Any] = {}
    variables: dict[str, str] = {}
    for variable, keys, text in _variables(environ):
        variables[".".join(keys)] = variable
        section = given
        for name in keys[:-1]:
            section = section.setdefault(name, {})
        section[keys[-1]] = text
    settings = overlaid(settings, given, source=_Variables(variables), key="", strict=False)
    base = Path.cwd() if path is None else path.absolute().parent
    directory = base / settings.storage.sqlite_directory
    return msgspec.structs.replace(
        settings, storage=msgspec.structs.replace(settings.storage, sqlite_directory=directory)
    )


class _Variables(dict[str, str]):
    """The variable of every key that the environment sets."""

    def of(self, key: str) -> str:
        """What to name in an error: the key's own variable, else those of its section, else all."""
        if key in self:
            return self[key]
        section = key.rpartition(".")[0] + "."
        nearest = [name for other, name in self.items() if other.startswith(section)]
        return ", ".join(nearest or self.values())


Source = str | _Variables
_S = TypeVar("_S", bound=Section)


class _WrongForm(ValueError):
    """A text that does not match the pattern of its setting; nobody wants to read that."""


def overlaid(section: _S, given: object, *, source: Source, key: str, strict: bool = True) -> _S:
    """The section with the given values in place of its own; ``source`` is named in errors."""
    if not isinstance(given, Mapping):
        raise _wrong(source, key, "is a section, not a single setting")
    fields = [field for field in msgspec.structs.fields(section) if field.name != "path"]
    kinds = {field.name: field.type for field in fields}
    defaults = {field.name: field.default for field in fields}
    changes = {}
    for name, value in given.items():
        dotted = f"{key}.{name}" if key else name
        if name not in kinds:
            raise _wrong(source, dotted, f"is not known{_nearest(name, dotted, kinds)}")
        present = getattr(section, name)
        if isinstance(present, Section):
            changes[name] = overlaid(present, value, source=source, key=dotted, strict=strict)
        else:
            try:
                changes[name] = _converted(
                    value, kinds[name], source=source, key=dotted, strict=strict
                )
            except _WrongForm:
                example = f", such as {defaults[name]}" if defaults[name] else ""
                raise _wrong(source, dotted, f"does not have the right form{example}") from None
    try:
        return msgspec.structs.replace(section, **changes)
    except Disagreement as problem:
        blamed = f"{key}.{problem.key}" if key else problem.key
        raise _wrong(source, blamed, str(problem)) from None


def _converted(value: object, kind: Any, *, source: Source, key: str, strict: bool) -> Any:
    words = in_words(type_info(kind))
    if not strict and isinstance(value, str) and words.startswith("list of"):
        value = [part.strip() for part in value.split(",") if part.strip()]
    try:
        return msgspec.convert(value, kind, strict=strict, dec_hook=_custom)
    except msgspec.ValidationError as problem:
        if "matching regex" in str(problem):
            raise _WrongForm from None
        reason = re.sub(r" - at `\$(?:\[\.\.\.\]|\[\d+\])?`$", "", str(problem))
        raise _wrong(source, key, f"{reason} (expected: {words})") from None


def _custom(kind: type, value: object) -> object:
    """Values of types that msgspec does not know; a message never repeats the value of a secret."""
    if isinstance(value, kind):
        return value
    if kind is Networks:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            message = "is not a list of texts"
            raise ValueError(message)
        return Networks(value)
    if not isinstance(value, str):
        message = f"is not a text but {type(value).__name__}"
        raise ValueError(message)  # noqa: TRY004 - msgspec reports both alike
    return kind(value)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        message = f"{path}: cannot be read: {problem.strerror}"
    except UnicodeDecodeError:
        message = f"{path}: is not UTF-8 text"
    except tomllib.TOMLDecodeError as problem:
        message = f"{path}: is not TOML: {problem}"
    raise ConfigurationError(message)


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, list[str], str]]:
    known = {_variable(key): key for key, _, _ in leaves(Settings(), "")}
    loose = {variable.replace("__", "_"): variable for variable in known}
    for variable in sorted(environ):
        if variable in known:
            yield variable, known[variable].split("."), environ[variable]
        elif variable in loose:
            message = f"{variable}: is not known; did you mean {loose[variable]}?"
            raise ConfigurationError(message)
        elif variable.startswith(ENVIRONMENT_PREFIX) and "__" in variable:
            near = difflib.get_close_matches(variable, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            key = variable.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
            message = f"{variable}: {key} is not known{hint}"
            raise ConfigurationError(message)


def _variable(key: str) -> str:
    return ENVIRONMENT_PREFIX + key.upper().replace(".", "__")


def _nearest(name: str, dotted: str, kinds: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(name.lower(), kinds, n=1)
    if near:
        return f"; did you mean {dotted.removesuffix(name)}{near[0]}?"
    everywhere = [key for key, _, _ in leaves(Settings(), "") if key.rpartition(".")[2] == name]
    return f"; did you mean {everywhere[0]}?" if everywhere else ""


def _wrong(source: Source, key: str, reason: str) -> ConfigurationError:
    named = source if isinstance(source, str) else source.of(key)
    return ConfigurationError(f"{named}: {key}: {reason}", parameter=key)
