"""Guests who have no calendar here: written to through a real mail server, and heard from a real mailbox."""

import datetime as dt
from email.message import EmailMessage

import icalendar
import pytest
import sqlalchemy as sa

from bridge import config
from bridge.errors import UsageError
from bridge.ical import objects as ical
from bridge.ical.itip import merging, parts
from bridge.services import history, housekeeping, mailing, principals, scheduling
from bridge.services.context import open_context
from bridge.services.scheduling import Scheduling
from bridge.store import calendars, objects, tables
from tests.support import databases
from tests.support.post import Keeper, Taker

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
SENDER = "calendar@example.org"
KIM, LEE = "kim@example.net", "lee@example.net"
BY = Scheduling(mail=True)


@pytest.fixture(scope="module")
def keeper():
    running = Keeper()
    yield running
    running.close()


@pytest.fixture
def taker():
    running = Taker()
    yield running
    running.close()


@pytest.fixture
def clock():
    class Clock:
        at = NOW

    return Clock()


@pytest.fixture
def context(tmp_path, taker, keeper, clock, monkeypatch):
    for name, value in {
        "SENDER": SENDER, "SMTP_HOST": "127.0.0.1", "SMTP_PORT": taker.port, "SMTP_SECURITY": "none", "IMAP_HOST": "127.0.0.1",
        "IMAP_PORT": keeper.port, "IMAP_SECURITY": "none", "IMAP_USER": keeper.user, "IMAP_PASSWORD": keeper.password,
    }.items():  # fmt: skip
        monkeypatch.setenv(f"CALDAV_BRIDGE_MAIL__{name}", str(value))
    databases.lay(tmp_path)
    opened = open_context(config.load(tmp_path), now=lambda: clock.at)
    principals.add(opened.database, "alice", "alice@example.org", now=NOW)
    yield opened
    opened.close()


def meeting(*guests, title="Tea", start="20260310T090000Z", more=()):
    asked = [f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{guest}" for guest in guests]
    content = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//EN", "BEGIN:VEVENT", "UID:m1", "DTSTAMP:20260101T000000Z",
               f"DTSTART:{start}", "DURATION:PT1H", f"SUMMARY:{title}", "LOCATION:Room 4\\, second floor",
               "ORGANIZER:mailto:alice@example.org", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.org", *asked, *more,
               "END:VEVENT", "END:VCALENDAR", ""]  # fmt: skip
    return "\r\n".join(content).encode()


@pytest.fixture
def put(context):
    def store(data, by=BY):
        with context.database.write() as conn:
            calendar = calendars.get(conn, "alice", "calendar")
            scheduling.put(conn, calendar, "m1.ics", data, actor="device:1", now=context.now(), by=by)

    return store


@pytest.fixture
def held(context):
    def look():
        with context.database.read() as conn:
            calendar = calendars.get(conn, "alice", "calendar")
            return ical.parse(objects.get(conn, calendar.id, "m1.ics").data)

    return look


def part(mail):
    (found,) = [each for each in mail.walk() if each.get_content_type() == "text/calendar"]
    return found, icalendar.Calendar.from_ical(found.get_content())


def partstat(obj, who):
    return {key: parts.partstat(each, [who]) for key, each in parts.of(obj).by_key.items()}


def test_a_guest_elsewhere_gets_a_letter_for_people_and_programs(context, taker, put, held):
    put(meeting(KIM))
    assert merging.statuses(held()) == {KIM: "1.1"}
    assert mailing.deliver(context) == 1
    assert mailing.deliver(context) == 0
    ((recipient, mail),) = taker.got
    assert recipient == KIM
    assert mail["Subject"] == "Invitation: Tea"
    assert mail["From"].addresses[0].addr_spec == SENDER
    assert mail["From"].addresses[0].display_name == "alice"
    words = mail.get_body(("plain",)).get_content()
    assert "alice invites you to: Tea" in words
    assert "Tuesday, 10 March 2026, 09:00 (UTC)" in words
    assert "Room 4, second floor" in words
    found, calendar = part(mail)
    assert found.get_param("method") == "REQUEST" == calendar["METHOD"]
    (event,) = calendar.walk("VEVENT")
    reply_to = mail["Reply-To"].addresses[0].addr_spec
    assert event["ORGANIZER"] == f"mailto:{reply_to}"
    assert reply_to.startswith("calendar+")
    assert "SCHEDULE-STATUS" not in found.get_content()


