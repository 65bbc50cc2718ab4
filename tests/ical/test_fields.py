# ruff: noqa: DTZ001 - wall-clock times are naive here
"""Differences of neutral fields: the laws that the sync stands on (DESIGN §1)."""

import datetime as dt
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings

from bridge.ical.fields import (
    EventFields,
    ObjectFields,
    When,
    change_from_json,
    change_to_json,
    diff,
    from_json,
    patch,
    state,
    to_json,
)
from tests.support import calendar_fields as some

BERLIN = When(dt.datetime(2026, 3, 29, 9), dt.datetime(2026, 3, 29, 10), "Europe/Berlin")
SERIES = ObjectFields(EventFields(BERLIN, summary="a"), ("RRULE:FREQ=DAILY",))
KEY = "20260330T070000Z"


@given(some.objects(), some.objects())
@settings(max_examples=40, deadline=None)
def test_a_difference_patched_onto_its_base_gives_the_new_state(base, new):
    assert patch(base, diff(base, new)) == new
    assert diff(base, base) == {}
    assert (diff(base, new) == {}) == (base == new)


@given(some.objects(), some.objects())
@settings(max_examples=40, deadline=None)
def test_json_round_trip(base, new):
    assert from_json(json.loads(json.dumps(to_json(base)))) == base
    change = diff(base, new)
    assert change_from_json(json.loads(json.dumps(change_to_json(change)))) == change


def test_an_instance_that_becomes_an_override_carries_all_its_fields():
    new = replace(SERIES, overrides={KEY: replace(SERIES.master, summary="b")})
    change = diff(SERIES, new)
    assert change[KEY, "state"] == "override"
    assert {name for key, name in change if key == KEY} == {"state", *EventFields.__dataclass_fields__}


def test_an_instance_that_stays_an_override_carries_only_what_differs():
    one = replace(SERIES, overrides={KEY: replace(SERIES.master, summary="b")})
    two = replace(SERIES, overrides={KEY: replace(SERIES.master, summary="c")})
    assert diff(one, two) == {(KEY, "summary"): "c"}


def test_states_follow_each_other():
    cancelled = replace(SERIES, cancelled=frozenset({KEY}))
    assert diff(SERIES, cancelled) == {(KEY, "state"): "cancelled"}
    assert diff(cancelled, SERIES) == {(KEY, "state"): "regular"}
    assert state(cancelled, KEY) == "cancelled"
    assert state(SERIES, KEY) == "regular"


def test_single_fields_of_an_instance_that_is_no_override_are_refused():
    with pytest.raises(ValueError, match="no override"):
        patch(SERIES, {(KEY, "summary"): "b"})
    with pytest.raises(ValueError, match="without"):
        patch(SERIES, {(KEY, "state"): "override", (KEY, "summary"): "b"})


def test_defaults_take_no_room_in_json():
    assert to_json(ObjectFields(EventFields(BERLIN)))["master"] == {
        "when": {"start": "2026-03-29T09:00:00", "end": "2026-03-29T10:00:00", "zone": "Europe/Berlin"}
    }
