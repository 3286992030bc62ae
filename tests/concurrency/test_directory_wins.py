"""Fifty ask a directory at once for what only one can have, with the locks in each SQL engine beside it.

As `test_only_one_wins.py`, and besides: several processes, and other programs that know no lock of ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mailwright.app import ACCOUNTS
from mailwright.authz import Actor, Role
from mailwright.errors import Exists
from mailwright.resources import operations
from mailwright.settings import Settings
from mailwright.settings.sections import Database, Databases
from mailwright.storage.ldap.connections import Connection
from mailwright.storage.sql.dialect import Dialect
from tests.concurrency.test_only_one_wins import PASSWORD, RACES, THREADS, WON, race
from tests.directory_site import BESIDE, DirectoryPlace, DirectorySite
from tests.servers.process import make_folder, remove
from tests.servers.slapd import Slapd
from tests.stores import Place, Raw

ROOT = Path(__file__).parents[2]
PROCESSES = 5
ORG = "example.org"
LOCKS = (
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgresql),
    pytest.param("mariadb", id="mariadb", marks=pytest.mark.mariadb),
)

COUNTED = ("usedQuotaBytes", "usedQuotaMessages", "lastLoginImap", "lastLoginPop3")
Operation = tuple[str, str, str, dict[str, str]]


class PlaceWithServer(DirectoryPlace):
    """A directory with the databases beside it on a server."""

    def __init__(self, directory: Slapd, folder: Path, engine: str, server: Any) -> None:
        super().__init__(directory, folder)
        self.dialect = Dialect.POSTGRESQL if engine == "postgresql" else Dialect.MYSQL
        self.server = server
        self.prefix = "race"

    def settings(self) -> Settings:
        found = super().settings()
        databases = {
            name: Database(
                name=f"{self.prefix}_{name}",
                user=self.server.superuser,
                host=self.server.host,
                port=self.server.port,
            )
            for name in BESIDE
        }
        return msgspec.structs.replace(
            found,
            ldap=msgspec.structs.replace(found.ldap, sql_backend=self.dialect.value),
            databases=Databases(**databases),
        )

    def open(self, name: str) -> Raw:
        return Place(self.engine, self.dialect, None, self.server, self.prefix).open(name)


@pytest.fixture(scope="module", params=LOCKS)
def racing_site(request: pytest.FixtureRequest, openldap_server: Slapd) -> Iterator[DirectorySite]:
    folder = make_folder("race")
    if request.param == "sqlite":
        place = DirectoryPlace(openldap_server, folder)
        for name in BESIDE:
            (folder / f"{name}.db").touch()
    else:
        server = request.getfixturevalue(f"{request.param}_server")
        place = PlaceWithServer(openldap_server, folder, request.param, server)
        for name in BESIDE:
            server.create_database(f"race_{name}")
    site = DirectorySite(place)
    try:
        site.create_tables()
        yield site
    finally:
        site.close()
        remove(folder)


@pytest.fixture
def start(racing_site: DirectorySite, utc: None) -> DirectorySite:  # noqa: ARG001
    """One domain and an alias of it."""
    racing_site.empty()
    racing_site.create("domain", ORG, name="Example")
    racing_site.directory.replace(
        racing_site.domain_dn(ORG),
        domainAliasName="example.com",
        enabledService=["mail", "domainalias"],
    )
    return racing_site


def users(site: DirectorySite) -> list[str]:
    return [
        row["mail"][0]
        for row in site.snapshot().values()
        if "mailUser" in row["objectClass"] and row["mail"]
    ]


def nothing_is_left(site: DirectorySite) -> None:
    assert site.raw["iredadmin"].rows("SELECT * FROM mailwright_journal") == []


def race_of_processes(site: DirectorySite, operations: Sequence[Operation]) -> Counter[str]:
    """The operations in the threads of several processes."""
    settings = site.app.settings
    names = ("uri", "base_dn", "admin_base_dn", "bind_dn", "sql_backend")
    server = {name: getattr(settings.ldap, name) for name in names}
    order = {
        "folder": str(site.place.folder),
        "ldap": {**server, "bind_password": site.directory.bind_password},
    }
    if site.dialect is not Dialect.SQLITE:
        order["databases"] = {
            name: {
                key: getattr(getattr(settings.databases, name), key)
                for key in ("host", "port", "name", "user")
            }
            for name in BESIDE
        }
    racers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.concurrency.racer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for _ in range(PROCESSES)
    ]
    outcomes: list[str] = []
    for number, racer in enumerate(racers):
        assert racer.stdin is not None
        some = list(operations[number::PROCESSES])
        racer.stdin.write(json.dumps({**order, "operations": some}) + "\n")
        racer.stdin.flush()
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    for racer in racers:
        with racer:
            assert racer.stdout is not None
            outcomes += json.loads(racer.stdout.readline())
    return Counter(outcomes)


@pytest.mark.parametrize("_round", range(RACES))
def test_the_last_seat_of_an_admin(start: DirectorySite, _round: int) -> None:
    """The limit is shared by two domains, each with a lock of its own."""
    manager = "manager@mailwright.internal"
    actor = Actor(manager, Role.DOMAIN_ADMIN, "192.0.2.7")
    start.create("domain", "example.net", name="Second")
    start.create("admin", manager, password=PASSWORD, maxUsers="1", maxDomains="1")
    for domain in (ORG, "example.net"):
        start.directory.replace(start.domain_dn(domain), domainAdmin=manager)

    def create(key: str) -> None:
        form = {"password": [PASSWORD]}
        start.app.run(actor, lambda work: operations.create(work, ACCOUNTS["user"], key, form))

    outcomes = race(
        [
            lambda n=number: create(f"new{n}@{(ORG, 'example.net')[n % 2]}")
            for number in range(THREADS)
        ]
    )

    assert outcomes == {WON: 1, "EXCEED_LIMIT_USERS": THREADS - 1}
    assert len(users(start)) == 1
    nothing_is_left(start)


@pytest.mark.parametrize("_round", range(RACES))
def test_the_last_seat(start: DirectorySite, _round: int) -> None:
    start.update("domain", ORG, numberOfUsers="1")

    outcomes = race(
        [
            lambda n=number: start.create("user", f"new{n}@example.org", password=PASSWORD)
            for number in range(THREADS)
        ]
    )

    assert outcomes == {WON: 1, "EXCEEDED_DOMAIN_ACCOUNT_LIMIT": THREADS - 1}
    assert len(users(start)) == 1
    nothing_is_left(start)


def test_the_last_seat_for_several_processes(start: DirectorySite) -> None:
    start.update("domain", ORG, numberOfUsers="1")

    outcomes = race_of_processes(
        start,
        [
            ("create", "user", f"new{number}@example.org", {"password": PASSWORD})
            for number in range(THREADS)
        ],
    )

    assert outcomes == {WON: 1, "EXCEEDED_DOMAIN_ACCOUNT_LIMIT": THREADS - 1}
    assert len(users(start)) == 1


@pytest.mark.parametrize("_round", range(RACES))
def test_the_last_megabytes(start: DirectorySite, _round: int) -> None:
    """Half of the threads make a user, the others enlarge one."""
    half = THREADS // 2
    for number in range(half):
        start.create("user", f"old{number}@example.org", password=PASSWORD, quota="1")
    start.update("domain", ORG, quota=str(half + 10))

    outcomes = race(
        [
            *(
                lambda n=number: start.create(
                    "user", f"new{n}@example.org", password=PASSWORD, quota="10"
                )
                for number in range(half)
            ),
            *(
                lambda n=number: start.update("user", f"old{n}@example.org", quota="11")
                for number in range(half)
            ),
        ]
    )

    assert outcomes == {WON: 1, "EXCEEDED_DOMAIN_QUOTA_SIZE": THREADS - 1}
    assert start.show("domain", ORG)["allocatedQuota"] == half + 10


@pytest.mark.parametrize("wanted", ["same@example.org", "same@example.com"])
def test_one_address_for_a_user_and_for_aliases(start: DirectorySite, wanted: str) -> None:
    """Whether as a user or as a further address of one, in the domain or in an alias of it."""
    holders = [f"holder{number}@example.org" for number in range(10)]
    for holder in holders:
        start.create("user", holder, password=PASSWORD)

    outcomes = race(
        [
            *(
                lambda h=holder: start.update("user", h, addAlias=wanted)
                for holder in holders
                for _ in range(2)
            ),
            *(
                lambda: start.create("user", "same@example.org", password=PASSWORD)
                for _ in range(THREADS - 20)
            ),
        ]
    )

    having = [
        dn
        for dn, row in start.snapshot().items()
        if wanted in (*row.get("mail", ()), *row.get("shadowAddress", ()))
    ]
    assert len(having) == 1, outcomes
    assert set(outcomes) <= {WON, "ALREADY_EXISTS"}
    nothing_is_left(start)


@pytest.mark.parametrize("_round", range(RACES))
def test_one_name_for_domains(start: DirectorySite, _round: int) -> None:
    outcomes = race([lambda: start.create("domain", "same.test", name="Same")] * THREADS)

    assert outcomes == {WON: 1, "ALREADY_EXISTS": THREADS - 1}
    assert start.domain("same.test")["accountStatus"] == ("active",)
    nothing_is_left(start)


def test_one_name_for_domains_of_several_processes(start: DirectorySite) -> None:
    outcomes = race_of_processes(
        start, [("create", "domain", "same.test", {"name": "S"})] * THREADS
    )

    assert outcomes == {WON: 1, "ALREADY_EXISTS": THREADS - 1}
    assert start.domain("same.test")["accountStatus"] == ("active",)


@pytest.mark.parametrize("_round", range(RACES))
def test_nobodys_change_of_one_user_is_lost(start: DirectorySite, _round: int) -> None:
    start.create("user", "jane@example.org", password=PASSWORD)
    forms = [
        {"name": "Jane"},
        {"quota": "7"},
        {"language": "de_DE"},
        {"employeeid": "E-1"},
        {"accountStatus": "disabled"},
        {"forwarding": "jane@example.org,copy@elsewhere.test"},
        *({"addAlias": f"j{number}@example.org"} for number in range(30)),
        *({"addService": f"custom{number}"} for number in range(14)),
    ]

    outcomes = race([lambda f=form: start.update("user", "jane@example.org", f) for form in forms])

    assert outcomes == {WON: THREADS}
    jane = start.show("user", "jane@example.org")
    assert (jane["name"], jane["quota"], jane["language"]) == ("Jane", 7, "de_DE")
    assert (jane["employeeid"], jane["accountStatus"]) == ("E-1", "disabled")
    assert set(jane["forwarding"]) == {"jane@example.org", "copy@elsewhere.test"}
    assert {f"j{number}@example.org" for number in range(30)} <= set(jane["aliases"])
    assert {f"custom{number}" for number in range(14)} <= set(jane["services"])


def test_changes_by_another_program_at_the_same_time_are_not_lost(start: DirectorySite) -> None:
    """It knows no lock of ours: whoever finds the entry changed reads it again."""
    start.create("user", "jane@example.org", password=PASSWORD)
    dn = start.user_dn("jane@example.org")

    def foreign(number: int) -> None:
        with start.directory.connect() as connection:
            connection.modify_s(dn, [(0, "mailForwardingAddress", [f"f{number}@x.test".encode()])])

    outcomes = race(
        [
            *(lambda n=number: foreign(n) for number in range(10)),
            *(
                lambda n=number: start.update(
                    "user", "jane@example.org", addAlias=f"j{n}@example.org"
                )
                for number in range(10)
            ),
        ]
    )

    assert outcomes == {WON: 20}
    jane = start.user("jane@example.org")
    assert {f"j{number}@example.org" for number in range(10)} <= set(jane["shadowAddress"])
    assert {f"f{number}@x.test" for number in range(10)} <= set(jane["mailForwardingAddress"])


@pytest.mark.parametrize("_round", range(RACES))
def test_a_change_and_a_removal_at_once(start: DirectorySite, _round: int) -> None:
    """Two removals noted the account at once, and one was told ALREADY_EXISTS."""
    start.create("user", "jane@example.org", password=PASSWORD)

    outcomes = race(
        [
            *[lambda: start.update("user", "jane@example.org", quota="7", name="J")] * 10,
            *[lambda: start.remove("user", "jane@example.org")] * 10,
        ]
    )

    assert set(outcomes) <= {WON, "NO_SUCH_ACCOUNT"}
    assert outcomes[WON] >= 1
    assert users(start) == []
    nothing_is_left(start)


def test_a_user_and_the_removal_of_its_domain_at_once(start: DirectorySite) -> None:
    outcomes = race(
        [
            *(
                lambda n=number: start.create("user", f"new{n}@example.org", password=PASSWORD)
                for number in range(10)
            ),
            lambda: start.remove("domain", ORG),
        ]
    )

    assert set(outcomes) <= {WON, "NO_SUCH_DOMAIN"}
    assert [dn for dn in start.snapshot() if "example.org" in dn] == []
    nothing_is_left(start)


def test_one_global_admin_remains(start: DirectorySite) -> None:
    """Each is demoted, disabled or removed while the others are."""
    admins = [f"admin{number}@example.org" for number in range(9)]
    for admin in admins:
        start.create("user", admin, password=PASSWORD)
        start.update("user", admin, isGlobalAdmin="yes")
    ways: list[Callable[[str], object]] = [
        lambda admin: start.update("user", admin, isGlobalAdmin="no"),
        lambda admin: start.update("user", admin, accountStatus="disabled"),
        lambda admin: start.remove("user", admin),
    ]

    outcomes = race(
        [lambda a=admin, w=ways[number % 3]: w(a) for number, admin in enumerate(admins)]
    )

    assert outcomes == {WON: len(admins) - 1, "NOT_ALLOWED": 1}
    with start.app.store.session() as accounts:
        assert len(accounts.global_admins()) == 1


# Another program between our look and our write ------------------------------------------------


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], None]:
    """Have something done right before our next write of a kind."""

    def arrange(name: str, action: Callable[[], object]) -> None:
        genuine = getattr(Connection, name)

        def first(connection: Connection, *args: Any) -> None:
            monkeypatch.setattr(Connection, name, genuine)
            action()
            genuine(connection, *args)

        monkeypatch.setattr(Connection, name, first)

    return arrange


def add_alias(site: DirectorySite, address: str) -> None:
    """By another program, in another part of the domain."""
    site.directory.add(
        f"mail={address},ou=Aliases,{site.domain_dn(ORG)}",
        {"objectClass": "mailAlias", "mail": address, "accountStatus": "active"},
    )


def test_a_new_user_gives_way_to_another_programs_alias(
    start: DirectorySite, meanwhile: Callable[[str, Callable[[], object]], None]
) -> None:
    """The user was taken back, but stayed in the lists that new users join."""
    for branch, kind in (("Groups", "mailList"), ("Aliases", "mailAlias")):
        group = f"{branch.lower()}@example.org"
        start.directory.add(
            f"mail={group},ou={branch},{start.domain_dn(ORG)}",
            {"objectClass": kind, "mail": group, "accountStatus": "active"},
        )
    start.directory.replace(
        start.domain_dn(ORG), accountSetting="defaultList:groups@example.org,aliases@example.org"
    )
    add_alias(start, "same@example.org")
    start.directory.replace(
        start.domain_dn(ORG), domainCurrentUserNumber="0", domainCurrentQuotaSize="0"
    )
    wanted = start.snapshot()
    start.directory.delete_tree(f"mail=same@example.org,ou=Aliases,{start.domain_dn(ORG)}")
    meanwhile("add", lambda: add_alias(start, "same@example.org"))
    with pytest.raises(Exists) as caught:
        start.create("user", "same@example.org", password=PASSWORD)

    assert caught.value.code == "ALREADY_EXISTS"
    assert start.snapshot() == wanted
    nothing_is_left(start)


def test_a_further_address_gives_way_to_another_programs_alias(
    start: DirectorySite, meanwhile: Callable[[str, Callable[[], object]], None]
) -> None:
    start.create("user", "jane@example.org", password=PASSWORD)
    before = start.user("jane@example.org")
    meanwhile("modify", lambda: add_alias(start, "same@example.org"))
    with pytest.raises(Exists):
        start.update("user", "jane@example.org", addAlias="same@example.org")

    assert start.user("jane@example.org") == before


def test_a_new_domain_gives_way_to_another_programs_alias_domain(
    start: DirectorySite, meanwhile: Callable[[str, Callable[[], object]], None]
) -> None:
    names = ["example.com", "same.test"]
    meanwhile("add", lambda: start.directory.replace(start.domain_dn(ORG), domainAliasName=names))
    with pytest.raises(Exists):
        start.create("domain", "same.test", name="Same")

    assert [dn for dn in start.snapshot() if "same.test" in dn] == []
    nothing_is_left(start)


def test_a_user_made_by_another_program_at_the_same_time_stays_its_own(
    start: DirectorySite, meanwhile: Callable[[str, Callable[[], object]], None]
) -> None:
    start.create("user", "model@example.org", password=PASSWORD)
    values = start.directory.entry(start.user_dn("model@example.org"))
    dn = start.user_dn("same@example.org")
    meanwhile(
        "add", lambda: start.directory.add(dn, {**values, "mail": "same@example.org", "cn": "Own"})
    )
    with pytest.raises(Exists):
        start.create("user", "same@example.org", password=PASSWORD)

    assert start.user("same@example.org")["cn"] == ("Own",)


def test_a_user_made_anew_before_its_removal_begins_is_removed_as_what_it_is_then(
    start: DirectorySite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its entry was another one than the one that had been read, which was an unknown error."""
    start.create("user", "jane@example.org", password=PASSWORD)
    dn = start.user_dn("jane@example.org")
    journal = type(start.app.store.journal)
    genuine = journal.write

    def made_anew(self: Any, subject: str, plan: str, now: int) -> str:
        monkeypatch.setattr(journal, "write", genuine)
        values = start.directory.entry(dn)
        start.directory.delete_tree(dn)
        start.directory.add(dn, {**values, "cn": "Another"})
        return genuine(self, subject, plan, now)

    monkeypatch.setattr(journal, "write", made_anew)
    start.remove("user", "jane@example.org")

    assert users(start) == []
    nothing_is_left(start)


def test_what_is_beside_is_told_whatever_engine_it_is_in(start: DirectorySite) -> None:
    """One statement asks for two tables, with room in each row for the columns of the other."""
    for local in ("jane", "john"):
        start.create("user", f"{local}@{ORG}", password=PASSWORD)
    start.beside.insert("used_quota", username=f"jane@{ORG}", domain=ORG, bytes=7, messages=3)
    start.beside.insert("last_login", username=f"jane@{ORG}", domain=ORG, imap=1_767_323_045)

    shown = [
        tuple(start.show("user", f"{local}@{ORG}")[name] for name in COUNTED)
        for local in ("jane", "john")
    ]

    assert shown == [(7, 3, "2026-01-02T03:04:05Z", ""), (0, 0, "", "")]
