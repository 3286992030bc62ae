"""Settings come from a file and the environment, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailwright.errors import ConfigurationError
from mailwright.networks import Networks
from mailwright.settings import Settings, load


def written(directory: Path, text: str) -> Path:
    path = directory / "mailwright.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(directory: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(written(directory, text), environ)
    return caught.value.reason


def test_without_file_and_environment_the_defaults_stand() -> None:
    settings = load(None, {"HOME": "/home/mail", "MAILWRIGHT_TEST_REQUIRE_ALL": "1"})

    assert settings.server == Settings().server
    assert settings.databases.vmail.user == "vmailadmin"
    assert settings.storage.sqlite_directory == Path.cwd() / "var"


def test_a_file_changes_what_it_names_and_leaves_the_rest(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [api]
        enable_restful_api = true
        restful_api_clients = ["192.0.2.0/24", "2001:db8::1"]
        [databases.vmail]
        password = "öffne dich"
        """,
    )

    settings = load(path, {})

    assert settings.path == path
    assert settings.api.enable_restful_api
    assert settings.api.restful_api_clients == Networks(["192.0.2.0/24", "2001:db8::1"])
    assert settings.api.http_status == "semantic"
    assert settings.databases.vmail.password.reveal() == "öffne dich"
    assert settings.databases.vmail.name == "vmail"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "[server]\nworkers = 3\nport = 8081\n")

    settings = load(
        path,
        {
            "MAILWRIGHT_SERVER__WORKERS": "4",
            "MAILWRIGHT_API__ENABLE_RESTFUL_API": "true",
            "MAILWRIGHT_API__RESTFUL_API_CLIENTS": "192.0.2.7, 198.51.100.0/24",
            "MAILWRIGHT_ACCOUNTS__LANGUAGES": "en_US,de_DE",
            "MAILWRIGHT_SERVER__TRUSTED_PROXIES": "",
            "MAILWRIGHT_DATABASES__VMAIL__PASSWORD": "12345",
        },
    )

    assert (settings.server.workers, settings.server.port) == (4, 8081)
    assert settings.api.enable_restful_api
    assert settings.api.restful_api_clients.texts == ("192.0.2.7", "198.51.100.0/24")
    assert settings.accounts.languages == ("en_US", "de_DE")
    assert not settings.server.trusted_proxies
    assert settings.databases.vmail.password.reveal() == "12345"


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("ldap://192.0.2.5", id="plain"),
        pytest.param("ldap://[2001:db8::1]:3389/", id="IPv6 with a port"),
        pytest.param("ldaps://directory.example.org:636", id="TLS"),
        pytest.param("ldapi://%2Frun%2Fslapd%2Fldapi", id="socket"),
    ],
)
def test_a_directory_is_named_in_the_file_and_unlocked_by_the_environment(
    tmp_path: Path, uri: str
) -> None:
    path = written(tmp_path, f'[storage]\nbackend = "ldap"\n[ldap]\nuri = "{uri}"\n')

    settings = load(
        path, {"MAILWRIGHT_LDAP__BIND_PASSWORD": "12345", "MAILWRIGHT_LDAP__PAGE_SIZE": "100"}
    )

    assert ("ldap", uri) == (settings.storage.backend, settings.ldap.uri)
    assert ("12345", 100) == (settings.ldap.bind_password.reveal(), settings.ldap.page_size)
    assert "o=domains,dc=example,dc=com" == settings.ldap.base_dn
    assert "12345" not in repr(settings)


