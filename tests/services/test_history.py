"""R35: everything that was ever written is listed in words, and comes back byte for byte."""

import datetime as dt

import pytest
import sqlalchemy as sa

from bridge.errors import NotFound, UsageError
from bridge.services import history, words
from bridge.store import audit, devices, object_properties, objects, tables
from bridge.store import history as versions
from tests.support.owners import context_of
from tests.support.worlds import BEGIN, PERSON, at, retitled, tea

HERE = "alice/calendar"


@pytest.fixture
def world(world):
    with world.database.write() as conn:
        devices.add(conn, world.principal, "phone", "hash", now=BEGIN)
    return world


@pytest.fixture
def story(world):
    """Made on the phone, moved at the remote, deleted on the phone."""
    side = world.pair()
    world.put("tea", tea())
    world.settle()
    side.calendar.edit(side.id_of("Tea"), at(retitled(tea(), "Tea with Sam"), 15))
    world.settle()
    world.delete("tea")
    world.settle()
    assert side.titles() == []
    return side


def restore(world, uid="tea", **how):
    return history.restore(context_of(world), HERE, uid, **how)


def bytes_at(world, revision):
    with world.database.read() as conn:
        (version,) = versions.at_revision(conn, world.calendar, revision)
    return version.data


def told(entries):
    return [(each.who, each.what, each.fields, each.title) for each in entries]


@pytest.mark.usefixtures("story")
def test_it_says_who_did_what(world):
    listed = history.of_calendar(context_of(world), HERE)
    assert told(listed) == [
        ("phone (device 1)", "deleted", (), "Tea with Sam"),
        ("memory pair 1", "changed", ("time", "title"), "Tea with Sam"),
        ("phone (device 1)", "created", (), "Tea"),
    ]
    assert history.of_object(context_of(world), HERE, "tea") == listed
    assert [each.revision for each in listed] == [3, 2, 1]


def test_what_has_been_deleted_comes_back_everywhere(world, story):
    done = restore(world)
    assert (done.title, done.revision, done.changed) == ("Tea with Sam", 2, True)
    stored = world.stored()["tea"]
    assert (stored.data, stored.href) == (bytes_at(world, 2), "tea.ics")
    world.settle()
    assert story.titles() == ["Tea with Sam"]
    assert world.stored()["tea"].data == bytes_at(world, 2)
    newest = history.of_object(context_of(world), HERE, "tea")[0]
    assert (newest.who, newest.what) == ("command line", "restored")


def test_r35_any_version_comes_back_byte_for_byte_and_nothing_is_lost_by_it(world, story):
    restore(world)
    world.settle()
    done = restore(world, revision=1)
    assert (done.revision, done.changed) == (1, True)
    assert world.stored()["tea"].data == bytes_at(world, 1)
    world.settle()
    assert story.calendar.objects()[story.id_of("Tea")] == tea()
    restore(world)  # the version before the present one
    assert world.titles() == ["Tea with Sam"]
    assert [each.what for each in history.of_object(context_of(world), HERE, "tea")] == [
        "changed", "changed", "restored", "deleted", "changed", "created",
    ]  # fmt: skip


def test_the_present_version_is_not_written_again(world, story):
    restore(world)
    world.settle()
    writes, before = story.calendar.writes, world.stored()["tea"]
    assert restore(world, revision=2).changed is False
    assert world.stored()["tea"] == before
    world.settle()
    assert story.calendar.writes == writes


def test_a_href_that_somebody_took_meanwhile_is_left_alone(world):
    world.put("tea", tea())
    data = world.stored()["tea"].data
    world.delete("tea")
    with world.database.write() as conn:
        other = data.replace(b"UID:tea", b"UID:coffee")
        objects.put(conn, world.calendar, "tea.ics", other, actor=PERSON, now=world.clock())
    restore(world)
    stored = world.stored()
    assert (stored["tea"].data, stored["coffee"].data) == (data, other)
    assert stored["tea"].href != stored["coffee"].href == "tea.ics"


def test_it_comes_back_to_where_it_is_now(world):
    """Moved to another name by its client: there is one object of a UID."""
    world.put("tea", tea())
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    with world.database.write() as conn:
        moved = objects.get(conn, world.calendar, "tea.ics")
        objects.delete(conn, world.calendar, "tea.ics", actor=PERSON, now=world.clock())
        objects.put(conn, world.calendar, "new.ics", moved.data, actor=PERSON, now=world.clock())
    assert [each.what for each in history.of_object(context_of(world), HERE, "tea")] == [
        "changed",
        "changed",
        "created",
    ]
    restore(world, revision=1)
    assert {uid: each.href for uid, each in world.stored().items()} == {"tea": "new.ics"}
    assert world.titles() == ["Tea"]


