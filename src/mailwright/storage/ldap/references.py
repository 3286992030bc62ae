"""Steps that follow what refers to an account in other entries."""

from __future__ import annotations

import msgspec
from msgspec import structs

from mailwright.fields.addresses import domain_of
from mailwright.fields.ldap_places import By, LdapReference
from mailwright.storage.ldap import names
from mailwright.storage.ldap.acts import EVERY, Room, is_the_same, let_follow
from mailwright.storage.ldap.connections import NO_ATTRIBUTES, SUBTREE
from mailwright.storage.ldap.draft import Draft
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.reading import Library


class Mention(msgspec.Struct, frozen=True):
    """Attributes of some classes that can name an account, by address or by DN."""

    classes: list[str]
    attributes: list[str]
    by_dn: bool
    spares_admins: bool

    @classmethod
    def of(cls, reference: LdapReference) -> Mention:
        return cls(
            list(reference.classes),
            list(reference.attributes),
            reference.by is By.DN,
            reference.spares_admins,
        )


class Strip(msgspec.Struct, tag=True, frozen=True):
    """Take an account, or every address of a domain, out of all other entries: one modify each.

    ``new`` and ``new_dn`` stand in its place instead, where they are given; not if the account, which has
    this ``uuid``, was removed from there before an interrupted operation could end.
    """

    base: str
    key: str
    dn: str
    mentions: list[Mention]
    new: str = ""
    new_dn: str = ""
    uuid: str = ""

    def apply(self, room: Room) -> None:
        if self.new and room.repeated and not is_the_same(room, self.new_dn, self.uuid):
            structs.replace(self, new="", new_dn="").apply(room)
            return
        library = room.library
        found: dict[str, Entry] = {}
        for mention in self.mentions:
            wanted = [name for name in mention.attributes if library.schema.knows(name)]
            if not wanted:
                continue
            asked = names.both(
                names.of_class(*mention.classes),
                names.either(*(self._condition(name, mention) for name in wanted)),
            )
            for page in library.connection.pages(self.base, SUBTREE, asked, EVERY):
                found |= {
                    names.normal(entry.dn): entry
                    for entry in page
                    if any(
                        self._is_meant(value, mention)
                        for name in wanted
                        for value in entry.texts(name)
                    )
                }
        inside = names.normal(self.dn)
        for where, entry in found.items():
            if where != inside and not where.endswith(f",{inside}"):
                self._strip(library, entry)

    def _condition(self, attribute: str, mention: Mention) -> str:
        if "@" in self.key:
            return names.equals(attribute, self.dn if mention.by_dn else self.key)
        # Nothing finds the DNs of a domain's accounts by their end, so all are looked at.
        return (
            names.present(attribute)
            if mention.by_dn
            else names.ends_with(attribute, f"@{self.key}")
        )

    def _strip(self, library: Library, entry: Entry) -> None:
        draft = Draft(library.schema, entry)
        classes = entry.classes
        for mention in self.mentions:
            if classes.isdisjoint(name.lower() for name in mention.classes):
                continue
            for name in mention.attributes:
                self._strip_attribute(library, draft, name, mention)
        let_follow(library, entry, draft)

    def _strip_attribute(self, library: Library, draft: Draft, name: str, mention: Mention) -> None:
        gone = [value for value in draft.values(name) if self._is_meant(value, mention)]
        if mention.spares_admins:
            gone = [value for value in gone if not _is_an_admins(library, value)]
        if not gone:
            return
        draft.drop(name, gone)
        if self.new:
            draft.add(name, [self.new_dn if mention.by_dn else self.new])

    def _is_meant(self, value: str, mention: Mention) -> bool:
        if mention.by_dn:
            if domain_of(self.key).lower() not in value.lower():
                return False  # without taking it apart
            named, own = names.normal(value), names.normal(self.dn)
            return named == own or ("@" not in self.key and named.endswith(f",{own}"))
        if "@" in self.key:
            return value.lower() == self.key
        return domain_of(value.lower()) == self.key and "@" in value


def _is_an_admins(library: Library, address: str) -> bool:
    return library.connection.read(library.tree.admin(address), NO_ATTRIBUTES) is not None
