"""A directory that refuses changes of some users, and what happens while many are changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest

from mailwright.app import App
from mailwright.passwords import hash_password
from tests.directory_site import DirectorySite, new_directory_site
from tests.scale.entries import load_domains
from tests.servers.slapd import Slapd

# More than two pages of the default size; `make test` has to stay quick.
USERS = int(os.environ.get("MAILWRIGHT_TEST_USERS", "1200"))
DOMAIN = "many.test"
_ROBOT = "\nobjectclass ( 2.25.7 NAME 'robot' SUP top AUXILIARY MAY description )\n"
_RULES = "# The first rule that names an entry and an attribute decides"


class Picky(Slapd):
    """Lets nobody but the root change a user whose name ends in 7; has a class of robots."""

    def __init__(self) -> None:
        super().__init__()
        text = self._config.read_text()
        assert text.count(_RULES) == 1
        refusal = (
            f'access to dn.regex="^mail=u[0-9]*7@[^,]*,ou=Users,"\n'
            f'    by dn.exact="{self.bind_dn}" read\n\n'
        )
        self._config.write_text(text.replace(_RULES, refusal + _RULES))
        self._schema = self.folder / "mailwright.schema"
        self._loose = self._schema.read_text() + _ROBOT
        self._schema.write_text(self._loose)

    def empty(self) -> None:
        """Entries with many indexed values go quicker with the database that holds them."""
        self.stop()
        shutil.rmtree(self._data)
        self._make_data_folder()
        self._schema.write_text(self._loose)
        self.start()
        self.make_base()

    def tighten(self) -> None:
        """From now on a robot needs a description: those without fit the schema no more."""
        self._schema.write_text(self._loose.replace(_ROBOT, _ROBOT.replace("MAY", "MUST")))
        self.restart()


class Meddling:
    """Does something at the moment when the hash of the n-th password is made."""

    def __init__(self, app: App, moments: dict[int, Callable[[], object]]) -> None:
        self.made = 0
        self._moments = moments
        app._hash = self.hash  # type: ignore[assignment]

    def hash(self, password: str) -> str:
        self.made += 1
        self._moments.get(self.made, lambda: None)()
        return hash_password(password)


@pytest.fixture(scope="package")
def picky_server() -> Iterator[Picky]:
    server = Picky()
    try:
        server.start()
        server.make_base()
        yield server
    finally:
        server.remove()


@pytest.fixture
def many(picky_server: Picky, utc: None) -> Iterator[DirectorySite]:  # noqa: ARG001
    """A domain of `USERS` users u0, u1 and so on."""
    picky_server.empty()
    load_domains(picky_server, {DOMAIN: USERS, "other.test": 2})
    with new_directory_site(picky_server) as site:
        yield site
