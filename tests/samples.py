"""Good, edge and refused values of every parameter, each with what a GET shows afterwards.

`test_samples.py` fails for a parameter without samples. A sample starts from `DOMAIN` with one user
`JANE` and the admin `ANNA`, after the update `before`; `beside` are parameters that have to come along.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

DOMAIN, JANE = "example.org", "jane@example.org"
ANNA = "anna@admins.test"  # a standalone admin
PASSWORD = "Sample-Pass1"

Text = str | tuple[str, ...]


@dataclass(frozen=True)
class Good:
    """A value that is taken; `shown` is what a GET of `of` (or the parameter's field) gives."""

    text: Text
    shown: object
    of: str = ""
    before: dict[str, str] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)
    warned: bool = False


@dataclass(frozen=True)
class Refused:
    """A value that is not taken; the error names `parameter`, or the one that was given."""

    text: Text
    code: str = "INVALID_PARAMETER"
    parameter: str = ""
    before: dict[str, str] = field(default_factory=dict)
    beside: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadOnly:
    """A parameter that only answers: ignored when sent, and shown with this value.

    A warning names the request that changes it, if there is one.
    """

    shown: object
    warned: bool = False


Samples = ReadOnly | tuple[Good | Refused, ...]

_LONG = "x" * 255
_TEXT: Samples = (
    Good("Plain", "Plain"),
    Good("  blanks around  ", "blanks around"),
    Good("", ""),
    Good("Zoë 📬 Ünï ∑", "Zoë 📬 Ünï ∑"),
    Good(
        """it's "50%" of 100_000; a:b,c\\d/e?f=%s&g""",
        """it's "50%" of 100_000; a:b,c\\d/e?f=%s&g""",
    ),
    Good("'; DROP TABLE mailbox; --", "'; DROP TABLE mailbox; --"),
    Good(_LONG, _LONG),
    Refused(_LONG + "x"),
    Refused("two\nlines"),
    Refused("nul\x00"),
    Refused("bell\x07"),
    Refused("half \ud83d of a pair"),
    Refused("line\u2028separator"),
    Refused(("once", "twice")),
)
_WHOLE: tuple[Good | Refused, ...] = (
    Good("1", 1),
    Good("0", 0),
    Good(" 2048 ", 2048),
    Good("007", 7),
    Refused(""),
    Refused("-1"),
    Refused("1.5"),
    Refused("1e3"),
    Refused("many"),
    Refused("0x10"),
    Refused("+5"),
    Refused("٣"),
    Refused("9223372036854775807"),
    Refused("9223372036854775808"),
    Refused("99999999999999999999999"),
    Refused(("1", "2")),
)
# The most that, counted in bytes, still is a 64-bit number: Dovecot multiplies.
_QUOTA: tuple[Good | Refused, ...] = (
    *_WHOLE,
    Good("8796093022207", 8796093022207),
    Refused("8796093022208"),
)
_LIMIT: Samples = (
    Good("20", 20),
    Good("0", 0),
    Good("-1", -1, warned=True),
    Good("2147483647", 2147483647),
    Refused("-2"),
    Refused("2147483648"),
    Refused(""),
    Refused("few"),
    Refused(("1", "2")),
)
# In a domain with one user of 100 MB.
_LIMIT_UNWATCHED: Samples = tuple(
    Good(sample.text, sample.shown) if isinstance(sample, Good) else sample for sample in _LIMIT
)
_LANGUAGE: Samples = (
    Good("en_US", "en_US"),
    Good(" de_DE ", "de_DE"),
    Good("", "", before={"language": "de_DE"}),
    Refused("xx_XX", parameter="language"),
    Refused("en_us"),
    Refused("EN_US"),
    Refused("english"),
    Refused("en_US;x:y"),
    Refused(("en_US", "de_DE")),
)
_TRANSPORT: Samples = (
    Good("dovecot", "dovecot"),
    Good("lmtp:unix:private/dovecot-lmtp", "lmtp:unix:private/dovecot-lmtp"),
    Good("smtp:[192.0.2.1]:25", "smtp:[192.0.2.1]:25"),
    Good("smtp:[IPv6:2001:db8::1]:25", "smtp:[IPv6:2001:db8::1]:25"),
    Good("relay:", "relay:"),
    Good("x" * 255, "x" * 255),
    Refused("x" * 256),
    Refused("smtp:a b"),
    Refused("smtp:a,b"),
    Refused(":host"),
    Refused("smtp:é"),
    Refused(("dovecot", "lmtp")),
)
_STATUS: Samples = (
    Good("disabled", "disabled"),
    Good("active", "active", before={"accountStatus": "disabled"}),
    Good(" DISABLED ", "disabled"),
    Refused(""),
    Refused("yes"),
    Refused("enabled"),
    Refused(("active", "disabled")),
)
_ONE_ADDRESS: Samples = (
    Good("archive@example.org", "archive@example.org"),
    Good("Archive+All@Example.NET.", "archive+all@example.net"),
    Good("buero@exämple.org", "buero@xn--exmple-cua.org"),
    Good("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    Refused("a" * 65 + "@example.org"),
    Refused("nobody"),
    Refused("@example.org"),
    Refused("two@example.org,three@example.org"),
    Refused("x@localhost"),
    Refused("x@-example.org"),
    Refused("x@exam ple.org"),
    Refused("x'y z@example.org"),
    Refused("zoë@example.org"),
    Refused("a..b@example.org"),
    Refused("x@" + "d" * 64 + ".org"),
)
_MANY_ADDRESSES: Samples = (
    Good("a@example.net", ("a@example.net",)),
    Good(" A@Example.NET , a@example.net,,", ("a@example.net",)),
    Good(("b@example.net", "a@example.net"), ("a@example.net", "b@example.net")),
    Good(
        ",".join(f"m{number:04}@example.net" for number in range(1200)),
        tuple(f"m{number:04}@example.net" for number in range(1200)),
    ),
    Refused("a@example.net,nobody"),
    Refused("a@example.net b@example.net"),
    Refused("<a@example.net>"),
)


def _yes_no(
    *, before: dict[str, str] | None = None, beside: dict[str, str] | None = None
) -> Samples:
    beside = beside or {}
    return (
        *(Good(word, shown=True, beside=beside) for word in ("yes", "true", "1", "on", " YES ")),
        *(
            Good(word, shown=False, before=before or {})
            for word in ("no", "false", "0", "off", "No")
        ),
        *(Refused(word) for word in ("", "maybe", "2", "y")),
        Refused(("yes", "no")),
    )


def _profiles(names: tuple[str, ...], adding: str) -> dict[str, Samples]:
    """The two parameters of a list that has no reset, `adding` and its opposite."""
    removing = adding.replace("disable", "enable")
    one, two, *_ = sorted(names)
    every = ",".join(names)
    return {
        adding: (
            Good(one, (one,)),
            Good(f" {one.upper()} ,{one},", (one,)),
            Good(two, (one, two), before={adding: one}),
            Good((two, one), (one, two)),
            Good(every, tuple(sorted(names))),
            Good("", ()),
            Refused("nonsense"),
            Refused("a:b"),
            Refused("a;b"),
        ),
        removing: (
            Good(one, (two,), of=adding, before={adding: f"{one},{two}"}),
            Good("", (one,), of=adding, before={adding: one}),
            Good(two, (one,), of=adding, before={adding: one}),
            Good(every, (), of=adding, before={adding: every}),
            Refused("a:b"),
        ),
    }


_PRIMARY = {"is_backupmx": "yes"}
_BACKUP = {"is_backupmx": "yes", "primarymx": "192.0.2.1"}
_BACKUP_FLAG = _yes_no(before=_BACKUP, beside={"primarymx": "192.0.2.1"})
_PASSWORD_LENGTH: Samples = (
    Good("9", 9),
    Good("0", 0, before={"minPasswordLength": "7"}),
    Good("255", 255),
    Refused("256"),
    Refused("-1"),
    Refused("short"),
)
_SELF = ("self-service",)
_ADD_SELF: Samples = (
    Good("self-service", _SELF, of="services"),
    Good("Self-Service,", _SELF, of="services"),
    Good("mail,self-service", _SELF, of="services", warned=True),
    Good("", (), of="services"),
    Refused("nonsense", parameter="services"),
    Refused("a:b"),
)
_REMOVE_SELF: Samples = (
    Good("self-service", (), of="services", before={"services": "self-service"}),
    Good("mail", _SELF, of="services", before={"services": "self-service"}),
    Good("", _SELF, of="services", before={"services": "self-service"}),
    Refused("a;b"),
)

_DOMAIN_PROFILES = (
    *("bcc", "relay", "catchall", "aliases", "throttle", "greylisting", "wblist"),
    *("spampolicy", "backupmx", "advanced", "password_policies"),
)
_USER_PROFILES = (
    *("bcc", "forwarding", "relay", "aliases", "throttle", "greylisting", "wblist", "spampolicy"),
)
_USER_PREFERENCES = (
    *("personal_info", "forwarding", "wblist", "quarantine", "rcvd_mails", "spampolicy"),
)
_BCC: Samples = (
    *_ONE_ADDRESS,
    Good("", "", before={"senderBcc": "a@example.org", "recipientBcc": "a@example.org"}),
)

DOMAIN_SAMPLES: dict[str, Samples] = {
    "domain": ReadOnly("example.org"),
    "name": _TEXT,
    "cn": _TEXT,
    "accountStatus": _STATUS,
    "quota": tuple(
        Good(sample.text, sample.shown, warned=sample.shown in (1, 7))
        if isinstance(sample, Good)
        else sample
        for sample in _QUOTA
    ),
    "mailQuota": (Good("512", 512), Refused("plenty")),
    "language": _LANGUAGE,
    "preferredLanguage": (Good("fr_FR", "fr_FR"), Refused("french")),
    "transport": (*_TRANSPORT, Refused("")),
    "defaultQuota": _QUOTA,
    "maxUserQuota": _QUOTA,
    "numberOfUsers": _LIMIT,
    "numberOfAliases": _LIMIT_UNWATCHED,
    "numberOfLists": _LIMIT_UNWATCHED,
    "senderBcc": _BCC,
    "recipientBcc": _BCC,
    "minPasswordLength": (
        *_PASSWORD_LENGTH,
        Refused("13", before={"maxPasswordLength": "12"}),
    ),
    "maxPasswordLength": (
        *_PASSWORD_LENGTH,
        Refused("8", before={"minPasswordLength": "9"}),
    ),
    "is_backupmx": (
        *_BACKUP_FLAG,
        Refused("yes", parameter="primarymx"),
        Refused("yes", parameter="transport", beside={"primarymx": "", "transport": "lmtp:"}),
    ),
    "backupmx": _BACKUP_FLAG,
    "primarymx": (
        Good("202.96.134.133", "[202.96.134.133]:25", beside=_PRIMARY),
        Good("[mail.example.test]:2525", "[mail.example.test]:2525", beside=_PRIMARY),
        Good("mail.example.test:26", "[mail.example.test]:26", beside=_PRIMARY),
        Good("relay:[mail.example.test]", "[mail.example.test]:25", beside=_PRIMARY),
        Good("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]:25", beside=_PRIMARY),
        Good("192.0.2.9", "[192.0.2.9]:25", before=_BACKUP),
        Good("", "", beside=_PRIMARY),
        Good("", "", before=_BACKUP),
        Refused("192.0.2.1"),
        Refused("[192.0.2.1", beside=_PRIMARY),
        Refused("192.0.2.1:0", beside=_PRIMARY),
        Refused("192.0.2.1:65536", beside=_PRIMARY),
        Refused("a b", beside=_PRIMARY),
        Refused("a.test,b.test", beside=_PRIMARY),
        Refused("x" * 250, beside=_PRIMARY),
    ),
    "catchall": (
        *_MANY_ADDRESSES,
        Good("", (), before={"catchall": "a@example.net,b@example.net"}),
        Good(JANE, (JANE,), before={"catchall": "a@example.net"}),
    ),
    "outboundRelay": (
        Good("smtp:[192.168.1.2]:25", "[192.168.1.2]:25"),
        Good("relay:mail.example.test", "mail.example.test"),
        Good("[mail.example.test]", "[mail.example.test]"),
        Good("mail.example.test:submission", "mail.example.test:submission"),
        Good("", "", before={"outboundRelay": "[192.0.2.1]"}),
        Refused("http://mail.example.test"),
        Refused("mail.example.test:99999"),
        Refused("[a]:25,[b]:25"),
    ),
    "services": (*_ADD_SELF, Good("", (), before={"services": "self-service"})),
    "addService": _ADD_SELF,
    "enableService": _ADD_SELF,
    "removeService": _REMOVE_SELF,
    "disableService": _REMOVE_SELF,
    "removeAllServices": (
        Good("", (), of="services", before={"services": "self-service"}),
        Good("whatever", (), of="services", before={"services": "self-service"}),
        Good("", (), of="services"),
    ),
    **_profiles(_DOMAIN_PROFILES, "disableDomainProfile"),
    **_profiles(_USER_PROFILES, "disableUserProfile"),
    **_profiles(_USER_PREFERENCES, "disableUserPreference"),
    "disabledMailServices": ReadOnly(()),
    "defaultGroups": ReadOnly(()),
    "aliasDomains": ReadOnly(()),
    "existingUsers": ReadOnly(1),
    "existingAliases": ReadOnly(0),
    "existingLists": ReadOnly(0),
    "allocatedQuota": ReadOnly(100),
    "created": ReadOnly("2026-01-02T03:04:05Z"),
    "modified": ReadOnly("2026-01-02T03:04:05Z"),
}

# A service takes along those that Dovecot asks for in its stead.
_ALL_SERVICES = (
    *("smtp", "smtpsecured", "pop3", "pop3secured", "pop3tls", "imap", "imapsecured", "imaptls"),
    *("deliver", "lda", "lmtp", "managesieve", "managesievesecured", "sieve", "sievesecured"),
    *("sievetls", "sogo", "sogowebmail", "sogocalendar", "sogoactivesync"),
)


def _without(*names: str) -> tuple[str, ...]:
    return tuple(name for name in _ALL_SERVICES if name not in names)


_ALIAS_LIST: Samples = (
    Good("j@example.org", ("j@example.org",), of="aliases"),
    Good(" J@Example.ORG. ,j@example.org,", ("j@example.org",), of="aliases"),
    Good(JANE, (), of="aliases", warned=True),
    Refused("j@example.net", parameter="aliases"),
    Refused("j+x@example.org"),
    Refused("nobody"),
)
_PASSWORDS: Samples = (
    Good("Another-Pass2", ""),
    Good("""#$%&*+-,.:;!=<>'"?@[]/(){}_`~Aa1""", ""),
    Good("Blank-between 1", ""),
    Refused("Aa1-567", code="PW_SHORTER_THAN_MIN_LENGTH"),
    Refused("password-1", code="PW_NO_UPPERCASE"),
    Refused("12345-678", code="PW_NO_LETTER,PW_NO_UPPERCASE"),
    Refused("Password-x", code="PW_NO_DIGIT_NUMBER"),
    Refused("Password1", code="PW_NO_SPECIAL_CHAR"),
    Refused("Pässword-1", code="PW_NON_ASCII"),
    Refused("Password-1\t", code="PW_NON_ASCII,PW_SURROUNDING_SPACE"),
    Refused(" Password-1", code="PW_SURROUNDING_SPACE"),
    Refused(("Password-1", "Password-2")),
)

USER_SAMPLES: dict[str, Samples] = {
    "mail": ReadOnly(JANE),
    "name": _TEXT,
    "cn": _TEXT,
    "password": (*_PASSWORDS, Refused("", code="PW_EMPTY")),
    "quota": _QUOTA,
    "mailQuota": (Good("512", 512), Refused("plenty")),
    "accountStatus": _STATUS,
    "language": _LANGUAGE,
    "preferredLanguage": (Good("fr_FR", "fr_FR"), Refused("french")),
    "employeeid": _TEXT,
    "transport": (*_TRANSPORT, Good("", "", before={"transport": "dovecot"})),
    "isGlobalAdmin": _yes_no(before={"isGlobalAdmin": "yes"}),
    "forwarding": (
        *_MANY_ADDRESSES,
        Good(f"a@example.net,{JANE}", ("a@example.net", JANE)),
        Good(JANE, (JANE,), before={"forwarding": "a@example.net"}),
        Good("", (JANE,), before={"forwarding": "a@example.net"}),
        Good("", (JANE,)),
    ),
    "aliases": (
        *_ALIAS_LIST,
        Good("b@example.org,a@example.org", ("a@example.org", "b@example.org")),
        Good("b@example.org", ("b@example.org",), before={"aliases": "a@example.org"}),
        Good("", (), before={"aliases": "a@example.org"}),
    ),
    "addAlias": (
        *_ALIAS_LIST,
        Good(
            "b@example.org",
            ("a@example.org", "b@example.org"),
            of="aliases",
            before={"aliases": "a@example.org"},
        ),
        Good("", (), of="aliases"),
    ),
    "removeAlias": (
        Good(
            "a@example.org",
            ("b@example.org",),
            of="aliases",
            before={"aliases": "a@example.org,b@example.org"},
        ),
        Good(
            "z@example.org", ("a@example.org",), of="aliases", before={"aliases": "a@example.org"}
        ),
        Good("A@EXAMPLE.ORG", (), of="aliases", before={"aliases": "a@example.org"}),
        Good("", (), of="aliases"),
        Refused("nobody"),
    ),
    "services": (
        Good("smtp,imap", ("smtp", "imap")),
        Good("imapsecured", ("imapsecured", "imaptls")),
        Good("IMAPSecured, deliver", ("imapsecured", "imaptls", "deliver", "lda", "lmtp")),
        Good("managesieve", ("managesieve", "sieve")),
        Good("managesievesecured", ("managesievesecured", "sievesecured", "sievetls")),
        Good("sogo,sogowebmail", ("sogo", "sogowebmail")),
        Good(",".join(_ALL_SERVICES), _ALL_SERVICES),
        Good("smtp,vpn,owncloud", ("smtp",), warned=True),
        Good("", ()),
        Good("smtp", ("smtp",), before={"services": "imap"}),
        Refused("smtp,im ap"),
        Refused("smtp,a:b"),
    ),
    "addService": (
        Good(
            "pop3secured",
            ("smtp", "pop3secured", "pop3tls"),
            of="services",
            before={"services": "smtp"},
        ),
        Good("vpn", ("smtp",), of="services", before={"services": "smtp"}, warned=True),
        Good("", ("smtp",), of="services", before={"services": "smtp"}),
        Refused("a;b"),
    ),
    "removeService": (
        Good("smtp", _without("smtp"), of="services"),
        Good("pop3secured", _without("pop3secured", "pop3tls"), of="services"),
        Good("deliver", _without("deliver", "lda", "lmtp"), of="services"),
        Good("sogocalendar", _without("sogocalendar"), of="services"),
        Good("forward,senderbcc", _ALL_SERVICES, of="services"),
        Good("", _ALL_SERVICES, of="services"),
        Refused("a;b"),
    ),
    "isAdmin": ReadOnly(shown=False),
    "managedDomains": ReadOnly((), warned=True),
    "groups": ReadOnly(()),
    "mailboxFormat": ReadOnly("maildir"),
    "mailboxFolder": ReadOnly("Maildir"),
    "storageBaseDirectory": ReadOnly("/var/vmail"),
    "storageNode": ReadOnly("vmail1"),
    "maildir": ReadOnly("example.org/j/a/n/jane-2026.01.02.03.04.05/"),
    "passwordLastChange": ReadOnly("2026-01-02T03:04:05Z"),
    "usedQuotaBytes": ReadOnly(0),
    "usedQuotaMessages": ReadOnly(0),
    "lastLoginImap": ReadOnly(""),
    "lastLoginPop3": ReadOnly(""),
    "lastDelivery": ReadOnly(""),
    "created": ReadOnly("2026-01-02T03:04:05Z"),
    "modified": ReadOnly("2026-01-02T03:04:05Z"),
    "password_hash": ReadOnly(None),
}

_IN_MEGABYTES = {"quotaUnit": "MB"}
_MOST: Samples = (
    Good("20", 20),
    Good("0", 0, before={"maxUsers": "5", "maxAliases": "5", "maxLists": "5"}),
    Good("2147483647", 2147483647),
    Refused("-1"),
    Refused("2147483648"),
    Refused(""),
    Refused("few"),
    Refused(("1", "2")),
)

ADMIN_SAMPLES: dict[str, Samples] = {
    "mail": ReadOnly(ANNA),
    "name": _TEXT,
    "cn": _TEXT,
    "password": (*_PASSWORDS, Refused("", code="PW_EMPTY")),
    "accountStatus": _STATUS,
    "language": _LANGUAGE,
    "preferredLanguage": (Good("fr_FR", "fr_FR"), Refused("french")),
    "isGlobalAdmin": _yes_no(before={"isGlobalAdmin": "yes"}),
    "maxDomains": (
        Good("5", 5),
        Good("-1", -1),
        Good("7", 7, before={"maxDomains": "-1"}),
        Good("0", 0, before={"maxDomains": "7"}),
        Good("0", 0, before={"maxDomains": "-1"}),
        Good("2147483647", 2147483647),
        Refused("-2"),
        Refused("2147483648"),
        Refused(""),
        Refused("few"),
        Refused(("1", "2")),
    ),
    "maxQuota": (
        *(replace(sample, beside=_IN_MEGABYTES) for sample in _QUOTA),
        Refused("5"),
        Refused("8388608", beside={"quotaUnit": "TB"}),
        Refused("-1", beside={"quotaUnit": "GB"}),
    ),
    "quotaUnit": (
        Good("MB", 2, of="maxQuota", beside={"maxQuota": "2"}),
        Good("GB", 2048, of="maxQuota", beside={"maxQuota": "2"}),
        Good(" tb ", 2097152, of="maxQuota", beside={"maxQuota": "2"}),
        # The number is the stored one, but of another unit.
        Good(
            "TB",
            2097152,
            of="maxQuota",
            before={"maxQuota": "2", "quotaUnit": "MB"},
            beside={"maxQuota": "2"},
        ),
        Good("TB", 8796091973632, of="maxQuota", beside={"maxQuota": "8388607"}),
        Refused("GB"),
        Refused("PB", beside={"maxQuota": "2"}),
        Refused("", beside={"maxQuota": "2"}),
    ),
    "maxUsers": _MOST,
    "maxAliases": _MOST,
    "maxLists": _MOST,
    "disableViewingMailLog": _yes_no(before={"disableViewingMailLog": "yes"}),
    "disableManagingQuarantinedMails": _yes_no(before={"disableManagingQuarantinedMails": "yes"}),
    "managedDomains": ReadOnly((), warned=True),
    "isMailUser": ReadOnly(shown=False),
    "passwordLastChange": ReadOnly("2026-01-02T03:04:05Z"),
    "created": ReadOnly("2026-01-02T03:04:05Z"),
    "modified": ReadOnly("2026-01-02T03:04:05Z"),
    "password_hash": ReadOnly(None),
}

SAMPLES: dict[str, dict[str, Samples]] = {
    "domain": DOMAIN_SAMPLES,
    "user": USER_SAMPLES,
    "admin": ADMIN_SAMPLES,
}
