"""Asks an engine what its tables are, in the words of expected_schema.py."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from typing import Any

import psycopg
import pymysql.connections

from tests.storage.expected_schema import Description, column

Found = Iterable[tuple[str, str]]

POSTGRESQL_TYPES = {
    "smallint": "int2",
    "integer": "int4",
    "bigint": "int8",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}


def _description(found: Found) -> Description:
    tables: Description = {}
    for table, line in found:
        tables.setdefault(table, []).append(line)
    return {table: sorted(lines) for table, lines in tables.items()}


def _key(kind: str, name: str, columns: str) -> str:
    return f"{kind} ({columns})" if kind == "primary key" else f"{kind} {name} ({columns})"


def in_postgresql(connection: psycopg.Connection) -> Description:
    columns = connection.execute("""
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
          CASE WHEN a.attnotnull THEN 'not null' ELSE 'null' END,
          coalesce(pg_get_expr(d.adbin, d.adrelid), '-')
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
    """).fetchall()
    keys = connection.execute("""
        SELECT t.relname,
          CASE WHEN indisprimary THEN 'primary key' WHEN indisunique THEN 'unique' ELSE 'index' END,
          i.relname,
          (SELECT string_agg(a.attname, ', ' ORDER BY k.place)
           FROM unnest(x.indkey) WITH ORDINALITY AS k (number, place)
           JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number)
        FROM pg_index x
        JOIN pg_class t ON t.oid = x.indrelid
        JOIN pg_class i ON i.oid = x.indexrelid
        WHERE t.relnamespace = 'public'::regnamespace
    """).fetchall()
    others = connection.execute("""
        SELECT conrelid::regclass::text,
          replace(replace(replace(pg_get_constraintdef(oid), '((', '('), '))', ')'),
            'CHECK', 'check')
        FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace
        UNION ALL
        SELECT conrelid::regclass::text, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE contype = 'f'
        UNION ALL
        SELECT tgrelid::regclass::text, 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
    """).fetchall()
    return _description(
        [
            *((table, _postgresql_column(*row)) for table, *row in columns),
            *((table, _key(*row)) for table, *row in keys),
            *((table, _foreign_key(line)) for table, line in others),
        ]
    )


def _postgresql_column(name: str, kind: str, nullness: str, default: str) -> str:
    kind = POSTGRESQL_TYPES.get(kind, kind)
    kind = kind.replace("character varying", "varchar").replace("character(", "char(")
    default = re.sub(r"::[\w ]+$", "", default).replace("CURRENT_TIMESTAMP", "now()")
    default = re.sub(r"^'(-\d)'$|^\((-\d)\)$", r"\1\2", default)
    return column(name, kind, nullness, "auto" if default.startswith("nextval(") else default)


def _foreign_key(line: str) -> str:
    found = re.fullmatch(r"FOREIGN KEY \((\w+)\) REFERENCES (\w+)\((\w+)\)", line)
    return f"foreign key ({found[1]}) references {found[2]} ({found[3]})" if found else line


def in_mariadb(connection: pymysql.connections.Connection[Any]) -> Description:
    columns = _rows(
        connection,
        """
        SELECT table_name, column_name,
          concat(column_type,
            if(character_set_name <> 'utf8mb4', concat(' ', character_set_name), '')),
          if(is_nullable = 'YES', 'null', 'not null'),
          if(extra = 'auto_increment', 'auto', concat(coalesce(column_default, '-'), extra))
        FROM information_schema.columns WHERE table_schema = database()
        """,
    )
    keys = _rows(
        connection,
        """
        SELECT table_name,
          if(index_name = 'PRIMARY', 'primary key', if(max(non_unique), 'index', 'unique')),
          index_name,
          group_concat(column_name ORDER BY seq_in_index SEPARATOR ', ')
        FROM information_schema.statistics WHERE table_schema = database()
        GROUP BY table_name, index_name
        """,
    )
    others = _rows(
        connection,
        """
        SELECT table_name, concat('foreign key (', column_name, ') references ',
          referenced_table_name, ' (', referenced_column_name, ')')
        FROM information_schema.key_column_usage
        WHERE table_schema = database() AND referenced_table_name IS NOT NULL
        UNION ALL
        SELECT event_object_table, concat('trigger ', trigger_name)
        FROM information_schema.triggers WHERE trigger_schema = database()
        """,
    )
    return _description(
        [
            *((table, _mariadb_column(*row)) for table, *row in columns),
            *((table, _key(*row)) for table, *row in keys),
            *others,
        ]
    )


def _mariadb_column(name: str, kind: str, nullness: str, default: str) -> str:
    return column(name, kind, nullness, default.replace("current_timestamp()", "now()"))


def _rows(connection: pymysql.connections.Connection[Any], query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def in_sqlite(connection: sqlite3.Connection) -> Description:
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    triggers = connection.execute(
        "SELECT tbl_name, 'trigger ' || name FROM sqlite_schema WHERE type = 'trigger'"
    ).fetchall()
    return _description(
        [
            *((table, line) for (table,) in tables for line in _sqlite_table(connection, table)),
            *triggers,
        ]
    )


def _sqlite_table(connection: sqlite3.Connection, table: str) -> Iterable[str]:
    columns = connection.execute("SELECT * FROM pragma_table_info(?)", (table,)).fetchall()
    primary_key = [name for _, name, *_, place in sorted(columns, key=lambda row: row[-1]) if place]
    for _, name, kind, not_null, default, place in columns:
        counts = place and kind == "INTEGER" and len(primary_key) == 1
        given = (default or "-").replace("CURRENT_TIMESTAMP", "now()").replace("x''", r"'\x'")
        nullness = "not null" if not_null else "null"
        yield column(name, kind, nullness, "auto" if counts else given)
    if primary_key:
        yield _key("primary key", "", ", ".join(primary_key))
    for _, name, unique, origin, *_ in connection.execute(
        "SELECT * FROM pragma_index_list(?)", (table,)
    ).fetchall():
        if origin == "c":
            parts = connection.execute("SELECT name FROM pragma_index_info(?)", (name,)).fetchall()
            yield _key("unique" if unique else "index", name, ", ".join(part for (part,) in parts))
    for _, _, other, here, there, *_ in connection.execute(
        "SELECT * FROM pragma_foreign_key_list(?)", (table,)
    ).fetchall():
        yield f"foreign key ({here}) references {other} ({there})"
