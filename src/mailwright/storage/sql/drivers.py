"""What each engine and its driver want otherwise: connecting, error codes, session settings."""

from __future__ import annotations

import importlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg

from mailwright.errors import Exists, Invalid, Unavailable
from mailwright.storage.protocol import Contention
from mailwright.storage.sql.dialect import Dialect

Row = tuple[Any, ...]

SQLITE_BUSY_SECONDS = 15
LOCK_WAIT_SECONDS = 15


@dataclass(frozen=True)
class Target:
    """Where a logical database is; ``password`` never shows in ``repr``."""

    dialect: Dialect
    name: str
    path: Path | None = None
    host: str = ""
    port: int = 0
    socket: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    connect_timeout: int = 5

    @property
    def place(self) -> str:
        """Where it is, and as whom; never the password."""
        if self.dialect is Dialect.SQLITE:
            return str(self.path or "memory")
        where = self.socket or (f"{self.host}:{self.port}" if self.port else self.host)
        return f"{self.name} at {where} as {self.user or 'nobody in particular'}"


@dataclass(frozen=True)
class Driver:
    """What one engine wants otherwise."""

    connect: Callable[[Target], Any]
    errors: tuple[type[Exception], ...]
    translate: Callable[[Exception], Exception]
    alive: Callable[[Any, Any], bool]
    text: Callable[[str], str]
    why: Callable[[Exception], str]
    begin: str
    greeting: tuple[str, ...] = ()


def driver_for(dialect: Dialect) -> Driver:
    match dialect:
        case Dialect.SQLITE:
            return _SQLITE
        case Dialect.POSTGRESQL:
            return _POSTGRESQL
        case Dialect.MYSQL:
            return _mysql()


REFUSED, ABSENT, SILENT, UNKNOWN_HOST, LATE, OTHER = (
    "user or password is refused",
    "there is no such database",
    "nothing listens there",
    "the host name is not known",
    "no answer in time",
    "the connection failed",
)
# PostgreSQL's library tells a failed connection by its text alone.
_POSTGRESQL_WHY = (
    ("does not exist", ABSENT),
    ("authentication failed", REFUSED),
    ("no password supplied", REFUSED),
    ("pg_hba", REFUSED),
    ("resolve", UNKNOWN_HOST),
    ("Name or service", UNKNOWN_HOST),
    ("translate host name", UNKNOWN_HOST),
    ("refused", SILENT),
    ("No such file", SILENT),
    ("timeout", LATE),
)
_MYSQL_WHY = {
    **dict.fromkeys((1044, 1045, 1698), REFUSED),
    1049: ABSENT,
    **dict.fromkeys((2002, 2003), SILENT),
    2005: UNKNOWN_HOST,
    2013: LATE,
}


def _why_sqlite(_error: Exception) -> str:
    return "the file is missing or closed to this account; 'mailwright init' makes it"


def _why_postgresql(error: Exception) -> str:
    text = str(error)
    if 'role "' in text and "does not exist" in text:
        return REFUSED
    return next((why for sign, why in _POSTGRESQL_WHY if sign in text), OTHER)


def _taken() -> Exists:
    return Exists("another account or row already has this value")


def _too_large() -> Invalid:
    return Invalid("a value does not fit its column", code="INVALID_DATA")


def _down() -> Unavailable:
    return Unavailable("the database did not answer", code="SERVER_DOWN")


def _failed() -> Unavailable:
    return Unavailable("the database refused a statement", code="ERROR_WHILE_QUERYING_DB")


# --- SQLite ----------------------------------------------------------------------------------------


def _connect_sqlite(target: Target) -> sqlite3.Connection:
    location = ":memory:" if target.path is None else target.path.as_uri() + "?mode=rw"
    connection = sqlite3.connect(
        location,
        uri=target.path is not None,
        timeout=SQLITE_BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    connection.create_function("LOWER", 1, _lower, deterministic=True)
    return connection


def _lower(value: Any) -> str | None:
    """SQLite's own knows ASCII only."""
    return None if value is None else str(value).lower()


@lru_cache(maxsize=4096)
def _question_marks(statement: str) -> str:
    return statement.replace("%s", "?").replace("%%", "%")


def _translate_sqlite(error: Exception) -> Exception:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}:
        return _taken()
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Contention("the database is busy; try again")
    if name.startswith(
        ("SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_READONLY", "SQLITE_NOTADB")
    ):
        return _down()
    if isinstance(error, (OverflowError, sqlite3.DataError, UnicodeEncodeError)):
        return _too_large()
    return _failed()


