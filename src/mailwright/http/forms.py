"""What came with a request, as one mapping of parameter names to texts.

The query string, a form, a JSON object and a multipart form mean the same.  The body wins over the query
for each name; a body without a Content-Type is read as a form.  Nothing is guessed: what cannot be read
is refused with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO, Final
from urllib.parse import unquote_to_bytes

import falcon
import msgspec
from falcon.media.multipart import MultipartFormHandler, MultipartParseError

from mailwright.errors import Invalid, TooLarge
from mailwright.fields.field import AnyField
from mailwright.fields.kinds import shown
from mailwright.fields.resource import Form, not_taken, parse

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
MULTIPART: Final = "multipart/form-data"
ACCEPTED: Final = (FORM, JSON, MULTIPART)
LARGEST_EXACT_FLOAT: Final = 2.0**53
_CHUNK: Final = 65536
_LONGEST_LENGTH: Final = 20  # digits; Python refuses to read thousands of them
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD"})
_UTF8: Final = frozenset({"", "utf-8", "utf8", "us-ascii"})
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^\s";]*)', re.IGNORECASE)
_DECODE_JSON = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may bring."""

    body_bytes: int
    parameters: int


def read(environ: Mapping[str, Any], limits: Limits) -> Form:
    """The parameters of a request.  ``Invalid``, ``TooLarge``, and Falcon's unsupported media type."""
    query: str = environ.get("QUERY_STRING", "")
    form = _form(query.encode("latin-1"), limits, "query string") if query else {}
    body = _body(environ, limits.body_bytes)
    if not body:
        return form
    given = _read_body(body, environ.get("CONTENT_TYPE") or FORM, limits)
    if form:
        given = {**form, **given}
        _refuse_many(len(given), limits)
    return given


def options(
    fields: Sequence[AnyField], form: Form, elsewhere: Collection[str], *, ignore_unknown: bool
) -> tuple[dict[AnyField, Any], list[str]]:
    """The values of a few declared parameters, and warnings; for routes without a verb.

    ``elsewhere`` are the names that other routes take.
    """
    known = {name: field for field in fields for name in field.names()}
    values: dict[AnyField, Any] = {field: field.empty for field in fields}
    warnings = []
    for name, texts in form.items():
        field = known.get(name)
        if field is not None:
            values[field] = parse(field, name, texts)
            continue
        warnings.append(not_taken(name, known, elsewhere, ignore_unknown=ignore_unknown))
    return values, warnings


def _body(environ: Mapping[str, Any], most: int) -> bytes:
    """All of the body; one that is too long is refused as soon as that is known.

    Of GET and HEAD a body without a length is read only if it is sent in chunks: asking the server for
    one that is not there would cost every such request.
    """
    announced = environ.get("CONTENT_LENGTH")
    stream: BinaryIO = environ["wsgi.input"]
    if announced:
        if not (announced.isascii() and announced.isdigit()):
            raise Invalid("Content-Length is not a number", code="INVALID_REQUEST")
        if len(announced) > _LONGEST_LENGTH or (length := int(announced)) > most:
            raise _too_long(most)
        body = _at_most(stream, length)
        if len(body) < length:
            raise Invalid("the body is shorter than announced", code="INVALID_REQUEST")
        return body
    if "HTTP_TRANSFER_ENCODING" in environ or (
        environ.get("wsgi.input_terminated") and environ["REQUEST_METHOD"] not in _WITHOUT_BODY
    ):
        body = _at_most(stream, most + 1)
        if len(body) > most:
            raise _too_long(most)
        return body
    return b""


def _at_most(stream: BinaryIO, length: int) -> bytes:
    parts = []
    while length > 0:
        part = stream.read(min(length, _CHUNK))
        if not part:
            break
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _too_long(most: int) -> TooLarge:
    return TooLarge(f"a request body has at most {most} bytes here")


def _refuse_many(count: int, limits: Limits) -> None:
    if count > limits.parameters:
        raise TooLarge(f"a request has at most {limits.parameters} parameters here")


