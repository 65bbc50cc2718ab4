"""Feeds as their readers fetch them, held against a second parser of iCalendar."""

import datetime as dt
import plistlib
import re
from urllib.parse import urlsplit

import icalendar
import pytest
import recurring_ical_events
import sqlalchemy as sa

from bridge import config
from bridge.errors import AlreadyExists, NotFound, Unmappable, UsageError
from bridge.ical import objects as ical
from bridge.ical import recurrence, times, view
from bridge.services import addresses, disclosing, feeds, logs, principals, publishing
from bridge.services.context import open_context
from bridge.store import calendars, objects, tables
from bridge.store.objects import StoredObject
from bridge.web.app import create_app
from tests.support import databases
from tests.support.corpus import ACCEPTED

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
ALWAYS = publishing.Window(dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC))
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
    databases.lay(tmp_path)
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
    clock.at += dt.timedelta(minutes=2)
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


def test_who_asks_by_the_date_alone_hears_of_a_second_change_in_the_same_second(web, put, make, clock):
    put(event("a"))
    path = make()
    first = web.get(path)
    clock.at += dt.timedelta(milliseconds=300)
    put(event("b"), "b.ics")
    clock.at += dt.timedelta(minutes=5)
    second = web.get(path, headers={"If-Modified-Since": first.headers["Last-Modified"]})
    assert len(events(second)) == 2
    assert web.get(path, headers={"If-Modified-Since": second.headers["Last-Modified"]}).status_code == 304


def test_google_applies_a_change_when_the_stamps_move(web, put, make, clock):
    put(event("a"))
    path = make()
    (before,) = events(web.get(path))
    clock.at += dt.timedelta(hours=1)
    put(event("a", "DTSTART:20260310T090000Z", "SUMMARY:Coffee"))
    (after,) = events(web.get(path))
    assert after["DTSTAMP"].dt == clock.at > before["DTSTAMP"].dt
    assert after["LAST-MODIFIED"].dt == clock.at
    assert after["SEQUENCE"] > before["SEQUENCE"]


@pytest.mark.parametrize("shows", ["full", "busy"])
def test_a_change_never_seems_older_than_what_google_has(web, put, make, clock, shows):
    """A device that counts anew, or a version that is taken back from history."""
    put(event("a", "DTSTART:20260310T090000Z", "SEQUENCE:7"))
    path = make(shows=shows)
    (before,) = events(web.get(path))
    clock.at += dt.timedelta(seconds=1)
    put(event("a", "DTSTART:20260310T100000Z", "SEQUENCE:0"))
    (after,) = events(web.get(path))
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["SEQUENCE"] < 2**31


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
        reply = getattr(web, method)(old)
        assert (reply.status_code, set(reply.headers["Allow"].split(", "))) == (405, {"GET", "HEAD", "OPTIONS"})
    again = make(name="tea")
    assert web.get(again).status_code == 200


def test_r1_no_guest_is_named_in_a_way_that_invites(web, put, make):
    put(
        event(
            "a",
            "DTSTART:20260310T090000Z",
            *MEETING,
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "TRIGGER:-PT5M",
            "END:VALARM",
            "BEGIN:PARTICIPANT",
            "UID:p",
            "PARTICIPANT-TYPE:ACTIVE",
            "CALENDAR-ADDRESS:mailto:bob@example.org",
            "END:PARTICIPANT",
        )
    )
    (found,) = events(web.get(make()))
    assert not {"ATTENDEE", "ORGANIZER"} & set(found)
    assert not found.walk("VALARM")
    assert not found.walk("PARTICIPANT")
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


@pytest.mark.parametrize("secrecy", ["PRIVATE", "CONFIDENTIAL", "X-SECRET"])
def test_r41_what_is_marked_private_is_seen_as_busy(web, put, make, secrecy):
    put(event("a", "DTSTART:20260310T090000Z", f"CLASS:{secrecy}", *MEETING))
    put(event("b", "DTSTART:20260310T090000Z", f"CLASS:{secrecy}", "RRULE:FREQ=DAILY;RSCALE=HEBREW", *MEETING), "b.ics")
    strange = "RECURRENCE-ID;RANGE=THISANDPRIOR:20260310T090000Z"  # nobody knows what by it
    put(event("c", strange, "DTSTART:20260310T090000Z", f"CLASS:{secrecy}", *MEETING), "c.ics")
    reply = web.get(make())
    assert CANARY.encode() not in reply.data
    assert {str(each["SUMMARY"]) for each in events(reply)} == {"Busy"}


