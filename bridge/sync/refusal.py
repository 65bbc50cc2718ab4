"""The owner's no to a parked plan: nothing of what it would have deleted goes, on either side, and nobody is mailed (R1, R6).

What was deleted here comes back as it last was; what was deleted there is created there anew, without telling its guests. Only
then is the plan made again, and finds nothing to delete. It is all one transaction: of a refusal that broke off, the rest might be
few enough to pass the guard.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

from bridge.errors import InvalidCalendarData, ObjectChanged
from bridge.ical.fields import MASTER, diff, patch
from bridge.sync import guard, guests, reading, rounds
from bridge.sync.identity import creation_key
from bridge.sync.ledger import Clock, Ledger, Link, Writing
from bridge.sync.plan import Case, Rules, Step, plan, seen
from bridge.sync.ports import Remote
from bridge.sync.projection import GUESTS
from bridge.sync.report import Report
from bridge.sync.session import Session
from bridge.sync.standing import again, quarantined

FOREIGN = (
    "its organiser's copy is gone from the other side, and only its organiser can bring it back there: it is kept here"
)
UNTOLD = "its owner does not want its guests told: it goes on when either side is edited"


@dataclass(slots=True)
class Refusal:
    """UIDs, by what becomes of them.

    ``back_here``: deleted here, there again. ``made_there``: deleted there, to be created again. ``only_here``: deleted there, and
    not ours to create again. ``quiet``: sent without telling their guests. ``unsent``: left alone, for that could not be had.
    """

    back_here: list[str] = field(default_factory=list)
    made_there: list[str] = field(default_factory=list)
    only_here: list[str] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)


def refuse(ledger: Ledger, remote: Remote, *, now: Clock) -> Refusal | None:
    """Take the parked plan's deletions back, and its invitations if they are too many. None: nothing is parked.

    The remote is only asked, for what may be gone or may not: what is there still must not be created a second time, and what
    is gone would be deleted later. Without an answer there is no refusal. Raises Unreachable, Throttled, Refused, Unmappable,
    NeedsReconnect and LeaseLost; nothing has changed then, and the plan stays parked.
    """
    session = Session(ledger, remote, now, Report())
    with ledger.reading() as memory:
        if memory.state().parked is None:
            return None
        doubtful = memory.links_to(memory.removed(certain=False))
    for series, link in doubtful.items():
        if link.remote_base is not None:  # the others only note something, and are in nobody's plan
            reading.look(session, series)
    rules, steps = rounds.condemned(session)
    flood = sum(step.mails for step in steps) > guard.FEW
    done = Refusal()
    with ledger.writing() as memory:
        for step in steps:
            if step.deletes == "hub":
                _made_again(memory, step.case, rules, done)
            elif step.deletes == "remote":
                _brought_back(memory, step.case, done)
            elif flood:
                _hushed(memory, step, rules, done)
        memory.hush(done.back_here)
        memory.park(None)
    return done


def _made_again(memory: Writing, case: Case, rules: Rules, done: Refusal) -> None:
    """Its remote object is certainly gone: forget that it was there, so that it is planned as one that was never there.

    Under a key of its own: the service keeps that of the deleted one taken (G-45).
    """
    memory.drop_links([case.uid])
    memory.drop_intents([case.uid])
    memory.settle([case.series] if case.series else [])
    if case.hub is None or rules.direction == "pull":
        done.only_here.append(case.uid)
        return
    if case.home and guests.anothers(case.hub.data, rules.own):
        memory.save_links([quarantined(Link(case.uid), FOREIGN, now=rules.now, retry=False)])  # R3
        done.only_here.append(case.uid)
        return
    key = creation_key(f"{rules.pair}, refused {rules.now.isoformat()}", case.uid, case.hub.revision)
    memory.save_links([Link(case.uid, creation_key=key, dirty=True, decision="hub")])
    done.made_there.append(case.uid)


def _brought_back(memory: Writing, case: Case, done: Refusal) -> None:
    """It was deleted here: put it back as it last was; where history does not reach so far, as the remote has it."""
    memory.drop_intents([case.uid])
    if case.buried is not None:
        with suppress(ObjectChanged, InvalidCalendarData):  # a phone was faster, and has put it back
            memory.put_object(case.uid, None, case.buried, expected=None)
    else:
        memory.drop_links([case.uid])
        if case.remote is not None:
            memory.refresh(case.remote.id, case.remote.items, pending=True)
    done.back_here.append(case.uid)


def _hushed(memory: Writing, step: Step, rules: Rules, done: Refusal) -> None:
    """Sent, but as if its guests knew already; where that cannot be said, it stays unsent."""
    case = step.case
    link = case.link or Link(case.uid)
    if link.hub_base is None or case.hub is None:
        memory.save_links([again(replace(link, quarantine=None, decision="hub"))])
        done.quiet.append(case.uid)
        return
    here = diff(link.hub_base, seen(case.hub.data, rules.lens))
    known = {MASTER, *link.hub_base.overrides}
    told = {path: value for path, value in here.items() if path[1] in GUESTS and path[0] in known}
    quiet = again(replace(link, hub_base=patch(link.hub_base, told)))
    if plan(replace(case, link=quiet), rules).mails:
        memory.save_links([quarantined(link, UNTOLD, now=rules.now, retry=False)])
        memory.drop_intents([case.uid])
        done.unsent.append(case.uid)
    else:
        memory.save_links([quiet])
        done.quiet.append(case.uid)
