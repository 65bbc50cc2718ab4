"""Events that calendars disagree about: zones, days, rules, texts, and times outside of a service's window."""

import datetime as dt
import re

import pytest

from tests.contracts.bench import Typed
from tests.e2e.dates import MONDAY, ZONE
from tests.support.bridged import at, event, local, shown


def replaced(story, uid, *components):
    story.phone.put(uid, *components)
    return story.settle()


def test_timed_becomes_all_day_and_timed_again_on_each_side(story):
    story.phone.put("a", event("Trip", at(1, 9), at(1, 10)))
    story.settle()
    day = MONDAY + dt.timedelta(days=2)
    google, graph = story.google, story.graph
    google.reschedule(google.find("Trip"), day, day + dt.timedelta(days=1))
    story.settle([shown(day, day + dt.timedelta(days=1), "Trip")])
    graph._write(graph.find("Trip"), graph._times(at(3, 11), at(3, 12), ZONE))
    story.settle([shown(at(3, 11), at(3, 12), "Trip")])
    story.phone.put("a", event("Trip", day, day + dt.timedelta(days=3)))
    story.settle([shown(day, day + dt.timedelta(days=3), "Trip")])
    story.phone.put("a", event("Trip", at(4, 22), at(5, 3)))
    story.settle([shown(at(4, 22), at(5, 3), "Trip")])


def test_a_series_becomes_all_day_and_single(story):
    story.phone.put("a", event("Run", at(1, 9), at(1, 10), "RRULE:FREQ=WEEKLY;COUNT=5"))
    story.settle()
    day = MONDAY + dt.timedelta(days=1)
    story.phone.put("a", event("Run", day, day + dt.timedelta(days=1), "RRULE:FREQ=WEEKLY;COUNT=5"))
    weeks = [day + dt.timedelta(weeks=week) for week in range(5)]
    story.settle([shown(each, each + dt.timedelta(days=1), "Run") for each in weeks])
    story.phone.put("a", event("Run", at(1, 9), at(1, 10)))
    story.settle([shown(at(1, 9), at(1, 10), "Run")])
    story.phone.put("a", event("Run", at(1, 9), at(1, 10), "RRULE:FREQ=DAILY;COUNT=3"))
    story.settle([shown(at(day, 9), at(day, 10), "Run") for day in (1, 2, 3)])


def test_m23_what_is_new_in_outlook_beyond_its_window_is_everywhere_with_the_next_cycle(story):
    story.phone.put("a", event("Run", at(1, 9), at(1, 10), "RRULE:FREQ=WEEKLY;COUNT=5"))
    story.settle()
    far = dt.datetime(MONDAY.year + 9, 7, 1, 9)  # noqa: DTZ001 - wall-clock time
    story.graph.add(Typed("Jubilee", far, far + dt.timedelta(hours=1), ZONE))
    story.settle()
    assert story.phone.find("Jubilee")
    assert story.google.find("Jubilee")


@pytest.mark.parametrize("side", ["phone", "google", "graph"])
def test_moved_across_the_change_of_the_clocks(story, side):
    story.phone.put("a", event("Call", at(1, 9), at(1, 10)))
    story.settle()
    summer = dt.datetime(MONDAY.year + 1, 7, 1, 9)  # noqa: DTZ001 - wall-clock time
    later = summer + dt.timedelta(hours=1)
    if side == "phone":
        story.phone.put("a", event("Call", summer, later))
    else:
        one = getattr(story, side)
        one.reschedule(one.find("Call"), summer, later)
    story.settle([shown(summer, later, "Call")])


