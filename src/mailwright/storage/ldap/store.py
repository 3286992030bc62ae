"""Accounts in an OpenLDAP directory, with the SQL database ``iredadmin`` beside it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import Self

from mailwright.errors import Exists, MailwrightError, NotFound, Unavailable
from mailwright.fields.addresses import domain_of
from mailwright.fields.field import AnyField, Changes, Record
from mailwright.fields.ldap_places import LdapHome, Services
from mailwright.fields.resource import Resource
from mailwright.storage.ldap import grants, names, questions
from mailwright.storage.ldap.acts import EVERY, Room
from mailwright.storage.ldap.bulk import Everyone
from mailwright.storage.ldap.connections import BASE, NO_ATTRIBUTES, Connection, Directory
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.finding import Finding
from mailwright.storage.ldap.inspection import missing
from mailwright.storage.ldap.moving import removal, renaming
from mailwright.storage.ldap.names import Tree
from mailwright.storage.ldap.plans import Plan, Task, carry_out, repeat
from mailwright.storage.ldap.reading import (
    Library,
    count_entries,
    has_place,
)
from mailwright.storage.ldap.schema import Schema
from mailwright.storage.ldap.selection import selection
from mailwright.storage.ldap.steps import Change, Insert, Require
from mailwright.storage.ldap.writing import Writing
from mailwright.storage.protocol import (
    Administrator,
    AllBut,
    Changed,
    Clock,
    Failure,
    Farewell,
    Names,
    Page,
    Query,
    Usage,
)
from mailwright.storage.sql.catalogue import columns_of
from mailwright.storage.sql.engine import Database
from mailwright.storage.sql.journal import Entry as JournalEntry
from mailwright.storage.sql.journal import Journal
from mailwright.storage.sql.locks import Held, Locks

LOG = logging.getLogger("mailwright")
ADMINS_LOCK = "admins"


class LdapAccountStore:
    """One directory; its schema is read once."""

    def __init__(
        self,
        directory: Directory,
        *,
        tree: Tree,
        database: Database,
        locks: Locks,
        clock: Clock,
        storage_base: str,
    ) -> None:
        self.directory = directory
        self.tree = tree
        self.database = database
        self.locks = locks
        self.clock = clock
        self.storage_base = storage_base
        self._schema: Schema | None = None
        self._schema_lock = threading.Lock()

    @property
    def backend(self) -> str:
        """The configured name."""
        return "ldap"

    @cached_property
    def journal(self) -> Journal:
        """Operations that were interrupted."""
        return Journal(self.database)

    def session(self) -> LdapAccounts:
        """Accounts for one piece of work: to be entered."""
        return LdapAccounts(self, self.locks.hold())

    def check(self) -> Sequence[str]:
        """Connect anew and look at tree and schema; sentences about what is missing."""
        with self.directory.connection() as connection:
            connection.reopen()
            self._schema = Schema(connection)
            return missing(connection, self.tree, self._schema)

    def down(self) -> Sequence[str]:
        """The directory, if it gives no answer."""
        try:
            with self.directory.connection() as connection:
                found = connection.read(self.tree.base, NO_ATTRIBUTES)
        except MailwrightError:
            found = None
        return () if found is not None else ("directory",)

    def is_unfinished(self, key: str) -> bool:
        """Whether the journal has something about the account's domain."""
        return bool(self.journal.open_under(_lock_of(key)))

    def finish(self, key: str) -> None:
        """Finish what the journal has about the account's domain."""
        with self.session() as accounts:
            accounts.take(_lock_of(key))

    def repair(self) -> Sequence[str]:
        """Finish what was interrupted; sentences about what was done and what stays."""
        told: list[str] = []
        for subject in dict.fromkeys(entry.subject for entry in self.journal.all()):
            try:
                with self.session() as accounts:
                    told += accounts.take(subject)
            except MailwrightError as error:
                LOG.warning("an interrupted operation on %s stays for now: %s", subject, error.code)
                told.append(f"{subject}: an interrupted operation stays for now ({error.code})")
                if error.code == "SERVER_DOWN":
                    break  # nor would it answer about the others, and each would wait for that
        return told

    def schema(self, connection: Connection) -> Schema:
        """What the server's schema knows."""
        if self._schema is None:
            with self._schema_lock:
                if self._schema is None:
                    if connection.read(self.tree.base, NO_ATTRIBUTES) is None:
                        # Else every list would be empty, and look as if nothing was ever made.
                        raise Unavailable(
                            "the directory has no entry for the mail domains, "
                            "or hides it from the configured bind DN",
                            code="NO_BASE_ENTRY",
                            detail=self.tree.base,
                        )
                    self._schema = _readable_schema(connection)
        return self._schema

    def close(self) -> None:
        """Close the idle connections."""
        self.directory.close()
        self.locks.close()


