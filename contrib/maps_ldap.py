# ruff: noqa: INP001 - a script's other half
"""The look-ups in a directory, for `maps.py` to write; the filters stand here once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


def both(*conditions: str) -> str:
    return f"(&{''.join(conditions)})"


def either(*conditions: str) -> str:
    return f"(|{''.join(conditions)})"


def no(condition: str) -> str:
    return f"(!{condition})"


def service(name: str) -> str:
    return f"(enabledService={name})"


DOMAIN = "(objectClass=mailDomain)"
USER = "(objectClass=mailUser)"
ALIAS = "(objectClass=mailAlias)"
LIST = "(objectClass=mailList)"
EXTERNALS = "(objectClass=mailExternalUser)"
BACKUP = "(domainBackupMX=yes)"
DELIVERED_HERE = "(mtaTransport=dovecot)"

# A domain that works, and an account that works: in a disabled domain each says so itself.
DOMAIN_WORKS = (DOMAIN, "(accountStatus=active)", service("mail"))
WORKS = ("(accountStatus=active)", no("(domainStatus=disabled)"), service("mail"))
TAKES_MAIL = (*WORKS, service("deliver"))

ADDRESS = either("(mail=%s)", "(shadowAddress=%s)")
NAMES_DOMAIN = either("(domainName=%s)", both(service("domainalias"), "(domainAliasName=%s)"))
DOMAIN_OF_KEY = either("(domainName=%s)", "(domainAliasName=%s)")
DOMAIN_OF_ADDRESS = either("(domainName=%d)", "(domainAliasName=%d)")
SUBSCRIBABLE = both(LIST, service("mlmmj"))

# Below the domain in the address there is only what belongs to it. No such domain, no answer.
IN_DOMAIN = "domainName=%d,@BASE@"
USERS_IN_DOMAIN = f"ou=Users,{IN_DOMAIN}"


@dataclass(frozen=True)
class Lookup:
    """A table as Postfix sees it: all conditions have to hold."""

    name: str
    meaning: str
    conditions: tuple[str, ...]
    result: str
    base: str = "@BASE@"
    scope: str = "sub"
    form: str = "%s"


POSTFIX = (
    Lookup(
        "virtual_mailbox_domains",
        "Domains whose mail is delivered here: hosted ones, and their alias domains.",
        (*DOMAIN_WORKS, NAMES_DOMAIN, no(BACKUP)),
        "domainName",
        scope="one",
    ),
    Lookup(
        "relay_domains",
        "Domains for which this host is a backup MX.",
        (*DOMAIN_WORKS, NAMES_DOMAIN, BACKUP),
        "domainName",
        scope="one",
    ),
    Lookup(
        "virtual_mailbox_maps",
        "Mailboxes that take mail. Only the existence of an entry counts; Dovecot delivers.",
        (USER, *TAKES_MAIL, ADDRESS),
        "homeDirectory",
        form="%s/Maildir/",
    ),
    Lookup(
        "virtual_alias_maps",
        "What an address stands for: the forwardings of a user, the members of an alias.",
        (*TAKES_MAIL, either(ALIAS, both(USER, service("forward"))), ADDRESS),
        "mailForwardingAddress",
    ),
    Lookup(
        "list_member_maps",
        "The members of a list: the entries that name it. A subscribable list stands for itself.",
        (
            *TAKES_MAIL,
            either(
                both(either(USER, EXTERNALS), either("(memberOfGroup=%s)", "(shadowAddress=%s)")),
                both(either(ALIAS, LIST), "(memberOfGroup=%s)", no("(shadowAddress=%s)")),
                both(SUBSCRIBABLE, ADDRESS),
            ),
        ),
        "mail",
    ),
    Lookup(
        "user_maps",
        "The user behind an address; a user without forwardings stands for itself.",
        (USER, *TAKES_MAIL, ADDRESS),
        "mail",
    ),
    Lookup(
        "catchall_maps",
        "Who gets the mail to unknown addresses: an entry with the address @domain, for which\n"
        "# Postfix asks when nothing else is found.",
        (USER, "(accountStatus=active)", no("(domainStatus=disabled)"), ADDRESS),
        "mailForwardingAddress",
    ),
    *(
        Lookup(name, meaning, conditions, "mtaTransport", base, scope, form)
        for where, conditions, base, scope in (
            ("user", (either(USER, SUBSCRIBABLE), *WORKS, ADDRESS), IN_DOMAIN, "sub"),
            ("domain", (*DOMAIN_WORKS, DOMAIN_OF_KEY), "@BASE@", "one"),
        )
        for name, meaning, conditions, form in (
            (
                f"transport_maps_{where}_local",
                f"The transport of a {where} whose mail is delivered here, in the directory `dovecot`.",
                (*conditions, DELIVERED_HERE),
                "@LOCAL@",
            ),
            (
                f"transport_maps_{where}",
                f"The transport of a {where}, whatever else it is.",
                (*conditions, no(DELIVERED_HERE)),
                "%s",
            ),
        )
    ),
    Lookup(
        "sender_login_maps",
        "Which login may send as an address: the user whose address it is.",
        (USER, *WORKS, service("smtp"), ADDRESS),
        "mail",
    ),
    *(
        Lookup(
            f"{way}_bcc_maps_{where}",
            f"Who gets a copy of mail {words} a {where}.",
            (*conditions, service(f"{way}bcc")),
            f"{where}{way.capitalize()}BccAddress",
            base,
            "one",
        )
        for way, words in (("sender", "from"), ("recipient", "to"))
        for where, conditions, base in (
            ("user", (USER, *WORKS, ADDRESS), USERS_IN_DOMAIN),
            ("domain", (*DOMAIN_WORKS, DOMAIN_OF_ADDRESS), "@BASE@"),
        )
    ),
    Lookup(
        "sender_dependent_relayhost_maps_user",
        "The server through which a user sends to the world.",
        (USER, *WORKS, "(mail=%s)"),
        "senderRelayHost",
        USERS_IN_DOMAIN,
        "one",
    ),
    Lookup(
        "sender_dependent_relayhost_maps_domain",
        "The server through which a domain sends to the world.",
        (*DOMAIN_WORKS, DOMAIN_OF_ADDRESS),
        "senderRelayHost",
        scope="one",
    ),
)

_POSTFIX = """\
# {meaning}
server_host = @URI@
version = 3
bind = yes
bind_dn = @BINDDN@
bind_pw = @PASSWORD@
chase_referrals = no
search_base = {base}
scope = {scope}
query_filter = {filter}
result_attribute = {result}
result_format = {form}
"""

# The service is mail, and protocol + "" (plain), "secured" (plain, trusted) or "tls".
_LOGIN = (
    *(USER, *WORKS, service("%Ls%Lc")),
    either("(mail=%u)", both(service("shadowaddress"), "(shadowAddress=%u)")),
)

_DOVECOT = """\
# {meaning}
uris = @URI@
ldap_version = 3
dn = @BINDDN@
dnpass = @PASSWORD@
base = @BASE@
scope = subtree
deref = never
{questions}"""

# The server compares the password, whatever its scheme: the program binds as the user.
_PASSDB = f"""
auth_bind = yes
pass_filter = {both(*_LOGIN)}
pass_attrs = mail=user, allowNets=allow_nets
"""

_USERDB = f"""
user_filter = {both(*_LOGIN)}
user_attrs = \\
  =user=%{{ldap:mail}}, \\
  =master_user=%{{ldap:mail}}, \\
  =home=%L{{ldap:homeDirectory}}, \\
  =mail=%L{{ldap:mailboxFormat:maildir}}:~/%{{ldap:mailboxFolder:Maildir}}, \\
  mailQuota=quota_rule=*:bytes=%$

iterate_filter = {both(USER, *WORKS)}
iterate_attrs = mail=user
"""


def _query(conditions: tuple[str, ...]) -> str:
    """One condition on a line."""
    return "(&\n    " + "\n    ".join(conditions) + ")"


def files() -> Iterator[tuple[str, str]]:
    """The path of each file below `contrib`, and its text."""
    for lookup in POSTFIX:
        yield (
            f"postfix/ldap/{lookup.name}.cf",
            _POSTFIX.format(
                meaning=lookup.meaning,
                base=lookup.base,
                scope=lookup.scope,
                filter=_query(lookup.conditions),
                result=lookup.result,
                form=lookup.form,
            ),
        )
    for name, meaning, questions in (
        ("passdb", "Who may log in.", _PASSDB),
        ("userdb", "Where the mail is, and which users there are.", _USERDB),
    ):
        yield (
            f"dovecot/ldap/dovecot-ldap-{name}.conf.ext",
            _DOVECOT.format(meaning=meaning, questions=questions),
        )
