"""`mailwright init`: everything that is missing, nothing that is there."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mailwright.app import App
from mailwright.cli.init import generated_password
from mailwright.passwords import PasswordPolicy, verify_any
from mailwright.settings import load, write_toml
from mailwright.storage.sql.catalogue import read
from tests.cli.program import Program, shown_password
from tests.servers.mariadb import MariaDB
from tests.storage.made import in_mariadb

NAMES = ("vmail", "amavisd", "iredapd", "iredadmin")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def empty(request: pytest.FixtureRequest, fresh: Program) -> Program:
    """Settings for four databases that exist and are empty."""
    if request.param == "sqlite":
        return fresh
    server = request.getfixturevalue(f"{request.param}_server")
    databases = {}
    for name in NAMES:
        server.create_database(f"init_{name}")
        databases[name] = {
            "name": f"init_{name}",
            "host": server.host,
            "port": server.port,
            "user": server.superuser,
        }
    backend = "mysql" if request.param == "mariadb" else "postgresql"
    fresh.config.parent.mkdir()
    fresh.config.write_text(write_toml({"storage": {"backend": backend}, "databases": databases}))
    return fresh


def contents(app: App) -> dict[str, Any]:
    """Every row of the tables that init writes to, and the names of all tables."""
    found: dict[str, Any] = {}
    for name, database in app.databases.items():
        database.catalogue = None
        with database.connection() as connection:
            found[name] = read(connection)
    with app.databases["vmail"].connection() as connection:
        found["admins"] = connection.rows('SELECT * FROM "admin"')
        found["grants"] = connection.rows('SELECT * FROM "domain_admins"')
    return found


def test_the_printed_password_is_that_of_a_global_admin(empty: Program) -> None:
    output = empty("init", "--admin", "root@elsewhere.test")

    with closing(empty.app()) as app, app.store.session() as accounts:
        admin = accounts.administrator("root@elsewhere.test")
        assert admin is not None
        assert (True, False) == (admin.is_global, admin.is_mail_user)
        assert verify_any(shown_password(output), admin.passwords)
        assert ["root@elsewhere.test"] == list(accounts.global_admins())


def test_a_second_run_changes_nothing_and_shows_no_password(empty: Program) -> None:
    empty("init", "--admin", "root@elsewhere.test")
    with closing(empty.app()) as app:
        before = contents(app)
        settings = empty.config.read_text()

        output = empty("init", "--admin", "other@elsewhere.test")

        assert before == contents(app)
    assert settings == empty.config.read_text()
    assert "password" not in output
    assert "root@elsewhere.test (exists)" in output


def test_a_quiet_second_run_says_nothing(fresh: Program) -> None:
    assert "password:" in fresh("init", "--quiet")
    assert "" == fresh("init", "--quiet")


def test_an_interrupted_run_is_taken_up_again(fresh: Program) -> None:
    """Settings without databases, as when the power went."""
    fresh.config.parent.mkdir()
    fresh.config.write_text('[storage]\nsqlite_directory = "."\n')
    (fresh.config.parent / "vmail.db").touch()

    assert "password:" in fresh("init", "--quiet")
    assert fresh.json("check")["sound"]


def test_rows_that_every_installation_has_are_there(empty: Program) -> None:
    empty("init")

    with closing(empty.app()) as app:
        with app.databases["amavisd"].connection() as connection:
            assert [(b"@.",)] == [
                (bytes(row[0]),) for row in connection.rows('SELECT "email" FROM "users"')
            ]
        with app.databases["iredapd"].connection() as connection:
            assert [("@.",)] == connection.rows('SELECT "account" FROM "greylisting"')


def test_check_finds_everything_in_order_after_init(empty: Program) -> None:
    empty("init")

    report = empty.json("check")

    assert report["sound"]
    assert {name: [] for name in NAMES} == {
        name: found["switched_off"] for name, found in report["databases"].items()
    }


def test_a_database_with_any_table_is_left_as_it_is(empty: Program) -> None:
    """A mail server's own database is never filled up with tables of ours."""
    empty("init", "--admin", "root@elsewhere.test")
    with closing(empty.app()) as app:
        with app.databases["iredapd"].connection() as connection:
            connection.execute('DROP TABLE "wblist_rdns"')
        before = contents(app)

        output = empty("init")

        assert before == contents(app)
    assert "left as it is" in output


