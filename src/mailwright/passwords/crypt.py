"""Strings in the style of crypt(3): bcrypt by its own library, all others by the system's libcrypt.

Only the shapes below are tried. They bound the work that one stored string can ask for, since a
stored string may come from somebody who wants the server to be busy.
"""

from __future__ import annotations

import ctypes
import functools
import logging
import re
import secrets
import threading
from hmac import compare_digest

import bcrypt

from mailwright.errors import NotSupported
from mailwright.passwords.digests import Check

log = logging.getLogger(__name__)

BCRYPT_COST = 12
BCRYPT_OCTETS = 72
LIBCRYPT_OCTETS = 511  # libxcrypt takes 512 with the closing NUL

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DATA_OCTETS = 32768  # sizeof(struct crypt_data)

_BCRYPT = re.compile(rb"\$2[aby]\$(?:0[4-9]|1[0-6])\$[./0-9A-Za-z]{53}")
_LIBCRYPT = re.compile(
    rb"\$1\$[!-#%-9;-~]{0,8}\$[./0-9A-Za-z]{22}"
    rb"|\$5\$(?:rounds=[0-9]{4,7}\$)?[!-#%-9;-~]{0,16}\$[./0-9A-Za-z]{43}"
    rb"|\$6\$(?:rounds=[0-9]{4,7}\$)?[!-#%-9;-~]{0,16}\$[./0-9A-Za-z]{86}"
    rb"|\$g?y\$j[./0-9A-D][./0-9A-Za-n]\$[./0-9A-Za-z]{1,86}\$[./0-9A-Za-z]{43}"  # to 400 MB
    rb"|[./0-9A-Za-z]{13}"  # DES
)


def read(data: bytes) -> Check | None:
    if _BCRYPT.fullmatch(data):
        return functools.partial(_bcrypt_matches, data)
    if _LIBCRYPT.fullmatch(data):
        return functools.partial(_libcrypt_matches, data)
    return None


def write_bcrypt(password: bytes) -> str:
    salt = bcrypt.gensalt(BCRYPT_COST)
    return bcrypt.hashpw(password[:BCRYPT_OCTETS], salt).decode("ascii")


def write_sha512(password: bytes) -> str:
    salt = "".join(secrets.choice(_ALPHABET) for _ in range(16))
    written = libcrypt(password, f"$6${salt}$".encode("ascii"))
    if written is None:
        raise NotSupported("this system's libcrypt cannot make SHA512-CRYPT hashes")
    return written.decode("ascii")


def libcrypt(password: bytes, setting: bytes) -> bytes | None:
    """Ask libcrypt; None if it is missing or refuses. Other threads run meanwhile."""
    library = _library()
    if library is None:
        return None
    data = ctypes.create_string_buffer(_DATA_OCTETS)
    hashed: bytes | None = library.crypt_rn(password, setting, data, _DATA_OCTETS)
    return hashed


def _bcrypt_matches(stored: bytes, password: bytes) -> bool:
    """Cut where bcrypt stops looking, as Dovecot does; the library refuses longer ones."""
    try:
        return bcrypt.checkpw(password[:BCRYPT_OCTETS], stored)
    except ValueError:  # the last letter of the salt carries bits that nobody writes
        return False


def _libcrypt_matches(stored: bytes, password: bytes) -> bool:
    hashed = libcrypt(password, stored)
    return hashed is not None and compare_digest(hashed, stored)


_loading = threading.Lock()
_names = ("libcrypt.so.1", "libcrypt.so.2", "libcrypt.so")


def _library() -> ctypes.CDLL | None:
    with _loading:
        return _load(_names)


@functools.cache
def _load(names: tuple[str, ...]) -> ctypes.CDLL | None:
    for name in names:
        try:
            library = ctypes.CDLL(name)
            library.crypt_rn.argtypes = (
                ctypes.c_char_p,
                ctypes.c_char_p,
                ctypes.c_void_p,
                ctypes.c_int,
            )
            library.crypt_rn.restype = ctypes.c_char_p
        except (OSError, AttributeError):
            continue
        return library
    log.warning("libcrypt is missing: of its hashes only bcrypt's can be verified")
    return None
