"""Guests who have no calendar here: told by mail, and heard when they answer (RFC 6047).

A mail is sent at least once. Should a process die between sending it and writing that down it goes out again under the same
Message-ID, and says the same: a guest's calendar does nothing about it, and no invitation is ever lost.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
import structlog

from bridge.config import Mail
from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import lines, text, view
from bridge.ical.attendees import address
from bridge.ical.fields import EventFields
from bridge.ical.itip import merging, messages, parts, replies
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject
from bridge.notify import imip
from bridge.notify.imip import Letter, Mailbox, NotTaken, Received
from bridge.services import delivery, scheduling
from bridge.services.context import Context
from bridge.store import calendars, changes, itip_outbox, objects, principals, reply_addresses
from bridge.store.itip_outbox import Outgoing
from bridge.store.principals import Principal
from bridge.store.reply_addresses import ReplyAddress

log = structlog.get_logger(__name__)

_MOST_AT_ONCE = 20
_GIVE_UP = 12
_FIRST_PAUSE = dt.timedelta(minutes=1)
_LONGEST_PAUSE = dt.timedelta(hours=6)


def deliver(context: Context) -> int:
    """Send what is due; how many were sent. What is not taken waits, longer each time, and in the end the organizer is told."""
    settings = context.settings.mail
    if not settings.sender:
        return 0
    with context.database.read() as conn:
        if not itip_outbox.any_due(conn, now=context.now()):
            return 0
    sent = 0
    for _ in range(_MOST_AT_ONCE):
        with context.database.write() as conn:
            message = itip_outbox.claim(conn, now=context.now())
            made = None if message is None else _letter(conn, settings, message, now=context.now())
        if message is None:
            break
        try:
            if made is not None:
                imip.send(_smtp(settings), imip.letter(made), sender=settings.sender, recipient=message.recipient)
                sent += 1
        except NotTaken as refusal:
            _not_taken(context, message, forever=refusal.forever)
            continue
        with context.database.write() as conn:
            itip_outbox.sent(conn, message.id)
    return sent


def _smtp(settings: Mail) -> Mailbox:
    return Mailbox(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password.get_secret_value(),
    )


def _letter(conn: sa.Connection, settings: Mail, message: Outgoing, *, now: dt.datetime) -> Letter | None:
    """None: its organizer is gone, or it cannot be read any more: nobody is to be written to."""
    organizer = principals.by_id(conn, message.principal_id)
    try:
        _, view_ = messages.read(message.data)
    except InvalidCalendarData:
        return None
    if organizer is None:
        return None
    reply_to, data = organizer.email, message.data
    if settings.imap_host:
        reply_to = _reply_address(conn, settings, message, now=now)
        data = _organized_by(message.data, reply_to, organizer)
    title, words = _words(view_, message.method, _name(organizer))
    return Letter(
        sender=settings.sender,
        name=_name(organizer),
        reply_to=reply_to,
        recipient=message.recipient,
        method=message.method,
        title=title,
        words=words,
        calendar=data,
        key=f"itip-{message.id}-{int(message.created_at.timestamp())}",
    )


def _name(organizer: Principal) -> str:
    name = organizer.properties.get("D:displayname")
    return name if isinstance(name, str) and name.strip() else organizer.name


def _reply_address(conn: sa.Connection, settings: Mail, message: Outgoing, *, now: dt.datetime) -> str:
    user, _, domain = settings.sender.rpartition("@")
    own = reply_addresses.of(conn, message.principal_id, message.uid, message.recipient, now=now)
    return f"{user}+{own.token}@{domain}"


def _organized_by(data: bytes, reply_to: str, organizer: Principal) -> bytes:
    """The message with the address for answers as its organizer's: programs answer to that, whatever Reply-To says."""
    own = address(organizer.email)

    def addressed(line: Line) -> str:
        if line.name not in ("ORGANIZER", "ATTENDEE") or address(line.value) != own:
            return line.raw
        named = [] if line.param("CN") else [("CN", _name(organizer))]
        gone = ("EMAIL", "SENT-BY", "DIR")
        return lines.rewrite(line, f"mailto:{reply_to}", drop=gone, params=named, eol=lines.ending(line)).raw

    content = data.decode("utf-8", "surrogateescape")
    return "".join(map(addressed, lines.read(content))).encode("utf-8", "surrogateescape")


