"""Removing and renaming accounts: the order of writes in which mail is never lost on the way.

LDAP reference 4.2 to 4.4 and 8.1.
"""

from __future__ import annotations

from mailwright.fields.addresses import domain_of, local_part_of
from mailwright.fields.ldap_places import Tally
from mailwright.fields.resource import Resource
from mailwright.storage.ldap import names
from mailwright.storage.ldap.codecs import whole
from mailwright.storage.ldap.draft import Draft
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.plans import Task
from mailwright.storage.ldap.questions import is_taken
from mailwright.storage.ldap.reading import SERVICES, Library, alias_domains
from mailwright.storage.ldap.steps import (
    UUID,
    Change,
    Erase,
    Forget,
    Mention,
    Recount,
    Remember,
    Rename,
    Row,
    Step,
    Strip,
    Vacant,
)
from mailwright.storage.ldap.tallies import adjust
from mailwright.storage.protocol import Farewell

STATUS = "accountStatus"


def removal(
    library: Library,
    resource: Resource,
    key: str,
    entry: Entry,
    farewell: Farewell,
) -> list[Task]:
    """Mail stops first, rights end with it, then what refers to the account goes, then the account."""
    home = resource.ldap
    uuid = entry.text(UUID)
    stop = Change(
        entry.dn,
        uuid,
        put={STATUS: ["disabled"], **{name: [] for name in home.revoked}},
        drop={SERVICES: list(home.revoked_services)} if home.revoked_services else {},
    )
    strip = Strip(library.tree.base, key, entry.dn, [*map(Mention.of, home.references)])
    steps: list[Step] = [
        # A successor of the same name, once the account is gone, is nobody's to remove.
        Vacant(entry.dn, uuid),
        Remember.of(key, entry, home, farewell),
        stop,
        strip,
        Erase(entry.dn, uuid),
        Forget(key, [*map(Row.of, home.rows)]),
    ]
    return [*(Task(step=step) for step in steps), *_one_less(resource, key, entry)]


def renaming(library: Library, resource: Resource, old: str, new: str, entry: Entry) -> list[Task]:
    """Both addresses deliver from the first step to the last (LDAP reference 4.4)."""
    home, uuid = resource.ldap, entry.text(UUID)
    dn = library.tree.account(home, new)
    parent = library.tree.container(home.branch, domain_of(new))
    strip = Strip(
        library.tree.base,
        old,
        entry.dn,
        [*map(Mention.of, home.references)],
        new=new,
        new_dn=dn,
    )
    steps: list[Step] = [
        Change(entry.dn, uuid, add={home.addresses: [new]}),
        strip,
        Rename(entry.dn, names.rdn(home.rdn, new), parent),
        Change(dn, uuid, **_own_changes(library, resource, old, new, entry)),
        Forget(old, [*map(Row.of, home.rows)], new=new),
    ]
    tally = home.tally
    if tally is not None and domain_of(old) != domain_of(new):
        steps += [_recount(tally, domain_of(name)) for name in (old, new)]
    return [Task(step=step) for step in steps]


def _own_changes(
    library: Library, resource: Resource, old: str, new: str, entry: Entry
) -> dict[str, dict[str, list[str]]]:
    """What the entry itself says of its old name."""
    home = resource.ldap
    draft = Draft(library.schema, entry)
    draft.drop(home.addresses, [new])
    # The name under alias domains of the domain: of the old one, then of the new one.
    hosts = alias_domains(library, domain_of(old))
    gone = entry.lowered(home.addresses) & {f"{local_part_of(old)}@{host}" for host in hosts}
    draft.drop(home.addresses, gone)
    if domain_of(new) != domain_of(old):
        hosts = alias_domains(library, domain_of(new))
    else:
        hosts = frozenset(map(domain_of, gone))
    repeated = (f"{local_part_of(new)}@{host}" for host in sorted(hosts))
    draft.add(home.addresses, (name for name in repeated if not is_taken(library, name)))
    forwards = "mailForwardingAddress"
    if old in entry.lowered(forwards):
        draft.drop(forwards, [old])
        draft.add(forwards, [new])
    changes = draft.changed()
    for name in home.local_part:
        if entry.texts(name) == (local_part_of(old),):
            changes[name] = [local_part_of(new)]
    # The address itself was a further one until now, whatever the entry said when it was read.
    changes.setdefault(home.addresses, list(entry.texts(home.addresses)))
    return {"put": changes}


def _one_less(resource: Resource, key: str, entry: Entry) -> list[Task]:
    tally = resource.ldap.tally
    if tally is None:
        return []
    octets = max(whole(entry.text(tally.of)), 0)
    return [
        Task(run=lambda room: adjust(room.library, domain_of(key), tally, -1, -octets), cache=True)
    ]


def _recount(tally: Tally, domain: str) -> Recount:
    return Recount(domain, tally.number, tally.total, tally.of)