def test_our_own_tables_alone_do_not_make_a_database_somebody_elses(empty: Program) -> None:
    empty("init")
    with closing(empty.app()) as app, app.databases["iredadmin"].connection() as connection:
        for table in ("log", "settings", "tracking", "updatelog", "sessions", "domain_ownership"):
            connection.execute(f'DROP TABLE "{table}"')
        for table in ("newsletter_subunsub_confirms", "deleted_mailboxes"):
            connection.execute(f'DROP TABLE IF EXISTS "{table}"')

    assert "tables created" in empty("init")
    assert empty.json("check")["sound"]


def test_files_and_settings_are_closed_to_others(fresh: Program) -> None:
    old = os.umask(0)
    try:
        fresh("init", "--development")
    finally:
        os.umask(old)

    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (fresh.config.parent, *fresh.config.parent.iterdir())
    }
    assert 0o600 == modes.pop("mailwright.toml")
    assert 0o770 == modes.pop("var")
    assert 0o660 == modes.pop("vmail.db")
    assert {0o600} == set(modes.values())


def test_a_strict_umask_does_not_keep_the_group_out(fresh: Program) -> None:
    old = os.umask(0o077)
    try:
        fresh("init", "--development")
    finally:
        os.umask(old)

    assert 0o660 == stat.S_IMODE((fresh.config.parent / "vmail.db").stat().st_mode)


def test_the_password_is_in_no_file(fresh: Program) -> None:
    password = shown_password(fresh("init", "--development"))

    for path in fresh.config.parent.iterdir():
        content = path.read_bytes()
        assert password.encode() not in content, path
        assert hashlib.sha512(password.encode()).digest() not in content, path


def test_development_settings_open_the_api_on_loopback_only(fresh: Program) -> None:
    fresh("init", "--development")

    settings = load(fresh.config, {})
    assert ("127.0.0.1", True) == (settings.server.host, settings.api.enable_restful_api)
    assert fresh.config.parent == settings.storage.sqlite_directory.resolve()


def test_other_settings_leave_the_api_off(fresh: Program) -> None:
    fresh("init")

    assert not load(fresh.config, {}).api.enable_restful_api


def test_an_admin_of_a_hosted_domain_is_refused(program: Program, app: App) -> None:
    with app.databases["vmail"].transaction() as connection:
        connection.execute('DELETE FROM "domain_admins"')
        connection.execute('DELETE FROM "admin"')

    status, error = program.failure("init", "--admin", "boss@example.org")

    assert 1 == status
    assert error.startswith("CAN_NOT_BE_LOCAL_DOMAIN: ")


@pytest.mark.parametrize("address", ["", "nobody", "a b@c.test", "x@y@z.test", "\x1b[1m@c.test"])
def test_an_admin_needs_an_address(fresh: Program, address: str) -> None:
    status, error = fresh.failure("init", "--admin", address)

    assert (1, "INVALID_MAIL") == (status, error.partition(":")[0])
    assert "\x1b" not in error


def test_another_backend_than_that_of_the_settings_is_refused(fresh: Program) -> None:
    fresh("init")

    status, error = fresh.failure("init", "--backend", "mysql")

    assert 1 == status
    assert "storage.backend is sqlite, not mysql" in error


def test_databases_out_of_reach_are_named_with_the_file_to_correct(fresh: Program) -> None:
    status, error = fresh.failure("init", "--backend", "postgresql")

    assert 1 == status
    assert str(fresh.config) in error
    assert "databases.vmail" in fresh.config.read_text()


