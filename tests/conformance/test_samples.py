"""Every parameter has samples; what is written is read back, and nothing else moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import pytest

from mailwright.app import ACCOUNTS
from mailwright.errors import Invalid, MailwrightError
from tests.conformance.directory_samples import SAMPLES_OF_A_DIRECTORY, TIMES
from tests.directory_site import DirectorySite
from tests.samples import ANNA, DOMAIN, JANE, PASSWORD, SAMPLES, Good, ReadOnly, Refused, Samples
from tests.stores import EARLIER, LATER, NOTHING, Site

KEYS = {"domain": DOMAIN, "user": JANE, "admin": ANNA}
# What follows from a field besides its own value.
FOLLOWS = {
    "domain": {
        "is_backupmx": {"transport", "primarymx"},
        "primarymx": {"is_backupmx", "transport"},
        "senderBcc": {"services"},  # in a directory the look-ups ask for a service as well
        "recipientBcc": {"services"},
    },
    "user": {"isGlobalAdmin": {"isAdmin", "managedDomains"}, "password": {"passwordLastChange"}},
    "admin": {
        "isGlobalAdmin": {"managedDomains"},
        "password": {"passwordLastChange"},
        "quotaUnit": {"maxQuota"},
    },
}
# The rows in which an account's own parameters are kept.
OWN_ROWS = {
    "domain": (
        *(f"domain {DOMAIN}", f"forwardings {DOMAIN} ", f"sender_relayhost @{DOMAIN}"),
        *(f"sender_bcc_domain {DOMAIN}", f"recipient_bcc_domain {DOMAIN}"),
    ),
    "user": (f"mailbox {JANE}", f"forwardings {JANE} ", f"domain_admins {JANE} ALL"),
    "admin": (f"admin {ANNA}", f"domain_admins {ANNA} ALL"),
}


def cases(sort: type) -> Iterator[object]:
    for kind, parameters in SAMPLES.items():
        for name, samples in parameters.items():
            if isinstance(samples, ReadOnly):
                if sort is ReadOnly:
                    yield pytest.param(kind, name, id=f"{kind}-{name}")
            elif any(isinstance(sample, sort) for sample in samples):
                yield pytest.param(kind, name, id=f"{kind}-{name}")


def samples_of(site: Site, kind: str, name: str) -> Samples:
    """The samples of a parameter on this engine."""
    of_directory = SAMPLES_OF_A_DIRECTORY if site.engine == "openldap" else {}
    return of_directory.get(kind, {}).get(name) or SAMPLES[kind][name]


def those(site: Site, kind: str, name: str, sort: type) -> Iterator[Good | Refused]:
    samples = samples_of(site, kind, name)
    assert not isinstance(samples, ReadOnly)
    return (sample for sample in samples if isinstance(sample, sort))


def is_own(site: Site, kind: str, name: str, row: str) -> bool:
    """Whether a row, or an entry, is one in which the account's own parameters are kept."""
    if kind == "admin":
        own = OWN_ROWS["admin"]
        if isinstance(site, DirectorySite):
            own = (f"mail={ANNA},{site.directory.admin_base_dn}".lower(),)
        return row in own
    if isinstance(site, DirectorySite):
        domain, user = site.domain_dn(DOMAIN).lower(), site.user_dn(JANE).lower()
        if kind == "user":
            # The domain repeats the sum of its users' quotas.
            return row in ({user, domain} if "quota" in name.lower() else {user})
        if name == "accountStatus":
            return row.endswith(domain)  # every account says it once more
        return row in {domain, site.user_dn(f"@{DOMAIN}").lower()}
    return row.startswith(OWN_ROWS[kind]) or row.endswith(f" {JANE}")


@pytest.fixture
def start(site: Site) -> Site:
    """Two domains with two users; another global admin is there."""
    site.clock.now = EARLIER
    site.insert("admin", username="boss@nowhere.test", settings="")
    site.insert("domain_admins", username="boss@nowhere.test", domain="ALL")
    for domain in (DOMAIN, "example.net"):
        site.create("domain", domain, name="Of old")
        for local in ("jane", "john"):
            if (domain, local) != (DOMAIN, "john"):
                site.create("user", f"{local}@{domain}", password=PASSWORD, quota="100")
    site.update("user", "john@example.net", aliases="j@example.net", isGlobalAdmin="yes")
    site.update("domain", "example.net", catchall="x@example.org", senderBcc="x@example.org")
    for admin in (ANNA, "john@admins.test"):
        site.create("admin", admin, password=PASSWORD)
    site.clock.now = LATER
    return site


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_every_parameter_has_samples(kind: str) -> None:
    resource = ACCOUNTS[kind].resource
    declared = set(resource.by_name)
    declared |= {field.name for field in resource.fields if not field.internal}
    # Who administers a domain has a route of its own, see test_grants.py.
    declared -= {name for field in resource.grant for name in (field.name, *field.names())}

    assert declared == set(SAMPLES[kind])
    for name, samples in SAMPLES[kind].items():
        assert resource.by_name[name].read_only == isinstance(samples, ReadOnly)
        if not isinstance(samples, ReadOnly):
            assert any(isinstance(sample, Good) for sample in samples)
            assert name == "removeAllServices" or any(
                isinstance(sample, Refused) for sample in samples
            )


