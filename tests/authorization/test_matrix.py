"""Every cell of the matrix has the outcome that the file says, and the file has every cell."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from mailwright.authz import Action
from mailwright.http.routes import ROUTES
from mailwright.work import Work
from tests.api.client import SQLITE
from tests.authorization.cells import REQUESTS, cells
from tests.authorization.matrix import FILE, outcomes, read, written
from tests.authorization.world import World
from tests.stores import EVERY_ENGINE

# Where the sample of an engine begins; the step has no divisor in common with a row or a route's rows, so
# that every role, every target and every route comes up.
FIRST = {"postgresql": 0, "mariadb": 3, "openldap": 6}
STEP = 11
# What routes about whoever is logged in put on record.
OF_ONESELF = {
    "get_tokens": Action.LIST,
    "post_tokens": Action.CREATE,
    "delete_token_id": Action.DELETE,
    "get_audit": Action.LIST,
}
on_sqlite = pytest.mark.parametrize("world", [SQLITE], indirect=True)
on_the_others = pytest.mark.parametrize(
    "world", [each for each in EVERY_ENGINE if each.id != "sqlite"], indirect=True
)


def test_the_file_has_every_route_role_and_target_and_no_others() -> None:
    assert {route.name for route in ROUTES} == set(REQUESTS)
    assert [str(cell) for cell in cells()] == list(read(FILE.read_text()))


def test_the_file_is_as_it_would_be_written() -> None:
    text = FILE.read_text()

    assert written(read(text)) == text


@on_sqlite
@pytest.mark.parametrize("name", [route.name for route in ROUTES])
def test_every_cell_of_a_route(world: World, name: str) -> None:
    asked = [cell for cell in cells() if cell.route.name == name]
    expected = read(FILE.read_text())

    assert {str(cell): expected[str(cell)] for cell in asked} == outcomes(world, asked)


@on_sqlite
@pytest.mark.parametrize("name", REQUESTS)
def test_a_route_declares_what_is_asked_for(world: World, name: str) -> None:
    """The action and the resource of the route are what `rights` decides about, and what is on record."""
    asked = [cell for cell in cells() if cell.route.name == name]
    route = asked[0].route
    attempted: set[tuple[Action, str]] = set()
    plain = Work.attempt

    def attempt(work: Work, action: Action, resource: str, key: str, domain: str | None) -> None:
        if work.attempted is None:
            attempted.add((action, resource))
        plain(work, action, resource, key, domain)

    with patch.object(Work, "attempt", attempt):
        outcomes(world, asked)

    if route.resource is not None:
        assert {(route.action, route.resource.name)} == attempted
    elif name == "post_login":
        assert (Action.PUBLIC, set()) == (route.action, attempted)
    else:
        assert Action.SESSION is route.action
        assert (
            {(OF_ONESELF[name], route.tag.lower())} == attempted
            if name in OF_ONESELF
            else not attempted
        )


@on_the_others
def test_a_sample_is_the_same_on_every_backend(world: World) -> None:
    asked = list(cells())[FIRST[world.site.engine] :: STEP]
    expected = read(FILE.read_text())
    # Variant by variant, because a change from one to the other is what takes long here.
    asked.sort(key=lambda cell: cell.role.variant)

    assert {str(cell): expected[str(cell)] for cell in asked} == outcomes(world, asked)
