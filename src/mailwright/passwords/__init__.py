"""Passwords: how they are stored, how a stored one is verified, and which new ones are good enough.

`schemes` is the table of stored forms; `digests`, `crypt` and `derived` know one family of them
each; `policy` judges new passwords.
"""

from mailwright.passwords.policy import PasswordPolicy
from mailwright.passwords.schemes import (
    DEFAULT_SCHEME,
    SLAPD_VERIFIES,
    WRITABLE,
    hash_password,
    known_scheme,
    verify_any,
    verify_password,
    waste_time,
)

__all__ = [
    "DEFAULT_SCHEME",
    "SLAPD_VERIFIES",
    "WRITABLE",
    "PasswordPolicy",
    "hash_password",
    "known_scheme",
    "verify_any",
    "verify_password",
    "waste_time",
]
