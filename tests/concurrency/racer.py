"""A process whose threads begin together with those of others.

Its order is one line of JSON on standard input, a second line is the start; it answers the outcomes.
"""

from __future__ import annotations

import json
import sys
import threading

from mailwright.app import App
from mailwright.errors import MailwrightError
from tests.crash.worker import Order, carry_out, settings_of

WON = "won"


def main() -> None:
    order: Order = json.loads(sys.stdin.readline())
    app = App(settings_of(order))
    app.store.check()
    outcomes: list[str] = []

    def run(verb: str, kind: str, key: str, form: Order) -> None:
        start.wait()
        try:
            carry_out(app, verb, kind, key, form)
        except MailwrightError as error:
            outcomes.append(error.code)
        else:
            outcomes.append(WON)

    start = threading.Event()
    threads = [threading.Thread(target=run, args=one) for one in order["operations"]]
    for thread in threads:
        thread.start()
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    start.set()
    for thread in threads:
        thread.join()
    print(json.dumps(outcomes), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
