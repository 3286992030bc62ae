"""Standalone admins: accounts that log in to administer and have no mailbox here.

Sources: the API document, SQL reference 3.1, 3.2, 4.9 and 7.5, LDAP reference 1.3, 3.7, 3.8 and 7.3,
policy reference 8.7.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mailwright.authz import Action
from mailwright.errors import Exists, Invalid, NotFound
from mailwright.fields.addresses import domain_of
from mailwright.fields.field import AnyField, Changes, Field, Record, Values
from mailwright.fields.kinds import (
    MEGABYTES,
    Choice,
    Email,
    Language,
    Many,
    Password,
    Text,
    Whole,
    YesNo,
    stamp,
)
from mailwright.fields.ldap_places import (
    AccountSetting,
    Attribute,
    Granted,
    LdapHome,
    LdapReference,
    Service,
    Syntax,
)
from mailwright.fields.places import Codec, Column, Derived, Reference, Setting, SideRows, SqlHome
from mailwright.fields.resource import Request, Resource
from mailwright.resources import limits
from mailwright.resources import user as users
from mailwright.resources.operations import Account
from mailwright.resources.rules import (
    another_global_admin_remains,
    language_is_installed,
    sessions_end,
)
from mailwright.resources.stamps import CREATED, MODIFIED, PASSWORD_CHANGED
from mailwright.storage.protocol import EVERY_DOMAIN, Usage
from mailwright.work import Work

MOST = 2**31 - 1
ANY_NUMBER = -1  # of domains
# How many MB a unit is.
UNITS: Final = {"MB": 1, "GB": 1024, "TB": 1024 * 1024}

MAIL = Field(
    "mail",
    Email(),
    "The admin's address",
    "",
    sql=Column("username"),
    ldap=Attribute("mail"),
    read_only=True,
)
NAME = Field(
    "name",
    Text(),
    "Display name",
    "",
    sql=Column("name"),
    ldap=Attribute("cn"),
    synonyms=("cn",),
    example="Jane Doe",
)
PASSWORD = Field(
    "password",
    Password(),
    "New password in plain text",
    "",
    sql=Column("password", Codec.NEVER_SHOWN),
    ldap=Attribute("userPassword", Syntax.NEVER_SHOWN),
    hidden=True,
    example="u0tBF82cIV@vi8Gme",
)
STATUS = Field(
    "accountStatus",
    Choice(("active", "disabled")),
    "Whether the admin may log in",
    "active",
    sql=Column("active", Codec.STATUS),
    ldap=Attribute("accountStatus", Syntax.STATUS),
    example="active",
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
MANAGED_DOMAINS = Field(
    "managedDomains",
    Many(Text()),
    "Domains that the admin administers; ALL for every one",
    (),
    read_only=True,
    instead="PUT /api/domain/admins/<domain> gives domains",
    sql=SideRows("domain_admins", "username", "domain", stamped=True),
    ldap=Granted(
        "mailDomain",
        "domainAdmin",
        "domainName",
        own="domainGlobalAdmin",
        everything=EVERY_DOMAIN,
        service="",
    ),
)
IS_GLOBAL_ADMIN = Field(
    "isGlobalAdmin",
    YesNo(),
    "Whether the admin administers the whole server",
    False,
    sql=Derived(
        (MANAGED_DOMAINS.name,), lambda record: EVERY_DOMAIN in record[MANAGED_DOMAINS.name]
    ),
    ldap=Attribute("domainGlobalAdmin", Syntax.YES),
    example="no",
)
_ALONE = Derived((), lambda _: False)
IS_MAIL_USER = Field(
    "isMailUser",
    YesNo(),
    "Whether it is a mail user who was named an admin; the profile under /api/user is theirs",
    False,
    sql=_ALONE,
    ldap=_ALONE,
    read_only=True,
)
_PROMOTED = Derived((), lambda _: True)
_IS_PROMOTED = replace(IS_MAIL_USER, empty=True, sql=_PROMOTED, ldap=_PROMOTED)

# What is kept of the right to create domains; any text in the first one gives it.
CREATES_DOMAINS = Field(
    "createNewDomains",
    Text(),
    "Whether the admin may create domains",
    "",
    sql=Setting(limits.MAY_CREATE_DOMAINS),
    ldap=AccountSetting(limits.MAY_CREATE_DOMAINS),
    read_only=True,
    hidden=True,
)
MOST_DOMAINS = Field(
    "createMaxDomains",
    Whole(),
    "How many domains the admin may create; 0 for any number",
    0,
    sql=Setting(limits.MOST_DOMAINS, Codec.LIMIT),
    ldap=AccountSetting(limits.MOST_DOMAINS, Syntax.WHOLE),
    read_only=True,
    hidden=True,
)


def _max_domains(record: Mapping[str, Any]) -> int:
    most = int(record[MOST_DOMAINS.name])
    if not record[CREATES_DOMAINS.name] or most < 0:
        return 0
    return most or ANY_NUMBER


_MAX_DOMAINS = Derived((CREATES_DOMAINS.name, MOST_DOMAINS.name), _max_domains)

MAX_DOMAINS = Field(
    "maxDomains",
    Whole(ANY_NUMBER, MOST),
    "Mail domains that the admin may create; 0 for none, -1 for any number. "
    "Every domain given to them counts, and with this right they may remove any of those",
    0,
    sql=_MAX_DOMAINS,
    ldap=_MAX_DOMAINS,
    example="5",
)
MAX_QUOTA = Field(
    "maxQuota",
    MEGABYTES,
    "Mailbox quota that the admin may give away, in quotaUnit; 0 for no limit. "
    "What all users of the domains given to them have counts, whoever gave it",
    0,
    sql=Setting(limits.MOST_QUOTA, Codec.LIMIT),
    ldap=AccountSetting(limits.MOST_QUOTA, Syntax.WHOLE),
    example="20",
)
_IN_MEGABYTES = Derived((), lambda _: "MB")
QUOTA_UNIT = Field(
    "quotaUnit",
    Choice(tuple(UNITS)),
    "Unit of maxQuota; answers have it in MB",
    "MB",
    sql=_IN_MEGABYTES,
    ldap=_IN_MEGABYTES,
    example="GB",
)
# Other programs note here which unit they show; the number beside it is in MB all the same.
SHOWN_UNIT = Field(
    "createQuotaUnit",
    Text(),
    "Unit in which another program shows maxQuota",
    "",
    sql=Setting("create_quota_unit"),
    ldap=AccountSetting("create_quota_unit"),
    read_only=True,
    hidden=True,
)
MAX_USERS = Field(
    "maxUsers",
    Whole(0, MOST),
    "Mail users that the admin may create; 0 for no limit. "
    "All users of the domains given to them count, whoever created them",
    0,
    sql=Setting(limits.MOST_USERS, Codec.LIMIT),
    ldap=AccountSetting(limits.MOST_USERS, Syntax.WHOLE),
    example="100",
)
MAX_ALIASES = Field(
    "maxAliases",
    Whole(0, MOST),
    "Mail aliases that the admin may create; 0 for no limit. "
    "All aliases of the domains given to them count, whoever created them",
    0,
    sql=Setting("create_max_aliases", Codec.LIMIT),
    ldap=AccountSetting("create_max_aliases", Syntax.WHOLE),
    example="200",
)
MAX_LISTS = Field(
    "maxLists",
    Whole(0, MOST),
    "Mailing lists that the admin may create; 0 for no limit. "
    "All lists of the domains given to them count, whoever created them",
    0,
    sql=Setting("create_max_lists", Codec.LIMIT),
    ldap=AccountSetting("create_max_lists", Syntax.WHOLE),
    example="300",
)
NO_MAIL_LOG = Field(
    "disableViewingMailLog",
    YesNo(),
    "Whether the mail log is closed to the admin",
    False,
    sql=Setting("disable_viewing_mail_log", Codec.FLAG),
    ldap=Service("view_mail_log", "disabledService"),
    example="yes",
)
NO_QUARANTINE = Field(
    "disableManagingQuarantinedMails",
    YesNo(),
    "Whether the quarantine is closed to the admin",
    False,
    sql=Setting("disable_managing_quarantined_mails", Codec.FLAG),
    ldap=Service("manage_quarantined_mails", "disabledService"),
    example="yes",
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

# Of a global admin these mean nothing, and the first ones are not even kept.
LIMITS: Final[tuple[AnyField, ...]] = (MAX_DOMAINS, MAX_QUOTA, MAX_USERS, MAX_ALIASES, MAX_LISTS)
BOUNDS: Final[tuple[AnyField, ...]] = (*LIMITS, NO_MAIL_LOG, NO_QUARANTINE)
# How they are kept.
KEPT: Final[tuple[AnyField, ...]] = (*BOUNDS, CREATES_DOMAINS, MOST_DOMAINS, SHOWN_UNIT)

_TAKEN = (
    NAME,
    PASSWORD,
    STATUS,
    LANGUAGE,
    IS_GLOBAL_ADMIN,
    MAX_DOMAINS,
    MAX_QUOTA,
    QUOTA_UNIT,
    MAX_USERS,
    MAX_ALIASES,
    MAX_LISTS,
    NO_MAIL_LOG,
    NO_QUARANTINE,
)

RESOURCE = Resource(
    name="admin",
    title="admin",
    key=Email(),
    key_name="mail",
    missing="NO_SUCH_ACCOUNT",
    sql=SqlHome(
        table="admin",
        key="username",
        references=(Reference("domain_admins", "username", beside="domain"),),
    ),
    ldap=LdapHome(
        main_class="mailAdmin",
        rdn="mail",
        branch="",
        standalone=True,
        classes=("mailAdmin",),
        references=(LdapReference(("mailDomain",), ("domainAdmin",)),),
        revoked=("domainGlobalAdmin", "userPassword"),
    ),
    fields=(
        MAIL,
        *_TAKEN,
        IS_MAIL_USER,
        MANAGED_DOMAINS,
        CREATES_DOMAINS,
        MOST_DOMAINS,
        SHOWN_UNIT,
        PASSWORD_CHANGED,
        CREATED,
        MODIFIED,
        PASSWORD_HASH,
    ),
    exposed=(PASSWORD_HASH,),
    create=_TAKEN,
    update=_TAKEN,
    required=(PASSWORD,),
    sorted_by=(MAIL, NAME, CREATED, MODIFIED),
    searched=(NAME,),
)

_OF_A_USER: Mapping[AnyField, AnyField] = {
    IS_GLOBAL_ADMIN: users.IS_GLOBAL_ADMIN,
    IS_MAIL_USER: _IS_PROMOTED,
    MANAGED_DOMAINS: users.MANAGED_DOMAINS,
}
# Mail users who administer, seen as admins: what is kept of both is kept alike.
PROMOTED = Resource(
    name=RESOURCE.name,
    title="admin",
    key=users.RESOURCE.key,
    key_name=RESOURCE.key_name,
    missing=RESOURCE.missing,
    sql=users.RESOURCE.sql,
    ldap=users.RESOURCE.ldap,
    fields=tuple(_OF_A_USER.get(field, field) for field in RESOURCE.fields),
    exposed=RESOURCE.exposed,
    create=(),
    update=tuple(_OF_A_USER.get(field, field) for field in RESOURCE.update),
    sorted_by=RESOURCE.sorted_by,
    searched=RESOURCE.searched,
)
# What makes a mail user one of them: either will do.
PROMOTING: Final[Mapping[AnyField, Any]] = {users.IS_ADMIN: True, users.IS_GLOBAL_ADMIN: True}


def hash_the_password(work: Work, _key: str, request: Request) -> None:
    """Check a new password against the server's policy and hash it, before any lock is held."""
    password = request.values.get(PASSWORD)
    if password is not None:
        work.policy.require(password)
        request.values[PASSWORD] = work.hash_password(password)


