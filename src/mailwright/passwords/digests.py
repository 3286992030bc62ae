"""Stored forms that are one pass of a hash function, and plain text.

A reader takes the decoded data and returns the check of a password against it, or None when no
password can match.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from base64 import b64encode
from collections.abc import Callable
from hmac import compare_digest
from struct import pack, unpack

Check = Callable[[bytes], bool]
Reader = Callable[[bytes], Check | None]

SALT_OCTETS = 8

_MD5_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_MD5_SINES = tuple(int(abs(math.sin(step + 1)) * 2**32) for step in range(64))
_MD5_SHIFTS = ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21))
_MD5_BLOCK = 64
_WORD = 0xFFFFFFFF


def plain(data: bytes) -> Check | None:
    return (lambda password: compare_digest(password, data)) if data else None


def unsalted(algorithm: str) -> Reader:
    def read(data: bytes) -> Check | None:
        return lambda password: compare_digest(_digest(algorithm, password), data)

    return read


def salted(algorithm: str) -> Reader:
    size = hashlib.new(algorithm, usedforsecurity=False).digest_size

    def read(data: bytes) -> Check | None:
        digest, salt = data[:size], data[size:]
        if not salt:
            return None
        return lambda password: compare_digest(_digest(algorithm, password + salt), digest)

    return read


def write_salted(algorithm: str, password: bytes) -> str:
    salt = secrets.token_bytes(SALT_OCTETS)
    return b64encode(_digest(algorithm, password + salt) + salt).decode("ascii")


def cram_md5(data: bytes) -> Check | None:
    return lambda password: compare_digest(_hmac_md5_states(password), data)


def _digest(algorithm: str, octets: bytes) -> bytes:
    return hashlib.new(algorithm, octets, usedforsecurity=False).digest()


def _hmac_md5_states(key: bytes) -> bytes:
    """What HMAC-MD5 knows of its key before it sees a message: the outer state, then the inner."""
    if len(key) > _MD5_BLOCK:
        key = _digest("md5", key)
    key = key.ljust(_MD5_BLOCK, b"\0")
    return b"".join(_md5_state(bytes(octet ^ pad for octet in key)) for pad in (0x5C, 0x36))


def _md5_state(block: bytes) -> bytes:
    """MD5's chaining value (RFC 1321) after one block; hashlib only gives finished digests."""
    words = unpack("<16I", block)
    a, b, c, d = _MD5_START
    for step in range(64):
        match step // 16:
            case 0:
                mixed, index = (b & c) | (~b & d), step
            case 1:
                mixed, index = (d & b) | (~d & c), 5 * step + 1
            case 2:
                mixed, index = b ^ c ^ d, 3 * step + 5
            case _:
                mixed, index = c ^ (b | (~d & _WORD)), 7 * step
        turned = (a + mixed + _MD5_SINES[step] + words[index % 16]) & _WORD
        shift = _MD5_SHIFTS[step // 16][step % 4]
        turned = (turned << shift | turned >> (32 - shift)) & _WORD
        a, b, c, d = d, (b + turned) & _WORD, b, c
    ends = zip(_MD5_START, (a, b, c, d), strict=True)
    return pack("<4I", *((start + end) & _WORD for start, end in ends))
