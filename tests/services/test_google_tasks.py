"""A list of to-dos mirrored with Google Tasks: the engine, the store and the provider together, over HTTP (MAPPING.md §4)."""

import datetime as dt

import pytest

from bridge.services import connecting, pairing
from bridge.store import calendars, objects
from tests.support.house import EMAIL

TODO = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//a phone//EN
BEGIN:VTODO
UID:{uid}
DTSTAMP:20260101T000000Z
{lines}
END:VTODO
END:VCALENDAR
"""


class Tasks:
    """The pair of Alex's to-dos with her default list, her phone's hands here and her own in Google's app."""

    def __init__(self, house):
        self.house = house
        account = house.connect().account
        (known,) = [
            one for one in connecting.refresh_calendars(house.context, account) if one.calendar.component == "VTODO"
        ]
        made = pairing.add(house.context, "alex/tasks", str(known.id), direction="both", how_often="manual")
        self.pair = made.pair.id

    def cycle(self):
        outcome = self.house.cycle(self.pair)
        assert outcome.error is None, outcome
        return outcome

    def settle(self):
        """Until nothing is written any more, which has to come soon."""
        for _ in range(4):
            outcome = self.cycle()
            self.house.pass_by(minutes=1)
            if not outcome.hub_writes and not outcome.remote_writes:
                return
        raise AssertionError(outcome)

    # --- here

    def collection(self):
        return self.house.read(calendars.get, "alex", "tasks").id

    def put(self, uid, *lines):
        data = TODO.format(uid=uid, lines="\n".join(lines)).replace("\n", "\r\n").encode()
        with self.house.context.database.write() as conn:
            objects.put(conn, self.collection(), f"{uid}.ics", data, actor="device:1", now=self.house.context.now())

    def remove(self, uid):
        with self.house.context.database.write() as conn:
            stored = objects.by_uid(conn, self.collection(), uid)
            objects.delete(conn, self.collection(), stored.href, actor="device:1", now=self.house.context.now())

    def here(self):
        """The lines of each to-do by its title."""
        found = {}
        for each in self.house.read(lambda conn: list(objects.every(conn, self.collection()))):
            lines = each.data.decode().replace("\r\n ", "").split("\r\n")
            (title,) = [line.removeprefix("SUMMARY:") for line in lines if line.startswith("SUMMARY:")]
            found[title] = lines
        return found

    # --- there

    def desk(self):
        return self.house.sandbox.google.task_desk(EMAIL, in_app=True)

    def do(self, title, /, **body):
        with self.house.sandbox.google.transaction():
            desk = self.desk()
            held = desk.list_of("@default")
            (task,) = [each for each in held.tasks.values() if each.title == title and not each.deleted]
            if body:
                desk.change(held, task.id, body, None, whole=False)
            else:
                desk.delete(held, task.id, None)

    def add(self, title, **body):
        with self.house.sandbox.google.transaction():
            desk = self.desk()
            desk.insert(desk.list_of("@default"), {"title": title, **body})

    def there(self):
        tasks = self.desk().list_of("@default").tasks.values()
        return {each.title: (each.notes, each.due, each.completed is not None) for each in tasks if not each.deleted}


@pytest.fixture
def tasks(house):
    return Tasks(house)


def day(number):
    return dt.date(2026, 6, number)


def test_to_dos_go_both_ways_and_come_to_rest(tasks):
    tasks.put("bread", "SUMMARY:Bread", "DUE;VALUE=DATE:20260616", "DESCRIPTION:Rye", "PRIORITY:1")
    tasks.add("Milk", due="2026-06-17T00:00:00.000Z")
    tasks.settle()
    assert tasks.there() == {"Bread": ("Rye", day(16), False), "Milk": ("", day(17), False)}
    assert "DUE;VALUE=DATE:20260617" in tasks.here()["Milk"]
    tasks.do("Bread", status="completed")
    tasks.do("Milk", title="Oat milk")
    tasks.settle()
    assert set(tasks.here()) == {"Bread", "Oat milk"}
    assert {"STATUS:COMPLETED", "PRIORITY:1"} <= set(tasks.here()["Bread"])
    tasks.remove("bread")
    tasks.do("Oat milk")
    tasks.settle()
    assert tasks.there() == tasks.here() == {}


def test_x62_a_time_of_day_survives_its_day(tasks):
    tasks.put(
        "call", "SUMMARY:Call", "DUE:20260616T070000Z", "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM"
    )
    tasks.settle()
    assert tasks.there()["Call"][1] == day(16)
    tasks.do("Call", due="2026-06-18T00:00:00.000Z")
    tasks.settle()
    assert {"DUE:20260618T070000Z", "TRIGGER:-PT15M"} <= set(tasks.here()["Call"])


def test_x61_what_is_too_long_there_is_whole_here(tasks):
    notes = "n" * 9000
    tasks.put("long", "SUMMARY:Long", f"DESCRIPTION:{notes}")
    tasks.settle()
    assert tasks.there()["Long"][0] == notes[:8192]
    tasks.do("Long", status="completed")
    tasks.settle()
    assert f"DESCRIPTION:{notes}" in tasks.here()["Long"]


