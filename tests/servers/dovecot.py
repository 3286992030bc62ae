"""A private Dovecot with LMTP, IMAP, POP3, ManageSieve, and logins for Postfix."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

from tests.servers import require
from tests.servers.ports import HOST, free_port
from tests.servers.process import Process, make_folder, remove, run

_FOLDERS = ("/usr/lib/dovecot", "/usr/libexec/dovecot")

_SETTINGS = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
auth_debug = {debug}
protocols = imap pop3 lmtp sieve
listen = {host}
shutdown_clients = yes

ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
recipient_delimiter = +
postmaster_address = postmaster@mail.lab.test
hostname = dovecot.lab.test

first_valid_uid = 1
mail_fsync = never

default_vsz_limit = 512M

service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
service managesieve-login {{
  inet_listener sieve {{
    port = {sieve}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = {host}
    port = {lmtp}
  }}
}}
service auth {{
  unix_listener {folder}/auth-postfix {{
    mode = 0666
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
# Lets nobody in; spares those who are refused the delay.
passdb {{
  driver = static
  args = noauthenticate=y nodelay=y
}}
{accounts}
"""


def make_certificate(folder: Path, name: str) -> None:
    """A key and a self-signed certificate, `key.pem` and `cert.pem`."""
    run(
        [
            *(require.program("openssl"), "req", "-x509", "-nodes", "-days", "2"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:{HOST}"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
        ]
    )


class Dovecot:
    def __init__(self, mail_user: str) -> None:
        require.root("Dovecot")
        self._program = require.program("dovecot")
        self._doveadm = require.program("doveadm")
        self.lda = require.program("dovecot-lda", *_FOLDERS)
        self.mail_user = mail_user
        self.host = HOST
        self.imap, self.imaps, self.pop3, self.pop3s, self.sieve, self.lmtp = (
            free_port() for _ in range(6)
        )
        self.folder = make_folder("dovecot")
        self.config = self.folder / "dovecot.conf"
        self.auth_socket = self.folder / "auth-postfix"
        self.maps = self.folder / "maps"
        self.maps.mkdir()
        make_certificate(self.folder, "dovecot.lab.test")
        self._log = self.folder / "dovecot.log"
        self._log.touch()
        self._log.chmod(0o666)  # The delivery program writes there too, as the mail's owner.
        self._process = Process(
            [self._program, "-F", "-c", self.config], self.folder, log=self._log
        )

    def configure(self, accounts: str, *, debug: bool = False) -> None:
        """Write the configuration; `accounts` says who may log in and where mail is."""
        self.config.write_text(
            _SETTINGS.format(
                accounts=accounts,
                debug="yes" if debug else "no",
                folder=self.folder,
                host=self.host,
                imap=self.imap,
                imaps=self.imaps,
                pop3=self.pop3,
                pop3s=self.pop3s,
                sieve=self.sieve,
                lmtp=self.lmtp,
            )
        )

    def start(self) -> None:
        self._process.start(self._ready)

    def stop(self) -> None:
        self._process.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop()
        remove(self.folder)

    def doveadm(self, *words: str) -> str:
        return run([self._doveadm, "-c", self.config, *words])

    def log(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            return self._log.read_text(errors="replace")
        return ""

    def _ready(self) -> bool:
        try:
            with socket.create_connection((self.host, self.imap), timeout=5) as connection:
                return connection.recv(4) == b"* OK"
        except OSError:
            return False
