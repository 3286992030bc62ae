"""Four backends, one random sequence of requests, no difference that is not declared.

Hypothesis makes the sequences up; without `--equivalence-seed` always the same ones.  A failure prints
the requests that lead to it; with `--equivalence-shrink` first a smaller sequence is looked for, which
takes minutes.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.equivalence.machine import Comparison, Machine
from tests.equivalence.tolerances import declared
from tests.equivalence.world import World, new_world
from tests.stores import Site

STEPS_OF_ONE = 50
REQUESTS_OF_ONE = 36  # at least; time may pass instead


ANY_DOMAIN = {"accounts": {"alias_addresses_in_any_domain": True, "default_language": "en_US"}}


def explore(
    world: World, comparison: Comparison, steps: int, start: int, *, shrink: bool = False
) -> None:
    """Run sequences of steps from the start state."""

    class Found(Machine):
        pass

    Found.world, Found.comparison = world, comparison
    run_state_machine_as_test(
        seed(start)(Found),
        settings=settings(
            max_examples=steps // REQUESTS_OF_ONE + 1,
            stateful_step_count=STEPS_OF_ONE,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.postgresql
@pytest.mark.mariadb
@pytest.mark.openldap
def test_backends_differ_in_nothing_that_is_not_declared(
    sites: tuple[Site, ...], pytestconfig: pytest.Config
) -> None:
    """Three quarters as installed, the others with settings that let accounts share domains."""
    wanted: int = pytestconfig.getoption("equivalence_steps")
    start: int = pytestconfig.getoption("equivalence_seed")
    shrink: bool = pytestconfig.getoption("equivalence_shrink")
    comparison, steps = Comparison(), 0
    for share, sections, more in ((wanted * 3 // 4, {}, 0), (wanted // 4, ANY_DOMAIN, 1)):
        with new_world(sites, **sections) as world:
            explore(world, comparison, share, start + more, shrink=shrink)
            steps += world.steps

    assert wanted <= steps
    assert set(declared()) == comparison.needed
