"""The same change for every account of a domain: one modify each, whatever became of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mailwright.errors import MailwrightError, NotFound, Unavailable
from mailwright.fields.field import Changes
from mailwright.fields.resource import Resource
from mailwright.storage.ldap import names
from mailwright.storage.ldap.acts import CSN, EVERY, UUID
from mailwright.storage.ldap.connections import ONE_LEVEL, Connection
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.grants import is_global, is_promoted
from mailwright.storage.ldap.reading import Library
from mailwright.storage.ldap.writing import Writing
from mailwright.storage.protocol import Contention, Failure

TRIES = 5


@dataclass(frozen=True, slots=True)
class Everyone:
    """A change of every account of a domain, and of ``each`` one something of its own.

    A page of entries is in memory at a time, read on a connection of its own.  An account that cannot be
    changed is ``told`` and the others are changed all the same.
    """

    library: Library
    reader: Connection
    resource: Resource
    changes: Changes
    each: Mapping[str, Changes]
    spared: frozenset[str]  # keys, in lower case, that are left alone
    known: frozenset[str] | None  # admins, in lower case, who are none of the spared; None: anybody
    told: Callable[[Failure], None]
    risen: Callable[[str], None]  # gets who became an admin since

    def change(self, domain: str) -> int:
        """Change them one after the other; how many were changed."""
        home, changed = self.resource.ldap, 0
        container = self.library.tree.container(home.branch, domain)
        found_by = names.both(
            names.of_class(home.main_class), names.no(names.equals(home.rdn, f"@{domain}"))
        )
        try:
            for page in self.reader.pages(container, ONE_LEVEL, found_by, EVERY):
                for entry in page:
                    changed += self._change(entry)
        except Unavailable as error:
            if not changed:
                raise
            self.told(Failure("", error.code, error.reason))
        return changed

    def _change(self, entry: Entry) -> bool:
        key = names.value_of(entry.dn).lower()
        if key in self.spared:
            return False
        try:
            for _ in range(TRIES):
                try:
                    return self._try(key, entry)
                except Contention:
                    entry = self._newer(key, entry)
            return self._try(key, entry)
        except NotFound:
            return False  # removed meanwhile
        except MailwrightError as error:
            if self.library.connection.closed:
                raise
            self.told(Failure(key, error.code, error.reason))
            return False

    def _try(self, key: str, entry: Entry) -> bool:
        """Change an account, unless it ranks higher: what is written holds for this very entry."""
        if self._has_risen(key, entry):
            self.risen(key)
            return False
        writing = Writing(self.library, self.resource, key, entry)
        writing.take(self.changes)
        own = self._own(key)
        if own is not None:
            writing.take(own)
        modifications = writing.draft.modifications()
        if modifications:
            self.library.connection.modify(entry.dn, modifications, entry.text(CSN))
        return True

    def _has_risen(self, key: str, entry: Entry) -> bool:
        if self.known is None:
            return False
        return is_global(entry) or (is_promoted(entry) and key not in self.known)

    def _own(self, key: str) -> Changes | None:
        try:
            return self.each[key]
        except KeyError:
            return None

    def _newer(self, key: str, entry: Entry) -> Entry:
        newer = self.library.connection.read(entry.dn, EVERY)
        if newer is None or newer.text(UUID) != entry.text(UUID):
            raise NotFound(f"{key} was removed")
        return newer