def _read_body(body: bytes, content_type: str, limits: Limits) -> dict[str, Sequence[str]]:
    kind = content_type.partition(";")[0].strip().lower()
    charset = _CHARSET.search(content_type) if ";" in content_type else None
    if kind not in ACCEPTED or (charset is not None and charset[1].lower() not in _UTF8):
        raise falcon.HTTPUnsupportedMediaType(
            description=f"a body is taken as one of {', '.join(ACCEPTED)}, in UTF-8"
        )
    if kind == FORM:
        return _form(body, limits, "body")
    if kind == JSON:
        return _json(body, limits)
    return _multipart(body, content_type, limits)


def _form(raw: bytes, limits: Limits, part: str) -> dict[str, Sequence[str]]:
    _refuse_many(raw.count(b"&") + 1, limits)
    found: dict[str, list[str]] = {}
    for pair in raw.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            _add(found, _plain(name, part), _plain(value, part))
    return {**found}


def _add(found: dict[str, list[str]], name: str, value: str) -> None:
    _refuse_name(name)
    _refuse_nul(name, value)
    found.setdefault(name, []).append(value)


def _refuse_name(name: str) -> None:
    if not name:
        raise Invalid("a parameter has no name")
    if "\0" in name:
        raise Invalid(f"{shown(name)}: a parameter name has a NUL character")


def _refuse_nul(name: str, value: str) -> None:
    if "\0" in value:
        raise Invalid(f"{shown(name)}: a NUL character is not taken", parameter=name)


def _plain(raw: bytes, part: str) -> str:
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" in raw:
        if _BAD_ESCAPE.search(raw):
            raise Invalid(
                f"the {part} has a % that two hexadecimal digits do not follow",
                code="INVALID_REQUEST",
            )
        raw = unquote_to_bytes(raw)
    return _utf8(raw, part)


def _utf8(raw: bytes, part: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid(f"the {part} is not UTF-8 text", code="INVALID_REQUEST") from None


def _json(body: bytes, limits: Limits) -> dict[str, Sequence[str]]:
    """A JSON object; of a repeated key the last one counts, as most readers of JSON have it."""
    try:
        given = _DECODE_JSON(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Invalid("the body is not JSON in UTF-8", code="INVALID_REQUEST") from None
    if not isinstance(given, dict):
        raise Invalid("the body is not a JSON object", code="INVALID_REQUEST")
    _refuse_many(len(given), limits)
    found: dict[str, Sequence[str]] = {}
    for name, value in given.items():
        _refuse_name(name)
        if isinstance(value, list):
            found[name] = [_text(name, member) for member in value]
        else:
            found[name] = (_text(name, value),)
    return found


def _text(name: str, value: object) -> str:
    match value:
        case str():
            _refuse_nul(name, value)
            return value
        case True:
            return "yes"
        case False:
            return "no"
        case None:
            return ""
        case float() if value.is_integer() and abs(value) <= LARGEST_EXACT_FLOAT:
            return str(int(value))
        case int() | float():
            return str(value)
        case _:
            raise Invalid(
                f"{shown(name)}: text, a number, true, false, null or a list of these is needed",
                parameter=name,
            )


def _multipart(body: bytes, content_type: str, limits: Limits) -> dict[str, Sequence[str]]:
    handler = MultipartFormHandler()
    handler.parse_options.max_body_part_count = limits.parameters + 1
    handler.parse_options.max_body_part_buffer_size = limits.body_bytes
    found: dict[str, list[str]] = {}
    count = 0
    try:
        for part in handler.deserialize(BytesIO(body), content_type, len(body)):
            count += 1
            _refuse_many(count, limits)
            name = part.name or ""
            if part.filename is not None:
                raise Invalid(f"{shown(name)}: a file is not taken", parameter=name)
            _add(found, name, _utf8(part.get_data(), "body"))
    except (MultipartParseError, falcon.HTTPInvalidHeader, ValueError):
        raise Invalid(
            "the body is not a multipart form with its boundary", code="INVALID_REQUEST"
        ) from None
    return {**found}
