"""What DNS says of a domain: its TXT records, and the addresses of its web server.

The host file, search lists and caches of the system have no part in it.
"""

from __future__ import annotations

import time

import dns.exception
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.resolver

from mailwright.ownership.failures import Fruitless
from mailwright.settings import Ownership


class Names:
    """Asks the name servers of the settings, or those of the system."""

    def __init__(self, settings: Ownership) -> None:
        try:
            self._resolver = dns.resolver.Resolver(configure=not settings.name_servers)
        except dns.exception.DNSException:
            raise Fruitless("this server has no name server to ask") from None
        if settings.name_servers:
            self._resolver.nameservers = list(settings.name_servers)
            self._resolver.port = settings.name_server_port

    def texts(self, domain: str, seconds: float) -> list[str]:
        """The TXT records, each with its parts put together.  ``Fruitless``."""
        return [
            b"".join(record.strings).decode("ascii", "replace")
            for record in self._ask(domain, dns.rdatatype.TXT, seconds)
            if isinstance(record, dns.rdtypes.ANY.TXT.TXT)
        ]

    def addresses(self, domain: str, seconds: float) -> list[str]:
        """IPv4 addresses, then IPv6.  ``Fruitless``."""
        end = time.monotonic() + seconds
        found = [record.to_text() for record in self._ask(domain, dns.rdatatype.A, seconds)]
        left = max(end - time.monotonic(), 0.1)
        found += [record.to_text() for record in self._ask(domain, dns.rdatatype.AAAA, left)]
        return found

    def _ask(
        self, domain: str, kind: dns.rdatatype.RdataType, seconds: float
    ) -> dns.rdataset.Rdataset | tuple[()]:
        try:
            answer = self._resolver.resolve(
                f"{domain}.", kind, search=False, raise_on_no_answer=False, lifetime=seconds
            )
        except dns.resolver.NXDOMAIN:
            raise Fruitless(f"DNS knows no {domain}") from None
        except dns.exception.Timeout:
            raise Fruitless("DNS did not answer in time") from None
        except (dns.exception.DNSException, OSError):
            raise Fruitless("DNS could not answer") from None
        return answer.rrset if answer.rrset is not None else ()
