"""Questions about the whole directory: who has an address, who administers."""

from __future__ import annotations

from collections.abc import Sequence

import ldap

from mailwright.errors import Exists
from mailwright.fields.addresses import domain_of
from mailwright.fields.ldap_places import LdapHome
from mailwright.storage.ldap import names
from mailwright.storage.ldap.acts import erase
from mailwright.storage.ldap.connections import NO_ATTRIBUTES, ONE_LEVEL, SUBTREE
from mailwright.storage.ldap.entry import Entry, as_bytes
from mailwright.storage.ldap.grants import GLOBAL
from mailwright.storage.ldap.names import MOST_IN_ONE_FILTER
from mailwright.storage.ldap.reading import SERVICES, Library
from mailwright.storage.protocol import Administrator

_ADDRESSED = names.of_class("mailUser", "mailList", "mailAlias")
_ACTIVE = names.equals("accountStatus", "active")


def hosted_domain(library: Library, name: str) -> str | None:
    """The domain itself, the domain that has this further name, or ``None``."""
    asked = names.both(
        names.of_class("mailDomain"),
        names.either(names.equals("domainName", name), names.equals("domainAliasName", name)),
    )
    found = library.connection.search(library.tree.base, ONE_LEVEL, asked, ("domainName",))
    hosts = sorted(entry.text("domainName").lower() for entry in found)
    return name if name in hosts else (hosts[0] if hosts else None)


def is_taken(library: Library, address: str) -> bool:
    """Whether a user, alias, list, admin or further address of one of them has this address."""
    return bool(_holders(library, [address])) or (
        library.connection.read(library.tree.admin(address), NO_ATTRIBUTES) is not None
    )


def is_group(library: Library, address: str) -> bool:
    """Whether a list or a mail alias has this address."""
    asked = names.both(names.of_class("mailList", "mailAlias"), names.equals("mail", address))
    return bool(library.connection.search(library.tree.base, SUBTREE, asked, NO_ATTRIBUTES))


def is_free(library: Library, home: LdapHome, key: str, *, unless: str = "") -> bool:
    """Whether a new account may have this key; the entry ``unless`` may have it already."""
    if home.is_addressed:
        return not _others(_holders(library, [key]), unless) and (
            library.connection.read(library.tree.admin(key), NO_ATTRIBUTES) is None
        )
    return not _others(_domains_named(library, home, key), unless)


def take_back_claims(
    library: Library, home: LdapHome, dn: str, key: str, addresses: Sequence[str]
) -> None:
    """Look once more whether somebody else has a new address, and if so give it up.  ``Exists``.

    Our own lock keeps our own workers apart; other programs do not know it.
    """
    clashing: dict[str, None] = {}
    for start in range(0, len(addresses), MOST_IN_ONE_FILTER):
        some = addresses[start : start + MOST_IN_ONE_FILTER]
        found = (
            _holders(library, some) if home.is_addressed else _domains_named(library, home, *some)
        )
        for entry in _others(found, dn):
            held = entry.lowered("mail") | entry.lowered("shadowAddress")
            clashing |= dict.fromkeys(
                address for address in some if address in held or "@" not in address
            )
    if not clashing:
        return
    if key in clashing:
        erase(library, dn)
    else:
        octets = [as_bytes(address) for address in clashing]
        library.connection.modify(dn, [(ldap.MOD_DELETE, home.addresses, octets)])
    raise Exists(f"{', '.join(clashing)} was taken by another program at the same moment")


def administrator(library: Library, username: str) -> Administrator | None:
    """The active account that may administer under this name (LDAP reference 1.3)."""
    wanted = ("mail", "cn", "userPassword", "domainGlobalAdmin", SERVICES)
    tree = library.tree
    user = names.below("mail", username, tree.container("Users", domain_of(username)))
    places = ((user, "mailUser"), (tree.admin(username), "mailAdmin"))
    # Both are always asked for: how long the answer takes must not tell who is an admin.
    found = library.connection.read_each(
        [(dn, names.both(names.of_class(of_class), _ACTIVE)) for dn, of_class in places], wanted
    )
    for (_, of_class), entry in zip(places, found, strict=True):
        if entry is None:
            continue
        is_global = entry.lowered("domainGlobalAdmin") == {"yes"}
        is_user = of_class == "mailUser"
        if is_user and not is_global and "domainadmin" not in entry.services:
            continue
        return Administrator(
            names.value_of(entry.dn),
            entry.texts("userPassword"),
            is_global=is_global,
            is_mail_user=is_user,
            name=entry.text("cn"),
        )
    return None


def global_admins(library: Library) -> Sequence[str]:
    """The active global admins."""
    tree = library.tree
    found: list[str] = []
    for base, scope, of_class in (
        (tree.admins, ONE_LEVEL, "mailAdmin"),
        (tree.base, SUBTREE, "mailUser"),
    ):
        asked = names.both(GLOBAL, names.of_class(of_class), _ACTIVE)
        found += [
            names.value_of(entry.dn).lower()
            for entry in library.connection.search(base, scope, asked, NO_ATTRIBUTES)
        ]
    return sorted(set(found))


def standalone_admins(library: Library, domain: str) -> frozenset[str]:
    """The standalone admins whose addresses are in a domain."""
    asked = names.both(names.of_class("mailAdmin"), names.ends_with("mail", f"@{domain}"))
    found = library.connection.search(library.tree.admins, ONE_LEVEL, asked, NO_ATTRIBUTES)
    return frozenset(names.value_of(entry.dn).lower() for entry in found)


def _holders(library: Library, addresses: Sequence[str]) -> list[Entry]:
    asked = names.both(
        names.either(
            *(
                names.equals(name, address)
                for address in addresses
                for name in ("mail", "shadowAddress")
            )
        ),
        _ADDRESSED,
    )
    wanted = ("mail", "shadowAddress")
    return library.connection.search(library.tree.base, SUBTREE, asked, wanted)


def _domains_named(library: Library, home: LdapHome, *keys: str) -> list[Entry]:
    attributes = [home.rdn, home.alias_names, home.pending_names]
    asked = names.both(
        names.of_class(home.main_class),
        names.either(
            *(names.among(name, keys) for name in attributes if library.schema.knows(name))
        ),
    )
    return library.connection.search(library.tree.base, ONE_LEVEL, asked, NO_ATTRIBUTES)


def _others(found: Sequence[Entry], dn: str) -> list[Entry]:
    own = names.normal(dn) if dn else ""
    return [entry for entry in found if names.normal(entry.dn) != own]
