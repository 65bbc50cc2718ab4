"""The store as Radicale sees it, on both databases: the part of its contract that any Radicale uses."""

import xml.etree.ElementTree as ET

import pytest
from radicale import config
from radicale.item import Item
from radicale.storage import ComponentNotFoundError

from bridge.errors import SyncTokenInvalid
from bridge.store import calendars, changes, object_properties, principals
from radicale_plugins.storage import Storage

PROPS = {"tag": "VCALENDAR", "D:displayname": "Work"}


@pytest.fixture
def database(database_url):
    from bridge.store.session import connect

    opened = connect(database_url)
    yield opened
    opened.close()


@pytest.fixture
def storage(database, clock):
    return Storage(config.load(), database=database, now=clock)


@pytest.fixture
def home(storage):
    with storage.acquire_lock("w", "alice"):
        storage.create_collection("/alice/")
    return storage


@pytest.fixture
def work(home):
    with home.acquire_lock("w", "alice"):
        collection, _, _ = home.create_collection("/alice/work/", props=PROPS)
    return collection


@pytest.fixture
def item(event):
    def make(uid, *lines):
        return Item(collection_path="alice/work", text=event(uid, *lines).decode(), uid=uid)

    return make


def at(storage, path, depth="0"):
    with storage.acquire_lock("r", "alice"):
        return list(storage.discover(path, depth))


def paths(found):
    return [getattr(each, "path", None) or getattr(each, "href", "") for each in found]


def test_homes_are_principals(home, database):
    with database.read() as conn:
        assert principals.by_name(conn, "alice").email == ""
    assert at(home, "/bob/") == []
    (alice,) = at(home, "/alice/")
    assert (alice.is_principal, alice.tag, alice.owner) == (True, "", "alice")
    with home.acquire_lock("w", "carol@example.org"):
        home.create_collection("/carol@example.org/")
        home.create_collection("/carol@example.org/")  # asked again, it does nothing
    with database.read() as conn:
        assert principals.by_name(conn, "carol@example.org").email == "carol@example.org"


def test_discover_goes_one_level_down(home, work, item):
    with home.acquire_lock("w", "alice"):
        work.upload("a.ics", item("a"))
    assert paths(at(home, "/", "1")) == ["", "alice"]
    assert paths(at(home, "/alice/", "1")) == ["alice", "alice/work"]
    assert paths(at(home, "/alice/work/", "1")) == ["alice/work", "a.ics"]
    assert paths(at(home, "/alice/work/a.ics", "1")) == ["a.ics"]
    for nothing in ("/alice/play/", "/alice/work/b.ics", "/alice/work/a.ics/x", "/bob/work/"):
        assert at(home, nothing) == []


def test_only_calendars_are_kept(home):
    for path, props in (
        ("/alice/book/", {"tag": "VADDRESSBOOK"}),
        ("/alice/folder/", None),
        ("/alice/folder/", {"D:displayname": "x"}),
        ("/alice/work/inner/", PROPS),
        ("/nobody/work/", PROPS),
        ("/", None),
    ):
        with pytest.raises(ValueError), home.acquire_lock("w", "alice"):
            home.create_collection(path, props=props)
    assert paths(at(home, "/alice/", "1")) == ["alice"]


def test_text_is_stored_as_it_is(home, work, item, event):
    with home.acquire_lock("w", "alice"):
        stored, old = work.upload("a.ics", item("a", "DTSTART:20260310T090000Z", "X-Y;VALUE=URI:geo:1,2"))
        assert old is None
        _, old = work.upload("a.ics", item("a", "DTSTART:20260311T090000Z"))
    assert old.etag == stored.etag
    (found,) = at(home, "/alice/work/a.ics")
    assert found.serialize() == event("a", "DTSTART:20260311T090000Z").decode()
    assert found.etag != stored.etag
    assert (found.uid, found.name, found.component_name) == ("a", "VCALENDAR", "VEVENT")
    assert found.last_modified == "Sun, 01 Mar 2026 12:00:00 GMT"
    assert work.has_uid("a")
    assert not work.has_uid("b")


def test_what_cannot_be_stored_is_a_value_error(home, work, item):
    with home.acquire_lock("w", "alice"):
        work.upload("a.ics", item("a"))
    for href, bad in (("b.ics", item("a")), ("c.ics", Item(collection_path="alice/work", text="x", uid="c"))):
        with pytest.raises(ValueError), home.acquire_lock("w", "alice"):
            work.upload(href, bad)


