"""What another program does to admins and mail users, past the product: in rows or in entries."""

from __future__ import annotations

from tests.directory_site import DirectorySite
from tests.stores import Site


def disable(site: Site, admin: str) -> None:
    """Switch a standalone admin off."""
    if isinstance(site, DirectorySite):
        site.directory.replace(_admin_dn(site, admin), accountStatus="disabled")
    else:
        site.vmail.execute("UPDATE admin SET active = 0 WHERE username = ?", admin)


def dismiss(site: Site, admin: str) -> None:
    """Take a standalone admin away."""
    site.dismiss(admin)


def demote(site: Site, admin: str) -> None:
    """Leave a standalone admin nothing to administer."""
    if isinstance(site, DirectorySite):
        site.directory.replace(_admin_dn(site, admin), domainGlobalAdmin=None)
    else:
        site.vmail.execute("DELETE FROM domain_admins WHERE username = ?", admin)


def promote(site: Site, user: str) -> None:
    """Make a mail user a global admin."""
    if isinstance(site, DirectorySite):
        services = [*site.user(user)["enabledService"], "domainadmin"]
        site.directory.replace(site.user_dn(user), domainGlobalAdmin="yes", enabledService=services)
    else:
        site.vmail.execute("UPDATE mailbox SET isglobaladmin = 1 WHERE username = ?", user)


def store_hash(site: Site, user: str, hashed: str) -> None:
    """Give a mail user another password."""
    if isinstance(site, DirectorySite):
        site.directory.replace(site.user_dn(user), userPassword=hashed)
    else:
        site.vmail.execute("UPDATE mailbox SET password = ? WHERE username = ?", hashed, user)


def _admin_dn(site: DirectorySite, admin: str) -> str:
    return f"mail={admin},{site.directory.admin_base_dn}"
