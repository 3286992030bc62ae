"""A directory that refuses, hides, is away, hangs or lies: a clear answer, and nothing is lost."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from falcon.testing import Result

from mailwright.errors import Unavailable
from mailwright.settings.sections import Database, Secret
from tests.api.client import Api, api_with
from tests.crash.rules import only_readable
from tests.directory_site import DirectorySite, new_directory_site
from tests.servers.ports import HOST, free_port
from tests.servers.slapd import Slapd
from tests.stores import Row

JANE, JOHN, BOB = "jane@example.org", "john@example.org", "bob@example.net"
ORG, NET = "example.org", "example.net"
ALL = "all@example.org"
SECONDS = 1  # the timeout of servers that do not answer
# What the library or the server would say, and what only the machine's administrators may read.
NOT_FOR_CLIENTS = (
    "LDAP",
    "ldap",
    "Can't",
    "cn=",
    "dc=",
    "insufficient",
    "secret",
    "127.0.0.1",
    "TLS",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    """A server of these tests alone: they stop it under everybody's feet."""
    with started(tls=True) as server:
        yield server


@pytest.fixture(scope="module")
def site_of_its_own(server: Slapd) -> Iterator[DirectorySite]:
    with new_directory_site(server) as site:
        yield site


@pytest.fixture
def site(site_of_its_own: DirectorySite, utc: None) -> DirectorySite:  # noqa: ARG001
    """Two domains, with users who name one another."""
    site_of_its_own.empty()
    fill(site_of_its_own)
    return site_of_its_own


@pytest.fixture
def api(site: DirectorySite) -> Iterator[Api]:
    with client(site) as found:
        yield found


@contextmanager
def started(**how: Any) -> Iterator[Slapd]:
    server = Slapd(**how)
    try:
        server.start()
        server.make_base()
        yield server
    finally:
        server.remove()


def fill(site: DirectorySite) -> None:
    for name in (ORG, NET):
        site.create("domain", name, name="Example")
    for address in (JANE, JOHN, BOB):
        site.create("user", address, password="Right-Horse1", quota="5")
    site.update("user", BOB, forwarding=f"{JANE},{BOB}")
    site.directory.add(
        f"mail={ALL},ou=Groups,{site.domain_dn(ORG)}",
        {"objectClass": "mailList", "mail": ALL, "accountStatus": "active"},
    )


@contextmanager
def client(site: DirectorySite, **ldap: Any) -> Iterator[Api]:
    """A global admin who is logged in; then the directory is reached as `ldap` says."""
    with api_with(site) as here:
        if not here.site.directory.entries(site.directory.admin_base_dn).keys() - {
            site.directory.admin_base_dn.lower()
        }:
            here.add_admin()
        assert here.login().status_code == 200
        with api_with(site, ldap=ldap) if ldap else api_with(site) as there:
            there.cookie = here.cookie
            yield there


def check_failure(result: Result, code: str, status: int = 503) -> None:
    assert (status, code) == (result.status_code, result.json.get("_code")), result.text
    assert result.json["_success"] is False
    assert result.json["_msg"].startswith(f"{code}: ")
    assert [] == [word for word in NOT_FOR_CLIENTS if word in result.text]


def everything(site: DirectorySite) -> Mapping[str, Row]:
    found = site.snapshot("vmail", "iredadmin")
    return {name: row for name, row in found.items() if not name.startswith(("log", "mailwright_"))}


def journal(site: DirectorySite) -> list[Row]:
    return site.raw["iredadmin"].rows("SELECT * FROM mailwright_journal")


# A limit of the server -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def limited() -> Iterator[DirectorySite]:
    """A server that shows Mailwright ten entries of a search, and a domain of thirty users."""
    with started(size_limit=10) as server, new_directory_site(server) as site:
        fill(site)
        values = server.entry(site.user_dn(JOHN))
        for number in range(30):
            address = f"user{number}@example.org"
            server.add(
                site.user_dn(address),
                {**values, "mail": address, "homeDirectory": f"/var/vmail/{number}/"},
            )
        yield site


@pytest.fixture
def limited_api(limited: DirectorySite, utc: None) -> Iterator[Api]:  # noqa: ARG001
    with client(limited) as api:
        yield api


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("GET", f"/api/users/{ORG}", ""),
        ("GET", f"/api/domain/{ORG}", ""),
        ("DELETE", f"/api/domain/{ORG}", ""),
        ("PUT", f"/api/domain/{ORG}", "accountStatus=disabled"),
        ("PUT", f"/api/users/{ORG}", "accountStatus=disabled"),
    ],
)
def test_what_needs_more_than_the_server_shows_is_refused_before_it_begins(
    limited: DirectorySite, limited_api: Api, method: str, path: str, form: str
) -> None:
    """A removal noted the mailboxes that it could see, and they would have been erased one day."""
    before = everything(limited)
    result = limited_api.call(method, path, form)

    check_failure(result, "SIZE_LIMIT_EXCEEDED")
    assert before == everything(limited)
    assert journal(limited) == []