def test_get_multi_names_what_is_missing_and_gives_each_once(home, work, item):
    with home.acquire_lock("w", "alice"):
        work.upload("a.ics", item("a"))
    with home.acquire_lock("r", "alice"):
        found = list(work.get_multi(["a.ics", "gone.ics", "a.ics"]))
        first, second = (next(iter(work.get_multi(["a.ics"])))[1] for _ in range(2))
    assert [(href, each is not None) for href, each in found] == [("a.ics", True), ("gone.ics", False)]
    assert first is not second  # D-43


def test_sync_is_by_revision(home, work, item):
    token, _ = work.sync()
    with home.acquire_lock("w", "alice"):
        for uid in "abc":
            work.upload(f"{uid}.ics", item(uid))
    (now,) = at(home, "/alice/work/")
    everything = now.sync()
    assert sorted(everything[1]) == ["a.ics", "b.ics", "c.ics"]
    newer, changed = now.sync(token)
    assert sorted(changed) == ["a.ics", "b.ics", "c.ics"]
    assert newer == everything[0] != token
    with home.acquire_lock("w", "alice"):
        now.delete("b.ics")
    (later,) = at(home, "/alice/work/")
    assert list(later.sync(newer)[1]) == ["b.ics"]
    assert list(later.sync(later.sync()[0])[1]) == []
    assert len({work.etag, now.etag, later.etag}) == 2  # `now` looked again after its own deletion


def test_d31_only_a_bad_token_is_a_value_error(home, work, monkeypatch):
    """D-31: Radicale takes any ValueError for one, and the phone reads everything again."""
    for token in ("x", "http://radicale.org/ns/sync/999-0", work.sync()[0] + "1"):
        with pytest.raises(ValueError):
            work.sync(token)

    def broken(*_):
        raise KeyError("a bug")

    monkeypatch.setattr(changes, "page", broken)
    with pytest.raises(KeyError):
        work.sync(work.sync()[0])
    monkeypatch.setattr(changes, "page", lambda *_: (_ for _ in ()).throw(SyncTokenInvalid("compacted")))
    with pytest.raises(ValueError):
        work.sync(work.sync()[0])


def test_a_request_that_fails_changes_nothing(home, work, item):
    def fail():
        with home.acquire_lock("w", "alice"):
            work.upload("a.ics", item("a"))
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        fail()
    assert paths(at(home, "/alice/work/", "1")) == ["alice/work"]
    with pytest.raises(RuntimeError, match="acquire_lock"):
        work.upload("a.ics", item("a"))


def test_meta(home, work):
    assert work.get_meta() == PROPS
    assert work.get_meta("D:displayname") == "Work"
    assert work.get_meta("D:nothing") is None
    before = work.etag
    with home.acquire_lock("w", "alice"):
        work.set_meta({**PROPS, "ICAL:calendar-color": "#ff0000"})
    (again,) = at(home, "/alice/work/")
    assert again.get_meta("ICAL:calendar-color") == "#ff0000"
    assert again.etag != before
    for tag in ("", "VADDRESSBOOK"):
        with pytest.raises(ValueError), home.acquire_lock("w", "alice"):
            work.set_meta({"tag": tag})  # D-06


def test_what_radicale_cannot_show_it_does_not_get(home, work, database, clock):
    """Our own application keeps structured properties as XML; plain Radicale knows text alone."""
    with database.write() as conn:
        properties = {**PROPS, "C:schedule-calendar-transp": {"xml": "<x/>"}}
        calendars.set_properties(conn, work.calendar.id, properties, actor="cli", now=clock())
    (again,) = at(home, "/alice/work/")
    assert again.get_meta() == PROPS
    assert again.get_meta("C:schedule-calendar-transp") is None
    with home.acquire_lock("w", "alice"):
        again.set_meta({**PROPS, "D:displayname": "Play"})
    with database.read() as conn:
        kept = calendars.get(conn, "alice", "work").properties
    assert kept == {**properties, "D:displayname": "Play"}


def test_move(home, work, item, event):
    with home.acquire_lock("w", "alice"):
        other, _, _ = home.create_collection("/alice/other/", props=PROPS)
        work.upload("a.ics", item("a"))
    (found,) = at(home, "/alice/work/a.ics")
    with home.acquire_lock("w", "alice"):
        home.move(found, other, "b.ics")
    (moved,) = at(home, "/alice/other/b.ics")
    assert moved.serialize() == event("a").decode()
    with home.acquire_lock("w", "alice"):
        home.move(moved, other, "c.ics")
    assert paths(at(home, "/alice/other/", "1")) == ["alice/other", "c.ics"]
    assert paths(at(home, "/alice/work/", "1")) == ["alice/work"]


