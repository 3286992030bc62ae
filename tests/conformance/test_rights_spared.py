"""A change of all users of a domain leaves some alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import pytest

from mailwright.fields.field import Changes, Record
from mailwright.resources import user
from mailwright.storage.protocol import Changed
from tests.conformance.neighbours import add_domain, add_user
from tests.stores import Site

JANE, JOHN, MARY = "jane@example.org", "john@example.org", "mary@example.org"
OTHER = "other@example.net"
EVERYBODY = (JANE, JOHN, MARY, OTHER)


@pytest.fixture
def start(site: Site) -> Site:
    with site.together():
        for name in ("example.org", "example.net"):
            add_domain(site, name)
        for address in EVERYBODY:
            add_user(site, address)
    return site


class Own(Mapping[str, Changes]):
    """Something for each account, made when it is asked for; tells for whom."""

    def __init__(self, keys: Collection[str]) -> None:
        self.keys_ = keys
        self.made: list[str] = []

    def __getitem__(self, key: str) -> Changes:
        self.made.append(key)
        return Changes({user.TRANSPORT: f"smtp:[{key}]"})

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys_)

    def __len__(self) -> int:
        return len(self.keys_)


def change(
    site: Site, spare: Collection[str], each: Mapping[str, Changes] | None = None
) -> Changed:
    """Rename and switch off everybody in the domain: a column, and one with rows that repeat it."""
    changes = Changes({user.NAME: "Else", user.STATUS: "disabled"})
    with site.app.store.session() as accounts:
        accounts.begin()
        changed = accounts.change_all(user.RESOURCE, "example.org", changes, each, spare)
        accounts.commit()
    return changed


def read(site: Site, key: str) -> Record:
    with site.app.store.session() as accounts:
        return accounts.get(user.RESOURCE, key)


def changed_ones(site: Site) -> set[str]:
    shown = {key: read(site, key) for key in EVERYBODY}
    return {
        key
        for key, now in shown.items()
        if (now[user.NAME], now[user.STATUS]) == ("Else", "disabled")
    }


@pytest.mark.parametrize(
    ("spare", "left"),
    [
        ((), {JANE, JOHN, MARY}),
        ({JANE}, {JOHN, MARY}),
        ((JANE, MARY), {JOHN}),
        ({JANE.upper()}, {JOHN, MARY}),
        ({"gone@example.org", OTHER}, {JANE, JOHN, MARY}),
        (frozenset({JANE, JOHN, MARY}), set()),
    ],
)
def test_who_is_spared_is_neither_changed_nor_counted(
    start: Site, spare: Collection[str], left: set[str]
) -> None:
    before = start.snapshot()

    changed = change(start, spare)

    assert Changed(len(left)) == Changed(changed.number, tuple(changed.failures))
    assert left == changed_ones(start)
    for key in {JANE, JOHN, MARY} - left:
        assert not [name for name in start.since(before).touched if key in name]


def test_who_is_spared_gets_nothing_of_their_own_either(start: Site) -> None:
    """Nor is it made, as a hash would be, for nothing."""
    own = Own([JANE, JOHN, MARY])
    before = start.snapshot()

    changed = change(start, {JANE}, own)

    assert changed.number == 2
    assert not [name for name in start.since(before).touched if JANE in name]
    for key in (JOHN, MARY):
        assert f"smtp:[{key}]" == read(start, key)[user.TRANSPORT]
    if start.engine == "openldap":
        assert {JOHN, MARY} == set(own.made)
