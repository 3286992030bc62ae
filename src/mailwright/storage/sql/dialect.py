"""The SQL engines that Mailwright speaks to."""

from __future__ import annotations

import enum


class Dialect(enum.StrEnum):
    """An engine; MariaDB and MySQL are one dialect."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
