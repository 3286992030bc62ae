"""What a directory is like and what it lacks, in sentences for the people who run it.

Nothing is written.  Which attributes have an index is not to be seen from outside: see
``docs/operate/openldap.md``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import ldap

from mailwright.errors import MailwrightError, NotFound, Unavailable
from mailwright.fields.ldap_places import CountedEntries
from mailwright.fields.places import Derived, Joined
from mailwright.fields.resource import Resource
from mailwright.storage.ldap.connections import (
    NO_ATTRIBUTES,
    SUBTREE,
    Connection,
    Directory,
    DirectoryTarget,
)
from mailwright.storage.ldap.names import EVERYTHING, Tree
from mailwright.storage.ldap.reading import OPERATIONAL, needed_by
from mailwright.storage.ldap.schema import Schema
from mailwright.storage.protocol import Contention
from mailwright.storage.sql.inspection import Mark, looks_like

CLASSES = ("mailDomain", "mailUser", "mailList", "mailAlias", "mailAdmin", "mailExternalUser")
NEEDED = ("inetOrgPerson", "shadowAccount")

# Attributes that a release of iRedMail gave to a class (LDAP reference 1.4).
MARKS: Final = (
    Mark("0.9.5", "mailDomain", ("senderRelayHost",), "no domain has a relay host of its own"),
    Mark("0.9.5", "mailUser", ("senderRelayHost",), "no user has a relay host of its own"),
    Mark(
        "0.9.6",
        "mailDomain",
        ("domainPendingAliasName",),
        "names that wait for a proof of ownership are not known",
    ),
    Mark(
        "0.9.6",
        "mailUser",
        ("domainStatus",),
        "users of a disabled domain are not marked, so that some look-ups still find them",
    ),
    Mark(
        "0.9.9",
        "mailUser",
        ("mailboxFormat", "mailboxFolder"),
        "format and folder of a mailbox are those of the mail server's configuration",
    ),
    Mark("0.9.9", "mailList", ("member",), "members are not named on a list's entry"),
    Mark("1.4.0", "mailList", ("listOwner", "listModerator"), "mailing lists have no owners"),
    Mark("1.7.2", "mailAlias", ("accessPolicy", "listModerator"), "aliases have no moderators"),
    Mark(
        "1.7.3",
        "mailUser",
        ("recoveryEmail", "birthday"),
        "birthday and recovery address are not kept",
    ),
)

# A size limit shows itself only when it is passed; most servers have OpenLDAP's own, which is 500.
PROBED_ENTRIES: Final = 2_000
_VERSION = re.compile(r"slapd (\S+)")


@dataclass(frozen=True, slots=True)
class Found:
    """What the directory is like."""

    answers: bool
    server: str = ""
    version: str = ""  # which releases its schema looks like
    problems: tuple[str, ...] = ()  # what is broken
    off: tuple[str, ...] = ()  # what this schema has no place for
    notes: tuple[str, ...] = field(default=())


def inspect(directory: Directory, tree: Tree, resources: Sequence[Resource]) -> Found:
    """Ask the directory anew; one that does not answer is a finding, not an error."""
    notes = tuple(unprotected(directory.target))
    try:
        with directory.connection() as connection:
            connection.reopen()
            return _look(connection, directory.target, tree, resources, notes)
    except MailwrightError as error:
        why = f" ({error.detail})" if isinstance(error, Unavailable) and error.detail else ""
        return Found(answers=False, problems=(f"{error.reason}{why}",), notes=notes)


def missing(connection: Connection, tree: Tree, schema: Schema) -> Sequence[str]:
    """What nothing works without."""
    told = [
        f"the object class {name} is missing from the directory's schema"
        for name in (*CLASSES, *NEEDED)
        if not schema.knows_class(name)
    ]
    told += [
        f"the entry {dn} is missing"
        for dn in (tree.base, tree.admins)
        if connection.read(dn, NO_ATTRIBUTES) is None
    ]
    return told


def _look(
    connection: Connection,
    target: DirectoryTarget,
    tree: Tree,
    resources: Sequence[Resource],
    notes: tuple[str, ...],
) -> Found:
    schema = Schema(connection)
    if not any(map(schema.knows_class, CLASSES)):
        none = "the schema of contrib/openldap, or of iRedMail, is not loaded"
        return Found(answers=True, server=_server(connection), problems=(none,), notes=notes)
    problems = list(missing(connection, tree, schema))
    if not problems:
        problems += _unwritable(connection, target, tree)
        problems += _limited(connection, target, tree)
    allowed = {
        name: frozenset(
            attribute
            for mark in MARKS
            if mark.table == name
            for attribute in mark.columns
            if schema.allows((name,), attribute)
        )
        for name in CLASSES
        if schema.knows_class(name)
    }
    return Found(
        answers=True,
        server=_server(connection),
        version=looks_like("iRedMail", MARKS, allowed),
        problems=tuple(problems),
        off=tuple(_switched_off(schema, resources)),
        notes=notes,
    )


def _server(connection: Connection) -> str:
    """Name and version, as far as the server tells them."""
    wanted = ("objectClass", "vendorName", "vendorVersion", "monitorContext")
    root = connection.read("", wanted)
    if root is None:
        return ""
    if root.text("vendorVersion"):
        return f"{root.text('vendorName')} {root.text('vendorVersion')}".strip()
    name = "OpenLDAP" if "openldaprootdse" in root.classes else root.text("vendorName")
    if root.text("monitorContext"):
        monitor = connection.read(root.text("monitorContext"), ("monitoredInfo",))
        version = _VERSION.search(monitor.text("monitoredInfo")) if monitor is not None else None
        if version is not None:
            return f"{name} {version[1]}"
    return name


def unprotected(target: DirectoryTarget) -> Iterator[str]:
    """A sentence if passwords leave the machine without TLS."""
    parts = urlsplit(target.uri)
    if parts.scheme != "ldap" or target.start_tls or _is_loopback(parts.hostname or "localhost"):
        return
    yield (
        f"passwords cross the network to {parts.hostname} unprotected; "
        "use ldaps:// or start_tls in [ldap]"
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in {"localhost", "localhost.localdomain"}


def _unwritable(connection: Connection, target: DirectoryTarget, tree: Tree) -> Iterator[str]:
    """Try to take away a value that no entry has: rights and replicas come before that is noticed."""
    for dn in (tree.base, tree.admins):
        try:
            connection.modify(dn, [(ldap.MOD_DELETE, "description", [b"\x7fMailwright looks\x7f"])])
        except (Contention, NotFound):
            continue
        except Unavailable as error:
            if error.code == "REFERRAL":
                yield (
                    "this server is a replica that takes no changes; "
                    "name the one that does as uri in [ldap]"
                )
                return
            if error.code != "DIRECTORY_REFUSED":
                raise
            yield f"{target.bind_dn} may not write to {dn}"


def _limited(connection: Connection, target: DirectoryTarget, tree: Tree) -> Iterator[str]:
    seen = 0
    try:
        for page in connection.pages(tree.base, SUBTREE, EVERYTHING, NO_ATTRIBUTES):
            seen += len(page)
            if seen > PROBED_ENTRIES:
                return
    except Unavailable as error:
        if error.code != "SIZE_LIMIT_EXCEEDED":
            raise
        yield (
            f"a size limit keeps a part of the entries from {target.bind_dn}, so lists fail; "
            "lift it (size=unlimited)"
        )


def _switched_off(schema: Schema, resources: Sequence[Resource]) -> Iterator[str]:
    """A sentence for each thing that the schema lacks, and what comes of it."""
    told: dict[str, list[str]] = {}
    for mark in MARKS:
        if schema.knows_class(mark.table):
            for name in mark.columns:
                if not schema.allows((mark.table,), name):
                    told.setdefault(f"{mark.table}.{name}", []).append(mark.off)
    for resource in resources:
        for what, name in _fields_off(schema, resource):
            told.setdefault(what, []).append(f"{name} of {resource.one} is ignored")
        for name in resource.ldap.extra_classes:
            if not schema.knows_class(name):
                told.setdefault(name, []).append(f"a new {resource.title} goes without it")
    for what, consequences in told.items():
        kind = "attribute" if "." in what else "object class"
        yield f"the {kind} {what} is missing: {'; '.join(dict.fromkeys(consequences))}"


def _fields_off(schema: Schema, resource: Resource) -> Iterator[tuple[str, str]]:
    """What is missing, and the parameter that has no place therefore."""
    for parameter in resource.fields:
        place = parameter.ldap
        if parameter.hidden or place is None or isinstance(place, Joined | Derived):
            continue
        if isinstance(place, CountedEntries):
            if not schema.knows_class(place.of_class):
                yield place.of_class, parameter.name
            continue
        classes, attribute = needed_by(resource.ldap, place)
        if attribute not in OPERATIONAL and not schema.allows(classes, attribute):
            yield f"{_main(resource, classes)}.{attribute}", parameter.name


def _main(resource: Resource, classes: Sequence[str]) -> str:
    """The class that the attribute is missed on."""
    return resource.ldap.main_class if resource.ldap.main_class in classes else classes[-1]
