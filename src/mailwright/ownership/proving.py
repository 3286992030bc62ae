"""Looking for a code where only the owner of a domain can have put it.

In a TXT record of the domain, or in a file on its web server whose name and content are the code (the
public documents of iRedAdmin-Pro, policy reference 9).
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mailwright.ownership.failures import Fruitless
from mailwright.ownership.fetching import fetched
from mailwright.ownership.names import Names
from mailwright.ownership.public import is_public
from mailwright.settings import Ownership

MOST_ADDRESSES: Final = 4  # that are asked for a file


@dataclass(frozen=True, slots=True)
class Evidence:
    """Whether the code was found; ``message`` says where, or why not."""

    proven: bool
    message: str


def look_for(
    code: str, domain: str, settings: Ownership, tls: ssl.SSLContext | None = None
) -> Evidence:
    """Look everywhere until the code is found; takes as long as three time limits at most."""
    reasons: list[str] = []
    try:
        names = Names(settings)
    except Fruitless as reason:
        return Evidence(proven=False, message=f"DNS: {reason}")
    try:
        if code in names.texts(domain, settings.timeout_seconds):
            return Evidence(proven=True, message="TXT record")
        reasons.append(f"TXT: no record of {domain} is the code")
    except Fruitless as reason:
        reasons.append(f"TXT: {reason}")
    secure = tls or ssl.create_default_context()
    for scheme, context in (("http", None), ("https", secure)):
        try:
            _look_in_a_file(code, domain, names, settings, context)
        except Fruitless as reason:
            reasons.append(f"{scheme}: {reason}")
        else:
            return Evidence(proven=True, message=f"file by {scheme}")
    return Evidence(proven=False, message="; ".join(reasons))


def _look_in_a_file(
    code: str, domain: str, names: Names, settings: Ownership, tls: ssl.SSLContext | None
) -> None:
    end = time.monotonic() + settings.timeout_seconds
    port = settings.http_port if tls is None else settings.https_port
    addresses = names.addresses(domain, settings.timeout_seconds)
    reason = Fruitless(f"{domain} has no address")
    for address in _that_may_be_asked(addresses, settings):
        try:
            found = fetched(domain, code, address=address, port=port, end=end, tls=tls)
        except Fruitless as other:
            reason = other
            continue
        if found.strip() == code.encode("ascii"):
            return
        reason = Fruitless("the file holds something else")
    raise reason


def _that_may_be_asked(addresses: Sequence[str], settings: Ownership) -> Sequence[str]:
    """All or none: a name that also stands for an address of ours is not asked at its others."""
    for address in addresses:
        if not is_public(address) and address not in settings.also_allowed:
            raise Fruitless("the domain has an address that is not public, so it is not asked")
    return addresses[:MOST_ADDRESSES]
