"""Marked secrets, everything that is written anywhere while they are about, and the search for them."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

from falcon.testing import Result

from mailwright.logs import JsonLines, TextLines
from mailwright.storage.sql.engine import Connection
from tests.authorization.world import World

# A hash is no plain text, but it is nobody's business either: only the accounts' own place holds one.
HASHES = ("{SSHA512}", "{SSHA}", "{CRYPT}", "$2b$", "$6$")
OF_HASHES = ("mailbox", "admin")


@dataclass
class Written:
    """Texts, by where they stood."""

    marks: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)

    def mark(self, beginning: str = "Pl4nted") -> str:
        """A new secret, which is a good password as well."""
        self.marks.append(f"{beginning}-{len(self.marks):04}-Secret")
        return self.marks[-1]

    def add(self, where: str, *texts: object) -> None:
        self.texts += [(where, str(text)) for text in texts]

    def found(self) -> list[str]:
        """Where a secret stands, in whatever spelling; or a hash outside of the accounts."""
        sought = {spelling: mark for mark in self.marks for spelling in spellings(mark)}
        told = []
        for where, text in (*self.texts, *self.rows):
            lowered = text.lower()
            told += [f"{where}: {mark}" for spelling, mark in sought.items() if spelling in lowered]
        told += [
            f"{where}: {each}" for where, text in self.texts for each in HASHES if each in text
        ]
        return sorted(set(told))


def spellings(mark: str) -> set[str]:
    """As it was sent, and as careless code would pass it on."""
    octets = mark.encode()
    plain = base64.b64encode(octets).decode().rstrip("=")[:-1]
    return {each.lower() for each in (mark, quote(mark, safe=""), octets.hex(), plain)}


class _Lines(logging.Handler):
    """Every line of everybody's log, as both of our formatters and the plain one write it."""

    def __init__(self, written: Written) -> None:
        super().__init__(logging.NOTSET)
        self._written = written
        self._formatters = (JsonLines(), TextLines(), logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._written.add("log", *(each.format(record) for each in self._formatters))
        self._written.add("log", vars(record).get("wide"))


@contextmanager
def everything_written() -> Iterator[Written]:
    """The log at its most talkative, and every statement with its values."""
    written = Written()
    handler, root = _Lines(written), logging.getLogger()
    levels = {root: root.level, **{logger: logger.level for logger in _loggers()}}
    plain = Connection._run

    def run(connection: Connection, statement: str, parameters: Any) -> None:
        where = f"statement: {statement[:60]}"
        if any(f'"{table}"' in statement for table in OF_HASHES):
            written.rows.append((where, f"{statement} {parameters}"))
        else:
            written.add(where, f"{statement} {parameters}")
        try:
            plain(connection, statement, parameters)
        except Exception as error:
            written.add("exception", repr(error), vars(error))
            raise

    root.addHandler(handler)
    for logger in levels:
        logger.setLevel(logging.DEBUG)
    try:
        with patch.object(Connection, "_run", run):
            yield written
    finally:
        root.removeHandler(handler)
        for logger, level in levels.items():
            logger.setLevel(level)


def _loggers() -> list[logging.Logger]:
    known = list(logging.Logger.manager.loggerDict.values())
    return [each for each in known if isinstance(each, logging.Logger)]


class Sender:
    """Sends requests to a world and keeps the answers."""

    def __init__(self, world: World, written: Written) -> None:
        self._world = world
        self._written = written
        self.codes: set[str] = set()

    def send(
        self,
        method: str,
        path: str,
        body: str | bytes = "",
        *,
        headers: Mapping[str, str] | None = None,
        query: str = "",
        given: str = "",
    ) -> Result:
        """`given` is what this answer, and no other, tells: a new session or token."""
        errors = io.StringIO()
        answer = self._world.api.call(
            method, path, body, headers=dict(headers or {}), query_string=query, wsgierrors=errors
        )
        where = f"answer to {method} {path.partition('?')[0]}"
        text, told = answer.text, str(dict(answer.headers))
        if given == "token":
            secret = answer.json["_data"]["token"]
            self._written.marks.append(secret.rpartition("_")[2])
            text = text.replace(secret, "", 1)
        if given == "cookie":
            cookie = answer.headers["set-cookie"].partition(";")[0]
            self._written.marks.append(cookie.partition("=")[2])
            told = told.replace(cookie, "", 1)
        self._written.add(where, text, told)
        self._written.add("the server's error stream", errors.getvalue())
        self.codes.add(str(answer.json.get("_code", answer.status_code)))
        return answer

    def look_at_what_is_stored(self) -> None:
        """Every row of every database, and every entry of a directory."""
        site = self._world.site
        for name, row in site.snapshot("vmail", *site.names).items():
            if name.partition(" ")[0] in OF_HASHES or "=" in name.partition(",")[0]:
                self._written.rows.append((f"stored: {name}", str(row)))
            else:
                self._written.add(f"stored: {name}", name, row)
