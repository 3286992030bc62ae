"""A look at databases: which answer, of what age they are, and what their age switches off.

Only the catalogue tells the age: types, indexes and character sets that changed without a new name
leave no mark here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mailwright.errors import MailwrightError, Unavailable
from mailwright.fields.places import (
    Column,
    Counted,
    Derived,
    Joined,
    Setting,
    SideRow,
    SideRows,
    Switches,
)
from mailwright.fields.resource import Resource
from mailwright.storage.sql import catalogue, own_tables
from mailwright.storage.sql.catalogue import Columns
from mailwright.storage.sql.engine import Database
from mailwright.storage.sql.reading import has_place
from mailwright.storage.sql.schema import declared
from mailwright.storage.sql.schema.iredadmin import IREDADMIN_BESIDE_LDAP
from mailwright.storage.sql.schema.model import Database as Declared
from mailwright.storage.sql.setup import is_empty


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that a release brought, and what is off where it is missing."""

    since: str
    table: str
    columns: tuple[str, ...]
    off: str


# The releases in order; the first mark of each database is the oldest that is supported.
MARKS: Final[Mapping[str, tuple[str, tuple[Mark, ...]]]] = {
    "vmail": (
        "iRedMail",
        (
            Mark(
                "0.9.7",
                "forwardings",
                ("is_alias", "is_forwarding", "is_list"),
                "mail is not delivered",
            ),
            Mark("0.9.8", "maillists", (), "mailing lists are not known"),
            Mark("0.9.8", "forwardings", ("is_maillist",), "mailing lists are not known"),
            Mark("0.9.8", "domain", ("maillists",), "the number of mailing lists is not limited"),
            Mark("0.9.8", "moderators", (), "aliases and lists have no moderators"),
            Mark(
                "0.9.8",
                "mailbox",
                ("enableimaptls", "enablepop3tls"),
                "IMAP and POP3 over TLS are not switched by themselves",
            ),
            Mark(
                "0.9.9",
                "mailbox",
                ("mailboxformat", "mailboxfolder"),
                "format and folder of a mailbox are those of the mail server's configuration",
            ),
            Mark(
                "1.0",
                "mailbox",
                ("enablequota-status",),
                "the quota status service is not switched with the others",
            ),
            Mark("1.2", "last_login", ("imap", "pop3", "lda"), "last logins are not shown"),
            Mark("1.4.0", "maillist_owners", (), "mailing lists have no owners"),
            Mark(
                "1.4.1",
                "mailbox",
                ("enablesogowebmail", "enablesogocalendar", "enablesogoactivesync"),
                "parts of SOGo are not switched by themselves",
            ),
            Mark(
                "1.7.3",
                "mailbox",
                (
                    *("first_name", "last_name", "mobile", "telephone"),
                    *("birthday", "recovery_email"),
                ),
                "first and last name, telephones, birthday and recovery address are not kept",
            ),
            Mark(
                "1.7.3",
                "deleted_mailboxes",
                ("bytes", "messages"),
                "the size of a removed mailbox is not recorded",
            ),
        ),
    ),
    "amavisd": (
        "iRedMail",
        (
            Mark("0.9.7", "policy", (), "spam policies are not kept"),
            Mark(
                "0.9.8",
                "maddr",
                ("email_raw",),
                "addresses in the mail log are shown as Amavis keeps them",
            ),
        ),
    ),
    "iredapd": (
        "iRedAPD",
        (
            Mark("1.7", "throttle", (), "nothing is throttled"),
            Mark(
                "1.8",
                "greylisting_whitelist_domains",
                (),
                "domains are not exempt from greylisting",
            ),
            Mark(
                "2.1",
                "greylisting_whitelist_domain_spf",
                (),
                "SPF records of exempt domains are not looked up",
            ),
            Mark("2.1", "wblist_rdns", (), "there are no white- and blacklists of host names"),
            Mark(
                "2.3",
                "throttle_tracking",
                ("last_notify_time",),
                "nobody is told of throttled senders",
            ),
            Mark("2.5", "srs_exclude_domains", (), "no domain is exempt from sender rewriting"),
            Mark("3.2", "senderscore_cache", (), "sender scores are not kept"),
            Mark("3.2", "smtp_sessions", (), "there is no log of SMTP sessions"),
            Mark("5.0", "throttle", ("max_rcpts",), "the number of recipients is not throttled"),
        ),
    ),
    "iredadmin": (
        "iRedAdmin",
        (
            Mark("0.1", "log", (), "there is no administration log"),
            Mark("1.0", "settings", (), "settings of the admin panel are not read"),
            Mark("1.0", "tracking", (), "upgrades of the admin panel are not tracked"),
            Mark("1.0", "domain_ownership", (), "ownership of domains is not verified"),
            Mark(
                "1.0",
                "newsletter_subunsub_confirms",
                (),
                "subscribing to newsletters over the web is off",
            ),
        ),
    ),
}

