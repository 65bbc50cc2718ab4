"""The audit trail: ids and counts, never contents."""

import datetime as dt

import pytest

from bridge.store import audit, principals

DAY = dt.timedelta(days=1)


def _record(database, now, **options):
    with database.write() as conn:
        audit.record(conn, "pair.synced", actor="pair:3", now=now, **options)


def test_records_read_back_newest_first(database, alice, t0):
    _record(database, t0, principal_id=alice.id, detail={"pair": 3, "created": 17, "provider": "google"})
    _record(database, t0 + DAY, principal_id=alice.id)
    _record(database, t0)
    with database.read() as conn:
        newest, oldest = audit.of_principal(conn, alice.id)
        assert audit.of_principal(conn, alice.id, limit=1) == [newest]
    assert (newest.at, newest.detail) == (t0 + DAY, {})
    assert (oldest.principal_id, oldest.actor, oldest.action) == (alice.id, "pair:3", "pair.synced")
    assert oldest.detail == {"pair": 3, "created": 17, "provider": "google"}


def test_text_of_a_calendar_is_refused(database, t0):
    for text in ("Dentist at nine", "x" * 65, "a\nb", "Zahnärztin"):
        with pytest.raises(ValueError, match="summary"):
            _record(database, t0, detail={"summary": text})


def test_a_record_outlives_the_person(database, alice, t0):
    _record(database, t0, principal_id=alice.id)
    with database.write() as conn:
        principals.delete(conn, alice.id)
        assert len(audit.of_principal(conn, alice.id)) == 1


def test_old_records_are_pruned(database, alice, t0):
    _record(database, t0, principal_id=alice.id)
    _record(database, t0 + DAY, principal_id=alice.id)
    with database.write() as conn:
        assert audit.prune(conn, t0 + DAY) == 1
        assert len(audit.of_principal(conn, alice.id)) == 1


def test_the_details_of_an_action_are_those_of_that_person(database, alice, t0):
    _record(database, t0, principal_id=alice.id, detail={"pair": 3, "cycle": 1})
    _record(database, t0 + DAY, principal_id=alice.id, detail={"pair": 3, "cycle": 2})
    _record(database, t0, detail={"pair": 9})
    with database.read() as conn:
        assert audit.details(conn, alice.id, "pair.synced") == [{"pair": 3, "cycle": 2}, {"pair": 3, "cycle": 1}]
        assert audit.details(conn, alice.id, "cycle.undone") == []
