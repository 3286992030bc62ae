# ruff: noqa: INP001, S608 - a script; its statements are text for others to fill in
"""Write the look-up files in `postfix/` and `dovecot/`: one set for each engine.

The questions are the same on every database engine and stand here once; those to a directory
stand in `maps_ldap.py`.
Run `python contrib/maps.py` after a change; `--check` only tells whether the files are current.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import maps_ldap

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Engine:
    """What differs between the engines: how to connect, to join text, and to quote a name."""

    name: str
    postfix: str
    dovecot: str
    join: Callable[..., str]
    quote: str


def _by_operator(*parts: str) -> str:
    return " || ".join(parts)


def _by_function(*parts: str) -> str:
    return f"CONCAT({', '.join(parts)})"


_POSTFIX_SERVER = """\
hosts = inet:@HOST@:@PORT@
user = @USER@
password = @PASSWORD@
dbname = @DBNAME@
"""

ENGINES = (
    Engine("sqlite", "dbpath = @DBPATH@\n", "@DBPATH@", _by_operator, '"'),
    Engine(
        "pgsql",
        _POSTFIX_SERVER,
        "host=@HOST@ port=@PORT@ dbname=@DBNAME@ user=@USER@ password=@PASSWORD@",
        _by_operator,
        '"',
    ),
    Engine(
        "mysql",
        _POSTFIX_SERVER,
        "host=@HOST@ port=@PORT@ dbname=@DBNAME@ user=@USER@ password=@PASSWORD@",
        _by_function,
        "`",
    ),
)


@dataclass(frozen=True)
class Lookup:
    """A table as Postfix sees it: `sql` may use {address_in_target} for %u@target."""

    name: str
    meaning: str
    sql: str


POSTFIX = (
    Lookup(
        "virtual_mailbox_domains",
        "Domains whose mail is delivered here: hosted ones, and the alias domains of those.",
        """
        SELECT domain.domain FROM domain
         WHERE domain.domain = '%s' AND domain.active = 1 AND domain.backupmx = 0
         UNION
        SELECT alias_domain.alias_domain FROM alias_domain
          JOIN domain ON domain.domain = alias_domain.target_domain
         WHERE alias_domain.alias_domain = '%s' AND alias_domain.active = 1
           AND domain.active = 1 AND domain.backupmx = 0
        """,
    ),
    Lookup(
        "relay_domains",
        "Domains for which this host is a backup MX.",
        """
        SELECT domain FROM domain WHERE domain = '%s' AND active = 1 AND backupmx = 1
        """,
    ),
    Lookup(
        "virtual_mailbox_maps",
        "Mailboxes that take mail. Only the existence of a row counts; Dovecot delivers.",
        """
        SELECT mailbox.maildir FROM mailbox
          JOIN domain ON domain.domain = mailbox.domain
         WHERE mailbox.username = '%s' AND mailbox.active = 1 AND mailbox.enabledeliver = 1
           AND domain.active = 1
        """,
    ),
    Lookup(
        "virtual_alias_maps",
        "What an address stands for: a user, its forwardings, an alias, the members of a list.",
        """
        SELECT forwardings.forwarding FROM forwardings
          JOIN domain ON domain.domain = forwardings.domain
         WHERE forwardings.address = '%s' AND forwardings.active = 1
           AND domain.active = 1 AND domain.backupmx = 0
        """,
    ),
    Lookup(
        "domain_alias_maps",
        "The same for an address below an alias domain: that of the same name in the target.",
        """
        SELECT forwardings.forwarding FROM forwardings
          JOIN alias_domain ON forwardings.address = {address_in_target}
          JOIN domain ON domain.domain = alias_domain.target_domain
         WHERE alias_domain.alias_domain = '%d' AND alias_domain.active = 1
           AND forwardings.active = 1 AND domain.backupmx = 0
        """,
    ),
    Lookup(
        "catchall_maps",
        "Who gets the mail to unknown addresses of a domain. Not asked for user+extension,\n"
        "# which would hide the user; Postfix asks again without the extension.",
        """
        SELECT forwardings.forwarding FROM forwardings
          JOIN domain ON domain.domain = forwardings.address
         WHERE forwardings.address = '%d' AND '%u' NOT LIKE '%%+%%' AND forwardings.active = 1
           AND domain.active = 1 AND domain.backupmx = 0
        """,
    ),
    Lookup(
        "domain_alias_catchall_maps",
        "The catch-all of the target, for unknown addresses below an alias domain.",
        """
        SELECT forwardings.forwarding FROM forwardings
          JOIN alias_domain ON alias_domain.target_domain = forwardings.address
          JOIN domain ON domain.domain = alias_domain.target_domain
         WHERE alias_domain.alias_domain = '%d' AND '%u' NOT LIKE '%%+%%'
           AND alias_domain.active = 1 AND forwardings.active = 1
        """,
    ),
    Lookup(
        "transport_maps_user",
        "The transport of one user; none: that of the domain.\n# `dovecot` means local delivery.",
        """
        SELECT CASE mailbox.transport WHEN 'dovecot' THEN '@LOCAL@' ELSE mailbox.transport END
          FROM mailbox
          JOIN domain ON domain.domain = mailbox.domain
         WHERE mailbox.username = '%s' AND mailbox.domain = '%d' AND mailbox.transport <> ''
           AND mailbox.active = 1 AND mailbox.enabledeliver = 1
           AND domain.active = 1 AND domain.backupmx = 0
        """,
    ),
    Lookup(
        "transport_maps_maillist",
        "The transport of a subscribable list.",
        """
        SELECT maillists.transport FROM maillists
          JOIN domain ON domain.domain = maillists.domain
         WHERE maillists.address = '%s' AND maillists.active = 1 AND domain.active = 1
        """,
    ),
    Lookup(
        "transport_maps_domain",
        "The transport of a domain. `dovecot` means local delivery.",
        """
        SELECT CASE transport WHEN 'dovecot' THEN '@LOCAL@' ELSE transport END
          FROM domain WHERE domain = '%s' AND active = 1
        """,
    ),
    Lookup(
        "sender_login_maps",
        "Which login may send as an address: its own user.",
        """
        SELECT mailbox.username FROM mailbox
          JOIN domain ON domain.domain = mailbox.domain
         WHERE mailbox.username = '%s' AND mailbox.domain = '%d' AND mailbox.enablesmtp = 1
           AND mailbox.active = 1 AND domain.active = 1 AND domain.backupmx = 0
        """,
    ),
    *(
        lookup
        for way, words in (("sender", "from"), ("recipient", "to"))
        for lookup in (
            Lookup(
                f"{way}_bcc_maps_user",
                f"Who gets a copy of mail {words} a user.",
                f"""
                SELECT {way}_bcc_user.bcc_address FROM {way}_bcc_user
                  JOIN domain ON domain.domain = {way}_bcc_user.domain
                 WHERE {way}_bcc_user.username = '%s' AND {way}_bcc_user.domain = '%d'
                   AND {way}_bcc_user.active = 1
                   AND domain.active = 1 AND domain.backupmx = 0
                """,
            ),
            Lookup(
                f"{way}_bcc_maps_domain",
                f"Who gets a copy of mail {words} a domain, for users without one of their own.",
                f"""
                SELECT {way}_bcc_domain.bcc_address FROM {way}_bcc_domain
                  JOIN domain ON domain.domain = {way}_bcc_domain.domain
                 WHERE {way}_bcc_domain.domain = '%d' AND domain.active = 1
                """,
            ),
        )
    ),
    Lookup(
        "sender_dependent_relayhost_maps",
        "The server through which a user, or a domain (@domain), sends to the world.",
        """
        SELECT relayhost FROM sender_relayhost WHERE account = '%s'
        """,
    ),
)

# The column is enable + protocol + "" (plain), "secured" (plain, trusted) or "tls".
DOVECOT_SQL = """
password_query = \\
    SELECT mailbox.password AS password, mailbox.allow_nets AS allow_nets \\
      FROM mailbox JOIN domain ON domain.domain = mailbox.domain \\
     WHERE mailbox.username = '%u' AND mailbox.{service} = 1 AND mailbox.active = 1 \\
       AND domain.active = 1 AND domain.backupmx = 0

