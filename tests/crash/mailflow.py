"""Where mail goes and who gets in, by the look-ups of `contrib` as Postfix and Dovecot would ask them.

Real searches as the account of those programs; see LDAP reference 5.1 and 5.2.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ldap
import ldap.dn
import ldap.filter
from ldap.ldapobject import ReconnectLDAPObject

from tests.servers.slapd import Slapd

CONTRIB = Path(__file__).parents[2] / "contrib"
REFUSED: frozenset[str] = frozenset()
SCOPES = {"one": ldap.SCOPE_ONELEVEL, "sub": ldap.SCOPE_SUBTREE}
DEEPEST = 20
MOST = 1000


class MailFlow:
    """What a mail server on this directory does now."""

    def __init__(self, directory: Slapd) -> None:
        self._directory = directory
        self._connection = ReconnectLDAPObject(directory.uri, retry_max=3, retry_delay=0.1)
        self._connection.simple_bind_s(directory.reader_dn, directory.reader_password)
        self._tables: dict[str, dict[str, str]] = {}
        self._main = _main(CONTRIB / "postfix/main-ldap.cf")
        self._passdb = _filter("pass_filter", CONTRIB / "dovecot/ldap/dovecot-ldap-passdb.conf.ext")
        self._userdb = _filter("user_filter", CONTRIB / "dovecot/ldap/dovecot-ldap-userdb.conf.ext")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.unbind_s()

    def fate(self, address: str) -> frozenset[str]:
        """Where a message to an address ends; nothing if it is refused before it is taken."""
        if not self._is_accepted(address):
            return REFUSED
        copies = self._ask("recipient_bcc_maps", address)
        found: set[str] = set()
        for recipient in (address, *copies):
            for final in self._expanded(recipient):
                found.add(self._end(final))
        return frozenset(found)

    def may_log_in(self, login: str, password: str) -> bool:
        """Whether Dovecot lets somebody in: the look-up, then a bind as what it found."""
        found = self._search(
            self._directory.base_dn, ldap.SCOPE_SUBTREE, _asked(self._passdb, login, "imap")
        )
        if len(found) != 1:
            return False
        try:
            with self._directory.connect(found[0][0], password):
                return True
        except (ldap.INVALID_CREDENTIALS, ldap.NO_SUCH_OBJECT):
            return False

    def may_send_as(self, address: str) -> frozenset[str]:
        """The logins that may use a sender address."""
        return frozenset(self._ask("smtpd_sender_login_maps", address))

    def _is_accepted(self, address: str) -> bool:
        domain = address.rpartition("@")[2]
        if not self._is_local(domain):
            return False
        return bool(
            self._ask("virtual_alias_maps", address)
            or self._ask("virtual_alias_maps", f"@{domain}")
            or self._ask("virtual_mailbox_maps", address)
        )

    def _is_local(self, domain: str) -> bool:
        return bool(self._ask("virtual_mailbox_domains", domain))

    def _expanded(self, address: str) -> set[str]:
        """Postfix's way: in place, further results at the end, an address into itself only once."""
        left, ends, into_themselves = [address], set(), set()
        while left:
            current = left.pop(0)
            for _ in range(DEEPEST):
                if current in into_themselves:
                    break
                found = self._ask("virtual_alias_maps", current) or self._ask(
                    "virtual_alias_maps", f"@{current.rpartition('@')[2]}"
                )
                if not found:
                    break
                if current in found:
                    into_themselves.add(current)
                current, *others = sorted(found)
                left += others
            else:
                ends.add(f"{current} in a circle")
            ends.add(current)
            assert len(left) < MOST, f"{address} leads to too many"
        return ends

    def _end(self, address: str) -> str:
        if not self._is_local(address.rpartition("@")[2]):
            return f"elsewhere {address}"
        found = self._search(
            self._directory.base_dn, ldap.SCOPE_SUBTREE, _asked(self._userdb, address, "lmtp")
        )
        if len(found) != 1:
            return f"nowhere {address}"
        return f"mailbox {found[0][1]['homeDirectory'][0].decode()}"

    def _ask(self, parameter: str, key: str) -> set[str]:
        """The first table of a list that knows a key decides."""
        for name in self._main[parameter]:
            found = self._look_up(name, key)
            if found:
                return found
        return set()

    def _look_up(self, name: str, key: str) -> set[str]:
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = _table(CONTRIB / "postfix/ldap" / name)
        domain = key.rpartition("@")[2] if "@" in key else ""
        if "%d" in table["search_base"] + table["query_filter"] and not domain:
            return set()
        base = table["search_base"].replace("@BASE@", self._directory.base_dn)
        base = base.replace("%d", ldap.dn.escape_dn_chars(domain))
        asked = table["query_filter"].replace("%s", ldap.filter.escape_filter_chars(key))
        asked = asked.replace("%d", ldap.filter.escape_filter_chars(domain))
        wanted = table["result_attribute"]
        return {
            value.decode().lower()
            for _, values in self._search(base, SCOPES[table["scope"]], asked)
            for value in values.get(wanted, ())
        }

    def _search(self, base: str, scope: int, asked: str) -> list[tuple[str, dict[str, Any]]]:
        try:
            found: list[tuple[str, dict[str, Any]]] = self._connection.search_s(base, scope, asked)
        except ldap.NO_SUCH_OBJECT:
            return []
        return found


def _main(path: Path) -> dict[str, list[str]]:
    """Which tables each parameter names, in order."""
    return {name: re.findall(r"@MAPS@/([\w.]+)", text) for name, text in _parameters(path).items()}


def _table(path: Path) -> dict[str, str]:
    return {name: re.sub(r"\s+", "", text) for name, text in _parameters(path).items()}


def _parameters(path: Path) -> dict[str, str]:
    """Postfix's way: a line that begins with a blank goes on with the one before."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\n[ \t]+", " ", "\n".join(lines))
    pairs = (line.split("=", 1) for line in joined.splitlines() if "=" in line)
    return {name.strip(): text.strip() for name, text in pairs}


def _filter(name: str, path: Path) -> str:
    found = re.search(rf"^{name} = (.*)$", path.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def _asked(query: str, login: str, service: str) -> str:
    asked = query.replace("%Ls%Lc", service)
    return asked.replace("%u", ldap.filter.escape_filter_chars(login))
