"""What is read once is read before a connection is held."""

from __future__ import annotations

from contextlib import closing

from mailwright.app import utc_now
from mailwright.fields.field import Record
from mailwright.resources import domain as domains
from mailwright.storage.protocol import Query
from mailwright.storage.sql import setup
from mailwright.storage.sql.engine import Database, Target
from mailwright.storage.sql.store import SqlAccountStore


def test_the_first_request_needs_one_connection(target: Target) -> None:
    """With as many first requests as connections, each held one and waited for another until it gave up."""
    with closing(Database(target, size=1)) as database:
        setup.create_schema({"vmail": database, "iredadmin": database})
        database.catalogue = database.ordering = database.lowering = None
        store = SqlAccountStore(database, utc_now)

        with store.session() as accounts:
            found = accounts.find(domains.RESOURCE, Query(text="x", limit=5))

    assert list[Record]() == list(found.records)
