"""The database `iredadmin`: the administration log, settings and things waiting for a proof."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from mailwright.storage.sql.schema import vmail
from mailwright.storage.sql.schema.model import (
    DATE,
    FLAG,
    MYSQL,
    NOT_POSTGRESQL,
    NOW,
    TEXT,
    TIMESTAMP,
    Column,
    Database,
    Differs,
    Index,
    Table,
    char,
    constraint,
    indexes,
    integer,
    serial,
    unique,
    varchar,
)

NAME: Final = varchar(255)
UNIX_TIME: Final = integer(4, "int(10) unsigned")

LOG: Final = Table(
    "log",
    (
        serial(),
        Column("admin", NAME),
        Column("timestamp", TIMESTAMP, default=NOW),
        Column("ip", varchar(40)),
        Column("domain", NAME, default=""),
        Column("username", NAME, default=""),
        Column("event", varchar(20), default=""),
        Column("loglevel", varchar(10), default="info"),
        Column("msg", TEXT, null=True),
    ),
    primary_key=("id",),
    indexes=(
        Index(("admin",), dialects=NOT_POSTGRESQL),
        *indexes("timestamp", "ip", "domain", "username", "event", "loglevel"),
    ),
)

SETTINGS: Final = Table(
    "settings",
    (
        serial(),
        Column("account", NAME, default="global"),
        Column("k", NAME),
        Column("v", TEXT, null=True),
    ),
    primary_key=("id",),
    indexes=(unique("account", "k"),),
)

TRACKING: Final = Table(
    "tracking",
    (
        serial(),
        Column("k", NAME),
        Column("v", TEXT, null=True),
        Column("time", TIMESTAMP, default=NOW),
    ),
    primary_key=("id",),
    indexes=(unique("k"),),
)

UPDATELOG: Final = Table(
    "updatelog",
    (replace(serial(), dialects=MYSQL), Column("date", DATE)),
    primary_key=Differs(("date",), ("id",)),
    indexes=(Index(("date",), dialects=MYSQL),),
)

SESSIONS: Final = Table(
    "sessions",
    (
        Column("session_id", char(128)),
        Column("atime", TIMESTAMP, default=NOW),
        Column("data", TEXT, null=True),
    ),
    indexes=(constraint("session_id", name=Differs("sessions_session_id_key", "session_id")),),
)

DOMAIN_OWNERSHIP: Final = Table(
    "domain_ownership",
    (
        serial(),
        Column("admin", NAME, default=""),
        Column("domain", NAME, default=""),
        Column("alias_domain", NAME, default=""),
        Column("verify_code", varchar(100), default=""),
        Column("verified", FLAG, default=0),
        Column("message", TEXT, null=True),
        Column("last_verify", TIMESTAMP, null=True),
        Column("expire", UNIX_TIME, default=0, null=True),
    ),
    primary_key=("id",),
    indexes=(
        unique("admin", "domain", "alias_domain", name=Differs("idx_ownership_1", "admin")),
        Index(("verified",), name=Differs("idx_ownership_2", "verified")),
    ),
)

NEWSLETTER_SUBUNSUB_CONFIRMS: Final = Table(
    "newsletter_subunsub_confirms",
    (
        serial(),
        Column("mail", NAME, default=""),
        Column("mlid", NAME, default=""),
        Column("subscriber", NAME, default=""),
        Column("kind", varchar(20), default=""),
        Column("token", NAME, default=""),
        Column("expired", UNIX_TIME, default=0, null=True),
    ),
    primary_key=("id",),
    indexes=(
        Index(("mail",), name=Differs("idx_subunsub_confirms_1", "mail")),
        unique("mlid", "subscriber", "kind", name=Differs("idx_subunsub_confirms_2", "mlid")),
        Index(("token",), name=Differs("idx_subunsub_confirms_3", "token")),
        Index(("expired",), name=Differs("idx_subunsub_confirms_4", "expired")),
    ),
)

DELETED_MAILBOXES: Final = Table(
    "deleted_mailboxes",
    (
        serial(),
        Column("timestamp", TIMESTAMP, default=NOW),
        Column("username", NAME, default=""),
        Column("domain", NAME, default=""),
        Column("maildir", NAME, default=""),
        Column("admin", NAME, default=""),
        Column("delete_date", DATE, null=True),
    ),
    primary_key=("id",),
    indexes=indexes("timestamp", "username", "domain", "admin", "delete_date"),
    dialects=MYSQL,
)

IREDADMIN: Final = Database(
    "iredadmin",
    mysql_collation="utf8mb4_unicode_ci",
    tables=(
        LOG,
        SETTINGS,
        TRACKING,
        UPDATELOG,
        SESSIONS,
        DOMAIN_OWNERSHIP,
        NEWSLETTER_SUBUNSUB_CONFIRMS,
        DELETED_MAILBOXES,
    ),
)

# Beside a directory, what the mail programs and removals keep in SQL is here instead of in `vmail`.
IREDADMIN_BESIDE_LDAP: Final = replace(
    IREDADMIN,
    tables=(
        *(table for table in IREDADMIN.tables if table is not DELETED_MAILBOXES),
        vmail.USED_QUOTA,
        vmail.LAST_LOGIN,
        vmail.DELETED_MAILBOXES,
        vmail.SHARE_FOLDER,
        vmail.ANYONE_SHARES,
    ),
)
