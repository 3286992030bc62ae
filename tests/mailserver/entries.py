"""Entries as the mail programs expect them, written by hand and not by the product."""

from __future__ import annotations

import re

from tests.mailserver.lab import Lab
from tests.servers.slapd import Slapd, Value, ssha

PASSWORD = "Test-Pass1"

# Everything a new user may use.
SERVICES = (
    *("internal", "doveadm", "lib-storage", "indexer-worker", "dsync", "quota-status"),
    *("mail", "smtp", "smtpsecured", "smtptls", "pop3", "pop3secured", "pop3tls"),
    *("imap", "imapsecured", "imaptls", "managesieve", "managesievesecured", "managesievetls"),
    *("sieve", "sievesecured", "sievetls", "deliver", "lda", "lmtp", "recipientbcc", "senderbcc"),
    *("forward", "shadowaddress", "displayedInGlobalAddressBook"),
    *("sogo", "sogowebmail", "sogocalendar", "sogoactivesync"),
)


def domain_dn(domain: str) -> str:
    return f"domainName={domain},{Slapd.base_dn}"


def dn(address: str, unit: str = "Users") -> str:
    escaped = re.sub(r"^#", r"\\#", address)
    return f"mail={escaped},ou={unit},{domain_dn(address.rpartition('@')[2])}"


def add_domain(lab: Lab, domain: str, **attributes: Value) -> None:
    lab.directory.server.add(
        domain_dn(domain),
        {
            "objectClass": "mailDomain",
            "domainName": domain,
            "mtaTransport": "dovecot",
            "accountStatus": "active",
            "enabledService": "mail",
            **attributes,
        },
    )
    for unit in ("Users", "Groups", "Aliases", "Externals"):
        lab.directory.server.add(
            f"ou={unit},{domain_dn(domain)}", {"objectClass": "organizationalUnit", "ou": unit}
        )


def add_user(lab: Lab, address: str, **attributes: Value) -> str:
    local, _, domain = address.partition("@")
    lab.directory.server.add(
        dn(address),
        {
            "objectClass": ["inetOrgPerson", "mailUser", "shadowAccount", "amavisAccount"],
            "mail": address,
            "uid": local,
            "cn": local,
            "sn": local,
            "userPassword": ssha(PASSWORD),
            "shadowLastChange": "20000",
            "homeDirectory": f"{lab.storage}/vmail1/{domain}/{local}-2026.01.02.03.04.05/",
            "accountStatus": "active",
            "amavisLocal": "TRUE",
            "enabledService": SERVICES,
            **attributes,
        },
    )
    return address


def add_catch_all(lab: Lab, domain: str, *targets: str, **attributes: Value) -> None:
    lab.directory.server.add(
        dn(f"@{domain}"),
        {
            "objectClass": ["inetOrgPerson", "mailUser"],
            "mail": f"@{domain}",
            "uid": "catch-all",
            "cn": "catch-all",
            "sn": "catch-all",
            "accountStatus": "active",
            "mailForwardingAddress": targets,
            **attributes,
        },
    )


def add_alias(lab: Lab, address: str, *members: str, **attributes: Value) -> None:
    lab.directory.server.add(
        dn(address, "Aliases"),
        {
            "objectClass": "mailAlias",
            "mail": address,
            "accountStatus": "active",
            "enabledService": ["mail", "deliver"],
            "mailForwardingAddress": members,
            **attributes,
        },
    )


def add_list(lab: Lab, address: str, *outside: str, **attributes: Value) -> None:
    """A list; members that live here carry its address, those outside stand beside it."""
    lab.directory.server.add(
        dn(address, "Groups"),
        {
            "objectClass": "mailList",
            "mail": address,
            "accountStatus": "active",
            "enabledService": ["mail", "deliver"],
            **attributes,
        },
    )
    if outside:
        lab.directory.server.add(
            f"memberOfGroup={address},ou=Externals,{domain_dn(address.rpartition('@')[2])}",
            {
                "objectClass": "mailExternalUser",
                "memberOfGroup": address,
                "mail": outside,
                "accountStatus": "active",
                "enabledService": ["mail", "deliver"],
            },
        )


def change(lab: Lab, address: str, **attributes: Value | None) -> None:
    """Set attributes of a user, or of a domain; None takes one away."""
    lab.directory.server.replace(
        dn(address) if "@" in address else domain_dn(address), **attributes
    )


def without(*services: str) -> list[str]:
    """What is left of the services of a new user."""
    assert set(services) <= set(SERVICES)
    return [service for service in SERVICES if service not in services]
