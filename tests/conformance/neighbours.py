"""Two domains in which every table has rows, so that a change to the wrong one shows.

Written by hand and past the product. Jane's address stands in every column that can hold a user's; in a
directory `tests/rows_as_entries.py` says what that means.
"""

from __future__ import annotations

from tests.stores import EARLIER, Raw, Site

EARLY = EARLIER.strftime("%Y-%m-%d %H:%M:%S")
FIRST_ID = 1_000_001  # beyond what the rows of an installation count up to in many tests
STAMPS = {"created": EARLY, "modified": EARLY}
JANE, JOHN, OTHER = "jane@example.org", "john@example.org", "other@example.net"
ALIKE = "jane@anyexample.org"  # in the domain that LIKE could take for an_example.org
ALONE = "alone@example.net"  # forwards to Jane and keeps no copy
TEAM, STRANGE = "team@example.org", "strange@example.net"
HASH = "{PLAIN}never-used"
FORWARD, ALIAS, MEMBER, MARKER = "is_forwarding", "is_alias", "is_list", "is_maillist"


def add_domain(site: Site, name: str, **columns: object) -> None:
    row = {"domain": name, "description": f"All of {name}", "disclaimer": "", "settings": ""}
    site.insert("domain", **{**row, **STAMPS, **columns})


def add_user(site: Site, address: str, *, keeps: bool = True, **columns: object) -> None:
    """A user, by default with the row that keeps its mail."""
    local, _, domain = address.partition("@")
    row = {
        "username": address,
        "domain": domain,
        "password": HASH,
        "name": f"Name of {local}",
        "storagebasedirectory": "/var/vmail",
        "storagenode": "vmail1",
        "quota": 100,
        "maildir": f"{domain}/x/y/z/{local}-2026.01.02.03.04.05/",
        "disclaimer": "",
        "settings": "",
        "passwordlastchange": EARLY,
    }
    site.insert("mailbox", **{**row, **STAMPS, **columns})
    if keeps:
        add_forwarding(site, address, address, FORWARD, active=columns.get("active", 1))


def add_forwarding(
    site: Site, address: str, forwarding: str, flag: str = "", **columns: object
) -> None:
    row = {
        "address": address,
        "forwarding": forwarding,
        "domain": address.rpartition("@")[2],
        "dest_domain": forwarding.rpartition("@")[2],
    }
    flags = {flag: 1} if flag else {}
    site.insert("forwardings", **{**row, **flags, **columns})


def populate(site: Site) -> None:
    """Fill every table of accounts, and Jane's share of the others."""
    with site.together():
        _domains(site)
        _users(site)
        _groups(site)
        _around(site)
        _others(site)


def _domains(site: Site) -> None:
    add_domain(site, "example.org")
    add_domain(
        site,
        "example.net",
        maxquota=5000,
        mailboxes=50,
        aliases=40,
        maillists=30,
        settings="zebra:1;default_user_quota:7;ant:x:y;",
    )
    # Its name ends as the first one does, and has a character that LIKE takes for any.
    add_domain(site, "an_example.org")
    add_domain(site, "anyexample.org")
    for alias, target in (("example.com", "example.org"), ("example.info", "example.net")):
        site.insert("alias_domain", alias_domain=alias, target_domain=target, **STAMPS)


def _users(site: Site) -> None:
    add_user(site, JANE)
    add_user(site, JOHN, recovery_email=OTHER, employeeid="E-1", isadmin=1, settings="foo:bar;")
    add_user(site, OTHER, isadmin=1, isglobaladmin=1, enablepop3=0)
    add_user(site, ALONE, keeps=False)
    add_user(site, "jane@an_example.org")
    add_user(site, ALIKE)
    add_forwarding(site, ALONE, JANE, FORWARD)
    for user in (JANE, JOHN, OTHER):
        local, _, domain = user.partition("@")
        add_forwarding(site, user, f"{local}@elsewhere.test", FORWARD)
        add_forwarding(site, f"{local}.too@{domain}", user, ALIAS)
    add_forwarding(site, "jane@example.com", JANE, ALIAS, domain="example.org")
    add_forwarding(site, OTHER, JANE, FORWARD)
    add_forwarding(site, "example.org", JANE, domain="example.org")
    add_forwarding(site, "example.org", OTHER, domain="example.org")
    add_forwarding(site, "example.net", OTHER, domain="example.net")


