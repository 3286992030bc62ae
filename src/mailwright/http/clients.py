"""Who is at the other end: the client's address, its scheme, and where a web page came from."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from mailwright.networks import Networks

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Client:
    """One request's client; headers of a proxy count only where the peer is a trusted one."""

    __slots__ = ("_environ", "address", "proxied")

    def __init__(self, environ: Mapping[str, Any], proxies: Networks) -> None:
        self._environ = environ
        peer: str = environ.get("REMOTE_ADDR") or ""
        self.proxied = bool(proxies) and peer in proxies
        self.address = _forwarded(environ, peer, proxies) if self.proxied else peer

    @property
    def secure(self) -> bool:
        """Whether the client itself speaks TLS."""
        return self.scheme == "https"

    @property
    def scheme(self) -> str:
        """The client's own scheme, ``http`` or ``https``."""
        if self.proxied:
            told = self._environ.get("HTTP_X_FORWARDED_PROTO", "")
            if told:
                return str(told).rpartition(",")[2].strip().lower()
        return str(self._environ.get("wsgi.url_scheme", "http"))

    @property
    def request_id(self) -> str | None:
        """The id that a trusted proxy gave the request."""
        told = self._environ.get("HTTP_X_REQUEST_ID") if self.proxied else None
        return told if told and _SANE_ID.fullmatch(told) else None

    def is_foreign_page(self) -> bool:
        """Whether a browser sent this for a page of another site (``Origin`` against ``Host``)."""
        origin = self._environ.get("HTTP_ORIGIN")
        if origin is None:
            return False
        hosts = {self._environ.get("HTTP_HOST", "")}
        if self.proxied:
            hosts.add(self._environ.get("HTTP_X_FORWARDED_HOST", ""))
        try:
            page = urlsplit(origin)
            if page.scheme not in _DEFAULT_PORTS or not page.hostname:
                return True
            own = {_place(urlsplit(f"//{host}"), self.scheme) for host in hosts if host}
            return _place(page, page.scheme) not in own
        except ValueError:
            return True


def subject(address: str) -> str:
    """What counts as one client: the address, or the /64 network that an IPv6 client has for itself."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def _forwarded(environ: Mapping[str, Any], peer: str, proxies: Networks) -> str:
    """The first address from the right that is not a trusted proxy's."""
    address = peer
    for hop in reversed(str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
        found = _address(hop)
        if not found:
            break
        address = found
        if address not in proxies:
            break
    return address


def _address(text: str) -> str:
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def _place(url: Any, scheme: str) -> tuple[str | None, int | None]:
    return url.hostname, url.port or _DEFAULT_PORTS.get(scheme)