def test_a_busy_day_in_a_series_of_free_ones_is_told(web, put, make):
    series = SERIES.replace(b"RRULE", b"TRANSP:TRANSPARENT\r\nRRULE")
    put(series)
    whole = icalendar.Calendar.from_ical(web.get(make(shows="busy")).data)
    found = recurring_ical_events.of(whole).between(NOW, NOW + 60 * DAY)
    assert [str(each["DTSTART"].dt.day) for each in found if each.get("TRANSP", "OPAQUE") == "OPAQUE"] == ["30"]


def test_r41_an_unknown_class_is_private_where_nothing_else_can_be_read(web, put, make):
    """RFC 5545 §3.8.1.3."""
    strange = "RECURRENCE-ID;RANGE=THISANDPRIOR:20260310T090000Z"
    put(event("a", strange, "DTSTART:20260310T090000Z", "CLASS:X-BOARD", *MEETING))
    assert CANARY.encode() not in web.get(make()).data


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


def narrowed(context):
    with context.database.read() as conn:
        (listed,) = feeds.listed(conn, "alice")
    return listed.feed.narrowed, listed.feed.left_out


def test_no_object_is_read_twice_however_much_is_cut_off(web, put, make, context, monkeypatch):
    for number in range(200):
        day = NOW - number * DAY
        put(event(f"e{number}", f"DTSTART:{day:%Y%m%dT%H%M%SZ}", "DESCRIPTION:" + "x" * 9_000), f"{number}.ics")
    path = make(past_days=3650)
    read = []
    monkeypatch.setattr(
        disclosing, "tell", lambda stored, *rest, tell=disclosing.tell: read.append(stored.href) or tell(stored, *rest)
    )
    reply = web.get(path)
    assert len(reply.data) <= feeds.LARGEST
    assert len(set(read)) == len(read) < 130
    assert len(events(reply)) == 58
    assert narrowed(context) == ([57, 730], 0)


def test_what_can_never_fit_is_left_out_and_the_rest_is_not(web, put, make, context):
    put(event("large", "DTSTART:20260201T090000Z", "DESCRIPTION:" + "x" * 1_100_000), "large.ics")
    put(
        event("file", "DTSTART:20260201T090000Z", "ATTACH;VALUE=BINARY;ENCODING=BASE64:" + "eHh4" * 300_000), "file.ics"
    )
    for number in range(30):
        put(event(f"today{number}", "DTSTART:20260301T090000Z", "DESCRIPTION:" + "x" * 40_000), f"t{number}.ics")
    reply = web.get(make(past_days=60))
    assert len(reply.data) <= feeds.LARGEST
    assert len(events(reply)) == 24
    assert narrowed(context) == (None, 8)  # seven of today, and the one that is too large by itself
    with context.database.write() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
        for number in range(6, 30):
            objects.delete(conn, calendar.id, f"t{number}.ics", actor="cli", now=NOW)
    reply = web.get(make(past_days=60, name="rest"))
    assert {str(each["UID"]) for each in events(reply)} == {"file", *(f"today{number}" for number in range(6))}


def test_r32_one_that_cannot_be_read_is_left_out_and_counted(web, put, make, context):
    put(event("a"))
    put(event("b"), "b.ics")
    with context.database.write() as conn:
        broken = sa.update(tables.objects).where(tables.objects.c.href == "b.ics")
        conn.execute(broken.values(data=b"BEGIN:VCALENDAR\r\nnothing\xff"))
    assert len(events(web.get(make()))) == 1
    assert narrowed(context) == (None, 1)


