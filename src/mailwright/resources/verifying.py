"""Comparing a password with the stored one (``POST /api/verify_password/…``).

Sources: the API document, SQL reference 7.5, LDAP reference 3.8.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mailwright.authz import Action, Actor
from mailwright.errors import NotFound
from mailwright.fields.addresses import domain_of
from mailwright.fields.field import Field
from mailwright.fields.kinds import Many, Text
from mailwright.fields.ldap_places import Attribute, Syntax
from mailwright.fields.places import Codec, Column
from mailwright.resources import rights
from mailwright.resources.operations import Account
from mailwright.work import Attempt, Work

# The same place for every sort of account.
HASHES = Field(
    "hashes",
    Many(Text()),
    "Every stored password hash",
    (),
    sql=Column("password", Codec.HASHES),
    ldap=Attribute("userPassword", Syntax.HASHES),
    read_only=True,
    hidden=True,
)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a password is compared with, and for the record who asked for that."""

    actor: Actor
    attempt: Attempt
    hashes: tuple[str, ...] = field(default=(), repr=False)


def stored_hashes(work: Work, account: Account, key: str) -> tuple[str, Stored]:
    """The stored key, and what a password is compared with; no hashes where there is no such account.

    ``Forbidden``, ``Invalid``.  A disabled account is asked like any other: nobody is let in by this.
    """
    resource = account.resource
    key = resource.read_key(key)
    domain = domain_of(key)
    rights.permit(work, Action.VERIFY, resource.name, domain, key)
    attempt = Attempt(Action.VERIFY, resource.name, key, domain)
    try:
        hashes = work.accounts.get(resource, key, (HASHES,))[HASHES]
    except NotFound:
        hashes = ()
    return key, Stored(work.actor, attempt, hashes)
