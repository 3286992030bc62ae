"""A form, a JSON object, a multipart form and the query string mean the same."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import DOMAIN, JANE, Api

DOMAIN_PATH = f"/api/domain/{DOMAIN}"
USER_PATH = f"/api/user/{JANE}"
BOUNDARY = "--------boundary"


def multipart(*parts: tuple[str, str], more: str = "") -> dict[str, Any]:
    body = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'
        for name, value in parts
    )
    return {
        "body": f"{body}--{BOUNDARY}--\r\n".encode(),
        "headers": {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"},
    }


def profile(api: Api, path: str = DOMAIN_PATH) -> dict[str, Any]:
    data: dict[str, Any] = api.call("GET", path).json["_data"]
    return data


def refusal(api: Api, **sent: Any) -> tuple[int, str, str]:
    result = api.call("PUT", DOMAIN_PATH, **sent)
    return result.status_code, result.json["_code"], result.json["_msg"].partition(": ")[2]


@pytest.mark.parametrize(
    "sent",
    [
        {"form": "name=J%C3%BCrgen+%26+Co&quota=20&isGlobalAdmin=yes&forwarding=a@x.org,b@x.org"},
        {
            "form": "name=J%C3%BCrgen+%26+Co&quota=20&isGlobalAdmin=1&forwarding=a@x.org&forwarding=b@x.org"
        },
        {
            "json": {
                "name": "Jürgen & Co",
                "quota": 20,
                "isGlobalAdmin": True,
                "forwarding": ["a@x.org", "b@x.org"],
            }
        },
        {
            "json": {
                "name": "Jürgen & Co",
                "quota": "20",
                "isGlobalAdmin": "yes",
                "forwarding": "a@x.org, b@x.org",
            }
        },
        {
            "json": {
                "name": "Jürgen & Co",
                "quota": 20.0,
                "isGlobalAdmin": "on",
                "forwarding": ["a@x.org,b@x.org"],
            }
        },
        multipart(
            ("name", "Jürgen & Co"),
            ("quota", "20"),
            ("isGlobalAdmin", "true"),
            ("forwarding", "a@x.org"),
            ("forwarding", "b@x.org"),
        ),
        {
            "query_string": "name=J%C3%BCrgen+%26+Co&quota=20&isGlobalAdmin=yes&forwarding=a@x.org,b@x.org"
        },
        {
            "query_string": "name=other&quota=20&isGlobalAdmin=no&forwarding=c@x.org",
            "form": "name=J%C3%BCrgen+%26+Co&isGlobalAdmin=yes&forwarding=a@x.org,b@x.org",
        },
        {
            "body": "name=Jürgen+%26+Co&quota=20&isGlobalAdmin=yes&forwarding=a@x.org,b@x.org&&".encode(),
            "headers": {"Content-Type": ""},
        },
    ],
    ids=[
        *("form", "repeated", "json", "json texts", "json float", "multipart", "query"),
        *("body wins", "no content type"),
    ],
)
def test_all_ways_to_send_parameters_mean_the_same(admin: Api, sent: dict[str, Any]) -> None:
    admin.add_user()

    assert 200 == admin.call("PUT", USER_PATH, **sent).status_code

    found = profile(admin, USER_PATH)
    expected = {
        "name": "Jürgen & Co",
        "quota": 20,
        "isGlobalAdmin": True,
        "forwarding": ["a@x.org", "b@x.org"],
    }

    assert expected == {name: found[name] for name in expected}


@pytest.mark.parametrize(
    "empty", [{"form": "catchall="}, {"json": {"catchall": None}}, {"json": {"catchall": []}}]
)
def test_nothing_is_said_in_three_ways(admin: Api, empty: dict[str, Any]) -> None:
    admin.call("PUT", DOMAIN_PATH, "catchall=a@x.org")
    admin.call("PUT", DOMAIN_PATH, **empty)

    assert [] == profile(admin)["catchall"]


def test_of_a_repeated_json_key_the_last_one_counts(admin: Api) -> None:
    admin.call(
        "PUT",
        DOMAIN_PATH,
        body=b'{"name": "first", "name": "last"}',
        headers={"Content-Type": "application/json"},
    )

    assert "last" == profile(admin)["name"]


def test_a_single_parameter_is_not_taken_twice(admin: Api) -> None:
    assert (400, "INVALID_PARAMETER", "name is given more than once") == refusal(
        admin, form="name=a&name=b"
    )
    assert (400, "INVALID_PARAMETER", "name is given more than once") == refusal(
        admin, json={"name": ["a", "b"]}
    )


@pytest.mark.parametrize("value", [{"a": "b"}, [["a"]], [{}]])
def test_nested_json_is_refused_and_named(admin: Api, value: object) -> None:
    status, code, reason = refusal(admin, json={"name": value})

    assert (400, "INVALID_PARAMETER") == (status, code)
    assert reason.startswith("name: text, a number")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", "the body is not a JSON object"),
        (b'"text"', "the body is not a JSON object"),
        (b"{", "the body is not JSON in UTF-8"),
        (b'{"name": NaN}', "the body is not JSON in UTF-8"),
        (b'{"name": 1e999}', "the body is not JSON in UTF-8"),
        (b'{"name": "\\ud800"}', "the body is not JSON in UTF-8"),
        (b'{"name": "\xff"}', "the body is not JSON in UTF-8"),
        (b"[" * 100_000, "the body is not JSON in UTF-8"),
        (b'{"": "x"}', "a parameter has no name"),
        (b'{"name": "a\\u0000b"}', "name: a NUL character is not taken"),
        (
            b'{"na\\u0000me": "a"}',
            "na\N{REPLACEMENT CHARACTER}me: a parameter name has a NUL character",
        ),
    ],
)
def test_json_that_is_none_is_refused_with_the_reason(admin: Api, body: bytes, reason: str) -> None:
    status, _, found = refusal(
        admin, body=body, headers={"Content-Type": "application/json; charset=utf-8"}
    )

    assert (400, reason) == (status, found)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"name=%", "the body has a % that two hexadecimal digits do not follow"),
        (b"name=%zz", "the body has a % that two hexadecimal digits do not follow"),
        (b"name=%ff", "the body is not UTF-8 text"),
        (b"name=\xff", "the body is not UTF-8 text"),
        (b"name=%ed%a0%80", "the body is not UTF-8 text"),
        (b"name=a%00b", "name: a NUL character is not taken"),
        (b"=x", "a parameter has no name"),
    ],
)
def test_a_form_that_is_none_is_refused_with_the_reason(
    admin: Api, body: bytes, reason: str
) -> None:
    status, _, found = refusal(admin, form=body)

    assert (400, reason) == (status, found)


@pytest.mark.parametrize("query", ["name=%", "name=%ff", "name=a%00b", "=x"])
def test_a_query_string_is_read_as_strictly(admin: Api, query: str) -> None:
    assert 400 == refusal(admin, query_string=query)[0]


@pytest.mark.parametrize(
    "sent",
    [
        {"body": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        {"body": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=y"}},
        multipart(("name", "x"), more='; filename="x.txt"'),
        multipart(("", "x")),
    ],
    ids=["no boundary", "no part", "file", "no name"],
)
def test_a_multipart_form_that_is_none_is_refused(admin: Api, sent: dict[str, Any]) -> None:
    assert 400 == refusal(admin, **sent)[0]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "nonsense", "application/json; charset=latin-1"],
)
def test_other_content_types_are_not_taken(admin: Api, content_type: str) -> None:
    status, code, _ = refusal(admin, body=b"name=x", headers={"Content-Type": content_type})

    assert (415, "UNSUPPORTED_MEDIA_TYPE") == (status, code)


def test_parameter_names_are_told_apart_by_case(admin: Api) -> None:
    assert refusal(admin, form="Name=x")[2] == "Name is not known here; did you mean name?"


def test_a_long_name_is_shortened_in_the_answer(admin: Api) -> None:
    assert len(refusal(admin, form=f"{'n' * 5000}=x")[2]) < 150
    assert len(admin.call("GET", "/api/domains", query_string="n" * 5000).json["_msg"]) < 250


@pytest.mark.parametrize("order", [("cn", "name"), ("name", "cn")])
def test_a_synonym_that_loses_is_not_read(admin: Api, order: tuple[str, str]) -> None:
    """`cn` with 300 characters failed the request although `name` stands in its place."""
    given = {"cn": "x" * 300, "name": "ok"}
    result = admin.call("PUT", f"/api/domain/{DOMAIN}", "&".join(f"{n}={given[n]}" for n in order))

    assert 200 == result.status_code, result.text
    assert "ok" == admin.call("GET", f"/api/domain/{DOMAIN}").json["_data"]["name"]
