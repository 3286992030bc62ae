"""Write docs/api/reference.md from the declarations of resources."""

from __future__ import annotations

from pathlib import Path

from mailwright.app import ACCOUNTS
from mailwright.fields.field import AnyField
from mailwright.fields.kinds import Choice, Many, Whole, YesNo
from mailwright.fields.resource import Resource
from mailwright.resources import listing

PAGE = Path(__file__).parents[2] / "docs" / "api" / "reference.md"

OPENING = """\
# Parameters

<!-- Made by `make docs` from src/mailwright/resources. Change the declarations there, not this page. -->

Every parameter of every resource: how it is written, when it is taken, and what it means.
Routes, statuses and shapes are in the OpenAPI description: `/docs` and `/openapi.json` of a running server, or `mailwright openapi`.

Parameters come as a form, a JSON object, a multipart form or in the query string; the body wins.
A list is written with commas, as repeated keys or as a JSON array.
Lists marked `+` and `-` have parameters of their own to add and remove members; they conflict with the name that replaces the whole list.
What GET answers can be sent back with PUT: what repeats the stored value changes nothing, and read-only names are ignored.
"""


def page() -> str:
    parts = [OPENING]
    for account in ACCOUNTS.values():
        parts += _resource(account.resource)
    return "".join(parts)


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
