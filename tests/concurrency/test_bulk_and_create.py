"""A user who comes while all users of the domain are switched off."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mailwright.storage.sql.writing import Writing
from tests.stores import Site

NEW = "new@example.org"


# SQLite has one writer at a time: nobody comes in between.
@pytest.mark.parametrize(
    "site",
    [
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("mariadb", marks=pytest.mark.mariadb),
    ],
    indirect=True,
)
def test_is_switched_off_with_all_rows_or_not_at_all(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of a user who came between two statements went off while the account stayed on."""
    site.create("domain", "example.org", name="Example")
    site.create("user", "jane@example.org", password="Right-Horse1")
    genuine = Writing._update_some

    def meanwhile(writing: Writing, some: Sequence[str]) -> None:
        if not site.vmail.rows("SELECT 1 FROM mailbox WHERE username = ?", NEW):
            site.create("user", NEW, password="Right-Horse1")
        genuine(writing, some)

    monkeypatch.setattr(Writing, "_update_some", meanwhile)
    site.update_users("example.org", accountStatus="disabled")

    states = site.vmail.rows(
        "SELECT m.username, m.active, f.active AS delivered FROM mailbox m "
        "JOIN forwardings f ON f.address = m.username ORDER BY m.username"
    )
    assert ["jane@example.org", NEW] == [row["username"] for row in states]
    assert all(row["active"] == row["delivered"] for row in states)
