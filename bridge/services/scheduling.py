"""Implicit scheduling (RFC 6638 §3.2): what a person's change to a meeting does to the calendars of the others.

Everything happens in the transaction of the change itself. Nobody is ever told twice (R1, R40): a calendar that is
connected to a provider is left to that provider, which sends its own invitations; only calendars that live here alone are
scheduled here. What a sync brings in comes past here and tells nobody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bridge.config import Settings
from bridge.errors import InvalidCalendarData
from bridge.ical import busy
from bridge.ical import objects as ical
from bridge.ical.attendees import address
from bridge.ical.itip import merging, parts, replies, requests
from bridge.ical.itip.requests import Message
from bridge.ical.objects import CalendarObject
from bridge.services import delivery, sharing
from bridge.services.delivery import Copy
from bridge.store import calendars, changes, itip_outbox, objects, principals
from bridge.store.calendars import Calendar
from bridge.store.itip_outbox import Outgoing
from bridge.store.objects import ANY, Expected, StoredObject
from bridge.store.principals import Principal

DELIVERED, SENT, UNKNOWN, REFUSED, UNREADABLE = "1.2", "1.1", "5.1", "3.8", "5.2"
"""SCHEDULE-STATUS (RFC 6638 §3.2.9): it is there; it went out by mail; it cannot be delivered; they may not be sent this; what they
have of it cannot be read, so no way was found to change it. That is not UNKNOWN: they may know of it, and are told once it can be.
"""


@dataclass(frozen=True, slots=True)
class Scheduling:
    """Whether people are scheduled here at all, and whether people elsewhere are written to."""

    enabled: bool = True
    mail: bool = False

    @classmethod
    def by(cls, settings: Settings) -> Scheduling:
        return cls(enabled=settings.scheduling.enabled, mail=bool(settings.mail.sender))


@dataclass(frozen=True, slots=True)
class Written:
    """``as_sent``: the object is what the client sent, to the byte; otherwise it must fetch it (RFC 4791 §5.3.4)."""

    stored: StoredObject
    as_sent: bool


def put(
    conn: sa.Connection,
    calendar: Calendar,
    href: str,
    data: bytes,
    *,
    actor: str,
    now: dt.datetime,
    expected: str | Expected = ANY,
    keep_answers: bool = False,
    by: Scheduling,
    obj: CalendarObject | None = None,
    over: StoredObject | Expected = ANY,
) -> Written:
    """Store an object for its calendar's owner, and tell whom it concerns.

    ``keep_answers``: the client has not seen the newest answers of others, which stay (If-Schedule-Tag-Match). ``obj`` is
    what ``data`` reads as, and ``over`` what this transaction has found there (ABSENT: nothing), for who has looked already.

    Raises what ``objects.put`` raises, and InvalidCalendarData with the precondition of RFC 6638 §3.2.4 that does not hold.
    """
    existing, matter = _settled(conn, calendar, href, data, obj=obj, over=over, now=now, by=by)
    if existing is None:
        require_alone(conn, calendar, data, obj=obj, now=now, by=by)
    if matter is None:
        stored = objects.put(conn, calendar.id, href, data, actor=actor, now=now, expected=expected, parsed=obj)
        return Written(stored, as_sent=True)
    if keep_answers:
        matter.keep_answers()
    told = matter.telling()
    final = told.to_bytes()
    stored = objects.put(conn, calendar.id, href, final, actor=actor, now=now, expected=expected)
    matter.send(told)
    return Written(stored, as_sent=final == data)


def delete(
    conn: sa.Connection,
    calendar: Calendar,
    href: str,
    *,
    actor: str,
    now: dt.datetime,
    expected: str | Expected = ANY,
    by: Scheduling,
    silently: bool = False,
    over: StoredObject | Expected = ANY,
) -> None:
    """Delete an object: its organizer calls it off, an attendee declines, unless ``silently`` (Schedule-Reply: F).

    ``over`` is what this transaction has found there, for who has looked already.
    """
    _, matter = _settled(conn, calendar, href, None, over=over, now=now, by=by)
    objects.delete(conn, calendar.id, href, actor=actor, now=now, expected=expected)
    if matter is not None and not (silently and not matter.is_organizer):
        matter.send(None)


def delete_calendar(conn: sa.Connection, calendar: Calendar, *, now: dt.datetime, by: Scheduling) -> None:
    """Delete a calendar for all who have it, and tell of each meeting in it as if that alone were deleted (RFC 6638 §3.2.3.2)."""
    while True:
        still = objects.in_range(conn, calendar.id, now, None)
        found = (_Matter.of(conn, calendar, each.data, None, now=now, by=by) for each in still)
        matters = [each for each in found if each is not None]
        if not changes.lock(conn, calendar.id, *(each for matter in matters for each in matter.concerned())):
            break
    sharing.delete(conn, calendar, now=now)
    for matter in matters:
        matter.send(None)


def _settled(
    conn: sa.Connection,
    calendar: Calendar,
    href: str,
    data: bytes | None,
    *,
    obj: CalendarObject | None = None,
    over: StoredObject | Expected,
    now: dt.datetime,
    by: Scheduling,
) -> tuple[StoredObject | None, _Matter | None]:
    """What stands there and what its change means, with all calendars locked that it may reach.

    Whom it concerns is known only when it has been read, so it is read anew until nothing more had to be locked.
    """
    while True:
        if over is ANY or not changes.stays_true(conn):
            existing = objects.get(conn, calendar.id, href)
        else:
            existing = over if isinstance(over, StoredObject) else None
        old = None if existing is None else existing.data
        matter = _Matter.of(conn, calendar, old, data, obj=obj, now=now, by=by)
        concerned = set() if matter is None else matter.concerned()
        if not changes.lock(conn, calendar.id, *concerned):
            return existing, matter


def require_alone(
    conn: sa.Connection,
    calendar: Calendar,
    data: bytes,
    *,
    obj: CalendarObject | None = None,
    now: dt.datetime,
    by: Scheduling,
) -> None:
    """Raises InvalidCalendarData if its owner has the same meeting in another calendar (RFC 6638 §3.2.4.1).

    Guests would be asked to it a second time, and whoever deleted one of the two would call it off, or decline. What
    providers alone schedule is theirs to keep apart.
    """
    if not by.enabled or not _may_concern(data):
        return
    obj = obj or ical.parse(data)
    owner = principals.by_id(conn, calendar.principal_id)
    if owner is None or not parts.is_grouped(obj):
        return
    places = [each.calendar_id for each in objects.of_person(conn, owner.id, obj.uid) if _may_concern(each.data)]
    others = [each for each in places if each != calendar.id]
    if not others:
        return
    if parts.organizer(obj) == address(owner.email):
        is_ours = not all(calendars.is_bridged(conn, each) for each in (calendar.id, *others))
    else:
        is_ours = _Matter.of(conn, calendar, None, data, obj=obj, now=now, by=by) is not None
    if is_ours:
        raise InvalidCalendarData("unique-scheduling-object-resource", "the meeting is in another calendar already")


def require_movable(
    conn: sa.Connection, source: Calendar, destination: Calendar, data: bytes, *, now: dt.datetime, by: Scheduling
) -> None:
    """Raises InvalidCalendarData if its guests know of it from here, and a provider would ask them again (R40)."""
    matter = _Matter.of(conn, source, data, None, now=now, by=by)
    if matter is None or not matter.is_organizer or not calendars.is_bridged(conn, destination.id):
        return
    if set(merging.statuses(matter.old).values()) - {UNKNOWN, REFUSED}:
        raise InvalidCalendarData("allowed-organizer-scheduling-object-change", "its guests were asked from here")


def require_no_meeting(
    conn: sa.Connection, calendar: Calendar, data: bytes, *, now: dt.datetime, by: Scheduling
) -> None:
    """Raises InvalidCalendarData for what others wait for: it is called off or declined by deleting it, not by what replaces it."""
    matter = _Matter.of(conn, calendar, data, None, now=now, by=by)
    if matter is not None:
        who = "organizer" if matter.is_organizer else "attendee"
        raise InvalidCalendarData(f"allowed-{who}-scheduling-object-change", "there are others in it")


class _Matter:
    """One change of one meeting, and the people of this server whom it concerns."""

    def __init__(
        self,
        conn: sa.Connection,
        calendar: Calendar,
        owner: Principal,
        old: CalendarObject | None,
        new: CalendarObject | None,
        *,
        now: dt.datetime,
        by: Scheduling,
    ) -> None:
        self._conn = conn
        self._calendar = calendar
        self._owner = owner
        self._own = frozenset({address(owner.email)})
        self.old = old
        self.new = new
        self._now = now
        self._by = by
        known = next((each for each in (old, new) if each is not None and parts.is_grouped(each)), None)
        self.is_organizer = known is not None and parts.organizer(known) in self._own
        self._messages: list[Message] = []
        self._anew: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        conn: sa.Connection,
        calendar: Calendar,
        old: bytes | None,
        new: bytes | None,
        *,
        obj: CalendarObject | None = None,
        now: dt.datetime,
        by: Scheduling,
    ) -> _Matter | None:
        """None: the change concerns nobody else, or it is not ours to tell of. ``obj`` is ``new``, if that was read already."""
        if not by.enabled or not any(_may_concern(each) for each in (old, new)):
            return None
        # what was stored by an older version and cannot be read any more has told nobody
        before, after = None if old is None else delivery.readable(old), None if new is None else obj or ical.parse(new)
        if not any(each is not None and parts.is_grouped(each) for each in (before, after)):
            return None
        owner = principals.by_id(conn, calendar.principal_id)
        if owner is None or not address(owner.email):
            return None
        matter = cls(conn, calendar, owner, before, after, now=now, by=by)
        if (matter.is_organizer or after is None) and matter._is_over():
            return None
        if matter.is_organizer:
            return None if calendars.is_bridged(conn, calendar.id) else matter
        if any(each is not None and replies.are_left_to_client(each) for each in (before, after)):
            return None
        return matter if matter._organizers_copy() is not None else None

    def _is_over(self) -> bool:
        """Nobody is told of what has been: an old calendar that is brought here would write to half the world (R2)."""
        ends = [busy.bounds(each)[1] for each in (self.old, self.new) if each is not None]
        return all(end is not None and end < self._now for end in ends)

    def _organizers_copy(self) -> tuple[Calendar, StoredObject] | None:
        """Of a meeting whose organizer is a person of this server and schedules it here."""
        known = self.old or self.new
        assert known is not None  # noqa: S101
        organizer = delivery.person_of(self._conn, parts.organizer(known))
        if organizer is None or organizer.id == self._owner.id:
            return None
        for each in delivery.copies(self._conn, organizer, known.uid):
            calendar = calendars.by_id(self._conn, each.stored.calendar_id)
            if each.obj is None or calendar is None or calendars.is_bridged(self._conn, calendar.id):
                continue
            if parts.organizer(each.obj) == address(organizer.email) and self._own & parts.asked(each.obj):
                return calendar, each.stored
        return None

    def concerned(self) -> set[int]:
        """All calendars that may be written to."""
        concerned = {self._calendar.id}
        everybody = {who for each in (self.old, self.new) if each is not None for who in parts.asked(each)}
        if not self.is_organizer and (copy := self._organizers_copy()) is not None:
            concerned.add(copy[0].id)
            everybody |= {parts.organizer(ical.parse(copy[1].data))} | parts.asked(ical.parse(copy[1].data))
        uid = next(each.uid for each in (self.new, self.old) if each is not None)
        for who in sorted(everybody):
            person = delivery.person_of(self._conn, who)
            if person is None:
                continue
            concerned.add(calendars.inbox(self._conn, person.id, now=self._now).id)
            concerned |= {stored.calendar_id for stored in objects.of_person(self._conn, person.id, uid)}
            target = delivery.default_calendar(self._conn, person, (self.new or self.old).component)  # type: ignore[union-attr]
            concerned |= set() if target is None else {target.id}
        return concerned

    def keep_answers(self) -> None:
        if self.old is not None and self.new is not None:
            self.new = merging.with_answers(self.new, self.old, but=self._own)

    def telling(self) -> CalendarObject:
        """The new object as it is to be stored: with answers taken back, and with how each was told."""
        assert self.new is not None  # noqa: S101
        if not self.is_organizer:
            if self.old is not None and replies.oversteps(self.old, self.new, own=self._own):
                raise InvalidCalendarData(
                    "allowed-attendee-scheduling-object-change", "it is the organizer's to change"
                )
            given = replies.answers(self.old, self.new, own=self._own)
            if not given:
                return self.new
            return merging.with_statuses(self.new, {parts.organizer(self.new): DELIVERED}, name="ORGANIZER")
        if parts.is_grouped(self.new) and parts.organizer(self.new) not in self._own:
            raise InvalidCalendarData("allowed-organizer-scheduling-object-change", "another organizer")
        self._anew = requests.rescheduled(self.old, self.new)
        new = requests.asked_anew(self.new, self._anew, own=self._own) if self._anew else self.new
        known = merging.statuses(self.old)
        self._messages = [each for each in self._due(new) if self._reaches(each)]
        status = {**known, **{who: UNKNOWN for who in self._strangers(new) if not self._by.mail}}
        status |= {each.recipient: self._status_of(each) for each in self._messages}
        return merging.with_statuses(new, {who: code for who, code in status.items() if who in parts.asked(new)})

    def _due(self, new: CalendarObject | None) -> list[Message]:
        """Only to those whom this server has told before, or who are new: a meeting of before it was told by somebody else."""
        told = merging.statuses(self.old)
        before = frozenset() if self.old is None else parts.asked(self.old)
        found = requests.changes(self.old, new, own=self._own, now=self._now)
        due = [each for each in found if each.recipient in told or each.recipient not in before]
        return [each for each in due if each.method != "CANCEL" or not self._is_untold(each.recipient)]

    def _is_untold(self, who: str) -> bool:
        """Nobody is told that a meeting is off who could never be told that it is on."""
        return merging.statuses(self.old).get(who, UNKNOWN) == UNKNOWN

    def _reaches(self, message: Message) -> bool:
        return self._by.mail or delivery.person_of(self._conn, message.recipient) is not None

    def _strangers(self, obj: CalendarObject) -> Iterable[str]:
        of = parts.of(obj)
        others = (who for who in parts.asked(obj) - self._own if requests.agent(of, who) == "SERVER")
        return (who for who in others if delivery.person_of(self._conn, who) is None)

    def _status_of(self, message: Message) -> str:
        person = delivery.person_of(self._conn, message.recipient)
        if person is None:
            return SENT
        held = delivery.copies(self._conn, person, message.view.uid)
        if hindrance := self._hindrance(held):
            return hindrance
        has_room = held or delivery.default_calendar(self._conn, person, message.view.component)
        return DELIVERED if has_room else UNKNOWN

    def _hindrance(self, held: Sequence[Copy]) -> str:
        """Why somebody who has this cannot be sent a message about it; "" if nothing is in the way."""
        known = [each.obj for each in held if each.obj is not None]
        if any(parts.organizer(each) not in self._own for each in known):
            return REFUSED  # somebody else's meeting has this UID there: whoever sends it again does not speak for it
        return UNREADABLE if held and not known else ""

    def send(self, final: CalendarObject | None) -> None:
        """Deliver what follows from the change that has been stored."""
        if self.is_organizer:
            messages = self._messages if final is not None else [m for m in self._due(None) if self._reaches(m)]
            for message in messages:
                self._deliver(message)
            return
        copy = self._organizers_copy()
        known = final or self.old
        given = replies.answers(self.old, final, own=self._own)
        if copy is not None and known is not None and given:
            self._answer(copy, known, given)

    def _deliver(self, message: Message) -> None:
        person = delivery.person_of(self._conn, message.recipient)
        if person is None:
            self._write_to(message)
        elif not self._hindrance(delivery.copies(self._conn, person, message.view.uid)):
            delivery.to_inbox(self._conn, person, message, now=self._now)
            delivery.receive(self._conn, person, message, anew=self._anew, now=self._now)

    def _write_to(self, message: Message) -> None:
        itip_outbox.add(
            self._conn,
            Outgoing(
                self._owner.id,
                message.view.uid,
                message.recipient,
                message.method,
                message.to_bytes(),
                self._now,
                first=self._is_untold(message.recipient),
            ),
        )

    def _answer(
        self, copy: tuple[Calendar, StoredObject], mine: CalendarObject, given: Collection[replies.Answer]
    ) -> None:
        calendar, stored = copy
        organizer = principals.by_id(self._conn, calendar.principal_id)
        if organizer is None:
            return
        who = next(iter(self._own & parts.asked(ical.parse(stored.data))))
        message = replies.reply(mine, given, own=self._own, now=self._now)
        delivery.to_inbox(self._conn, organizer, message, now=self._now)
        delivery.answered(self._conn, organizer, calendar, stored, given, who=who, now=self._now)


def _may_concern(data: bytes | None) -> bool:
    """Cheaply, whether there may be an organizer and an attendee in it: most objects have none."""
    return data is not None and b"ATTENDEE" in data.upper()