def _sqlite_alive(_raw: Any, _cursor: Any) -> bool:
    return True


_SQLITE = Driver(
    connect=_connect_sqlite,
    errors=(sqlite3.Error, OverflowError, UnicodeEncodeError),
    translate=_translate_sqlite,
    alive=_sqlite_alive,
    text=_question_marks,
    why=_why_sqlite,
    begin="BEGIN IMMEDIATE",
    greeting=(
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = NORMAL",
        "PRAGMA foreign_keys = ON",
    ),
)

# --- PostgreSQL ------------------------------------------------------------------------------------


def _connect_postgresql(target: Target) -> psycopg.Connection[Row]:
    return psycopg.connect(
        host=target.socket or target.host or None,
        port=target.port or None,
        dbname=target.name,
        user=target.user or None,
        password=target.password or None,
        connect_timeout=target.connect_timeout,
        autocommit=True,
        options=f"-c lock_timeout={LOCK_WAIT_SECONDS}s -c timezone=UTC -c client_encoding=UTF8",
        application_name="mailwright",
    )


def _translate_postgresql(error: Exception) -> Exception:
    state = getattr(error, "sqlstate", None) or ""
    if state == "23505":
        return _taken()
    if state in {"40001", "40P01", "55P03"}:
        return Contention("the database is busy; try again")
    if state.startswith("22") or isinstance(error, (psycopg.DataError, UnicodeEncodeError)):
        return _too_large()
    if not state or state.startswith(("08", "57P")) or state == "53300":
        return _down()
    return _failed()


def _postgresql_alive(raw: psycopg.Connection[Row], cursor: psycopg.Cursor[Row]) -> bool:
    if raw.closed:
        return False
    try:
        cursor.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _as_written(statement: str) -> str:
    return statement


_POSTGRESQL = Driver(
    connect=_connect_postgresql,
    errors=(psycopg.Error, UnicodeEncodeError),
    translate=_translate_postgresql,
    alive=_postgresql_alive,
    text=_as_written,
    why=_why_postgresql,
    begin="BEGIN",
)

# --- MariaDB and MySQL -----------------------------------------------------------------------------

_MYSQL_TAKEN = {1062}
_MYSQL_CONTENTION = {1205, 1213, 3058, 3572}
_MYSQL_TOO_LARGE = {1264, 1265, 1292, 1366, 1406, 3988}
_MYSQL_DOWN = {1040, 1045, 1049, 1053, 2002, 2003, 2005, 2006, 2013, 2055, 4031}


def mysql_module() -> ModuleType:
    """Mysqlclient where it is installed (the ``mysql`` extra), else PyMySQL; both are DB-API."""
    try:
        return importlib.import_module("MySQLdb")
    except ImportError:
        return importlib.import_module("pymysql")


@lru_cache(maxsize=1)
def _mysql() -> Driver:
    module = mysql_module()

    def connect(target: Target) -> Any:
        options: dict[str, Any] = {"unix_socket": target.socket} if target.socket else {}
        return module.connect(
            host=target.host or "127.0.0.1",
            port=target.port or 3306,
            user=target.user,
            password=target.password,
            database=target.name,
            connect_timeout=target.connect_timeout,
            charset="utf8mb4",
            autocommit=True,
            client_flag=_FOUND_ROWS,
            **options,
        )

    def translate(error: Exception) -> Exception:
        number = error.args[0] if error.args else 0
        if number in _MYSQL_TAKEN:
            return _taken()
        if number in _MYSQL_CONTENTION:
            return Contention("the database is busy; try again")
        if number in _MYSQL_TOO_LARGE or isinstance(error, (module.DataError, UnicodeEncodeError)):
            return _too_large()
        if number in _MYSQL_DOWN or isinstance(error, module.InterfaceError):
            return _down()
        return _failed()

    def alive(_raw: Any, cursor: Any) -> bool:
        try:
            cursor.execute("SELECT 1")
            cursor.fetchall()
        except module.Error:
            return False
        return True

    return Driver(
        connect=connect,
        errors=(module.Error, UnicodeEncodeError),
        translate=translate,
        alive=alive,
        text=_as_written,
        why=lambda error: _MYSQL_WHY.get(error.args[0] if error.args else 0, OTHER),
        begin="START TRANSACTION",
        greeting=(
            "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,"
            "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
            "SET SESSION time_zone = '+00:00'",
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
            f"SET SESSION innodb_lock_wait_timeout = {LOCK_WAIT_SECONDS}",
        ),
    )


_FOUND_ROWS = 2  # CLIENT.FOUND_ROWS: an UPDATE counts the rows it matched, as on the other engines
