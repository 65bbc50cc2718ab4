"""Our CalDAV side on SQLite beside stock Radicale on its files: the same requests to both, straight into the WSGI callable.

Each of them runs in a process of its own, so that peak memory is its own. No network, no threads: what is counted is the
processor's time for one request, the median of several.
"""

import base64
import contextlib
import datetime as dt
import io
import json
import logging
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

SIZES = (1_000, 10_000)
SERVERS = ("bridge", "radicale")
CHANGES = 10
BUDGET = 1.0  # seconds of processor time for the repetitions of one request
FEWEST, MOST = 3, 200
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
FIRST = dt.date(2022, 1, 1)
HOME = "/alex/calendar/"
SPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/"'
CTAG = f"<D:propfind {SPACES}><D:prop><CS:getctag/><D:sync-token/></D:prop></D:propfind>"


def run(sizes=SIZES):
    for size in sizes:
        figures = {server: _in_a_process(server, size) for server in SERVERS}
        ours, stock = (figures[server] for server in SERVERS)
        print(f"CalDAV over {size:,} events: ms of processor time per request (median)")
        print(f"  {'':34}{'caldav-bridge':>14}{'Radicale':>12}{'ratio':>9}")
        for name, spent in ours["ms"].items():
            print(f"  {name:34}{spent:14.2f}{stock['ms'][name]:12.2f}{stock['ms'][name] / spent:8.1f}×")
        print(f"  {'peak memory, MB':34}{ours['memory']:14.0f}{stock['memory']:12.0f}")


def _in_a_process(server, size):
    command = [sys.executable, "-m", "tests.benchmarks.dav", server, str(size)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=900)
    return json.loads(done.stdout)


# --- one server, one size


