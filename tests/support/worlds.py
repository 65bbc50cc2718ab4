"""A hub calendar and remote ones in memory, paired: what the tests of the sync play with."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from bridge.ical import edit, view
from bridge.ical.fields import EventFields, ObjectFields, When, diff
from bridge.ical.objects import parse
from bridge.providers.memory import MemoryCalendar, MemoryLens, MemoryRemote
from bridge.store import calendars, objects, pairs, principals, tables
from bridge.store.side import PairLedger
from bridge.sync import engine

BEGIN = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
LEASE = dt.timedelta(minutes=5)
PERSON = "device:1"


class Clock:
    """Every look at it is a second later than the one before."""

    def __init__(self):
        self.time = BEGIN

    def __call__(self):
        self.time += dt.timedelta(seconds=1)
        return self.time

    def pass_by(self, **delta):
        self.time += dt.timedelta(**delta)


def release(conn, pair_id, *, owner, now):
    """The lease is over, whatever became of the cycle."""
    conn.execute(
        sa.update(tables.pairs)
        .where(tables.pairs.c.id == pair_id, tables.pairs.c.lease_owner == owner)
        .values(lease_owner=None, lease_until=None, due_at=now)
    )


class Crash(BaseException):
    """The process dies here."""


def tea(summary="Tea", *, day=2, hour=9, rule="", **fields):
    """An hour on a day of March 2026 in Vienna; with ``rule`` a series."""
    start = dt.datetime(2026, 3, day, hour)  # noqa: DTZ001 - wall-clock time
    event = EventFields(When(start, start + dt.timedelta(hours=1), "Europe/Vienna"), summary, **fields)
    return ObjectFields(event, (f"RRULE:{rule}",) if rule else ())


def retitled(fields, summary):
    return replace(fields, master=replace(fields.master, summary=summary))


def at(fields, hour):
    day = fields.master.when.start
    start = day.replace(hour=hour)
    when = replace(fields.master.when, start=start, end=start + dt.timedelta(hours=1))
    return replace(fields, master=replace(fields.master, when=when))


@dataclass
class Paired:
    """A remote calendar and its pair."""

    calendar: MemoryCalendar
    remote: MemoryRemote
    pair: int

    def titles(self):
        return sorted(fields.master.summary for fields in self.calendar.objects().values())

    def id_of(self, title):
        (id,) = [id for id, fields in self.calendar.objects().items() if fields.master.summary == title]
        return id


class Boundaries:
    """Counts the places where a process may die, and dies at one of them."""

    def __init__(self, die_at=None):
        self.count = 0
        self.die_at = die_at

    def here(self):
        self.count += 1
        if self.count == self.die_at:
            raise Crash


@dataclass
class CrashingLedger:
    """Dies before a transaction, before its commit, or right behind it."""

    ledger: PairLedger
    boundaries: Boundaries

    def reading(self):
        return self.ledger.reading()

    @contextmanager
    def writing(self):
        self.boundaries.here()
        with self.ledger.writing() as memory:
            yield memory
            self.boundaries.here()
        self.boundaries.here()


@dataclass
class CrashingRemote:
    """Dies before a request, or after its effect, before the answer is read."""

    remote: MemoryRemote
    boundaries: Boundaries

    def __getattr__(self, name):
        method = getattr(self.remote, name)
        if name == "lens":
            return method
        if name == "inviting":
            return lambda: CrashingRemote(method(), self.boundaries)

        def call(*args, **kwargs):
            self.boundaries.here()
            answer = method(*args, **kwargs)
            self.boundaries.here()
            return answer

        return call

    @property
    def batch_size(self):
        return self.remote.batch_size

    def create_many(self, wanted):
        """The service carries out some parts, or all, and the answer never comes."""
        self.boundaries.here()
        outcomes = []
        for new in wanted:
            outcomes += self.remote.create_many([new])
            self.boundaries.here()
        return outcomes


@dataclass
class World:
    """``alice/calendar`` in a database, and its remote counterparts."""

    database: object
    clock: Clock = field(default_factory=Clock)
    sides: list[Paired] = field(default_factory=list)

    principal: int = 0
    calendar: int = 0

    def __post_init__(self):
        if self.calendar:  # a copy of another world
            return
        with self.database.write() as conn:
            alice = principals.add(conn, "alice", "alice@example.org", now=BEGIN)
            self.principal = alice.id
            self.calendar = calendars.create(conn, alice.id, "calendar", properties={}, now=BEGIN).id

    def pair(self, *, lens=None, direction="both", policy="newest", **screws):
        """A new remote calendar, paired with the hub's."""
        number = len(self.sides) + 1
        calendar = MemoryCalendar(self.clock, id=f"remote-{number}", **screws)
        with self.database.write() as conn:
            account = conn.scalar(
                sa.insert(tables.accounts)
                .values(
                    principal_id=self.principal,
                    provider="memory",
                    sandbox=False,
                    subject=f"person-{number}",
                    email="",
                    grant=b"",
                    created_at=BEGIN,
                )
                .returning(tables.accounts.c.id)
            )
            remote = conn.scalar(
                sa.insert(tables.remote_calendars)
                .values(
                    account_id=account,
                    remote_id=calendar.id,
                    name="",
                    writable=True,
                    is_primary=True,
                    component=(lens or MemoryLens).component,
                )
                .returning(tables.remote_calendars.c.id)
            )
            made = pairs.add(
                conn,
                calendar_id=self.calendar,
                remote_calendar_id=remote,
                direction=direction,
                now=self.clock(),
            )
            truth = f"pair:{made.id}" if policy == "remote" else policy
            if truth != "newest":
                calendars.set_truth(conn, self.calendar, truth)
        side = Paired(calendar, MemoryRemote(calendar, lens or MemoryLens()), made.id)
        self.sides.append(side)
        return side

    # --- the phone

    def put(self, uid, fields, *, expected=objects.ANY):
        with self.database.write() as conn:
            data = edit.compose(fields, uid=uid, now=self.clock())
            return objects.put(
                conn, self.calendar, f"{uid}.ics", data, actor=PERSON, now=self.clock(), expected=expected
            )

    def edit(self, uid, change):
        """``change`` makes new fields out of the old."""
        with self.database.write() as conn:
            stored = objects.by_uid(conn, self.calendar, uid)
            before = view.read(parse(stored.data))
            data = edit.apply(stored.data, diff(before, change(before)), now=self.clock())
            objects.put(conn, self.calendar, stored.href, data, actor=PERSON, now=self.clock(), expected=stored.etag)

    def delete(self, uid):
        with self.database.write() as conn:
            stored = objects.by_uid(conn, self.calendar, uid)
            objects.delete(conn, self.calendar, stored.href, actor=PERSON, now=self.clock())

    def stored(self):
        with self.database.read() as conn:
            return {each.uid: each for each in objects.every(conn, self.calendar)}

    def hub(self):
        return {uid: view.read(parse(each.data)) for uid, each in self.stored().items()}

    def titles(self):
        return sorted(fields.master.summary for fields in self.hub().values())

    def uid_of(self, title):
        (uid,) = [uid for uid, fields in self.hub().items() if fields.master.summary == title]
        return uid

    # --- the worker

    def ledger(self, side, *, owner="worker"):
        with self.database.write() as conn:
            assert pairs.claim(conn, side.pair, owner=owner, now=self.clock(), lease=LEASE) is not None
        return PairLedger(self.database, side.pair, owner, LEASE, self.clock)

    def cycle(self, side, *, remote=None, ledger=None):
        """One cycle, with its claim and its end."""
        try:
            return engine.cycle(ledger or self.ledger(side), remote or side.remote, now=self.clock)
        finally:
            with self.database.write() as conn:
                release(conn, side.pair, owner="worker", now=self.clock())

    def dying_cycle(self, side, boundaries, *, crashing=CrashingRemote):
        """One cycle that dies where ``boundaries`` say. False if it came to its end."""
        ledger = CrashingLedger(self.ledger(side), boundaries)
        try:
            engine.cycle(ledger, crashing(side.remote, boundaries), now=self.clock)
        except Crash:
            return True
        else:
            return False
        finally:
            with self.database.write() as conn:
                release(conn, side.pair, owner="worker", now=self.clock())

    def settle(self, *, at_most=6):
        """Cycle all pairs until nothing is written any more; then everything must stay as it is."""
        for _ in range(at_most):
            reports = [self.cycle(side) for side in self.sides]
            assert not any(report.parked for report in reports)
            if all(report.idle for report in reports):
                return
        raise AssertionError("the calendars do not come to rest")

    def rows(self, table):
        with self.database.read() as conn:
            return conn.scalar(sa.select(sa.func.count()).select_from(table))

    def growth(self):
        """How much is stored, in rows."""
        return {table.name: self.rows(table) for table in tables.metadata.sorted_tables}

    def state(self, side):
        with self.database.read() as conn:
            return pairs.get(conn, side.pair)

    def state_key(self, side):
        """What the pair is called for ever."""
        with PairLedger(self.database, side.pair, "-", LEASE, self.clock).reading() as memory:
            return memory.state().key
