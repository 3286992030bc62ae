"""The database `amavisd`: spam policies, white and blacklists, the mail log, quarantine."""

from __future__ import annotations

from typing import Final

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.schema.model import (
    FLOAT,
    NOT_POSTGRESQL,
    Column,
    Database,
    Differs,
    IdOf,
    Index,
    Row,
    Table,
    Type,
    char,
    constraint,
    integer,
    octets,
    unique,
    varchar,
)

# Amavis counts in 32 bits where the other databases count in 64.
KEY: Final = Type("serial", "int(10) unsigned AUTO_INCREMENT", "INTEGER")
REFERENCE: Final = integer(4, "int(10) unsigned")
ADDRESS_REFERENCE: Final = integer(4, "bigint(20) unsigned")
INT: Final = integer(4, "int(11)")
PATTERN: Final = octets("varbinary(255)")
MAIL_ID: Final = octets("varbinary(16)")
NAME: Final = varchar(255)
LETTER: Final = char(1)
BLANK: Final = Differs(" ", "")

USERS: Final = Table(
    "users",
    (
        Column("id", KEY),
        Column("priority", INT, default=7),
        Column("policy_id", REFERENCE, default=1, not_negative=True),
        Column("email", PATTERN),
        Column("fullname", NAME, null=True),
    ),
    primary_key=("id",),
    indexes=(constraint("email", name=Differs("users_email_key", "email")),),
)

MAILADDR: Final = Table(
    "mailaddr",
    (Column("id", KEY), Column("priority", INT, default=7), Column("email", PATTERN)),
    primary_key=("id",),
    indexes=(constraint("email", name=Differs("mailaddr_email_key", "email")),),
)


def wblist(name: str) -> Table:
    return Table(
        name,
        (
            Column("rid", REFERENCE, not_negative=True),
            Column("sid", REFERENCE, not_negative=True),
            Column("wb", varchar(10)),
        ),
        primary_key=("rid", "sid"),
    )


def options(kind: Type, *names: str) -> tuple[Column, ...]:
    """Settings of a policy; NULL in one of them asks the next policy."""
    return tuple(Column(name, kind, null=True) for name in names)


POLICY: Final = Table(
    "policy",
    (
        Column("id", KEY),
        Column("policy_name", NAME, default=Differs(None, ""), null=Differs(True, False)),
        *options(
            LETTER,
            "virus_lover",
            "spam_lover",
            "unchecked_lover",
            "banned_files_lover",
            "bad_header_lover",
            "bypass_virus_checks",
            "bypass_spam_checks",
            "bypass_banned_checks",
            "bypass_header_checks",
        ),
        *options(
            varchar(64),
            "virus_quarantine_to",
            "spam_quarantine_to",
            "banned_quarantine_to",
            "unchecked_quarantine_to",
            "bad_header_quarantine_to",
            "clean_quarantine_to",
            "archive_quarantine_to",
        ),
        *options(
            FLOAT,
            "spam_tag_level",
            "spam_tag2_level",
            "spam_tag3_level",
            "spam_kill_level",
            "spam_dsn_cutoff_level",
            "spam_quarantine_cutoff_level",
        ),
        *options(
            varchar(64),
            "addr_extension_virus",
            "addr_extension_spam",
            "addr_extension_banned",
            "addr_extension_bad_header",
        ),
        *options(LETTER, "warnvirusrecip", "warnbannedrecip", "warnbadhrecip"),
        *options(
            varchar(64),
            "newvirus_admin",
            "virus_admin",
            "banned_admin",
            "bad_header_admin",
            "spam_admin",
            "spam_subject_tag",
            "spam_subject_tag2",
            "spam_subject_tag3",
        ),
        *options(INT, "message_size_limit"),
        *options(
            varchar(64),
            "banned_rulenames",
            "disclaimer_options",
            "forward_method",
            "sa_userconf",
            "sa_username",
        ),
    ),
    primary_key=("id",),
    indexes=(unique("policy_name", name="policy_idx_policy_name"),),
)

# email_raw is the address without its extension: what is between the first plus sign, if it
# follows a user's name, and the last at sign. On PostgreSQL a text cannot hold every byte that
# an address may have, and Amavis must be able to note each address.
STRIP_EXTENSION: Final = {
    Dialect.POSTGRESQL: (
        r"""
CREATE FUNCTION strip_addr_extension() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  address text;
BEGIN
  BEGIN
    address := convert_from(NEW.email, 'UTF8');
  EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
    address := encode(NEW.email, 'escape');
  END;
  NEW.email_raw := left(regexp_replace(address, '^([^+@]+)[+].*@', '\1@'), 255);
  RETURN NEW;
END
$$""".strip(),
        "CREATE TRIGGER maddr_email_raw BEFORE INSERT ON maddr"
        " FOR EACH ROW EXECUTE FUNCTION strip_addr_extension()",
    ),
    Dialect.MYSQL: (
        """
CREATE TRIGGER maddr_email_raw BEFORE INSERT ON maddr FOR EACH ROW
  SET NEW.email_raw = IF(
    LOCATE('+', NEW.email) BETWEEN 2 AND LOCATE('@', NEW.email),
    CONCAT(SUBSTRING_INDEX(NEW.email, '+', 1), '@', SUBSTRING_INDEX(NEW.email, '@', -1)),
    NEW.email
  )""".strip(),
    ),
    Dialect.SQLITE: (
        """
CREATE TRIGGER maddr_email_raw AFTER INSERT ON maddr
BEGIN
  UPDATE maddr SET email_raw = (
    SELECT CASE
      WHEN instr(address, '+') BETWEEN 2 AND instr(address, '@')
      THEN substr(address, 1, instr(address, '+') - 1)
        || substr(address, length(rtrim(address, replace(address, '@', ''))))
      ELSE address
    END
    FROM (SELECT CAST(NEW.email AS TEXT) AS address)
  ) WHERE id = NEW.id;
END""".strip(),
    ),
}

