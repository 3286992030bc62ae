"""Where the settings file is, if nobody says so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mailwright.errors import ConfigurationError
from mailwright.settings.loading import ENVIRONMENT_PREFIX

VARIABLE: Final = f"{ENVIRONMENT_PREFIX}CONFIG"
HERE: Final = Path("mailwright.toml")
SYSTEM: Final = Path("/etc/mailwright/mailwright.toml")


def settings_file(environ: Mapping[str, str]) -> Path | None:
    """The file to read; ``None`` where the environment alone has the settings.

    The variable wins, then the working directory, then the system's.  ``ConfigurationError``.
    """
    named = environ.get(VARIABLE)
    if named:
        return Path(named)
    for path in (HERE, SYSTEM):
        if path.exists():
            return path
    if any(name.startswith(ENVIRONMENT_PREFIX) and "__" in name for name in environ):
        return None
    raise ConfigurationError(
        f"there is no settings file: looked for ./{HERE} and {SYSTEM}; "
        f"name one with --config or {VARIABLE}, or let `mailwright init` write one"
    )