def test_the_directory_of_the_settings_has_to_be_writable(fresh: Program, tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where a directory is needed")

    status, error = fresh.failure("init")

    assert 1 == status
    assert "Traceback" not in error


@pytest.mark.parametrize(
    "policy",
    [
        PasswordPolicy(),
        PasswordPolicy(min_length=64),
        PasswordPolicy(min_length=1, max_length=4),
        PasswordPolicy(
            has_letter=False, has_uppercase=False, has_number=False, has_special_char=False
        ),
    ],
)
def test_a_generated_password_satisfies_the_policy(policy: PasswordPolicy) -> None:
    passwords = {generated_password(policy) for _ in range(20)}

    assert {()} == {policy.check(password) for password in passwords}
    assert len(passwords) == 20


def test_an_account_that_may_not_create_tables_is_named(
    mariadb_server: MariaDB, fresh: Program
) -> None:
    """The accounts of an iRedMail server may not, and need not: its databases are not empty."""
    databases = {}
    with closing(mariadb_server.connect()) as connection, connection.cursor() as cursor:
        for name in NAMES:
            mariadb_server.create_database(f"right_{name}")
            rights = "ALL" if name == "iredadmin" else "SELECT, INSERT, UPDATE, DELETE"
            cursor.execute(f"CREATE OR REPLACE USER 'r_{name}'@'%' IDENTIFIED BY 'geheim'")
            cursor.execute(f"GRANT {rights} ON right_{name}.* TO 'r_{name}'@'%'")
            databases[name] = {
                "name": f"right_{name}",
                "host": mariadb_server.host,
                "port": mariadb_server.port,
                "user": f"r_{name}",
                "password": "geheim",
            }
    fresh.config.parent.mkdir()
    fresh.config.write_text(write_toml({"storage": {"backend": "mysql"}, "databases": databases}))

    status, error = fresh.failure("init")

    assert 1 == status
    assert "the tables of the vmail database cannot be created by the account r_vmail" in error
    assert "geheim" not in error


def test_an_existing_server_is_served_with_its_own_rights(
    mariadb_server: MariaDB, fresh: Program
) -> None:
    """No statement but reads and writes in vmail, amavisd and iredapd (SQL reference 1.2)."""
    databases: dict[str, dict[str, object]] = {}
    with closing(mariadb_server.connect()) as connection, connection.cursor() as cursor:
        for name in NAMES:
            with in_mariadb(name, mariadb_server):
                pass  # somebody else's installation
            rights = "ALL" if name == "iredadmin" else "SELECT, INSERT, UPDATE, DELETE"
            cursor.execute(f"CREATE OR REPLACE USER 'e_{name}'@'%' IDENTIFIED BY 'geheim'")
            cursor.execute(f"GRANT {rights} ON schema_{name}.* TO 'e_{name}'@'%'")
            databases[name] = {
                "name": f"schema_{name}",
                "host": mariadb_server.host,
                "port": mariadb_server.port,
                "user": f"e_{name}",
                "password": "geheim",
            }
    fresh.config.parent.mkdir()
    fresh.config.write_text(write_toml({"storage": {"backend": "mysql"}, "databases": databases}))

    assert fresh.json("check")["sound"]
    fresh("domain", "create", "example.org", "--name", "Example")
    fresh("user", "create", "jane@example.org", "--password", "Wood-Lark-42")
    fresh("user", "update", "jane@example.org", "--add-alias", "j@example.org")
    fresh("user", "delete", "jane@example.org", "--yes")
    fresh("domain", "delete", "example.org", "--yes")
    assert 4 == fresh("init").count("has tables, left as it is")
    assert 4 == fresh.json("check")["databases"]["iredadmin"]["own_tables"]


def test_one_table_is_enough_to_be_somebody_elses(fresh: Program) -> None:
    fresh("init")
    with closing(fresh.app()) as app, app.databases["amavisd"].connection() as connection:
        for table in ("wblist", "outbound_wblist", "quarantine", "msgrcpt", "msgs", "maddr"):
            connection.execute(f'DROP TABLE "{table}"')
        for table in ("users", "mailaddr"):
            connection.execute(f'DROP TABLE "{table}"')

    fresh("init")

    with closing(fresh.app()) as app, app.databases["amavisd"].connection() as connection:
        assert {"policy", "sqlite_sequence"} >= set(read(connection))
