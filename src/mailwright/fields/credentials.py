"""What a login takes."""

from __future__ import annotations

from mailwright.fields.addresses import LONGEST_ADDRESS
from mailwright.fields.field import Field
from mailwright.fields.kinds import Password, Text

USERNAME = Field(
    "username", Text(LONGEST_ADDRESS), "Full address of an admin", "", example="admin@example.org"
)
PASSWORD = Field("password", Password(), "Password in plain text", "", example="u0tBF82cIV@vi8Gme")
