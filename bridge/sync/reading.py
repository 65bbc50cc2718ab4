"""The first part of a cycle: take what is new on the remote into the inbox, page by page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from bridge.errors import CursorLost, Gone, Refused, Unmappable, Unreachable
from bridge.sync import guard
from bridge.sync.identity import derived_uid
from bridge.sync.ledger import Link, Writing
from bridge.sync.patience import Vain, patiently
from bridge.sync.ports import NamesOccurrences, Page, RecallsWrites, RemoteItem, Removal
from bridge.sync.session import Session, this_one
from bridge.sync.standing import quarantined

NOT_SHOWN = "the service shows others, and answers with an error of its own for this one"


def read(session: Session) -> None:
    """Follow the cursor to its end, or list everything anew where there is none or it was lost (R13).

    Each page and its cursor are one transaction, so a crash resumes between pages. A cursor lost twice in a cycle is left to
    the next one: a service that forgets them faster than we read would keep us here for ever.
    """
    try:
        _follow(session)
    except CursorLost:
        _follow(session, anew=True)
    _confirm(session)


def _follow(session: Session, *, anew: bool = False) -> None:
    with session.ledger.reading() as memory:
        state = memory.state()
    cursor, listing, more = state.remote_cursor, state.listing, True
    if anew or cursor is None:
        cursor, listing = None, True
        with session.ledger.writing() as writing:
            writing.begin_listing()
        session.report.listings += 1
    while more:
        page = _page(session, cursor)
        session.report.pages += 1
        session.report.items += len(page.items) + len(page.removals)
        more = page.more
        if not listing:
            page = _with_occurrences(session, page)
        if state.phase == "pairing":
            page = _without_doubts(session, page)
        if listing or page.items or page.removals or page.unshown or page.cursor != cursor:
            with session.ledger.writing() as writing:
                writing.keep_page(page)
                _note_unshown(writing, page, now=session.now())
        cursor = page.cursor


def _page(session: Session, cursor: str | None) -> Page:
    """The page behind the cursor; it may take many requests: Graph's series are read one by one."""
    return patiently(lambda: session.remote.page(cursor, now=session.now()))


def _with_occurrences(session: Session, page: Page) -> Page:
    """What was removed and is no object of ours may be an occurrence of any series (M-26), or new beyond the window (M-23)."""
    if not page.removals or not isinstance(session.remote, NamesOccurrences):
        return page
    with session.ledger.reading() as memory:
        strangers = memory.unknown({removal.id for removal in page.removals})
    if not strangers:
        return page
    items, unshown = session.remote.behind(sorted(strangers))
    return replace(page, items=[*page.items, *items], unshown=page.unshown | unshown)


def _note_unshown(memory: Writing, page: Page, *, now: dt.datetime) -> None:
    """What is not shown is in doubt, as what was removed perhaps: it is asked for until there is an answer.

    What is new has no link yet: one is made that only notes this.
    """
    linked, pair = memory.links_to(page.unshown), memory.state().key
    new = [Link(derived_uid(pair, id), remote_id=id) for id in sorted(page.unshown - linked.keys())]
    memory.doubt(page.unshown)
    memory.save_links([quarantined(link, NOT_SHOWN, now=now) for link in new])


def _without_doubts(session: Session, page: Page) -> Page:
    """Before pairing is over nothing is linked that could be asked for later, and what is missed is copied (R16).

    Raises Unreachable where the service does not show all.
    """
    if page.unshown:
        raise Unreachable("the service stumbles over one of its events; until it shows all, nothing is paired")
    with session.ledger.reading() as memory:
        doubtful = {each.id for each in page.removals if not each.certain}
        doubtful -= set(memory.unknown(doubtful))
    items, removals = list(page.items), [each for each in page.removals if each.id not in doubtful]
    for id in sorted(doubtful):
        try:
            items += patiently(partial(session.remote.get, id))
        except Gone:
            removals.append(Removal(id))
    return replace(page, items=items, removals=removals)


def _confirm(session: Session) -> None:
    """Look after every removal that may only mean "left the window", or "not in the listing" (R26).

    Once more are gone than the guard lets pass, looking on would change nothing: the plan is parked anyway (R6).
    """
    with session.ledger.reading() as memory:
        doubtful = memory.removed(certain=False)
        if not doubtful:
            return
        state = memory.state()
        approved = state.parked if state.approved else None
        allowed = guard.allowance(memory.link_count(), approved)
        gone = len(memory.removed(certain=True))
        links = memory.links_to(doubtful)
    vain = Vain()
    for series in doubtful:
        link = links[series]
        if gone > allowed:
            return
        if link.retry_at is not None and link.retry_at > session.now():
            continue
        try:
            gone += not look(session, series, known=link.version)
        except (Refused, Unmappable, Unreachable) as error:
            vain.bear(error)  # nothing is known of this one; it stays in doubt, and the others go on (R32)
            with session.ledger.writing() as memory:
                memory.save_links([_left_alone(link, error, now=session.now())])
        else:
            vain.over()


def _left_alone(link: Link, error: Exception, *, now: dt.datetime) -> Link:
    """Asked for again after a while. What waits for a word of its owner goes on doing so."""
    waits = link.quarantine is not None and not link.dirty
    tried = quarantined(link, str(error), now=now)
    return replace(link, attempts=tried.attempts, retry_at=tried.retry_at) if waits else tried


def look(session: Session, series: str, *, known: str | None = None) -> bool:
    """Ask for one object and remember the answer, which is no news in the ``known`` version (R4).

    False: it is certainly no more. Raises Refused, Unmappable and Unreachable.
    """
    try:
        with this_one():
            items = patiently(lambda: session.remote.get(series))
    except Gone:
        with session.ledger.writing() as memory:
            memory.remove(series)
        return False
    news = known is None or _version(session, items) != known
    with session.ledger.writing() as memory:
        memory.refresh(series, items, pending=news)
        recall(session, memory, {items[0].series: items[0].version})
    return True


def recall(session: Session, memory: Writing, versions: Mapping[str, str], *, created: Sequence[str] = ()) -> None:
    """What we have written, or asked for by itself, will be listed and is known already, in this version and no other.

    What is ``created`` its owner may delete before it is listed for the first time, and that is not to be missed (R42).
    """
    if not versions or not isinstance(session.remote, RecallsWrites):
        return
    cursor = memory.state().remote_cursor
    if cursor is not None:
        memory.keep_cursor(session.remote.with_written(cursor, versions, created=created))


def _version(session: Session, items: Sequence[RemoteItem]) -> str | None:
    """None for what cannot be read: the plan says why."""
    try:
        with this_one():
            return session.remote.lens.read(items).version
    except Unmappable:
        return None