def test_a_change_and_the_end_are_told_and_what_was_never_sent_is_not_called_off(context, taker, put):
    put(meeting(KIM))
    put(meeting(KIM, title="Coffee"))
    mailing.deliver(context)
    assert [mail["Subject"] for _, mail in taker.got] == ["Invitation: Coffee"]  # the newest alone
    put(meeting(KIM, LEE, title="Juice"))
    put(meeting(KIM, title="Juice"))  # Lee was never told
    mailing.deliver(context)
    put(meeting(title="Juice"))
    mailing.deliver(context)
    assert [(who, mail["Subject"]) for who, mail in taker.got[1:]] == [
        (KIM, "Invitation: Juice"),
        (KIM, "Cancelled: Juice"),
    ]
    assert len({mail["Message-ID"] for _, mail in taker.got}) == 3


def test_what_is_not_taken_waits_and_what_is_refused_is_said(context, taker, put, held, clock):
    put(meeting(KIM, LEE))
    taker.refuses = {KIM: 450, LEE: 550}
    assert mailing.deliver(context) == 0
    assert merging.statuses(held()) == {KIM: "1.1", LEE: "5.1"}
    assert mailing.deliver(context) == 0
    taker.refuses = {}
    clock.at += dt.timedelta(minutes=2)
    assert mailing.deliver(context) == 1
    assert [who for who, _ in taker.got] == [KIM]


def test_a_guest_who_knows_of_the_meeting_learns_that_it_is_off_though_a_change_was_still_waiting(context, taker, put):
    put(meeting(KIM))
    mailing.deliver(context)
    put(meeting(KIM, title="Coffee"))
    put(meeting(title="Coffee"))
    assert mailing.deliver(context) == 1
    assert [mail["Subject"] for _, mail in taker.got] == ["Invitation: Tea", "Cancelled: Coffee"]


@pytest.mark.parametrize(("guests", "last"), [([KIM], "Invitation: Coffee"), ([], "Cancelled: Tea")])
def test_an_older_letter_never_follows_a_newer_one(context, taker, put, clock, guests, last):
    """Or a guest would be invited to what was called off."""
    put(meeting(KIM))
    taker.refuses = {KIM: 450}
    mailing.deliver(context)
    taker.refuses = {}
    put(meeting(*guests, title="Coffee"))
    for _ in range(3):
        clock.at += dt.timedelta(minutes=10)
        mailing.deliver(context)
    assert [mail["Subject"] for _, mail in taker.got] == [last]


def test_who_could_not_be_invited_is_not_told_that_it_is_off(context, taker, put):
    put(meeting(KIM), by=Scheduling(mail=False))
    put(meeting())
    assert mailing.deliver(context) == 0
    put(meeting(KIM), by=Scheduling(mail=False))
    put(meeting(KIM, title="Coffee"))
    put(meeting(title="Coffee"))
    assert mailing.deliver(context) == 0
    assert taker.got == []


def test_a_calendars_end_is_told_though_the_calendar_is_gone(context, taker, put):
    put(meeting(KIM))
    mailing.deliver(context)
    with context.database.write() as conn:
        scheduling.delete_calendar(conn, calendars.get(conn, "alice", "calendar"), now=context.now(), by=BY)
    assert mailing.deliver(context) == 1
    assert [mail["Subject"] for _, mail in taker.got] == ["Invitation: Tea", "Cancelled: Tea"]