user_query = \\
    SELECT '%u' AS master_user, \\
           LOWER({home}) AS home, \\
           {mail} AS mail, \\
           {quota} AS quota_rule \\
      FROM mailbox JOIN domain ON domain.domain = mailbox.domain \\
     WHERE mailbox.username = '%u' AND mailbox.{service} = 1 AND mailbox.active = 1 \\
       AND domain.active = 1 AND domain.backupmx = 0

iterate_query = SELECT username AS user FROM mailbox
"""

DOVECOT_QUOTA = """
map {
  pattern = priv/quota/storage
  table = used_quota
  username_field = username
  value_field = bytes
}
map {
  pattern = priv/quota/messages
  table = used_quota
  username_field = username
  value_field = messages
}
"""

_LAST_LOGIN = """\
map {{
  pattern = shared/last-login/{service}/$user/$domain
  table = last_login
  value_field = {column}
  value_type = uint
  fields {{
    username = $user
    domain = $domain
  }}
}}
"""


def postfix_file(engine: Engine, lookup: Lookup) -> str:
    address = engine.join("'%u@'", "alias_domain.target_domain")
    lines = [line.strip() for line in lookup.sql.strip().splitlines()]
    query = "\n        ".join(lines).replace("{address_in_target}", address)
    return f"# {lookup.meaning}\n{engine.postfix}query = {query}\n"


def dovecot_sql(engine: Engine) -> str:
    body = DOVECOT_SQL.format(
        service=f"{engine.quote}enable%Ls%Lc{engine.quote}",
        home=engine.join(
            *("mailbox.storagebasedirectory", "'/'", "mailbox.storagenode"),
            *("'/'", "mailbox.maildir"),
        ),
        mail=engine.join("mailbox.mailboxformat", "':~/'", "mailbox.mailboxfolder"),
        quota=engine.join("'*:bytes='", "(mailbox.quota * 1048576)"),
    )
    head = f"driver = {engine.name}\nconnect = {engine.dovecot}\ndefault_pass_scheme = CRYPT\n"
    return f"# Who may log in, and where the mail is.\n{head}{body}"


def dovecot_last_login() -> str:
    services = {"imap": "imap", "pop3": "pop3", "lda": "lda", "lmtp": "lda"}
    return "".join(
        _LAST_LOGIN.format(service=service, column=column) for service, column in services.items()
    )


def files() -> Iterator[tuple[Path, str]]:
    for engine in ENGINES:
        for lookup in POSTFIX:
            path = HERE / "postfix" / engine.name / f"{lookup.name}.cf"
            yield path, postfix_file(engine, lookup)
        folder = HERE / "dovecot" / engine.name
        connect = f"connect = {engine.dovecot}\n"
        yield folder / "dovecot-sql.conf.ext", dovecot_sql(engine)
        yield (
            folder / "dovecot-used-quota.conf.ext",
            f"# Where the used quota is kept.\n{connect}{DOVECOT_QUOTA}",
        )
        yield (
            folder / "dovecot-last-login.conf.ext",
            f"# Where the time of the last login is kept.\n{connect}{dovecot_last_login()}",
        )

    for name, text in maps_ldap.files():
        yield HERE / name, text


def stale() -> list[Path]:
    return [path for path, text in files() if not path.exists() or path.read_text() != text]


def write() -> None:
    for path, text in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        found = stale()
        for path in found:
            sys.stdout.write(f"{path.relative_to(HERE.parent)}: run contrib/maps.py\n")
        return 1 if found else 0
    write()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
