"""One entry as the directory gives it; names of attributes without regard to case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

Raw = Mapping[str, Sequence[bytes]]


class Entry:
    """A DN and the values of its attributes; those that were not asked for look empty.

    Every request reads dozens of values, so each is read with few calls.
    """

    __slots__ = ("_lowered", "_values", "dn")

    def __init__(self, dn: str, values: Raw) -> None:
        self.dn = dn
        self._values = {name.lower(): value for name, value in values.items()}
        self._lowered: dict[str, frozenset[str]] = {}

    def __contains__(self, attribute: str) -> bool:
        return attribute.lower() in self._values

    def attributes(self) -> tuple[str, ...]:
        """The names of the attributes that have values, in lower case."""
        return tuple(self._values)

    def texts(self, attribute: str) -> tuple[str, ...]:
        """All values; what is no UTF-8 survives a way there and back."""
        values = self._values.get(attribute.lower(), ())
        return tuple([value.decode("utf-8", "surrogateescape") for value in values])

    def octets(self, attribute: str) -> Sequence[bytes]:
        """All values as they are."""
        return self._values.get(attribute.lower(), ())

    def text(self, attribute: str) -> str:
        """The first value, or the empty text."""
        values = self._values.get(attribute.lower())
        return values[0].decode("utf-8", "surrogateescape") if values else ""

    def lowered(self, attribute: str) -> frozenset[str]:
        """All values in lower case."""
        found = self._lowered.get(attribute)
        if found is None:
            values = self._values.get(attribute.lower(), ())
            found = frozenset(
                [value.decode("utf-8", "surrogateescape").lower() for value in values]
            )
            self._lowered[attribute] = found
        return found

    @property
    def classes(self) -> frozenset[str]:
        """Its object classes in lower case."""
        return _alike(tuple(self.octets("objectclass")))

    @property
    def services(self) -> frozenset[str]:
        """Its enabled services in lower case."""
        return _alike(tuple(self.octets("enabledservice")))


@lru_cache(maxsize=1024)
def _alike(values: tuple[bytes, ...]) -> frozenset[str]:
    """Values that many entries have in common, in lower case."""
    return frozenset([as_text(value).lower() for value in values])


def as_text(value: bytes) -> str:
    """A value as text."""
    return value.decode("utf-8", "surrogateescape")


def as_bytes(text: str) -> bytes:
    """The value that a text stands for.  ``UnicodeEncodeError`` for half a surrogate pair."""
    return text.encode("utf-8", "surrogateescape")
