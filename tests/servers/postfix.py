"""A private Postfix on one loopback port: no DNS, no chroot, no networks of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import smtplib
import time
from pathlib import Path

from tests.servers import require
from tests.servers.ports import HOST, free_port, wait_until_it_is_free
from tests.servers.process import Process, make_folder, remove, run, write_as_of_old

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
{packaged}
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}

myhostname = mx.lab.test
mydomain = lab.test
myorigin = mx.lab.test
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
inet_interfaces = {host}
inet_protocols = ipv4
mynetworks =
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtp_host_lookup = native
lmtp_host_lookup = native
biff = no
append_dot_mydomain = no

in_flow_delay = 0
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
initial_destination_concurrency = 10
smtpd_error_sleep_time = 0
smtpd_client_connection_rate_limit = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
transport_retry_time = 1s
smtp_connect_timeout = 5s

smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_tls_security_level = may
smtpd_tls_chain_files = {certificate}/key.pem, {certificate}/cert.pem
smtpd_tls_auth_only = no
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth_socket}
smtpd_sasl_security_options = noanonymous
smtp_tls_security_level = none
lmtp_tls_security_level = none
"""

# A fresh smtpd for each session: a running one remembers how it resolved an address.
_MASTER = """
{host}:{port} inet n - n - - smtpd -o max_use=1
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

_PACKAGED = (
    *("daemon_directory", "command_directory", "meta_directory", "shlib_directory"),
    *("mail_owner", "setgid_group", "sendmail_path", "newaliases_path", "mailq_path"),
)

_QUEUE_FOLDERS = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming"),
    *("maildrop", "pid", "private", "public", "saved", "trace"),
)

# In the order in which a message may move while we look.
_QUEUED = ("maildrop", "deferred", "incoming", "active", "deferred", "incoming", "active")


class Postfix:
    def __init__(self) -> None:
        require.root("Postfix")
        self._postconf = require.program("postconf")
        self._postqueue = require.program("postqueue")
        self._postmap = require.program("postmap")
        self._postsuper = require.program("postsuper")
        self._daemon = require.program(
            "master", run([self._postconf, "-d", "-h", "daemon_directory"]).strip()
        )
        self.host = HOST
        self.port = free_port()
        self.folder = make_folder("postfix")
        self.etc = self.folder / "etc"
        self.maps = self.etc / "maps"
        self.maps.mkdir(parents=True)
        packaged = run([self._postconf, "-d", *_PACKAGED])
        owner = next(
            line.split()[-1] for line in packaged.splitlines() if line.startswith("mail_owner")
        )
        # `postfix check` would make these folders, and take two seconds over it.
        for name in ("data", *(f"queue/{name}" for name in _QUEUE_FOLDERS)):
            (self.folder / name).mkdir(parents=True)
            shutil.chown(self.folder / name, owner)
        shutil.chown(self.folder / "queue/pid", "root")
        self._packaged = packaged
        # Not `postfix start-fg`, which would be a shell between us and the master.
        master: list[str | Path] = [self._daemon, "-s", "-c", self.etc]
        self._process = Process(master, self.folder, log=self.folder / "postfix.log")

    def configure(self, settings: str, services: str, certificate: Path, auth_socket: Path) -> None:
        """Write the configuration: ours, then the caller's settings and services."""
        main = _MAIN.format(
            folder=self.folder,
            packaged=self._packaged,
            host=self.host,
            certificate=certificate,
            auth_socket=auth_socket,
        )
        master = _MASTER.format(host=self.host, port=self.port)
        write_as_of_old(self.etc / "main.cf", main + settings)
        write_as_of_old(self.etc / "master.cf", master + services)

    def start(self) -> None:
        self._process.start(self._ready)

    def stop(self) -> None:
        """Stop; the daemons end a moment after their master and hold the port until then."""
        self._process.stop()
        wait_until_it_is_free(self.port)

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop()
        remove(self.folder)

    def reload(self) -> None:
        """Make every daemon forget what it has looked up; deliveries under way end first."""
        deadline = time.monotonic() + 5
        while self._holds_mail("incoming", "active") and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(self._process.pid, signal.SIGHUP)

    def lookup(self, table: str, key: str) -> str | None:
        """What a table answers, without the daemons."""
        with contextlib.suppress(RuntimeError):
            return run([self._postmap, "-c", self.etc, "-q", key, table]).strip()
        return None

    def queue(self) -> list[dict[str, object]]:
        lines = run([self._postqueue, "-c", self.etc, "-j"]).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def drop_queue(self) -> None:
        run([self._postsuper, "-c", self.etc, "-d", "ALL"])

    def queue_empty(self) -> bool:
        return not self._holds_mail(*_QUEUED)

    def _holds_mail(self, *queues: str) -> bool:
        queue = self.folder / "queue"
        return any(path.is_file() for name in queues for path in (queue / name).rglob("*"))

    def log(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "postfix.log").read_text(errors="replace")
        return ""

    def _ready(self) -> bool:
        try:
            with smtplib.SMTP(self.host, self.port, timeout=5) as client:
                return client.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False
