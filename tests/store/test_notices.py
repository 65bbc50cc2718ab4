"""One open notice of a kind and subject; who takes one to send it has it for a while (R28)."""

import datetime as dt
import threading

import pytest
import sqlalchemy as sa

from bridge.store import notices, tables

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def raised(database, alice, t0):
    def raise_(subject="pair:1", kind="stale", *, at=t0, **detail):
        with database.write() as conn:
            notices.raise_(conn, kind, subject, principal_id=alice.id, detail=detail, now=at)

    return raise_


def held(database):
    with database.read() as conn:
        return notices.open_(conn)


def unsent(database, now):
    with database.write() as conn:
        return [each.subject for each in notices.unsent(conn, now=now)]


def test_raising_twice_is_raising_once_and_the_detail_is_of_today(database, raised, t0, alice):
    raised(minutes=70)
    raised(at=t0 + MINUTE, minutes=71)
    (one,) = held(database)
    assert (one.kind, one.subject, one.principal_id, one.raised_at) == ("stale", "pair:1", alice.id, t0)
    assert (one.detail, one.sent_at, one.cleared_at) == ({"minutes": 71}, None, None)


def test_another_kind_or_subject_is_another_notice(database, raised):
    raised()
    raised("pair:2")
    raised(kind="parked")
    assert {(each.kind, each.subject) for each in held(database)} == {
        ("stale", "pair:1"),
        ("stale", "pair:2"),
        ("parked", "pair:1"),
    }
    with database.read() as conn:
        assert notices.open_by_kind(conn) == {"parked": 1, "stale": 2}


def test_what_was_cleared_may_become_true_again(database, raised, t0):
    raised()
    with database.write() as conn:
        notices.clear(conn, "stale", "pair:1", now=t0 + MINUTE)
        notices.clear(conn, "stale", "pair:1", now=t0 + MINUTE)
        notices.clear(conn, "stale", "pair:9", now=t0 + MINUTE)
    assert held(database) == []
    raised(at=t0 + 2 * MINUTE)
    assert [each.raised_at for each in held(database)] == [t0 + 2 * MINUTE]
    with database.write() as conn:
        assert notices.prune(conn, t0 + 2 * MINUTE) == 1
    assert len(held(database)) == 1


def test_two_workers_raise_at_once(database, raised):
    threads = [threading.Thread(target=raised) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(held(database)) == 1


def test_who_takes_a_notice_has_it_until_it_is_sent_or_its_process_is_held_for_dead(database, raised, t0):
    raised()
    assert unsent(database, t0) == ["pair:1"]
    assert unsent(database, t0) == []
    assert unsent(database, t0 + notices.CLAIMED - MINUTE) == []
    assert unsent(database, t0 + notices.CLAIMED) == ["pair:1"]
    (one,) = held(database)
    with database.write() as conn:
        notices.sent(conn, one.id, now=t0)
    assert unsent(database, t0 + 9 * notices.CLAIMED) == []
    assert held(database)[0].sent_at == t0


def test_what_could_not_be_sent_waits_and_knows_who_was_told(database, raised, t0):
    raised(minutes=70)
    unsent(database, t0)
    (one,) = held(database)
    with database.write() as conn:
        notices.put_off(conn, one.id, told={"admin"}, until=t0 + 3 * MINUTE)
    raised(minutes=75)
    assert unsent(database, t0 + 2 * MINUTE) == []
    assert unsent(database, t0 + 3 * MINUTE) == ["pair:1"]
    (one,) = held(database)
    assert (one.told, one.tries, one.detail) == ({"admin"}, 1, {"minutes": 75})


def test_what_is_true_no_more_is_not_sent(database, raised, t0):
    raised()
    with database.write() as conn:
        notices.clear(conn, "stale", "pair:1", now=t0)
    assert unsent(database, t0) == []


def test_one_persons_notices_go_with_them(database, raised, alice):
    raised()
    with database.read() as conn:
        assert len(notices.open_(conn, alice.id)) == 1
        assert notices.open_(conn, alice.id + 1) == []
    with database.write() as conn:
        conn.execute(sa.delete(tables.principals).where(tables.principals.c.id == alice.id))
    assert held(database) == []
