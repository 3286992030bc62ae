"""Bound connections to the directory: a pool, reconnecting, paging; no exception of the library leaves.

A connection that a restarted server dropped costs no request: what only reads is repeated on a new one.
What writes is not, because nobody knows whether it was done; see ``plans``.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import ldap
import ldap.modlist
from ldap.controls import RequestControl
from ldap.controls.libldap import AssertionControl, SimplePagedResultsControl
from ldap.ldapobject import SimpleLDAPObject

from mailwright.errors import NotFound, Unavailable
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.failures import DOWN, NoAnswer, translate, why
from mailwright.storage.ldap.names import EVERYTHING
from mailwright.storage.permits import Permits

T = TypeVar("T")
BASE: int = ldap.SCOPE_BASE
ONE_LEVEL: int = ldap.SCOPE_ONELEVEL
SUBTREE: int = ldap.SCOPE_SUBTREE
NO_ATTRIBUTES = ("1.1",)
_SPEECHLESS = "unknown error code"

Modification = tuple[int, str, Sequence[bytes] | None]
"""Operation of ``ldap.MOD_…``, attribute, values."""

Question = tuple[str, int, str, Sequence[str]]
"""Base, scope, filter, attributes of a search."""


@dataclass(frozen=True, slots=True)
class DirectoryTarget:
    """Where the directory is and how to get in; times are in seconds."""

    uri: str
    bind_dn: str
    password: str = field(repr=False)
    start_tls: bool = False
    ca_file: str = ""
    timeout: int = 10
    page_size: int = 500


class Connection:
    """A bound connection that one caller has at a time."""

    __slots__ = ("_directory", "_raw", "idle_since", "writes")

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._raw: SimpleLDAPObject | None = None
        self.idle_since = 0.0
        self.writes = 0  # that arrived for certain
        self._open()

    @property
    def closed(self) -> bool:
        """Whether the connection was dropped."""
        return self._raw is None

    def read(
        self, dn: str, attributes: Sequence[str] | None = None, found_by: str = EVERYTHING
    ) -> Entry | None:
        """One entry by its name, or ``None``."""
        try:
            found = self._safely(
                lambda raw: raw.search_ext_s(dn, ldap.SCOPE_BASE, found_by, attributes)
            )
        except NotFound:
            return None
        return next((Entry(name, values) for name, values in found if name is not None), None)

    def read_each(
        self, questions: Sequence[tuple[str, str]], attributes: Sequence[str]
    ) -> list[Entry | None]:
        """Several entries, each by its name and a filter, asked for together: one way there and back."""
        found = self.search_each([(dn, BASE, found_by, attributes) for dn, found_by in questions])
        return [next(iter(entries), None) for entries in found]

    def search_each(self, questions: Sequence[Question]) -> list[list[Entry]]:
        """What several searches find, asked together; each is for few.  A missing base finds none."""

        def ask(raw: SimpleLDAPObject) -> list[list[tuple[str | None, Any]]]:
            waiting = [raw.search_ext(*question) for question in questions]
            answers: list[list[tuple[str | None, Any]]] = []
            failed: ldap.LDAPError | None = None
            for number in waiting:  # every answer is taken, so that none waits for the next caller
                try:
                    answers.append(raw.result4(number)[1])  # what result() calls in the end
                except ldap.NO_SUCH_OBJECT:
                    answers.append([])
                except DOWN:
                    raise
                except ldap.LDAPError as error:
                    failed = failed or error
            if failed is not None:
                raise failed
            return answers

        return [
            [Entry(name, values) for name, values in found if name is not None]
            for found in self._safely(ask)
        ]

    def search(
        self, base: str, scope: int, found_by: str, attributes: Sequence[str] | None = None
    ) -> list[Entry]:
        """The entries that a filter finds; for searches that find few.  A missing base finds none."""
        try:
            found = self._safely(lambda raw: raw.search_ext_s(base, scope, found_by, attributes))
        except NotFound:
            return []
        return [Entry(name, values) for name, values in found if name is not None]

    def pages(
        self, base: str, scope: int, found_by: str, attributes: Sequence[str] | None = None
    ) -> Iterator[list[Entry]]:
        """The entries that a filter finds, some at a time, so that memory stays small.

        Nothing else is done on this connection while the pages are read.
        """
        few = self._few(base, scope, found_by, attributes)
        if few is not None:
            yield few
            return
        size = self._directory.target.page_size
        control = SimplePagedResultsControl(criticality=True, size=size, cookie="")
        while True:
            try:
                found, cookie = self._page(base, scope, found_by, attributes, control)
            except NotFound:
                return
            yield [Entry(name, values) for name, values in found if name is not None]
            if not cookie:
                return
            control = SimplePagedResultsControl(criticality=True, size=size, cookie=cookie)

    def add(self, dn: str, attributes: Mapping[str, Sequence[bytes]]) -> None:
        """A new entry.  ``Exists``, ``NotFound`` without its parent."""
        self._write(lambda raw: raw.add_ext_s(dn, ldap.modlist.addModlist(dict(attributes))))

    def modify(self, dn: str, changes: Sequence[Modification], unchanged_since: str = "") -> None:
        """All changes of one entry at once, and only if its ``entryCSN`` is still the given one."""
        controls: list[RequestControl] = []
        if unchanged_since and self._directory.asserts:
            controls = [AssertionControl(True, f"(entryCSN={unchanged_since})")]  # noqa: FBT003
        self._write(lambda raw: raw.modify_ext_s(dn, list(changes), serverctrls=controls))

    def delete(self, dn: str) -> None:
        """Remove an entry that has no children.  ``NotFound``."""
        self._write(lambda raw: raw.delete_ext_s(dn))

    def rename(self, dn: str, new_rdn: str, parent: str) -> None:
        """Give an entry another name and parent; the old name's value goes.  ``Exists``, ``NotFound``."""
        self._write(lambda raw: raw.rename_s(dn, new_rdn, parent, delold=1))

    def close(self) -> None:
        """Drop the connection."""
        raw, self._raw = self._raw, None
        if raw is not None:
            with suppress(ldap.LDAPError):
                raw.unbind_ext_s()

    def reopen(self) -> None:
        """Connect and bind anew."""
        self.close()
        self._open()

    def subschema(self) -> Mapping[str, Sequence[bytes]]:
        """The attribute types and object classes that the server knows."""
        where = self.read("", ("subschemaSubentry",))
        if where is None or not where.text("subschemaSubentry"):
            return {}
        found = self._safely(
            lambda raw: raw.read_subschemasubentry_s(where.text("subschemaSubentry"))
        )
        return found or {}

    def _few(
        self, base: str, scope: int, found_by: str, attributes: Sequence[str] | None
    ) -> list[Entry] | None:
        """All the entries that a filter finds, or ``None`` where they are more than a page.

        Asked for pages, slapd looks at what the filter could find in the whole directory; asked for all,
        only at what is below the base, where that is less.
        """
        size = self._directory.target.page_size
        try:
            found = self._safely(
                lambda raw: _unless_more(
                    lambda: raw.search_ext_s(base, scope, found_by, attributes, sizelimit=size)
                )
            )
        except NotFound:
            return []
        if found is None:
            return None
        return [Entry(name, values) for name, values in found if name is not None]

    def _page(
        self,
        base: str,
        scope: int,
        found_by: str,
        attributes: Sequence[str] | None,
        control: SimplePagedResultsControl,
    ) -> tuple[list[tuple[str | None, Any]], str]:
        def ask(raw: SimpleLDAPObject) -> tuple[list[tuple[str | None, Any]], str]:
            number = raw.search_ext(base, scope, found_by, attributes, serverctrls=[control])
            _, found, _, controls = raw.result3(number)
            cookies = [
                given.cookie for given in controls if isinstance(given, SimplePagedResultsControl)
            ]
            return found, cookies[0] if cookies else ""

        # A cookie means something to the connection that it was given on, and to no other.
        return self._run(ask) if control.cookie else self._safely(ask)

    def _safely(self, ask: Callable[[SimpleLDAPObject], T]) -> T:
        """Ask what may be asked again; a server that was restarted costs no request."""
        try:
            return self._run(ask)
        except NoAnswer:
            raise
        except Unavailable:
            if not self.closed:
                raise
        self._open()
        return self._run(ask)

    def _write(self, ask: Callable[[SimpleLDAPObject], object]) -> None:
        self._run(ask)
        self.writes += 1

    def _run(self, ask: Callable[[SimpleLDAPObject], T]) -> T:
        if self._raw is None:
            self._open()
        try:
            return ask(self._raw)
        except ldap.LDAPError as error:
            if isinstance(error, DOWN):
                self.close()
            raise translate(error) from None
        except UnicodeEncodeError:
            # Half a surrogate pair in a name.
            raise translate(ldap.INVALID_SYNTAX()) from None

    def _open(self) -> None:
        target = self._directory.target
        if not target.password:
            # To slapd that is somebody without a name, who then may do nothing.
            raise Unavailable(
                "the configured bind DN has no password",
                code="BIND_REFUSED",
                detail=f"{target.uri} as {target.bind_dn}",
            )
        try:
            raw = ldap.initialize(target.uri, bytes_mode=False)
            raw.set_option(ldap.OPT_PROTOCOL_VERSION, ldap.VERSION3)
            raw.set_option(ldap.OPT_REFERRALS, 0)
            raw.set_option(ldap.OPT_NETWORK_TIMEOUT, float(target.timeout))
            raw.set_option(ldap.OPT_TIMEOUT, float(target.timeout))
            self._secure(raw, target)
            raw.simple_bind_s(target.bind_dn, target.password)
        except ldap.LDAPError as error:
            translated = translate(error)
            if not isinstance(translated, Unavailable):
                translated = Unavailable(
                    "the directory refuses the configured bind DN or its password",
                    code="BIND_REFUSED",
                )
            # All that GnuTLS has to say about a certificate.
            doubt = "; is its certificate one of ca_file's?" if _SPEECHLESS in why(error) else ""
            translated.detail = f"{target.uri} as {target.bind_dn}: {why(error)}{doubt}"
            raise translated from None
        except ValueError:
            raise Unavailable(
                "the directory cannot be reached", detail=f"{target.ca_file} is no file to read"
            ) from None
        self._raw = raw

    def _secure(self, raw: SimpleLDAPObject, target: DirectoryTarget) -> None:
        if not target.start_tls and not target.uri.startswith("ldaps:"):
            return
        raw.set_option(ldap.OPT_X_TLS_REQUIRE_CERT, ldap.OPT_X_TLS_DEMAND)
        if target.ca_file:
            raw.set_option(ldap.OPT_X_TLS_CACERTFILE, target.ca_file)
        raw.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        if target.start_tls:
            try:
                raw.start_tls_s()
            except ldap.PROTOCOL_ERROR:
                raise ldap.CONNECT_ERROR({"desc": "this server offers no StartTLS"}) from None


