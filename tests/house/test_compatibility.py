"""docs/compatibility.md says what the declarations and the published API document say."""

from __future__ import annotations

import dataclasses
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mailwright.app import ACCOUNTS
from mailwright.fields.resource import Verb
from mailwright.http.openapi import fields_of
from mailwright.http.routes import ROUTES

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "tools" / "pages"
PAGE = ROOT / "docs" / "compatibility.md"
UPDATE_USER = next(
    route for route in ROUTES if (route.method, route.path) == ("PUT", "/api/user/{mail}")
)


@pytest.fixture(scope="module")
def tool() -> dict[str, Any]:
    return runpy.run_path(str(PAGES / "compatibility.py"))


def read(name: str) -> dict[str, Any]:
    return tomllib.loads((PAGES / name).read_text(encoding="utf-8"))


def lines_with(text: str, *words: str) -> list[str]:
    return [line for line in text.splitlines() if all(f"`{word}`" in line for word in words)]


def split(page: str) -> tuple[str, str]:
    """What is built, and what is not yet."""
    built, _, missing = page.partition("## Not yet\n")
    return built, missing


def test_the_page_is_current(tool: dict[str, Any]) -> None:
    """Run ``make docs`` when this fails."""
    assert tool["page"]() == PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_and_every_name_it_takes_is_there(tool: dict[str, Any], route: Any) -> None:
    built, _ = split(tool["page"]())

    assert lines_with(built, route.method, route.path)
    names = {name for field in fields_of(route) for name in field.names()}
    assert [] == [name for name in sorted(names) if f"`{name}`" not in built]


def test_the_document_has_as_many_endpoints_as_were_counted(tool: dict[str, Any]) -> None:
    known = tool["read_published"]().values()

    assert (56, 74) == (sum(len(found.editions) == 2 for found in known), len(known))


def test_every_published_endpoint_is_either_built_or_not_yet(tool: dict[str, Any]) -> None:
    built, missing = split(tool["page"]())
    ours = {tool["shape"](f"{route.method} {route.path}") for route in ROUTES}

    for endpoint in tool["read_published"]():
        method, path = endpoint.split(" ")
        if tool["shape"](endpoint) in ours:
            assert not lines_with(missing, method, path), endpoint
        else:
            assert not lines_with(built, method, path), endpoint
            assert lines_with(missing, method, path), endpoint


def test_an_endpoint_without_a_route_is_not_yet(tool: dict[str, Any]) -> None:
    without = [route for route in ROUTES if route is not UPDATE_USER]

    _, missing = split(tool["page"](without))

    assert lines_with(missing, "PUT", "/api/user/{mail}", "employeeid")


def test_a_published_parameter_that_no_route_takes_is_not_yet(tool: dict[str, Any]) -> None:
    resource = ACCOUNTS["user"].resource
    fewer = dataclasses.replace(
        resource, update=tuple(field for field in resource.update if field.name != "employeeid")
    )
    routes = [
        dataclasses.replace(route, resource=fewer) if route is UPDATE_USER else route
        for route in ROUTES
    ]

    _, missing = split(tool["page"](routes))

    assert lines_with(missing, "PUT /api/user/{mail}", "employeeid")
    assert not lines_with(missing, "PUT /api/user/{mail}", "quota")


def test_a_path_is_the_same_whatever_its_parts_are_called(tool: dict[str, Any]) -> None:
    routes = [
        dataclasses.replace(route, path="/api/user/{address}") if route is UPDATE_USER else route
        for route in ROUTES
    ]

    built, missing = split(tool["page"](routes))

    assert ["| `PUT` | `/api/user/{address}` | both | `update` | domain admin |"] == lines_with(
        built, "PUT", "/api/user/{address}"
    )
    assert not lines_with(missing, "PUT", "/api/user/{mail}")


def test_what_only_one_edition_or_none_has_is_marked(tool: dict[str, Any]) -> None:
    built, _ = split(tool["page"]())

    for beginning, words in (
        ("| `GET` | `/api/domains` |", "newer"),
        ("| `POST` | `/api/logout` |", "ours"),
        ("| `employeeid` |", "both"),
        ("| `addService` |", "newer"),
        ("| `numberOfLists` |", "POST both, PUT ours"),
        ("| `name` | `cn` | POST, PUT |", "POST both (newer `*`), PUT both"),
    ):
        line = next(line for line in built.splitlines() if line.startswith(beginning))
        assert words in line.split(" | "), line


@pytest.mark.parametrize(("kept", "other"), [("sql", "ldap"), ("ldap", "sql")])
def test_what_one_backend_keeps_is_ignored_on_the_other(
    tool: dict[str, Any], kept: str, other: str
) -> None:
    resource = ACCOUNTS["user"].resource
    field = resource.by_name["employeeid"]

    places = tool["_places"](resource, dataclasses.replace(field, **{other: None}))

    column, attribute = "`mailbox.employeeid`", "`employeeNumber`"
    assert ((column, "ignored") if kept == "sql" else ("ignored", attribute)) == places


@pytest.mark.parametrize(("place", "told"), [("sql", "in_sql"), ("ldap", "in_directory")])
def test_a_place_without_words_is_refused(tool: dict[str, Any], place: str, told: str) -> None:
    resource = ACCOUNTS["user"].resource
    field = dataclasses.replace(resource.by_name["name"], **{place: object()})

    with pytest.raises(TypeError, match="no words for"):
        tool[told](resource, field)


def test_every_remark_is_about_something_that_exists_and_is_on_the_page() -> None:
    prose = read("deviations.toml")
    page = PAGE.read_text(encoding="utf-8")
    resources = {
        route.resource.name: route.resource
        for route in ROUTES
        if route.resource is not None and isinstance(route.verb, Verb)
    }

    assert {*prose["endpoints"], *prose["who"]} <= {
        f"{route.method} {route.path}" for route in ROUTES
    }
    remarks = [*prose["general"].values(), *prose["directory"]["general"].values()]
    remarks += (*prose["endpoints"].values(), *prose["who"].values())
    for section in (prose["parameters"], prose["directory"]):
        for name, about in section.items():
            if name == "general":
                continue
            remarks += about.values()
            assert {word for names in about for word in names.split()} <= set(
                resources[name].by_name
            ) | {field.name for field in resources[name].fields}
    assert [] == [remark for remark in remarks if remark not in page]
