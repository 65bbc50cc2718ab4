"""vdirsyncer as a real client: a folder of .ics files and the hub, both ways, and the calendars' names and colours."""

import re
import subprocess
import sys
from pathlib import Path

SYNC = """
[general]
status_path = "{folder}/status"

[pair home]
a = "files"
b = "hub"
collections = ["from a", "from b"]
metadata = ["displayname", "color"]
conflict_resolution = "b wins"

[storage files]
type = "filesystem"
path = "{folder}/files"
fileext = ".ics"

[storage hub]
type = "caldav"
url = "{url}"
username = "{username}"
password = "{password}"
"""


class Vdirsyncer:
    def __init__(self, folder, device):
        self.config = folder / "config"
        self.config.write_text(SYNC.format(folder=folder, **device))
        self.files = folder / "files"
        self.files.mkdir()

    def __call__(self, command, *arguments):
        done = subprocess.run(
            [Path(sys.executable).with_name("vdirsyncer"), "-c", self.config, command, *arguments],
            input="y\n" * 20,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def stored(self, slug):
        return {path.read_text() for path in (self.files / slug).glob("*.ics")}


def event(uid, title):
    return "\r\n".join([
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z",
        "DTSTART:20260310T090000Z", "DTEND:20260310T100000Z", f"SUMMARY:{title}",
        'X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE="Café, Wien":geo:48.2,16.3',
        "X-LONG:" + "ä" * 30, "END:VEVENT", "END:VCALENDAR", "",
    ])  # fmt: skip


def test_a_folder_and_the_hub_both_ways(web, device, tmp_path):
    vdirsyncer = Vdirsyncer(tmp_path, device)
    vdirsyncer("discover")
    here = vdirsyncer.files / "calendar"
    place = "/alex/calendar"

    # from the folder to the hub, byte for byte
    (here / "one.ics").write_text(event("one", "From the folder"), newline="")
    vdirsyncer("sync")
    (href,) = _hrefs(web, place)
    assert web.get(href).text == event("one", "From the folder")

    # from the hub to the folder
    assert web.put(f"{place}/two.ics", content=event("two", "From the hub").encode()).status_code == 201
    vdirsyncer("sync")
    assert len(vdirsyncer.stored("calendar")) == 2
    assert any("From the hub" in text for text in vdirsyncer.stored("calendar"))

    # edits on both sides at once, of two events
    (here / "one.ics").write_text(event("one", "Edited in the folder"), newline="")
    assert web.put(f"{place}/two.ics", content=event("two", "Edited in the hub").encode()).status_code == 204
    vdirsyncer("sync")
    assert "Edited in the folder" in web.get(href).text
    assert any("Edited in the hub" in text for text in vdirsyncer.stored("calendar"))

    # nothing to do is nothing done
    before = {href: web.get(href).headers["ETag"] for href in _hrefs(web, place)}
    vdirsyncer("sync")
    assert {href: web.get(href).headers["ETag"] for href in _hrefs(web, place)} == before

    # deletions on both sides
    (here / "one.ics").unlink()
    assert web.delete(f"{place}/two.ics").status_code == 204
    vdirsyncer("sync", "--force-delete")
    assert _hrefs(web, place) == []
    assert vdirsyncer.stored("calendar") == set()


def test_metasync(web, device, tmp_path):
    vdirsyncer = Vdirsyncer(tmp_path, device)
    vdirsyncer("discover")
    vdirsyncer("metasync")
    assert (vdirsyncer.files / "calendar" / "displayname").read_text() == "Calendar"
    (vdirsyncer.files / "calendar" / "displayname").write_text("Zuhause – daheim")
    (vdirsyncer.files / "calendar" / "color").write_text("#ff8800")
    vdirsyncer("metasync")
    body = '<propfind xmlns="DAV:"><prop><displayname/><x:calendar-color xmlns:x="http://apple.com/ns/ical/"/></prop></propfind>'
    shown = web.request("PROPFIND", "/alex/calendar/", content=body.encode(), headers={"Depth": "0"}).text
    assert "Zuhause – daheim" in shown
    assert "#ff8800" in shown.lower()
    change = '<propertyupdate xmlns="DAV:"><set><prop><displayname>Home</displayname></prop></set></propertyupdate>'
    assert web.request("PROPPATCH", "/alex/calendar/", content=change.encode()).status_code == 207
    vdirsyncer("metasync")
    assert (vdirsyncer.files / "calendar" / "displayname").read_text().strip() == "Home"


def test_a_new_folder_becomes_a_calendar(web, device, tmp_path):
    vdirsyncer = Vdirsyncer(tmp_path, device)
    (vdirsyncer.files / "sport").mkdir()
    vdirsyncer("discover")
    (vdirsyncer.files / "sport" / "run.ics").write_text(event("run", "Run"), newline="")
    vdirsyncer("sync")
    assert len(_hrefs(web, "/alex/sport")) == 1


def _hrefs(web, place):
    shown = web.request("PROPFIND", f"{place}/", headers={"Depth": "1"}).text
    return sorted(href for href in re.findall(r"<(?:\w+:)?href>([^<]+\.ics)</", shown))