def test_a_move_takes_along_what_clients_made_up(database, home, work, item):
    note = {"{urn:x}note": "x"}
    with home.acquire_lock("w", "alice"):
        work.upload("a.ics", item("a"))
        object_properties.replace(home.writing, work.calendar.id, "a.ics", note)
    (found,) = at(home, "/alice/work/a.ics")
    with home.acquire_lock("w", "alice"):
        home.move(found, work, "b.ics")
    with database.read() as conn:
        assert object_properties.of(conn, work.calendar.id, ["a.ics", "b.ics"]) == {"b.ics": note}


def test_delete(home, work, item):
    with home.acquire_lock("w", "alice"):
        work.upload("a.ics", item("a"))
    with home.acquire_lock("w", "alice"):
        work.delete("a.ics")
    with pytest.raises(ComponentNotFoundError), home.acquire_lock("w", "alice"):
        work.delete("a.ics")
    with home.acquire_lock("w", "alice"):
        work.delete()
    assert paths(at(home, "/alice/", "1")) == ["alice"]
    (alice,) = at(home, "/alice/")
    with pytest.raises(PermissionError), home.acquire_lock("w", "alice"):
        alice.delete()


def test_a_whole_calendar_is_replaced_object_by_object(home, work, item):
    """So that phones with an old token learn what went."""
    with home.acquire_lock("w", "alice"):
        for uid in "ab":
            work.upload(f"{uid}.ics", item(uid))
    (before,) = at(home, "/alice/work/")
    with home.acquire_lock("w", "alice"):
        items = [item("b", "DTSTART:20260311T090000Z"), item("c"), item("weird/uid")]
        _, replaced, added = home.create_collection(
            "/alice/work/", items=items, props={**PROPS, "D:displayname": "New"}
        )
    assert list(replaced) == ["b.ics"]
    assert "c.ics" in added
    (after,) = at(home, "/alice/work/")
    assert after.get_meta("D:displayname") == "New"
    assert set(after.sync(before.sync()[0])[1]) == {"a.ics", "b.ics", *added}
    assert not after.has_uid("a")
    assert after.has_uid("weird/uid")


def test_bridged_calendars_are_neither_replaced_nor_deleted(home, work, item, bridged):
    with home.acquire_lock("w", "alice"):
        work.upload("a.ics", item("a"))
    bridged("work")
    with pytest.raises(PermissionError), home.acquire_lock("w", "alice"):
        home.create_collection("/alice/work/", items=[], props=PROPS)
    with pytest.raises(PermissionError), home.acquire_lock("w", "alice"):
        work.delete()
    assert paths(at(home, "/alice/work/", "1")) == ["alice/work", "a.ics"]


def test_filters_are_answered_for_good(home, work, item):
    """``True`` tells Radicale not to look again with vobject (D-40)."""
    with home.acquire_lock("w", "alice"):
        work.upload("a.ics", item("a"))
        work.upload("b.ics", item("b", "DTSTART:20260106T090000Z", "DTEND:20260106T100000Z", "RRULE:FREQ=WEEKLY"))
    element = ET.fromstring(
        '<filter xmlns="urn:ietf:params:xml:ns:caldav"><comp-filter name="VCALENDAR"><comp-filter name="VEVENT">'
        '<time-range start="20260310T000000Z" end="20260310T093000Z"/></comp-filter></comp-filter></filter>'
    )
    with home.acquire_lock("r", "alice"):
        found = [(each.href, matched) for each, matched in work.get_filtered([element])]
    assert found == [("a.ics", True), ("b.ics", True)]


def test_serialize_is_one_calendar(home, work, item):
    with home.acquire_lock("w", "alice"):
        for uid in "ab":
            work.upload(f"{uid}.ics", item(uid))
    text = work.serialize()  # after the lock, as Radicale does for getcontentlength
    assert text.count("BEGIN:VEVENT") == 2
    assert "X-WR-CALNAME:Work\r\n" in text


def test_verify_reads_everything_back(home, work, item, database):
    import sqlalchemy as sa

    from bridge.store import tables

    with home.acquire_lock("w", "alice"):
        work.upload("a.ics", item("a"))
    assert home.verify()
    with database.write() as conn:
        conn.execute(sa.update(tables.objects).values(data=b"BEGIN:VCALENDAR\r\n"))
    assert not home.verify()
