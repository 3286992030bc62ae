"""What is on record after an operation, written by hand."""

from __future__ import annotations

import json
from unittest.mock import patch

import pytest

from mailwright.app import ACCOUNTS
from mailwright.authz import Actor, Role, Scope
from mailwright.errors import Forbidden, Unavailable
from mailwright.logs import REQUEST
from mailwright.resources import operations, rights
from tests.audit.chains import digest, log, records, tip
from tests.stores import Site, texts

JANE = "jane@example.org"
TOKEN = Actor(
    "postmaster@admin.test",
    Role.GLOBAL_ADMIN,
    "192.0.2.9",
    token="0123456789abcdef",
    request="request-77",
)
READER = Actor("reader@admin.test", Role.GLOBAL_ADMIN, "192.0.2.8", scope=Scope(read_only=True))


def change(site: Site, actor: Actor, **form: str) -> None:
    with patch.object(rights, "permit_still"):  # nobody here has an account
        site.app.run(
            actor, lambda work: operations.update(work, ACCOUNTS["user"], JANE, texts(form, {}))
        )


def test_a_change_is_recorded_with_who_where_and_what(start: Site) -> None:
    before = tip(start)

    change(start, TOKEN, quota="7", name="Jané", password="Other-Horse2")

    row = records(start)[-1]
    expected = {
        "sequence": 3,
        "time": "2026-05-06T07:08:09.000000Z",
        "actor": "postmaster@admin.test",
        "role": "global admin",
        "token": "0123456789abcdef",
        "address": "192.0.2.9",
        "channel": "api",
        "request": "request-77",
        "action": "update",
        "resource": "user",
        "target": JANE,
        "domain": "example.org",
        "outcome": "done",
        "code": "",
        "corrects": 0,
    }
    changes = json.loads(row["changes"])
    assert expected == {name: row[name] for name in expected}
    assert {"name": ["Jane", "Jané"], "quota": [5, 7], "password": "changed"} == {
        name: changes[name] for name in ("name", "quota", "password")
    }
    assert before["hash"] == row["previous"]
    assert digest(before["hash"], row) == row["hash"]
    assert {"sequence": 3, "hash": row["hash"]} == tip(start)


def test_the_first_record_follows_on_nothing(start: Site) -> None:
    first, second = records(start)

    assert ("", digest("", first)) == (first["previous"], first["hash"])
    assert (first["hash"], digest(first["hash"], second)) == (second["previous"], second["hash"])
    assert [None, "Example"] == json.loads(first["changes"])["name"]
    assert [("create", "domain", "example.org"), ("create", "user", JANE)] == [
        (row["action"], row["resource"], row["target"]) for row in (first, second)
    ]


def test_each_operation_leaves_one_record_and_one_row_of_the_log(start: Site) -> None:
    start.update("user", JANE, quota="6")
    start.update("user", JANE, quota="6")  # changes nothing
    start.show("user", JANE)
    start.listed("user", "example.org")
    start.update_users("example.org", language="de_DE")
    start.remove("user", JANE)

    assert [
        ("create", "example.org"),
        ("create", JANE),
        ("update", JANE),
        ("update", ""),
        ("delete", JANE),
    ] == [(row["action"], row["target"]) for row in records(start)]
    assert ["create", "create", "update", "update", "delete"] == [
        row["event"] for row in log(start)
    ]


def test_the_request_of_the_moment_is_on_record(start: Site) -> None:
    reset = REQUEST.set("of-the-moment")
    start.update("user", JANE, quota="6")
    REQUEST.reset(reset)

    assert "of-the-moment" == records(start)[-1]["request"]


def test_a_refused_attempt_is_recorded_and_in_the_log(start: Site) -> None:
    with pytest.raises(Forbidden):
        change(start, READER, quota="9")

    row, line = records(start)[-1], log(start)[-1]
    assert ("update", "user", JANE, "example.org", "refused", "PERMISSION_DENIED", "{}") == tuple(
        row[name]
        for name in ("action", "resource", "target", "domain", "outcome", "code", "changes")
    )
    assert ("reader@admin.test", "192.0.2.8") == (row["actor"], row["address"])
    assert ("error", "update", JANE, "reader@admin.test") == (
        line["loglevel"],
        line["event"],
        line["username"],
        line["admin"],
    )
    assert f"[API] Refused to update user: {JANE} (PERMISSION_DENIED)." == line["msg"]
    assert 5 == start.show("user", JANE)["quota"]


def test_a_change_of_all_says_what_it_sets_and_never_a_password(start: Site) -> None:
    start.update_users("example.org", language="de_DE", password="Third-Horse3")

    row = records(start)[-1]
    assert ("user", "", "example.org") == (row["resource"], row["target"], row["domain"])
    changes = json.loads(row["changes"])
    assert ([None, "de_DE"], "changed") == (changes["language"], changes["password"])


