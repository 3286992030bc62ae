"""An iRedAdmin settings.py becomes our settings, and is never run."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailwright.errors import ConfigurationError
from mailwright.settings import Ldap, Secret, load
from mailwright.settings_import import import_settings_py, write_toml

REALISTIC = """\
# Settings of a mail server in everyday use.
from libs.default_settings import *

webmaster = "postmaster@example.org"
default_language = "de_DE"
backend = "pgsql"
storage_base_directory = "/srv/mail/vmail2"
default_mta_transport = "lmtp:unix:private/dovecot-lmtp"
min_passwd_length = 0
max_passwd_length = 64

iredadmin_db_host = "192.0.2.5"
iredadmin_db_port = "5432"
iredadmin_db_name = "panel"
iredadmin_db_user = "panel"
iredadmin_db_password = "s3cret \\\\ \\" ü"

vmail_db_host = "192.0.2.5"
vmail_db_port = 5433
vmail_db_name = "accounts"
vmail_db_user = "vmailadmin"
vmail_db_password = "hunter2"

amavisd_enable_logging = False
amavisd_enable_quarantine = True
amavisd_quarantine_port = 9998
iredapd_enabled = False

ENABLE_RESTFUL_API = True
RESTRICT_API_ACCESS = True
RESTFUL_API_CLIENTS = ("127.0.0.1", "192.0.2.0/24")
MAILDIR_HASHED = False
MAILDIR_DOMAIN_HASHED = "no"
MAILDIR_APPEND_TIMESTAMP = True
DEFAULT_PASSWORD_SCHEME = "SSHA"
PASSWORD_HAS_SPECIAL_CHAR = False
SESSION_TIMEOUT = 100
USER_ALIAS_CROSS_ALL_DOMAINS = True
RECIPIENT_DELIMITER = "+"
BRAND_NAME = "hunter3"
"""

DIRECTORY = """\
from libs.default_settings import *

backend = "ldap"
ldap_uri = "ldap://192.0.2.5:389"
ldap_basedn = "o=domains,dc=example,dc=net"
ldap_domainadmin_dn = "o=domainAdmins,dc=example,dc=net"
ldap_bind_dn = "cn=vmailadmin,dc=example,dc=net"
ldap_bind_password = "hunter4"
LDAP_CONN_TRACE_LEVEL = 0

