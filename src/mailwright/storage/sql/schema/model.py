"""What the schema is written in: databases, tables, columns, keys, and how engines differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from mailwright.storage.sql.dialect import Dialect

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

EVERYWHERE: Final = frozenset(Dialect)
MYSQL: Final = frozenset({Dialect.MYSQL})
NOT_MYSQL: Final = EVERYWHERE - MYSQL
NOT_POSTGRESQL: Final = EVERYWHERE - {Dialect.POSTGRESQL}


@dataclass(frozen=True, slots=True)
class Differs(Generic[T_co]):
    """A value that PostgreSQL and MySQL disagree about; SQLite follows PostgreSQL."""

    postgresql: T_co
    mysql: T_co


def on(dialect: Dialect, value: T | Differs[T]) -> T:
    if not isinstance(value, Differs):
        return value
    return value.mysql if dialect is Dialect.MYSQL else value.postgresql


@dataclass(frozen=True, slots=True)
class Type:
    """The name of a column's type on each engine."""

    postgresql: str
    mysql: str
    sqlite: str

    def on(self, dialect: Dialect) -> str:
        match dialect:
            case Dialect.POSTGRESQL:
                return self.postgresql
            case Dialect.MYSQL:
                return self.mysql
            case Dialect.SQLITE:
                return self.sqlite


def varchar(size: int, *, mysql: str | None = None) -> Type:
    name = f"varchar({size})"
    return Type(name, mysql or name, "TEXT")


def char(size: int) -> Type:
    return Type(f"char({size})", f"char({size})", "TEXT")


def integer(octets: Literal[2, 4, 8], mysql: str) -> Type:
    return Type(f"int{octets}", mysql, "INTEGER")


def octets(mysql: str) -> Type:
    return Type("bytea", mysql, "BLOB")


TEXT: Final = Type("text", "text", "TEXT")
FLAG: Final = integer(2, "tinyint(1)")
BIGINT: Final = integer(8, "bigint(20)")
UNIX_TIME: Final = integer(8, "int(10) unsigned")
FLOAT: Final = Type("real", "float", "REAL")
DATE: Final = Type("date", "date", "TEXT")
DATETIME: Final = Type("timestamp", "datetime", "TEXT")
TIMESTAMP: Final = Type("timestamp", "timestamp", "TEXT")
SERIAL: Final = Type("serial", "bigint(20) unsigned AUTO_INCREMENT", "INTEGER")


class Now:
    """The default of a column that takes the time of its row's insertion."""


NOW: Final = Now()

Default = str | int | bytes | Now | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column; a default of None is no default, which is NULL where NULL is allowed."""

    name: str
    type: Type
    default: Default | Differs[Default] = None
    null: bool | Differs[bool] = False
    not_negative: bool = False  # PostgreSQL has no unsigned types and checks instead
    dialects: frozenset[Dialect] = EVERYWHERE


def serial() -> Column:
    return Column("id", SERIAL)


def prose(name: str) -> Column:
    """Text that PostgreSQL keeps empty and MySQL, whose text has no default, keeps NULL."""
    return Column(name, TEXT, default=Differs("", None), null=Differs(False, True))


def moment(name: str) -> Column:
    """A time that PostgreSQL fills in and MySQL leaves to the application."""
    return Column(name, DATETIME, default=Differs(NOW, "1970-01-01 01:01:01"))


def expiry() -> Column:
    return Column("expired", DATETIME, Differs("9999-12-31 01:01:01", "9999-12-31 00:00:00"))


def active() -> Column:
    return Column("active", FLAG, default=1)


@dataclass(frozen=True, slots=True)
class Index:
    """An index; without a name it is called what the engine's installer calls it."""

    columns: tuple[str, ...]
    unique: bool = False
    name: str | Differs[str] | None = None
    constraint: bool = False
    dialects: frozenset[Dialect] = EVERYWHERE


def indexes(*columns: str) -> tuple[Index, ...]:
    """One plain index for each column."""
    return tuple(Index((column,)) for column in columns)


def unique(*columns: str, name: str | Differs[str] | None = None) -> Index:
    """One unique index over all the columns."""
    return Index(columns, unique=True, name=name)


def constraint(*columns: str, name: str | Differs[str]) -> Index:
    """A unique index that PostgreSQL keeps as a constraint of the table."""
    return Index(columns, unique=True, name=name, constraint=True)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    column: str
    table: str
    references: str


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] | Differs[tuple[str, ...]] = ()
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    triggers: Mapping[Dialect, tuple[str, ...]] | None = None
    mysql_row_format: str | None = None
    dialects: frozenset[Dialect] = EVERYWHERE


@dataclass(frozen=True, slots=True)
class IdOf:
    """The id of the row of a table that holds a value in a column."""

    table: str
    column: str
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row that every installation has."""

    table: str
    values: Mapping[str, str | int | bytes | IdOf]


@dataclass(frozen=True, slots=True)
class Database:
    name: str
    mysql_collation: str
    tables: tuple[Table, ...]
    rows: tuple[Row, ...] = ()
