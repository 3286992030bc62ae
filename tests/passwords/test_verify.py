"""Known strings of every scheme. None of them was made by the code under test."""

from __future__ import annotations

import logging
from base64 import b64encode

import pytest

from mailwright.passwords import crypt, known_scheme, verify_any, verify_password

PASSWORD = "Test-Pass1"
BCRYPT = "2NCPWwRZ02QPxlbpZtsG/e2zroUjBZMKbZXkqSjBCaQGBBnvgDkVu"
MD5_CRYPT = "$1$abcdefgh$GvzOcdYAMdxrHyM/1tJ3j."
SHA512_CRYPT = (
    "$6$abcdefgh$xJjqOJb/EcMiYuIs8udprff6nRhn2MVd2f6SDIxpzYboTm7PaeWswKBwGKdWNuAF984/"
    "2RwOwYYRQxcQpNYKc1"
)
MD5 = "7a12eb8da2f89c4810312ffa1f00dc15"
CRAM_MD5 = "5b5aa7962c2a6f09a910fcb64de77f594133a13399cd74983b1802bf8bd995ae"
SCRAM_SHA_1 = ",AXjF1Br1hmkefAQcXUGFew==,LgmwWg7gg1JdhnxyKzlx/NgPHEA=,1cHTboM80InpB1BbVO6PS0w+T1w="
ARGON2ID = "$oBmxjQadXTfTBjknfCdPDg$9kHt0VNX/WDSASSPqdfxmFlMS7Eu2zHgCK3ttUAxchk"
SHA512 = "RCAuJnLD2KohYJTpBoETzV8mkL2bMnfLKrh+sBgySWbmY4JmYsT+hr1tP7nn4jXg6/awit62ijBXr7D2Rp+x6g=="

