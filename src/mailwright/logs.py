"""Log lines on standard error: one JSON object each, or text for people.

A record may carry a mapping under ``wide``: its keys stand beside the time, the level and the message.
A line that is written on behalf of a request carries the request's ``id``.
"""

from __future__ import annotations

import logging
import sys
import time
from contextvars import ContextVar
from typing import Any, Final

import msgspec

from mailwright.settings import Log

ROOT = "mailwright"
REQUEST: Final[ContextVar[str]] = ContextVar("request", default="")
_encode = msgspec.json.Encoder(enc_hook=repr).encode


class JsonLines(logging.Formatter):
    """One JSON object in each line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _moment(record.created),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **_wide(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _encode(line).decode("utf-8")


class TextLines(logging.Formatter):
    """The same for people."""

    def format(self, record: logging.LogRecord) -> str:
        words = " ".join(f"{name}={value!s}" for name, value in _wide(record).items())
        line = f"{_moment(record.created)} {record.levelname.lower()} {record.getMessage()} {words}"
        line = line.rstrip().replace("\r", r"\r").replace("\n", r"\n")
        if record.exc_info:
            line += f"\n{self.formatException(record.exc_info)}"
        return line


def configure(settings: Log) -> None:
    """Send our lines to standard error as the settings say; once for each process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if settings.format == "json" else TextLines())
    logger = logging.getLogger(ROOT)
    logger.handlers[:] = [handler]
    logger.setLevel(settings.level.upper())
    logger.propagate = False


def _wide(record: logging.LogRecord) -> dict[str, Any]:
    wide: dict[str, Any] = getattr(record, "wide", {})
    request = REQUEST.get()
    return {"id": request, **wide} if request else wide


def _moment(seconds: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"
