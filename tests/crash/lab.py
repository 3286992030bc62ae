"""A site that operations change in a process of their own, put back as it was whenever a test asks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ldap

from mailwright.app import App
from mailwright.audit.verification import Broken, verify
from tests.crash.mailflow import REFUSED, MailFlow
from tests.crash.scene import ADMINS, LOGINS, PASSWORD, RECIPIENTS
from tests.directory_site import BESIDE, DirectorySite
from tests.stores import LATER, Row, Site

ROOT = Path(__file__).parents[2]
COUNTERS = {"domainCurrentUserNumber", "domainCurrentQuotaSize"}
# What the crash keeps from being told, and what counts logins: no part of an account.
APART = (
    *("log ", "mailwright_sessions ", "mailwright_login_failures "),
    *("mailwright_audit ", "mailwright_audit_tip "),
)

OWN_SESSION = "session"  # what everybody administers who may log in

Operation = tuple[str, str, str, Mapping[str, str]]
Picture = dict[str, Row]


@dataclass(frozen=True)
class Outcome:
    """What became of a process."""

    killed: bool
    writes: Sequence[str] = ()
    code: str = ""


@dataclass(frozen=True)
class Service:
    """What programs make of a state: where mail goes, who gets in, who administers what.

    Who may not log in administers nothing; who may administers at least the own session.
    """

    fates: Mapping[str, frozenset[str]]
    logins: Mapping[str, bool]
    admins: Mapping[str, frozenset[str]]


class Worker:
    """The process whose children are killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def run(self, **order: Any) -> Outcome:
        """Have a child carry out an order."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        assert told["killed"] or told["status"] == 0, "the process failed of itself"
        return Outcome(told["killed"], told.get("writes", ()), told.get("code", ""))

    def close(self) -> None:
        """Let it end."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


class Lab:
    """The scene as `keep` found it, and the process that is killed."""

    def __init__(self, site: DirectorySite) -> None:
        self.site = site
        self.flow = MailFlow(site.directory)
        self._kept: dict[str, Any] = {}
        self._rows: dict[str, dict[str, list[Row]]] = {}
        self._worker = Worker()

    def close(self) -> None:
        self._worker.close()

    # States

    def keep(self) -> None:
        """Remember everything as it is now."""
        self._kept = self.site.directory.entries()
        self._rows = {
            name: {
                table: raw.rows(f"SELECT * FROM {raw.quoted(table)}")
                for table in self.site.tables[name]
            }
            for name, raw in self.site.raw.items()
        }

    def restore(self) -> None:
        """Have everything as it was kept, however it was changed since."""
        now = self.site.directory.entries()
        with self.site.directory.connect() as connection:
            for dn in sorted(now.keys() - self._kept.keys(), key=_depth, reverse=True):
                connection.delete_s(dn)
            for dn in sorted(self._kept, key=_depth):
                values = self._kept[dn]
                if dn not in now:
                    connection.add_s(dn, list(values.items()))
                elif now[dn] != values:
                    gone = now[dn].keys() - values.keys()
                    connection.modify_s(
                        dn,
                        [(ldap.MOD_REPLACE, name, None) for name in gone]
                        + [(ldap.MOD_REPLACE, name, given) for name, given in values.items()],
                    )
        Site.empty(self.site)
        for name, tables in self._rows.items():
            raw = self.site.raw[name]
            for table in tables:
                raw.execute(f"DELETE FROM {raw.quoted(table)}")
            for table, rows in tables.items():
                for row in rows:
                    raw.insert(table, **row)

    def picture(self) -> Picture:
        """Everything that has to be as before or as after; salted hashes are only counted."""
        found = self.site.snapshot("vmail", *BESIDE)
        return {
            name: {
                attribute: f"{len(values)} hashes" if attribute == "userPassword" else values
                for attribute, values in row.items()
                if attribute not in COUNTERS and attribute != "id"
            }
            for name, row in found.items()
            if not name.startswith(APART)
        }

    @property
    def journal(self) -> list[Row]:
        return self.site.raw["iredadmin"].rows("SELECT * FROM mailwright_journal")

    def records(self) -> list[Row]:
        return records_of(self.site)

    def service(self) -> Service:
        with self.site.app.store.session() as accounts:
            admins = {
                name: accounts.administers(name) | {OWN_SESSION}
                if accounts.administrator(name) is not None
                else frozenset()
                for name in ADMINS
            }
        return Service(
            {address: self.flow.fate(address) for address in RECIPIENTS},
            {name: self.flow.may_log_in(name, PASSWORD) for name in LOGINS},
            admins,
        )

    # What happens

    def order(self, **more: Any) -> dict[str, Any]:
        """Where everything is, for a process, and what else it has to know."""
        settings = self.site.app.settings.ldap
        names = ("uri", "base_dn", "admin_base_dn", "bind_dn")
        server = {name: getattr(settings, name) for name in names}
        server["bind_password"] = self.site.directory.bind_password
        return {"folder": str(self.site.place.folder), "ldap": server, **more}

    def run(
        self, *operations: Operation, kill_after: int | None = None, domain_admin: str = ""
    ) -> Outcome:
        """Carry out operations in a process, and end it after so many writes."""
        order = self.order(operations=operations, kill_after=kill_after, domain_admin=domain_admin)
        return self._worker.run(**order)

    def repair(self) -> Sequence[str]:
        """What the server does when it starts, an hour later."""
        app = App(self.site.app.settings, partial(_an_hour, LATER))
        try:
            return app.repair()
        finally:
            app.close()


def records_of(site: Site) -> list[Row]:
    """The audit record, which has to be whole in every state."""
    found = verify(site.app.databases["iredadmin"])
    assert not isinstance(found, Broken), found
    return site.raw["iredadmin"].rows("SELECT * FROM mailwright_audit ORDER BY sequence")


def difference(found: Picture, wanted: Picture) -> dict[str, object]:
    """What differs between two states."""
    return {
        name: (found.get(name), wanted.get(name))
        for name in found.keys() | wanted.keys()
        if found.get(name) != wanted.get(name)
    }


def fits_between(
    now: frozenset[str], before: frozenset[str], after: frozenset[str], *, may_refuse: bool
) -> bool:
    """Whether mail reaches nobody new and everybody it should, or is refused where it may be."""
    if now == REFUSED and may_refuse:
        return True
    return before & after <= now <= before | after


def _an_hour(later: Any) -> Any:
    return later.replace(hour=later.hour + 1)


def _depth(dn: str) -> int:
    return dn.count(",")
