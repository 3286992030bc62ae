"""Every request has an id and a log line; secrets are in neither lines nor answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailwright.errors import Unavailable
from mailwright.logs import JsonLines, TextLines, configure
from mailwright.networks import Networks
from mailwright.resources import operations
from mailwright.settings import Log
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Database, Target
from tests.api.client import ADMIN, DOMAIN, JANE, PASSWORD, Api, api_with
from tests.stores import Site

SECRETS = ("Wr0ng-Secret", "New-Secret1", PASSWORD, "Test-Pass1")


class Lines(logging.Handler):
    """Keeps every line as the JSON formatter writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[Lines]:
    kept = Lines()
    logger = logging.getLogger("mailwright")
    logger.addHandler(kept)
    logger.setLevel(logging.DEBUG)
    yield kept
    logger.removeHandler(kept)
    logger.setLevel(logging.NOTSET)


def last(lines: Lines) -> dict[str, object]:
    found: dict[str, object] = json.loads(lines.texts[-1])
    return found


def test_one_line_says_who_did_what_and_how_it_went(admin: Api, lines: Lines) -> None:
    result = admin.call("GET", f"/api/domain/{DOMAIN}", query_string="x=1", remote_addr="192.0.2.4")
    line = last(lines)
    taken = line.pop("ms")

    assert isinstance(taken, float)
    assert line.pop("time")
    assert 1 == len(lines.texts)
    assert {
        "level": "info",
        "message": "request",
        "id": result.headers["x-request-id"],
        "method": "GET",
        "route": "/api/domain/{domain}",
        "status": 400,
        "code": "INVALID_PARAMETER",
        "actor": ADMIN,
        "client": "192.0.2.4",
    } == line


def test_every_request_has_an_id_of_its_own(api: Api) -> None:
    ids = {
        api.call("GET", path).headers["x-request-id"] for path in ("/api/domains", "/x", "/docs")
    }

    assert 3 == len(ids)


def test_every_line_of_a_request_carries_its_id(admin: Api, lines: Lines) -> None:
    """A warning about a database said nothing about the request that met it."""
    admin.add_user()
    nowhere = Target(Dialect.SQLITE, "iredapd", path=Path("/nonexistent/iredapd.db"))
    real, admin.site.app.databases["iredapd"] = (
        admin.site.app.databases["iredapd"],
        Database(nowhere),
    )

    result = admin.call("DELETE", f"/api/user/{JANE}")

    admin.site.app.databases["iredapd"] = real
    found = [json.loads(text) for text in lines.texts[-2:]]
    assert ["warning", "info"] == [line["level"] for line in found]
    assert [result.headers["x-request-id"]] * 2 == [line["id"] for line in found]

    logging.getLogger("mailwright").warning("between requests")

    assert "id" not in last(lines)


@pytest.mark.parametrize(
    ("peer", "told", "kept"),
    [
        ("10.0.0.1", "abc-123_DEF.456", True),
        ("10.0.0.1", "short", False),
        ("10.0.0.1", "a" * 65, False),
        ("10.0.0.1", 'abc"def"ghi', False),
        ("192.0.2.1", "abc-123_DEF.456", False),
    ],
)
def test_an_id_is_taken_over_from_a_trusted_proxy_only(
    empty_site: Site,
    peer: str,
    told: str,
    kept: bool,  # noqa: FBT001
) -> None:
    with api_with(empty_site, server={"trusted_proxies": Networks(["10.0.0.1"])}) as api:
        result = api.call("GET", "/healthz", remote_addr=peer, headers={"X-Request-Id": told})

    assert kept == (told == result.headers["x-request-id"])


def test_no_secret_is_in_any_line_or_answer(admin: Api, lines: Lines) -> None:
    answers = [
        admin.login(password="Wr0ng-Secret"),
        admin.login(),
        admin.call("POST", f"/api/user/{JANE}", "password=Test-Pass1"),
        admin.call("PUT", f"/api/user/{JANE}", "password=New-Secret1"),
        admin.call("PUT", f"/api/user/{JANE}", query_string="password=New-Secret1"),
        admin.call("PUT", f"/api/user/{JANE}", "password=New-Secret1&password=New-Secret1"),
        admin.call("PUT", f"/api/users/{DOMAIN}", json={"password": {"x": "New-Secret1"}}),
        admin.call("PUT", f"/api/domain/{DOMAIN}", "password=New-Secret1"),
        admin.call("GET", f"/api/user/{JANE}"),
        admin.call("GET", f"/api/users/{DOMAIN}"),
    ]
    token = admin.cookie.partition("=")[2]
    log = str(admin.site.raw["iredadmin"].rows("SELECT * FROM log"))
    everything = "".join([*lines.texts, log, *(each.text for each in answers)])

    assert len(answers) == len(lines.texts)
    assert [] == [secret for secret in (*SECRETS, token) if secret in everything]
    assert "{SSHA512}" not in everything


def test_an_unforeseen_exception_is_a_500_whose_words_stay_here(
    admin: Api, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        try:
            {}["New-Secret1"]
        except KeyError as error:
            raise RuntimeError("Wr0ng-Secret") from error

    monkeypatch.setattr(operations, "show", broken)
    result = admin.call("GET", f"/api/user/{JANE}")
    told = json.loads(lines.texts[0])

    assert 500 == result.status_code
    assert {
        "_success": False,
        "_msg": "INTERNAL_ERROR: something went wrong here; the log has more under "
        + result.headers["x-request-id"],
        "_code": "INTERNAL_ERROR",
    } == result.json
    assert result.headers["x-request-id"] == told["id"]
    assert ["RuntimeError", "KeyError"] == [
        line for line in told["traceback"] if line.endswith("Error")
    ]
    assert any(line.endswith(" broken") for line in told["traceback"])
    assert "Secret" not in "".join(lines.texts)


def test_a_database_that_is_gone_is_a_503(admin: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise Unavailable("the vmail database cannot be reached")

    monkeypatch.setattr(operations, "show", gone)
    result = admin.call("GET", f"/api/user/{JANE}")

    assert (503, "SERVER_DOWN") == (result.status_code, result.json["_code"])


def test_where_and_why_something_is_down_is_told_to_the_log_only(
    admin: Api, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code alone left those who run the machine with `mailwright check` and no idea of the past."""

    def gone(*_: object) -> None:
        raise Unavailable("the directory cannot be reached", detail="ldap://192.0.2.7: refused")

    monkeypatch.setattr(operations, "show", gone)
    result = admin.call("GET", f"/api/user/{JANE}")

    (line,) = [json.loads(text) for text in lines.texts if "unavailable" in text]
    assert ("warning", "SERVER_DOWN", "ldap://192.0.2.7: refused") == (
        line["level"],
        line["code"],
        line["detail"],
    )
    assert "192.0.2.7" not in result.text


def test_lines_are_json_or_text_as_the_settings_say(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.makeLogRecord({"msg": "hello %s", "args": ("x\ny",), "levelname": "INFO"})
    record.wide = {"id": "1"}

    assert (
        json.loads(JsonLines().format(record)).items()
        >= {
            "message": "hello x\ny",
            "level": "info",
            "id": "1",
        }.items()
    )
    assert "\n" not in JsonLines().format(record)
    assert TextLines().format(record).endswith(r" info hello x\ny id=1")
    logger = logging.getLogger("mailwright")
    before = logger.handlers[:], logger.level, logger.propagate
    try:
        configure(Log(format="text", level="warning"))
        logger.info("quiet")
        logger.warning("loud")
    finally:
        logger.handlers[:], logger.level, logger.propagate = before

    assert capsys.readouterr().err.endswith(" warning loud\n")
