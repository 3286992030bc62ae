"""Lists: filtered, searched, sorted and paged alike on every engine."""

from __future__ import annotations

import pytest

from mailwright.app import ACCOUNTS
from mailwright.errors import Invalid
from mailwright.resources.domain import RESOURCE as DOMAIN
from mailwright.resources.user import RESOURCE as USER
from mailwright.storage.protocol import Query
from mailwright.storage.sql.dialect import Dialect
from tests.conformance.neighbours import add_domain, add_user
from tests.stores import Site, by_name, on_sql

# Key, name, quota, active.  Names and quotas repeat, and sort differently with and without case.
USERS = [
    ("a@example.org", "Same", 10, 1),
    ("b@example.org", "same", 10, 0),
    ("b-b@example.org", "Same", 20, 1),
    ("b.b@example.org", "", 10, 1),
    ("b_b@example.org", "100% sure", 10, 1),
    ("c@example.org", "Zoë", 30, 1),
    ("cc@example.org", "zebra", 0, 0),
    ("d@example.org", "wow! really", 10, 1),
    ("e@example.org", "back\\slash", 20, 1),
    ("other@example.net", "Same", 10, 1),
]
KEYS = [key for key, *_ in USERS if key.endswith("@example.org")]


@pytest.fixture
def start(site: Site) -> Site:
    with site.together():
        for domain in ("example.org", "example.net", "a_b.example.com"):
            add_domain(site, domain, active=int(domain != "example.net"))
        for number, (key, name, quota, active) in enumerate(USERS):
            times = f"2026-01-0{1 + number // 3} 00:00:00"
            add_user(site, key, name=name, quota=quota, active=active, created=times)
        for admin, name in (("zoe@admins.test", "Anna"), ("anna@admins.test", "Zoe")):
            site.insert("admin", username=admin, name=name, settings="")
    return site


def name_of(site: Site, key: str) -> str:
    """In a directory a name is never empty: the local part stands in."""
    (name,) = (name for user, name, *_ in USERS if user == key)
    return name or (key.partition("@")[0] if site.engine == "openldap" else "")


def keys(site: Site, within: str | None = "example.org", **form: str) -> list[str]:
    found = site.listed("user", within, **form).records
    assert found is not None
    return [record.key for record in found]


def test_a_list_is_whole_and_in_order_of_the_key(start: Site) -> None:
    listed = start.listed("user", "example.org")

    assert listed.records is not None
    assert [record.key for record in listed.records] == sorted(KEYS)
    assert listed.next is None


def test_an_account_in_a_list_is_the_account_alone(start: Site) -> None:
    """Only what is counted is left out: each count would be a query of its own."""
    start.update("user", "a@example.org", aliases="x@example.org", forwarding="y@example.net")
    start.update("domain", "example.org", senderBcc="c@example.net", catchall="a@example.org")
    for kind, within in (("user", "example.org"), ("domain", None)):
        for record in start.listed(kind, within).records or ():
            alone = start.show(kind, record.key)
            left_out = {"existingUsers", "existingAliases", "existingLists", "allocatedQuota"}

            assert by_name(record) == {
                name: value for name, value in alone.items() if name not in left_out
            }


@pytest.mark.parametrize("limit", [1, 2, 3, 8, 9, 10])
@pytest.mark.parametrize(
    "sort", ["", "mail", "-mail", "name", "-name", "quota", "-quota", "created"]
)
def test_pages_join_to_the_whole(start: Site, sort: str, limit: int) -> None:
    """Also where the last account of a page and the first of the next sort alike."""
    whole = keys(start, sort=sort)
    seen: list[str] = []
    token = ""
    pages = 0
    while True:
        form = {"sort": sort, "limit": str(limit)} | ({"page_token": token} if token else {})
        page = start.listed("user", "example.org", **form)
        seen += [record.key for record in page.records or ()]
        pages += 1
        if page.next is None or pages > len(KEYS):
            break
        token = page.next

    assert seen == whole
    assert sorted(whole) == sorted(KEYS)
    assert pages == -(-len(KEYS) // limit)


def test_every_engine_sorts_by_code_point(start: Site) -> None:
    of = {key: (name_of(start, key), quota) for key, _, quota, _ in USERS}

    assert keys(start, sort="name") == sorted(KEYS, key=lambda key: (of[key][0], key))
    assert keys(start, sort="-name") == sorted(
        KEYS, key=lambda key: (of[key][0], key), reverse=True
    )
    assert keys(start, sort="quota") == sorted(KEYS, key=lambda key: (of[key][1], key))
    assert keys(start, sort="-quota") == sorted(
        KEYS, key=lambda key: (of[key][1], key), reverse=True
    )


def test_names_of_any_script_sort_by_code_point(start: Site) -> None:
    """Also in pages, and also where two octets or four make one character."""
    names = ["Z", "a", "Ärzte", "ärzte", "Жук", "\ufb01n", "\U0001f600"]
    for number, name in enumerate(reversed(names)):
        add_user(start, f"u{number}@example.net", name=name)
    of = {f"u{number}@example.net": name for number, name in enumerate(reversed(names))}
    of["other@example.net"] = "Same"

    whole = keys(start, "example.net", sort="name")
    first = start.listed("user", "example.net", sort="name", limit="5")
    second = start.listed("user", "example.net", sort="name", page_token=first.next or "")

    assert [of[key] for key in whole] == sorted(of.values())
    assert [record.key for page in (first, second) for record in page.records or ()] == whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%", ["b_b@example.org"]),
        ("0% s", ["b_b@example.org"]),
        ("b_b", ["b_b@example.org"]),
        ("_", ["b_b@example.org"]),
        ("!", ["d@example.org"]),
        ("w! r", ["d@example.org"]),
        ("\\", ["e@example.org"]),
        ("'", []),
        ("SAME", ["a@example.org", "b-b@example.org", "b@example.org"]),
        ("Zoë", ["c@example.org"]),
        ("example.net", []),
        ("C@EXAMPLE", ["c@example.org", "cc@example.org"]),
    ],
)
def test_text_is_looked_for_as_it_is(start: Site, text: str, expected: list[str]) -> None:
    assert keys(start, q=text) == expected


