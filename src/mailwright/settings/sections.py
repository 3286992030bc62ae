"""The sections and their settings: each declared once with type, default and a sentence of help."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from mailwright.networks import Networks
from mailwright.passwords import SLAPD_VERIFIES

LANGUAGES: Final = (
    *("ar_SA", "bg_BG", "cs_CZ", "da_DK", "de_DE", "el_GR", "en_US", "es_ES", "et_EE", "fa_IR"),
    *("fi_FI", "fr_FR", "he_IL", "hr_HR", "hu_HU", "id_ID", "it_IT", "ja_JP", "ko_KR", "lt_LT"),
    *("lv_LV", "nb_NO", "nl_NL", "pl_PL", "pt_BR", "pt_PT", "ro_RO", "ru_RU", "sk_SK", "sl_SI"),
    *("sr_CS", "sv_SE", "th_TH", "tr_TR", "uk_UA", "vi_VN", "zh_CN", "zh_TW"),
)


class Secret:
    """A text that does not show itself; only ``reveal()`` gives it out."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> str | tuple[Any, ...]:
        message = "a secret is not serialised"
        raise TypeError(message)


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """What all sections share: no changes after loading, no unknown keys."""


Language = Annotated[str, Meta(pattern=r"^[a-z]{2}_[A-Z]{2}$")]
DistinguishedName = Annotated[str, Meta(pattern=r"^[^=]+=.+$")]


class Server(Section, frozen=True):
    """Where and how the HTTP server listens."""

    host: Annotated[str, Meta(min_length=1, description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535, description="TCP port to listen on.")] = 8080
    workers: Annotated[int, Meta(ge=1, le=64, description="Number of worker processes.")] = 2
    threads: Annotated[
        int,
        Meta(
            ge=1,
            le=256,
            description="Number of threads that answer requests in each worker process.",
        ),
    ] = 8
    base_path: Annotated[
        str,
        Meta(
            pattern=r"^(/[A-Za-z0-9._~-]+)*$",
            description="Path below which everything is served, for example `/iredadmin`; empty "
            "for none.",
        ),
    ] = ""
    trusted_proxies: Annotated[
        Networks,
        Meta(description="Proxies whose `X-Forwarded-For` is believed: addresses and networks."),
    ] = Networks()
    max_body_bytes: Annotated[
        int, Meta(ge=1024, description="Largest request body that is read, in bytes.")
    ] = 1_048_576
    max_parameters: Annotated[
        int, Meta(ge=1, description="Largest number of parameters in one request.")
    ] = 200
    metrics_clients: Annotated[
        Networks, Meta(description="Clients that may read `/metrics`: addresses and networks.")
    ] = Networks(["127.0.0.0/8", "::1/128"])
    public_docs: Annotated[
        bool,
        Meta(description="Whether the API reference page and its OpenAPI document are served."),
    ] = True


class Api(Section, frozen=True):
    """The RESTful API: who may call it and how it answers."""

    enable_restful_api: Annotated[
        bool, Meta(description="Whether the API answers at all; when false, every API path is 404.")
    ] = False
    restrict_api_access: Annotated[
        bool,
        Meta(description="Whether only the clients in `restful_api_clients` may call the API."),
    ] = False
    restful_api_clients: Annotated[
        Networks,
        Meta(
            description="Clients that may call the API while access is restricted: addresses and "
            "networks."
        ),
    ] = Networks()
    http_status: Annotated[
        Literal["semantic", "always-200"],
        Meta(
            description="Whether failures have a fitting HTTP status, or 200 for clients that "
            "only read the body."
        ),
    ] = "semantic"
    unknown_parameters: Annotated[
        Literal["refuse", "ignore"],
        Meta(
            description="Whether an unknown parameter fails the request, or is ignored with a "
            "warning."
        ),
    ] = "refuse"
    require_domain_name: Annotated[
        bool, Meta(description="Whether the parameter `name` is required when a domain is created.")
    ] = True
    expose_password_hashes: Annotated[
        bool,
        Meta(
            description="Whether answers hold password hashes; leave it off unless a migration "
            "needs them."
        ),
    ] = False
    tokens_per_admin: Annotated[
        int,
        Meta(
            ge=0,
            description="API tokens that one admin may have; those that have ended do not count.",
        ),
    ] = 100