def test_a_change_of_all_tells_how_far_it_came(limited: DirectorySite) -> None:
    before = everything(limited)
    with client(limited, page_size=5) as api:
        result = api.call("PUT", f"/api/users/{ORG}", "language=de_DE")

    changed = [
        dn
        for dn, row in everything(limited).items()
        if row.get("preferredLanguage") != before[dn].get("preferredLanguage")
    ]
    assert len(changed) == 10
    check_failure(result, "PARTLY_DONE")
    assert result.json["_data"]["changed"] == 10, result.text


def test_single_accounts_do_not_mind_the_limit(limited: DirectorySite, limited_api: Api) -> None:
    new = f"/api/user/new@{ORG}"

    assert limited_api.call("POST", new, "password=Test-Pass1").status_code == 201
    assert limited_api.call("GET", new).status_code == 200
    assert limited_api.call("PUT", new, f"name=New&addAlias=newer@{ORG}").status_code == 200
    assert limited.user(f"new@{ORG}")["shadowAddress"] == (f"newer@{ORG}",)
    assert limited_api.call("DELETE", new).status_code == 200
    assert limited_api.call("PUT", f"/api/domain/{ORG}", "name=Big").status_code == 200


# A replica -------------------------------------------------------------------------------------


def test_a_replica_refers_to_its_master(utc: None) -> None:  # noqa: ARG001
    """Nothing is written and nothing stays in the journal, whatever the operation would have done."""
    with (
        started(read_only_with_referral="ldap://master.test") as server,
        new_directory_site(server) as site,
    ):
        server.add(
            site.domain_dn(ORG),
            {
                "objectClass": "mailDomain",
                "domainName": ORG,
                "accountStatus": "active",
                "enabledService": "mail",
            },
        )
        for name in ("Users", "Groups", "Aliases", "Externals"):
            server.add(
                f"ou={name},{site.domain_dn(ORG)}",
                {"objectClass": "organizationalUnit", "ou": name},
            )
        with client(site) as api:
            before = everything(site)
            asked = [
                ("POST", f"/api/user/{JANE}", "password=Test-Pass1"),
                ("PUT", f"/api/domain/{ORG}", "name=New"),
                ("PUT", f"/api/domain/{ORG}", "name=New&catchall=archive@elsewhere.test"),
                ("PUT", f"/api/domain/{ORG}", "accountStatus=disabled"),
                ("DELETE", f"/api/domain/{ORG}", ""),
                ("POST", "/api/domain/new.test", "name=New"),
            ]
            for method, path, form in asked:
                check_failure(api.call(method, path, form), "REFERRAL")

                assert everything(site) == before
                assert journal(site) == []
            assert api.call("GET", f"/api/domain/{ORG}").status_code == 200


# A server that is away --------------------------------------------------------------------------


def test_a_server_that_is_down_is_said_quickly_and_comes_back_by_itself(
    site: DirectorySite, api: Api
) -> None:
    assert api.call("GET", "/readyz").status_code == 200
    site.directory.stop()
    try:
        begun = time.monotonic()
        for method, path, form in (
            ("GET", f"/api/user/{JANE}", ""),
            ("GET", f"/api/users/{ORG}", ""),
            ("PUT", f"/api/user/{JANE}", "name=Jane"),
            ("POST", f"/api/user/new@{ORG}", "password=Test-Pass1"),
            ("DELETE", f"/api/user/{JANE}", ""),
        ):
            check_failure(api.call(method, path, form), "SERVER_DOWN")
        ready = api.call("GET", "/readyz")

        assert time.monotonic() - begun < 5
        assert ready.status_code == 503
        assert "directory" in ready.text
    finally:
        site.directory.start()
    assert api.call("GET", "/readyz").status_code == 200
    assert api.call("PUT", f"/api/user/{JANE}", "name=Jane").status_code == 200
    assert journal(site) == []


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_restart_between_requests_costs_none(site: DirectorySite, api: Api, how: str) -> None:
    """The connections of the pool are dead, and only the first use of each shows it."""
    new = f"/api/user/new@{ORG}"
    asked = [
        ("GET", f"/api/user/{JANE}", "", 200),
        ("PUT", f"/api/user/{JANE}", "name=Anew", 200),
        ("POST", new, "password=Test-Pass1", 201),
        ("PUT", f"/api/domain/{ORG}", f"catchall={BOB}&name=New", 200),
        ("PUT", f"/api/users/{ORG}", "language=de_DE", 200),
        ("DELETE", new, "", 200),
        ("GET", f"/api/users/{ORG}", "", 200),
    ]
    for method, path, form, status in asked:
        if how == "killed":
            site.directory.kill()
            site.directory.start()
        else:
            site.directory.restart()
        result = api.call(method, path, form)

        assert status == result.status_code, result.text


