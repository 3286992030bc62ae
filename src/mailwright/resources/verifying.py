"""Comparing a password with the stored one (``POST /api/verify_password/…``).

Sources: the API document, SQL reference 7.5, LDAP reference 3.8.
"""

from __future__ import annotations

from mailwright.authz import Action
from mailwright.errors import NotFound
from mailwright.fields.addresses import domain_of
from mailwright.fields.field import Field
from mailwright.fields.kinds import Many, Text
from mailwright.fields.ldap_places import Attribute, Syntax
from mailwright.fields.places import Codec, Column
from mailwright.resources import rights
from mailwright.resources.operations import Account
from mailwright.work import Work

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


def stored_hashes(work: Work, account: Account, key: str) -> tuple[str, tuple[str, ...]]:
    """The stored key, and what a password is compared with; nothing where there is no such account.

    ``Forbidden``, ``Invalid``.  A disabled account is asked like any other: nobody is let in by this.
    """
    key = account.resource.read_key(key)
    rights.permit(work, Action.VERIFY, account.resource.name, domain_of(key), key)
    try:
        return key, work.accounts.get(account.resource, key, (HASHES,))[HASHES]
    except NotFound:
        return key, ()
