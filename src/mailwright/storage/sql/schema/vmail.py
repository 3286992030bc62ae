"""The database `vmail`: domains, users, aliases, lists, administrators and what they route."""

from __future__ import annotations

from typing import Final

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.schema.model import (
    BIGINT,
    DATE,
    FLAG,
    MYSQL,
    NOT_MYSQL,
    NOW,
    TEXT,
    TIMESTAMP,
    Column,
    Database,
    Differs,
    Index,
    Table,
    Type,
    active,
    char,
    expiry,
    indexes,
    integer,
    moment,
    prose,
    serial,
    unique,
    varchar,
)

NAME: Final = varchar(255)
ASCII_NAME: Final = varchar(255, mysql="varchar(255) CHARACTER SET ascii")
COUNT: Final = integer(8, "int(10)")
YES_OR_NO: Final = Type("varchar(1)", "char(1)", "TEXT")


def name(column: str) -> Column:
    return Column(column, NAME, default="")


DOMAIN: Final = Table(
    "domain",
    (
        name("domain"),
        prose("description"),
        prose("disclaimer"),
        Column("aliases", COUNT, default=0),
        Column("mailboxes", COUNT, default=0),
        Column("maillists", COUNT, default=0),
        Column("maxquota", BIGINT, default=0),
        Column("quota", BIGINT, default=0),
        Column("transport", NAME, default="dovecot"),
        prose("settings"),
        Column("backupmx", FLAG, default=0),
        moment("created"),
        moment("modified"),
        expiry(),
        active(),
    ),
    primary_key=("domain",),
    indexes=indexes("backupmx", "expired", "active"),
)

ALIAS_DOMAIN: Final = Table(
    "alias_domain",
    (
        Column("alias_domain", NAME),
        Column("target_domain", NAME),
        moment("created"),
        moment("modified"),
        active(),
    ),
    primary_key=("alias_domain",),
    indexes=indexes("target_domain", "active"),
)

SERVICES: Final = tuple(
    "enable" + service
    for service in (
        "smtp",
        "smtpsecured",
        "pop3",
        "pop3secured",
        "pop3tls",
        "imap",
        "imapsecured",
        "imaptls",
        "deliver",
        "lda",
        "managesieve",
        "managesievesecured",
        "sieve",
        "sievesecured",
        "sievetls",
        "internal",
        "doveadm",
        "lib-storage",
        "quota-status",
        "indexer-worker",
        "lmtp",
        "dsync",
        "sogo",
    )
)

MAILBOX: Final = Table(
    "mailbox",
    (
        Column("username", NAME, default=Differs(None, "")),
        name("password"),
        name("name"),
        Column("language", varchar(5), default=""),
        name("first_name"),
        name("last_name"),
        name("mobile"),
        name("telephone"),
        name("recovery_email"),
        Column("birthday", DATE, default="0001-01-01"),
        Column("mailboxformat", varchar(50), default="maildir"),
        Column("mailboxfolder", varchar(50), default="Maildir"),
        name("storagebasedirectory"),
        name("storagenode"),
        name("maildir"),
        Column("quota", BIGINT, default=0),
        name("domain"),
        name("transport"),
        name("department"),
        Column("rank", NAME, default="normal"),
        name("employeeid"),
        Column("isadmin", FLAG, default=0),
        Column("isglobaladmin", FLAG, default=0),
        *(Column(service, FLAG, default=1) for service in SERVICES),
        Column("enablesogowebmail", YES_OR_NO, default="y"),
        Column("enablesogocalendar", YES_OR_NO, default="y"),
        Column("enablesogoactivesync", YES_OR_NO, default="y"),
        Column("allow_nets", TEXT, null=True),
        prose("disclaimer"),
        prose("settings"),
        moment("passwordlastchange"),
        moment("created"),
        moment("modified"),
        expiry(),
        active(),
    ),
    primary_key=("username",),
    indexes=indexes(
        "domain",
        "department",
        "employeeid",
        "isadmin",
        "isglobaladmin",
        *SERVICES,
        "passwordlastchange",
        "expired",
        "active",
    ),
    mysql_row_format="DYNAMIC",
)

