"""Programs whose accounts are in a directory."""

from __future__ import annotations

from typing import Any

from mailwright.settings import write_toml
from tests.cli.program import Program
from tests.servers import require
from tests.servers.slapd import Slapd


def configure(program: Program, server: Slapd, **more: Any) -> Program:
    """Write settings for a directory, with SQLite beside it."""
    ldap = {
        "uri": server.uri,
        "base_dn": server.base_dn,
        "admin_base_dn": server.admin_base_dn,
        "bind_dn": server.bind_dn,
        "bind_password": server.bind_password,
        **more,
    }
    program.config.parent.mkdir(exist_ok=True)
    program.config.write_text(
        write_toml({"storage": {"backend": "ldap", "sqlite_directory": "."}, "ldap": ldap})
    )
    program.config.chmod(0o600)
    return program


def as_root(server: Slapd) -> dict[str, str]:
    """What the environment says to bind as the root."""
    return {
        "MAILWRIGHT_LDAP__BIND_DN": server.root_dn,
        "MAILWRIGHT_LDAP__BIND_PASSWORD": server.root_password,
    }


def clear(server: Slapd) -> None:
    """Not even the top is left."""
    try:
        server.delete_tree(server.suffix)
    except require.module("ldap").NO_SUCH_OBJECT:
        return


def add_programs(server: Slapd) -> None:
    """The top and the accounts of the programs, which are the operator's."""
    clear(server)
    server.make_base()
    for dn in (server.base_dn, server.admin_base_dn):
        server.delete_tree(dn)
