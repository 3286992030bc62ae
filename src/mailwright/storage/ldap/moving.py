"""Removing and renaming accounts: the order of writes in which mail is never lost on the way.

LDAP reference 4.2 to 4.4 and 8.1.
"""

from __future__ import annotations

from mailwright.fields.addresses import domain_of, local_part_of
from mailwright.fields.ldap_places import Tally
from mailwright.fields.resource import Resource
from mailwright.storage.ldap import names
from mailwright.storage.ldap.acts import UUID, snapshot
from mailwright.storage.ldap.codecs import whole
from mailwright.storage.ldap.connections import NO_ATTRIBUTES
from mailwright.storage.ldap.entry import Entry
from mailwright.storage.ldap.plans import Task
from mailwright.storage.ldap.questions import is_taken
from mailwright.storage.ldap.reading import SERVICES, Library, alias_domains
from mailwright.storage.ldap.references import Mention, Strip
from mailwright.storage.ldap.rows import Forget, Remember, Row
from mailwright.storage.ldap.steps import Change, Erase, Recount, Rename, Step, Vacant
from mailwright.storage.ldap.tallies import adjust
from mailwright.storage.protocol import Farewell

STATUS = "accountStatus"
FURTHER_ADDRESSES = "shadowaddress"


def removal(
    library: Library,
    resource: Resource,
    key: str,
    entry: Entry,
    farewell: Farewell,
) -> list[Task]:
    """Rights and logins end first, then what refers to the account goes, then the account.

    It takes mail until then: what is forwarded to an account that is off already would come to the
    catch-all, or back to the sender.  A domain goes entry by entry, so that one is off before.
    """
    home = resource.ldap
    uuid = entry.text(UUID)
    revoke = Change(
        entry.dn,
        uuid,
        put={name: [] for name in home.revoked},
        drop={SERVICES: list(home.revoked_services)},
    )
    stop = Change(entry.dn, uuid, put={STATUS: ["disabled"]})
    strip = Strip(library.tree.base, key, entry.dn, [*map(Mention.of, home.references)])
    if home.containers:
        # Should there be more than the directory shows us, nothing is begun.
        snapshot(library, entry.dn, names.EVERYTHING, NO_ATTRIBUTES)
    steps: list[Step] = [
        # A successor of the same name, once the account is gone, is nobody's to remove.
        Vacant(entry.dn, uuid),
        *([Remember.of(key, entry, home, farewell)] if home.mailboxes else []),
        *([revoke] if home.revoked else []),
        strip,
        *([stop] if home.containers else []),
        Erase(entry.dn, uuid),
        Forget(key, [*map(Row.of, home.rows)]),
    ]
    return [*(Task(step=step) for step in steps), *_one_less(resource, key, entry)]


def renaming(library: Library, resource: Resource, old: str, new: str, entry: Entry) -> list[Task]:
    """Both addresses deliver from the first step to the last but one (LDAP reference 4.4).

    The new name comes before what refers to it: should another program have it, nothing points there.
    """
    home, uuid = resource.ldap, entry.text(UUID)
    held, services = entry.lowered(home.addresses), entry.services
    meanwhile = {
        home.addresses: [address for address in (new, old) if address not in held],
        # Without it Dovecot does not know a user by a further address.
        SERVICES: [name for name in (FURTHER_ADDRESSES,) if services and name not in services],
    }
    dn = library.tree.account(home, new)
    parent = library.tree.container(home.branch, domain_of(new))
    strip = Strip(
        library.tree.base,
        old,
        entry.dn,
        [*map(Mention.of, home.references)],
        new=new,
        new_dn=dn,
        uuid=uuid,
    )
    steps: list[Step] = [
        Change(entry.dn, uuid, add=meanwhile),
        Rename(entry.dn, uuid, names.rdn(home.rdn, new), parent, undo=meanwhile),
        strip,
        _own_changes(library, resource, old, new, entry, services=meanwhile[SERVICES]),
        Forget(old, [*map(Row.of, home.rows)], new=new, new_dn=dn, uuid=uuid),
    ]
    tally = home.tally
    if tally is not None and domain_of(old) != domain_of(new):
        steps += [_recount(tally, domain_of(name)) for name in (old, new)]
    return [Task(step=step) for step in steps]


def _own_changes(
    library: Library,
    resource: Resource,
    old: str,
    new: str,
    entry: Entry,
    *,
    services: list[str],
) -> Change:
    """What the entry itself says of its old name, and what it had in the meantime."""
    home = resource.ldap
    # The name under alias domains of the domain: of the old one, then of the new one.
    hosts = alias_domains(library, domain_of(old))
    gone = entry.lowered(home.addresses) & {f"{local_part_of(old)}@{host}" for host in hosts}
    status: dict[str, list[str]] = {}
    if domain_of(new) != domain_of(old):
        host = library.connection.read(library.tree.domain(domain_of(new)))
        hosts = host.lowered("domainAliasName") if host is not None else frozenset()
        active = host is not None and host.text(STATUS).lower() == "active"
        status = {"domainStatus": [] if active else ["disabled"]}
    else:
        hosts = frozenset(map(domain_of, gone))
    repeated = (f"{local_part_of(new)}@{host}" for host in sorted(hosts))
    return Change(
        library.tree.account(home, new),
        entry.text(UUID),
        put={
            name: [local_part_of(new)]
            for name in home.local_part
            if entry.texts(name) == (local_part_of(old),)
        }
        | status,
        add={home.addresses: [name for name in repeated if not is_taken(library, name)]},
        drop={home.addresses: [old, new, *sorted(gone)], SERVICES: services},
    )


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
