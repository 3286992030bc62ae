"""What a store is asked while something is done: statements, and operations on a directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from mailwright.storage.sql import engine

_OF_A_DIRECTORY = ("read", "read_each", "search_each", "search", "pages", "add", "modify", "delete")


@contextmanager
def recorded() -> Iterator[list[str]]:
    """Collects in order what is asked from here on.

    Statements beside the accounts come without values: digests, times and numbers of records differ.
    """
    found: list[str] = []
    plain = engine.Connection._run

    def run(self: engine.Connection, statement: str, parameters: Any) -> None:
        values = f" {parameters!r}" if self._database.target.name.endswith("vmail") else ""
        found.append(f"{self._database.target.name}: {statement}{values}")
        plain(self, statement, parameters)

    with ExitStack() as stack:
        stack.enter_context(patch.object(engine.Connection, "_run", run))
        for target, name in _directory():
            stack.enter_context(patch.object(target, name, _noting(found, getattr(target, name))))
        yield found


def _directory() -> list[tuple[Any, str]]:
    try:
        from mailwright.storage.ldap import connections  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        return []
    return [(connections.Connection, name) for name in _OF_A_DIRECTORY]


def _noting(found: list[str], plain: Callable[..., Any]) -> Callable[..., Any]:
    def noted(self: Any, *args: Any, **more: Any) -> Any:
        found.append(f"{plain.__name__} {args!r} {more!r}")
        return plain(self, *args, **more)

    return noted
