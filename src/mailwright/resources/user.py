"""Mail users: their parameters, where each is kept, and the rules between them.

Sources: the API document (both editions), SQL reference 3.5, 3.7, 4.4 to 4.9 and 7.6.
"""

from __future__ import annotations

import datetime as dt

from mailwright.errors import Exists, Invalid, LimitReached, NotFound
from mailwright.fields.addresses import domain_of, local_part_of, without_extension
from mailwright.fields.field import Changes, Field, Record
from mailwright.fields.kinds import (
    LONGEST_TEXT,
    MEGABYTES,
    Choice,
    Email,
    Language,
    Mailbox,
    Many,
    Names,
    Password,
    Stamp,
    Text,
    Transport,
    Whole,
    YesNo,
    stamp,
)
from mailwright.fields.ldap_places import (
    Attribute,
    AttributeValues,
    Granted,
    LdapHome,
    Membership,
    PathPart,
    Service,
    Services,
    Syntax,
    Tally,
)
from mailwright.fields.places import (
    Codec,
    Column,
    Joined,
    Journal,
    Mirror,
    Part,
    Reference,
    SideRows,
    SqlHome,
    Switch,
    Switches,
)
from mailwright.fields.resource import Request, Resource
from mailwright.resources import domain as domains
from mailwright.resources import limits, rights
from mailwright.resources.mailbox_path import maildir, storage_base
from mailwright.resources.operations import Account
from mailwright.resources.rights import Lock
from mailwright.resources.rules import (
    another_global_admin_remains,
    language_is_installed,
    names_are_kept,
    sessions_end,
)
from mailwright.resources.stamps import CREATED, MODIFIED, PASSWORD_CHANGED
from mailwright.storage.protocol import EVERY_DOMAIN
from mailwright.work import Work

# What Dovecot and Postfix ask for each service, and what changes with it (SQL reference 4.7b).  The
# columns of internal services are in no list: switching them off would break delivery and quotas.
SERVICES = {
    "smtp": Switch("enablesmtp"),
    "smtpsecured": Switch("enablesmtpsecured"),
    "pop3": Switch("enablepop3"),
    "pop3secured": Switch("enablepop3secured", ("enablepop3tls",)),
    "pop3tls": Switch("enablepop3tls"),
    "imap": Switch("enableimap"),
    "imapsecured": Switch("enableimapsecured", ("enableimaptls",)),
    "imaptls": Switch("enableimaptls"),
    "deliver": Switch("enabledeliver", ("enablelda", "enablelmtp")),
    "lda": Switch("enablelda"),
    "lmtp": Switch("enablelmtp"),
    "managesieve": Switch("enablemanagesieve", ("enablesieve",)),
    "managesievesecured": Switch(
        "enablemanagesievesecured", ("enablesievesecured", "enablesievetls")
    ),
    "sieve": Switch("enablesieve"),
    "sievesecured": Switch("enablesievesecured"),
    "sievetls": Switch("enablesievetls"),
    "sogo": Switch("enablesogo"),
    "sogowebmail": Switch("enablesogowebmail", on="y", off="n"),
    "sogocalendar": Switch("enablesogocalendar", on="y", off="n"),
    "sogoactivesync": Switch("enablesogoactivesync", on="y", off="n"),
}
# What else a new user has in a directory, and what stays whatever a caller names (LDAP reference 3.5).
INTERNAL_SERVICES = (
    *("internal", "doveadm", "lib-storage", "indexer-worker", "dsync", "quota-status"),
)
DIRECTORY_SERVICES = (
    *INTERNAL_SERVICES,
    *("mail", "smtp", "smtpsecured", "smtptls", "pop3", "pop3secured", "pop3tls"),
    *("imap", "imapsecured", "imaptls", "managesieve", "managesievesecured", "managesievetls"),
    *("sieve", "sievesecured", "sievetls", "deliver", "lda", "lmtp", "recipientbcc", "senderbcc"),
    *("forward", "shadowaddress", "displayedInGlobalAddressBook"),
    *("sogo", "sogowebmail", "sogocalendar", "sogoactivesync"),
)
# The same couples as in SQL, and in TLS sessions Dovecot asks for the last of each family.
_SERVICES = Services(
    coupled={
        "smtpsecured": ("smtptls",),
        **{
            name: tuple(column.removeprefix("enable") for column in switch.coupled)
            for name, switch in SERVICES.items()
            if switch.coupled
        },
        "managesievesecured": ("managesievetls", "sievesecured", "sievetls"),
    },
    reserved=(*INTERNAL_SERVICES, "domainadmin"),
    # In SQL nobody can do without these: a list of services written for it does not name them.
    supporting=(
        *("mail", "forward", "shadowaddress", "recipientbcc", "senderbcc"),
        "displayedinglobaladdressbook",
    ),
    spelled=("displayedInGlobalAddressBook",),
)

