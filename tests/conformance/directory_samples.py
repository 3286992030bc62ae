"""Samples of the parameters that a directory keeps differently; `tests/samples.py` has all others.

Services are names in one attribute here: any name has a place, a new domain has `mail`, and a list
that was written for SQL takes nothing away that SQL does not know (LDAP reference 3.5). A display name
is never empty.
"""

from __future__ import annotations

from dataclasses import replace

from tests.samples import SAMPLES, Good, ReadOnly, Refused, Samples

_ADD: Samples = (
    Good("self-service", ("mail", "self-service"), of="services"),
    Good("Self-Service,", ("mail", "self-service"), of="services"),
    Good("mail,domainalias", ("domainalias", "mail"), of="services"),
    Good("", ("mail",), of="services"),
    Refused("nonsense", parameter="services"),
    Refused("a:b"),
)
_REMOVE: Samples = (
    Good("self-service", ("mail",), of="services", before={"services": "self-service,mail"}),
    Good("mail", ("self-service",), of="services", before={"services": "self-service,mail"}),
    Good("", ("mail", "self-service"), of="services", before={"services": "self-service"}),
    Refused("a;b"),
)
_SUPPORTING = (
    *("displayedinglobaladdressbook", "forward", "mail", "recipientbcc", "senderbcc"),
    "shadowaddress",
)
_SWITCHED = (
    *("deliver", "imap", "imapsecured", "imaptls", "lda", "lmtp", "managesieve"),
    *("managesievesecured", "managesievetls", "pop3", "pop3secured", "pop3tls", "sieve"),
    *("sievesecured", "sievetls", "smtp", "smtpsecured", "smtptls", "sogo", "sogoactivesync"),
    *("sogocalendar", "sogowebmail"),
)


def _these(*names: str) -> tuple[str, ...]:
    return tuple(sorted((*_SUPPORTING, *names)))


def _without(*names: str) -> tuple[str, ...]:
    return tuple(sorted({*_SUPPORTING, *_SWITCHED} - set(names)))


def _never_empty(samples: Samples) -> Samples:
    """The local part stands in where no name is given."""
    assert not isinstance(samples, ReadOnly)
    return tuple(
        replace(sample, shown="jane") if isinstance(sample, Good) and not sample.shown else sample
        for sample in samples
    )


SAMPLES_OF_A_DIRECTORY: dict[str, dict[str, Samples]] = {
    "domain": {
        "services": (
            Good("self-service", ("mail", "self-service")),
            Good("Mail,mail,senderbcc", ("mail", "senderbcc")),
            Good("", (), before={"services": "self-service"}),
            Refused("nonsense"),
            Refused("a:b"),
        ),
        "addService": _ADD,
        "enableService": _ADD,
        "removeService": _REMOVE,
        "disableService": _REMOVE,
        "removeAllServices": (
            Good("", (), of="services", before={"services": "self-service"}),
            Good("whatever", (), of="services"),
        ),
    },
    "user": {
        "name": _never_empty(SAMPLES["user"]["name"]),
        "cn": _never_empty(SAMPLES["user"]["cn"]),
        "services": (
            Good("smtp,imap", _these("imap", "smtp")),
            Good("imapsecured", _these("imapsecured", "imaptls")),
            Good(
                "IMAPSecured, deliver",
                _these("imapsecured", "imaptls", "deliver", "lda", "lmtp"),
            ),
            Good("smtpsecured", _these("smtpsecured", "smtptls")),
            Good("managesieve", _these("managesieve", "sieve")),
            Good(
                "managesievesecured",
                _these("managesievesecured", "managesievetls", "sievesecured", "sievetls"),
            ),
            Good("smtp,vpn,owncloud", _these("owncloud", "smtp", "vpn")),
            Good("smtp,quota-status,domainadmin", _these("smtp"), warned=True),
            Good("", _these()),
            Good("smtp", _these("smtp"), before={"services": "imap"}),
            Refused("smtp,im ap"),
            Refused("smtp,a:b"),
        ),
        "addService": (
            Good(
                "pop3secured",
                _these("smtp", "pop3secured", "pop3tls"),
                of="services",
                before={"services": "smtp"},
            ),
            Good("VPN", _these("smtp", "vpn"), of="services", before={"services": "smtp"}),
            Good("", _these("smtp"), of="services", before={"services": "smtp"}),
            Refused("a;b"),
        ),
        "removeService": (
            Good("smtp", _without("smtp"), of="services"),
            Good("pop3secured", _without("pop3secured", "pop3tls"), of="services"),
            Good("deliver", _without("deliver", "lda", "lmtp"), of="services"),
            Good("forward,senderbcc", _without("forward", "senderbcc"), of="services"),
            Good(
                "displayedInGlobalAddressBook",
                _without("displayedinglobaladdressbook"),
                of="services",
            ),
            Good("", _without(), of="services"),
            Refused("a;b"),
        ),
        "passwordLastChange": ReadOnly("2026-01-02T00:00:00Z"),
    },
    "admin": {"passwordLastChange": ReadOnly("2026-01-02T00:00:00Z")},
}
# Operational attributes: the directory writes them by its own clock, and nobody else does.
TIMES = ("created", "modified")
