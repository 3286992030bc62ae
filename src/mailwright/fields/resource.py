"""A resource: the fields of one sort of account, which verb takes which, and how a request is read."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from mailwright.errors import Invalid
from mailwright.fields.field import AnyField, Changes, Edit, Record
from mailwright.fields.kinds import Kind, Many, shown
from mailwright.fields.ldap_places import AccountSetting, LdapHome
from mailwright.fields.places import Column, Derived, Setting, SqlHome, Switches

Form = Mapping[str, Sequence[str]]
MOST_KEPT = 512  # sets of fields whose answer is kept; clients choose them


class Verb(enum.Enum):
    """What a request does to an account, and so which parameters it takes."""

    CREATE = "create"
    UPDATE = "update"
    BULK = "bulk"
    GRANT = "grant"


@dataclass(frozen=True, slots=True)
class Request:
    """A form that was read: single values, edits of lists, and what to tell the client besides."""

    values: dict[AnyField, Any]
    edits: dict[AnyField, Edit]
    warnings: tuple[str, ...] = ()
    # What an update could not read.  It is an error unless it repeats what is stored: a server that
    # other programs wrote to holds values that would not be taken from a client, or not as they are.
    unread: dict[AnyField, Invalid] = field(default_factory=dict)
    texts: dict[AnyField, str] = field(default_factory=dict)
    # What a GET shows and only another request changes: as it came, and what to say if that is news.
    repeated: dict[AnyField, tuple[str, str]] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[AnyField, ...]:
        """Every field that the request names."""
        return (*self.values, *self.edits, *self.unread)

    def leave_out(self, unwanted: AnyField) -> None:
        """Go on as if the request did not name this field."""
        for part in (self.values, self.edits, self.unread, self.texts):
            part.pop(unwanted, None)

    def unheeded(self, record: Record | None = None) -> Sequence[str]:
        """What to tell of parameters that would change something if another request had them."""
        return [
            sentence
            for field_, (text, sentence) in self.repeated.items()
            if record is None or text != as_text(record[field_])
        ]

    def against(self, record: Record) -> Changes:
        """The changes that remain once everything equal to the stored account is left out.

        A parameter that repeats the stored value changes nothing and conflicts with nothing, so that
        the answer of a GET can be sent back.
        """
        repeated = {
            field_ for field_, text in self.texts.items() if text == as_text(record[field_])
        }
        for field_, error in self.unread.items():
            if field_ not in repeated:
                raise error
        changes = Changes()
        changes.named = frozenset(self.fields)
        for field_, value in self.values.items():
            if field_ not in repeated and value != record[field_]:
                changes[field_] = value
        for field_, edit in self.edits.items():
            current = record[field_]
            wanted = edit.applied_to(current)
            if field_ not in repeated and set(wanted) != set(current):
                changes[field_] = wanted
                changes.edits[field_] = edit
        return changes


@dataclass(frozen=True)
class Resource:
    """One sort of account as data: its key, its home and its fields."""

    name: str
    title: str
    key: Kind[str]
    key_name: str
    missing: str  # the code of the error for an unknown key
    sql: SqlHome
    ldap: LdapHome
    fields: tuple[AnyField, ...]
    create: tuple[AnyField, ...]
    update: tuple[AnyField, ...]
    required: tuple[AnyField, ...] = ()
    bulk: tuple[AnyField, ...] = ()
    grant: tuple[AnyField, ...] = ()  # who administers it
    sorted_by: tuple[AnyField, ...] = ()
    searched: tuple[AnyField, ...] = ()
    exposed: tuple[AnyField, ...] = ()  # shown only where the settings expose password hashes

    @property
    def one(self) -> str:
        """The title with its article."""
        return f"{'an' if self.title[0] in 'aeio' else 'a'} {self.title}"

    @cached_property
    def by_name(self) -> dict[str, AnyField]:
        """Field of every parameter name, synonyms and member parameters included."""
        return {
            name: field_ for field_ in self.fields if not field_.internal for name in field_.names()
        }

    @cached_property
    def shown(self) -> tuple[AnyField, ...]:
        """The fields that a GET of one account answers with."""
        return tuple(
            field_ for field_ in self.fields if not field_.hidden and field_ not in self.exposed
        )

    def needed_for(self, named: tuple[AnyField, ...]) -> tuple[AnyField, ...]:
        """What to read under a lock: the account's own row, and what the request names besides.

        In the order of the declaration: clients name the same fields in many orders.
        """
        return self._needed(frozenset(named))

    def _own_row_and(self, named: frozenset[AnyField]) -> tuple[AnyField, ...]:
        return tuple(
            field_
            for field_ in self.fields
            if field_ in named
            or isinstance(
                field_.sql or field_.ldap,
                Column | Setting | Switches | Derived | AccountSetting,
            )
        )

    @cached_property
    def _needed(self) -> Callable[[frozenset[AnyField]], tuple[AnyField, ...]]:
        return lru_cache(maxsize=MOST_KEPT)(self._own_row_and)

    def taken_by(self, verb: Verb) -> tuple[AnyField, ...]:
        """The fields that a verb's request may name."""
        match verb:
            case Verb.CREATE:
                return self.create
            case Verb.UPDATE:
                return self.update
            case Verb.BULK:
                return self.bulk
            case Verb.GRANT:
                return self.grant

    def read_key(self, text: str) -> str:
        """The stored spelling of a key; ``Invalid`` names the path's part and the reason."""
        try:
            return self.key.parse(text)
        except ValueError as error:
            raise Invalid(
                f"{shown(text)} is not taken as {self.key_name}: {error}",
                code="INVALID_DOMAIN_NAME" if self.key_name == "domain" else "INVALID_MAIL",
                parameter=self.key_name,
            ) from None

    def read(
        self,
        form: Form,
        verb: Verb,
        *,
        ignore_unknown: bool = False,
        elsewhere: Collection[str] = (),
    ) -> Request:
        """Parse a form; ``Invalid`` names the first parameter that is not acceptable.

        ``elsewhere`` are the names that other resources and routes take.
        """
        return _Reading(self, verb, elsewhere, ignore_unknown=ignore_unknown).of(form)


