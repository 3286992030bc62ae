"""Write docs/compatibility.md: the declarations beside what the published API document has.

``published.toml`` holds that document's endpoints and names, ``deviations.toml`` the prose; all else is read
from the route table, the fields and their places.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

from mailwright import tokens
from mailwright.app import ACCOUNTS
from mailwright.authz import Action
from mailwright.fields import kinds, ldap_places, places
from mailwright.fields.field import AnyField
from mailwright.fields.resource import Resource, Verb
from mailwright.http.openapi import fields_of
from mailwright.http.routes import PREFIX, ROUTES, Route
from mailwright.resources import rights

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "compatibility.md"
OLDER, NEWER = "older", "newer"
HEAD = ("Parameter", "Also", "By", "Value", "Published", "SQL", "Directory", "Rights")

OPENING = """\
# Compatibility

<!-- Made by `make docs` from the route table, the fields, tools/pages/published.toml and tools/pages/deviations.toml.  Change those, not this page. -->

What a script written for the published iRedAdmin-Pro API can rely on, endpoint by endpoint and parameter by parameter.

- **Published** says which edition of the API document has it: *both*, only the *newer* one, or none, then it is *ours*.
  `*` stands where it is required there.
  What a GET answers is not described in the document, so names that only a GET shows are ours.
- **Permission** is the word for what the operation does to its target.
- **Who** is the least that a caller must be.
  A *domain admin* is an admin of the domain in question, and reaches no account of higher rank.
- **By** names the verbs that take a parameter, with `*` where they require it.
  *PUT all* is the update of every account of a domain; *GET* stands where it is only shown.
- **Also** are other spellings of the same parameter; if both are given, the first name wins.
- **SQL** (SQLite, PostgreSQL, MariaDB, MySQL) and **Directory** (OpenLDAP) say where it is kept: a column, a key in a settings string, an attribute.
  *Ignored* means that it is taken with a warning and kept nowhere.
- **Rights** names the profile that closes it to domain admins (`disableDomainProfile`, `disableUserProfile`); *global admins* stands where nobody else changes it.

What each parameter means: [Parameters](api/reference.md).
What differs between backends besides: [Backends](backends.md).
"""

NOT_YET = """
## Not yet

These are in the published document and not here.
A path that is not here answers 404 and a method that is not here 405; a parameter that is not here is treated like any other that the path does not take.
"""


VALUES: dict[type, str] = {
    kinds.Password: "plain text",
    kinds.YesNo: "`yes`, `no`",
    kinds.Email: "address",
    kinds.Mailbox: "address",
    kinds.DomainName: "domain",
    kinds.Language: "code like `en_US`, or empty",
    kinds.Transport: "Postfix transport",
    kinds.NextHop: "host, `[host]:port`, or empty",
    kinds.Stamp: "time in UTC",
    kinds.Names: "name",
    tokens.Network: "address or network",
    tokens.End: "time (RFC 3339) or number of days",
}
MEMBERS: dict[type, str] = {
    kinds.Email: "addresses",
    kinds.Mailbox: "addresses",
    kinds.DomainName: "domains",
    kinds.Names: "names",
    tokens.Network: "networks",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What the document has of an endpoint: the editions that have it, and those of each parameter."""

    endpoint: str
    editions: frozenset[str]
    parameters: dict[str, frozenset[str]]
    required: dict[str, str]  # and the edition since which each is required


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter of a field: the name that replaces, or those that add, remove or clear."""

    field: AnyField
    name: str
    also: tuple[str, ...]
    role: str


def page(routes: Sequence[Route] = ROUTES) -> str:
    documented = read_published()
    prose = read_toml("deviations.toml")
    parts = [OPENING, "\n## Everywhere\n\n"]
    parts += table(("Subject", "Reading"), *prose["general"].items())
    parts += ["\nOn a directory:\n\n"]
    parts += table(("Subject", "Reading"), *prose["directory"]["general"].items())
    for tag in dict.fromkeys(route.tag for route in routes):
        parts += _section(tag, [route for route in routes if route.tag == tag], documented, prose)
    parts += _not_yet(routes, documented)
    return "".join(parts)


def read_toml(name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads((HERE / name).read_text(encoding="utf-8"))


def shape(endpoint: str) -> str:
    """An endpoint whatever the parts of its path are called: what ours and the document's share."""
    return re.sub(r"\{[^}]*\}", "{}", endpoint)


