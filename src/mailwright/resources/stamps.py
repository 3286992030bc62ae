"""When an account was made, changed, and given its password: the same for every sort of account."""

from __future__ import annotations

from mailwright.fields.field import Field
from mailwright.fields.kinds import Stamp
from mailwright.fields.ldap_places import Attribute, Syntax
from mailwright.fields.places import Codec, Column

PASSWORD_CHANGED = Field(
    "passwordLastChange",
    Stamp(),
    "When the password was last changed",
    "",
    read_only=True,
    sql=Column("passwordlastchange", Codec.STAMP),
    ldap=Attribute("shadowLastChange", Syntax.DAYS),
)
CREATED = Field(
    "created",
    Stamp(),
    "When it was created",
    "",
    sql=Column("created", Codec.STAMP),
    ldap=Attribute("createTimestamp", Syntax.TIME),
    read_only=True,
)
MODIFIED = Field(
    "modified",
    Stamp(),
    "When it was last changed",
    "",
    sql=Column("modified", Codec.STAMP),
    ldap=Attribute("modifyTimestamp", Syntax.TIME),
    read_only=True,
)
