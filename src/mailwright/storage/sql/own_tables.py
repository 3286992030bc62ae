"""Mailwright's own tables, in the ``iredadmin`` database under the prefix ``mailwright_``.

The other tables of that database and every table of ``vmail``, ``amavisd`` and ``iredapd`` belong to the
mail server: nothing here touches them.  A migration is a list of statements that never changes once it
was released; a new version is a new entry at the end.
"""

from __future__ import annotations

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Connection, Database

VERSIONS = "mailwright_schema"

# {key} is a short indexed text, {name} holds an address, {text} is long, {engine} ends a table.
_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        'CREATE TABLE "mailwright_sessions" ('
        '"token_hash" {key} NOT NULL PRIMARY KEY, "username" {name} NOT NULL, '
        '"created" BIGINT NOT NULL, "seen" BIGINT NOT NULL, "address" {key} NOT NULL){engine}',
        'CREATE INDEX "mailwright_sessions_username" ON "mailwright_sessions" ("username")',
        'CREATE INDEX "mailwright_sessions_seen" ON "mailwright_sessions" ("seen")',
        'CREATE TABLE "mailwright_login_failures" ('
        '"subject" {name} NOT NULL PRIMARY KEY, "failures" BIGINT NOT NULL, '
        '"last_failure" BIGINT NOT NULL){engine}',
        'CREATE INDEX "mailwright_login_failures_last" ON "mailwright_login_failures" ("last_failure")',
        'CREATE TABLE "mailwright_leftovers" ('
        '"kind" {key} NOT NULL, "account" {name} NOT NULL, "noted" BIGINT NOT NULL, '
        'PRIMARY KEY ("kind", "account")){engine}',
    ),
    (
        'CREATE TABLE "mailwright_journal" ('
        '"id" {key} NOT NULL PRIMARY KEY, "subject" {name} NOT NULL, "plan" {text} NOT NULL, '
        '"noted" BIGINT NOT NULL){engine}',
        'CREATE INDEX "mailwright_journal_subject" ON "mailwright_journal" ("subject")',
    ),
    (
        'CREATE TABLE "mailwright_audit" ('
        '"sequence" BIGINT NOT NULL PRIMARY KEY, "time" {key} NOT NULL, "actor" {name} NOT NULL, '
        '"role" {key} NOT NULL, "token" {key} NOT NULL, "address" {key} NOT NULL, '
        '"channel" {key} NOT NULL, "request" {key} NOT NULL, "action" {key} NOT NULL, '
        '"resource" {key} NOT NULL, "target" {name} NOT NULL, "domain" {name} NOT NULL, '
        '"outcome" {key} NOT NULL, "code" {key} NOT NULL, "corrects" BIGINT NOT NULL, '
        '"changes" {text} NOT NULL, "previous" {key} NOT NULL, "hash" {key} NOT NULL){engine}',
        'CREATE INDEX "mailwright_audit_actor" ON "mailwright_audit" ("actor", "sequence")',
        'CREATE INDEX "mailwright_audit_domain" ON "mailwright_audit" ("domain", "sequence")',
        'CREATE INDEX "mailwright_audit_target" ON "mailwright_audit" ("target", "sequence")',
        'CREATE INDEX "mailwright_audit_time" ON "mailwright_audit" ("time", "sequence")',
        'CREATE TABLE "mailwright_audit_tip" ('
        '"id" BIGINT NOT NULL PRIMARY KEY, "sequence" BIGINT NOT NULL, "hash" {key} NOT NULL){engine}',
        'INSERT INTO "mailwright_audit_tip" ("id", "sequence", "hash") VALUES (1, 0, \'\')',
    ),
    (
        # 0 is never; NULL is no bound, an empty text would be one that nothing meets.
        'CREATE TABLE "mailwright_tokens" ('
        '"id" {key} NOT NULL PRIMARY KEY, "secret_hash" {key} NOT NULL, "owner" {name} NOT NULL, '
        '"label" {name} NOT NULL, "created" BIGINT NOT NULL, "expires" BIGINT NOT NULL, '
        '"networks" {text}, "read_only" BIGINT NOT NULL, "domains" {text}, "resources" {text}, '
        '"last_used" BIGINT NOT NULL, "last_address" {key} NOT NULL){engine}',
        'CREATE INDEX "mailwright_tokens_owner" ON "mailwright_tokens" ("owner")',
    ),
)

_WORDS = {
    Dialect.SQLITE: {"key": "TEXT", "name": "TEXT", "text": "TEXT", "engine": ""},
    Dialect.POSTGRESQL: {
        "key": "varchar(64)",
        "name": "varchar(320)",
        "text": "text",
        "engine": "",
    },
    Dialect.MYSQL: {
        "key": "varchar(64)",
        "name": "varchar(320)",
        "text": "mediumtext",
        "engine": " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    },
}


def version(connection: Connection, tables: frozenset[str] | set[str]) -> int:
    """The version of our tables that a database has; 0 where there are none."""
    if VERSIONS not in tables:
        return 0
    return int(connection.value(f'SELECT COALESCE(MAX("version"), 0) FROM "{VERSIONS}"') or 0)


def latest() -> int:
    """The version that this release writes."""
    return len(_MIGRATIONS)


def migrate(database: Database) -> int:
    """Bring our tables to the latest version; the number of migrations that ran.

    Safe to run from several processes: on SQLite and PostgreSQL each migration is one transaction, on
    MariaDB an advisory lock keeps the others out.
    """
    words = _WORDS[database.dialect]
    done = 0
    with database.connection() as connection:
        if database.dialect is Dialect.MYSQL:
            connection.rows("SELECT GET_LOCK('mailwright_migration', 60)")
        connection.begin()
        if database.dialect is Dialect.POSTGRESQL:
            connection.rows("SELECT pg_advisory_xact_lock(730120)")
        connection.execute(
            f'CREATE TABLE IF NOT EXISTS "{VERSIONS}" '
            f'("version" BIGINT NOT NULL PRIMARY KEY){words["engine"]}'
        )
        start = int(connection.value(f'SELECT COALESCE(MAX("version"), 0) FROM "{VERSIONS}"') or 0)
        for number, statements in enumerate(_MIGRATIONS[start:], start + 1):
            for statement in statements:
                connection.execute(statement.format(**words))
            connection.execute(f'INSERT INTO "{VERSIONS}" ("version") VALUES (%s)', (number,))
            done += 1
        connection.commit()
        if database.dialect is Dialect.MYSQL:
            connection.rows("SELECT RELEASE_LOCK('mailwright_migration')")
    return done
