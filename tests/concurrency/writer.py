"""A process that makes, changes and removes accounts until somebody kills it.

Its settings come as one line of JSON on standard input: the backend, and where the databases are.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

from mailwright.app import ACCOUNTS, App
from mailwright.authz import Actor, Role
from mailwright.resources import operations
from mailwright.settings import Settings
from mailwright.settings.sections import Database, Databases, Storage

ACTOR = Actor("writer@admin.test", Role.GLOBAL_ADMIN)


def main() -> None:
    given = json.loads(sys.stdin.readline())
    if given["backend"] == "sqlite":
        storage = Storage(backend="sqlite", sqlite_directory=Path(given["folder"]))
        settings = Settings(storage=storage)
    else:
        databases = {name: Database(**one) for name, one in given["databases"].items()}
        settings = Settings(
            storage=Storage(backend=given["backend"]), databases=Databases(**databases)
        )
    app = App(settings)
    user = ACCOUNTS["user"]
    print("begun", flush=True)  # noqa: T201
    for number in itertools.count():
        key = f"user{given['start'] + number}@example.org"
        created = {"password": ["Right-Horse1"], "name": ["Whole"], "quota": ["5"]}
        changed = {
            "aliases": [f"also.{key}"],
            "forwarding": [f"{key},copy@example.net"],
            "accountStatus": ["disabled"],
        }
        app.run(ACTOR, lambda work, k=key, f=created: operations.create(work, user, k, f))
        app.run(ACTOR, lambda work, k=key, f=changed: operations.update(work, user, k, f))
        if number % 2:
            app.run(ACTOR, lambda work, k=key: operations.remove(work, user, k))


if __name__ == "__main__":
    main()
