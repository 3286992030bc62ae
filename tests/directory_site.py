"""A site whose accounts are in OpenLDAP; `tests/stores.py` has those whose accounts are in SQL.

`row` and `snapshot` show entries: the name is the DN, each attribute a sorted tuple of texts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mailwright.settings import Settings
from mailwright.settings.sections import Ldap, Secret, Storage
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.schema import BESIDE_LDAP
from tests import rows_as_entries
from tests.servers.process import make_folder, remove
from tests.servers.slapd import Slapd
from tests.stores import Place, Raw, Row, Site

BESIDE = tuple(BESIDE_LDAP)


class DirectoryPlace(Place):
    """A directory, and the other databases in SQLite files or on a server."""

    def __init__(self, directory: Slapd, folder: Path) -> None:
        super().__init__("openldap", Dialect.SQLITE, folder=folder)
        self.directory = directory

    def settings(self) -> Settings:
        server = self.directory
        return Settings(
            storage=Storage(backend="ldap", sqlite_directory=self.folder or Path()),
            ldap=Ldap(
                uri=server.uri,
                base_dn=server.base_dn,
                admin_base_dn=server.admin_base_dn,
                bind_dn=server.bind_dn,
                bind_password=Secret(server.bind_password),
            ),
        )


class DirectorySite(Site):
    """An `App` on a directory, its clock, and a look at every entry."""

    place: DirectoryPlace
    names = BESIDE
    databases = BESIDE_LDAP

    @property
    def directory(self) -> Slapd:
        return self.place.directory

    @property
    def base(self) -> str:
        return self.directory.base_dn

    def empty(self) -> None:
        self.directory.empty()
        super().empty()

    def insert(self, table: str, **row: object) -> None:
        """What such a row of `vmail` means here: an entry, a part of one, or a row beside."""
        if table in self.tables["iredadmin"]:
            self.beside.insert(table, **row)
        else:
            rows_as_entries.insert(self.directory, table, row)

    @property
    def beside(self) -> Raw:
        return self.raw["iredadmin"]

    def go_back(self, rows: Mapping[str, Row]) -> None:
        """The entries of a snapshot; their operational attributes are new."""
        self.directory.empty()
        there = set(self.directory.entries())
        for dn in sorted(rows.keys() - there, key=lambda dn: dn.count(",")):
            self.directory.add(dn, rows[dn])

    def hashes(self, address: str) -> list[str]:
        return list(self.user(address)["userPassword"])

    def dismiss(self, admin: str) -> None:
        self.directory.delete_tree(f"mail={admin},{self.directory.admin_base_dn}")

    def user_dn(self, address: str) -> str:
        domain = address.rpartition("@")[2]
        return f"mail={address},ou=Users,domainName={domain},{self.base}"

    def domain_dn(self, name: str) -> str:
        return f"domainName={name},{self.base}"

    def entry(self, dn: str) -> dict[str, tuple[str, ...]]:
        """The attributes of one entry."""
        return texts_of(self.directory.entry(dn))

    def user(self, address: str) -> dict[str, tuple[str, ...]]:
        return self.entry(self.user_dn(address))

    def domain(self, name: str) -> dict[str, tuple[str, ...]]:
        return self.entry(self.domain_dn(name))

    def snapshot(self, *databases: str) -> dict[str, Row]:
        """Every entry (for `vmail`, or alone), and the rows of databases beside it."""
        found: dict[str, Row] = {}
        if not databases or "vmail" in databases:
            found = {dn: texts_of(entry) for dn, entry in self.directory.entries().items()}
        beside = [name for name in databases if name != "vmail"]
        return {**found, **(super().snapshot(*beside) if beside else {})}


def texts_of(entry: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(sorted(value.decode("utf-8", "backslashreplace") for value in values))
        for name, values in entry.items()
    }


@contextmanager
def new_directory_site(directory: Slapd) -> Iterator[DirectorySite]:
    """An empty directory (see `Slapd.make_base`) and fresh databases beside it."""
    place = DirectoryPlace(directory, make_folder("sqlite"))
    for name in BESIDE:
        assert place.folder is not None
        (place.folder / f"{name}.db").touch()
    site = DirectorySite(place)
    try:
        site.create_tables()
        yield site
    finally:
        site.close()
        assert place.folder is not None
        remove(place.folder)


@pytest.fixture(scope="session")
def site_openldap(openldap_server: Slapd) -> Iterator[DirectorySite]:
    with new_directory_site(openldap_server) as site:
        yield site


@pytest.fixture
def directory_site(site_openldap: DirectorySite, utc: None) -> DirectorySite:  # noqa: ARG001
    """The directory as after an installation."""
    site_openldap.empty()
    return site_openldap
