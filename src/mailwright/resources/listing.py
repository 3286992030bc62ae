"""Lists of accounts: filtered, searched, sorted and paged on request, whole without."""

from __future__ import annotations

import datetime as dt
import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from mailwright.authz import Action, Role
from mailwright.errors import Invalid
from mailwright.fields import page_tokens
from mailwright.fields.field import AnyField, Field, Record
from mailwright.fields.kinds import Text, Whole, YesNo
from mailwright.fields.places import Codec, Column
from mailwright.fields.resource import Form, Resource, not_taken, parse
from mailwright.resources import admin as admins
from mailwright.resources import domain as domains
from mailwright.resources import rights
from mailwright.resources.operations import Account, as_of, visible
from mailwright.storage.protocol import ZERO_DATE, Query
from mailwright.work import Work

MOST_ON_A_PAGE = 1000
_Place = tuple[str | int, str]
_NUMBERS = frozenset({Codec.WHOLE, Codec.FLAG, Codec.STATUS, Codec.EPOCH})
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?")

LIMIT = Field(
    "limit",
    Whole(1, MOST_ON_A_PAGE),
    "Most accounts in the answer; the next ones are reached with page_token",
    0,
    example="50",
)
PAGE_TOKEN = Field(
    "page_token", Text(2000), "Where to go on: _next_page_token of the answer before", ""
)
SEARCH = Field("q", Text(), "Part of a name or address", "", example="example")
SORT = Field(
    "sort",
    Text(40),
    "Parameter to sort by; a hyphen before it turns the order round",
    "",
    example="-created",
)
DISABLED_ONLY = Field("disabled_only", YesNo(), "Only disabled accounts", False, example="yes")
NAME_ONLY = Field("name_only", YesNo(), "Only the domain names", False, example="yes")
EMAIL_ONLY = Field("email_only", YesNo(), "Only the addresses", False, example="yes")


@dataclass(frozen=True, slots=True)
class Listed:
    """Accounts, or only their keys, and the token of the next page."""

    records: Sequence[Record] | None
    keys: Sequence[str]
    next: str | None
    paged: bool


def parameters(resource: Resource) -> tuple[AnyField, ...]:
    """What a list of this resource may be asked for."""
    return (
        NAME_ONLY if resource.name == "domain" else EMAIL_ONLY,
        DISABLED_ONLY,
        SEARCH,
        SORT,
        LIMIT,
        PAGE_TOKEN,
    )


def listed(work: Work, account: Account, within: str | None, form: Form) -> Listed:
    """Accounts of a domain, or all domains.  ``Invalid``, ``Forbidden``, ``NotFound``."""
    resource = account.resource
    asked = read_options(resource, form, work)
    bounds = rights.Bounds(None, None)
    closed: frozenset[str] = frozenset()
    if within is not None:
        rights.permit(work, Action.LIST, resource.name, within)
        work.accounts.get(domains.RESOURCE, within, ())  # NotFound
        closed = rights.closed_profiles(work, account.lock, within)
    elif resource is domains.RESOURCE:
        bounds = rights.permit_domains(work)
    else:
        rights.permit(work, Action.LIST, resource.name, None)
    order: str = asked[SORT]
    sort = _sort_field(resource, order.removeprefix("-")) if order else None
    status = next(field for field in resource.fields if field.name == "accountStatus")
    only: dict[AnyField, Any] = {status: "disabled"} if asked[DISABLED_ONLY] else {}
    if account.rank is not None and work.actor.role is not Role.GLOBAL_ADMIN:
        only[account.rank] = False  # who may not be looked at
    query = Query(
        within=within,
        only=only,
        text=asked[SEARCH],
        sort=None if sort is resource.fields[0] else sort,
        descending=order.startswith("-"),
        limit=asked[LIMIT] or (100 if asked[PAGE_TOKEN] else None),
        after=_read_token(asked[PAGE_TOKEN], order, sort) if asked[PAGE_TOKEN] else None,
        administered_by=bounds.administered_by,
        among=bounds.among,
    )
    names_only = asked[NAME_ONLY] if resource.name == "domain" else asked[EMAIL_ONLY]
    if resource is admins.RESOURCE:
        return _admins(work, query, order, names_only=names_only)
    if names_only:
        names = work.accounts.find_names(resource, query)
        return Listed(None, names.keys, _token(names.next, order), query.limit is not None)
    fields = rights.open_fields(visible(work, resource), closed)
    page = work.accounts.find(resource, query, fields)
    if bounds.administered_by is not None and account.lock is not None:
        for record in page.records:
            _close(record, account.lock.closed_by(record))
    if account.given is not None and within is not None:
        rights.narrow(work, page.records, account.given, within)
    return Listed(page.records, (), _token(page.next, order), query.limit is not None)


