"""The laws of view and edit, over generated objects and changes (DESIGN §1)."""

import datetime as dt
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.ical import edit, normal, objects, onward, recurrence, view
from bridge.ical.fields import MASTER, diff, patch
from tests.support import calendar_fields as some

LAWS = settings(max_examples=40, deadline=None)
YEARS = dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2029, 1, 1, tzinfo=dt.UTC)


def seen(data):
    return view.read(objects.parse(data))


def parts(change, chosen):
    """Some of a change: whole instances and single fields of the master, as a merge leaves them."""
    keys = sorted({path if path[0] == MASTER else path[:1] for path in change})
    kept = {key for key, wanted in zip(keys, chosen, strict=False) if wanted}
    return {path: value for path, value in change.items() if (path if path[0] == MASTER else path[:1]) in kept}


@given(some.objects())
@LAWS
def test_what_is_composed_reads_back(now, fields):
    data = edit.compose(fields, uid="u@example.org", now=now)
    assert seen(data) == fields
    assert objects.parse(data).to_bytes() == data
    assert objects.parse(data).uid == "u@example.org"
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))


@given(some.objects(), st.integers(0, 1 << 30))
@LAWS
def test_an_empty_change_returns_the_same_bytes_however_they_are_folded(now, refold, fields, seed):
    data = refold(edit.compose(fields, uid="ü,;\\", now=now), seed)
    obj = objects.parse(data)
    assert obj.to_bytes() == data
    assert seen(data) == fields
    assert edit.apply(data, {}, now=now) == data
    assert edit.apply(data, diff(fields, fields), now=now) == data


@given(some.objects(), some.objects(), st.lists(st.booleans(), min_size=30, max_size=30), st.integers(0, 1 << 30))
@LAWS
def test_a_view_holds_what_was_applied(now, refold, base, other, chosen, seed):
    data = refold(edit.compose(base, uid="u", now=now), seed)
    change = parts(diff(base, other), chosen)
    edited = edit.apply(data, change, now=now)
    assert seen(edited) == normal.fields(patch(base, change))
    assert edit.apply(edited, diff(seen(edited), seen(edited)), now=now) == edited


@given(some.objects(), some.objects(), some.objects())
@LAWS
def test_applies_compose(now, one, two, three):
    data = edit.compose(one, uid="u", now=now)
    at_two = edit.apply(data, diff(one, two), now=now)
    assert seen(at_two) == two
    stepwise = edit.apply(at_two, diff(two, three), now=now)
    assert seen(stepwise) == seen(edit.apply(data, diff(one, three), now=now)) == three


@given(some.objects(), some.events())
@LAWS
def test_applies_of_disjoint_fields_give_the_same_bytes_in_one_step_or_two(now, base, other):
    base = replace(base, master=replace(base.master, summary="s", description="d"))
    data = edit.compose(base, uid="u", now=now)
    texts = {(MASTER, "summary"): "x" + other.summary, (MASTER, "description"): "x" + other.description}
    stepwise = data
    for path, value in texts.items():
        stepwise = edit.apply(stepwise, {path: value}, now=now)
    assert stepwise == edit.apply(data, texts, now=now)


@given(some.objects(), some.texts, st.integers(0, 1 << 30))
@LAWS
def test_every_line_but_the_named_ones_stays(now, refold, base, summary, seed):
    data = refold(edit.compose(base, uid="u", now=now), seed)
    edited = edit.apply(data, {(MASTER, "summary"): summary}, now=now)
    before, after = (
        [line.raw for line in _lines(objects.parse(each)) if line.name not in ("SUMMARY", "DTSTAMP", "LAST-MODIFIED")]
        for each in (data, edited)
    )
    assert before == after


def _lines(obj):
    def walk(component):
        yield component.begin
        for child in component.children:
            if isinstance(child, objects.Component):
                yield from walk(child)
            else:
                yield child
        yield component.end

    return walk(obj.calendar)


@given(some.objects())
@LAWS
def test_r21_the_normal_form_is_one(now, fields):
    assert normal.fields(fields) == fields
    assert normal.fields(seen(edit.compose(fields, uid="u", now=now))) == fields


@given(some.objects(), some.objects())
@LAWS
def test_normalize_is_idempotent_and_changes_no_occurrence(one, two):
    strange = normal.fields(replace(one, overrides=dict(two.overrides), cancelled=one.cancelled | two.cancelled))
    once = recurrence.normalize(strange)
    assert recurrence.normalize(once) == once
    assert once.master == strange.master
    assert all(
        recurrence.occurs(strange, key) for key in once.overrides.keys() | once.cancelled if not onward.is_one(key)
    )
    assert occurrences(recurrence.normalize(one)) == occurrences(one)


def occurrences(fields):
    found = recurrence.instances(fields, *YEARS, floating=dt.UTC)
    return {each.key: each.fields for each in found}


@given(some.objects())
@LAWS
def test_x02_a_range_that_begins_with_the_next_instance_leaves_each_as_it_was(fields):
    before = occurrences(fields)
    for key in map(onward.anchor, filter(onward.is_one, fields.overrides)):
        apart = recurrence.onward_from_next(fields, key)
        assert onward.named(key) not in apart.overrides
        assert occurrences(apart) == before


@given(some.objects())
@LAWS
def test_x02_an_instance_without_an_override_is_what_it_inherits(fields):
    for key, event in occurrences(fields).items():
        if key not in fields.overrides:
            assert recurrence.inherited(fields, key) == event
