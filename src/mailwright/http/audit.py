"""Records as the API lists them: whoever asks sees what they may see.

Global admins see every record, domain admins what they did themselves as such, since their account was
made, about the domains that they administer now; an API token bound to domains sees those about its domains
only (policy reference 7.1).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from mailwright import tokens
from mailwright.audit import finding
from mailwright.audit.finding import Own, Search
from mailwright.audit.records import Outcome, moment
from mailwright.authz import Action, Role
from mailwright.errors import Forbidden, Invalid, NotAuthenticated
from mailwright.fields import page_tokens
from mailwright.fields.field import AnyField, Field
from mailwright.fields.kinds import Choice, Text, Whole
from mailwright.http.answers import Answer
from mailwright.resources import admin as admins
from mailwright.resources import domain as domains
from mailwright.resources import user as users
from mailwright.resources.stamps import CREATED
from mailwright.storage.protocol import Query
from mailwright.storage.sql.engine import Database
from mailwright.work import SPARED, Work

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
    # A bound to domains leaves nothing out here: it says which records are found.
    bound = replace(actor.scope, domains=None).excludes(Action.LIST, RESOURCE, None)
    if bound:
        raise Forbidden(f"this API token {bound}")
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
            own=None if actor.role is Role.GLOBAL_ADMIN else _own(work, database),
            within=actor.scope.domains,
        ),
    )
    following = None if found.next is None else str(found.next)
    shown = [finding.shown(record) for record in found.records]
    if not actor.is_unlimited:
        shown = list(map(_without_names, shown))
    return Answer(shown, following)


def _without_names(record: dict[str, Any]) -> dict[str, Any]:
    """A record without those who were spared because they rank higher: they are not for everybody."""
    changes = record["changes"]
    if isinstance(changes, dict):
        changes.pop(SPARED, None)
    return record


def _own(work: Work, database: Database) -> Own:
    """What a domain admin may see.  ``NotAuthenticated``, ``NotFound`` if they are gone."""
    accounts, username = work.accounts, work.actor.username
    admin = accounts.administrator(username)
    if admin is None:
        raise NotAuthenticated(f"{username} is no admin any more")
    sort = users.RESOURCE if admin.is_mail_user else admins.RESOURCE
    created: str = accounts.get(sort, admin.username, (CREATED,))[CREATED]
    given = accounts.find_names(domains.RESOURCE, Query(administered_by=username))
    return Own(
        username,
        frozenset(given.keys),
        # As the times of records are written; that of an account is in whole seconds.
        since=created and created.removesuffix("Z") + ".000000Z",
        behind=finding.last_of_name(database, username),
    )


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
        raise page_tokens.made_up()
    return int(text)
