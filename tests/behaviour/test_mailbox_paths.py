"""Where the mailbox of a user lies whose address somebody had before."""

from __future__ import annotations

import pytest

from tests.stores import Site

USER = "again@example.org"


def path_of(site: Site) -> str:
    shown = site.show("user", USER)
    return f"{shown['storageBaseDirectory']}/{shown['storageNode']}/{shown['maildir']}"


@pytest.mark.parametrize("stamped", [True, False])
def test_a_user_who_comes_back_within_the_second_does_not_get_the_old_mailbox(
    site: Site, *, stamped: bool
) -> None:
    """The clock stands still: the path of the second creation would be that of the first."""
    site.empty()
    again = site.with_settings(accounts={"maildir_append_timestamp": stamped})
    again.create("domain", "example.org", name="Example")
    paths = []
    for _ in range(3):
        again.create("user", USER, password="Right-Horse1")
        paths.append(path_of(again))
        again.remove("user", USER)
    kept = {row["maildir"] for row in again.beside.rows("SELECT maildir FROM deleted_mailboxes")}
    again.create("user", USER, password="Right-Horse1")

    assert len(set(paths)) == 3
    assert kept == set(paths)
    assert path_of(again) not in kept
    again.close()
