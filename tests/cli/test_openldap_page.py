"""The way of `docs/operate/openldap.md` is gone, block by block, on a server that was just installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.program import Program, shown_password
from tests.cli.test_serve import SERVE, started
from tests.servers import require
from tests.servers.slapd import _MODULE_FOLDERS, _SCHEMA_FOLDERS, Slapd, ssha

pytestmark = pytest.mark.openldap
PAGE = Path(__file__).parents[2] / "docs/operate/openldap.md"
PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def server() -> Iterator[Slapd]:
    """Nothing is in it."""
    server = Slapd()
    try:
        server.start()
        yield server
    finally:
        server.remove()


class Walk:
    """The blocks of the page, with the names of this test's server in them."""

    def __init__(self, server: Slapd, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.config = folder / "mailwright.toml"

    def blocks(self) -> Iterator[tuple[str, str]]:
        section = PAGE.read_text().split("## A new directory", 1)[1].split("\n## ", 1)[0]
        found = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
        for language, written in found:
            text = written
            for page, here in (
                ("dc=example,dc=com", self.server.suffix),
                ("ldap://127.0.0.1:389", self.server.uri),
                ("/etc/mailwright/mailwright.toml", str(self.config)),
                ("the password of cn=vmailadmin", self.server.bind_password),
                ("{SSHA}of-vmailadmin", ssha(self.server.bind_password)),
                ("{SSHA}of-vmail", ssha(self.server.reader_password)),
                (" -W ", f" -w {self.server.root_password} "),
            ):
                text = text.replace(page, here)
            yield language, text

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if "MAILWRIGHT" not in name}
        return subprocess.run(
            ["bash", "-ec", script],
            cwd=self.folder,
            env={**kept, "PATH": f"{PROGRAMS}:{kept['PATH']}"},
            input=f"{self.server.root_password}\n",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def correct(self, block: str) -> None:
        """Put the values of a block into the settings, as with an editor."""
        text = self.config.read_text()
        for name, value in tomllib.loads(block)["ldap"].items():
            text, number = re.subn(rf"(?m)^{name} = .*$", f"{name} = {json.dumps(value)}", text)
            assert 1 == number, name
        self.config.write_text(text)


def test_the_configuration_of_a_server_is_one_that_slapd_takes(tmp_path: Path) -> None:
    """The block for Debian, in folders of this test; packages and owners are the machine's."""
    slapadd = require.program("slapadd")
    schema = require.folder("OpenLDAP's schema", *_SCHEMA_FOLDERS)
    modules = require.folder("OpenLDAP's modules", *_MODULE_FOLDERS)
    script, *others = re.findall(
        r"^```bash\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE
    )
    assert [] == others
    here = {
        "apt-get install slapd ldap-utils\n": "",
        "-o openldap -g openldap ": "",
        "-g openldap ": "",
        "$(slappasswd)": f"'{ssha('Reed-Wren-77')}'",
        "/etc/ldap/schema": str(schema),
        "/usr/lib/ldap": str(modules),
        "/etc/ldap": str(tmp_path),
        "/run/slapd": str(tmp_path),
        "/var/lib/ldap": str(tmp_path / "data"),
        "contrib/openldap": str(PAGE.parents[2] / "contrib/openldap"),
    }
    assert [] == [words for words in here if words not in script]
    script = re.sub("|".join(map(re.escape, here)), lambda found: here[found[0]], script)
    done = subprocess.run(
        ["bash", "-ec", script], capture_output=True, text=True, timeout=60, check=False
    )
    written = tmp_path / "slapd.conf"
    tried = subprocess.run(
        [slapadd, "-f", written, "-l", "/dev/null"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, 0) == (done.returncode, tried.returncode), done.stderr + tried.stderr
    assert not re.search(r"^[^#].*@[A-Z]+@", written.read_text(), re.MULTILINE)
    assert 0o640 == written.stat().st_mode & 0o777
    assert (tmp_path / "data" / "mailwright" / "data.mdb").exists()


def test_the_page_leads_to_a_server_that_works(server: Slapd, tmp_path: Path) -> None:
    require.program("ldapadd")
    walk = Walk(server, tmp_path)
    done: list[subprocess.CompletedProcess[str]] = []
    for language, text in walk.blocks():
        if language == "sh":
            done.append(walk.run(text))
        elif language == "toml":
            walk.correct(text)
        elif language == "ldif":
            (tmp_path / "programs.ldif").write_text(text)

    assert [1, 0, 0, 0] == [each.returncode for each in done], [each.stderr for each in done]
    first, base, _, begun = done
    assert f"correct [ldap] in {walk.config} and run init again" in first.stderr
    assert "directory  answers" in begun.stdout
    for part in ("Broken", "Switched off", "unprotected"):
        assert part not in begun.stdout
    assert "example.org created" in begun.stdout
    assert begun.stdout.endswith("jane@example.org created\nnothing was interrupted\n")

    program = Program(walk.config)
    more = {"MAILWRIGHT_API__ENABLE_RESTFUL_API": "true"}
    with started(program, SERVE, **more) as api:
        api.wait()
        password = shown_password(base.stdout)
        api.call("POST", "/api/login", username="admin@mailwright.internal", password=password)
        api.call("POST", "/api/domain/example.net", name="Net", defaultQuota="512")
        api.call("POST", "/api/user/john@example.net", name="John Roe", password="Reed-Wren-77")
        john = api.call("GET", "/api/user/john@example.net")["_data"]

    assert ("John Roe", 512, "active") == (john["name"], john["quota"], john["accountStatus"])
    jane = f"mail=jane@example.org,ou=Users,domainName=example.org,{server.base_dn}"
    with server.connect(jane, "Wood-Lark-42") as connection:
        assert f"dn:{jane}".lower() == connection.whoami_s().lower()
    assert "nothing was interrupted\n" == program("repair")
