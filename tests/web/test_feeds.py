"""Feeds as their readers fetch them, held against a second parser of iCalendar."""

import datetime as dt
import re

import icalendar
import pytest
import recurring_ical_events

from bridge import config
from bridge.errors import AlreadyExists, NotFound, UsageError
from bridge.services import feeds, principals
from bridge.services.context import open_context
from bridge.store import calendars, objects
from bridge.web.app import create_app
from tests.support.corpus import ACCEPTED

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
CANARY = "canary-4711"
MEETING = (
    f"SUMMARY:Secret {CANARY}", f"DESCRIPTION:{CANARY}", f"LOCATION:{CANARY}", f"ORGANIZER:mailto:{CANARY}@example.org",
    f"ATTENDEE;CN={CANARY}:mailto:{CANARY}@example.org", f"X-NOTE:{CANARY}", f"COMMENT:{CANARY}",
    f"ATTACH:https://example.org/{CANARY}",
    f"URL:https://example.org/{CANARY}", f"CATEGORIES:{CANARY}", f"CONTACT:{CANARY}",
)  # fmt: skip


@pytest.fixture
def clock():
    class Clock:
        at = NOW

    return Clock()


@pytest.fixture
def context(tmp_path, clock):
    opened = open_context(config.load(tmp_path), now=lambda: clock.at)
    principals.add(opened.database, "alice", "alice@example.com", now=NOW)
    yield opened
    opened.close()


@pytest.fixture
def web(context):
    return create_app(context).test_client()


def event(uid, *lines, before=(), component="VEVENT"):
    lines = lines or ("DTSTART:20260310T090000Z", "DTEND:20260310T100000Z", "SUMMARY:Tea")
    content = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//EN", *before, f"BEGIN:{component}", f"UID:{uid}",
               "DTSTAMP:20260101T000000Z", *lines, f"END:{component}", "END:VCALENDAR", ""]  # fmt: skip
    return "\r\n".join(content).encode()


@pytest.fixture
def put(context):
    def store(data, href="a.ics", slug="calendar"):
        with context.database.write() as conn:
            calendar = calendars.get(conn, "alice", slug)
            objects.put(conn, calendar.id, href, data, actor="cli", now=context.now())

    return store


@pytest.fixture
def make(context):
    def add(*slugs, **kwargs):
        return feeds.add(context.database, "alice", slugs or ["calendar"], now=context.now(), **kwargs).path

    return add


def events(reply):
    assert reply.status_code == 200
    return list(icalendar.Calendar.from_ical(reply.data).walk("VEVENT"))


def test_a_feed_is_read_by_whoever_has_its_address(web, put, make):
    put(event("a"))
    path = make(name="Alice's tea")
    assert re.fullmatch(r"/feeds/[\w-]{43}/alice-s-tea\.ics", path)
    reply = web.get(path)
    assert [str(each["SUMMARY"]) for each in events(reply)] == ["Tea"]
    assert reply.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert "Set-Cookie" not in reply.headers
    whole = icalendar.Calendar.from_ical(reply.data)
    assert (whole["METHOD"], whole["X-WR-CALNAME"], whole["NAME"]) == ("PUBLISH", "Alice's tea", "Alice's tea")
    assert whole["REFRESH-INTERVAL"].dt == dt.timedelta(hours=1)
    assert whole["X-PUBLISHED-TTL"] == "PT1H"
    assert all(len(line) <= 75 for line in reply.data.split(b"\r\n"))
    assert b"\n" not in reply.data.replace(b"\r\n", b"")
    head = web.head(path)
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", reply.headers["ETag"])


