"""A directory in which the accounts under test are named wherever an address can stand.

Made through the product where that is shorter, and by hand what other programs would have added.
"""

from __future__ import annotations

from tests.directory_site import DirectorySite
from tests.servers.slapd import Value

PASSWORD = "Right-Horse1"
ORG, NET, QUIET = "example.org", "example.net", "quiet.test"
ALIAS_DOMAIN = "example.com"
JANE, JOHN, BOB, CAROL = (
    "jane@example.org",
    "john@example.org",
    "bob@example.net",
    "carol@quiet.test",
)
NEW, NEWCOMER = "janet@example.org", "newcomer@example.org"
STAFF, ALL, INFO, NEWS = (
    *("staff@example.org", "all@example.org", "info@example.org", "news@example.org"),
)
TEAM, CREW = "team@example.net", "crew@example.net"
LOGINS = (JANE, JOHN, BOB, CAROL, NEW, "janet@example.net", "j.doe@example.org")
# Standalone admins: of two domains, of the server, one to come, and one whom another program made
# beside a mail user of the same address.
ANNA, ROOT, NEW_ADMIN = "anna@admins.test", "root@admins.test", "new@admins.test"
TWIN = "twin@quiet.test"
ADMINS = (*LOGINS, ANNA, ROOT, NEW_ADMIN, TWIN)
RECIPIENTS = (
    *(*LOGINS, NEWCOMER, STAFF, ALL, INFO, NEWS, TEAM, CREW),
    *("jane@example.com", "john@example.com", "newcomer@example.com", "janet@example.com"),
    *("nobody@example.org", "nobody@example.net", "nobody@quiet.test", "nobody@example.com"),
    *("jane@new.test", "postmaster@elsewhere.test"),
)


def entries(site: DirectorySite, address: str, branch: str, **attributes: Value) -> str:
    """An alias or a list as another program makes it; its name."""
    dn = f"mail={address},ou={branch},{site.domain_dn(address.rpartition('@')[2])}"
    site.directory.add(
        dn,
        {
            "objectClass": {"Groups": "mailList", "Aliases": "mailAlias"}[branch],
            "mail": address,
            "accountStatus": "active",
            "enabledService": ["mail", "deliver"],
            **attributes,
        },
    )
    return dn


def outsiders(site: DirectorySite, group: str, *addresses: str) -> None:
    """The members of a list who have no entry in its domain."""
    dn = f"memberOfGroup={group},ou=Externals,{site.domain_dn(group.rpartition('@')[2])}"
    site.directory.add(
        dn,
        {
            "objectClass": "mailExternalUser",
            "memberOfGroup": group,
            "mail": list(addresses),
            "accountStatus": "active",
            "enabledService": ["mail", "deliver"],
        },
    )


def build(site: DirectorySite) -> None:
    """Fill an empty site."""
    for name in (ORG, NET, QUIET):
        site.create("domain", name, name=f"All of {name}")
    site.create("admin", ANNA, password=PASSWORD, maxUsers="50", maxQuota="1", quotaUnit="GB")
    site.create("admin", ROOT, password=PASSWORD, isGlobalAdmin="yes")
    site.directory.replace(
        site.domain_dn(ORG),
        domainAliasName=ALIAS_DOMAIN,
        enabledService=["mail", "domainalias"],
        accountSetting=[f"defaultList:{ALL},{NEWS}", "unheard:of"],
    )
    site.directory.replace(site.domain_dn(NET), domainAdmin=[JANE, JOHN, BOB])
    site.directory.replace(site.domain_dn(QUIET), domainAdmin=[JOHN])
    _groups(site)
    for address in (JANE, JOHN, BOB, CAROL, TWIN):
        site.create("user", address, password=PASSWORD, quota="5")
    _users(site)
    _admins(site)
    site.update("domain", ORG, catchall="bob@example.net,archive@elsewhere.test")
    site.update("domain", NET, catchall=f"{JANE},{BOB}", recipientBcc=JANE)
    _beside(site)


def _groups(site: DirectorySite) -> None:
    entries(site, ALL, "Groups", shadowAddress="all@example.com")
    entries(site, NEWS, "Aliases", mailForwardingAddress=["reader@elsewhere.test"])
    entries(site, INFO, "Aliases", mailForwardingAddress=[JANE, "desk@elsewhere.test"])
    entries(site, TEAM, "Aliases", mailForwardingAddress=[JANE, BOB, JOHN])
    entries(
        site,
        CREW,
        "Groups",
        listAllowedUser=[JANE, BOB],
        listOwner=[JANE],
        member=[site.user_dn(BOB), site.user_dn(JANE)],
    )
    outsiders(site, CREW, JANE, "guest@elsewhere.test")
    entries(site, STAFF, "Groups", member=[site.user_dn(JANE), site.user_dn(JOHN)])
    outsiders(site, STAFF, BOB)


def _users(site: DirectorySite) -> None:
    site.update("user", JANE, addAlias="j.doe@example.org", isGlobalAdmin="yes")
    site.update("user", JOHN, forwarding=f"{JANE},{JOHN}")
    site.update("user", BOB, forwarding=f"{JANE},{BOB}", isGlobalAdmin="yes")
    site.directory.replace(site.domain_dn(NET), domainAdmin=[JANE, JOHN, BOB])
    services = site.user(JOHN)["enabledService"]
    site.directory.replace(site.user_dn(JOHN), enabledService=[*services, "domainadmin"])
    for address in (JANE, JOHN):
        groups = [*site.user(address)["memberOfGroup"], STAFF]
        site.directory.replace(site.user_dn(address), memberOfGroup=groups)
    site.directory.replace(site.user_dn(BOB), memberOfGroup=CREW)
    site.directory.replace(
        site.user_dn(CAROL), userSenderBccAddress=JANE, userRecipientBccAddress=JANE
    )
    site.directory.add(
        f"ou=Addresses,{site.user_dn(JANE)}",
        {"objectClass": "organizationalUnit", "ou": "Addresses"},
    )
    site.directory.add(
        f"cn=Friend,ou=Addresses,{site.user_dn(JANE)}",
        {"objectClass": "person", "cn": "Friend", "sn": "Friend"},
    )


def _admins(site: DirectorySite) -> None:
    site.directory.replace(site.domain_dn(NET), domainAdmin=[JANE, JOHN, BOB, ANNA])
    site.directory.replace(site.domain_dn(QUIET), domainAdmin=[JOHN, ANNA, TWIN])
    services = site.user(TWIN)["enabledService"]
    site.directory.replace(site.user_dn(TWIN), enabledService=[*services, "domainadmin"])
    admin = site.directory.entry(f"mail={ANNA},{site.directory.admin_base_dn}")
    site.directory.add(f"mail={TWIN},{site.directory.admin_base_dn}", {**admin, "mail": TWIN})


def _beside(site: DirectorySite) -> None:
    """What Dovecot and the policy daemon keep in SQL."""
    raw = site.raw["iredadmin"]
    for address in (JANE, JOHN, BOB):
        domain = address.rpartition("@")[2]
        raw.insert("used_quota", username=address, domain=domain, bytes=7, messages=3)
        raw.insert("last_login", username=address, domain=domain, imap=1_700_000_000)
        raw.insert("anyone_shares", from_user=address)
        site.raw["iredapd"].insert("throttle", account=address, kind="outbound", period=60)
    raw.insert("share_folder", from_user=JANE, to_user=BOB)
    raw.insert("share_folder", from_user=BOB, to_user=JANE)