def count_in_megabytes(_work: Work, _key: str, request: Request) -> None:
    """A quota comes with its unit, and is kept in MB."""
    named = [field for field in (MAX_QUOTA, QUOTA_UNIT) if field in request.fields]
    if not named:
        return
    if len(named) == 1:
        other = QUOTA_UNIT.name if named[0] is MAX_QUOTA else MAX_QUOTA.name
        raise Invalid(f"{named[0].name} must be used with {other}", parameter=named[0].name)
    if QUOTA_UNIT in request.unread:
        raise request.unread[QUOTA_UNIT]
    unit = UNITS[request.values[QUOTA_UNIT]]
    request.leave_out(QUOTA_UNIT)
    if unit == 1:
        return
    if MAX_QUOTA in request.unread:
        raise request.unread[MAX_QUOTA]
    quota = request.values[MAX_QUOTA] * unit
    if quota > MEGABYTES.most:
        raise Invalid(f"maxQuota: at most {MEGABYTES.most} MB are taken", parameter=MAX_QUOTA.name)
    request.values[MAX_QUOTA] = quota
    request.texts.pop(MAX_QUOTA, None)  # what was written is another number of MB


def found(work: Work, address: str, changes: Changes) -> None:
    """A new admin has a free address in a domain that is not hosted here."""
    domain = domain_of(address)
    if work.accounts.hosted_domain(domain) is not None:
        raise Invalid(
            f"{domain} is hosted here: name a mail user of it an admin instead",
            code="CAN_NOT_BE_LOCAL_DOMAIN",
            parameter="mail",
        )
    if work.accounts.is_taken(address):
        raise Exists(f"admin {address} already exists", parameter="mail")
    language_is_installed(work, LANGUAGE, changes)
    changes[PASSWORD_CHANGED] = stamp(work.now)
    if STATUS not in changes:
        changes[STATUS] = "active"
    if changes.get(IS_GLOBAL_ADMIN):
        _discard(work, address, changes, [field for field in BOUNDS if changes.get(field)])
        changes[MANAGED_DOMAINS] = (EVERY_DOMAIN,)
    _keep_limits(changes)