def measure(server, size):
    """The figures of one server over so many events, as JSON on standard output."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, OPENED[server](Path(folder), size) as (application, password):
        client = Client(application, password)
        ms = dict(_requests(client, size))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"ms": ms, "memory": memory}))


def _requests(client, size):
    """(name, ms) of each kind of request; what it answers is checked, so that nobody is quick by being wrong."""
    client("PROPFIND", HOME, CTAG, Depth="0")  # caches are filled: a server is not started for each request
    _, token = client.sync("")
    yield "ctag poll", spent(lambda: client("PROPFIND", HOME, CTAG, Depth="0"))

    def unchanged():
        hrefs, _ = client.sync(token)
        assert hrefs == []

    yield "sync-collection, nothing new", spent(unchanged)

    fresh = iter(range(size, 2 * size))

    def put_new():
        number = next(fresh)
        assert client("PUT", href(number), event(number, size), expect=201)

    yield "PUT of a new event", spent(put_new)

    edited = iter(range(size))

    def put_changed():
        number = next(edited)
        assert client("PUT", href(number), event(number, size, "Edited"), expect=(201, 204))

    yield "PUT of a changed event", spent(put_changed)

    _, token = client.sync(token)
    for number in range(size - CHANGES, size):
        client("PUT", href(number), event(number, size, "Edited again"), expect=(201, 204))

    def changed():
        hrefs, _ = client.sync(token)
        assert len(hrefs) == CHANGES, hrefs

    yield f"sync-collection, {CHANGES} changes", spent(changed)

    some = iter(range(size // 2, size))

    def get():
        number = next(some)
        assert f"UID:{number}@bench" in client("GET", href(number))

    yield "GET", spent(get)

    wanted = "".join(f"<D:href>{href(number)}</D:href>" for number in range(size // 3, size // 3 + 50))
    multiget = (
        f"<C:calendar-multiget {SPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop>{wanted}</C:calendar-multiget>"
    )

    def fifty():
        assert client("REPORT", HOME, multiget, expect=207).count("BEGIN:VEVENT") == 50

    yield "multiget of 50", spent(fifty)

    month = '<C:time-range start="20230301T000000Z" end="20230401T000000Z"/>'
    query = (
        f"<C:calendar-query {SPACES}><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name='VCALENDAR'>"
        f"<C:comp-filter name='VEVENT'>{month}</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    )
    expected = {href(number) for number in range(size) if day(number, size).isoformat()[:7] == "2023-03"}

    def one_month():
        assert client.hrefs(client("REPORT", HOME, query, expect=207, Depth="1")) >= expected

    yield "time-range query of one month", spent(one_month)


def spent(request):
    """Milliseconds of processor time, the median of as many as the budget allows."""
    taken = []
    while len(taken) < FEWEST or (sum(taken) < BUDGET and len(taken) < MOST):
        began = time.process_time()
        request()
        taken.append(time.process_time() - began)
    return statistics.median(taken) * 1000


class Client:
    """A device: Basic authentication, requests as WSGI calls."""

    def __init__(self, application, password):
        self._application = application
        self._credentials = "Basic " + base64.b64encode(f"alex:{password}".encode()).decode()

    def __call__(self, method, path, body="", *, expect=None, **headers):
        data = body.encode()
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "5232",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_AUTHORIZATION": self._credentials,
            "HTTP_HOST": "127.0.0.1:5232",
            "CONTENT_LENGTH": str(len(data)),
            "CONTENT_TYPE": "text/calendar; charset=utf-8" if method == "PUT" else "application/xml; charset=utf-8",
            "wsgi.input": io.BytesIO(data),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }
        answered = []
        chunks = self._application(environ, lambda status, fields, *_: answered.append(int(status.split()[0])))
        text = b"".join(chunks).decode()
        allowed = (expect,) if isinstance(expect, int) else expect or (200, 207)
        assert answered[0] in allowed, f"{method} {path}: {answered[0]} {text[:300]}"
        return text or "-"

    def sync(self, token):
        """(the hrefs that changed, the new token)."""
        body = (
            f"<D:sync-collection {SPACES}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>"
            "<D:prop><D:getetag/></D:prop></D:sync-collection>"
        )
        answer = self("REPORT", HOME, body, expect=207)
        return sorted(self.hrefs(answer)), ET.fromstring(answer).findtext("{DAV:}sync-token")

    def hrefs(self, answer):
        return {each.findtext("{DAV:}href") for each in ET.fromstring(answer).iter("{DAV:}response")}


# --- what they hold


def href(number):
    return f"{HOME}{number}.ics"


def day(number, size):
    """Spread evenly over some six years."""
    return FIRST + dt.timedelta(days=number * 2200 // size)


def event(number, size, title="Meeting"):
    """An event as a phone writes it; each in a zone of its own VTIMEZONE, as real ones are."""
    start = dt.datetime.combine(day(number % size, size), dt.time(8 + number % 9))
    end = start + dt.timedelta(minutes=30 + 15 * (number % 4))
    return "\r\n".join(
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//a phone//EN", "CALSCALE:GREGORIAN", *ZONE, "BEGIN:VEVENT",
            f"UID:{number}@bench", "DTSTAMP:20260101T000000Z", "CREATED:20260101T000000Z",
            f"DTSTART;TZID=Europe/Vienna:{start:%Y%m%dT%H%M%S}", f"DTEND;TZID=Europe/Vienna:{end:%Y%m%dT%H%M%S}",
            f"SUMMARY:{title} {number}", "LOCATION:Room 4", f"DESCRIPTION:What there is to say about number {number}",
            "SEQUENCE:0", "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:Reminder", "TRIGGER:-PT15M", "END:VALARM",
            "END:VEVENT", "END:VCALENDAR", "",
        ]
    )  # fmt: skip


ZONE = [
    "BEGIN:VTIMEZONE", "TZID:Europe/Vienna",
    "BEGIN:DAYLIGHT", "DTSTART:19810329T020000", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "TZNAME:CEST",
    "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200", "END:DAYLIGHT",
    "BEGIN:STANDARD", "DTSTART:19961027T030000", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "TZNAME:CET",
    "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "END:STANDARD",
    "END:VTIMEZONE",
]  # fmt: skip


@contextlib.contextmanager
def bridge(folder, size):
    """Our application on SQLite, and the device's password."""
    from bridge.services import devices, principals
    from bridge.store import calendars, migrations, objects, session
    from radicale_plugins import app

    database = session.connect(f"sqlite:///{folder / 'bridge.db'}")
    migrations.upgrade(database)
    principals.add(database, "alex", "alex@example.com", now=NOW)
    password = devices.add(database, "alex", "bench", now=NOW).password
    with database.write() as conn:
        calendar = calendars.get(conn, "alex", "calendar")
        for number in range(size):
            data = event(number, size).encode()
            objects.put(conn, calendar.id, f"{number}.ics", data, actor="device:1", now=NOW)
    yield app.build(database, now=lambda: NOW), password
    database.close()


@contextlib.contextmanager
def radicale(folder, size):
    """Stock Radicale as it comes, but for a password file in plain text (its cheapest), and that password."""
    from radicale import config
    from radicale.app import Application

    (folder / "users").write_text("alex:secret\n")
    collection = folder / "collections" / "collection-root" / "alex" / "calendar"
    collection.mkdir(parents=True)
    (collection / ".Radicale.props").write_text(json.dumps({"tag": "VCALENDAR"}))
    for number in range(size):
        (collection / f"{number}.ics").write_bytes(event(number, size).encode())
    settings = {
        "auth": {"type": "htpasswd", "htpasswd_filename": str(folder / "users"), "htpasswd_encryption": "plain"},
        "storage": {"filesystem_folder": str(folder / "collections")},
        "web": {"type": "none"},
    }
    configuration = config.load()
    configuration.update(settings, "benchmark", privileged=True)
    yield Application(configuration), "secret"


OPENED = {"bridge": bridge, "radicale": radicale}

if __name__ == "__main__":
    measure(sys.argv[1], int(sys.argv[2]))
