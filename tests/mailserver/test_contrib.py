"""The files in `contrib/` say what `contrib/maps.py` says."""

from __future__ import annotations

import subprocess
import sys

from tests.mailserver.lab import CONTRIB


def test_the_look_up_files_are_current() -> None:
    done = subprocess.run(
        [sys.executable, CONTRIB / "maps.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "" == done.stdout
    assert 0 == done.returncode
