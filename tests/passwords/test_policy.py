"""Which new passwords are good enough."""

from __future__ import annotations

import dataclasses

import pytest

from mailwright.errors import Invalid
from mailwright.passwords import PasswordPolicy
from mailwright.passwords.policy import SPECIAL_CHARACTERS

DEFAULT = PasswordPolicy()
LAX = PasswordPolicy(
    min_length=1, has_letter=False, has_uppercase=False, has_number=False, has_special_char=False
)
NO_LETTER, NO_UPPERCASE = "PW_NO_LETTER", "PW_NO_UPPERCASE"
NO_DIGIT, NO_SPECIAL = "PW_NO_DIGIT_NUMBER", "PW_NO_SPECIAL_CHAR"
SHORT, LONG = "PW_SHORTER_THAN_MIN_LENGTH", "PW_GREATER_THAN_MAX_LENGTH"
NON_ASCII, SPACE = "PW_NON_ASCII", "PW_SURROUNDING_SPACE"


@pytest.mark.parametrize(
    ("policy", "password", "codes"),
    [
        (DEFAULT, "Test-Pass1", ()),
        (DEFAULT, "Te st-Pass1", ()),
        (DEFAULT, "Test-Pa1", ()),
        (DEFAULT, "Test-P1", (SHORT,)),
        (DEFAULT, "", ("PW_EMPTY",)),
        (DEFAULT, "TEST-PASS1", ()),
        (DEFAULT, "test-pass1", (NO_UPPERCASE,)),
        (DEFAULT, "1234567-8", (NO_LETTER, NO_UPPERCASE)),
        (DEFAULT, "Test-Passw", (NO_DIGIT,)),
        (DEFAULT, "TestPassw1", (NO_SPECIAL,)),
        (DEFAULT, "Test Pass1", (NO_SPECIAL,)),
        (DEFAULT, "Test^Pas|\\1", (NO_SPECIAL,)),
        (DEFAULT, "Tést-Pass1", (NON_ASCII,)),
        (DEFAULT, "Test-\x7fPass1", (NON_ASCII,)),
        (DEFAULT, "Test-Pass\ud800", (NON_ASCII, NO_DIGIT)),
        (DEFAULT, "ÉÉÉÉÉÉ-٣", (NON_ASCII, NO_LETTER, NO_UPPERCASE, NO_DIGIT)),
        (DEFAULT, " Test-Pass1", (SPACE,)),
        (DEFAULT, "Test-Pass1 ", (SPACE,)),
        (DEFAULT, "Test-Pass1\n", (NON_ASCII, SPACE)),
        (DEFAULT, "Test-Pass1" + "x" * 501, ()),
        (DEFAULT, "Test-Pass1" + "x" * 502, (LONG,)),
        (DEFAULT, "x" * 10_000_000, (LONG, NO_UPPERCASE, NO_DIGIT, NO_SPECIAL)),
        (LAX, "x", ()),
        (LAX, "", ("PW_EMPTY",)),
        (LAX, "é", (NON_ASCII,)),
        (LAX, " ", (SPACE,)),
        (PasswordPolicy(max_length=10), "Test-Pass1", ()),
        (PasswordPolicy(max_length=10), "Test-Pass12", (LONG,)),
        (PasswordPolicy(max_length=9999), "Test-Pass1" + "x" * 502, (LONG,)),
        (
            DEFAULT,
            " \t",
            (NON_ASCII, SPACE, SHORT, NO_LETTER, NO_UPPERCASE, NO_DIGIT, NO_SPECIAL),
        ),
    ],
)
def test_every_fault_has_its_code_in_a_fixed_order(
    policy: PasswordPolicy, password: str, codes: tuple[str, ...]
) -> None:
    assert policy.check(password) == codes


@pytest.mark.parametrize("character", SPECIAL_CHARACTERS)
def test_each_special_character_will_do(character: str) -> None:
    assert DEFAULT.check(f"TestPass{character}1") == ()


@pytest.mark.parametrize(
    ("switch", "password"),
    [
        ("has_letter", "12345678-"),
        ("has_uppercase", "test-pass1"),
        ("has_number", "Test-Passw"),
        ("has_special_char", "TestPassw1"),
    ],
)
def test_each_demand_can_be_switched_on_alone(switch: str, password: str) -> None:
    assert LAX.check(password) == ()
    assert len(dataclasses.replace(LAX, **{switch: True}).check(password)) == 1


def test_a_confirmation_must_be_the_same() -> None:
    assert DEFAULT.check("Test-Pass1", confirmation="Test-Pass1") == ()
    assert DEFAULT.check("Test-Pass1", confirmation="Test-Pass2") == ("PW_MISMATCH",)
    assert DEFAULT.check("", confirmation="") == ("PW_EMPTY",)


@pytest.mark.parametrize(
    ("minimum", "maximum", "expected"),
    [(0, 0, (8, 20)), (12, 0, (12, 20)), (0, 16, (8, 16)), (12, 16, (12, 16)), (-1, -1, (8, 20))],
)
def test_lengths_of_a_domain_replace_ours_when_set(
    minimum: int, maximum: int, expected: tuple[int, int]
) -> None:
    policy = PasswordPolicy(max_length=20, has_number=False).with_lengths(minimum, maximum)

    assert (policy.min_length, policy.max_length) == expected
    assert not policy.has_number


def test_a_good_password_passes() -> None:
    DEFAULT.require("Test-Pass1", confirmation="Test-Pass1")


def test_a_bad_one_is_refused_with_all_codes_the_limits_and_not_itself() -> None:
    with pytest.raises(Invalid) as caught:
        DEFAULT.with_lengths(12, 0).require("Sekret", "newpw")
    error = caught.value

    assert error.code == f"{SHORT},{NO_DIGIT},{NO_SPECIAL}"
    assert error.parameter == "newpw"
    assert error.reason.startswith(
        "the password must have at least 12 characters, must have a digit"
    )
    assert "Sekret" not in f"{error!r} {error} {vars(error)} {error.args}"
    assert (error.__cause__, error.__context__) == (None, None)


def test_the_reason_names_the_longest_length() -> None:
    with pytest.raises(Invalid, match="have at most 9 characters"):
        PasswordPolicy(max_length=9).require("Test-Pass1")


def test_a_wrong_confirmation_is_not_told_either() -> None:
    with pytest.raises(Invalid) as caught:
        DEFAULT.require("Test-Pass1", confirmation="Other-Pass2")

    assert "Pass" not in str(caught.value)
