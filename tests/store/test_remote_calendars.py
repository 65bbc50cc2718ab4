"""What an account sees; and a listing that deletes no pair (R5)."""

import pytest

from bridge.store import calendars, remote_calendars
from bridge.sync.ports import RemoteCalendar

MAIN = RemoteCalendar(id="main", name="Alice", writable=True, primary=True, color="#aa0000", zone="Europe/Vienna")
WORK = RemoteCalendar(id="work", name="Work", writable=True, primary=False)
HOLIDAYS = RemoteCalendar(id="holidays", name="Holidays", writable=False, primary=False)


@pytest.fixture
def remember(database, account):
    def remember(*listed):
        with database.write() as conn:
            return remote_calendars.remember(conn, account.id, listed)

    return remember


def test_a_listing_is_remembered(database, account, remember):
    known = remember(WORK, MAIN, HOLIDAYS)
    assert [one.calendar for one in known] == [MAIN, HOLIDAYS, WORK]
    with database.read() as conn:
        assert remote_calendars.of_account(conn, account.id) == known
        assert [remote_calendars.by_id(conn, one.id) for one in known] == known
        assert remote_calendars.by_id(conn, 4711) is None
        assert remote_calendars.of_account(conn, 4711) == []


def test_a_new_listing_keeps_the_ids(remember):
    before = {one.calendar.id: one.id for one in remember(MAIN, WORK)}
    renamed = RemoteCalendar(id="work", name="Job", writable=False, primary=False)
    after = remember(MAIN, renamed, HOLIDAYS)
    assert [one.calendar for one in after] == [MAIN, HOLIDAYS, renamed]
    assert {one.calendar.id: one.id for one in after if one.calendar.id in before} == before


def test_what_is_missing_goes_unless_it_is_paired(database, calendar, remember, make_pair, account):
    remember(MAIN, WORK)
    make_pair(calendar)
    assert {one.calendar.id for one in remember(WORK)} == {"work", "remote 0"}
    with database.read() as conn:
        assert calendars.is_bridged(conn, calendar)
    assert {one.calendar.id for one in remember()} == {"remote 0"}
