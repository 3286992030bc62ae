"""A name server and web servers on loopback, for domains that exist nowhere else."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from mailwright.networks import Networks
from mailwright.settings import Ownership
from tests.servers import require

HOST = "127.0.0.1"
Serve = Callable[[socket.socket, str], None]


@dataclass
class NameServer:
    """Answers what `records` hold by name and type; an unknown name is NXDOMAIN."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    silent: bool = False
    broken: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(b"", (HOST, self.port))  # the end
        self._thread.join(10)
        self._socket.close()

    def say(self, name: str, kind: str, *values: str) -> None:
        self.records[name, kind] = list(values)

    def _serve(self) -> None:
        while True:
            octets, client = self._socket.recvfrom(4096)
            if not octets:
                return
            query = dns.message.from_wire(octets)
            (question,) = query.question
            name = question.name.to_text(omit_final_dot=True)
            kind = dns.rdatatype.to_text(question.rdtype)
            self.asked.append((name, kind))
            if self.silent:
                continue
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            if self.broken:
                answer.set_rcode(dns.rcode.SERVFAIL)
            elif name not in {each for each, _ in self.records}:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            elif found := self.records.get((name, kind)):
                answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", kind, found))
            self._socket.sendto(answer.to_wire(), client)


class WebServer:
    """Hands each connection, and what was asked on it, to `serve`; by TLS with a certificate."""

    def __init__(self, serve: Serve, tls: ssl.SSLContext | None = None) -> None:
        self._serve = serve
        self._tls = tls
        self.requests: list[str] = []

    def __enter__(self) -> Self:
        self._socket = socket.create_server((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        self._over = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over = True
        with contextlib.suppress(OSError):
            socket.create_connection((HOST, self.port), 1).close()
        self._thread.join(10)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._over:
                connection.close()
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10)
                if self._tls is None:
                    self._answer(connection)
                else:
                    with self._tls.wrap_socket(connection, server_side=True) as secured:
                        self._answer(secured)

    def _answer(self, connection: socket.socket) -> None:
        octets = b""
        while b"\r\n\r\n" not in octets:
            received = connection.recv(4096)
            if not received:
                return
            octets += received
        self.requests.append(octets.decode())
        self._serve(connection, octets.decode())


def files(**content: str) -> Serve:
    """A web server with these files; `_` in a name stands for `-`."""
    named = {f"/{name.replace('_', '-')}": text for name, text in content.items()}

    def serve(connection: socket.socket, request: str) -> None:
        path = request.split(" ")[1]
        found = named.get(path)
        head = "HTTP/1.1 404 Not Found" if found is None else "HTTP/1.1 200 OK"
        body = (found or "").encode()
        connection.sendall(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    return serve


def raw(answer: bytes) -> Serve:
    """Always the same octets."""

    def serve(connection: socket.socket, _request: str) -> None:
        connection.sendall(answer)

    return serve


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def internet(**records: str) -> Iterator[NameServer]:
    """A name server that knows `example.org`, with these records by type."""
    with NameServer() as names:
        names.say("example.org", "SOA", "ns.example.org. hostmaster.example.org. 1 1 1 1 1")
        for kind, value in records.items():
            names.say("example.org", kind, value)
        yield names


def asking(names: NameServer, **more: object) -> Ownership:
    """Settings that ask this name server, and web servers on loopback."""
    values: dict[str, object] = {
        "required": True,
        "name_servers": (HOST,),
        "name_server_port": names.port,
        "http_port": closed_port(),
        "https_port": closed_port(),
        "also_allowed": Networks([HOST]),
        "timeout_seconds": 5,
        **more,
    }
    return Ownership(**values)  # type: ignore[arg-type]


def certificate(folder: Path, host: str = "example.org") -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The side of a web server with a certificate for `host`, and of a client that trusts it."""
    key, chain = folder / "key.pem", folder / "chain.pem"
    subprocess.run(
        [
            *(
                require.program("openssl"),
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ),
            *(
                "-nodes",
                "-days",
                "2",
                "-subj",
                f"/CN={host}",
                "-addext",
                f"subjectAltName=DNS:{host}",
            ),
            *("-keyout", str(key), "-out", str(chain)),
        ],
        check=True,
        capture_output=True,
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(chain, key)
    return server, ssl.create_default_context(cafile=str(chain))
