"""Sets of client addresses, as administrators write them in the settings."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable


class Networks:
    """Addresses, networks, ranges (``192.0.2.10-20``) and prefixes (``192.0.2.*``)."""

    __slots__ = ("_networks", "texts")

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts = tuple(text.strip() for text in texts)
        self._networks = tuple(network for text in self.texts for network in _parse(text))

    def __contains__(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address.strip().partition("%")[0])
        except ValueError:
            return False
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        return any(found in network for network in self._networks)

    def __bool__(self) -> bool:
        return bool(self.texts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Networks) and self.texts == other.texts

    def __hash__(self) -> int:
        return hash(self.texts)

    def __repr__(self) -> str:
        return f"Networks({list(self.texts)!r})"


def _parse(text: str) -> Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    try:
        if re.fullmatch(r"\d+\.\d+\.\d+\.\*?", text):
            return [ipaddress.ip_network(f"{text.rstrip('.*')}.0/24")]
        if "-" in text:
            first, _, last = text.partition("-")
            if "." not in last and ":" not in last:
                last = f"{first.rpartition('.')[0]}.{last}"
            return list(
                ipaddress.summarize_address_range(
                    ipaddress.IPv4Address(first), ipaddress.IPv4Address(last)
                )
            )
        return [ipaddress.ip_network(text, strict=False)]
    except (ValueError, TypeError):
        message = f"{text!r} is not an address, a network (192.0.2.0/24) or a range (192.0.2.10-20)"
        raise ValueError(message) from None
