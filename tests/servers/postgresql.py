"""A private PostgreSQL: `trust` on loopback, UTF-8, no fsync."""

from __future__ import annotations

import signal

import psycopg
from psycopg import sql

from tests.servers import require
from tests.servers.ports import HOST, free_port
from tests.servers.process import Process, make_folder, remove, run

_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")

_SETTINGS = """
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 200
shared_buffers = 32MB
autovacuum = off
log_min_messages = warning
timezone = 'UTC'
"""


class PostgreSQL:
    superuser = "postgres"
    password = ""

    def __init__(self) -> None:
        initdb = require.program("initdb", *_FOLDERS)
        postgres = require.program("postgres", *_FOLDERS)
        self.host = HOST
        self.port = free_port()
        self._user = require.run_as("postgres")
        self._folder = make_folder("postgresql", self._user)
        self._data = self._folder / "data"
        run(
            [
                *(initdb, "-D", self._data, "-A", "trust", "-U", self.superuser),
                *("-E", "UTF8", "--no-locale", "--no-sync"),
            ],
            self._user,
        )
        with (self._data / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS.format(host=self.host, port=self.port))
        # SIGINT ends open sessions; SIGTERM would wait for them.
        self._process = Process(
            [postgres, "-D", self._data], self._folder, self._user, signal.SIGINT
        )

    def start(self) -> None:
        self._process.start(self._ready)

    def stop(self) -> None:
        """Stop the server; the data stays, so that it can be started again."""
        self._process.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop()
        remove(self._folder)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.superuser,
            dbname=database,
            connect_timeout=5,
            autocommit=True,
        )

    def create_database(self, name: str) -> None:
        """An empty database; one of the same name is dropped first."""
        with self.connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
            )

    def _ready(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True