def test_lines_are_by_the_book_however_a_device_wrote_them(web, put, make):
    text = "é" * 100
    folded = f"DESCRIPTION:{text}".encode()
    folded = folded[:60] + b"\n " + folded[60:]  # in the middle of a character? 60 - 12 is even: no; at 61 it is
    torn = f"LOCATION:{text}".encode()
    torn = torn[:60] + b"\n " + torn[60:]
    data = event("a", "DTSTART:20260310T090000Z", "SUMMARY:" + "x" * 200, "@@").replace(b"\r\n", b"\n")
    put(data.replace(b"@@", folded + b"\n" + torn))
    reply = web.get(make())
    assert all(len(line) <= 75 for line in reply.data.split(b"\r\n"))
    assert b"\n" not in reply.data.replace(b"\r\n", b"")
    (found,) = events(reply)
    assert (found["DESCRIPTION"], found["LOCATION"], found["SUMMARY"]) == (text, text, "x" * 200)
    for line in reply.data.split(b"\r\n"):
        line.decode()  # no character is torn


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


def test_one_that_tells_nothing_does_not_stand_in_the_way_of_its_like(web, context, put, make):
    with context.database.write() as conn:
        owner = calendars.get(conn, "alice", "calendar").principal_id
        calendars.create(conn, owner, "work", properties={"tag": "VCALENDAR"}, now=NOW)
    put(event("a", "DTSTART:20260310T090000Z", "TRANSP:TRANSPARENT"))
    put(event("a", "DTSTART:20260310T090000Z"), slug="work")
    assert len(events(web.get(make("calendar", "work", shows="busy")))) == 1


def test_a_calendar_that_goes_takes_its_part_along_and_the_last_one_its_feeds(web, context, put, make, clock):
    """An empty feed would look as if everything had been deleted; 410 says what it is."""
    with context.database.write() as conn:
        owner = calendars.get(conn, "alice", "calendar").principal_id
        calendars.create(conn, owner, "work", properties={"tag": "VCALENDAR"}, now=NOW)
    put(event("a"))
    put(event("b"), slug="work")
    alone, both = make(name="alone"), make("calendar", "work", name="both")
    clock.at += dt.timedelta(hours=1)
    before = web.get(both).headers
    with context.database.write() as conn:
        calendars.delete(conn, calendars.get(conn, "alice", "calendar").id, now=clock.at)
    clock.at += dt.timedelta(hours=1)
    assert web.get(alone).status_code == 410
    for headers in ({"If-None-Match": before["ETag"]}, {"If-Modified-Since": before["Last-Modified"]}):
        assert [str(each["UID"]) for each in events(web.get(both, headers=headers))] == ["b"], headers
    with context.database.read() as conn:
        assert [each.feed.name for each in feeds.listed(conn, "alice")] == ["both"]


def test_the_color_is_told_by_name_and_as_apple_does(web, context, put, make):
    put(event("a"))
    with context.database.write() as conn:
        calendar = calendars.get(conn, "alice", "calendar")
        colored = {**calendar.properties, "ICAL:calendar-color": "#ff0000ff"}
        calendars.set_properties(conn, calendar.id, colored, actor="cli", now=NOW)
    whole = icalendar.Calendar.from_ical(web.get(make()).data)
    assert (whole["COLOR"], whole["X-APPLE-CALENDAR-COLOR"]) == ("red", "#FF0000")


def test_a_person_knows_an_address_again_by_how_it_begins(context, make):
    def hint():
        with context.database.read() as conn:
            (listed,) = feeds.listed(conn, "alice")
        return listed.feed.hint

    path = make(name="tea")
    assert len(hint()) == 6
    assert path.startswith(f"/feeds/{hint()}")
    again = feeds.rotate(context.database, "alice", "tea", now=NOW).path
    assert again.startswith(f"/feeds/{hint()}")
    assert not path.startswith(f"/feeds/{hint()}")


def renumbered(data, number):
    """An object of the corpus under a UID of its own."""
    return re.sub(rb"(?m)^UID:.*(?:\r?\n[ \t].*)*", f"UID:u{number}".encode(), data)


SECRET = re.compile(rb"(?i)\nCLASS[^\r\n]*:(?!PUBLIC)")
UNKNOWN = {"full": 13, "titles": 22, "busy": 22}
"""Of the corpus: events of which nobody can say when they are, and so not how much of them may be told."""


