"""Many domains and users for a directory, loaded without the product: as it would have written them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TextIO

from mailwright.resources.domain import RESOURCE as DOMAIN
from mailwright.resources.user import RESOURCE as USER
from tests.servers.slapd import Slapd

MEGABYTE = 1024 * 1024
QUOTA = 100  # MB
HASH = "{SSHA512}x"
_SYLLABLES = [f"{first}{second}" for first in "bdfghklmnprstvz" for second in "aeiou"]
_SERVICES = USER.ldap.constants["enabledService"]

Values = Mapping[str, str | tuple[str, ...]]


def load_domains(directory: Slapd, users: Mapping[str, int]) -> None:
    """Add domains, each with so many users: u0, u1 and so on."""
    path = directory.folder / "domains.ldif"
    with path.open("w") as file:
        for name, number in users.items():
            for dn, values in _domain(directory, name, number):
                _write(file, dn, values)
    directory.load(path)
    path.unlink()


def add_global_admin(directory: Slapd, address: str, password_hash: str) -> None:
    """A standalone admin who may do everything."""
    directory.add(
        f"mail={address},{directory.admin_base_dn}",
        {
            "objectClass": "mailAdmin",
            "mail": address,
            "cn": "Admin",
            "userPassword": password_hash,
            "accountStatus": "active",
            "domainGlobalAdmin": "yes",
        },
    )


def _domain(directory: Slapd, name: str, users: int) -> Iterator[tuple[str, Values]]:
    top = f"domainName={name},{directory.base_dn}"
    yield (
        top,
        {
            "objectClass": "mailDomain",
            "domainName": name,
            "cn": f"Domain {name}",
            "mtaTransport": "dovecot",
            "enabledService": "mail",
            "accountStatus": "active",
            "accountSetting": "defaultQuota:100",
            "domainCurrentUserNumber": str(users),
            "domainCurrentQuotaSize": str(users * QUOTA * MEGABYTE),
        },
    )
    for container in DOMAIN.ldap.containers:
        yield f"ou={container},{top}", {"objectClass": "organizationalUnit", "ou": container}
    for number in range(users):
        local = f"u{number}"
        yield (
            f"mail={local}@{name},ou={USER.ldap.branch},{top}",
            {
                "objectClass": (*USER.ldap.classes, *USER.ldap.extra_classes),
                "mail": f"{local}@{name}",
                "cn": _name(f"{local}@{name}"),
                "sn": local,
                "uid": local,
                "userPassword": HASH,
                "accountStatus": "active",
                "mailQuota": str(QUOTA * MEGABYTE),
                "homeDirectory": f"/var/vmail/vmail1/{name}/{local}/",
                "shadowLastChange": "20579",
                "enabledService": _SERVICES,
                "amavisLocal": "TRUE",
            },
        )


def _name(address: str) -> str:
    """Display names differ: a server that indexes parts of them finds few users by each."""
    digest = hashlib.sha256(address.encode()).digest()
    syllables = [_SYLLABLES[octet % len(_SYLLABLES)] for octet in digest[:5]]
    return f"{''.join(syllables[:2])} {''.join(syllables[2:])}".title()


def _write(file: TextIO, dn: str, values: Values) -> None:
    """LDIF of names and values that are plain ASCII."""
    file.write(f"dn: {dn}\n")
    for name, value in values.items():
        file.writelines(
            f"{name}: {text}\n" for text in ((value,) if isinstance(value, str) else value)
        )
    file.write("\n")
