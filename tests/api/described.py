"""Whether an answer is one that the OpenAPI document describes for its route."""

from __future__ import annotations

from typing import Any

from falcon.testing import Result
from jsonschema_rs import Draft202012Validator

from mailwright.http import openapi
from mailwright.http.routes import Route
from mailwright.settings import Api, Settings


def is_described(route: Route, result: Result, *, http_status: str = "semantic") -> bool:
    """Whether the status and the body are described."""
    document = openapi.document(Settings(api=Api(http_status=http_status)))
    responses: dict[str, Any] = document["paths"][route.path][route.method.lower()]["responses"]
    response = responses.get(str(result.status_code))
    if response is None:
        return False
    schema = response["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": document["components"]})
    return bool(validator.is_valid(result.json))
