"""A private MariaDB: root without a password over TCP, utf8mb4, no syncing."""

from __future__ import annotations

import pymysql
from pymysql.connections import Connection

from tests.servers import require
from tests.servers.ports import HOST, free_port
from tests.servers.process import Process, make_folder, remove, run


class MariaDB:
    superuser = "root"
    password = ""

    def __init__(self) -> None:
        install = require.program("mariadb-install-db")
        mariadbd = require.program("mariadbd")
        self.host = HOST
        self.port = free_port()
        user = require.run_as("mysql")
        self._folder = make_folder("mariadb", user)
        data = self._folder / "data"
        # In one folder, servers of several test processes would take each other's temporary tables.
        temporary = f"--tmpdir={self._folder}"
        run(
            [
                *(install, "--no-defaults", f"--datadir={data}", "--skip-test-db", temporary),
                *("--auth-root-authentication-method=normal", "--skip-name-resolve"),
            ],
            user,
            self._folder,
        )
        self.socket = self._folder / "s.sock"
        self._process = Process(
            [
                *(mariadbd, "--no-defaults", f"--datadir={data}", f"--port={self.port}"),
                temporary,
                *(f"--bind-address={self.host}", f"--socket={self.socket}"),
                *(f"--pid-file={self._folder / 'pid'}", "--skip-log-bin", "--skip-name-resolve"),
                *("--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci"),
                *("--debug-no-sync=ON", "--innodb-flush-log-at-trx-commit=0"),
                *("--innodb-buffer-pool-size=64M", "--innodb-log-file-size=16M"),
                *("--innodb-fast-shutdown=2", "--max-connections=200"),
                "--default-time-zone=+00:00",
            ],
            self._folder,
            user,
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

    def connect(self, database: str | None = None) -> Connection:
        return pymysql.connect(
            host=self.host,
            port=self.port,
            user=self.superuser,
            password=self.password,
            database=database,
            charset="utf8mb4",
            connect_timeout=5,
            autocommit=True,
        )

    def create_database(self, name: str) -> None:
        """An empty database; one of the same name is dropped first."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
            cursor.execute(
                f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
            )

    def _ready(self) -> bool:
        try:
            self.connect().close()
        except pymysql.err.OperationalError:
            return False
        return True