def test_what_waits_for_a_guest_is_replaced_in_whichever_calendar_the_meeting_is(context, taker, put):
    put(meeting(KIM))
    with context.database.write() as conn:
        source = calendars.get(conn, "alice", "calendar")
        work = calendars.create(conn, source.principal_id, "work", properties={}, now=context.now())
        stored = objects.get(conn, source.id, "m1.ics")
        objects.delete(conn, source.id, "m1.ics", actor="device:1", now=context.now())
        objects.put(conn, work.id, "m1.ics", stored.data, actor="device:1", now=context.now())
        scheduling.put(conn, work, "m1.ics", meeting(KIM, title="Coffee"), actor="device:1", now=context.now(), by=BY)
    taker.refuses = {KIM: 550}
    mailing.deliver(context)
    with context.database.read() as conn:
        assert merging.statuses(ical.parse(objects.get(conn, work.id, "m1.ics").data)) == {KIM: "5.1"}
    taker.refuses = {}
    assert mailing.deliver(context) == 0


def test_who_is_told_that_a_meeting_is_off_is_asked_again_when_it_is_restored(context, taker, put, held):
    put(meeting(KIM))
    mailing.deliver(context)
    with context.database.write() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
        scheduling.delete(conn, calendar, "m1.ics", actor="device:1", now=context.now(), by=BY)
    mailing.deliver(context)
    assert history.restore(context, "alice/calendar", "m1").changed
    mailing.deliver(context)
    subjects = [mail["Subject"] for _, mail in taker.got]
    assert subjects == ["Invitation: Tea", "Cancelled: Tea", "Invitation: Tea"]
    assert merging.statuses(held()) == {KIM: "1.1"}


def test_a_meeting_that_is_in_another_calendar_by_now_is_not_restored_beside_it(context, put):
    put(meeting(KIM))
    with context.database.write() as conn:
        source = calendars.get(conn, "alice", "calendar")
        work = calendars.create(conn, source.principal_id, "work", properties={}, now=context.now())
        stored = objects.get(conn, source.id, "m1.ics")
        objects.delete(conn, source.id, "m1.ics", actor="device:1", now=context.now())
        objects.put(conn, work.id, "m1.ics", stored.data, actor="device:1", now=context.now())
    with pytest.raises(UsageError, match="cannot be put back: the meeting is in another calendar already"):
        history.restore(context, "alice/calendar", "m1")


def test_a_mail_server_that_is_away_loses_nothing(context, taker, put, clock):
    put(meeting(KIM))
    taker.close()
    assert mailing.deliver(context) == 0
    taker.reopen()
    assert mailing.deliver(context) == 0
    clock.at += dt.timedelta(minutes=2)
    assert mailing.deliver(context) == 1


def answer(
    context,
    taker,
    word,
    *,
    who=KIM,
    uid="m1",
    method="REPLY",
    lines=("DTSTART:20260310T090000Z",),
    sender=KIM,
    token=None,
):
    """Their program's answer to the letter they got."""
    (mail,) = [mail for recipient, mail in taker.got if recipient == who][-1:]
    to = mail["Reply-To"].addresses[0].addr_spec if token is None else f"calendar+{token}@example.org"
    reply = EmailMessage()
    reply["From"], reply["To"], reply["Subject"] = sender, to, "Accepted: Tea"
    content = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//else//EN", f"METHOD:{method}", "BEGIN:VEVENT", f"UID:{uid}",
               "DTSTAMP:20260301T120000Z", *lines, f"ORGANIZER:mailto:{to}",
               f"ATTENDEE;PARTSTAT={word}:mailto:{who}", "END:VEVENT", "END:VCALENDAR", ""]  # fmt: skip
    reply.set_content("Yes.")
    reply.add_alternative("\r\n".join(content).encode(), "text", "calendar", params={"method": method})
    return reply


def test_an_answer_comes_back_into_the_organizers_calendar(context, taker, keeper, put, held, clock):
    put(meeting(KIM, LEE))
    mailing.deliver(context)
    before = keeper.unseen()
    keeper.put(answer(context, taker, "TENTATIVE"))
    assert mailing.collect(context) == 1
    assert keeper.unseen() == before  # read; what else is in the mailbox is left as it is
    assert partstat(held(), KIM) == {"": "TENTATIVE"}
    assert partstat(held(), LEE) == {"": "NEEDS-ACTION"}
    assert mailing.collect(context) == 0
    with context.database.read() as conn:
        inbox = calendars.get(conn, "alice", calendars.INBOX)
        (message,) = objects.every(conn, inbox.id)
    assert b"METHOD:REPLY" in message.data
    assert mailing.deliver(context) == 0  # nobody is mailed about an answer
    clock.at += dt.timedelta(days=91)
    housekeeping.run(context)
    with context.database.read() as conn:
        assert list(objects.every(conn, inbox.id)) == []


