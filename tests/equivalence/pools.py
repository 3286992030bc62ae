"""What requests are made of: values that meet one another, the samples, and what is hostile.

Few domains and addresses, so that a random sequence takes what is taken, forwards to who is removed and
fills what is limited.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import TypeVar

from hypothesis import strategies as st

from mailwright import tokens
from mailwright.app import ACCOUNTS
from mailwright.fields.field import AnyField
from mailwright.fields.resource import Verb
from mailwright.resources import admin as admins
from mailwright.resources import domain as domains
from mailwright.resources import listing
from mailwright.resources import user as users
from tests.equivalence.start import (
    ALIAS_DOMAIN,
    ANNA,
    DOMAIN,
    JANE,
    JOHN,
    MANAGER,
    NEWS,
    OTHER,
    OTHER_DOMAIN,
    PASSWORD,
    ROOT,
    TEAM,
)
from tests.samples import SAMPLES, Good, Refused

Text = str | tuple[str, ...]
Values = st.SearchStrategy[Text]
Keys = st.SearchStrategy[str]
T = TypeVar("T")

LONGEST = 2000  # a value of more is a test of its own, and slow in every picture after it

DOMAINS = (
    *(DOMAIN, OTHER_DOMAIN, ALIAS_DOMAIN, "new.test", "xn--exmple-cua.org", "a_b.example.org"),
    *("sub.new.test", "newer.test", "anyb.example.org"),
)
STRANGE_DOMAINS = (
    *("Example.ORG.", "exämple.org", "localhost", "-a.test", "a..test", "*", "x,y.test", "x=y"),
    *("a" * 64 + ".test", "a" * 63 + ".test", "example.org)(cn=*", "b\\2a.test", "\x00", " "),
    *("_.test",),
)
LOCALS = ("jane", "john", "other", "j.doe", "a&b", "#x", "_u", "team", "news", "postmaster")
STRANGE_USERS = (
    *("JANE@Example.ORG", "a+b@example.org", "nobody", "@example.org", "x@y@example.org"),
    *("zoë@example.org", ".a@example.org", "a..b@example.org", "-a@example.org", "jane@"),
    *("*@example.org", "a,b@example.org", "x" * 64 + "@example.org", "x" * 65 + "@example.org"),
    *("jane@nowhere.test", " jane@example.org ", "root@admin.test", "jane@example.org)(cn=*"),
    *("a'b@example.org", "a\\2ab@example.org", "x/y@example.org"),
)
HOSTILE = (
    *("*", "*)(objectClass=*", "\\2a", "\\", "a,b=c+d", "#first", '"quoted"', "<a;b>"),
    *("'; DROP TABLE x; --", "%", "_", "100%", "%s %d {0}", "!%_", "a:b;c:d", "key:value;"),
    *("&amp;", "a\tb", "two\nlines", "\x00", "\x7f", "ABC", "abc", "Abc", "ÀB", "àb", "ß", "ss"),
    *("e\u0301", "é", "\ufb01", "fi", "\u00ad", "a\u00adb", "ab", "\u200b", "a\u200bb", "\u00a0"),
    *("a\u00a0b", "a b", "a  b", "a   b", " a b ", "\u3000a", "\uff21", "\uff41", "\u0130"),
    *("\u0131", "\u212a", "\U0001f4ec", "\ud83d", "\ufffe", "\ufeff", "\ufeffa", "日本", "0", "00"),
    *("-0", "1.0", "true", "null", "[]", "jane", "john", "x" * 255, "ß" * 255, "x" * 256),
    *("ü" * 300, "\u2028", "{SSHA}abc", "TRUE", "yes", "\\00"),
)
ADDRESSES = (
    *(JANE, JOHN, OTHER, TEAM, NEWS, "jane@example.com", "j.doe@example.org", "#x@example.org"),
    *("x@elsewhere.test", "archive+all@elsewhere.test", "o'n=a/b@elsewhere.test"),
    *("JOHN@Example.org", ROOT, MANAGER, "a&b@example.org", "jane@new.test", "jane+x@example.org"),
)
ALIASES = (
    *("j.doe@example.org", "j@example.org", "j@example.com", "jane@example.com"),
    *("john@example.com", JANE, JOHN, TEAM, NEWS, "j@example.net", "#x@example.org"),
    *("a&b@example.org", "_u@example.org", "other@example.net", "J@Example.Org", "jane@new.test"),
    *("j@new.test", MANAGER, "j+x@example.org"),
)
NUMBERS = ("0", "1", "2", "3", "5", "10", "100", "1024", "-1")
PASSWORDS = (PASSWORD, "Other-Pass2", "Third-Passw0rd!", "Sh0rt-pw", "weak", "")
PATH_DAYS = ("0", "1", "30", "36500", "36501", "-1", "x", "1.5", " 7 ", "")
SECONDS = (1, 59, 61, 1799, 1801, 43_201, 86_400, 40_000_000)

_TIMES = (
    "2026-01-02 03:04:05",
    "0000-00-00 00:00:00",
    "2026-13-01 00:00:00",
    "9999-12-31 23:59:59",
)
_TEXTS = ("Plain", "plain", "PLAIN", "Jane Doe", "jane doe", "jane", "", "Zoë", "zoe", "A  B")
_TRANSPORTS = ("dovecot", "Dovecot", "lmtp:x", "LMTP:X", "relay:[a.test]", "")
_HOPS = (
    *("", "192.0.2.1", "[mx.test]:26", "mx.test", "MX.test", "example.org", "smtp:[192.0.2.1]:25"),
)


def _many(*members: str) -> Values:
    """A list in one text, or a parameter that is repeated."""
    chosen = st.lists(st.sampled_from(members), max_size=4)
    return st.one_of(chosen.map(",".join), chosen.map(tuple))


def _one(*texts: str) -> Values:
    return st.sampled_from(texts)


_STATUS = _one("active", "disabled", "Disabled")
_LANGUAGES = _one("en_US", "de_DE", "fr_FR", "", "xx_XX")
_USER_SERVICES = _many(*users.SERVICES, "mail", "forward", "vpn", "domainadmin", "internal", "SMTP")
_MAYBE = _one("yes", "no")
_OF_FIELDS: Mapping[AnyField, Values] = {
    admins.NAME: _one(*_TEXTS),
    admins.PASSWORD: _one(*PASSWORDS),
    admins.STATUS: _STATUS,
    admins.LANGUAGE: _LANGUAGES,
    admins.IS_GLOBAL_ADMIN: _MAYBE,
    admins.MAX_DOMAINS: _one(*NUMBERS),
    admins.MAX_QUOTA: _one(*NUMBERS, "8796093022207"),
    admins.QUOTA_UNIT: _one("MB", "GB", "TB", "gb", ""),
    admins.MAX_USERS: _one(*NUMBERS),
    admins.MAX_ALIASES: _one(*NUMBERS),
    admins.MAX_LISTS: _one(*NUMBERS),
    admins.NO_MAIL_LOG: _MAYBE,
    admins.NO_QUARANTINE: _MAYBE,
    tokens.LABEL: _one("export", *_TEXTS),
    tokens.EXPIRES: _one("1", "90", "2026-01-02T12:00:00Z", "2030-01-31T12:00:00+02:00", "0", ""),
    tokens.NETWORKS: _many("127.0.0.0/8", "127.0.0.0/8", "192.0.2.1", "2001:db8::/32", "x"),
    tokens.READ_ONLY: _MAYBE,
    tokens.DOMAINS: _many(DOMAIN, OTHER_DOMAIN, "new.test", ALIAS_DOMAIN),
    tokens.RESOURCES: _many(*ACCOUNTS),
    domains.ADMINS: _one(
        *(MANAGER, MANAGER, ANNA, JANE, JOHN, JOHN, OTHER, OTHER, ROOT, TEAM, "x@nowhere.test"),
        *(f"{JOHN},{OTHER}", f"{MANAGER},{JANE}", f"{ANNA},{MANAGER}", "JOHN@Example.org", "yes"),
        *("nobody@example.org", "j.doe@example.org", "jane@example.com", "yes", "no", ""),
    ),
    domains.NAME: _one(*_TEXTS),
    domains.STATUS: _STATUS,
    domains.QUOTA: _one(*NUMBERS, "8796093022207"),
    domains.LANGUAGE: _LANGUAGES,
    domains.TRANSPORT: _one(*_TRANSPORTS),
    domains.DEFAULT_QUOTA: _one(*NUMBERS),
    domains.MAX_USER_QUOTA: _one(*NUMBERS),
    domains.MAX_USERS: _one(*NUMBERS),
    domains.MAX_ALIASES: _one(*NUMBERS),
    domains.MAX_LISTS: _one(*NUMBERS),
    domains.SENDER_BCC: _one(*ADDRESSES, ""),
    domains.RECIPIENT_BCC: _one(*ADDRESSES, ""),
    domains.MIN_PASSWORD_LENGTH: _one("0", "8", "9", "12", "255"),
    domains.MAX_PASSWORD_LENGTH: _one("0", "8", "11", "12", "20"),
    domains.IS_BACKUPMX: _one("yes", "no"),
    domains.PRIMARY_MX: _one(*_HOPS),
    domains.CATCHALL: _many(*ADDRESSES),
    domains.OUTBOUND_RELAY: _one(*_HOPS),
    domains.ENABLED_SERVICES: _many(*domains.SERVICES, "Self-Service", "vpn"),
    domains.DISABLED_DOMAIN_PROFILES: _many(*domains.DOMAIN_PROFILES, "BCC", "nonsense"),
    domains.DISABLED_USER_PROFILES: _many(*domains.USER_PROFILES, "BCC"),
    domains.DISABLED_USER_PREFERENCES: _many(*domains.USER_PREFERENCES),
    users.NAME: _one(*_TEXTS),
    users.PASSWORD: _one(*PASSWORDS),
    users.QUOTA: _one(*NUMBERS, "8796093022207"),
    users.STATUS: _STATUS,
    users.LANGUAGE: _LANGUAGES,
    users.EMPLOYEE_ID: _one(*_TEXTS),
    users.TRANSPORT: _one(*_TRANSPORTS),
    users.IS_GLOBAL_ADMIN: _one("yes", "no"),
    users.FORWARDING: _many(*ADDRESSES),
    users.ALIASES: _many(*ALIASES),
    users.ENABLED_SERVICES: _USER_SERVICES,
}


def _among(*choices: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """One of these, as often as it is named."""
    return st.integers(0, len(choices) - 1).flatmap(choices.__getitem__)


def _samples(kind: str, name: str) -> Values | None:
    found = SAMPLES[kind].get(name)
    if not isinstance(found, tuple):
        return None
    texts = [each.text for each in found if isinstance(each, Good | Refused)]
    return st.sampled_from([text for text in texts if len("".join(text)) <= LONGEST])


def _value(kind: str, field: AnyField, name: str) -> Values:
    """Mostly what the field is about, then its samples, rarely what nobody expects."""
    pool, samples, hostile = _OF_FIELDS[field], _samples(kind, name), st.sampled_from(HOSTILE)
    return _among(*[pool] * 6, *([samples] * 2 if samples is not None else []), hostile)


def _parameter(kind: str, verb: Verb) -> st.SearchStrategy[tuple[str, Text]]:
    """A parameter that the verb takes, under one of its names; sometimes another one."""
    resource = ACCOUNTS[kind].resource
    taken = [
        st.tuples(st.just(name), _value(kind, field, name))
        for field in resource.taken_by(verb)
        for name in dict.fromkeys((*field.names(), field.name))
    ]
    others = st.tuples(
        st.sampled_from(
            [
                *(field.name for field in resource.fields if field.read_only),
                "quoat",
                "limit",
                "sender",
            ]
        ),
        st.sampled_from(("", "1", "x")),
    )
    return _among(*taken, others)


@cache
def forms(kind: str, verb: Verb, most: int = 3) -> st.SearchStrategy[list[tuple[str, Text]]]:
    """A few parameters, each name once."""
    return st.lists(_parameter(kind, verb), min_size=1, max_size=most, unique_by=_name)


def _name(pair: tuple[str, Text]) -> str:
    return pair[0]


@cache
def token_forms() -> st.SearchStrategy[list[tuple[str, Text]]]:
    """What a new API token is bound to; most have a label."""
    one = st.sampled_from(tokens.TAKEN[1:]).flatmap(
        lambda field: st.tuples(st.just(field.name), _OF_FIELDS[field])
    )
    label = st.tuples(st.just(tokens.LABEL.name), _OF_FIELDS[tokens.LABEL])
    more = st.lists(one, max_size=2, unique_by=_name)
    return _among(*[st.tuples(label, more).map(lambda pair: [pair[0], *pair[1]])] * 5, more)


@cache
def options(kind: str) -> st.SearchStrategy[list[tuple[str, Text]]]:
    """What a list may be asked for."""
    resource = ACCOUNTS[kind].resource
    orders = [field.name for field in resource.sorted_by]
    values: dict[str, Sequence[str]] = {
        "name_only": ("yes", "no"),
        "email_only": ("yes", "no"),
        "disabled_only": ("yes", "no", "maybe"),
        "q": ("j", "JANE", "@", "example", "plain", "zo", "Ë", "_", "%", "a  b", *HOSTILE[:30]),
        "sort": (*orders, *(f"-{name}" for name in orders), "password", "--mail"),
        "limit": ("1", "2", "3", "1000", "0", "1001", "x"),
        "page_token": ("", "x", "WyIiLCIiLCJqYW5lQGV4YW1wbGUub3JnIl0"),
    }
    assert {field.name for field in listing.parameters(resource)} <= values.keys()
    one = st.sampled_from([*sorted(values), "sort", "sort", "limit"]).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(values[name]))
    )
    return st.lists(one, max_size=3, unique_by=_name)


def forged_tokens(order: str) -> st.SearchStrategy[str]:
    """Tokens of a list in this order as no answer held them, and some that no answer could hold."""
    values = st.sampled_from(("", "j", "Plain", "\x00", 0, 5, -1, 2**63, *_TIMES))
    keys = st.sampled_from(("", "j", "zzz", JANE, OTHER_DOMAIN, "\x00", "\U0001f4ec"))
    return st.tuples(values, keys).map(
        lambda after: urlsafe_b64encode(json.dumps([order, *after]).encode()).decode().rstrip("=")
    )


def _of(pool: Sequence[str], strange: Sequence[str]) -> Callable[[tuple[str, ...]], Keys]:
    """Mostly what is there, sometimes what may be, rarely what cannot."""

    @lru_cache(maxsize=64)
    def keys(live: tuple[str, ...]) -> Keys:
        there = [st.sampled_from(live)] * 7 if live else []
        return _among(*there, *[st.sampled_from(pool)] * 2, st.sampled_from(strange))

    return keys


USERS = tuple(f"{local}@{domain}" for domain in DOMAINS[:4] for local in LOCALS)
_OF_DOMAIN = USERS[: len(LOCALS)]
ADMINS = (
    *(ROOT, MANAGER, MANAGER, ANNA, ANNA, "boss@admin.test", "x@new.test", "MANAGER@Admin.TEST"),
    *(JANE, "x@example.com", "x@admin.test"),
)
_FEW = ("1", "10", "60", "0")
# Method, kind, parameter and values of what a domain admin does; USER is a user of theirs.
DAYS_WORK: Sequence[tuple[str, str, str, Sequence[str]]] = (
    *[("POST", "user", "quota", _FEW)] * 4,
    ("PUT", "user", "quota", _FEW),
    ("PUT", "user", "accountStatus", ("active", "disabled")),
    ("PUT", "user", "forwarding", ADDRESSES),
    ("PUT", "user", "addAlias", ALIASES),
    ("PUT", "user", "isGlobalAdmin", ("no", "yes")),
    ("PUT", "user", "password", ("Other-Pass2",)),
    ("GET", "user", "", ()),
    ("DELETE", "user", "", ()),
    ("GET", "users", "sort", ("mail", "-name")),
    ("PUT", "users", "accountStatus", ("active", "disabled")),
    ("PUT", "users", "language", ("de_DE",)),
    ("GET", "domain", "", ()),
    ("POST", "domain", "", ()),
    ("POST", "domain", "catchall", ADDRESSES),
    ("PUT", "domain", "catchall", ADDRESSES),
    ("PUT", "domain", "name", ("Theirs",)),
    ("PUT", "domain", "disableUserProfile", domains.USER_PROFILES),
    ("DELETE", "domain", "", ()),
    ("PUT", "domain/admins", "addAdmin", ("USER", OTHER, MANAGER, "nobody@example.org")),
    ("PUT", "domain/admins", "removeAdmin", ("USER", JOHN, MANAGER)),
    ("PUT", "domain/admins", "removeAllAdmins", ("yes",)),
)
# Of a domain admin whose domain has two users from the start.
LIMITS = (
    (),
    (("maxUsers", "3"),),
    (("maxQuota", "100"), ("quotaUnit", "MB")),
)
domain_keys = _of(DOMAINS, STRANGE_DOMAINS)
admin_keys = _of(ADMINS, STRANGE_USERS)
new_admin_keys = _among(*[st.sampled_from(ADMINS)] * 6, st.sampled_from(STRANGE_USERS))
user_keys = _of(USERS, STRANGE_USERS)
new_domain_keys = _among(*[st.sampled_from(DOMAINS)] * 6, st.sampled_from(STRANGE_DOMAINS))
new_user_keys = _among(
    *[st.sampled_from(_OF_DOMAIN)] * 5,
    *[st.sampled_from(USERS)] * 4,
    st.sampled_from(STRANGE_USERS),
)
