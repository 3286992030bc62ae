"""Free TCP ports on the loopback address."""

from __future__ import annotations

import random
import socket
import time

HOST = "127.0.0.1"

# Below the range from which the kernel takes ports for outgoing connections, so that nobody
# is handed the port between our look and the server's bind.
_RANGE = range(20_000, 32_000)
_random = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    for port in _random.sample(_RANGE, 200):
        if port in _given:
            continue
        if is_free(port):
            _given.add(port)
            return port
    raise RuntimeError("no free port")


def answers(port: int, host: str = HOST) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do; closed connections do not count, a listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def wait_until_it_is_free(port: int, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not is_free(port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"port {port} is still taken")
        time.sleep(0.01)
