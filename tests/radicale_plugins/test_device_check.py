"""What a device has fetched, as its requests tell; and the event that goes there and back."""

import datetime as dt

import pytest
from sqlalchemy.exc import OperationalError

from bridge.services import device_check, devices
from bridge.services.device_check import Standing
from bridge.store import device_tests, fetches, objects
from tests.radicale_plugins.conftest import Dav

CALENDAR = "/alice/calendar/"
A = CALENDAR + "a.ics"
SYNC = (
    "<D:sync-collection><D:sync-token>{}</D:sync-token><D:sync-level>1</D:sync-level>"
    "<D:prop><D:getetag/></D:prop></D:sync-collection>"
)
QUERY = (
    "<C:calendar-query><D:prop><D:getetag/></D:prop>"
    '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/></C:comp-filter></C:filter></C:calendar-query>'
)


@pytest.fixture
def check(database):
    """How the phone stands to the calendar."""

    def look(label="Phone"):
        with database.read() as conn:
            device = device_check.named(conn, "alice", label)
            (found,) = [each for each in device_check.progress(conn, device) if each.calendar.slug == "calendar"]
        return found

    return look


@pytest.fixture
def elsewhere(database, clock, event):
    """Somebody else writes."""

    def write(href, *lines):
        with database.write() as conn:
            objects.put(conn, 1, href, event(href, *lines), actor="pair:1", now=clock())

    return write


def _sync(dav, token=""):
    return dav.report(CALENDAR, SYNC.format(token)).root.findtext("{DAV:}sync-token")


def _list(dav):
    dav.props(CALENDAR, "D:getetag", depth="1")


def _get(dav):
    assert dav.get(CALENDAR).status_code == 200


def _query(dav):
    dav.report(CALENDAR, QUERY)


@pytest.mark.parametrize("fetch", [_sync, _list, _get, _query])
def test_who_takes_what_is_new_is_up_to_date_until_somebody_else_changes_something(dav, check, elsewhere, clock, fetch):
    assert check().standing is Standing.NEVER
    elsewhere("a.ics")
    fetch(dav)
    assert (check().standing, check().fetched_at) == (Standing.UP_TO_DATE, clock())
    clock.move(hours=1)
    changed_at = clock()
    elsewhere("b.ics")
    clock.move(hours=1)
    elsewhere("c.ics")
    elsewhere("c.ics", "DTSTART:20260310T090000Z", "SUMMARY:Coffee")
    assert (check().standing, check().behind, check().since) == (Standing.BEHIND, 2, changed_at)
    fetch(dav)
    assert (check().standing, check().behind, check().since) == (Standing.UP_TO_DATE, 0, None)


def test_to_be_told_that_there_is_news_is_not_to_have_it(dav, check, elsewhere, clock):
    _sync(dav)
    elsewhere("a.ics")
    clock.move(hours=1)
    for path, depth in ((CALENDAR, "0"), ("/alice/", "1")):
        dav.props(path, "CS:getctag", depth=depth)
        assert (check().standing, check().behind) == (Standing.BEHIND, 1)
    assert check().asked_at == clock()
    dav.props("/alice/", "D:displayname", depth="1")


def test_a_device_knows_what_it_wrote_itself(dav, check, event):
    _sync(dav)
    assert dav.put(A, event("a")).status_code == 201
    assert check().standing is Standing.UP_TO_DATE
    assert dav.request("DELETE", A).status_code == 204
    assert check().standing is Standing.UP_TO_DATE


def test_polls_without_news_write_next_to_nothing(dav, check, clock, monkeypatch):
    written = []
    asked = fetches.asked
    monkeypatch.setattr(fetches, "asked", lambda *args, **kwargs: written.append(args) or asked(*args, **kwargs))
    _sync(dav)
    for _ in range(30):
        clock.move(minutes=1)
        dav.props(CALENDAR, "CS:getctag")
    assert len(written) == 2
    assert clock() - check().asked_at < dt.timedelta(minutes=15)


def test_another_device_of_the_same_person_stands_for_itself(base, dav, check, elsewhere, database, clock):
    devices.add(database, "alice", "Tablet", now=clock())
    elsewhere("a.ics")
    _sync(dav)
    assert check("Phone").standing is Standing.UP_TO_DATE
    assert check("Tablet").standing is Standing.NEVER
    name, password = "alice", devices.add(database, "alice", "Watch", now=clock()).password
    with Dav(base_url=base, auth=(name, password)) as watch:
        _list(watch)
    assert check("Watch").standing is Standing.UP_TO_DATE


def test_a_device_that_comes_in_anew_has_fetched_nothing(dav, check, database, clock):
    _sync(dav)
    devices.revoke(database, "alice", "Phone", now=clock())
    devices.add(database, "alice", "Phone", now=clock())
    assert check().standing is Standing.NEVER


@pytest.fixture
def trip(database):
    """How far the phone's test event has come."""

    def look():
        with database.read() as conn:
            return device_check.round_trip(conn, device_check.named(conn, "alice", "Phone"))

    return look


@pytest.mark.parametrize("answer", ["DELETE", "PUT"])
def test_a_test_event_goes_there_and_back(dav, database, trip, clock, answer):
    assert trip() is None
    device_check.try_out(database, "alice", "Phone", now=clock())
    made = clock()
    assert (trip().made_at, trip().fetched_at, trip().returned_at) == (made, None, None)
    with database.read() as conn:
        path = CALENDAR + device_tests.of_device(conn, 1).href
    clock.move(seconds=4)
    _sync(dav)
    assert trip().fetched_at is None
    body = f"<C:calendar-multiget><D:prop><C:calendar-data/></D:prop><D:href>{path}</D:href></C:calendar-multiget>"
    assert "Calendar test for Phone" in dav.report(CALENDAR, body).root[0].findtext(".//{*}calendar-data")
    fetched = clock()
    clock.move(minutes=1)
    assert (trip().fetched_at, trip().returned_at) == (fetched, None)
    data = dav.get(path).content
    if answer == "DELETE":
        assert dav.request("DELETE", path).status_code == 204
    else:
        assert dav.put(path, data.replace(b"Calendar test", b"Seen")).status_code == 204
    assert (trip().fetched_at, trip().returned_at) == (fetched, clock())


def test_a_test_event_goes_by_itself(dav, database, trip, clock):
    device_check.try_out(database, "alice", "Phone", now=clock())
    device_check.try_out(database, "alice", "Phone", now=clock())
    _list(dav)
    assert len(dav.props(CALENDAR, "D:getetag", depth="1").hrefs) == 2
    clock.move(hours=25)
    with database.write() as conn:
        assert device_check.tidy(conn, now=clock()) == 1
    assert trip() is None
    assert dav.props(CALENDAR, "D:getetag", depth="1").hrefs == [CALENDAR]


def test_what_cannot_be_written_down_keeps_nobody_waiting(dav, monkeypatch):
    def busy(*_, **__):
        raise OperationalError("", {}, Exception("database is locked"))

    monkeypatch.setattr(fetches, "fetched", busy)
    assert _sync(dav)