def test_what_has_not_changed_is_not_sent_again(web, put, make, clock, context, monkeypatch):
    put(event("a"))
    path = make()
    first = web.get(path)
    etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    monkeypatch.setattr(feeds, "content", None)  # nothing is rendered for that
    for headers in ({"If-None-Match": etag}, {"If-None-Match": f"W/{etag}"}, {"If-Modified-Since": modified}):
        reply = web.get(path, headers=headers)
        assert (reply.status_code, reply.data) == (304, b""), headers
        assert reply.headers["ETag"] == etag
    monkeypatch.undo()
    clock.at += dt.timedelta(seconds=1)
    put(event("b"), "b.ics")
    for headers in ({"If-None-Match": etag}, {"If-Modified-Since": modified}):
        assert web.get(path, headers=headers).status_code == 200
    second = web.get(path)
    assert second.headers["ETag"] != etag
    assert web.get(path).data == second.data
    clock.at += DAY
    assert web.get(path).headers["ETag"] != second.headers["ETag"]  # its window has moved


def test_google_applies_a_change_when_the_stamps_move(web, put, make, clock):
    put(event("a"))
    path = make()
    (before,) = events(web.get(path))
    clock.at += dt.timedelta(hours=1)
    put(event("a", "DTSTART:20260310T090000Z", "SUMMARY:Coffee"))
    (after,) = events(web.get(path))
    assert after["DTSTAMP"].dt == clock.at > before["DTSTAMP"].dt
    assert after["LAST-MODIFIED"].dt == clock.at


def test_rotation_and_revocation(web, context, put, make):
    put(event("a"))
    old = make(name="tea")
    new = feeds.rotate(context.database, "alice", "tea", now=NOW).path
    assert (web.get(old).status_code, web.get(new).status_code) == (410, 200)
    feeds.revoke(context.database, "alice", "tea", now=NOW)
    assert (web.get(old).status_code, web.get(new).status_code) == (410, 410)
    assert web.get("/feeds/" + "x" * 43 + "/tea.ics").status_code == 404
    assert web.get("/feeds/tea.ics").status_code == 404
    for method in ("post", "put", "delete"):
        assert getattr(web, method)(old).status_code == 405
    again = make(name="tea")
    assert web.get(again).status_code == 200


def test_r1_no_guest_is_named_in_a_way_that_invites(web, put, make):
    put(
        event(
            "a", "DTSTART:20260310T090000Z", *MEETING, "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "END:VALARM"
        )
    )
    (found,) = events(web.get(make()))
    assert not {"ATTENDEE", "ORGANIZER"} & set(found)
    assert not found.walk("VALARM")
    assert found["LOCATION"] == CANARY


@pytest.mark.parametrize("shows", ["busy", "titles"])
@pytest.mark.parametrize("shape", ["single", "series", "stray"])
def test_r41_what_is_not_to_be_seen_is_in_no_byte(web, put, make, shows, shape):
    lines = {
        "single": ("DTSTART:20260310T090000Z", "DTEND:20260310T100000Z"),
        "series": ("DTSTART:20260310T090000Z", "DTEND:20260310T100000Z", "RRULE:FREQ=DAILY;COUNT=2"),
        "stray": ("RECURRENCE-ID:20260310T090000Z", "DTSTART:20260310T090000Z", "DTEND:20260310T100000Z"),
    }[shape]
    meeting = [line if shows == "busy" or not line.startswith("SUMMARY") else "SUMMARY:Tea" for line in MEETING]
    put(event(f"{CANARY}@example.org", *lines, *meeting))
    reply = web.get(make(shows=shows))
    assert CANARY.encode() not in reply.data
    assert {str(each["SUMMARY"]) for each in events(reply)} == {"Busy" if shows == "busy" else "Tea"}
    again = web.get(make(shows=shows, name="other"))
    assert events(reply)[0]["UID"] != events(again)[0]["UID"]  # two readers cannot compare


@pytest.mark.parametrize("secrecy", ["PRIVATE", "CONFIDENTIAL"])
def test_r41_what_is_marked_private_is_seen_as_busy(web, put, make, secrecy):
    put(event("a", "DTSTART:20260310T090000Z", f"CLASS:{secrecy}", *MEETING))
    put(event("b", "DTSTART:20260310T090000Z", f"CLASS:{secrecy}", "RRULE:FREQ=DAILY;RSCALE=HEBREW", *MEETING), "b.ics")
    reply = web.get(make())
    assert CANARY.encode() not in reply.data
    assert {str(each["SUMMARY"]) for each in events(reply)} == {"Busy"}


