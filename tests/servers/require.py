"""What a test does when this machine cannot run the server it asks for."""

from __future__ import annotations

import glob
import importlib
import os
import pwd
import shutil
from typing import Any, NoReturn

import pytest


def missing(what: str) -> NoReturn:
    """Fail where everything has to be there (the build server), skip elsewhere."""
    if os.environ.get("MAILWRIGHT_TEST_REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is required by MAILWRIGHT_TEST_REQUIRE_ALL", pytrace=False)
    pytest.skip(f"{what} is not available", allow_module_level=True)


def module(name: str) -> Any:
    """A module that is not on every machine, imported; at the top of a test module too."""
    try:
        return importlib.import_module(name)
    except ImportError:
        missing(f"the module {name}")


def program(name: str, *folders: str) -> str:
    """The path of a program, looked for on PATH, then in the given folders (newest first)."""
    found = shutil.which(name)
    if found:
        return found
    for folder in (*folders, "/usr/sbin"):
        for match in sorted(glob.glob(f"{folder}/{name}"), reverse=True):  # noqa: PTH207
            if os.access(match, os.X_OK):
                return match
    missing(name)


def folder(what: str, *patterns: str) -> str:
    """The first folder that is there."""
    for pattern in patterns:
        for match in sorted(glob.glob(pattern), reverse=True):  # noqa: PTH207
            return match
    missing(what)


def run_as(user: str) -> str | None:
    """The account a server runs under: `user` if we are root, else ourselves (None)."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(user)
    except KeyError:
        missing(f"the system account {user}")
    return user


def root(why: str) -> None:
    if os.geteuid() != 0:
        missing(f"root, which {why} needs,")
