"""Write the file of outcomes anew, as they are on SQLite."""

from __future__ import annotations

from typing import Any

from tests.api.client import api_with
from tests.authorization.cells import cells
from tests.authorization.matrix import FILE, outcomes, written
from tests.authorization.world import World
from tests.stores import new_site

NO_SERVERS: Any = None

with new_site("sqlite", NO_SERVERS) as site:
    site.empty()
    with api_with(site) as api:
        world = World(api)
        FILE.write_text(written(outcomes(world, cells())))
        world.close()
