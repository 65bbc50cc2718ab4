"""Random edits on three sides come to rest, equal, with one copy each; no word is lost (R17, R35)."""

import shutil
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.errors import Unreachable
from bridge.ical.fields import ObjectFields
from bridge.ical.recurrence import normalize
from bridge.store import conflicts, migrations, tables
from bridge.store.session import connect
from tests.support.worlds import World, at, retitled, tea
from tests.sync.test_merge import cancelled, overridden


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "bridge.db"
    database = connect(f"sqlite:///{path}")
    migrations.upgrade(database)
    database.close()
    return path


def instance(fields, number):
    """The key of one instance of a weekly series."""
    start = fields.master.when.start
    return f"202603{start.day + 7 * number:02}T{start.hour - 1:02}0000Z"


def edited(fields: ObjectFields, how, number, words):
    match how:
        case "retitle":
            return retitled(fields, words)
        case "move":
            moved = at(fields, 8 + number)
            return ObjectFields(moved.master, moved.recurrence)  # as phones do: a moved series starts afresh
        case "cancel" if fields.recurrence:
            return normalize(cancelled(fields, instance(fields, number % 3)))
        case "override" if fields.recurrence:
            return normalize(overridden(fields, instance(fields, number % 3), summary=words))
        case _:
            return fields


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["hub", "first", "second"]),
        st.sampled_from(
            ["add", "add series", "retitle", "move", "cancel", "override", "remove", "cycle", "lost answer"]
        ),
        st.integers(0, 5),
    ),
    min_size=3,
    max_size=18,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_r17_r35_three_sides_converge_and_no_title_is_lost(template, steps):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bridge.db"
        shutil.copy(template, path)
        database = connect(f"sqlite:///{path}")
        try:
            play(World(database), steps)
        finally:
            database.close()


def play(world, steps):
    sides = {"first": world.pair(page_size=2), "second": world.pair(page_size=3)}
    written = set()
    for serial, (where, what, number) in enumerate(steps):
        words = f"{what} {serial}"
        if what == "cycle":
            world.cycle(sides.get(where, sides["first"]))
        elif what == "lost answer":
            side = sides.get(where, sides["first"])
            for method in ("create", "update", "delete"):
                side.calendar.fail(method, Unreachable("timeout"), after_effect=True)
            try:
                world.cycle(side)
            except Unreachable:
                world.clock.pass_by(minutes=10)
            side.calendar.faults.clear()
        elif what.startswith("add"):
            fields = tea(words, rule="FREQ=WEEKLY;COUNT=3" if "series" in what else "")
            written.add(words)
            if where == "hub":
                world.put(f"uid-{serial}", fields)
            else:
                sides[where].calendar.add(fields)
        else:
            change(world, sides, where, what, number, words, written)
    world.clock.pass_by(minutes=10)
    world.settle(at_most=10)
    hub = sorted(world.hub().values(), key=repr)
    for side in sides.values():
        assert sorted(side.calendar.objects().values(), key=repr) == hub
    assert not titles_lost(world, sides, written)


def change(world, sides, where, what, number, words, written):
    if where == "hub":
        uids = sorted(world.hub())
        if not uids:
            return
        uid = uids[number % len(uids)]
        if what == "remove":
            world.delete(uid)
            return
        if what in ("retitle", "override"):
            before = world.hub()[uid]
            if what == "retitle" or before.recurrence:
                written.add(words)
        world.edit(uid, lambda fields: edited(fields, what, number, words))
        return
    calendar = sides[where].calendar
    ids = sorted(calendar.objects())
    if not ids:
        return
    id = ids[number % len(ids)]
    if what == "remove":
        calendar.remove(id)
    else:
        calendar.edit(id, edited(calendar.objects()[id], what, number, words))


def titles_lost(world, sides, written):
    """Titles typed on the hub that neither its history nor a conflict remembers."""
    remembered = b""
    with world.database.read() as conn:
        for data in conn.scalars(sa.select(tables.history.c.data).where(tables.history.c.data.is_not(None))):
            remembered += data
        for side in sides.values():
            remembered += repr(conflicts.unresolved(conn, side.pair)).encode()
    remembered += repr([side.calendar.objects() for side in sides.values()]).encode()
    return {words for words in written if words.encode() not in remembered and "add" not in words}
