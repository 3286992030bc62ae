"""MariaDB gives and takes the same through either driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pymysql
import pytest

from mailwright.errors import Exists, Invalid
from mailwright.storage.sql import drivers as sql
from tests.conformance.neighbours import JANE, OTHER, populate
from tests.servers.require import missing
from tests.stores import Difference, Row, Site

pytestmark = pytest.mark.mariadb


def drivers() -> list[ModuleType]:
    try:
        import MySQLdb  # noqa: PLC0415
    except ImportError:
        missing("mysqlclient")
    return [MySQLdb, pymysql]


@contextmanager
def through(driver: ModuleType, site: Site) -> Iterator[Site]:
    """The same databases through one driver."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql, "mysql_module", lambda: driver)
        sql._mysql.cache_clear()
        try:
            chosen = Site(site.place)
        finally:
            sql._mysql.cache_clear()
    try:
        yield chosen
    finally:
        chosen.close()


def work(site: Site) -> tuple[list[Row], Difference]:
    """A bit of everything; what was shown, and what became of the rows."""
    site.empty()
    populate(site)
    site.vmail.execute("UPDATE mailbox SET created = '0000-00-00 00:00:00', name = 'Zoë 📬 100%'")
    before = site.snapshot()
    shown = [site.show("user", JANE), site.show("domain", "example.org")]
    site.update("user", JANE, name="50% off_", aliases="x@example.org", services="imap")
    site.update("domain", "example.org", catchall="a@example.net", primarymx="", is_backupmx="yes")
    site.update_users("example.net", accountStatus="disabled", language="de_DE")
    shown += [site.show("user", JANE), site.show("domain", "example.org"), site.show("user", OTHER)]
    for sort in ("", "name", "-created"):
        page = site.listed("user", None, sort=sort, limit="2", q="%")
        shown.append({"next": page.next, "keys": [record.key for record in page.records or ()]})
        page = site.listed("user", None, sort=sort, limit="2", page_token=page.next or "", q="%")
        shown.append({"next": page.next, "keys": [record.key for record in page.records or ()]})
    for attempt in ({"name": "x" * 300}, {"quota": "x"}):
        with pytest.raises(Invalid):
            site.update("user", JANE, attempt)
    with pytest.raises(Exists):
        site.create("user", JANE, password="Right-Horse1")
    site.remove("user", JANE, "3")
    site.remove("domain", "example.net")
    return shown, site.since(before)


def test_both_drivers_do_the_same(site_mariadb: Site) -> None:
    results = []
    for driver in drivers():
        with through(driver, site_mariadb) as site:
            connection_type = site.app.databases["vmail"].driver.errors[0]
            assert connection_type.__module__.split(".")[0] == driver.__name__
            results.append(work(site))

    for one, other in zip(*(result[0] for result in results), strict=True):
        assert one == other
    assert results[0][1] == results[1][1]
    assert results[0][0][0]["name"] == "Zoë 📬 100%"
    assert results[0][0][0]["created"] == ""
