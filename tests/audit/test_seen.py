"""What a caller of the API may see of the record."""

from __future__ import annotations

import pytest

from mailwright.authz import Action, Actor, Role, Scope
from mailwright.errors import Forbidden, Invalid
from mailwright.http import audit
from mailwright.work import Work
from tests.audit.chains import records
from tests.stores import Site

GLOBAL = Actor("boss@admin.test", Role.GLOBAL_ADMIN)
ONE = Actor("one@admin.test", Role.DOMAIN_ADMIN)


@pytest.fixture
def filled(site: Site) -> Site:
    """Three records: one, the boss, one."""
    for actor, domain in ((ONE, "one.test"), (GLOBAL, "one.test"), (ONE, "two.test")):
        site.app.run(actor, lambda work, domain=domain: note(work, domain))
    return site


def note(work: Work, domain: str) -> None:
    work.note(Action.UPDATE, "user", f"a@{domain}", domain)


def seen(site: Site, actor: Actor, /, **given: object) -> list[int]:
    asked = {field: given.get(field.name, field.empty) for field in audit.OPTIONS}
    database = site.app.databases["iredadmin"]
    answer, _ = site.app.run(actor, lambda work: audit.listed(work, database, asked))
    return [record["sequence"] for record in answer.data]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("actor", "scope", "given", "expected"),
    [
        (GLOBAL, Scope(), {}, [3, 2, 1]),
        (ONE, Scope(), {}, [3, 1]),
        (ONE, Scope(), {"actor": "boss@admin.test"}, []),
        (ONE, Scope(read_only=True), {"domain": "ONE.test"}, [1]),
        (GLOBAL, Scope(domains=frozenset({"one.test"})), {}, [2, 1]),
        (ONE, Scope(domains=frozenset({"one.test"})), {}, [1]),
        (GLOBAL, Scope(resources=frozenset({"audit"})), {"limit": 1}, [3]),
        (GLOBAL, Scope(), {"page_token": "3"}, [2, 1]),
        (GLOBAL, Scope(), {"since": "2026-05-06T09:08:09+02:00"}, [3, 2, 1]),
        (GLOBAL, Scope(), {"until": "2026-05-06"}, []),
    ],
)
def test_each_sees_their_own(
    filled: Site,
    actor: Actor,
    scope: Scope,
    given: dict[str, object],
    expected: list[int],
) -> None:
    who = Actor(actor.username, actor.role, scope=scope)

    assert expected == seen(filled, who, **given)


def test_a_token_for_other_things_sees_nothing(filled: Site) -> None:
    who = Actor(GLOBAL.username, GLOBAL.role, scope=Scope(resources=frozenset({"user"})))

    with pytest.raises(Forbidden):
        seen(filled, who)

    assert [("list", "audit", "refused")] == [
        (row["action"], row["resource"], row["outcome"]) for row in records(filled)[3:]
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"page_token": "x"},
        {"page_token": "9" * 20},
        {"since": "yesterday"},
        {"until": "0001-01-01T00:00:00+23:00"},
    ],
)
def test_what_means_nothing_is_refused(site: Site, given: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        seen(site, GLOBAL, **given)
