"""Notes beside an event at Google (S-01, S-03, S-05): whole or not at all, within Google's limits; damaged, they say nothing."""

import datetime as dt
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import Unmappable
from bridge.ical.fields import MASTER, EventFields, ObjectFields, When, diff
from bridge.providers.google import bodies, stash
from bridge.providers.google.mapping import GoogleLens, item
from bridge.sync.asides import laid
from tests.support import calendar_fields as some

LENS = GoogleLens("Europe/Vienna")
START = dt.datetime.fromisoformat("2026-03-16T09:00:00")
HOUR = dt.timedelta(hours=1)
WHEN = When(START, START + HOUR, "Europe/Vienna")
RICH = {
    "categories": ("Work", "Zürich, später"),
    "show_as": "OOF",
    "priority": 3,
    "geo": "48.2;16.37",
    "url": "message:%3C1@example.com%3E",
    "color": "navy",
    "others": ("CONTACT:Robin", "X-OURS;P=1:two"),
}


def note(**said):
    event = EventFields(WHEN, **said)
    return stash.document(event, LENS.view(ObjectFields(event)).master)


def resource(noted="", *, id="abcde12345", **more):
    private = stash.render(noted, {})
    return {
        "id": id,
        "etag": '"1"',
        "status": "confirmed",
        "start": {"dateTime": "2026-03-16T09:00:00+01:00", "timeZone": "Europe/Vienna"},
        "end": {"dateTime": "2026-03-16T10:00:00+01:00", "timeZone": "Europe/Vienna"},
        "extendedProperties": {"private": private},
        **more,
    }


def recalled(*events):
    return LENS.recalled(LENS.read([item(each) for each in events]))


def test_s01_what_google_has_no_place_for_is_noted_and_comes_back():
    noted = note(**RICH)
    assert json.loads(noted).keys() == RICH.keys()
    back = recalled(resource(noted, colorId="9")).master
    assert {name: getattr(back, name) for name in RICH} == RICH


def test_what_google_says_itself_is_not_noted():
    assert note(summary="Tea", url="https://example.com/", color="tomato", location="Here", show_as="") == ""
    assert note(show_as="OOF", transp="TRANSPARENT") == ""


def test_no_field_of_the_view_says_what_is_noted():
    hub = ObjectFields(EventFields(WHEN, **RICH), ("RRULE:FREQ=DAILY",))
    seen = LENS.view(hub)
    whole = laid(hub, seen, LENS)
    assert seen.master.aside is None
    assert whole.master.aside == note(**RICH)
    assert LENS.view(whole) == whole
    assert diff(seen, whole) == diff(whole, seen) == {}
    read = LENS.read([item(resource(whole.master.aside))]).fields
    assert (read.master.aside, read.master.categories, LENS.view(read)) == (None, (), read)


@pytest.mark.parametrize("name", [*RICH])
def test_s05_a_word_of_the_service_counts_for_more_than_a_note(name):
    noted = note(**RICH)
    said = {"url": {"source": {"url": "https://example.com/"}}, "color": {"colorId": "11"}}
    said["show_as"] = {"transparency": "transparent"}
    back = recalled(resource(noted, **{"colorId": "9"} | said.get(name, {}))).master
    instead = {"url": "https://example.com/", "color": "tomato", "show_as": ""}
    assert getattr(back, name) == instead.get(name, RICH[name])


# --- Google's limits

characters = st.characters(codec="utf-8", exclude_categories=["Cc"])
labels = st.lists(st.text(characters, min_size=1, max_size=700), max_size=9).map(tuple)


@settings(max_examples=80, deadline=None)
@given(labels, st.integers(0, 9), st.lists(st.text(characters, max_size=900), max_size=6))
def test_g69_no_value_is_cut_and_all_of_them_stay_within_the_budget(categories, priority, others):
    event = EventFields(WHEN, categories=categories, priority=priority, others=tuple(f"X-P:{each}" for each in others))
    noted = stash.document(event, LENS.view(ObjectFields(event)).master)
    private = stash.render(noted, {})
    assert all(len(key) <= 44 and len(value.encode()) <= 1024 for key, value in private.items())
    assert sum(len(key) + len(value.encode()) for key, value in private.items()) <= 4 * 1024 + 100
    found = stash.read({"extendedProperties": {"private": private}})
    assert (found is None) == (noted == "")
    assert (found or {}).get("priority", 0) == priority


def test_s01_what_does_not_fit_is_left_out_whole_and_the_rest_is_there():
    large = {**RICH, "categories": ("ü" * 2500,)}
    assert json.loads(note(**large)).keys() == RICH.keys() - {"categories"}
    assert json.loads(note(**{**RICH, "others": (f"X-LONG:{'a' * 4080}",)})).keys() == RICH.keys() - {"others"}
    assert note(categories=("ü" * 2500,)) == ""


def test_s06_a_note_is_in_one_normal_form():
    assert note(categories=("Zu\u0308rich",)) == note(categories=("Zürich",))
    assert note(others=("X-A:Zu\u0308rich",)) == note(others=("X-A:Zürich",))


# --- what is not whole says nothing

LONG = note(categories=tuple(f"category number {number}" for number in range(120)))


def spoiled(change):
    private = stash.render(LONG, {})
    assert {"cdb.x", "cdb.x.0", "cdb.x.1", "cdb.x.2"} <= private.keys()
    change(private)
    return stash.read({"extendedProperties": {"private": private}})