def test_a_server_that_dies_in_the_middle_loses_nothing(site: DirectorySite) -> None:
    """Whatever was answered with success is there, and what was not is whole or absent."""
    done: list[str] = []
    codes: set[str] = set()
    over = threading.Event()

    def work(first: int) -> None:
        number = first
        while not over.is_set():
            address = f"user{number}@{ORG}"
            number += 1
            try:
                site.create("user", address, password="Right-Horse1")
                site.update("user", BOB, addAlias=f"b{number}@{NET}")
            except Unavailable as error:
                codes.add(error.code)
            else:
                done.append(address)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 10_000)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        reached = len(done) + 5
        while len(done) < reached:
            time.sleep(0.01)
        site.directory.kill()
        site.directory.start()
    over.set()
    for thread in threads:
        thread.join()

    assert codes <= {"SERVER_DOWN", "PARTLY_DONE", "BUSY"}
    for address in done:
        assert site.user(address)["accountStatus"] == ("active",)
    assert site.app.repair() == []
    assert journal(site) == []


@contextmanager
def hanging() -> Iterator[str]:
    """The address of somebody who takes connections and says nothing."""
    with socket.create_server((HOST, 0), backlog=50) as listener:
        yield f"ldap://{HOST}:{listener.getsockname()[1]}"


@pytest.mark.parametrize("start_tls", [False, True])
def test_a_server_that_hangs_is_given_up_in_time(site: DirectorySite, start_tls: bool) -> None:  # noqa: FBT001
    with (
        hanging() as uri,
        client(site, uri=uri, timeout_seconds=SECONDS, start_tls=start_tls) as api,
    ):
        begun = time.monotonic()
        result = api.call("GET", f"/api/user/{JANE}")

        assert SECONDS * 0.8 <= time.monotonic() - begun < SECONDS * 2
        check_failure(result, "SERVER_DOWN")


