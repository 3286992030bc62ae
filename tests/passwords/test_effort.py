"""A login to a missing account must cost what a login to a real one costs.

Wall time is noise on a busy machine, so what is compared is which primitives run, and how dear.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Callable
from typing import Any

import bcrypt
import pytest

from mailwright.passwords import (
    WRITABLE,
    crypt,
    derived,
    digests,
    hash_password,
    verify_any,
    verify_password,
    waste_time,
)

Effort = list[tuple[object, ...]]


@pytest.fixture
def effort(monkeypatch: pytest.MonkeyPatch) -> Effort:
    done: Effort = []

    def watch(owner: object, name: str, cost: Callable[..., tuple[object, ...]]) -> None:
        real = getattr(owner, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            done.append((name, *cost(*arguments)))
            return real(*arguments, **named)

        monkeypatch.setattr(owner, name, watched)

    watch(digests, "_digest", lambda algorithm, octets: (algorithm, len(octets)))
    watch(bcrypt, "checkpw", lambda password, stored: (password, stored[:7]))
    watch(crypt, "libcrypt", lambda password, setting: (password, setting[:3], len(setting)))
    watch(derived, "verify_secret", lambda stored, password, kind: (stored[:31], password, kind))
    watch(hashlib, "pbkdf2_hmac", lambda *given: (*given[:2], given[3], len(given[2])))
    return done


@pytest.mark.parametrize("scheme", WRITABLE)
def test_a_missing_account_takes_the_same_work(scheme: str, effort: Effort) -> None:
    stored = hash_password("Test-Pass1", scheme)
    waste_time("warm", scheme)
    effort.clear()

    verify_password("Guess-1", stored)
    with_account = effort.copy()
    effort.clear()
    waste_time("Guess-1", scheme)
    without_account = effort.copy()

    assert len(with_account) == 1
    assert without_account == with_account


@pytest.mark.parametrize("values", [[], ["{NTLM}00"], ["!"], [""]])
def test_an_account_without_a_readable_password_takes_it_too(
    values: list[str], effort: Effort
) -> None:
    stored = hash_password("Test-Pass1", "PBKDF2")
    waste_time("warm", "PBKDF2")
    effort.clear()

    verify_any("Guess-1", [stored], "PBKDF2")
    with_account = effort.copy()
    effort.clear()
    verify_any("Guess-1", values, "PBKDF2")

    assert effort == with_account
    assert len(effort) == 1


def test_an_endless_password_takes_no_work_with_or_without_an_account(effort: Effort) -> None:
    stored = hash_password("Test-Pass1")
    waste_time("warm")
    effort.clear()

    verify_password("x" * 10_000_000, stored)
    waste_time("x" * 10_000_000)

    assert effort == []


def test_libcrypt_is_called_so_that_other_threads_run() -> None:
    """`PyDLL` would keep the interpreter's lock."""
    assert type(crypt._library()) is ctypes.CDLL
