"""What no request may lead to, whatever it answers: rows or entries that contradict one another.

A client sees none of it, the mail programs do.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.servers import require
from tests.stores import Raw

_HOLDERS = "SELECT username FROM mailbox UNION SELECT address FROM alias UNION SELECT address FROM maillists"
_IN_TABLES = f"""
    SELECT 'user without a row' AS what, username AS whose FROM mailbox
    WHERE username NOT IN (SELECT address FROM forwardings)
    UNION ALL SELECT 'address of nobody', address FROM forwardings
    WHERE is_alias = 1 AND forwarding NOT IN (SELECT username FROM mailbox)
    UNION ALL SELECT 'row of nobody', address FROM forwardings
    WHERE is_alias = 0 AND address NOT IN ({_HOLDERS} UNION SELECT domain FROM domain)
    UNION ALL SELECT 'held twice', address FROM forwardings
    WHERE is_alias = 1 AND address IN ({_HOLDERS})
    UNION ALL SELECT 'member that is gone', forwarding FROM forwardings
    WHERE is_list = 1 AND forwarding NOT IN (SELECT username FROM mailbox)
    UNION ALL SELECT 'domain of nobody', domain FROM domain_admins
    WHERE username NOT IN (SELECT username FROM mailbox UNION SELECT username FROM admin)
    UNION ALL SELECT 'admin of a domain that is gone', username FROM domain_admins
    WHERE domain <> 'ALL' AND domain NOT IN (SELECT domain FROM domain)
    UNION ALL SELECT 'admin without the flag', username FROM mailbox
    WHERE isadmin = 0 AND isglobaladmin = 0
    AND username IN (SELECT username FROM domain_admins)
    UNION ALL SELECT 'admin of nothing', username FROM mailbox
    WHERE isadmin = 1 AND username NOT IN (SELECT username FROM domain_admins)
    UNION ALL SELECT 'user and admin', username FROM mailbox
    WHERE username IN (SELECT username FROM admin)
"""
_ATTRIBUTES = (
    *("objectClass", "mail", "shadowAddress", "mailForwardingAddress", "mailQuota", "member"),
    *("domainName", "domainStatus", "accountStatus", "domainAliasName", "memberOfGroup"),
    *("domainCurrentUserNumber", "domainCurrentQuotaSize"),
    *("domainAdmin", "domainGlobalAdmin", "enabledService"),
)

Entry = dict[str, list[str]]


def in_tables(vmail: Raw) -> list[str]:
    """Sentences about rows of `vmail`."""
    return [f"{row['what']}: {row['whose']}" for row in vmail.rows(_IN_TABLES)]


def in_directory(connection: Any, base: str, admins_base: str) -> list[str]:
    """Sentences about entries below the base."""
    scope = require.module("ldap").SCOPE_SUBTREE
    entries: dict[str, Entry] = {
        dn.lower(): {name: [value.decode() for value in values] for name, values in entry.items()}
        for dn, entry in connection.search_s(base, scope, "(objectClass=*)", _ATTRIBUTES)
    }
    found = connection.search_s(admins_base, scope, "(objectClass=mailAdmin)", ("mail",))
    standalone = {entry["mail"][0].decode() for _, entry in found}
    told = _held_twice(entries) + _of_admins(entries, standalone)
    for dn, domain in entries.items():
        if "mailDomain" in domain["objectClass"]:
            below = [entry for name, entry in entries.items() if name.endswith(f",{dn}")]
            told += _of_domain(domain, below)
    return told


def _held_twice(entries: dict[str, Entry]) -> list[str]:
    held = Counter(
        address
        for entry in entries.values()
        for address in {*entry.get("mail", ()), *entry.get("shadowAddress", ())}
    )
    return [f"held {times} times: {address}" for address, times in held.items() if times > 1]


def _of_admins(entries: dict[str, Entry], standalone: set[str]) -> list[str]:
    users = {
        entry["mail"][0]: entry for entry in entries.values() if "mailUser" in entry["objectClass"]
    }
    named = {admin for entry in entries.values() for admin in entry.get("domainAdmin", ())}
    given = {
        name for name, user in users.items() if "domainadmin" in user.get("enabledService", ())
    }
    ranked = {name for name, user in users.items() if user.get("domainGlobalAdmin") == ["yes"]}
    return [
        *(f"domain of nobody: {name}" for name in named - users.keys() - standalone),
        *(f"admin without the service: {name}" for name in named & users.keys() - given - ranked),
        *(f"admin of nothing: {name}" for name in given - named - ranked),
        *(f"user and admin: {name}" for name in users.keys() & standalone),
    ]


def _of_domain(domain: Entry, below: list[Entry]) -> list[str]:
    name = domain["domainName"][0]
    users = [entry for entry in below if "mailUser" in entry["objectClass"]]
    real = [entry for entry in users if not entry["mail"][0].startswith("@")]
    told = []
    octets = sum(int(value) for entry in real for value in entry.get("mailQuota", ()))
    for attribute, number in (
        ("domainCurrentUserNumber", len(real)),
        ("domainCurrentQuotaSize", octets),
    ):
        if domain.get(attribute, [str(number)]) != [str(number)]:
            told.append(f"{name}: {attribute} {domain[attribute]} is not {number}")
    status = [] if domain["accountStatus"] == ["active"] else ["disabled"]
    told += [
        f"{entry['mail']}: domainStatus {entry.get('domainStatus')}"
        for entry in below
        if "mail" in entry and entry.get("domainStatus", []) != status
    ]
    present = {entry["mail"][0] for entry in real}
    told += [
        f"member that is gone: {member}"
        for entry in below
        if "mailAlias" in entry["objectClass"]
        for member in entry.get("mailForwardingAddress", ())
        if member.endswith(f"@{name}") and member not in present
    ]
    return told
