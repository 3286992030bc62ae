"""What stands in the log of an admin panel is one line, whatever was asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mailwright.authz import Action, Actor, Role
from mailwright.errors import Forbidden
from mailwright.work import Work
from tests.api.client import DOMAIN, JANE, MANAGER, Api, api_with
from tests.audit.chains import log, records
from tests.stores import Site

ONE = Actor("one@admin.test", Role.DOMAIN_ADMIN, "192.0.2.1")
FORGED = "x\r\n[API] Login\tone\0\x1b[2J\x7f\x85\u2028\u2029\u202e@one.test"
HARMLESS = "x\\r\\n[API] Login\\tone\\x00\\x1b[2J\\x7f\\x85\\u2028\\u2029\\u202e@one.test"


@pytest.fixture
def api(site: Site) -> Iterator[Api]:
    """A global admin who is logged in, and the admin of a domain."""
    with api_with(site) as found:
        found.add_admin()
        found.login()
        found.add_domain()
        found.add_admin(MANAGER, domain=DOMAIN)
        yield found


def refuse(work: Work) -> None:
    work.attempt(Action.UPDATE, "user", FORGED, "one.test")
    raise Forbidden("no")


def test_a_refusal_forges_no_line(site: Site) -> None:
    with pytest.raises(Forbidden):
        site.app.run(ONE, refuse)

    (row,) = log(site)
    assert f"[API] Refused to update user: {HARMLESS} (PERMISSION_DENIED)." == row["msg"]
    assert HARMLESS.replace("\\x00", "") == row["username"]


def test_what_was_done_forges_no_line(site: Site) -> None:
    site.app.run(ONE, lambda work: work.note(Action.UPDATE, "user", FORGED, FORGED))

    (row,) = log(site)
    kept = HARMLESS.replace("\\x00", "")  # as the record has it
    assert (f"[API] Update user {HARMLESS}.", kept) == (row["msg"], row["domain"])


def test_a_sentence_has_an_end(site: Site) -> None:
    fields = tuple("\U0001f600" * 100 for _ in range(900))
    site.app.run(ONE, lambda work: work.note(Action.UPDATE, "user", JANE, DOMAIN, fields=fields))

    assert [4000] == [len(row["msg"]) for row in log(site)]


@pytest.mark.parametrize("ident", ["a%00b", "a%0A[API]%20Login", "0123456789ABCDEF", "a" * 17])
def test_what_is_no_id_of_a_token_is_missing(api: Api, ident: str) -> None:
    token = api.call("POST", "/api/tokens", "label=x").json["_data"]["token"]
    before = len(records(api.site))
    own = api.call("DELETE", f"/api/token/{ident}")
    by_token = Api(api.site).call(
        "DELETE", f"/api/token/{ident}", headers={"Authorization": f"Bearer {token}"}
    )

    missing = (404, "NO_SUCH_TOKEN: there is no such token")
    assert [missing] * 2 == [(each.status_code, each.json["_msg"]) for each in (own, by_token)]
    assert before == len(records(api.site))


def test_whoever_would_revoke_what_is_not_theirs_is_on_record(api: Api) -> None:
    """And the record tells them no more than the answer: whether there is such a token."""
    foreign = api.call("POST", "/api/tokens", "label=x").json["_data"]["id"]
    manager = Api(api.site)
    manager.login(MANAGER)
    idents = [foreign, "0123456789abcdef"]
    before = len(records(api.site))
    answers = [manager.call("DELETE", f"/api/token/{ident}") for ident in idents]

    assert [404, 404] == [answer.status_code for answer in answers]
    assert answers[0].json == answers[1].json
    expected = [
        (MANAGER, "delete", "token", ident, "", "refused", "NO_SUCH_TOKEN") for ident in idents
    ]
    names = ("actor", "action", "resource", "target", "domain", "outcome", "code")
    assert expected == [tuple(row[name] for name in names) for row in records(api.site)[before:]]
    assert 200 == api.call("DELETE", f"/api/token/{foreign}").status_code
