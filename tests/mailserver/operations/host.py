"""A lab and an `App` on the same accounts: what the operations write is what the programs read."""

from __future__ import annotations

from typing import Any

import msgspec

from mailwright.settings import Settings
from mailwright.settings.sections import Accounts, Databases
from mailwright.settings.sections import Database as DatabaseSettings
from mailwright.storage.sql.dialect import Dialect
from mailwright.storage.sql.own_tables import migrate
from mailwright.storage.sql.schema import statements
from tests.directory_site import BESIDE, DirectoryPlace, DirectorySite
from tests.mailserver.lab import Lab
from tests.stores import NAMES, Place, Raw, Row, Site

PASSWORD = "Test-Pass1"
OUTSIDE = "friend@example.net"
DOMAIN = "example.org"
JANE = "jane@example.org"
JOHN = "john@example.org"


class Beside(Place):
    """The lab's database as `vmail`, and the other three on the same server or in the same folder."""

    given = "vmail"

    def __init__(self, lab: Lab, server: Any = None) -> None:
        database = lab.database
        self.lab = lab
        super().__init__(
            engine=database.dialect.value,
            dialect=database.dialect,
            folder=database.path.parent if database.dialect is Dialect.SQLITE else None,
            server=server,
            prefix="lab",
        )

    def settings(self) -> Settings:
        settings = super().settings()
        if self.folder is None:
            databases: dict[str, DatabaseSettings] = msgspec.structs.asdict(settings.databases)
            databases["vmail"] = msgspec.structs.replace(
                databases["vmail"], name=self.lab.database.name
            )
            settings = msgspec.structs.replace(settings, databases=Databases(**databases))
        accounts = Accounts(storage_base_directory=str(self.lab.storage))
        return msgspec.structs.replace(settings, accounts=accounts)

    def create(self) -> None:
        for name in NAMES:
            if name == self.given:
                continue
            if self.folder is not None:
                (self.folder / f"{name}.db").touch()
            else:
                self.server.create_database(f"{self.prefix}_{name}")

    def open(self, name: str) -> Raw:
        if name != "vmail" or self.folder is not None:
            return super().open(name)
        return Raw(self.dialect, self.server.connect(self.lab.database.name))


class BesideDirectory(DirectoryPlace):
    """The lab's directory and its `iredadmin`, and the other two in the same folder."""

    given = "iredadmin"

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        super().__init__(lab.directory.server, lab.directory.path.parent)

    def settings(self) -> Settings:
        accounts = Accounts(storage_base_directory=str(self.lab.storage))
        return msgspec.structs.replace(super().settings(), accounts=accounts)

    def create(self) -> None:
        for name in BESIDE:
            if name != self.given:
                (self.lab.directory.path.parent / f"{name}.db").touch()


class Host(Site):
    """What a client of the product does, and then what people outside do with their mail."""

    place: Beside | BesideDirectory
    in_directory = False

    def __init__(self, place: Beside | BesideDirectory, settings: Settings | None = None) -> None:
        super().__init__(place, settings)
        self.lab = place.lab

    def create_tables(self) -> None:
        for name in self.names:
            if name != self.place.given:
                for statement in statements(self.databases[name], self.dialect):
                    self.raw[name].connection.cursor().execute(statement)
        migrate(self.app.databases["iredadmin"])

    def empty(self) -> None:
        self.lab.empty()
        super().empty()

    # What is done past the product

    def add_alias_domain(self, alias: str, target: str = DOMAIN) -> None:
        """With the addresses that the users of the domain have below it."""
        self.insert("alias_domain", alias_domain=alias, target_domain=target)

    def kept_mailbox(self, user: str) -> Row:
        """What is noted about the mailbox of a removed user."""
        (kept,) = self.beside.rows("SELECT * FROM deleted_mailboxes WHERE username = ?", user)
        return kept

    # What a client does

    def add_domain(self, name: str = DOMAIN, **form: str) -> None:
        assert [] == self.create("domain", name, name="Example", **form)

    def add_user(self, address: str, **form: str) -> None:
        assert [] == self.create("user", address, {"password": PASSWORD, **form})

    def change_domain(self, name: str = DOMAIN, **form: str) -> None:
        assert [] == self.update("domain", name, **form)

    def change_user(self, address: str, **form: str) -> None:
        assert [] == self.update("user", address, **form)

    def post(self, *recipients: str, text: str = "hello") -> list[int]:
        """Mail from outside: what SMTP says to each recipient, once everything is where it goes."""
        return self._send(OUTSIDE, recipients, text, None)

    def post_as(self, sender: str, *recipients: str) -> list[int]:
        """Mail from a user who has logged in."""
        return self._send(sender, recipients, "hello", (sender, PASSWORD))

    def _send(
        self, sender: str, recipients: tuple[str, ...], text: str, login: tuple[str, str] | None
    ) -> list[int]:
        replies = self.lab.send(sender, recipients, text, login)
        self.lab.settle()
        return [replies[recipient].code for recipient in recipients]

    def mail_of(self, user: str, password: str = PASSWORD) -> int:
        """How much mail is in the user's inbox."""
        return len(self.lab.inbox(user, password))

    def mail_outside(self, recipient: str) -> int:
        """How much mail the default relay got for an address elsewhere."""
        return len(self.lab.sink.to(recipient))

    def lets_in(self, user: str, password: str = PASSWORD) -> bool:
        """Whether a user gets in over IMAP and over SMTP; both say the same."""
        imap = self.lab.login("imap", user, password, tls=True)
        assert imap == self.lab.login("smtp", user, password, tls=True)
        return imap


class DirectoryHost(DirectorySite, Host):
    """The same where accounts are in OpenLDAP."""

    in_directory = True
    place: BesideDirectory

    def add_alias_domain(self, alias: str, target: str = DOMAIN) -> None:
        super().add_alias_domain(alias, target)
        users = f"ou=Users,{self.domain_dn(target)}".lower()
        for dn, entry in self.directory.entries(users).items():
            if dn != users:
                addresses = [
                    *entry.get("shadowAddress", []),
                    entry["uid"][0] + f"@{alias}".encode(),
                ]
                self.directory.replace(dn, shadowAddress=addresses)