class Sessions(Section, frozen=True):
    """How long a login lasts."""

    idle_minutes: Annotated[
        int, Meta(ge=1, description="A session ends after this many minutes without a request.")
    ] = 30
    absolute_hours: Annotated[
        int, Meta(ge=1, description="A session ends this many hours after the login at latest.")
    ] = 12
    cookie_name: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Name of the session cookie.")
    ] = "mailwright_session"


class Login(Section, frozen=True):
    """How failed logins are slowed."""

    free_attempts: Annotated[
        int,
        Meta(ge=1, description="Failed logins of one account before further attempts are slowed."),
    ] = 5
    address_free_attempts: Annotated[
        int,
        Meta(
            ge=1,
            description="Failed logins from one client address before further attempts are slowed.",
        ),
    ] = 20
    first_delay_seconds: Annotated[
        int, Meta(ge=1, description="The first delay; it doubles with each further failure.")
    ] = 1
    max_delay_seconds: Annotated[int, Meta(ge=1, description="The longest delay.")] = 300
    window_minutes: Annotated[
        int, Meta(ge=1, description="Failures older than this are forgotten.")
    ] = 60

    def __post_init__(self) -> None:
        if self.max_delay_seconds < self.first_delay_seconds:
            raise Disagreement("max_delay_seconds", "is smaller than first_delay_seconds")


class Storage(Section, frozen=True):
    """What keeps the accounts."""

    backend: Annotated[
        Literal["sqlite", "postgresql", "mysql", "ldap"],
        Meta(
            description="A database engine (`mysql` is MariaDB too), or `ldap` for an OpenLDAP "
            "directory, which needs the extra `mailwright[ldap]`."
        ),
    ] = "sqlite"
    sqlite_directory: Annotated[
        Path,
        Meta(
            description="Directory of the SQLite files; a relative one starts at the directory "
            "of the settings file."
        ),
    ] = Path("var")


class Ldap(Section, frozen=True):
    """The directory that keeps the accounts; only used by the `ldap` backend."""

    uri: Annotated[
        str,
        Meta(
            pattern=r"^ldap[is]?://[^\s/]*/?$",
            description="Where the directory server listens: `ldap://`, `ldaps://` for TLS from "
            "the start, or `ldapi://` and a Unix socket with its slashes as `%2F`.",
        ),
    ] = "ldap://127.0.0.1:389"
    start_tls: Annotated[
        bool,
        Meta(description="Whether a connection to `ldap://` changes to TLS before it is used."),
    ] = False
    ca_file: Annotated[
        str,
        Meta(
            description="File with the certificates of the authorities that the server's "
            "certificate is checked against; empty for those of the system."
        ),
    ] = ""
    base_dn: Annotated[
        DistinguishedName, Meta(description="Entry that has the mail domains below it.")
    ] = "o=domains,dc=example,dc=com"
    admin_base_dn: Annotated[
        DistinguishedName,
        Meta(description="Entry that has the admins below it who are not mail users."),
    ] = "o=domainAdmins,dc=example,dc=com"
    bind_dn: Annotated[
        DistinguishedName, Meta(description="Account of the directory that may read and write.")
    ] = "cn=vmailadmin,dc=example,dc=com"
    bind_password: Annotated[Secret, Meta(description="Password of that account.")] = Secret()
    timeout_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=300,
            description="How long to wait for a connection, and for each answer, in seconds.",
        ),
    ] = 10
    page_size: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Most entries that the server is asked for at once; not more than its "
            "size limit.",
        ),
    ] = 500
    sql_backend: Annotated[
        Literal["sqlite", "postgresql", "mysql"],
        Meta(description="Engine of the databases beside a directory: policies, sessions, log."),
    ] = "sqlite"

    def __post_init__(self) -> None:
        if self.start_tls and self.uri.startswith("ldaps://"):
            raise Disagreement("start_tls", "cannot be true with ldaps://, which is TLS already")


