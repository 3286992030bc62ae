"""What is written for new passwords, and what is refused."""

from __future__ import annotations

import re
from base64 import b64decode

import pytest

from mailwright.errors import Invalid, MailwrightError, NotSupported
from mailwright.passwords import (
    DEFAULT_SCHEME,
    SLAPD_VERIFIES,
    WRITABLE,
    crypt,
    hash_password,
    known_scheme,
    verify_password,
)

PASSWORD = "Test-Pass1"

SHAPES = {
    "SSHA512": r"\{SSHA512\}[+/\w]{96}",
    "SSHA": r"\{SSHA\}[+/\w]{38}==",
    "BCRYPT": r"\{CRYPT\}\$2b\$12\$[./\w]{53}",
    "ARGON2ID": r"\{ARGON2ID\}\$argon2id\$v=19\$m=65536,t=3,p=1\$[+/\w]{22}\$[+/\w]{43}",
    "SHA512-CRYPT": r"\{CRYPT\}\$6\$[./\w]{16}\$[./\w]{86}",
    "PBKDF2": r"\{PBKDF2\}\$1\$[0-9a-f]{16}\$100000\$[0-9a-f]{40}",
}


def test_every_scheme_has_a_shape_here() -> None:
    assert set(WRITABLE) == set(SHAPES)
    assert set(WRITABLE) >= SLAPD_VERIFIES


@pytest.mark.parametrize(("scheme", "shape"), SHAPES.items())
def test_what_is_written_has_the_prefix_that_all_verifiers_accept(scheme: str, shape: str) -> None:
    stored = hash_password(PASSWORD, scheme)

    assert re.fullmatch(shape, stored)
    assert len(stored) <= 255
    assert known_scheme(stored) is not None


@pytest.mark.parametrize("scheme", WRITABLE)
def test_what_is_written_can_be_verified(scheme: str) -> None:
    stored = hash_password(PASSWORD, scheme)

    assert verify_password(PASSWORD, stored)
    assert not verify_password("Test-Pass2", stored)


@pytest.mark.parametrize("scheme", WRITABLE)
def test_every_hash_has_its_own_salt(scheme: str) -> None:
    assert hash_password(PASSWORD, scheme) != hash_password(PASSWORD, scheme)


@pytest.mark.parametrize("scheme", WRITABLE)
def test_the_longest_password_can_be_verified(scheme: str) -> None:
    assert verify_password("x" * 511, hash_password("x" * 511, scheme))


def test_bcrypt_does_not_look_beyond_72_octets() -> None:
    stored = hash_password("x" * 80, "BCRYPT")

    assert verify_password("x" * 72 + "y", stored)
    assert not verify_password("x" * 71 + "y", stored)


def test_the_default_is_ssha512_with_eight_octets_of_salt() -> None:
    stored = hash_password(PASSWORD)

    assert DEFAULT_SCHEME == "SSHA512"
    assert len(b64decode(stored.removeprefix("{SSHA512}"))) == 64 + 8


def test_scheme_names_may_be_in_any_case() -> None:
    assert hash_password(PASSWORD, "ssha").startswith("{SSHA}")


@pytest.mark.parametrize("scheme", ["", "PLAIN", "CRAM-MD5", "SHA", "nonsense"])
def test_other_schemes_are_not_written(scheme: str) -> None:
    with pytest.raises(Invalid) as caught:
        hash_password(PASSWORD, scheme)

    assert caught.value.code == "INVALID_PASSWORD_SCHEME"
    assert_silent(caught.value, PASSWORD)


@pytest.mark.parametrize(
    "password", ["", "Secret\0", "Secret\ud800", "Secret" + "x" * 506, "ß" * 300]
)
def test_what_could_not_be_verified_is_not_hashed(password: str) -> None:
    with pytest.raises(Invalid) as caught:
        hash_password(password)

    assert (caught.value.code, caught.value.parameter) == ("INVALID_PASSWORD", "password")
    assert_silent(caught.value, "Secret")


def test_without_libcrypt_its_scheme_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypt, "_names", ("libnosuchcrypt.so.8",))
    with pytest.raises(NotSupported) as caught:
        hash_password(PASSWORD, "SHA512-CRYPT")

    assert_silent(caught.value, PASSWORD)


def assert_silent(error: BaseException, password: str) -> None:
    """An encoder's exception holds its whole input: as a hidden context it would carry it along."""
    assert isinstance(error, MailwrightError)
    assert (error.__cause__, error.__context__) == (None, None)
    assert password not in f"{error!r} {error} {vars(error)} {error.args}"
