"""Settings that an admin panel stored in ``iredadmin.settings``: they win over the settings file.

Source: policy reference 7.3.  A row of the wrong shape, or a name that is not known here, changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mailwright.networks import Networks
from mailwright.passwords import PasswordPolicy
from mailwright.settings import Settings

STATEMENT = 'SELECT "k", "v" FROM "settings" WHERE "account" = \'global\''


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is in force; a list of clients that is empty restricts nobody."""

    policy: PasswordPolicy
    api_clients: Networks
    login_clients: Networks
    global_login_clients: Networks


def in_force(settings: Settings, rows: Iterable[tuple[str, ...]]) -> Overrides:
    """The settings file, overridden by rows of key and JSON text."""
    stored = dict(_stored(rows))
    return Overrides(
        _policy(settings, stored),
        _networks(stored, "restful_api_clients"),
        _networks(stored, "admin_login_ip_list"),
        _networks(stored, "global_admin_ip_list"),
    )


def _stored(rows: Iterable[tuple[str, ...]]) -> Iterable[tuple[str, object]]:
    for key, text in rows:
        try:
            value = json.loads(text)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield key, value.get("value")


def _policy(settings: Settings, stored: Mapping[str, object]) -> PasswordPolicy:
    own = settings.passwords

    def number(key: str, default: int) -> int:
        value = stored.get(key)
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return value if whole else default  # type: ignore[return-value]

    def flag(key: str, *, default: bool) -> bool:
        value = stored.get(key)
        return value if isinstance(value, bool) else default

    return PasswordPolicy(
        min_length=max(1, number("min_passwd_length", own.min_length)),
        max_length=number("max_passwd_length", own.max_length),
        has_letter=flag("password_has_letter", default=own.has_letter),
        has_uppercase=flag("password_has_uppercase", default=own.has_uppercase),
        has_number=flag("password_has_number", default=own.has_number),
        has_special_char=flag("password_has_special_char", default=own.has_special_char),
    )


def _networks(stored: Mapping[str, object], key: str) -> Networks:
    """A stored list of clients; an entry that nobody can read lets nobody in."""
    value = stored.get(key)
    if not isinstance(value, list):
        return Networks()
    readable: list[str] = []
    for text in value:
        try:
            readable.extend(Networks([text]).texts)
        except (ValueError, AttributeError):
            continue
    return Networks(readable) if readable or not value else Networks(["255.255.255.255"])