class LdapAccounts:
    """The accounts as one piece of work sees them; what it changes is written by ``commit``."""

    all_at_once = False

    def __init__(self, store: LdapAccountStore, held: Held) -> None:
        self._store = store
        self._held = held
        self._connection: Connection | None = None
        self._library: Library | None = None
        self._in_transaction = False
        self._plan = Plan()
        self._entries: dict[str, Entry] = {}  # as they were under the lock
        self._claims: list[tuple[LdapHome, str, str, list[str]]] = []  # new addresses

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._held:  # let go of at last, whatever happens before
            connection, self._connection = self._connection, None
            if connection is not None:
                self._store.directory.take_back(connection)

    def begin(self) -> None:
        """Start the transaction."""
        self._in_transaction = True

    def commit(self) -> None:
        """Write what was changed."""
        plan, self._plan = self._plan, Plan()
        if plan.tasks:
            now = int(self._store.clock().timestamp())
            carry_out(plan, self._store.journal, Room(self.library), now)
            self._claims_hold(plan)
        self._in_transaction = False

    @property
    def library(self) -> Library:
        """What reading and writing need; connects when it is first asked for."""
        if self._library is None:
            store = self._store
            if self._connection is None:  # else the schema could not be read before
                self._connection = store.directory.lend()
            self._library = Library(
                self._connection,
                store.tree,
                store.schema(self._connection),
                store.database,
                store.storage_base,
            )
        return self._library

    def get(
        self,
        resource: Resource,
        key: str,
        fields: Iterable[AnyField] | None = None,
        *,
        lock: bool = False,
    ) -> Record:
        """One account, by default with all fields that are shown."""
        library = self.library
        chosen = selection(library, resource, resource.shown if fields is None else fields)
        dn = library.tree.account(resource.ldap, key)
        if lock:
            self.take(_lock_of(key))
        wanted = EVERY if lock else chosen.attributes
        asked = (dn, BASE, names.of_class(resource.ldap.main_class), wanted)
        found, *groups = library.connection.search_each([asked, *chosen.questions(library, key)])
        if not found:
            raise NotFound(f"{resource.title} {key} does not exist", code=resource.missing)
        if lock:
            self._entries[dn] = found[0]
        (record,) = chosen.records(library, [(key, found[0])], counted=not lock, groups=groups)
        return record

    def find(
        self, resource: Resource, query: Query, fields: Iterable[AnyField] | None = None
    ) -> Page:
        """Accounts in order."""
        wanted = resource.shown if fields is None else tuple(fields)
        return self._finding(resource, query).page(wanted)

    def find_names(self, resource: Resource, query: Query) -> Names:
        """Keys in order."""
        return self._finding(resource, query).names()

    def count(self, resource: Resource, query: Query) -> int:
        """How many there are."""
        return self._finding(resource, query).count()

    def _finding(self, resource: Resource, query: Query) -> Finding:
        return Finding(self.library, resource, query, self._store.directory.connection)

    def add(self, resource: Resource, key: str, changes: Changes) -> None:
        """A new account."""
        library = self.library
        self.take(_lock_of(key))
        dn = library.tree.account(resource.ldap, key)
        if library.connection.read(dn, NO_ATTRIBUTES) is not None or not questions.is_free(
            library, resource.ldap, key
        ):
            raise Exists(f"{resource.title} {key} already exists", parameter=resource.key_name)
        writing = Writing(library, resource, key, domain=lambda: self._domain_entry(resource, key))
        writing.begin_new()
        writing.take(changes)
        writing.finish_new()
        self._claim(resource, key, dn, [key, *writing.new_addresses()])
        self._plan.undo = writing.undoing()
        if resource.ldap.containers:
            self._extend(key, _with_containers(writing, resource))
        else:
            self._extend(key, writing.creation())

    def change(self, resource: Resource, record: Record, changes: Changes) -> None:
        """Write the changed fields of one account."""
        library = self.library
        dn = library.tree.account(resource.ldap, record.key)
        entry = self._entries.get(dn)
        if entry is None:
            raise RuntimeError("the account was not read under a lock")
        key = record.key
        writing = Writing(library, resource, key, entry, lambda: self._domain_entry(resource, key))
        writing.take(changes)
        self._claim(resource, key, dn, writing.new_addresses())
        self._extend(key, writing.update())
        if not resource.ldap.is_addressed:
            # Of several entries the domain's is the one that is written as a whole: whoever holds its lock
            # next makes up for what an interruption left.
            self._plan.subject = key

    def hold_all(self, resource: Resource, domain: str) -> None:
        """Nothing is held: they are changed one after the other."""

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
        """Write to one account of a domain after the other, at once; those that fail are told.

        No lock is held: each change holds only if nobody else changed the entry meanwhile.
        """
        failures: list[Failure] = []
        risen: list[str] = []
        with self._store.directory.connection() as reader:
            everyone = Everyone(
                self.library,
                reader,
                resource,
                changes,
                {} if each is None else each,  # one that makes hashes when asked counts none
                frozenset(key.lower() for key in spare),
                None if known is None else frozenset(key.lower() for key in known),
                failures.append,
                risen.append,
            )
            number = everyone.change(domain)
        return Changed(number, failures, risen)

    def remove(self, resource: Resource, key: str, farewell: Farewell) -> None:
        """Remove the account and all that refers to it."""
        self.take(_lock_of(key))
        entry = self._existing(resource, key)
        tasks = removal(self.library, resource, key, entry, farewell)
        self._extend(key, tasks)

    def rename(self, resource: Resource, old: str, new: str) -> None:
        """Give an account a new key, everywhere."""
        for name in sorted({_lock_of(old), _lock_of(new)}):
            self.take(name)
        entry = self._existing(resource, old)
        if not questions.is_free(self.library, resource.ldap, new, unless=entry.dn):
            raise Exists(f"{resource.title} {new} already exists", parameter=resource.key_name)
        if not self.library.connection.read(
            self.library.tree.domain(domain_of(new)), NO_ATTRIBUTES
        ):
            raise NotFound(f"domain {domain_of(new)} does not exist", code="NO_SUCH_DOMAIN")
        self._extend(old, renaming(self.library, resource, old, new, entry))

    def is_taken(self, address: str) -> bool:
        """Whether the address belongs to anything."""
        return questions.is_taken(self.library, address)

    def is_group(self, address: str) -> bool:
        """Whether a list or a mail alias has this address."""
        return questions.is_group(self.library, address)

    def kept_mailboxes(self, address: str) -> Sequence[str]:
        """Paths of mailboxes that removed accounts of this address left behind."""
        database = self._store.database
        if "deleted_mailboxes" not in columns_of(database):
            return ()
        with database.connection() as connection:
            rows = connection.rows(
                'SELECT "maildir" FROM "deleted_mailboxes" WHERE "username" = %s', (address,)
            )
        return [row[0] for row in rows]

    def hosted_domain(self, name: str) -> str | None:
        """The domain itself, the domain that has this further name, or ``None``."""
        return questions.hosted_domain(self.library, name)

    def standalone_admins(self, domain: str) -> frozenset[str]:
        """The standalone admins whose addresses are in a domain."""
        return questions.standalone_admins(self.library, domain)

    def usage(self, *domains: str) -> Usage:
        """What domains hold, together."""
        each = [count_entries(self.library, domain) for domain in dict.fromkeys(domains)]
        return Usage(
            sum(counts.users for counts in each),
            sum(counts.aliases for counts in each),
            sum(counts.lists for counts in each),
            sum(counts.total for counts in each),
        )

    def manages(self, username: str, domain: str) -> bool:
        """Whether an admin was given this very domain."""
        return grants.manages(self.library, username, domain)

    def administers(self, username: str, *, active: bool = False) -> frozenset[str]:
        """The domains that an account was given; none of them is ever switched off."""
        del active
        return grants.administers(self.library, username)

    def admins_among(self, domain: str) -> Mapping[str, frozenset[str]]:
        """The mail users of a domain that may administer, and what."""
        return grants.admins_among(self.library, domain)

    def admin_settings(self, username: str) -> Mapping[str, str]:
        """The settings that an account has as an admin."""
        return grants.admin_settings(self.library, username)

    def hold_limits(self, username: str) -> None:
        """Have nobody else settle the limits of an admin; the journal has nothing under this lock."""
        self._held.take(f"limits:{username.lower()}")

    def administrator(self, username: str) -> Administrator | None:
        """The active account that may administer under this name."""
        return questions.administrator(self.library, username)

    def global_admins(self) -> Sequence[str]:
        """The active global admins."""
        if self._in_transaction:
            self.take(ADMINS_LOCK)
        return questions.global_admins(self.library)

    def supports(self, resource: Resource, field: AnyField) -> bool:
        """Whether this server's schema has a place for the field."""
        return has_place(resource.ldap, field.ldap, self.library.schema)

    def names_kept(self, resource: Resource, field: AnyField) -> AllBut | None:
        """The members of a list that can be kept: any, but those that are not for clients."""
        del resource
        place = field.ldap
        return AllBut(place.reserved) if isinstance(place, Services) else None

    def take(self, lock: str) -> Sequence[str]:
        """Hold a lock until the session ends, and first finish what its last holder could not.

        Sentences about what was finished.
        """
        if not self._held.take(lock):
            return ()
        return [self._recover(entry) for entry in self._store.journal.open_under(lock)]

    def _recover(self, entry: JournalEntry) -> str:
        """Whoever holds the lock now knows that nobody works on it: the one who did is gone."""
        try:
            finished = repeat(entry.plan, Room(self.library))
        except Unavailable as error:
            # What is written meanwhile would be lost when it is carried out after all.
            LOG.warning("an interrupted operation on %s stays: %s", entry.subject, error.code)
            raise
        except MailwrightError as error:
            # Waiting would not help, and what it could do is not to be done again over later changes.
            self._store.journal.erase(entry.ident)
            LOG.warning("an interrupted operation on %s cannot end: %s", entry.subject, error.code)
            return f"{entry.subject}: an interrupted operation cannot end ({error.code})"
        self._store.journal.erase(entry.ident)
        done = "finished" if finished else "had nothing left to do"
        LOG.warning("an interrupted operation on %s %s", entry.subject, done)
        return f"{entry.subject}: an interrupted operation {done}"

    def _extend(self, key: str, tasks: Iterable[Task]) -> None:
        self._plan.subject = self._plan.subject or _lock_of(key)
        self._plan.tasks.extend(tasks)

    def _existing(self, resource: Resource, key: str) -> Entry:
        entry = self.library.connection.read(
            self.library.tree.account(resource.ldap, key),
            EVERY,
            names.of_class(resource.ldap.main_class),
        )
        if entry is None:
            raise NotFound(f"{resource.title} {key} does not exist", code=resource.missing)
        return entry

    def _domain_entry(self, resource: Resource, key: str) -> Entry | None:
        if not resource.ldap.branch:
            return None
        dn = self.library.tree.domain(domain_of(key))
        known = self._entries.get(dn)
        return known if known is not None else self.library.connection.read(dn, EVERY)

    def _claim(self, resource: Resource, key: str, dn: str, addresses: list[str]) -> None:
        if addresses:
            self._claims.append((resource.ldap, key, dn, addresses))

    def _claims_hold(self, plan: Plan) -> None:
        """Another program may have taken an address at the same moment: the later one gives way."""
        claims, self._claims = self._claims, []
        for home, key, dn, addresses in claims:
            try:
                questions.take_back_claims(self.library, home, dn, key, addresses)
            except Exists:
                for step in plan.undo:
                    step.apply(Room(self.library, repeated=True))
                raise


def _readable_schema(connection: Connection) -> Schema:
    schema = Schema(connection)
    if not schema.knows_class("mailDomain"):
        # Else every parameter would be ignored, and every account look empty.
        raise Unavailable(
            "the directory has no schema of mail accounts, or hides it from the configured bind DN",
            code="NO_SCHEMA",
        )
    return schema


def _lock_of(key: str) -> str:
    return domain_of(key) if "@" in key else key


def _with_containers(writing: Writing, resource: Resource) -> list[Task]:
    """A domain takes no mail before everything it needs is there."""
    status = writing.draft.values("accountStatus") or ("active",)
    writing.draft.put("accountStatus", ("disabled",))
    attributes = writing.draft.changed()
    containers = [
        Task(
            step=Insert(
                names.below("ou", name, writing.dn),
                {"objectClass": ["organizationalUnit"], "ou": [name]},
            )
        )
        for name in resource.ldap.containers
    ]
    return [
        Task(step=Require(writing.dn), run=Insert(writing.dn, attributes).apply),
        *containers,
        *writing.following(),
        Task(step=Change(writing.dn, put={"accountStatus": list(status)})),
    ]
