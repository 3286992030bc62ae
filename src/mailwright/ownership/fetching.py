"""One file from a web server that somebody else chose.

The connection goes to the given address and nowhere else: no name is looked up, no redirect followed, no
proxy of the environment used, nothing told but the name of the domain.  Time and size are limited as a
whole, so that a server which sends a byte now and then does not keep us.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from typing import Any, Final

from mailwright.ownership.failures import Fruitless

MOST_OCTETS: Final = 16_384  # of the whole answer
MOST_IN_THE_FILE: Final = 1024
FOUND: Final = 200
REDIRECTS: Final = range(300, 400)


class _Answer(io.RawIOBase):
    """What a socket receives until the end of the time, and not more than allowed."""

    def __init__(self, connection: socket.socket, end: float) -> None:
        self._connection = connection
        self._end = end
        self._left = MOST_OCTETS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise Fruitless("the answer is too long")
        self._connection.settimeout(_left(self._end))
        received = self._connection.recv_into(memoryview(buffer)[: self._left])
        self._left -= received
        return received

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What ``http.client`` asks a socket for."""
        return io.BufferedReader(self, 1024)


def fetched(
    host: str,
    path: str,
    *,
    address: str,
    port: int,
    end: float,
    tls: ssl.SSLContext | None = None,
) -> bytes:
    """The file, asked for at this very address until ``end`` of the monotonic clock.  ``Fruitless``.

    With ``tls`` by https, and the certificate must be the host's.
    """
    usual = http.client.HTTP_PORT if tls is None else http.client.HTTPS_PORT
    named = host if port == usual else f"{host}:{port}"
    request = (
        f"GET /{path} HTTP/1.1\r\nHost: {named}\r\nUser-Agent: mailwright\r\n"
        "Accept: text/plain\r\nConnection: close\r\n\r\n"
    )
    try:
        with socket.create_connection((address, port), timeout=_left(end)) as plain:
            if tls is None:
                return _exchanged(plain, request, end)
            plain.settimeout(_left(end))
            with tls.wrap_socket(plain, server_hostname=host) as secured:
                return _exchanged(secured, request, end)
    except ssl.SSLCertVerificationError:
        raise Fruitless("the certificate of the web server is not valid") from None
    except TimeoutError:
        raise Fruitless("the web server did not answer in time") from None
    except http.client.HTTPException:
        raise Fruitless("the web server's answer cannot be understood") from None
    except OSError:
        raise Fruitless("there is no connection to the web server") from None


def _exchanged(connection: socket.socket, request: str, end: float) -> bytes:
    connection.settimeout(_left(end))
    connection.sendall(request.encode("ascii"))
    # Only makefile() of a socket is used.
    response = http.client.HTTPResponse(_Answer(connection, end), method="GET")  # type: ignore[arg-type]
    try:
        response.begin()
        if response.status in REDIRECTS:
            raise Fruitless("the web server points elsewhere, and redirects are not followed")
        if response.status != FOUND:
            raise Fruitless(f"the web server answers with status {response.status}")
        found = response.read(MOST_IN_THE_FILE + 1)
    finally:
        response.close()
    if len(found) > MOST_IN_THE_FILE:
        raise Fruitless("the file is too long")
    return found


def _left(end: float) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