class Database(Section, frozen=True, kw_only=True):
    """One database of an iRedMail server; not used on SQLite, where each is a file."""

    enabled: Annotated[
        bool,
        Meta(
            description="Whether the server has this database; only `amavisd` and `iredapd` can "
            "be missing."
        ),
    ] = True
    host: Annotated[str, Meta(description="Name or address of the database server.")] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=0, le=65535, description="Port of the database server; 0 is the engine's own.")
    ] = 0
    socket: Annotated[
        str,
        Meta(
            description="Path of a Unix socket (PostgreSQL: its directory); it replaces host and "
            "port."
        ),
    ] = ""
    name: Annotated[str, Meta(min_length=1, description="Name of the database.")]
    user: Annotated[str, Meta(min_length=1, description="Database account.")]
    password: Annotated[Secret, Meta(description="Password of the database account.")] = Secret()
    connect_timeout_seconds: Annotated[
        int, Meta(ge=1, le=300, description="How long to wait for a connection, in seconds.")
    ] = 5


class Databases(Section, frozen=True):
    """The databases of an iRedMail server, each in a section of its own; `ldap` replaces `vmail`."""

    vmail: Database = Database(name="vmail", user="vmailadmin")
    amavisd: Database = Database(name="amavisd", user="amavisd")
    iredapd: Database = Database(name="iredapd", user="iredapd")
    iredadmin: Database = Database(name="iredadmin", user="iredadmin")

    def __post_init__(self) -> None:
        for name in ("vmail", "iredadmin"):
            if not getattr(self, name).enabled:
                raise Disagreement(
                    f"{name}.enabled", "cannot be false: nothing works without this database"
                )


class Pool(Section, frozen=True):
    """Database connections that a worker process keeps."""

    size: Annotated[
        int,
        Meta(ge=1, le=512, description="Most connections of one worker process to one database."),
    ] = 16
    idle_seconds: Annotated[
        int, Meta(ge=1, description="An unused connection is closed after this many seconds.")
    ] = 300


class Accounts(Section, frozen=True):
    """What new accounts look like."""

    languages: Annotated[
        tuple[Language, ...], Meta(description="Languages that an account may prefer.")
    ] = LANGUAGES
    default_language: Annotated[
        str,
        Meta(
            description="Language of new accounts, one of `languages`; empty leaves it to the "
            "mail programs."
        ),
    ] = ""
    storage_base_directory: Annotated[
        str,
        Meta(
            pattern=r"^(/[a-z0-9._-]+){2,}$",
            description="Directory of new mailboxes: at least two levels, lower case, no slash "
            "at the end.",
        ),
    ] = "/var/vmail/vmail1"
    maildir_hashed: Annotated[
        bool,
        Meta(
            description="Whether a mailbox path has three one-character directories before the "
            "user name."
        ),
    ] = True
    maildir_prepend_domain: Annotated[
        bool, Meta(description="Whether a mailbox path starts with the domain.")
    ] = True
    maildir_append_timestamp: Annotated[
        bool,
        Meta(
            description="Whether a mailbox path ends with the time of creation, which its later "
            "removal needs."
        ),
    ] = True
    maildir_domain_hashed: Annotated[
        bool,
        Meta(
            description="Whether two one-character directories stand before the domain in a "
            "mailbox path."
        ),
    ] = False
    mailbox_format: Annotated[
        Literal["maildir", "mdbox", "sdbox"], Meta(description="Format of new mailboxes.")
    ] = "maildir"
    mailbox_folder: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9]{1,20}$",
            description="Directory of the messages below a mailbox's home.",
        ),
    ] = "Maildir"
    default_transport: Annotated[
        str,
        Meta(pattern=r"^\S+$", description="Postfix transport that delivers to local mailboxes."),
    ] = "dovecot"
    recipient_delimiter: Annotated[
        str,
        Meta(
            pattern=r"^[^\sA-Za-z0-9@]{0,4}$",
            description="Characters that start an address extension, as in Postfix; empty for "
            "none.",
        ),
    ] = "+"
    alias_addresses_in_any_domain: Annotated[
        bool,
        Meta(
            description="Whether a user may have alias addresses in a domain other than the "
            "user's own."
        ),
    ] = False

    def __post_init__(self) -> None:
        if self.default_language and self.default_language not in self.languages:
            raise Disagreement("default_language", "is not one of accounts.languages")


