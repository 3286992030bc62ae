"""Write docs/api/reference.md from the route table, the declarations of resources and codes.toml."""

from __future__ import annotations

import runpy
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mailwright.app import ACCOUNTS
from mailwright.fields.field import AnyField
from mailwright.fields.kinds import Choice, Many, Whole, YesNo
from mailwright.fields.resource import Resource, Verb
from mailwright.http.routes import ROUTES, Route
from mailwright.resources import listing

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "api" / "reference.md"
# What a setting requires, which no declaration can say: resource, parameter and the setting.
REQUIRED_BY_SETTING = {"domain": ("name", "api.require_domain_name")}

OPENING = """\
# API

<!-- Made by `make docs` from the route table, src/mailwright/resources and tools/pages/codes.toml. Change those, not this page. -->

Every route with who may call it, every parameter of every resource, and every error code.
The shapes of answers are in the OpenAPI description: `/docs` and `/openapi.json` of a running server, or `mailwright openapi`.
Where each parameter is kept and which profile closes it is in [Compatibility](../compatibility.md).

Parameters come as a form, a JSON object, a multipart form or in the query string; the body wins.
A list is written with commas, as repeated keys or as a JSON array.
Lists marked `+` and `-` have parameters of their own to add and remove members; they conflict with the name that replaces the whole list.
What GET answers can be sent back with PUT: what repeats the stored value changes nothing, and read-only names are ignored.
"""


ROUTES_OPENING = """
## Routes

*Who* is the least that a caller must be.
A *domain admin* is one of the domain in question: of others nothing is told, and an account of higher rank is out of reach.
An API token may what its owner may, within its scope.
An asterisk stands where a setting decides, as said below the parameters.

"""
CODES_OPENING = """
## Errors

A failure has a `_code`, which stays the same, and a `_msg`, which begins with it and is for people.
The status is that of the setting `http_status = "semantic"`.
A password that is wrong in several ways has several codes, with commas.

"""


def page() -> str:
    parts = [OPENING, *_routes()]
    for account in ACCOUNTS.values():
        parts += _resource(account.resource)
    parts += _codes()
    return "".join(parts)


def _routes() -> Iterator[str]:
    tool = runpy.run_path(str(HERE / "compatibility.py"))
    who: Callable[[Route], str] = tool["who"]
    endpoint_of: Callable[[Route], str] = tool["endpoint_of"]
    exceptions: dict[str, Any] = tool["read_toml"]("deviations.toml")["who"]
    yield ROUTES_OPENING
    yield "| Route | What it does | Required | Who |\n| --- | --- | --- | --- |\n"
    for route in ROUTES:
        endpoint = endpoint_of(route)
        yield (
            f"| `{endpoint}` | {route.help} | {_required(route)} "
            f"| {exceptions.get(endpoint) or who(route)} |\n"
        )


def _required(route: Route) -> str:
    names = [f"`{field.name}`" for field in route.required]
    if route.resource is not None and route.verb is Verb.CREATE:
        name, _ = REQUIRED_BY_SETTING.get(route.resource.name, ("", ""))
        names += [f"`{name}`\\*"] * bool(name)
    return ", ".join(names)


def _codes() -> Iterator[str]:
    yield CODES_OPENING
    yield "| `_code` | Status | Meaning |\n| --- | --- | --- |\n"
    found = tomllib.loads((HERE / "codes.toml").read_text(encoding="utf-8"))
    for status, codes in found.items():
        for code, meaning in codes.items():
            yield f"| `{code}` | {status} | {meaning} |\n"


def _resource(resource: Resource) -> list[str]:
    parts = [
        f"\n## {resource.name.capitalize()}\n\n",
        "| Parameter | On | Value | Meaning | Example |\n| --- | --- | --- | --- | --- |\n",
    ]
    taken = dict.fromkeys((*resource.update, *resource.grant))
    parts += [_row(resource, field) for field in taken]
    parts += [
        f"\nRequired to create: {', '.join(f'`{field.name}`' for field in resource.required)}.\n"
    ] * bool(resource.required)
    if resource.name in REQUIRED_BY_SETTING:
        name, setting = REQUIRED_BY_SETTING[resource.name]
        parts.append(f"\nRequired to create: `{name}`, unless `{setting}` is false.\n")
    parts.append("\nRead only:\n\n| Name | Meaning |\n| --- | --- |\n")
    parts += [
        f"| `{field.name}` | {field.help} |\n"
        for field in resource.fields
        if field.read_only and not field.hidden
    ]
    parts.append("\nIn a list:\n\n| Parameter | Value | Meaning |\n| --- | --- | --- |\n")
    parts += [
        f"| `{field.name}` | {_value(field)} | {field.help} |\n"
        for field in listing.parameters(resource)
    ]
    parts.append(
        f"\nLists are sorted by {', '.join(f'`{field.name}`' for field in resource.sorted_by)}.\n"
    )
    return parts


def _row(resource: Resource, field: AnyField) -> str:
    verbs = [
        name
        for name, fields in (
            ("POST", resource.create),
            ("PUT", resource.update),
            ("PUT all", resource.bulk),
            ("PUT admins", resource.grant),
        )
        if field in fields
    ]
    names = [
        f"`{name}`" for name in (field.names() if field.resets else ())[: 1 + len(field.synonyms)]
    ]
    names += [f"+`{name}`" for name in field.adds] + [f"-`{name}`" for name in field.removes]
    names += [f"clears: `{name}`" for name in field.clears]
    return f"| {', '.join(names)} | {', '.join(verbs)} | {_value(field)} | {field.help} | `{field.example}` |\n"


def _value(field: AnyField) -> str:
    match field.kind:
        case Many():
            return "list"
        case YesNo():
            return "yes or no"
        case Choice(words):
            return ", ".join(words)
        case Whole(least, most):
            return f"{least} to {most}"
        case _:
            return "text"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