def read_published() -> dict[str, Known]:
    """What the document has, by endpoint as it is written there."""
    written = read_toml("published.toml")
    found = {}
    for endpoint in dict.fromkeys((*written[OLDER], *written[NEWER])):
        parameters: dict[str, frozenset[str]] = {}
        required = {}
        for edition in (OLDER, NEWER):
            for word in written[edition].get(endpoint, "").split():
                name = word.rstrip("*")
                parameters.setdefault(name, _editions(edition))
                if word != name:
                    required[name] = edition
        since = OLDER if endpoint in written[OLDER] else NEWER
        found[endpoint] = Known(endpoint, _editions(since), parameters, required)
    return found


def _editions(since: str) -> frozenset[str]:
    return frozenset({OLDER, NEWER} if since == OLDER else {NEWER})


def _section(
    tag: str, routes: Sequence[Route], documented: dict[str, Known], prose: dict[str, Any]
) -> Iterator[str]:
    known = {shape(endpoint): found for endpoint, found in documented.items()}
    yield f"\n## {tag}\n\n"
    yield from table(
        ("Method", "Path", "Published", "Permission", "Who"),
        *(
            (
                f"`{route.method}`",
                f"`{route.path}`",
                _in(known.get(shape(endpoint_of(route)))),
                f"`{route.action.value}`",
                prose["who"].get(endpoint_of(route)) or who(route),
            )
            for route in routes
        ),
    )
    remarks = prose["endpoints"]
    yield from _bullets(
        (endpoint_of(route), remarks[endpoint_of(route)])
        for route in routes
        if endpoint_of(route) in remarks
    )
    resources = {
        route.resource.name: route.resource for route in routes if route.resource and route.verb
    }
    for resource in resources.values():
        taking = [route for route in routes if route.resource is resource and route.verb]
        yield f"\n### Parameters: {resource.title}\n\n"
        yield from _parameters(resource, _rows_of(resource, taking), taking, known)
        yield from _bullets(_remarks(prose["parameters"], resource.name))
        on_a_directory = list(_remarks(prose["directory"], resource.name))
        if on_a_directory:
            yield "\nOn a directory:\n"
            yield from _bullets(on_a_directory)
    for route in routes:
        if route.verb is None and fields_of(route):
            yield f"\n### `{endpoint_of(route)}`\n\n"
            rows = [row for field in fields_of(route) for row in _rows(field)]
            yield from _parameters(route.resource, rows, [route], known)


def endpoint_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def who(route: Route) -> str:
    """The least that a caller must be."""
    if route.action is Action.PUBLIC:
        return "anybody"
    if route.action is Action.SESSION:
        return "whoever is logged in"
    name = route.resource.name if route.resource is not None else ""
    return "domain admin" if (name, route.action) in rights.DOMAIN_ADMINS_MAY else "global admin"


def _in(known: Known | None, name: str = "") -> str:
    """Which editions have an endpoint, or one of its parameters."""
    if known is None:
        return "ours"
    editions = known.parameters.get(name, frozenset()) if name else known.editions
    words = {0: "ours", 1: "newer", 2: "both"}[len(editions)]
    since = known.required.get(name)
    return words if since is None else f"{words} `*`" if since == OLDER else f"{words} (newer `*`)"


def _remarks(prose: dict[str, Any], resource: str) -> Iterator[tuple[str, str]]:
    for names, remark in prose.get(resource, {}).items():
        yield "`, `".join(names.split()), remark


def _bullets(remarks: Iterable[tuple[str, str]]) -> Iterator[str]:
    lines = [f"- `{name}`: {remark}.\n" for name, remark in remarks]
    return iter(["\n", *lines] if lines else [])


def _rows_of(resource: Resource, routes: Sequence[Route]) -> list[Row]:
    """What the verbs of a resource take, and what a GET shows."""
    taken = {field for route in routes for field in fields_of(route)}
    shown = {field for field in resource.fields if field.read_only and not field.hidden}
    return [row for field in resource.fields if field in taken | shown for row in _rows(field)]


def _rows(field: AnyField) -> Iterator[Row]:
    if field.resets or field.read_only:
        yield Row(field, field.name, field.synonyms, "value")
    for role, names in (("add", field.adds), ("remove", field.removes), ("clear", field.clears)):
        if names:
            yield Row(field, names[-1], names[:-1], role)


