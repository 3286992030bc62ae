"""A missing program skips a test, or fails it where everything has to be there."""

from __future__ import annotations

import pytest

from tests.servers import require


def test_a_missing_program_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILWRIGHT_TEST_REQUIRE_ALL", raising=False)

    with pytest.raises(pytest.skip.Exception, match="no-such-program"):
        require.program("no-such-program")


def test_a_missing_program_fails_where_all_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILWRIGHT_TEST_REQUIRE_ALL", "1")

    with pytest.raises(pytest.fail.Exception, match="no-such-program"):
        require.program("no-such-program")


def test_a_missing_module_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILWRIGHT_TEST_REQUIRE_ALL", raising=False)

    with pytest.raises(pytest.skip.Exception, match="no_such_module"):
        require.module("no_such_module")


def test_a_missing_module_fails_where_all_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILWRIGHT_TEST_REQUIRE_ALL", "1")

    with pytest.raises(pytest.fail.Exception, match="no_such_module"):
        require.module("no_such_module")
