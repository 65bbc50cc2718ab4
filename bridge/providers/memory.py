"""The reference provider: a calendar service in this process that keeps the port's promises and nothing else.

It documents ``bridge.sync.ports`` by being the shortest thing that satisfies it, and it stands for an unruly service where the
sync is tested: small pages, forgotten cursors, answers that get lost, bodies rewritten on the way in. ``MemoryCalendar`` is
the service with its owner in front of it, ``MemoryRemote`` is how the bridge reaches it.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import ClassVar

from bridge.errors import BridgeError, CursorLost, Gone, Refused, Unmappable, VersionMismatch
from bridge.ical.fields import Change, EventFields, ObjectFields, TodoFields, from_json, to_json
from bridge.ical.recurrence import normalize
from bridge.sync import guests
from bridge.sync.ports import Channel, New, ObjectKind, Page, RemoteCalendar, RemoteItem, RemoteObject, Removal

EVENT_FIELDS = frozenset(each.name for each in fields(EventFields)) - {"when"}

WRITES = ("create", "update", "delete")


def _keep(event: EventFields) -> EventFields:
    return event


@dataclass(frozen=True, slots=True)
class MemoryLens:
    """Sees the fields named in ``holds``, and every object but those that ``refuses`` names a reason against."""

    component: ClassVar[ObjectKind] = "VEVENT"
    holds: frozenset[str] = EVENT_FIELDS
    refuses: Callable[[ObjectFields], str | None] = lambda _: None

    def view(self, fields: ObjectFields) -> ObjectFields:
        if reason := self.refuses(fields):
            raise Unmappable(reason)
        overrides = {key: self._reduced(event) for key, event in fields.overrides.items()}
        return normalize(replace(fields, master=self._reduced(fields.event), overrides=overrides))

    def read(self, items: Sequence[RemoteItem]) -> RemoteObject:
        (item,) = items
        payload = item.payload
        return RemoteObject(
            id=item.id,
            version=item.version,
            uid=payload["uid"],
            creation_key=payload["key"],
            fields=self.view(from_json(payload["fields"])),
            updated=dt.datetime.fromisoformat(payload["updated"]),
            organized_elsewhere=payload["organized_elsewhere"],
            items=tuple(items),
        )

    def restore(self, change: Change, hub: ObjectFields) -> Change:  # noqa: ARG002 - nothing is lost, so nothing is restored
        return change

    def _reduced(self, event: EventFields) -> EventFields:
        return EventFields(event.when, **{name: getattr(event, name) for name in self.holds})


@dataclass(frozen=True, slots=True)
class MemoryTodoLens(MemoryLens):
    """Sees to-dos, and which of them is a part of which one."""

    component: ClassVar[ObjectKind] = "VTODO"
    nests: ClassVar[bool] = True

    def view(self, fields: ObjectFields) -> ObjectFields:
        return ObjectFields(fields.todo)


@dataclass(slots=True)
class _Kept:
    """One object of the service; ``fields`` None: deleted, though its id and its creation key stay taken (G-45)."""

    id: str
    uid: str
    key: str
    changed: int
    updated: dt.datetime
    fields: ObjectFields | None
    organized_elsewhere: bool = False

    @property
    def item(self) -> RemoteItem:
        if self.fields is None:
            raise Gone("deleted", status=410)
        payload = {
            "uid": self.uid,
            "key": self.key,
            "updated": self.updated.isoformat(),
            "organized_elsewhere": self.organized_elsewhere,
            "fields": to_json(self.fields),
        }
        return RemoteItem(self.id, self.id, str(self.changed), payload)


@dataclass(frozen=True, slots=True)
class _Fault:
    error: Exception
    after_effect: bool


@dataclass
class MemoryCalendar:
    """The service itself, its owner's hands (``add``, ``edit``, ``remove``) and the screws by which it turns unruly.

    ``clock`` gives aware UTC. ``rewrite`` is what the service does to a component that the bridge writes (R20). ``requests``
    counts by the names of the port's methods, the parts of a batch as ``create``; the owner's own doings are not counted.
    ``deliver`` takes (address, channel id, secret) of a push notification. ``mails`` are the guests who were sent one.
    """

    clock: Callable[[], dt.datetime]
    id: str = "memory"
    name: str = "Memory"
    zone: str = "Europe/Vienna"
    page_size: int = 100
    batch_size: int = 20
    rewrite: Callable[[EventFields], EventFields] = _keep
    deliver: Callable[[str, str, str], None] = lambda *_: None
    mails: list[str] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    channels: dict[str, tuple[str, str]] = field(default_factory=dict)
    kept: dict[str, _Kept] = field(default_factory=dict)
    away: dict[str, int] = field(default_factory=dict)
    changes: int = 0
    epoch: int = 0
    faults: dict[str, deque[_Fault]] = field(default_factory=dict)

    # --- the owner's hands

    def add(self, fields: ObjectFields, *, uid: str | None = None, organized_elsewhere: bool = False) -> str:
        """The owner makes an event (or is invited to one); returns its id."""
        return self.make(fields, uid=uid, key="", organized_elsewhere=organized_elsewhere).id

    def edit(self, id: str, fields: ObjectFields) -> None:
        """The owner changes an event."""
        self.store(self.alive(id), fields)

    def remove(self, id: str) -> None:
        """The owner deletes an event."""
        self.store(self.alive(id), None)

    def objects(self) -> dict[str, ObjectFields]:
        """What is alive, as the owner sees it."""
        return {kept.id: kept.fields for kept in self.kept.values() if kept.fields is not None}

    # --- the screws

    @property
    def writes(self) -> int:
        """Requests so far that could have changed something."""
        return sum(self.requests[method] for method in WRITES)

    def fail(self, method: str, error: Exception, *, after_effect: bool = False, times: int = 1) -> None:
        """Let the next calls of the port's ``method`` raise: before anything happens, or with the answer lost on its way."""
        self.faults.setdefault(method, deque()).extend([_Fault(error, after_effect)] * times)

    def forget_cursors(self) -> None:
        """All cursors handed out so far are lost (G-35, M-28)."""
        self.epoch += 1

    def leave_window(self, id: str) -> None:
        """Report a living event as removed, the way a window does that it has left (M-23)."""
        self.changes += 1
        self.away[id] = self.changes

    # --- the machine behind

    def alive(self, id: str) -> _Kept:
        kept = self.kept.get(id)
        if kept is None or kept.fields is None:
            raise Gone("no such event", status=404)
        return kept

    def make(self, fields: ObjectFields, *, uid: str | None, key: str, organized_elsewhere: bool = False) -> _Kept:
        number = len(self.kept) + 1
        kept = _Kept(f"m{number}", uid or f"m{number}@{self.id}", key, 0, self.clock(), None, organized_elsewhere)
        self.kept[kept.id] = kept
        self.store(kept, fields)
        return kept

    def store(self, kept: _Kept, fields: ObjectFields | None) -> None:
        self.changes += 1
        kept.fields, kept.changed, kept.updated = fields, self.changes, self.clock()
        self.away.pop(kept.id, None)
        for channel, (address, secret) in list(self.channels.items()):
            self.deliver(address, channel, secret)

    @contextmanager
    def request(self, method: str) -> Iterator[None]:
        self.requests[method] += 1
        queue = self.faults.get(method)
        fault = queue.popleft() if queue else None
        if fault and not fault.after_effect:
            raise fault.error
        yield
        if fault:
            raise fault.error


