"""What the chain has to be, computed without the product; and hands that tamper with it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.stores import Row, Site

KEPT_APART = ("previous", "hash")


def records(site: Site) -> list[Row]:
    """The rows as they are stored."""
    return site.raw["iredadmin"].rows("SELECT * FROM mailwright_audit ORDER BY sequence")


def tip(site: Site) -> Row:
    (row,) = site.raw["iredadmin"].rows("SELECT sequence, hash FROM mailwright_audit_tip")
    return row


def log(site: Site) -> list[Row]:
    return site.raw["iredadmin"].rows("SELECT * FROM log ORDER BY id")


def digest(previous: str, row: Row) -> str:
    """The hash that a row has to have after the one with the hash `previous`."""
    fields = {name: value for name, value in row.items() if name not in KEPT_APART}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((previous + text).encode()).hexdigest()


def alter(site: Site, sequence: int, /, **values: Any) -> None:
    """Change columns of a record past the product."""
    raw = site.raw["iredadmin"]
    for name, value in values.items():
        raw.execute(
            f"UPDATE mailwright_audit SET {raw.quoted(name)} = ? WHERE sequence = ?",
            value,
            sequence,
        )


def drop(site: Site, sequence: int) -> None:
    deletion = "DELETE FROM mailwright_audit WHERE sequence = ?"
    assert 1 == site.raw["iredadmin"].execute(deletion, sequence)


def swap(site: Site, one: int, other: int) -> None:
    """Give each of two records the number of the other."""
    for old, new in ((one, -1), (other, one), (-1, other)):
        alter(site, old, sequence=new)
