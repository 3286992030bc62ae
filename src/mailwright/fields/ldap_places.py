"""Places in a directory: where a field's value is kept in LDAP.  Data only; storage acts on it.

Each ``match`` over ``LdapPlace`` ends in ``assert_never``, so that the type checker names the one that
was forgotten.  Names of attributes and classes: LDAP reference 2.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailwright.fields.places import Derived, Joined, Reference


class Syntax(enum.Enum):
    """How one value is written into one attribute or ``accountSetting`` value."""

    TEXT = enum.auto()
    WHOLE = enum.auto()
    MEGABYTES = enum.auto()  # a number of MB, kept as bytes; 0 is no attribute
    STATUS = enum.auto()  # active/disabled; what is not active is disabled
    YES = enum.auto()  # true is yes, false is no value
    YES_NO = enum.auto()  # true is yes, false is no where there was a value
    TIME = enum.auto()  # GeneralizedTime, read only
    DAYS = enum.auto()  # days since 1970-01-01
    LIST = enum.auto()  # of a setting: one value for each member
    QUOTA = enum.auto()  # of a setting: a number of MB, kept as ``n:MB``
    NEVER_SHOWN = enum.auto()  # password hashes
    HASHES = enum.auto()  # all of them, to compare a password with; read only


@dataclass(frozen=True, slots=True)
class Spread:
    """An attribute of every account below a domain that says the domain's status once more.

    ``value`` while the domain is not active, absent while it is (LDAP reference 4.5).
    """

    attribute: str
    value: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One value of an attribute of the account's own entry; further ones are left alone.

    ``service`` is switched on with a value, because the mail programs ask for both.  ``default`` is
    what they assume where there is no value, and so is not written.  ``local_part`` stands in for an
    empty value where the schema wants one.
    """

    name: str
    syntax: Syntax = Syntax.TEXT
    service: str = ""
    default: str = ""
    local_part: bool = False
    spread: Spread | None = None


@dataclass(frozen=True, slots=True)
class AttributeValues:
    """Addresses in an attribute of the account's own entry.

    ``or_own`` says that no value means the account's own address.  With ``alias_domains``, values that
    only repeat the account's name under an alias domain of its domain are neither shown nor removed.
    """

    name: str
    or_own: bool = False
    alias_domains: bool = False


@dataclass(frozen=True, slots=True)
class AccountSetting:
    """A ``key:value`` of ``accountSetting``; empty and 0 are not written.

    ``read_also`` is an attribute that older entries have instead.
    """

    key: str
    syntax: Syntax = Syntax.TEXT
    read_also: str = ""


@dataclass(frozen=True, slots=True)
class Services:
    """Names in ``enabledService``.

    ``coupled`` are names that change with another; ``reserved`` ones are neither shown nor changed here;
    ``supporting`` ones are only removed by name, not by a list that leaves them out, except by the empty
    list where ``empties`` says so; ``spelled`` have a customary spelling that is not lower case.
    """

    coupled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reserved: tuple[str, ...] = ()
    supporting: tuple[str, ...] = ()
    empties: bool = False
    spelled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """Whether one name is in ``enabledService``, or in another attribute of services."""

    name: str
    attribute: str = "enabledService"


@dataclass(frozen=True, slots=True)
class PathPart:
    """One of the three parts of a path: base directory, node, and the rest (LDAP reference 3.6)."""

    part: int


@dataclass(frozen=True, slots=True)
class ChildEntry:
    """Addresses in an entry of its own below the domain, named ``@`` and the domain: the catch-all."""

    branch: str
    attribute: str
    classes: tuple[str, ...]
    constants: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Granted:
    """Other entries that name the account; ``gives`` is what they are known by.

    ``everything`` stands for all of them while the account's own attribute says ``yes``.  Without that
    and without ``service``, if there is one to have, what names it means a namesake.
    """

    of_class: str
    attribute: str
    gives: str
    own: str
    everything: str
    service: str = "domainadmin"


@dataclass(frozen=True, slots=True)
class Membership:
    """Groups that the account is in (LDAP reference 3.4).

    A list is named in the account's own ``attribute`` and names the account's DN in ``member``; a mail
    alias names the account's address in ``forwarding``.
    """

    attribute: str
    list_class: str
    member: str
    alias_class: str
    forwarding: str


@dataclass(frozen=True, slots=True)
class CountedEntries:
    """A number of entries below a domain, or a sum over them in MB; left out of lists."""

    of_class: str
    total: str = ""


LdapPlace = (
    Attribute
    | AttributeValues
    | AccountSetting
    | Services
    | Service
    | PathPart
    | ChildEntry
    | Granted
    | Membership
    | CountedEntries
    | Joined
    | Derived
)


class By(enum.Enum):
    """How an attribute of another entry refers to an account."""

    ADDRESS = enum.auto()
    DN = enum.auto()


@dataclass(frozen=True, slots=True)
class LdapReference:
    """Attributes of other entries in which an account's address or DN can stand (LDAP reference 4.3).

    With ``spares_admins``, an address that a standalone admin has as well is the admin's.
    """

    classes: tuple[str, ...]
    attributes: tuple[str, ...]
    by: By = By.ADDRESS
    spares_admins: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """Attributes of the domain that repeat how many accounts it has and the sum of their quotas."""

    number: str
    total: str
    of: str


@dataclass(frozen=True, slots=True)
class LdapHome:
    """Where the accounts of one resource live in a directory.

    A new entry gets ``classes``, those of ``extra_classes`` that the server knows, ``constants``, and its
    local part in ``local_part``.  ``revoked`` are attributes and ``revoked_services`` names that are taken
    away before a removal does anything else.
    """

    main_class: str
    rdn: str
    branch: str  # the container below the domain; empty for domains and standalone admins
    classes: tuple[str, ...]
    standalone: bool = False  # below the container of standalone admins
    extra_classes: tuple[str, ...] = ()
    constants: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    local_part: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    alias_names: str = ""  # of a domain: further names
    pending_names: str = ""  # of a domain: names that wait for a proof of ownership
    addresses: str = ""  # of an account: further addresses
    mailboxes: str = ""  # the class of the entries, at and below an account, that have a mailbox
    path: str = ""  # of those: the mailbox
    older_path: tuple[str, ...] = ()  # of older ones: parts of it
    tally: Tally | None = None
    references: tuple[LdapReference, ...] = ()
    revoked: tuple[str, ...] = ()
    revoked_services: tuple[str, ...] = ()
    rows: tuple[Reference, ...] = ()  # in the SQL database beside the directory

    @property
    def is_addressed(self) -> bool:
        """Whether the keys are addresses, and not names of domains."""
        return self.standalone or bool(self.branch)
