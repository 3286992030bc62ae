"""The description is valid, complete and about these settings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from mailwright.authz import Action
from mailwright.http import openapi
from mailwright.http.routes import ROUTES
from mailwright.settings import Api, Server, Sessions, Settings
from tests.api.client import Api as Client

DOCUMENT = openapi.document(Settings())
operations = pytest.mark.parametrize(
    ("path", "method"),
    [(path, method) for path, found in DOCUMENT["paths"].items() for method in found],
)


def operation(path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method]
    return found


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def schemas(value: object) -> list[Any]:
    if isinstance(value, dict):
        own = [value["schema"]] if isinstance(value.get("schema"), dict) else []
        return own + [found for each in value.values() for found in schemas(each)]
    return [found for each in value for found in schemas(each)] if isinstance(value, list) else []


def test_every_route_is_described_and_nothing_else() -> None:
    described = {
        (method.upper(), path) for path, found in DOCUMENT["paths"].items() for method in found
    }

    assert {(route.method, route.path) for route in ROUTES} == described


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_parameter_is_described_with_its_synonyms(route: Any) -> None:
    found = operation(route.path, route.method.lower())
    parts = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    names = {name for field in openapi.fields_of(route) for name in field.names()}
    query = {each["name"] for each in found.get("parameters", ()) if each["in"] == "query"}
    bodies = found.get("requestBody", {"content": {}})["content"].values()

    assert parts == [each["name"] for each in found.get("parameters", ()) if each["in"] == "path"]
    if route.method == "GET":
        assert names == query
    else:
        assert all(names == set(body["schema"]["properties"]) for body in bodies)
        assert (3 if names else 0) == len(bodies)
    assert (route.action is Action.PUBLIC) == (found.get("security") == [])


def test_references_lead_somewhere_and_operations_have_names_of_their_own() -> None:
    for reference in references(DOCUMENT):
        found: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]

        assert found

    names = [route.name for route in ROUTES]

    assert len(set(names)) == len(names)


def test_every_schema_is_one() -> None:
    inside = [*schemas(DOCUMENT["paths"]), *DOCUMENT["components"]["schemas"].values()]
    for schema in inside:
        Draft202012Validator({**schema, "components": DOCUMENT["components"]})

    assert len(inside) > 100


@operations
def test_every_help_text_says_something(path: str, method: str) -> None:
    found = operation(path, method)
    bodies = found.get("requestBody", {"content": {}})["content"].values()

    assert found["summary"]
    assert all(each["description"] for each in found.get("parameters", ()))
    assert all(
        words["description"] for body in bodies for words in body["schema"]["properties"].values()
    )


def test_no_password_is_in_any_answer() -> None:
    profile = DOCUMENT["components"]["schemas"]["User"]["properties"]
    exposing = openapi.document(Settings(api=Api(expose_password_hashes=True)))
    exposed = exposing["components"]["schemas"]["User"]["properties"]

    assert not {name for name in profile if "password" in name.lower()} - {"passwordLastChange"}
    assert set(profile) < set(exposed)


def test_settings_are_told() -> None:
    document = openapi.document(
        Settings(
            server=Server(base_path="/iredadmin"),
            api=Api(http_status="always-200"),
            sessions=Sessions(cookie_name="other"),
        )
    )
    created = document["paths"]["/api/domain/{domain}"]["post"]["responses"]

    assert [{"url": "/iredadmin"}] == document["servers"]
    assert "other" == document["components"]["securitySchemes"]["session"]["name"]
    assert {"200", "404", "415", "500"} == set(created)


def test_the_document_is_served_as_it_is(api: Client) -> None:
    result = api.call("GET", "/openapi.json")

    assert json.loads(json.dumps(DOCUMENT)) == result.json
    assert "application/json" == result.headers["content-type"]
