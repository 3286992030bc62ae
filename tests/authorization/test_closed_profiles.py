"""Closed profiles hold for new accounts and for every user at once, too.

No parameter of theirs is in a profile that can be closed today; the tests close the one of the password.
"""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

from mailwright.app import ACCOUNTS
from mailwright.authz import Actor, Role
from mailwright.errors import Forbidden
from mailwright.resources import bulk, operations
from mailwright.resources import user as users
from tests.api.client import DOMAIN, JANE, MANAGER, Api, on_sqlite

ACTOR = Actor(MANAGER, Role.DOMAIN_ADMIN)
LOCK = replace(users.LOCK, profiles=(*users.LOCK.profiles, "password"))
FORM = {"password": ["Test-Pass1"]}


@pytest.fixture
def closed(admin: Api) -> Api:
    admin.add_user(JANE)
    admin.add_admin(MANAGER, domain=DOMAIN)
    admin.site.vmail.execute(
        "UPDATE domain SET settings = 'disabled_user_profiles:password;' WHERE domain = ?", DOMAIN
    )
    return admin


@on_sqlite
def test_for_a_new_user(closed: Api) -> None:
    account = replace(ACCOUNTS["user"], lock=LOCK)
    with pytest.raises(Forbidden, match="profile password"):
        closed.site.app.run(
            ACTOR, lambda work: operations.create(work, account, f"new@{DOMAIN}", FORM)
        )


@on_sqlite
def test_for_every_user(closed: Api) -> None:
    with patch.object(users, "LOCK", LOCK), pytest.raises(Forbidden, match="profile password"):
        closed.site.app.run(ACTOR, lambda work: bulk.update_users(work, DOMAIN, FORM))
