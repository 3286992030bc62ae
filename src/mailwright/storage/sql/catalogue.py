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


def know(database: Database) -> None:
    """Read what is read once, if it was not; each takes a connection for a moment."""
    columns_of(database)
    ordering(database)
    lowering(database)


def ordering(database: Database) -> str:
    """How to write an expression, the ``{}``, so that it sorts by code point, on every engine alike."""
    if database.ordering is None:
        match database.dialect:
            case Dialect.SQLITE:
                database.ordering = "{}"
            case Dialect.MYSQL:
                # Tables of older servers are in other character sets.  Octets sort in half the time
                # that a collation takes, and in UTF-8 they sort as code points do.
                database.ordering = "CAST(CONVERT({} USING utf8mb4) AS BINARY)"
            case Dialect.POSTGRESQL:
                # Where the database sorts so by itself, a COLLATE would only keep it from its index.
                with database.connection() as connection:
                    own = connection.value(
                        "SELECT datcollate FROM pg_database WHERE datname = current_database()"
                    )
                database.ordering = "{}" if own in {"C", "POSIX"} else '{} COLLATE "C"'
    return database.ordering


def lowering(database: Database) -> str:
    """How to write an expression, the ``{}``, in lower case: beyond ASCII too, and with accents kept."""
    if database.lowering is None:
        match database.dialect:
            case Dialect.SQLITE:
                database.lowering = "LOWER({})"  # our own, see drivers.py
            case Dialect.MYSQL:
                # In most collations LIKE takes any accent for any other.
                database.lowering = "LOWER(CONVERT({} USING utf8mb4)) COLLATE utf8mb4_bin"
            case Dialect.POSTGRESQL:
                with database.connection() as connection:
                    database.lowering = _lowering_of(connection)
    return database.lowering


def _lowering_of(connection: Connection) -> str:
    """PostgreSQL's own, or in a locale that knows ASCII only, that of another collation it has."""
    if connection.value("SELECT getdatabaseencoding()") != "UTF8":
        return "LOWER({})"
    if connection.value("SELECT LOWER('\u00c4') = '\u00e4'"):
        return "LOWER({})"
    other = connection.value(
        "SELECT collname FROM pg_collation WHERE collnamespace = 'pg_catalog'::regnamespace "
        "AND collname IN ('pg_c_utf8', 'und-x-icu', 'C.utf8') "
        "ORDER BY collname = 'C.utf8', collname LIMIT 1"
    )
    return "LOWER({})" if other is None else f'LOWER({{}} COLLATE "{other}")'


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
