"""Looking for a code in DNS and on web servers, some of which mean no good."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from mailwright.networks import Networks
from mailwright.ownership.proving import look_for
from tests.ownership.internet import (
    HOST,
    NameServer,
    Serve,
    WebServer,
    asking,
    certificate,
    files,
    internet,
    raw,
)

DOMAIN = "example.org"
CODE = "proof-0123456789abcdef"
FILE = files(proof_0123456789abcdef=f"{CODE}\n")


# TXT


@pytest.mark.parametrize(
    "values",
    [
        (f'"{CODE}"',),
        (f'"{CODE[:9]}" "{CODE[9:]}"',),
        ('"v=spf1 -all"', f'"{CODE}"', '"other"'),
    ],
)
def test_a_txt_record_that_is_the_code_proves_it(values: tuple[str, ...]) -> None:
    with internet() as names:
        names.say(DOMAIN, "TXT", *values)
        found = look_for(CODE, DOMAIN, asking(names))

    assert (True, "TXT record") == (found.proven, found.message)
    assert [(DOMAIN, "TXT")] == names.asked


@pytest.mark.parametrize(
    "value", [f'"{CODE}x"', f'"x{CODE}"', f'"{CODE.upper()}"', f'"{CODE}" " "', '""', f'"a {CODE}"']
)
def test_a_txt_record_that_only_resembles_it_does_not(value: str) -> None:
    with internet(TXT=value) as names:
        found = look_for(CODE, DOMAIN, asking(names))

    assert not found.proven
    assert found.message.startswith("TXT: no record of example.org is the code")


def test_the_record_of_another_name_proves_nothing() -> None:
    with internet() as names:
        names.say(f"www.{DOMAIN}", "TXT", f'"{CODE}"')
        names.say(f"{DOMAIN}.{DOMAIN}", "TXT", f'"{CODE}"')

        assert not look_for(CODE, DOMAIN, asking(names)).proven


def test_a_name_server_without_an_answer_is_told_apart() -> None:
    with NameServer() as names:
        nowhere = look_for(CODE, DOMAIN, asking(names))
    with NameServer(broken=True) as names:
        broken = look_for(CODE, DOMAIN, asking(names))
    with NameServer(silent=True) as names:
        started = time.monotonic()
        silent = look_for(CODE, DOMAIN, asking(names, timeout_seconds=1))
        seconds = time.monotonic() - started

    assert [False] * 3 == [nowhere.proven, broken.proven, silent.proven]
    assert "TXT: DNS knows no example.org" in nowhere.message
    assert "TXT: DNS could not answer" in broken.message
    assert "TXT: DNS did not answer in time" in silent.message
    assert seconds < 8


# Files


def test_a_file_by_http_proves_it_and_learns_nothing_else() -> None:
    with internet(A=HOST) as names, WebServer(FILE) as web:
        found = look_for(CODE, DOMAIN, asking(names, http_port=web.port))

    assert (True, "file by http") == (found.proven, found.message)
    assert [
        f"GET /{CODE} HTTP/1.1\r\nHost: {DOMAIN}:{web.port}\r\nUser-Agent: mailwright\r\n"
        "Accept: text/plain\r\nConnection: close\r\n\r\n"
    ] == web.requests


def test_a_file_by_https_proves_it(tmp_path: Path) -> None:
    server, client = certificate(tmp_path)
    with internet(A=HOST) as names, WebServer(FILE, server) as web:
        found = look_for(CODE, DOMAIN, asking(names, https_port=web.port), client)

    assert (True, "file by https") == (found.proven, found.message)


@pytest.mark.parametrize("host", ["example.net", DOMAIN])
def test_a_certificate_that_is_not_valid_proves_nothing(tmp_path: Path, host: str) -> None:
    """Of another host, or of nobody whom the system trusts."""
    server, client = certificate(tmp_path, host)
    with internet(A=HOST) as names, WebServer(FILE, server) as web:
        found = look_for(
            CODE, DOMAIN, asking(names, https_port=web.port), client if host != DOMAIN else None
        )

    assert not found.proven
    assert "https: the certificate of the web server is not valid" in found.message
    assert [] == web.requests


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nother", "the file holds something else"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + CODE.encode() + b"x", "the file holds something else"),
        (b"HTTP/1.1 200 OK\r\n\r\n<p>" + CODE.encode(), "the file holds something else"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n" + CODE.encode(), "status 404"),
        (b"HTTP/1.1 206 Part\r\n\r\n" + CODE.encode(), "status 206"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1100 + CODE.encode(), "the file is too long"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: " + b"b" * 20_000, "the answer is too long"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200, "cannot be understood"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "cannot be understood"),
        (b"", "cannot be understood"),
    ],
)
def test_another_answer_proves_nothing(answer: bytes, reason: str) -> None:
    with internet(A=HOST) as names, WebServer(raw(answer)) as web:
        found = look_for(CODE, DOMAIN, asking(names, http_port=web.port))

    assert not found.proven
    assert reason in found.message
    assert 1 == len(web.requests)


def test_a_chunked_file_is_put_together() -> None:
    half = len(CODE) // 2
    body = b"".join(
        f"{len(part):x}\r\n{part}\r\n".encode() for part in (CODE[:half], CODE[half:], "")
    )
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    with internet(A=HOST) as names, WebServer(raw(answer)) as web:
        assert look_for(CODE, DOMAIN, asking(names, http_port=web.port)).proven


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with ExitStack() as stack:
        names = stack.enter_context(internet(A=HOST))
        inner = stack.enter_context(WebServer(FILE))
        answer = f"HTTP/1.1 {status} x\r\nLocation: http://{HOST}:{inner.port}/{CODE}\r\n\r\n"
        web = stack.enter_context(WebServer(raw(answer.encode())))
        found = look_for(CODE, DOMAIN, asking(names, http_port=web.port))

    assert not found.proven
    assert "redirects are not followed" in found.message
    assert [] == inner.requests


def dripping(head: bytes) -> Serve:
    """One octet now and then, for ten seconds if somebody listens that long."""

    def serve(connection: socket.socket, _request: str) -> None:
        connection.sendall(head)
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.05)

    return serve


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"]
)
def test_a_server_that_drips_is_left_in_time(head: bytes) -> None:
    with internet(A=HOST) as names, WebServer(dripping(head)) as web:
        started = time.monotonic()
        found = look_for(CODE, DOMAIN, asking(names, http_port=web.port, timeout_seconds=1))
        seconds = time.monotonic() - started

    assert not found.proven
    assert "http: the web server did not answer in time" in found.message
    assert seconds < 5


def test_a_server_that_accepts_and_says_nothing_is_left_in_time() -> None:
    def serve(connection: socket.socket, _request: str) -> None:
        connection.recv(1)  # until they go

    with internet(A=HOST) as names, WebServer(serve) as web:
        found = look_for(CODE, DOMAIN, asking(names, http_port=web.port, timeout_seconds=1))

    assert "http: the web server did not answer in time" in found.message


# Where the question must not go


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("A", HOST),
        ("A", "10.0.0.1"),
        ("A", "169.254.169.254"),
        ("AAAA", "::1"),
        ("AAAA", f"::ffff:{HOST}"),
        ("AAAA", "fe80::1"),
    ],
)
def test_an_address_that_is_not_public_is_not_asked(
    kind: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections: list[object] = []
    monkeypatch.setattr(
        socket, "create_connection", lambda where, **_more: connections.append(where)
    )
    with internet(**{kind: address}) as names:
        found = look_for(CODE, DOMAIN, asking(names, also_allowed=Networks()))

    assert not found.proven
    assert 2 == found.message.count("an address that is not public")
    assert [] == connections


def test_one_such_address_among_others_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    connections: list[object] = []
    monkeypatch.setattr(
        socket, "create_connection", lambda where, **_more: connections.append(where)
    )
    with internet() as names:
        names.say(DOMAIN, "A", "1.1.1.1", "8.8.8.8")
        names.say(DOMAIN, "AAAA", "2606:4700::1111", "::1")
        found = look_for(CODE, DOMAIN, asking(names, also_allowed=Networks()))

    assert "an address that is not public" in found.message
    assert [] == connections


def test_the_address_that_was_judged_is_the_one_that_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server may say something else the second time, so nobody is asked twice."""
    connections: list[object] = []

    def refuse(where: object, **_more: object) -> None:
        connections.append(where)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", refuse)
    with internet() as names:
        names.say(DOMAIN, "A", *(f"8.8.8.{number}" for number in range(1, 7)))
        settings = asking(names, also_allowed=Networks())
        found = look_for(CODE, DOMAIN, settings)

    assert "http: there is no connection to the web server" in found.message
    asked = {str(where[0]) for where in connections}  # type: ignore[index]
    assert asked <= {f"8.8.8.{number}" for number in range(1, 7)}
    assert 4 * 2 == len(connections)
    assert {settings.http_port, settings.https_port} == {where[1] for where in connections}  # type: ignore[index]


def test_a_web_server_that_does_not_answer_is_passed_over_for_the_next() -> None:
    with internet() as names, WebServer(FILE) as web:
        names.say(DOMAIN, "A", "127.0.0.2", HOST)
        allowed = Networks([HOST, "127.0.0.2"])
        found = look_for(CODE, DOMAIN, asking(names, http_port=web.port, also_allowed=allowed))

    assert found.proven


def test_proxies_and_credentials_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine {DOMAIN} login me password secret\n")
    netrc.chmod(0o600)
    with internet(A=HOST) as names, WebServer(FILE) as web, WebServer(FILE) as proxy:
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{HOST}:{proxy.port}")
        assert look_for(CODE, DOMAIN, asking(names, http_port=web.port)).proven

    assert [] == proxy.requests
    assert "uthorization" not in web.requests[0]