def test_x69_one_occurrence_done_there_is_the_next_one_everywhere(tasks):
    tasks.put(
        "bins", "SUMMARY:Bins", "DTSTART;VALUE=DATE:20260615", "DUE;VALUE=DATE:20260616", "RRULE:FREQ=WEEKLY;COUNT=2"
    )
    tasks.settle()
    tasks.do("Bins", status="completed")
    tasks.settle()
    assert {"DTSTART;VALUE=DATE:20260622", "DUE;VALUE=DATE:20260623", "RRULE:FREQ=WEEKLY;COUNT=1"} <= set(
        tasks.here()["Bins"]
    )
    assert tasks.there() == {"Bins": ("", day(23), False)}
    tasks.do("Bins", status="completed")
    tasks.settle()
    assert "STATUS:COMPLETED" in tasks.here()["Bins"]
    assert tasks.there() == {"Bins": ("", day(23), True)}


@pytest.mark.parametrize("edit", ["SUMMARY:All bins", "DUE;VALUE=DATE:20260618"])
def test_x69_done_there_while_it_is_edited_here(tasks, edit):
    lines = {"SUMMARY": "SUMMARY:Bins", "DUE;VALUE=DATE": "DUE;VALUE=DATE:20260616", "RRULE": "RRULE:FREQ=WEEKLY"}
    tasks.put("bins", *lines.values())
    tasks.settle()
    tasks.do("Bins", status="completed")
    lines[edit.partition(":")[0]] = edit
    tasks.put("bins", *lines.values())
    tasks.settle()
    ((title, here),) = tasks.here().items()
    ((shown, (_, due, done)),) = tasks.there().items()
    assert title == shown == lines["SUMMARY"].removeprefix("SUMMARY:")
    assert due == (day(25) if "0618" in edit else day(23))
    assert f"DUE;VALUE=DATE:{due:%Y%m%d}" in here
    assert not done


def test_x69_done_there_while_it_is_deleted_here(tasks):
    """An edit beats a deletion; the occurrence that is done is done all the same."""
    tasks.put("bins", "SUMMARY:Bins", "DUE;VALUE=DATE:20260616", "RRULE:FREQ=WEEKLY")
    tasks.settle()
    tasks.do("Bins", status="completed")
    tasks.remove("bins")
    tasks.settle()
    assert "DUE;VALUE=DATE:20260623" in tasks.here()["Bins"]
    assert tasks.there() == {"Bins": ("", day(23), False)}


def test_x64_what_was_cancelled_here_is_off_the_list_there(tasks):
    tasks.put("trip", "SUMMARY:Trip", "STATUS:CANCELLED")
    tasks.settle()
    assert tasks.there()["Trip"][2]
    tasks.do("Trip", notes="Next year")
    tasks.settle()
    assert {"STATUS:CANCELLED", "DESCRIPTION:Next year"} <= set(tasks.here()["Trip"])


def test_r12_no_creation_is_there_twice(tasks):
    for number in range(3):
        tasks.put(f"bread{number}", "SUMMARY:Bread", f"DUE;VALUE=DATE:2026061{number}")
    tasks.house.sandbox.faults.inject(method="POST", path=r"/tasks(\?|$)", times=2, drop=True, phase="after")
    tasks.cycle()
    tasks.house.pass_by(minutes=10)
    tasks.settle()
    live = [each for each in tasks.desk().list_of("@default").tasks.values() if not each.deleted]
    assert sorted(each.due for each in live) == [day(10), day(11), day(12)]


def test_r13_what_was_moved_to_another_list_is_gone_within_a_day(tasks):
    tasks.put("bread", "SUMMARY:Bread")
    tasks.add("Milk")
    tasks.settle()
    with tasks.house.sandbox.google.transaction():
        desk = tasks.desk()
        other, held = desk.add_list({"title": "Other"}), desk.list_of("@default")
        (milk,) = [each.id for each in held.tasks.values() if each.title == "Milk"]
        desk.move(held, milk, other)
    tasks.settle()
    tasks.house.pass_by(hours=25)
    tasks.settle()
    assert set(tasks.here()) == {"Bread"}


def test_r4_a_cycle_at_rest_is_one_request(tasks):
    for number in range(120):
        tasks.put(f"todo{number}", f"SUMMARY:To-do {number}")
    tasks.settle()
    tasks.house.pass_by(minutes=15)
    tasks.settle()
    for _ in range(3):
        before = tasks.house.sandbox.google.meter.requests
        outcome = tasks.cycle()
        assert tasks.house.sandbox.google.meter.requests == before + 1
        assert (outcome.hub_writes, outcome.remote_writes) == (0, 0)
        tasks.house.pass_by(minutes=5)


def test_r3_what_was_assigned_is_left_to_where_it_was_assigned(tasks):
    with tasks.house.sandbox.google.transaction():
        desk = tasks.desk()
        desk.assign(desk.list_of("@default"), "Review")
    tasks.settle()
    (uid,) = [line.removeprefix("UID:") for line in tasks.here()["Review"] if line.startswith("UID:")]
    tasks.remove(uid)
    outcome = tasks.cycle()
    assert outcome.quarantined == 1
    tasks.settle()
    assert tasks.there() == {"Review": ("", None, False)}
