"""Stored forms made by key derivation: Argon2, PBKDF2, SCRAM.

As with crypt strings, the accepted costs are bounded.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b64decode
from hmac import compare_digest

from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import Type, hash_secret, verify_secret

from mailwright.passwords.digests import Check, Reader

ARGON2_PASSES = 3
ARGON2_KIBIBYTES = 65536
ARGON2_LANES = 1  # one thread for one login: the server has its own
PBKDF2_ROUNDS = 100_000

MAX_ROUNDS = 5_000_000
MAX_KIBIBYTES = 2**20
MAX_KIBIBYTES_BY_PASSES = 2**22

_ARGON2 = re.compile(
    rb"\$argon2(id|i)\$v=19\$m=([0-9]{1,7}),t=([0-9]{1,7}),p=[0-9]{1,2}"
    rb"\$[+/0-9A-Za-z]{11,128}\$[+/0-9A-Za-z]{16,128}"
)
_ARGON2_TYPES = {b"i": Type.I, b"id": Type.ID}
_PBKDF2 = re.compile(rb"\$1\$([^$]{1,128})\$([0-9]{1,7})\$([0-9A-Fa-f]{40})")
_SCRAM = re.compile(
    rb"([0-9]{1,7}),([+/0-9A-Za-z]{1,128}={0,2}),([+/0-9A-Za-z]{27,43}=),([+/0-9A-Za-z]{27,43}=)"
)


def argon2(data: bytes) -> Check | None:
    found = _ARGON2.fullmatch(data)
    if not found:
        return None
    kind, kibibytes, passes = _ARGON2_TYPES[found[1]], int(found[2]), int(found[3])
    if kibibytes > MAX_KIBIBYTES or kibibytes * passes > MAX_KIBIBYTES_BY_PASSES:
        return None

    def check(password: bytes) -> bool:
        try:
            return verify_secret(data, password, kind)
        except (Argon2Error, InvalidHashError):
            return False

    return check


def write_argon2id(password: bytes) -> str:
    return hash_secret(
        password,
        secrets.token_bytes(16),
        time_cost=ARGON2_PASSES,
        memory_cost=ARGON2_KIBIBYTES,
        parallelism=ARGON2_LANES,
        hash_len=32,
        type=Type.ID,
    ).decode("ascii")


def pbkdf2(data: bytes) -> Check | None:
    found = _PBKDF2.fullmatch(data)
    if not found:
        return None
    salt, rounds, key = found[1], int(found[2]), bytes.fromhex(found[3].decode("ascii"))
    if not 1 <= rounds <= MAX_ROUNDS:
        return None
    return lambda password: compare_digest(hashlib.pbkdf2_hmac("sha1", password, salt, rounds), key)


def write_pbkdf2(password: bytes) -> str:
    salt = secrets.token_hex(8)
    key = hashlib.pbkdf2_hmac("sha1", password, salt.encode("ascii"), PBKDF2_ROUNDS)
    return f"$1${salt}${PBKDF2_ROUNDS}${key.hex()}"


def scram(algorithm: str) -> Reader:
    """A server's two keys by RFC 5802; like Dovecot, a password is judged by the client's."""
    size = hashlib.new(algorithm).digest_size

    def read(data: bytes) -> Check | None:
        found = _SCRAM.fullmatch(data)
        if not found:
            return None
        rounds = int(found[1])
        try:
            salt, stored, server = (b64decode(part, validate=True) for part in found.groups()[1:])
        except ValueError:
            return None
        if not 1 <= rounds <= MAX_ROUNDS or len(stored) != size or len(server) != size:
            return None

        def check(password: bytes) -> bool:
            secret = hashlib.pbkdf2_hmac(algorithm, password, salt, rounds)
            client = hmac.digest(secret, b"Client Key", algorithm)
            return compare_digest(hashlib.new(algorithm, client).digest(), stored)

        return check

    return read
