"""What a change did to the fields of an account, as it may be told: secret values never are."""

from __future__ import annotations

from typing import Any, Final

from mailwright.fields.field import AnyField, Values
from mailwright.fields.ldap_places import Attribute, Syntax
from mailwright.fields.places import Codec, Column

CHANGED: Final = "changed"  # stands for a secret value
Differences = dict[str, Any]


def differences(before: Values | None, after: Values | None) -> Differences:
    """By field name: the value before and the value after.

    Without ``before`` nothing is known of it, without ``after`` nothing is left.  Of a secret only that it
    changed; what no client ever sees otherwise is left out, and so is what a removed account did not have.
    """
    if after is None:
        return {
            field.name: [value, None]
            for field, value in (before or Values()).items()
            if (value or value != field.empty) and not field.hidden and not is_secret(field)
        }
    found: Differences = {}
    for field in after:
        if is_secret(field):
            found[field.name] = CHANGED
        elif not field.hidden:
            found[field.name] = [
                None if before is None else before.get(field),
                after[field],
            ]
    return found


def is_secret(field: AnyField) -> bool:
    """Whether a value of this field may stand in no record, answer or log."""
    return (
        field.kind.secret
        or (isinstance(field.sql, Column) and field.sql.codec is Codec.NEVER_SHOWN)
        or (isinstance(field.ldap, Attribute) and field.ldap.syntax is Syntax.NEVER_SHOWN)
    )
