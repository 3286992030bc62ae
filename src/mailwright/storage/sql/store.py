"""Accounts in the ``vmail`` database of SQLite, PostgreSQL, MariaDB or MySQL."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from mailwright.errors import Exists, NotFound
from mailwright.fields.field import AnyField, Changes, Record
from mailwright.fields.places import Setting, Switches
from mailwright.fields.resource import MOST_KEPT, Resource
from mailwright.storage.protocol import (
    Administrator,
    Changed,
    Clock,
    Farewell,
    Names,
    Page,
    Query,
    Usage,
)
from mailwright.storage.sql import grants
from mailwright.storage.sql.catalogue import Columns, columns_of, know
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Connection, Database
from mailwright.storage.sql.finding import Finding
from mailwright.storage.sql.reading import Reading, has_place
from mailwright.storage.sql.removal import Removal, escaped
from mailwright.storage.sql.writing import Writing, chunks, hosted_domain, lock_all

_TAKEN = (
    'SELECT 1 FROM "mailbox" WHERE "username" = %s UNION ALL '
    'SELECT 1 FROM "forwardings" WHERE "address" = %s UNION ALL '
    'SELECT 1 FROM "alias" WHERE "address" = %s UNION ALL '
    'SELECT 1 FROM "admin" WHERE "username" = %s'
)
_TAKEN_BY_LIST = ' UNION ALL SELECT 1 FROM "maillists" WHERE "address" = %s'
_ADMINISTRATOR = (
    'SELECT 0, a."username", a."password", a."name", (SELECT COUNT(*) FROM "domain_admins" d '
    'WHERE d."username" = a."username" AND d."domain" = \'ALL\') '
    'FROM "admin" a WHERE a."username" = %s AND a."active" = 1 UNION ALL '
    'SELECT 1, m."username", m."password", m."name", m."isglobaladmin" FROM "mailbox" m '
    'WHERE m."username" = %s AND m."active" = 1 AND (m."isadmin" = 1 OR m."isglobaladmin" = 1)'
)
_GLOBAL_ADMINS = (
    'SELECT d."username" FROM "domain_admins" d JOIN "admin" a ON a."username" = d."username" '
    'WHERE d."domain" = \'ALL\' AND a."active" = 1 UNION '
    'SELECT m."username" FROM "mailbox" m JOIN "domain" o ON o."domain" = m."domain" '
    'WHERE m."isglobaladmin" = 1 AND m."active" = 1'
)


class SqlAccountStore:
    """One ``vmail`` database; statements are put together once for each set of fields."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._readings: dict[tuple[object, ...], Reading] = {}

    @property
    def backend(self) -> str:
        """The engine's name."""
        return self.database.dialect.value

    @property
    def columns(self) -> Columns:
        """The columns that this server really has, by table."""
        return columns_of(self.database)

    @contextmanager
    def session(self) -> Iterator[SqlAccounts]:
        """Accounts for one piece of work."""
        know(self.database)  # before a connection is held: the first ones would wait for each other
        with self.database.connection() as connection:
            yield SqlAccounts(self, connection)

    def check(self) -> Sequence[str]:
        """Connect anew and look at the schema; sentences about what is missing."""
        self.database.catalogue = None
        self._readings.clear()
        return [
            f"the table {table} is missing"
            for table in (
                "domain",
                "mailbox",
                "forwardings",
                "alias",
                "alias_domain",
                "admin",
                "domain_admins",
            )
            if table not in self.columns
        ]

    def down(self) -> Sequence[str]:
        """Its database is one of those that are asked anyway."""
        return ()

    def is_unfinished(self, key: str) -> bool:
        """Nothing ever is."""
        del key
        return False

    def finish(self, key: str) -> None:
        """Nothing is ever half-done."""
        del key

    def repair(self) -> Sequence[str]:
        """Nothing is ever half-done: whatever belongs together is one transaction."""
        return ()

    def close(self) -> None:
        """Close the idle connections."""
        self.database.close()

    def reading(
        self, resource: Resource, fields: tuple[AnyField, ...], *, alone: bool, counted: bool
    ) -> Reading:
        """The statements that read these fields, whatever their order."""
        # Two resources may have one name and lie in different tables.
        key = (resource.sql.table, frozenset(fields), alone, counted)
        found = self._readings.get(key)
        if found is None:
            found = Reading(resource, fields, self.columns, alone=alone, counted=counted)
            if len(self._readings) >= MOST_KEPT:
                self._readings.clear()
            self._readings[key] = found
        return found


