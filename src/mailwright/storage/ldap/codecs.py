"""Values of fields as attributes and ``accountSetting`` values hold them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from typing import Any

from mailwright.errors import Invalid
from mailwright.fields.ldap_places import Syntax

Decode = Callable[[Sequence[str]], Any]

BYTES_OF_A_MEGABYTE = 1024 * 1024
LARGEST_NUMBER = 2**63 - 1  # what the mail programs read
LAST_DAY = 1_000_000  # of the calendar that dates are told in here
_UNITS = {"MB": 1, "GB": 1024, "TB": 1024 * 1024}
_EPOCH = dt.date(1970, 1, 1)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?.*Z", re.ASCII)


def decode(syntax: Syntax, values: Sequence[str], default: str = "") -> Any:
    """From the values of an attribute to a field's value; no value reads as the empty one."""
    text = values[0] if values else default
    match syntax:
        case Syntax.STATUS:
            return "active" if text.lower() == "active" else "disabled"
        case Syntax.YES | Syntax.YES_NO:
            return text.lower() == "yes"
        case Syntax.WHOLE:
            return whole(text)
        case Syntax.MEGABYTES:
            return -(-max(whole(text), 0) // BYTES_OF_A_MEGABYTE)
        case Syntax.QUOTA:
            return _quota(text)
        case Syntax.TIME:
            return time_of(text)
        case Syntax.DAYS:
            return _day(text)
        case Syntax.LIST:
            return members(values)
        case Syntax.TEXT | Syntax.NEVER_SHOWN | Syntax.HASHES:
            return text


def encode(syntax: Syntax, value: Any) -> tuple[str, ...]:
    """From a field's value to the values of an attribute; none where nothing is to be kept."""
    match syntax:
        case Syntax.YES:
            return ("yes",) if value else ()
        case Syntax.YES_NO:
            return ("yes",) if value else ("no",)
        case Syntax.WHOLE:
            return (str(_bounded(value)),) if value else ()
        case Syntax.MEGABYTES:
            return (str(_bounded(value * BYTES_OF_A_MEGABYTE)),) if value else ()
        case Syntax.QUOTA:
            return (f"{_bounded(value)}:MB",) if value else ()
        case Syntax.DAYS:
            when = dt.datetime.fromisoformat(value).date()
            return (str((when - _EPOCH).days),)
        case Syntax.LIST | Syntax.HASHES:
            return tuple(sorted(value))
        case Syntax.TEXT | Syntax.NEVER_SHOWN | Syntax.STATUS | Syntax.TIME:
            return (str(value),) if value else ()


def whole(text: str) -> int:
    """A number; what is none counts as 0."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,20}", text) else 0


def time_of(text: str) -> str:
    """A GeneralizedTime as a stamp, empty for none."""
    match = _TIME.fullmatch(text)
    if match is None:
        return ""
    year, month, day, hour, minute, second = match.groups("00")
    return f"{year}-{month}-{day}T{hour}:{minute}:{second}Z"


def members(values: Sequence[str]) -> tuple[str, ...]:
    """The members of a list: one for each value, or several with commas as older programs wrote them."""
    parts = (part.strip() for value in values for part in value.split(","))
    return tuple(sorted(dict.fromkeys(part for part in parts if part)))


def _quota(text: str) -> int:
    number, _, unit = text.partition(":")
    return max(whole(number.strip()), 0) * _UNITS.get(unit.strip().upper() or "MB", 0)


def _day(text: str) -> str:
    days = whole(text)
    if not 0 < days < LAST_DAY:
        return ""
    return f"{_EPOCH + dt.timedelta(days=days)}T00:00:00Z"


def _bounded(value: int) -> int:
    if abs(value) > LARGEST_NUMBER:
        raise Invalid("a number is larger than the mail programs read", code="INVALID_DATA")
    return value
