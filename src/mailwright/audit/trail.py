"""What one try of an operation leaves: records in the chain, and rows in the log of the admin panel.

Accounts and records are in different databases, so the order is what is safe: the record comes first, in
one transaction with the log row, and where the change then does not take effect a second record says so.
A crash in between leaves a record of something that was not done, never the other way round.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from mailwright.audit.chain import Line, write
from mailwright.audit.records import NAME, Outcome, Record, changes_text, moment, short
from mailwright.authz import Action, Actor
from mailwright.errors import MailwrightError, Unavailable
from mailwright.storage.protocol import Clock, Contention
from mailwright.storage.sql.engine import Database
from mailwright.work import Attempt, Note

LOG = logging.getLogger("mailwright")
UNFORESEEN: Final = "INTERNAL_ERROR"
UNWRITABLE: Final = "ERROR_WHILE_QUERYING_DB"


class Trail:
    """Writes on behalf of one actor; ``request`` is the request's id.

    Of a ``stranger`` nobody knows whether they are who they say.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        actor: Actor,
        request: str = "",
        *,
        stranger: bool = False,
    ) -> None:
        self._database = database
        self._clock = clock
        self._actor = actor
        self._role = "" if stranger else actor.role.value
        self._request = actor.request or request
        self._written: list[tuple[Note, Record]] = []

    def write(self, notes: Sequence[Note]) -> None:
        """Record what is about to take effect, and was not recorded yet.

        ``Unavailable`` if that cannot be: then it must not take effect.
        """
        new = notes[len(self._written) :]
        if not new:
            return
        now = self._clock()
        records = [self._record(note, now) for note in new]
        rows = [(note.event, "info", _sentence(note)) for note in new]
        try:
            added = self._add(now, records, rows)
        except Contention:
            raise
        except MailwrightError as error:
            raise Unavailable(
                "the audit record cannot be written, so nothing was changed",
                code=error.code if isinstance(error, Unavailable) else UNWRITABLE,
                detail=error.detail if isinstance(error, Unavailable) else str(error),
            ) from None
        self._written += zip(new, added, strict=True)

    def failed(self, code: str = UNFORESEEN) -> None:
        """What was recorded did not take effect, or not as a whole."""
        written, self._written = self._written, []
        if not written:
            return
        now = self._clock()
        records = [
            msgspec.structs.replace(
                record,
                time=moment(now),
                outcome=Outcome.FAILED.value,
                code=short(code),
                corrects=record.sequence,
                changes="{}",
            )
            for _, record in written
        ]
        rows = [(note.event, "error", f"{_sentence(note)} Failed: {code}.") for note, _ in written]
        self._add_if_possible(now, records, rows)

    def refused(self, attempt: Attempt, code: str) -> None:
        """An attempt was refused.  It stays refused, whether that can be recorded or not."""
        now = self._clock()
        record = msgspec.structs.replace(
            self._record(attempt, now), outcome=Outcome.REFUSED.value, code=short(code)
        )
        subject = attempt.key or attempt.domain or "the whole server"
        sentence = f"Refused to {record.action} {attempt.resource}: {subject} ({code})."
        self._add_if_possible(now, [record], [(record.action, "error", sentence)])

    def _record(self, subject: Note | Attempt, now: dt.datetime) -> Record:
        actor = self._actor
        return Record(
            time=moment(now),
            actor=short(actor.username, NAME),
            role=self._role,
            token=short(actor.token),
            address=short(actor.address),
            channel=short(actor.channel),
            request=short(self._request),
            action="login" if subject.action is Action.SESSION else subject.action.value,
            resource=subject.resource,
            target=short(subject.key, NAME),
            domain=short(subject.domain, NAME),
            outcome=Outcome.DONE.value,
            changes=changes_text(subject.changes) if isinstance(subject, Note) else "{}",
        )

    def _add_if_possible(
        self, now: dt.datetime, records: Sequence[Record], rows: Sequence[tuple[str, str, str]]
    ) -> None:
        try:
            self._add(now, records, rows)
        except MailwrightError as error:
            LOG.error(  # noqa: TRY400 - the words of a driver stay out of the log
                "an outcome could not be recorded: %s",
                error.code,
                extra={
                    "wide": {
                        "outcome": records[0].outcome,
                        "corrects": [record.corrects for record in records],
                        "outcome_code": records[0].code,
                    }
                },
            )

    def _add(
        self, now: dt.datetime, records: Sequence[Record], rows: Sequence[tuple[str, str, str]]
    ) -> list[Record]:
        prefix = "[API] " if self._actor.channel == "api" else ""
        lines = [
            Line(
                time=now,
                admin=record.actor,
                address=record.address,
                domain=record.domain,
                username=record.target if "@" in record.target else "",
                event=event,
                level=level,
                sentence=prefix + sentence,
            )
            for record, (event, level, sentence) in zip(records, rows, strict=True)
        ]
        return write(self._database, records, lines)


def _sentence(note: Note) -> str:
    subject = (
        f"{note.resource} {note.key}" if note.key else f"every {note.resource} of {note.domain}"
    )
    changed = f" ({', '.join(note.fields)})" if note.fields and note.action is Action.UPDATE else ""
    return f"{note.event.capitalize()} {subject}{changed}."
