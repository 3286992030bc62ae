"""A page token is what an answer before gave, or a 400; on every engine."""

from __future__ import annotations

import base64
import json

import pytest

from tests.api.client import DOMAIN, Api, api_with
from tests.stores import Site


def token(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def pages(api: Api, sort: str) -> list[str]:
    found: list[str] = []
    query = f"limit=1&email_only=yes&sort={sort}"
    more = ""
    while len(found) < 9:
        answer = api.call("GET", f"/api/users/{DOMAIN}", query_string=query + more).json
        found += answer["_data"]
        if "_next_page_token" not in answer:
            break
        more = f"&page_token={answer['_next_page_token']}"
    return found


def test_a_made_up_token_is_refused_and_a_real_one_taken(site: Site) -> None:
    """A number where the engine wanted text, or a time that is none, was a 503 on PostgreSQL."""
    made_up = [
        *(("name", 5, "a"), ("quota", "a", "a"), ("quota", "5", "a"), ("quota", 2**63, "a")),
        *(("created", 5, "a"), ("created", "", "a"), ("created", "now", "a")),
        *(("created", "2026-02-30 00:00:00", "a"), ("created", "2026-W01-1", "a")),
        *(("-modified", "0000-01-01 00:00:00", "a"), ("created", "infinity", "a")),
        *(("", 5, "a"), ("mail", 5, "a"), ("name", "a", "a\0b"), ("name", "a\0b", "a")),
        *(("name", "\ud800", "a"), ("name", "a", "\ud800"), ("name", None, "a"), ("name", "a")),
        *(("name", True, "a"), ("quota", 1.5, "a"), ("quota", True, "a")),
    ]
    harmless = [
        *(("created", "0000-00-00 00:00:00", "a"), ("created", "2026-05-06 07:08:09.5", "a")),
        *(("-created", "0000-00-00 00:00:00", "a"), ("quota", -(2**62), "a"), ("", "", "é")),
    ]
    with api_with(site) as api:
        api.add_admin()
        api.login()
        api.add_domain()
        users = [f"{name}@{DOMAIN}" for name in ("a", "b", "c")]
        for user in users:
            api.add_user(user)
        answers = {}
        for parts in made_up + harmless:
            query = f"sort={parts[0]}&page_token={token(*parts)}"
            result = api.call("GET", f"/api/users/{DOMAIN}", query_string=query)
            answers[parts] = (result.status_code, "page_token" in result.json.get("_msg", ""))

        assert (
            dict.fromkeys(made_up, (400, True)) | dict.fromkeys(harmless, (200, False)) == answers
        )
        for sort in ("mail", "name", "quota", "created", "modified"):
            assert users == pages(api, sort)
            assert users[::-1] == pages(api, f"-{sort}")


@pytest.mark.parametrize("path", ["/api/domains", f"/api/users/{DOMAIN}"])
def test_a_token_of_no_sort_has_no_value(admin: Api, path: str) -> None:
    """The same check where the list is in the order of its keys."""
    result = admin.call("GET", path, query_string=f"page_token={token('', 5, 'a')}")

    assert 400 == result.status_code