# What moves from `vmail` to `iredadmin` where the accounts are in a directory.
MARKS_BESIDE_LDAP: Final = (
    Mark("0.9.7", "used_quota", (), "the used quota is not shown"),
    Mark("0.9.7", "deleted_mailboxes", (), "removed mailboxes are not remembered"),
    Mark("0.9.7", "share_folder", (), "no folders are shared"),
    Mark("0.9.7", "anyone_shares", (), "no folders are shared with everybody"),
    *(mark for mark in MARKS["vmail"][1] if mark.table in {"last_login", "deleted_mailboxes"}),
)

# Without these nothing works that the database is for.
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "vmail": (
        *("domain", "alias_domain", "mailbox", "forwardings", "alias", "admin", "domain_admins"),
        *("sender_bcc_domain", "sender_bcc_user", "recipient_bcc_domain", "recipient_bcc_user"),
        "sender_relayhost",
    ),
    "amavisd": ("users", "mailaddr", "policy", "wblist"),
    "iredapd": ("throttle", "throttle_tracking", "greylisting"),
    "iredadmin": (),
}


@dataclass(frozen=True, slots=True)
class Found:
    """What one logical database is like."""

    name: str
    answers: bool
    version: str = ""
    problems: tuple[str, ...] = ()  # what is broken
    off: tuple[str, ...] = ()  # what this schema has no place for
    own_version: int | None = None  # of our tables, where they live

    @property
    def own_are_old(self) -> bool:
        """Whether our tables wait for the next start, which makes or upgrades them."""
        return self.own_version is not None and self.own_version < own_tables.latest()


@dataclass(frozen=True, slots=True)
class Report:
    """What all of them are like."""

    databases: tuple[Found, ...] = field(default=())

    @property
    def sound(self) -> bool:
        """Whether nothing is broken."""
        return not any(found.problems for found in self.databases)


def inspect(databases: Mapping[str, Database], resources: Sequence[Resource]) -> Report:
    """Ask every database anew; one that does not answer is a finding, not an error."""
    wanted = declared(databases)
    return Report(
        tuple(_look(wanted[name], database, resources) for name, database in databases.items())
    )


def _look(wanted: Declared, database: Database, resources: Sequence[Resource]) -> Found:
    name = wanted.name
    database.catalogue = None
    try:
        columns = catalogue.columns_of(database)
        own = _own_version(name, database, columns)
    except MailwrightError as error:
        detail = error.detail if isinstance(error, Unavailable) else ""
        return Found(name, answers=False, problems=(detail or error.reason,))
    if is_empty(columns):
        return Found(
            name, answers=True, version="empty", problems=("it has no tables",), own_version=own
        )
    problems = [
        *(f"the table {table} is missing" for table in REQUIRED[name] if table not in columns),
        *_own_problems(own),
    ]
    return Found(
        name,
        answers=True,
        version=age(name, columns),
        problems=tuple(problems),
        off=tuple(_switched_off(wanted, columns, resources)),
        own_version=own,
    )


