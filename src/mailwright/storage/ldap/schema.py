"""What the server's subschema knows: directories of several ages differ (LDAP reference 1.4)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from ldap.schema import AttributeType, ObjectClass, SubSchema

from mailwright.storage.ldap.connections import Connection

_AUXILIARY = 2  # as python-ldap tells the kind of a class


class Schema:
    """Attributes and classes by name, without regard to case; an OID tells nothing here."""

    def __init__(self, connection: Connection) -> None:
        found = SubSchema(dict(connection.subschema()), check_uniqueness=0)
        self._attributes: dict[str, AttributeType] = {}
        for oid in found.listall(AttributeType):
            kind = found.get_obj(AttributeType, oid)
            for name in kind.names:
                self._attributes[name.lower()] = kind
        self._classes: dict[str, ObjectClass] = {}
        for oid in found.listall(ObjectClass):
            kind = found.get_obj(ObjectClass, oid)
            for name in kind.names:
                self._classes[name.lower()] = kind
        self._may = lru_cache(maxsize=256)(self._allowed)
        self.selections: dict[object, Any] = {}  # what `selection` made for it

    def knows(self, attribute: str) -> bool:
        """Whether there is such an attribute."""
        return attribute.lower() in self._attributes

    def knows_class(self, name: str) -> bool:
        """Whether there is such an object class."""
        return name.lower() in self._classes

    def is_auxiliary(self, name: str) -> bool:
        """Whether a class can be given to an entry that has another one already."""
        kind = self._classes.get(name.lower())
        return kind is not None and kind.kind == _AUXILIARY

    def allows(self, classes: Iterable[str], attribute: str) -> bool:
        """Whether an entry of these classes may have the attribute."""
        return attribute.lower() in self._may(frozenset(name.lower() for name in classes))

    def is_single(self, attribute: str) -> bool:
        """Whether the attribute has one value at most."""
        kind = self._attributes.get(attribute.lower())
        return kind is not None and bool(kind.single_value)

    def ignores_case(self, attribute: str) -> bool:
        """Whether values that differ only in case, or in how many blanks they have, are the same."""
        kind = self._attributes.get(attribute.lower())
        while kind is not None and not kind.equality and kind.sup:
            kind = self._attributes.get(kind.sup[0].lower())
        return kind is not None and (kind.equality or "").startswith("caseIgnore")

    def _allowed(self, classes: frozenset[str]) -> frozenset[str]:
        names: set[str] = set()
        seen: set[str] = set()
        left = list(classes)
        while left:
            name = left.pop()
            kind = self._classes.get(name)
            if kind is None or name in seen:
                continue
            seen.add(name)
            names.update(attribute.lower() for attribute in (*kind.must, *kind.may))
            left.extend(above.lower() for above in kind.sup)
        return frozenset(names) | self._other_names(names)

    def _other_names(self, names: set[str]) -> frozenset[str]:
        """Attributes have several names, such as ``sn`` and ``surname``."""
        kinds = [self._attributes[name] for name in names if name in self._attributes]
        return frozenset(other.lower() for kind in kinds for other in kind.names)
