"""The real Dovecot and we agree, in both directions."""

from __future__ import annotations

import pytest

from mailwright.passwords import WRITABLE, hash_password, known_scheme, schemes, verify_password
from tests.passwords.conftest import Doveadm

PASSWORD = "Test-Pass1"
NOT_DOVECOTS = {"ARGON2", "BCRYPT"}
NOT_OURS = {"DIGEST-MD5", "OTP", "PLAIN-MD4", "PLAIN-TRUNC"}
DOVECOTS = sorted(set(schemes.SCHEMES) - NOT_DOVECOTS)


def test_every_scheme_of_dovecot_is_ours_or_listed_as_not(doveadm: Doveadm) -> None:
    theirs = set(doveadm("-l").stdout.split())

    assert theirs == set(DOVECOTS) | NOT_OURS


@pytest.mark.parametrize("scheme", WRITABLE)
@pytest.mark.parametrize("password", [PASSWORD, "a \"b\\' ~", "Пароль-1", "x" * 100])
def test_dovecot_accepts_what_we_write(doveadm: Doveadm, scheme: str, password: str) -> None:
    stored = hash_password(password, scheme)

    assert "(verified)" in doveadm("-t", stored, "-p", password).stdout
    assert doveadm("-t", stored, "-p", "y" + password).returncode != 0


@pytest.mark.parametrize("scheme", DOVECOTS)
@pytest.mark.parametrize("suffix", ["", ".b64", ".hex"])
def test_we_accept_what_dovecot_writes(doveadm: Doveadm, scheme: str, suffix: str) -> None:
    stored = doveadm("-s", scheme + suffix, "-p", PASSWORD).stdout.rstrip("\n")

    assert stored.startswith("{" + scheme)
    assert verify_password(PASSWORD, stored)
    assert not verify_password("test-Pass1", stored)
    assert known_scheme(stored) in (scheme, schemes.SCHEMES[scheme].name)


@pytest.mark.parametrize("length", [1, 55, 63, 64, 65, 200])
@pytest.mark.parametrize("scheme", ["CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "PBKDF2"])
def test_long_keys_are_treated_as_dovecot_does(doveadm: Doveadm, scheme: str, length: int) -> None:
    password = "k" * length
    stored = doveadm("-s", scheme, "-p", password).stdout.rstrip("\n")

    assert verify_password(password, stored)
