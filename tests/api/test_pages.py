"""What is served beside the API."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mailwright.http import pages
from mailwright.networks import Networks
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.engine import Database, Target
from tests.api.client import Api, api_with, on_sqlite
from tests.stores import Site


def test_the_reference_page_takes_everything_from_here(api: Api) -> None:
    page = api.call("GET", "/docs")
    addresses = re.findall(r'(?:src|href|data-document)="([^"]*)"', page.text)
    local = [address for address in addresses if address.startswith("/")]

    assert "text/html; charset=utf-8" == page.headers["content-type"]
    assert ["data:,"] == [address for address in addresses if address not in local]
    assert 4 == len(local)
    assert {200} == {api.call("GET", address).status_code for address in local}
    assert "http" not in page.text.replace("http-equiv", "")


def test_the_reference_page_forbids_everything_else(api: Api) -> None:
    page = api.call("GET", "/docs/")
    policy = page.headers["content-security-policy"]

    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert re.search(r"<script(?! src=)", page.text) is None


@pytest.mark.parametrize("name", pages.ASSETS)
def test_assets_are_served_with_their_type(api: Api, name: str) -> None:
    result = api.call("GET", f"/docs/{name}")

    assert pages.ASSETS[name] == result.headers["content-type"]
    assert "public, max-age=86400" == result.headers["cache-control"]
    assert "nosniff" == result.headers["x-content-type-options"]
    assert len(result.content) > 200


def test_the_documents_can_be_withheld(empty_site: Site) -> None:
    with api_with(empty_site, server={"public_docs": False}) as api:
        statuses = {
            api.call("GET", path).status_code
            for path in ("/docs", "/openapi.json", "/docs/reference.js")
        }

    assert {404} == statuses


def test_metrics_are_for_the_named_clients(empty_site: Site) -> None:
    networks = Networks(["192.0.2.0/24"])
    with api_with(empty_site, server={"metrics_clients": networks}) as api:
        api.call("GET", "/api/domain/x.example")
        allowed = api.call("GET", "/metrics", remote_addr="192.0.2.1")
        refused = api.call("GET", "/metrics", remote_addr="127.0.0.1")

    line = 'mailwright_http_requests_total{method="GET",route="/api/domain/{domain}",status="401"}'

    assert (403, "NOT_AUTHORIZED") == (refused.status_code, refused.json["_code"])
    assert allowed.headers["content-type"].startswith("text/plain; version=")
    assert line in allowed.text
    assert "x.example" not in allowed.text


def test_metrics_do_not_grow_with_made_up_paths_and_methods(api: Api) -> None:
    for number in range(20):
        api.straight(f"/api/made-up-{number}", io.BytesIO(), REQUEST_METHOD=f"M{number}")
    text = api.call("GET", "/metrics", remote_addr="127.0.0.1").text

    assert "made-up" not in text
    assert 'method="M1' not in text
    assert 'route="(unknown)"' in text


def test_metrics_of_all_workers_are_added_up(tmp_path: Path) -> None:
    count = (
        "import os; from mailwright.http.metrics import Metrics, text; "
        "Metrics().count('GET', '/x', 200, 0.1); print(text().decode())"
    )
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    outputs = [
        subprocess.run(
            [sys.executable, "-c", count], env=environ, check=True, capture_output=True, text=True
        ).stdout
        for _ in range(3)
    ]

    line = 'mailwright_http_requests_total{method="GET",route="/x",status="200"} 3.0'

    assert line in outputs[-1]


def test_alive_and_ready(api: Api) -> None:
    for path in ("/healthz", "/readyz"):
        for method in ("GET", "HEAD"):
            assert 200 == api.call(method, path).status_code


@on_sqlite  # there is no `vmail` beside a directory: test_directory.py
@pytest.mark.parametrize("status", ["semantic", "always-200"])
def test_without_a_database_it_is_alive_but_not_ready(
    empty_site: Site, status: str, tmp_path: Path
) -> None:
    with api_with(empty_site, api={"http_status": status}) as api:
        for name in ("vmail", "iredadmin"):
            nowhere = Target(Dialect.SQLITE, name, path=tmp_path / "nowhere" / f"{name}.db")
            api.site.app.databases[name] = Database(nowhere)
        ready = api.call("GET", "/readyz")

        assert 200 == api.call("GET", "/healthz").status_code
    assert 503 == ready.status_code
    assert {
        "_success": False,
        "_msg": "SERVER_DOWN: no answer from vmail, iredadmin",
        "_code": "SERVER_DOWN",
    } == ready.json
