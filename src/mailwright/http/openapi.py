"""The OpenAPI 3.1 document, made from the route table and the fields."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from mailwright import tokens
from mailwright.audit.records import FIELDS, Outcome, Record
from mailwright.authz import Action
from mailwright.errors import PartlyDone
from mailwright.fields.field import AnyField
from mailwright.fields.kinds import Many, Names, Stamp, YesNo
from mailwright.fields.resource import Resource, Verb
from mailwright.http import forms
from mailwright.http.routes import ROUTES, Prolonged, Route, Session, Shape, Token, Trail
from mailwright.resources.operations import LONGEST_KEPT_DAYS
from mailwright.settings import Settings

Json = dict[str, Any]
COOKIE: Final = "session"
BEARER: Final = "bearer"
_DESCRIPTION: Final = (
    "Control plane of a mail server.\n\n"
    "Parameters are taken from a form, a JSON object, a multipart form or the query string; what the "
    "body names wins over the query string. Lists are written with commas, as repeated parameters or as "
    "JSON arrays. Every answer is an envelope: `_success`, then `_data`, or `_msg` and `_code`."
)
_CODE: Final[Json] = {
    "type": "string",
    "pattern": "^[A-Z][A-Z0-9_,]*$",
    "description": "A stable word for programs",
}
_WARNINGS: Final[Json] = {
    "type": "array",
    "items": {"type": "string"},
    "description": "What the client should know besides",
}
_FAILURES: Final = {
    400: "A parameter, the path or the body is not acceptable",
    401: "Nobody is logged in, or username, password or API token is wrong",
    403: "The admin, the client or the web page may not do this",
    404: "There is no such account or domain, or the API is switched off",
    409: "The name is taken, or a limit stands against it",
    413: "The body or the number of parameters passes the limit",
    415: "The body is of a type that is not taken",
    429: "Logins or wrong API tokens are being slowed; Retry-After says for how many seconds",
    500: "A mistake of the server",
    503: "A database or the directory cannot be reached, is locked or takes no changes",
}
_BY_LOGIN_ONLY: Final = (Session.LOGOUT, Token.CREATE, Token.REVOKE)
# The same where many accounts are changed: a directory knows no transactions.
_PARTLY_DONE: Final = "or the directory refused the change of some of the accounts"


def document(settings: Settings, routes: Sequence[Route] = ROUTES) -> Json:
    """The description of what these settings serve."""
    always_200 = settings.api.http_status == "always-200"
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(
            route, always_200=always_200
        )
    resources = {route.resource.name: route.resource for route in routes if route.resource}
    schemas: Json = {
        "Success": _success(None),
        "Failure": _failure(),
        "PartlyDone": _failure(partly=True),
        "Token": _token(tokens.SHOWN),
        "Record": _record(),
    }
    for name, resource in resources.items():
        schemas[name.capitalize()] = _profile(resource, hashes=settings.api.expose_password_hashes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mailwright",
            "version": version("mailwright"),
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": settings.server.base_path or "/"}],
        "tags": [{"name": name} for name in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "security": [{COOKIE: []}, {BEARER: []}],
        "components": {
            "schemas": schemas,
            "headers": {
                "X-Request-Id": {
                    "description": "Finds the request in the log",
                    "schema": {"type": "string"},
                }
            },
            "securitySchemes": {
                COOKIE: {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": settings.sessions.cookie_name,
                    "description": "Given by the answer of POST /api/login",
                },
                BEARER: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token, created by POST /api/tokens",
                },
            },
        },
    }


def fields_of(route: Route) -> tuple[AnyField, ...]:
    """The fields whose parameters a route takes."""
    if route.resource is not None and route.verb is not None:
        return route.resource.taken_by(route.verb)
    return tuple(route.options)


def _operation(route: Route, *, always_200: bool) -> Json:
    found: Json = {
        "operationId": route.name,
        "summary": route.help,
        "tags": [route.tag],
        "responses": _responses(route, always_200=always_200),
    }
    parameters = [_path_parameter(name, route) for name in _names_in(route.path)]
    fields = fields_of(route)
    if route.method == "GET":
        parameters += [_query_parameter(field) for field in fields]
    elif fields:
        found["requestBody"] = _body(route, fields)
    if parameters:
        found["parameters"] = parameters
    if route.action is Action.PUBLIC:
        found["security"] = []
    elif route.operation in _BY_LOGIN_ONLY:
        found["security"] = [{COOKIE: []}]
    return found


def _names_in(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _path_parameter(name: str, route: Route) -> Json:
    schema: Json = {"type": "string", "minLength": 1}
    help_ = ""
    if name == "number":
        schema = {"type": "integer", "minimum": 0, "maximum": LONGEST_KEPT_DAYS}
        help_ = "Days that the mail is kept; 0 is for ever"
    elif name == "domain":
        schema |= {"examples": ["example.org"]}
        help_ = "Name of a domain"
    elif name == "id":
        help_ = "Id of an API token, the part between mw_ and the next underscore"
    elif name == "mail":
        schema |= {"examples": ["jane@example.org"]}
        help_ = f"Address of {route.resource.one if route.resource else 'a user'}"
    return {"name": name, "in": "path", "required": True, "description": help_, "schema": schema}


def _query_parameter(field: AnyField) -> Json:
    return {
        "name": field.name,
        "in": "query",
        "required": False,
        "description": field.help,
        "schema": _as_text(field) | _example(field),
    }


def _body(route: Route, fields: Sequence[AnyField]) -> Json:
    required = [field.name for field in route.required]
    json_: Json = {}
    form: Json = {}
    for field in fields:
        for name in field.names():
            words = {"description": _description(field, name)} | (
                _example(field) if name == field.name else {}
            )
            json_[name] = _as_json(field, name) | words
            form[name] = _as_text(field, name) | words
    ending: Json = {"additionalProperties": False}
    if required:
        ending["required"] = required
    as_form = {"schema": {"type": "object", "properties": form} | ending}
    return {
        "required": bool(required),
        "content": {
            forms.FORM: as_form,
            forms.JSON: {"schema": {"type": "object", "properties": json_} | ending},
            forms.MULTIPART: as_form,
        },
    }


def _description(field: AnyField, name: str) -> str:
    if name in field.adds:
        return f"{field.help}: add these"
    if name in field.removes:
        return f"{field.help}: remove these"
    if name in field.clears:
        return f"{field.help}: remove all (with any value)"
    if name in field.synonyms:
        return f"The same as {field.name}"
    others = (*field.synonyms, *field.adds, *field.removes, *field.clears)
    return f"{field.help} (also {', '.join(others)})" if others else field.help


def _example(field: AnyField) -> Json:
    return {"examples": [field.example]} if field.example else {}


def _as_text(field: AnyField, name: str = "") -> Json:
    """The schema of a parameter in a form or the query string."""
    kind = field.kind
    if name and name in field.clears:
        return {"type": "string"}
    match kind:
        case Many():
            return {"type": "string"} | _known(kind)
        case YesNo():
            return {"type": "string", "enum": ["yes", "no"]}
        case _:
            return kind.schema()


def _as_json(field: AnyField, name: str) -> Json:
    """The schema of a parameter in a JSON object."""
    kind = field.kind
    if name in field.clears:
        return {"type": ["string", "boolean", "null"]}
    match kind:
        case Many():
            return {"type": ["array", "string"], "items": kind.of.schema() | _known(kind)}
        case YesNo():
            return {"enum": [True, False, "yes", "no"]}
        case _:
            return kind.schema()


def _known(kind: Many[Any]) -> Json:
    known = kind.of.known if isinstance(kind.of, Names) else ()
    return {"$comment": f"Known here: {', '.join(known)}"} if known else {}


def _profile(resource: Resource, *, hashes: bool) -> Json:
    shown = (*resource.shown, *resource.exposed) if hashes else resource.shown
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.name: _answered(field) for field in shown},
    }


def _answered(field: AnyField) -> Json:
    """What a GET shows; a stored value need not be one that would be taken today."""
    plain = field.kind.schema()
    words: Json = {"description": field.help}
    if field.read_only:
        words["readOnly"] = True
    match field.kind:
        case Many():
            return {"type": "array", "items": {"type": "string"}} | words
        case Stamp():
            pattern = r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)?$"
            return {"type": "string", "pattern": pattern} | words
        case _:
            return {"type": plain["type"]} | words


def _token(fields: Sequence[AnyField]) -> Json:
    """A token as answers tell it; what it is not bound to is null."""
    properties = {field.name: _answered(field) for field in fields}
    for field in fields:
        if isinstance(field.kind, Many):
            properties[field.name]["type"] = ["array", "null"]
    return _object(properties)


def _record() -> Json:
    """A record of the audit trail."""
    hints = Record.__annotations__
    properties: Json = {
        name: {"type": "integer" if hints[name] == "int" else "string"} for name in FIELDS
    }
    properties["outcome"] = {"enum": list(Outcome)}
    properties["changes"] = {
        "type": "object",
        "description": "Field to the values before and after; of a secret only that it changed",
    }
    return _object(properties)


def _success(data: Json | None, *, paged: bool = False) -> Json:
    properties: Json = {"_success": {"const": True}}
    required = ["_success"]
    if data is not None:
        properties["_data"] = data
        required.append("_data")
    if paged:
        properties["_next_page_token"] = {
            "type": "string",
            "description": "Where the next page begins, as page_token; absent on the last one",
        }
    properties["_warnings"] = _WARNINGS
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


def _failure(*, partly: bool = False) -> Json:
    properties: Json = {
        "_success": {"const": False},
        "_msg": {"type": "string", "description": "The code and a reason for people"},
        "_code": {"const": PartlyDone.default_code} if partly else _CODE,
    }
    if not partly:
        return _object(properties)
    properties["_data"] = _partly()
    return _object(properties) | {"properties": properties | {"_warnings": _WARNINGS}}


def _partly() -> Json:
    """What a change of many accounts says that could not change all of them."""
    failed: Json = {
        "key": {
            "type": "string",
            "description": "The account; empty for all that come after the last one named",
        },
        "code": _CODE,
        "reason": {"type": "string", "description": "A reason for people"},
    }
    properties: Json = {
        "changed": {
            "type": "integer",
            "minimum": 0,
            "description": "How many accounts were changed",
        },
        "failed": {
            "type": "array",
            "minItems": 1,
            "description": "Those that are as they were; all others were changed",
            "items": _object(failed),
        },
    }
    return _object(properties)


def _object(properties: Json) -> Json:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _answer_schema(route: Route) -> Json:
    match route.operation:
        case Token.LIST:
            return _success({"type": "array", "items": _ref("Token")}, paged=True)
        case Trail.LIST:
            return _success({"type": "array", "items": _ref("Record")}, paged=True)
        case Token.CREATE:
            return _success(_token((tokens.TEXT, *tokens.SHOWN)))
        case Prolonged():
            properties = {field.name: _answered(field) for field in route.operation.shown}
            # The first one says whether there are others.
            return _success(_object(properties) | {"required": [next(iter(properties))]})
    if route.resource is None or route.shape is Shape.NOTHING:
        return _ref("Success")
    profile = _ref(route.resource.name.capitalize())
    if route.shape is Shape.PROFILE:
        return _success(profile)
    lists = [
        {"type": "array", "items": profile},
        {"type": "array", "items": {"type": "string"}},
    ]
    return _success({"anyOf": lists}, paged=True)


def _responses(route: Route, *, always_200: bool) -> Json:
    succeeded = _answer_schema(route)
    numbers = _failures_of(route)
    found: Json = {}
    partly = [_ref("PartlyDone")] if route.verb is Verb.BULK else []
    if always_200:
        succeeded = {"oneOf": [succeeded, _ref("Failure"), *partly]}
        numbers = [number for number in numbers if number in {404, 415, 500}]
    status = 200 if always_200 else route.status
    found[str(status)] = _response("Done", succeeded)
    if isinstance(route.operation, Session):
        found[str(status)]["headers"]["Set-Cookie"] = {
            "description": "The session's cookie",
            "schema": {"type": "string"},
        }
    for number in numbers:
        found[str(number)] = _response(_FAILURES[number], _ref("Failure"))
    if partly and "503" in found:
        found["503"] = _response(
            f"{_FAILURES[503]}; {_PARTLY_DONE}", {"oneOf": [_ref("Failure"), *partly]}
        )
    if "429" in found:
        found["429"]["headers"]["Retry-After"] = {
            "description": "Seconds to wait",
            "schema": {"type": "integer"},
        }
    return found


def _failures_of(route: Route) -> list[int]:
    """The failures that a route can have; a body may come with every verb."""
    only = {
        409: route.verb is not None or route.action is Action.DELETE,
    }
    return [number for number in _FAILURES if only.get(number, True)]


def _response(description: str, schema: Json) -> Json:
    return {
        "description": description,
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
        "content": {forms.JSON: {"schema": schema}},
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