class SqlAccounts:
    """The accounts as one piece of work sees them."""

    all_at_once = True

    def __init__(self, store: SqlAccountStore, connection: Connection) -> None:
        self._store = store
        self._connection = connection
        self._lock = "" if store.database.dialect is Dialect.SQLITE else " FOR UPDATE"

    def begin(self) -> None:
        """Start the transaction."""
        self._connection.begin()

    def commit(self) -> None:
        """Make the changes last."""
        self._connection.commit()

    def get(
        self,
        resource: Resource,
        key: str,
        fields: Iterable[AnyField] | None = None,
        *,
        lock: bool = False,
    ) -> Record:
        """One account, by default with all fields that are shown."""
        wanted = resource.shown if fields is None else tuple(fields)
        reading = self._store.reading(resource, wanted, alone=lock, counted=not lock)
        record = reading.one(self._connection, key, lock=self._lock if lock else "")
        if record is None:
            raise NotFound(f"{resource.title} {key} does not exist", code=resource.missing)
        return record

    def find(
        self, resource: Resource, query: Query, fields: Iterable[AnyField] | None = None
    ) -> Page:
        """Accounts in order."""
        wanted = resource.shown if fields is None else tuple(fields)
        reading = self._store.reading(resource, wanted, alone=False, counted=False)
        return Finding(resource, query, self._store.database).page(self._connection, reading)

    def find_names(self, resource: Resource, query: Query) -> Names:
        """Keys in order."""
        return Finding(resource, query, self._store.database).names(self._connection)

    def count(self, resource: Resource, query: Query) -> int:
        """How many there are."""
        return Finding(resource, query, self._store.database).count(self._connection)

    def add(self, resource: Resource, key: str, changes: Changes) -> None:
        """A new account."""
        writing = Writing(resource, self._store.columns, self._connection, self._store.clock())
        writing.take(changes, None)
        try:
            writing.insert(key)
        except Exists:
            raise Exists(
                f"{resource.title} {key} already exists", parameter=resource.key_name
            ) from None

    def change(self, resource: Resource, record: Record, changes: Changes) -> None:
        """Write the changed fields of one account."""
        writing = Writing(resource, self._store.columns, self._connection, self._store.clock())
        writing.take(changes, record)
        writing.update(record.key)

    def hold_all(self, resource: Resource, domain: str) -> None:
        """Lock the accounts of a domain."""
        lock_all(self._connection, resource.sql, domain)

    def change_all(
        self,
        resource: Resource,
        domain: str,
        changes: Changes,
        each: Mapping[str, Changes] | None = None,
        spare: Collection[str] = (),
        *,
        known: Collection[str] | None = None,
    ) -> Changed:
        """Write to every account of a domain but some; nobody ranks higher since they are held."""
        del known
        spared = frozenset(key.lower() for key in spare)
        writing = Writing(resource, self._store.columns, self._connection, self._store.clock())
        writing.take(changes, None)
        touched = writing.update_all(domain, spared)
        for key, own in (each or {}).items():
            if key.lower() in spared:
                continue
            single = Writing(resource, self._store.columns, self._connection, self._store.clock())
            single.take(own, None)
            single.update(key)
        return Changed(touched)

    def remove(self, resource: Resource, key: str, farewell: Farewell) -> None:
        """Remove the account and all that refers to it."""
        if not self._removal(resource).remove(key, farewell):
            raise NotFound(f"{resource.title} {key} does not exist", code=resource.missing)

    def rename(self, resource: Resource, old: str, new: str) -> None:
        """Give an account a new key, everywhere."""
        if not self._removal(resource).rename(old, new, self._store.clock()):
            raise NotFound(f"{resource.title} {old} does not exist", code=resource.missing)

    def _removal(self, resource: Resource) -> Removal:
        return Removal(self._connection, resource.sql, self._store.columns)

    def is_taken(self, address: str) -> bool:
        """Whether the address belongs to anything."""
        if "maillists" in self._store.columns:
            return self._connection.row(_TAKEN + _TAKEN_BY_LIST, (address,) * 5) is not None
        return self._connection.row(_TAKEN, (address,) * 4) is not None

    def is_group(self, address: str) -> bool:
        """Whether a mail alias account has this address."""
        found = self._connection.row('SELECT 1 FROM "alias" WHERE "address" = %s', (address,))
        return found is not None

    def kept_mailboxes(self, address: str) -> Sequence[str]:
        """Paths of mailboxes that removed accounts of this address left behind."""
        if "deleted_mailboxes" not in self._store.columns:
            return ()
        return [
            row[0]
            for row in self._connection.rows(
                'SELECT "maildir" FROM "deleted_mailboxes" WHERE "username" = %s', (address,)
            )
        ]

    def hosted_domain(self, name: str) -> str | None:
        """The domain itself, the target of an alias domain, or ``None``."""
        return hosted_domain(self._connection, name)

    def standalone_admins(self, domain: str) -> frozenset[str]:
        """The standalone admins whose addresses are in a domain; a server has few admins."""
        ending = f"@{domain.lower()}"
        found = self._connection.rows(
            'SELECT "username" FROM "admin" WHERE LOWER("username") LIKE %s ESCAPE \'!\'',
            (f"%{escaped(ending)}",),
        )
        # MariaDB finds names that differ in accents, too.
        return frozenset(row[0].lower() for row in found if row[0].lower().endswith(ending))

    def usage(self, *domains: str) -> Usage:
        """What domains hold, together."""
        users = aliases = lists = quota = 0
        for some in chunks(tuple(dict.fromkeys(domains))):
            row = self._connection.row(_usage(len(some), self._store.columns), (*some,) * 3)
            users_, quota_, aliases_, lists_ = map(int, row or (0, 0, 0, 0))
            users, aliases, lists = users + users_, aliases + aliases_, lists + lists_
            quota += quota_
        return Usage(users, aliases, lists, quota)

    def manages(self, username: str, domain: str) -> bool:
        """Whether an admin was given this very domain."""
        return grants.manages(self._connection, username, domain)

    def administers(self, username: str, *, active: bool = False) -> frozenset[str]:
        """The domains that an account was given."""
        return grants.administers(self._connection, username, active=active)

    def admins_among(self, domain: str) -> Mapping[str, frozenset[str]]:
        """The mail users of a domain that may administer, and what."""
        return grants.admins_among(self._connection, domain)

    def admin_settings(self, username: str) -> Mapping[str, str]:
        """The settings that an account has as an admin."""
        return grants.admin_settings(self._connection, self._store.columns, username)

    def hold_limits(self, username: str) -> None:
        """Have nobody else settle the limits of an admin; SQLite has one writer anyway."""
        if self._lock:
            grants.hold_limits(self._connection, username, self._lock)

    def administrator(self, username: str) -> Administrator | None:
        """The active account that may administer under this name."""
        for row in self._connection.rows(_ADMINISTRATOR, (username, username)):
            is_mail_user, stored, password, name, is_global = row
            # MariaDB finds names that differ in accents, too.
            if stored.lower() == username.lower():
                return Administrator(
                    stored, (password or "",), bool(is_global), bool(is_mail_user), name or ""
                )
        return None

    def global_admins(self) -> Sequence[str]:
        """The active global admins."""
        if self._connection.in_transaction and self._lock:
            self._connection.rows(
                f'SELECT "username" FROM "domain_admins" WHERE "domain" = \'ALL\'{self._lock}'
            )
        return [row[0] for row in self._connection.rows(_GLOBAL_ADMINS)]

    def supports(self, resource: Resource, field: AnyField) -> bool:
        """Whether this server's schema has a place for the field."""
        return has_place(resource.sql, field.sql, self._store.columns)

    def names_kept(self, resource: Resource, field: AnyField) -> frozenset[str] | None:
        """The members of a list that this server's schema can keep; ``None`` for any."""
        place = field.sql
        if isinstance(place, Switches):
            present = self._store.columns[resource.sql.table]
            return frozenset(name for name, switch in place.names.items() if switch.own in present)
        if isinstance(place, Setting) and place.only:
            return frozenset(place.only)
        return None


def _usage(number: int, columns: Columns) -> str:
    """What so many domains hold; each of their names is asked with three times."""
    among = f'"domain" IN ({", ".join(["%s"] * number)})'
    lists = f'SELECT COUNT(*) FROM "maillists" WHERE {among}'
    if "maillists" not in columns:
        lists = f'SELECT 0 * COUNT(*) FROM "alias" WHERE {among}'
    return (
        f'SELECT COUNT(*), COALESCE(SUM("quota"), 0), '
        f'(SELECT COUNT(*) FROM "alias" WHERE {among}), ({lists}) FROM "mailbox" WHERE {among}'
    )
