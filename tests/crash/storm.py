"""A process that makes, changes, renames and removes users and domains until somebody kills it.

Its order is one line of JSON on standard input: where everything is, and a seed.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import random
import sys

from mailwright.app import App, utc_now
from mailwright.errors import Exists, NotFound
from tests.crash.worker import Order, carry_out, settings_of

TARGET = "archive@elsewhere.test"
DOMAINS = ("example.org", "example.net", "storm.test")


def step(app: App, chance: random.Random) -> None:
    domain = chance.choice(DOMAINS)
    user, second = (f"user{chance.randrange(6)}@{domain}" for _ in range(2))
    # Whoever is named has to be there when it is, and is no more named when gone.
    with app.store.session() as accounts:
        named = user if not accounts.is_taken(second) else second
    changed = {"accountStatus": chance.choice(("active", "disabled")), "catchall": TARGET}
    operations: tuple[tuple[str, str, str, Order], ...] = (
        ("create", "user", user, {"password": "Right-Horse1"}),
        ("create", "user", user, {"password": "Right-Horse1"}),
        ("create", "user", user, {"password": "Right-Horse1"}),
        ("create", "domain", "storm.test", {"name": "Storm"}),
        ("update", "user", user, {"forwarding": f"{named},{user}"}),
        ("update", "user", user, {"isGlobalAdmin": chance.choice(("yes", "no"))}),
        ("update", "domain", domain, changed),
        ("update", "domain", domain, {"accountStatus": "active"}),
        ("rename", "user", user, {"new": f"user{chance.randrange(6)}@{domain}"}),
        ("remove", "user", user, {}),
        ("remove", "domain", "storm.test", {}),
    )
    carry_out(app, *chance.choice(operations))


def main() -> None:
    order = json.loads(sys.stdin.readline())
    chance = random.Random(order["seed"])  # noqa: S311
    # A second for every look at the clock: the path of a mailbox tells the second it was made in, and
    # nobody makes, renames and makes a user again within one.
    seconds = itertools.count()
    begun = utc_now() + dt.timedelta(days=order["day"])
    app = App(settings_of(order), lambda: begun + dt.timedelta(seconds=next(seconds)))
    print("begun", flush=True)  # noqa: T201
    for _ in itertools.count():
        try:
            step(app, chance)
        except (Exists, NotFound):
            continue


if __name__ == "__main__":
    main()
