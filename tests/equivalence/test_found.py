"""What the random sequences found, each once more by itself."""

from __future__ import annotations

import pytest

from tests.equivalence.client import Client
from tests.equivalence.start import ALIAS_DOMAIN, DOMAIN, JOHN, MANAGER, OTHER, OTHER_DOMAIN
from tests.equivalence.test_equivalence import ANY_DOMAIN
from tests.equivalence.world import Request, World, new_world, path
from tests.stores import Site

pytestmark = [pytest.mark.postgresql, pytest.mark.mariadb, pytest.mark.openldap]


@pytest.fixture
def client(world: World) -> Client:
    world.restart()
    return Client(world)


def test_a_password_for_the_users_of_an_empty_domain_is_noted(client: Client) -> None:
    """SQL left the password out of the log where a domain had no users, a directory did not."""
    client.ask("POST", path("domain", "new.test"), [("name", "New")])

    seen = client.ask("PUT", path("users", "new.test"), [("password", "Other-Pass2")])

    assert [
        "[API] Update every user of new.test (password).",
    ] == [row["msg"] for row in seen.rows["log"]]


def test_an_address_under_an_alias_domain_is_its_owners(client: Client) -> None:
    """SQL gave John `jane@example.com`, which had reached Jane; a directory had it as Jane's."""
    for name in ("jane", "john", "team"):
        address = f"{name}@{ALIAS_DOMAIN}"

        seen = client.ask("PUT", path("user", JOHN), [("addAlias", address)])

        assert [f"already in use and therefore skipped: {address}"] == seen.answer["_warnings"]
        assert [] == seen.users[JOHN]["aliases"]


def test_an_address_under_an_alias_domain_stays_with_whom_it_was_given_to(client: Client) -> None:
    """A directory refused the new user for want of a name under the alias domain, and kept it."""
    client.ask("PUT", path("user", JOHN), [("addAlias", f"new@{ALIAS_DOMAIN}")])

    seen = client.ask("POST", path("user", "new@example.org"), [("password", "Other-Pass2")])

    assert 201 == seen.status
    assert [f"new@{ALIAS_DOMAIN}"] == seen.users[JOHN]["aliases"]


def test_a_status_beside_a_service_that_sql_ignores(client: Client) -> None:
    """SQL has only the status left to change, and another word for that in the log."""
    seen = client.ask(
        "PUT", path("user", JOHN), [("addService", "vpn"), ("accountStatus", "disabled")]
    )

    assert ["disable"] == [row["event"] for row in seen.rows["log"]]
    assert {"services"} <= client.comparison.needed


def test_a_removed_domain_takes_the_addresses_that_its_users_had_elsewhere(
    sites: tuple[Site, ...],
) -> None:
    """SQL kept the address, so that mail to it went to a user who was gone and nobody could have it."""
    with new_world(sites, **ANY_DOMAIN) as world:
        world.restart()
        client = Client(world)
        client.ask("PUT", path("user", OTHER), [("addAlias", "j@example.org")])

        client.ask("DELETE", path("domain", OTHER_DOMAIN))
        seen = client.ask("PUT", path("user", JOHN), [("addAlias", "j@example.org")])

    assert ["j@example.org"] == seen.users[JOHN]["aliases"]


def test_an_invented_page_token_starts_among_different_names(client: Client) -> None:
    """An empty name comes before the token's, the name that a directory has in its stead does not."""
    token = "WyJuYW1lIiwgImpiIiwgIiJd"  # after a user whose name is jb

    client.ask("GET", path("users", "example.org"), [("sort", "name"), ("page_token", token)])

    assert {"name-default"} <= client.comparison.needed


def test_services_of_a_domain_that_only_a_directory_has_are_closed_to_its_admin_there(
    client: Client,
) -> None:
    """SQL has none of them, so nothing would change, and what changes nothing is nobody's business."""
    client.log_in(MANAGER)

    asked = Request("PUT", path("domain", DOMAIN), [("removeAllServices", "yes")])
    seen = client.world.ask(asked, MANAGER)

    codes = [each.answer.get("_code") for each in seen]
    assert [None, None, None, "PERMISSION_DENIED"] == codes
