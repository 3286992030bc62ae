"""Work that fails leaves no trace, and says so without a driver's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mailwright.errors import Exists, Invalid, MailwrightError, NotFound, Unavailable
from mailwright.fields.field import Changes
from mailwright.resources import domain, user
from mailwright.storage.protocol import Accounts, Farewell
from tests.conformance.neighbours import JANE, JOHN, OTHER, populate
from tests.stores import ADMIN, LATER, NOTHING, Site, on_sql

NEW = "new@example.org"
FAREWELL = Farewell("somebody", LATER, None)


def steps(accounts: Accounts) -> None:
    """A bit of everything."""
    jane = accounts.get(user.RESOURCE, JANE, user.RESOURCE.shown, lock=True)
    accounts.add(user.RESOURCE, NEW, Changes({user.NAME: "New", user.FORWARDING: (NEW,)}))
    changes = Changes({user.NAME: "Else", user.ALIASES: ("x@example.org",)})
    accounts.change(user.RESOURCE, jane, changes)
    if accounts.all_at_once:  # in a directory each account is changed for good at once
        accounts.change_all(user.RESOURCE, "example.net", Changes({user.STATUS: "disabled"}))
    accounts.rename(user.RESOURCE, JOHN, "johnny@example.org")
    accounts.remove(domain.RESOURCE, "an_example.org", FAREWELL)


def test_work_that_is_not_committed_leaves_no_trace(site: Site) -> None:
    populate(site)
    before = site.snapshot()

    with site.app.store.session() as accounts:
        accounts.begin()
        steps(accounts)

    assert site.since(before) == NOTHING


def test_work_that_fails_leaves_no_trace_not_even_in_the_log(site: Site) -> None:
    populate(site)
    before = site.snapshot("vmail", "iredadmin")

    def fail(work: Any) -> None:
        work.accounts.begin()
        steps(work.accounts)
        raise NotFound("something came up")

    with pytest.raises(NotFound):
        site.app.run(ADMIN, fail)

    assert site.since(before, "vmail", "iredadmin") == NOTHING


def test_work_that_ends_well_leaves_all_of_it(site: Site) -> None:
    populate(site)

    with site.app.store.session() as accounts:
        accounts.begin()
        steps(accounts)
        accounts.commit()

    assert site.show("user", NEW)["forwarding"] == (NEW,)
    assert site.show("user", JANE)["aliases"] == ("x@example.org",)
    if site.engine != "openldap":
        assert site.show("user", "other@example.net")["accountStatus"] == "disabled"
    assert site.show("user", "johnny@example.org")["name"] == "Name of john"


def test_grants_come_and_go_and_nobody_elses_do(site: Site) -> None:
    """On a directory they stand on the domains and not on the user."""
    populate(site)
    assert site.show("user", JANE)["managedDomains"] == ("example.net",)
    before = {key: site.show("user", key)["managedDomains"] for key in (JOHN, OTHER)}

    for wanted in (("example.org",), ("anyexample.org", "example.org"), ()):
        with site.app.store.session() as accounts:
            accounts.begin()
            jane = accounts.get(user.RESOURCE, JANE, user.RESOURCE.shown, lock=True)
            accounts.change(user.RESOURCE, jane, Changes({user.MANAGED_DOMAINS: wanted}))
            accounts.commit()

        assert site.show("user", JANE)["managedDomains"] == wanted
    assert before == {key: site.show("user", key)["managedDomains"] for key in (JOHN, OTHER)}


def test_other_work_sees_nothing_before_the_end(site: Site) -> None:
    populate(site)
    with site.app.store.session() as writer, site.app.store.session() as reader:
        writer.begin()
        steps(writer)

        assert reader.get(user.RESOURCE, JANE)[user.NAME] == "Name of jane"
        with pytest.raises(NotFound):
            reader.get(user.RESOURCE, NEW)


@pytest.mark.parametrize(
    ("step", "error", "code"),
    [
        (lambda a: a.get(user.RESOURCE, NEW), NotFound, "NO_SUCH_ACCOUNT"),
        (lambda a: a.get(user.RESOURCE, NEW, lock=True), NotFound, "NO_SUCH_ACCOUNT"),
        (lambda a: a.get(domain.RESOURCE, "new.test"), NotFound, "NO_SUCH_DOMAIN"),
        (lambda a: a.remove(user.RESOURCE, NEW, FAREWELL), NotFound, "NO_SUCH_ACCOUNT"),
        (lambda a: a.remove(domain.RESOURCE, "new.test", FAREWELL), NotFound, "NO_SUCH_DOMAIN"),
        (lambda a: a.rename(user.RESOURCE, NEW, "n@example.org"), NotFound, "NO_SUCH_ACCOUNT"),
        (lambda a: a.rename(user.RESOURCE, JANE, JOHN), Exists, "ALREADY_EXISTS"),
        (lambda a: a.add(user.RESOURCE, JANE, Changes({})), Exists, "ALREADY_EXISTS"),
        (lambda a: a.add(domain.RESOURCE, "example.org", Changes({})), Exists, "ALREADY_EXISTS"),
        (
            lambda a: a.add(user.RESOURCE, NEW, Changes({user.QUOTA: 2**70})),
            Invalid,
            "INVALID_DATA",
        ),
        (
            lambda a: a.add(user.RESOURCE, NEW, Changes({user.NAME: "half \ud83d"})),
            Invalid,
            "INVALID_DATA",
        ),
    ],
)
def test_the_error_says_what_is_wrong(
    site: Site, step: Callable[[Accounts], object], error: type[MailwrightError], code: str
) -> None:
    populate(site)
    before = site.snapshot()

    with site.app.store.session() as accounts:
        accounts.begin()
        with pytest.raises(error) as caught:
            step(accounts)

    assert caught.value.code == code
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert site.since(before) == NOTHING


@on_sql
@pytest.mark.parametrize(
    "statement", ["SELEC", 'SELECT * FROM "nowhere"', 'INSERT INTO "domain" ("x") VALUES (%s)']
)
def test_a_statement_that_the_engine_refuses_is_no_drivers_exception(
    site: Site, statement: str
) -> None:
    with (
        pytest.raises(Unavailable) as caught,
        site.app.databases["vmail"].connection() as connection,
    ):
        connection.execute(statement, (1,) if "%s" in statement else ())

    assert caught.value.code == "ERROR_WHILE_QUERYING_DB"
    assert "nowhere" not in str(caught.value)


@pytest.mark.parametrize("length", [60, 150, 180, 187])
def test_whoever_can_be_made_can_be_removed(site: Site, length: int) -> None:
    """A path that just fitted the user's row did not fit the memory of removed mailboxes."""
    name = ".".join(["d" * 30] * 6)[-length:].strip(".") + ".org"
    site.create("domain", name, name="Long")
    for local in ("x", "x" * 30, "x" * 50, "x" * 64):
        key = f"{local}@{name}"
        try:
            site.create("user", key, password="Right-Horse1")
        except Invalid as error:
            assert (error.code, error.parameter) == ("INVALID_MAIL", "mail")  # noqa: PT017
            assert len(key) > 200
            continue
        assert site.show("user", key)["mail"] == key

        site.remove("user", key)

        assert site.listed("user", name).records == []
