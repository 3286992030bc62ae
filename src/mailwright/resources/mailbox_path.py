"""Where a new mailbox lies on disk (SQL reference 3.5).

Dovecot lower-cases the path, so every component is lower case.  Nobody computes a path again: only the
stored value counts.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from mailwright.fields.addresses import domain_of, local_part_of
from mailwright.settings import Settings

_ABSOLUTE = re.compile(r"(?:/[a-z0-9_][a-z0-9._-]*){2,}")


def storage_base(settings: Settings, of_domain: str = "") -> tuple[str, str]:
    """The base directory cut at its last slash: the directory and the storage node.

    A domain may have one of its own (LDAP reference 3.6); what is no absolute path counts as none.
    """
    chosen = of_domain.rstrip("/").lower()
    if not _ABSOLUTE.fullmatch(chosen):
        chosen = settings.accounts.storage_base_directory
    base, _, node = chosen.rpartition("/")
    return base, node


def maildir(address: str, now: dt.datetime, settings: Settings, *, stamped: bool = False) -> str:
    """The part below the storage node, with a slash at its end; ``stamped`` forces the time into it."""
    choices = settings.accounts
    local, domain = local_part_of(address), domain_of(address)
    parts: list[str] = []
    if choices.maildir_prepend_domain:
        if choices.maildir_domain_hashed:
            parts += _letters(domain.split(".", 1)[0], 2, allowed=str.isalnum)
        parts.append(domain)
    if choices.maildir_hashed:
        parts += _letters(local, 3, allowed=lambda letter: letter not in ".~")
    if stamped or choices.maildir_append_timestamp:
        local += now.astimezone().strftime("-%Y.%m.%d.%H.%M.%S")
    parts.append(local)
    return "/".join(parts) + "/"


def _letters(text: str, count: int, *, allowed: Callable[[str], bool]) -> list[str]:
    return [letter if allowed(letter) else "_" for letter in text[:count].ljust(count, "_")]
