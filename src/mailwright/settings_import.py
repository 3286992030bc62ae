"""Settings from the ``settings.py`` of an existing iRedAdmin or iRedAdmin-Pro.

The file is parsed and never executed: only plain values (texts, numbers, lists) are taken.
What cannot be taken is noted by name alone, because any value may be a secret.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from mailwright.errors import ConfigurationError
from mailwright.settings import Secret, Settings, overlaid, write_toml

__all__ = ["import_settings_py", "write_toml"]

_BACKENDS: Final = {"mysql": "mysql", "pgsql": "postgresql", "ldap": "ldap"}
_SCHEMES: Final = ("SSHA512", "BCRYPT", "ARGON2ID")
_AMAVISD_SWITCHES: Final = (
    "amavisd_enable_logging",
    "amavisd_enable_quarantine",
    "amavisd_enable_policy_lookup",
)


def import_settings_py(text: str) -> tuple[dict[str, Any], list[str]]:
    """Our nested settings, and notes on what was left out or understood differently."""
    found, notes = _assignments(text)
    nested: dict[str, Any] = {}
    checked = Settings()
    for name, (key, understood) in _KNOWN.items():
        if name not in found:
            continue
        try:
            addition = _nest(key, understood(found.pop(name)))
            checked = overlaid(checked, addition, source=name, key="")
        except (_Unsuitable, ConfigurationError) as problem:
            reason = problem.reason if isinstance(problem, ConfigurationError) else str(problem)
            notes.append(f"{reason.removeprefix(f'{name}: ')}; {name} is left out")
        else:
            _merge(nested, addition)
    switches = [found.pop(name) for name in _AMAVISD_SWITCHES if name in found]
    if switches:
        _merge(nested, _nest("databases.amavisd.enabled", any(switches)))
    if nested.get("storage") == {"backend": "ldap"}:
        # Beside its directory iRedMail only ever installs MariaDB.
        _merge(nested, _nest("ldap.sql_backend", "mysql"))
    if nested.get("ldap", {}).get("uri", "").startswith("ldaps:"):
        notes.append(
            "ldap_uri: the server's certificate is verified here; "
            "name its authority in ldap.ca_file if the system does not know it"
        )
    notes += [f"{name}: has no equal here" for name in found]
    return nested, notes


class _Unsuitable(ValueError):
    """A known setting has a value that has no equal here."""


def _backend(value: object) -> object:
    if not isinstance(value, str) or value not in _BACKENDS:
        raise _Unsuitable("the backend is neither mysql, pgsql nor ldap")
    return _BACKENDS[value]


def _scheme(value: object) -> object:
    if not isinstance(value, str) or value.upper() not in _SCHEMES:
        raise _Unsuitable(
            f"new passwords are hashed with one of {', '.join(_SCHEMES)}, and old ones stay valid"
        )
    return value.upper()


def _at_least_one(value: object) -> object:
    return 1 if value == 0 and value is not False else value


def _minutes(value: object) -> object:
    return max(1, -(-value // 60)) if isinstance(value, int) else value


def _list(value: object) -> object:
    return list(value) if isinstance(value, (tuple, set)) else value


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value) else value


def _secret(value: object) -> object:
    return Secret(value) if isinstance(value, str) else value


def _as_it_is(value: object) -> object:
    return value


_Row = tuple[str, Callable[[object], object]]

_PLACES: Final[Mapping[str, str]] = {
    "ldap_uri": "ldap.uri",
    "ldap_basedn": "ldap.base_dn",
    "ldap_domainadmin_dn": "ldap.admin_base_dn",
    "ldap_bind_dn": "ldap.bind_dn",
    "iredapd_enabled": "databases.iredapd.enabled",
    "enable_restful_api": "api.enable_restful_api",
    "restrict_api_access": "api.restrict_api_access",
    "storage_base_directory": "accounts.storage_base_directory",
    "default_mta_transport": "accounts.default_transport",
    "maildir_hashed": "accounts.maildir_hashed",
    "maildir_prepend_domain": "accounts.maildir_prepend_domain",
    "maildir_append_timestamp": "accounts.maildir_append_timestamp",
    "maildir_domain_hashed": "accounts.maildir_domain_hashed",
    "mailbox_format": "accounts.mailbox_format",
    "mailbox_folder": "accounts.mailbox_folder",
    "user_alias_cross_all_domains": "accounts.alias_addresses_in_any_domain",
    "recipient_delimiter": "accounts.recipient_delimiter",
    "default_language": "accounts.default_language",
    "password_has_letter": "passwords.has_letter",
    "password_has_uppercase": "passwords.has_uppercase",
    "password_has_number": "passwords.has_number",
    "password_has_special_char": "passwords.has_special_char",
    "require_domain_ownership_verification": "ownership.required",
    "domain_ownership_verify_code_prefix": "ownership.code_prefix",
    "domain_ownership_verify_timeout": "ownership.timeout_seconds",
    "domain_ownership_expire_days": "ownership.expire_days",
}


def _known() -> Iterator[tuple[str, _Row]]:
    yield "backend", ("storage.backend", _backend)
    for database in ("vmail", "amavisd", "iredapd", "iredadmin"):
        yield f"{database}_db_port", (f"databases.{database}.port", _number)
        for part in ("host", "name", "user"):
            yield f"{database}_db_{part}", (f"databases.{database}.{part}", _as_it_is)
        yield f"{database}_db_password", (f"databases.{database}.password", _secret)
    for name, key in _PLACES.items():
        yield name, (key, _as_it_is)
    yield "ldap_bind_password", ("ldap.bind_password", _secret)
    yield "restful_api_clients", ("api.restful_api_clients", _list)
    yield "session_timeout", ("sessions.idle_minutes", _minutes)
    yield "default_password_scheme", ("passwords.scheme", _scheme)
    yield "min_passwd_length", ("passwords.min_length", _at_least_one)
    yield "max_passwd_length", ("passwords.max_length", _as_it_is)


_KNOWN: Final[Mapping[str, _Row]] = dict(_known())


def _assignments(text: str) -> tuple[dict[str, object], list[str]]:
    """Every plain value by lower-case name, the last one winning, and notes on all else."""
    found: dict[str, object] = {}
    notes: list[str] = []
    for statement in _parsed(text).body:
        match statement:
            case ast.ImportFrom(module="libs.default_settings") | ast.Expr(value=ast.Constant()):
                continue
            case ast.Assign(targets=targets, value=value) if all(
                isinstance(target, ast.Name) for target in targets
            ):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                names = [name]
            case _:
                notes.append(f"line {statement.lineno}: is not a plain setting, and is not read")
                continue
        for name in names:
            try:
                found[name.lower()] = ast.literal_eval(value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                found.pop(name.lower(), None)
                notes.append(
                    f"{name} (line {statement.lineno}): is computed; only plain values are read"
                )
    return found, notes


def _parsed(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as problem:
        message = f"settings.py: line {problem.lineno}: is not Python"
    except (ValueError, MemoryError, RecursionError):
        message = "settings.py: is not Python"
    raise ConfigurationError(message)


def _nest(key: str, value: object) -> dict[str, Any]:
    nested: Any = value
    for name in reversed(key.split(".")):
        nested = {name: nested}
    return dict(nested)


def _merge(into: dict[str, Any], addition: Mapping[str, Any]) -> None:
    for name, value in addition.items():
        if isinstance(value, dict):
            _merge(into.setdefault(name, {}), value)
        else:
            into[name] = value
