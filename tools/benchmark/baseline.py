"""The floor: the bare driver running the statements that one request was seen to run."""

from __future__ import annotations

import threading
import time

from tools.benchmark.load import CONNECTIONS
from tools.benchmark.site import Server, Site

from mailwright.app import App
from mailwright.settings import load
from mailwright.storage.sql import engine

ACCOUNTS = 100
RECORDED = "u1@d1.example"
Step = tuple[str, str, tuple[object, ...]]


class Baseline:
    """As many threads as the server has, each with connections of its own and other accounts in turn."""

    def __init__(self, site: Site, server: Server, name: str) -> None:
        self._site = site
        steps = _recorded(site, server, name)
        self._databases = {step[0] for step in steps}
        self._turns = [_for_account(steps, number) for number in range(ACCOUNTS)]

    def per_second(self, seconds: float) -> float:
        """Times per second that the statements of one request ran."""
        counts = [0] * CONNECTIONS
        ready = threading.Barrier(CONNECTIONS + 1)
        deadline = [0.0]

        def loop(number: int) -> None:
            cursors = {
                database: self._site.postgresql.connect(database).cursor()
                for database in self._databases
            }
            ready.wait()
            while time.monotonic() < deadline[0]:
                turn = self._turns[(counts[number] + number * 13) % ACCOUNTS]
                for database, statement, parameters in turn:
                    cursor = cursors[database]
                    cursor.execute(statement, parameters)
                    if cursor.description is not None:
                        cursor.fetchall()
                counts[number] += 1
            for cursor in cursors.values():
                cursor.connection.close()

        threads = [threading.Thread(target=loop, args=(number,)) for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        deadline[0] = time.monotonic() + seconds + 0.2
        ready.wait()
        begun = time.monotonic()
        for thread in threads:
            thread.join()
        return sum(counts) / (time.monotonic() - begun)


def _for_account(steps: list[Step], number: int) -> list[Step]:
    """The same statements for another account, so that threads do not wait for one row."""
    domain = f"d{number * 7 % ACCOUNTS}.example"
    names = {RECORDED: f"u{number}@{domain}", RECORDED.partition("@")[2]: domain}
    return [
        (database, statement, tuple(names.get(value, value) for value in parameters))  # type: ignore[call-overload]
        for database, statement, parameters in steps
    ]


def _recorded(site: Site, server: Server, name: str) -> list[Step]:
    """Run one request in this process and keep its statements, database by database."""
    from falcon import testing

    from mailwright.http.app import create_wsgi

    app = App(load(site.config, {}))
    client = testing.TestClient(create_wsgi(app))
    method, path, body = {
        "get_user": ("GET", f"/api/user/{RECORDED}", ""),
        "put_user": ("PUT", f"/api/user/{RECORDED}", "name=Recorded&employeeid=E-0"),
        "domain_names": ("GET", "/api/domains?name_only=yes", ""),
    }[name]
    steps: list[Step] = []
    genuine = engine.Connection._run

    def recording(self: engine.Connection, statement: str, parameters: engine.Parameters) -> None:
        steps.append((self._database.target.name, statement, tuple(parameters)))
        genuine(self, statement, parameters)

    def send(text: str) -> None:
        headers = {"Cookie": server.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        answer = client.simulate_request(
            method,
            path.partition("?")[0],
            body=text,
            headers=headers,
            query_string=path.partition("?")[2],
        )
        if answer.status_code != 200:
            raise RuntimeError(answer.text)

    send(body)  # connections, columns and settings are known afterwards
    engine.Connection._run = recording  # type: ignore[method-assign]
    try:
        send(body.replace("Recorded", "Again").replace("E-0", "E-1"))
    finally:
        engine.Connection._run = genuine  # type: ignore[method-assign]
        app.close()
    return steps
