"""Mail domains: their parameters, where each is kept, and the rules between them.

Sources: the API document (both editions), SQL reference 3.2 to 3.9, 4.1 to 4.3 and 7.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mailwright.authz import Action, Role
from mailwright.errors import Exists, Forbidden, Invalid
from mailwright.fields.field import AnyField, Changes, Field, Record
from mailwright.fields.kinds import (
    MEGABYTES,
    Choice,
    DomainName,
    Email,
    Language,
    Many,
    Names,
    NextHop,
    Text,
    Transport,
    Whole,
    YesNo,
)
from mailwright.fields.ldap_places import (
    AccountSetting,
    Attribute,
    AttributeValues,
    By,
    ChildEntry,
    CountedEntries,
    LdapHome,
    LdapReference,
    Services,
    Spread,
    Syntax,
)
from mailwright.fields.places import (
    Codec,
    Column,
    Counted,
    Derived,
    Journal,
    Match,
    Part,
    Reference,
    Setting,
    SideRow,
    SideRows,
    SqlHome,
)
from mailwright.fields.resource import Resource
from mailwright.resources import limits, rights
from mailwright.resources.operations import Account
from mailwright.resources.rights import Lock
from mailwright.resources.rules import (
    a_global_admin_is_elsewhere,
    language_is_installed,
    lowered,
    names_are_kept,
    names_are_known,
)
from mailwright.resources.stamps import CREATED, MODIFIED
from mailwright.work import Work

SERVICES = ("self-service", "mail", "domainalias", "senderbcc", "recipientbcc")
DOMAIN_PROFILES = (
    *("bcc", "relay", "catchall", "aliases", "throttle", "greylisting", "wblist"),
    *("spampolicy", "backupmx", "advanced", "password_policies"),
)
USER_PROFILES = (
    *("bcc", "forwarding", "relay", "aliases", "throttle", "greylisting", "wblist", "spampolicy"),
)
USER_PREFERENCES = (
    *("personal_info", "forwarding", "wblist", "quarantine", "rcvd_mails", "spampolicy"),
)
NONE_ALLOWED = -1
# The grants of a standalone admin are no mail user's, whatever the address.
STANDALONE_ADMIN = ("admin", "username")
# Where an account's address can stand in a directory (LDAP reference 4.3).  What nobody reads and no
# index finds, such as the manager of a user, is left out: it would cost a look at every user.
ACCOUNT_REFERENCES = (
    LdapReference(
        ("mailUser",),
        (
            *("mailForwardingAddress", "userSenderBccAddress", "userRecipientBccAddress"),
            "backupMailAddress",
        ),
    ),
    LdapReference(("mailAlias",), ("mailForwardingAddress",)),
    LdapReference(("mailDomain",), ("domainSenderBccAddress", "domainRecipientBccAddress")),
    LdapReference(("mailDomain",), ("domainAdmin",), spares_admins=True),
    LdapReference(("mailExternalUser",), ("mail",)),
    LdapReference(("mailList", "mailAlias"), ("listAllowedUser", "listModerator", "listOwner")),
    LdapReference(("mailList",), ("member", "uniqueMember"), By.DN),
)

NAME = Field(
    "name",
    Text(),
    "Short description, such as the company's name",
    "",
    sql=Column("description"),
    ldap=Attribute("cn"),
    synonyms=("cn",),
    example="Example Inc",
)
STATUS = Field(
    "accountStatus",
    Choice(("active", "disabled")),
    "Whether mail is taken for the domain",
    "active",
    group="status",
    global_only=True,
    sql=Column("active", Codec.STATUS),
    ldap=Attribute(
        "accountStatus",
        Syntax.STATUS,
        spread=Spread(
            "domainStatus",
            "disabled",
            ("mailUser", "mailList", "mailAlias", "mailExternalUser"),
        ),
    ),
    example="active",
)
QUOTA = Field(
    "quota",
    MEGABYTES,
    "Mailbox quota of the whole domain in MB; 0 for no limit",
    0,
    group="limits",
    global_only=True,
    sql=Column("maxquota", Codec.WHOLE),
    ldap=AccountSetting("domainQuota", Syntax.QUOTA),
    synonyms=("mailQuota",),
    example="2048",
)
LANGUAGE = Field(
    "language",
    Language(),
    "Language of newly created mail users",
    "",
    sql=Setting("default_language"),
    ldap=AccountSetting("defaultLanguage", read_also="preferredLanguage"),
    synonyms=("preferredLanguage",),
    example="en_US",
)
TRANSPORT = Field(
    "transport",
    Transport(),
    "Postfix transport that delivers the domain's mail",
    "dovecot",
    group="relay",
    global_only=True,
    sql=Column("transport"),
    ldap=Attribute("mtaTransport"),
    example="dovecot",
)
DEFAULT_QUOTA = Field(
    "defaultQuota",
    MEGABYTES,
    "Quota of newly created users in MB; 0 for none",
    0,
    group="limits",
    sql=Setting("default_user_quota", Codec.WHOLE),
    ldap=AccountSetting("defaultQuota", Syntax.WHOLE),
    example="1024",
)
MAX_USER_QUOTA = Field(
    "maxUserQuota",
    MEGABYTES,
    "Largest quota of one user in MB; 0 for no limit",
    0,
    group="limits",
    global_only=True,
    sql=Setting("max_user_quota", Codec.WHOLE),
    ldap=AccountSetting("maxUserQuota", Syntax.WHOLE),
    example="2048",
)
MAX_USERS = Field(
    "numberOfUsers",
    Whole(-1, 2**31 - 1),
    "Most mail users; 0 for no limit, -1 for none allowed",
    0,
    group="limits",
    global_only=True,
    sql=Column("mailboxes", Codec.WHOLE),
    ldap=AccountSetting("numberOfUsers", Syntax.WHOLE),
    example="20",
)
MAX_ALIASES = Field(
    "numberOfAliases",
    Whole(-1, 2**31 - 1),
    "Most mail aliases; 0 for no limit, -1 for none allowed",
    0,
    group="limits",
    global_only=True,
    sql=Column("aliases", Codec.WHOLE),
    ldap=AccountSetting("numberOfAliases", Syntax.WHOLE),
    example="30",
)
MAX_LISTS = Field(
    "numberOfLists",
    Whole(-1, 2**31 - 1),
    "Most mailing lists; 0 for no limit, -1 for none allowed",
    0,
    group="limits",
    global_only=True,
    sql=Column("maillists", Codec.WHOLE),
    ldap=AccountSetting("numberOfLists", Syntax.WHOLE),
    example="40",
)
SENDER_BCC = Field(
    "senderBcc",
    Email(optional=True),
    "Address that gets a copy of all mail sent; empty for none",
    "",
    group="bcc",
    sql=SideRow("sender_bcc_domain", "domain", "bcc_address"),
    ldap=Attribute("domainSenderBccAddress", service="senderbcc"),
    example="archive@example.org",
)
RECIPIENT_BCC = Field(
    "recipientBcc",
    Email(optional=True),
    "Address that gets a copy of all mail received; empty for none",
    "",
    group="bcc",
    sql=SideRow("recipient_bcc_domain", "domain", "bcc_address"),
    ldap=Attribute("domainRecipientBccAddress", service="recipientbcc"),
    example="archive@example.org",
)
MIN_PASSWORD_LENGTH = Field(
    "minPasswordLength",
    Whole(0, 255),
    "Shortest password of a user; 0 for the server's own",
    0,
    group="password_policies",
    sql=Setting("min_passwd_length", Codec.WHOLE),
    ldap=AccountSetting("minPasswordLength", Syntax.WHOLE),
    example="8",
)
MAX_PASSWORD_LENGTH = Field(
    "maxPasswordLength",
    Whole(0, 255),
    "Longest password of a user; 0 for the server's own",
    0,
    group="password_policies",
    sql=Setting("max_passwd_length", Codec.WHOLE),
    ldap=AccountSetting("maxPasswordLength", Syntax.WHOLE),
    example="20",
)
IS_BACKUPMX = Field(
    "is_backupmx",
    YesNo(),
    "Whether this server only queues mail for the primary MX",
    False,
    group="backupmx",
    sql=Column("backupmx", Codec.FLAG),
    ldap=Attribute("domainBackupMX", Syntax.YES_NO),
    synonyms=("backupmx",),
    example="yes",
)
CATCHALL = Field(
    "catchall",
    Many(Email()),
    "Addresses that get mail for unknown recipients; empty for none",
    (),
    group="catchall",
    example="user@example.org,second@example.net",
    sql=SideRows(
        "forwardings",
        "address",
        "forwarding",
        parts={"domain": Part.KEY_DOMAIN, "dest_domain": Part.VALUE_DOMAIN},
    ),
    ldap=ChildEntry(
        "Users",
        "mailForwardingAddress",
        ("inetOrgPerson", "mailUser"),
        {"accountStatus": "active", "cn": "catch-all", "sn": "catch-all", "uid": "catch-all"},
    ),
)
OUTBOUND_RELAY = Field(
    "outboundRelay",
    NextHop(),
    "Host that takes the mail sent by the domain's users; empty for none",
    "",
    group="relay",
    global_only=True,
    sql=SideRow("sender_relayhost", "account", "relayhost", prefix="@", stamped=False),
    ldap=Attribute("senderRelayHost"),
    example="smtp:[192.0.2.1]:25",
)
ENABLED_SERVICES = Field(
    "services",
    Many(Names(SERVICES)),
    "Services that are switched on for the domain",
    (),
    group="services",
    global_only=True,
    sql=Setting("enabled_services", Codec.LIST, only=("self-service",)),
    # In SQL only self-service is kept: a list of services written for it does not name the others.  The
    # empty list switches off all of them, mail included, as the API document says.
    ldap=Services(
        supporting=("mail", "domainalias", "senderbcc", "recipientbcc"),
        empties=True,
    ),
    adds=("addService", "enableService"),
    removes=("removeService", "disableService"),
    clears=("removeAllServices",),
    example="self-service",
)
DISABLED_DOMAIN_PROFILES = Field(
    "disableDomainProfile",
    Many(Names(DOMAIN_PROFILES)),
    "Domain profiles closed to normal admins",
    (),
    group="profiles",
    global_only=True,
    sql=Setting("disabled_domain_profiles", Codec.LIST),
    ldap=AccountSetting("disabledDomainProfile", Syntax.LIST),
    resets=False,
    adds=("disableDomainProfile",),
    removes=("enableDomainProfile",),
    example="bcc,relay",
)
DISABLED_USER_PROFILES = Field(
    "disableUserProfile",
    Many(Names(USER_PROFILES)),
    "User profiles closed to normal admins",
    (),
    group="profiles",
    global_only=True,
    sql=Setting("disabled_user_profiles", Codec.LIST),
    ldap=AccountSetting("disabledUserProfile", Syntax.LIST),
    resets=False,
    adds=("disableUserProfile",),
    removes=("enableUserProfile",),
    example="bcc,relay",
)
DISABLED_USER_PREFERENCES = Field(
    "disableUserPreference",
    Many(Names(USER_PREFERENCES)),
    "Self-service pages closed to users",
    (),
    group="profiles",
    global_only=True,
    sql=Setting("disabled_user_preferences", Codec.LIST),
    ldap=AccountSetting("disabledUserPreference", Syntax.LIST),
    resets=False,
    adds=("disableUserPreference",),
    removes=("enableUserPreference",),
    example="wblist",
)
DISABLED_MAIL_SERVICES = Field(
    "disabledMailServices",
    Many(Names(())),
    "Mail services that new users start without",
    (),
    sql=Setting("disabled_mail_services", Codec.LIST),
    ldap=AccountSetting("disabledMailService", Syntax.LIST),
    read_only=True,
)
DEFAULT_GROUPS = Field(
    "defaultGroups",
    Many(Email()),
    "Mail aliases that new users join",
    (),
    sql=Setting("default_groups", Codec.LIST),
    ldap=AccountSetting("defaultList", Syntax.LIST),
    read_only=True,
)

STORAGE_BASE = Field(
    "defaultStorageBaseDirectory",
    Text(),
    "Directory of new mailboxes; empty for the server's own",
    "",
    ldap=AccountSetting("defaultStorageBaseDirectory"),
    read_only=True,
    hidden=True,
)


# What a given primary is stored as; one that DNS is asked for, stored by hand, is shown as it is.
_FIXED_HOP = NextHop(fixed=True)
# A host name of at least two labels, whose last one no number can be, and the port of mail servers; other
# programs may have stored it plainly.
_ORDINARY_HOP = re.compile(
    r"\[?(?P<host>(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:[a-z]{2,}|xn--[a-z0-9-]+))\]?"
    r"(?::(?:25|smtp))?"
)
# Top-level domains, and one below `arpa`, that lead to a machine or a network of one's own.
_INNER_NAME = re.compile(
    r"\.(?:localhost|localdomain|local|internal|intranet|private|corp|home|lan|arpa)$"
)


def _primary_mx(record: Mapping[str, Any]) -> str:
    hop = str(record["transport"]).removeprefix("relay:") if record["is_backupmx"] else ""
    return "" if hop == record["domain"] else hop


_PRIMARY = Derived(("domain", "transport", "is_backupmx"), _primary_mx)

PRIMARY_MX = Field(
    "primarymx",
    NextHop(),
    "Primary MX of a backup MX domain; empty asks DNS",
    "",
    group="backupmx",
    sql=_PRIMARY,
    ldap=_PRIMARY,
    example="[192.0.2.1]:25",
)

DOMAIN = Field(
    "domain",
    DomainName(),
    "The domain's name",
    "",
    sql=Column("domain"),
    ldap=Attribute("domainName"),
    read_only=True,
)
ADMINS = Field(
    "admins",
    Many(Email()),
    "Admins of this domain; global admins need not be among them",
    (),
    sql=SideRows("domain_admins", "domain", "username", stamped=True),
    ldap=AttributeValues("domainAdmin"),
    resets=False,
    adds=("addAdmin",),
    removes=("removeAdmin",),
    clears=("removeAllAdmins",),
    instead="PUT /api/domain/admins/<domain> takes it",
    example="one@example.org,two@example.org",
)
USERS = Field(
    "existingUsers",
    Whole(),
    "Mail users it has",
    0,
    sql=Counted("mailbox", "domain"),
    ldap=CountedEntries("mailUser"),
    read_only=True,
)
ALIASES = Field(
    "existingAliases",
    Whole(),
    "Mail aliases it has",
    0,
    sql=Counted("alias", "domain"),
    ldap=CountedEntries("mailAlias"),
    read_only=True,
)
LISTS = Field(
    "existingLists",
    Whole(),
    "Mailing lists it has",
    0,
    sql=Counted("maillists", "domain"),
    ldap=CountedEntries("mailList"),
    read_only=True,
)
ALLOCATED = Field(
    "allocatedQuota",
    MEGABYTES,
    "Sum of its users' quotas in MB",
    0,
    sql=Counted("mailbox", "domain", total="quota"),
    ldap=CountedEntries("mailUser", total="mailQuota"),
    read_only=True,
)
ALIAS_DOMAINS = Field(
    "aliasDomains",
    Many(DomainName()),
    "Further names under which its addresses are reached",
    (),
    group="aliases",
    sql=SideRows("alias_domain", "target_domain", "alias_domain"),
    ldap=AttributeValues("domainAliasName"),
    read_only=True,
)

_ON_CREATE = (
    NAME,
    QUOTA,
    LANGUAGE,
    TRANSPORT,
    DEFAULT_QUOTA,
    MAX_USER_QUOTA,
    MAX_USERS,
    MAX_ALIASES,
    MAX_LISTS,
    SENDER_BCC,
    RECIPIENT_BCC,
)
_ON_UPDATE = (
    *_ON_CREATE,
    STATUS,
    MIN_PASSWORD_LENGTH,
    MAX_PASSWORD_LENGTH,
    IS_BACKUPMX,
    PRIMARY_MX,
    CATCHALL,
    OUTBOUND_RELAY,
    ENABLED_SERVICES,
    DISABLED_DOMAIN_PROFILES,
    DISABLED_USER_PROFILES,
    DISABLED_USER_PREFERENCES,
)

RESOURCE = Resource(
    name="domain",
    title="domain",
    key=DomainName(),
    key_name="domain",
    missing="NO_SUCH_DOMAIN",
    sql=SqlHome(
        table="domain",
        key="domain",
        contains=(
            *(
                Reference(table, "domain")
                for table in (
                    "alias",
                    "mailbox",
                    "domain_admins",
                    "recipient_bcc_domain",
                    "recipient_bcc_user",
                    "sender_bcc_domain",
                    "sender_bcc_user",
                    "forwardings",
                    "moderators",
                    "used_quota",
                    "maillists",
                    "maillist_owners",
                    "last_login",
                )
            ),
            # Further addresses elsewhere of the domain's users; where others forward to them stays.
            Reference("forwardings", "dest_domain", where={"is_alias": 1}),
            Reference("alias_domain", "alias_domain"),
            Reference("alias_domain", "target_domain"),
            Reference("domain_admins", "username", Match.WITHIN, unless=STANDALONE_ADMIN),
            Reference("sender_relayhost", "account", Match.AT_KEY),
            Reference("sender_relayhost", "account", Match.WITHIN),
            *(
                Reference("share_folder", column, Match.WITHIN)
                for column in ("from_user", "to_user")
            ),
            Reference("anyone_shares", "from_user", Match.WITHIN),
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
        main_class="mailDomain",
        rdn="domainName",
        branch="",
        classes=("mailDomain",),
        constants={"enabledService": ("mail",)},
        containers=("Users", "Groups", "Aliases", "Externals"),
        alias_names="domainAliasName",
        pending_names="domainPendingAliasName",
        mailboxes="mailUser",
        path="homeDirectory",
        older_path=("storageBaseDirectory", "mailMessageStore"),
        references=(
            *ACCOUNT_REFERENCES,
            # Accounts elsewhere that have an address in the domain, or are in a list of it.
            LdapReference(
                ("mailUser", "mailList", "mailAlias"), ("shadowAddress", "memberOfGroup")
            ),
        ),
        rows=(
            Reference("used_quota", "domain"),
            Reference("last_login", "domain"),
            *(
                Reference("share_folder", column, Match.WITHIN)
                for column in ("from_user", "to_user")
            ),
            Reference("anyone_shares", "from_user", Match.WITHIN),
        ),
    ),
    fields=(
        DOMAIN,
        *_ON_UPDATE,
        DISABLED_MAIL_SERVICES,
        DEFAULT_GROUPS,
        STORAGE_BASE,
        ALIAS_DOMAINS,
        ADMINS,
        USERS,
        ALIASES,
        LISTS,
        ALLOCATED,
        CREATED,
        MODIFIED,
    ),
    create=_ON_CREATE,
    update=_ON_UPDATE,
    grant=(ADMINS,),
    sorted_by=(DOMAIN, NAME, CREATED, MODIFIED),
    searched=(NAME,),
)


def found(work: Work, name: str, changes: Changes) -> None:
    """A new domain is local, free in both tables that hold domain names, and active unless it waits."""
    if work.settings.api.require_domain_name and not changes.get(NAME):
        raise Invalid("name is required", parameter="name")
    if work.accounts.hosted_domain(name) is not None:
        raise Exists(f"domain {name} already exists", parameter="domain")
    _is_no_place_of_other_admins(work, name)
    if work.actor.role is not Role.GLOBAL_ADMIN:
        limits.one_more_domain_fits(work)
        changes[ADMINS] = (work.actor.username,)
    if TRANSPORT not in changes:
        changes[TRANSPORT] = work.settings.accounts.default_transport
    language_is_installed(work, LANGUAGE, changes)
    _default_fits(changes.get(DEFAULT_QUOTA, 0), changes.get(MAX_USER_QUOTA, 0))
    changes[STATUS] = "disabled" if _waits_for_a_proof(work, name) else "active"


def _is_no_place_of_other_admins(work: Work, name: str) -> None:
    """Only a global admin hosts the domain in which standalone admins have their addresses.

    Whoever had it would get their mail, know who they are, and keep others from becoming admins there.
    """
    admins = _others_at(work, name)
    if not admins:
        return
    if not work.actor.is_unlimited:
        raise Exists(f"domain {name} is taken; ask a global admin for it", parameter="domain")
    work.warn(
        f"{', '.join(sorted(admins))}: standalone admins who stay, without a mailbox in {name}"
    )


def _others_at(work: Work, name: str) -> frozenset[str]:
    """The standalone admins whose addresses are in a domain, without an actor who speaks for themselves."""
    own = set() if work.actor.scope.is_bound else {work.actor.username.lower()}
    return work.accounts.standalone_admins(name) - own


def _waits_for_a_proof(work: Work, name: str) -> bool:
    """Whether the actor has yet to prove that the domain is theirs; noted before the domain is there."""
    if work.actor.role is Role.GLOBAL_ADMIN or not work.settings.ownership.required:
        return False
    if work.claims.make(work.actor.username, name):
        return False
    work.warn(f"{name} is disabled until it is proven that it is yours")
    return True


def language(work: Work, _name: str, _record: Record, changes: Changes) -> None:
    """The language is one that this server offers."""
    language_is_installed(work, LANGUAGE, changes)


def names_mean_something(work: Work, _name: str, record: Record, changes: Changes) -> None:
    """Services, profiles and preferences are ones that exist; services also ones that SQL can keep."""
    names_are_known(ENABLED_SERVICES, SERVICES, record, changes)
    names_are_known(DISABLED_DOMAIN_PROFILES, DOMAIN_PROFILES, record, changes)
    names_are_known(DISABLED_USER_PROFILES, USER_PROFILES, record, changes)
    names_are_known(DISABLED_USER_PREFERENCES, USER_PREFERENCES, record, changes)
    names_are_kept(work, RESOURCE, ENABLED_SERVICES, record, changes)


def default_quota_fits(_work: Work, _name: str, record: Record, changes: Changes) -> None:
    """New users do not start above the largest quota of one user."""
    if DEFAULT_QUOTA in changes or MAX_USER_QUOTA in changes:
        _default_fits(
            changes.get(DEFAULT_QUOTA, record[DEFAULT_QUOTA]),
            changes.get(MAX_USER_QUOTA, record[MAX_USER_QUOTA]),
        )


def _default_fits(default: int, most: int) -> None:
    if most and default > most:
        raise Invalid(
            f"defaultQuota ({default}) is larger than maxUserQuota ({most})",
            parameter="defaultQuota",
        )


def password_lengths_agree(work: Work, _name: str, record: Record, changes: Changes) -> None:
    """The shortest password, of the domain or the server, is not longer than the longest."""
    asked = [field for field in (MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH) if field in changes]
    least = changes.get(MIN_PASSWORD_LENGTH, record[MIN_PASSWORD_LENGTH]) or work.policy.min_length
    most = changes.get(MAX_PASSWORD_LENGTH, record[MAX_PASSWORD_LENGTH]) or work.policy.max_length
    if asked and most and least > most:
        raise Invalid(
            f"{asked[0].name}: the shortest password ({least}) would be longer than the longest ({most})",
            parameter=asked[0].name,
        )


def lengths_keep_the_servers_rules(
    work: Work, _name: str, _record: Record, changes: Changes
) -> None:
    """A domain admin makes passwords no weaker than the server has them (LDAP reference 4.6)."""
    if work.actor.role is Role.GLOBAL_ADMIN:
        return
    least, most = changes.get(MIN_PASSWORD_LENGTH), changes.get(MAX_PASSWORD_LENGTH)
    if least and least < work.policy.min_length:
        raise Invalid(
            f"minPasswordLength ({least}): the server asks for {work.policy.min_length}",
            parameter="minPasswordLength",
        )
    if most and work.policy.max_length and most > work.policy.max_length:
        raise Invalid(
            f"maxPasswordLength ({most}): the server takes {work.policy.max_length}",
            parameter="maxPasswordLength",
        )


def backup_mx(work: Work, name: str, record: Record, changes: Changes) -> None:
    """A backup MX relays to its primary, so ``transport`` is not free (SQL reference 3.9)."""
    if PRIMARY_MX in changes:
        changes[PRIMARY_MX] = _FIXED_HOP.parse(changes[PRIMARY_MX])
        if changes[PRIMARY_MX] == record[PRIMARY_MX]:
            changes.pop(PRIMARY_MX)
    asked = [field for field in (IS_BACKUPMX, PRIMARY_MX) if field in changes]
    if asked and work.actor.role is not Role.GLOBAL_ADMIN:
        _primary_is_anybodys(work, record, changes)
    is_backup = changes.get(IS_BACKUPMX, record[IS_BACKUPMX])
    if (TRANSPORT in changes.named and asked) or (TRANSPORT in changes and is_backup):
        named = asked[0].name if asked else IS_BACKUPMX.name
        raise Invalid(f"transport conflicts with {named}", parameter="transport")
    if not asked:
        return
    primary = changes.get(PRIMARY_MX, record[PRIMARY_MX])
    changes.pop(PRIMARY_MX)
    if not is_backup:
        if primary and primary != record[PRIMARY_MX]:
            raise Invalid("primarymx must be used with is_backupmx=yes", parameter="primarymx")
        changes[TRANSPORT] = work.settings.accounts.default_transport
        return
    if PRIMARY_MX not in changes.named and not record[IS_BACKUPMX]:
        raise Invalid(
            "is_backupmx must be used with primarymx (empty: ask DNS)", parameter="primarymx"
        )
    changes[TRANSPORT] = f"relay:{primary or name}"


def _primary_is_anybodys(work: Work, record: Record, changes: Changes) -> None:
    """A domain admin goes from the usual transport to a public primary and back, and nowhere else.

    The transport is for global admins, and a backup MX is the same by another name.
    """
    if not _transport_is_usual(work, record):
        raise Forbidden(
            f"{IS_BACKUPMX.name}: the transport that a global admin has set would be lost",
            parameter=IS_BACKUPMX.name,
        )
    if not _is_anybodys(changes.get(PRIMARY_MX, "")):
        raise Forbidden(
            f"{PRIMARY_MX.name}: of domain admins a public host name is taken, and port 25",
            parameter=PRIMARY_MX.name,
        )


def _transport_is_usual(work: Work, record: Record) -> bool:
    """Whether the transport may be the doing of a domain admin."""
    if record[IS_BACKUPMX]:
        return _is_anybodys(record[PRIMARY_MX])
    return record[TRANSPORT] == work.settings.accounts.default_transport


def _is_anybodys(hop: str) -> bool:
    """Whether a primary is one that everybody may name; the empty one asks DNS."""
    found = _ORDINARY_HOP.fullmatch(hop.lower())
    return not hop or (found is not None and not _INNER_NAME.search(found["host"]))


def copies_are_of_ones_own(work: Work, name: str, _record: Record, changes: Changes) -> None:
    """Nobody has the mail of users copied who rank above them."""
    for field in (SENDER_BCC, RECIPIENT_BCC):
        if changes.get(field):
            try:
                rights.reach_everybody(work, name)
            except Forbidden as error:
                raise Forbidden(f"{field.name}: {error.reason}", parameter=field.name) from None


def lowered_limits_are_told(work: Work, name: str, record: Record, changes: Changes) -> None:
    """A limit below present use is taken; it only stops further accounts."""
    limits = (MAX_USERS, MAX_ALIASES, MAX_LISTS, QUOTA)
    if not any(lowered(field, record, changes) for field in limits):
        return
    usage = work.accounts.usage(name)
    held = {
        MAX_USERS: usage.users,
        MAX_ALIASES: usage.aliases,
        MAX_LISTS: usage.lists,
        QUOTA: usage.quota,
    }
    for field, used in held.items():
        if lowered(field, record, changes) and used > max(changes[field], 0):
            work.warn(
                f"{field.name} is below what {name} already has ({used}); existing accounts stay"
            )


def nobody_waits_for_a_proof_any_more(
    work: Work, name: str, record: Record, changes: Changes
) -> None:
    """A global admin who switches a domain on or off has decided; noted before it takes effect.

    To say that a domain is off which is off already decides, too, but a whole profile that is sent back
    does not.
    """
    status = changes.get(STATUS)
    if status == "active":
        admins: tuple[str, ...] = work.accounts.get(RESOURCE, name, (ADMINS,))[ADMINS]
        work.claims.vouch(name, admins)
    elif status is not None:
        work.claims.withdraw(name)
    elif _says_again_that_it_is_off(work, record, changes) and work.claims.withdraw(name):
        fields = (STATUS.name,)
        work.note(Action.UPDATE, RESOURCE.name, name, name, fields=fields, event="disable")


def _says_again_that_it_is_off(work: Work, record: Record, changes: Changes) -> bool:
    if STATUS not in changes.named or work.actor.role is not Role.GLOBAL_ADMIN:
        return False
    whole = (field for field in RESOURCE.update if field.resets)
    return record[STATUS] == "disabled" and not all(
        field in changes.named or not work.accounts.supports(RESOURCE, field) for field in whole
    )


def last_admin_is_elsewhere(work: Work, name: str) -> None:
    """The domain of the last active global admin is not removed with that admin in it."""
    a_global_admin_is_elsewhere(work, name)


def no_other_admin_goes_with_it(work: Work, name: str) -> None:
    """Standalone admins who have their addresses in the domain are for global admins."""
    if not work.actor.is_unlimited and _others_at(work, name):
        raise Forbidden(f"{name} is where other admins have their addresses")


def nothing_is_undone_by_adding_it_again(work: Work, name: str) -> None:
    """What only global admins set does not go with the domain: its admin could add it again without."""
    if work.actor.role is Role.GLOBAL_ADMIN:
        return
    fields = RESOURCE.needed_for((*_ON_UPDATE, ADMINS))
    record = work.accounts.get(RESOURCE, name, fields, lock=True)
    kept = [
        field.name for field in _ON_UPDATE if field.global_only and _was_set(work, field, record)
    ]
    if kept:
        raise Forbidden(
            f"{name} has what global admins have set, so they remove it: {', '.join(kept)}"
        )


def _was_set(work: Work, field: AnyField, record: Record) -> bool:
    """Whether a field is otherwise than in a domain that a domain admin added."""
    if field is STATUS:
        admins: tuple[str, ...] = record[ADMINS]
        return record[STATUS] != "active" and not work.claims.waits(record.key, admins)
    if field is TRANSPORT:
        return not _transport_is_usual(work, record)
    if field is ENABLED_SERVICES:
        return _services_were_set(work, record)
    return bool(record[field] != field.empty)


def _services_were_set(work: Work, record: Record) -> bool:
    """On a directory mail is on from the beginning, and a service is switched on with what needs it."""
    kept = work.accounts.names_kept(RESOURCE, ENABLED_SERVICES)
    needed = {"mail"}
    needed |= {"senderbcc"} if record[SENDER_BCC] else set()
    needed |= {"recipientbcc"} if record[RECIPIENT_BCC] else set()
    services: tuple[str, ...] = record[ENABLED_SERVICES]
    found = set(services)
    missing = {name for name in needed - found if kept is None or name in kept}
    return bool(missing or found - {"mail", "domainalias", "senderbcc", "recipientbcc"})


ACCOUNT = Account(
    RESOURCE,
    found=found,
    lock=Lock(RESOURCE, DISABLED_DOMAIN_PROFILES, DOMAIN_PROFILES),
    before_removal=(
        last_admin_is_elsewhere,
        no_other_admin_goes_with_it,
        nothing_is_undone_by_adding_it_again,
    ),
    rules=(
        language,
        names_mean_something,
        default_quota_fits,
        password_lengths_agree,
        lengths_keep_the_servers_rules,
        backup_mx,
        copies_are_of_ones_own,
        lowered_limits_are_told,
        nobody_waits_for_a_proof_any_more,
    ),
)
