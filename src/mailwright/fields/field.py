"""A field: one parameter, declared once; and the typed mappings whose keys are fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast, overload

from mailwright.fields.kinds import Kind
from mailwright.fields.ldap_places import LdapPlace
from mailwright.fields.places import SqlPlace

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True, slots=True, eq=False)
class Field(Generic[T]):
    """Name, meaning and place of one parameter; also the typed key of its value.

    ``empty`` is the value of an account that has none.  ``adds``, ``removes`` and ``clears`` are the
    parameters that change a list by members; ``resets`` says whether the name itself replaces it.
    ``instead`` says what takes it where an update does not.
    ``group`` is the profile that can be closed to normal admins; ``global_only`` ones they never change.
    """

    name: str
    kind: Kind[T]
    help: str
    empty: T
    group: str = "general"
    sql: SqlPlace | None = None
    ldap: LdapPlace | None = None
    synonyms: tuple[str, ...] = ()
    read_only: bool = False
    hidden: bool = False
    global_only: bool = False
    resets: bool = True
    adds: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    clears: tuple[str, ...] = ()
    instead: str = ""
    example: str = ""

    @property
    def internal(self) -> bool:
        """Whether no client knows its name."""
        return self.hidden and self.read_only

    def names(self) -> tuple[str, ...]:
        """Every parameter name that this field answers to, the current one first."""
        own = (self.name, *self.synonyms) if self.resets else ()
        return tuple(dict.fromkeys((*own, *self.adds, *self.removes, *self.clears)))


AnyField = Field[Any]


@dataclass(frozen=True, slots=True)
class Edit:
    """A list as a request wants it: replaced, or with members added and removed."""

    replace: tuple[str, ...] | None = None
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()

    def applied_to(self, current: tuple[str, ...]) -> tuple[str, ...]:
        """The list after this edit, without repeated members."""
        if self.replace is not None:
            return self.replace
        gone = set(self.remove)
        kept = [member for member in current if member not in gone]
        return tuple(dict.fromkeys((*kept, *self.add)))


class Values:
    """A mapping from fields to their values, typed by the field."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[AnyField, Any] | None = None) -> None:
        self._values: dict[AnyField, Any] = {} if values is None else values

    def __getitem__(self, field: Field[T]) -> T:
        return cast("T", self._values[field])

    def __setitem__(self, field: Field[T], value: T) -> None:
        self._values[field] = value

    def __contains__(self, field: AnyField) -> bool:
        return field in self._values

    def __iter__(self) -> Iterator[AnyField]:
        return iter(self._values)

    def __bool__(self) -> bool:
        return bool(self._values)

    @overload
    def get(self, field: Field[T]) -> T | None: ...
    @overload
    def get(self, field: Field[T], default: D) -> T | D: ...
    def get(self, field: Field[T], default: D | None = None) -> T | D | None:
        return cast("T | D | None", self._values.get(field, default))

    def pop(self, field: Field[T]) -> T | None:
        """Take a value out."""
        return cast("T | None", self._values.pop(field, None))

    def items(self) -> Iterable[tuple[AnyField, Any]]:
        """Pairs of field and value."""
        return self._values.items()

    def fields(self) -> tuple[AnyField, ...]:
        """The fields that have a value here."""
        return tuple(self._values)


class Record(Values):
    """What is stored of one account; only the fields that were asked for."""

    __slots__ = ("key",)

    def __init__(self, key: str, values: dict[AnyField, Any]) -> None:
        super().__init__(values)
        self.key = key


class Changes(Values):
    """What is to be written.

    ``edits`` keeps how a list was asked to change; ``named`` are the fields that the request names, also
    those whose value is the stored one already.
    """

    __slots__ = ("edits", "named")

    def __init__(self, values: dict[AnyField, Any] | None = None) -> None:
        super().__init__(values)
        self.edits: dict[AnyField, Edit] = {}
        self.named: frozenset[AnyField] = frozenset()