def language(work: Work, _key: str, _record: Record, changes: Changes) -> None:
    """The language is one that this server offers."""
    language_is_installed(work, LANGUAGE, changes)


def password_is_dated(work: Work, _key: str, _record: Record, changes: Changes) -> None:
    """A changed password carries the time of the change."""
    if PASSWORD in changes:
        changes[PASSWORD_CHANGED] = stamp(work.now)


def rank_is_of_one_sort(work: Work, key: str, record: Record, changes: Changes) -> None:
    """A global admin has no limits and no domains of their own; one active global admin remains."""
    if IS_GLOBAL_ADMIN not in changes:
        if record[IS_GLOBAL_ADMIN]:
            _discard(work, key, changes, [field for field in BOUNDS if field in changes])
        return
    record[MANAGED_DOMAINS] = managed = work.accounts.get(RESOURCE, key, (MANAGED_DOMAINS,))[
        MANAGED_DOMAINS
    ]
    if not changes[IS_GLOBAL_ADMIN]:
        another_global_admin_remains(work, key)
        changes[MANAGED_DOMAINS] = tuple(name for name in managed if name != EVERY_DOMAIN)
        return
    named = [field for field in BOUNDS if field in changes.named]
    _discard(work, key, changes, [each for each in named if changes.get(each, record[each])])
    changes[MANAGED_DOMAINS] = (EVERY_DOMAIN,)
    for field in LIMITS:
        if record[field]:
            changes[field] = field.empty


