"""``mailwright audit``: who changed what, and whether the record of it is whole."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, Final

import click

from mailwright.audit import finding
from mailwright.audit.finding import Found, Search
from mailwright.audit.records import Outcome, moment
from mailwright.audit.verification import Broken, Tip, verify
from mailwright.cli.context import config_option, failed, json_option, opened, printable
from mailwright.cli.tables import Table
from mailwright.errors import Invalid, MailwrightError
from mailwright.http import answers
from mailwright.storage.sql.engine import Database

WORDS: Final = [outcome.value for outcome in Outcome]
COLUMNS: Final = ("sequence", "time", "actor", "action", "resource", "target", "outcome", "code")
_TIP: Final = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})?")


@click.group()
def audit() -> None:
    """Show who changed what, and whether the record of it is whole."""


@audit.command("verify")
@click.option(
    "--expect",
    "expected",
    metavar="NUMBER:HASH",
    help="What an earlier run printed and was kept elsewhere: the records up to that one still have to "
    "be the same.",
)
@json_option
@config_option
def verify_(expected: str | None, *, as_json: bool) -> None:
    """Read every record; exit status 1 names the first that was altered, removed or reordered."""
    tip = None if expected is None else _tip(expected)
    with opened() as app:
        found = verify(app.databases["iredadmin"], tip)
    if isinstance(found, Broken):
        error = MailwrightError(found.sentence, code="AUDIT_BROKEN")
        raise failed(click.get_current_context(), error)
    if as_json:
        data = {"records": found.sequence, "tip": str(found)}
        click.echo(answers.success(answers.Answer(data)))
    else:
        click.echo(f"{found.sequence} records, unbroken; the tip is {found}")


@audit.command("list")
@click.option("--actor", default="", help="Who did it; for this program cli:NAME.")
@click.option("--domain", default="", help="Of this domain.")
@click.option("--target", default="", help="Of this account or domain.")
@click.option("--action", default="", help="create, update, delete, login …")
@click.option("--resource", default="", help="domain, user, admin …")
@click.option("--outcome", type=click.Choice(WORDS), help="How it went.")
@click.option(
    "--since", default="", metavar="TIME", help="Not before, in UTC: 2026-05-06[T07:08:09]."
)
@click.option("--until", default="", metavar="TIME", help="Before this time.")
@click.option("--limit", type=click.IntRange(1), help="Most records; else all.")
@click.option("--after", type=int, metavar="NUMBER", help="Go on behind this record.")
@click.option("--oldest-first", is_flag=True, help="Else the newest comes first.")
@json_option
@config_option
def list_(
    *,
    as_json: bool,
    limit: int | None,
    since: str,
    until: str,
    after: int | None,
    oldest_first: bool,
    **filters: str | None,
) -> None:
    """List records."""
    given: dict[str, Any] = {
        name: (value or "").lower() if name in {"domain", "target"} else value or ""
        for name, value in filters.items()
    }
    search = Search(
        since=_moment(since),
        until=_moment(until),
        after=after,
        oldest_first=oldest_first,
        **given,
    )
    with opened() as app:
        pages = _pages(app.databases["iredadmin"], search, limit)
        if as_json:
            _print_json(pages)
        else:
            _print_table(pages)


def _pages(database: Database, search: Search, limit: int | None) -> Iterator[Found]:
    left = limit
    while True:
        most = finding.MOST_ON_A_PAGE if left is None else min(left, finding.MOST_ON_A_PAGE)
        found = finding.find(database, search.going_on(search.after, most))
        yield found
        if left is not None:
            left -= len(found.records)
        if found.next is None or left == 0:
            return
        search = search.going_on(found.next, most)


def _print_table(pages: Iterator[Found]) -> None:
    table: Table | None = None
    following = None
    for found in pages:
        rows = [[str(getattr(record, name)) for name in COLUMNS] for record in found.records]
        if table is None:
            table = Table(COLUMNS, rows)
            click.echo(table.heading())
        for row in rows:
            click.echo(table.line(row))
        following = found.next
    if following is not None:
        click.echo(printable(f"more: --after {following}"), err=True)


def _print_json(pages: Iterator[Found]) -> None:
    """The shape of the API's answers, written page by page."""
    following, first = None, True
    click.echo(b'{"_success":true,"_data":[', nl=False)
    for found in pages:
        for record in found.records:
            body = answers.encode(finding.shown(record))
            click.echo(body if first else b"," + body, nl=False)
            first = False
        following = found.next
    token = b"" if following is None else b',"_next_page_token":"%d"' % following
    click.echo(b"]" + token + b"}")


def _moment(text: str) -> str:
    if not text:
        return ""
    try:
        time = dt.datetime.fromisoformat(text)
        return moment(time if time.tzinfo else time.replace(tzinfo=dt.UTC))
    except (ValueError, OverflowError):
        raise Invalid(f"{text}: a time such as 2026-05-06T07:08:09 is needed") from None


def _tip(text: str) -> Tip:
    found = _TIP.fullmatch(text.strip())
    if found is None:
        raise Invalid("--expect: NUMBER:HASH is needed, as an earlier run printed it")
    return Tip(int(found[1]), found[2] or "")
