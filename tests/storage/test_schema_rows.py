"""Which rows every installation has, as the other daemons will see them."""

from __future__ import annotations

import pytest

from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.schema import DATABASES, seed_rows
from tests.servers.mariadb import MariaDB
from tests.servers.postgresql import PostgreSQL
from tests.storage.made import in_mariadb, in_postgresql, in_sqlite

EVERYBODY = """
SELECT users.id, users.priority, users.email, users.fullname, policy.id, policy_name,
  spam_lover, virus_lover, banned_files_lover, bad_header_lover, unchecked_lover,
  bypass_virus_checks, bypass_spam_checks, bypass_banned_checks, bypass_header_checks,
  spam_quarantine_to, virus_quarantine_to, banned_quarantine_to, bad_header_quarantine_to,
  clean_quarantine_to, spam_tag2_level
FROM users JOIN policy ON policy.id = users.policy_id
"""

FOUND = (
    *(1, 0, b"@.", None, 1, "@."),
    *("Y", "N", "N", "Y", None),
    *("N", "N", "N", "N"),
    *("", "virus-quarantine", "banned-quarantine", ""),
    *(None, None),
)

GREYLISTING = "SELECT account, priority, sender, sender_priority, comment, active FROM greylisting"


def test_sqlite_has_a_policy_for_everybody() -> None:
    with in_sqlite("amavisd") as connection:
        found = connection.execute(EVERYBODY).fetchall()

    assert [FOUND] == found


def test_postgresql_has_a_policy_for_everybody(postgresql_server: PostgreSQL) -> None:
    with in_postgresql("amavisd", postgresql_server) as connection:
        found = connection.execute(EVERYBODY).fetchall()

    assert [FOUND] == found


def test_mariadb_has_a_policy_for_everybody(mariadb_server: MariaDB) -> None:
    with in_mariadb("amavisd", mariadb_server) as connection, connection.cursor() as cursor:
        cursor.execute(EVERYBODY)
        found = cursor.fetchall()

    assert (FOUND,) == found


def test_everybody_is_greylisted() -> None:
    with in_sqlite("iredapd") as connection:
        found = connection.execute(GREYLISTING).fetchall()

    assert [("@.", 0, "@.", 0, "", 1)] == found


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(("name", "rows"), [("vmail", 0), ("iredapd", 1), ("iredadmin", 0)])
def test_nothing_else_is_there_from_the_start(name: str, rows: int, dialect: Dialect) -> None:
    assert rows == len(seed_rows(DATABASES[name], dialect))
