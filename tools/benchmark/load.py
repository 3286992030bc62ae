"""Requests to a running server: many at once by wrk, or one after the other with their times."""

from __future__ import annotations

import http.client
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from tools.benchmark.site import THREADS, WORKERS, Server

SAMPLES = 100
CONNECTIONS = WORKERS * THREADS
# The system deals connections out to workers at random: with a few, one worker may get most of them.
CLIENTS = 4 * CONNECTIONS
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# A script for wrk: each request takes another of the first accounts.
_SCRIPT = """
local n = 0
wrk.headers["Cookie"] = "%(cookie)s"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
function request()
  n = n + 1
  return wrk.format("%(method)s", %(path)s, nil, %(body)s)
end
"""
_ONE_USER = '"/api/user/u" .. (n %% 100) .. "@d" .. (n * 7 %% 100) .. ".example"'
REQUESTS = {
    "get_user": ("GET", _ONE_USER, "nil"),
    "put_user": ("PUT", _ONE_USER, '"name=Name" .. n .. "&employeeid=E" .. n'),
    "domain_names": ("GET", '"/api/domains?name_only=yes"', "nil"),
}


class Load:
    """Load on one server; every run is bounded by ``seconds``.

    ``domains_too`` asks for and changes a domain as well.
    """

    def __init__(self, server: Server, seconds: float, *, domains_too: bool = False) -> None:
        self.server = server
        self.seconds = seconds
        self._domains_too = domains_too
        self._times: dict[str, list[float]] = {}
        wrk = shutil.which("wrk")
        if wrk is None:
            message = "wrk is needed for make bench: apt-get install wrk"
            raise SystemExit(message)
        self._wrk = wrk

    def per_second(self, name: str) -> float:
        """Requests per second; any answer but success ends the run."""
        method, path, body = REQUESTS[name]
        words = {"cookie": self.server.cookie, "method": method, "path": path, "body": body}
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "script.lua"
            script.write_text((_SCRIPT % words).replace("%%", "%"))
            printed = subprocess.run(
                [
                    *(self._wrk, "-t", "1", "-c", str(CLIENTS), "-d", f"{self.seconds:.0f}s"),
                    *("-s", str(script), "--timeout", "20s", self.server.base),
                ],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        if "Non-2xx" in printed or "Socket errors" in printed:
            message = f"{name}: not every request succeeded\n{printed}"
            raise RuntimeError(message)
        found = re.search(r"Requests/sec:\s+([0-9.]+)", printed)
        if found is None:
            raise RuntimeError(printed)
        return float(found[1])

    def ask(self, domains: int, turn: int) -> None:
        """Single requests, one after the other, spread over all domains that have mailboxes."""
        connection = http.client.HTTPConnection(
            self.server.base.removeprefix("http://"), timeout=20
        )
        numbers = range(turn * SAMPLES, (turn + 1) * SAMPLES)
        # A list empties the processor's caches, which a request after it would be blamed for.
        for requests in (_of_one_user, _of_domains if self._domains_too else _of_lists):
            for number in numbers:
                for asked in requests(number, f"d{number * 7919 % domains}.example"):
                    self._time(connection, *asked)
        connection.close()

    def _time(
        self, connection: http.client.HTTPConnection, name: str, method: str, path: str, body: str
    ) -> None:
        begun = time.perf_counter()
        connection.request(method, path, body, {**FORM, "Cookie": self.server.cookie})
        answer = connection.getresponse()
        text = answer.read()
        self._times.setdefault(name, []).append((time.perf_counter() - begun) * 1000)
        if answer.status not in {200, 201}:
            message = f"{method} {path}: {answer.status} {text[:300]!r}"
            raise RuntimeError(message)

    def medians(self) -> dict[str, float]:
        """Median milliseconds of the requests asked so far."""
        return {name: statistics.median(found) for name, found in self._times.items()}


_Request = tuple[str, str, str, str]


def _of_one_user(number: int, domain: str) -> list[_Request]:
    new = f"/api/user/new{number}@{domain}"
    old = f"/api/user/u{number % 100}@{domain}"
    return [
        ("get_user", "GET", old, ""),
        ("put_user", "PUT", old, f"name=Name{number}&employeeid=E{number}"),
        ("post_user", "POST", new, "name=New&password=Bench-Pass1&quota=10"),
        ("delete_user", "DELETE", new, ""),
    ]


def _of_lists(_number: int, domain: str) -> list[_Request]:
    return [
        ("list_users", "GET", f"/api/users/{domain}?limit=50", ""),
        ("list_domains", "GET", "/api/domains?limit=50", ""),
    ]


def _of_domains(number: int, domain: str) -> list[_Request]:
    return [
        *_of_lists(number, domain),
        ("get_domain", "GET", f"/api/domain/{domain}", ""),
        ("put_domain", "PUT", f"/api/domain/{domain}", f"name=Domain{number}"),
    ]
