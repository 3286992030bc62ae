"""What an entry is going to be: values are changed here, then written as one modify."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import ldap

from mailwright.errors import Invalid
from mailwright.storage.ldap.connections import Modification
from mailwright.storage.ldap.entry import Entry, as_bytes
from mailwright.storage.ldap.schema import Schema


class Draft:
    """An entry's attributes, and how they differ from what the directory has.

    What the server's schema does not allow on such an entry is left out, unless one of ``extra_classes``
    allows it and the server knows that.
    """

    def __init__(
        self, schema: Schema, entry: Entry | None = None, extra_classes: Sequence[str] = ()
    ) -> None:
        self._schema = schema
        self._entry = entry
        self._extra = extra_classes
        self._changed: dict[str, tuple[str, ...]] = {}
        self._ordered: set[str] = set()  # attributes whose first value counts

    def values(self, attribute: str) -> tuple[str, ...]:
        """The values as they will be."""
        changed = self._changed.get(attribute)
        if changed is not None:
            return changed
        return self._entry.texts(attribute) if self._entry is not None else ()

    def put(self, attribute: str, values: Iterable[str]) -> None:
        """Have exactly these values; of several that are the same to the directory, the first."""
        kept = self._distinct(attribute, values)
        if self._schema.is_single(attribute):
            kept = kept[:1]
        if not kept and not self.values(attribute):
            return
        if kept and not self._is_allowed(attribute):
            return
        self._changed[attribute] = kept

    def put_first(self, attribute: str, values: Sequence[str]) -> None:
        """Have this value, or none, in place of the first; further ones stay."""
        self._ordered.add(attribute)
        self.put(attribute, (*values, *self.values(attribute)[1:]))

    def add(self, attribute: str, values: Iterable[str]) -> None:
        """Have these values too; one that differs only in case is there already."""
        present = self.values(attribute)
        seen = {value.lower() for value in present}
        added = []
        for value in values:
            if value.lower() not in seen:
                seen.add(value.lower())
                added.append(value)
        if added:
            self.put(attribute, (*present, *added))

    def drop(self, attribute: str, values: Iterable[str]) -> None:
        """Have none of these values, whatever their case."""
        gone = {value.lower() for value in values}
        present = self.values(attribute)
        kept = tuple(value for value in present if value.lower() not in gone)
        if len(kept) != len(present):
            self.put(attribute, kept)

    def attributes(self) -> dict[str, list[bytes]]:
        """All values of a new entry."""
        return {
            name: [_octets(value) for value in values]
            for name, values in self._changed.items()
            if values
        }

    def changed(self) -> dict[str, list[str]]:
        """The attributes that were touched, with their values as they will be; never a password."""
        return {
            name: list(values)
            for name, values in self._changed.items()
            if name.lower() != "userpassword"
        }

    @property
    def has_secret(self) -> bool:
        """Whether a password was touched."""
        return any(name.lower() == "userpassword" for name in self._changed)

    def repeatable(self) -> dict[str, dict[str, list[str]]]:
        """The same as what to put, to add and to drop: further values stay; never a password."""
        put: dict[str, list[str]] = {}
        add: dict[str, list[str]] = {}
        drop: dict[str, list[str]] = {}
        for name, after in self.changed().items():
            before = self._entry.texts(name) if self._entry is not None else ()
            if len(before) <= 1 and len(after) <= 1:
                put[name] = after
                continue
            add[name] = [value for value in after if value not in before]
            drop[name] = [value for value in before if value not in after]
        return {"put": put, "add": add, "drop": drop}

    def modifications(self) -> list[Modification]:
        """What turns the entry as it is into the draft; empty if nothing does."""
        return [
            step
            for name, values in self._changed.items()
            for step in self._modifications_of(name, values)
        ]

    def _modifications_of(self, name: str, after: tuple[str, ...]) -> list[Modification]:
        before = self._entry.texts(name) if self._entry is not None else ()
        if set(before) == set(after):
            return []
        # What is added comes after what is there: to be the first, all are written anew.
        if len(before) <= 1 or not after or name in self._ordered:
            octets = [_octets(value) for value in after]
            return [(ldap.MOD_REPLACE, name, octets or None)]
        steps: list[Modification] = []
        gone = [_octets(value) for value in before if value not in set(after)]
        new = [_octets(value) for value in after if value not in set(before)]
        if gone:
            steps.append((ldap.MOD_DELETE, name, gone))
        if new:
            steps.append((ldap.MOD_ADD, name, new))
        return steps

    def _distinct(self, attribute: str, values: Iterable[str]) -> tuple[str, ...]:
        if not self._schema.ignores_case(attribute):
            return tuple(dict.fromkeys(values))
        found: dict[str, str] = {}
        for value in values:
            found.setdefault(" ".join(value.lower().split()), value)
        return tuple(found.values())

    def _is_allowed(self, attribute: str) -> bool:
        if attribute.lower() == "objectclass":
            return True
        classes = self.values("objectClass")
        if self._schema.allows(classes, attribute):
            return True
        for name in self._extra:
            if self._schema.is_auxiliary(name) and self._schema.allows((name,), attribute):
                self.add("objectClass", (name,))
                return True
        return False


def _octets(value: str) -> bytes:
    if "\0" in value:
        raise Invalid("a value has a NUL character", code="INVALID_DATA")
    try:
        return as_bytes(value)
    except UnicodeEncodeError:
        raise Invalid("a value is no Unicode text", code="INVALID_DATA") from None