def _words(obj: CalendarObject, method: str, name: str) -> tuple[str, str]:
    """The title, and what a person reads who has no calendar program."""
    first = parts.components(obj)[0]
    names = ("SUMMARY", "LOCATION", "DESCRIPTION")
    values = {key: text.unescape(line.value) if (line := first.first(key)) else "" for key in names}
    told = {"REQUEST": "invites you to", "CANCEL": "has called off"}.get(method, "writes about")
    lines_ = [f"{name} {told}: {values['SUMMARY'] or 'a meeting'}", ""]
    when = _when(obj)
    lines_ += [f"When: {when}"] if when else []
    lines_ += [f"Where: {values['LOCATION']}"] if values["LOCATION"] else []
    lines_ += ["", values["DESCRIPTION"]] if values["DESCRIPTION"] and method == "REQUEST" else []
    return values["SUMMARY"], "\n".join(lines_) + "\n"


def _when(obj: CalendarObject) -> str:
    try:
        fields = view.read(obj).master if obj.master is not None else next(iter(view.strays(obj).values()))
    except Unmappable:  # words for people; the message itself says it to programs
        return ""
    if not isinstance(fields, EventFields):
        return ""
    when = fields.when
    if when.all_day:
        return f"{when.start:%A, %d %B %Y}"
    return f"{when.start:%A, %d %B %Y, %H:%M} ({when.zone or 'local time'})"


def _not_taken(context: Context, message: Outgoing, *, forever: bool) -> None:
    now = context.now()
    if not forever and message.attempts < _GIVE_UP:
        pause = min(_FIRST_PAUSE * 2 ** (message.attempts - 1), _LONGEST_PAUSE)
        with context.database.write() as conn:
            itip_outbox.later(conn, message.id, now + pause)
        log.info("a mail was not taken and waits", message=message.id, attempts=message.attempts)
        return
    log.warning("a mail cannot be delivered", message=message.id)
    with context.database.write() as conn:
        itip_outbox.sent(conn, message.id)
        changes.lock(conn, *(each.calendar_id for each in objects.of_person(conn, message.principal_id, message.uid)))
        for stored in objects.of_person(conn, message.principal_id, message.uid):
            obj = delivery.readable(stored.data)
            if obj is not None and message.recipient in merging.statuses(obj):
                noted = merging.with_statuses(obj, {message.recipient: scheduling.UNKNOWN}).to_bytes()
                actor = delivery.ACTOR
                objects.put(conn, stored.calendar_id, stored.href, noted, actor=actor, now=now, quietly=True)


def collect(context: Context) -> int:
    """Read the mailbox for answers; how many came. Raises NotTaken where it cannot be read."""
    settings = context.settings.mail
    if not (settings.sender and settings.imap_host):
        return 0
    mailbox = Mailbox(
        settings.imap_host,
        settings.imap_port,
        settings.imap_security,
        settings.imap_user,
        settings.imap_password.get_secret_value(),
        settings.imap_folder,
    )
    return imip.read(mailbox, address=settings.sender, take=lambda received: _take(context, received))


def _take(context: Context, received: Received) -> None:
    """An answer counts for the guest and the meeting that its address was made for, whoever's name stands in it."""
    try:
        method, message = messages.read(received.calendar)
    except InvalidCalendarData:
        log.info("an answer by mail cannot be read")
        return
    with context.database.write() as conn:
        known = reply_addresses.by_token(conn, received.token)
        if known is None or method != "REPLY" or message.uid != known.uid:
            log.info("a mail to a reply address is no answer", method=method[:16])
            return
        _apply(conn, known, message, context.now())


def _apply(conn: sa.Connection, known: ReplyAddress, message: CalendarObject, now: dt.datetime) -> None:
    organizer = principals.by_id(conn, known.principal_id)
    given = replies.read(message, known.recipient)
    if organizer is None or not given:
        return
    for stored in objects.of_person(conn, organizer.id, known.uid):
        calendar = calendars.by_id(conn, stored.calendar_id)
        obj = delivery.readable(stored.data)
        if obj is None or calendar is None or calendars.is_bridged(conn, calendar.id):
            continue
        if known.recipient not in parts.asked(obj):
            continue
        still = replies.in_time(given, message, obj)
        if not still:
            log.info("an answer by mail came too late")
            continue
        answer = replies.reply(obj, still, own=[known.recipient], now=now)
        delivery.to_inbox(conn, organizer, answer, now=now)
        delivery.answered(conn, organizer, calendar, stored, still, who=known.recipient, now=now)