_SELF_AND_FORWARDS = SideRows(
    "forwardings",
    "address",
    "forwarding",
    where={"is_forwarding": 1},
    status="active",
    parts={"domain": Part.KEY_DOMAIN, "dest_domain": Part.VALUE_DOMAIN},
)

NAME = Field(
    "name",
    Text(),
    "Display name",
    "",
    sql=Column("name"),
    ldap=Attribute("cn", local_part=True),
    synonyms=("cn",),
    example="Jane Doe",
)
PASSWORD = Field(
    "password",
    Password(),
    "New password in plain text",
    "",
    group="password",
    sql=Column("password", Codec.NEVER_SHOWN),
    ldap=Attribute("userPassword", Syntax.NEVER_SHOWN),
    hidden=True,
    example="u0tBF82cIV@vi8Gme",
)
QUOTA = Field(
    "quota",
    MEGABYTES,
    "Mailbox quota in MB; 0 for no limit",
    0,
    group="limits",
    sql=Column("quota", Codec.WHOLE),
    ldap=Attribute("mailQuota", Syntax.MEGABYTES),
    synonyms=("mailQuota",),
    example="1024",
)
LANGUAGE = Field(
    "language",
    Language(),
    "Preferred language of web pages",
    "",
    sql=Column("language"),
    ldap=Attribute("preferredLanguage"),
    synonyms=("preferredLanguage",),
    example="en_US",
)
STATUS = Field(
    "accountStatus",
    Choice(("active", "disabled")),
    "Whether the user gets mail and may log in",
    "active",
    group="status",
    example="active",
    sql=Column(
        "active",
        Codec.STATUS,
        mirrors=(
            Mirror("forwardings", "address", "active"),
            Mirror("forwardings", "forwarding", "active", {"is_alias": 1}),
        ),
    ),
    ldap=Attribute("accountStatus", Syntax.STATUS),
)
EMPLOYEE_ID = Field(
    "employeeid",
    Text(),
    "User ID or employee number",
    "",
    sql=Column("employeeid"),
    ldap=Attribute("employeeNumber"),
    example="E-1042",
)
TRANSPORT = Field(
    "transport",
    Transport(optional=True),
    "Postfix transport of this user; empty for the domain's",
    "",
    group="relay",
    global_only=True,
    sql=Column("transport"),
    ldap=Attribute("mtaTransport"),
    example="dovecot",
)
IS_GLOBAL_ADMIN = Field(
    "isGlobalAdmin",
    YesNo(),
    "Whether the user administers the whole server",
    False,
    group="rank",
    global_only=True,
    sql=Column("isglobaladmin", Codec.FLAG),
    ldap=Attribute("domainGlobalAdmin", Syntax.YES),
    example="no",
)
FORWARDING = Field(
    "forwarding",
    Many(Email()),
    "Addresses that get the mail; with the own one, a copy is kept",
    (),
    group="forwarding",
    sql=_SELF_AND_FORWARDS,
    ldap=AttributeValues("mailForwardingAddress", or_own=True),
    example="jane@example.org,other@example.net",
)
ALIASES = Field(
    "aliases",
    Many(Mailbox()),
    "Further addresses of this user",
    (),
    group="aliases",
    adds=("addAlias",),
    removes=("removeAlias",),
    example="j.doe@example.org",
    sql=SideRows(
        "forwardings",
        "forwarding",
        "address",
        where={"is_alias": 1},
        status="active",
        parts={"domain": Part.VALUE_HOST, "dest_domain": Part.KEY_DOMAIN},
    ),
    ldap=AttributeValues("shadowAddress", alias_domains=True),
)
ENABLED_SERVICES = Field(
    "services",
    Many(Names(tuple(SERVICES))),
    "Mail services that are switched on",
    (),
    group="services",
    sql=Switches(SERVICES),
    ldap=_SERVICES,
    adds=("addService",),
    removes=("removeService",),
    example="smtp,smtpsecured,imap,imapsecured,deliver",
)

