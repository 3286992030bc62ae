"""`mailwright init` on a directory: what is missing is made, what is there stays."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from mailwright.passwords import verify_password
from mailwright.settings import load
from mailwright.storage.sql.schema import BESIDE_LDAP
from tests.cli.directory import add_programs, as_root, clear, configure
from tests.cli.program import Program, shown_password
from tests.servers.mariadb import MariaDB
from tests.servers.slapd import Slapd, ssha
from tests.storage.made import in_mariadb

pytestmark = pytest.mark.openldap
ADMIN = "root@elsewhere.test"


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    """A server that was just installed."""
    server = Slapd()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def empty(server: Slapd) -> Slapd:
    """Not even the top is there."""
    clear(server)
    return server


@pytest.fixture
def as_rootdn(fresh: Program, empty: Slapd) -> Program:
    """Settings by which the root of the directory is bound as."""
    return configure(fresh, empty, bind_dn=empty.root_dn, bind_password=empty.root_password)


def test_the_first_run_writes_settings_to_be_corrected(fresh: Program) -> None:
    fresh.environment["MAILWRIGHT_LDAP__URI"] = "ldap://127.0.0.1:1"

    status, error = fresh.failure("init", "--backend", "ldap")

    assert 1 == status
    assert error.startswith("BIND_REFUSED: ")
    assert "ldap://127.0.0.1:1 as cn=vmailadmin,dc=example,dc=com" in error
    assert (
        "correct MAILWRIGHT_LDAP__URI in the environment, which wins over "
        f"[ldap] in {fresh.config}, and run init again"
    ) in error
    settings = load(fresh.config, {})
    assert ("ldap", "sqlite") == (settings.storage.backend, settings.ldap.sql_backend)
    assert 'bind_password = ""' in fresh.config.read_text()
    assert [fresh.config] == list(fresh.config.parent.iterdir())  # no databases yet


def test_the_base_of_an_empty_directory_is_built(as_rootdn: Program, empty: Slapd) -> None:
    output = as_rootdn("init", "--admin", ADMIN)

    entries = empty.entries()
    admin = f"mail={ADMIN},{empty.admin_base_dn.lower()}"
    assert {
        "dc=example,dc=test",
        "o=domains,dc=example,dc=test",
        "o=domainadmins,dc=example,dc=test",
        admin,
    } == set(entries)
    assert {
        "objectClass": [b"dcObject", b"organization"],
        "dc": [b"example"],
        "o": [b"example"],
    } == entries["dc=example,dc=test"]
    assert {"objectClass": [b"organization"], "o": [b"domains"]} == entries[empty.base_dn]
    assert f"directory: {empty.base_dn} created" in output


def test_the_first_admin_is_an_entry_of_its_own(as_rootdn: Program, empty: Slapd) -> None:
    before = dt.datetime.now(dt.UTC).date()
    output = as_rootdn("init", "--admin", ADMIN)

    entry = empty.entry(f"mail={ADMIN},{empty.admin_base_dn}")
    (hashed,) = entry.pop("userPassword")
    changed = dt.date(1970, 1, 1) + dt.timedelta(int(entry.pop("shadowLastChange")[0]))
    assert {
        "objectClass": [b"mailAdmin"],
        "mail": [ADMIN.encode()],
        "accountStatus": [b"active"],
        "domainGlobalAdmin": [b"yes"],
    } == entry
    assert before <= changed <= dt.datetime.now(dt.UTC).date()
    assert verify_password(shown_password(output), hashed.decode())
    with closing(as_rootdn.app()) as app, app.store.session() as accounts:
        assert [ADMIN] == list(accounts.global_admins())


def test_a_second_run_changes_nothing(as_rootdn: Program, empty: Slapd) -> None:
    as_rootdn("init", "--admin", ADMIN)
    before, settings = empty.entries(), as_rootdn.config.read_text()

    output = as_rootdn("init", "--admin", "other@elsewhere.test")

    assert (before, settings) == (empty.entries(), as_rootdn.config.read_text())
    assert "password" not in output
    assert f"directory: {empty.base_dn} exists" in output
    assert f"{ADMIN} (exists)" in output
    assert "" == as_rootdn("init", "--quiet")


def test_only_what_is_missing_is_made(as_rootdn: Program, empty: Slapd) -> None:
    empty.add(
        empty.suffix, {"objectClass": ["organization", "dcObject"], "o": "Ours", "dc": "example"}
    )
    empty.add(empty.base_dn, {"objectClass": "organization", "o": "domains", "description": "Mail"})
    before = empty.entries()

    as_rootdn("init", "--admin", ADMIN)

    after = empty.entries()
    assert before == {dn: after[dn] for dn in before}
    assert empty.admin_base_dn.lower() in after


def test_entries_between_the_top_and_the_base_are_made(fresh: Program, empty: Slapd) -> None:
    configure(
        fresh, empty,
        base_dn=f"ou=domains,ou=Mail,{empty.suffix}", bind_dn=empty.root_dn,
        bind_password=empty.root_password, admin_base_dn=f"o=admins,ou=Mail,{empty.suffix}",
    )  # fmt: skip

    fresh("init")

    mail = empty.entry(f"ou=Mail,{empty.suffix}")
    assert {"objectClass": [b"organizationalUnit"], "ou": [b"Mail"]} == mail
    assert fresh.json("check")["sound"]


def test_the_usual_account_need_not_be_able_to_make_the_base(fresh: Program, empty: Slapd) -> None:
    """With the rules of `contrib/openldap` it writes below the containers only."""
    add_programs(empty)
    configure(fresh, empty)
    before = empty.entries()

    status, error = fresh.failure("init")

    assert 1 == status
    assert f"DIRECTORY_REFUSED: {empty.base_dn} is missing" in error
    assert before == empty.entries()
    fresh.environment.update(as_root(empty))
    assert "password:" in fresh("init")
    fresh.environment.clear()
    assert fresh.json("check")["sound"]


def test_an_existing_directory_is_left_as_it_is(fresh: Program, empty: Slapd) -> None:
    """Its iredadmin database gets tables of ours, the directory nothing."""
    add_programs(empty)
    configure(fresh, empty)
    fresh.environment.update(as_root(empty))
    fresh("init", "--admin", ADMIN)
    fresh.environment.clear()
    for path in fresh.config.parent.glob("*.db*"):
        path.unlink()
    before = empty.entries()

    output = fresh("init")

    assert before == empty.entries()
    assert "iredadmin" in output
    assert "tables created" in output
    assert fresh.json("check")["databases"]["iredadmin"]["own_tables"]


@pytest.mark.mariadb
def test_an_iredmail_server_is_taken_over_as_it_is(
    fresh: Program, empty: Slapd, mariadb_server: MariaDB
) -> None:
    """Its settings are imported; the accounts have the rights that iRedMail gives them."""
    empty.make_base()
    empty.add(
        f"mail=boss@elsewhere.test,{empty.admin_base_dn}",
        {
            "objectClass": "mailAdmin",
            "mail": "boss@elsewhere.test",
            "cn": "Boss",
            "accountStatus": "active",
            "domainGlobalAdmin": "yes",
            "userPassword": ssha("Wood-Lark-42"),
            "accountSetting": "unknown:kept",
        },
    )
    imported = [
        'backend = "ldap"',
        f'ldap_uri = "{empty.uri}"',
        f'ldap_basedn = "{empty.base_dn}"',
        f'ldap_domainadmin_dn = "{empty.admin_base_dn}"',
        f'ldap_bind_dn = "{empty.bind_dn}"',
        f'ldap_bind_password = "{empty.bind_password}"',
    ]
    with closing(mariadb_server.connect()) as connection, connection.cursor() as cursor:
        for name in BESIDE_LDAP:
            with in_mariadb(name, mariadb_server, BESIDE_LDAP):
                pass  # somebody else's installation
            rights = "ALL" if name == "iredadmin" else "SELECT, INSERT, UPDATE, DELETE"
            cursor.execute(f"CREATE OR REPLACE USER 'd_{name}'@'%' IDENTIFIED BY 'geheim'")
            cursor.execute(f"GRANT {rights} ON schema_{name}.* TO 'd_{name}'@'%'")
            imported += [
                f'{name}_db_host = "{mariadb_server.host}"',
                f'{name}_db_port = "{mariadb_server.port}"',
                f'{name}_db_name = "schema_{name}"',
                f'{name}_db_user = "d_{name}"',
                f'{name}_db_password = "geheim"',
            ]
    source = fresh.config.parent.with_name("settings.py")
    source.write_text("\n".join(imported))
    fresh("config", "import", str(source), "--output", str(fresh.config))
    before = empty.entries()

    assert fresh.json("check")["sound"]
    output = fresh("init")

    assert before == empty.entries()
    assert 3 == output.count("has tables, left as it is")
    assert "boss@elsewhere.test (exists)" in output
    report = fresh.json("check")
    assert (True, 1) == (report["sound"], report["global_admins"])
    parts = [report["directory"], *report["databases"].values()]
    assert [[]] * 4 == [part["switched_off"] for part in parts]
    fresh("domain", "create", "example.org", "--name", "Example")
    fresh("user", "create", "jane@example.org", "--password", "Wood-Lark-42")
    fresh("user", "update", "jane@example.org", "--add-alias", "j@example.org")
    fresh("user", "delete", "jane@example.org", "--yes")
    fresh("domain", "delete", "example.org", "--yes")
    assert before == empty.entries()


def test_an_admin_of_a_hosted_domain_is_refused(as_rootdn: Program, empty: Slapd) -> None:
    as_rootdn("init", "--admin", ADMIN)
    as_rootdn("domain", "create", "example.org", "--name", "Example")
    empty.delete_tree(f"mail={ADMIN},{empty.admin_base_dn}")

    status, error = as_rootdn.failure("init", "--admin", "boss@example.org")

    assert (1, "CAN_NOT_BE_LOCAL_DOMAIN") == (status, error.partition(":")[0])


@pytest.mark.parametrize(
    ("more", "code", "sentence"),
    [
        ({"bind_password": "wrong"}, "BIND_REFUSED", "correct [ldap] in"),
        ({"bind_password": ""}, "BIND_REFUSED", "correct [ldap] in"),
        (
            {"base_dn": "o=domains,dc=elsewhere,dc=test"},
            "INVALID_CONFIGURATION",
            "no place for o=domains,dc=elsewhere,dc=test; it is for dc=example,dc=test",
        ),
        (
            {"base_dn": "l=domains,dc=example,dc=test"},
            "INVALID_CONFIGURATION",
            "l=domains,dc=example,dc=test is missing and has to be made by hand",
        ),
    ],
)
def test_what_is_wrong_is_said(
    as_rootdn: Program, empty: Slapd, more: dict[str, str], code: str, sentence: str
) -> None:
    root = {"bind_dn": empty.root_dn, "bind_password": empty.root_password}
    configure(as_rootdn, empty, **{**root, **more})

    status, error = as_rootdn.failure("init")

    assert (1, code) == (status, error.partition(":")[0])
    assert sentence in error
    assert empty.root_password not in error


def test_a_wrong_password_of_the_environment_is_looked_for_there(
    as_rootdn: Program, empty: Slapd
) -> None:
    """Nothing is wrong in the file that was named before, and nobody finds it there."""
    configure(as_rootdn, empty)
    wrong = {**as_root(empty), "MAILWRIGHT_LDAP__BIND_PASSWORD": "Wrong-Wren-77"}
    as_rootdn.environment.update(wrong)

    status, error = as_rootdn.failure("init")

    assert (1, "BIND_REFUSED") == (status, error.partition(":")[0])
    assert (
        "correct MAILWRIGHT_LDAP__BIND_DN, MAILWRIGHT_LDAP__BIND_PASSWORD in the environment, "
        f"which win over [ldap] in {as_rootdn.config}, and run init again"
    ) in error
    assert "Wrong-Wren-77" not in error


def test_a_server_without_the_schema_is_named(fresh: Program) -> None:
    server = Slapd(without=frozenset({"mailExternalUser"}))
    try:
        server.start()
        server.make_base()
        configure(fresh, server)

        status, error = fresh.failure("init")
    finally:
        server.remove()

    assert 1 == status
    assert error.startswith("NOT_SUPPORTED: the object class mailExternalUser is missing")


def test_without_python_ldap_the_extra_is_named(fresh: Program) -> None:
    program = (
        "import sys; sys.modules['ldap'] = None\n"
        "from mailwright.cli.main import main\n"
        "main(prog_name='mailwright')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--config", fresh.config, "init", "--backend", "ldap"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert 1 == done.returncode
    assert done.stderr.startswith("INVALID_CONFIGURATION: ")
    assert "pip install 'mailwright[ldap]'" in done.stderr
