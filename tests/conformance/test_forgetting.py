"""What the policy databases forget costs what the account had there, not what they hold.

They are in SQL wherever the accounts are.
"""

from __future__ import annotations

from typing import Any

import pytest

from mailwright.policies.forgetting import forget
from mailwright.storage.sql.catalogue import columns_of
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Connection
from mailwright.work import Leftover
from tests.conformance.neighbours import FIRST_ID
from tests.stores import Raw, Site, on_sql

JANE = "jane@mail.example.org"
EVERYBODY, SENDERS = FIRST_ID, 5000
RULES = ("@.", "jane@*", "@mail.example.org", "@.mail.example.org", "@.example.org", "@.org", JANE)


def many(raw: Raw, table: str, columns: str, rows: list[tuple[object, ...]]) -> None:
    """Insert rows by few statements."""
    for start in range(0, len(rows), 200):
        some = rows[start : start + 200]
        marks = ", ".join([f"({', '.join('?' * len(some[0]))})"] * len(some))
        values = [value for row in some for value in row]
        raw.execute(f"INSERT INTO {raw.quoted(table)} ({columns}) VALUES {marks}", *values)


@pytest.fixture
def iredapd(site: Site) -> Raw:
    """Rules of all sorts that count Jane, among many other senders."""
    raw = site.raw["iredapd"]
    rules = [(FIRST_ID + number, account) for number, account in enumerate(RULES)]
    many(raw, "throttle", "id, account", rules)
    counts = [(EVERYBODY, f"s{number}@d.test") for number in range(SENDERS)]
    counts += [(ident, who) for ident, _ in rules for who in (JANE, "john@mail.example.org")]
    many(raw, "throttle_tracking", "tid, account", counts)
    if site.dialect is Dialect.POSTGRESQL:
        raw.execute("ANALYZE throttle, throttle_tracking")
    elif site.dialect is Dialect.MYSQL:
        raw.rows("ANALYZE TABLE throttle, throttle_tracking")
    return raw


@on_sql
def test_a_users_counts_go_from_every_rule(site: Site, iredapd: Raw) -> None:
    forget(site.app.databases, Leftover("user", JANE))

    left = iredapd.rows("SELECT tid, account FROM throttle_tracking WHERE account LIKE '%mail%'")
    assert sorted((row["tid"] - FIRST_ID, row["account"]) for row in left) == [
        (number, "john@mail.example.org") for number in range(len(RULES) - 1)
    ]
    assert iredapd.rows("SELECT COUNT(*) AS n FROM throttle_tracking")[0]["n"] == SENDERS + 6


@on_sql
def test_a_users_counts_are_found_by_an_index(
    site: Site, iredapd: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement looked at the count of every sender, for each user that was removed."""
    seen: list[tuple[str, Any]] = []
    run = Connection._run

    def noted(self: Connection, statement: str, parameters: Any) -> None:
        seen.append((statement, parameters))
        run(self, statement, parameters)

    monkeypatch.setattr(Connection, "_run", noted)
    forget(
        {"iredapd": site.app.databases["iredapd"]}, Leftover("user", JANE.replace("jane", "joe"))
    )

    explain = "EXPLAIN QUERY PLAN" if site.dialect is Dialect.SQLITE else "EXPLAIN"
    plans = []
    for statement, parameters in seen:
        if "throttle" in statement:
            text = statement.replace("%s", "?")
            text = text.replace('"', "`") if site.dialect is Dialect.MYSQL else text
            plans += iredapd.rows(f"{explain} {text}", *parameters)
    assert plans
    for plan in plans:
        if site.dialect is Dialect.MYSQL:
            assert plan["type"] != "ALL" or plan["table"] == "throttle", plans
            assert int(plan["rows"] or 0) < 100, plans
        else:
            text = str(plan)
            assert "Seq Scan on throttle_tracking" not in text, plans
            assert "SCAN" not in text, plans


@on_sql
def test_admins_who_stay_keep_what_is_theirs(site: Site) -> None:
    """A standalone admin may have an address in a domain that is hosted and removed."""
    raw = site.raw["iredadmin"]
    stay, gone, other = "Stays@example.org", "gone@example.org", "stays@example.net"
    for number, name in enumerate((stay, gone, other)):
        hashed = str(number) * 64
        raw.insert("settings", account=name, k="create_max_users", v="1")
        raw.insert(
            "mailwright_sessions", token_hash=hashed, username=name, created=1, seen=1, address=""
        )
        raw.insert("domain_ownership", admin=name, domain="a.test", alias_domain="", expire=0)

    forget(site.app.databases, Leftover("domain", "example.org"), {"stays@example.org"})

    for table, column in (
        ("settings", "account"),
        ("mailwright_sessions", "username"),
        ("domain_ownership", "admin"),
    ):
        left = {row[column] for row in raw.rows(f"SELECT {column} FROM {table}")}
        assert {stay, other} == left & {stay, gone, other}, table


@on_sql
def test_a_removed_domain_reads_no_addresses_of_others(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every address that Amavis knows was read into memory to be looked at."""
    raw = site.raw["amavisd"]
    gone = ["@an_example.org", "@.an_example.org", "jöe@an_example.org", "x@an_example.org"]
    kept = ["@anyexample.org", "an_example.org", "x@sub.an_example.org", "@.org", "x"]
    kept += [f"s{number}@d.test" for number in range(200)]
    names = [*gone, *kept]
    # Earlier tests have moved the counter on; these stay clear of it.
    (highest,) = raw.rows("SELECT MAX(id) AS id FROM users")
    first = (highest["id"] or 0) + 1
    rows = [(first + number, name.encode()) for number, name in enumerate(names)]
    many(raw, "users", "id, email", rows)
    many(raw, "policy", "policy_name", [(name,) for name in names])
    columns_of(site.app.databases["amavisd"])  # are read once, too
    fetched = 0
    rows_of = Connection.rows

    def counted(self: Connection, statement: str, parameters: Any = ()) -> Any:
        nonlocal fetched
        found = rows_of(self, statement, parameters)
        fetched += len(found)
        return found

    monkeypatch.setattr(Connection, "rows", counted)
    forget({"amavisd": site.app.databases["amavisd"]}, Leftover("domain", "an_example.org"))

    left = {bytes(row["email"]).decode() for row in raw.rows("SELECT email FROM users")}
    assert left >= set(kept)
    assert not left & set(gone)
    policies = {row["policy_name"] for row in raw.rows("SELECT policy_name FROM policy")}
    assert policies >= set(kept)
    assert not policies & set(gone)
    assert fetched == len(gone)
