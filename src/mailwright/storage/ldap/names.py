"""Names and filters: the one place where text becomes part of a DN (RFC 4514) or a filter (RFC 4515)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import ldap.dn
import ldap.filter

from mailwright.fields.addresses import domain_of
from mailwright.fields.ldap_places import LdapHome

EVERYTHING = "(objectClass=*)"
MOST_IN_ONE_FILTER = 200


@dataclass(frozen=True, slots=True)
class Tree:
    """Where the domains and the standalone admins are (LDAP reference 1.1)."""

    base: str
    admins: str

    def domain(self, name: str) -> str:
        """The entry of a mail domain."""
        return below("domainName", name, self.base)

    def container(self, branch: str, domain: str) -> str:
        """A container of a domain."""
        return below("ou", branch, self.domain(domain))

    def account(self, home: LdapHome, key: str) -> str:
        """The entry of an account."""
        if home.standalone:
            return self.admin(key)
        if not home.branch:
            return below(home.rdn, key, self.base)
        return below(home.rdn, key, self.container(home.branch, domain_of(key)))

    def child(self, branch: str, domain: str) -> str:
        """The entry that is named after its domain: the catch-all."""
        return below("mail", f"@{domain}", self.container(branch, domain))

    def admin(self, address: str) -> str:
        """The entry of a standalone admin."""
        return below("mail", address, self.admins)


@lru_cache(maxsize=4096)
def below(attribute: str, value: str, parent: str) -> str:
    """A DN with one more part."""
    return f"{attribute}={ldap.dn.escape_dn_chars(value)},{parent}"


def rdn(attribute: str, value: str) -> str:
    """The first part of a DN alone."""
    return f"{attribute}={ldap.dn.escape_dn_chars(value)}"


def normal(dn: str) -> str:
    """A DN as it compares: without regard to case, blanks and ways of escaping."""
    try:
        parts = ldap.dn.str2dn(dn.lower())
    except ldap.DECODING_ERROR:
        return dn.lower()
    return str(ldap.dn.dn2str(parts))


@lru_cache(maxsize=4096)
def value_of(dn: str) -> str:
    """The value in the first part of a DN."""
    return str(ldap.dn.str2dn(dn)[0][0][1])


def split(dn: str) -> tuple[str, str, str]:
    """Attribute and value of the first part of a DN, and the DN of what it is below."""
    first, *rest = ldap.dn.str2dn(dn)
    return str(first[0][0]), str(first[0][1]), str(ldap.dn.dn2str(rest))


def depth(dn: str) -> int:
    """How many parts a DN has."""
    return len(ldap.dn.str2dn(dn))


def equals(attribute: str, value: str) -> str:
    """Entries with this value."""
    return f"({attribute}={escaped(value)})"


def among(attribute: str, values: Iterable[str]) -> str:
    """Entries with any of these values."""
    return either(*(equals(attribute, value) for value in values))


def present(attribute: str) -> str:
    """Entries with any value."""
    return f"({attribute}=*)"


def ends_with(attribute: str, text: str) -> str:
    """Entries with a value that ends so."""
    return f"({attribute}=*{escaped(text)})"


@lru_cache(maxsize=64)
def of_class(*names: str) -> str:
    """Entries of any of these object classes."""
    return among("objectClass", names)


def both(*filters: str) -> str:
    """Entries that every filter finds."""
    return filters[0] if len(filters) == 1 else f"(&{''.join(filters)})"


def either(*filters: str) -> str:
    """Entries that any filter finds."""
    return filters[0] if len(filters) == 1 else f"(|{''.join(filters)})"


def no(found: str) -> str:
    """Entries that a filter does not find."""
    return f"(!{found})"


def escaped(value: str) -> str:
    """A value for a filter; half a surrogate pair, which no directory holds, becomes a mark."""
    return str(ldap.filter.escape_filter_chars(value.encode("utf-8", "replace").decode()))