def limits_are_kept(work: Work, key: str, _record: Record, changes: Changes) -> None:
    """What is stored of the limits agrees, and nobody is settling them at this moment."""
    if any(field in changes for field in BOUNDS):
        work.accounts.hold_limits(key)
    _keep_limits(changes)


def lowered_limits_are_told(work: Work, key: str, record: Record, changes: Changes) -> None:
    """A limit below present use is taken; it only stops what would come on top."""
    limited = [
        field
        for field in LIMITS
        if field in changes and 0 < _extent(field, changes) < _extent(field, record)
    ]
    if not limited:
        return
    owned = sorted(work.accounts.administers(key) - {EVERY_DOMAIN})
    usage = work.accounts.usage(*owned) if limited != [MAX_DOMAINS] else Usage(0, 0, 0, 0)
    used = {
        MAX_DOMAINS: len(owned),
        MAX_QUOTA: usage.quota,
        MAX_USERS: usage.users,
        MAX_ALIASES: usage.aliases,
        MAX_LISTS: usage.lists,
    }
    for field in limited:
        if used[field] > changes[field]:
            work.warn(
                f"{field.name} is below what {key} already has ({used[field]}); what is there stays"
            )


def profile_is_a_users(_work: Work, key: str, _record: Record, changes: Changes) -> None:
    """Of a mail user only what makes the admin is changed here."""
    theirs = [field.name for field in changes.fields() if field not in BOUNDS]
    if theirs:
        raise Invalid(
            f"{', '.join(theirs)}: {key} is a mail user; PUT /api/user/{key} changes that",
            parameter=theirs[0],
        )