def test_a_removed_account_is_on_record_as_it_was(start: Site) -> None:
    start.update("user", JANE, forwarding="archive@example.net", employeeid="42", quota="6")
    start.remove("user", JANE)

    changes = json.loads(records(start)[-1]["changes"])
    expected = {
        "name": ["Jane", None],
        "quota": [6, None],
        "employeeid": ["42", None],
        "forwarding": [["archive@example.net"], None],
        "accountStatus": ["active", None],
    }
    assert expected == {name: changes.get(name) for name in expected}
    # Neither what it did not have nor anything of the password, which it loses with all the rest.
    assert {"password", "password_hash", "senderBcc", "allowNets"}.isdisjoint(changes)


def test_a_removed_domain_is_on_record_with_what_it_held(start: Site) -> None:
    start.create("user", "john@example.org", password="Other-Horse2", quota="7")
    start.update("domain", "example.org", numberOfUsers="20", senderBcc="archive@example.net")
    start.remove("domain", "example.org")

    changes = json.loads(records(start)[-1]["changes"])
    expected = {
        "name": ["Example", None],
        "numberOfUsers": [20, None],
        "senderBcc": ["archive@example.net", None],
        "existingUsers": [2, None],
        "allocatedQuota": [12, None],
    }
    assert expected == {name: changes.get(name) for name in expected}
    assert 1 == len(records(start)) - 4


def test_a_removed_admin_is_on_record_as_it_was(start: Site) -> None:
    admin = "helper@admin.test"
    start.create("admin", admin, password="Right-Horse1", name="Helper", maxDomains="3")
    start.remove("admin", admin)

    changes = json.loads(records(start)[-1]["changes"])
    expected = {"name": ["Helper", None], "maxDomains": [3, None]}
    assert expected == {name: changes.get(name) for name in expected}
    assert "password" not in changes


def test_secrets_are_nowhere(start: Site) -> None:
    start.update("user", JANE, password="Marked-Secret4")
    start.update_users("example.org", password="Marked-Secret5")
    hashes = start.hashes(JANE)

    written = str(records(start)) + str(log(start))
    assert 1 <= len(hashes)
    assert [] == [
        secret
        for secret in ("Right-Horse1", "Marked-Secret4", "Marked-Secret5", "{SSHA512}", *hashes)
        if secret in written
    ]


def test_texts_that_do_not_fit_a_column_are_cut_on_every_engine_alike(start: Site) -> None:
    actor = Actor(f"{'a' * 300}@admin.test", Role.GLOBAL_ADMIN, "f" * 100, request="r" * 100)

    change(start, actor, quota="6")

    row, line = records(start)[-1], log(start)[-1]
    assert (f"{'a' * 300}@admin.test", "f" * 64, "r" * 64) == (
        row["actor"],
        row["address"],
        row["request"],
    )
    assert ("a" * 255, "f" * 40) == (line["admin"], line["ip"])


def test_what_cannot_be_recorded_is_not_done(start: Site) -> None:
    raw = start.raw["iredadmin"]
    raw.execute("ALTER TABLE mailwright_audit RENAME TO away")
    try:
        with pytest.raises(Unavailable, match="nothing was changed"):
            start.update("user", JANE, quota="9")
        with pytest.raises(Unavailable):
            start.update_users("example.org", language="de_DE")
        lines = len(log(start))
        shown = start.show("user", JANE)["quota"]  # a reader is not kept away
    finally:
        raw.execute("ALTER TABLE away RENAME TO mailwright_audit")

    assert (5, 2) == (shown, lines)
    assert [1, 2] == [row["sequence"] for row in records(start)]


def test_a_refusal_stays_one_when_it_cannot_be_recorded(
    start: Site, caplog: pytest.LogCaptureFixture
) -> None:
    raw = start.raw["iredadmin"]
    raw.execute("ALTER TABLE mailwright_audit RENAME TO away")
    try:
        with pytest.raises(Forbidden):
            change(start, READER, quota="9")
    finally:
        raw.execute("ALTER TABLE away RENAME TO mailwright_audit")

    assert ["an outcome could not be recorded: ERROR_WHILE_QUERYING_DB"] == [
        record.getMessage() for record in caplog.records
    ]


def test_a_chain_without_a_tip_takes_nothing_more(start: Site) -> None:
    """A new beginning would look as if there had never been any records."""
    raw = start.raw["iredadmin"]
    raw.execute("DELETE FROM mailwright_audit_tip")
    try:
        with pytest.raises(Unavailable) as caught:
            start.update("user", JANE, quota="9")
    finally:
        raw.insert("mailwright_audit_tip", id=1, sequence=0, hash="")

    assert "AUDIT_BROKEN" == caught.value.code
    assert 5 == start.show("user", JANE)["quota"]
