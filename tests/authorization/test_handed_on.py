"""An admin who names another one hands the own limits on: else they would hold nobody."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest

from mailwright.authz import EVERYTHING, Actor, Role, Scope
from mailwright.errors import Forbidden, LimitReached
from mailwright.resources import admin as admins
from mailwright.resources import domain as domains
from mailwright.resources import grants, operations
from mailwright.resources import user as users
from tests.conformance.neighbours import add_domain, add_user
from tests.stores import EVERY_ENGINE, Row, Site, by_name, emptied

ORG, NET = "example.org", "example.net"
ANNA = "anna@consultant.test"  # administers ORG and NET
JANE = f"jane@{ORG}"  # a mail user who administers ORG and NET
U1, U2 = f"u1@{ORG}", f"u2@{ORG}"
MOST = "create_max_users:2;create_max_quota:100;create_max_aliases:3;create_max_lists:-1;"
CREATES = "create_new_domains:yes;create_max_domains:7;"
# What the other programs of a server keep beside.
OTHERS = "timezone:UTC;"
BOUNDS = {
    "maxUsers": 2,
    "maxQuota": 100,
    "maxAliases": 3,
    "maxLists": -1,
    "maxDomains": 0,
    "disableViewingMailLog": False,
    "disableManagingQuarantinedMails": True,
}


@pytest.fixture(params=EVERY_ENGINE)
def site(request: pytest.FixtureRequest, utc: None) -> Site:  # noqa: ARG001
    return furnish(emptied(request))


def furnish(found: Site) -> Site:
    with found.together():
        for domain in (ORG, NET):
            add_domain(found, domain)
        found.insert("admin", username=ANNA, password="{PLAIN}x", name="", active=1)
        for mail in (JANE, U1, U2):
            add_user(found, mail, isadmin=1 if mail == JANE else 0, settings=OTHERS)
        for mail in (ANNA, JANE):
            for domain in (ORG, NET):
                found.insert("domain_admins", username=mail, domain=domain)
    return found


def limit(site: Site, mail: str, **fields: Any) -> None:
    """As another program would: through the store, without a rule."""
    resource = admins.RESOURCE if mail == ANNA else admins.PROMOTED
    named = {field.name: field for field in resource.fields}
    with site.app.store.session() as accounts:
        accounts.begin()
        record = accounts.get(resource, mail, resource.needed_for(()), lock=True)
        changes = admins.Changes({named[name]: value for name, value in fields.items()})
        accounts.change(resource, record, changes)
        accounts.commit()


LIMITED = {
    "maxUsers": 2,
    "maxQuota": 100,
    "maxAliases": 3,
    "maxLists": -1,
    "disableManagingQuarantinedMails": True,
}
FREE = {"createNewDomains": "yes", "createMaxDomains": 7}


def name(
    site: Site,
    actor: str,
    *added: str,
    domain: str = ORG,
    role: Role = Role.DOMAIN_ADMIN,
    scope: Scope = EVERYTHING,
) -> None:
    site.app.run(
        Actor(actor, role, "192.0.2.7", scope=scope),
        lambda work: grants.update_admins(work, domain, {"addAdmin": list(added)}),
    )


def dismiss(site: Site, address: str) -> None:
    site.app.run(
        Actor("root@consultant.test", Role.GLOBAL_ADMIN),
        lambda work: grants.update_admins(work, ORG, {"removeAdmin": [address]}),
    )


def bounds(site: Site, mail: str) -> Row:
    with site.app.store.session() as accounts:
        record = accounts.get(admins.PROMOTED, mail, admins.BOUNDS)
    return by_name(record)


def named(site: Site, domain: str = ORG) -> set[str]:
    with site.app.store.session() as accounts:
        return set(accounts.get(domains.RESOURCE, domain, (domains.ADMINS,))[domains.ADMINS])


def is_admin(site: Site, mail: str) -> bool:
    with site.app.store.session() as accounts:
        return accounts.get(users.RESOURCE, mail, (users.IS_ADMIN,))[users.IS_ADMIN]


@pytest.mark.parametrize("actor", [ANNA, JANE])
def test_the_bounds_of_who_names_go_with_the_rank(site: Site, actor: str) -> None:
    limit(site, actor, **LIMITED, **FREE)

    name(site, actor, U1, U2)

    assert [BOUNDS, BOUNDS] == [bounds(site, U1), bounds(site, U2)]
    assert {ANNA, JANE, U1, U2} == named(site)
    with pytest.raises(LimitReached, match="may have 2 mail users"):
        create(site, U1, f"new@{ORG}")
    with pytest.raises(Forbidden):
        create(site, U1, "new.example", kind="domain")


def create(site: Site, actor: str, key: str, kind: str = "user") -> None:
    form = {"name": ["New"], "password": ["Right-Pass1"], "quota": ["1"]}
    account = users.ACCOUNT if kind == "user" else domains.ACCOUNT
    site.app.run(
        Actor(actor, Role.DOMAIN_ADMIN), lambda work: operations.create(work, account, key, form)
    )


def test_what_stood_there_of_an_earlier_rank_does_not_count(site: Site) -> None:
    limit(site, ANNA, **LIMITED)
    limit(
        site, U1, **FREE, maxUsers=50, maxQuota=1, createQuotaUnit="GB", disableViewingMailLog=True
    )

    name(site, ANNA, U1)

    assert BOUNDS == bounds(site, U1)
    with site.app.store.session() as accounts:
        settings = dict(accounts.admin_settings(U1))
    assert "UTC" == settings["timezone"]
    assert not {"create_new_domains", "create_max_domains", "create_quota_unit"} & {
        key for key, value in settings.items() if value
    }


def test_who_has_no_limits_hands_none_on_and_no_right_to_domains(site: Site) -> None:
    limit(site, ANNA, createNewDomains="yes")
    limit(site, U1, createNewDomains="yes", maxUsers=1)

    name(site, ANNA, U1)

    assert {**dict.fromkeys(LIMITED, 0), "maxDomains": 0, "disableViewingMailLog": 0} == bounds(
        site, U1
    )


@pytest.mark.parametrize("is_bound", [False, True])
def test_a_global_admin_leaves_what_stands_there(site: Site, *, is_bound: bool) -> None:
    """With a token that is bound to the domain, all but the right to create others."""
    limit(site, U1, **LIMITED, **FREE)
    scope = Scope(domains=frozenset({ORG})) if is_bound else EVERYTHING

    name(site, "root@consultant.test", U1, role=Role.GLOBAL_ADMIN, scope=scope)

    assert {**BOUNDS, "maxDomains": 0 if is_bound else 7} == bounds(site, U1)
    assert is_admin(site, U1)


def test_with_a_bound_token_a_global_admin_names_who_is_an_admin_already(site: Site) -> None:
    limit(site, U1, **FREE)
    limit(site, U2, createNewDomains="yes")
    name(site, "root@consultant.test", U1, U2, role=Role.GLOBAL_ADMIN)
    with site.app.store.session() as accounts:
        assert {ORG} == accounts.administers(U1)
    dismissed = Scope(domains=frozenset({ORG, NET}))

    name(site, "root@consultant.test", U1, domain=NET, role=Role.GLOBAL_ADMIN, scope=dismissed)

    assert 7 == bounds(site, U1)["maxDomains"]


WIDER = [
    ({"maxUsers": 3}, {"maxUsers": 2}),
    ({}, {"maxUsers": 2}),
    ({}, {"maxQuota": 2}),
    ({"maxQuota": 3}, {"maxQuota": 2}),
    ({"maxAliases": 1}, {"maxAliases": -1}),
    ({}, {"maxLists": 9}),
    ({}, {"disableViewingMailLog": True}),
    ({}, {"disableManagingQuarantinedMails": True}),
    ({"createNewDomains": "yes"}, {}),
    ({"createNewDomains": "yes"}, FREE),
    ({"createNewDomains": "yes", "createMaxDomains": 8}, FREE),
]
WITHIN = [
    ({}, {}),
    ({"maxUsers": 2}, {"maxUsers": 2}),
    ({"maxUsers": -1}, {"maxUsers": -1}),
    ({"maxUsers": -1}, {"maxUsers": 1}),
    ({"maxUsers": 5}, {}),
    ({"createNewDomains": "yes", "createMaxDomains": -1}, {}),  # may have none
    ({"disableViewingMailLog": True}, {}),
    (FREE, FREE),
    (FREE, {"createNewDomains": "yes"}),
    ({}, {"createNewDomains": "yes"}),
    ({"createMaxDomains": 5}, {}),  # without the right it means nothing
]


@pytest.mark.parametrize(("theirs", "own"), WIDER)
def test_who_has_more_already_is_not_named(
    site: Site, theirs: dict[str, Any], own: dict[str, Any]
) -> None:
    name(site, "root@consultant.test", U1, role=Role.GLOBAL_ADMIN)
    limit(site, U1, **theirs)
    limit(site, ANNA, **own)
    before = bounds(site, U1)

    with pytest.raises(Forbidden, match=r"wider limits than anna.*only a global admin"):
        name(site, ANNA, U2, U1, domain=NET)

    assert {ANNA, JANE} == named(site, NET)
    assert (before, False) == (bounds(site, U1), is_admin(site, U2))


@pytest.mark.parametrize(("theirs", "own"), WITHIN)
def test_who_has_no_more_is_named_and_keeps_it(
    site: Site, theirs: dict[str, Any], own: dict[str, Any]
) -> None:
    name(site, "root@consultant.test", U1, role=Role.GLOBAL_ADMIN)
    limit(site, U1, **theirs)
    limit(site, ANNA, **own)
    before = bounds(site, U1)

    name(site, ANNA, U1, domain=NET)

    assert {ANNA, JANE, U1} == named(site, NET)
    assert before == bounds(site, U1)


def test_who_is_an_admin_without_a_domain_is_one_already(site: Site) -> None:
    """What a global admin gave them is not taken away by naming them."""
    limit(site, U1, **FREE)
    name(site, "root@consultant.test", U1, role=Role.GLOBAL_ADMIN)
    with site.app.store.session() as accounts:
        accounts.begin()
        record = accounts.get(domains.RESOURCE, ORG, (domains.ADMINS,), lock=True)
        accounts.change(domains.RESOURCE, record, admins.Changes({domains.ADMINS: (ANNA, JANE)}))
        accounts.commit()

    with pytest.raises(Forbidden, match="maxDomains"):
        name(site, ANNA, U1)

    assert 7 == bounds(site, U1)["maxDomains"]


def test_who_was_dismissed_is_named_anew(site: Site) -> None:
    name(site, ANNA, U1)
    dismiss(site, U1)
    limit(site, ANNA, **LIMITED)

    name(site, ANNA, U1)

    assert BOUNDS == bounds(site, U1)


def test_a_limit_without_a_place_is_not_lost(site: Site) -> None:
    limit(site, ANNA, maxUsers=2)
    with site.app.store.session() as accounts:
        kind = type(accounts)
    plain = kind.supports

    def supports(self: Any, resource: Any, field: Any) -> bool:
        return field is not admins.MAX_USERS and plain(self, resource, field)

    with patch.object(kind, "supports", supports):
        with pytest.raises(Forbidden, match="no place for maxUsers"):
            name(site, ANNA, U1)
        limit(site, ANNA, maxUsers=0)
        name(site, ANNA, U1)

    assert is_admin(site, U1)


def test_the_record_has_what_was_handed_on(site: Site) -> None:
    limit(site, ANNA, maxUsers=2)

    name(site, ANNA, U1)

    (row,) = site.raw["iredadmin"].rows("SELECT changes FROM mailwright_audit")
    assert '{"isAdmin":[false,true],"maxUsers":[0,2]}' == row["changes"]


def test_a_refusal_is_about_who_has_more(site: Site) -> None:
    name(site, "root@consultant.test", U1, role=Role.GLOBAL_ADMIN)
    limit(site, ANNA, maxUsers=2)

    with pytest.raises(Forbidden):
        name(site, ANNA, U1, U2, domain=NET)

    (row,) = site.raw["iredadmin"].rows(
        "SELECT target, domain FROM mailwright_audit WHERE outcome = 'refused'"
    )
    assert [U1, NET] == list(row.values())


def test_limits_are_held_while_they_are_handed_on(site: Site) -> None:
    """That somebody waits for it is shown in `tests/concurrency/test_handed_on_at_once.py`."""
    with site.app.store.session() as accounts:
        kind = type(accounts)
    held: list[str] = []

    with patch.object(kind, "hold_limits", lambda _self, username: held.append(username)):
        name(site, ANNA, U1)
        site.update("admin", ANNA, maxUsers="3")
        site.update("admin", U1, disableViewingMailLog="yes")
        site.update("admin", ANNA, language="de_DE")

    assert [ANNA, ANNA, U1] == held


def test_who_has_a_domain_without_the_rank_is_an_admin_already(site: Site) -> None:
    """As another program may leave it; what stands there of limits is theirs."""
    site.insert("domain_admins", username=U1, domain=ORG)
    limit(site, U1, maxUsers=5)
    limit(site, ANNA, maxUsers=2)

    with pytest.raises(Forbidden, match="maxUsers"):
        name(site, ANNA, U1, domain=NET)

    limit(site, ANNA, maxUsers=6)
    name(site, ANNA, U1, domain=NET)
    assert (5, True) == (bounds(site, U1)["maxUsers"], is_admin(site, U1))


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        (Scope(domains=frozenset({NET})), "this API token is bound to domains"),
        (EVERYTHING, "is in no domain that anna"),
    ],
)
def test_who_is_out_of_reach_is_refused_with_the_reason(
    site: Site, scope: Scope, reason: str
) -> None:
    far = U1 if scope.is_bound else "far@nowhere.example"

    with pytest.raises(Forbidden, match=reason):
        name(site, ANNA, far, domain=NET, scope=scope)


def test_what_is_the_same_already_is_not_written(site: Site) -> None:
    limit(site, ANNA, **LIMITED)
    limit(site, U1, **LIMITED, createQuotaUnit="GB")

    name(site, ANNA, U1)

    with site.app.store.session() as accounts:
        assert "GB" == accounts.admin_settings(U1)["create_quota_unit"]
