"""What a row of `vmail` means, put into a directory: so that one fixture fills every engine.

Written by hand after LDAP reference 3, and past the product. A column that a table here does not name
has no counterpart and is left out; a table that is not here is an error.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.servers import require
from tests.servers.slapd import Entry, Slapd, Value, normalised

Row = Mapping[str, Any]
Put = Callable[["Entries", Row], None]

MEGABYTE = 1024 * 1024
# The keys of a domain's settings string that have another name here (LDAP reference 3.7).
SETTINGS = {
    "default_user_quota": "defaultQuota",
    "max_user_quota": "maxUserQuota",
    "default_language": "defaultLanguage",
    "default_groups": "defaultList",
    "min_passwd_length": "minPasswordLength",
    "max_passwd_length": "maxPasswordLength",
}
LIMITS = {"mailboxes": "numberOfUsers", "aliases": "numberOfAliases", "maillists": "numberOfLists"}
SERVICES = (
    *("internal", "doveadm", "lib-storage", "indexer-worker", "dsync", "quota-status"),
    *("mail", "smtp", "smtpsecured", "smtptls", "pop3", "pop3secured", "pop3tls"),
    *("imap", "imapsecured", "imaptls", "managesieve", "managesievesecured", "managesievetls"),
    *("sieve", "sievesecured", "sievetls", "deliver", "lda", "lmtp", "recipientbcc", "senderbcc"),
    *("forward", "shadowaddress", "displayedInGlobalAddressBook"),
    *("sogo", "sogowebmail", "sogocalendar", "sogoactivesync"),
)


class Entries:
    """Entries of a directory by the addresses and names they are for."""

    def __init__(self, directory: Slapd) -> None:
        self.directory = directory

    def domain_dn(self, name: str) -> str:
        return f"domainName={name},{self.directory.base_dn}"

    def account_dn(self, address: str, branch: str) -> str:
        escaped = re.sub(r"^#", r"\\#", address)
        return f"mail={escaped},ou={branch},{self.domain_dn(domain_of(address))}"

    def admin_dn(self, address: str) -> str:
        return f"mail={address},{self.directory.admin_base_dn}"

    def put(self, dn: str, attributes: Mapping[str, Value], created: str = "") -> None:
        """A new entry; attributes without a value are left out, and the root can date it back."""
        present = {name: value for name, value in attributes.items() if value}
        if not created:
            self.directory.add(dn, present)
            return
        present["createTimestamp"] = "".join(re.findall(r"\d", created)) + "Z"
        relax = require.module("ldap.controls.simple").RelaxRulesControl(criticality=True)
        with self.directory.connect() as connection:
            values = [(name, as_bytes(value)) for name, value in present.items()]
            connection.add_ext_s(dn, values, serverctrls=[relax])

    def has(self, dn: str) -> bool:
        ldap = require.module("ldap")
        try:
            self.directory.entries(dn)
        except ldap.NO_SUCH_OBJECT:
            return False
        return True

    def add(self, dn: str, **values: str) -> None:
        """One more value of attributes, for those that the entry has not."""
        ldap = require.module("ldap")
        before: Entry = self.directory.entries(dn)[normalised(dn)]
        present = {name: {value.lower() for value in found} for name, found in before.items()}
        self.directory.modify(
            dn,
            [
                (ldap.MOD_ADD, name, value)
                for name, value in values.items()
                if value.lower().encode() not in present.get(name, ())
            ],
        )


def insert(directory: Slapd, table: str, row: Row) -> None:
    """What the row means, as entries."""
    _TABLES[table](Entries(directory), row)


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def as_bytes(value: Value) -> list[bytes]:
    values = [value] if isinstance(value, str | bytes) else value
    return [each.encode() if isinstance(each, str) else each for each in values]


def status(row: Row) -> str:
    return "active" if row.get("active", 1) else "disabled"


def _settings(text: str) -> list[str]:
    """The parts of a settings string, each a value of its own."""
    parts = [part.partition(":") for part in text.split(";") if part]
    return [f"{SETTINGS.get(key, key)}{colon}{value}" for key, colon, value in parts]


def _domain(entries: Entries, row: Row) -> None:
    name = row["domain"]
    settings = _settings(row.get("settings", ""))
    if row.get("maxquota"):
        settings.append(f"domainQuota:{row['maxquota']}:MB")
    settings += [f"{key}:{row[column]}" for column, key in LIMITS.items() if row.get(column)]
    entries.put(
        entries.domain_dn(name),
        {
            "objectClass": "mailDomain",
            "domainName": name,
            "cn": row.get("description", ""),
            "mtaTransport": row.get("transport", "dovecot"),
            "accountStatus": status(row),
            "domainBackupMX": "yes" if row.get("backupmx") else "",
            "enabledService": "mail",
            "accountSetting": settings,
        },
        row.get("created", ""),
    )
    for branch in ("Users", "Groups", "Aliases", "Externals"):
        entries.put(
            f"ou={branch},{entries.domain_dn(name)}",
            {"objectClass": "organizationalUnit", "ou": branch},
        )


def _alias_domain(entries: Entries, row: Row) -> None:
    dn = entries.domain_dn(row["target_domain"])
    entries.add(dn, domainAliasName=row["alias_domain"], enabledService="domainalias")


def _mailbox(entries: Entries, row: Row) -> None:
    address = row["username"]
    local = address.partition("@")[0]
    path = (row.get("storagebasedirectory"), row.get("storagenode"), row.get("maildir"))
    off = {name.removeprefix("enable") for name, value in row.items() if value in (0, "n")}
    services = [name for name in SERVICES if name not in off]
    if row.get("isadmin"):
        services.append("domainadmin")
    changed = row.get("passwordlastchange")
    entries.put(
        entries.account_dn(address, "Users"),
        {
            "objectClass": ["inetOrgPerson", "mailUser", "shadowAccount", "amavisAccount"],
            "mail": address,
            "uid": local,
            "sn": local,
            "cn": row.get("name", "") or local,
            "userPassword": row.get("password", ""),
            "shadowLastChange": _days(changed) if changed else "",
            "homeDirectory": "/".join(map(str, path)) if all(path) else "",
            "mailQuota": str(row["quota"] * MEGABYTE) if row.get("quota") else "",
            "accountStatus": status(row),
            "amavisLocal": "TRUE",
            "enabledService": services,
            "accountSetting": _settings(row.get("settings", "")),
            "domainGlobalAdmin": "yes" if row.get("isglobaladmin") else "",
            "preferredLanguage": row.get("language", ""),
            "mtaTransport": row.get("transport", ""),
            "employeeNumber": row.get("employeeid", ""),
            "recoveryEmail": row.get("recovery_email", ""),
        },
        row.get("created", ""),
    )


def _days(text: str) -> str:
    return str((dt.date.fromisoformat(text[:10]) - dt.date(1970, 1, 1)).days)


def _forwarding(entries: Entries, row: Row) -> None:
    address, forwarding = row["address"], row["forwarding"]
    if row.get("is_forwarding"):
        dn = entries.account_dn(address, "Users")
        entries.add(dn, mailForwardingAddress=forwarding)
    elif row.get("is_alias"):
        entries.add(entries.account_dn(forwarding, "Users"), shadowAddress=address)
    elif row.get("is_list"):
        entries.add(entries.account_dn(address, "Aliases"), mailForwardingAddress=forwarding)
    elif row.get("is_maillist"):
        return  # the list's own entry says so
    else:
        assert "@" not in address, "a row without a flag is a catch-all's"
        _catch_all(entries, row)


def _catch_all(entries: Entries, row: Row) -> None:
    dn = entries.account_dn(f"@{row['address']}", "Users")
    if entries.has(dn):
        entries.add(dn, mailForwardingAddress=row["forwarding"])
        return
    entries.put(
        dn,
        {
            "objectClass": ["inetOrgPerson", "mailUser"],
            "mail": f"@{row['address']}",
            "uid": "catch-all",
            "cn": "catch-all",
            "sn": "catch-all",
            "accountStatus": status(row),
            "mailForwardingAddress": row["forwarding"],
        },
    )


def _alias(entries: Entries, row: Row) -> None:
    entries.put(
        entries.account_dn(row["address"], "Aliases"),
        {
            "objectClass": "mailAlias",
            "mail": row["address"],
            "cn": row.get("name", ""),
            "accountStatus": status(row),
            "enabledService": ["mail", "deliver"],
        },
    )


def _moderator(entries: Entries, row: Row) -> None:
    entries.add(entries.account_dn(row["address"], "Aliases"), listModerator=row["moderator"])


def _list(entries: Entries, row: Row) -> None:
    local, _, domain = row["address"].partition("@")
    entries.put(
        entries.account_dn(row["address"], "Groups"),
        {
            "objectClass": "mailList",
            "mail": row["address"],
            "cn": row.get("name", ""),
            "accountStatus": status(row),
            "enabledService": ["mail", "deliver", "mlmmj"],
            "mtaTransport": row.get("transport", f"mlmmj:{domain}/{local}"),
            "mailingListID": row["mlid"],
        },
    )


def _owner(entries: Entries, row: Row) -> None:
    entries.add(entries.account_dn(row["address"], "Groups"), listOwner=row["owner"])


def _admin(entries: Entries, row: Row) -> None:
    entries.put(
        entries.admin_dn(row["username"]),
        {
            "objectClass": "mailAdmin",
            "mail": row["username"],
            "cn": row.get("name", ""),
            "userPassword": row.get("password", ""),
            "accountStatus": status(row),
            "accountSetting": _settings(row.get("settings", "")),
        },
    )


def _grant(entries: Entries, row: Row) -> None:
    admin, domain = row["username"], row["domain"]
    own = entries.admin_dn(admin)
    is_user = not entries.has(own)
    if is_user:
        own = entries.account_dn(admin, "Users")
        entries.add(own, enabledService="domainadmin")
    if domain == "ALL":
        entries.add(own, domainGlobalAdmin="yes")
    else:
        entries.add(entries.domain_dn(domain), domainAdmin=admin)


def _bcc(way: str, scope: str) -> Put:
    attribute = f"{scope}{way.capitalize()}BccAddress"

    def put(entries: Entries, row: Row) -> None:
        if scope == "domain":
            dn = entries.domain_dn(row["domain"])
        else:
            dn = entries.account_dn(row["username"], "Users")
        values = {attribute: row["bcc_address"], "enabledService": f"{way}bcc"}
        entries.add(dn, **values)

    return put


def _relay(entries: Entries, row: Row) -> None:
    local, _, domain = row["account"].partition("@")
    dn = entries.account_dn(row["account"], "Users") if local else entries.domain_dn(domain)
    entries.add(dn, senderRelayHost=row["relayhost"])


_TABLES: dict[str, Put] = {
    "domain": _domain,
    "alias_domain": _alias_domain,
    "mailbox": _mailbox,
    "forwardings": _forwarding,
    "alias": _alias,
    "moderators": _moderator,
    "maillists": _list,
    "maillist_owners": _owner,
    "admin": _admin,
    "domain_admins": _grant,
    "sender_relayhost": _relay,
    **{
        f"{way}_bcc_{scope}": _bcc(way, scope)
        for way in ("sender", "recipient")
        for scope in ("domain", "user")
    },
}