PASSWORD_HASH = Field(
    "password_hash",
    Text(),
    "Stored password hash; only where the settings expose it",
    "",
    sql=Column("password", Codec.NEVER_SHOWN),
    ldap=Attribute("userPassword", Syntax.NEVER_SHOWN),
    read_only=True,
)
MAIL = Field(
    "mail",
    Mailbox(),
    "The user's address",
    "",
    sql=Column("username"),
    ldap=Attribute("mail"),
    read_only=True,
)
IS_ADMIN = Field(
    "isAdmin",
    YesNo(),
    "Whether the user administers a domain",
    False,
    sql=Column("isadmin", Codec.FLAG),
    ldap=Service("domainadmin"),
    read_only=True,
)
MANAGED_DOMAINS = Field(
    "managedDomains",
    Many(Text()),
    "Domains that the user administers; ALL for every one",
    (),
    read_only=True,
    instead="PUT /api/domain/admins/<domain> gives domains",
    sql=SideRows("domain_admins", "username", "domain", stamped=True),
    ldap=Granted(
        "mailDomain", "domainAdmin", "domainName", own="domainGlobalAdmin", everything=EVERY_DOMAIN
    ),
)
GROUPS = Field(
    "groups",
    Many(Email()),
    "Mail aliases that the user is a member of",
    (),
    read_only=True,
    sql=SideRows(
        "forwardings",
        "forwarding",
        "address",
        where={"is_list": 1},
        status="active",
        parts={"domain": Part.VALUE_DOMAIN, "dest_domain": Part.KEY_DOMAIN},
    ),
    ldap=Membership("memberOfGroup", "mailList", "member", "mailAlias", "mailForwardingAddress"),
)
MAILBOX_FORMAT = Field(
    "mailboxFormat",
    Text(50),
    "Dovecot's mailbox driver",
    "",
    sql=Column("mailboxformat"),
    ldap=Attribute("mailboxFormat", default="maildir"),
    read_only=True,
)
MAILBOX_FOLDER = Field(
    "mailboxFolder",
    Text(50),
    "Folder below the home directory",
    "",
    sql=Column("mailboxfolder"),
    ldap=Attribute("mailboxFolder", default="Maildir"),
    read_only=True,
)
STORAGE_BASE = Field(
    "storageBaseDirectory",
    Text(),
    "First part of the home directory",
    "",
    sql=Column("storagebasedirectory"),
    ldap=PathPart(0),
    read_only=True,
)
STORAGE_NODE = Field(
    "storageNode",
    Text(),
    "Second part of the home directory",
    "",
    sql=Column("storagenode"),
    ldap=PathPart(1),
    read_only=True,
)
MAILDIR = Field(
    "maildir",
    Text(),
    "Third part of the home directory",
    "",
    sql=Column("maildir"),
    ldap=PathPart(2),
    read_only=True,
)
USED_BYTES = Field(
    "usedQuotaBytes",
    Whole(),
    "Bytes that the mailbox holds",
    0,
    read_only=True,
    sql=Joined("used_quota", "username", "bytes", Codec.WHOLE),
    ldap=Joined("used_quota", "username", "bytes", Codec.WHOLE),
)
USED_MESSAGES = Field(
    "usedQuotaMessages",
    Whole(),
    "Messages that the mailbox holds",
    0,
    read_only=True,
    sql=Joined("used_quota", "username", "messages", Codec.WHOLE),
    ldap=Joined("used_quota", "username", "messages", Codec.WHOLE),
)
LAST_IMAP = Field(
    "lastLoginImap",
    Stamp(),
    "Last IMAP login",
    "",
    read_only=True,
    sql=Joined("last_login", "username", "imap", Codec.EPOCH),
    ldap=Joined("last_login", "username", "imap", Codec.EPOCH),
)
LAST_POP3 = Field(
    "lastLoginPop3",
    Stamp(),
    "Last POP3 login",
    "",
    read_only=True,
    sql=Joined("last_login", "username", "pop3", Codec.EPOCH),
    ldap=Joined("last_login", "username", "pop3", Codec.EPOCH),
)
LAST_DELIVERY = Field(
    "lastDelivery",
    Stamp(),
    "Last delivery into the mailbox",
    "",
    read_only=True,
    sql=Joined("last_login", "username", "lda", Codec.EPOCH),
    ldap=Joined("last_login", "username", "lda", Codec.EPOCH),
)

