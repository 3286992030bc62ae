"""Domain admins of both sorts, by session and by token, up to their limits: the same on every backend.

Chance alone rarely gets this far.
"""

from __future__ import annotations

import pytest

from tests.equivalence.client import Client
from tests.equivalence.start import DOMAIN, JANE, JOHN, MANAGER, OTHER, OTHER_DOMAIN, PASSWORD, ROOT
from tests.equivalence.world import TOKENS, Form, World, path

pytestmark = [pytest.mark.postgresql, pytest.mark.mariadb, pytest.mark.openldap]

NEW = "new.test"


@pytest.fixture
def client(world: World) -> Client:
    """Manager and John, who both have a session, and token-1 and token-2."""
    world.restart()
    found = Client(world)
    for domain in (DOMAIN, OTHER_DOMAIN):
        found.ask("PUT", path("domain", "admins", domain), [("addAdmin", JOHN)])
    for admin in (MANAGER, JOHN):
        found.log_in(admin)
        found.ask("POST", TOKENS, [("label", "whole")], admin)
    return found


def outcome(client: Client, method: str, where: str, form: Form, actor: str) -> str:
    seen = client.ask(method, where, form, actor)
    return str(seen.answer.get("_code", seen.status))


def create(client: Client, key: str, actor: str, *more: tuple[str, str]) -> str:
    return outcome(client, "POST", path("user", key), [("password", PASSWORD), *more], actor)


@pytest.mark.parametrize("actor", [MANAGER, "token-1"])
def test_the_users_of_an_admin_are_limited(client: Client, actor: str) -> None:
    client.ask("PUT", path("admin", MANAGER), [("maxUsers", "3")])

    assert "201" == create(client, "third@example.org", actor)
    assert "EXCEED_LIMIT_USERS" == create(client, "fourth@example.org", actor)
    assert "200" == outcome(client, "DELETE", path("user", "third@example.org"), (), actor)
    assert "201" == create(client, "fourth@example.org", actor)
    assert "PERMISSION_DENIED" == create(client, "x@example.net", actor)


def test_the_megabytes_of_an_admin_are_limited(client: Client) -> None:
    client.ask("PUT", path("admin", MANAGER), [("maxQuota", "1"), ("quotaUnit", "GB")])
    where = path("user", JANE)

    assert "EXCEED_LIMIT_QUOTA" == create(client, "x@example.org", MANAGER, ("quota", "1025"))
    assert "EXCEED_LIMIT_QUOTA" == create(client, "x@example.org", MANAGER)
    assert "201" == create(client, "x@example.org", MANAGER, ("quota", "1000"))
    assert "EXCEED_LIMIT_QUOTA" == outcome(client, "PUT", where, [("quota", "25")], MANAGER)
    assert "200" == outcome(client, "PUT", where, [("quota", "24")], MANAGER)


@pytest.mark.parametrize("actor", [MANAGER, "token-1"])
def test_the_domains_of_an_admin_are_limited(client: Client, actor: str) -> None:
    new, newer, name = path("domain", NEW), path("domain", "newer.test"), [("name", "New")]

    assert "PERMISSION_DENIED" == outcome(client, "POST", new, name, actor)
    client.ask("PUT", path("admin", MANAGER), [("maxDomains", "2")])
    assert "201" == outcome(client, "POST", new, name, actor)
    assert "EXCEED_LIMIT_DOMAIN" == outcome(client, "POST", newer, name, actor)
    assert "200" == outcome(client, "DELETE", new, (), actor)
    assert "201" == outcome(client, "POST", newer, name, actor)
    assert "PERMISSION_DENIED" == outcome(client, "DELETE", path("domain", OTHER_DOMAIN), (), actor)


@pytest.mark.parametrize("actor", [JOHN, "token-2"])
def test_nobody_reaches_above_their_rank(client: Client, actor: str) -> None:
    for form in ([("isGlobalAdmin", "yes")], [("isGlobalAdmin", "no")]):
        client.ask("PUT", path("user", OTHER), form)
        for method, asked in (
            ("GET", ()),
            ("PUT", [("forwarding", JOHN)]),
            ("PUT", [("accountStatus", "disabled")]),
            ("DELETE", ()),
        ):
            client.ask(method, path("user", OTHER), asked, actor)
        client.ask("GET", path("users", OTHER_DOMAIN), (), actor)
        client.ask("PUT", path("users", OTHER_DOMAIN), [("language", "de_DE")], actor)


def test_who_was_named_is_dismissed(client: Client) -> None:
    admins = path("domain", "admins", OTHER_DOMAIN)

    assert "200" == outcome(client, "PUT", admins, [("addAdmin", OTHER)], JOHN)
    assert "PERMISSION_DENIED" == outcome(client, "PUT", admins, [("addAdmin", MANAGER)], JOHN)
    assert "200" == outcome(client, "PUT", admins, [("addAdmin", MANAGER)], ROOT)
    client.ask("GET", path("domain", OTHER_DOMAIN), (), JOHN)
    client.ask("GET", path("admins"), (), ROOT)
    client.log_in(OTHER)
    assert "200" == outcome(client, "PUT", admins, [("removeAllAdmins", "yes")], ROOT)
    assert "LOGIN_REQUIRED" == outcome(client, "GET", path("domains"), (), OTHER)
    assert "LOGIN_REQUIRED" == outcome(client, "GET", path("domains"), (), MANAGER)
    client.log_in(MANAGER)
    assert "PERMISSION_DENIED" == outcome(client, "GET", path("domain", OTHER_DOMAIN), (), MANAGER)


def test_a_removed_admin_leaves_nothing(client: Client) -> None:
    for admin, kind in ((MANAGER, "admin"), (JOHN, "user")):
        client.ask("DELETE", path(kind, admin))
        seen = client.ask("GET", path("domains"), (), admin)

        assert "LOGIN_REQUIRED" == seen.answer["_code"]
        assert "INVALID_TOKEN" == client.ask("GET", path("domains"), (), "token-1").answer["_code"]
    assert "INVALID_TOKEN" == client.ask("GET", path("domains"), (), "token-2").answer["_code"]