class _Reading:
    """One form on its way to a request."""

    def __init__(
        self, resource: Resource, verb: Verb, elsewhere: Collection[str], *, ignore_unknown: bool
    ) -> None:
        self.resource = resource
        self.taken = frozenset(resource.taken_by(verb))
        self.verb = verb
        self.elsewhere = elsewhere
        self.ignore_unknown = ignore_unknown
        self.values: dict[AnyField, Any] = {}
        self.edits: dict[AnyField, dict[str, tuple[str, ...]]] = {}
        self.named: dict[tuple[AnyField, str], str] = {}
        self.warnings: list[str] = []
        self.unread: dict[AnyField, Invalid] = {}
        self.texts: dict[AnyField, str] = {}
        self.repeated: dict[AnyField, tuple[str, str]] = {}

    def of(self, form: Form) -> Request:
        self._choose(form)
        for name, texts in form.items():
            self._parameter(name, texts)
        return Request(
            self.values,
            {field_: Edit(**parts) for field_, parts in self.edits.items()},
            tuple(self.warnings),
            self.unread,
            self.texts,
            self.repeated,
        )

    def _parameter(self, name: str, texts: Sequence[str]) -> None:
        field_ = self.resource.by_name.get(name)
        if field_ is None:
            self._unknown(name, texts)
        elif field_.read_only:
            self._repeat(field_, texts)
        elif field_ not in self.taken:
            instead = f"; {field_.instead}" if field_.instead else ""
            self.warnings.append(
                f"{name} is not taken when {_doing(self.verb, self.resource)}; ignored{instead}"
            )
        else:
            self._take(field_, name, texts)

    def _repeat(self, field_: AnyField, texts: Sequence[str]) -> None:
        """As a GET shows it; that nothing else becomes of it is said where something else would."""
        if field_.instead:
            names = ", ".join(field_.names()) if field_ in self.taken else ""
            instead = f"here are {names}" if names else field_.instead
            sentence = f"{field_.name} cannot be set; ignored; {instead}"
            self.repeated[field_] = ",".join(texts), sentence

    def _unknown(self, name: str, texts: Sequence[str]) -> None:
        for field_ in self.resource.fields:
            if name == field_.name and not field_.internal:
                self._repeat(field_, texts)  # a list that has member parameters only
                return
        self.warnings.append(
            not_taken(
                name, self.resource.by_name, self.elsewhere, ignore_unknown=self.ignore_unknown
            )
        )

    def _choose(self, form: Form) -> None:
        """The current name wins over its synonyms, in whatever order they came; losers are not read."""
        for name in form:
            field_ = self.resource.by_name.get(name)
            if field_ is None:
                continue
            names, role = field_.names(), _role(field_, name)
            other = self.named.get((field_, role))
            if other is None or names.index(name) < names.index(other):
                self.named[field_, role] = name

    def _take(self, field_: AnyField, name: str, texts: Sequence[str]) -> None:
        role = _role(field_, name)
        if self.named[field_, role] != name:
            return
        as_shown = self.verb is Verb.UPDATE and name == field_.name and not field_.kind.secret
        if as_shown:
            self.texts[field_] = ",".join(texts)
        try:
            value = parse(field_, name, texts)
        except Invalid as error:
            if not as_shown:
                raise
            self.unread[field_] = error
            return
        if role == "value":
            self.values[field_] = value
            return
        parts = self.edits.setdefault(field_, {})
        parts[role] = value
        if "replace" in parts and len(parts) > 1:
            used = sorted(used for (other, _), used in self.named.items() if other is field_)
            raise Invalid(f"{' and '.join(used)} conflict; give one of them", parameter=name)


