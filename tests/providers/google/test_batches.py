"""Many insertions in one multipart request (G-06, G-95, G-99, G-100): what only Google does."""

import datetime as dt
from dataclasses import replace

import pytest

from bridge.errors import DuplicateKey, NeedsReconnect, Throttled, Unreachable
from bridge.ical.fields import EventFields, ObjectFields, When
from bridge.providers.google.api import BATCH
from bridge.sync.ports import New
from tests.providers.google.test_remote_elsewhere import remote
from tests.support.elsewhere import Elsewhere

START = dt.datetime.fromisoformat("2026-03-16 09:00")
INSERT = r"^/google/calendar/v3/calendars/[^/]+/events\?"
BATCHES = "^/google/batch/"


def single(title):
    return ObjectFields(EventFields(When(START, START + dt.timedelta(hours=1), "Europe/Vienna"), title))


def several(count=5):
    return [New(single(f"Grüße {number}"), f"{number:032}", f"{number}@hub") for number in range(count)]


def read(bench, outcomes):
    return [bench.remote.lens.read(outcome).fields.master.summary for outcome in outcomes]


def error(reason):
    return {"error": {"code": 0, "errors": [{"domain": "global", "reason": reason, "message": "x"}]}}


def test_g99_g100_a_batch_counts_by_its_parts_and_is_one_request(bench):
    assert bench.remote.batch_size == BATCH == 50
    bench.service.meter.reset()
    assert read(bench, bench.remote.create_many(several(50))) == [f"Grüße {number}" for number in range(50)]
    assert bench.service.meter.requests == bench.service.meter.writes == 50
    assert bench.mails() == 0


def test_a_series_without_its_cancelled_occurrences_is_one_insertion(bench):
    start = When(START, START + dt.timedelta(hours=1), "Europe/Vienna")
    series = ObjectFields(
        EventFields(start, "Stand-up"), ("RRULE:FREQ=DAILY;COUNT=5",), cancelled=frozenset({"20260317T080000Z"})
    )
    changed = replace(series, overrides={"20260318T080000Z": EventFields(start, "Other")})
    bench.service.meter.reset()
    whole, left = bench.remote.create_many([New(series, "a" * 32, "a"), New(changed, "b" * 32, "b")])
    assert bench.remote.lens.read(whole).fields == bench.remote.lens.view(series)
    assert left is None  # ``create`` needs its instances' ids, so it is one insertion and more in any case
    assert bench.service.meter.requests == 1


def test_g12_g90_a_token_that_has_ended_is_renewed_once(bench):
    bench.service.expire_tokens()
    bench.service.meter.reset()
    assert read(bench, bench.remote.create_many(several())) == [f"Grüße {number}" for number in range(5)]
    assert [each.status for each in bench.service.meter.refusals] == [401] * 5


def test_g90_a_token_that_ends_between_two_parts_is_renewed_for_the_rest(bench, sandbox):
    sandbox.faults.inject(method="POST", path=INSERT, times=2, delay=0.001)
    sandbox.faults.inject(method="POST", path=INSERT, times=2, status=401, body=error("authError"))
    outcomes = bench.remote.create_many(several())
    assert read(bench, outcomes) == [f"Grüße {number}" for number in range(5)]
    assert len(bench.titles()) == 5


def test_g09_a_dead_grant_means_the_person_and_nothing_was_done(bench):
    bench.service.kill_grants()
    with pytest.raises(NeedsReconnect):
        bench.remote.create_many(several())
    assert bench.titles() == []


def test_r12_a_grant_that_dies_between_two_parts_leaves_them_unknown(bench, sandbox):
    """Two are there: that nothing was done would be a lie."""
    sandbox.faults.inject(method="POST", path=INSERT, times=2, delay=0.001)
    sandbox.faults.inject(method="POST", path=INSERT, times=3, status=401, body=error("authError"))
    dead = {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
    sandbox.faults.inject(method="POST", path="^/google/token", status=400, body=dead)
    with pytest.raises(Unreachable):
        bench.remote.create_many(several())
    assert len(bench.titles()) == 2


def test_r12_a_second_sending_that_is_refused_does_not_undo_the_first(bench, sandbox):
    sandbox.faults.inject(method="POST", path=BATCHES, delay=0.001)
    sandbox.faults.inject(method="POST", path=BATCHES, status=429, body=error("rateLimitExceeded"))
    sandbox.faults.inject(method="POST", path=INSERT, times=1, status=401, body=error("authError"))
    with pytest.raises(Unreachable) as caught:
        bench.remote.create_many(several())
    assert not isinstance(caught.value, Throttled)
    assert len(bench.titles()) == 4


def test_g92_a_spent_quota_in_a_part_means_an_hour(bench, sandbox):
    sandbox.faults.inject(method="POST", path=INSERT, status=403, body=error("quotaExceeded"))
    first, *others = bench.remote.create_many(several())
    assert isinstance(first, Throttled)
    assert first.retry_after == 3600
    assert len(read(bench, others)) == 4


@pytest.mark.parametrize("reason", ["conflict", "duplicate"])
def test_g95_a_part_in_conflict_is_tried_singly(bench, sandbox, reason):
    sandbox.faults.inject(method="POST", path=INSERT, status=409, body=error(reason))
    first, *others = bench.remote.create_many(several())
    assert isinstance(first, DuplicateKey)
    assert len(read(bench, others)) == 4


@pytest.mark.parametrize("status", [400, 404, 405, 413, 501])
def test_a_service_without_batches_gets_them_singly(status):
    with Elsewhere(lambda asked: (status, None)) as service:
        assert remote(service).create_many(several()) == [None] * 5
        assert [each.path for each in service.asked] == ["/batch/calendar/v3"]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"--b--", b"--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n"]
)
@pytest.mark.parametrize("kind", ["text/html", "multipart/mixed; boundary=b"])
def test_r7_an_answer_that_is_no_batch_tells_nothing(bench, sandbox, body, kind):
    sandbox.faults.inject(
        method="POST", path=BATCHES, phase="after", status=200, body=body, headers={"Content-Type": kind}
    )
    with pytest.raises(Unreachable):
        bench.remote.create_many(several())
    assert len(bench.titles()) == 5