MADDR: Final = Table(
    "maddr",
    (
        Column("partition_tag", INT, default=0, null=True),
        Column("id", Type("serial", "bigint(20) unsigned AUTO_INCREMENT", "INTEGER")),
        Column("email", PATTERN),
        Column("email_raw", varchar(255, mysql="varbinary(255)"), default=""),
        Column("domain", Type("bytea", "varchar(255)", "TEXT")),
    ),
    primary_key=("id",),
    indexes=(
        constraint("partition_tag", "email", name="part_email"),
        Index(("email",), name="maddr_idx_email"),
        Index(("email_raw",), name="maddr_idx_email_raw"),
        Index(("domain",), name="maddr_idx_domain"),
    ),
    triggers=STRIP_EXTENSION,
)

MSGS: Final = Table(
    "msgs",
    (
        Column("partition_tag", INT, default=0),
        Column("mail_id", MAIL_ID),
        Column("secret_id", MAIL_ID, default=b"", null=True),
        Column("am_id", varchar(20)),
        Column("time_num", REFERENCE, not_negative=True),
        Column("time_iso", Type("timestamptz", "char(16)", "TEXT")),
        Column("sid", ADDRESS_REFERENCE, not_negative=True),
        Column("policy", NAME, default="", null=True),
        Column("client_addr", NAME, default="", null=True),
        Column("size", REFERENCE, not_negative=True),
        Column("originating", LETTER, default=BLANK),
        Column("content", LETTER, null=True),
        Column("quar_type", LETTER, null=True),
        Column("quar_loc", varchar(255, mysql="varbinary(255)"), default="", null=True),
        Column("dsn_sent", LETTER, null=True),
        Column("spam_level", FLOAT, null=True),
        Column("message_id", NAME, default="", null=True),
        Column("from_addr", octets("varbinary(255)"), default=b"", null=Differs(True, False)),
        Column("subject", octets("varbinary(1024)"), default=b"", null=Differs(True, False)),
        Column("host", NAME),
    ),
    primary_key=("partition_tag", "mail_id"),
    indexes=(
        Index(("mail_id",), name="msgs_idx_mail_id"),
        Index(("time_num",), name="msgs_idx_time_num"),
        Index(("time_iso",), name="msgs_idx_time_iso"),
        Index(("sid",), name="msgs_idx_sid"),
        Index(("content",), name="msgs_idx_content"),
        Index(("content", "time_num"), name="msgs_idx_content_time_num", dialects=NOT_POSTGRESQL),
        Index(("quar_type",), name="msgs_idx_quar_type"),
        Index(("spam_level",), name="msgs_idx_spam_level"),
        Index(("message_id",), name="msgs_idx_mess_id"),
    ),
)

MSGRCPT: Final = Table(
    "msgrcpt",
    (
        Column("partition_tag", INT, default=0),
        Column("mail_id", MAIL_ID),
        Column("rseqnum", INT, default=0),
        Column("rid", ADDRESS_REFERENCE),
        Column("is_local", LETTER, default=BLANK),
        Column("content", LETTER, default=BLANK),
        Column("ds", LETTER),
        Column("rs", LETTER),
        Column("bl", LETTER, default=BLANK, null=True),
        Column("wl", LETTER, default=BLANK, null=True),
        Column("bspam_level", FLOAT, null=True),
        Column("smtp_resp", NAME, default="", null=True),
    ),
    primary_key=("partition_tag", "mail_id", "rseqnum"),
    indexes=(
        Index(("mail_id",), name="msgrcpt_idx_mail_id"),
        Index(("rid",), name="msgrcpt_idx_rid"),
    ),
)

QUARANTINE: Final = Table(
    "quarantine",
    (
        Column("partition_tag", INT, default=0),
        Column("mail_id", MAIL_ID),
        Column("chunk_ind", REFERENCE, not_negative=True),
        Column("mail_text", octets("blob")),
    ),
    primary_key=("partition_tag", "mail_id", "chunk_ind"),
    indexes=(Index(("mail_id",), name="quar_idx_mail_id", dialects=NOT_POSTGRESQL),),
)

DEFAULT_POLICY: Final = Row(
    "policy",
    {
        "policy_name": "@.",
        "spam_lover": "Y",
        "virus_lover": "N",
        "banned_files_lover": "N",
        "bad_header_lover": "Y",
        "bypass_virus_checks": "N",
        "bypass_spam_checks": "N",
        "bypass_banned_checks": "N",
        "bypass_header_checks": "N",
        "spam_quarantine_to": "",
        "virus_quarantine_to": "virus-quarantine",
        "banned_quarantine_to": "banned-quarantine",
        "bad_header_quarantine_to": "",
    },
)

EVERYBODY: Final = Row(
    "users",
    {"priority": 0, "policy_id": IdOf("policy", "policy_name", "@."), "email": b"@."},
)

AMAVISD: Final = Database(
    "amavisd",
    mysql_collation="utf8mb4_general_ci",
    tables=(
        USERS,
        MAILADDR,
        wblist("wblist"),
        wblist("outbound_wblist"),
        POLICY,
        MADDR,
        MSGS,
        MSGRCPT,
        QUARANTINE,
    ),
    rows=(DEFAULT_POLICY, EVERYBODY),
)
