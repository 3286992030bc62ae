"""A name that is taken is taken in every spelling, and by whatever holds it."""

from __future__ import annotations

import pytest

from mailwright.errors import Exists, Invalid, NotFound
from tests.behaviour.conftest import PASSWORD
from tests.stores import NOTHING, Site, on_sql


@pytest.mark.parametrize(
    "name",
    ["example.org", "EXAMPLE.ORG", "Example.Org.", " example.org ", "example.com", "Example.COM."],
)
def test_a_domain_exists_once(start: Site, name: str) -> None:
    before = start.snapshot()

    with pytest.raises(Exists) as caught:
        start.create("domain", name, name="Again")

    assert caught.value.code == "ALREADY_EXISTS"
    assert start.since(before) == NOTHING


@pytest.mark.parametrize(
    "name", ["exämple.org", "EXÄMPLE.ORG", "xn--exmple-cua.org", "XN--EXMPLE-CUA.ORG."]
)
def test_an_international_domain_exists_once(site: Site, name: str) -> None:
    site.create("domain", "Exämple.Org", name="First")

    with pytest.raises(Exists):
        site.create("domain", name, name="Again")

    assert site.listed("domain", None, name_only="yes").keys == ["xn--exmple-cua.org"]


@pytest.mark.parametrize(
    "address",
    ["jane@example.org", "JANE@example.org", "Jane@Example.ORG.", " jane@example.org "],
)
def test_a_user_exists_once(start: Site, address: str) -> None:
    before = start.snapshot()

    with pytest.raises(Exists) as caught:
        start.create("user", address, password=PASSWORD)

    assert (caught.value.code, caught.value.parameter) == ("ALREADY_EXISTS", "mail")
    assert start.since(before) == NOTHING


def test_an_address_of_anything_else_is_taken_too(start: Site) -> None:
    start.update("user", "jane@example.org", aliases="j@example.org,k@example.com")
    start.insert("alias", address="team@example.org", domain="example.org")
    start.insert("maillists", address="news@example.org", domain="example.org", mlid="1")

    for address in ("j@example.org", "team@example.org", "news@example.org"):
        with pytest.raises(Exists):
            start.create("user", address, password=PASSWORD)


@on_sql
def test_an_address_that_another_program_left_behind_is_taken_too(start: Site) -> None:
    """A member row without an alias."""
    start.insert("forwardings", address="left@example.org", forwarding="x@example.net")

    with pytest.raises(Exists):
        start.create("user", "left@example.org", password=PASSWORD)


@pytest.mark.parametrize("address", ["k@example.com", "new@nowhere.test"])
def test_a_user_needs_a_domain_of_its_own(start: Site, address: str) -> None:
    """An alias domain has no users: nobody could log in there."""
    with pytest.raises(NotFound) as caught:
        start.create("user", address, password=PASSWORD)

    assert caught.value.code == "NO_SUCH_DOMAIN"


@pytest.mark.parametrize(
    ("kind", "key", "code"),
    [
        ("domain", "localhost", "INVALID_DOMAIN_NAME"),
        ("domain", "exa mple.org", "INVALID_DOMAIN_NAME"),
        ("domain", "example.org;x:y", "INVALID_DOMAIN_NAME"),
        ("domain", "xn--a.org", "INVALID_DOMAIN_NAME"),
        ("domain", "example.123", "INVALID_DOMAIN_NAME"),
        ("domain", "", "INVALID_DOMAIN_NAME"),
        ("domain", "d" * 64 + ".org", "INVALID_DOMAIN_NAME"),
        ("domain", ".".join(["d" * 60] * 5), "INVALID_DOMAIN_NAME"),
        ("user", "example.org", "INVALID_MAIL"),
        ("user", "a b@example.org", "INVALID_MAIL"),
        ("user", "jane+x@example.org", "INVALID_MAIL"),
        ("user", "jané@example.org", "INVALID_MAIL"),
        ("user", "../x@example.org", "INVALID_MAIL"),
        ("user", "a/b@example.org", "INVALID_MAIL"),
        ("user", ".jane@example.org", "INVALID_MAIL"),
        ("user", "jane@example.org\x00", "INVALID_MAIL"),
        ("user", "%@example.org", "INVALID_MAIL"),
    ],
)
def test_a_key_that_is_none_is_refused(start: Site, kind: str, key: str, code: str) -> None:
    required = {"domain": {"name": "X"}, "user": {"password": PASSWORD}}[kind]
    for attempt in (
        lambda: start.create(kind, key, required),
        lambda: start.show(kind, key),
        lambda: start.update(kind, key, name="X"),
        lambda: start.remove(kind, key),
    ):
        with pytest.raises(Invalid) as caught:
            attempt()

        assert caught.value.code == code


@pytest.mark.parametrize(
    ("kind", "key", "code"),
    [
        ("domain", "nowhere.test", "NO_SUCH_DOMAIN"),
        ("domain", "example.com", "NO_SUCH_DOMAIN"),
        ("user", "nobody@example.org", "NO_SUCH_ACCOUNT"),
        ("user", "nobody@nowhere.test", "NO_SUCH_ACCOUNT"),
    ],
)
def test_what_does_not_exist_is_not_found(start: Site, kind: str, key: str, code: str) -> None:
    before = start.snapshot("vmail", "iredadmin")
    for attempt in (
        lambda: start.show(kind, key),
        lambda: start.update(kind, key, name="X"),
        lambda: start.remove(kind, key),
    ):
        with pytest.raises(NotFound) as caught:
            attempt()

        assert caught.value.code == code
    assert start.since(before, "vmail", "iredadmin") == NOTHING


def test_a_list_of_an_unknown_domain_is_not_found(start: Site) -> None:
    with pytest.raises(NotFound) as caught:
        start.update_users("nowhere.test", language="en_US")

    assert caught.value.code == "NO_SUCH_DOMAIN"


def test_required_parameters_are_required(start: Site) -> None:
    with pytest.raises(Invalid) as caught:
        start.create("domain", "new.test")
    assert caught.value.parameter == "name"

    for form in ({}, {"password": ""}):
        with pytest.raises(Invalid) as caught:
            start.create("user", "new@example.org", form)
        assert (caught.value.code, caught.value.parameter) == ("PW_EMPTY", "password")