def global_mail_users_have_no_limits(
    work: Work, key: str, record: Record, changes: Changes
) -> None:
    """A mail user who administers everything has no limits either."""
    if record[users.IS_GLOBAL_ADMIN]:
        _discard(work, key, changes, [field for field in BOUNDS if field in changes])


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


def namesake_is_no_admin(work: Work, key: str) -> None:
    """A mail user of the same address, whom another program made, loses the same grants."""
    rank = (users.IS_ADMIN, users.IS_GLOBAL_ADMIN)
    try:
        user = work.accounts.get(users.RESOURCE, key, rank, lock=True)
    except NotFound:
        return
    lost = Changes({field: False for field in rank if user[field]})
    if lost:
        work.accounts.change(users.RESOURCE, user, lost)


def bounds_of(work: Work, username: str) -> Record:
    """What an admin may hand out: of the mail user if there is one, as ``admin_settings`` has it."""
    user = _promoted(work, username, BOUNDS)
    return work.accounts.get(RESOURCE, username, BOUNDS) if user is None else user


def _promoted(work: Work, address: str, fields: Sequence[AnyField] = ()) -> Record | None:
    try:
        user = work.accounts.get(PROMOTED, address, (*PROMOTING, *fields))
    except NotFound:
        return None
    return user if any(user[field] for field in PROMOTING) else None


def account_of(work: Work, address: str, action: Action) -> Account:
    """A mail user who was named an admin is one, too, and lies elsewhere."""
    try:
        work.accounts.get(RESOURCE, address, ())
    except NotFound:
        if _promoted(work, address) is None:
            return ACCOUNT
    else:
        return ACCOUNT
    if action is Action.DELETE:
        raise NotFound(
            f"{address} is no standalone admin but a mail user: removeAdmin of "
            "PUT /api/domain/admins/<domain> takes a domain from them, and isGlobalAdmin=no of "
            f"PUT /api/user/{address} the whole server",
            code=RESOURCE.missing,
        )
    return PROMOTED_ACCOUNT


def handed_on(user: Record, bounds: Record | None) -> Changes:
    """What a user of ``KEPT`` gets with the rank: the bounds of another admin, and no right to domains.

    Without ``bounds`` the limits stay as they are.
    """
    changes = Changes({MAX_DOMAINS: 0})
    if bounds is not None:
        for field in BOUNDS:
            if field is not MAX_DOMAINS and bounds[field] != user[field]:
                changes[field] = bounds[field]
    _keep_limits(changes)
    for field in changes.fields():
        if changes[field] == user[field]:
            changes.pop(field)
    return changes


def wider(one: Record, other: Record) -> Sequence[str]:
    """In what the bounds of one admin are wider than those of another."""
    return [field.name for field in BOUNDS if _extent(field, one) > _extent(field, other)]


def _extent(field: AnyField, bounds: Values) -> float:
    value = bounds[field]
    if field in (NO_MAIL_LOG, NO_QUARANTINE):
        return not value
    return math.inf if value == (ANY_NUMBER if field is MAX_DOMAINS else 0) else max(value, 0)


def _discard(work: Work, key: str, changes: Changes, fields: list[AnyField]) -> None:
    for field in fields:
        changes.pop(field)
    if fields:
        names = ", ".join(field.name for field in fields)
        work.warn(f"{key} is a global admin, who has no such limits; ignored: {names}")


def _keep_limits(changes: Changes) -> None:
    if MAX_DOMAINS in changes:
        most = changes[MAX_DOMAINS]
        changes[CREATES_DOMAINS] = "yes" if most else ""
        changes[MOST_DOMAINS] = max(most, 0)
    if MAX_QUOTA in changes:
        changes[SHOWN_UNIT] = ""


ACCOUNT = Account(
    RESOURCE,
    found=found,
    prepare=(count_in_megabytes, hash_the_password),
    rules=(
        language,
        password_is_dated,
        rank_is_of_one_sort,
        limits_are_kept,
        lowered_limits_are_told,
        last_admin_stays_active,
        login_is_anew,
    ),
    before_removal=(last_admin_is_not_removed, namesake_is_no_admin),
    meant=account_of,
)
PROMOTED_ACCOUNT = Account(
    PROMOTED,
    found=found,
    prepare=(count_in_megabytes,),
    rules=(
        profile_is_a_users,
        global_mail_users_have_no_limits,
        limits_are_kept,
        lowered_limits_are_told,
    ),
)
