"""The application under a real HTTP/1.1 server, and clients that speak to it."""

import datetime as dt
import re
import threading
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

import httpx
import pytest
import sqlalchemy as sa
from werkzeug.serving import WSGIRequestHandler, make_server

from bridge.services import devices, principals
from radicale_plugins import app, porch
from radicale_plugins.request import Limits
from tests.support.statements import noted

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
NAMES = {
    "D": "DAV:",
    "C": "urn:ietf:params:xml:ns:caldav",
    "CS": "http://calendarserver.org/ns/",
    "A": "http://apple.com/ns/ical/",
}


@dataclass
class Clock:
    """Stands still until a test moves it."""

    at: dt.datetime = START

    def __call__(self):
        return self.at

    def move(self, **kwargs):
        self.at += dt.timedelta(**kwargs)


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *args):
        pass


@dataclass
class Answer:
    """A multistatus, by href: what each response holds in which status."""

    root: ET.Element
    responses: dict = field(default_factory=dict)

    @classmethod
    def of(cls, reply):
        assert reply.status_code == 207, reply.text
        answer = cls(ET.fromstring(reply.content))
        for response in answer.root.findall("D:response", NAMES):
            answer.responses[response.findtext("D:href", namespaces=NAMES)] = response
        return answer

    @property
    def hrefs(self):
        return list(self.responses)

    def status(self, href):
        return self.responses[href].findtext("D:status", namespaces=NAMES)

    def props(self, href, status="200"):
        found = self.responses[href].findall("D:propstat", NAMES)
        chosen = [each for each in found if each.findtext("D:status", namespaces=NAMES).split()[1] == status]
        return [prop for each in chosen for prop in each.find("D:prop", NAMES)]

    def prop(self, href, name, status="200"):
        prefix, _, local = name.partition(":")
        tag = f"{{{NAMES[prefix]}}}{local}"
        return next((each for each in self.props(href, status) if each.tag == tag), None)

    def text(self, href, name):
        element = self.prop(href, name)
        return None if element is None else element.text


class Dav(httpx.Client):
    """HTTP with what WebDAV adds: bodies with our namespaces, multistatus answers."""

    NAMES = NAMES

    def __init__(self, **kwargs):
        super().__init__(verify=False, **kwargs)  # plain http: spares reading all authorities for each test

    def xml(self, method, path, body="", **headers):
        spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMES.items())
        content = re.sub(r"^<([\w:-]+)", rf"<\1 {spaces}", body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(method, path, content=content.encode(), headers={"Content-Type": "text/xml", **named})

    def multi(self, method, path, body="", **headers):
        return Answer.of(self.xml(method, path, body, **headers))

    def props(self, path, *names, depth="0", **headers):
        wanted = "".join(f"<{name}/>" for name in names)
        body = f"<D:propfind><D:prop>{wanted}</D:prop></D:propfind>"
        return self.multi("PROPFIND", path, body, Depth=depth, **headers)

    def report(self, path, body, **headers):
        return self.multi("REPORT", path, body, **headers)

    def put(self, path, content, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(
            "PUT", path, content=content, headers={"Content-Type": "text/calendar; charset=utf-8", **named}
        )


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def database(sqlite_database):
    """The whole protocol runs on SQLite; test_storage.py holds what differs by database against both."""
    return sqlite_database


@pytest.fixture
def serve():
    """Serve a WSGI application in a thread; gives its base address."""
    running = []

    def start(application):
        server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def application(database, clock):
    return app.build(database, now=clock, limits=Limits(object_bytes=20_000, attachment_bytes=20_000))


@pytest.fixture
def base(serve, application):
    return serve(application)


@pytest.fixture
def person(database, clock):
    """Make somebody with a device; gives (name, password)."""

    def make(name):
        principals.add(database, name, f"{name}@example.org", now=clock())
        return name, devices.add(database, name, "Phone", now=clock()).password

    return make


@pytest.fixture
def alice(person):
    return person("alice")


@pytest.fixture
def dav(base, alice):
    with Dav(base_url=base, auth=alice) as client:
        yield client


@pytest.fixture
def anonymous(base):
    with Dav(base_url=base) as client:
        yield client


@pytest.fixture
def event():
    """An object's text with CRLF; ``lines`` stand in its VEVENT after UID and DTSTAMP."""

    def make(uid, *lines, component="VEVENT", before=()):
        if not lines:
            lines = ("DTSTART:20260310T090000Z", "DTEND:20260310T100000Z", "SUMMARY:Tea")
        content = [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *before,
            f"BEGIN:{component}", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, f"END:{component}",
            "END:VCALENDAR", "",
        ]  # fmt: skip
        return "\r\n".join(content).encode()

    return make


@pytest.fixture
def statements(database):
    """The SQL that runs, from the moment this is asked for, each with its parameters."""
    with noted() as asked:
        yield asked


@pytest.fixture
def bridged(database):
    """Connect a calendar to an account, as a pair does."""
    from bridge.store import tables

    def connect(slug, *, owner="alice"):
        with database.write() as conn:
            calendar_id, principal_id = conn.execute(
                sa.select(tables.calendars.c.id, tables.calendars.c.principal_id)
                .join(tables.principals)
                .where(tables.calendars.c.slug == slug, tables.principals.c.name == owner)
            ).one()
            account = conn.execute(
                sa.insert(tables.accounts)
                .values(
                    principal_id=principal_id, provider="google", subject="1", email="a@gmail.example", grant=b"x",
                    created_at=START,
                )
                .returning(tables.accounts.c.id)
            ).scalar_one()  # fmt: skip
            remote = conn.execute(
                sa.insert(tables.remote_calendars)
                .values(account_id=account, remote_id="r", name="r", writable=True, is_primary=True)
                .returning(tables.remote_calendars.c.id)
            ).scalar_one()
            conn.execute(
                sa.insert(tables.pairs).values(calendar_id=calendar_id, remote_calendar_id=remote, created_at=START)
            )

    return connect


@pytest.fixture
def elsewhere(serve, database, clock, alice):
    """The same hub from another process: it shares nothing with the first but the database."""
    with Dav(base_url=serve(app.build(database, now=clock)), auth=alice) as client:
        yield client


@pytest.fixture
def at_the_door(monkeypatch):
    """What was answered at the porch."""
    answered = []
    long_way = porch.Porch.answer

    def answer(self, poll, environ):
        given = long_way(self, poll, environ)
        if given is not None:
            answered.append(environ["PATH_INFO"])
        return given

    monkeypatch.setattr(porch.Porch, "answer", answer)
    return answered
