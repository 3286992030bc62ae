"""Domain names and mail addresses: one spelling for each, checked before anything is looked up.

Rules: reference section 4.11 of the SQL tables, RFC 5321 lengths, UTS 46 for international names.
All functions return the stored spelling (lower case, punycode, no trailing dot) or raise ``ValueError``
with a reason that a person can act on.
"""

from __future__ import annotations

import re
from functools import lru_cache

import idna

LONGEST_DOMAIN = 253
LONGEST_LOCAL_PART = 64
LONGEST_ADDRESS = 254
LONGEST_TEXT = (
    1000  # an international name is longer before it is put into ASCII, but never so long
)

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_TOP_LABEL = re.compile(r"(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])")
# A mailbox is also a directory and a login name, so it takes fewer characters than a destination.
_MAILBOX_LOCAL_PART = re.compile(r"[a-z0-9_#](?:[a-z0-9_#&.-]*)")
_ANY_LOCAL_PART = re.compile(r"[a-z0-9_#-](?:[a-z0-9_#&.+=/'-]*)")


def domain_name(text: str) -> str:
    """The stored spelling of a mail domain's name."""
    name = text.strip()
    if len(name) > LONGEST_TEXT:
        raise ValueError(f"a domain name has at most {LONGEST_DOMAIN} characters")
    return _domain_name(name)


def mailbox_address(text: str) -> str:
    """The stored spelling of an address that people log in with: no ``+``, ``=`` or ``/``."""
    return _mailbox_address(_bounded(text))


def mail_address(text: str) -> str:
    """The stored spelling of an address that mail can be sent to, here or elsewhere."""
    return _mail_address(_bounded(text))


# What follows keeps its answers together with the texts, so those are stripped and short.


@lru_cache(maxsize=8192)
def _domain_name(name: str) -> str:
    if not name.isascii():
        name = _punycode(name)
    name = name.lower().removesuffix(".")
    if not name:
        raise ValueError("a domain name is missing")
    if len(name) > LONGEST_DOMAIN:
        raise ValueError(f"a domain name has at most {LONGEST_DOMAIN} characters")
    *labels, top = name.split(".")
    if not labels:
        raise ValueError("a mail domain has at least one dot in its name")
    if not all(_LABEL.fullmatch(label) for label in labels) or not _TOP_LABEL.fullmatch(top):
        raise ValueError("this is not a valid domain name")
    for label in (*labels, top):
        if label.startswith("xn--"):
            _refuse_false_punycode(label)
    return name


@lru_cache(maxsize=8192)
def _mailbox_address(text: str) -> str:
    return _address(text, _MAILBOX_LOCAL_PART)


@lru_cache(maxsize=8192)
def _mail_address(text: str) -> str:
    return _address(text, _ANY_LOCAL_PART)


def domain_of(address: str) -> str:
    """The domain part of a stored address."""
    return address.rpartition("@")[2]


def local_part_of(address: str) -> str:
    """The local part of a stored address."""
    return address.rpartition("@")[0]


def without_extension(address: str, delimiters: str) -> str:
    """The address that ``local+extension@domain`` is delivered to; any of the characters begins one."""
    local, _, domain = address.rpartition("@")
    found = (at for at in map(local.find, delimiters) if at > 0)
    return f"{local[: min(found, default=len(local))]}@{domain}"


def _bounded(text: str) -> str:
    text = text.strip()
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"an address has at most {LONGEST_ADDRESS} characters")
    return text


def _address(text: str, pattern: re.Pattern[str]) -> str:
    local, at, domain = text.rpartition("@")
    if not at or not local:
        raise ValueError("a full address is needed, such as jane@example.org")
    if not local.isascii():
        raise ValueError("the part before @ takes ASCII characters only")
    local = local.lower()
    if len(local) > LONGEST_LOCAL_PART:
        raise ValueError(f"the part before @ has at most {LONGEST_LOCAL_PART} characters")
    if not pattern.fullmatch(local) or local.endswith(".") or ".." in local:
        raise ValueError("the part before @ has a character or dot that is not taken there")
    address = f"{local}@{domain_name(domain)}"
    if len(address) > LONGEST_ADDRESS:
        raise ValueError(f"an address has at most {LONGEST_ADDRESS} characters")
    return address


def _punycode(name: str) -> str:
    try:
        return idna.encode(name, uts46=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise ValueError("this is not a valid international domain name") from None


def _refuse_false_punycode(label: str) -> None:
    try:
        idna.decode(label)
    except (idna.IDNAError, UnicodeError):
        raise ValueError("this is not a valid international domain name") from None
