"""A person connected to both simulated services, all in this process: their phone's hands on the hub, and quick cycles.

The services are asked over HTTP, as always; only the hub is played without its server, so that a story takes moments.
"""

import datetime as dt
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import icalendar
import recurring_ical_events
import sqlalchemy as sa

from bridge.config import Sandbox as SandboxSettings
from bridge.config import Settings
from bridge.outside import trust
from bridge.sandbox.server import Sandbox
from bridge.services import connecting, consistency, principals, syncing
from bridge.services.context import open_context
from bridge.store import calendars, objects, pairs, tables
from tests.contracts import google_bench, graph_bench
from tests.e2e.dates import FROM, MONDAY, TO, ZONE
from tests.e2e.service_sides import GoogleSide, GraphSide
from tests.support import databases, simulated_graph

PERSON = "alex@example.com"
AGREE = {"google": google_bench.agree, "microsoft": graph_bench.agree}


def at(day, hour, minute=0):
    """A wall-clock time ``day`` days after the Monday of the stories."""
    return dt.datetime.combine(MONDAY + dt.timedelta(days=day), dt.time(hour, minute))


def shown(start, end, title):
    """As every side's ``shows`` tells of one occurrence."""
    if isinstance(start, dt.datetime):
        start, end = (_instant(value.replace(tzinfo=ZoneInfo(ZONE))) for value in (start, end))
        return start, end, title
    return start.isoformat(), end.isoformat(), title


def _instant(value):
    if not isinstance(value, dt.datetime):
        return value.isoformat()
    if value.tzinfo is None:  # floating: where the person is
        value = value.replace(tzinfo=ZoneInfo(ZONE))
    return value.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def ics(uid, *components):
    """A calendar object of components, each the text of its lines without BEGIN and END; UID and DTSTAMP are added."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//a phone//EN"]
    for component in components:
        lines += ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *component.strip().splitlines()]
        lines.append("END:VEVENT")
    return "\r\n".join([*(line.strip() for line in lines), "END:VCALENDAR", ""]).encode()


def local(name, value):
    """A property's line with a wall-clock time in the person's zone, or a date."""
    if isinstance(value, dt.datetime):
        return f"{name};TZID={ZONE}:{value:%Y%m%dT%H%M%S}"
    return f"{name};VALUE=DATE:{value:%Y%m%d}"


def event(title, start, end, *more):
    """The lines of a VEVENT."""
    return "\n".join([f"SUMMARY:{title}", local("DTSTART", start), local("DTEND", end), *more])


@dataclass
class Phone:
    """Writes to the hub's calendar as the CalDAV door does."""

    context: object
    calendar: int

    def put(self, uid, *components):
        with self.context.database.write() as conn:
            stored = objects.by_uid(conn, self.calendar, uid)
            href = stored.href if stored else f"{uid}.ics"
            self.write(conn, href, ics(uid, *components))

    def write(self, conn, href, data):
        objects.put(conn, self.calendar, href, data, actor="device:1", now=self.context.now())

    def edit(self, uid, old, new):
        """Replace text in an object."""
        with self.context.database.write() as conn:
            stored = objects.by_uid(conn, self.calendar, uid)
            assert old.encode() in stored.data, stored.data.decode()
            data = stored.data.replace(old.encode(), new.encode())
            objects.put(conn, self.calendar, stored.href, data, actor="device:1", now=self.context.now())

    def remove(self, uid):
        with self.context.database.write() as conn:
            stored = objects.by_uid(conn, self.calendar, uid)
            objects.delete(conn, self.calendar, stored.href, actor="device:1", now=self.context.now())

    def stored(self):
        with self.context.database.read() as conn:
            return {each.uid: each.data.decode() for each in objects.every(conn, self.calendar)}

    def find(self, title):
        """The UID of the object whose master has this title."""
        (uid,) = [
            uid
            for uid, data in self.stored().items()
            for each in icalendar.Calendar.from_ical(data).walk("VEVENT")
            if "RECURRENCE-ID" not in each and each.get("SUMMARY") == title
        ]
        return uid

    def shows(self, start, end):
        return sorted(one for data in self.stored().values() for one in occurrences(data, start, end))


def occurrences(data, start, end):
    """What a calendar object shows, as every side's ``shows`` tells of it."""
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(data)).between(start, end)
    return [(_instant(one["DTSTART"].dt), _instant(_end(one)), str(one.get("SUMMARY", ""))) for one in found]


def _end(component):
    return component["DTEND"].dt if "DTEND" in component else component["DTSTART"].dt


