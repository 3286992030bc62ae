"""What every sequence starts from: two domains, three users, and what the API has no word for.

Alias domains, groups, standalone admins, used quota: written past the product, for SQL and a directory.
"""

from __future__ import annotations

from mailwright.passwords import hash_password
from tests.directory_site import DirectorySite
from tests.servers.slapd import normalised
from tests.stores import EARLIER, Raw, Site

ROOT, MANAGER = "root@admin.test", "manager@admin.test"
ANNA = "anna@admin.test"  # whom nobody has made yet
PASSWORD = "Right-Pass1"
DOMAIN, OTHER_DOMAIN, ALIAS_DOMAIN = "example.org", "example.net", "example.com"
TEAM, NEWS = "team@example.org", "news@example.org"
JANE, JOHN, OTHER = "jane@example.org", "john@example.org", "other@example.net"
_HASH = hash_password(PASSWORD)


def begin(site: Site) -> None:
    """Empty the site and fill it."""
    site.empty()
    site.clock.now = EARLIER
    for name in (DOMAIN, OTHER_DOMAIN):
        site.create("domain", name, name="Example")
    if isinstance(site, DirectorySite):
        _fill_directory(site)
    else:
        _fill_tables(site)
    for mail in (JANE, JOHN, OTHER):
        site.create("user", mail, password=PASSWORD)
    site.update("user", OTHER, forwarding=f"{OTHER},{JANE}")
    site.update("domain", OTHER_DOMAIN, senderBcc=JOHN)


def dismiss(site: Site) -> None:
    """Take the rank of the standalone global admin, so that mail users are all there are."""
    if isinstance(site, DirectorySite):
        site.directory.replace(_admin_dn(site, ROOT), domainGlobalAdmin=None)
    else:
        site.vmail.execute("DELETE FROM domain_admins WHERE username = ?", ROOT)


def admit(site: Site) -> None:
    """Have it as at the start, whatever became of it."""
    if not isinstance(site, DirectorySite):
        site.dismiss(ROOT)
        _insert_admin(site, ROOT, "ALL")
        return
    if normalised(_admin_dn(site, ROOT)) in site.directory.entries(site.directory.admin_base_dn):
        site.dismiss(ROOT)
    _add_admin(site, ROOT)


def _admin_dn(site: DirectorySite, username: str) -> str:
    return f"mail={username},{site.directory.admin_base_dn}"


def _fill_tables(site: Site) -> None:
    site.vmail.execute("BEGIN")
    for username, domain in ((ROOT, "ALL"), (MANAGER, DOMAIN)):
        _insert_admin(site, username, domain)
    for domain, settings in (
        (DOMAIN, f"default_groups:{NEWS},{TEAM};"),
        (OTHER_DOMAIN, "disabled_mail_services:managesieve,pop3;"),
    ):
        site.vmail.execute("UPDATE domain SET settings = ? WHERE domain = ?", settings, domain)
    site.insert("alias_domain", alias_domain=ALIAS_DOMAIN, target_domain=DOMAIN)
    site.insert("alias", address=TEAM, name="Team", domain=DOMAIN)
    site.insert("maillists", address=NEWS, domain=DOMAIN, transport="mlmmj:", mlid="1", name="News")
    site.insert(
        "forwardings",
        address=NEWS,
        forwarding=NEWS,
        domain=DOMAIN,
        dest_domain=DOMAIN,
        is_maillist=1,
    )
    _fill_used(site.vmail)
    site.vmail.execute("COMMIT")


def _fill_directory(site: DirectorySite) -> None:
    directory = site.directory
    for username in (ROOT, MANAGER):
        _add_admin(site, username)
    directory.replace(
        site.domain_dn(DOMAIN),
        domainAliasName=ALIAS_DOMAIN,
        domainAdmin=MANAGER,
        accountSetting=[f"defaultList:{TEAM}", f"defaultList:{NEWS}"],
    )
    directory.replace(
        site.domain_dn(OTHER_DOMAIN),
        accountSetting=["disabledMailService:pop3", "disabledMailService:managesieve"],
    )
    for mail, container, of_class in ((TEAM, "Aliases", "mailAlias"), (NEWS, "Groups", "mailList")):
        directory.add(
            f"mail={mail},ou={container},{site.domain_dn(DOMAIN)}",
            {"objectClass": of_class, "mail": mail, "cn": "Group", "accountStatus": "active"},
        )
    _fill_used(site.raw["iredadmin"])


def _insert_admin(site: Site, username: str, domain: str) -> None:
    site.insert(
        "admin",
        username=username,
        password=_HASH,
        name="Admin",
        settings="",
        passwordlastchange="2009-01-01 00:00:00",
        created="2009-01-01 00:00:00",
        modified="2009-01-01 00:00:00",
    )
    site.insert("domain_admins", username=username, domain=domain)


def _add_admin(site: DirectorySite, username: str) -> None:
    site.directory.add(
        _admin_dn(site, username),
        {
            "objectClass": "mailAdmin",
            "mail": username,
            "cn": "Admin",
            "accountStatus": "active",
            "userPassword": _HASH,
            "shadowLastChange": "14245",
            **({"domainGlobalAdmin": "yes"} if username == ROOT else {}),
        },
    )


def _fill_used(raw: Raw) -> None:
    raw.insert("used_quota", username=JANE, domain=DOMAIN, bytes=4096, messages=2)
    raw.insert("last_login", username=JANE, domain=DOMAIN, imap=1767323045, lda=1767323046)
