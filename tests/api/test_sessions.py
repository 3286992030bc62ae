"""Sessions begin, last and end."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest

from mailwright.http.sessions import Sessions
from tests.api.another_program import demote, disable, dismiss, promote
from tests.api.client import ADMIN, DOMAIN, JANE, Api, api_with
from tests.stores import Site


def sessions(api: Api) -> list[dict[str, object]]:
    return api.site.raw["iredadmin"].rows("SELECT * FROM mailwright_sessions")


def later(api: Api, **by: float) -> None:
    api.site.clock.now += dt.timedelta(**by)


def status(api: Api) -> int:
    return api.call("GET", "/api/domains").status_code


def test_after_the_logout_the_token_opens_nothing(admin: Api) -> None:
    result = admin.call("POST", "/api/logout")

    assert {"_success": True} == result.json
    assert result.headers["set-cookie"].startswith("mailwright_session=; Max-Age=0; Path=/;")
    assert [] == sessions(admin)
    assert 401 == status(admin)


def test_a_login_replaces_the_session_that_the_client_had(api: Api) -> None:
    api.login()
    first = api.cookie
    api.login()
    second, api.cookie = api.cookie, first

    assert first != second
    assert 1 == len(sessions(api))
    assert 401 == status(api)


def test_a_failed_login_leaves_the_session_alone(api: Api) -> None:
    api.login()
    api.login(password="wrong")

    assert 200 == status(api)


def test_a_session_ends_without_requests_for_the_idle_time(api: Api) -> None:
    api.login()
    later(api, minutes=29)
    within = status(api)
    later(api, minutes=29)
    again = status(api)
    later(api, minutes=31)

    assert (200, 200, 401) == (within, again, status(api))


def test_a_session_ends_at_the_absolute_time_however_busy(api: Api) -> None:
    api.login()
    statuses = []
    for _ in range(25):
        later(api, minutes=29)
        statuses.append(status(api))

    assert [200] * 24 + [401] == statuses


def test_when_it_was_seen_is_written_once_a_minute_at_most(api: Api) -> None:
    api.login()
    seen = []
    for seconds in (0, 59, 1, 30):
        later(api, seconds=seconds)
        status(api)
        seen.append(sessions(api)[0]["seen"])
    start = seen[0]

    assert isinstance(start, int)
    assert [start, start, start + 60, start + 60] == seen


def test_asking_keeps_no_session_alive_for_an_admin_who_is_disabled(api: Api) -> None:
    api.login()
    disable(api.site, ADMIN)
    before = sessions(api)
    later(api, minutes=20)

    assert 401 == status(api)
    assert before == sessions(api)


def test_expired_sessions_go_at_the_next_login(api: Api) -> None:
    api.login()
    later(api, minutes=31)
    api.cookie = ""
    api.login()

    assert 1 == len(sessions(api))


@pytest.mark.parametrize("done", [disable, dismiss])
def test_a_disabled_or_removed_admin_is_out_at_once(
    api: Api, done: Callable[[Site, str], None]
) -> None:
    api.login()
    done(api.site, ADMIN)

    assert 401 == status(api)


def test_a_demoted_admin_loses_the_rank_at_once(api: Api) -> None:
    api.login()
    before = api.call("GET", "/api/admins").status_code
    demote(api.site, ADMIN)

    assert (200, 403) == (before, api.call("GET", "/api/admins").status_code)


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 5000, "é" * 43, "'" * 43, '"'])
def test_a_made_up_token_opens_nothing(api: Api, token: str) -> None:
    api.cookie = f"mailwright_session={token}"

    assert 401 == status(api)


@pytest.mark.parametrize("path", [f"/api/user/{JANE}", f"/api/users/{DOMAIN}"])
def test_a_changed_password_ends_the_sessions_of_the_old_one(site: Site, path: str) -> None:
    """Whoever stole a session kept it for hours after its owner had changed the password."""
    with api_with(site) as api:
        api.add_admin()
        api.login()
        api.add_domain()
        api.add_user()
        promote(api.site, JANE)
        janes = Api(api.site)
        assert 200 == janes.login(JANE, "Test-Pass1").status_code
        api.call("PUT", path, "name=Jane&language=en_US" if "user/" in path else "language=en_US")
        before = status(janes)
        changed = api.call("PUT", path, "password=Other-Pass1").json

        assert {"_success": True} == changed
        assert (200, 401, 200) == (before, status(janes), status(api))
        assert [ADMIN] == [row["username"] for row in sessions(api)]
        assert 200 == janes.login(JANE, "Other-Pass1").status_code


def test_a_login_on_its_way_while_the_password_changes_gets_no_session(
    admin: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old password, judged right a moment before the change, opened a session just after it."""
    admin.add_user()
    promote(admin.site, JANE)
    janes = Api(admin.site)
    real = Sessions.start

    def late(*arguments: Any) -> str:
        if arguments[1] == JANE:
            admin.call("PUT", f"/api/user/{JANE}", "password=Other-Pass1")
        return real(*arguments)

    monkeypatch.setattr(Sessions, "start", late)
    result = janes.login(JANE, "Test-Pass1")

    assert 401 == result.status_code == status(janes)
    assert [ADMIN] == [row["username"] for row in sessions(admin)]


class SlowBody(io.BytesIO):
    """A body whose sender takes so long that something happens before it is there."""

    def __init__(self, body: bytes, meanwhile: Callable[[], object]) -> None:
        super().__init__(body)
        self.meanwhile = meanwhile

    def read(self, size: int | None = -1, /) -> bytes:
        self.meanwhile()
        return super().read(size)


def late(api: Api, body: SlowBody, **environ: str) -> str:
    """The status of a change whose body comes late."""
    form = "application/x-www-form-urlencoded"
    return api.straight(
        f"/api/user/{JANE}", body, CONTENT_LENGTH="9", CONTENT_TYPE=form, **environ
    )[0]


def test_a_session_that_ends_while_the_body_is_on_its_way_changes_nothing(admin: Api) -> None:
    """The holder was looked up before the body; who sent that slowly wrote after the session's end."""
    admin.add_user()
    end = "DELETE FROM mailwright_sessions"
    body = SlowBody(b"name=Late", lambda: admin.site.raw["iredadmin"].execute(end))

    assert late(admin, body).startswith("401 ")
    assert "Late" != admin.site.show("user", JANE)["name"]


def test_a_token_that_is_revoked_while_the_body_is_on_its_way_changes_nothing(admin: Api) -> None:
    admin.add_user()
    token = admin.call("POST", "/api/tokens", "label=x").json["_data"]["token"]
    revoke = "DELETE FROM mailwright_tokens"
    body = SlowBody(b"name=Late", lambda: admin.site.raw["iredadmin"].execute(revoke))

    assert late(admin, body, HTTP_AUTHORIZATION=f"Bearer {token}").startswith("401 ")
    assert "Late" != admin.site.show("user", JANE)["name"]