_ON_CREATE = (NAME, PASSWORD, LANGUAGE, QUOTA)
_BULK = (STATUS, PASSWORD, LANGUAGE, TRANSPORT)
_ON_UPDATE = (
    NAME,
    PASSWORD,
    QUOTA,
    STATUS,
    LANGUAGE,
    EMPLOYEE_ID,
    TRANSPORT,
    IS_GLOBAL_ADMIN,
    FORWARDING,
    ALIASES,
    ENABLED_SERVICES,
)

RESOURCE = Resource(
    name="user",
    title="user",
    key=Mailbox(),
    key_name="mail",
    missing="NO_SUCH_ACCOUNT",
    sql=SqlHome(
        table="mailbox",
        key="username",
        domain="domain",
        self_rows=_SELF_AND_FORWARDS,
        references=(
            Reference("forwardings", "address", domain="domain", beside="forwarding"),
            Reference("forwardings", "forwarding", domain="dest_domain", beside="address"),
            Reference("moderators", "moderator", domain="dest_domain", beside="address"),
            Reference("maillist_owners", "owner", domain="dest_domain", beside="address"),
            Reference(
                "domain_admins", "username", beside="domain", unless=domains.STANDALONE_ADMIN
            ),
            *(
                Reference(f"{way}_bcc_user", "username", domain="domain", unique=True)
                for way in ("sender", "recipient")
            ),
            *(
                Reference(f"{way}_bcc_{scope}", "bcc_address")
                for way in ("sender", "recipient")
                for scope in ("user", "domain")
            ),
            Reference("sender_relayhost", "account", unique=True),
            Reference("used_quota", "username", domain="domain", unique=True),
            Reference("last_login", "username", domain="domain", unique=True),
            Reference("share_folder", "from_user", beside="to_user"),
            Reference("share_folder", "to_user", beside="from_user"),
            Reference("anyone_shares", "from_user", unique=True),
        ),
        journal=Journal(
            "deleted_mailboxes",
            ("storagebasedirectory", "storagenode", "maildir"),
            "mailbox",
            "username",
            "domain",
            "used_quota",
        ),
    ),
    ldap=LdapHome(
        main_class="mailUser",
        rdn="mail",
        branch="Users",
        classes=("inetOrgPerson", "mailUser", "shadowAccount"),
        extra_classes=("amavisAccount",),
        constants={"amavisLocal": ("TRUE",), "enabledService": DIRECTORY_SERVICES},
        local_part=("uid", "sn"),
        addresses="shadowAddress",
        mailboxes="mailUser",
        path="homeDirectory",
        older_path=("storageBaseDirectory", "mailMessageStore"),
        tally=Tally("domainCurrentUserNumber", "domainCurrentQuotaSize", "mailQuota"),
        references=domains.ACCOUNT_REFERENCES,
        revoked=("domainGlobalAdmin", "userPassword"),
        revoked_services=("domainadmin",),
        rows=(
            Reference("used_quota", "username", domain="domain", unique=True),
            Reference("last_login", "username", domain="domain", unique=True),
            Reference("share_folder", "from_user", beside="to_user"),
            Reference("share_folder", "to_user", beside="from_user"),
            Reference("anyone_shares", "from_user", unique=True),
        ),
    ),
    fields=(
        MAIL,
        *_ON_UPDATE,
        IS_ADMIN,
        MANAGED_DOMAINS,
        GROUPS,
        MAILBOX_FORMAT,
        MAILBOX_FOLDER,
        STORAGE_BASE,
        STORAGE_NODE,
        MAILDIR,
        PASSWORD_CHANGED,
        USED_BYTES,
        USED_MESSAGES,
        LAST_IMAP,
        LAST_POP3,
        LAST_DELIVERY,
        CREATED,
        MODIFIED,
        PASSWORD_HASH,
    ),
    exposed=(PASSWORD_HASH,),
    create=_ON_CREATE,
    update=_ON_UPDATE,
    required=(PASSWORD,),
    bulk=_BULK,
    sorted_by=(MAIL, NAME, QUOTA, CREATED, MODIFIED),
    searched=(NAME, EMPLOYEE_ID),
)