ODD = {
    "floating": ["SUMMARY:Odd", f"DTSTART:{at(1, 9):%Y%m%dT%H%M%S}", f"DTEND:{at(1, 10):%Y%m%dT%H%M%S}"],
    "floating series": [
        "SUMMARY:Odd",
        f"DTSTART:{at(1, 9):%Y%m%dT%H%M%S}",
        f"DTEND:{at(1, 10):%Y%m%dT%H%M%S}",
        "RRULE:FREQ=WEEKLY;COUNT=30",
        f"EXDATE:{at(8, 9):%Y%m%dT%H%M%S}",
    ],
    "utc series": [
        "SUMMARY:Odd",
        f"DTSTART:{at(1, 9):%Y%m%dT%H%M%SZ}",
        "DURATION:PT1H",
        "RRULE:FREQ=WEEKLY;COUNT=30",
    ],
    "zero length": ["SUMMARY:Odd", f"DTSTART;TZID={ZONE}:{at(1, 9):%Y%m%dT%H%M%S}"],
    "several days": [event("Odd", at(1, 22), at(4, 3))],
    "all-day without end": ["SUMMARY:Odd", f"DTSTART;VALUE=DATE:{MONDAY:%Y%m%d}"],
    "all-day week": [event("Odd", MONDAY, MONDAY + dt.timedelta(days=7), "TRANSP:TRANSPARENT")],
    "two zones": [
        "SUMMARY:Odd",
        f"DTSTART;TZID={ZONE}:{at(1, 9):%Y%m%dT%H%M%S}",
        f"DTEND;TZID=America/New_York:{at(1, 12):%Y%m%dT%H%M%S}",
    ],
    "no title": [event("", at(1, 9), at(1, 10))],
    "emoji": [event("Geburtstag 🎂👩‍👩‍👧 naïve é", at(1, 9), at(1, 10), "LOCATION:Zürich\\, Café \\; \\\\ \\n x")],
    "10 kB": [event("Odd", at(1, 9), at(1, 10), "DESCRIPTION:" + "<b>Zeile</b> & ä \\n\\n  x\\, y;" * 400)],
    "cancelled": [event("Odd", at(1, 9), at(1, 10), "STATUS:CANCELLED")],
    "alarms": [
        event(
            "Odd", at(1, 9), at(1, 10),
            *("BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER:-PT15M", "END:VALARM"),
            *("BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER;RELATED=END:PT5M", "END:VALARM"),
            *("BEGIN:VALARM", "ACTION:EMAIL", "DESCRIPTION:x", "SUMMARY:x", "ATTENDEE:mailto:a@b.example",
              "TRIGGER:-P40D", "END:VALARM"),
        )
    ],
    "sunday to wkst": [event("Odd", at(0, 9), at(0, 10), "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU;COUNT=20")],
    "last weekday": [event("Odd", at(0, 9), at(0, 10), "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1;COUNT=4")],
    "attendees": [
        event(
            "Odd", at(1, 9), at(1, 10), "ORGANIZER:mailto:alex@example.com",
            "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:sam@example.com",
            "ATTENDEE:mailto:stranger@elsewhere.example",
        )
    ],
    "foreign organizer": [
        event(
            "Odd", at(1, 9), at(1, 10), "ORGANIZER:mailto:boss@elsewhere.example",
            "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alex@example.com", "ATTENDEE:mailto:stranger@elsewhere.example",
        )
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", list(ODD))
def test_odd_events_come_to_rest_and_can_be_edited_everywhere(story, name):
    story.phone.put("odd", *(["\n".join(ODD[name])]))
    if name == "last weekday":  # DTSTART does not match its rule: X-43 of Graph alone
        story.rest()
        assert story.seen()["google"]
        return
    guests = re.findall("ATTENDEE.*mailto:(.*)", "\n".join(ODD[name]))
    before = story.settle(told=guests)
    assert before
    assert story.quarantined() == {}
    bytes_before = story.phone.stored()["odd"]
    title = before[0][2]
    if not title:
        return
    google = story.google.find(title)
    story.google.retitle(google, "From Google")
    renamed = [(start, end, "From Google") for start, end, _ in before]
    story.settle(renamed, told=guests)
    story.graph.retitle(story.graph.find("From Google"), "From Outlook")
    story.settle([(start, end, "From Outlook") for start, end, _ in before], told=guests)
    kept = _lines(bytes_before)
    now = _lines(story.phone.stored()["odd"])
    lost = [line for line in kept if line not in now and not line.startswith(("SUMMARY", "DTSTAMP", "SEQUENCE"))]
    assert lost == []


def _lines(text):
    return text.replace("\r\n ", "").split("\r\n")


def test_r20_html_written_in_outlook_is_not_rewritten_for_ever(story):
    story.phone.put("a", event("Tea", at(1, 9), at(1, 10), "DESCRIPTION:one\\ntwo <three> & four"))
    story.settle()
    html = "<html><body><div>Hello <b>you</b> &amp; me</div><div><br></div><p>x&nbsp;y</p></body></html>"
    id = story.graph.find("Tea")
    story.graph._write(id, {"body": {"contentType": "html", "content": html}})
    story.settle()
    assert "Hello" in story.phone.stored()["a"]
    story.google.retitle(story.google.find("Tea"), "Coffee")
    story.settle()
    assert "<b>you</b>" in story.graph._event(id)["body"]["content"], "a title's edit leaves the body alone"


@pytest.mark.parametrize("years", [-5, 5])
def test_r26_outside_of_the_window_that_graph_watches(story, years):
    """It is written and read; what is changed there is found by the next complete listing."""
    day = at(1, 9).replace(day=15) + dt.timedelta(days=365 * years)
    story.phone.put("a", event("Far", day, day + dt.timedelta(hours=1)))
    story.rest()
    assert story.graph.find("Far")
    assert story.google.find("Far")
    story.phone.edit("a", "Far", "Farther")
    story.rest()
    id = story.graph.find("Farther")
    assert story.google.find("Farther")
    story.graph.retitle(id, "Farthest")
    story.rest()
    story.sandbox.microsoft.lose_sync_state()
    story.rest()
    assert story.phone.find("Farthest")
    assert story.google.find("Farthest")


def test_r26_moved_out_of_the_window_and_back_in_outlook(story):
    story.phone.put("a", event("Tea", at(1, 9), at(1, 10)))
    story.settle()
    id = story.graph.find("Tea")
    far = at(1, 9) + dt.timedelta(days=5 * 365)
    story.graph.reschedule(id, far, far + dt.timedelta(hours=1))
    story.rest()
    assert story.phone.find("Tea")
    assert story.google.find("Tea")
    story.graph.reschedule(id, at(2, 9), at(2, 10))
    story.settle([shown(at(2, 9), at(2, 10), "Tea")])


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_r32_times_at_the_ends_of_all_calendars_are_told_to_nobody(story, year):
    """Another zone has no such time: what would be sent has been cut."""
    story.phone.put("odd", f"SUMMARY:Odd\nDTSTART:{year}1231T235900Z\nDTEND:{year}1231T235959Z")
    story.phone.put("other", event("Other", at(1, 9), at(1, 10)))
    story.rest()
    assert {uid for _, uid in story.quarantined()} == {"odd"}
    assert {"beyond the years" in reason for reason in story.quarantined().values()} == {True}
    assert story.google.find("Other")
    assert story.graph.find("Other")


def test_a_day_that_differs_by_what_a_service_does_not_see_is_retitled_with_its_series(story):
    """Google has no exception for that day, so whoever retitles the series there means it, too (R42)."""
    day = at(7, 9)
    story.phone.put(
        "tea",
        event("Tea", at(0, 9), at(0, 10), "RRULE:FREQ=WEEKLY;COUNT=3"),
        event("Tea", day, at(7, 10), local("RECURRENCE-ID", day), "CLASS:PUBLIC", "X-MOOD:festive"),
    )
    weeks = [(at(7 * week, 9), at(7 * week, 10)) for week in range(3)]
    story.settle([shown(*week, "Tea") for week in weeks])
    for side, title in ((story.google, "Cake"), (story.graph, "Biscuits")):
        side.retitle(side.find("Tea" if title == "Cake" else "Cake"), title)
        story.settle([shown(*week, title) for week in weeks])
    assert "X-MOOD:festive" in story.phone.stored()["tea"]
