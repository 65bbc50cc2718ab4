"""When pairs are compared, and what else a comparison does to them (R42)."""

import datetime as dt
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bridge.services import consistency, syncing
from bridge.services.context import Context
from bridge.store import tables

DAY = dt.timedelta(days=1)
MIDNIGHT = dt.datetime(2026, 3, 20, tzinfo=dt.UTC)


def first_minute(pair_id, zone="UTC", *, last, start, every=DAY):
    """Minutes after ``start`` until the pair is due."""
    for minute in range(3 * 24 * 60):
        if consistency.is_due(pair_id, zone, last, now=start + dt.timedelta(minutes=minute), every=every):
            return minute
    raise AssertionError("never due")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Vienna", "Pacific/Kiritimati", "America/St_Johns", "nowhere", ""])
def test_a_pair_is_compared_in_its_own_night(zone):
    start = MIDNIGHT + dt.timedelta(hours=7)
    minute = first_minute(4, zone, last=MIDNIGHT - DAY / 2, start=start)
    known = zone if "/" in zone else "UTC"
    local = (start + dt.timedelta(minutes=minute)).astimezone(ZoneInfo(known))
    assert dt.time(1) <= local.time() < dt.time(5)


def test_the_pairs_of_a_server_are_spread_over_the_night():
    hours = Counter(first_minute(pair, last=MIDNIGHT - DAY, start=MIDNIGHT) // 60 for pair in range(1, 301))
    assert set(hours) == {1, 2, 3}
    assert max(hours.values()) < 150
    minutes = Counter(first_minute(pair, last=MIDNIGHT - DAY, start=MIDNIGHT) for pair in range(1, 301))
    assert max(minutes.values()) < 10


def test_once_a_night_and_every_night():
    start = last = MIDNIGHT
    for _ in range(5):
        at = start + dt.timedelta(minutes=first_minute(4, last=last - DAY if last == start else last, start=start))
        assert not consistency.is_due(4, "UTC", at, now=at + dt.timedelta(minutes=1), every=DAY)
        start, last = start + DAY, at
        assert at.date() == (start - DAY).date()


def test_a_machine_that_is_off_at_night_compares_by_day():
    noon = MIDNIGHT + dt.timedelta(hours=12)
    assert not consistency.is_due(4, "UTC", noon - DAY, now=noon, every=DAY)
    assert consistency.is_due(4, "UTC", noon - 2 * DAY, now=noon, every=DAY)


def test_who_asks_for_every_hour_gets_every_hour():
    hour = dt.timedelta(hours=1)
    assert first_minute(4, last=MIDNIGHT, start=MIDNIGHT, every=hour) == 60


def frequently(house, hours):
    held = house.context
    sync = held.settings.sync.model_copy(update={"audit_hours": hours})
    return Context(held.settings.model_copy(update={"sync": sync}), held.database, held.vault, held.providers, held.now)


@pytest.fixture
def pair(house):
    pair_id = house.connect().pair_id
    assert house.cycle(pair_id).error is None
    return pair_id


def test_a_pair_is_due_as_often_as_the_setting_says(house, pair):
    assert consistency.due(frequently(house, 1)) == []
    house.pass_by(hours=1)
    assert consistency.due(frequently(house, 1)) == [pair]
    assert consistency.due(frequently(house, 0)) == []


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("pairs", {"phase": "pairing"}),
        ("pairs", {"listing": True}),
        ("pairs", {"failures": 1}),
        ("pairs", {"parked": {"hub": 20, "remote": 0}}),
        ("accounts", {"needs_reconnect": True}),
        ("accounts", {"closed_until": dt.datetime(2999, 1, 1, tzinfo=dt.UTC)}),
    ],
)
def test_what_is_not_at_rest_or_may_not_be_asked_is_not_due(house, pair, table, values):
    house.pass_by(hours=1)
    assert consistency.due(frequently(house, 1)) == [pair]
    with house.context.database.write() as conn:
        conn.execute(sa.update(getattr(tables, table)).values(values))
    assert consistency.due(frequently(house, 1)) == []


def test_a_paused_account_is_not_asked_by_hand_either(house, pair):
    with house.context.database.write() as conn:
        until = house.context.now() + DAY
        conn.execute(sa.update(tables.accounts).values(closed_until=until, closed_reason="Google asks us to slow down"))
    asked = house.sandbox.google.meter.requests
    outcome = consistency.run(house.context, pair)
    assert outcome.divergences is None
    assert "Google asks us to slow down" in outcome.error
    assert house.sandbox.google.meter.requests == asked


def test_a_comparison_gives_the_lease_back_and_leaves_the_next_cycle_when_it_was(house, pair):
    before = house.pair(pair)
    assert consistency.run(house.context, pair).divergences == 0
    after = house.pair(pair)
    assert (after.lease_owner, after.due_at, after.audited_at) == (None, before.due_at, house.context.now())


def test_what_was_found_is_set_right_at_once(house, pair):
    house.add("google", "Tea")
    house.cycle(pair)
    with house.context.database.write() as conn:
        conn.execute(sa.delete(tables.links))
    assert consistency.run(house.context, pair).divergences == 1
    assert house.pair(pair).due_at <= house.context.now()
    assert syncing.claim_due(house.context, owner="w", limit=9) == [pair]
    assert syncing.run(house.context, pair, owner="w").error is None
    assert consistency.run(house.context, pair).divergences == 0
    assert house.pair(pair).divergences == 0


def test_r33_a_comparison_that_is_told_to_wait_has_the_whole_account_wait(house, pair):
    house.sandbox.faults.inject(path=r"^/google/calendar/v3/calendars/", status=429, headers={"Retry-After": "900"})
    assert consistency.run(house.context, pair).error == "the service asks us to slow down; the sync goes on by itself"
    account = house.account(1)
    assert account.closed_until is not None
    assert account.closed_until - house.context.now() >= dt.timedelta(seconds=900)


def test_r26_a_feed_is_not_compared_for_what_it_shows_no_more_may_have_left_its_window(house, pair):
    house.pass_by(hours=1)
    with house.context.database.write() as conn:
        conn.execute(sa.update(tables.accounts).values(provider="ics"))
    assert consistency.due(frequently(house, 1)) == []
    asked = house.sandbox.google.meter.requests
    outcome = consistency.run(house.context, pair)
    assert (outcome.divergences, "feed" in outcome.error) == (None, True)
    assert house.sandbox.google.meter.requests == asked