class Bridged:
    """``phone``, ``google`` and ``graph`` are the three places; ``pairs`` the ids of the two pairs, Google's first."""

    def __init__(self, sandbox, context, google, graph):
        self.sandbox, self.context, self.google, self.graph = sandbox, context, google, graph
        self.pairs = {}
        self.phone = None

    def connect(self, provider):
        url = connecting.begin(self.context, "alex", provider, sandbox=True)
        return connecting.finish(self.context, provider, AGREE[provider](url))

    def cycle(self, provider):
        outcome = syncing.run_now(self.context, self.pairs[provider])
        self.outcomes.append(outcome)
        return outcome

    outcomes = []  # noqa: RUF012 - rebound for each story

    def rest(self, *, at_most=4):
        """Cycle both pairs until neither writes; then three more rounds of each must write nothing (R20)."""
        for _ in range(at_most):
            done = [self.cycle(each) for each in self.pairs]
            assert not any(each.error for each in done), done
            if not any(each.hub_writes or each.remote_writes for each in done):
                break
        else:
            raise AssertionError(f"the calendars do not come to rest: {done}")
        before = self.writes()
        for _ in range(3):
            done = [self.cycle(each) for each in self.pairs]
            assert not any(each.hub_writes or each.remote_writes for each in done), done
        assert self.writes() == before

    def pass_by(self, **delta):
        """Time passes; the hands sign in again, for their tokens end."""
        self.sandbox.clock.advance(dt.timedelta(**delta))
        self.sign_in()

    def sign_in(self):
        tokens = {
            self.google: self.sandbox.google.token(PERSON, client_id="hands"),
            self.graph: simulated_graph.tokens(self.sandbox.microsoft)["access_token"],
        }
        for side, token in tokens.items():
            side.client.headers["Authorization"] = f"Bearer {token}"

    def writes(self):
        return self.sandbox.google.meter.writes + self.sandbox.microsoft.meter.writes

    def mails(self):
        return [*self.sandbox.google.meter.mails, *self.sandbox.microsoft.meter.mails]

    def seen(self):
        """What each place shows over two years."""
        sides = {"hub": self.phone, "google": self.google, "graph": self.graph}
        return {name: side.shows(FROM, TO) for name, side in sides.items()}

    def settle(self, expected=None, *, but=(), told=()):
        """At rest, all places (``but`` some) show the same, ``expected`` if given, and nobody but ``told`` got a mail.

        Returns what they show.
        """
        self.rest()
        seen = self.seen()
        first = sorted(expected) if expected is not None else seen["hub"]
        for name, each in seen.items():
            if name not in but:
                assert each == first, f"{name}: missing {_less(first, each)}, too much {_less(each, first)}"
        assert {mail.recipient for mail in self.mails()} <= set(told)
        self.compared()
        return first

    def compared(self):
        """Both pairs compared whole: nothing diverges, and nothing was written (R42)."""
        before = self.writes()
        for pair_id in self.pairs.values():
            outcome = consistency.run(self.context, pair_id)
            assert (outcome.error, outcome.found) == (None, ()), outcome
        assert self.writes() == before

    def quarantined(self):
        """Reasons by (provider, UID)."""
        query = sa.select(tables.links.c.pair_id, tables.links.c.uid, tables.links.c.quarantine)
        names = {pair: name for name, pair in self.pairs.items()}
        with self.context.database.read() as conn:
            rows = conn.execute(query.where(tables.links.c.quarantine.is_not(None))).all()
        return {(names[pair], uid): reason for pair, uid, reason in rows}

    def pair(self, provider):
        with self.context.database.read() as conn:
            return pairs.get(conn, self.pairs[provider])


def _less(one, other):
    rest = list(other)
    return [each for each in one if each not in rest or rest.remove(each)]


@contextmanager
def opened(sandbox, folder, *, connect=("google", "microsoft"), now=None):
    """A fresh story on a running sandbox, that begins at ``now``."""
    sandbox.reset()
    if now is not None:
        sandbox.clock.advance(now - sandbox.clock())
    databases.lay(folder / "data")
    settings = Settings(data=folder / "data", sandbox=SandboxSettings(port=urlsplit(sandbox.url).port))
    with ExitStack() as stack:
        context = open_context(settings, now=sandbox.clock, sleep=sandbox.clock.sleep)
        stack.callback(context.close)
        principals.add(context.database, "alex", PERSON, now=context.now())
        token = sandbox.google.token(PERSON, client_id="hands")
        google = stack.enter_context(
            httpx.Client(
                base_url=f"{sandbox.url}/google/calendar/v3/",
                headers={"Authorization": f"Bearer {token}"},
                timeout=30,
                verify=trust(),
            )
        )
        graph = stack.enter_context(simulated_graph.client(sandbox.microsoft))
        story = Bridged(sandbox, context, GoogleSide(google), GraphSide(graph))
        story.outcomes = []
        with context.database.read() as conn:
            story.phone = Phone(context, calendars.get(conn, "alex", "calendar").id)
        for provider in connect:
            story.pairs[provider] = story.connect(provider).pair_id
        for provider in connect:
            story.cycle(provider)
        yield story


@contextmanager
def running():
    with Sandbox() as sandbox:
        yield sandbox
