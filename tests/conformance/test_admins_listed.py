"""The list of admins: standalone ones and mail users in one order, on every backend."""

from __future__ import annotations

from operator import itemgetter

import pytest

from mailwright.app import ACCOUNTS
from mailwright.errors import NotFound
from tests.conformance.neighbours import add_domain, add_user
from tests.stores import Site, by_name

ORG = "example.org"
# Key, name, isadmin, isglobaladmin, active, created.
ALONE = [
    ("b@admins.test", "Same", 0, 0, 1, 3),
    ("d@admins.test", "Anna", 0, 1, 0, 1),
    ("f@admins.test", "Zoë", 0, 0, 1, 2),
    ("m@zzz.test", "Same", 0, 0, 1, 3),
]
PROMOTED = [
    (f"a@{ORG}", "Same", 1, 0, 1, 1),
    (f"c@{ORG}", "same", 0, 1, 1, 3),
    (f"e@{ORG}", "Zebra", 1, 1, 0, 2),
    (f"g@{ORG}", "Same", 1, 0, 1, 3),
]
EVERYBODY = [*ALONE, *PROMOTED]
NOBODY = f"nobody@{ORG}"
BY = {"mail": 0, "name": 1, "created": 5}


@pytest.fixture
def start(site: Site) -> Site:
    with site.together():
        add_domain(site, ORG)
        for key, name, _, is_global, active, day in ALONE:
            site.insert(
                "admin",
                username=key,
                name=name,
                settings="create_max_users:7;",
                active=active,
                created=f"2026-01-0{day} 00:00:00",
            )
            site.insert("domain_admins", username=key, domain="ALL" if is_global else ORG)
        for key, name, is_admin, is_global, active, day in PROMOTED:
            add_user(
                site,
                key,
                name=name,
                isadmin=is_admin,
                isglobaladmin=is_global,
                active=active,
                settings="create_new_domains:yes;create_max_domains:3;create_max_users:9;",
                created=f"2026-01-0{day} 00:00:00",
            )
            site.insert("domain_admins", username=key, domain="ALL" if is_global else ORG)
        add_user(site, NOBODY, name="Same")
    return site


def expected(by: str, *, descending: bool = False) -> list[str]:
    place = BY[by]
    return [row[0] for row in sorted(EVERYBODY, key=itemgetter(place, 0), reverse=descending)]


def keys(site: Site, **form: str) -> list[str]:
    found = site.listed("admin", None, **form).records
    assert found is not None
    return [record.key for record in found]


def pages(site: Site, limit: int, **form: str) -> list[list[str]]:
    found: list[list[str]] = []
    token = ""
    while True:
        more = {"page_token": token} if token else {}
        listed = site.listed("admin", None, limit=str(limit), **form, **more)
        records = listed.records
        page = list(listed.keys) if records is None else [record.key for record in records]
        found.append(page)
        if listed.next is None:
            return found
        token = listed.next


def test_both_sorts_are_in_one_list_and_say_which_they_are(start: Site) -> None:
    found = start.listed("admin", None).records or ()
    shown = {record.key: by_name(record) for record in found}

    assert expected("mail") == list(shown)
    assert {key for key, *_ in PROMOTED} == {key for key in shown if shown[key]["isMailUser"]}
    assert {f"c@{ORG}", f"e@{ORG}", "d@admins.test"} == {
        key for key in shown if shown[key]["isGlobalAdmin"]
    }
    names = {field.name for field in ACCOUNTS["admin"].resource.shown}
    assert all(names == set(each) for each in shown.values())
    jane = shown[f"a@{ORG}"]
    assert ((ORG,), 3, 9) == (jane["managedDomains"], jane["maxDomains"], jane["maxUsers"])
    assert (0, 7) == (shown["b@admins.test"]["maxDomains"], shown["b@admins.test"]["maxUsers"])


