"""The database `iredapd`: throttling, greylisting, reverse DNS lists and the session log."""

from __future__ import annotations

from typing import Final

from mailwright.storage.sql.schema.model import (
    BIGINT,
    FLAG,
    NOT_MYSQL,
    NOT_POSTGRESQL,
    NOW,
    TIMESTAMP,
    UNIX_TIME,
    Column,
    Database,
    Differs,
    ForeignKey,
    Index,
    Row,
    Table,
    active,
    indexes,
    integer,
    serial,
    unique,
    varchar,
)

NAME: Final = varchar(255)
PATTERN: Final = varchar(255, mysql="varchar(100)")
ADDRESS: Final = varchar(40)
PRIORITY: Final = integer(2, "tinyint(2)")

THROTTLE: Final = Table(
    "throttle",
    (
        serial(),
        Column("account", NAME),
        Column("kind", varchar(10), default="outbound"),
        Column("priority", integer(8, "tinyint(1) unsigned"), default=0),
        Column("period", UNIX_TIME, default=0),
        Column("msg_size", BIGINT, default=-1),
        Column("max_msgs", BIGINT, default=-1),
        Column("max_quota", BIGINT, default=-1),
        Column("max_rcpts", BIGINT, default=-1),
    ),
    primary_key=("id",),
    indexes=(
        Index(("account",), name="idx_account", dialects=NOT_MYSQL),
        Index(("account", "kind"), unique=True, name="account_kind", dialects=NOT_POSTGRESQL),
    ),
)

THROTTLE_TRACKING: Final = Table(
    "throttle_tracking",
    (
        serial(),
        Column(
            "tid",
            integer(8, "bigint(20) unsigned"),
            default=Differs(None, 0),
            null=Differs(True, False),
        ),
        Column("account", NAME, default=""),
        Column("period", UNIX_TIME, default=0),
        Column("cur_msgs", integer(8, "mediumint(8) unsigned"), default=0),
        Column("cur_quota", UNIX_TIME, default=0),
        Column("init_time", UNIX_TIME, default=0),
        Column("last_time", UNIX_TIME, default=0),
        Column("last_notify_time", UNIX_TIME, default=0),
    ),
    primary_key=("id",),
    indexes=(
        Index(("tid", "account"), name="idx_tid_account", dialects=NOT_MYSQL),
        Index(("tid", "account"), unique=True, name="tid_account", dialects=NOT_POSTGRESQL),
    ),
    foreign_keys=(ForeignKey("tid", table="throttle", references="id"),),
)

GREYLISTING: Final = Table(
    "greylisting",
    (
        serial(),
        Column("account", PATTERN, default=""),
        Column("priority", PRIORITY, default=0),
        Column("sender", PATTERN, default=""),
        Column("sender_priority", PRIORITY, default=0),
        Column("comment", NAME, default=""),
        active(),
    ),
    primary_key=("id",),
    indexes=(unique("account", "sender"), *indexes("comment")),
)


def whitelist(name: str) -> Table:
    return Table(
        name,
        (
            serial(),
            Column("account", PATTERN, default=""),
            Column("sender", PATTERN, default=""),
            Column("comment", NAME, default=""),
        ),
        primary_key=("id",),
        indexes=(unique("account", "sender"), *indexes("comment")),
    )


def domains(name: str) -> Table:
    return Table(
        name,
        (serial(), Column("domain", NAME, default="")),
        primary_key=("id",),
        indexes=(unique("domain"),),
    )


GREYLISTING_TRACKING: Final = Table(
    "greylisting_tracking",
    (
        serial(),
        Column("sender", NAME),
        Column("recipient", NAME),
        Column("client_address", ADDRESS),
        Column("sender_domain", NAME, default=""),
        Column("rcpt_domain", NAME, default=""),
        Column("init_time", UNIX_TIME, default=0),
        Column("block_expired", UNIX_TIME, default=0),
        Column("record_expired", UNIX_TIME, default=0),
        Column("blocked_count", BIGINT, default=0),
        Column("passed", FLAG, default=0),
    ),
    primary_key=("id",),
    indexes=(
        unique(
            "sender",
            "recipient",
            "client_address",
            name=Differs("idx_greylisting_tracking_key", "sender"),
        ),
        Index(
            ("client_address", "passed"),
            name=Differs("idx_greylisting_tracking_client_address_passed", "client_address_passed"),
        ),
        *indexes("sender_domain", "rcpt_domain"),
    ),
)

WBLIST_RDNS: Final = Table(
    "wblist_rdns",
    (
        serial(),
        Column("rdns", NAME, default=""),
        Column("wb", varchar(10), default="B"),
    ),
    primary_key=("id",),
    indexes=(unique("rdns"), *indexes("wb")),
)

SENDERSCORE_CACHE: Final = Table(
    "senderscore_cache",
    (
        Column("client_address", ADDRESS, default=""),
        Column("score", integer(4, "int(3) unsigned"), default=0, null=True),
        Column("time", UNIX_TIME, default=0),
    ),
    primary_key=("client_address",),
    indexes=indexes("score", "time"),
)

SESSION_DETAILS: Final = (
    Column("action", varchar(20), default=""),
    Column("reason", varchar(255, mysql="varchar(150)"), default=""),
    Column("instance", varchar(40), default=""),
    Column("client_address", ADDRESS, default=""),
    Column("client_name", NAME, default=""),
    Column("reverse_client_name", NAME, default=""),
    Column("helo_name", NAME, default=""),
    Column("sender", NAME, default=""),
    Column("sender_domain", NAME, default=""),
    Column("sasl_username", NAME, default=""),
    Column("sasl_domain", NAME, default=""),
    Column("recipient", NAME, default=""),
    Column("recipient_domain", NAME, default=""),
    Column("encryption_protocol", varchar(20), default=""),
    Column("encryption_cipher", varchar(50), default=""),
    Column("server_address", ADDRESS, default=""),
    Column("server_port", varchar(10), default=""),
)

SMTP_SESSIONS: Final = Table(
    "smtp_sessions",
    (
        serial(),
        Column("time", TIMESTAMP, default=NOW),
        Column("time_num", UNIX_TIME, default=0),
        *SESSION_DETAILS,
    ),
    primary_key=("id",),
    indexes=indexes("time", "time_num", *(column.name for column in SESSION_DETAILS)),
)

IREDAPD: Final = Database(
    "iredapd",
    mysql_collation="utf8mb4_unicode_ci",
    tables=(
        THROTTLE,
        THROTTLE_TRACKING,
        GREYLISTING,
        whitelist("greylisting_whitelists"),
        domains("greylisting_whitelist_domains"),
        whitelist("greylisting_whitelist_domain_spf"),
        GREYLISTING_TRACKING,
        WBLIST_RDNS,
        domains("srs_exclude_domains"),
        SENDERSCORE_CACHE,
        SMTP_SESSIONS,
    ),
    rows=(
        Row(
            "greylisting",
            {"account": "@.", "priority": 0, "sender": "@.", "sender_priority": 0, "active": 1},
        ),
    ),
)