@pytest.mark.parametrize("shows", ["full", "titles"])
def test_the_whole_corpus_in_one_feed(context, put, shows):
    """Every object that a calendar takes: a second parser reads the feed, no object spoils it, and none is missing."""
    for number, data in enumerate(ACCEPTED.values()):
        put(renumbered(data, number), f"{number}.ics")
    with context.database.read() as conn:
        stored = objects.in_range(conn, calendars.get(conn, "alice", "calendar").id, None, None)
    made = publishing.render(
        stored, publishing.Heading("all"), level=shows, secret="s", windows=[ALWAYS], largest=10_000_000
    )
    whole = icalendar.Calendar.from_ical(made.text)
    told = {str(each["UID"]).partition(" ")[0] for each in whole.walk() if each.name in ("VEVENT", "VTODO")}
    assert made.left_out == UNKNOWN[shows]
    if shows == "full":
        plain = (each for each in stored if each.component in ("VEVENT", "VTODO") and not SECRET.search(each.data))
        missing = {each.uid for each in plain} - told
        assert len(missing) == made.left_out


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


STRANGE = re.compile(
    "dtend-|duration-|dtstart-|.*rdate-.*(broken|empty|backwards|negative)|rdate-date$|exrule|exdate-(30|of-a-single)|rscale|all-day-with|"
    "until-empty|utc-with|status-cancelled|override-(cancelled|range-lower|recurrence-id-date|twice)|rule-(count-neg|list-with|part|r21|r26)"
)
"""Where the other library reckons otherwise or not at all: broken values, EXRULE, called off, a start that is not in the rule."""
TWICE = sorted(
    name
    for name, data in ACCEPTED.items()
    if b"BEGIN:VEVENT" in data and re.search(rb"\n(RRULE|RDATE|RECURRENCE-ID)", data)
)


@pytest.mark.filterwarnings("ignore:Using both 'count' and 'until'")
def test_a_third_party_finds_the_same_occurrences_in_the_feed_as_the_hub(context):
    compared = 0
    for name in TWICE:
        if STRANGE.match(name):
            continue
        obj = ical.parse(ACCEPTED[name])
        stored = StoredObject(1, "a.ics", obj.uid, "VEVENT", ACCEPTED[name], "e", 1, NOW, None, None, None)
        try:
            fields = view.read(obj)
            start = times.instant(fields.master.when.start, fields.master.when.zone, floating=dt.UTC) - 2 * DAY
            found = recurrence.instances(fields, start, start + 90 * DAY, floating=dt.UTC)
        except (Unmappable, OverflowError):
            continue  # the hub itself does not know
        here = {times.instant(each.when.start, each.when.zone, floating=dt.UTC) for each in found}
        for shows in ("full", "titles"):
            made = publishing.render(
                [stored], publishing.Heading("one"), level=shows, secret="s", windows=[ALWAYS], largest=1_000_000
            )
            whole = icalendar.Calendar.from_ical(made.text)
            if shows == "full" or whole.walk("VEVENT"):
                events_there = recurring_ical_events.of(whole).between(start, start + 90 * DAY)
                assert {utc(each["DTSTART"].dt) for each in events_there} == here, (name, shows)
                compared += 1
    assert compared > 300


def utc(value):
    if not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


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


def test_an_error_says_where_it_was_and_not_which_address(web, put, make, monkeypatch, capsys):
    """What Flask writes of an error by itself names the path, which is a feed's whole secret."""
    put(event("a"))
    path = make()
    logs.configure(config.Log())
    monkeypatch.setattr(feeds, "content", None)
    assert web.get(path).status_code == 500
    told = capsys.readouterr().err
    assert "a page failed" in told
    assert path.split("/")[2] not in told


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


def test_an_iphone_subscribes_by_a_profile_as_long_as_the_address_is_good(context, web, make):
    path = make(name="Team & more")
    answer = web.get(path.removesuffix(".ics") + ".mobileconfig")
    assert (answer.status_code, answer.mimetype) == (200, "application/x-apple-aspen-config")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="team-more.mobileconfig"'
    (subscribed,) = plistlib.loads(answer.data)["PayloadContent"]
    url = subscribed["SubCalAccountHostName"]
    assert url == f"{addresses.public_url(context)}{path}"
    assert web.get(urlsplit(url).path).status_code == 200
    assert web.get("/feeds/never/team.mobileconfig").status_code == 404
    feeds.revoke(context.database, "alice", "Team & more", now=NOW)
    assert web.get(path.removesuffix(".ics") + ".mobileconfig").status_code == 410