@pytest.mark.parametrize(("kind", "name"), [*cases(Good)])
def test_what_is_written_is_read_back_and_nothing_else_moves(
    start: Site, kind: str, name: str
) -> None:
    key = KEYS[kind]
    resource = ACCOUNTS[kind].resource
    of_name = resource.by_name[name].name
    beginning = start.snapshot()
    for sample in those(start, kind, name, Good):
        assert isinstance(sample, Good)
        if sample.before:
            start.update(kind, key, sample.before)
        rows, shown = start.snapshot(), start.show(kind, key)

        warnings = start.update(kind, key, {name: sample.text, **sample.beside})

        after = start.show(kind, key)
        if of_name != "password":
            assert after[sample.of or of_name] == sample.shown, sample
        assert bool(warnings) == sample.warned, (sample, warnings)
        moved = {other for other in shown if shown[other] != after[other]} - {"modified"}
        assert moved <= {of_name} | FOLLOWS[kind].get(of_name, set()), sample
        difference = start.since(rows)
        strange = [row for row in difference.touched if not is_own(start, kind, name, row)]
        assert strange == [], sample
        if difference != NOTHING:
            start.go_back(beginning)


@pytest.mark.parametrize(("kind", "name"), [*cases(Refused)])
def test_what_is_refused_is_named_and_leaves_no_trace(start: Site, kind: str, name: str) -> None:
    key = KEYS[kind]
    besides = {} if name == "accountStatus" else {"accountStatus": "disabled"}
    for sample in those(start, kind, name, Refused):
        assert isinstance(sample, Refused)
        if sample.before:
            start.update(kind, key, sample.before)
        rows = start.snapshot("vmail", "iredadmin")

        with pytest.raises(MailwrightError) as caught:
            start.update(kind, key, {**besides, name: sample.text, **sample.beside})

        assert caught.value.code == sample.code, sample
        assert caught.value.parameter == (sample.parameter or name), sample
        assert start.since(rows, "vmail", "iredadmin") == NOTHING
        if name != "password":
            assert caught.value.parameter in caught.value.reason


@pytest.mark.parametrize(("kind", "name"), [*cases(ReadOnly)])
def test_what_only_answers_is_shown_and_ignored_when_sent(
    start: Site, kind: str, name: str
) -> None:
    samples = samples_of(start, kind, name)
    assert isinstance(samples, ReadOnly)
    rows, shown = start.snapshot(), start.show(kind, KEYS[kind]).get(name)

    warnings = start.update(kind, KEYS[kind], {name: "anything\x00"})

    if start.engine != "openldap" or name not in TIMES:
        assert shown == samples.shown
    assert start.show(kind, KEYS[kind]).get(name) == shown
    assert start.since(rows) == NOTHING
    assert samples.warned == bool(warnings)


def test_names_of_our_own_are_unknown(start: Site) -> None:
    """How a value is kept is no parameter, neither where it is kept nor elsewhere."""
    internal = [
        field.name
        for account in ACCOUNTS.values()
        for field in account.resource.fields
        if field.internal
    ]

    assert len(internal) > 3
    for name in internal:
        for kind, key in KEYS.items():
            with pytest.raises(Invalid, match="is not known here"):
                start.update(kind, key, {name: "1"})


@pytest.mark.parametrize(("kind", "name"), [*cases(Good)])
def test_the_same_values_are_taken_on_creation(start: Site, kind: str, name: str) -> None:
    resource = ACCOUNTS[kind].resource
    field = resource.by_name[name]
    new = {"domain": "new.example.org", "user": "new@example.org", "admin": "new@admins.test"}[kind]
    always = {"name": "New"} if kind == "domain" else {"password": PASSWORD}
    for sample in those(start, kind, name, Good):
        assert isinstance(sample, Good)
        if sample.before or sample.beside or name in always or sample.text == "":
            continue
        without = {
            other: text for other, text in always.items() if resource.by_name[other] != field
        }
        with suppress(MailwrightError):
            start.remove(kind, new)

        warnings = start.create(kind, new, {**without, name: sample.text})

        if field in resource.create:
            assert start.show(kind, new)[sample.of or field.name] == sample.shown
        else:
            assert warnings == [f"{name} is not taken when creating {resource.one}; ignored"]