@pytest.mark.parametrize(
    "text", ["Ärzte GmbH", "ärzte gmbh", "ÄRZTE GMBH", "Ärzte", "äRZ", "ЖУК", "жук"]
)
def test_a_name_beyond_ascii_is_found_in_any_case(start: Site, text: str) -> None:
    """SQLite, and PostgreSQL in the C locale, lower ASCII alone: not even the name itself was found."""
    add_user(start, "doctors@example.org", name="Ärzte GmbH, Жук")
    add_user(start, "trades@example.org", name="Arzte GmbH, Zuk")

    assert keys(start, q=text) == ["doctors@example.org"]


@on_sql
def test_an_engine_that_lowers_ascii_alone_finds_the_name_itself(
    start: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PostgreSQL in the C locale may be built without any other."""
    add_user(start, "doctors@example.org", name="Ärzte GmbH")
    if start.dialect is Dialect.POSTGRESQL:
        monkeypatch.setattr(start.app.databases["vmail"], "lowering", "LOWER({})")

    assert keys(start, q="Ärzte gmbh") == ["doctors@example.org"]


def test_a_search_is_paged_too(start: Site) -> None:
    first = start.listed("user", "example.org", q="same", limit="2", sort="-name")
    second = start.listed(
        "user", "example.org", q="same", limit="2", sort="-name", page_token=first.next or ""
    )

    assert [record.key for record in first.records or ()] == ["b@example.org", "b-b@example.org"]
    assert [record.key for record in second.records or ()] == ["a@example.org"]
    assert second.next is None


def test_only_disabled_accounts(start: Site) -> None:
    assert keys(start, disabled_only="yes") == ["b@example.org", "cc@example.org"]
    assert keys(start, disabled_only="no") == sorted(KEYS)
    domains = start.listed("domain", None, disabled_only="yes", name_only="yes")
    assert domains.keys == ["example.net"]


def test_only_the_names(start: Site) -> None:
    assert start.listed("domain", None, name_only="yes").keys == [
        *("a_b.example.com", "example.net", "example.org"),
    ]
    page = start.listed("user", "example.org", email_only="yes", limit="2", sort="-quota")
    assert page.records is None
    assert page.keys == ["c@example.org", "e@example.org"]


def test_a_count_is_the_length_of_the_list(start: Site) -> None:
    with start.app.store.session() as accounts:
        status = next(field for field in USER.fields if field.name == "accountStatus")
        for query in (
            Query(within="example.org"),
            Query(within="example.net"),
            Query(within="nowhere.test"),
            Query(),
            Query(text="b_b"),
            Query(within="example.org", only={status: "disabled"}),
            Query(within="example.org", limit=2),
        ):
            whole = Query(within=query.within, only=query.only, text=query.text)
            found = accounts.find(USER, whole).records

            assert accounts.count(USER, query) == len(found)
        assert accounts.count(DOMAIN, Query()) == 3


@pytest.mark.parametrize(
    ("form", "parameter"),
    [
        ({"sort": "password"}, "sort"),
        ({"sort": "--mail"}, "sort"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "all"}, "limit"),
        ({"page_token": "x"}, "page_token"),
        ({"page_token": "bm90IGpzb24"}, "page_token"),
        ({"disabled_only": "maybe"}, "disabled_only"),
        ({"nmae_only": "yes"}, "nmae_only"),
    ],
)
def test_options_are_refused_by_name(start: Site, form: dict[str, str], parameter: str) -> None:
    with pytest.raises(Invalid) as caught:
        start.listed("user", "example.org", **form)

    assert caught.value.parameter == parameter


def test_a_token_of_another_order_is_refused(start: Site) -> None:
    token = start.listed("user", "example.org", limit="2", sort="name").next or ""

    with pytest.raises(Invalid) as caught:
        start.listed("user", "example.org", limit="2", sort="-name", page_token=token)

    assert caught.value.parameter == "page_token"


@pytest.mark.parametrize("kind", ACCOUNTS)
def test_every_sort_is_taken(start: Site, kind: str) -> None:
    resource = ACCOUNTS[kind].resource
    within = "example.org" if kind == "user" else None
    for field in resource.sorted_by:
        first = start.listed(kind, within, sort=field.name, limit="1")
        assert first.next is not None

        second = start.listed(kind, within, sort=field.name, limit="1", page_token=first.next)

        assert second.records is not None
        assert second.records[0].key != (first.records or ())[0].key