def _groups(site: Site) -> None:
    for group in (TEAM, STRANGE):
        domain = group.rpartition("@")[2]
        site.insert("alias", address=group, name="A group", domain=domain, **STAMPS)
        for member in (JANE, JOHN, OTHER):
            destination = member.rpartition("@")[2]
            add_forwarding(site, group, member, MEMBER)
            site.insert(
                "moderators",
                address=group,
                moderator=member,
                domain=domain,
                dest_domain=destination,
            )
    for number, domain in enumerate(("example.org", "example.net")):
        news = f"news@{domain}"
        site.insert(
            "maillists",
            address=news,
            domain=domain,
            transport=f"mlmmj:{domain}/news",
            **{"mlid": f"0000000{number}", "name": "News", **STAMPS},
        )
        add_forwarding(site, news, news, MARKER)
        for owner in (JANE, JOHN, OTHER):
            destination = owner.rpartition("@")[2]
            site.insert(
                "maillist_owners",
                address=news,
                owner=owner,
                domain=domain,
                dest_domain=destination,
            )


def _around(site: Site) -> None:
    site.insert("admin", username="boss@nowhere.test", password=HASH, settings="", **STAMPS)
    for admin, domain in (
        ("boss@nowhere.test", "ALL"),
        ("boss@nowhere.test", "example.org"),
        (OTHER, "ALL"),
        (JANE, "example.net"),
        (JOHN, "example.org"),
        (JOHN, "example.net"),
    ):
        site.insert("domain_admins", username=admin, domain=domain, **STAMPS)
    for way in ("sender", "recipient"):
        for domain, copy in (("example.org", JANE), ("example.net", OTHER)):
            site.insert(f"{way}_bcc_domain", domain=domain, bcc_address=copy, **STAMPS)
        for user, copy in ((JANE, OTHER), (JOHN, JANE), (OTHER, JOHN)):
            domain = user.rpartition("@")[2]
            site.insert(f"{way}_bcc_user", username=user, bcc_address=copy, domain=domain, **STAMPS)
    for account in (JANE, JOHN, OTHER, ALIKE, "@example.org", "@example.net"):
        site.insert("sender_relayhost", account=account, relayhost="[192.0.2.7]:25")
    for number, user in enumerate((JANE, JOHN, OTHER), 1):
        domain = user.rpartition("@")[2]
        site.insert(
            "used_quota", username=user, domain=domain, bytes=1000 * number, messages=number
        )
        site.insert("last_login", username=user, domain=domain, imap=1767323045, lda=1767323046)
        site.insert("anyone_shares", from_user=user, dummy="1")
    for one, two in ((JANE, JOHN), (JOHN, JANE), (JOHN, OTHER), (OTHER, JOHN), (ALIKE, OTHER)):
        site.insert("share_folder", from_user=one, to_user=two, dummy="1")
    site.insert(
        "deleted_mailboxes",
        timestamp=EARLY,
        username="gone@example.net",
        domain="example.net",
        maildir="/var/vmail/vmail1/example.net/gone/",
        admin=JANE,
    )


def _others(site: Site) -> None:
    accounts = (JANE, JOHN, OTHER, "@example.org", "@example.net", "@.", ALIKE)
    iredapd, amavisd, iredadmin = (site.raw[name] for name in ("iredapd", "amavisd", "iredadmin"))
    for number, account in enumerate(accounts, FIRST_ID):
        iredapd.insert("throttle", id=number, account=account, kind="outbound", priority=1)
        iredapd.insert("throttle_tracking", tid=number, account=account)
        iredapd.insert("greylisting", account=account, sender="@sender.test")
        iredapd.insert("greylisting_whitelists", account=account, sender="192.0.2.1")
        if account != "@.":
            amavisd.insert("policy", id=number, policy_name=account)
            amavisd.insert("users", id=number, policy_id=number, email=account.encode())
            amavisd.insert("wblist", rid=number, sid=1, wb="W")
            amavisd.insert("outbound_wblist", rid=1, sid=number, wb="B")
        iredadmin.insert("settings", account=account, k="spam", v="{}")
        _session(iredadmin, account, number)
    # A rule for everybody counts each account by itself.
    for account in (JANE, JOHN, OTHER):
        iredapd.insert("throttle_tracking", tid=FIRST_ID + accounts.index("@."), account=account)


def _session(iredadmin: Raw, account: str, number: int) -> None:
    iredadmin.insert(
        "mailwright_sessions",
        token_hash=str(number),
        username=account,
        created=1,
        seen=1,
        address="",
    )
