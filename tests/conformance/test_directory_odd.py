"""Directories that are not as they should be: nothing is lost there, and nothing is closed for ever."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from mailwright.errors import Unavailable
from mailwright.resources import user as users
from mailwright.storage.ldap.acts import Room
from mailwright.storage.ldap.moving import renaming
from mailwright.storage.ldap.steps import Change, Insert, Step
from mailwright.storage.ldap.store import LdapAccountStore
from tests.directory_site import DirectorySite, new_directory_site
from tests.servers.slapd import Slapd, _leaving_out

pytestmark = pytest.mark.openldap

ORG, NET = "example.org", "example.net"
JANE, JOHN, BOB = "jane@example.org", "john@example.org", "bob@example.net"
PASSWORD = "Right-Horse1"


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    """A server of these tests alone: they change its schema and its rules."""
    server = Slapd()
    try:
        server.start()
        server.make_base()
        yield server
    finally:
        server.remove()


@pytest.fixture
def site(server: Slapd, utc: None) -> Iterator[DirectorySite]:  # noqa: ARG001
    """Two domains and three users; Bob forwards to Jane."""
    with new_directory_site(server) as site:
        site.empty()
        for name in (ORG, NET):
            site.create("domain", name, name=name)
        for address in (JANE, JOHN, BOB):
            site.create("user", address, password=PASSWORD)
        site.update("user", BOB, forwarding=f"{BOB},{JANE}")
        yield site


@contextmanager
def changed(server: Slapd, path: Path, text: str) -> Iterator[None]:
    """The server with another text in one of its files."""
    before = path.read_text()
    path.write_text(text)
    server.restart()
    try:
        yield
    finally:
        path.write_text(before)
        server.restart()


@contextmanager
def damaged(site: DirectorySite, *addresses: str) -> Iterator[None]:
    """Users with an attribute that a newer schema does not know: slapd writes them no more."""
    server = site.directory
    for address in addresses:
        server.replace(site.user_dn(address), birthday="1999-12-31")
    schema = server.folder / "mailwright.schema"
    with changed(server, schema, _leaving_out(frozenset({"birthday"}), schema.read_text())):
        yield


def journal(site: DirectorySite) -> list[object]:
    return [row["plan"] for row in site.beside.rows("SELECT plan FROM mailwright_journal")]


# Several values ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Jane New", "Doe, Jane", "doe,  jane", "JANE DOE"])
def test_of_several_names_the_new_one_is_shown(site: DirectorySite, name: str) -> None:
    """It was put behind the others: the answer told another one, and the next change ate that."""
    site.directory.replace(site.user_dn(JANE), cn=["Jane Doe", "Doe, Jane", "Žanéta"])

    site.update("user", JANE, name=name)

    assert site.show("user", JANE)["name"] == name
    kept = {"Doe, Jane", "Žanéta"} - ({"Doe, Jane"} if name.lower().startswith("doe") else set())
    assert site.user(JANE)["cn"] == tuple(sorted({name} | kept))


def test_a_value_that_stands_there_in_capitals_is_no_second_one(site: DirectorySite) -> None:
    """The directory takes both for one, and refused the whole change."""
    site.directory.replace(site.domain_dn(ORG), accountSetting=["disabledUserProfile:BCC", "x:Y"])

    site.update("domain", ORG, disableUserProfile="bcc,relay")

    assert site.domain(ORG)["accountSetting"] == (
        *("disabledUserProfile:BCC", "disabledUserProfile:relay", "x:Y"),
    )


def test_a_new_global_admin_takes_no_grant_from_a_namesake(site: DirectorySite) -> None:
    """The domain lost its admin, who is no mail user, when the mail user of that address rose."""
    namesake = f"mail={JANE},{site.directory.admin_base_dn}"
    site.directory.add(
        namesake, {"objectClass": "mailAdmin", "mail": JANE, "accountStatus": "active"}
    )
    site.directory.replace(site.domain_dn(NET), domainAdmin=JANE)
    try:
        site.update("user", JANE, isGlobalAdmin="yes")

        assert site.user(JANE)["domainGlobalAdmin"] == ("yes",)
        assert site.domain(NET)["domainAdmin"] == (JANE,)
    finally:
        site.directory.delete_tree(namesake)


# Entries that are missing, or cannot be written ----------------------------------------------------


def test_a_domain_without_containers_takes_users_and_a_catch_all(site: DirectorySite) -> None:
    """A new user was told that there is no such account."""
    site.directory.delete_tree(f"ou=Users,{site.domain_dn(NET)}")

    site.create("user", "new@example.net", password=PASSWORD)
    site.directory.delete_tree(f"ou=Users,{site.domain_dn(NET)}")
    site.update("domain", NET, catchall=JANE)

    assert site.entry(f"ou=Users,{site.domain_dn(NET)}") == {
        "objectClass": ("organizationalUnit",),
        "ou": ("Users",),
    }
    assert site.show("domain", NET)["catchall"] == (JANE,)
    assert site.listed("user", NET).records == []


def test_a_damaged_entry_elsewhere_keeps_nobody_from_being_removed(
    site: DirectorySite, caplog: pytest.LogCaptureFixture
) -> None:
    """Jane stayed without a password, and her domain was closed for every change."""
    with damaged(site, BOB), caplog.at_level(logging.WARNING, "mailwright"):
        site.remove("user", JANE)

        assert site.user_dn(JANE) not in site.directory.entries()
        assert site.user(BOB)["mailForwardingAddress"] == (BOB, JANE)
    assert journal(site) == []
    assert [f"{site.user_dn(BOB)} cannot be written" in each for each in caplog.messages] == [True]


def test_a_domain_with_a_damaged_entry_goes_off_and_on(site: DirectorySite) -> None:
    """It went off, said that it had gone off half-way, and never came back."""
    with damaged(site, JOHN):
        site.update("domain", ORG, accountStatus="disabled")

        assert site.domain(ORG)["accountStatus"] == ("disabled",)
        assert site.user(JANE)["domainStatus"] == ("disabled",)

        site.update("domain", ORG, accountStatus="active")

        assert site.domain(ORG)["accountStatus"] == ("active",)
        assert "domainStatus" not in site.user(JANE)
    assert journal(site) == []


def test_an_operation_that_cannot_end_is_not_begun_again_and_again(site: DirectorySite) -> None:
    """Its first steps were repeated by whoever came next, and undid what had been changed since."""
    store = site.app.store
    assert isinstance(store, LdapAccountStore)
    steps: list[Step] = [
        Change(site.domain_dn(ORG), put={"accountStatus": ["disabled"]}),
        Insert(f"ou=Odd,{site.domain_dn(ORG)}", {"objectClass": ["organizationalUnit"]}),
        Insert(f"x=y,{site.domain_dn(ORG)}", {"objectClass": ["organizationalUnit"]}),
    ]
    store.journal.write(ORG, msgspec.json.encode(steps).decode(), 0)

    told = site.app.repair()
    site.update("domain", ORG, accountStatus="active")
    site.update("user", JANE, name="Jane")

    assert told == [f"{ORG}: an interrupted operation cannot end (INVALID_DATA)"]
    assert site.domain(ORG)["accountStatus"] == ("active",)
    assert journal(site) == []


def test_who_gets_the_name_of_somebody_half_moved_gets_no_mail_of_theirs(
    site: DirectorySite,
) -> None:
    """The move was finished under the old domain's lock, and what others forward went to the new Jane."""
    new = "jane@example.net"
    store = site.app.store
    assert isinstance(store, LdapAccountStore)
    with store.session() as accounts:
        accounts.get(users.RESOURCE, JANE, (), lock=True)
        entry = accounts._entries[site.user_dn(JANE)]
        tasks = renaming(accounts.library, users.RESOURCE, JANE, new, entry)
        steps = [task.step for task in tasks if task.step is not None]
        for step in steps[:2]:  # until she has moved
            step.apply(Room(accounts.library))
    store.journal.write(ORG, msgspec.json.encode(steps).decode(), 0)
    site.beside.insert("share_folder", from_user=JOHN, to_user=JANE)
    site.remove("user", new)
    site.create("user", new, password=PASSWORD)

    assert site.app.repair() == [f"{ORG}: an interrupted operation finished"]
    assert site.user(BOB)["mailForwardingAddress"] == (BOB,)
    assert site.beside.rows("SELECT to_user FROM share_folder") == []
    assert journal(site) == []


def test_a_directory_that_hides_its_schema_is_not_taken_for_an_empty_one(
    site: DirectorySite,
) -> None:
    """Every parameter was ignored, with a warning each, and every account looked empty."""
    server = site.directory
    config = server.folder / "slapd.conf"
    hidden = (
        'access to dn.base="cn=Subschema"\n    by * none\naccess to dn.base=""\n    by * read\n'
    )
    text = config.read_text().replace("database mdb\n", f"{hidden}\ndatabase mdb\n", 1)
    other = None
    try:
        with changed(server, config, text):
            other = DirectorySite(site.place)
            with pytest.raises(Unavailable) as caught:
                other.show("user", JANE)
        assert caught.value.code == "NO_SCHEMA"
        assert other.show("user", JANE)["accountStatus"] == "active"
    finally:
        if other is not None:
            other.close()