def _own_version(name: str, database: Database, columns: Columns) -> int | None:
    if name != "iredadmin":
        return None
    with database.connection() as connection:
        return own_tables.version(connection, frozenset(columns))


def _own_problems(version: int | None) -> Iterator[str]:
    if version is not None and version > own_tables.latest():
        yield f"Mailwright's own tables are of version {version}, which a newer release made"


def age(name: str, columns: Columns) -> str:
    """Which releases the schema looks like, in words."""
    return looks_like(*MARKS[name], columns)


def looks_like(product: str, marks: Sequence[Mark], columns: Columns) -> str:
    """Which releases of a product brought all of their marks, in words."""
    releases = list(dict.fromkeys(mark.since for mark in marks))
    whole = [_is_whole(release, marks, columns) for release in releases]
    if all(whole):
        return f"{product} {releases[-1]} or newer"
    at = whole.index(False)
    reached = f"{product} {releases[at - 1]} or newer, " if at else ""
    later = [release for release, there in zip(releases[at:], whole[at:], strict=True) if there]
    parts = f", with parts of {later[-1]}" if later else ""
    return f"{reached}older than {product} {releases[at]}{parts}"


def _is_whole(release: str, marks: Sequence[Mark], columns: Columns) -> bool:
    return all(_has(mark, columns) for mark in marks if mark.since == release)


def _has(mark: Mark, columns: Columns) -> bool:
    return mark.table in columns and set(mark.columns) <= columns[mark.table]


def _switched_off(
    wanted: Declared, columns: Columns, resources: Sequence[Resource]
) -> Iterator[str]:
    beside = MARKS_BESIDE_LDAP if wanted is IREDADMIN_BESIDE_LDAP else ()
    for mark in MARKS[wanted.name][1] + beside:
        if mark.table in REQUIRED[wanted.name] and mark.table not in columns:
            continue  # broken, and said so
        if not _has(mark, columns):
            yield f"{_missing(mark, columns)}: {mark.off}"
    tables = {table.name for table in wanted.tables}
    for resource in resources:
        if resource.sql.table in tables:
            yield from _fields_off(resource, columns)


def _missing(mark: Mark, columns: Columns) -> str:
    if mark.table not in columns:
        return f"the table {mark.table} is missing"
    absent = [f"{mark.table}.{name}" for name in mark.columns if name not in columns[mark.table]]
    are = "column {} is" if len(absent) == 1 else "columns {} are"
    return f"the {are.format(', '.join(absent))} missing"


def _fields_off(resource: Resource, columns: Columns) -> Iterator[str]:
    """A sentence for each parameter that this schema has no place for, in whole or in part."""
    for parameter in resource.fields:
        place = parameter.sql
        if parameter.hidden or (place is None and not parameter.read_only):
            continue
        if not has_place(resource.sql, place, columns):
            yield f"{resource.title}: {parameter.name} has no place ({_wanted(resource, place)})"
        elif isinstance(place, Switches):
            present = columns[resource.sql.table]
            gone = [name for name, switch in place.names.items() if switch.own not in present]
            if gone:
                yield f"{resource.title}: {parameter.name} cannot hold {', '.join(gone)}"


def _wanted(resource: Resource, place: object) -> str:
    own = resource.sql.table
    match place:
        case Column():
            return f"{own}.{place.name}"
        case Setting():
            return f"{own}.{resource.sql.settings}"
        case SideRow() | SideRows():
            return f"{place.table}.{place.value}"
        case Joined():
            return f"{place.table}.{place.column}"
        case Counted():
            return f"{place.table}.{place.key}"
        case Switches():
            return f"columns of {own}"
        case Derived() | None:
            return own
        case _:
            return own
