"""A private mail server that reads accounts through the files in `contrib/`.

    lab.send("a@example.net", ["jane@example.org"], "hello")
    lab.wait_for_mail("jane@example.org", "secret")

Mail to domains that are not hosted goes to `lab.sink`.
Users must be stored below `lab.storage` (`storagebasedirectory`, `homeDirectory`).
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from email.utils import make_msgid
from pathlib import Path
from typing import NamedTuple
from typing import Protocol as Interface

from tests.mailserver import clients
from tests.mailserver.clients import Protocol, Quota, Server
from tests.mailserver.database import AccountDatabase
from tests.mailserver.directory import AccountDirectory
from tests.mailserver.sink import Sink
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix
from tests.servers.process import make_folder, remove, write_as_of_old

CONTRIB = Path(__file__).parents[2] / "contrib"
MAIL_USER, MAIL_GROUP = "nobody", "nogroup"

# Postfix's queue manager remembers for 30 seconds how it resolved the latest address.
_RESOLVED_FOR = 31.0

_SETTINGS = """
relayhost = {sink}
virtual_transport = lmtp:inet:{lmtp}
"""

_SERVICES = """
dovecot unix - n n - - pipe
  flags=DRhu user={user} argv={lda} -c {config} -f ${{sender}} -d ${{user}}@${{domain}}