FORWARDINGS: Final = Table(
    "forwardings",
    (
        serial(),
        name("address"),
        name("forwarding"),
        name("domain"),
        name("dest_domain"),
        Column("is_maillist", FLAG, default=0),
        Column("is_list", FLAG, default=0),
        Column("is_forwarding", FLAG, default=0),
        Column("is_alias", FLAG, default=0),
        active(),
    ),
    primary_key=("id",),
    indexes=(
        unique("address", "forwarding"),
        Index(("address",), dialects=NOT_MYSQL),
        *indexes("forwarding", "domain", "dest_domain", "is_maillist", "is_list"),
        Index(("is_forwarding",), dialects=NOT_MYSQL),
        *indexes("is_alias"),
    ),
)

ALIAS: Final = Table(
    "alias",
    (
        name("address"),
        name("name"),
        Column("accesspolicy", varchar(30), default=""),
        name("domain"),
        moment("created"),
        moment("modified"),
        expiry(),
        active(),
    ),
    primary_key=("address",),
    indexes=indexes("domain", "expired", "active"),
)

MODERATORS: Final = Table(
    "moderators",
    (serial(), name("address"), name("moderator"), name("domain"), name("dest_domain")),
    primary_key=("id",),
    indexes=(
        unique("address", "moderator"),
        Index(("address",), dialects=NOT_MYSQL),
        Index(("moderator",), dialects=NOT_MYSQL),
        *indexes("domain", "dest_domain"),
    ),
)

MAILLISTS: Final = Table(
    "maillists",
    (
        serial(),
        name("address"),
        name("domain"),
        name("transport"),
        Column("accesspolicy", varchar(30), default=""),
        Column("maxmsgsize", BIGINT, default=0),
        name("name"),
        Column("description", TEXT, null=True),
        Column("mlid", varchar(36), default=""),
        Column("is_newsletter", FLAG, default=0),
        Column("settings", TEXT, null=True),
        moment("created"),
        moment("modified"),
        expiry(),
        active(),
    ),
    primary_key=("id",),
    indexes=(
        unique("address"),
        unique("mlid"),
        *indexes("domain", "is_newsletter", "active"),
    ),
)

MAILLIST_OWNERS: Final = Table(
    "maillist_owners",
    (serial(), name("address"), name("owner"), name("domain"), name("dest_domain")),
    primary_key=("id",),
    indexes=(unique("address", "owner"), *indexes("owner", "domain", "dest_domain")),
)

ADMIN: Final = Table(
    "admin",
    (
        name("username"),
        name("password"),
        name("name"),
        Column("language", varchar(5), default=""),
        moment("passwordlastchange"),
        prose("settings"),
        moment("created"),
        moment("modified"),
        expiry(),
        active(),
    ),
    primary_key=("username",),
    indexes=indexes("passwordlastchange", "expired", "active"),
)

DOMAIN_ADMINS: Final = Table(
    "domain_admins",
    (
        Column("username", ASCII_NAME, default=""),
        Column("domain", ASCII_NAME, default=""),
        moment("created"),
        moment("modified"),
        expiry(),
        active(),
    ),
    primary_key=("username", "domain"),
    indexes=indexes("username", "domain", "active"),
)


def bcc(table: str, account: str, *more: str, indexed: tuple[str, ...] = ()) -> Table:
    """A table that copies the mail of each account to one address."""
    return Table(
        table,
        (
            name(account),
            name("bcc_address"),
            *(name(column) for column in more),
            moment("created"),
            moment("modified"),
            expiry(),
            active(),
        ),
        primary_key=(account,),
        indexes=indexes("bcc_address", *indexed, "expired", "active"),
    )


SENDER_RELAYHOST: Final = Table(
    "sender_relayhost",
    (serial(), name("account"), name("relayhost")),
    primary_key=("id",),
    indexes=(unique("account"),),
)

