"""What a process keeps between requests is bounded, whatever clients send."""

from __future__ import annotations

import itertools

import pytest

from mailwright.fields import addresses
from mailwright.resources.user import RESOURCE as USER
from tests.stores import Site, on_sql

MOST = 512


@on_sql
def test_the_order_of_parameters_makes_no_new_statements(start: Site) -> None:
    """Each order of the same parameters was kept for ever: seven of them were 5040 entries."""
    store = start.app.store
    form = {"aliases": "j@example.org", "name": "Jane", "quota": "10"}
    form |= {"forwarding": "jane@example.org,f@example.net"}
    start.update("user", "jane@example.org", form)
    kept = len(store._readings), USER._needed.cache_info().currsize

    for order in itertools.permutations(form):
        start.update("user", "jane@example.org", {name: form[name] for name in order})

    assert (len(store._readings), USER._needed.cache_info().currsize) == kept


@on_sql
def test_the_choice_of_parameters_fills_no_memory(start: Site) -> None:
    """There are more sets of parameters than a process can keep."""
    store = start.app.store
    some = [field for field in USER.update if field.sql is not None][:10]
    for size in range(len(some) + 1):
        for named in itertools.combinations(some, size):
            assert set(named) <= set(USER.needed_for(named))
            store.reading(USER, named, alone=True, counted=False)

    assert len(store._readings) <= MOST
    assert USER._needed.cache_info().currsize <= MOST


@pytest.mark.parametrize(
    ("read", "cached", "text"),
    [
        (addresses.domain_name, "_domain_name", "example.org"),
        (addresses.mail_address, "_mail_address", "jane@example.org"),
        (addresses.mailbox_address, "_mailbox_address", "jane@example.org"),
    ],
)
def test_padding_is_not_kept_with_an_address(read: object, cached: str, text: str) -> None:
    """Texts were kept as they came, and eight thousand of a megabyte each are eight gigabytes."""
    assert callable(read)
    kept = getattr(addresses, cached, read)
    kept.cache_clear()

    for blanks in (1, 10, 100_000):
        assert read(" " * blanks + text + " " * blanks) == text
    with pytest.raises(ValueError, match=r"has at most 25[34] characters"):
        read("x" * 1001 + text)

    assert kept.cache_info().currsize == 1
