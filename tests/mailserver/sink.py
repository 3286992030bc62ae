"""An SMTP server in this process that takes everything: it stands for another mail server."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from dataclasses import dataclass
from email.message import EmailMessage

from tests.servers.ports import HOST, free_port


@dataclass(frozen=True)
class Received:
    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])


class Sink:
    def __init__(self) -> None:
        self.host = HOST
        self.port = free_port()
        self.mail: list[Received] = []
        self.refused: set[str] = set()
        self._server = _Server((self.host, self.port), _Session)
        self._server.sink = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.daemon = True
        self._thread.start()

    @property
    def nexthop(self) -> str:
        """As Postfix writes a next hop."""
        return f"[{self.host}]:{self.port}"

    def to(self, recipient: str) -> list[Received]:
        return [mail for mail in self.mail if recipient in mail.recipients]

    def clear(self) -> None:
        self.mail.clear()
        self.refused.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    sink: Sink


class _Session(socketserver.StreamRequestHandler):
    server: _Server
    timeout = 30

    def handle(self) -> None:
        self._forget()
        self._say("220 sink.example.test ESMTP")
        while line := self.rfile.readline():
            words = line.decode("utf-8", "replace").strip()
            verb = words[:4].upper()
            if verb == "QUIT":
                self._say("221 bye")
                return
            self._answer(verb, words)

    def _answer(self, verb: str, words: str) -> None:
        match verb:
            case "EHLO" | "HELO":
                self._say("250 sink.example.test")
            case "MAIL":
                self._sender = _address(words)
                self._say("250 ok")
            case "RCPT" if _address(words) in self.server.sink.refused:
                self._say("550 5.1.1 no such user")
            case "RCPT":
                self._recipients.append(_address(words))
                self._say("250 ok")
            case "DATA":
                self._say("354 go on")
                self._take()
                self._say("250 taken")
            case "RSET":
                self._forget()
                self._say("250 ok")
            case _:
                self._say("250 ok")

    def _take(self) -> None:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        self.server.sink.mail.append(Received(self._sender, tuple(self._recipients), message))
        self._forget()

    def _forget(self) -> None:
        self._sender = ""
        self._recipients: list[str] = []

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


def _address(words: str) -> str:
    return words.partition("<")[2].partition(">")[0]
