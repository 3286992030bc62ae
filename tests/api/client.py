"""The API as a client sees it, in process, on the databases of one engine."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import falcon.testing
import pytest
from falcon.testing import Result

from mailwright.http.app import create_wsgi
from mailwright.passwords import hash_password
from tests.stores import OPENLDAP, Site

ADMIN = "admin@mailwright.internal"
MANAGER = "manager@mailwright.internal"  # an admin of one domain
PASSWORD = "Right-Pass1"
DOMAIN = "example.org"
JANE = "jane@example.org"

SQLITE = pytest.param("sqlite", id="sqlite")
on_sqlite = pytest.mark.parametrize("empty_site", [SQLITE], indirect=True)
on_openldap = pytest.mark.parametrize("empty_site", [OPENLDAP], indirect=True)


class Api:
    """A client with a cookie jar of one cookie; `form`, `json` and `query` are what it sends."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.base = site.app.settings.server.base_path
        self.wsgi = create_wsgi(site.app)
        self.client = falcon.testing.TestClient(self.wsgi)
        self.cookie = ""

    def add_admin(self, username: str = ADMIN, *, domain: str = "ALL") -> None:
        self.site.insert("admin", username=username, password=hash_password(PASSWORD))
        self.site.insert("domain_admins", username=username, domain=domain)

    def call(self, method: str, path: str, form: str | bytes = "", **more: Any) -> Result:
        """A request with a form as its body, if there is one."""
        headers = {**more.pop("headers", {})}
        if form:
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            more["body"] = form
        if self.cookie:
            headers.setdefault("Cookie", self.cookie)
        return self.client.simulate_request(method, self.base + path, headers=headers, **more)

    def straight(self, path: str, body: Any, **environ: str) -> tuple[str, bytes]:
        """A PUT past the testing client, which has an eye on what it sends; the status and the answer."""
        statuses: list[str] = []
        answer = self.wsgi(
            {
                "REQUEST_METHOD": "PUT",
                "PATH_INFO": path,
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "80",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "wsgi.url_scheme": "http",
                "wsgi.input": body,
                "wsgi.errors": io.StringIO(),
                "HTTP_COOKIE": self.cookie,
                **environ,
            },
            lambda status, _headers, _exc=None: statuses.append(status),  # type: ignore[arg-type,return-value]
        )
        return statuses[0], b"".join(answer)

    def login(self, username: str = ADMIN, password: str = PASSWORD, **more: Any) -> Result:
        result = self.call("POST", "/api/login", f"username={username}&password={password}", **more)
        if "set-cookie" in result.headers:
            self.cookie = result.headers["set-cookie"].partition(";")[0]
        return result

    def add_domain(self, name: str = DOMAIN) -> None:
        assert self.call("POST", f"/api/domain/{name}", "name=Example").status_code == 201

    def add_user(self, mail: str = JANE) -> None:
        result = self.call("POST", f"/api/user/{mail}", "password=Test-Pass1")
        assert result.status_code == 201


@contextmanager
def api_with(site: Site, **sections: dict[str, Any]) -> Iterator[Api]:
    """The API on a site's databases under other settings; it is enabled unless they say otherwise."""
    sections["api"] = {"enable_restful_api": True, **sections.get("api", {})}
    other = site.with_settings(**sections)
    try:
        yield Api(other)
    finally:
        other.close()
