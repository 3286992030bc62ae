"""Files that hold secrets."""

from __future__ import annotations

import os
from pathlib import Path

from mailwright.errors import ConfigurationError, Exists
from mailwright.storage.sql.setup import make_directory


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner reads.  ``Exists``, ``ConfigurationError``."""
    make_directory(path.parent)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise Exists(f"{path} already exists and stays as it is") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
