"""Records as the API lists them: whoever asks sees what they may see.

Global admins see every record, normal admins what they did themselves; an API token bound to domains sees
those about its domains only (policy reference 7.1).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from mailwright import tokens
from mailwright.audit import finding
from mailwright.audit.finding import Search
from mailwright.audit.records import Outcome, moment
from mailwright.authz import Action, Role
from mailwright.errors import Forbidden, Invalid
from mailwright.fields.field import AnyField, Field
from mailwright.fields.kinds import Choice, Text, Whole
from mailwright.http.answers import Answer
from mailwright.storage.sql.engine import Database
from mailwright.work import Work

RESOURCE: Final = tokens.AUDIT
_MOST: Final = 10**18

ACTOR = Field("actor", Text(), "Only what this admin did", "", example="admin@example.org")
DOMAIN = Field("domain", Text(), "Only what is about this domain", "", example="example.org")
TARGET = Field("target", Text(), "Only what is about this account", "", example="jane@example.org")
ACTION = Field("action", Text(64), "Only this action", "", example="update")
KIND = Field("resource", Text(64), "Only this sort of account", "", example="user")
OUTCOME = Field("outcome", Choice(tuple(Outcome)), "Only this outcome", "", example="refused")
SINCE = Field("since", Text(40), "Not before this time, in UTC", "", example="2026-05-06T07:08:09")
UNTIL = Field("until", Text(40), "Before this time, in UTC", "", example="2026-05-07")
LIMIT = Field("limit", Whole(1, finding.MOST_ON_A_PAGE), "Most records in the answer", 0)
PAGE_TOKEN = Field(
    "page_token", Text(20), "Where to go on: _next_page_token of the answer before", ""
)
OPTIONS: Final[tuple[AnyField, ...]] = (
    *(ACTOR, DOMAIN, TARGET, ACTION, KIND, OUTCOME, SINCE, UNTIL, LIMIT, PAGE_TOKEN),
)


def listed(work: Work, database: Database, asked: Mapping[AnyField, Any]) -> Answer:
    """A page of records, the newest first.  ``Forbidden``, ``Invalid``."""
    work.attempt(Action.LIST, RESOURCE, "", None)
    actor = work.actor
    scope = actor.scope
    if scope.resources is not None and RESOURCE not in scope.resources:
        raise Forbidden(f"this token of {actor.username} may not list records")
    found = finding.find(
        database,
        Search(
            actor=asked[ACTOR].lower(),
            domain=asked[DOMAIN].lower(),
            target=asked[TARGET].lower(),
            action=asked[ACTION],
            resource=asked[KIND],
            outcome=asked[OUTCOME],
            since=_time(SINCE, asked),
            until=_time(UNTIL, asked),
            limit=asked[LIMIT] or finding.ON_A_PAGE,
            after=_after(asked[PAGE_TOKEN]),
            seen_by=None if actor.role is Role.GLOBAL_ADMIN else actor.username,
            within=scope.domains,
        ),
    )
    following = None if found.next is None else str(found.next)
    return Answer([finding.shown(record) for record in found.records], following)


def _time(field: AnyField, asked: Mapping[AnyField, Any]) -> str:
    if not asked[field]:
        return ""
    try:
        time = dt.datetime.fromisoformat(asked[field])
        return moment(time if time.tzinfo else time.replace(tzinfo=dt.UTC))
    except (ValueError, OverflowError):
        raise Invalid(
            f"{field.name}: a time such as 2026-05-06T07:08:09 is needed", parameter=field.name
        ) from None


def _after(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or int(text) > _MOST:
        raise Invalid(
            "page_token: this is no token of an earlier answer", parameter=PAGE_TOKEN.name
        )
    return int(text)
