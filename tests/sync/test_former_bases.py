"""Bases that were kept before COLOR and GEO had fields of their own: they say the same, so nobody has changed anything."""

from dataclasses import replace

import sqlalchemy as sa

from bridge.providers.memory import EVENT_FIELDS, MemoryLens
from bridge.store import conflicts, tables
from bridge.sync import consistency
from tests.support.worlds import retitled, tea

COLOURED = {"color": "turquoise", "geo": "48.2;16.37", "others": ("COLOR:#ff0000", "CONTACT:Robin")}


def as_before(event):
    """A component as it was kept then: as a server's text says it."""
    lines = {*event.pop("others", ()), f"COLOR:{event.pop('color').title()}", f"GEO:{event.pop('geo')}0000"}
    return {**event, "others": sorted(lines)}


def upgrade(world):
    """Make all bases old ones."""
    with world.database.write() as conn:
        for row in conn.execute(sa.select(tables.links)).mappings().all():
            old = {}
            for name in ("hub_base", "remote_base"):
                kept = dict(row[name])
                overrides = {key: as_before(dict(event)) for key, event in kept["overrides"].items()}
                old[name] = {**kept, "master": as_before(dict(kept["master"])), "overrides": overrides}
            this = sa.and_(tables.links.c.pair_id == row["pair_id"], tables.links.c.uid == row["uid"])
            conn.execute(sa.update(tables.links).where(this).values(**old, dirty=True))


def examined(world, side):
    ledger = world.ledger(side)
    with ledger.reading() as memory:
        assert memory.state().phase == "steady"
    return consistency.examine(ledger, side.remote, now=world.clock).kinds


def linked(world):
    side = world.pair()
    world.put("tea", tea(**COLOURED))
    series = tea("Run", rule="FREQ=DAILY;COUNT=5", **COLOURED)
    later = replace(series.master, summary="Later", when=replace(series.master.when, end=series.master.when.end))
    key = "20260303T080000Z"
    when = replace(later.when, start=later.when.start.replace(day=3), end=later.when.end.replace(day=3))
    world.put("run", replace(series, overrides={key: replace(later, when=when)}))
    world.settle()
    return side


def test_r20_an_old_base_is_no_change(world):
    side = linked(world)
    before = world.stored()
    upgrade(world)
    report = world.cycle(side)
    assert (report.hub_writes, report.remote_writes, report.conflicts) == (0, 0, 0)
    assert world.stored() == before


def test_r42_nor_does_anything_diverge(world):
    side = linked(world)
    upgrade(world)
    with world.database.write() as conn:
        conn.execute(sa.update(tables.links).values(dirty=False))
    assert examined(world, side) == {}


def test_an_edit_upon_an_old_base_is_that_edit(world):
    side = linked(world)
    upgrade(world)
    id = side.id_of("Tea")
    side.calendar.edit(id, retitled(side.calendar.objects()[id], "Coffee"))
    world.edit("tea", lambda fields: replace(fields, master=replace(fields.master, color="navy")))
    world.settle()
    both = [world.hub()["tea"].master, side.calendar.objects()[id].master]
    assert [(each.summary, each.color, each.geo, each.others) for each in both] == [
        ("Coffee", "navy", "48.2;16.37", COLOURED["others"])
    ] * 2
    with world.database.read() as conn:
        assert conflicts.unresolved(conn, side.pair) == []


def test_a_remote_that_holds_a_colour_now_and_did_not_is_told_it_once(world):
    """What was in the hub all along, and in no base: to be told where it is looked at, and nothing else of the event."""
    side = world.pair(lens=MemoryLens(EVENT_FIELDS - {"color", "geo"}))
    world.put("tea", tea(color="navy"))
    world.settle()
    object.__setattr__(side.remote, "lens", MemoryLens())
    assert world.cycle(side).remote_writes == 0, "nobody has looked at it"
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    world.settle()
    assert side.calendar.objects()[side.id_of("Coffee")].master.color == "navy"


def test_r3_a_colour_for_someone_elses_meeting_is_ones_own_and_stays_here(world):
    side = world.pair()
    id = side.calendar.add(tea("Board", rule="FREQ=DAILY;COUNT=3"), uid="board", organized_elsewhere=True)
    world.settle()
    world.edit("board", lambda fields: replace(fields, master=replace(fields.master, color="red")))
    world.settle()
    assert world.hub()["board"].master.color == "red"
    assert side.calendar.objects()[id].master.color == ""
    assert side.calendar.writes == 0
    side.calendar.edit(id, retitled(side.calendar.objects()[id], "Council"))
    world.settle()
    assert (world.hub()["board"].master.summary, world.hub()["board"].master.color) == ("Council", "red")
    with world.database.read() as conn:
        assert conflicts.unresolved(conn, side.pair) == []
