"""Laws of the three-way merge (R35), and the groups that hold together (R10)."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.ical.fields import MASTER, Reminder, diff, patch
from bridge.ical.recurrence import normalize, occurs, regular
from bridge.sync.merge import Edited, merge, unite
from tests.support.worlds import at, retitled, tea

WEEKLY = "FREQ=WEEKLY;COUNT=6;BYDAY=MO"
KEYS = ["20260302T080000Z", "20260309T080000Z", "20260316T080000Z", "20260323T080000Z"]


def overridden(fields, key, **changed):
    event = replace(fields.master, when=regular(fields, key))
    return replace(
        fields, overrides={**fields.overrides, key: replace(event, **changed)}, cancelled=fields.cancelled - {key}
    )


def cancelled(fields, *keys):
    kept = {key: event for key, event in fields.overrides.items() if key not in keys}
    return replace(fields, overrides=kept, cancelled=fields.cancelled | set(keys))


def both(base, hub, remote, winner="hub"):
    """What the two sides are after the merge, and the merge."""
    merged = merge(Edited(base, hub), Edited(base, remote), winner=winner)
    return normalize(patch(hub, merged.to_hub)), normalize(patch(remote, merged.to_remote)), merged


TEXT = st.sampled_from(["", "one", "two"])
MASTERS = st.builds(
    lambda hour, summary, location, minutes, transp: replace(
        at(tea(summary), hour).master,
        location=location,
        transp=transp,
        reminders=tuple(Reminder(each) for each in sorted(minutes)),
    ),
    st.sampled_from([8, 9, 10]),
    TEXT,
    TEXT,
    st.sets(st.sampled_from([5, 10])),
    st.sampled_from(["OPAQUE", "TRANSPARENT"]),
)


@st.composite
def events(draw):
    fields = replace(tea(rule=WEEKLY), master=draw(MASTERS))
    if draw(st.booleans()):
        return replace(fields, recurrence=())
    if draw(st.booleans()):
        fields = replace(fields, recurrence=("RRULE:FREQ=WEEKLY;COUNT=3",))
    hour = fields.master.when.start.hour - 1
    keys = [f"202603{day:02}T{hour:02}0000Z" for day in (2, 9, 16)]
    for key in draw(st.sets(st.sampled_from(keys))):
        fields = overridden(fields, key, summary=draw(TEXT)) if draw(st.booleans()) else cancelled(fields, key)
    return normalize(fields)


@settings(max_examples=150, deadline=None)
@given(events(), events(), events(), st.sampled_from(["hub", "remote"]))
def test_r35_whatever_both_sides_do_they_end_up_equal_and_nothing_is_lost_unrecorded(base, hub, remote, winner):
    here, there, merged = both(base, hub, remote, winner)
    assert here == there
    given_way = {**merged.lost["hub"], **merged.lost["remote"]}
    for side in (hub, remote):
        for path, value in diff(base, side).items():
            if path[0] == MASTER:
                kept = here.recurrence if path[1] == "recurrence" else getattr(here.master, path[1])
                assert kept == value or path in given_way


@settings(max_examples=80, deadline=None)
@given(events(), events())
def test_a_change_on_one_side_alone_arrives_whole(base, new):
    here, there, merged = both(base, base, new)
    assert here == there == new
    assert not merged.to_remote
    assert not any(merged.lost.values())
    here, there, merged = both(base, new, base)
    assert here == there == new
    assert not merged.to_hub


@settings(max_examples=80, deadline=None)
@given(events(), events())
def test_the_same_change_on_both_sides_is_none_to_be_told(base, new):
    _, _, merged = both(base, new, new)
    assert not merged.to_hub
    assert not merged.to_remote
    assert not any(merged.lost.values())


@settings(max_examples=80, deadline=None)
@given(events(), events(), st.sampled_from(["hub", "remote"]))
def test_r16_uniting_two_that_never_agreed_makes_them_equal(hub, remote, winner):
    merged = unite(hub, remote, winner=winner)
    assert normalize(patch(hub, merged.to_hub)) == normalize(patch(remote, merged.to_remote))


def test_different_fields_merge():
    base = tea()
    here, there, merged = both(base, retitled(base, "Coffee"), at(base, 11))
    assert here == there == at(retitled(base, "Coffee"), 11)
    assert not any(merged.lost.values())


@pytest.mark.parametrize("winner", ["hub", "remote"])
def test_r35_the_same_field_goes_to_the_winner_and_the_other_value_is_handed_back(winner):
    base = tea()
    here, there, merged = both(base, retitled(base, "hub"), retitled(base, "remote"), winner)
    assert here == there == retitled(base, winner)
    assert merged.lost[winner] == {(MASTER, "summary"): "remote" if winner == "hub" else "hub"}


def test_instances_of_both_sides_merge():
    base = tea(rule=WEEKLY)
    here, there, merged = both(base, cancelled(base, KEYS[1]), overridden(base, KEYS[2], summary="Moved"))
    assert here == there
    assert here.cancelled == {KEYS[1]}
    assert here.overrides[KEYS[2]].summary == "Moved"
    assert not any(merged.lost.values())


def test_two_overrides_of_one_instance_merge_field_by_field():
    base = tea(rule=WEEKLY)
    here, there, merged = both(
        base, overridden(base, KEYS[1], summary="Renamed"), overridden(base, KEYS[1], location="Elsewhere")
    )
    assert here == there
    assert (here.overrides[KEYS[1]].summary, here.overrides[KEYS[1]].location) == ("Renamed", "Elsewhere")
    assert not any(merged.lost.values())


@pytest.mark.parametrize("winner", ["hub", "remote"])
def test_an_edited_instance_beats_its_cancellation_whoever_wins_else(winner):
    base = tea(rule=WEEKLY)
    here, there, merged = both(base, cancelled(base, KEYS[1]), overridden(base, KEYS[1], summary="Kept"), winner)
    assert here == there
    assert here.overrides[KEYS[1]].summary == "Kept"
    assert merged.lost["remote"] == {(KEYS[1], "state"): "cancelled"}


def test_r10_instances_survive_a_rule_that_still_has_them():
    base = tea(rule=WEEKLY)
    longer = replace(base, recurrence=("RRULE:FREQ=WEEKLY;COUNT=9;BYDAY=MO",))
    here, there, merged = both(base, longer, cancelled(base, KEYS[1]))
    assert here == there == cancelled(longer, KEYS[1])
    assert not any(merged.lost.values())


@pytest.mark.parametrize("winner", ["hub", "remote"])
def test_r10_instances_that_the_other_sides_rule_no_longer_has_make_a_clash_of_schedules(winner):
    base = tea(rule=WEEKLY)
    moved, edited = at(base, 14), cancelled(retitled(base, "Coffee"), KEYS[1])
    here, there, merged = both(base, moved, edited, winner)
    assert here == there
    assert here.master.summary == "Coffee"
    if winner == "hub":
        assert here.master.when == moved.master.when
        assert not here.cancelled
        assert merged.lost["hub"] == {(KEYS[1], "state"): "cancelled"}
    else:
        assert here.master.when == base.master.when
        assert here.cancelled == {KEYS[1]}
        assert merged.lost["remote"] == {(MASTER, "when"): moved.master.when}


def test_what_only_one_of_two_strangers_says_is_kept():
    hub = replace(tea(), master=replace(tea().master, location="Kitchen", description="ours"))
    remote = replace(tea(), master=replace(tea().master, url="https://example.org/", description="theirs"))
    merged = unite(hub, remote, winner="remote")
    united = patch(hub, merged.to_hub)
    assert (united.master.location, united.master.url) == ("Kitchen", "https://example.org/")
    assert united.master.description == "theirs"
    assert merged.lost["remote"] == {(MASTER, "description"): "ours"}


@pytest.mark.parametrize("mover", ["hub", "remote"])
def test_r11_a_series_moved_here_and_ended_there_keeps_its_last_occurrence(mover):
    base = tea(rule="FREQ=WEEKLY;COUNT=6")
    moved = at(base, 11)
    ended = replace(base, recurrence=("RRULE:FREQ=WEEKLY;UNTIL=20260316T080000Z",))
    hub, remote, merged = both(base, *((moved, ended) if mover == "hub" else (ended, moved)))
    assert hub == remote == replace(moved, recurrence=("RRULE:FREQ=WEEKLY;UNTIL=20260316T100000Z",))
    assert occurs(hub, "20260316T100000Z")
    assert not merged.conflicts("tea")
