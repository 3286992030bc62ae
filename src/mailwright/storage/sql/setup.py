"""First steps in databases: their tables where there are none, and the first global admin.

A database that has any table is somebody else's.  Nothing here touches it, except that our own tables
(see ``own_tables``) are brought up to date in ``iredadmin``.
"""

from __future__ import annotations

import datetime as dt
import enum
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mailwright.errors import Exists, MailwrightError, Unavailable
from mailwright.storage.sql import catalogue
from mailwright.storage.sql.codecs import moment
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Connection, Database
from mailwright.storage.sql.own_tables import migrate
from mailwright.storage.sql.schema import declared, seed_rows, statements
from mailwright.storage.sql.schema.model import Database as Declared

OWN_PREFIX = "mailwright_"
# Postfix and Dovecot use the accounts as members of the group; the rest is nobody's but ours.
DIRECTORY_MODE = 0o770
SHARED, PRIVATE = 0o660, 0o600
FILE_MODES = {"vmail": SHARED}
_LOCK = "mailwright_setup"


class Made(enum.Enum):
    """What became of one logical database."""

    CREATED = "created"
    KEPT = "kept"


def create_files(databases: Mapping[str, Database]) -> None:
    """Make the missing files of SQLite databases, closed to others whatever the umask."""
    for name, database in databases.items():
        path = database.target.path
        if path is not None:
            make_directory(path.parent)
            make_file(path, FILE_MODES.get(name, PRIVATE))


def create_schema(databases: Mapping[str, Database]) -> dict[str, Made]:
    """Create the tables of every empty database, then bring our own tables up to date."""
    wanted = declared(databases)
    made = {name: _create(wanted[name], database) for name, database in databases.items()}
    migrate(databases["iredadmin"])
    for database in databases.values():
        database.catalogue = None
    return made


def add_global_admin(
    database: Database, username: str, password_hash: str, now: dt.datetime
) -> None:
    """A standalone account that may do everything.  ``Exists`` if the address is an admin already."""
    stamp = moment(now, database.dialect)
    admin: dict[str, object] = {
        "username": username,
        "password": password_hash,
        "name": "",
        "language": "",
        "settings": "",
        "passwordlastchange": stamp,
        "created": stamp,
        "modified": stamp,
        "active": 1,
    }
    grant = {
        "username": username,
        "domain": "ALL",
        "created": stamp,
        "modified": stamp,
        "active": 1,
    }
    columns = catalogue.columns_of(database)
    with database.transaction() as connection:
        try:
            _insert(connection, "admin", admin, columns)
        except Exists:
            raise Exists(f"admin {username} already exists") from None
        connection.execute(
            'DELETE FROM "domain_admins" WHERE "username" = %s AND "domain" = %s', (username, "ALL")
        )
        _insert(connection, "domain_admins", grant, columns)


def _insert(
    connection: Connection, table: str, values: Mapping[str, object], columns: catalogue.Columns
) -> None:
    known = {name: value for name, value in values.items() if name in columns.get(table, ())}
    names = ", ".join(f'"{name}"' for name in known)
    marks = ", ".join(["%s"] * len(known))
    connection.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', tuple(known.values()))


def is_empty(columns: catalogue.Columns) -> bool:
    """Whether a database has no table but ours."""
    return all(table.startswith(OWN_PREFIX) for table in columns)


def _create(wanted: Declared, database: Database) -> Made:
    with database.connection() as connection:
        if not is_empty(catalogue.read(connection)):
            return Made.KEPT
        try:
            return _create_alone(wanted, connection)
        except MailwrightError as error:
            if error.code != "ERROR_WHILE_QUERYING_DB":
                raise
            who = f" by the account {database.target.user}" if database.target.user else ""
            raise Unavailable(
                f"the tables of the {wanted.name} database cannot be created{who}; it needs the right to",
                code=error.code,
            ) from None


def _create_alone(wanted: Declared, connection: Connection) -> Made:
    """Create the tables unless another process just did; all of them or none."""
    dialect = connection.dialect
    if dialect is Dialect.MYSQL:
        connection.rows("SELECT GET_LOCK(%s, 60)", (_LOCK,))
    connection.begin()
    if dialect is Dialect.POSTGRESQL:
        connection.rows("SELECT pg_advisory_xact_lock(730121)")
    made = Made.KEPT
    if is_empty(catalogue.read(connection)):
        _fill(wanted, connection)
        made = Made.CREATED
    connection.commit()
    if dialect is Dialect.MYSQL:
        connection.rows("SELECT RELEASE_LOCK(%s)", (_LOCK,))
    return made


def _fill(wanted: Declared, connection: Connection) -> None:
    dialect = connection.dialect
    try:
        for statement in statements(wanted, dialect):
            connection.execute(statement.replace("%", "%%"))
        for insert, values in seed_rows(wanted, dialect):
            connection.execute(insert, values)
    except MailwrightError:
        if dialect is Dialect.MYSQL:
            # It commits each table by itself; a half-made database would count as somebody else's.
            for table in reversed(wanted.tables):
                with suppress(MailwrightError):
                    connection.execute(f'DROP TABLE IF EXISTS "{table.name}"')
        raise


def make_directory(path: Path) -> None:
    """Make a directory, with those above it, for owner and group; one that exists stays."""
    if path.is_dir():
        return
    try:
        path.mkdir(parents=True)
        path.chmod(DIRECTORY_MODE)
    except OSError as error:
        raise Unavailable(f"{path} cannot be made: {error.strerror}") from None


def make_file(path: Path, mode: int) -> None:
    """Make an empty file; one that exists stays."""
    try:
        # Never wider than this, whatever the umask; group write only once the file is ours.
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise Unavailable(f"{path} cannot be made: {error.strerror}") from None
    try:
        os.fchmod(handle, mode)
    finally:
        os.close(handle)