STORED = {
    "{SSHA}3tS9F8+iRGLHxfJwlsH7l0FK1NsBAgMEBQYHCA==": "SSHA",
    "{SSHA512}NTkX5yS18DuruAx9d4h6D0WCrqWLZbinzqp/kAIfpAFP/GSMEq+jTqpt0LxihQfNn5oatIPIDgSPfpOspKlL"
    "CwECAwQFBgcI": "SSHA512",
    "{SSHA512}axKRfwgcKORom4HO95htGrWS6luY5/e6+7HdgqZazcSug8pDEauxGGbFFCV0PyFr6OCn2TCDkggAGz6iWfhj"
    "u64K+FE=": "SSHA512",
    "{ssha512.hex}f2df54417e13879848e013defc235dc8d980fcf4c3c196a30f8fe72be111f5400aa5911e4612eb90"
    "6588b861db4939030eaf41a8a598f998bcc279ac152a0935bd98c401": "SSHA512",
    "{SSHA256}YIw/66fBniN4g+oZVxrgrOzPBCi5mVyDWBZDo6H3uMq21VYP": "SSHA256",
    "{SMD5}fyeWHyqFb5HH1IjNRs3vbkKRwx0=": "SMD5",
    "{SHA512}" + SHA512: "SHA512",
    "{SHA256}TcE9N1ARZ/gEuOpkGJKlUQRZyfduFvcGKpUDbKUd68I=": "SHA256",
    "{SHA}xyx8lBAuE2chgbvAUWBMXfqtw7w=": "SHA",
    "{SHA}c72c7c94102e13672181bbc051604c5dfaadc3bc": "SHA",
    "{SHA1}xyx8lBAuE2chgbvAUWBMXfqtw7w=": "SHA",
    "{PLAIN-MD5}" + MD5: "PLAIN-MD5",
    "{Plain-Md5}" + MD5.upper(): "PLAIN-MD5",
    "{PLAIN-MD5.b64}ehLrjaL4nEgQMS/6HwDcFQ==": "PLAIN-MD5",
    "{PLAIN-MD5}ehLrjaL4nEgQMS/6HwDcFQ==": "PLAIN-MD5",
    MD5: "PLAIN-MD5",
    "{LDAP-MD5}ehLrjaL4nEgQMS/6HwDcFQ==": "LDAP-MD5",
    "{LDAP-MD5.HEX}" + MD5: "LDAP-MD5",
    "{MD5}" + MD5: "MD5",
    "{MD5}ehLrjaL4nEgQMS/6HwDcFQ==": "MD5",
    "{MD5}" + MD5_CRYPT: "MD5",
    "{MD5-CRYPT}" + MD5_CRYPT: "MD5-CRYPT",
    "{CRYPT}" + MD5_CRYPT: "CRYPT",
    MD5_CRYPT: "CRYPT",
    "{SHA512-CRYPT}" + SHA512_CRYPT: "SHA512-CRYPT",
    "{CRYPT}" + SHA512_CRYPT: "CRYPT",
    "{crypt.base64}" + b64encode(SHA512_CRYPT.encode()).decode(): "CRYPT",
    SHA512_CRYPT: "CRYPT",
    "{SHA256-CRYPT}$5$eA9mXN24niMiW5PQ$3w2Fa5bfVSo.4aEqRWdnLywMAUKG9z8VMgwBfAke1GD": "SHA256-CRYPT",
    "{BLF-CRYPT}$2y$05$" + BCRYPT: "BLF-CRYPT",
    "{CRYPT}$2y$05$" + BCRYPT: "CRYPT",
    "{CRYPT}$2b$05$" + BCRYPT: "CRYPT",
    "{BLF-CRYPT}$2a$05$" + BCRYPT: "BLF-CRYPT",
    "{BCRYPT}$2b$05$" + BCRYPT: "CRYPT",
    "{PLAIN}Test-Pass1": "PLAIN",
    "{CLEAR}Test-Pass1": "PLAIN",
    "{cleartext}Test-Pass1": "PLAIN",
    "{PLAIN.hex}546573742d5061737331": "PLAIN",
    "{CRAM-MD5}" + CRAM_MD5: "CRAM-MD5",
    "{HMAC-MD5}" + CRAM_MD5: "CRAM-MD5",
    "{CRAM-MD5.B64}W1qnliwqbwmpEPy2Ted/WUEzoTOZzXSYOxgCv4vZla4=": "CRAM-MD5",
    "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$88spdVLxQzo+E/JBbUzlXA$"
    "ZuXaY6DOE1F19TTOssDkRHLtrqXyOhdmG3qZ26Jkeq4": "ARGON2I",
    "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1" + ARGON2ID: "ARGON2ID",
    "{PBKDF2}$1$69SYA4z1Xs/uXqx.$5000$66be5f056af9fa3d14e3a1fdba3acec696b1f826": "PBKDF2",
    "{SCRAM-SHA-1}4096" + SCRAM_SHA_1: "SCRAM-SHA-1",
    "{SCRAM-SHA-256}4096,ln+epcs9/jNIqWHyz33aVA==,h7ttErrchOvKdJNc5/7XGxRWeR23+4HOxvz2Pgglxgw=,"
    "Xt9vd2jNhrbIIYckbFeW9NXW+aahTwi22z3ve5pqAGg=": "SCRAM-SHA-256",
}


@pytest.mark.parametrize("stored", STORED)
def test_the_right_password_matches(stored: str) -> None:
    assert verify_password(PASSWORD, stored)


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("wrong", ["Test-Pass2", "test-Pass1", "Test-Pas", "", "Test-Pass1\0"])
def test_a_wrong_password_does_not(stored: str, wrong: str) -> None:
    assert not verify_password(wrong, stored)


@pytest.mark.parametrize(("stored", "scheme"), STORED.items())
def test_the_scheme_is_known_by_its_main_name(stored: str, scheme: str) -> None:
    assert known_scheme(stored) == scheme


@pytest.mark.parametrize("stored", STORED)
def test_a_leading_exclamation_mark_locks(stored: str) -> None:
    assert not verify_password(PASSWORD, "!" + stored)
    assert known_scheme("!" + stored) is None


def test_des_looks_at_eight_characters_only() -> None:
    stored = "{DES-CRYPT}WIOtro6SWas6s"

    assert known_scheme(stored) == "DES-CRYPT"
    assert verify_password("Test-Pass1", stored)
    assert verify_password("Test-Pass2", stored)
    assert not verify_password("test-Pass1", stored)


