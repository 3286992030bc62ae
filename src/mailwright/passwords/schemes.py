"""Every stored form of a password: ``{SCHEME}`` or ``{SCHEME.encoding}``, then the data.

The names are Dovecot's, and so are the rules: a prefix is compared without regard to case, an
encoding (``b64``, ``base64``, ``hex``) may follow a dot, digests of a known size are told apart as
hexadecimal or base64 by their length, and a string without a prefix is crypt's.
Besides, 32 bare hexadecimal digits are an MD5, as iRedAdmin wrote them.

Written hashes carry the prefix that all of a site's verifiers accept. bcrypt and SHA512-CRYPT go
out as ``{CRYPT}``: slapd refuses ``{BLF-CRYPT}``, Dovecot does not know ``{BCRYPT}``, and iRedAdmin
fails on ``{SHA512-CRYPT}``. Of the schemes written here slapd verifies ``SLAPD_VERIFIES``.

Three kinds of password match nothing and cost nothing: the empty one, one that Dovecot could not be
given (with a NUL, or not encodable in UTF-8), and one longer than any client may send.
"""

from __future__ import annotations

import binascii
import functools
import re
import secrets
from base64 import b64decode
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mailwright.errors import Invalid
from mailwright.passwords import crypt, derived, digests
from mailwright.passwords.digests import Check, Reader

DEFAULT_SCHEME = "SSHA512"
MAX_VERIFIED_OCTETS = 4096
MAX_HASHED_OCTETS = crypt.LIBCRYPT_OCTETS
MAX_STORED = 4096


@dataclass(frozen=True)
class Scheme:
    """How the data of one prefix is read; ``size`` is its decoded length where that is fixed."""

    name: str
    read: Reader
    encoding: str = ""
    size: int = 0


def _md5(data: bytes) -> Check | None:
    """What ``{MD5}`` holds: crypt's MD5 or a plain digest, told apart by the look."""
    if data.startswith(b"$1$"):
        return crypt.read(data)
    digest = _decode(data, SCHEMES["PLAIN-MD5"], "")
    return digests.unsalted("md5")(digest) if digest else None


_ALL = (
    Scheme("SSHA512", digests.salted("sha512"), "b64"),
    Scheme("SSHA256", digests.salted("sha256"), "b64"),
    Scheme("SSHA", digests.salted("sha1"), "b64"),
    Scheme("SMD5", digests.salted("md5"), "b64"),
    Scheme("SHA512", digests.unsalted("sha512"), "b64", 64),
    Scheme("SHA256", digests.unsalted("sha256"), "b64", 32),
    Scheme("SHA", digests.unsalted("sha1"), "b64", 20),
    Scheme("LDAP-MD5", digests.unsalted("md5"), "b64", 16),
    Scheme("PLAIN-MD5", digests.unsalted("md5"), "hex", 16),
    Scheme("CRAM-MD5", digests.cram_md5, "hex", 32),
    Scheme("CRYPT", crypt.read),
    Scheme("BLF-CRYPT", crypt.read),
    Scheme("SHA512-CRYPT", crypt.read),
    Scheme("SHA256-CRYPT", crypt.read),
    Scheme("MD5-CRYPT", crypt.read),
    Scheme("DES-CRYPT", crypt.read),
    Scheme("MD5", _md5),
    Scheme("ARGON2I", derived.argon2),
    Scheme("ARGON2ID", derived.argon2),
    Scheme("PBKDF2", derived.pbkdf2),
    Scheme("SCRAM-SHA-1", derived.scram("sha1")),
    Scheme("SCRAM-SHA-256", derived.scram("sha256")),
    Scheme("PLAIN", digests.plain),
)
_ALIASES = {
    "ARGON2": "ARGON2ID",  # slapd's name; the data names its kind anyway
    "BCRYPT": "CRYPT",
    "CLEAR": "PLAIN",
    "CLEARTEXT": "PLAIN",
    "HMAC-MD5": "CRAM-MD5",
    "SHA1": "SHA",
}
SCHEMES = {scheme.name: scheme for scheme in _ALL}
SCHEMES |= {alias: SCHEMES[name] for alias, name in _ALIASES.items()}

_WRITERS: dict[str, tuple[str, Callable[[bytes], str]]] = {
    "SSHA512": ("{SSHA512}", functools.partial(digests.write_salted, "sha512")),
    "SSHA": ("{SSHA}", functools.partial(digests.write_salted, "sha1")),
    "BCRYPT": ("{CRYPT}", crypt.write_bcrypt),
    "ARGON2ID": ("{ARGON2ID}", derived.write_argon2id),
    "SHA512-CRYPT": ("{CRYPT}", crypt.write_sha512),
    "PBKDF2": ("{PBKDF2}", derived.write_pbkdf2),
}
WRITABLE = tuple(_WRITERS)
SLAPD_VERIFIES = frozenset({"SSHA512", "SSHA", "BCRYPT", "SHA512-CRYPT"})