@pytest.mark.parametrize(
    ("lines", "partstat_"),
    [
        (("DTSTART:20260310T090000Z", "SEQUENCE:1"), "NEEDS-ACTION"),
        (("SEQUENCE:0",), "NEEDS-ACTION"),
        (("DTSTART;TZID=Europe/Berlin:20260312T100000", "SEQUENCE:0"), "ACCEPTED"),
        (("SEQUENCE:1",), "ACCEPTED"),
    ],
)
def test_an_answer_to_another_time_comes_too_late(context, taker, keeper, put, held, lines, partstat_):
    """Who could come on Tuesday has not said that they can on Thursday (RFC 5546 §2.1.5)."""
    put(meeting(KIM))
    mailing.deliver(context)
    put(meeting(KIM, start="20260312T090000Z", more=("SEQUENCE:1",)))
    mailing.deliver(context)
    keeper.put(answer(context, taker, "ACCEPTED", lines=lines))
    mailing.collect(context)
    assert partstat(held(), KIM) == {"": partstat_}


@pytest.mark.parametrize(
    "change",
    [{"uid": "other"}, {"method": "REQUEST"}, {"token": "0" * 24}, {"who": LEE, "sender": LEE}],
    ids=lambda change: next(iter(change)),
)
def test_r1_nobody_answers_for_anybody_else(context, taker, keeper, put, held, change):
    """An address is one guest's for one meeting: whatever a mail claims, it changes nothing else."""
    put(meeting(KIM, LEE))
    mailing.deliver(context)
    forged = answer(context, taker, "DECLINED", **change)
    if "who" in change:
        kims = next(mail for who, mail in taker.got if who == KIM)["Reply-To"].addresses[0].addr_spec
        del forged["To"]
        forged["To"] = kims
    before = held().to_bytes()
    keeper.put(forged)
    mailing.collect(context)
    assert held().to_bytes() == before


@pytest.mark.parametrize("refused", [True, False], ids=["a letter that is refused", "an answer"])
def test_r32_what_cannot_be_read_any_more_holds_up_no_mail(context, taker, keeper, put, refused):
    """The organizer's object, stored by an older version: nothing is noted in it, and the next letter goes out."""
    put(meeting(KIM))
    if refused:
        taker.refuses = {KIM: 550}
    else:
        mailing.deliver(context)
        keeper.put(answer(context, taker, "ACCEPTED"))
    broken = meeting(KIM).replace(b"BEGIN:VEVENT", b"METHOD:REQUEST\r\nBEGIN:VEVENT")
    with context.database.write() as conn:
        conn.execute(sa.update(tables.objects).values(data=broken))
    if refused:
        assert mailing.deliver(context) == 0
        taker.refuses = {}
        assert mailing.deliver(context) == 0
    else:
        assert mailing.collect(context) == 1
        assert mailing.collect(context) == 0
    with context.database.read() as conn:
        assert objects.get(conn, calendars.get(conn, "alice", "calendar").id, "m1.ics").data == broken


def test_mails_that_are_no_answers_stay_unread(context, keeper):
    before = keeper.unseen()
    other = EmailMessage()
    other["From"], other["To"], other["Subject"] = KIM, SENDER, "Hello"
    other.set_content("How are you?")
    keeper.put(other)
    assert mailing.collect(context) == 0
    assert keeper.unseen() == before + 1


def test_r2_a_title_cannot_become_a_header(context, taker, put):
    put(meeting(KIM, title="Tea\\nBcc: lee@example.net"))
    mailing.deliver(context)
    ((recipient, mail),) = taker.got
    assert recipient == KIM
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Invitation: Tea Bcc: lee@example.net"
