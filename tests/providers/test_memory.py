"""The screws by which the reference provider turns unruly; that it keeps the contract is proved in tests/contracts."""

import datetime as dt
from dataclasses import replace

import pytest

from bridge.errors import CursorLost, Unmappable, Unreachable
from bridge.ical.fields import EventFields, ObjectFields, When
from bridge.providers.memory import MemoryCalendar, MemoryLens, MemoryRemote
from bridge.sync.ports import Removal

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
START = dt.datetime.fromisoformat("2026-03-16T09:00:00")
FIELDS = ObjectFields(
    EventFields(When(START, START + dt.timedelta(hours=1), "Europe/Vienna"), summary="Dentist", location="Here")
)
KEY = "k" * 32


@pytest.fixture
def calendar():
    return MemoryCalendar(clock=lambda: NOW)


@pytest.fixture
def remote(calendar):
    return MemoryRemote(calendar)


def create(remote, fields=FIELDS):
    return remote.lens.read(remote.create(fields, key=KEY, uid="hub"))


def test_a_fault_before_the_effect_leaves_nothing(calendar, remote):
    calendar.fail("create", Unreachable("down"))
    with pytest.raises(Unreachable):
        create(remote)
    assert calendar.objects() == {}
    create(remote)
    assert len(calendar.objects()) == 1


def test_a_fault_after_the_effect_only_loses_the_answer(calendar, remote):
    calendar.fail("create", Unreachable("lost"), after_effect=True, times=2)
    for _ in range(2):
        with pytest.raises(Unreachable):
            create(remote)
    assert len(calendar.objects()) == 1
    assert calendar.requests["create"] == calendar.writes == 2


def test_the_owners_doings_are_not_counted(calendar):
    calendar.remove(calendar.add(FIELDS))
    assert calendar.writes == calendar.requests.total() == 0


def test_a_service_that_rewrites_answers_what_it_holds(calendar, remote):
    calendar.rewrite = lambda event: replace(event, summary=event.summary.upper())
    made = create(remote)
    assert made.fields.master.summary == "DENTIST"
    assert remote.update(made, made.fields) == made.items
    assert calendar.writes == 1


def test_a_lens_that_holds_less_shows_less(calendar):
    remote = MemoryRemote(calendar, MemoryLens(holds=frozenset({"summary"})))
    assert create(remote).fields.master == EventFields(FIELDS.master.when, summary="Dentist")


def test_a_lens_may_refuse(calendar):
    lens = MemoryLens(refuses=lambda fields: "no dentists" if fields.master.summary == "Dentist" else None)
    with pytest.raises(Unmappable, match="no dentists"):
        create(MemoryRemote(calendar, lens))
    assert calendar.objects() == {}


def test_what_leaves_the_window_is_said_uncertainly_and_still_there(calendar, remote):
    id = calendar.add(FIELDS)
    cursor = remote.page(None, now=NOW).cursor
    calendar.leave_window(id)
    page = remote.page(cursor, now=NOW)
    assert (page.items, page.removals) == ([], [Removal(id, certain=False)])
    assert remote.lens.read(remote.get(id)).fields == FIELDS
    calendar.edit(id, replace(FIELDS, master=replace(FIELDS.master, summary="Again")))
    (item,) = remote.page(page.cursor, now=NOW).items
    assert item.id == id


def test_forgotten_cursors_are_those_handed_out_before(calendar, remote):
    before = remote.page(None, now=NOW).cursor
    calendar.forget_cursors()
    with pytest.raises(CursorLost):
        remote.page(before, now=NOW)
    after = remote.page(None, now=NOW).cursor
    assert remote.page(after, now=NOW).removals == []