def test_a_relative_sqlite_directory_starts_where_the_file_is(tmp_path: Path) -> None:
    relative = load(written(tmp_path, '[storage]\nsqlite_directory = "data"\n'), {})
    absolute = load(written(tmp_path, '[storage]\nsqlite_directory = "/srv/mail"\n'), {})

    assert relative.storage.sqlite_directory == tmp_path / "data"
    assert absolute.storage.sqlite_directory == Path("/srv/mail")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[server\n", "is not TOML"),
        ("[server]\nworkrs = 3\n", "server.workrs: is not known; did you mean server.workers?"),
        ("[servr]\nworkers = 3\n", "servr: is not known; did you mean server?"),
        ("workers = 3\n", "workers: is not known; did you mean server.workers?"),
        ("[zzz]\n", "zzz: is not known"),
        ("path = '/etc'\n", "path: is not known"),
        (
            "[databases.vmail]\npasword = 'x'\n",
            "databases.vmail.pasword: is not known; did you mean databases.vmail.password?",
        ),
        ("server = 3\n", "server: is a section, not a single setting"),
        ("[server]\nworkers = '3'\n", "server.workers: Expected `int`, got `str` (expected: whole"),
        ("[server]\nworkers = 0\n", "server.workers: Expected `int` >= 1"),
        ("[server]\nport = true\n", "server.port: Expected `int`, got `bool`"),
        ("[server]\nbase_path = 'api/'\n", "server.base_path: does not have the right form"),
        ("[log]\nlevel = 'loud'\n", 'one of "debug", "error", "info", "warning"'),
        ("[server]\ntrusted_proxies = '::1'\n", "server.trusted_proxies: is not a list of texts"),
        ("[server]\ntrusted_proxies = ['home']\n", "server.trusted_proxies: 'home' is not an addr"),
        (
            "[accounts]\nlanguages = ['english']\n",
            "accounts.languages: does not have the right form",
        ),
        (
            "[accounts]\ndefault_language = 'xx_XX'\n",
            "accounts.default_language: is not one of accounts.languages",
        ),
        ("[passwords]\nmax_length = 5\n", "passwords.max_length: is smaller than min_length"),
        (
            "[login]\nfirst_delay_seconds = 400\n",
            "login.max_delay_seconds: is smaller than first_delay_seconds",
        ),
        ("[databases.vmail]\nenabled = false\n", "databases.vmail.enabled: cannot be false"),
        pytest.param(
            "[ldap]\nuri = 'https://192.0.2.5'\n",
            "ldap.uri: does not have the right form, such as ldap://127.0.0.1:389",
            id="scheme",
        ),
        pytest.param(
            "[ldap]\nbase_dn = 'example.org'\n",
            "ldap.base_dn: does not have the right form, such as o=domains,",
            id="dn",
        ),
        pytest.param(
            "[ldap]\nuri = 'ldaps://192.0.2.5'\nstart_tls = true\n",
            "ldap.start_tls: cannot be true with ldaps://",
            id="TLS twice",
        ),
        pytest.param(
            "[storage]\nbackend = 'ldap'\n[passwords]\nscheme = 'ARGON2ID'\n",
            ": passwords.scheme: cannot be ARGON2ID where storage.backend is ldap",
            id="a password that OpenLDAP does not verify",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_file_key_and_reason(
    tmp_path: Path, text: str, expected: str
) -> None:
    reason = refusal(tmp_path, text)

    assert reason.startswith(f"{tmp_path / 'mailwright.toml'}: ")
    assert expected in reason


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("MAILWRIGHT_SERVER__WORKERS", "many", "server.workers: Expected `int`, got `str`"),
        ("MAILWRIGHT_SERVER__WORKERS", "100", "server.workers: Expected `int` <= 64"),
        ("MAILWRIGHT_SERVER__WORKRS", "3", "did you mean MAILWRIGHT_SERVER__WORKERS?"),
        ("MAILWRIGHT_SERVER_WORKERS", "3", "did you mean MAILWRIGHT_SERVER__WORKERS?"),
        ("MAILWRIGHT_QQQ__ZZZ", "3", "qqq.zzz is not known"),
        ("MAILWRIGHT_PASSWORDS__MAX_LENGTH", "3", "passwords.max_length: is smaller than"),
    ],
)
def test_a_wrong_variable_is_refused_with_its_name(
    tmp_path: Path, variable: str, text: str, expected: str
) -> None:
    reason = refusal(tmp_path, "", **{variable: text})

    assert reason.startswith(f"{variable}: ")
    assert expected in reason


def test_variables_that_fit_together_are_taken_together(tmp_path: Path) -> None:
    """Each was checked by itself, in order of name: a maximum of 7 is below the usual minimum."""
    together = {
        "MAILWRIGHT_PASSWORDS__MAX_LENGTH": "7",
        "MAILWRIGHT_PASSWORDS__MIN_LENGTH": "6",
        "MAILWRIGHT_ACCOUNTS__DEFAULT_LANGUAGE": "tl_AA",
        "MAILWRIGHT_ACCOUNTS__LANGUAGES": "en_US,tl_AA",
    }

    settings = load(written(tmp_path, ""), together)

    assert (settings.passwords.min_length, settings.passwords.max_length) == (6, 7)
    assert settings.accounts.default_language == "tl_AA"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"MIN_LENGTH": "9", "MAX_LENGTH": "8", "HAS_NUMBER": "false"},
            "MAILWRIGHT_PASSWORDS__MAX_LENGTH: passwords.max_length: is smaller than min_length",
        ),
        (
            {"MIN_LENGTH": "9", "HAS_NUMBER": "false"},
            "MAILWRIGHT_PASSWORDS__HAS_NUMBER, MAILWRIGHT_PASSWORDS__MIN_LENGTH: "
            "passwords.max_length: is smaller than min_length",
        ),
        (
            {"MIN_LENGTH": "9", "MAX_LENGTH": "many"},
            "MAILWRIGHT_PASSWORDS__MAX_LENGTH: passwords.max_length: Expected `int`",
        ),
    ],
)
def test_variables_that_do_not_fit_together_are_named(
    tmp_path: Path, environ: dict[str, str], expected: str
) -> None:
    """The one to blame, or all of its section where the file or a default gives that one."""
    variables = {f"MAILWRIGHT_PASSWORDS__{name}": text for name, text in environ.items()}

    reason = refusal(tmp_path, "[passwords]\nmax_length = 8\n", **variables)

    assert reason.startswith(expected)


@pytest.mark.parametrize("scheme", ["SSHA512", "BCRYPT"])
def test_passwords_that_openldap_verifies_go_into_a_directory(tmp_path: Path, scheme: str) -> None:
    path = written(tmp_path, f"[passwords]\nscheme = '{scheme}'\n")

    settings = load(path, {"MAILWRIGHT_STORAGE__BACKEND": "ldap"})

    assert scheme == settings.passwords.scheme


def test_a_variable_that_does_not_fit_another_section_is_named(tmp_path: Path) -> None:
    """The file gives what is to blame, and the variable is of another section."""
    reason = refusal(
        tmp_path,
        "[passwords]\nscheme = 'ARGON2ID'\n",
        MAILWRIGHT_STORAGE__BACKEND="ldap",
    )

    assert reason.startswith("MAILWRIGHT_STORAGE__BACKEND: passwords.scheme: cannot be ARGON2ID")


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml: cannot be read: No such file"):
        load(tmp_path / "absent.toml", {})
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="is not UTF-8 text"):
        load(tmp_path / "binary.toml", {})