# Dovecot 2.3 knows no upsert of PostgreSQL's: it inserts a change, which is to be added to what
# is there. The trigger's own insert, one level deeper, is let through.
USED_QUOTA_DOMAIN: Final = {
    Dialect.POSTGRESQL: (
        """
CREATE FUNCTION merge_quota() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO used_quota AS known (username, bytes, messages, domain)
  VALUES (NEW.username, NEW.bytes, NEW.messages, substring(NEW.username from '[^@]*$'))
  ON CONFLICT (username) DO UPDATE SET
    bytes = known.bytes + excluded.bytes,
    messages = known.messages + excluded.messages,
    domain = excluded.domain;
  RETURN NULL;
END
$$""".strip(),
        "CREATE TRIGGER mergequota BEFORE INSERT ON used_quota"
        " FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION merge_quota()",
    ),
    Dialect.MYSQL: (
        "CREATE TRIGGER used_quota_before_insert BEFORE INSERT ON used_quota"
        " FOR EACH ROW SET NEW.domain = SUBSTRING_INDEX(NEW.username, '@', -1)",
    ),
    Dialect.SQLITE: (
        """
CREATE TRIGGER used_quota_after_insert AFTER INSERT ON used_quota
BEGIN
  UPDATE used_quota SET domain = substr(
    username, length(rtrim(username, replace(username, '@', ''))) + 1
  ) WHERE username = NEW.username;
END""".strip(),
    ),
}

USED_QUOTA: Final = Table(
    "used_quota",
    (
        Column("username", NAME),
        Column("bytes", BIGINT, default=0),
        Column("messages", BIGINT, default=0),
        name("domain"),
    ),
    primary_key=("username",),
    indexes=indexes("domain"),
    triggers=USED_QUOTA_DOMAIN,
)

# PostgreSQL's key is what Dovecot's upsert conflicts on.
LAST_LOGIN: Final = Table(
    "last_login",
    (
        name("username"),
        name("domain"),
        *(Column(way, integer(8, "int(11)"), null=True) for way in ("imap", "pop3", "lda")),
    ),
    primary_key=Differs(("username", "domain"), ("username",)),
    indexes=indexes("domain", "imap", "pop3", "lda"),
)

DELETED_MAILBOXES: Final = Table(
    "deleted_mailboxes",
    (
        serial(),
        Column("timestamp", TIMESTAMP, default=NOW),
        name("username"),
        name("domain"),
        name("maildir"),
        Column("bytes", BIGINT, default=0),
        Column("messages", BIGINT, default=0),
        name("admin"),
        Column("delete_date", DATE, null=True),
    ),
    primary_key=Differs(("id",), ()),
    indexes=(
        Index(("id",), dialects=MYSQL),
        *indexes("timestamp", "username", "domain", "admin"),
        Index(("delete_date",), name=Differs("idx_delete_date", "delete_date")),
    ),
)

SHARE_FOLDER: Final = Table(
    "share_folder",
    (
        Column("from_user", ASCII_NAME),
        Column("to_user", ASCII_NAME),
        Column("dummy", char(1), null=True),
    ),
    primary_key=("from_user", "to_user"),
    indexes=indexes("from_user", "to_user"),
)

ANYONE_SHARES: Final = Table(
    "anyone_shares",
    (Column("from_user", NAME), Column("dummy", char(1), Differs(None, "1"), null=True)),
    primary_key=("from_user",),
)

VMAIL: Final = Database(
    "vmail",
    mysql_collation="utf8mb4_general_ci",
    tables=(
        DOMAIN,
        ALIAS_DOMAIN,
        MAILBOX,
        FORWARDINGS,
        ALIAS,
        MODERATORS,
        MAILLISTS,
        MAILLIST_OWNERS,
        ADMIN,
        DOMAIN_ADMINS,
        bcc("sender_bcc_domain", "domain"),
        bcc("sender_bcc_user", "username", "domain", indexed=("domain",)),
        bcc("recipient_bcc_domain", "domain"),
        bcc("recipient_bcc_user", "username", "domain"),
        SENDER_RELAYHOST,
        USED_QUOTA,
        LAST_LOGIN,
        DELETED_MAILBOXES,
        SHARE_FOLDER,
        ANYONE_SHARES,
    ),
)
