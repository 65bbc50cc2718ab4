"""Small stories, each with something to be carried over: every boundary of the cycle that does it is tried as its last."""

from __future__ import annotations

import copy
import datetime as dt
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace

from bridge.ical import recurrence
from bridge.providers.memory import MemoryLens
from bridge.store import pairs
from bridge.store.session import connect
from tests.proof import world as whole
from tests.proof.boundaries import Boundaries, Crash, here, watched
from tests.proof.drafts import MONDAY, Draft, Rule
from tests.support.worlds import World, at, retitled, tea
from tests.sync.test_merge import cancelled, overridden

WEEKLY = "FREQ=WEEKLY;COUNT=6"
SECOND, THIRD, FOURTH = "20260309T080000Z", "20260316T080000Z", "20260323T080000Z"


@dataclass(frozen=True)
class WatchedRemote:
    """The memory remote, each of whose requests has a boundary before it and one behind its effect."""

    remote: object

    def __getattr__(self, name):
        method = getattr(self.remote, name)
        if name == "inviting":
            return lambda: WatchedRemote(method())
        if not inspect.ismethod(method):
            return method

        def call(*args, **kwargs):
            here("before a request")
            answer = method(*args, **kwargs)
            here("behind a request")
            return answer

        return call


# --- in memory: what is arranged before the cycle that may die


def created_here(world, side):
    world.settle()
    world.put("tea", tea())


def created_there(world, side):
    world.settle()
    side.calendar.add(tea(), uid="tea")


def edited_on_both(world, side):
    world.put("tea", tea())
    world.settle()
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    id = side.id_of("Tea")
    side.calendar.edit(id, at(side.calendar.objects()[id], 15))


def deleted_here(world, side):
    world.put("tea", tea())
    world.put("cake", tea("Cake"))
    world.settle()
    world.delete("tea")


def deleted_there(world, side):
    world.put("tea", tea())
    world.put("cake", tea("Cake"))
    world.settle()
    side.calendar.remove(side.id_of("Tea"))


def series_with_override(world, side):
    world.settle()
    world.put("tea", cancelled(overridden(tea(rule=WEEKLY), SECOND, summary="Cake"), THIRD))


def first_sync(world, side):
    world.put("both", tea("both"))
    side.calendar.add(tea("both"), uid="both")
    world.put("here", tea("here"))
    side.calendar.add(tea("there"))


def conflict(world, side):
    world.put("tea", tea())
    world.settle()
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    id = side.id_of("Tea")
    side.calendar.edit(id, retitled(side.calendar.objects()[id], "Cocoa"))


def lost_cursor(world, side):
    for number in range(3):
        world.put(f"tea{number}", tea(f"Tea {number}"))
    world.settle()
    side.calendar.remove(side.id_of("Tea 1"))
    side.calendar.add(tea("Cake"))
    side.calendar.forget_cursors()


def parked(world, side):
    for number in range(12):
        world.put(f"tea{number}", tea(f"Tea {number}"))
    world.settle()
    for number in range(11):
        side.calendar.remove(side.id_of(f"Tea {number}"))


def split_here(world, side):
    world.put("tea", overridden(tea(rule=WEEKLY), SECOND, summary="Cake"))
    world.settle()
    world.edit("tea", lambda fields: replace(fields, recurrence=("RRULE:FREQ=WEEKLY;UNTIL=20260316T075959Z",)))
    later = tea("Later tea", rule="FREQ=WEEKLY;COUNT=4", day=16)
    world.put("later", at(later, 11))


# --- the same with a service that knows no weekly rules, so a series is there in parts


def in_parts_here(world, side):
    world.settle()
    world.put("tea", cancelled(overridden(tea(rule=WEEKLY), SECOND, summary="Cake"), THIRD))


def in_parts_edited_there(world, side):
    world.put("tea", tea(rule=WEEKLY))
    world.settle()
    first, second, third, *_ = side.calendar.objects()
    for id, title in ((first, "Coffee"), (second, "Cocoa")):
        side.calendar.edit(id, retitled(side.calendar.objects()[id], title))
    side.calendar.remove(third)


def in_parts_edited_on_both(world, side):
    world.put("tea", tea(rule=WEEKLY))
    world.settle()
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    id = next(iter(side.calendar.objects()))
    side.calendar.edit(id, at(side.calendar.objects()[id], 15))


def in_parts_deleted_here(world, side):
    world.put("tea", tea(rule=WEEKLY))
    world.put("cake", tea("Cake"))
    world.settle()
    world.delete("tea")


def into_parts(world, side):
    world.put("tea", tea(rule="FREQ=DAILY;COUNT=4"))
    world.settle()
    world.edit("tea", lambda fields: replace(fields, recurrence=(f"RRULE:{WEEKLY}",)))


def out_of_parts(world, side):
    world.put("tea", tea(rule=WEEKLY))
    world.settle()
    world.edit("tea", lambda fields: replace(fields, recurrence=("RRULE:FREQ=DAILY;COUNT=4",)))


def _no_weeks(fields):
    return "it repeats by days only" if "WEEKLY" in "".join(fields.recurrence) else None


IN_PARTS: dict[str, Callable] = {
    each.__name__: each
    for each in (
        in_parts_here,
        in_parts_edited_there,
        in_parts_edited_on_both,
        in_parts_deleted_here,
        into_parts,
        out_of_parts,
    )
}

