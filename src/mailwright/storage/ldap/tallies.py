"""What a domain's entry repeats of its users: a cache for other programs, never the truth here.

Limits count entries.  A cache that cannot be written costs nobody anything, so that is only logged.
"""

from __future__ import annotations

import logging

import ldap

from mailwright.errors import MailwrightError
from mailwright.fields.ldap_places import Tally
from mailwright.storage.ldap import names
from mailwright.storage.ldap.codecs import whole
from mailwright.storage.ldap.connections import ONE_LEVEL
from mailwright.storage.ldap.reading import Library

LOG = logging.getLogger("mailwright")


def adjust(library: Library, domain: str, tally: Tally, users: int, octets: int) -> None:
    """Add to the numbers; the first time, count."""
    try:
        entry = library.connection.read(
            library.tree.domain(domain), (tally.number, tally.total, "objectClass")
        )
        if entry is None:
            return
        if not entry.text(tally.number) or not entry.text(tally.total):
            recount(library, domain, tally.number, tally.total, tally.of)
            return
        number = max(whole(entry.text(tally.number)) + users, 0)
        total = max(whole(entry.text(tally.total)) + octets, 0)
        _write(library, domain, {tally.number: number, tally.total: total})
    except MailwrightError as error:
        LOG.warning("the number of users of %s could not be noted: %s", domain, error.code)


def recount(library: Library, domain: str, number: str, total: str, of: str) -> None:
    """Count the users and add up their quotas."""
    users, octets = 0, 0
    found_by = names.both(names.of_class("mailUser"), names.no(names.equals("mail", f"@{domain}")))
    container = library.tree.container("Users", domain)
    for page in library.connection.pages(container, ONE_LEVEL, found_by, (of,)):
        users += len(page)
        octets += sum(max(whole(entry.text(of)), 0) for entry in page)
    if library.connection.read(library.tree.domain(domain), ("1.1",)) is not None:
        _write(library, domain, {number: users, total: octets})


def _write(library: Library, domain: str, numbers: dict[str, int]) -> None:
    library.connection.modify(
        library.tree.domain(domain),
        [
            (ldap.MOD_REPLACE, name, [str(number).encode()])
            for name, number in numbers.items()
            if library.schema.knows(name)
        ],
    )