"""


_COMPLAINT = re.compile(r"\b(?:error|fatal|panic): |table lookup problem", re.IGNORECASE)


class Reply(NamedTuple):
    """What the server said to a recipient; after DATA that is what it said to the message."""

    code: int
    text: str

    @property
    def accepted(self) -> bool:
        return self.code == 250


class Accounts(Interface):
    """Where accounts are. The files of `engine` read them; `family` says how they are used."""

    family: str
    engine: str
    dictionaries: str

    def share(self) -> None: ...
    def empty(self) -> None: ...
    def placeholders(self) -> dict[str, str]: ...


class Lab:
    def __init__(self, accounts: Accounts, local_delivery: str = "lmtp") -> None:
        """`local_delivery` says what the transport `dovecot` means: `lmtp` or `lda`."""
        self.accounts = accounts
        self.dovecot = Dovecot(MAIL_USER)
        self.postfix = Postfix()
        self.storage = make_folder("mail", MAIL_USER)
        self.sink = Sink()
        self._lmtp = f"lmtp:inet:{self.dovecot.host}:{self.dovecot.lmtp}"
        self._local = self._lmtp if local_delivery == "lmtp" else "dovecot"
        self._latest_send = -_RESOLVED_FOR

    @property
    def database(self) -> AccountDatabase:
        assert isinstance(self.accounts, AccountDatabase)
        return self.accounts

    @property
    def directory(self) -> AccountDirectory:
        assert isinstance(self.accounts, AccountDirectory)
        return self.accounts

    def start(self) -> None:
        self.accounts.share()
        self._configure_dovecot()
        self._configure_postfix()
        self.dovecot.start()
        self.postfix.start()

    def remove(self) -> None:
        self.postfix.remove()
        self.dovecot.remove()
        self.sink.close()
        remove(self.storage)

    def empty(self) -> None:
        """No accounts, no mail, nothing in the queue: as freshly started."""
        if not self.postfix.queue_empty():
            self.postfix.drop_queue()
        self.accounts.empty()
        self.wait(self._mail_removed)
        self.sink.clear()

    def send(
        self,
        sender: str,
        recipients: Sequence[str],
        text: str = "hello",
        login: tuple[str, str] | None = None,
    ) -> dict[str, Reply]:
        """Send over SMTP; `text` becomes subject and body; one reply for each recipient."""
        self._forget_what_was_resolved()
        with smtplib.SMTP(self.postfix.host, self.postfix.port, timeout=15) as client:
            client.ehlo("client.example.net")
            if login:
                client.login(*login)
            code, answer = client.mail(sender)
            if code != 250:
                return dict.fromkeys(recipients, _reply(code, answer))
            replies = {recipient: _reply(*client.rcpt(recipient)) for recipient in recipients}
            if any(reply.accepted for reply in replies.values()):
                verdict = _reply(*client.data(_message(sender, recipients, text).as_bytes()))
                if not verdict.accepted:
                    return dict.fromkeys(recipients, verdict)
        return replies

    def login(
        self,
        protocol: Protocol,
        user: str,
        password: str,
        *,
        tls: bool = False,
        trusted: bool = False,
    ) -> bool:
        """Whether the user is let in. A trusted connection is one from this very host."""
        return clients.login(
            protocol, self._server(protocol), user, password, tls=tls, trusted=trusted
        )

    def inbox(self, user: str, password: str) -> list[EmailMessage]:
        return clients.inbox(self._server("imap"), user, password)

    def subjects(self, user: str, password: str) -> list[str]:
        return sorted(str(message["Subject"]) for message in self.inbox(user, password))

    def quota(self, user: str, password: str) -> Quota:
        return clients.quota(self._server("imap"), user, password)

    def wait(self, condition: Callable[[], object], seconds: float = 15) -> None:
        """Until the condition is true; the logs are in the error if it stays false."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"waited {seconds} s in vain\n{self.logs()}")
            time.sleep(0.03)

    def wait_for_mail(
        self, user: str, password: str, count: int = 1, seconds: float = 15
    ) -> list[EmailMessage]:
        """The inbox once it holds that many messages."""
        found: list[EmailMessage] = []

        def enough() -> bool:
            found[:] = self.inbox(user, password)
            return len(found) >= count

        self.wait(enough, seconds)
        return found

    def wait_for_sink(self, recipient: str, count: int = 1, seconds: float = 15) -> None:
        self.wait(lambda: len(self.sink.to(recipient)) >= count, seconds)

    def settle(self, seconds: float = 15) -> None:
        """Until all mail is where it goes; after that, what is missing will not come."""
        self.wait(self.queue_empty, seconds)

    def queue_empty(self) -> bool:
        return self.postfix.queue_empty()

    def logs(self) -> str:
        return (
            f"--- Postfix\n{self.postfix.log()[-6000:]}\n--- Dovecot\n{self.dovecot.log()[-6000:]}"
        )

    def complaints(self) -> list[str]:
        """What the programs could not do, for instance because a query failed."""
        lines = (self.postfix.log() + self.dovecot.log()).splitlines()
        return [line for line in lines if _COMPLAINT.search(line)]

    def lookup(self, table: str, key: str) -> str | None:
        """What one of Postfix's tables answers: the table's name is that of its file."""
        return self.postfix.lookup(f"{self._maps}/{table}.cf", key)

    @property
    def _maps(self) -> str:
        return f"{self.accounts.engine}:{self.postfix.maps}"

    def _mail_removed(self) -> bool:
        """A process of Dovecot's that is about to end may write a file while we look."""
        for path in self.storage.iterdir():
            remove(path)
        return not any(self.storage.iterdir())

    def _server(self, protocol: Protocol) -> Server:
        if protocol == "smtp":
            return Server(self.postfix.host, self.postfix.port)
        return Server(self.dovecot.host, getattr(self.dovecot, protocol))

    def _forget_what_was_resolved(self) -> None:
        now = time.monotonic()
        if now - self._latest_send < _RESOLVED_FOR:
            self.postfix.reload()
        self._latest_send = now

    def _configure_dovecot(self) -> None:
        placeholders = {
            "MAPS": str(self.dovecot.maps),
            "DRIVER": self.accounts.dictionaries,
            "MAILUSER": MAIL_USER,
            "MAILGROUP": MAIL_GROUP,
        }
        source = CONTRIB / "dovecot"
        self._fill(source / self.accounts.dictionaries, self.dovecot.maps)
        self._fill(source / self.accounts.engine, self.dovecot.maps)
        accounts = source / f"accounts-{self.accounts.family}.conf"
        self.dovecot.configure(
            "".join(_filled(path, placeholders) for path in (accounts, source / "mailwright.conf"))
        )

    def _configure_postfix(self) -> None:
        self._fill(CONTRIB / "postfix" / self.accounts.engine, self.postfix.maps)
        main = CONTRIB / "postfix" / f"main-{self.accounts.family}.cf"
        lmtp = self._lmtp.removeprefix("lmtp:inet:")
        self.postfix.configure(
            _filled(main, {"MAPS": self._maps})
            + _SETTINGS.format(sink=self.sink.nexthop, lmtp=lmtp),
            _SERVICES.format(user=MAIL_USER, lda=self.dovecot.lda, config=self.dovecot.config),
            self.dovecot.folder,
            self.dovecot.auth_socket,
        )

    def _fill(self, source: Path, target: Path) -> None:
        placeholders = {**self.accounts.placeholders(), "LOCAL": self._local}
        for path in source.iterdir():
            write_as_of_old(target / path.name, _filled(path, placeholders))


def _filled(path: Path, placeholders: dict[str, str]) -> str:
    text = path.read_text()
    for name, value in placeholders.items():
        text = text.replace(f"@{name}@", value)
    return text


def _message(sender: str, recipients: Sequence[str], text: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(recipients)
    message["Subject"] = text.partition("\n")[0][:70]
    message["Message-ID"] = make_msgid(domain="client.example.net")
    message.set_content(text)
    return message


def _reply(code: int, text: bytes) -> Reply:
    with contextlib.suppress(UnicodeDecodeError):
        return Reply(code, text.decode())
    return Reply(code, repr(text))
