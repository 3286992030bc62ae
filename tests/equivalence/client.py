"""A client of all stores at once, which has to get the same from each."""

from __future__ import annotations

from tests.equivalence.machine import Comparison
from tests.equivalence.start import ROOT
from tests.equivalence.world import Form, Request, Seen, World, login


class Client:
    """Asks all stores, and has to get the same answer from all of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.comparison = Comparison()

    def ask(self, method: str, where: str, form: Form = (), actor: str = ROOT) -> Seen:
        """What the first store makes of it; the others have made the same."""
        seen = self.world.ask(Request(method, where, form), actor)
        self.comparison.compare(seen, self.world.stores)
        return seen[0]

    def log_in(self, username: str) -> None:
        self.comparison.compare(self.world.ask(login(username), username), self.world.stores)