class Passwords(Section, frozen=True):
    """What a new password must be like, and how it is stored."""

    scheme: Annotated[
        Literal["SSHA512", "BCRYPT", "ARGON2ID"],
        Meta(
            description="How new passwords are hashed; `ARGON2ID` cannot be used with the `ldap` "
            "backend, because OpenLDAP does not verify it."
        ),
    ] = "SSHA512"
    min_length: Annotated[
        int, Meta(ge=1, le=255, description="Fewest characters of a password.")
    ] = 8
    max_length: Annotated[
        int, Meta(ge=0, le=255, description="Most characters of a password; 0 is no limit.")
    ] = 0
    has_letter: Annotated[bool, Meta(description="Whether a password must have a letter.")] = True
    has_uppercase: Annotated[
        bool, Meta(description="Whether a password must have an upper-case letter.")
    ] = True
    has_number: Annotated[bool, Meta(description="Whether a password must have a digit.")] = True
    has_special_char: Annotated[
        bool, Meta(description="Whether a password must have a special character.")
    ] = True

    def __post_init__(self) -> None:
        if 0 < self.max_length < self.min_length:
            raise Disagreement("max_length", "is smaller than min_length")


class Ownership(Section, frozen=True):
    """Proof that a domain which a domain admin adds is theirs."""

    required: Annotated[
        bool,
        Meta(
            description="Whether a domain that a domain admin adds stays disabled until they have "
            "proven that it is theirs."
        ),
    ] = False
    code_prefix: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,58}$",
            description="What the code begins with that has to be published.",
        ),
    ] = "iredmail-domain-verification-"
    expire_days: Annotated[
        int,
        Meta(
            ge=1,
            le=3650,
            description="How long a code can be used, and for how long after the proof the same "
            "admin may add the domain again without another one, in days.",
        ),
    ] = 30
    timeout_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=60,
            description="How long to wait for each of DNS, `http` and `https`, in seconds.",
        ),
    ] = 10
    name_servers: Annotated[
        tuple[str, ...],
        Meta(description="Addresses of the name servers to ask; empty for those of the system."),
    ] = ()
    name_server_port: Annotated[
        int, Meta(ge=1, le=65535, description="Port of these name servers.")
    ] = 53
    http_port: Annotated[
        int, Meta(ge=1, le=65535, description="Port on which web servers are asked by `http`.")
    ] = 80
    https_port: Annotated[
        int, Meta(ge=1, le=65535, description="Port on which web servers are asked by `https`.")
    ] = 443
    also_allowed: Annotated[
        Networks,
        Meta(
            description="Addresses and networks where web servers are asked although they are not "
            "public; whoever may add domains can have them asked."
        ),
    ] = Networks()

    def __post_init__(self) -> None:
        for text in self.name_servers:
            try:
                ipaddress.ip_address(text)
            except ValueError:
                raise Disagreement("name_servers", f"has {text!r}, which is no address") from None


class Log(Section, frozen=True):
    """What is logged to standard error."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The least important lines that are written."),
    ] = "info"
    format: Annotated[
        Literal["json", "text"],
        Meta(description="One JSON object in each line, or text for people."),
    ] = "json"


class Settings(Section, frozen=True):
    """All settings; ``path`` is the file they were read from."""

    server: Server = Server()
    api: Api = Api()
    sessions: Sessions = Sessions()
    login: Login = Login()
    storage: Storage = Storage()
    ldap: Ldap = Ldap()
    databases: Databases = Databases()
    pool: Pool = Pool()
    accounts: Accounts = Accounts()
    passwords: Passwords = Passwords()
    ownership: Ownership = Ownership()
    log: Log = Log()
    path: Path | None = None

    def __post_init__(self) -> None:
        # Dovecot has the directory compare passwords: with another scheme nobody would get in.
        if self.storage.backend == "ldap" and self.passwords.scheme not in SLAPD_VERIFIES:
            raise Disagreement(
                "passwords.scheme",
                f"cannot be {self.passwords.scheme} where storage.backend is ldap: "
                "OpenLDAP does not verify it",
            )


class Disagreement(ValueError):
    """Two settings do not fit together; ``key``, as its section sees it, is the one to blame."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key