def not_taken(
    name: str, here: Collection[str], elsewhere: Collection[str], *, ignore_unknown: bool
) -> str:
    """The warning about a parameter that is not taken here; ``Invalid`` if it is taken nowhere."""
    if name in elsewhere:
        return f"{name} is not taken here; ignored"
    for names in (here, elsewhere):
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
        if near:
            hint = f"; did you mean {near[0]}?"
            break
    else:
        hint = "; ignored" if ignore_unknown else ""
    message = f"{shown(name)} is not known here{hint}"
    if not ignore_unknown:
        raise Invalid(message, parameter=name)
    return message


def _role(field_: AnyField, name: str) -> str:
    if name in field_.adds:
        return "add"
    if name in field_.removes:
        return "remove"
    return "replace" if isinstance(field_.kind, Many) else "value"


def parse(field_: AnyField, name: str, texts: Sequence[str]) -> Any:
    """The value of a parameter's texts; several texts are one comma list, or an error."""
    if name in field_.clears:
        return ()
    if len(texts) > 1 and not isinstance(field_.kind, Many):
        raise Invalid(f"{name} is given more than once", parameter=name)
    text = ",".join(texts)
    if "\x00" in text:
        raise Invalid(f"{name}: a NUL character is not taken", parameter=name)
    try:
        return field_.kind.parse(text)
    except ValueError as error:
        repeated = "" if field_.kind.secret or not text.strip() else f" ({shown(text)})"
        raise Invalid(f"{name}{repeated}: {error}", parameter=name) from None


def as_text(value: object) -> str:
    """A stored value as a form would repeat it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _doing(verb: Verb, resource: Resource) -> str:
    return {
        Verb.CREATE: f"creating {resource.one}",
        Verb.UPDATE: f"updating {resource.one}",
        Verb.BULK: f"updating every {resource.title}",
        Verb.GRANT: f"naming the admins of {resource.one}",
    }[verb]
