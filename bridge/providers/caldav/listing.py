"""Following a calendar: by sync token where the server has RFC 6578, else by its ctag and the ETags of its objects.

A round begins with what has changed (one request, and the only one when nothing has), then fetches that in batches; the
cursor holds what is still to be fetched, so a page may be repeated (R13). Without sync tokens the cursor remembers a digest
of every ETag: fetching a whole calendar anew because one event moved would cost far more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bridge.errors import Refused
from bridge.providers.caldav import cursor as cursors
from bridge.providers.caldav import etags
from bridge.providers.caldav.collection import Collection, Facts
from bridge.providers.caldav.cursor import Cursor
from bridge.providers.caldav.mapping import is_event
from bridge.sync.ports import Page, RemoteItem, Removal

BATCH = 50
"""Objects of a page, and of a multiget: as many as Apple's clients ask for at once."""

LARGEST = 1_000_000
"""Characters of a cursor, which every answer writes. What we write beyond that is noted without its version, and read once more."""

_NEVER = "-"
"""The digest of what has no ETag: it always counts as changed."""


class Listing:
    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self.page_size = BATCH

    def page(self, text: str | None) -> Page:
        """Raises CursorLost; Refused if the calendar is gone; Unreachable for an answer that is not whole (R5)."""
        if text is None:
            return self._fetched(self._begun(), ())
        at = cursors.parse(text)
        if at.todo:
            return self._fetched(at, ())
        return self._by_token(at) if at.known is None else self._by_etags(at, at.known)

    def _begun(self) -> Cursor:
        facts = self._collection.facts()
        if facts.syncs:
            try:
                all_ = self._collection.sync("")
            except Refused:  # promised, but not kept: there is another way
                pass
            else:
                return Cursor(token=all_.token, todo=self._names(all_.changed), more=all_.more, listing=True)
        seen, _ = self._seen()
        # the ctag is older than what was seen, never newer: a change in between is seen once more, not missed
        return Cursor(ctag=facts.ctag, known=seen, todo=tuple(sorted(seen)), listing=True)

    def with_written(self, text: str, versions: Mapping[str, str], *, created: Iterable[str]) -> str:
        # with no version instead of none, for what was noted of it before is true no more
        tag = cursors.digest if len(text) < LARGEST else lambda _: _NEVER
        now = {self._name(id): tag(version) for id, version in versions.items()}
        return cursors.noted(text, written=now, created=map(self._name, created))

    def _by_token(self, at: Cursor) -> Page:
        """What is listed as we wrote it is known; what we created and is not listed at all is looked for (R42)."""
        since = self._collection.sync(at.token)
        listed = {self._name(id): _tag(etag) if etags.is_strong(etag) else _NEVER for id, etag in since.changed.items()}
        told = {*listed, *self._names(since.removed)}
        todo = {name for name, tag in listed.items() if tag == _NEVER or at.written.get(name) != tag}
        unseen = [name for name in at.created if name not in told]
        if not since.more:
            todo.update(unseen)
        after = replace(
            at,
            token=since.token,
            todo=tuple(sorted(todo)),
            more=since.more,
            created=tuple(unseen) if since.more else (),
            written={name: tag for name, tag in at.written.items() if name not in told} if since.more else {},
        )
        return self._fetched(after, [Removal(id) for id in since.removed])

    def _by_etags(self, at: Cursor, known: Mapping[str, str]) -> Page:
        facts = self._collection.facts() if at.ctag else Facts(syncs=False, ctag="")
        if at.ctag and facts.ctag == at.ctag:
            return self._fetched(replace(at, todo=at.created, created=()), ())
        seen, strong = self._seen()
        ours = {**known, **{name: tag for name, tag in at.written.items() if name in strong}}
        news = tuple(sorted(name for name, tag in seen.items() if tag == _NEVER or ours.get(name) != tag))
        # absence is a weaker word than a 404: the engine looks after each before it believes it (R5, R26)
        gone = [Removal(self._id(name), certain=False) for name in sorted({*known, *at.created} - seen.keys())]
        return self._fetched(replace(at, ctag=facts.ctag, known=seen, todo=news, created=(), written={}), gone)

    def _seen(self) -> tuple[dict[str, str], frozenset[str]]:
        """The digest of each ETag by name, and which names have a strong one."""
        listed = {self._name(id): etag for id, etag in self._collection.etags().items()}
        strong = frozenset(name for name, etag in listed.items() if etags.is_strong(etag))
        return {name: _tag(etag) for name, etag in listed.items()}, strong

    def _fetched(self, at: Cursor, removals: Sequence[Removal]) -> Page:
        """The next batch of what is to be fetched."""
        now, later = at.todo[: self.page_size], at.todo[self.page_size :]
        found = self._collection.fetch([self._id(name) for name in now]) if now else {}
        items = [one for one in found.values() if one is not None and is_event(one)]
        shown = {one.id for one in items}
        # gone meanwhile, or no event (any more); of a complete listing it is enough that it does not show them
        gone = [] if at.listing else [Removal(id) for id in found if id not in shown]
        known = at.known and _known(at.known, {self._name(id): one for id, one in found.items()})
        more = bool(later) or at.more
        after = replace(at, todo=later, known=known, listing=at.listing and more)
        return Page(items, [*removals, *gone], after.text(), more)

    def _names(self, ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted({self._name(id) for id in ids}))

    def _name(self, id: str) -> str:
        """What the cursor calls an object: shorter within the collection, whole elsewhere."""
        return id.removeprefix(self._collection.path) if id.startswith(self._collection.path) else id

    def _id(self, name: str) -> str:
        return name if name.startswith("/") else self._collection.member(name)


def _known(known: Mapping[str, str], found: Mapping[str, RemoteItem | None]) -> dict[str, str]:
    """With the versions that were fetched, which may be newer than those that were listed."""
    after = {name: tag for name, tag in known.items() if name not in found}
    return after | {name: _tag(str(one.payload["etag"])) for name, one in found.items() if one is not None}


def _tag(etag: str) -> str:
    return cursors.digest(etags.opaque(etag)) if etag else _NEVER