def test_who_is_free_is_not_busy(web, put, make):
    put(event("a", "DTSTART:20260310T090000Z", "TRANSP:TRANSPARENT", "SUMMARY:x"))
    put(event("b", "DTSTART:20260310T090000Z", "STATUS:CANCELLED", "SUMMARY:x"), "b.ics")
    assert events(web.get(make(shows="busy"))) == []


def test_the_window(web, put, make):
    put(event("past", "DTSTART:20251101T090000Z", "SUMMARY:past"), "p.ics")
    put(event("near", "DTSTART:20260310T090000Z", "SUMMARY:near"), "n.ics")
    put(event("far", "DTSTART:20270310T090000Z", "SUMMARY:far"), "f.ics")
    put(event("series", "DTSTART:20200310T090000Z", "RRULE:FREQ=YEARLY", "SUMMARY:series"), "s.ics")
    found = {str(each["SUMMARY"]) for each in events(web.get(make(past_days=30, future_days=60)))}
    assert found == {"near", "series"}


def test_a_feed_never_grows_too_large(web, put, make, context):
    for number in range(30):
        day = NOW - number * 10 * DAY
        put(event(f"e{number}", f"DTSTART:{day:%Y%m%dT%H%M%SZ}", "DESCRIPTION:" + "x" * 50_000), f"{number}.ics")
    path = make(past_days=300)
    reply = web.get(path)
    assert 100_000 < len(reply.data) <= feeds.LARGEST
    with context.database.read() as conn:
        (listed,) = feeds.listed(conn, "alice")
    assert listed.feed.narrowed == [150, 730]


ZONE = ("BEGIN:VTIMEZONE", "TZID:Mine", "BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETFROM:{0}",
        "TZOFFSETTO:{0}", "END:STANDARD", "END:VTIMEZONE")  # fmt: skip


def test_d01_zones_of_one_name_do_not_mix(web, put, make):
    for number, offset in enumerate(("+0500", "-0500", "+0500")):
        zone = [line.format(offset) for line in ZONE]
        put(event(f"e{number}", "DTSTART;TZID=Mine:20260310T120000", f"SUMMARY:{offset}", before=zone), f"{number}.ics")
    put(event("b", "DTSTART;TZID=Europe/Berlin:20260710T120000", "SUMMARY:+0200"), "b.ics")
    reply = web.get(make())
    assert reply.data.count(b"BEGIN:VTIMEZONE") == 3
    for each in events(reply):
        offset = dt.datetime.strptime(str(each["SUMMARY"]), "%z").utcoffset()
        assert each["DTSTART"].dt.utcoffset() == offset


def test_a_uid_in_two_calendars_stands_once(web, context, put, make):
    with context.database.write() as conn:
        owner = calendars.get(conn, "alice", "calendar").principal_id
        calendars.create(conn, owner, "work", properties={"tag": "VCALENDAR", "D:displayname": "Work"}, now=NOW)
    put(event("a", "DTSTART:20260310T090000Z", "SUMMARY:first"))
    put(event("a", "DTSTART:20260310T090000Z", "SUMMARY:second"), slug="work")
    put(event("b", "DTSTART:20260310T090000Z", "SUMMARY:other"), "b.ics", slug="work")
    assert [str(each["SUMMARY"]) for each in events(web.get(make("calendar", "work")))] == ["first", "other"]


def test_a_calendar_that_goes_takes_its_part_along(web, context, put, make):
    put(event("a"))
    path = make()
    etag = web.get(path).headers["ETag"]
    with context.database.write() as conn:
        calendars.delete(conn, calendars.get(conn, "alice", "calendar").id, now=NOW)
    reply = web.get(path, headers={"If-None-Match": etag})
    assert events(reply) == []


