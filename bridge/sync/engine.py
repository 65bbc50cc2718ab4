"""One cycle of one pair: resume, read, plan, guard, apply."""

from __future__ import annotations

from bridge.sync import reading, rounds, sending
from bridge.sync.ledger import Clock, Ledger
from bridge.sync.ports import Remote
from bridge.sync.report import Report
from bridge.sync.rounds import Foreseen
from bridge.sync.session import Session

ROUNDS = 3
"""An object that somebody else keeps changing while we write is left to the next cycle."""


def preview(ledger: Ledger, remote: Remote, *, now: Clock) -> Foreseen:
    """Read what is new, and plan it, but write to neither side: what the next cycle will do, as things stand.

    Raises what ``cycle`` raises. What was read stays in the inbox for the cycle to come.
    """
    session = Session(ledger, remote, now, Report())
    reading.read(session)
    return rounds.foresee(session)


def cycle(ledger: Ledger, remote: Remote, *, now: Clock, report: Report | None = None) -> Report:
    """Bring both sides of a pair together.

    May be interrupted anywhere: the next cycle converges to the same state, nothing lost, nothing twice. Raises
    Unreachable, Throttled, NeedsReconnect, CursorLost (twice in one cycle), Refused (for the calendar as a whole) and
    LeaseLost; the ``report`` handed in then tells what was done until there.
    """
    report = Report() if report is None else report
    session = Session(ledger, remote, now, report)
    sending.send_due(session, backfill=False)  # a first sync may take long: the other side is read before it goes on
    reading.read(session)
    for number in range(ROUNDS):
        if not rounds.run(session) and number:
            break
        _send(session)
    return report


def _send(session: Session) -> None:
    """Carry out all that is due. What the hub gets meanwhile is planned between two batches, and goes ahead (R33)."""
    while not sending.send_due(session):
        rounds.run(session)