def _parameters(
    resource: Resource | None, rows: Sequence[Row], routes: Sequence[Route], known: dict[str, Known]
) -> Iterator[str]:
    closing = _closing(resource)
    lines = []
    before = None
    for row in rows:
        taking = [route for route in routes if row.field in fields_of(route)]
        sql, directory = _places(resource, row.field)
        again = row.field is before
        lines.append(
            (
                f"`{row.name}`",
                ", ".join(f"`{name}`" for name in row.also),
                ", ".join(_verb(route, row) for route in taking) or "GET",
                "as above" if again and row.role != "clear" else value_of(row),
                _published(row, taking, known),
                "as above" if again and sql else sql,
                "as above" if again and directory else directory,
                _rights(row.field, closing),
            )
        )
        before = row.field
    filled = [any(column) for column in zip(*lines, strict=True)]
    return table(*(list(compress(line, filled)) for line in (HEAD, *lines)))


def _places(resource: Resource | None, field: AnyField) -> tuple[str, str]:
    """Where SQL and a directory keep a field; nothing for what neither keeps."""
    nowhere = "ignored" if field.sql or field.ldap else ""
    return (
        in_sql(resource, field) if resource and field.sql else nowhere,
        in_directory(resource, field) if resource and field.ldap else nowhere,
    )


def _verb(route: Route, row: Row) -> str:
    verb = _label(route)
    return f"{verb} `*`" if row.field in route.required and row.role == "value" else verb


def _label(route: Route) -> str:
    """A word for a verb that no other one of its table has."""
    resource = route.resource
    if route.verb is Verb.BULK:
        return f"{route.method} all"
    if (
        route.verb is None
        or resource is None
        or shape(route.path) == f"{PREFIX}/{resource.name}/{{}}"
    ):
        return route.method
    return f"`{endpoint_of(route)}`"


def _published(row: Row, routes: Sequence[Route], known: dict[str, Known]) -> str:
    """Which editions have the parameter, by verb where that differs."""
    by_verb = {
        _label(route): _in(known.get(shape(endpoint_of(route))), _written(row, route, known))
        for route in routes
    }
    if len(set(by_verb.values())) > 1:
        return ", ".join(f"{verb} {words}" for verb, words in by_verb.items())
    return next(iter(by_verb.values()), "ours")


def _written(row: Row, route: Route, known: dict[str, Known]) -> str:
    """The name by which the document knows a parameter."""
    found = known.get(shape(endpoint_of(route)))
    names = found.parameters if found is not None else {}
    return next((name for name in (row.name, *row.also) if name in names), row.name)


def _closing(resource: Resource | None) -> frozenset[str]:
    for account in ACCOUNTS.values():
        if account.resource is resource and account.lock is not None:
            return frozenset(account.lock.profiles)
    return frozenset()


def _rights(field: AnyField, closing: frozenset[str]) -> str:
    words = [f"`{field.group}`"] if field.group in closing else []
    if field.global_only:
        words.append("global admins")
    return ", ".join(words)


def value_of(row: Row) -> str:
    if row.role == "clear":
        return "any"
    kind = row.field.kind
    if isinstance(kind, kinds.Many):
        return f"list of {_members(kind.of)}"
    if isinstance(kind, kinds.Text) and row.field.read_only:
        return "text"
    return _one(kind)


def _members(kind: kinds.Kind[Any]) -> str:
    match kind:
        case kinds.Names(known=words) | kinds.Choice(words=words) if words:
            return ", ".join(f"`{word}`" for word in words)
        case _:
            return MEMBERS.get(type(kind), "texts")


def _one(kind: kinds.Kind[Any]) -> str:
    match kind:
        case kinds.Text(longest=longest):
            return f"text to {longest} characters"
        case kinds.Whole(least=least, most=most):
            return f"{least} to {most}" if most < kinds.MEGABYTES.most else f"{least} or more"
        case kinds.Choice(words=words):
            return ", ".join(f"`{word}`" for word in words)
        case _:
            optional = " or empty" if getattr(kind, "optional", False) else ""
            return VALUES.get(type(kind), str(kind.schema().get("type", "text"))) + optional


def in_sql(resource: Resource, field: AnyField) -> str:
    """Where SQL keeps a field.  ``TypeError`` names a place that is new here."""
    table_, place = resource.sql.table, field.sql
    match place:
        case places.Column(name=name, mirrors=mirrors):
            also = dict.fromkeys(f"`{mirror.table}.{mirror.column}`" for mirror in mirrors)
            return ", ".join((f"`{table_}.{name}`", *also))
        case places.Setting(key=key, only=only):
            return f"`{table_}.{resource.sql.settings}`: `{key}`" + (
                f" ({', '.join(only)})" if only else ""
            )
        case places.SideRow(table=other, value=value):
            return f"`{other}.{value}`"
        case places.SideRows(table=other, value=value, where=where):
            return f"`{other}.{value}`" + _where(where)
        case places.Switches(names=names):
            first = next(iter(names.values()))
            return f"columns of `{table_}`, such as `{first.own}`"
        case places.Joined(table=other, column=column):
            return f"`{other}.{column}`"
        case places.Counted(table=other, total=total, where=where):
            return (f"sum of `{other}.{total}`" if total else f"rows of `{other}`") + _where(where)
        case places.Derived(needs=needs):
            return _told_from(resource, needs, in_sql)
        case _:
            raise TypeError(f"{field.name}: no words for {place!r}")


