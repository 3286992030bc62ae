"""Mail clients: log in over each protocol, read the inbox and the quota."""

from __future__ import annotations

import base64
import email
import email.policy
import imaplib
import poplib
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any, Literal, NamedTuple

Protocol = Literal["imap", "pop3", "sieve", "smtp"]

# Dovecot trusts a connection that comes from the very address it goes to.
_TRUSTED = "127.0.0.1"
_STRANGER = "127.0.0.2"
_SECONDS = 15


class Quota(NamedTuple):
    """In bytes; no limit is None."""

    used: int
    limit: int | None


class Server(NamedTuple):
    host: str
    port: int


def tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _connect(server: Server, source: str) -> socket.socket:
    return socket.create_connection(server, timeout=_SECONDS, source_address=(source, 0))


class _Imap(imaplib.IMAP4):
    def __init__(self, server: Server, source: str = _TRUSTED) -> None:
        self._source = source
        super().__init__(*server)

    def _create_socket(self, timeout: float | None) -> socket.socket:  # noqa: ARG002
        return _connect(Server(self.host, self.port), self._source)


class _Pop3(poplib.POP3):
    def __init__(self, server: Server, source: str) -> None:
        self._source = source
        super().__init__(*server)

    def _create_socket(self, timeout: float | None) -> socket.socket:  # noqa: ARG002
        return _connect(Server(self.host, self.port), self._source)


def _refused(answer: object, words: str) -> bool:
    """Whether the answer is a plain no; anything else than a yes or a no is an error."""
    if words not in str(answer):
        raise AssertionError(f"neither let in nor refused: {answer}")
    return True


def login_imap(server: Server, user: str, password: str, source: str, *, tls: bool) -> bool:
    with _Imap(server, source) as client:
        if tls:
            client.starttls(tls_context())
        try:
            client.login(user, password)
        except imaplib.IMAP4.error as answer:
            return not _refused(answer, "[AUTHENTICATIONFAILED]")
        return True


def login_pop3(server: Server, user: str, password: str, source: str, *, tls: bool) -> bool:
    client = _Pop3(server, source)
    try:
        if tls:
            client.stls(tls_context())
        client.user(user)
        try:
            client.pass_(password)
        except poplib.error_proto as answer:
            return not _refused(answer, "[AUTH]")
        client.quit()
        return True
    finally:
        client.close()


def login_smtp(server: Server, user: str, password: str, source: str, *, tls: bool) -> bool:
    with smtplib.SMTP(*server, timeout=_SECONDS, source_address=(source, 0)) as client:
        if tls:
            client.starttls(context=tls_context())
        try:
            client.login(user, password)
        except smtplib.SMTPAuthenticationError as answer:
            return not _refused(answer.smtp_code, "535")
        return True


def login_sieve(server: Server, user: str, password: str, source: str, *, tls: bool) -> bool:
    connection = _connect(server, source)
    try:
        _sieve_answer(connection)
        if tls:
            _sieve_ask(connection, "STARTTLS")
            connection = tls_context().wrap_socket(connection, server_hostname=server.host)
            _sieve_answer(connection)
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        answer = _sieve_ask(connection, f'AUTHENTICATE "PLAIN" "{token}"')
        return answer.startswith("OK") or not _refused(answer, "Authentication failed")
    finally:
        connection.close()


def _sieve_ask(connection: socket.socket, words: str) -> str:
    connection.sendall(f"{words}\r\n".encode())
    return _sieve_answer(connection)


def _sieve_answer(connection: socket.socket) -> str:
    """The last line: one that begins with OK, NO or BYE."""
    got = b""
    while not (found := re.search(rb"^((?:OK|NO|BYE).*)\r\n\Z", got, re.MULTILINE)):
        part = connection.recv(4096)
        if not part:
            raise AssertionError(f"ManageSieve hung up: {got!r}")
        got += part
    return found[1].decode()


_LOGIN = {"imap": login_imap, "pop3": login_pop3, "sieve": login_sieve, "smtp": login_smtp}


def login(
    protocol: Protocol, server: Server, user: str, password: str, *, tls: bool, trusted: bool
) -> bool:
    source = _TRUSTED if trusted else _STRANGER
    return _LOGIN[protocol](server, user, password, source, tls=tls)


@contextmanager
def _reading(server: Server, user: str, password: str) -> Iterator[Any]:
    with _Imap(server) as client:
        client.starttls(tls_context())
        client.login(user, password)
        yield client


def inbox(server: Server, user: str, password: str) -> list[EmailMessage]:
    with _reading(server, user, password) as client:
        _, (count,) = client.select("INBOX", readonly=True)
        if count == b"0":
            return []
        _, parts = client.fetch("1:*", "(BODY.PEEK[])")
    return [
        email.message_from_bytes(part[1], policy=email.policy.default)
        for part in parts
        if isinstance(part, tuple)
    ]


def quota(server: Server, user: str, password: str) -> Quota:
    with _reading(server, user, password) as client:
        kind, answer = client.getquotaroot("INBOX")
    assert kind == "OK", answer
    found = re.search(r"STORAGE (\d+) (\d+)", str(answer))
    if not found:
        return Quota(0, None)
    return Quota(int(found[1]) * 1024, int(found[2]) * 1024)
