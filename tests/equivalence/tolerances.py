"""The declared differences between backends, as `docs/backends.md` lists them, and what each forgives.

A tolerance takes one side of a comparison and takes out what its row declares.  It is given both sides,
so it has to be true of both; what it does not take out has to be equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mailwright.resources.user import SERVICES
from tests.equivalence.start import NEWS
from tests.equivalence.world import Seen
from tests.stores import Row

PAGE = Path(__file__).parents[2] / "docs" / "backends.md"
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_IGNORED = re.compile(r"services: .* has no place on this server; ignored")
# What SQL has a place for.
_KEPT = {"user": tuple(SERVICES), "domain": ("self-service",)}


def declared() -> list[str]:
    """The ids in the table of the page."""
    rows = [line.split("|") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return [row[1].strip().strip("`") for row in rows]


def name_default(seen: Seen) -> None:
    for user in (*seen.profiles("user"), *filter(_is_promoted, seen.profiles("admin"))):
        user["name"] = user["name"] or user["mail"].partition("@")[0]
    if seen.request.kind in {"user", "admin"}:
        _forgive_order(seen, "name")
    _forgive_log(seen, "user", "name")


def default_lists(seen: Seen) -> None:
    def kept(groups: list[str]) -> list[str]:
        return [group for group in groups if group != NEWS]

    for user in seen.profiles("user"):
        user["groups"] = kept(user["groups"])
    _change_recorded(seen, "groups", lambda groups: kept(groups or []))


def removed_domain(seen: Seen) -> None:
    def stays(address: str) -> bool:
        return address.rpartition("@")[2] not in seen.gone

    # A profile that is closed to who asks is not there.
    for user in seen.profiles("user"):
        if "forwarding" in user:
            user["forwarding"] = [*filter(stays, user["forwarding"])] or [user["mail"]]
    for domain in seen.profiles("domain"):
        if "catchall" in domain:
            domain["catchall"] = [*filter(stays, domain["catchall"])]
        for name in {"senderBcc", "recipientBcc"} & domain.keys():
            domain[name] = domain[name] if stays(domain[name]) else ""
    if seen.gone:
        _forgive_log(seen, "user", "forwarding")
        for name in ("catchall", "senderBcc", "recipientBcc"):
            _forgive_log(seen, "domain", name)


def services(seen: Seen) -> None:
    for kind, kept in _KEPT.items():
        for profile in seen.profiles(kind):
            if "services" in profile:
                profile["services"] = sorted(set(profile["services"]) & {*kept})
        _forgive_log(seen, kind, "services")
    warnings = [text for text in seen.answer.get("_warnings", ()) if not _IGNORED.fullmatch(text)]
    seen.answer.pop("_warnings", None)
    if warnings:
        seen.answer["_warnings"] = warnings


def password_day(seen: Seen) -> None:
    for each in (*seen.profiles("user"), *seen.profiles("admin")):
        each["passwordLastChange"] = each["passwordLastChange"][:10]
    _change_recorded(seen, "passwordLastChange", lambda time: time and time[:10])


def times(seen: Seen) -> None:
    for kind in ("domain", "user", "admin"):
        for profile in seen.profiles(kind):
            for name in ("created", "modified"):
                assert _STAMP.fullmatch(profile.pop(name))
    for row in seen.rows.get("audit", ()):
        row["changes"] = {
            name: each
            for name, each in row["changes"].items()
            if name not in {"created", "modified"}
        }
    _forgive_order(seen, "created")
    _forgive_order(seen, "modified")


TOLERANCES: dict[str, Callable[[Seen], None]] = {
    "name-default": name_default,
    "default-lists": default_lists,
    "removed-domain": removed_domain,
    "services": services,
    "password-day": password_day,
    "times": times,
}


def forgiven(seen: Seen, ids: Iterable[str]) -> dict[str, Any]:
    """What is left to compare."""
    for each in ids:
        TOLERANCES[each](seen)
    return seen.told()


def _forgive_order(seen: Seen, parameter: str) -> None:
    """A list sorted by what differs.

    Whole, it has the same members; a page of it has as many; after a token that no answer gave it may
    have any.
    """
    asked = seen.request.asked
    data = seen.answer.get("_data")
    if asked.get("sort", "").strip().lstrip("-") != parameter or not isinstance(data, list):
        return
    if "page_token" in asked:
        del seen.answer["_data"], seen.answer["more"]
    elif seen.request.tokens or "limit" in asked:
        seen.answer["_data"] = len(data)
    else:
        seen.answer["_data"] = sorted(data, key=_key)


def _key(listed: Any) -> str:
    return listed if isinstance(listed, str) else listed.get("mail") or listed["domain"]


def _forgive_log(seen: Seen, kind: str, parameter: str) -> None:
    """A change of what differs is a change on one backend only, in the log and in the audit record.

    One of the status alone has another word in the log, so here that word is the common one.
    """
    _forgive_record(seen, kind, parameter)
    kept = []
    for row in seen.rows.get("log", ()):
        found = re.fullmatch(rf"(.*) (?:Update|Active|Disable) {kind} (\S+) \((.*)\)\.", row["msg"])
        if found is not None:
            names = [name for name in found[3].split(", ") if name != parameter]
            if not names:
                continue
            row["event"] = "update"
            row["msg"] = f"{found[1]} Update {kind} {found[2]} ({', '.join(names)})."
        kept.append(row)
    if "log" in seen.rows:
        seen.rows["log"] = kept


def _forgive_record(seen: Seen, kind: str, parameter: str) -> None:
    kept = []
    for row in seen.rows.get("audit", ()):
        if (row["resource"], row["outcome"]) == (kind, "done") and parameter in row["changes"]:
            changes = {name: each for name, each in row["changes"].items() if name != parameter}
            if row["action"] == "update" and not changes:
                continue
            row["changes"] = changes
        kept.append(row)
    if "audit" in seen.rows:
        seen.rows["audit"] = kept


def _change_recorded(seen: Seen, parameter: str, change: Callable[[Any], Any]) -> None:
    """The values before and after, as they would be told."""
    for row in seen.rows.get("audit", ()):
        changes = row["changes"]
        if parameter in changes:
            row["changes"] = {**changes, parameter: [*map(change, changes[parameter])]}


def _is_promoted(admin: Row) -> bool:
    return bool(admin.get("isMailUser"))
