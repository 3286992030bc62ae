"""Requests made up from the OpenAPI document get no answer that the document does not describe.

Half of the cases go to an account that exists, so that they reach further than its key. The number of
requests is counted and asserted; `MAILWRIGHT_SCHEMATHESIS_REQUESTS` asks for more.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from mailwright.http import openapi
from tests.api.client import DOMAIN, JANE, Api, api_with
from tests.stores import Site

REQUESTS = int(os.environ.get("MAILWRIGHT_SCHEMATHESIS_REQUESTS", "5000"))
SEED = 20260506
EXISTING = {"domain": DOMAIN, "mail": JANE}
HELPER = "helper@admins.example"  # a standalone admin
CHECKS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]
MANY_LOGINS = {"free_attempts": 10**9, "address_free_attempts": 10**9}


class Exploration:
    """One API under made-up requests, every second of them for an account that is there."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.statuses: Counter[int] = Counter()
        self.sent: Counter[str] = Counter()
        document = openapi.document(api.site.app.settings)
        self.schema = schemathesis.openapi.from_dict(document)
        self.schema.app = api.wsgi
        self.schema.config.update(base_url="http://localhost")

    def operations(self) -> Iterator[Any]:
        for found in self.schema.get_all_operations():
            yield found.ok()

    def send(self, operation: Any, case: Any) -> None:
        """One request and its checks."""
        self.sent[operation.label] += 1
        if self.sent[operation.label] % 2:
            self.make_accounts()
            keys = self.keys(operation, case)
            for name in set(case.path_parameters or {}) & set(keys):
                case.path_parameters[name] = keys[name]
        if self.sent[operation.label] % 8 and case.headers:
            case.headers.pop("Authorization", None)  # a made-up token gets no further than itself
        name, _, token = self.api.cookie.partition("=")
        response = case.call(cookies={name: token})
        self.statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)
        if case.path.endswith("/logout") and response.status_code == 200:
            self.api.login()

    def keys(self, operation: Any, case: Any) -> dict[str, str]:
        """Of accounts that are there, or that are not there yet; seldom of what cannot be made again."""
        of_admins = "/admin/" in case.path
        number = self.sent.total()
        if case.method == "POST" and self.sent[operation.label] % 8 != 1:
            domain = "admins.example" if of_admins else DOMAIN
            return {"domain": f"d{number}.example", "mail": f"u{number}@{domain}"}
        return {**EXISTING, "mail": HELPER} if of_admins else EXISTING

    def make_accounts(self) -> None:
        if self.api.call("GET", f"/api/user/{JANE}").status_code == 404:
            self.api.call("POST", f"/api/domain/{DOMAIN}", "name=Example")
            self.api.call("POST", f"/api/user/{JANE}", "password=Test-Pass1")
            self.api.call("POST", f"/api/admin/{HELPER}", "password=Test-Pass1")


@pytest.fixture
def exploration(site: Site) -> Iterator[Exploration]:
    with api_with(site, login=MANY_LOGINS) as api:
        api.add_admin()
        api.login()
        yield Exploration(api)


def boundaries(operation: Any) -> Iterator[Any]:
    """Cases at and just beyond the edges of what the document allows; always the same ones."""
    found: Iterator[Any] = operation.schema.iter_coverage_cases(
        operation,
        generation_modes=list(GenerationMode),
        generation_config=operation.schema.config.generation_for(
            operation=operation, phase="coverage"
        ),
    )
    return found


def examine(send: Callable[[Any], None], strategy: st.SearchStrategy[Any], examples: int) -> None:
    """Send this many cases of a strategy; always the same ones."""

    @seed(SEED)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def each(case: Any) -> None:
        send(case)

    each()


def test_no_request_gets_an_answer_outside_of_the_description(exploration: Exploration) -> None:
    operations = list(exploration.operations())
    for operation in operations:
        for case in boundaries(operation):
            exploration.send(operation, case)
    for done, operation in enumerate(operations):
        wanted = max(0, REQUESTS - exploration.sent.total()) // (len(operations) - done) + 1
        for mode, share in ((GenerationMode.POSITIVE, 2), (GenerationMode.NEGATIVE, 1)):
            examine(
                partial(exploration.send, operation),
                operation.as_strategy(generation_mode=mode),
                wanted * share // 3 + 1,
            )

    assert REQUESTS <= exploration.sent.total()
    assert {200, 201, 400, 401, 404, 405, 409} <= set(exploration.statuses)


def test_always_200_is_described_too(empty_site: Site) -> None:
    with api_with(empty_site, login=MANY_LOGINS, api={"http_status": "always-200"}) as api:
        api.add_admin()
        api.login()
        exploration = Exploration(api)
        for operation in exploration.operations():
            for mode in GenerationMode:
                examine(
                    partial(exploration.send, operation),
                    operation.as_strategy(generation_mode=mode),
                    10,
                )

    assert {200, 404} >= set(exploration.statuses)