def _where(where: Mapping[str, int]) -> str:
    return "".join(f", where `{column}` is {value}" for column, value in where.items())


def _told_from(
    resource: Resource, needs: Iterable[str], kept: Callable[[Resource, AnyField], str]
) -> str:
    """What is not kept itself: where the values are that it is told from."""
    by_name = {field.name: field for field in resource.fields}
    told = ", ".join(kept(resource, by_name[name]) for name in needs)
    return f"told from {told}" if told else "not kept"


def in_directory(resource: Resource, field: AnyField) -> str:
    """Where a directory keeps a field.  ``TypeError`` names a place that is new here."""
    place = field.ldap
    match place:
        case ldap_places.Attribute() | ldap_places.AttributeValues() | ldap_places.PathPart():
            return _own_attribute(place)
        case ldap_places.AccountSetting(key=key):
            return f"`accountSetting`: `{key}`"
        case ldap_places.Services():
            return "`enabledService`"
        case ldap_places.Service(name=name, attribute=attribute):
            return f"`{attribute}`: `{name}`"
        case places.Joined(table=other, column=column):
            return f"SQL beside it: `{other}.{column}`"
        case places.Derived(needs=needs):
            return _told_from(resource, needs, in_directory)
        case _:
            return _other_entries(place)


def _own_attribute(
    place: ldap_places.Attribute | ldap_places.AttributeValues | ldap_places.PathPart,
) -> str:
    match place:
        case ldap_places.Attribute(name=name, service=service, spread=spread):
            return (
                f"`{name}`"
                + (f", and `{service}` in `enabledService`" if service else "")
                + (f", and `{spread.attribute}` of its accounts" if spread else "")
            )
        case ldap_places.AttributeValues(name=name):
            return f"`{name}`"
        case ldap_places.PathPart():
            return "part of `homeDirectory`"


def _other_entries(place: ldap_places.LdapPlace | None) -> str:
    match place:
        case ldap_places.ChildEntry(branch=branch, attribute=attribute):
            return f"`{attribute}` of the entry `@` and the domain in `{branch}`"
        case ldap_places.Granted(attribute=attribute, of_class=of_class, own=own):
            return f"`{attribute}` of each `{of_class}`, `{own}`"
        case ldap_places.Membership(attribute=attribute, forwarding=forwarding, alias_class=alias):
            return f"`{attribute}`, and `{forwarding}` of each `{alias}`"
        case ldap_places.CountedEntries(of_class=of_class, total=total):
            return f"sum of `{total}`" if total else f"entries `{of_class}`"
        case _:
            raise TypeError(f"no words for {place!r}")


def _not_yet(routes: Sequence[Route], documented: dict[str, Known]) -> Iterator[str]:
    built = {shape(endpoint_of(route)): route for route in routes}
    missing = [
        (
            *(f"`{part}`" for part in endpoint.split(" ")),
            _in(known),
            ", ".join(f"`{name}`" for name in known.parameters),
        )
        for endpoint, known in documented.items()
        if shape(endpoint) not in built
    ]
    untaken = [
        (f"`{endpoint}`", f"`{name}`", _in(known, name))
        for endpoint, known in documented.items()
        if shape(endpoint) in built
        for name in known.parameters
        if name not in taken_by(built[shape(endpoint)])
    ]
    if missing or untaken:
        yield NOT_YET
    if missing:
        yield "\n"
        yield from table(("Method", "Path", "Published", "Parameters"), *missing)
    if untaken:
        yield "\n"
        yield from table(("Endpoint", "Parameter", "Published"), *untaken)


def taken_by(route: Route) -> frozenset[str]:
    """Every name that a route takes."""
    return frozenset(name for field in fields_of(route) for name in field.names())


def table(head: Sequence[str], *lines: Sequence[str]) -> Iterator[str]:
    for line in (head, ["---"] * len(head), *lines):
        yield "".join(f"| {cell} " if cell else "| " for cell in line) + "|\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