_STORED = re.compile(rb"\{([0-9A-Za-z-]+)(?:\.(b64|base64|hex))?\}(.*)", re.DOTALL | re.IGNORECASE)
_COSTS = re.compile(
    rb"\$2[aby](\$[0-9]{2})\$|(\$6\$(?:rounds=[0-9]+\$)?)|\$argon2(id\$v=19\$[^$]+)\$"
    rb"|\$1\$[^$]+\$([0-9]+)\$[0-9A-Fa-f]{40}$"
)
_BARE_MD5 = re.compile(rb"[0-9A-Fa-f]{32}")


def hash_password(password: str, scheme: str = DEFAULT_SCHEME) -> str:
    """The string to store. Of the password, `Invalid` only tells what is wrong."""
    if scheme.upper() not in _WRITERS:
        names = ", ".join(WRITABLE)
        raise Invalid(f"the password scheme must be one of {names}", code="INVALID_PASSWORD_SCHEME")
    prefix, write = _WRITERS[scheme.upper()]
    octets = _octets(password, MAX_HASHED_OCTETS)
    if octets is None:
        raise Invalid(
            f"the password must be text of 1 to {MAX_HASHED_OCTETS} octets without NUL",
            code="INVALID_PASSWORD",
            parameter="password",
        )
    return prefix + write(octets)


def verify_password(password: str, stored: str) -> bool:
    """Whether the password is the stored one. Anything unreadable on either side is a plain no."""
    octets = _octets(password, MAX_VERIFIED_OCTETS)
    if octets is None:
        return False
    found = _read(stored)
    return found is not None and found[1](octets)


def verify_any(password: str, stored: Iterable[str], scheme: str = DEFAULT_SCHEME) -> bool:
    """Verify a login against all values that an account has.

    One that fails costs the work of the configured scheme at least, also where the account is not
    there or its value is of another scheme or cost.
    """
    readable = [value for value in stored if known_scheme(value)]
    if any(verify_password(password, value) for value in readable):
        return True
    if _work_of(_decoy(scheme)) not in map(_work_of, readable):
        waste_time(password, scheme)
    return False


def waste_time(password: str, scheme: str = DEFAULT_SCHEME) -> None:
    """Do the work of verifying a hash of the scheme. The first call also makes that hash."""
    verify_password(password, _decoy(scheme))


def known_scheme(stored: str) -> str | None:
    """The scheme whose data this is, by its main name; None if no password could ever match."""
    found = _read(stored)
    return found[0] if found else None


def _work_of(stored: str) -> tuple[object, ...]:
    """What decides how much work a stored value asks for: its scheme, and its costs."""
    octets = stored.encode("utf-8", "surrogatepass")
    prefixed = _STORED.fullmatch(octets)
    costs = _COSTS.match(prefixed[3] if prefixed else octets)
    name = known_scheme(stored)
    return (SCHEMES[name].read if name else None, costs and costs.groups())


@functools.cache
def _decoy(scheme: str) -> str:
    return hash_password(secrets.token_hex(16), scheme)


def _octets(password: str, limit: int) -> bytes | None:
    """The password as Dovecot would get it; None where it could not, or is empty or too long.

    The encoder's own exception holds the password, so it must not become the context of ours.
    """
    if not password or len(password) > limit or "\0" in password:
        return None
    try:
        octets = password.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return octets if len(octets) <= limit else None


def _read(stored: str) -> tuple[str, Check] | None:
    if not stored or len(stored) > MAX_STORED:
        return None
    octets = stored.encode("utf-8", "surrogatepass")
    prefixed = _STORED.fullmatch(octets)
    if prefixed:
        name, encoding, data = prefixed.groups(b"")
    elif _BARE_MD5.fullmatch(octets):
        name, encoding, data = b"PLAIN-MD5", b"", octets
    else:
        name, encoding, data = b"CRYPT", b"", octets
    scheme = SCHEMES.get(name.decode("ascii").upper())
    raw = _decode(data, scheme, encoding.decode("ascii").lower()) if scheme else None
    check = scheme.read(raw) if scheme and raw is not None else None
    return (scheme.name, check) if scheme and check else None


def _decode(data: bytes, scheme: Scheme, encoding: str) -> bytes | None:
    if not encoding and scheme.size:
        encoding = "hex" if len(data) == 2 * scheme.size else "b64"
    try:
        match encoding or scheme.encoding:
            case "":
                raw = data
            case "hex":
                raw = binascii.unhexlify(data)
            case _:
                raw = b64decode(data, validate=True)
    except ValueError:
        return None
    return raw if len(raw) == (scheme.size or len(raw)) else None
