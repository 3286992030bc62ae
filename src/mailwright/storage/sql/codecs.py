"""Values of fields as the columns and settings keys hold them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, assert_never

from mailwright.fields.places import Codec
from mailwright.storage.sql.dialect import Dialect

Decode = Callable[[Any], Any]

_NEVER = {"1970-01-01 01:01:01", "0000-00-00 00:00:00"}


def decoder(codec: Codec) -> Decode:
    """From a column to a value; NULL reads as the empty value."""
    match codec:
        case Codec.TEXT | Codec.NEVER_SHOWN:
            return _text
        case Codec.WHOLE | Codec.LIMIT:
            return _whole
        case Codec.FLAG:
            return _flag
        case Codec.STATUS:
            return _status
        case Codec.STAMP:
            return _stamp
        case Codec.EPOCH:
            return _epoch
        case Codec.LIST:
            return _members
        case Codec.HASHES:
            return _hashes
        case _:
            assert_never(codec)


def stored(codec: Codec, value: Any, dialect: Dialect) -> object:
    """From a value to what is bound to a column."""
    match codec:
        case Codec.FLAG:
            return 1 if value else 0
        case Codec.STATUS:
            return 1 if value == "active" else 0
        case Codec.STAMP:
            return moment(dt.datetime.fromisoformat(value), dialect)
        case Codec.LIST:
            return ",".join(sorted(value))
        case (
            Codec.TEXT | Codec.WHOLE | Codec.LIMIT | Codec.NEVER_SHOWN | Codec.HASHES | Codec.EPOCH
        ):
            return value
        case _:
            assert_never(codec)


def setting_text(codec: Codec, value: Any) -> str:
    """From a value to a settings key's text; empty means that the key is not written."""
    match codec:
        case Codec.LIST:
            return ",".join(sorted(value))
        case Codec.WHOLE | Codec.LIMIT:
            return str(value) if value else ""
        case Codec.FLAG:
            return "yes" if value else ""
        case _:
            return str(value)


def setting_value(codec: Codec, text: str) -> Any:
    """From a settings key's text to a value; what cannot be read counts as not set."""
    match codec:
        case Codec.LIST:
            return _members(text)
        case Codec.WHOLE:
            return int(text) if text.isdecimal() and text.isascii() else 0
        case Codec.LIMIT:
            number = text.removeprefix("-")
            # Below -1 nothing is meant (LDAP reference 3.7).
            return max(int(text), -1) if number.isdecimal() and number.isascii() else 0
        case Codec.FLAG:
            return bool(text)
        case _:
            return text


def moment(value: dt.datetime, dialect: Dialect) -> object:
    """A UTC time for a column without a zone."""
    plain = value.astimezone(dt.UTC).replace(tzinfo=None, microsecond=0)
    return str(plain) if dialect is Dialect.SQLITE else plain


def day(value: dt.date | None, dialect: Dialect) -> object:
    """A date for a column; ``None`` stays NULL."""
    return str(value) if value is not None and dialect is Dialect.SQLITE else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _hashes(value: Any) -> tuple[str, ...]:
    text = _text(value)
    return (text,) if text else ()


def _whole(value: Any) -> int:
    try:
        return int(value or 0)
    except ValueError:
        return 0


def _flag(value: Any) -> bool:
    return str(value) in {"1", "True"}


def _status(value: Any) -> str:
    return "active" if _flag(value) else "disabled"


def _stamp(value: Any) -> str:
    # Old MySQL rows hold zero dates, which drivers give as None or as text.
    text = "" if value is None else str(value)[:19].replace("T", " ")
    return "" if not text or text in _NEVER else text.replace(" ", "T") + "Z"


def _epoch(value: Any) -> str:
    if not value:
        return ""
    return dt.datetime.fromtimestamp(int(value), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _members(value: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in _text(value).split(",") if part.strip()))