@pytest.mark.parametrize(
    "change",
    [
        lambda private: private.pop("cdb.x"),
        lambda private: private.pop("cdb.x.1"),
        lambda private: private.update({"cdb.x.1": private["cdb.x.1"][:-1]}),
        lambda private: private.update({"cdb.x.0": private["cdb.x.1"], "cdb.x.1": private["cdb.x.0"]}),
        lambda private: private.update({"cdb.x": private["cdb.x"].replace("3:", "2:")}),
        lambda private: private.update({"cdb.x": "9999999999999999999999:1"}),
        lambda private: private.update({"cdb.x": "0:"}),
        lambda private: private.update({"cdb.x": "³:1"}),
        lambda private: private.update({"cdb.x": ""}),
        lambda private: private.clear(),
    ],
)
def test_s03_a_damaged_note_says_nothing(change):
    assert spoiled(lambda _: None) is not None
    assert spoiled(change) is None


@pytest.mark.parametrize(
    "document",
    [
        "[]",
        "no json",
        "[" * 1000,
        '{"categories":"Work","priority":true,"show_as":"AWAY","geo":1,"url":["x"],"others":[1],"summary":"Not ours"}',
        '{"others":["ATTENDEE:mailto:robin@example.com","X:1\\r\\nATTENDEE:mailto:robin@example.com","BEGIN:VALARM"]}',
        '{"attendees":["robin@example.com"],"when":1,"priority":99,"color":"nothing","geo":"999;0"}',
        '{"categories":["\\ud800"]}',
    ],
)
def test_what_somebody_else_has_noted_does_no_harm(document):
    back = recalled(resource(document)).master
    told = {
        name: getattr(back, name) for name in ("categories", "priority", "show_as", "geo", "url", "others", "color")
    }
    plain = {name: EventFields.__dataclass_fields__[name].default for name in told}
    assert told in (plain, plain | {"categories": ("",)})
    assert (back.attendees, back.summary, back.when) == ((), "", WHEN)


# --- what is written


def test_only_what_differs_is_written_and_what_is_over_is_taken_away():
    held = resource(LONG)
    held["extendedProperties"]["private"] |= {"other": "x", "cdb.uid": "u", "cdb.x.y": "not ours"}
    assert stash.render(LONG, held) == {}
    assert stash.render("", held) == dict.fromkeys(["cdb.x", "cdb.x.0", "cdb.x.1", "cdb.x.2"])
    shorter = stash.render(note(categories=("Work",)), held)
    assert shorter.keys() == {"cdb.x", "cdb.x.0", "cdb.x.1", "cdb.x.2"}
    assert {name for name, value in shorter.items() if value is None} == {"cdb.x.1", "cdb.x.2"}


def test_a_note_is_written_where_somebody_says_so_and_beside_a_conference():
    seen = EventFields(WHEN, summary="Tea")
    assert bodies.event(replace(seen, aside=None), replace(seen, aside=None)) == {}
    assert bodies.event(replace(seen, aside=""), seen, resource()) == {}
    noted = replace(seen, aside=note(priority=1), conference="https://meet.example.com/a")
    private = bodies.event(noted, seen, resource())["extendedProperties"]["private"]
    assert {"cdb.x", "cdb.x.0", "cdb.conference"} <= private.keys()


# --- series

KEY, OTHER = "20260317T080000Z", "20260318T080000Z"


def exception(key, noted, *, id):
    start = {"dateTime": f"2026-03-{key[6:8]}T09:00:00+01:00", "timeZone": "Europe/Vienna"}
    end = {"dateTime": f"2026-03-{key[6:8]}T11:00:00+01:00", "timeZone": "Europe/Vienna"}
    more = {"recurringEventId": "abcde12345", "originalStartTime": start, "start": start, "end": end}
    return resource(noted, id=id, **more)


def test_each_exception_has_its_own_note():
    hub = ObjectFields(
        EventFields(WHEN, categories=("Work",)),
        ("RRULE:FREQ=DAILY;COUNT=5",),
        {
            KEY: EventFields(replace(WHEN, start=START + 24 * HOUR, end=START + 26 * HOUR), categories=("Home",)),
            OTHER: EventFields(replace(WHEN, start=START + 48 * HOUR, end=START + 50 * HOUR)),
        },
    )
    whole = laid(hub, LENS.view(hub), LENS)
    series = resource(whole.master.aside, recurrence=["RRULE:FREQ=DAILY;COUNT=5"])
    told = [exception(key, each.aside, id=f"abcde12345_{key}") for key, each in whole.overrides.items()]
    back = recalled(series, *told)
    assert back.master.categories == ("Work",)
    assert {key: each.categories for key, each in back.overrides.items()} == {KEY: ("Home",), OTHER: ()}


@settings(max_examples=60, deadline=None)
@given(some.objects())
def test_the_laws_hold_with_notes(hub):
    """view(view(x)) == view(x), with notes too; and a note changes no diff."""
    try:
        seen = LENS.view(hub)
    except Unmappable:
        return
    whole = laid(hub, seen, LENS)
    assert LENS.view(whole) == whole
    assert diff(seen, whole) == diff(whole, seen) == {}
    assert {(key, "aside") for key in (MASTER, *seen.overrides)} >= diff(whole, laid(seen, seen, LENS)).keys()
