"""Whoever comes next finishes what a crash left, and leaves alone what another program made since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mailwright.errors import MailwrightError
from tests.crash.lab import Lab, Picture, difference
from tests.crash.rules import only_readable
from tests.crash.scene import ALL, JANE, NEW, NEWCOMER, NEWS, ORG, PASSWORD, QUIET
from tests.crash.test_every_write import CASES, Case, begin, undisturbed
from tests.servers.slapd import normalised
from tests.stores import Row

# One of each kind of plan, after some of its writes; test_every_write.py has all of them.
EVERY = 3
SOME = (
    "create a domain",
    "remove a domain that has no catch-all",
    "create a user who joins lists",
    "remove a user with few references",
    "rename a user",
    "disable a domain",
    "no catch-all",
)


def domain_of(case: Case) -> str:
    return case.key.rpartition("@")[2]


def without_names(picture: Picture, dn: str) -> Picture:
    """The picture without what the next operation itself changed."""
    return {
        name: {what: value for what, value in row.items() if what != "cn"} if name == dn else row
        for name, row in picture.items()
        if not name.startswith("mailwright_leftovers ")
    }


@pytest.mark.parametrize("name", SOME)
def test_the_next_operation_on_the_domain_finishes_it_first(lab: Lab, name: str) -> None:
    case = CASES[name]
    ends = undisturbed(lab, case)
    domain = domain_of(case)
    dn = normalised(lab.site.domain_dn(domain))
    wanted = [without_names(ends.before, dn), without_names(ends.after, dn)]
    for number in range(1, len(ends.writes) + 1, EVERY):
        begin(lab, case)
        assert lab.run(case.operation, kill_after=number).killed
        next_one = lab.run(("update", "domain", domain, {"name": "Whoever came next"}))
        assert next_one.code in {"", "NO_SUCH_DOMAIN"}
        assert lab.journal == []
        lab.repair()  # of which only the policies of a removed account are left
        found = without_names(lab.picture(), dn)
        left = [difference(found, one) for one in wanted]

        assert {} in left, f"after write {number} ({ends.writes[number - 1]}): {left}"


def crash_in(lab: Lab, case: Case, after: str) -> None:
    """Kill the process right after its first write of this kind, once the plan is being written."""
    begin(lab, case)
    writes = lab.run(case.operation).writes
    plan = next(at for at, write in enumerate(writes) if "mailwright_journal" in write)
    number = next(at for at, write in enumerate(writes, 1) if at > plan and write.startswith(after))
    begin(lab, case)
    assert lab.run(case.operation, kill_after=number).killed
    assert len(lab.journal) == 1


def made_anew(lab: Lab, dn: str, **changed: Any) -> Mapping[str, Row]:
    """Another program makes an entry of this name; everything as it is then."""
    with lab.site.directory.connect() as connection:
        there = dn in lab.site.directory.entries()
        values = lab._kept[dn] if not there else lab.site.directory.entry(dn)
        if there:
            lab.site.directory.delete_tree(dn)
        connection.add_s(dn, list({**values, **changed}.items()))
    return lab.site.snapshot()


def test_a_successor_of_a_removed_user_is_left_alone(lab: Lab) -> None:
    crash_in(lab, CASES["remove a user"], "delete: directory mail=jane@")
    dn = normalised(lab.site.user_dn(JANE))
    successor = made_anew(lab, dn, cn=[b"Another Jane"])
    lab.repair()

    assert lab.site.snapshot()[dn] == successor[dn]
    assert lab.journal == []


def test_a_successor_of_a_user_whose_removal_had_only_begun_is_left_alone(lab: Lab) -> None:
    crash_in(lab, CASES["remove a user"], "modify: directory mail=jane@")
    dn = normalised(lab.site.user_dn(JANE))
    successor = made_anew(lab, dn, cn=[b"Another Jane"])
    lab.repair()

    assert lab.site.snapshot() == successor
    assert lab.journal == []


def test_a_successor_of_a_removed_domain_is_left_alone(lab: Lab) -> None:
    crash_in(
        lab, CASES["remove a domain that has no catch-all"], f"delete: directory domainName={QUIET}"
    )
    dn = normalised(lab.site.domain_dn(QUIET))
    successor = made_anew(lab, dn)
    lab.repair()

    assert lab.site.snapshot() == successor
    assert lab.journal == []


def test_a_successor_of_a_new_user_joins_no_list(lab: Lab) -> None:
    """The plan went by the name alone, and made another program's user a member."""
    crash_in(lab, CASES["create a user who joins lists"], "add: directory")
    dn = normalised(lab.site.user_dn(NEWCOMER))
    successor = made_anew(
        lab, dn, memberOfGroup=[b"crew@example.net"], homeDirectory=[b"/srv/elsewhere/"]
    )
    lab.repair()

    assert lab.site.snapshot() == successor
    members = {
        address: str(lab.site.entry(f"mail={address},ou={branch},{lab.site.domain_dn(ORG)}"))
        for address, branch in ((ALL, "Groups"), (NEWS, "Aliases"))
    }
    assert [] == [address for address, text in members.items() if NEWCOMER in text]


