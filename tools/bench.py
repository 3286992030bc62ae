"""Measure the server against its budgets: ``name value budget ok|short``, a line for each figure.

Starts a private PostgreSQL (and then an OpenLDAP) and the real server on loopback, loads it with wrk, and
runs the bare driver with the very statements (searches) that the server was seen to run, side by side in
the same run.  Exits with 1 where a figure is short of its budget.

    tools/bench.py [--store sql|directory] [--only ratios|scale] [--seconds 4]
                   [--mailboxes 1000000] [--domains 1000] [--users 20000]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.benchmark.baseline import Baseline
from tools.benchmark.directory import ACCOUNTS, DirectoryBaseline, DirectorySite
from tools.benchmark.load import Load
from tools.benchmark.site import Site

DOMAINS = 10_000
FEW, PER_DOMAIN = 10_000, 100
FEW_DOMAINS, FEW_USERS = 10, 2_000  # of a directory
OF_ONE_USER = ("get_user", "put_user", "post_user", "delete_user")
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

    if options.store != "directory":
        sql(options, tell)
    if options.store != "sql":
        directory(options, tell)
    return 0 if all(figure.good for figure in figures) else 1


def sql(options: argparse.Namespace, tell: Tell) -> None:
    """Accounts in PostgreSQL."""
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


def directory(options: argparse.Namespace, tell: Tell) -> None:
    """Accounts in OpenLDAP, with SQLite beside it."""
    with (
        DirectorySite(dict.fromkeys(_domains(ACCOUNTS), PER_DOMAIN)) as site,
        site.server() as server,
    ):
        load = Load(server, options.seconds)
        if options.only != "scale":
            directory_ratio(site, load, options.seconds, tell)
        tell("directory_worker_memory_mib", server.largest_worker_mib(), 90.0, AT_MOST)
    if options.only != "ratios":
        directory_growth(options, tell)
        change_of_many(options.users, tell)


def directory_ratio(site: DirectorySite, load: Load, seconds: float, tell: Tell) -> None:
    """GET of a user over its searches alone, by python-ldap; interleaved, the median of the rounds."""
    baseline = DirectoryBaseline(site, load.server.cookie)
    baseline.per_second(WARM_UP_SECONDS)
    load.per_second("get_user")
    rounds: list[float] = []
    for _ in range(ROUNDS):
        bare = baseline.per_second(seconds)
        ours = load.per_second("get_user")
        rounds.append(ours / bare)
        print(
            f"# get_user: {ours:.0f}/s over HTTP, {bare:.0f}/s times {baseline.questions} searches "
            "by python-ldap",
            flush=True,
        )
    tell("directory_get_user_ratio", statistics.median(rounds), 0.50, AT_LEAST)


def directory_growth(options: argparse.Namespace, tell: Tell) -> None:
    """Time of one request in a large directory over that in a small one, asked in turns."""
    with ExitStack() as stack:
        loads: list[Load] = []
        for domains in (FEW_DOMAINS, options.domains):
            users = dict.fromkeys(_domains(domains), PER_DOMAIN)
            site = stack.enter_context(DirectorySite(users))
            server = stack.enter_context(site.server())
            loads.append(Load(server, options.seconds, domains_too=True))
        few, many = loads
        for turn in range(TURNS):
            few.ask(FEW_DOMAINS, turn)
            many.ask(options.domains, turn)
        for name, before in few.medians().items():
            after = many.medians()[name]
            sizes = f"{FEW_DOMAINS} domains, {after:.2f} ms with {options.domains}"
            print(f"# directory_{name}: p50 {before:.2f} ms with {sizes}", flush=True)
            if name in OF_ONE_USER:
                tell(f"directory_{name}_p50_growth", after / before, 1.2, AT_MOST)


def change_of_many(users: int, tell: Tell) -> None:
    """A change of every user of a domain, and lists of them: how long, and in how much memory."""
    domains = {"few.example": FEW_USERS, "many.example": users}
    peaks: list[float] = []
    with DirectorySite(domains) as site:
        for domain, number in domains.items():
            with site.server() as server:
                begun = time.perf_counter()
                server.ask("PUT", f"/api/users/{domain}", "transport=smtp:[mx.example]")
                peaks.append(server.largest_peak_mib())
                each = (time.perf_counter() - begun) / number * 1000
                print(f"# PUT of {number} users: {each:.2f} ms each, {peaks[-1]:.0f} MiB at most")
                for listed in ("", "?email_only=yes", "?limit=50"):
                    begun = time.perf_counter()
                    server.ask("GET", f"/api/users/{domain}{listed}")
                    seconds = time.perf_counter() - begun
                    print(f"# GET /api/users{listed} of {number}: {seconds:.2f} s", flush=True)
    tell("directory_change_of_many_growth_mib", peaks[1] - peaks[0], 5.0, AT_MOST)


def _domains(number: int) -> list[str]:
    return [f"d{each}.example" for each in range(number)]


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
    parser.add_argument("--store", choices=("sql", "directory"))
    parser.add_argument("--mailboxes", type=int, default=1_000_000, help="in SQL")
    parser.add_argument("--domains", type=int, default=1_000, help="of 100 users, in a directory")
    parser.add_argument("--users", type=int, default=20_000, help="of one domain in a directory")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--only", choices=("ratios", "scale"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
