"""The first part of a cycle: take what is new on the remote into the inbox, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bridge.errors import CursorLost, Gone, Refused, Unmappable, Unreachable
from bridge.sync import guard
from bridge.sync.patience import IN_A_ROW, patiently
from bridge.sync.ports import NamesOccurrences, Page, RemoteItem
from bridge.sync.session import Session, this_one

NOT_SHOWN = (
    "the service does not show one of its events, and what that is a counterpart of cannot be told without it (R16)"
)


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
        if state.phase == "pairing" and any(item.unread for item in page.items):
            raise Unreachable(NOT_SHOWN)
        session.report.pages += 1
        session.report.items += len(page.items) + len(page.removals)
        more = page.more
        if not listing:
            page = _with_occurrences(session, page)
        if listing or page.items or page.removals or page.cursor != cursor:
            with session.ledger.writing() as writing:
                writing.keep_page(page)
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
    return replace(page, items=[*page.items, *session.remote.behind(sorted(strangers))])


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
        versions = {id: link.version for id, link in memory.links_to(doubtful).items()}
    in_vain = 0
    for series in doubtful:
        if gone > allowed:
            return
        try:
            gone += not look(session, series, known=versions.get(series))
        except (Refused, Unmappable):
            pass  # nothing is known of this one; it stays in doubt, and the others go on (R32)
        except Unreachable as error:
            in_vain += 1
            if not error.passing or in_vain == IN_A_ROW:
                raise
            continue
        in_vain = 0


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
    return True


def _version(session: Session, items: Sequence[RemoteItem]) -> str | None:
    """None for what cannot be read: the plan says why."""
    try:
        with this_one():
            return session.remote.lens.read(items).version
    except Unmappable:
        return None