def hash_the_password(work: Work, key: str, request: Request) -> None:
    """Check a new password against the policy of its domain and hash it, before any lock is held."""
    password = request.values.get(PASSWORD)
    if password is None:
        return
    try:
        domain = work.accounts.get(
            domains.RESOURCE,
            domain_of(key),
            (domains.MIN_PASSWORD_LENGTH, domains.MAX_PASSWORD_LENGTH),
        )
    except NotFound:
        raise _no_domain(key) from None
    policy = work.policy.with_lengths(
        domain[domains.MIN_PASSWORD_LENGTH], domain[domains.MAX_PASSWORD_LENGTH]
    )
    policy.require(password)
    request.values[PASSWORD] = work.hash_password(password)


def found(work: Work, address: str, changes: Changes) -> None:
    """A new user has a free address, room in the domain, a mailbox and a row that delivers to it."""
    domain = _locked_domain(work, address)
    if work.accounts.is_taken(address):
        raise Exists(f"user {address} already exists", parameter="mail")
    _one_more_fits(work, domain)
    changes[QUOTA] = _first_quota(domain, changes.get(QUOTA))
    _quota_fits(work, domain, changes[QUOTA], before=0)
    limits.user_fits(work, changes[QUOTA])
    if LANGUAGE not in changes:
        changes[LANGUAGE] = domain[domains.LANGUAGE] or work.settings.accounts.default_language
    language_is_installed(work, LANGUAGE, changes)
    base, node = storage_base(work.settings, domain[domains.STORAGE_BASE])
    changes[STORAGE_BASE], changes[STORAGE_NODE] = base, node
    changes[MAILDIR] = _unused_maildir(work, address, f"{base}/{node}/")
    changes[MAILBOX_FORMAT] = work.settings.accounts.mailbox_format
    changes[MAILBOX_FOLDER] = work.settings.accounts.mailbox_folder
    changes[PASSWORD_CHANGED] = stamp(work.now)
    changes[STATUS] = "active"
    changes[FORWARDING] = (address,)
    withheld = _with_coupled(domain[domains.DISABLED_MAIL_SERVICES])
    if not set(SERVICES).isdisjoint(withheld):
        changes[ENABLED_SERVICES] = tuple(name for name in SERVICES if name not in withheld)
    groups = tuple(
        # A user's own address among them would copy that user's mail to every new one.
        group
        for group in domain[domains.DEFAULT_GROUPS]
        if work.accounts.is_group(group)
    )
    if groups:
        changes[GROUPS] = groups


def _unused_maildir(work: Work, address: str, base: str) -> str:
    """A path that no removed account of this address has: its mail is not the new user's to read.

    Besides, a journal row that points at a living mailbox would have it erased one day.
    """
    kept = {path.rstrip("/") for path in work.accounts.kept_mailboxes(address)}
    path, now = maildir(address, work.now, work.settings), work.now
    while (base + path).rstrip("/") in kept:
        now += dt.timedelta(seconds=1)
        path = maildir(address, now, work.settings, stamped=True)
    if len(base + path) > LONGEST_TEXT:
        # Nobody could remove the user: the whole path has to fit a column of deleted_mailboxes.
        raise Invalid(
            f"{address} is too long: the path of its mailbox would pass {LONGEST_TEXT} characters",
            code="INVALID_MAIL",
            parameter="mail",
        )
    return path


def _with_coupled(names: tuple[str, ...]) -> set[str]:
    """Services, and those whose columns change with them."""
    columns = {
        column
        for name in names
        if name in SERVICES
        for column in (SERVICES[name].own, *SERVICES[name].coupled)
    }
    return {name for name, switch in SERVICES.items() if switch.own in columns}