iredadmin_db_host = "192.0.2.5"
iredadmin_db_password = "hunter2"
"""


def test_a_realistic_file_becomes_our_settings() -> None:
    nested, notes = import_settings_py(REALISTIC)

    assert nested["storage"] == {"backend": "postgresql"}
    assert nested["databases"]["vmail"] == {
        "host": "192.0.2.5",
        "port": 5433,
        "name": "accounts",
        "user": "vmailadmin",
        "password": Secret("hunter2"),
    }
    assert nested["databases"]["amavisd"] == {"enabled": True}
    assert nested["databases"]["iredapd"] == {"enabled": False}
    assert nested["api"] == {
        "enable_restful_api": True,
        "restrict_api_access": True,
        "restful_api_clients": ["127.0.0.1", "192.0.2.0/24"],
    }
    assert nested["accounts"] == {
        "storage_base_directory": "/srv/mail/vmail2",
        "default_transport": "lmtp:unix:private/dovecot-lmtp",
        "maildir_hashed": False,
        "maildir_append_timestamp": True,
        "alias_addresses_in_any_domain": True,
        "recipient_delimiter": "+",
        "default_language": "de_DE",
    }
    assert nested["passwords"] == {"min_length": 1, "max_length": 64, "has_special_char": False}
    assert nested["sessions"] == {"idle_minutes": 2}
    assert len(notes) == 5
    assert "hunter" not in repr((nested, notes))


def test_the_notes_name_what_was_left_out() -> None:
    _, notes = import_settings_py(REALISTIC)

    assert {note for note in notes if "has no equal" in note} == {
        "webmaster: has no equal here",
        "amavisd_quarantine_port: has no equal here",
        "brand_name: has no equal here",
    }
    assert any(note.endswith("maildir_domain_hashed is left out") for note in notes)
    assert any(note.endswith("default_password_scheme is left out") for note in notes)


def test_the_settings_of_a_directory_are_taken_over(tmp_path: Path) -> None:
    nested, notes = import_settings_py(DIRECTORY)
    path = tmp_path / "mailwright.toml"
    path.write_text(write_toml(nested), encoding="utf-8")

    assert ["ldap_conn_trace_level: has no equal here"] == notes
    assert "hunter" not in repr((nested, notes))
    settings = load(path, {})
    assert "ldap" == settings.storage.backend
    assert settings.ldap == Ldap(
        uri="ldap://192.0.2.5:389",
        base_dn="o=domains,dc=example,dc=net",
        admin_base_dn="o=domainAdmins,dc=example,dc=net",
        bind_dn="cn=vmailadmin,dc=example,dc=net",
        bind_password=Secret("hunter4"),
        sql_backend="mysql",
    )
    assert "hunter2" == settings.databases.iredadmin.password.reveal()


def test_the_engine_beside_a_directory_is_not_named_for_others() -> None:
    nested, _ = import_settings_py("backend = 'mysql'")

    assert {"storage": {"backend": "mysql"}} == nested


def test_a_certificate_that_was_not_verified_before_is_noted() -> None:
    nested, notes = import_settings_py("ldap_uri = 'ldaps://ldap.example.net'")

    assert {"ldap": {"uri": "ldaps://ldap.example.net"}} == nested
    assert ["ldap_uri: the server's certificate is verified here"] == [
        note.partition(";")[0] for note in notes
    ]


def test_the_written_file_loads_as_the_same_settings(tmp_path: Path) -> None:
    nested, _ = import_settings_py(REALISTIC)
    path = tmp_path / "mailwright.toml"
    path.write_text(write_toml(nested), encoding="utf-8")

    settings = load(path, {})

    assert settings.databases.iredadmin.password.reveal() == 's3cret \\ " ü'
    assert settings.databases.iredadmin.port == 5432
    assert settings.databases.vmail.port == 5433
    assert settings.api.restful_api_clients.texts == ("127.0.0.1", "192.0.2.0/24")
    assert settings.accounts.maildir_hashed is False


def test_a_complete_file_shows_the_other_settings_commented_out(tmp_path: Path) -> None:
    text = write_toml({"server": {"port": 8081}}, complete=True)
    path = tmp_path / "mailwright.toml"
    path.write_text(text, encoding="utf-8")

    assert "\nport = 8081\n" in text
    assert "\n# workers = 2\n" in text
    assert load(path, {}).server.port == 8081


def test_settings_that_would_not_load_are_not_written() -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean server\.port"):
        write_toml({"server": {"prt": 8081}})


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch {marker}')",
        "vmail_db_password = __import__('os').system('touch {marker}')",
        "vmail_db_password = [open('{marker}', 'w') for _ in 'x']",
        "vmail_db_password = f\"{{open('{marker}', 'w')}}\"",
        "import os\nos.system('touch {marker}')",
        "if open('{marker}', 'w'):\n    vmail_db_password = 'x'",
        "def f(x=open('{marker}', 'w')): pass",
        "class C: open('{marker}', 'w')",
        "vmail_db_password: open('{marker}', 'w') = 'a' 'b' + 'c'",
        "vmail_db_password[0] = 3",
        "(vmail_db_password, b) = open('{marker}', 'w')",
    ],
)
def test_code_is_noted_and_never_run(tmp_path: Path, text: str) -> None:
    marker = tmp_path / "marker"

    nested, notes = import_settings_py(text.format(marker=marker))

    assert (nested, bool(notes)) == ({}, True)
    assert not marker.exists()
    assert str(marker) not in "".join(notes)


@pytest.mark.parametrize(
    "text", ["x = (", "\0", "x = " + "(" * 500 + ")" * 500, "x = " + "-" * 200_000 + "1"]
)
def test_what_is_not_python_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"^INVALID_CONFIGURATION: settings\.py: .*Python$"
    ):
        import_settings_py(text)


def test_a_later_computed_value_does_not_leave_the_earlier_one_behind() -> None:
    nested, notes = import_settings_py("backend = 'mysql'\nbackend = get()\n")

    assert nested == {}
    assert notes == ["backend (line 2): is computed; only plain values are read"]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("backend = []", "the backend is neither mysql, pgsql nor ldap; backend is left out"),
        pytest.param(
            "ldap_uri = 'directory'", "ldap.uri: does not have the right form", id="no address"
        ),
        ("vmail_db_password = 7", "databases.vmail.password: is not a text but int"),
        ("min_passwd_length = 9\nmax_passwd_length = 8", "passwords.max_length: is smaller"),
        ("RESTFUL_API_CLIENTS = ['home']", "api.restful_api_clients: 'home' is not an address"),
    ],
)
def test_an_unsuitable_value_is_left_out_with_a_note(text: str, note: str) -> None:
    _, notes = import_settings_py(text)

    assert notes[0].startswith(note)


def test_bare_strings_and_annotations_are_read_like_python_does() -> None:
    nested, notes = import_settings_py('"""About."""\nbackend: str = r"mysql"\na = B = "\\d"\n')

    assert nested == {"storage": {"backend": "mysql"}}
    assert notes == ["a: has no equal here", "b: has no equal here"]


def test_a_scheme_that_openldap_does_not_verify_is_left_out() -> None:
    nested, notes = import_settings_py("default_password_scheme = 'ARGON2ID'\nbackend = 'ldap'\n")

    assert {"backend": "ldap"} == nested["storage"]
    assert "passwords" not in nested
    (note,) = notes
    assert note.startswith("passwords.scheme: cannot be ARGON2ID where storage.backend is ldap")
    assert note.endswith("; default_password_scheme is left out")
