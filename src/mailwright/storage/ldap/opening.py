"""A store from the texts and numbers of the settings."""

from __future__ import annotations

from mailwright.storage.ldap.connections import Directory, DirectoryTarget
from mailwright.storage.ldap.names import Tree
from mailwright.storage.ldap.store import LdapAccountStore
from mailwright.storage.protocol import Clock
from mailwright.storage.sql.engine import Database
from mailwright.storage.sql.locks import Locks


def open_store(
    uri: str,
    *,
    bind_dn: str,
    password: str,
    start_tls: bool,
    ca_file: str,
    timeout: int,
    page_size: int,
    base: str,
    admins: str,
    size: int,
    idle_seconds: float,
    database: Database,
    clock: Clock,
    storage_base: str,
) -> LdapAccountStore:
    """Nothing is connected yet; times are in seconds, ``size`` is how many use it at once."""
    target = DirectoryTarget(uri, bind_dn, password, start_tls, ca_file, timeout, page_size)
    return LdapAccountStore(
        Directory(target, size=size, idle_seconds=idle_seconds),
        tree=Tree(base, admins),
        database=database,
        locks=Locks(database.target, size=size),
        clock=clock,
        storage_base=storage_base,
    )
