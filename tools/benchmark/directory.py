"""A private OpenLDAP filled with accounts, with SQLite beside it, servers on both, and the floor.

The floor is python-ldap alone, asking the directory what one request was seen to ask.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.scale.entries import add_global_admin, load_domains
from tests.servers.ports import free_port
from tests.servers.slapd import Slapd
from tools.benchmark.load import CONNECTIONS
from tools.benchmark.site import ADMIN, PASSWORD, THREADS, WORKERS, Server, serve

from mailwright.app import App
from mailwright.passwords import hash_password
from mailwright.settings import load
from mailwright.storage.sql import setup

ACCOUNTS = 100
RECORDED, RECORDED_DOMAIN = "u1@d1.example", "d1.example"


class DirectorySite:
    """Start with ``with``; everything is gone afterwards.  ``users`` says how many a domain has."""

    def __init__(self, users: Mapping[str, int]) -> None:
        self._users = users

    def __enter__(self) -> Self:
        # What the disk and its file system take is not what is asked here.
        self.directory = Slapd(in_memory=True)
        self.folder = tempfile.TemporaryDirectory(prefix="mailwright-bench-")
        self._log = (Path(self.folder.name) / "log").open("wb")
        self.config = Path(self.folder.name) / "mailwright.toml"
        self.port = free_port()
        self.config.write_text(
            f"[server]\nport = {self.port}\nworkers = {WORKERS}\nthreads = {THREADS}\n"
            f"[api]\nenable_restful_api = true\n"
            f'[storage]\nbackend = "ldap"\nsqlite_directory = "{self.folder.name}"\n'
            f'[ldap]\nuri = "{self.directory.uri}"\n'
            f'base_dn = "{self.directory.base_dn}"\n'
            f'admin_base_dn = "{self.directory.admin_base_dn}"\n'
            f'bind_dn = "{self.directory.bind_dn}"\n'
            f'bind_password = "{self.directory.bind_password}"\n'
        )
        self.config.chmod(0o600)
        try:
            self._fill()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._remove()

    def server(self) -> AbstractContextManager[Server]:
        """The real server with a session; see `serve`."""
        return serve(self.config, self.port, self._log)

    def app(self) -> App:
        """The same in this process; close it."""
        return App(load(self.config, {}))

    def _fill(self) -> None:
        self.directory.start()
        self.directory.make_base()
        add_global_admin(self.directory, ADMIN, hash_password(PASSWORD))
        load_domains(self.directory, self._users)
        app = self.app()
        try:
            setup.create_files(app.databases)
            setup.create_schema(app.databases)
        finally:
            app.close()

    def _remove(self) -> None:
        self.directory.remove()
        self._log.close()
        self.folder.cleanup()


@dataclass(frozen=True)
class _Question:
    """A search as python-ldap was asked for it."""

    base: str
    scope: int
    found_by: str
    attributes: tuple[str, ...] | None

    def about(self, number: int) -> _Question:
        """The same for another account."""
        domain = f"d{number * 7 % ACCOUNTS}.example"

        def renamed(text: str) -> str:
            account = text.replace(RECORDED, f"u{number}@{domain}")
            return account if account != text else text.replace(RECORDED_DOMAIN, domain)

        base = renamed(self.base).replace(f"={RECORDED_DOMAIN},", f"={domain},")
        return _Question(base, self.scope, renamed(self.found_by), self.attributes)


class DirectoryBaseline:
    """As many threads as the server has, each with a connection of its own and other accounts in turn."""

    def __init__(self, site: DirectorySite, cookie: str) -> None:
        self._directory = site.directory
        questions = _recorded(site, cookie)
        self.questions = len(questions)
        self._turns = [[asked.about(number) for asked in questions] for number in range(ACCOUNTS)]

    def per_second(self, seconds: float) -> float:
        """Times per second that the searches of one GET were answered."""
        import ldap

        counts = [0] * CONNECTIONS
        ready = threading.Barrier(CONNECTIONS + 1)
        deadline = [0.0]

        def loop(number: int) -> None:
            connection = ldap.initialize(self._directory.uri)
            connection.simple_bind_s(self._directory.bind_dn, self._directory.bind_password)
            ready.wait()
            while time.monotonic() < deadline[0]:
                for asked in self._turns[(counts[number] + number * 13) % ACCOUNTS]:
                    with suppress(ldap.NO_SUCH_OBJECT):  # the admin is no mail user
                        connection.search_ext_s(
                            asked.base, asked.scope, asked.found_by, asked.attributes
                        )
                counts[number] += 1
            connection.unbind_s()

        threads = [threading.Thread(target=loop, args=(number,)) for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        deadline[0] = time.monotonic() + seconds + 0.2
        ready.wait()
        begun = time.monotonic()
        for thread in threads:
            thread.join()
        return sum(counts) / (time.monotonic() - begun)


def _recorded(site: DirectorySite, cookie: str) -> list[_Question]:
    """Send one GET in this process and keep what it asks the directory."""
    from falcon import testing
    from ldap.ldapobject import SimpleLDAPObject

    from mailwright.http.app import create_wsgi

    app = site.app()
    client = testing.TestClient(create_wsgi(app))
    asked: list[_Question] = []
    genuine = SimpleLDAPObject.search_ext

    def recording(
        self: Any, base: str, scope: int, found_by: str, attributes: Any, *more: Any, **named: Any
    ) -> Any:
        asked.append(_Question(base, scope, found_by, attributes and tuple(attributes)))
        return genuine(self, base, scope, found_by, attributes, *more, **named)

    def send() -> None:
        answer = client.simulate_get(f"/api/user/{RECORDED}", headers={"Cookie": cookie})
        if answer.status_code != 200:
            raise RuntimeError(answer.text)

    send()  # connections, schema and settings are known afterwards
    SimpleLDAPObject.search_ext = recording
    try:
        send()
    finally:
        SimpleLDAPObject.search_ext = genuine
        app.close()
    return asked