def test_a_server_that_begins_to_hang_is_given_up_in_time(site: DirectorySite) -> None:
    """A read was asked again on a new connection, and waited for both."""
    with client(site, timeout_seconds=SECONDS) as api:
        assert api.call("GET", f"/api/user/{JANE}").status_code == 200
        os.kill(site.directory._process.pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            result = api.call("GET", f"/api/user/{JANE}")
            took = time.monotonic() - begun
        finally:
            os.kill(site.directory._process.pid, signal.SIGCONT)

        assert took < SECONDS * 1.8
        check_failure(result, "SERVER_DOWN")
        assert api.call("GET", f"/api/user/{JANE}").status_code == 200


# Who may in, and what is there --------------------------------------------------------------------


def test_a_wrong_password_is_told_and_not_shown(
    site: DirectorySite, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with client(site, bind_password=Secret("wrong-geheim")) as api:
        result = api.call("GET", f"/api/user/{JANE}")

        check_failure(result, "BIND_REFUSED")
        assert "geheim" not in result.text
        assert api.call("GET", "/readyz").status_code == 503
    assert "geheim" not in caplog.text


def test_a_missing_base_is_said(site: DirectorySite) -> None:
    """A list of no domains would look like a server that has none."""
    with client(site, base_dn="o=nowhere,dc=example,dc=test") as api:
        assert api.call("GET", "/readyz").status_code == 503
        check_failure(api.call("GET", "/api/domains"), "NO_BASE_ENTRY")
        check_failure(api.call("POST", "/api/domain/new.test", "name=New"), "NO_BASE_ENTRY")


def test_a_creation_that_is_refused_half_way_is_taken_back(site: DirectorySite, api: Api) -> None:
    """The user stayed without the lists, and every next one did too."""
    site.directory.replace(site.domain_dn(ORG), accountSetting=f"defaultList:{ALL}")
    before = everything(site)
    with only_readable(site.directory, f"mail={ALL},ou=Groups,{site.domain_dn(ORG)}"):
        result = api.call("POST", f"/api/user/new@{ORG}", "password=Test-Pass1")

    check_failure(result, "DIRECTORY_REFUSED")
    assert before == everything(site)
    assert journal(site) == []


def test_a_removal_that_is_refused_at_once_has_not_begun(site: DirectorySite, api: Api) -> None:
    """It was told as partly done, and its mailbox stayed noted for a job to erase."""
    before = everything(site)
    with only_readable(site.directory, site.user_dn(JANE)):
        result = api.call("DELETE", f"/api/user/{JANE}")

    check_failure(result, "DIRECTORY_REFUSED")
    assert before == everything(site)
    assert journal(site) == []


def test_a_removal_that_is_refused_half_way_is_made_up_for(site: DirectorySite, api: Api) -> None:
    with only_readable(site.directory, site.user_dn(BOB)):
        check_failure(api.call("DELETE", f"/api/user/{JANE}"), "PARTLY_DONE")
        # Her password is gone, and nobody changes the domain before she is too.
        assert "userPassword" not in site.user(JANE)
        check_failure(api.call("PUT", f"/api/user/{JOHN}", "name=J"), "DIRECTORY_REFUSED")
        assert site.app.repair() == [
            f"{ORG}: an interrupted operation stays for now (DIRECTORY_REFUSED)"
        ]

    assert api.call("PUT", f"/api/user/{JOHN}", "name=J").status_code == 200
    assert api.call("GET", f"/api/user/{JANE}").status_code == 404
    assert site.user(BOB)["mailForwardingAddress"] == (BOB,)
    assert journal(site) == []


def test_a_change_of_a_whole_domain_that_is_refused_half_way_is_made_up_for(
    site: DirectorySite, api: Api
) -> None:
    """Enabling failed in its first step, after a few accounts, and was forgotten."""
    site.update("domain", ORG, accountStatus="disabled")
    with only_readable(site.directory, site.user_dn(JOHN)):
        check_failure(api.call("PUT", f"/api/domain/{ORG}", "accountStatus=active"), "PARTLY_DONE")
        assert site.domain(ORG)["accountStatus"] == ("disabled",)
    site.app.repair()

    assert site.domain(ORG)["accountStatus"] == ("active",)
    assert [] == [dn for dn, row in everything(site).items() if "domainStatus" in row]


# TLS ----------------------------------------------------------------------------------------------


def test_tls_with_the_right_authority_works(site: DirectorySite) -> None:
    server = site.directory
    for ldap in (
        {"uri": server.tls_uri, "ca_file": str(server.ca_file)},
        {"start_tls": True, "ca_file": str(server.ca_file)},
    ):
        with client(site, **ldap) as api:
            assert api.call("GET", f"/api/user/{JANE}").status_code == 200


def test_tls_refuses_strangers_and_servers_without(site: DirectorySite) -> None:
    with started(tls=True) as other, started() as plain:
        refused = [
            {"uri": site.directory.tls_uri, "ca_file": str(other.ca_file)},
            {"uri": site.directory.tls_uri},
            {"start_tls": True, "ca_file": str(other.ca_file)},
            {"start_tls": True},
            {"uri": plain.uri, "start_tls": True, "ca_file": str(plain.ca_file)},
            {"uri": plain.uri.replace("ldap:", "ldaps:"), "timeout_seconds": SECONDS},
        ]
        for ldap in refused:
            with client(site, **ldap) as api:
                result = api.call("GET", f"/api/user/{JANE}")

                assert result.status_code == 503, (ldap, result.text)
                assert result.json["_code"] in {"SERVER_DOWN", "ERROR_WHILE_QUERYING_DIRECTORY"}
                assert [] == [word for word in NOT_FOR_CLIENTS if word in result.text]


# The database beside it ---------------------------------------------------------------------------


def test_without_the_database_beside_it_nothing_is_written(site: DirectorySite) -> None:
    """Locks and journal are there, so there is no change without them."""
    before = everything(site)
    nowhere = Database(host=HOST, port=free_port(), name="iredadmin", user="nobody")
    other = site.with_settings(ldap={"sql_backend": "postgresql"}, databases={"iredadmin": nowhere})
    attempts: list[Callable[[], object]] = [
        lambda: other.create("user", f"new@{ORG}", password="Right-Horse1"),
        lambda: other.update("user", JANE, name="Jane"),
        lambda: other.update("domain", ORG, accountStatus="disabled"),
        lambda: other.remove("user", JANE),
        lambda: other.remove("domain", ORG),
    ]
    try:
        for attempt in attempts:
            with pytest.raises(Unavailable) as caught:
                attempt()

            assert caught.value.code == "SERVER_DOWN"
            assert before == everything(site)
    finally:
        other.close()
