"""The real doveadm, as a function."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.servers.require import program

Doveadm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def doveadm() -> Doveadm:
    """Run ``doveadm pw`` with the given arguments."""
    command = [program("doveadm", "/usr/bin"), "pw"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments], check=False, capture_output=True, text=True, timeout=60
        )

    return run
