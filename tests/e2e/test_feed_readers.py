"""Feeds of the running product, as other programs read them: vdirsyncer, and the hub itself as a subscriber."""

import subprocess
import sys
from pathlib import Path

import httpx
import icalendar
import pytest

from tests.support.hub import Hub, wait_for

FOLLOW = """
[general]
status_path = "{folder}/status"

[pair follow]
a = "files"
b = "feed"
collections = null

[storage files]
type = "filesystem"
path = "{folder}/files"
fileext = ".ics"

[storage feed]
type = "http"
url = "{url}"
"""


def lines(*content):
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//t//EN", *content, "END:VCALENDAR", ""])


def component(uid, *content):
    return ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *content, "END:VEVENT"]


EVENTS = {
    "plain": lines(*component("plain", "DTSTART:20261210T090000Z", "DTEND:20261210T100000Z", "SUMMARY:Tea, at Åsa's",
                              "LOCATION:Café", "DESCRIPTION:" + "long; " * 40, "CATEGORIES:a,b")),
    "day": lines(*component("day", "DTSTART;VALUE=DATE:20261224", "DTEND;VALUE=DATE:20261227", "SUMMARY:Holiday")),
    "series": lines(
        *component("series", "DTSTART;TZID=America/St_Johns:20261201T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=9",
                   "EXDATE;TZID=America/St_Johns:20261208T090000", "SUMMARY:Class"),
        *component("series", "RECURRENCE-ID;TZID=America/St_Johns:20261215T090000",
                   "DTSTART;TZID=America/St_Johns:20261215T140000", "DURATION:PT2H", "SUMMARY:Class, later"),
    ),
}  # fmt: skip
KEPT = ("DTSTART", "RECURRENCE-ID", "RRULE", "EXDATE", "SUMMARY", "LOCATION", "DESCRIPTION", "CATEGORIES")
WIDE = ("--past-days", "3650", "--future-days", "3650")  # the events have fixed dates


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    with Hub(tmp_path_factory.mktemp("hub") / "data", CALDAV_BRIDGE_ICS__ALLOW_PRIVATE="true") as running:
        running.command("user", "add", "alex", "--email", "alex@example.com")
        device = running.command("device", "add", "alex", "laptop")
        with httpx.Client(base_url=device["url"], auth=(device["username"], device["password"])) as web:
            for name, text in EVENTS.items():
                assert web.put(f"/alex/calendar/{name}.ics", content=text.encode()).status_code == 201
            running.web = web
            yield running


def told(*texts):
    """What stands in iCalendar texts, told apart from how it is written."""
    found = [each for text in texts for each in icalendar.Calendar.from_ical(text).walk("VEVENT")]
    return sorted([_told(each) for each in found])


def _told(event):
    return str([(name, event[name].to_ical()) for name in KEPT if name in event]), str(event.end - event.start)


def test_vdirsyncer_follows_a_feed(hub, tmp_path):
    feed = hub.command("feed", "add", "alex", "calendar", "--name", "for vdirsyncer", *WIDE)
    (tmp_path / "config").write_text(FOLLOW.format(folder=tmp_path, url=feed["url"]))
    (tmp_path / "files").mkdir()
    for command in ("discover", "sync", "sync"):
        done = subprocess.run(
            [Path(sys.executable).with_name("vdirsyncer"), "-c", tmp_path / "config", command],
            input="y\n" * 9, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    files = [path.read_text() for path in (tmp_path / "files").glob("*.ics")]
    assert len(files) == len(EVENTS)
    assert told(*files) == told(*EVENTS.values())
    (listed,) = [each for each in hub.command("feed", "list", "alex") if each["name"] == "for vdirsyncer"]
    assert "vdirsyncer" in listed["with"]
    assert feed["url"].partition("/feeds/")[2].startswith(listed["address"].removeprefix("/feeds/").removesuffix("…"))


def test_a_feed_that_the_hub_itself_follows_gives_the_same_objects(hub):
    feed = hub.command("feed", "add", "alex", "calendar", "--name", "for the hub", *WIDE)
    hub.command("user", "add", "sam", "--email", "sam@example.com")
    hub.command("calendar", "subscribe", "sam", feed["url"], "--name", "Alex")
    device = hub.command("device", "add", "sam", "laptop")

    def copies():
        with httpx.Client(base_url=device["url"], auth=(device["username"], device["password"])) as web:
            home = web.request("PROPFIND", "/sam/", headers={"Depth": "1"}).text
            assert "/sam/alex/" in home
            reply = web.request(
                "REPORT", "/sam/alex/", headers={"Depth": "1"}, content=b'<c:calendar-query xmlns="DAV:" '
                b'xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><c:calendar-data/></prop><c:filter>'
                b'<c:comp-filter name="VCALENDAR"/></c:filter></c:calendar-query>',
            )  # fmt: skip
        texts = [part.partition("</")[0] for part in reply.text.split("calendar-data>")[1::2]]
        texts = [text.replace("&#13;", "").replace("&amp;", "&") for text in texts]
        return texts if len(texts) == len(EVENTS) else None

    assert told(*wait_for(copies)) == told(*EVENTS.values())


def test_no_secret_is_in_the_log(hub):
    feed = hub.command("feed", "add", "alex", "calendar", "--name", "for nobody")
    for address, status in ((feed["url"], 200), (feed["url"] + "x", 404), (f"{feed['url']}?a=%ff", 200)):
        assert httpx.get(address).status_code == status
    assert httpx.post(feed["url"]).status_code == 405
    hub.command("feed", "rotate", "alex", "for nobody")
    assert httpx.get(feed["url"]).status_code == 410
    assert feed["url"].split("/")[4] not in hub.log.read_text()
