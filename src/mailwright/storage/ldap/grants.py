"""Who was given which domains: ``domainAdmin`` of the domains, ``domainGlobalAdmin`` of the admins.

What stands on a domain counts whether or not its admin has the service that a login asks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mailwright.fields.addresses import domain_of
from mailwright.storage.ldap import names
from mailwright.storage.ldap.connections import BASE, NO_ATTRIBUTES, ONE_LEVEL
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.names import MOST_IN_ONE_FILTER
from mailwright.storage.ldap.reading import SERVICES, SETTINGS, Library
from mailwright.storage.protocol import EVERY_DOMAIN

GLOBAL = names.equals("domainGlobalAdmin", "yes")
_CLOSED = "disabledService"  # beside the settings, what in SQL is one of them
_PROMOTED = names.equals(SERVICES, "domainadmin")
_RANK = ("domainGlobalAdmin", SERVICES)
_DOMAIN = names.of_class("mailDomain")
_USER = names.of_class("mailUser")


def administered_by(username: str) -> str:
    """Domains that were given to an admin."""
    return names.equals("domainAdmin", username)


def manages(library: Library, username: str, domain: str) -> bool:
    """Whether an admin was given this very domain."""
    asked = names.both(_DOMAIN, administered_by(username))
    return library.connection.read(library.tree.domain(domain), NO_ATTRIBUTES, asked) is not None


def administers(library: Library, username: str) -> frozenset[str]:
    """The domains that an account was given; its own entry says whether it is a global admin."""
    tree = library.tree
    user = _user(library, username)
    standalone = names.of_class("mailAdmin")
    *own, domains = library.connection.search_each(
        [
            (user, BASE, names.both(_USER, GLOBAL), NO_ATTRIBUTES),
            (tree.admin(username), BASE, names.both(standalone, GLOBAL), NO_ATTRIBUTES),
            (tree.base, ONE_LEVEL, names.both(_DOMAIN, administered_by(username)), NO_ATTRIBUTES),
        ]
    )
    given = {_name(entry) for entry in domains}
    if any(own):
        given.add(EVERY_DOMAIN)
    return frozenset(given)


def admin_settings(library: Library, username: str) -> Mapping[str, str]:
    """What a mail user that administers has, or else a standalone admin (LDAP reference 3.7)."""
    user, standalone = library.connection.read_each(
        [
            (_user(library, username), _USER),
            (library.tree.admin(username), names.of_class("mailAdmin")),
        ],
        (SETTINGS, _CLOSED, *_RANK),
    )
    is_admin = user is not None and (is_promoted(user) or is_global(user))
    entry = user if is_admin else standalone
    if entry is None:
        return {}
    pairs = (text.partition(":") for text in entry.texts(SETTINGS))
    closed = dict.fromkeys(entry.lowered(_CLOSED), "yes")
    return closed | {key: value.strip() for key, colon, value in pairs if colon}


def admins_among(library: Library, domain: str) -> Mapping[str, frozenset[str]]:
    """The mail users of a domain that were given anything, or may log in to administer."""
    given: dict[str, set[str]] = {}
    asked = names.both(_DOMAIN, names.ends_with("domainAdmin", f"@{domain}"))
    wanted = ("domainAdmin",)
    for page in library.connection.pages(library.tree.base, ONE_LEVEL, asked, wanted):
        for entry in page:
            for admin in entry.lowered("domainAdmin"):
                if domain_of(admin) == domain:
                    given.setdefault(admin, set()).add(_name(entry))
    found: dict[str, frozenset[str]] = {}
    for entry in _users(library, domain, sorted(given)):
        name = _name(entry)
        whole = given.get(name, set()) | ({EVERY_DOMAIN} if is_global(entry) else set())
        if whole or is_promoted(entry):  # it could be found by another of its addresses
            found[name] = frozenset(whole)
    return found


def is_global(entry: Entry) -> bool:
    """Whether the entry of an account says that it is a global admin."""
    return entry.lowered("domainGlobalAdmin") == {"yes"}


def is_promoted(entry: Entry) -> bool:
    """Whether the entry of a mail user lets it log in to administer what it was given."""
    return "domainadmin" in entry.services


def _users(library: Library, domain: str, keys: Sequence[str]) -> Iterator[Entry]:
    """The admins among the users of a domain, and those of the keys that there are."""
    container = library.tree.container("Users", domain)
    for start in range(0, len(keys) or 1, MOST_IN_ONE_FILTER):
        some = keys[start : start + MOST_IN_ONE_FILTER]
        either = names.either(GLOBAL, _PROMOTED, *(names.equals("mail", key) for key in some))
        asked = names.both(_USER, either)
        for page in library.connection.pages(container, ONE_LEVEL, asked, _RANK):
            yield from page


def _user(library: Library, username: str) -> str:
    return names.below("mail", username, library.tree.container("Users", domain_of(username)))


def _name(entry: Entry) -> str:
    return names.value_of(entry.dn).lower()
