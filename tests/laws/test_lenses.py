"""The laws of each provider's lens (DESIGN §1, ``ports.Lens``), on texts that other programs wrote and on ``tests/data``.

What a service makes of what it is told is in ``test_services.py``; here the lens alone, with the laying of its changes upon the
hub's text.
"""

import datetime as dt
from collections import Counter
from dataclasses import fields
from itertools import cycle

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bridge.errors import Unmappable
from bridge.ical import normal, objects, readable, view
from bridge.ical.fields import EventFields, ObjectFields, diff, from_json, to_json
from bridge.providers.caldav import mapping as caldav
from bridge.providers.caldav.mapping import CaldavLens
from bridge.providers.google.mapping import GoogleLens
from bridge.providers.graph.mapping import GraphLens
from bridge.providers.ics import following, reading
from bridge.providers.ics.mapping import IcsLens
from bridge.sync import laying
from tests.laws import texts
from tests.laws.lines import assert_only
from tests.support.corpus import ACCEPTED

NOW = dt.datetime(2026, 11, 21, 2, 30, tzinfo=dt.UTC)
LENSES = {
    "google": GoogleLens("Europe/Vienna"),
    "graph": GraphLens("Europe/Vienna"),
    "caldav": CaldavLens(),
    "ics": IcsLens(),
}
LAWS = settings(max_examples=60, deadline=None)
TOGETHER = {"transp", "show_as"}
"""Said by one property there (X-19)."""

every_lens = pytest.mark.parametrize("lens", LENSES.values(), ids=LENSES.keys())


def fields_of(data):
    return view.read(objects.parse(data))


def viewed(lens, fields):
    """None where there is no faithful copy; that such an object is left alone is the services' story."""
    try:
        return lens.view(fields)
    except (Unmappable, OverflowError):
        return None


def corpus():
    for name, data in ACCEPTED.items():
        try:
            yield name, data, fields_of(data)
        except Unmappable:
            continue


CORPUS = list(corpus())


@every_lens
@given(written=texts.calendar_objects(onward=True))
@LAWS
def test_r21_what_is_seen_is_in_normal_form(lens, written):
    seen = viewed(lens, fields_of(written.data))
    assert seen is None or lens.view(seen) == seen


def caldav_items(data):
    text = data.decode("utf-8", "ignore")  # no XML carries half a character
    assume(text.encode() == data)
    return LENSES["caldav"], [caldav.item("/a/b.ics", '"1"', text)]


def ics_items(data):
    (found,) = reading.read(data).objects.values()
    return LENSES["ics"], [following.item(found)]


@pytest.mark.parametrize("told", [caldav_items, ics_items])
@given(written=texts.calendar_objects(onward=True))
@LAWS
def test_r20_what_is_read_is_in_normal_form(told, written):
    lens, items = told(written.data)
    found = lens.read(items).fields
    assert lens.view(found) == found
    assert found == lens.view(fields_of(written.data))


@every_lens
@given(written=texts.calendar_objects(onward=True))
@LAWS
def test_no_change_there_changes_no_byte_here(lens, written):
    seen = viewed(lens, fields_of(written.data))
    assume(seen is not None)
    assert laying.edited(written.data, diff(seen, lens.view(seen)), lens, now=NOW) == written.data


def after(lens, seen, made):
    """What the other side is with this edit; None if it does not hold it, or would have to say more with it."""
    there = viewed(lens, normal.fields(made.upon(seen)))
    if there is None or there == seen or (made.key and made.key not in there.overrides):
        return None
    now = there.overrides[made.key] if made.key else there.master
    if made.field == "geo" and not now.geo and lens is LENSES["graph"]:
        return None  # without another place that is no word of its owner's
    was = made.event(seen)
    named = {each.name for each in fields(EventFields) if getattr(now, each.name) != getattr(was, each.name)}
    elsewhere = {key for key, _ in diff(seen, there)} - {made.key}
    return None if elsewhere or named - {made.field} - (TOGETHER if made.field in TOGETHER else set()) else there


def assert_laid(lens, data, seen, made, there):
    edited = laying.edited(data, diff(seen, there), lens, now=NOW)
    assert lens.view(fields_of(edited)) == there
    assert_only(data, edited, made.field, where=None if made.key else "")


@every_lens
@given(written=texts.calendar_objects(onward=True), data=st.data())
@LAWS
def test_one_field_edited_there_changes_that_property_alone_here(lens, written, data):
    whole = fields_of(written.data)
    seen = viewed(lens, whole)
    assume(seen is not None)
    assume(not whole.master.attendees or not isinstance(lens, IcsLens))  # what is here of a feed has no guests (R1)
    made = data.draw(texts.edits(seen))
    # what an exception says that this lens does not hold hides it there, and it goes on saying what the series has said
    assume(made.key or len(seen.overrides) == len(whole.overrides))
    there = after(lens, seen, made)
    assume(there is not None)
    assert_laid(lens, written.data, seen, made, there)


def occurring(seen):
    try:
        return texts.keys(seen)[:2]
    except Unmappable:
        return [""]  # its rule cannot be followed


@every_lens
def test_and_so_it_does_in_every_object_of_the_corpus(lens):
    names, wrong, made = cycle(texts.EDITED), {}, Counter()
    for name, data, whole in CORPUS:
        seen = viewed(lens, whole)
        if seen is None:
            continue
        assert lens.view(seen) == seen, name
        assert laying.edited(data, {}, lens, now=NOW) == data, name
        if "year-9999" in name:
            continue  # there is no later time to be moved to
        for key in occurring(seen):
            field = next(names)
            for value in texts.other(field, getattr(texts.Edit(key, field, None).event(seen), field))[:1]:
                edit = texts.Edit(key, field, value)
                if (there := after(lens, seen, edit)) is None:
                    continue
                made[field] += 1
                try:
                    assert_laid(lens, data, seen, edit, there)
                except AssertionError as error:
                    wrong[name] = f"{edit}: {error}"
    assert wrong == {}
    assert sum(made.values()) > 500


def kept_before(component, fields):
    """A component as it was kept before COLOR and GEO had fields: they stand among its other lines, as they are written."""
    said = {
        f"{line.head}:{line.value}" for name in readable.READ for line in component.every(name) if readable.told(line)
    }
    plain = to_json(ObjectFields(fields))["master"]
    others = sorted({*plain.pop("others", ()), *said})
    return {name: value for name, value in plain.items() if name not in ("color", "geo")} | {"others": others}


@pytest.mark.parametrize("lens", [LENSES["caldav"], LENSES["ics"]], ids=["caldav", "ics"])
@given(written=texts.calendar_objects())
@LAWS
def test_r20_a_base_from_before_colours_and_places_is_no_change(lens, written):
    now = lens.view(fields_of(written.data))
    kept = to_json(now) | {"master": kept_before(objects.parse(written.data).master, now.master)}
    assert diff(from_json(kept), now) == {}
