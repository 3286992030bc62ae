"""What the databases do by themselves when a mail server inserts a row."""

from __future__ import annotations

import pytest

from tests.servers.mariadb import MariaDB
from tests.servers.postgresql import PostgreSQL
from tests.storage.made import in_mariadb, in_postgresql, in_sqlite

WITHOUT_EXTENSION = [
    ("ann@example.com", "ann@example.com"),
    ("ann+lists@example.com", "ann@example.com"),
    ("ann+a+b@example.com", "ann@example.com"),
    ("+ann@example.com", "+ann@example.com"),
    ("+ann+b@example.com", "+ann+b@example.com"),
    ("ann@exa+mple.com", "ann@exa+mple.com"),
    ("ann", "ann"),
    ("ann+b", "ann+b"),
    ("änn+b@example.com", "änn@example.com"),
    ("ann+b@c@example.com", "ann@example.com"),
    ("", ""),
]

USERS = [
    ("ann@example.com", "example.com"),
    ('"odd@local"@example.com', "example.com"),
    ("ann@a.ann@a", "a"),
]


@pytest.mark.parametrize(("address", "raw"), WITHOUT_EXTENSION)
def test_sqlite_notes_addresses_without_extension(address: str, raw: str) -> None:
    with in_sqlite("amavisd") as connection:
        connection.execute(
            "INSERT INTO maddr (email, domain) VALUES (?, 'com.example')", (address.encode(),)
        )
        found = connection.execute("SELECT email, email_raw FROM maddr").fetchall()

    assert [(address.encode(), raw)] == found


def test_postgresql_notes_addresses_without_extension(postgresql_server: PostgreSQL) -> None:
    with in_postgresql("amavisd", postgresql_server) as connection:
        for address, _ in WITHOUT_EXTENSION:
            connection.execute(
                "INSERT INTO maddr (email, domain) VALUES (%s, 'com.example')", (address.encode(),)
            )
        found = connection.execute("SELECT email, email_raw FROM maddr ORDER BY id").fetchall()

    assert [(address.encode(), raw) for address, raw in WITHOUT_EXTENSION] == found


def test_postgresql_notes_addresses_that_are_not_utf_8(postgresql_server: PostgreSQL) -> None:
    with in_postgresql("amavisd", postgresql_server) as connection:
        connection.execute(
            "INSERT INTO maddr (email, domain) VALUES (%s, '')", (b"\xe4nn+\x00@example.com",)
        )
        found = connection.execute("SELECT email_raw FROM maddr").fetchall()

    assert [(r"\344nn@example.com",)] == found


def test_mariadb_notes_addresses_without_extension(mariadb_server: MariaDB) -> None:
    with in_mariadb("amavisd", mariadb_server) as connection, connection.cursor() as cursor:
        for address, _ in WITHOUT_EXTENSION:
            cursor.execute(
                "INSERT INTO maddr (email, domain) VALUES (%s, 'com.example')", (address.encode(),)
            )
        cursor.execute("SELECT email, email_raw FROM maddr ORDER BY id")
        found = cursor.fetchall()

    assert tuple((address.encode(), raw.encode()) for address, raw in WITHOUT_EXTENSION) == found


@pytest.mark.parametrize(("user", "domain"), USERS)
def test_sqlite_fills_in_the_domain_of_a_used_quota(user: str, domain: str) -> None:
    with in_sqlite("vmail") as connection:
        connection.execute("INSERT INTO used_quota (username, bytes) VALUES (?, 7)", (user,))
        found = connection.execute("SELECT * FROM used_quota").fetchall()

    assert [(user, 7, 0, domain)] == found


@pytest.mark.parametrize(("user", "domain"), USERS)
def test_mariadb_fills_in_the_domain_of_a_used_quota(
    user: str, domain: str, mariadb_server: MariaDB
) -> None:
    """The statement is Dovecot's."""
    with in_mariadb("vmail", mariadb_server) as connection, connection.cursor() as cursor:
        for octets in (3, 7):
            cursor.execute(
                "INSERT INTO used_quota (bytes, username) VALUES (%s, %s)"
                " ON DUPLICATE KEY UPDATE bytes = VALUES(bytes)",
                (octets, user),
            )
        cursor.execute("SELECT * FROM used_quota")
        found = cursor.fetchall()

    assert ((user, 7, 0, domain),) == found


@pytest.mark.parametrize(("user", "domain"), USERS)
def test_postgresql_adds_an_inserted_used_quota_to_the_known_one(
    user: str, domain: str, postgresql_server: PostgreSQL
) -> None:
    """Dovecot 2.3 inserts what has been added or, with a minus sign, taken away."""
    with in_postgresql("vmail", postgresql_server) as connection:
        for octets, messages in ((100, 2), (50, 1), (-30, -1)):
            connection.execute(
                "INSERT INTO used_quota (bytes, messages, username) VALUES (%s, %s, %s)",
                (octets, messages, user),
            )
        connection.execute("INSERT INTO used_quota (messages, username) VALUES (5, %s)", (user,))
        connection.execute("INSERT INTO used_quota (bytes, username) VALUES (9, 'ben@b')")
        found = connection.execute("SELECT * FROM used_quota ORDER BY bytes DESC").fetchall()

    assert [(user, 120, 7, domain), ("ben@b", 9, 0, "b")] == found
