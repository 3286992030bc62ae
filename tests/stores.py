"""A whole server's databases on each engine, an `App` over them, and a look at every row.

The databases of an engine are made once for each test process and emptied for every test. A test asks
for `site`, or for `any_app` if it needs no rows; both run on every SQL engine. In `conformance` and
`behaviour` they run on OpenLDAP too (`tests/directory_site.py`), where `on_sql` and `on_openldap` mark
the tests that look at rows or entries.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mailwright.app import ACCOUNTS, App
from mailwright.authz import Actor, Role
from mailwright.fields.field import Record
from mailwright.resources import bulk, listing, operations
from mailwright.settings import Settings
from mailwright.settings.sections import Database as DatabaseSettings
from mailwright.settings.sections import Databases, Storage
from mailwright.storage.protocol import Changed
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.own_tables import migrate
from mailwright.storage.sql.schema import DATABASES, seed_rows, statements
from mailwright.storage.sql.schema.model import Database, on
from tests.servers.process import make_folder, remove

NAMES = tuple(DATABASES)
ADMIN = Actor("postmaster@admin.test", Role.GLOBAL_ADMIN, "192.0.2.9")
EARLIER = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 5, 6, 7, 8, 9, tzinfo=dt.UTC)

Row = dict[str, Any]
Form = Mapping[str, str | Sequence[str]]

# How people tell rows apart, where it is not the primary key.
_KEYS = {
    "forwardings": ("address", "forwarding"),
    "moderators": ("address", "moderator"),
    "maillists": ("address",),
    "maillist_owners": ("address", "owner"),
    "sender_relayhost": ("account",),
    "deleted_mailboxes": ("username",),
    "last_login": ("username",),
}


class Clock:
    """A clock that stands still until a test sets it."""

    def __init__(self) -> None:
        self.now = LATER

    def __call__(self) -> dt.datetime:
        return self.now


class Raw:
    """Plain statements on one database, past the product; `?` stands for a value on every engine."""

    def __init__(self, dialect: Dialect, connection: Any) -> None:
        self.dialect = dialect
        self.connection = connection

    def execute(self, statement: str, *values: object) -> int:
        cursor = self._run(statement, values)
        return int(cursor.rowcount)

    def rows(self, statement: str, *values: object) -> list[Row]:
        cursor = self._run(statement, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, map(_plain, found), strict=True)) for found in cursor.fetchall()]

    def quoted(self, name: str) -> str:
        mark = "`" if self.dialect is Dialect.MYSQL else '"'
        return f"{mark}{name}{mark}"

    def insert(self, table: str, **row: object) -> None:
        names = ", ".join(map(self.quoted, row))
        marks = ", ".join("?" for _ in row)
        self.execute(f"INSERT INTO {self.quoted(table)} ({names}) VALUES ({marks})", *row.values())

    def close(self) -> None:
        self.connection.close()

    def _run(self, statement: str, values: Sequence[object]) -> Any:
        cursor = self.connection.cursor()
        if self.dialect is not Dialect.SQLITE:
            statement = statement.replace("%", "%%").replace("?", "%s")
        cursor.execute(statement, values)
        return cursor


@dataclass(frozen=True)
class Difference:
    """What happened to rows: `mailbox jane@example.org` names one."""

    added: dict[str, Row] = field(default_factory=dict)
    removed: dict[str, Row] = field(default_factory=dict)
    changed: dict[str, dict[str, tuple[object, object]]] = field(default_factory=dict)

    @property
    def touched(self) -> set[str]:
        return {*self.added, *self.removed, *self.changed}


NOTHING = Difference()


@dataclass
class Place:
    """Where one engine keeps the four databases; opens raw connections to them."""

    engine: str
    dialect: Dialect
    folder: Path | None = None
    server: Any = None
    prefix: str = "site"

    def settings(self) -> Settings:
        if self.folder is not None:
            return Settings(storage=Storage(backend="sqlite", sqlite_directory=self.folder))
        databases = {
            name: DatabaseSettings(
                name=f"{self.prefix}_{name}",
                user=self.server.superuser,
                host=self.server.host,
                port=self.server.port,
            )
            for name in NAMES
        }
        return Settings(
            storage=Storage(backend=self.dialect.value), databases=Databases(**databases)
        )

    def create(self) -> None:
        for name in NAMES:
            if self.folder is not None:
                (self.folder / f"{name}.db").touch()
            else:
                self.server.create_database(f"{self.prefix}_{name}")

    def open(self, name: str) -> Raw:
        if self.folder is not None:
            connection: Any = sqlite3.connect(
                self.folder / f"{name}.db", isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA synchronous = OFF")
        elif self.dialect is Dialect.POSTGRESQL:
            connection = self.server.connect(f"{self.prefix}_{name}")
        else:
            connection = self.server.connect(f"{self.prefix}_{name}")
            connection.cursor().execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES'")
        return Raw(self.dialect, connection)


class Site:
    """An `App` on one engine, its clock, and every row of its databases."""

    names: Sequence[str] = NAMES
    databases: Mapping[str, Database] = DATABASES

    def __init__(self, place: Place, settings: Settings | None = None) -> None:
        self.place = place
        self.engine = place.engine
        self.dialect = place.dialect
        self.clock = Clock()
        self.app = App(settings or place.settings(), self.clock)
        self.raw = {name: place.open(name) for name in self.names}

    @property
    def vmail(self) -> Raw:
        return self.raw["vmail"]

    def create_tables(self) -> None:
        for name in self.names:
            for statement in statements(self.databases[name], self.dialect):
                self.raw[name].connection.cursor().execute(statement)
        migrate(self.app.databases["iredadmin"])

    def empty(self) -> None:
        """Every database as after an installation."""
        for name, raw in self.raw.items():
            if self.dialect is not Dialect.SQLITE or raw.connection.in_transaction:
                raw.execute("ROLLBACK")  # a test before this one may have failed in the middle
            deletions = [
                f"DELETE FROM {raw.quoted(table)}" for table in reversed(self.tables[name])
            ]
            if self.dialect is Dialect.POSTGRESQL:
                raw.execute(";".join(deletions))
            else:
                raw.execute("BEGIN")
                for deletion in deletions:
                    raw.execute(deletion)
                raw.execute("COMMIT")
            for insert, values in seed_rows(self.databases[name], self.dialect):
                raw.connection.cursor().execute(insert, values)
        self.raw["iredadmin"].insert("mailwright_audit_tip", id=1, sequence=0, hash="")
        self.clock.now = LATER

    @cached_property
    def tables(self) -> dict[str, list[str]]:
        own = [
            f"mailwright_{name}"
            for name in (
                *("sessions", "login_failures", "leftovers", "journal", "tokens"),
                *("audit", "audit_tip"),
            )
        ]
        return {
            name: [
                table.name
                for table in self.databases[name].tables
                if self.dialect in table.dialects
            ]
            + (own if name == "iredadmin" else [])
            for name in self.names
        }

    @cached_property
    def keys(self) -> dict[str, tuple[str, ...]]:
        keys = {
            table.name: tuple(on(self.dialect, table.primary_key)) or ("id",)
            for name in self.names
            for table in self.databases[name].tables
        }
        return keys | _KEYS

    def insert(self, table: str, **row: object) -> None:
        self.vmail.insert(table, **row)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is inserted within comes in one transaction, which is quicker."""
        for raw in self.raw.values():
            raw.execute("BEGIN")
        yield
        for raw in self.raw.values():
            raw.execute("COMMIT")

    @property
    def beside(self) -> Raw:
        """Where `used_quota`, `last_login`, `deleted_mailboxes` and the shares are."""
        return self.vmail

    def go_back(self, rows: Mapping[str, Row]) -> None:
        """The rows of `vmail` as a snapshot has them."""
        with self.together():
            for table in reversed(self.tables["vmail"]):
                self.vmail.execute(f"DELETE FROM {table}")
            for name, row in rows.items():
                self.insert(name.partition(" ")[0], **row)

    def hashes(self, address: str) -> list[str]:
        """The stored password hashes of a user."""
        return [str(self.row("mailbox", address)["password"])]

    def dismiss(self, admin: str) -> None:
        """Take a standalone admin away."""
        self.vmail.execute("DELETE FROM domain_admins WHERE username = ?", admin)
        self.vmail.execute("DELETE FROM admin WHERE username = ?", admin)

    def row(self, table: str, key: str) -> Row:
        """The one row of `vmail` with this key."""
        column = self.keys[table][0]
        (found,) = self.vmail.rows(f"SELECT * FROM {table} WHERE {column} = ?", key)
        return found

    def snapshot(self, *databases: str) -> dict[str, Row]:
        """Every row, by table and key; `vmail` alone unless others are named."""
        found: dict[str, Row] = {}
        for name in databases or ("vmail",):
            raw = self.raw[name]
            for table in self._present(name):
                keys = self.keys.get(table, ())
                for row in raw.rows(f"SELECT * FROM {raw.quoted(table)}"):
                    key = " ".join(str(row[column]) for column in keys) or str(row)
                    found[f"{table} {key}"] = row
        return found

    def since(self, before: Mapping[str, Row], *databases: str) -> Difference:
        """What happened to the rows since a snapshot; new rows are shown without a counting id."""
        after = self.snapshot(*databases)
        return Difference(
            added={name: _without_id(after[name]) for name in after if name not in before},
            removed={name: _without_id(before[name]) for name in before if name not in after},
            changed={
                name: {
                    column: (row.get(column), after[name].get(column))
                    for column in {**row, **after[name]}
                    if after[name].get(column) != row.get(column)
                }
                for name, row in before.items()
                if name in after and after[name] != row
            },
        )

    # What a client does ------------------------------------------------------------------------

    def create(self, kind: str, key: str, form: Form | None = None, **more: str) -> list[str]:
        """Create an account; the warnings."""
        asked = texts(form, more)
        _, warnings = self.app.run(
            ADMIN, lambda work: operations.create(work, ACCOUNTS[kind], key, asked)
        )
        return list(warnings)

    def update(self, kind: str, key: str, form: Form | None = None, **more: str) -> list[str]:
        """Change an account; the warnings."""
        asked = texts(form, more)
        _, warnings = self.app.run(
            ADMIN, lambda work: operations.update(work, ACCOUNTS[kind], key, asked)
        )
        return list(warnings)

    def update_users(self, domain: str, form: Form | None = None, **more: str) -> int:
        changed = self.change_users(domain, form, **more)
        assert not changed.failures
        return changed.number

    def change_users(self, domain: str, form: Form | None = None, **more: str) -> Changed:
        asked = texts(form, more)
        return self.app.run(ADMIN, lambda work: bulk.update_users(work, domain, asked))[0]

    def remove(self, kind: str, key: str, keep_days: str | None = None) -> list[str]:
        _, warnings = self.app.run(
            ADMIN, lambda work: operations.remove(work, ACCOUNTS[kind], key, keep_days)
        )
        return list(warnings)

    def show(self, kind: str, key: str) -> Row:
        """What a GET answers, by parameter name."""
        record, _ = self.app.run(ADMIN, lambda work: operations.show(work, ACCOUNTS[kind], key))
        return by_name(record)

    def listed(self, kind: str, within: str | None, **form: str) -> listing.Listed:
        return self.app.run(
            ADMIN, lambda work: listing.listed(work, ACCOUNTS[kind], within, texts(form, {}))
        )[0]

    def with_settings(self, **sections: dict[str, object]) -> Site:
        """The same databases under other settings; close it."""
        settings = self.app.settings
        changed = {
            name: msgspec.structs.replace(getattr(settings, name), **values)
            for name, values in sections.items()
        }
        return type(self)(self.place, msgspec.structs.replace(settings, **changed))

    def close(self) -> None:
        self.app.close()
        for raw in self.raw.values():
            raw.close()

    def _present(self, name: str) -> list[str]:
        """The tables that are there; a test may have dropped some or made others."""
        raw = self.raw[name]
        match self.dialect:
            case Dialect.SQLITE:
                query = "SELECT name AS t FROM sqlite_master WHERE type = 'table'"
            case Dialect.POSTGRESQL:
                query = "SELECT tablename AS t FROM pg_tables WHERE schemaname = current_schema()"
            case Dialect.MYSQL:
                query = (
                    "SELECT table_name AS t FROM information_schema.tables "
                    "WHERE table_schema = DATABASE()"
                )
        return sorted(row["t"] for row in raw.rows(query) if not row["t"].startswith("sqlite_"))


