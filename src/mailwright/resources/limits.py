"""What a domain admin may hand out: shared by all domains that were given to them.

Sources: the API document (`maxDomains` … of a domain admin), SQL reference 3.2 and 7.5, LDAP reference 3.7,
decision 14.  Settled under a lock of the admin, which is taken after those of accounts and domains.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from mailwright.authz import Role
from mailwright.errors import LimitReached
from mailwright.storage.protocol import EVERY_DOMAIN
from mailwright.work import Work

# Keys of an admin's settings, in SQL and in a directory alike.
MAY_CREATE_DOMAINS = "create_new_domains"
MOST_DOMAINS = "create_max_domains"
MOST_USERS = "create_max_users"
MOST_QUOTA = "create_max_quota"
_NUMBERS: Final = (MOST_QUOTA, MOST_USERS, "create_max_aliases", "create_max_lists")
# What is closed to an admin: as a setting in SQL, and as a service in a directory.
_CLOSED: Final = (
    ("disable_viewing_mail_log", "view_mail_log"),
    ("disable_managing_quarantined_mails", "manage_quarantined_mails"),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one admin: numbers, and megabytes; 0 is no limit, -1 allows none."""

    may_create_domains: bool
    domains: int
    users: int
    quota: int

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Limits:
        """What an admin's settings say; what is no number is none."""
        return cls(
            bool(settings.get(MAY_CREATE_DOMAINS)),
            _number(settings, MOST_DOMAINS),
            _number(settings, MOST_USERS),
            _number(settings, MOST_QUOTA),
        )


def wider(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether an admin with some settings may do more than one with others, by any of the limits."""
    return any(mine > others for mine, others in zip(_extents(one), _extents(other), strict=True))


def _extents(settings: Mapping[str, str]) -> tuple[float, ...]:
    creates = bool(settings.get(MAY_CREATE_DOMAINS))
    return (
        _extent(settings, MOST_DOMAINS) if creates else 0,
        *(_extent(settings, key) for key in _NUMBERS),
        *(not any(settings.get(key) for key in keys) for keys in _CLOSED),
    )


def _extent(settings: Mapping[str, str], key: str) -> float:
    number = _number(settings, key)
    return max(number, 0) if number else math.inf


def may_create_domains(work: Work) -> bool:
    """Whether the actor, a domain admin, may create and remove domains."""
    return Limits.of(work.accounts.admin_settings(work.actor.username)).may_create_domains


def one_more_domain_fits(work: Work) -> None:
    """The actor may have another domain; in a transaction.  ``LimitReached``."""
    limits = _held(work)
    if limits is None or not limits.domains:
        return
    owned = len(work.accounts.administers(work.actor.username) - {EVERY_DOMAIN})
    if owned >= max(limits.domains, 0):
        raise LimitReached(
            f"{work.actor.username} may have {max(limits.domains, 0)} domains",
            code="EXCEED_LIMIT_DOMAIN",
        )


def user_fits(work: Work, quota: int) -> None:
    """The actor may have another user, with this quota in MB; in a transaction.  ``LimitReached``."""
    _fits(work, users=1, quota=quota, before=0)


def quota_fits(work: Work, quota: int, before: int) -> None:
    """The actor may give a user this quota instead of another; in a transaction.  ``LimitReached``."""
    if quota and quota <= before:
        return  # downwards is the way out
    _fits(work, users=0, quota=quota, before=before)


def _fits(work: Work, *, users: int, quota: int, before: int) -> None:
    limits = _held(work)
    if limits is None or not (limits.users or limits.quota):
        return
    actor = work.actor.username
    usage = work.accounts.usage(*sorted(work.accounts.administers(actor) - {EVERY_DOMAIN}))
    if users and limits.users and usage.users + users > max(limits.users, 0):
        raise LimitReached(
            f"{actor} may have {max(limits.users, 0)} mail users", code="EXCEED_LIMIT_USERS"
        )
    if not limits.quota:
        return
    if not quota:
        raise LimitReached(
            f"quota: the quotas that {actor} gives are limited, so a user needs one above 0",
            code="EXCEED_LIMIT_QUOTA",
            parameter="quota",
        )
    left = max(limits.quota, 0) - usage.quota + before
    if quota > left:
        raise LimitReached(
            f"quota ({quota}): {actor} has {max(left, 0)} MB left",
            code="EXCEED_LIMIT_QUOTA",
            parameter="quota",
        )


def _held(work: Work) -> Limits | None:
    if work.actor.role is Role.GLOBAL_ADMIN:
        return None
    work.accounts.hold_limits(work.actor.username)
    return Limits.of(work.accounts.admin_settings(work.actor.username))


def _number(settings: Mapping[str, str], key: str) -> int:
    text = settings.get(key, "")
    return int(text) if text.removeprefix("-").isdecimal() and text.isascii() else 0
