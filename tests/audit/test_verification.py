"""Whoever alters, removes or reorders records is found out, and the first such record is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailwright.audit import verification
from mailwright.audit.verification import Broken, Tip, verify
from mailwright.storage.sql.engine import Database
from tests.audit.chains import alter, digest, drop, records, swap, tip
from tests.stores import Site

JANE = "jane@example.org"
RECORDS = 9

COLUMNS = (
    *("time", "actor", "role", "token", "address", "channel", "request", "action", "resource"),
    *("target", "domain", "outcome", "code", "corrects", "changes", "previous", "hash"),
)


@pytest.fixture
def chain(start: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Nine records, read in pages of two."""
    monkeypatch.setattr(verification, "PAGE", 2)
    for number in range(RECORDS - 2):
        start.update("user", JANE, quota=str(20 + number))
    assert list(range(1, RECORDS + 1)) == [row["sequence"] for row in records(start)]
    return start


def named(database: Database, expected: Tip | None = None) -> tuple[int, str]:
    found = verify(database, expected)
    assert isinstance(found, Broken)
    return found.sequence, found.sentence


def test_an_untouched_chain_is_whole(chain: Site, database: Database) -> None:
    assert Tip(RECORDS, tip(chain)["hash"]) == verify(database)


def test_no_records_are_whole(site: Site, database: Database) -> None:
    assert {"sequence": 0, "hash": ""} == tip(site)
    assert Tip(0, "") == verify(database)


@pytest.mark.parametrize("column", COLUMNS)
def test_one_altered_character_is_found_in_every_column(
    chain: Site, database: Database, column: str
) -> None:
    row = records(chain)[4]
    value = row[column]
    if column == "corrects":
        changed: object = 1
    else:
        changed = chr(ord(value[0]) ^ 1) + value[1:] if value else "x"
    alter(chain, 5, **{column: changed})

    assert (5, "record 5 was altered, or moved from another place") == named(database)


@pytest.mark.parametrize("number", range(1, RECORDS))
def test_a_removed_record_is_named(chain: Site, database: Database, number: int) -> None:
    drop(chain, number)

    assert (
        number,
        f"record {number} was removed: record {number + 1} stands in its place",
    ) == named(database)


def test_a_removed_record_is_named_though_the_others_were_given_new_numbers(
    chain: Site, database: Database
) -> None:
    drop(chain, 4)
    for number in range(5, RECORDS + 1):
        alter(chain, number, sequence=number - 1)

    assert 4 == named(database)[0]


@pytest.mark.parametrize("gone", [1, 2, 3, RECORDS])
def test_removed_newest_records_are_noticed(chain: Site, database: Database, gone: int) -> None:
    for number in range(RECORDS - gone + 1, RECORDS + 1):
        drop(chain, number)

    first = RECORDS - gone + 1
    assert (
        first,
        f"record {first} was removed: the chain goes on to record {RECORDS}",
    ) == named(database)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (3, 7), (8, 9)])
def test_swapped_records_are_noticed_at_the_first(
    chain: Site, database: Database, one: int, other: int
) -> None:
    swap(chain, one, other)

    assert (one, f"record {one} was altered, or moved from another place") == named(database)


@pytest.mark.parametrize("number", [1, 5, RECORDS])
def test_a_record_with_a_hash_that_was_made_to_fit_it_is_named(
    chain: Site, database: Database, number: int
) -> None:
    row = records(chain)[number - 1]
    row["actor"] = "somebody@else.test"
    alter(chain, number, actor=row["actor"], hash=digest(row["previous"], row))

    assert number == named(database)[0]


def test_a_record_behind_the_tip_is_noticed(chain: Site, database: Database) -> None:
    row = records(chain)[-1]
    row |= {"sequence": RECORDS + 1, "previous": row["hash"]}
    row["hash"] = digest(row["previous"], row)
    chain.raw["iredadmin"].insert("mailwright_audit", **row)

    assert (
        RECORDS + 1,
        f"record {RECORDS + 1} was added behind the tip of the chain",
    ) == named(database)


def test_a_tip_that_was_removed_is_noticed(chain: Site, database: Database) -> None:
    raw = chain.raw["iredadmin"]
    raw.execute("DELETE FROM mailwright_audit_tip")
    try:
        found = named(database)
    finally:
        raw.insert("mailwright_audit_tip", id=1, sequence=0, hash="")

    assert (RECORDS, "the tip of the chain was removed") == found


def write_anew(site: Site) -> None:
    """The whole chain with another actor, every hash and the tip made to fit."""
    previous = ""
    for row in records(site):
        row |= {"actor": "somebody@else.test", "previous": previous}
        previous = row["hash"] = digest(previous, row)
        alter(site, row["sequence"], **{name: row[name] for name in ("actor", "previous", "hash")})
    site.raw["iredadmin"].execute("UPDATE mailwright_audit_tip SET hash = ?", previous)


def shorten(site: Site) -> None:
    """The newest three records removed, and the tip set back."""
    for number in range(RECORDS - 2, RECORDS + 1):
        drop(site, number)
    last = records(site)[-1]
    site.raw["iredadmin"].execute(
        "UPDATE mailwright_audit_tip SET sequence = ?, hash = ?", last["sequence"], last["hash"]
    )


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        (write_anew, f"record {RECORDS} or one before it was written anew"),
        (shorten, "record 7 was removed: an earlier look found more"),
    ],
)
def test_a_tip_that_was_kept_elsewhere_finds_what_fits_in_itself(
    chain: Site, database: Database, tamper: Callable[[Site], None], sentence: str
) -> None:
    kept = verify(database)
    assert isinstance(kept, Tip)
    tamper(chain)

    assert isinstance(verify(database), Tip)
    assert sentence == named(database, kept)[1]


def test_a_tip_that_was_kept_elsewhere_lets_the_chain_go_on(
    chain: Site, database: Database
) -> None:
    kept = verify(database)
    assert isinstance(kept, Tip)
    chain.update("user", JANE, quota="99")

    assert Tip(RECORDS + 1, tip(chain)["hash"]) == verify(database, kept)


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_a_text_that_cannot_be_read_is_named(chain: Site, database: Database) -> None:
    """SQLite keeps whatever bytes somebody writes into its file."""
    chain.raw["iredadmin"].execute(
        "UPDATE mailwright_audit SET actor = CAST(x'ff41' AS TEXT) WHERE sequence = 6"
    )

    assert (6, "record 6 cannot be read") == named(database)


def test_records_that_are_added_meanwhile_are_no_fault(
    chain: Site, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, left = verification._rows, [3, 3, 3]

    def rows(*asked: object) -> object:
        found = genuine(*asked)  # type: ignore[arg-type]
        if left and not found:
            chain.update("user", JANE, quota=str(100 + len(left)))
            left.pop()
        return found

    monkeypatch.setattr(verification, "_rows", rows)

    found = verify(database)

    assert Tip(RECORDS + 3, tip(chain)["hash"]) == found