def texts(form: Form | None, more: Mapping[str, str]) -> dict[str, Sequence[str]]:
    """A form as the ways in hand it over: every value is a list of texts."""
    return {
        name: [value] if isinstance(value, str) else list(value)
        for name, value in {**(form or {}), **more}.items()
    }


def by_name(record: Record) -> Row:
    return {field_.name: value for field_, value in record.items()}


def _plain(value: Any) -> Any:
    """One spelling for a value that drivers give in several."""
    match value:
        case dt.datetime() | dt.date():
            return str(value)
        case Decimal():
            return int(value)
        case memoryview():
            return bytes(value)
        case _:
            return value


def _without_id(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "id"}


# Fixtures --------------------------------------------------------------------------------------

ENGINES = (
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgresql),
    pytest.param("mariadb", id="mariadb", marks=pytest.mark.mariadb),
)

OPENLDAP = pytest.param("openldap", id="openldap", marks=pytest.mark.openldap)
EVERY_ENGINE = (*ENGINES, OPENLDAP)

on_sql = pytest.mark.parametrize("site", ENGINES, indirect=True)
on_openldap = pytest.mark.parametrize("site", [OPENLDAP], indirect=True)


@contextmanager
def new_site(engine: str, request: pytest.FixtureRequest, prefix: str = "site") -> Iterator[Site]:
    """Fresh databases, with every table and no account."""
    match engine:
        case "sqlite":
            place = Place(engine, Dialect.SQLITE, folder=make_folder("sqlite"))
        case "postgresql":
            server = request.getfixturevalue("postgresql_server")
            place = Place(engine, Dialect.POSTGRESQL, server=server, prefix=prefix)
        case _:
            server = request.getfixturevalue("mariadb_server")
            place = Place(engine, Dialect.MYSQL, server=server, prefix=prefix)
    place.create()
    site = Site(place)
    try:
        site.create_tables()
        yield site
    finally:
        site.close()
        if place.folder is not None:
            remove(place.folder)


@pytest.fixture(scope="session")
def site_sqlite(request: pytest.FixtureRequest) -> Iterator[Site]:
    with new_site("sqlite", request) as site:
        yield site


@pytest.fixture(scope="session")
def site_postgresql(request: pytest.FixtureRequest) -> Iterator[Site]:
    with new_site("postgresql", request) as site:
        yield site


@pytest.fixture(scope="session")
def site_mariadb(request: pytest.FixtureRequest) -> Iterator[Site]:
    with new_site("mariadb", request) as site:
        yield site


@pytest.fixture
def utc() -> Iterator[None]:
    """The server's zone, which mailbox paths are named in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def emptied(request: pytest.FixtureRequest) -> Site:
    """The engine that the request names, as after an installation."""
    found: Site = request.getfixturevalue(f"site_{request.param}")
    found.empty()
    return found


@pytest.fixture(params=ENGINES)
def site(request: pytest.FixtureRequest, utc: None) -> Site:  # noqa: ARG001
    """Each SQL engine in turn, as after an installation."""
    return emptied(request)


@pytest.fixture
def any_app(site: Site) -> App:
    """The `App` of each engine in turn."""
    return site.app