def test_the_whole_corpus_in_one_feed(web, put, make):
    """Every object that a calendar takes: a second parser reads the feed, and no object spoils it."""
    for number, data in enumerate(ACCEPTED.values()):
        put(
            re.sub(rb"(?m)^UID:.*(?:\r?\n[ \t].*)*", f"UID:u{number}".encode(), data) if b"\nUID" in data else data,
            f"{number}.ics",
        )
    reply = web.get(make(past_days=3650, future_days=3650))
    whole = icalendar.Calendar.from_ical(reply.data)
    uids = {str(each["UID"]) for each in whole.walk("VEVENT")}
    assert len(uids) > 300


SERIES = event("s", "DTSTART;TZID=Europe/Berlin:20260320T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=20",
               "EXDATE;TZID=Europe/Berlin:20260322T090000", "SUMMARY:Tea").replace(
    b"END:VCALENDAR",
    b"BEGIN:VEVENT\r\nUID:s\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260330T090000\r\n"
    b"DTSTART;TZID=Europe/Berlin:20260330T110000\r\nDURATION:PT2H\r\nSUMMARY:Tea\r\nEND:VEVENT\r\nEND:VCALENDAR",
)  # fmt: skip


@pytest.mark.parametrize("shows", ["full", "titles", "busy"])
def test_a_series_stays_a_series_with_its_exceptions(web, put, make, shows):
    """By a third party's reckoning, across a change of clocks."""
    put(SERIES)
    whole = icalendar.Calendar.from_ical(web.get(make(shows=shows)).data)
    found = recurring_ical_events.of(whole).between(NOW, NOW + 60 * DAY)
    times = sorted((each["DTSTART"].dt.astimezone(dt.UTC), each["DTEND"].dt.astimezone(dt.UTC)) for each in found)
    expected = []
    for day in range(20):
        start = (
            dt.datetime(2026, 3, 20, 8, tzinfo=dt.UTC)
            + day * DAY
            - (dt.timedelta(hours=1) if day >= 9 else dt.timedelta())
        )
        if day == 10:
            expected.append((start + dt.timedelta(hours=2), start + dt.timedelta(hours=4)))
        elif day != 2:
            expected.append((start, start + dt.timedelta(hours=1)))
    assert times == expected


def test_what_is_not_made(context):
    for slugs, kwargs, error, words in (
        (["nowhere"], {}, NotFound, "there is no calendar alice/nowhere"),
        ([".inbox"], {}, NotFound, "there is no calendar"),
        ([], {}, UsageError, "at least one calendar"),
        (["calendar"], {"shows": "all"}, UsageError, "full, titles, busy"),
        (["calendar"], {"past_days": -1}, UsageError, "0 to 3650"),
        (["calendar"], {"name": "a\nb"}, UsageError, "printable"),
    ):
        with pytest.raises(error, match=words):
            feeds.add(context.database, "alice", slugs, now=NOW, **kwargs)
    feeds.add(context.database, "alice", ["calendar"], now=NOW)
    with pytest.raises(AlreadyExists):
        feeds.add(context.database, "alice", ["calendar"], now=NOW)
    with pytest.raises(NotFound):
        feeds.rotate(context.database, "alice", "work", now=NOW)


def test_robots_are_told_where_they_may_go(web):
    reply = web.get("/robots.txt")
    assert (reply.status_code, reply.mimetype) == (200, "text/plain")
    assert "Allow: /feeds/" in reply.text


def test_who_came_last_is_noted_once_a_minute(web, context, put, make, clock):
    put(event("a"))
    path = make()

    def seen():
        with context.database.read() as conn:
            (listed,) = feeds.listed(conn, "alice")
        return listed.feed.fetched_at, listed.feed.agent

    assert seen() == (None, None)
    web.get(path, headers={"User-Agent": "Google-Calendar-Importer"})
    assert seen() == (NOW, "Google-Calendar-Importer")
    clock.at += dt.timedelta(seconds=30)
    web.get(path, headers={"User-Agent": "other"})
    assert seen() == (NOW, "Google-Calendar-Importer")


def test_the_secret_is_not_kept(context, make):
    secret = make().split("/")[2]
    with context.database.read() as conn:
        for name in ("feeds", "former_feeds", "audit"):
            rows = conn.exec_driver_sql(f"SELECT * FROM {name}").all()
            assert secret not in repr(rows)
