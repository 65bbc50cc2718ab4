"""Thunderbird as a real client: the program itself, without a window, does what its windows would have it do."""

import datetime as dt
import os
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.e2e.dates import MONDAY
from tests.e2e.marionette import Marionette, Raised
from tests.e2e.objects import component, resource, stored
from tests.support.hub import wait_for

CALENDAR, WORK, TASKS = "/alex/calendar/", "/alex/work/", "/alex/tasks/"
SAMS, PLANS = "/alex/calendar-sam/", "/alex/plans/"


class Thunderbird:
    """With a profile and a home of its own, driven by thunderbird_hands.js."""

    def __init__(self, folder):
        for name in ("home", "profile"):
            (folder / name).mkdir(mode=0o700)
        (folder / "profile" / "user.js").write_text('user_pref("marionette.port", 0);\n')  # a free one
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *("thunderbird", "--headless", "--marionette", "-remote-allow-system-access"),
                    *("--profile", str(folder / "profile")),
                ],
                env={"PATH": os.environ["PATH"], "HOME": str(folder / "home")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._port = folder / "profile" / "MarionetteActivePort"
        self._control = Marionette(wait_for(self._listens, seconds=120))
        self._control.run(Path(__file__).with_name("thunderbird_hands.js").read_text())

    def _listens(self):
        assert self.process.poll() is None, self.log.read_text()
        return self._port.exists() and int(self._port.read_text() or 0)

    def __call__(self, word, *arguments):
        return self._control.run(f"return hands.{word}(...args)", *arguments)

    def now(self, place):
        return sorted(map(tuple, self("shows", place, at(0), at(28))))

    def shows(self, place, *expected):
        """Before long: it may be asking already when it is told to ask, and then it asks no second time."""
        with suppress(AssertionError):
            wait_for(lambda: self.now(place) == sorted(expected), every=0.2)
        assert self.now(place) == sorted(expected)

    def end(self):
        self._control.quit()
        self.process.wait(timeout=60)


@contextmanager
def signed_in(device):
    with httpx.Client(base_url=device["url"], auth=(device["username"], device["password"])) as client:
        yield client


@pytest.fixture(scope="module")
def web(hub):
    """Another device of Alex's."""
    with signed_in(hub.command("device", "add", "alex", "phone")) as client:
        assert client.request("MKCALENDAR", WORK).status_code == 201
        yield client


@pytest.fixture(scope="module")
def sam(hub):
    """Somebody else of the server, who lets Alex see one calendar and write into another."""
    hub.command("user", "add", "sam", "--email", "sam@example.com")
    with signed_in(hub.command("device", "add", "sam", "phone")) as client:
        assert client.request("MKCALENDAR", "/sam/plans/").status_code == 201
        for calendar, access in (("calendar", "read"), ("plans", "write")):
            hub.command("share", "add", f"sam/{calendar}", "alex", access)
        yield client


@pytest.fixture(scope="module")
def thunderbird(hub, web, sam, tmp_path_factory):
    device = hub.command("device", "add", "alex", "thunderbird")
    running = Thunderbird(tmp_path_factory.mktemp("thunderbird"))
    running.found = running("subscribe", device["username"], device["password"], hub.url)
    running.discovery = running("exchanges")
    yield running
    running.end()


@pytest.fixture(autouse=True)
def nothing_is_refused(thunderbird):
    yield
    assert refused(thunderbird("exchanges")) == []


def refused(exchanges):
    """What was answered with an error; being asked who one is, is none."""
    return [each for each in exchanges if each[2] >= 400 and each[2] != 401]


def at(days, hour=0):
    return f"{MONDAY + dt.timedelta(days=days):%Y%m%d}T{hour:02}0000Z"


def span(days, hour):
    return f"DTSTART:{at(days, hour)}", f"DTEND:{at(days, hour + 1)}"


def test_it_finds_the_calendars_from_the_name_of_the_server(thunderbird):
    assert {
        each["place"]: (each["name"], each["events"], each["tasks"], each["writable"]) for each in thunderbird.found
    } == {
        CALENDAR: ("Calendar", True, False, True),
        WORK: ("work", True, True, True),
        TASKS: ("Tasks", False, True, True),
        SAMS: ("Calendar (sam)", True, False, False),
        PLANS: ("plans", True, True, True),
    }
    assert ["PROPFIND", "/.well-known/caldav", 301] in thunderbird.discovery
    # looking whether the server's name is a file that could be written to, as a calendar on plain WebDAV is
    assert refused(thunderbird.discovery) == [["PUT", "/", 403]]


@pytest.mark.parametrize(
    ("place", "kind", "lines"), [(CALENDAR, "VEVENT", span(0, 9)), (TASKS, "VTODO", (f"DUE:{at(0, 9)}",))]
)
def test_both_ways(thunderbird, web, place, kind, lines):
    # there to here, and here to there
    assert web.put(f"{place}hub.ics", content=resource(component(kind, "hub", "From the hub", *lines))).is_success
    thunderbird.shows(place, ("From the hub", at(0, 9)))
    thunderbird("create", place, component(kind, "made-there", "From Thunderbird", *lines))
    (href,) = [href for href, text in stored(web, place).items() if "SUMMARY:From Thunderbird" in text]

    # edits on both sides
    thunderbird("change", place, "made-there", {"title": "Renamed there"})
    assert "SUMMARY:Renamed there" in web.get(href).text
    new = resource(component(kind, "hub", "Renamed in the hub", *lines))
    assert web.put(f"{place}hub.ics", content=new).is_success
    thunderbird.shows(place, ("Renamed in the hub", at(0, 9)), ("Renamed there", at(0, 9)))

    # deletions on both sides
    assert web.delete(f"{place}hub.ics").is_success
    thunderbird.shows(place, ("Renamed there", at(0, 9)))
    thunderbird("remove", place, "made-there")
    assert stored(web, place) == {}


def test_a_series_with_an_occurrence_that_was_moved(thunderbird, web):
    weekly = (*span(1, 9), "RRULE:FREQ=WEEKLY;COUNT=3")
    thunderbird("create", CALENDAR, component("VEVENT", "made-there", "Choir", *weekly))
    moved = {"title": "Choir, late", "start": at(9, 19), "end": at(9, 21)}
    thunderbird("changeOccurrence", CALENDAR, "made-there", at(8, 9), moved)
    text = web.get(f"{CALENDAR}made-there.ics").text
    assert "RRULE:FREQ=WEEKLY;COUNT=3" in text
    assert f"RECURRENCE-ID:{at(8, 9)}" in text
    thunderbird.shows(CALENDAR, ("Choir", at(1, 9)), ("Choir", at(15, 9)), ("Choir, late", at(9, 19)))
    thunderbird("remove", CALENDAR, "made-there")

    other = component("VEVENT", "hub", "Dinner", *span(16, 18), f"RECURRENCE-ID:{at(15, 18)}")
    daily = component("VEVENT", "hub", "Lunch", *span(14, 18), "RRULE:FREQ=DAILY;COUNT=4", f"EXDATE:{at(16, 18)}")
    assert web.put(f"{CALENDAR}hub.ics", content=resource(daily, other)).is_success
    thunderbird.shows(CALENDAR, ("Dinner", at(16, 18)), ("Lunch", at(14, 18)), ("Lunch", at(17, 18)))
    thunderbird("remove", CALENDAR, "hub")
    assert stored(web, CALENDAR) == {}


def test_calendars_of_others(thunderbird, sam):
    """It offers the one for new events that may be written to, and shows what is in both."""
    for name in ("calendar", "plans"):
        content = resource(component("VEVENT", name, "Of Sam", *span(2, 9)))
        assert sam.put(f"/sam/{name}/sams.ics", content=content).is_success
    for place in (SAMS, PLANS):
        thunderbird.shows(place, ("Of Sam", at(2, 9)))
    thunderbird("change", PLANS, "plans", {"title": "Of both"})
    assert "SUMMARY:Of both" in sam.get("/sam/plans/sams.ics").text
    thunderbird("remove", PLANS, "plans")
    assert sam.delete("/sam/calendar/sams.ics").is_success


def test_it_leaves_invitations_to_the_server(thunderbird, web, sam):
    assert {(each["schedules"], each["organizer"]) for each in thunderbird.found} == {(True, "mailto:alex@example.com")}
    assert sam.put(
        "/sam/calendar/sams.ics", content=resource(component("VEVENT", "sams", "Away", *span(3, 9)))
    ).is_success
    assert thunderbird("busy", "sam@example.com", at(3), at(4)) == [[at(3, 9), at(3, 10)]]
    assert sam.delete("/sam/calendar/sams.ics").is_success

    def of_sam():
        (text,) = stored(sam, "/sam/calendar/").values()
        return text

    guests = ("alex", "sam")
    asked = ["ORGANIZER:mailto:alex@example.com", *(f"ATTENDEE;RSVP=TRUE:mailto:{who}@example.com" for who in guests)]
    thunderbird("create", CALENDAR, component("VEVENT", "meeting", "Meeting", *span(3, 11), *asked))
    assert f"DTSTART:{at(3, 11)}" in of_sam()
    assert "SCHEDULE-STATUS=1.2" in web.get(f"{CALENDAR}meeting.ics").text

    thunderbird("change", CALENDAR, "meeting", {"start": at(4, 11), "end": at(4, 12)})
    assert f"DTSTART:{at(4, 11)}" in of_sam()
    # it would move it by making it a second time and deleting the first: the guests were told that it is off
    with pytest.raises(Raised, match="409"):
        thunderbird("move", CALENDAR, "meeting", WORK)
    assert refused(thunderbird("exchanges")) == [["PUT", f"{WORK}meeting.ics", 409]]
    thunderbird.shows(WORK)
    thunderbird.shows(CALENDAR, ("Meeting", at(4, 11)))
    assert "STATUS:CANCELLED" not in of_sam()

    thunderbird("remove", CALENDAR, "meeting")
    assert "STATUS:CANCELLED" in of_sam()
    assert sam.delete(*stored(sam, "/sam/calendar/")).is_success


def test_it_moves_what_has_no_guests_to_another_calendar(thunderbird, web):
    thunderbird("create", CALENDAR, component("VEVENT", "dentist", "Dentist", *span(6, 9)))
    thunderbird("move", CALENDAR, "dentist", WORK)
    assert (stored(web, CALENDAR), len(stored(web, WORK))) == ({}, 1)
    thunderbird.shows(WORK, ("Dentist", at(6, 9)))
    thunderbird("remove", WORK, "dentist")


@pytest.mark.parametrize("answer", ["ACCEPTED", "TENTATIVE", "DECLINED"])
def test_an_invitation_is_answered(thunderbird, web, sam, answer):
    guests = ("ORGANIZER:mailto:sam@example.com", "ATTENDEE:mailto:sam@example.com", "ATTENDEE:mailto:alex@example.com")
    asked = resource(component("VEVENT", answer, answer, *span(5, 9), *guests))
    assert sam.put(f"/sam/calendar/{answer}.ics", content=asked).is_success
    thunderbird.shows(CALENDAR, (answer, at(5, 9)))
    assert thunderbird("invitations") == [answer]
    thunderbird("answer", CALENDAR, answer, answer)
    heard = sam.get(f"/sam/calendar/{answer}.ics").text.replace("\r\n ", "")
    (line,) = [each for each in heard.splitlines() if each.startswith("ATTENDEE") and each.endswith("alex@example.com")]
    assert f"PARTSTAT={answer}" in line
    assert thunderbird("invitations") == []

    assert sam.delete(f"/sam/calendar/{answer}.ics").is_success
    assert web.delete(*stored(web, CALENDAR)).is_success
    thunderbird.shows(CALENDAR)
