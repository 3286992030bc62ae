"""What a domain admin may set is no way round what they may not."""

from __future__ import annotations

import pytest

from mailwright.fields.field import Changes
from mailwright.resources.domain import IS_BACKUPMX, RESOURCE, TRANSPORT
from mailwright.work import Work
from tests.api.client import DOMAIN, JANE, MANAGER, Api
from tests.authorization.test_removed_and_added_again import ok, refused
from tests.stores import ADMIN as GLOBAL

PATH = f"/api/domain/{DOMAIN}"


@pytest.fixture
def manager(admin: Api) -> Api:
    admin.add_admin(MANAGER, domain=DOMAIN)
    found = Api(admin.site)
    assert found.login(MANAGER).status_code == 200
    return found


def transport(admin: Api) -> str:
    return str(ok(admin.call("GET", PATH))["transport"])


@pytest.mark.parametrize(
    "primary",
    [
        *("127.0.0.1:9998", "127.0.0.1", "[10.0.0.1]:25", "[IPv6:::1]", "[2001:db8::1]"),
        *("202.96.134.133", "127.1", "0x7f.0x1", "2130706433", "localhost", "mailhost"),
        *("mx.localhost", "db.internal", "printer.local", "1.0.0.127.in-addr.arpa", "mx.LAN"),
        *("mx.example.net:2525", "mx.example.net:submission", "a_b.example.net"),
    ],
)
def test_a_primary_is_a_public_host_at_port_25(admin: Api, manager: Api, primary: str) -> None:
    before = transport(admin)

    refused(manager.call("PUT", PATH, f"is_backupmx=yes&primarymx={primary}"), "primarymx: ")

    assert before == transport(admin)
    ok(admin.call("PUT", PATH, f"is_backupmx=yes&primarymx={primary}"))


@pytest.mark.parametrize(
    ("primary", "stored"),
    [
        ("mx.example.net", "relay:[mx.example.net]:25"),
        ("[MX.example.net]:25", "relay:[MX.example.net]:25"),
        ("mx.xn--bcher-kva.xn--p1ai:smtp", "relay:[mx.xn--bcher-kva.xn--p1ai]:smtp"),
        ("mx.internal.example.net", "relay:[mx.internal.example.net]:25"),
        ("", f"relay:{DOMAIN}"),
    ],
)
def test_such_a_one_is_taken_and_given_up(
    admin: Api, manager: Api, primary: str, stored: str
) -> None:
    before = transport(admin)
    ok(manager.call("PUT", PATH, f"is_backupmx=yes&primarymx={primary}"))
    assert stored == transport(admin)
    ok(manager.call("PUT", PATH, "primarymx=other.example.net"))
    ok(manager.call("PUT", PATH, "is_backupmx=no"))

    assert before == transport(admin)


@pytest.mark.parametrize(
    ("form", "change"),
    [
        ("transport=lmtp:unix:private/special", "is_backupmx=yes&primarymx=mx.example.net"),
        ("is_backupmx=yes&primarymx=10.0.0.1:2525", "is_backupmx=no"),
        ("is_backupmx=yes&primarymx=10.0.0.1:2525", "primarymx=mx.example.net"),
    ],
)
def test_a_transport_of_a_global_admin_stays(
    admin: Api, manager: Api, form: str, change: str
) -> None:
    ok(admin.call("PUT", PATH, form))
    before = transport(admin)

    refused(manager.call("PUT", PATH, change), "transport that a global admin has set")

    assert before == transport(admin)
    ok(manager.call("PUT", PATH, json=ok(manager.call("GET", PATH))))


def test_what_another_program_stored_plainly_is_given_up(admin: Api, manager: Api) -> None:
    def stored(work: Work) -> None:
        work.accounts.begin()
        record = work.accounts.get(RESOURCE, DOMAIN, (TRANSPORT, IS_BACKUPMX), lock=True)
        changes = Changes({TRANSPORT: "relay:mx.example.net", IS_BACKUPMX: True})
        work.accounts.change(RESOURCE, record, changes)

    admin.site.app.run(GLOBAL, stored)
    ok(manager.call("PUT", PATH, "primarymx="))

    assert f"relay:{DOMAIN}" == transport(admin)


@pytest.mark.parametrize("name", ["senderBcc", "recipientBcc"])
def test_nobody_gets_copies_of_the_mail_of_whoever_ranks_above(
    admin: Api, manager: Api, name: str
) -> None:
    admin.add_user(JANE)
    form = f"{name}=spy@evil.example"
    ok(manager.call("PUT", PATH, form))
    ok(manager.call("PUT", PATH, f"{name}="))
    ok(admin.call("PUT", f"/api/user/{JANE}", "isGlobalAdmin=yes"))

    refused(manager.call("PUT", PATH, form), f"{name}: ", "rank above")

    ok(admin.call("PUT", PATH, form))
    ok(manager.call("PUT", PATH, f"{form}&name=sent back"))
    ok(manager.call("PUT", PATH, f"{name}="))