def test_a_domain_whose_removal_was_interrupted_can_be_made_again(lab: Lab) -> None:
    """It waited for its policies to go, they for its entries, and these for somebody to repair."""
    crash_in(lab, CASES["remove a domain that has no catch-all"], "delete: directory mail=")
    lab.site.create("domain", QUIET, name="Begun anew")

    assert "Begun anew" == lab.site.show("domain", QUIET)["name"]
    assert 0 == lab.site.show("domain", QUIET)["existingUsers"]
    assert lab.journal == []


def test_a_name_that_was_taken_meanwhile_ends_a_renaming(lab: Lab) -> None:
    """References had moved to the new name before, and another program's user got the mail."""
    case = CASES["rename a user"]
    begin(lab, case)
    before = lab.picture()
    crash_in(lab, case, "modify: directory mail=jane@")
    dn = lab.site.user_dn(NEW)
    entry = lab.site.directory.entry(lab.site.user_dn("carol@quiet.test"))
    lab.site.directory.add(
        dn, {**entry, "mail": NEW, "uid": "janet", "homeDirectory": "/srv/elsewhere/"}
    )
    lab.repair()
    found = lab.picture()

    assert [name for name in difference(found, before) if not name.startswith("mail=janet@")] == []
    assert lab.journal == []


def test_an_interrupted_change_keeps_what_another_program_added(lab: Lab) -> None:
    """A setting that came between the crash and the repair was overwritten with the old list."""
    case = Case(
        "update", "domain", ORG, {"catchall": "", "quota": "500", "disableDomainProfile": "bcc"}
    )
    crash_in(lab, case, "commit")  # the plan is noted, nothing is done
    dn = lab.site.domain_dn(ORG)
    settings = lab.site.domain(ORG)["accountSetting"]
    lab.site.directory.replace(dn, accountSetting=[*settings, "meanwhile:added"])
    lab.repair()

    assert set(lab.site.domain(ORG)["accountSetting"]) == {
        *settings,
        "meanwhile:added",
        "domainQuota:500:MB",
        "disabledDomainProfile:bcc",
    }


def test_a_change_waits_for_what_cannot_be_finished_now(lab: Lab) -> None:
    """It went ahead, and was undone when the interrupted one was carried out after all."""
    crash_in(lab, CASES["disable a domain"], "modify: directory domainName=example.org")
    with only_readable(lab.site.directory, lab.site.user_dn(JANE)):
        with pytest.raises(MailwrightError) as caught:
            lab.site.update("domain", ORG, accountStatus="active")
        told = lab.repair()

    assert caught.value.code == "DIRECTORY_REFUSED"
    assert told == [f"{ORG}: an interrupted operation stays for now (DIRECTORY_REFUSED)"]
    lab.site.update("domain", ORG, accountStatus="active")
    assert lab.site.domain(ORG)["accountStatus"] == ("active",)
    assert "domainStatus" not in lab.site.user(JANE)
    assert lab.journal == []


def test_passwords_are_never_in_the_journal(lab: Lab) -> None:
    crash_in(lab, CASES["create a user who joins lists"], "add: directory")
    (row,) = lab.journal
    (stored,) = lab.site.user(NEWCOMER)["userPassword"]

    assert stored not in row["plan"]
    assert PASSWORD not in row["plan"]
