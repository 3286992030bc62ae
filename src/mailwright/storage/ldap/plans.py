"""A plan: what an operation writes, in an order in which every state between is safe.

One write needs nothing more.  Several are written into the journal first, so that a crash is made up for
by repeating them: when the server starts, by ``mailwright repair``, or before the next operation on the
same domain.  See docs/decisions for why the directory's own transactions are not used.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from mailwright.errors import MailwrightError, PartlyDone, Unavailable
from mailwright.storage.ldap.acts import Room, Stop
from mailwright.storage.ldap.rows import Remember
from mailwright.storage.ldap.steps import Step
from mailwright.storage.protocol import Contention
from mailwright.storage.sql.journal import Journal

LOG = logging.getLogger("mailwright")
TRIES = 5  # of a step whose entry another program changes at the same moment
_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[list[Step]] = msgspec.json.Decoder(list[Step])


@dataclass(frozen=True, slots=True)
class Task:
    """One write.

    ``step`` repeats it after a crash; ``run`` does it now, where there is a quicker or a secret way.
    ``was_done`` tells after a lost connection whether the write had arrived.  A ``cache`` may fail.
    The step of a ``secret`` leaves something out, so it does not stand in for ``run``.
    """

    step: Step | None = None
    run: Callable[[Room], None] | None = None
    was_done: Callable[[Room], bool] | None = None
    cache: bool = False
    secret: bool = False

    def do(self, room: Room) -> None:
        """Write."""
        if self.run is not None:
            self.run(room)
        elif self.step is not None:
            self.step.apply(room)


@dataclass(slots=True)
class Plan:
    """Writes in order.

    ``undo`` takes back what was done so far, where an operation that the directory refuses half-way
    should rather not have happened.
    """

    subject: str = ""  # the lock that the operation holds
    tasks: list[Task] = field(default_factory=list)
    undo: list[Step] = field(default_factory=list)

    @property
    def is_journaled(self) -> bool:
        """Whether a crash could leave a part of it."""
        return sum(not task.cache for task in self.tasks) > 1


def carry_out(plan: Plan, journal: Journal, room: Room, now: int) -> None:
    """Write all of a plan.

    ``Contention`` if nothing was written and another try may help.  ``PartlyDone`` if the directory
    failed half-way: the rest is in the journal.
    """
    if not plan.is_journaled:
        for task in plan.tasks:
            _alone(task, room)
        return
    ident = journal.write(plan.subject, _ENCODER.encode(_steps(plan)).decode(), now)
    done: list[Task] = []
    before = room.library.connection.writes
    for task in plan.tasks:
        try:
            _on_the_way(task, room, begun=room.library.connection.writes > before)
        except PartlyDone:
            raise
        except Stop:
            journal.erase(ident)
            # Its entry was made anew since it was read, its new name is another's, or a new entry did not
            # arrive before the connection was lost: nothing is changed.
            raise Contention("another program changed the entry", code="BUSY") from None
        except MailwrightError as error:
            begun = room.library.connection.writes > before
            if begun and not plan.undo:
                raise _partly(error) from None
            try:
                _take_back(plan, room, done, begun=begun)
                journal.erase(ident)
            except MailwrightError:
                raise _partly(error) from None
            raise
        done.append(task)
    try:
        journal.erase(ident)
    except MailwrightError as error:
        # Nothing is left to do, and to do it again changes nothing.
        LOG.warning("a finished plan stays in the journal for now: %s", error.code)


def _steps(plan: Plan) -> list[Step]:
    if any(task.step is None and not task.cache for task in plan.tasks):
        raise RuntimeError("a write among several cannot be repeated")
    return [task.step for task in plan.tasks if task.step is not None]


def repeat(plan: str, room: Room) -> bool:
    """Carry out a plan of the journal once more; whether there was anything left to carry out."""
    room = replace(room, repeated=True)
    try:
        steps = _DECODER.decode(plan)
    except msgspec.MsgspecError:
        raise Unavailable(
            "the journal has a plan of another release", code="UNKNOWN_PLAN"
        ) from None
    for step in steps:
        try:
            step.apply(room)
        except Stop:
            return False
    return True


def _alone(task: Task, room: Room) -> None:
    try:
        task.do(room)
    except Unavailable:
        if task.cache or not room.library.connection.closed:
            raise
    else:
        return
    # The connection was lost: nobody knows whether the write arrived.  The server may be back already.
    room.library.connection.reopen()
    if task.was_done is None:
        raise Contention("the connection to the directory was lost", code="BUSY")
    if not task.was_done(room):
        task.do(room)


def _on_the_way(task: Task, room: Room, *, begun: bool) -> None:
    for _ in range(TRIES):
        try:
            _with_reconnect(task, room)
        except Contention as error:
            if task.step is None or (task.run is not None and not begun):
                raise  # it goes by what was read before, and all of it can be done again
            if task.secret:
                raise _partly(error) from None
            task = replace(task, run=None)
        else:
            return
    _with_reconnect(task, room)


def _with_reconnect(task: Task, room: Room) -> None:
    try:
        task.do(room)
    except Unavailable as error:
        if not room.library.connection.closed:
            raise
        try:
            room.library.connection.reopen()
            if task.step is not None:
                task.step.apply(replace(room, repeated=True))
        except MailwrightError:
            raise _partly(error) from None
        if task.secret:
            raise _partly(error) from None


def _take_back(plan: Plan, room: Room, done: Sequence[Task], *, begun: bool) -> None:
    for task in done:
        if isinstance(task.step, Remember):
            task.step.undo(room)
    if begun:
        for step in plan.undo:
            step.apply(replace(room, repeated=True))


def _partly(error: MailwrightError) -> PartlyDone:
    detail = error.detail if isinstance(error, Unavailable) else error.reason
    LOG.warning("an operation was interrupted: %s", error.code)
    return PartlyDone(
        f"the directory failed half-way ({error.code}); the rest is made up for as soon as it answers",
        detail=detail,
    )
