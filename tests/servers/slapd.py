"""A private OpenLDAP server with the schema and the rules of `contrib/openldap`."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.servers import require
from tests.servers.ports import HOST, free_port, wait_until_it_is_free
from tests.servers.process import Process, make_folder, remove, run

Value = str | bytes | Sequence[str] | Sequence[bytes]
Entry = dict[str, list[bytes]]

_CONTRIB = Path(__file__).parents[2] / "contrib/openldap"
_SCHEMA_FOLDERS = ("/etc/ldap/schema", "/etc/openldap/schema", "/opt/homebrew/etc/openldap/schema")
_MODULE_FOLDERS = ("/usr/lib/ldap", "/usr/lib/*/openldap", "/usr/lib64/openldap")
_LIMIT = 'limits dn.exact="cn=vmailadmin,@SUFFIX@" size=unlimited time=unlimited\n'
_MEMORY = Path("/dev/shm")

# More entries than this are gone sooner with the database that holds them.
_FEW = 3_000

# The server hangs up on who has more than a thousand questions open.
_AT_ONCE = 500


class Slapd:
    """Start it, then `make_base`; `size_limit` holds for the account that Mailwright binds as.

    `without` names attribute types and classes that this server's schema does not have;
    `mailList.member` leaves an attribute out of one class.
    `read_only_with_referral` is where writes by anybody but the root are sent.
    `in_memory` keeps the data off the disk where the system has a place for that.
    """

    suffix = "dc=example,dc=test"
    base_dn = f"o=domains,{suffix}"
    admin_base_dn = f"o=domainAdmins,{suffix}"
    bind_dn = f"cn=vmailadmin,{suffix}"
    bind_password = "admin-secret"
    reader_dn = f"cn=vmail,{suffix}"
    reader_password = "reader-secret"
    root_dn = f"cn=Manager,{suffix}"
    root_password = "root-secret"

    def __init__(
        self,
        *,
        size_limit: int | None = None,
        without: frozenset[str] = frozenset(),
        tls: bool = False,
        read_only_with_referral: str | None = None,
        in_memory: bool = False,
    ) -> None:
        require.module("ldap")
        slapd = require.program("slapd", "/usr/libexec", "/usr/lib/openldap")
        self._slapadd = require.program("slapadd")
        schema = require.folder("OpenLDAP's schema", *_SCHEMA_FOLDERS)
        modules = require.folder("OpenLDAP's modules", *_MODULE_FOLDERS)
        self.host = HOST
        self.port = free_port()
        self.uri = f"ldap://{self.host}:{self.port}"
        self._tls_port = free_port() if tls else None
        self.tls_uri = f"ldaps://{self.host}:{self._tls_port}" if tls else ""
        self._user = require.run_as("openldap")
        within = _MEMORY if in_memory and _MEMORY.is_dir() else None
        self.folder = make_folder("slapd", self._user, within)
        self.ca_file = self.folder / "ca.pem"
        self._data = self.folder / "data"
        self._make_data_folder()
        for name in ("mailwright.schema", "amavis.schema"):
            text = _leaving_out(without, (_CONTRIB / name).read_text())
            (self.folder / name).write_text(text)
        if tls:
            self._make_certificates()

        text = self._tls_settings() + _without_indexes(without, _limited(size_limit)) + "dbnosync\n"
        if read_only_with_referral:
            text += f'updatedn "{self.root_dn}"\nupdateref {read_only_with_referral}\n'
        for name, value in {
            "SUFFIX": self.suffix,
            "SCHEMA": str(schema),
            "MODULES": str(modules),
            "MAILWRIGHT": str(self.folder),
            "RUN": str(self.folder),
            "DATA": str(self._data),
            "ROOTPW": self.root_password,
        }.items():
            text = text.replace(f"@{name}@", value)
        self._config = self.folder / "slapd.conf"
        self._config.write_text(text)
        self._process = Process(
            # A level keeps it in the foreground; this one is for what is always worth saying.
            [slapd, "-d", "none", "-f", self._config, "-h", f"{self.uri}/ {self.tls_uri}".strip()],
            self.folder,
            self._user,
        )

    # The server

    def start(self) -> None:
        self._process.start(self._ready)

    def stop(self) -> None:
        """Stop the server; the data stays, so that it can be started again on the same port."""
        self._process.stop()
        wait_until_it_is_free(self.port)

    def kill(self) -> None:
        """End it without a word to anybody."""
        os.kill(self._process.pid, signal.SIGKILL)
        self.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop()
        remove(self.folder)

    @property
    def running(self) -> bool:
        return self._process.running

    def log(self) -> str:
        return self._process.output()

    # What is in it: everything here is done as the root.

    def make_base(self) -> None:
        """The top, the two accounts of programs, the containers of domains and of admins."""
        self.add(
            self.suffix,
            {"objectClass": ["organization", "dcObject"], "o": "example", "dc": "example"},
        )
        for dn, password in (
            (self.bind_dn, self.bind_password),
            (self.reader_dn, self.reader_password),
        ):
            name = dn.split(",")[0].removeprefix("cn=")
            self.add(
                dn,
                {
                    "objectClass": ["person", "shadowAccount"],
                    "cn": name,
                    "sn": name,
                    "uid": name,
                    "userPassword": ssha(password),
                },
            )
        for dn in (self.base_dn, self.admin_base_dn):
            name = dn.split(",")[0].removeprefix("o=")
            self.add(dn, {"objectClass": "organization", "o": name})

    def empty(self) -> None:
        """No domain and no admin: as after `make_base`."""
        with self.connect() as connection:
            found = [
                dn for base in (self.base_dn, self.admin_base_dn) for dn in _below(connection, base)
            ]
            if len(found) <= _FEW:
                _delete(connection, found)
                return
        self.stop()
        shutil.rmtree(self._data)
        self._make_data_folder()
        self.start()
        self.make_base()

    def entries(self, base: str | None = None) -> dict[str, Entry]:
        """Every entry at and below the base (the suffix), by `normalised` name; values sorted."""
        ldap = require.module("ldap")
        with self.connect() as connection:
            found = connection.search_s(base or self.suffix, ldap.SCOPE_SUBTREE, "(objectClass=*)")
        return {
            normalised(dn): {name: sorted(values) for name, values in attributes.items()}
            for dn, attributes in found
        }

    def entry(self, dn: str) -> Entry:
        return self.entries(dn)[normalised(dn)]

    def add(self, dn: str, attributes: Mapping[str, Value]) -> None:
        with self.connect() as connection:
            connection.add_s(dn, [(name, _bytes(value)) for name, value in attributes.items()])

    def modify(self, dn: str, modlist: Iterable[tuple[int, str, Value | None]]) -> None:
        """Change an entry; an item is an `ldap.MOD_...`, an attribute, and values or None."""
        with self.connect() as connection:
            connection.modify_s(
                dn,
                [
                    (how, name, None if value is None else _bytes(value))
                    for how, name, value in modlist
                ],
            )

    def replace(self, dn: str, **attributes: Value | None) -> None:
        """Set attributes of an entry; None takes one away."""
        how = require.module("ldap").MOD_REPLACE
        self.modify(dn, [(how, name, value) for name, value in attributes.items()])

    def delete_tree(self, dn: str) -> None:
        with self.connect() as connection:
            _delete(connection, [*_below(connection, dn), dn])

    def load(self, entries: Path | Mapping[str, Mapping[str, Value]]) -> None:
        """Add many entries, parents first, while the server is down; it comes back if it was up."""
        path = self.folder / "load.ldif"
        if isinstance(entries, Path):
            shutil.copyfile(entries, path)
        else:
            _write_ldif(path, entries)
        running = self.running
        self.stop()
        run([self._slapadd, "-q", "-f", self._config, "-l", path], self._user, self.folder)
        path.unlink()
        if running:
            self.start()

    @contextmanager
    def connect(self, dn: str | None = None, password: str | None = None) -> Iterator[Any]:
        """A connection of python-ldap, as the root or whoever is named."""
        ldap = require.module("ldap")
        connection = ldap.initialize(self.uri)
        try:
            connection.set_option(ldap.OPT_NETWORK_TIMEOUT, 5)
            connection.set_option(ldap.OPT_REFERRALS, 0)
            connection.simple_bind_s(dn or self.root_dn, password or self.root_password)
            yield connection
        finally:
            connection.unbind_s()

    def _ready(self) -> bool:
        ldap = require.module("ldap")
        try:
            with self.connect():
                return True
        except (ldap.SERVER_DOWN, ldap.TIMEOUT, ldap.CONNECT_ERROR):
            return False

    # What it is made of

    def _make_data_folder(self) -> None:
        self._data.mkdir(mode=0o700)
        if self._user:
            shutil.chown(self._data, self._user)

    def _tls_settings(self) -> str:
        if self._tls_port is None:
            return ""
        return (
            f"TLSCACertificateFile {self.ca_file}\n"
            f"TLSCertificateFile {self.folder / 'cert.pem'}\n"
            f"TLSCertificateKeyFile {self.folder / 'key.pem'}\n"
        )

    def _make_certificates(self) -> None:
        """An authority of our own, and a certificate of it for the address of the server."""
        request = [
            *(require.program("openssl"), "req", "-x509", "-nodes", "-days", "2"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        ]
        authority = self.folder / "ca-key.pem"
        run(
            [
                *(*request, "-subj", "/CN=Lab authority"),
                *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
                *("-keyout", authority, "-out", self.ca_file),
            ]
        )
        key = self.folder / "key.pem"
        run(
            [
                *(*request, "-subj", "/CN=slapd.lab.test", "-CA", self.ca_file),
                *("-CAkey", authority, "-addext", "basicConstraints=critical,CA:FALSE"),
                *("-addext", f"subjectAltName=DNS:slapd.lab.test,IP:{HOST}"),
                *("-keyout", key, "-out", self.folder / "cert.pem"),
            ]
        )
        if self._user:
            shutil.chown(key, self._user)


def ssha(password: str) -> str:
    salt = os.urandom(8)
    digest = hashlib.sha1(password.encode() + salt, usedforsecurity=False).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()


def normalised(dn: str) -> str:
    """One spelling of a name that is written in several: lower case, one way to escape."""
    dn_module = require.module("ldap.dn")
    name: str = dn_module.dn2str(dn_module.str2dn(dn))
    return name.lower()


def _bytes(value: Value) -> list[bytes]:
    values = [value] if isinstance(value, str | bytes) else value
    return [each.encode() if isinstance(each, str) else each for each in values]


def _below(connection: Any, base: str) -> list[str]:
    found = connection.search_s(
        base, require.module("ldap").SCOPE_SUBTREE, "(objectClass=*)", ["1.1"]
    )
    return [dn for dn, _ in found if normalised(dn) != normalised(base)]


def _delete(connection: Any, names: Iterable[str]) -> None:
    """Delete entries, the deepest first; those of one depth without waiting for each."""

    def depth(dn: str) -> int:
        return -normalised(dn).count(",")

    for _, level in groupby(sorted(names, key=depth), key=depth):
        waiting = list(level)
        while waiting:
            for message in [connection.delete(dn) for dn in waiting[:_AT_ONCE]]:
                connection.result(message)
            del waiting[:_AT_ONCE]


def _write_ldif(path: Path, entries: Mapping[str, Mapping[str, Value]]) -> None:
    with path.open("w") as file:
        writer = require.module("ldif").LDIFWriter(file)
        for dn, attributes in entries.items():
            writer.unparse(dn, {name: _bytes(value) for name, value in attributes.items()})


def _limited(size: int | None) -> str:
    text = (_CONTRIB / "slapd.conf").read_text()
    assert _LIMIT in text
    if size is None:
        return text
    return text.replace(_LIMIT, _LIMIT.replace("unlimited", str(size), 1))


def _leaving_out(names: frozenset[str], schema: str) -> str:
    """The schema of a server that does not know some attributes or classes."""
    kept = []
    for definition in schema.split("\n\n"):
        found = re.search(r"NAME '(\w+)'", definition)
        name = found[1] if found else ""
        if name in names:
            continue
        if not definition.startswith("objectclass"):
            kept.append(definition)
            continue
        head, _, may = definition.partition("MAY (")
        left = [
            attribute
            for attribute in re.findall(r"\w+", may)
            if not {attribute, f"{name}.{attribute}"} & names
        ]
        kept.append(f"{head}MAY ( {' $ '.join(left)} ) )")
    return "\n\n".join(kept) + "\n"


def _without_indexes(names: frozenset[str], config: str) -> str:
    def index(found: re.Match[str]) -> str:
        left = [name for name in found[1].split(",") if name not in names]
        return f"index {','.join(left)} {found[2]}" if left else ""

    return re.sub(r"^index (\S+) (.*)$", index, config, flags=re.MULTILINE)
