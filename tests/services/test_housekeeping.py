"""What grows is cut where the settings say, and nothing before."""

import pytest
import sqlalchemy as sa

from bridge.errors import SyncTokenInvalid
from bridge.services import connecting, housekeeping
from bridge.store import audit, changes, history, login_failures, objects, tables
from tests.contracts import google_bench
from tests.support.house import EMAIL

DATA = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:%b\r\n"
    b"DTSTART:20260301T090000Z\r\nSUMMARY:Tea\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def put(house, uid, data=DATA):
    with house.context.database.write() as conn:
        objects.put(
            conn, house.calendar().id, f"{uid}.ics", data % uid.encode(), actor="device:1", now=house.context.now()
        )


def delete(house, uid):
    with house.context.database.write() as conn:
        objects.delete(conn, house.calendar().id, f"{uid}.ics", actor="device:1", now=house.context.now())


def count(house, table):
    return house.read(lambda conn: conn.scalar(sa.select(sa.func.count()).select_from(table)))


def versions(house, uid):
    return house.read(history.of_object, house.calendar().id, uid)


def test_nothing_young_goes(house):
    put(house, "a")
    delete(house, "a")
    connecting.begin(house.context, "alex", "google", sandbox=True)
    before = house.calendar()
    housekeeping.run(house.context)
    assert house.calendar() == before
    assert len(versions(house, "a")) == 2
    assert (count(house, tables.tombstones), count(house, tables.oauth_flows)) == (1, 1)


def test_old_tombstones_go_and_older_tokens_are_refused(house):
    put(house, "a")
    put(house, "b")
    token = house.calendar().revision
    delete(house, "a")
    house.pass_by(days=house.context.settings.sync.tombstone_days + 1)
    delete(house, "b")
    housekeeping.run(house.context)
    assert count(house, tables.tombstones) == 1
    with pytest.raises(SyncTokenInvalid):
        house.read(changes.since, house.calendar().id, token)
    (kept,) = house.read(changes.since, house.calendar().id, house.calendar().revision - 1)
    assert (kept.uid, kept.deleted) == ("b", True)


def test_old_versions_go_but_never_the_living_one(house):
    put(house, "a")
    put(house, "a", DATA.replace(b"Tea", b"Coffee"))
    house.pass_by(days=house.context.settings.sync.history_days + 1)
    housekeeping.run(house.context)
    assert [one.data for one in house.objects()] == [DATA.replace(b"Tea", b"Coffee") % b"a"]
    assert len(versions(house, "a")) <= 1
    put(house, "a", DATA)
    assert versions(house, "a")[0].data == DATA % b"a"


def test_the_audit_goes_with_the_history(house):
    account = house.connect().account
    house.pass_by(days=house.context.settings.sync.history_days - 1)
    housekeeping.run(house.context)
    assert len(house.read(audit.of_principal, account.principal_id)) == 1
    house.pass_by(days=2)
    housekeeping.run(house.context)
    assert house.read(audit.of_principal, account.principal_id) == []


def test_sign_ins_that_were_never_finished_go(house):
    url = connecting.begin(house.context, "alex", "google", sandbox=True)
    house.pass_by(seconds=connecting.FLOW_LIFETIME.total_seconds() - 1)
    housekeeping.run(house.context)
    assert connecting.finish(house.context, "google", google_bench.agree(url)).account.email == EMAIL
    connecting.begin(house.context, "alex", "google", sandbox=True)
    house.pass_by(seconds=connecting.FLOW_LIFETIME.total_seconds())
    housekeeping.run(house.context)
    assert count(house, tables.oauth_flows) == 0


def test_failed_logins_are_held_against_nobody_for_more_than_a_day(house):
    with house.context.database.write() as conn:
        login_failures.record(
            conn,
            login_failures.of_address("192.0.2.1"),
            now=house.context.now(),
            max_failures=3,
            block_seconds=300,
        )
    house.pass_by(hours=23)
    housekeeping.run(house.context)
    assert count(house, tables.login_failures) == 1
    house.pass_by(hours=2)
    housekeeping.run(house.context)
    assert count(house, tables.login_failures) == 0


def test_a_pair_goes_on_over_a_compacted_calendar(house):
    """Its cursor is under the floor: it reads everything again and writes nothing, and what was deleted goes there too."""
    pair_id = house.connect().pair_id
    house.sandbox.google.seed(EMAIL, 5)
    house.cycle(pair_id)
    gone = house.objects()[0]
    with house.context.database.write() as conn:
        objects.delete(conn, house.calendar().id, gone.href, actor="device:1", now=house.context.now())
    house.pass_by(days=house.context.settings.sync.tombstone_days + 1)
    put(house, "later")
    housekeeping.run(house.context)
    outcome = house.cycle(pair_id)
    assert (outcome.error, outcome.hub_writes, outcome.remote_writes) == (None, 0, 2)
    assert len(house.objects()) == 5
    assert house.quiet(pair_id)
