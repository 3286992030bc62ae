"""A process that carries out operations in children of its own, which end themselves by SIGKILL.

One order is a line of JSON on standard input (one without a directory means accounts in SQLite), its
outcome a line on standard output.  A child is killed right after the `kill_after`-th single write to the
directory or to an SQL database, or runs to the end; then the outcome tells every write, the client's
error code if there was one, and the warnings.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mailwright.app import ACCOUNTS, App, utc_now
from mailwright.authz import Actor, Role
from mailwright.errors import MailwrightError
from mailwright.resources import bulk, grants, operations
from mailwright.settings import Settings
from mailwright.settings.sections import Database, Databases, Ldap, Secret, Storage
from mailwright.storage.ldap import connections
from mailwright.storage.sql import engine
from mailwright.work import Work
from tests.stores import LATER, texts

ACTOR = Actor("writer@admin.test", Role.GLOBAL_ADMIN)
WRITES = ("INSERT", "UPDATE", "DELETE")

Order = dict[str, Any]


class Fuse:
    """Counts writes; the process is gone before it learns that the last one succeeded."""

    def __init__(self, length: int | None) -> None:
        self.length = length
        self.writes: list[str] = []

    def burn(self, what: str) -> None:
        self.writes.append(what)
        if len(self.writes) == self.length:
            os.kill(os.getpid(), signal.SIGKILL)

    def lay(self) -> None:
        """Have every write of this process counted."""
        for name in ("add", "modify", "delete", "rename"):
            self._wrap(connections.Connection, name, lambda dn, *_: f"directory {dn}")
        self._wrap(engine.Connection, "execute", _statement)
        self._wrap(engine.Connection, "commit", lambda: "sql COMMIT")

    def _wrap(self, of: type, name: str, told: Callable[..., str]) -> None:
        genuine = getattr(of, name)

        @functools.wraps(genuine)
        def wrapped(connection: Any, *args: Any) -> Any:
            counts = name != "commit" or connection.in_transaction
            done = genuine(connection, *args)
            what = told(*args)
            if counts and what:
                self.burn(f"{name}: {what}")
            return done

        setattr(of, name, wrapped)


def _statement(statement: str, *_parameters: object) -> str:
    words = statement.split()
    return f"sql {' '.join(words[:3])}" if words[0] in WRITES else ""


def settings_of(order: Order) -> Settings:
    if "ldap" not in order:
        return Settings(
            storage=Storage(backend="sqlite", sqlite_directory=Path(order["folder"])),
        )
    server = dict(order["ldap"])
    databases = {name: Database(**one) for name, one in order.get("databases", {}).items()}
    return Settings(
        storage=Storage(backend="ldap", sqlite_directory=Path(order["folder"])),
        ldap=Ldap(**{**server, "bind_password": Secret(server["bind_password"])}),
        databases=Databases(**databases),
    )


def carry_out(
    app: App, verb: str, kind: str, key: str, form: dict[str, Any], *, actor: Actor = ACTOR
) -> list[str]:
    """One operation of a client; the warnings."""
    account = ACCOUNTS[kind]
    if verb == "rename":
        with app.store.session() as accounts:
            accounts.begin()
            accounts.rename(account.resource, key, form["new"])
            accounts.commit()
        return []
    asked = texts(form, {})

    def operation(work: Work) -> object:
        match verb:
            case "create":
                return operations.create(work, account, key, asked)
            case "update":
                return operations.update(work, account, key, asked)
            case "grant":
                return grants.update_admins(work, key, asked)
            case "change all":
                return bulk.update_users(work, key, asked)
            case _:
                return operations.remove(work, account, key)

    return list(app.run(actor, operation)[1])


def _child(order: Order, outcome: int) -> None:
    fuse = Fuse(order.get("kill_after"))
    fuse.lay()
    clock = utc_now if order.get("real_time") else lambda: LATER
    app = App(settings_of(order), clock)
    code, warnings = "", []
    domain_admin = order.get("domain_admin")
    actor = Actor(domain_admin, Role.DOMAIN_ADMIN) if domain_admin else ACTOR
    try:
        for verb, kind, key, form in order["operations"]:
            warnings += carry_out(app, verb, kind, key, form, actor=actor)
    except MailwrightError as error:
        code = error.code
    told = {"writes": fuse.writes, "code": code, "warnings": warnings}
    os.write(outcome, json.dumps(told).encode())
    os._exit(0)


def main() -> None:
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _child(json.loads(line), writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as outcome:
            told = outcome.read()
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        result = json.loads(told) if told else {}
        print(json.dumps({**result, "killed": killed, "status": status}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
