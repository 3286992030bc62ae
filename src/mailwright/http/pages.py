"""The paths beside the API: is the server alive and ready, its metrics, and the reference page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import resources
from typing import Final

import falcon
from falcon import Request, Response

from mailwright.app import App
from mailwright.errors import MailwrightError
from mailwright.http import answers, metrics, openapi
from mailwright.http.clients import Client

JSON: Final = "application/json"
ASSETS: Final = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "reference.js": "text/javascript; charset=utf-8",
}
CONTENT_SECURITY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mailwright: API reference</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}/docs/swagger-ui.css">
</head>
<body>
<div id="reference" data-document="{base}/openapi.json"></div>
<script src="{base}/docs/swagger-ui-bundle.js"></script>
<script src="{base}/docs/reference.js"></script>
</body>
</html>
"""


class Page(ABC):
    """Something that is only read; HEAD is a GET without its body."""

    @abstractmethod
    def on_get(self, req: Request, resp: Response) -> None: ...

    def on_head(self, req: Request, resp: Response) -> None:
        self.on_get(req, resp)


class Health(Page):
    """The process is alive; no database is asked."""

    def on_get(self, _req: Request, resp: Response) -> None:
        resp.content_type = JSON
        resp.data = answers.SUCCESS


class Readiness(Page):
    """Every database answers, and the directory if there is one."""

    def __init__(self, app: App) -> None:
        self._app = app

    def on_get(self, _req: Request, resp: Response) -> None:
        down = [name for name in self._app.databases if not self._answers(name)]
        down += self._app.store.down()
        if down:
            # Falcon's error, because it keeps its status whatever the API is set to answer.
            raise falcon.HTTPServiceUnavailable(description=f"no answer from {', '.join(down)}")
        resp.content_type = JSON
        resp.data = answers.SUCCESS

    def _answers(self, name: str) -> bool:
        try:
            with self._app.databases[name].connection() as connection:
                return bool(connection.value("SELECT 1") == 1)
        except MailwrightError:
            return False


class MetricsPage(Page):
    """What Prometheus reads, for the clients that the settings name."""

    def __init__(self, app: App) -> None:
        self._clients = app.settings.server.metrics_clients

    def on_get(self, req: Request, resp: Response) -> None:
        client: Client = req.context.client
        if client.address not in self._clients:
            raise falcon.HTTPForbidden(description="this client may not read the metrics")
        resp.content_type = metrics.CONTENT_TYPE
        resp.data = metrics.text()


class Document(Page):
    """The OpenAPI document, made when it is first asked for."""

    def __init__(self, app: App) -> None:
        self._settings = app.settings
        self._text: bytes | None = None

    def on_get(self, _req: Request, resp: Response) -> None:
        if self._text is None:
            self._text = answers.encode(openapi.document(self._settings))
        resp.content_type = JSON
        resp.data = self._text


class Reference(Page):
    """The page that shows the document; everything it needs comes from here."""

    def __init__(self, app: App) -> None:
        self._page = _PAGE.format(base=app.settings.server.base_path).encode()

    def on_get(self, _req: Request, resp: Response) -> None:
        resp.content_type = "text/html; charset=utf-8"
        resp.set_header("Content-Security-Policy", CONTENT_SECURITY)
        resp.set_header("Referrer-Policy", "no-referrer")
        resp.data = self._page


class Asset(Page):
    """A file of the reference page."""

    def __init__(self, name: str) -> None:
        self._name = name

    def on_get(self, _req: Request, resp: Response) -> None:
        resp.content_type = ASSETS[self._name]
        resp.set_header("Cache-Control", "public, max-age=86400")
        resp.data = resources.files("mailwright.http").joinpath("assets", self._name).read_bytes()


def add(wsgi: falcon.App[Request, Response], app: App) -> Sequence[str]:
    """Add them all; their paths."""
    base = app.settings.server.base_path
    pages: dict[str, Page] = {
        "/healthz": Health(),
        "/readyz": Readiness(app),
        "/metrics": MetricsPage(app),
    }
    if app.settings.server.public_docs:
        pages |= {"/openapi.json": Document(app), "/docs": Reference(app)}
        pages |= {f"/docs/{name}": Asset(name) for name in ASSETS}
    for path, page in pages.items():
        wsgi.add_route(base + path, page)
    return tuple(pages)
