"""The neighbours in a directory, and what no row of `vmail` means: lists, outside members, other spellings.

After `furnish`, Jane stands in every attribute that can name a user (LDAP reference 4.3).
"""

from __future__ import annotations

from tests.conformance.neighbours import ALIKE, JANE, JOHN, OTHER, populate
from tests.directory_site import DirectorySite

# Addresses that end as some in example.org do.
LIKE_A_DOMAIN = (ALIKE, "x@sub.example.org")
GUESTS = "guests@example.net"
STAFF = "staff@example.org"  # a list whose members are found by an attribute of theirs


def branch_dn(site: DirectorySite, address: str, branch: str) -> str:
    return f"mail={address},ou={branch},{site.domain_dn(address.rpartition('@')[2])}"


def external_dn(site: DirectorySite, group: str) -> str:
    domain = group.rpartition("@")[2]
    return f"memberOfGroup={group},ou=Externals,{site.domain_dn(domain)}"


def add_list(site: DirectorySite, address: str, *outside: str, **attributes: object) -> None:
    """A list, with its members from elsewhere beside it."""
    common = {"accountStatus": "active", "enabledService": ["mail", "deliver"]}
    site.directory.add(
        branch_dn(site, address, "Groups"),
        {"objectClass": "mailList", "mail": address, **common, **attributes},  # type: ignore[dict-item]
    )
    if outside:
        site.directory.add(
            external_dn(site, address),
            {
                "objectClass": "mailExternalUser",
                "memberOfGroup": address,
                "mail": outside,
                **common,
            },
        )


def furnish(site: DirectorySite) -> None:
    """Jane in capitals, as a member by DN, beside a list, and with entries of her own below hers."""
    populate(site)
    jane, capital = site.user_dn(JANE), "Jane@Example.ORG"
    add_list(
        site,
        STAFF,
        member=[jane, site.user_dn(JOHN)],
        uniqueMember=jane.replace("=jane", "=Jane"),
        listAllowedUser=[capital, JOHN],
        listModerator=[JANE, OTHER],
        listOwner=JANE,
    )
    add_list(
        site,
        GUESTS,
        *(capital, OTHER, *LIKE_A_DOMAIN),
        listAllowedUser=JANE,
        member=[jane, site.user_dn(OTHER), site.user_dn(ALIKE)],
    )
    directory = site.directory
    directory.replace(jane, memberOfGroup=STAFF, description="Jane's own")
    directory.replace(
        site.user_dn(JOHN),
        backupMailAddress=JANE,
        userManager=JANE,
        mailForwardingAddress=[JOHN, capital],
    )
    directory.replace(site.domain_dn("example.net"), domainAdmin=[capital, JOHN])
    for name, parent in (("addressbook", jane), ("friends", f"ou=addressbook,{jane}")):
        directory.add(f"ou={name},{parent}", {"objectClass": "organizationalUnit", "ou": name})


def holding(site: DirectorySite, text: str) -> set[str]:
    """Where a text stands, alone or in a longer one: `mailUser.mailForwardingAddress`."""
    kinds = ("mailDomain", "mailUser", "mailAlias", "mailList", "mailExternalUser", "mailAdmin")
    return {
        f"{kind}.{attribute}"
        for entry in site.snapshot().values()
        for kind in kinds
        if kind in entry["objectClass"]
        for attribute, values in entry.items()
        if any(text in value.lower() for value in values)
    }
