"""Page tokens: a place in a list as text that a client gives back to go on behind it."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final, TypeVar

import msgspec

from mailwright.errors import Invalid

P = TypeVar("P", bound=tuple[Any, ...])

PARAMETER: Final = "page_token"


def written(place: tuple[Any, ...]) -> str:
    """A place as a page token."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def read(text: str, kind: type[P]) -> P:
    """The place that a page token is of.  ``Invalid`` for any other text.

    What is well-formed may still be made up: whoever asks looks at the values before a store does.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        place: P = msgspec.json.decode(
            base64.b64decode(padded, altchars=b"-_", validate=True), type=kind
        )
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise made_up() from None
    # No store holds these, and not every engine would take them in a question.
    if any(isinstance(part, str) and "\0" in part for part in place):
        raise made_up()
    return place


def made_up() -> Invalid:
    """The error for what no answer gave."""
    return Invalid(f"{PARAMETER}: this is no token of an earlier answer", parameter=PARAMETER)
