"""The laws of reading and editing, on texts that other programs wrote (DESIGN §1): what no change names stays byte for byte."""

import datetime as dt

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bridge.ical import edit, normal, objects, recurrence, view
from bridge.ical.fields import diff, patch
from tests.laws import texts
from tests.laws.lines import RESCHEDULING, assert_only, told

NOW = dt.datetime(2026, 11, 21, 2, 30, tzinfo=dt.UTC)
LAWS = settings(max_examples=60, deadline=None)


def seen(data):
    return view.read(objects.parse(data))


@given(texts.calendar_objects(onward=True))
@LAWS
def test_no_change_changes_no_byte(written):
    assert objects.parse(written.data).to_bytes() == written.data == b"".join(line.raw for line in told(written.data))
    fields = seen(written.data)
    assert edit.apply(written.data, {}, now=NOW) == written.data
    assert edit.apply(written.data, diff(fields, fields), now=NOW) == written.data


@given(texts.calendar_objects(onward=True))
@LAWS
def test_r21_what_is_read_is_in_normal_form_and_that_is_one(written):
    fields = seen(written.data)
    assert normal.fields(fields) == fields
    once = recurrence.normalize(fields)
    assert recurrence.normalize(once) == once


@given(texts.calendar_objects(onward=True), st.data())
@LAWS
def test_an_edit_of_one_field_is_seen_and_writes_that_property_alone(written, data):
    before = seen(written.data)
    made = data.draw(texts.edits(before))
    wanted = normal.fields(made.upon(before))
    edited = edit.apply(written.data, diff(before, wanted), now=NOW)
    assert seen(edited) == wanted
    if wanted != before:
        assert_only(written.data, edited, made.field, where=None if made.key else "")
    assert edit.apply(edited, diff(seen(edited), wanted), now=NOW) == edited


@given(texts.calendar_objects(onward=True), st.data())
@LAWS
def test_edits_compose(written, data):
    before = seen(written.data)
    first = normal.fields(data.draw(texts.edits(before)).upon(before))
    second = normal.fields(data.draw(texts.edits(first)).upon(first))
    stepwise = edit.apply(edit.apply(written.data, diff(before, first), now=NOW), diff(first, second), now=NOW)
    at_once = edit.apply(written.data, diff(before, second), now=NOW)
    assert seen(stepwise) == seen(at_once) == normal.fields(patch(before, diff(before, second))) == second


SOME, OTHERS = (
    ("summary", "location", "transp", "classification", "when"),
    ("description", "status", "priority", "categories", "url", "attendees", "reminders"),
)


@given(texts.calendar_objects(onward=True), st.data())
@LAWS
def test_edits_of_two_fields_make_one_text_in_one_step_or_two(written, data):
    """But for SEQUENCE, which counts the steps, and where among its event's lines a new one stands."""
    before = seen(written.data)
    one = data.draw(texts.edits(before, SOME))
    first = normal.fields(one.upon(before))
    other = data.draw(texts.edits(first, OTHERS))
    assume(other.field != one.field)
    second = normal.fields(other.upon(first))
    stepwise = edit.apply(edit.apply(written.data, diff(before, first), now=NOW), diff(first, second), now=NOW)
    assert counted(stepwise) == counted(edit.apply(written.data, diff(before, second), now=NOW))


def counted(data):
    return sorted((line.where, line.text) for line in told(data) if line.name not in RESCHEDULING)