def language(work: Work, _key: str, _record: Record, changes: Changes) -> None:
    """The language is one that this server offers."""
    language_is_installed(work, LANGUAGE, changes)


def password_is_dated(work: Work, _key: str, _record: Record, changes: Changes) -> None:
    """A changed password carries the time of the change."""
    if PASSWORD in changes:
        changes[PASSWORD_CHANGED] = stamp(work.now)


def quota_fits_the_domain(work: Work, key: str, record: Record, changes: Changes) -> None:
    """A new quota stays within the largest of one user and what the domain has left."""
    quota = changes.get(QUOTA)
    if quota is not None:
        _quota_fits(work, _locked_domain(work, key), quota, before=record[QUOTA])
        limits.quota_fits(work, quota, record[QUOTA])


def forwarding_is_never_empty(_work: Work, key: str, record: Record, changes: Changes) -> None:
    """Without any row the user would be unknown to Postfix: an empty list keeps the own mailbox."""
    if FORWARDING in changes and not changes[FORWARDING]:
        changes[FORWARDING] = (key,)
        if record[FORWARDING] == (key,):
            changes.pop(FORWARDING)


def alias_addresses_are_free(work: Work, key: str, record: Record, changes: Changes) -> None:
    """A further address is free and in a domain of the user; taken ones are skipped and named."""
    if ALIASES not in changes:
        return
    before = record[ALIASES]
    kept = set(before)
    own = domain_of(key)
    # A domain that is out of reach is not locked: that it can be would tell that it is there.
    fresh = [address for address in changes[ALIASES] if address not in kept]
    names = {domain_of(address) for address in fresh if _is_in_own_domain(work, address, own)}
    _lock_domains(work, names | {own})
    wanted, skipped, outside = [], [], []
    for address in changes[ALIASES]:
        if address in kept:
            wanted.append(address)
        elif not _is_in_own_domain(work, address, own):
            outside.append(address)
        elif _is_in_use(work, address):
            skipped.append(address)
        else:
            wanted.append(address)
    if outside:
        raise Invalid(
            f"aliases: {', '.join(outside)} is in no domain that {key} may have addresses in",
            parameter="aliases",
        )
    if skipped:
        work.warn(f"already in use and therefore skipped: {', '.join(skipped)}")
    changes[ALIASES] = tuple(wanted)
    if set(wanted) == kept:
        changes.pop(ALIASES)


def services_have_columns(work: Work, _key: str, record: Record, changes: Changes) -> None:
    """Services without a column are ignored, as the API document says."""
    names_are_kept(work, RESOURCE, ENABLED_SERVICES, record, changes)


def grant_follows_rank(work: Work, key: str, record: Record, changes: Changes) -> None:
    """Column and row of a global admin agree, and one active global admin always remains."""
    if IS_GLOBAL_ADMIN not in changes:
        return
    managed = work.accounts.get(RESOURCE, key, (MANAGED_DOMAINS,))[MANAGED_DOMAINS]
    record[MANAGED_DOMAINS] = managed
    others = tuple(name for name in managed if name != EVERY_DOMAIN)
    if changes[IS_GLOBAL_ADMIN]:
        changes[MANAGED_DOMAINS] = (*others, EVERY_DOMAIN)
        changes[IS_ADMIN] = True
    else:
        another_global_admin_remains(work, key)
        changes[MANAGED_DOMAINS] = others
        changes[IS_ADMIN] = bool(others)


def last_admin_stays_active(work: Work, key: str, record: Record, changes: Changes) -> None:
    """The last active global admin cannot be switched off."""
    if record[IS_GLOBAL_ADMIN] and changes.get(STATUS) == "disabled":
        another_global_admin_remains(work, key)


def login_is_anew(work: Work, key: str, _record: Record, changes: Changes) -> None:
    """What a login rested on may be otherwise now."""
    sessions_end(*(work, key, changes), rank=IS_GLOBAL_ADMIN, status=STATUS, password=PASSWORD)