def test_yescrypt_is_verified() -> None:
    stored = crypt.libcrypt(PASSWORD.encode(), b"$y$j75$abcdefgh$")
    assert stored is not None

    assert verify_password(PASSWORD, "{CRYPT}" + stored.decode())
    assert not verify_password("Test-Pass2", "{CRYPT}" + stored.decode())


NEVER = [
    "",
    "!",
    "*",
    "{}",
    "{PLAIN}",
    "{SSHA512}",
    "{SSHA512}!!!",
    "{SSHA}xyx8lBAuE2chgbvAUWBMXfqtw7w=",  # no salt
    "{SHA}xyx8lBAuE2chgbvAUWBMXfqtw7w",  # no padding
    "{SHA}xyx8lBAuE2ch!!!!gbvAUWBMXfqtw7w=",  # no base64
    "{SHA.rot13}xyx8lBAuE2chgbvAUWBMXfqtw7w=",
    "{SHA512}" + MD5,
    "{NTLM}0cb6948805f797bf2a82807973b89537",
    "{CRYPT}Test-Pass1",
    "{CRYPT}" + MD5,
    "Test-Pass1",
    "{PLAIN.hex}zz",
    "{SCRAM-SHA-256}4096" + SCRAM_SHA_1,
    "{SCRAM-SHA-1}4096,AXjF,Xt9vd2jNhrbIIYckbFeW9NXW+aahTwi22z3ve5pqAGg=" + SCRAM_SHA_1[-29:],
    "{PLAIN}" + "x" * 5000,
    "{\u017fHA}xyx8lBAuE2chgbvAUWBMXfqtw7w=",  # a long s is no S
    "\ud800",
]


@pytest.mark.parametrize("stored", NEVER)
def test_garbage_matches_nothing(stored: str) -> None:
    assert not verify_password(PASSWORD, stored)
    assert known_scheme(stored) is None


TOO_DEAR = [
    "{CRYPT}$2y$17$" + BCRYPT,
    "{CRYPT}" + SHA512_CRYPT.replace("$6$", "$6$rounds=99999999$"),
    "{ARGON2ID}$argon2id$v=19$m=4000000,t=1,p=1" + ARGON2ID,
    "{ARGON2ID}$argon2id$v=19$m=65536,t=9999,p=1" + ARGON2ID,
    "{PBKDF2}$1$69SYA4z1Xs/uXqx.$9999999$66be5f056af9fa3d14e3a1fdba3acec696b1f826",
    "{SCRAM-SHA-1}9999999" + SCRAM_SHA_1,
]


@pytest.mark.parametrize("stored", TOO_DEAR)
def test_a_stored_string_cannot_ask_for_unbounded_work(stored: str) -> None:
    assert known_scheme(stored) is None


@pytest.mark.parametrize("password", ["\0", "a\0b", "\ud800", "x" * 10_000_000, "é" * 3000])
def test_no_scheme_is_asked_about_a_password_that_nobody_can_send(password: str) -> None:
    assert not verify_password(password, "{PLAIN}" + password[:4000])


def test_other_alphabets_are_utf_8() -> None:
    assert verify_password("Пароль-1", "{PLAIN}Пароль-1")


def test_any_of_several_values_will_do() -> None:
    values = ["{NTLM}00", "{PLAIN}other", "{PLAIN}Test-Pass1"]

    assert verify_any(PASSWORD, values)
    assert not verify_any("Test-Pass2", values)
    assert not verify_any(PASSWORD, [])


def test_without_libcrypt_nothing_matches_and_one_warning_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(crypt, "_names", ("libnosuchcrypt.so.9",))
    with caplog.at_level(logging.WARNING):
        answers = [verify_password(PASSWORD, "{CRYPT}" + SHA512_CRYPT) for _ in range(3)]

    assert answers == [False] * 3
    assert verify_password(PASSWORD, "{CRYPT}$2b$05$" + BCRYPT)
    assert [record.name for record in caplog.records] == ["mailwright.passwords.crypt"]
