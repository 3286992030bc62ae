"""``mailwright domain``, ``mailwright user`` and ``mailwright admin``: the same operations as the API.

Every option comes from a resource's declarations; nothing here names a parameter, except which ones a
table shows first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, Final

import click

from mailwright.app import ACCOUNTS, App
from mailwright.cli import options
from mailwright.cli.context import (
    config_option,
    failed,
    is_terminal,
    json_option,
    opened,
    printable,
    progress,
    run,
    writing,
)
from mailwright.cli.tables import Table, cell, pairs
from mailwright.errors import MailwrightError
from mailwright.fields.resource import Resource
from mailwright.http import answers
from mailwright.http.answers import Answer
from mailwright.resources import bulk, grants, listing, operations
from mailwright.resources.operations import Account
from mailwright.storage.protocol import Changed, Query
from mailwright.work import Work

# The columns of a list that people look at, where a resource has them, after its key.
COLUMNS: Final = ("name", "accountStatus", "isGlobalAdmin", "isMailUser", "quota", "created")
# The operations on every account of a domain.
BULK: Final[Mapping[str, Callable[[Work, str, options.Form], Changed]]] = {
    "user": bulk.update_users
}
# The operations that name and dismiss who administers an account.
GRANTS: Final[Mapping[str, Callable[[Work, str, options.Form], None]]] = {
    "domain": grants.update_admins
}

Command = click.Command


@cache
def groups() -> dict[str, Command]:
    """A group of commands for each sort of account."""
    return {name: _group(account) for name, account in ACCOUNTS.items()}


def _group(account: Account) -> click.Group:
    resource = account.resource
    commands = [_list(account), _show(account), _create(account), _update(account)]
    about = f"List, show, create, update and delete {resource.title}s"
    if resource.name in BULK:
        commands.append(_update_all(account))
    if resource.name in GRANTS:
        commands.append(_admins(account))
        about += f", and name their {resource.grant[0].name}"
    commands.append(_delete(account))
    return click.Group(
        resource.name,
        commands=commands,
        help=f"{about}.",
    )


def _show(account: Account) -> Command:
    resource = account.resource

    def show(key: str, *, as_json: bool) -> None:
        with opened() as app:
            record, warnings = run(app, lambda work: operations.show(work, account, key))
        if as_json:
            click.echo(answers.success(answers.profile(resource, record), warnings))
            return
        for line in pairs(
            [(field.name, cell(record[field])) for field in resource.fields if field in record]
        ):
            click.echo(line)

    return _command("show", show, f"Show {_one(resource)}.", [_key(resource)])


def _create(account: Account) -> Command:
    resource = account.resource

    def create(key: str, *, as_json: bool, **given: Any) -> None:
        form = options.form(given, resource.create, ask=resource.required)
        with writing() as app:
            key, warnings = run(app, lambda work: operations.create(work, account, key, form))
        _done(f"{key} created", warnings, as_json=as_json)

    return _command(
        "create",
        create,
        f"Create {_one(resource)}.",
        [_key(resource), *options.of(resource.create)],
    )


def _update(account: Account) -> Command:
    resource = account.resource

    def update(key: str, *, as_json: bool, **given: Any) -> None:
        form = _something(options.form(given, resource.update))
        with writing() as app:
            key, warnings = run(app, lambda work: operations.update(work, account, key, form))
        _done(f"{key} updated", warnings, as_json=as_json)

    return _command(
        "update",
        update,
        f"Change what the options name of {_one(resource)}.",
        [_key(resource), *options.of(resource.update)],
    )


def _update_all(account: Account) -> Command:
    resource = account.resource
    operation = BULK[resource.name]

    def update_all(domain: str, *, as_json: bool, **given: Any) -> None:
        form = _something(options.form(given, resource.bulk))
        with writing() as app:
            changed, warnings = run(app, lambda work: operation(work, domain, form))
        error = answers.partly(changed)
        if error is not None:
            for failure in () if as_json else changed.failures:
                name = failure.key or "those that come after"
                click.echo(printable(f"{name}: {failure.code}: {failure.reason}"), err=True)
            raise failed(click.get_current_context(), error)
        _done(f"{changed.number} {resource.title}s updated", warnings, as_json=as_json)

    return _command(
        "update-all",
        update_all,
        f"Change what the options name of every {resource.title} of a domain.",
        [click.Argument(["domain"]), *options.of(resource.bulk)],
    )


def _admins(account: Account) -> Command:
    resource = account.resource
    operation = GRANTS[resource.name]
    (field,) = resource.grant

    def admins(key: str, *, as_json: bool, **given: Any) -> None:
        form = options.form(given, resource.grant)
        key = resource.read_key(key)
        if form:
            with writing() as app:
                _, warnings = run(app, lambda work: operation(work, key, form))
            _done(f"{key} updated", warnings, as_json=as_json)
            return
        with opened() as app:
            record, warnings = run(app, lambda work: operations.show(work, account, key))
        if as_json:
            click.echo(answers.success(Answer(record[field]), warnings))
            return
        for address in record[field]:
            click.echo(printable(address))

    return _command(
        field.name,
        admins,
        f"Show who administers {_one(resource)}, or name and dismiss those that the options name.",
        [_key(resource), *options.of(resource.grant)],
    )


def _delete(account: Account) -> Command:
    resource = account.resource

    def delete(
        keys: tuple[str, ...], keep_days: str | None = None, *, yes: bool, as_json: bool
    ) -> None:
        if not yes:
            shown = printable(", ".join(keys[:5])) + (" …" if len(keys) > 5 else "")  # noqa: PLR2004
            click.confirm(f"Delete {len(keys)} {resource.title}(s): {shown}?", abort=True, err=True)
        failures = 0
        with writing() as app, progress(len(keys), "deleting") as advance:
            for key in keys:
                failures += not _delete_one(app, account, key, keep_days, as_json=as_json)
                advance(1)
        if failures:
            sys.exit(1)

    about = f"Delete {resource.title}s"
    words: list[click.Parameter] = [
        click.Argument(["keys"], nargs=-1, required=True, metavar="KEY..."),
        click.Option(["--yes", "-y"], is_flag=True, help="Do not ask."),
    ]
    if resource.sql.journal is not None:  # there are mailboxes
        about += "; their mail stays on disk, for ever without --keep-days"
        days = "Days until the mail may be erased."
        words.insert(1, click.Option(["--keep-days"], metavar="N", help=days))
    return _command("delete", delete, f"{about}.", words)


def _delete_one(
    app: App, account: Account, key: str, keep_days: str | None, *, as_json: bool
) -> bool:
    """Delete one of several; whether it went, so that the others get their turn."""
    try:
        _, warnings = run(app, lambda work: operations.remove(work, account, key, keep_days))
    except MailwrightError as error:
        if as_json:
            click.echo(answers.failure(error.code, error.reason))
        click.echo(printable(str(error)), err=True)
        return False
    _done(f"{account.resource.read_key(key)} deleted", warnings, as_json=as_json)
    return True


def _list(account: Account) -> Command:
    resource = account.resource
    asked = listing.parameters(resource)

    def list_(domain: str | None = None, *, as_json: bool, **given: Any) -> None:
        form = options.form(given, asked)
        with opened() as app:
            within = None if domain is None else ACCOUNTS["domain"].resource.read_key(domain)
            pages = _pages(app, account, within, form)
            if as_json:
                _print_json(resource, pages)
            else:
                _print_table(resource, pages)

    arguments: list[click.Parameter] = []
    if resource.sql.domain:
        arguments.append(click.Argument(["domain"]))
    return _command(
        "list",
        list_,
        f"List {resource.title}s.",
        [*arguments, *options.of(asked, flags=True)],
    )


Page = tuple[listing.Listed, Sequence[str]]


def _pages(app: App, account: Account, within: str | None, form: options.Form) -> Iterator[Page]:
    """The one page that was asked for, or all of them one after another."""
    if form.keys() & {listing.LIMIT.name, listing.PAGE_TOKEN.name}:
        yield _page(app, account, within, form)
        return
    wanted = {**form, listing.LIMIT.name: [str(listing.MOST_ON_A_PAGE)]}
    total = _total(app, account.resource, within)
    with progress(total, "listing") as advance:
        while True:
            found, warnings = _page(app, account, within, wanted)
            yield found, warnings
            advance(len(found.keys) or len(found.records or ()))
            if found.next is None:
                return
            wanted[listing.PAGE_TOKEN.name] = [found.next]


def _page(app: App, account: Account, within: str | None, form: options.Form) -> Page:
    def operation(work: Work) -> listing.Listed:
        found = listing.listed(work, account, within, form)
        if within is not None and not found.records and not found.keys:
            work.accounts.get(ACCOUNTS["domain"].resource, within, ())  # NotFound
        return found

    return run(app, operation)


def _total(app: App, resource: Resource, within: str | None) -> int:
    """How long the work is; nobody needs to know where there is no bar."""
    if not is_terminal():
        return 0
    with app.store.session() as accounts:
        return accounts.count(resource, Query(within=within))


def _print_json(resource: Resource, pages: Iterator[Page]) -> None:
    """The API's answer, written page by page."""
    said: list[str] = []
    following, first = None, True
    head = next(pages)  # an error comes before the first word of a success
    click.echo(b'{"_success":true,"_data":[', nl=False)
    for found, warnings in chain((head,), pages):
        said.extend(warning for warning in warnings if warning not in said)
        body = answers.encode(answers.listing(resource, found).data)[1:-1]
        if body:
            click.echo(body if first else b"," + body, nl=False)
            first = False
        following = found.next
    click.echo(b"]", nl=False)
    if following is not None:
        click.echo(b',"_next_page_token":' + answers.encode(following), nl=False)
    if said:
        click.echo(b',"_warnings":' + answers.encode(said), nl=False)
    click.echo(b"}")