IN_MEMORY: dict[str, Callable] = {
    each.__name__: each
    for each in (
        created_here,
        created_there,
        edited_on_both,
        deleted_here,
        deleted_there,
        series_with_override,
        first_sync,
        conflict,
        lost_cursor,
        parked,
        split_here,
    )
} | IN_PARTS


@dataclass
class Memory:
    """One story in memory, arranged once; each ``run`` goes on from a copy of it."""

    name: str
    template: object
    folder: object

    def __post_init__(self):
        self.path = self.folder / f"{self.name}.db"
        self.path.write_bytes(self.template.read_bytes())
        database = connect(f"sqlite:///{self.path}")
        self.world = World(database)
        lens = MemoryLens(refuses=_no_weeks) if self.name in IN_PARTS else None
        IN_MEMORY[self.name](self.world, self.world.pair(lens=lens, page_size=2))
        database.close()

    def run(self, die_at=None):
        """Cycle once, dying there; then go on until all is at rest. The boundaries there were, and what there is then."""
        path = self.folder / "copy.db"
        path.write_bytes(self.path.read_bytes())
        database = connect(f"sqlite:///{path}")
        try:
            lived = copy.deepcopy({"sides": self.world.sides, "clock": self.world.clock})
            world = replace(self.world, database=database, **lived)
            side = world.sides[0]
            boundaries = Boundaries(die_at)
            try:
                with watched(boundaries):
                    world.cycle(side, remote=WatchedRemote(side.remote))
            except Crash:
                pass
            world.clock.pass_by(minutes=10)
            self._recover(world, side)
            return boundaries, self._end(world, side)
        finally:
            database.close()

    def _recover(self, world, side):
        if self.name == "parked":
            for _ in range(2):
                assert world.cycle(side).parked, "what is parked stays so until its owner says yes"
            assert len(world.titles()) == 12
            with world.database.write() as conn:
                pairs.approve(conn, side.pair, now=world.clock())
        world.settle()

    def _end(self, world, side):
        said = _occurrences if self.name in IN_PARTS else _whole
        hub, remote = (
            sorted(told for fields in each.values() for told in said(fields))
            for each in (world.hub(), side.calendar.objects())
        )
        assert hub == remote
        rows = world.growth()
        return hub, rows["links"], rows["objects"], rows["outbox"], rows["conflicts"]


def _whole(fields):
    return [repr(fields)]


def _occurrences(fields):
    year = (dt.datetime(number, 1, 1, tzinfo=dt.UTC) for number in (2026, 2027))
    return [repr(each.fields) for each in recurrence.instances(fields, *year, floating=dt.UTC)]


# --- over HTTP, with all sides


def _draft(title, rule=None):
    start = dt.datetime.combine(MONDAY + dt.timedelta(days=15), dt.time(9))
    return Draft(title, start, start + dt.timedelta(hours=1), "Europe/Vienna", rule)


def _add(world, where, title, rule=None):
    line = world.new_lineage()
    world.truth.made[line] += 1
    return world.side(where).add(_draft(f"e{line} {title}", rule))


def http_created_here(world, where):
    _add(world, "hub", "tea")


def http_edited_on_both(world, where):
    uid = _add(world, "hub", "tea")
    world.rest()
    (thing,) = world.side(where).things()
    world.side("hub").retitle(uid, "e1 coffee")
    world.side(where).relocate(thing.ref, "Room 5")


def http_deleted_here(world, where):
    uid = _add(world, "hub", "tea")
    _add(world, "hub", "cake")
    world.rest()
    world.side("hub").remove(uid)
    world.truth.gone[1] += 1


def http_deleted_there(world, where):
    _add(world, where, "tea")
    world.rest()
    (thing,) = world.side(where).things()
    world.side(where).remove(thing.ref)
    world.truth.gone[1] += 1


def http_series_with_override(world, where):
    uid = _add(world, "hub", "tea", Rule("WEEKLY", count=6))
    hub = world.side("hub")
    dates = hub.occurrences(uid)
    hub.retitle_occurrence(uid, dates[2], "e1 cake")
    hub.cancel_occurrence(uid, dates[3])


def http_lost_cursor(world, where):
    _add(world, where, "tea")
    _add(world, where, "cake")
    world.rest()
    side = world.side(where)
    side.remove(side.things()[0].ref)
    world.truth.gone[1] += 1
    side.lose_cursors()


def http_split_here(world, where):
    uid = _add(world, "hub", "tea", Rule("WEEKLY", count=6))
    world.rest()
    hub = world.side("hub")
    hub.split(uid, hub.occurrences(uid)[3], "e1 later", dt.timedelta(hours=1))
    world.truth.made[1] += 1


OVER_HTTP: dict[str, Callable] = {
    each.__name__.removeprefix("http_"): each
    for each in (
        http_created_here,
        http_edited_on_both,
        http_deleted_here,
        http_deleted_there,
        http_series_with_override,
        http_lost_cursor,
        http_split_here,
    )
}


def over_http(house, name, where, die_at=None):
    """As ``Memory.run``, with the cycle of the pair with ``where`` (google, graph, caldav) as the one that dies."""
    with whole.opened(house, 7, whole.Tally()) as world:
        OVER_HTTP[name](world, where)
        boundaries = world.cycle_to(world.side(where).provider, die_at)
        world.pass_by(whole.PATIENCE)
        world.rest()
        shown = [side.shows() for side in world.sides]
        assert all(each == shown[0] for each in shown), shown
        counts = [len(side.things()) for side in world.sides]
        assert not world.mails_of_bridge
        assert not world.wire.with_guests
        return boundaries, (shown[0], counts)
