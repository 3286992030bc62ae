"""Measure the server against its budgets: ``name value budget ok|short``, a line for each figure.

Starts a private PostgreSQL and the real server on loopback, loads it with wrk, and runs the bare driver
with the very statements that the server was seen to run, side by side in the same run.  Exits with 1
where a figure is short of its budget.

    tools/bench.py [--mailboxes 1000000] [--seconds 4] [--only ratios|scale]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.benchmark.baseline import Baseline
from tools.benchmark.load import Load
from tools.benchmark.site import Site

DOMAINS = 10_000
FEW, PER_DOMAIN = 10_000, 100
ROUNDS, TURNS = 5, 6
WARM_UP_SECONDS = 1.0
AT_MOST, AT_LEAST = "at most", "at least"
Tell = Callable[[str, float, float, str], None]


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    budget: float
    sense: str

    @property
    def good(self) -> bool:
        return self.value <= self.budget if self.sense == AT_MOST else self.value >= self.budget

    def __str__(self) -> str:
        return f"{self.name} {self.value:.2f} {self.budget:.2f} {'ok' if self.good else 'short'}"


def main() -> int:
    options = read_options()
    figures: list[Figure] = []

    def tell(name: str, value: float, budget: float, sense: str) -> None:
        figure = Figure(name, value, budget, sense)
        figures.append(figure)
        print(figure, flush=True)

    with Site() as site:
        site.seed(DOMAINS, FEW, PER_DOMAIN)
        with site.server() as server:
            tell("start_seconds", server.start_seconds, 1.0, AT_MOST)
            load = Load(server, options.seconds)
            if options.only != "scale":
                ratios(site, load, options.seconds, tell)
            tell("worker_memory_mib", server.largest_worker_mib(), 90.0, AT_MOST)
            if options.only != "ratios":
                growth(load, options.mailboxes, tell)
    return 0 if all(figure.good for figure in figures) else 1


def ratios(site: Site, load: Load, seconds: float, tell: Tell) -> None:
    """Throughput of the server over that of the bare driver, interleaved; the median of the rounds."""
    budgets = {"get_user": 0.50, "put_user": 0.55, "domain_names": 0.85}
    baselines = {name: Baseline(site, load.server, name) for name in budgets}
    rounds: dict[str, list[float]] = {name: [] for name in budgets}
    for name in budgets:  # connections open, statements prepared
        baselines[name].per_second(WARM_UP_SECONDS)
        load.per_second(name)
    for _ in range(ROUNDS):
        for name in budgets:
            bare = baselines[name].per_second(seconds)
            ours = load.per_second(name)
            rounds[name].append(ours / bare)
            print(f"# {name}: {ours:.0f}/s over HTTP, {bare:.0f}/s by the bare driver", flush=True)
    for name, budget in budgets.items():
        tell(f"{name}_ratio", statistics.median(rounds[name]), budget, AT_LEAST)


def growth(few: Load, mailboxes: int, tell: Tell) -> None:
    """Time of one request among many mailboxes over that among few, asked in turns."""
    with Site() as site:
        site.seed(DOMAINS, mailboxes, PER_DOMAIN)
        with site.server() as server:
            many = Load(server, few.seconds)
            for turn in range(TURNS):
                few.ask(FEW // PER_DOMAIN, turn)
                many.ask(mailboxes // PER_DOMAIN, turn)
    for name, before in few.medians().items():
        after = many.medians()[name]
        print(f"# {name}: p50 {before:.2f} ms with {FEW}, {after:.2f} ms with {mailboxes}")
        tell(f"{name}_p50_growth", after / before, 1.2, AT_MOST)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--mailboxes", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--only", choices=("ratios", "scale"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