def test_all_realtime_pairs_are_woken(world, story):
    with world.database.write() as conn:
        conn.execute(sa.update(tables.pairs).values(due_at=world.clock() + dt.timedelta(hours=1)))
    restore(world)
    assert world.state(story).due_at < world.clock()
    with world.database.read() as conn:
        newest = audit.of_principal(conn, world.principal)[0]
    assert (newest.action, newest.detail) == ("object.restored", {"calendar": world.calendar, "revision": 2})


def test_tasks_and_what_no_field_shows_are_told_too(world):
    task = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VTODO\r\nUID:buy\r\nDTSTAMP:20260101T000000Z\r\n"
        b"SUMMARY:Buy tea\\, milk\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
    )
    world.put("tea", tea())
    silent = world.stored()["tea"].data.replace(b"END:VEVENT", b"X-MOZ-MOOD:good\r\nEND:VEVENT")
    with world.database.write() as conn:
        objects.put(conn, world.calendar, "buy.ics", task, actor="cli", now=world.clock())
        objects.put(conn, world.calendar, "tea.ics", silent, actor="device:9", now=world.clock())
    with world.database.write() as conn:
        done = task.replace(b"SUMMARY", b"STATUS:COMPLETED\r\nSUMMARY")
        objects.put(conn, world.calendar, "buy.ics", done, actor="dav:alice", now=world.clock())
    assert told(history.of_calendar(context_of(world), HERE)) == [
        ("alice by CalDAV", "changed", ("status",), "Buy tea, milk"),
        ("command line", "created", (), "Buy tea, milk"),
        ("device 9", "changed", (), "Tea"),
        ("phone (device 1)", "created", (), "Tea"),
    ]


def test_one_occurrence_is_named_by_its_day(world):
    series = tea(rule="FREQ=DAILY;COUNT=5")
    world.put("tea", series)
    moved = retitled(at(tea(day=4), 11), "Late tea").master
    world.edit("tea", lambda fields: type(fields)(fields.master, fields.recurrence, {"20260304T080000Z": moved}))
    newest = history.of_object(context_of(world), HERE, "tea")[0]
    assert newest.fields == ("occurrence on 2026-03-04",)


def test_a_calendar_is_paged_and_no_transaction_is_cut(world):
    for number in range(5):
        world.put(f"single-{number}", tea(f"single {number}"))
    with world.database.write() as conn:
        for number in range(4):
            data = world_bytes(number)
            objects.put(conn, world.calendar, f"{number}.ics", data, actor="cli", now=world.clock())
    pages, before = [], None
    while page := history.of_calendar(context_of(world), HERE, before=before, limit=2):
        pages.append([each.revision for each in page])
        before = page[-1].revision
    assert pages == [[6, 6, 6, 6], [5, 4], [3, 2], [1]]


def world_bytes(number):
    from bridge.ical import edit

    return edit.compose(tea(), uid=f"bulk-{number}", now=BEGIN)


def test_since_cuts_off_what_is_older(world):
    world.put("old", tea())
    world.clock.pass_by(days=3)
    since = world.clock()
    world.put("new", tea())
    context = context_of(world)
    assert [each.uid for each in history.of_calendar(context, HERE, since=since)] == ["new"]
    assert history.of_object(context, HERE, "old", since=since) == []


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize(
    ("uid", "revision", "kind", "words"),
    [
        ("coffee", None, NotFound, "knows no 'coffee'"),
        ("tea", 7, NotFound, "no version of revision 7"),
        ("tea", 3, UsageError, "was deleted"),
        ("only", None, UsageError, "but the present one"),
    ],
)
def test_what_cannot_be_restored_is_told(world, uid, revision, kind, words):
    world.put("only", tea())
    before = world.stored()
    with pytest.raises(kind, match=words):
        restore(world, uid, revision=revision)
    assert world.stored() == before


def test_what_cannot_be_listed_is_told(world):
    context = context_of(world)
    with pytest.raises(NotFound, match="no calendar alice/work"):
        history.of_calendar(context, "alice/work")
    with pytest.raises(NotFound, match="history list alice/calendar"):
        history.of_object(context, HERE, "tea")
    with pytest.raises(UsageError):
        history.of_calendar(context, HERE, limit=0)


def test_an_override_for_all_later_instances_is_told_as_that():
    assert words.field(("20260309T080000Z+", "summary")) == "title from 2026-03-09 on"
    assert words.field(("20260309T080000Z", "summary")) == "title on 2026-03-09"


def test_what_clients_made_up_for_an_object_stays_with_what_is_restored(world):
    """And what was deleted comes back without: history has versions of the object, and no others (decision 0037)."""
    note = {"{urn:x}note": "x"}
    world.put("tea", tea())
    with world.database.write() as conn:
        href = objects.by_uid(conn, world.calendar, "tea").href
        object_properties.replace(conn, world.calendar, href, note)
    world.put("tea", retitled(tea(), "Coffee"))
    restore(world)
    with world.database.read() as conn:
        assert object_properties.of(conn, world.calendar, [href]) == {href: note}
    world.delete("tea")
    restore(world)
    with world.database.read() as conn:
        assert object_properties.of(conn, world.calendar, [href]) == {}