@dataclass(frozen=True, slots=True)
class MemoryRemote:
    """``Remote``, ``Invites``, ``SupportsPush`` and ``SupportsBatches`` on a ``MemoryCalendar``.

    It ``tells`` its guests of what is written.
    """

    calendar: MemoryCalendar
    lens: MemoryLens = MemoryLens()
    tells: bool = False

    def inviting(self) -> MemoryRemote:
        return replace(self, tells=True)

    def _told(self, *versions: ObjectFields | None) -> None:
        if self.tells:
            self.calendar.mails += sorted(set().union(*(guests.of(each) for each in versions if each)))

    def page(self, cursor: str | None, *, now: dt.datetime) -> Page:  # noqa: ARG002 - this service has no window
        """A cursor names what it has shown: the ids of a complete listing, then the number of the last change.

        Changes are numbered, and one that comes while pages are read moves behind the last page: nothing is skipped.
        """
        with self.calendar.request("page"):
            if cursor is None:
                return self._listed("", since=self.calendar.changes)
            epoch, since, after = _place(cursor)
            if epoch != self.calendar.epoch:
                raise CursorLost("the cursor is forgotten", status=410)
            return self._changed(since) if after is None else self._listed(after, since=since)

    def _listed(self, after: str, *, since: int) -> Page:
        size = self.calendar.page_size
        rest = [id for id in sorted(self.calendar.objects()) if id > after]
        more = len(rest) > size
        items = [self.calendar.alive(id).item for id in rest[:size]]
        return Page(items, [], self._cursor(since, after=rest[size - 1] if more else None), more)

    def _changed(self, since: int) -> Page:
        size = self.calendar.page_size
        ids = {kept.changed: kept.id for kept in self.calendar.kept.values()}
        ids |= {number: id for id, number in self.calendar.away.items()}
        numbers = sorted(number for number in ids if number > since)
        items, removals = [], []
        for number in numbers[:size]:
            kept = self.calendar.kept[ids[number]]
            if kept.fields is None:
                removals.append(Removal(kept.id))
            elif number != kept.changed:
                removals.append(Removal(kept.id, certain=False))
            elif kept.id not in self.calendar.away:
                items.append(kept.item)
        return Page(items, removals, self._cursor((numbers[:size] or [since])[-1]), len(numbers) > size)

    def get(self, id: str) -> Sequence[RemoteItem]:
        with self.calendar.request("get"):
            return (self.calendar.alive(id).item,)

    def find(self, key: str) -> Sequence[RemoteItem]:
        with self.calendar.request("find"):
            return tuple(
                kept.item for kept in self.calendar.kept.values() if kept.key == key and kept.fields is not None
            )

    def create(self, fields: ObjectFields, *, key: str, uid: str) -> Sequence[RemoteItem]:  # noqa: ARG002 - keeps no marker
        with self.calendar.request("create"):
            before = [kept for kept in self.calendar.kept.values() if kept.key == key]
            if not before:
                self._told(self._written(fields))
                return (self.calendar.make(self._written(fields), uid=None, key=key).item,)
            (kept,) = before
            if kept.fields is None:
                raise Gone("an event with this key was deleted", status=410)
            if self._written(fields) != self.lens.view(kept.fields):
                self.calendar.store(kept, self._written(fields))
            return (kept.item,)

    @property
    def batch_size(self) -> int:
        return self.calendar.batch_size

    def create_many(self, wanted: Sequence[New]) -> Sequence[Sequence[RemoteItem] | BridgeError | None]:
        with self.calendar.request("create_many"):
            return [self._part(new) for new in wanted]

    def _part(self, new: New) -> Sequence[RemoteItem] | BridgeError:
        try:
            return self.create(new.fields, key=new.key, uid=new.uid)
        except BridgeError as error:
            return error

    def update(self, current: RemoteObject, target: ObjectFields) -> Sequence[RemoteItem]:
        if self.lens.view(target) == current.fields:
            return current.items
        with self.calendar.request("update"):
            kept = self._matched(current)
            self._told(kept.fields, self._written(target))
            self.calendar.store(kept, self._written(target))
            return (kept.item,)

    def delete(self, current: RemoteObject) -> None:
        with self.calendar.request("delete"):
            try:
                kept = self._matched(current)
            except Gone:
                return
            self._told(kept.fields)
            self.calendar.store(kept, None)

    def watch(self, *, channel_id: str, address: str, secret: str, now: dt.datetime) -> Channel:
        with self.calendar.request("watch"):
            if channel_id in self.calendar.channels:
                raise Refused("the channel's id is not unique", status=400, code="channelIdNotUnique")
            self.calendar.channels[channel_id] = (address, secret)
            return Channel(channel_id, self.calendar.id, now + dt.timedelta(days=7))

    def renew(self, channel: Channel, *, address: str, secret: str, channel_id: str, now: dt.datetime) -> Channel:  # noqa: ARG002 - the port
        return self.watch(channel_id=channel_id, address=address, secret=secret, now=now)

    def unwatch(self, channel: Channel) -> None:
        with self.calendar.request("unwatch"):
            self.calendar.channels.pop(channel.id, None)

    def _cursor(self, since: int, *, after: str | None = None) -> str:
        return json.dumps([self.calendar.epoch, since, after])

    def _written(self, fields: ObjectFields) -> ObjectFields:
        seen = self.lens.view(fields)
        if isinstance(seen.master, TodoFields):
            return seen
        rewrite = self.calendar.rewrite
        overrides = {key: rewrite(event) for key, event in seen.overrides.items()}
        return replace(seen, master=rewrite(seen.event), overrides=overrides)

    def _matched(self, current: RemoteObject) -> _Kept:
        kept = self.calendar.alive(current.id)
        if str(kept.changed) != current.version:
            raise VersionMismatch("somebody wrote in between", status=412)
        return kept


def _place(cursor: str) -> tuple[int, int, str | None]:
    try:
        epoch, since, after = json.loads(cursor)
    except (ValueError, TypeError):
        raise CursorLost("this is no cursor of ours") from None
    return epoch, since, after


@dataclass(frozen=True, slots=True)
class MemoryAccount:
    """An account whose calendars are all here; nobody needs to sign in."""

    calendar_list: Sequence[MemoryCalendar]
    lens: MemoryLens = MemoryLens()
    person: str = "memory"
    email: str = "owner@memory.example"

    def identity(self) -> tuple[str, str]:
        return self.person, self.email

    def calendars(self) -> Sequence[RemoteCalendar]:
        return [
            RemoteCalendar(each.id, each.name, writable=True, primary=number == 0, zone=each.zone)
            for number, each in enumerate(self.calendar_list)
        ]

    def remote(self, calendar: RemoteCalendar) -> MemoryRemote:
        for each in self.calendar_list:
            if each.id == calendar.id:
                return MemoryRemote(each, self.lens)
        raise Gone("no such calendar", status=404)