def _unless_more(ask: Callable[[], T]) -> T | None:
    """What is found, unless that is more than was asked for."""
    try:
        return ask()
    except ldap.SIZELIMIT_EXCEEDED:
        return None


class Directory:
    """A directory and its pool of connections: last in, first out, so that few stay warm."""

    def __init__(self, target: DirectoryTarget, *, size: int, idle_seconds: float) -> None:
        self.target = target
        self._idle_seconds = idle_seconds
        self._idle: deque[Connection] = deque()
        self._room = Permits(size)
        self._room_for_seconds = Permits(size)
        self._asserts: bool | None = None

    @property
    def asserts(self) -> bool:
        """Whether the server takes the assertion control (RFC 4528)."""
        return bool(self._asserts)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Lend a connection, also to somebody who has one from ``lend`` already.

        There is room for one more each, so that those who need a second do not wait for one another.
        """
        connection = self._lend(self._room_for_seconds)
        try:
            yield connection
        finally:
            self._take_back(connection, self._room_for_seconds)

    def lend(self) -> Connection:
        """A connection, until ``take_back``.  ``Unavailable``."""
        return self._lend(self._room)

    def take_back(self, connection: Connection) -> None:
        """Keep a connection for the next caller."""
        self._take_back(connection, self._room)

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _lend(self, room: Permits) -> Connection:
        room.take("directory connections")
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = Connection(self)
            self._learn(connection)
        except BaseException:
            room.give_back()
            raise
        return connection

    def _take_back(self, connection: Connection, room: Permits) -> None:
        try:
            if not connection.closed:
                connection.idle_since = time.monotonic()
                self._idle.append(connection)
                self._close_the_unused(connection.idle_since - self._idle_seconds)
        finally:
            room.give_back()

    def _learn(self, connection: Connection) -> None:
        if self._asserts is None:
            root = connection.read("", ("supportedControl",))
            self._asserts = root is not None and AssertionControl.controlType in root.texts(
                "supportedControl"
            )

    def _close_the_unused(self, before: float) -> None:
        """The longest unused connection is leftmost; one is looked at each time."""
        try:
            oldest = self._idle.popleft()
        except IndexError:
            return
        if oldest.idle_since <= before:
            oldest.close()
        else:
            self._idle.appendleft(oldest)