def last_admin_is_not_removed(work: Work, key: str) -> None:
    """The last active global admin cannot be removed."""
    if work.accounts.get(RESOURCE, key, (IS_GLOBAL_ADMIN,))[IS_GLOBAL_ADMIN]:
        another_global_admin_remains(work, key)


def _locked_domain(work: Work, address: str) -> Record:
    """The user's domain, held until the transaction ends: limits and addresses are settled under it."""
    try:
        return work.accounts.get(
            domains.RESOURCE, domain_of(address), domains.RESOURCE.needed_for(()), lock=True
        )
    except NotFound:
        raise _no_domain(address) from None


def _lock_domains(work: Work, names: set[str]) -> None:
    hosted = {work.accounts.hosted_domain(name) for name in names}
    for name in sorted(
        filter(None, hosted)
    ):  # one order for everybody, so that nobody waits in a circle
        work.accounts.get(domains.RESOURCE, name, (), lock=True)


def _no_domain(address: str) -> NotFound:
    return NotFound(
        f"domain {domain_of(address)} does not exist", code="NO_SUCH_DOMAIN", parameter="mail"
    )


def _is_in_own_domain(work: Work, address: str, own: str) -> bool:
    name = domain_of(address)
    host = work.accounts.hosted_domain(name)
    if host == own:
        return True
    # The question is the same for a domain that is missing.
    is_open = work.settings.accounts.alias_addresses_in_any_domain
    return is_open and rights.manages(work, host or name) and host is not None


def _is_in_use(work: Work, address: str) -> bool:
    """Whether mail to the address arrives already, be it by way of an alias domain."""
    address = without_extension(address, work.settings.accounts.recipient_delimiter)
    host = work.accounts.hosted_domain(domain_of(address)) or domain_of(address)
    ways = {address, f"{local_part_of(address)}@{host}"}
    return any(work.accounts.is_taken(way) for way in sorted(ways))


def _one_more_fits(work: Work, domain: Record) -> None:
    most = domain[domains.MAX_USERS]
    if most == domains.NONE_ALLOWED:
        raise LimitReached(f"{domain.key} takes no mail users")
    if most and work.accounts.usage(domain.key).users >= most:
        raise LimitReached(
            f"{domain.key} has its {most} mail users", code="EXCEEDED_DOMAIN_ACCOUNT_LIMIT"
        )


def _first_quota(domain: Record, asked: int | None) -> int:
    if asked is not None:
        return asked
    return domain[domains.DEFAULT_QUOTA] or domain[domains.MAX_USER_QUOTA]


def _quota_fits(work: Work, domain: Record, quota: int, *, before: int) -> None:
    most, total = domain[domains.MAX_USER_QUOTA], domain[domains.QUOTA]
    if not quota and (most or total):
        raise LimitReached(
            f"quota: {domain.key} limits quotas, so a user needs one above 0",
            code="EXCEEDED_DOMAIN_QUOTA_SIZE",
            parameter="quota",
        )
    # Downwards is the way out of an over-allocated domain, so a smaller quota is always taken.
    if before and quota <= before:
        return
    if most and quota > most:
        raise LimitReached(
            f"quota ({quota}): one user of {domain.key} may have {most} MB",
            code="EXCEED_LIMIT_QUOTA",
            parameter="quota",
        )
    if total and (left := total - work.accounts.usage(domain.key).quota + before) < quota:
        raise LimitReached(
            f"quota ({quota}): {domain.key} has {max(left, 0)} MB left",
            code="EXCEEDED_DOMAIN_QUOTA_SIZE",
            parameter="quota",
        )


LOCK = Lock(domains.RESOURCE, domains.DISABLED_USER_PROFILES, domains.USER_PROFILES)
ACCOUNT = Account(
    RESOURCE,
    found=found,
    lock=LOCK,
    rank=IS_GLOBAL_ADMIN,
    promoted=IS_ADMIN,
    given=MANAGED_DOMAINS,
    prepare=(hash_the_password,),
    rules=(
        language,
        password_is_dated,
        quota_fits_the_domain,
        forwarding_is_never_empty,
        alias_addresses_are_free,
        services_have_columns,
        grant_follows_rank,
        last_admin_stays_active,
        login_is_anew,
    ),
    before_removal=(last_admin_is_not_removed,),
)
