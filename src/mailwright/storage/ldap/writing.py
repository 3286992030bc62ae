"""Changes of one account: a draft of its own entry, and what has to follow in others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, assert_never

from mailwright.fields.addresses import domain_of, local_part_of
from mailwright.fields.field import AnyField, Changes
from mailwright.fields.ldap_places import (
    AccountSetting,
    Attribute,
    AttributeValues,
    ChildEntry,
    CountedEntries,
    Granted,
    LdapHome,
    Membership,
    PathPart,
    Service,
    Services,
    Spread,
    Syntax,
)
from mailwright.fields.places import Derived, Joined
from mailwright.fields.resource import Resource
from mailwright.storage.ldap import names
from mailwright.storage.ldap.acts import CSN, UUID, Room, add
from mailwright.storage.ldap.codecs import encode, whole
from mailwright.storage.ldap.connections import SUBTREE
from mailwright.storage.ldap.draft import Draft
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.plans import Task
from mailwright.storage.ldap.questions import is_taken
from mailwright.storage.ldap.reading import (
    SERVICES,
    SETTINGS,
    Library,
    administers,
    has_place,
)
from mailwright.storage.ldap.steps import (
    Change,
    Erase,
    PutChild,
    Recount,
    Require,
    SpreadStatus,
    Step,
)
from mailwright.storage.ldap.tallies import adjust

STATUS = "accountStatus"


class Writing:
    """One account's changes, put together before anything is written.

    ``domain`` gives the entry of the account's domain, where the account is not one itself.
    """

    def __init__(
        self,
        library: Library,
        resource: Resource,
        key: str,
        entry: Entry | None = None,
        domain: Callable[[], Entry | None] = lambda: None,
    ) -> None:
        self._library = library
        self._resource = resource
        self._home: LdapHome = resource.ldap
        self._key = key
        self._entry = entry
        self._domain_entry = domain
        self.dn = entry.dn if entry is not None else library.tree.account(self._home, key)
        known = (*self._home.classes, *self._home.extra_classes)
        self.draft = Draft(library.schema, entry, known)
        self._path: dict[int, str] = {}
        self._services: list[str] = []  # that come with a value
        self._before: list[Task] = []
        self._after: list[Task] = []
        self._undo: list[Step] = []
        self._octets = 0

    def take(self, changes: Changes) -> None:
        """Sort changes by where they go."""
        # What is in entries of its own goes by what the account's will be, and so comes last.
        for field, value in sorted(
            changes.items(), key=lambda item: isinstance(item[0].ldap, ChildEntry)
        ):
            if isinstance(field.ldap, Derived):
                continue  # told from other fields, which the rules change with it
            if has_place(self._home, field.ldap, self._library.schema):
                self._take_one(field, value, changes)
        if self._path:
            self.draft.put(self._home.path, ("/".join(self._path[at] for at in range(3)),))
        self.draft.add(SERVICES, self._services)

    @property
    def _domain(self) -> Entry | None:
        return self._domain_entry()

    def begin_new(self) -> None:
        """What every new entry has, before anything was asked for."""
        home, schema = self._home, self._library.schema
        known = [name for name in home.extra_classes if schema.knows_class(name)]
        self.draft.put("objectClass", (*home.classes, *known))
        self.draft.put(home.rdn, (self._key,))
        for name, values in home.constants.items():
            self.draft.put(name, values)
        for name in home.local_part:
            self.draft.put(name, (local_part_of(self._key),))

    def finish_new(self) -> None:
        """What a new account takes over from its domain."""
        home = self._home
        for field in self._resource.fields:
            place = field.ldap
            if isinstance(place, Attribute) and place.local_part:
                self.draft.put(place.name, self.draft.values(place.name) or (self._local_part(),))
        domain = self._domain
        if domain is None:
            return
        if home.addresses:
            aliases = sorted(domain.lowered("domainAliasName"))
            repeated = (f"{self._local_part()}@{name}" for name in aliases)
            # One that somebody was given stays that account's.
            free = (address for address in repeated if not is_taken(self._library, address))
            self.draft.add(home.addresses, free)
        if domain.text(STATUS).lower() != "active":
            self.draft.put("domainStatus", ("disabled",))

    def new_addresses(self) -> list[str]:
        """Further addresses that the account did not have."""
        name = self._home.addresses
        before = set(self._entry.lowered(name)) if self._entry is not None and name else set()
        return [a for a in self.draft.values(name) if a.lower() not in before] if name else []

    def following(self) -> list[Task]:
        """What comes after the own entry is there."""
        return self._after

    def creation(self) -> list[Task]:
        """The new entry, then what follows in others."""
        attributes, path = self.draft.attributes(), self._home.path
        first = Task(
            # A password is not for the journal: without the entry there is nothing to go on with.
            step=Require(self.dn, {path: list(self.draft.values(path))} if path else {}),
            run=partial(_add, dn=self.dn, attributes=attributes),
            was_done=partial(_has_all, dn=self.dn, attributes=attributes),
        )
        return [first, *self._after, *self._tally(1)]

    def undoing(self) -> list[Step]:
        """What takes a creation back."""
        tally, domain = self._home.tally, domain_of(self._key)
        counted = [Recount(domain, tally.number, tally.total, tally.of)] if tally else []
        return [Erase(self.dn), *self._undo, *counted]

    def update(self) -> list[Task]:
        """One modify of the entry, between what has to come before and after."""
        changes = self.draft.modifications()
        own: list[Task] = []
        if changes and self._entry is not None:
            entry = self._entry
            own = [
                Task(
                    step=Change(entry.dn, entry.text(UUID), **self.draft.repeatable()),
                    secret=self.draft.has_secret,
                    run=lambda room: room.library.connection.modify(
                        entry.dn, changes, entry.text(CSN)
                    ),
                )
            ]
        return [*self._before, *own, *self._after, *self._tally(0)]

    def _tally(self, users: int) -> list[Task]:
        tally = self._home.tally
        if tally is None or not (users or self._octets):
            return []
        return [
            Task(
                run=lambda room: adjust(
                    room.library, domain_of(self._key), tally, users, self._octets
                ),
                cache=True,
            )
        ]

    def _local_part(self) -> str:
        return local_part_of(self._key)

    def _take_one(self, field: AnyField, value: Any, changes: Changes) -> None:
        place = field.ldap
        match place:
            case Attribute():
                self._take_attribute(place, value)
            case AttributeValues():
                self._take_addresses(place, value)
            case AccountSetting():
                self._take_setting(place, value)
            case Services() | Service():
                self._take_services(place, field, value, changes)
            case PathPart():
                self._path[place.part] = str(value).rstrip("/") if place.part == 0 else str(value)
            case ChildEntry():
                self._after.append(Task(step=self._child(place, value)))
            case Granted():
                self._take_grants(place, value)
            case Membership():
                self._join(place, value)
            case CountedEntries() | Joined() | Derived() | None:
                raise TypeError(f"{field.name} cannot be written")
            case _:
                assert_never(place)

    def _take_attribute(self, place: Attribute, value: Any) -> None:
        before = self.draft.values(place.name)
        values = encode(place.syntax, value)
        if place.local_part and not values:
            values = (self._local_part(),)
        if values == (place.default,) and not before:
            return
        if place.syntax is Syntax.YES_NO and not value and not before:
            return
        if place.syntax is Syntax.NEVER_SHOWN:
            self.draft.put(place.name, values)  # no older password opens the account any more
        else:
            self.draft.put_first(place.name, values)
        if place.service and values:
            self._services.append(place.service)
        tally = self._home.tally
        if tally is not None and place.name == tally.of:
            self._octets += _sum(values) - _sum(before)
        if place.spread is not None and self._entry is not None:
            step = self._spread(place.spread, active=value == "active")
            # Should there be more accounts than the directory shows us, nothing is begun.
            step.look(self._library)
            task = Task(step=step)
            # Mail stops with the domain and begins with it: accounts follow first, or last.
            (self._before if value == "active" else self._after).append(task)

    def _spread(self, spread: Spread, *, active: bool) -> SpreadStatus:
        return SpreadStatus(self.dn, spread.attribute, spread.value, list(spread.classes), active)

    def _take_addresses(self, place: AttributeValues, value: tuple[str, ...]) -> None:
        before = self.draft.values(place.name)
        wanted = dict.fromkeys(() if place.or_own and value == (self._key,) else value)
        kept = [address for address in before if address.lower() in wanted]
        if place.alias_domains and self._domain is not None:
            repeated = {
                f"{self._local_part()}@{alias}" for alias in self._domain.lowered("domainAliasName")
            }
            kept += [
                address
                for address in before
                if address.lower() in repeated and address.lower() not in wanted
            ]
        present = {address.lower() for address in kept}
        self.draft.put(place.name, (*kept, *(new for new in wanted if new not in present)))

    def _take_setting(self, place: AccountSetting, value: Any) -> None:
        others = [
            text for text in self.draft.values(SETTINGS) if text.partition(":")[0] != place.key
        ]
        new = [f"{place.key}:{text}" for text in encode(place.syntax, value)]
        self.draft.put(SETTINGS, (*others, *new))
        if place.read_also:
            self.draft.put(place.read_also, ())

    def _take_services(
        self, place: Services | Service, field: AnyField, value: Any, changes: Changes
    ) -> None:
        if isinstance(place, Service):
            change = self.draft.add if value else self.draft.drop
            change(place.attribute, (place.name,))
            return
        reserved = set(place.reserved)
        wanted = set(value) - reserved
        before = {name.lower() for name in self.draft.values(SERVICES)} - reserved
        edit = changes.edits.get(field)
        turned_on = wanted if edit is None or edit.replace is not None else wanted - before
        on = _with_coupled(turned_on, place)
        gone = before - wanted
        is_whole = edit is None or edit.replace is not None
        if is_whole and (wanted or not place.empties):
            gone -= set(place.supporting)
        off = _with_coupled(gone, place) - on
        spelled = {name.lower(): name for name in place.spelled}
        self.draft.drop(SERVICES, off)
        self.draft.add(SERVICES, (spelled.get(name, name) for name in sorted(on)))

    def _child(self, place: ChildEntry, value: tuple[str, ...]) -> PutChild:
        aliases: Iterable[str] = ()
        active = True
        if self._entry is not None:
            aliases = sorted(self._entry.lowered("domainAliasName"))
            active = (self.draft.values(STATUS) or ("",))[0].lower() == "active"
        new = {
            "objectClass": list(place.classes),
            "mail": [f"@{self._key}"],
            **{name: [text] for name, text in place.constants.items()},
        }
        if aliases:
            new["shadowAddress"] = [f"@{alias}" for alias in aliases]
        if not active and self._library.schema.allows(place.classes, "domainStatus"):
            new["domainStatus"] = ["disabled"]
        dn = self._library.tree.child(place.branch, self._key)
        return PutChild(dn, place.attribute, sorted(value), new)

    def _take_grants(self, place: Granted, value: tuple[str, ...]) -> None:
        """Rank is the account's own attribute; every other grant stands on the entry it is for."""
        tree = self._library.tree
        asked = names.both(names.of_class(place.of_class), names.equals(place.attribute, self._key))
        found = self._library.connection.search(tree.base, SUBTREE, asked, (place.gives,))
        before = {entry.text(place.gives).lower() for entry in found}
        wanted = set(value) - {place.everything}
        for name in sorted(wanted - before):
            step = Change(tree.domain(name), add={place.attribute: [self._key]})
            self._after.append(Task(step=step))
        if self._entry is None or not administers(self._entry, place):
            return  # what stands there is a namesake's, and was not shown
        for name in sorted(before - wanted):
            step = Change(tree.domain(name), drop={place.attribute: [self._key]})
            self._before.append(Task(step=step))

    def _join(self, place: Membership, groups: tuple[str, ...]) -> None:
        """Become a member of groups that the account is not in yet."""
        library = self._library
        for group in map(str.lower, groups):
            asked = names.both(
                names.of_class(place.list_class, place.alias_class), names.equals("mail", group)
            )
            for entry in library.connection.search(
                library.tree.base, SUBTREE, asked, ("objectClass", "shadowAddress")
            ):
                if place.alias_class.lower() in entry.classes:
                    joined = {place.forwarding: [self._key]}
                else:
                    joined = {place.member: [self.dn]}
                    self.draft.add(place.attribute, (group, *_same_local_part(entry, group)))
                self._after.append(Task(step=Change(entry.dn, add=joined)))
                self._undo.append(Change(entry.dn, drop=joined))


def _same_local_part(entry: Entry, group: str) -> list[str]:
    """A list's names under alias domains, which members have to name too."""
    local = local_part_of(group)
    return sorted(
        address
        for address in entry.lowered("shadowAddress")
        if local_part_of(address) == local and address != group
    )


def _with_coupled(wanted: set[str], place: Services) -> set[str]:
    return wanted | {other for name in wanted for other in place.coupled.get(name, ())}


def _sum(values: tuple[str, ...]) -> int:
    return sum(max(whole(value), 0) for value in values[:1])


def _add(room: Room, *, dn: str, attributes: dict[str, list[bytes]]) -> None:
    add(room.library, dn, attributes)


def _has_all(room: Room, *, dn: str, attributes: dict[str, list[bytes]]) -> bool:
    """Whether an entry is there with just these values: a salted password hash makes it ours."""
    entry = room.library.connection.read(dn, tuple(attributes))
    return entry is not None and all(
        set(entry.octets(name)) == set(values) for name, values in attributes.items()
    )
