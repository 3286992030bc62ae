"""``PUT /api/users/<domain>`` on a directory: what could not be changed is told, one by one."""

from __future__ import annotations

import json
import tracemalloc

import ldap
import pytest

from mailwright.errors import Unavailable
from mailwright.http import answers
from mailwright.passwords import verify_password
from mailwright.storage.protocol import Changed, Failure
from tests.directory_site import DirectorySite
from tests.scale.conftest import DOMAIN, USERS, Meddling, Picky
from tests.scale.entries import load_domains

pytestmark = pytest.mark.openldap

REFUSED = {f"u{number}@{DOMAIN}" for number in range(7, USERS, 10)}
NEW = "Fresh-Horse2"


def addresses(site: DirectorySite, attribute: str, value: str) -> set[str]:
    """The users of the domain with this value."""
    with site.directory.connect() as connection:
        found = connection.search_s(
            f"ou=Users,{site.domain_dn(DOMAIN)}", ldap.SCOPE_ONELEVEL, f"({attribute}={value})"
        )
    return {attributes["mail"][0].decode() for _, attributes in found}


def everybody() -> set[str]:
    return {f"u{number}@{DOMAIN}" for number in range(USERS)}


def keys(changed: Changed) -> list[str]:
    return [failure.key for failure in changed.failures]


def changed_to(site: DirectorySite, password: str) -> set[str]:
    """The users who have this password now."""
    with site.directory.connect() as connection:
        found = connection.search_s(
            f"ou=Users,{site.domain_dn(DOMAIN)}", ldap.SCOPE_ONELEVEL, "(mail=*)"
        )
    return {
        attributes["mail"][0].decode()
        for _, attributes in found
        if verify_password(password, attributes["userPassword"][0].decode())
    }


def test_those_that_the_directory_refuses_are_named(many: DirectorySite) -> None:
    other = many.snapshot()

    changed = many.change_users(DOMAIN, transport="smtp:[mx.test]")

    assert USERS - len(REFUSED) == changed.number
    assert sorted(REFUSED) == sorted(keys(changed))
    assert {"DIRECTORY_REFUSED"} == {failure.code for failure in changed.failures}
    assert everybody() - REFUSED == addresses(many, "mtaTransport", "smtp:[mx.test]")
    assert {
        f"mail={address},ou=users,{many.domain_dn(DOMAIN).lower()}"
        for address in everybody() - REFUSED
    } == many.since(other).touched


def test_what_the_schema_forbids_is_told_apart(picky_server: Picky, many: DirectorySite) -> None:
    robots = {f"u{number}@{DOMAIN}" for number in (2, USERS - 2)}
    for robot in robots:
        picky_server.modify(many.user_dn(robot), [(ldap.MOD_ADD, "objectClass", "robot")])
    picky_server.tighten()

    changed = many.change_users(DOMAIN, language="en_US")

    told = {failure.key: failure.code for failure in changed.failures}
    assert (
        dict.fromkeys(REFUSED, "DIRECTORY_REFUSED") | dict.fromkeys(robots, "INVALID_DATA") == told
    )
    assert USERS - len(told) == changed.number
    assert everybody() - told.keys() == addresses(many, "preferredLanguage", "en_US")


def test_the_answer_names_each_with_its_code() -> None:
    error = answers.partly(
        Changed(3, [Failure("u7@many.test", "DIRECTORY_REFUSED", "no"), Failure("", "BUSY", "y")])
    )

    assert error is not None
    assert 503 == answers.status_of(error)
    assert {
        "_success": False,
        "_code": "PARTLY_DONE",
        "_msg": "PARTLY_DONE: 3 accounts were changed, but not u7@many.test, those that come after",
        "_data": {
            "changed": 3,
            "failed": [
                {"key": "u7@many.test", "code": "DIRECTORY_REFUSED", "reason": "no"},
                {"key": "", "code": "BUSY", "reason": "y"},
            ],
        },
    } == json.loads(answers.part(error))


def test_what_others_do_meanwhile_is_neither_lost_nor_undone(many: DirectorySite) -> None:
    """One user is removed, one changed, one replaced, after the page that has them was read."""
    directory = many.directory

    def meddle() -> None:
        directory.delete_tree(many.user_dn(f"u11@{DOMAIN}"))
        directory.replace(many.user_dn(f"u12@{DOMAIN}"), cn="Somebody else")
        successor = {**directory.entry(many.user_dn(f"u13@{DOMAIN}")), "cn": [b"Successor"]}
        directory.delete_tree(many.user_dn(f"u13@{DOMAIN}"))
        directory.add(many.user_dn(f"u13@{DOMAIN}"), successor)

    Meddling(many.app, {3: meddle})

    changed = many.change_users(DOMAIN, password=NEW)

    assert sorted(REFUSED) == sorted(keys(changed))
    assert ("Somebody else",) == many.user(f"u12@{DOMAIN}")["cn"]
    assert ("Successor",) == many.user(f"u13@{DOMAIN}")["cn"]
    now = changed_to(many, NEW)
    assert everybody() - REFUSED - {f"u11@{DOMAIN}"} == now | {f"u13@{DOMAIN}"}
    assert len(now - {f"u13@{DOMAIN}"}) <= changed.number <= len(now)


def test_a_server_that_dies_in_the_middle_leaves_the_rest_for_a_repetition(
    many: DirectorySite,
) -> None:
    reached = 40
    Meddling(many.app, {reached: many.directory.kill})

    changed = many.change_users(DOMAIN, password=NEW)
    many.directory.start()

    assert ("", "SERVER_DOWN") == (changed.failures[-1].key, changed.failures[-1].code)
    assert reached == changed.number + len(changed.failures)
    assert changed.number == len(changed_to(many, NEW))

    again = many.change_users(DOMAIN, password=NEW)

    assert USERS - len(REFUSED) == again.number
    assert sorted(REFUSED) == sorted(keys(again))
    assert everybody() - REFUSED == changed_to(many, NEW)


def test_a_server_that_is_down_from_the_start_is_no_partial_failure(many: DirectorySite) -> None:
    Meddling(many.app, {1: many.directory.kill})

    with pytest.raises(Unavailable) as caught:
        many.change_users(DOMAIN, password=NEW)

    assert "SERVER_DOWN" == caught.value.code


@pytest.mark.parametrize("form", [{"transport": "smtp:[mx.test]"}, {"password": NEW}])
def test_memory_does_not_grow_with_the_domain(
    picky_server: Picky, many: DirectorySite, form: dict[str, str]
) -> None:
    load_domains(picky_server, {"few.test": 150})
    site = many.with_settings(ldap={"page_size": 100})

    def peak(domain: str) -> int:
        site.change_users(domain, form)  # connections, schema and columns are known afterwards
        tracemalloc.start()
        try:
            site.change_users(domain, form)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, everybody = peak("few.test"), peak(DOMAIN)
    site.close()

    # All the entries of the larger domain would take fifteen times this.
    assert everybody - few < 500_000
