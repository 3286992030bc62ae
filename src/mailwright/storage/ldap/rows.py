"""Steps in the SQL database beside the directory: used quota, logins, shares, removed mailboxes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec
from msgspec import structs

from mailwright.fields.addresses import domain_of
from mailwright.fields.ldap_places import LdapHome
from mailwright.fields.places import Match, Reference
from mailwright.storage.ldap import names
from mailwright.storage.ldap.acts import UUID, Room, is_the_same
from mailwright.storage.ldap.connections import SUBTREE
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.reading import Library, path_in
from mailwright.storage.protocol import Farewell
from mailwright.storage.sql.catalogue import columns_of
from mailwright.storage.sql.codecs import day, moment
from mailwright.storage.sql.engine import Connection as SqlConnection
from mailwright.storage.sql.removal import escaped


class Row(msgspec.Struct, frozen=True):
    """A column of the SQL database beside the directory that can hold an account's key."""

    table: str
    column: str
    match: str
    domain: str
    beside: str

    @classmethod
    def of(cls, reference: Reference) -> Row:
        return cls(
            reference.table,
            reference.column,
            reference.match.name,
            reference.domain,
            reference.beside,
        )


class Forget(msgspec.Struct, tag=True, frozen=True):
    """Remove an account's rows from the SQL database beside the directory, or give them a new key.

    ``new_dn`` and ``uuid`` as in ``Strip``.
    """

    key: str
    rows: list[Row]
    new: str = ""
    new_dn: str = ""
    uuid: str = ""

    def apply(self, room: Room) -> None:
        if self.new and room.repeated and not is_the_same(room, self.new_dn, self.uuid):
            structs.replace(self, new="").apply(room)
            return
        database = room.library.database
        columns = columns_of(database)
        with database.transaction() as connection:
            for row in self.rows:
                if row.column not in columns.get(row.table, ()):
                    continue
                if self.new:
                    if room.repeated and not _has_row(connection, row, self.key):
                        continue  # moved already: what stands there is no predecessor's
                    connection.execute(
                        f'DELETE FROM "{row.table}" WHERE "{row.column}" = %s', (self.new,)
                    )
                    follows = f', "{row.domain}" = %s' if row.domain else ""
                    values = (self.new, *((domain_of(self.new),) if row.domain else ()))
                    connection.execute(
                        f'UPDATE "{row.table}" SET "{row.column}" = %s{follows} '
                        f'WHERE "{row.column}" = %s',
                        (*values, self.key),
                    )
                elif row.match == Match.WITHIN.name:
                    connection.execute(
                        f'DELETE FROM "{row.table}" WHERE "{row.column}" LIKE %s ESCAPE \'!\'',
                        (f"%@{escaped(self.key)}",),
                    )
                else:
                    connection.execute(
                        f'DELETE FROM "{row.table}" WHERE "{row.column}" = %s', (self.key,)
                    )


class Remember(msgspec.Struct, tag=True, frozen=True):
    """Note the mailbox of a user, or of every user of a domain, so that a job can erase it one day.

    Written before anything is removed: a mailbox that nobody remembers would stay for ever.
    """

    key: str
    dn: str
    uuid: str
    of_class: str
    path: str
    older_path: list[str]
    admin: str
    at: dt.datetime
    until: dt.date | None

    @classmethod
    def of(cls, key: str, entry: Entry, home: LdapHome, farewell: Farewell) -> Remember:
        return cls(
            key,
            entry.dn,
            entry.text(UUID),
            home.mailboxes,
            home.path,
            list(home.older_path),
            farewell.admin,
            farewell.at,
            farewell.until,
        )

    def apply(self, room: Room) -> None:
        self._note(room.library, self._mailboxes(room.library))

    def undo(self, room: Room) -> None:
        """The mailbox is still somebody's: a note would have it erased."""
        database = room.library.database
        if "deleted_mailboxes" not in columns_of(database):
            return
        users = self._mailboxes(room.library)
        with database.transaction() as connection:
            for address, path in users:
                connection.execute(
                    'DELETE FROM "deleted_mailboxes" WHERE "username" = %s AND "maildir" = %s',
                    (address, path),
                )

    def _mailboxes(self, library: Library) -> list[tuple[str, str]]:
        """All of them, before any is noted: if some cannot be read, the removal does not begin."""
        wanted = ("mail", self.path, *self.older_path)
        found_by = names.of_class(self.of_class)
        return [
            (entry.text("mail").lower(), path)
            for page in library.connection.pages(self.dn, SUBTREE, found_by, wanted)
            for entry in page
            if not entry.text("mail").startswith("@")
            and (path := path_in(entry, self.path, self.older_path))
        ]

    def _note(self, library: Library, users: Sequence[tuple[str, str]]) -> None:
        database = library.database
        present = columns_of(database).get("deleted_mailboxes", frozenset())
        if not present:
            return
        dialect = database.dialect
        with database.transaction() as connection:
            for address, path in users:
                row: Mapping[str, object] = {
                    "username": address,
                    "domain": domain_of(address),
                    "maildir": path,
                    "admin": self.admin,
                    "timestamp": moment(self.at, dialect),
                    "delete_date": day(self.until, dialect),
                    **_usage_of(connection, library, address),
                }
                row = {name: value for name, value in row.items() if name in present}
                known = connection.row(
                    'SELECT 1 FROM "deleted_mailboxes" WHERE "username" = %s AND "maildir" = %s',
                    (address, path),
                )
                if known is None:
                    columns = ", ".join(f'"{name}"' for name in row)
                    marks = ", ".join(["%s"] * len(row))
                    connection.execute(
                        f'INSERT INTO "deleted_mailboxes" ({columns}) VALUES ({marks})',
                        tuple(row.values()),
                    )


def _has_row(connection: SqlConnection, row: Row, key: str) -> bool:
    found = connection.row(f'SELECT 1 FROM "{row.table}" WHERE "{row.column}" = %s', (key,))
    return found is not None


def _usage_of(connection: SqlConnection, library: Library, address: str) -> dict[str, object]:
    """What Dovecot counted in a mailbox."""
    if "used_quota" not in columns_of(library.database):
        return {}
    row = connection.row(
        'SELECT "bytes", "messages" FROM "used_quota" WHERE "username" = %s', (address,)
    )
    return {"bytes": row[0], "messages": row[1]} if row else {}
