"""One Google calendar as a side to sync with: reading it by sync token, writing its events with the least requests."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from googleapiclient.http import HttpRequest

from bridge.errors import (
    BridgeError,
    CursorLost,
    DuplicateKey,
    Gone,
    ProviderError,
    Refused,
    Unmappable,
    Unreachable,
    VersionMismatch,
)
from bridge.ical.fields import EventFields, ObjectFields
from bridge.ical.recurrence import called_off, occurs, regular
from bridge.providers.google import bodies, people, push, rules, times
from bridge.providers.google.api import BATCH, CalendarApi
from bridge.providers.google.mapping import GoogleLens, item
from bridge.sync.ports import Channel, New, Page, RemoteItem, RemoteObject, Removal

MANY = 10_000
"""Instances of one series that are looked through: 27 years of a daily one."""

_QUIET = {"sendUpdates": "none"}
"""On every write but those of ``inviting``: nobody gets a mail because a phone was synced (G-72, R2)."""

_LOUD = {"sendUpdates": "all"}


class GoogleRemote:
    """``Remote``, ``Invites``, ``SupportsPush`` and ``SupportsBatches`` on one Google calendar, ``zone`` being its own.

    ``page_size`` is what a page asks for; Google may give less, even nothing, and go on (G-26).
    """

    page_size = 2500
    batch_size = BATCH

    def __init__(self, api: CalendarApi, calendar_id: str, zone: str, *, tells: bool = False) -> None:
        self._api = api
        self._calendar = calendar_id
        self.lens = GoogleLens(zone or "UTC", calendar_id)
        self._tells = tells

    def inviting(self) -> GoogleRemote:
        return GoogleRemote(self._api, self._calendar, self.lens.zone, tells=True)

    def _updates(self, body: Mapping[str, Any], held: Mapping[str, Any] | None = None) -> Mapping[str, str]:
        """Who is to be told of a write (G-72): the guests, of what concerns them, if a person has done it at home."""
        invited = body.get("attendees") or (held or {}).get("attendees")
        return _LOUD if self._tells and invited and body.keys() & people.LOUD else _QUIET

    # --- reading

    def page(self, cursor: str | None, *, now: dt.datetime) -> Page:  # noqa: ARG002 - the listing has no window
        """The parameters never vary, or the sync token means nothing (G-28); deletions are always told (G-33)."""
        at = _cursor(cursor)
        request = self._api.events.list(
            calendarId=self._calendar,
            maxResults=self.page_size,
            showDeleted=True,
            singleEvents=False,
            syncToken=at.get("sync"),
            pageToken=at.get("page"),
        )
        try:
            answer = self._api.execute(request, listing=True)
        except Refused as refusal:
            if cursor is not None and refusal.status == 400:
                raise CursorLost("Google does not take this cursor", status=400, code=refusal.code) from None
            raise
        if not answer.keys() & {"nextPageToken", "nextSyncToken"}:
            raise Unreachable("Google's listing has no end")  # nor can its absences be believed (R5)
        events = answer.get("items", ())
        # all that is left of a deleted event may be its id (G-62)
        gone = [each["id"] for each in events if each.get("status") == "cancelled" and "recurringEventId" not in each]
        # its exceptions come after it as cancelled instances: they say nothing more
        dead = {*at.get("gone", ()), *gone}
        items = {each["id"]: item(each) for each in events if not dead & {each["id"], each.get("recurringEventId")}}
        whole = set()
        if "sync" in at:
            for master in [each.payload for each in items.values() if _may_have_lost_exceptions(each.payload)]:
                try:
                    items |= {each.id: each for each in self._series(master["id"], master.get("iCalUID", ""))}
                except Gone:
                    continue  # the next page or round says so
                whole.add(master["id"])
        more = "nextPageToken" in answer
        onward = (
            {**at, "page": answer["nextPageToken"], "gone": sorted(dead)} if more else {"sync": answer["nextSyncToken"]}
        )
        return Page(list(items.values()), [Removal(id) for id in gone], json.dumps(onward), more, frozenset(whole))

    def get(self, id: str) -> Sequence[RemoteItem]:
        event = self._api.execute(self._api.events.get(calendarId=self._calendar, eventId=id))
        if "id" not in event:
            raise Unreachable("Google's answer is not an event")  # whatever answered, nothing is known of it (R7)
        if event.get("status") == "cancelled":  # deleted events can still be got (G-47)
            raise Gone("deleted", status=200, code="deleted")
        return self._series(event["id"], event.get("iCalUID", "")) if event.get("recurrence") else (item(event),)

    def find(self, key: str) -> Sequence[RemoteItem]:
        try:
            return self.get(key)  # the key is the id (G-44)
        except Gone:
            return ()

    def _series(self, id: str, uid: str) -> Sequence[RemoteItem]:
        """A master with its exceptions and cancelled instances: they share its iCalUID (G-48).

        Of a cancelled instance that UID is not promised (G-61). Where the listing by it shows none, the instances are looked
        through: "there are none" must not be taken from a listing that leaves them out.
        """
        found = {each.id: each for event in self._of_uid(uid) if (each := item(event)).series == id}
        if id not in found:  # not listed is not deleted (R5)
            found[id] = item(self._api.execute(self._api.events.get(calendarId=self._calendar, eventId=id)))
        if _cancelled(found[id]):
            raise Gone("deleted meanwhile", status=200, code="deleted")
        if not any(_cancelled(each) for each in found.values()):
            found = {each.id: each for each in self._deviating(found[id])} | found
        return list(found.values())

    def _of_uid(self, uid: str) -> Iterator[Mapping[str, Any]]:
        if not uid:
            return
        try:
            yield from self._list(iCalUID=uid)
        except Refused as refusal:
            if refusal.status not in (400, 501):
                raise

    def _deviating(self, master: RemoteItem) -> Iterator[RemoteItem]:
        """The instances of a series that are cancelled, or not as it has them."""
        try:
            fields = self.lens.read([master]).fields
        except (Unmappable, ValueError, LookupError, TypeError):
            return  # it cannot be shown, so neither can they
        for event in islice(self._instances(master.id), MANY):
            each = item(event)
            key = times.original_start(each.payload, self.lens.zone)
            as_ruled = replace(fields.event, when=regular(fields, key))
            if _cancelled(each) or not _alike(self.lens.event(each.payload), as_ruled):
                yield each

    def _list(self, **query: Any) -> Iterator[Mapping[str, Any]]:
        page: str | None = None
        while True:
            request = self._api.events.list(
                calendarId=self._calendar, showDeleted=True, maxResults=self.page_size, pageToken=page, **query
            )
            answer = self._api.execute(request)
            yield from answer.get("items", ())
            if (page := answer.get("nextPageToken")) is None:
                return

    def _instances(self, id: str, **query: Any) -> Iterator[Mapping[str, Any]]:
        page: str | None = None
        while True:
            request = self._api.events.instances(
                calendarId=self._calendar,
                eventId=id,
                showDeleted=True,
                maxResults=self.page_size,
                pageToken=page,
                **query,
            )
            answer = self._api.execute(request)
            yield from answer.get("items", ())
            if (page := answer.get("nextPageToken")) is None:
                return

    # --- writing

    def create(self, fields: ObjectFields, *, key: str, uid: str) -> Sequence[RemoteItem]:
        """Insert under the key as id; a replay meets its own event again and finishes it (G-44, G-45, R12)."""
        target = self.lens.view(fields)
        try:
            event = self._api.execute(self._insert(target, key=key, uid=uid))
        except DuplicateKey:
            return self.update(self.lens.read(self.get(key)), fields)
        return self._set_instances(self.lens.read([item(event)]), target)

    def _insert(self, target: ObjectFields, *, key: str, uid: str) -> HttpRequest:
        body = bodies.insert(target, key=key, uid=uid)
        return self._api.events.insert(calendarId=self._calendar, body=body, **self._updates(body))

    def create_many(self, wanted: Sequence[New]) -> Sequence[Sequence[RemoteItem] | BridgeError | None]:
        """What takes more than its insertion is left to ``create``: a series with changed instances."""
        outcomes: dict[str, Sequence[RemoteItem] | BridgeError] = {}
        inserted: dict[str, tuple[ObjectFields, HttpRequest]] = {}
        for new in wanted:
            try:
                target = self.lens.view(new.fields)
                if not target.overrides:
                    inserted[new.key] = target, self._insert(target, key=new.key, uid=new.uid)
            except Unmappable as error:
                outcomes[new.key] = error
        try:
            answers = self._api.many([request for _, request in inserted.values()]) if inserted else []
        except (Gone, Refused):  # batches as such are not offered here, or not taken
            return [outcomes.get(new.key) for new in wanted]
        for (key, (target, _)), answer in zip(inserted.items(), answers, strict=True):
            outcomes[key] = _part_refused(answer) if isinstance(answer, ProviderError) else self._whole(answer, target)
        return [outcomes.get(new.key) for new in wanted]

    def _whole(self, event: Mapping[str, Any], target: ObjectFields) -> Sequence[RemoteItem] | BridgeError:
        """The answer to an insertion, unless there is still something to do about instances."""
        made = [item(event)]
        try:
            unfinished = _instance_changes(self.lens.read(made).fields, target)
        except Unmappable as error:
            return error
        return DuplicateKey("made, but not finished") if unfinished else made

    def update(self, current: RemoteObject, target: ObjectFields) -> Sequence[RemoteItem]:
        target = self.lens.view(target)
        if current.organized_elsewhere:
            target = _own_share(current.fields, target, people.own(_master(current).payload, self._calendar))
        if target == current.fields:
            return current.items
        master = _master(current)
        body = _master_changes(current.fields, target, master.payload)
        if "attendees" in body and master.payload.get("attendeesOmitted") and not current.organized_elsewhere:
            raise Unmappable("Google does not show all guests of this event, so none can be changed")  # G-79
        if "attendees" in body and current.organized_elsewhere:
            own = people.own(master.payload, self._calendar)
            mine = [each for each in target.event.attendees if each.address == own]
            body.pop("attendees")
            body |= people.answer(mine[0]) if mine else {}
        if body:
            try:
                event = self._patch(master, body)
            except VersionMismatch:
                self.get(current.id)  # a deleted event does not match either: then it is gone
                raise
            others = [each for each in current.items if each.id != master.id]
            current = self.lens.read([item(event), *others])
            if others:
                # Google may have dropped, moved or changed the exceptions along with their series (G-66)
                current = self.lens.read(self._series(current.id, current.uid))
        return self._set_instances(current, target)

    def delete(self, current: RemoteObject) -> None:
        if current.fields.recurrence:
            # the master's etag does not tell that one of its occurrences has been edited: edit beats delete
            try:
                now = self.lens.read(self._series(current.id, current.uid))
            except Gone:
                return
            if now.version != current.version:
                raise VersionMismatch("an occurrence has changed", status=412)
        try:
            self._remove(_master(current))
        except VersionMismatch:
            if self.find(current.id):
                raise

    def _set_instances(self, current: RemoteObject, target: ObjectFields) -> Sequence[RemoteItem]:
        """Bring single instances to where ``target`` has them; the master is there already."""
        known = {
            times.original_start(each.payload, self.lens.zone): each for each in current.items if each.id != each.series
        }
        changes = _instance_changes(current.fields, target)
        for key, wanted in changes.items():
            instance = known.get(key) or self._untouched(current, key)
            if wanted is None:
                self._remove(instance)
            elif _cancelled(instance):
                self._patch(instance, bodies.event(wanted, held=_master(current).payload))
            elif body := bodies.event(wanted, self.lens.event(instance.payload), instance.payload):
                self._patch(instance, body)
        return self._series(current.id, current.uid) if changes else current.items

    def _untouched(self, current: RemoteObject, key: str) -> RemoteItem:
        """The instance that is as its series has it. Raises VersionMismatch if somebody has changed it meanwhile."""
        shown = (item(event) for event in self._instances(current.id, originalStart=times.parameter(key)))
        found = next((each for each in shown if times.original_start(each.payload, self.lens.zone) == key), None)
        if found is None:
            raise Unmappable(f"Google's series has no occurrence {key}")
        as_ruled = replace(current.fields.event, when=regular(current.fields, key))
        if _cancelled(found) or not _alike(self.lens.event(found.payload), as_ruled):
            raise VersionMismatch("an occurrence has changed", status=412)
        return found

    def _patch(self, target: RemoteItem, body: Mapping[str, Any]) -> Mapping[str, Any]:
        told = self._updates(body, target.payload)
        request = self._api.events.patch(calendarId=self._calendar, eventId=target.id, body=dict(body), **told)
        return self._api.execute(request, if_match=target.payload.get("etag", ""))

    def _remove(self, target: RemoteItem) -> None:
        told = _LOUD if self._tells and target.payload.get("attendees") else _QUIET
        request = self._api.events.delete(calendarId=self._calendar, eventId=target.id, **told)
        try:
            self._api.execute(request, if_match=target.payload.get("etag", ""))
        except Gone:
            return  # G-47

    # --- being told

    def watch(self, *, channel_id: str, address: str, secret: str, now: dt.datetime) -> Channel:
        return push.watch(self._api, self._calendar, channel_id=channel_id, address=address, secret=secret, now=now)

    def renew(self, channel: Channel, *, address: str, secret: str, channel_id: str, now: dt.datetime) -> Channel:  # noqa: ARG002 - the port's
        """There is no renewal: a new channel stands beside the old one (G-85)."""
        return self.watch(channel_id=channel_id, address=address, secret=secret, now=now)

    def unwatch(self, channel: Channel) -> None:
        push.unwatch(self._api, channel)


def _cursor(cursor: str | None) -> dict[str, Any]:
    """``sync`` (what to go on from), ``page`` (within a round) and ``gone`` (deleted so far in this round)."""
    if cursor is None:
        return {}
    try:
        at = json.loads(cursor)
    except ValueError:
        at = None
    if not isinstance(at, dict):
        raise CursorLost("this is no cursor of ours")
    return at


def _may_have_lost_exceptions(event: Mapping[str, Any]) -> bool:
    """A master that was edited since it was made: Google may have dropped its exceptions and tells only of it (G-66)."""
    if not event.get("recurrence"):
        return False
    if event.get("sequence", 0) > 0 or not {"created", "updated"} <= event.keys():
        return True
    try:
        created, updated = (dt.datetime.fromisoformat(event[name]) for name in ("created", "updated"))
    except (TypeError, ValueError):
        return True  # of some old events Google tells the year 0
    return updated - created >= dt.timedelta(seconds=1)


def _part_refused(error: ProviderError) -> ProviderError:
    """In a batch every 409 asks to try singly: the id is taken, or the calendar was busy with another part (G-95)."""
    return DuplicateKey(str(error), status=409, code=error.code) if error.status == 409 else error


def _cancelled(each: RemoteItem) -> bool:
    return each.payload.get("status") == "cancelled"


def _alike(one: EventFields, other: EventFields) -> bool:
    # visibility belongs to the series, whatever an instance says (G-65)
    return replace(one, classification="") == replace(other, classification="")


def _master(current: RemoteObject) -> RemoteItem:
    return next(each for each in current.items if each.id == each.series)


def _own_share(current: ObjectFields, target: ObjectFields, own: str) -> ObjectFields:
    """Of someone else's meeting only what is the guest's own: reminders, show-as and the answer (R3)."""
    answers = {each.address: each.partstat for each in target.event.attendees}
    attendees = tuple(
        replace(each, partstat=answers.get(own, each.partstat)) if each.address == own else each
        for each in current.event.attendees
    )
    mine = target.event
    return replace(
        current, master=replace(current.event, reminders=mine.reminders, transp=mine.transp, attendees=attendees)
    )


def _master_changes(current: ObjectFields, target: ObjectFields, held: Mapping[str, Any]) -> dict[str, Any]:
    """What to patch in the master. EXDATE lines change with the rule, or where an excluded instance takes place again."""
    body = bodies.event(target.event, current.event, held)
    excluded = rules.excluded(held.get("recurrence", ()), current.event.when) & current.cancelled
    if target.recurrence != current.recurrence or (target.recurrence and body.keys() & {"start", "end"}):
        body["recurrence"] = rules.render(target.recurrence, _excludable(current, target), target.event.when) or None
        body |= times.render(target.event.when)  # a series says its zone (G-58)
    elif excluded - target.cancelled:
        body["recurrence"] = rules.render(target.recurrence, excluded & target.cancelled, target.event.when)
    return body


def _excludable(current: ObjectFields, target: ObjectFields) -> frozenset[str]:
    """What EXDATE lines may exclude: all but one instance if none were left, for Google refuses a rule without any.

    That one is then cancelled as an instance, as somebody who deletes the last occurrence on Google's page would.
    """
    if not called_off(target):
        return target.cancelled
    ruled = {key for key in target.cancelled if occurs(target, key)}
    return target.cancelled - {min(ruled - current.cancelled or ruled, default="")}


def _instance_changes(current: ObjectFields, target: ObjectFields) -> dict[str, EventFields | None]:
    """By instance key what it has to become; None: cancelled."""
    changes: dict[str, EventFields | None] = {}
    for key in sorted({*current.overrides, *target.overrides, *current.cancelled, *target.cancelled}):
        if key in target.cancelled:
            if key not in current.cancelled:
                changes[key] = None
        elif key in target.overrides:
            if target.overrides[key] != current.overrides.get(key):
                changes[key] = target.overrides[key]
        elif occurs(target, key):
            changes[key] = replace(target.event, when=regular(target, key))
    return changes
