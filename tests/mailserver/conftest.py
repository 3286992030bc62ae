"""One lab for each engine and test process.

`lab` is each of those on SQL in turn, emptied; `lab_of_directory` is the one on OpenLDAP, emptied.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mailwright.storage.sql.dialect import Dialect
from tests.mailserver.database import AccountDatabase
from tests.mailserver.directory import AccountDirectory
from tests.mailserver.lab import Lab
from tests.servers.mariadb import MariaDB
from tests.servers.postgresql import PostgreSQL
from tests.servers.process import make_folder, remove
from tests.servers.slapd import Slapd

NAME = "vmail"


@contextmanager
def _running(accounts: AccountDatabase | AccountDirectory) -> Iterator[Lab]:
    accounts.create_tables()
    lab = Lab(accounts)
    try:
        lab.start()
        yield lab
    finally:
        lab.remove()


@pytest.fixture(scope="session")
def lab_sqlite() -> Iterator[Lab]:
    folder = make_folder("sqlite")
    with _running(AccountDatabase(Dialect.SQLITE, path=folder / "vmail.db")) as lab:
        yield lab
    remove(folder)


@pytest.fixture(scope="session")
def lab_postgresql(postgresql_server: PostgreSQL) -> Iterator[Lab]:
    postgresql_server.create_database(NAME)
    database = AccountDatabase(
        Dialect.POSTGRESQL,
        host=postgresql_server.host,
        port=postgresql_server.port,
        user=postgresql_server.superuser,
        password="unused",
        name=NAME,
    )
    with _running(database) as lab:
        yield lab


@pytest.fixture(scope="session")
def lab_mysql(mariadb_server: MariaDB) -> Iterator[Lab]:
    mariadb_server.create_database(NAME)
    user, password = "vmailadmin", "lab-secret"
    with mariadb_server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            f"GRANT ALL ON {NAME}.* TO '{user}'@'{mariadb_server.host}' IDENTIFIED BY '{password}'"
        )
    database = AccountDatabase(
        Dialect.MYSQL,
        host=mariadb_server.host,
        port=mariadb_server.port,
        user=user,
        password=password,
        name=NAME,
    )
    with _running(database) as lab:
        yield lab


@pytest.fixture(scope="session")
def lab_ldap(openldap_server: Slapd) -> Iterator[Lab]:
    folder = make_folder("sqlite")
    with _running(AccountDirectory(openldap_server, folder / "iredadmin.db")) as lab:
        yield lab
    remove(folder)


@contextmanager
def quiet(lab: Lab) -> Iterator[Lab]:
    """The lab without accounts and mail; nothing may go wrong inside it."""
    lab.empty()
    before = len(lab.complaints())
    yield lab
    assert [] == lab.complaints()[before:]


@pytest.fixture(params=[dialect.value for dialect in Dialect])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    with quiet(request.getfixturevalue(f"lab_{request.param}")) as lab:
        yield lab


@pytest.fixture
def lab_of_directory(lab_ldap: Lab) -> Iterator[Lab]:
    with quiet(lab_ldap) as lab:
        yield lab
