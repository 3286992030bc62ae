"""Free TCP ports on the loopback address."""

from __future__ import annotations

import atexit
import random
import socket
import time

HOST = "127.0.0.1"

# Below the range from which the kernel takes ports for outgoing connections, so that nobody
# is handed the port between our look and the server's bind.
_RANGE = range(20_000, 32_000)
_random = random.SystemRandom()
_reserved: dict[int, socket.socket] = {}


def free_port() -> int:
    for port in _random.sample(_RANGE, 200):
        if is_free(port) and _reserve(port):
            return port
    raise RuntimeError("no free port")


def _reserve(port: int) -> bool:
    """Hold the UDP port of the same number, so that test processes do not pick the same one."""
    mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        mark.bind((HOST, port))
    except OSError:
        mark.close()
        return False
    _reserved[port] = mark
    atexit.register(mark.close)
    return True


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
