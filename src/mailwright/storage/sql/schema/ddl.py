"""Turns a declared database into the statements of one engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.schema.model import (
    Column,
    Database,
    Default,
    IdOf,
    Index,
    Now,
    Row,
    Table,
    on,
)

Parameter = str | int | bytes


def statements(database: Database, dialect: Dialect) -> list[str]:
    """Statements that create the database's tables in an empty database, in order."""
    tables = [table for table in database.tables if dialect in table.dialects]
    return [
        *(_create_table(table, database, dialect) for table in tables),
        *(statement for table in tables for statement in _create_indexes(table, dialect)),
        *(statement for table in tables for statement in (table.triggers or {}).get(dialect, ())),
    ]


def seed_rows(database: Database, dialect: Dialect) -> list[tuple[str, tuple[Parameter, ...]]]:
    """Statements, with their parameters, that insert the rows every installation has."""
    return [_insert(row, dialect) for row in database.rows]


def _create_table(table: Table, database: Database, dialect: Dialect) -> str:
    lines = [
        *(_column(column, dialect) for column in table.columns if dialect in column.dialects),
        *_constraints(table, dialect),
    ]
    body = ",\n  ".join(lines)
    return f"CREATE TABLE {_quote(table.name, dialect)} (\n  {body}\n)" + (
        _mysql_options(table, database) if dialect is Dialect.MYSQL else ""
    )


def _mysql_options(table: Table, database: Database) -> str:
    row_format = f" ROW_FORMAT={table.mysql_row_format}" if table.mysql_row_format else ""
    charset = database.mysql_collation.partition("_")[0]
    return (
        f" ENGINE=InnoDB DEFAULT CHARACTER SET {charset}"
        f" COLLATE {database.mysql_collation}{row_format}"
    )


def _column(column: Column, dialect: Dialect) -> str:
    default = on(dialect, column.default)
    parts = [
        _quote(column.name, dialect),
        column.type.on(dialect),
        "NULL" if on(dialect, column.null) else "NOT NULL",
    ]
    if default is not None:
        parts.append(f"DEFAULT {_literal(default, dialect)}")
    if column.not_negative and dialect is Dialect.POSTGRESQL:
        parts.append(f"CHECK ({_quote(column.name, dialect)} >= 0)")
    return " ".join(parts)


def _literal(value: Default, dialect: Dialect) -> str:
    match value:
        case None:
            return "NULL"
        case Now():
            return "CURRENT_TIMESTAMP"
        case int():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case bytes():
            prefix = {Dialect.POSTGRESQL: r"'\x", Dialect.SQLITE: "x'", Dialect.MYSQL: "x'"}
            return f"{prefix[dialect]}{value.hex()}'"
        case _:
            assert_never(value)


def _constraints(table: Table, dialect: Dialect) -> Iterator[str]:
    primary_key = on(dialect, table.primary_key)
    if primary_key:
        yield f"PRIMARY KEY ({_names(primary_key, dialect)})"
    for index in _indexes(table, dialect):
        if _is_inside(index, dialect):
            yield _index_inside(index, table, dialect)
    for key in table.foreign_keys:
        yield (
            f"FOREIGN KEY ({_quote(key.column, dialect)}) REFERENCES"
            f" {_quote(key.table, dialect)} ({_quote(key.references, dialect)})"
        )


def _create_indexes(table: Table, dialect: Dialect) -> Iterator[str]:
    for index in _indexes(table, dialect):
        if not _is_inside(index, dialect):
            name = _quote(_index_name(index, table, dialect), dialect)
            yield (
                f"CREATE {'UNIQUE ' if index.unique else ''}INDEX {name}"
                f" ON {_quote(table.name, dialect)} ({_names(index.columns, dialect)})"
            )


def _indexes(table: Table, dialect: Dialect) -> list[Index]:
    return [index for index in table.indexes if dialect in index.dialects]


def _is_inside(index: Index, dialect: Dialect) -> bool:
    """MySQL wants the key of a counting column in the very statement that creates it."""
    return dialect is Dialect.MYSQL or (index.constraint and dialect is Dialect.POSTGRESQL)


def _index_inside(index: Index, table: Table, dialect: Dialect) -> str:
    name = _quote(_index_name(index, table, dialect), dialect)
    columns = _names(index.columns, dialect)
    if dialect is Dialect.MYSQL:
        return f"{'UNIQUE ' if index.unique else ''}KEY {name} ({columns})"
    return f"CONSTRAINT {name} UNIQUE ({columns})"


def _index_name(index: Index, table: Table, dialect: Dialect) -> str:
    name = on(dialect, index.name)
    if name is not None:
        return name
    if dialect is Dialect.MYSQL:
        return index.columns[0]
    return "_".join(["idx", table.name, *index.columns]).replace("-", "_")


def _insert(row: Row, dialect: Dialect) -> tuple[str, tuple[Parameter, ...]]:
    mark = "?" if dialect is Dialect.SQLITE else "%s"
    sources: list[str] = []
    parameters: list[Parameter] = []
    for value in row.values.values():
        match value:
            case IdOf(table, column, known):
                sources.append(
                    f"(SELECT {_quote('id', dialect)} FROM {_quote(table, dialect)}"
                    f" WHERE {_quote(column, dialect)} = {mark})"
                )
                parameters.append(known)
            case _:
                sources.append(mark)
                parameters.append(value)
    return (
        f"INSERT INTO {_quote(row.table, dialect)} ({_names(row.values, dialect)})"
        f" VALUES ({', '.join(sources)})",
        tuple(parameters),
    )


def _names(names: Iterable[str], dialect: Dialect) -> str:
    return ", ".join(_quote(name, dialect) for name in names)


def _quote(name: str, dialect: Dialect) -> str:
    mark = "`" if dialect is Dialect.MYSQL else '"'
    return f"{mark}{name}{mark}"