def _print_table(resource: Resource, pages: Iterator[Page]) -> None:
    columns = [resource.fields[0]]
    columns += [field for name in COLUMNS for field in resource.fields if field.name == name]
    table: Table | None = None
    found = None
    for found, _ in pages:
        if found.records is None:
            for key in found.keys:
                click.echo(printable(key))
            continue
        rows = [[cell(record[column]) for column in columns] for record in found.records]
        if table is None:
            table = Table([column.name for column in columns], rows)
            click.echo(table.heading())
        for row in rows:
            click.echo(table.line(row))
    if found is not None and found.next is not None:
        click.echo(f"more: --page-token {found.next}", err=True)


def _command(
    name: str, callback: Callable[..., None], about: str, parameters: Sequence[click.Parameter]
) -> Command:
    command = Command(name, callback=callback, help=about, params=list(parameters))
    return config_option(json_option(command))


def _key(resource: Resource) -> click.Argument:
    return click.Argument(["key"], metavar="DOMAIN" if resource.key_name == "domain" else "ADDRESS")


def _one(resource: Resource) -> str:
    """One account in words; a user is spoken like you."""
    return f"{'an' if resource.title[0] in 'aeio' else 'a'} {resource.title}"


def _something(form: options.Form) -> options.Form:
    if not form:
        raise click.UsageError("nothing to change; --help lists what can be")
    return form


def _done(sentence: str, warnings: Sequence[str], *, as_json: bool) -> None:
    click.echo(answers.success(None, warnings) if as_json else printable(sentence))
