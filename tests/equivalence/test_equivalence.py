"""Four backends, one random sequence of requests, no difference that is not declared.

Hypothesis makes the sequences up; without `--equivalence-seed` always the same ones.  A failure is made
smaller and printed as the steps that lead to it.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.equivalence.machine import Comparison, Machine
from tests.equivalence.tolerances import declared
from tests.equivalence.world import World

STEPS_OF_ONE = 50
REQUESTS_OF_ONE = 40  # at least; time may pass instead


def explore(world: World, steps: int, start: int) -> Comparison:
    """Run sequences of steps from the start state; what was needed of the tolerances."""

    class Found(Machine):
        pass

    Found.world, Found.comparison = world, Comparison()
    world.steps = 0
    run_state_machine_as_test(
        seed(start)(Found),
        settings=settings(
            max_examples=steps // REQUESTS_OF_ONE + 1,
            stateful_step_count=STEPS_OF_ONE,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Found.comparison


@pytest.mark.postgresql
@pytest.mark.mariadb
@pytest.mark.openldap
def test_backends_differ_in_nothing_that_is_not_declared(
    world: World, pytestconfig: pytest.Config
) -> None:
    wanted: int = pytestconfig.getoption("equivalence_steps")
    comparison = explore(world, wanted, pytestconfig.getoption("equivalence_seed"))

    assert wanted <= world.steps
    assert set(declared()) == comparison.needed