def test_alone_each_is_shown_as_in_the_list(start: Site) -> None:
    found = start.listed("admin", None).records or ()

    assert len(EVERYBODY) == len(found)
    for record in found:
        assert by_name(record) == start.show("admin", record.key)
    with pytest.raises(NotFound):
        start.show("admin", NOBODY)


@pytest.mark.parametrize("order", ["", "mail", "-mail", "name", "-name", "created", "-created"])
@pytest.mark.parametrize("names_only", [False, True])
def test_pages_hold_each_once_and_in_order(start: Site, order: str, *, names_only: bool) -> None:
    by = order.removeprefix("-") or "mail"
    whole = expected(by, descending=order.startswith("-"))
    if by == "created" and start.engine == "openldap":  # which sets the time itself
        whole = keys(start, sort=order)
        assert sorted(expected("mail")) == sorted(whole)
    form = {"sort": order} if order else {}
    if names_only:
        form["email_only"] = "yes"

    for limit in range(1, len(whole) + 2):
        found = pages(start, limit, **form)
        assert whole == [key for page in found for key in page]
        assert all(len(page) == limit for page in found[:-1])
        assert 1 <= len(found[-1]) <= limit


def test_a_long_list_without_pages_is_whole(start: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailwright.resources.listing.MOST_ON_A_PAGE", 3)

    assert expected("name") == keys(start, sort="name")
    listed = start.listed("admin", None, email_only="yes")
    assert (expected("mail"), None) == (list(listed.keys), listed.next)


@pytest.mark.parametrize(
    ("form", "whom"),
    [
        ({"disabled_only": "yes"}, ["d@admins.test", f"e@{ORG}"]),
        ({"q": "SAME"}, [f"a@{ORG}", "b@admins.test", f"c@{ORG}", f"g@{ORG}", "m@zzz.test"]),
        ({"q": "example"}, [key for key, *_ in PROMOTED]),
        ({"q": "e@ex", "disabled_only": "yes"}, [f"e@{ORG}"]),
        ({"q": "nobody"}, []),
    ],
)
def test_both_are_filtered_and_searched(start: Site, form: dict[str, str], whom: list[str]) -> None:
    assert whom == keys(start, **form)
    assert whom == [key for page in pages(start, 1, **form) for key in page]


def test_a_namesake_is_listed_as_both(start: Site) -> None:
    start.insert("admin", username=f"c@{ORG}", name="same", settings="")

    for limit in (1, 2, 3, 20):
        for order in ("mail", "-mail", "name"):
            found = [key for page in pages(start, limit, sort=order) for key in page]
            assert sorted([*(key for key, *_ in EVERYBODY), f"c@{ORG}"]) == sorted(found)


def test_who_vanishes_while_a_page_is_read_takes_nobody_along(start: Site) -> None:
    """The keys come first, the rows after them: what is gone in between is no end of the list."""
    gone = {f"a@{ORG}", "b@admins.test"}

    with start.app.store.session() as accounts:
        kind = type(accounts)
    plain = kind.find

    def find(self: object, resource: object, query: object, fields: object) -> object:
        page = plain(self, resource, query, fields)  # type: ignore[arg-type]
        kept = [number for number, place in enumerate(page.places) if place[1] not in gone]
        return type(page)(
            [page.records[number] for number in kept],
            page.next,
            [page.places[number] for number in kept],
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "find", find)
        for limit in (1, 2, 3, 20):
            found = [key for page in pages(start, limit) for key in page]
            assert [key for key in expected("mail") if key not in gone] == found


def test_what_is_asked_does_not_grow_with_the_page(
    start: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    with start.app.store.session() as accounts:
        kind = type(accounts)
    for name in ("find", "get"):
        plain = getattr(kind, name)
        monkeypatch.setattr(
            kind, name, lambda *args, plain=plain, name=name: [asked.append(name), plain(*args)][1]
        )
    pages(start, 20)

    assert ["find", "find"] == asked
