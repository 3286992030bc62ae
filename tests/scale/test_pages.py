"""Entries are asked for a page at a time only where they are more than a page."""

from __future__ import annotations

from typing import Any

import pytest
from ldap.controls.libldap import SimplePagedResultsControl
from ldap.ldapobject import SimpleLDAPObject

from tests.directory_site import DirectorySite
from tests.scale.entries import load_domains

pytestmark = pytest.mark.openldap


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each search below a base, whether it was for a page."""
    found: list[bool] = []
    genuine = SimpleLDAPObject.search_ext

    def listening(self: Any, base: str, scope: int, *more: Any, **named: Any) -> Any:
        controls = named.get("serverctrls") or ()
        if scope:
            found.append(any(isinstance(one, SimplePagedResultsControl) for one in controls))
        return genuine(self, base, scope, *more, **named)

    monkeypatch.setattr(SimpleLDAPObject, "search_ext", listening)
    return found


@pytest.mark.parametrize(("users", "paged"), [(0, 0), (4, 0), (5, 0), (6, 2), (11, 3)])
def test_few_are_asked_for_at_once(
    directory_site: DirectorySite, asked: list[bool], users: int, paged: int
) -> None:
    """Asked for pages, slapd walked over all users of all domains for each user that was removed."""
    load_domains(directory_site.directory, {"big.test": users})
    site = directory_site.with_settings(ldap={"page_size": 5})

    found = site.listed("user", "big.test", email_only="yes")
    site.close()

    assert sorted(f"u{number}@big.test" for number in range(users)) == list(found.keys)
    assert [False] + [True] * paged == asked


def test_a_whole_list_of_several_pages_is_in_order(directory_site: DirectorySite) -> None:
    load_domains(directory_site.directory, {"big.test": 11})
    site = directory_site.with_settings(ldap={"page_size": 5})

    records = site.listed("user", "big.test").records
    site.close()

    assert records is not None
    keys = [record.key for record in records]
    assert sorted(f"u{number}@big.test" for number in range(11)) == keys
    assert keys == [site.show("user", key)["mail"] for key in keys]