def _admins(work: Work, query: Query, order: str, *, names_only: bool) -> Listed:
    """Standalone admins, and mail users who were named admins.

    They lie in two places.  Each is asked for as many as the page holds, and what comes first of both is
    the page: its last place is where either goes on.
    """
    places: list[_Place] = []
    records: list[Record] = []
    limit, after = query.limit or MOST_ON_A_PAGE, query.after
    while True:
        part = replace(query, limit=limit, after=after)
        found, after = _first_of_both(work, part, names_only=names_only)
        places += (place for place, _ in found)
        records += (record for _, record in found if record is not None)
        if after is None or query.limit is not None:
            break
    shown = None if names_only else records
    keys = [key for _, key in places] if names_only else ()
    return Listed(shown, keys, _token(after, order), query.limit is not None)


def _first_of_both(
    work: Work, query: Query, *, names_only: bool
) -> tuple[list[tuple[_Place, Record | None]], _Place | None]:
    """One page of admins of both sorts, and where the next one begins if there are more."""
    found: list[list[tuple[_Place, Record | None]]] = []
    ends: list[_Place] = []
    for resource, asked in (
        (admins.RESOURCE, query),
        (admins.PROMOTED, replace(query, either=admins.PROMOTING)),
    ):
        if names_only:
            names = work.accounts.find_names(resource, asked)
            found.append([(place, None) for place in names.places])
            ends += [names.next] if names.next else []
        else:
            page = work.accounts.find(resource, asked, visible(work, resource))
            as_shown = (as_of(admins.RESOURCE, record) for record in page.records)
            found.append(list(zip(page.places, as_shown, strict=True)))
            ends += [page.next] if page.next else []
    merged = list(heapq.merge(*found, key=itemgetter(0), reverse=query.descending))
    after = (max if query.descending else min)(ends, default=None)
    if after is not None:  # beyond it, one of the two has not told everything
        merged = [each for each in merged if _is_reached(each[0], after, query)]
    end = query.limit or len(merged)
    # A namesake that another program made may stand at the same place: neither is left out.
    if end < len(merged) and merged[end][0] == merged[end - 1][0]:
        end += 1
    if end < len(merged):
        after = merged[end - 1][0]
    return merged[:end], after


def _is_reached(place: _Place, end: _Place, query: Query) -> bool:
    return place >= end if query.descending else place <= end


def _close(record: Record, profiles: frozenset[str]) -> None:
    for field in record.fields():
        if field.group in profiles:
            record.pop(field)


def read_options(resource: Resource, form: Form, work: Work) -> dict[AnyField, Any]:
    """The options of a list, each with a value."""
    known = {field.name: field for field in parameters(resource)}
    asked: dict[AnyField, Any] = {field: field.empty for field in known.values()}
    for name, texts in form.items():
        field = known.get(name)
        if field is None:
            ignore = work.settings.api.unknown_parameters == "ignore"
            work.warn(not_taken(name, known, work.known, ignore_unknown=ignore))
        else:
            asked[field] = parse(field, name, texts)
    return asked


def _sort_field(resource: Resource, name: str) -> AnyField:
    for field in resource.sorted_by:
        if field.name == name:
            return field
    known = ", ".join(field.name for field in resource.sorted_by)
    raise Invalid(f"sort ({name}): one of {known} is needed", parameter="sort")


def _token(after: tuple[str | int, str] | None, order: str) -> str | None:
    return None if after is None else page_tokens.written((order, *after))


def _read_token(text: str, order: str, sort: AnyField | None) -> tuple[str | int, str]:
    made_for, value, key = page_tokens.read(text, tuple[str, str | int, str])
    if made_for != order:
        raise Invalid("page_token: it belongs to a list with another sort", parameter="page_token")
    if not _is_a_value_of(sort, value):
        raise page_tokens.made_up()
    return value, key


def _is_a_value_of(sort: AnyField | None, value: str | int) -> bool:
    """Whether a store could have found this in what it sorts by: not every engine would take more."""
    place = sort.sql if sort is not None else None
    codec = place.codec if isinstance(place, Column) else Codec.TEXT
    match value:
        case int():
            return codec in _NUMBERS and abs(value) < 2**63
        case _ if codec is Codec.STAMP:
            return value == ZERO_DATE or _is_a_time(value)
        case _:
            return codec not in _NUMBERS


def _is_a_time(text: str) -> bool:
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return _TIME.fullmatch(text) is not None
