"""Rules of a directory that keep Mailwright from some entries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.servers.slapd import Slapd

_FIRST = "\naccess to "


@contextmanager
def only_readable(directory: Slapd, *names: str) -> Iterator[None]:
    """Entries that Mailwright may read and not write; the server is restarted before and after."""
    before = directory._config.read_text()
    rules = "".join(
        f'access to dn.exact="{dn}"\n    by dn.exact="{directory.bind_dn}" read\n    by * break\n'
        for dn in names
    )
    directory._config.write_text(before.replace(_FIRST, f"\n{rules}access to ", 1))
    directory.restart()
    try:
        yield
    finally:
        directory._config.write_text(before)
        directory.restart()
