"""What Exchange does to events on a write: create, update, delete, answer, cancel, and the mails that go out.

An occurrence of a series is written through its original day; the first write makes it an exception (M-49).
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from bridge.sandbox.graph import fields, ids, recurrence, zones
from bridge.sandbox.graph.errors import GraphError, invalid, not_found
from bridge.sandbox.graph.mailbox import Event, ExceptionOccurrence, Mailbox, Span
from bridge.sandbox.graph.recurrence import Recurrence
from bridge.sandbox.meter import Meter

EVENT_KINDS = ("event", "occurrence", "exception")
ANSWERS = {
    "accept": ("accepted", "busy"),
    "tentativelyAccept": ("tentativelyAccepted", "tentative"),
    "decline": ("declined", "free"),
}


@dataclass(frozen=True, slots=True)
class Item:
    """An event as a request names it: a whole one, or the occurrence of one original day."""

    event: Event
    day: dt.date | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields as they are read."""
        return self.event.fields_of(self.day)

    @property
    def span(self) -> Span:
        """When it is."""
        return self.event.span_of(self.day)

    @property
    def modified(self) -> bool:
        """Whether it is an exception."""
        return self.day in self.event.exceptions


class Desk:
    """Writes into one mailbox. ``mail_id`` names an event in the meter's list of mails."""

    def __init__(self, box: Mailbox, meter: Meter) -> None:
        self.box = box
        self._meter = meter

    def create(self, body: Mapping[str, Any], calendar: int) -> Event:
        """A new event of this person's own. ``body`` has been checked against the type."""
        key = body.get("transactionId")
        if key and self.box.by_transaction(key) is not None:
            raise GraphError(
                409,
                "ErrorDuplicateTransactionId",
                "Your request can't be completed. The TransactionId specified in the request has already been used to "
                "create a different event.",
            )
        number = self.box.next_number()
        blank = copy.deepcopy(fields.DEFAULTS) | {"join": ids.ical_uid(self.box.person.number, number)[-32:].lower()}
        kept = blank | fields.written(body, blank)
        span = fields.span(body, None)
        now = self.box.clock()
        event = Event(
            number,
            calendar,
            span,
            kept,
            created=now,
            modified=now,
            recurrence=_rule(body, span),
            transaction_id=key or None,
            ical_uid=ids.ical_uid(self.box.person.number, number),
        )
        self.box.add(event)
        self._mail(event, kept["attendees"], "invitation")
        return event

    def update(self, item: Item, body: Mapping[str, Any]) -> Item:
        """Change what ``body`` names. ``body`` has been checked against the type."""
        if body.get("transactionId") not in (None, item.event.transaction_id) or "transactionId" in body:
            raise invalid("Your request can't be completed. ClientId/TransactionId is immutable and cannot be updated.")
        changed = fields.written(body, item.fields)
        if not item.event.own:
            self._check_foreign(body)
        if item.day is None:
            self._update_whole(item.event, body, changed)
        else:
            self._update_occurrence(item.event, item.day, body, changed)
        return item

    def delete(self, item: Item) -> None:
        """Into Deleted Items; the organizer's deletion of a meeting mails cancellations (M-35)."""
        event, day = item.event, item.day
        if event.own:
            self._mail(event, item.fields["attendees"], "cancellation")
        if day is None:
            self.box.remove(event)
            return
        event.cancelled.add(day)
        event.exceptions.pop(day, None)
        rule = event.recurrence
        ends = rule is not None and (rule.last is not None or rule.count is not None)
        if rule and ends and all(each in event.cancelled for each in recurrence.days_of(rule)):
            self.box.remove(event)
        else:
            self.box.touch(event)

    def answer(self, item: Item, verb: str, body: Mapping[str, Any]) -> None:
        """Accept, tentatively accept or decline an invitation (M-57)."""
        event, kept = item.event, item.fields
        if event.own:
            raise invalid(
                "Your request can't be completed. You can't respond to this meeting because you're the organizer."
            )
        send = body.get("sendResponse", True)
        if body.get("proposedNewTime"):
            if not kept["allowNewTimeProposals"]:
                raise invalid("Your request can't be completed. The organizer hasn't allowed new time proposals.")
            if not send or verb == "accept":
                raise invalid("proposedNewTime needs sendResponse to be true, and is not for accept.")
        response, shown = ANSWERS[verb]
        now = zones.instant_text(self.box.clock())
        me = self.box.person.address.lower()
        attendees = [
            one | {"status": {"response": response, "time": now}}
            if one["emailAddress"]["address"].lower() == me
            else one
            for one in kept["attendees"]
        ]
        self._keep(item, {"response": (response, now), "showAs": shown, "attendees": attendees})
        self.box.touch(event)
        if send:
            self._meter.mail(kept["organizer"]["address"], "response", event.ical_uid, kept["subject"])

    def cancel(self, item: Item) -> None:
        """The organizer calls a meeting off (M-58)."""
        if not item.event.own:
            raise invalid("Your request can't be completed. You need to be an organizer to cancel a meeting.")
        self.delete(item)

    def forward(self, item: Item, recipients: list[str]) -> None:
        """Invite further people to a meeting (M-58)."""
        if not recipients:
            raise GraphError(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
        for address in recipients:
            self._meter.mail(address, "invitation", item.event.ical_uid, item.fields["subject"])

    def remind(self, item: Item, *, on: bool) -> None:
        """Dismiss or snooze the reminder (M-62)."""
        self._keep(item, {"isReminderOn": on})
        self.box.touch(item.event)

    def receive(self, body: Mapping[str, Any], organizer: Mapping[str, str], calendar: int) -> Event:
        """An invitation from somebody else arrives: an event that this person does not organise."""
        number = self.box.next_number()
        me = self.box.person
        blank = copy.deepcopy(fields.DEFAULTS) | {"join": ids.ical_uid(me.number, number)[-32:].lower()}
        kept = blank | fields.written(body, blank)
        invited = {one["emailAddress"]["address"].lower() for one in kept["attendees"]}
        if me.address.lower() not in invited:
            myself = [{"emailAddress": {"address": me.address, "name": me.name}}]
            kept |= fields.written({"attendees": [*kept["attendees"], *myself]}, kept)
        kept |= {
            "organizer": dict(organizer),
            "response": ("notResponded", fields.UNSET_TIME),
            "showAs": body.get("showAs", "tentative"),
        }
        span, now = fields.span(body, None), self.box.clock()
        return self.box.add(
            Event(
                number,
                calendar,
                span,
                kept,
                created=now,
                modified=now,
                recurrence=_rule(body, span),
                ical_uid=ids.ical_uid(0, me.number << 20 | number),
                organizer_copy=kept | {"span": span},
            )
        )

    def copy(self, event: Event) -> Event:
        """A copy with all its properties, transactionId and extended ones too (R9); only what the server makes is new."""
        number = self.box.next_number()
        now = self.box.clock()
        return self.box.add(
            replace(
                copy.deepcopy(event),
                number=number,
                placement=0,
                created=now,
                modified=now,
                ical_uid=ids.ical_uid(self.box.person.number, number),
            )
        )

    def organizer_updates(self, event: Event, body: Mapping[str, Any]) -> None:
        """The organizer's next update: his copy again, with what he changed; personal fields stay (M-56)."""
        if event.organizer_copy is None:
            raise invalid("This event is organised by the mailbox's own person.")
        sent = event.organizer_copy | fields.written(body, event.organizer_copy)
        sent["span"] = fields.span(body, sent["span"])
        if sent["span"] != event.organizer_copy["span"] or "recurrence" in body:
            event.recurrence = _rule(body, sent["span"]) if "recurrence" in body else _shifted(event, sent["span"])
            event.exceptions, event.cancelled = {}, set()
            sent["response"] = ("notResponded", fields.UNSET_TIME)
        mine = {name: event.fields[name] for name in (*fields.PERSONAL, "response") if name in event.fields}
        if sent["span"] != event.organizer_copy["span"]:
            mine["response"] = sent["response"]
        event.organizer_copy = sent
        event.span = sent["span"]
        event.fields = {name: value for name, value in sent.items() if name != "span"} | mine
        self.box.touch(event)

    def organizer_cancels(self, event: Event) -> None:
        """The organizer called it off: it stays here as a cancelled meeting (M-59)."""
        if event.own:
            raise invalid("This event is organised by the mailbox's own person.")
        event.fields |= {"isCancelled": True, "showAs": "free", "subject": f"Canceled: {event.fields['subject']}"[:255]}
        self.box.touch(event)

    def _update_whole(self, event: Event, body: Mapping[str, Any], changed: dict[str, Any]) -> None:
        span = fields.span(body, event.span)
        rule = _rule(body, span) if "recurrence" in body else _shifted(event, span)
        before = event.recurrence
        mailed = list(event.exceptions)
        if rule is None or before is None or span != event.span or rule.pattern() != before.pattern():
            event.exceptions, event.cancelled = {}, set()  # M-51
        elif rule != before:
            event.exceptions = {day: one for day, one in event.exceptions.items() if recurrence.occurs(rule, day)}
            event.cancelled = {day for day in event.cancelled if recurrence.occurs(rule, day)}
        earlier = event.fields["attendees"]
        event.span, event.recurrence = span, rule
        event.fields |= changed
        self.box.touch(event)
        self._mail_update(event, body, earlier, event.fields["attendees"])
        for day in mailed:  # once for the series, and once for each modified instance (M-51)
            if day in event.exceptions:
                self._mail(event, event.fields_of(day)["attendees"], "update")

    def _update_occurrence(self, event: Event, day: dt.date, body: Mapping[str, Any], changed: dict[str, Any]) -> None:
        if "recurrence" in body and body["recurrence"] is not None:
            raise invalid("Recurrence cannot be set on an occurrence of a series.")
        before = event.span_of(day)
        span = fields.span(body, before)
        if span != before:
            _check_neighbours(event, day, span)
        earlier = event.fields_of(day)["attendees"]
        kept = event.exceptions.setdefault(day, ExceptionOccurrence())
        kept.fields |= changed
        kept.span = span if span != event.span.on(day) else None
        self.box.touch(event)
        self._mail_update(event, body, earlier, event.fields_of(day)["attendees"])

    def _keep(self, item: Item, changed: dict[str, Any]) -> None:
        if item.day is None:
            item.event.fields |= changed
        else:
            item.event.exceptions.setdefault(item.day, ExceptionOccurrence()).fields |= changed

    def _check_foreign(self, body: Mapping[str, Any]) -> None:
        """Times, rule and attendees of somebody else's meeting are refused; the rest stays local (M-56)."""
        refused = {"start", "end", "isAllDay", "recurrence", "attendees", "isOnlineMeeting"} & set(body)
        if refused:
            raise GraphError(
                403, "ErrorAccessDenied", f"Only the organizer can change {', '.join(sorted(refused))} of this meeting."
            )

    def _mail(self, event: Event, attendees: list[dict[str, Any]], reason: str) -> None:
        me = self.box.person.address.lower()
        for one in attendees:
            address = one["emailAddress"]["address"]
            if address.lower() != me:
                self._meter.mail(address, reason, event.ical_uid, event.fields["subject"])

    def _mail_update(
        self, event: Event, body: Mapping[str, Any], before: list[dict[str, Any]], after: list[dict[str, Any]]
    ) -> None:
        """There is no switch to suppress mail; a patch of attendees alone mails only the changed ones (M-53)."""
        if not event.own:
            return
        old = {one["emailAddress"]["address"].lower() for one in before}
        new = {one["emailAddress"]["address"].lower() for one in after}
        self._mail(event, [one for one in before if one["emailAddress"]["address"].lower() not in new], "cancellation")
        self._mail(event, [one for one in after if one["emailAddress"]["address"].lower() not in old], "invitation")
        if set(body) - {"attendees"}:
            self._mail(event, [one for one in after if one["emailAddress"]["address"].lower() in old], "update")


def find(box: Mailbox, reference: ids.Reference) -> Item:
    """What an id stands for in this mailbox. Raises 404 ``ErrorItemNotFound`` (M-35)."""
    event = box.events.get(reference.number)
    if reference.mailbox != box.person.number or event is None or reference.kind not in EVENT_KINDS:
        raise not_found()
    if reference.placement not in (None, event.placement):
        raise not_found()  # it moved: its default id is another one now (M-30)
    if reference.day is None:
        return Item(event)
    if not event.occurs(reference.day):
        raise not_found()
    return Item(event, reference.day)


def _rule(body: Mapping[str, Any], span: Span) -> Recurrence | None:
    given = body.get("recurrence")
    return recurrence.parse(given, start=span.start.date(), zone=span.start_zone) if given else None


def _shifted(event: Event, span: Span) -> Recurrence | None:
    """The rule of a series whose times alone were written: startDate must stay the date of start (M-45)."""
    rule = event.recurrence
    if rule is None or rule.first == span.start.date():
        return rule
    return recurrence.parse(
        {
            "pattern": rule.view()["pattern"],
            "range": rule.view()["range"] | {"startDate": span.start.date().isoformat()},
        },
        start=span.start.date(),
        zone=span.start_zone,
    )


def _check_neighbours(event: Event, day: dt.date, span: Span) -> None:
    """An exception stays strictly between the days of the occurrences next to it (M-50)."""
    if event.recurrence is None:
        return
    before, after = recurrence.neighbours(event.recurrence, day)
    previous = next((event.span_of(each).start.date() for each in before if each not in event.cancelled), None)
    following = next(
        (event.span_of(each).start.date() for each in islice(after, 1000) if each not in event.cancelled), None
    )
    wanted = zones.wall_in(span.starts_at, event.span.start_zone).date()
    if (previous and wanted <= previous) or (following and wanted >= following):
        raise GraphError(
            400,
            "ErrorOccurrenceCrossingBoundary",
            "Modified occurrence is crossing or overlapping adjacent occurrence.",
        )
