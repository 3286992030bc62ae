"""What tables and columns a database really has: servers of several ages differ."""

from __future__ import annotations

from collections.abc import Mapping

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Connection, Database

Columns = Mapping[str, frozenset[str]]


def columns_of(database: Database) -> Columns:
    """The columns of every table of a database; read once, until ``catalogue`` is emptied."""
    if database.catalogue is None:
        with database.connection() as connection:
            database.catalogue = read(connection)
    return database.catalogue


def ordering(database: Database) -> str:
    """How to write an expression, the ``{}``, so that it sorts by code point, on every engine alike."""
    if database.ordering is None:
        match database.dialect:
            case Dialect.SQLITE:
                database.ordering = "{}"
            case Dialect.MYSQL:
                # Tables of older servers are in character sets that know no collation of utf8mb4.
                database.ordering = "CONVERT({} USING utf8mb4) COLLATE utf8mb4_bin"
            case Dialect.POSTGRESQL:
                # Where the database sorts so by itself, a COLLATE would only keep it from its index.
                with database.connection() as connection:
                    own = connection.value(
                        "SELECT datcollate FROM pg_database WHERE datname = current_database()"
                    )
                database.ordering = "{}" if own in {"C", "POSIX"} else '{} COLLATE "C"'
    return database.ordering


def read(connection: Connection) -> Columns:
    """The columns of every table, from the engine's own catalogue."""
    match connection.dialect:
        case Dialect.SQLITE:
            rows = connection.rows(
                "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c "
                "WHERE t.type = 'table'"
            )
        case Dialect.POSTGRESQL:
            rows = connection.rows(
                "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
                "WHERE c.relkind IN ('r', 'p', 'v') AND a.attnum > 0 AND NOT a.attisdropped "
                "AND pg_table_is_visible(c.oid) AND c.relnamespace <> 'pg_catalog'::regnamespace"
            )
        case Dialect.MYSQL:
            rows = connection.rows(
                "SELECT table_name, column_name FROM information_schema.columns "
                "WHERE table_schema = DATABASE()"
            )
    tables: dict[str, set[str]] = {}
    for table, column in rows:
        tables.setdefault(table, set()).add(column)
    return {table: frozenset(columns) for table, columns in tables.items()}
