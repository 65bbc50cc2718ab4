"""The lens: its laws by generated objects, and the rows of MAPPING.md that Graph makes special."""

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import Unmappable
from bridge.ical.fields import MASTER, EventFields, ObjectFields, Reminder, When, diff, patch
from bridge.ical.recurrence import instances
from bridge.ical.times import canonical_zone
from bridge.providers.graph.fields import SHOWN_AS
from bridge.providers.graph.mapping import GraphLens, event_patch, item, master_patch, new_event
from bridge.providers.graph.zones import canonical, named

LENS = GraphLens("Europe/Berlin")
NOON = dt.datetime.fromisoformat("2026-03-02 12:00")
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


def single(zone="Europe/Berlin", start=NOON, end=None, **more):
    return ObjectFields(EventFields(When(start, end or start + HOUR, zone), **more))


def shown(fields):
    return LENS.view(fields).master


def answered(body, /, **more):
    """How Graph answers to what was sent: times in UTC beside their zones (M-36, M-38), echoes of unused pattern fields."""
    payload = {"id": "1", "@odata.etag": 'W/"1"', "type": "singleInstance", "isOrganizer": True, **body, **more}
    for part in ("start", "end"):
        zone = payload[part]["timeZone"]
        payload[f"original{part.title()}TimeZone"] = zone
        if not payload["isAllDay"]:
            wall = dt.datetime.fromisoformat(payload[part]["dateTime"]).replace(tzinfo=ZoneInfo(named(zone)))
            utc = wall.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000")
            payload[part] = {"dateTime": utc, "timeZone": "UTC"}
    if rule := payload.get("recurrence"):
        echo = {"month": 0, "dayOfMonth": 0, "firstDayOfWeek": "sunday", "index": "first"}
        limits = {
            "numberOfOccurrences": 0,
            "endDate": "0001-01-01",
            "recurrenceTimeZone": payload["originalStartTimeZone"],
        }
        payload["recurrence"] = {"pattern": {**echo, **rule["pattern"]}, "range": {**limits, **rule["range"]}}
        payload["type"] = "seriesMaster"
    return payload


def read(payload):
    return LENS.read([item(payload)])


# --- laws ----------------------------------------------------------------------------------------------------------

texts = st.text(alphabet="aé\u0301 \t\n\r,;<>&\xa0", max_size=12)
zones = st.sampled_from(
    [
        None,
        "UTC",
        "Europe/Berlin",
        "Europe/Vienna",
        "Europe/Kiev",
        "America/New_York",
        "US/Pacific",
        "Asia/Kolkata",
        "Pacific/Kiritimati",
    ]
)
starts = st.datetimes(dt.datetime.fromisoformat("2024-01-01"), dt.datetime.fromisoformat("2028-01-01")).map(
    lambda start: start.replace(microsecond=0)
)
lengths = st.timedeltas(dt.timedelta(0), 3 * DAY).map(
    lambda length: dt.timedelta(minutes=length // dt.timedelta(minutes=1))
)
timed = st.builds(lambda start, length, zone: When(start, start + length, zone), starts, lengths, zones)
all_day = st.builds(lambda start, days: When(start.date(), start.date() + days * DAY), starts, st.integers(1, 4))


def events(whens):
    return st.builds(
        EventFields,
        whens,
        summary=texts,
        description=texts,
        location=texts,
        status=st.sampled_from(["", "CONFIRMED", "TENTATIVE", "CANCELLED"]),
        transp=st.sampled_from(["OPAQUE", "TRANSPARENT"]),
        classification=st.sampled_from(["", "PUBLIC", "PRIVATE", "CONFIDENTIAL"]),
        reminders=st.sets(
            st.builds(Reminder, st.integers(0, 99), st.sampled_from(["DISPLAY", "EMAIL"])), max_size=3
        ).map(lambda found: tuple(sorted(found))),
        categories=st.lists(st.sampled_from(["Red", "Blue", "Work"]), max_size=3).map(tuple),
        priority=st.integers(0, 9),
        url=st.sampled_from(["", "https://example.com/"]),
        color=st.sampled_from(["", "tomato"]),
        geo=st.sampled_from(["", "48.2;16.37", "-33.9;151.2", "48.12345678901234567;0"]),
    )


rules = st.sampled_from(
    [
        "FREQ=DAILY",
        "FREQ=DAILY;COUNT=5",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4",
        "FREQ=DAILY;INTERVAL=3;UNTIL=20290101",
        "FREQ=WEEKLY;WKST=SU",
    ]
)
objects = st.builds(
    lambda event, rule: ObjectFields(event, (f"RRULE:{rule}",) if rule else ()),
    events(st.one_of(timed, all_day)),
    st.one_of(st.just(""), rules),
)


def viewed(fields):
    try:
        return LENS.view(fields)
    except Unmappable:
        return None  # a start that its zone skips, in a series


@settings(max_examples=150, deadline=None)
@given(objects)
def test_r21_what_is_viewed_is_in_normal_form(fields):
    once = viewed(fields)
    assert once is None or LENS.view(once) == once


@settings(max_examples=150, deadline=None)
@given(objects)
def test_what_is_sent_and_answered_is_what_was_meant(fields):
    """The echo law (R20), and what is read is in normal form."""
    meant = viewed(fields)
    if meant is None:
        return
    found = read(answered(new_event(meant, key="k", uid="u"))).fields
    assert found == meant
    assert LENS.view(found) == found


@settings(max_examples=150, deadline=None)
@given(objects, objects)
def test_a_remote_change_laid_upon_the_hub_shows_as_the_remote_side(hub, other):
    """view(patch(hub, restore(change))) is what the remote side has become, if coordinates go with their place only (X-14)."""
    before, after = viewed(hub), viewed(other)
    if before is None or after is None:
        return
    if before.master.location == after.master.location and not after.master.geo:
        after = replace(after, master=replace(after.master, geo=before.master.geo))
    change = LENS.restore(diff(before, after), hub)
    assert LENS.view(patch(hub, change)) == after


@settings(max_examples=100, deadline=None)
@given(objects, objects)
def test_a_patch_body_turns_one_into_the_other(one, other):
    before, after = viewed(one), viewed(other)
    if before is None or after is None:
        return
    sent = {**new_event(before, key="k", uid="u"), **master_patch(before, after)}
    assert read(answered(sent)).fields == after


@settings(max_examples=100, deadline=None)
@given(objects)
def test_nothing_changed_sends_nothing(fields):
    seen = viewed(fields)
    if seen is not None:
        assert master_patch(seen, seen) == {}
        assert LENS.restore(diff(seen, seen), fields) == {}


@settings(max_examples=50, deadline=None)
@given(events(timed), rules)
def test_r23_a_series_keeps_its_instances(event, rule):
    fields = ObjectFields(replace(event, status=""), (f"RRULE:{rule}",))
    seen = viewed(fields)
    if seen is None:
        return
    zone = ZoneInfo("Europe/Berlin")
    first = event.when.start.replace(tzinfo=dt.UTC) - DAY
    meant = [each.key for each in instances(fields, first, first + 200 * DAY, floating=zone)]
    if event.when.floating:
        keys = [dt.datetime.strptime(key, "%Y%m%dT%H%M%S").replace(tzinfo=zone) for key in meant]
        meant = [key.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ") for key in keys]
    assert [each.key for each in instances(seen, first, first + 200 * DAY, floating=zone)] == meant


# --- rows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["Europe/Vienna", "Europe/Zurich", "Europe/Stockholm"])
def test_x03_a_windows_name_does_not_rename_the_hubs_zone(zone):
    hub = single(zone)
    before = LENS.view(hub)
    assert before.master.when.zone == "Europe/Berlin"
    later = replace(before, master=replace(before.master, when=replace(before.master.when, end=NOON + 2 * HOUR)))
    assert LENS.restore(diff(before, later), hub) == {(MASTER, "when"): When(NOON, NOON + 2 * HOUR, zone)}


def test_x03_another_zone_is_another_zone():
    hub = single("Europe/Vienna")
    moved = single("America/New_York")
    assert LENS.restore(diff(LENS.view(hub), LENS.view(moved)), hub) == {(MASTER, "when"): moved.master.when}


def test_x03_every_zone_with_a_windows_name_has_a_canonical_one():
    for zone in ("Asia/Kolkata", "Asia/Calcutta", "Europe/Kiev", "Africa/Lagos", "America/Sao_Paulo", "Etc/UTC", "UTC"):
        found = canonical(zone)
        assert found is not None
        assert canonical(found) == found == canonical_zone(found)


def test_r24_names_that_graph_gives():
    assert named("tzone://Microsoft/Utc") == "UTC"
    assert named("W. Europe Standard Time") == named("Europe/Vienna") == "Europe/Berlin"
    assert named("tzone://Microsoft/Custom") is None
    assert named("Customized Time Zone") is None


def test_r24_a_custom_zone_keeps_the_instant_and_refuses_the_series():
    fields = single("UTC")
    body = new_event(LENS.view(fields), key="k", uid="u")
    custom = {"originalStartTimeZone": "tzone://Microsoft/Custom", "originalEndTimeZone": "tzone://Microsoft/Custom"}
    assert read({**answered(body), **custom}).fields.master.when == fields.master.when
    series = new_event(LENS.view(replace(fields, recurrence=("RRULE:FREQ=DAILY",))), key="k", uid="u")
    payload = {**answered(series), **custom}
    payload["recurrence"]["range"]["recurrenceTimeZone"] = "tzone://Microsoft/Custom"
    with pytest.raises(Unmappable):
        read(payload)


def test_x04_floating_is_put_into_the_calendars_zone_and_floats_again():
    hub = ObjectFields(
        EventFields(When(NOON, NOON + HOUR)), ("RRULE:FREQ=DAILY;COUNT=9",), {}, frozenset({"20260305T120000"})
    )
    before = LENS.view(hub)
    assert before.master.when == When(NOON, NOON + HOUR, "Europe/Berlin")
    assert before.cancelled == {"20260305T110000Z"}
    after = replace(before, cancelled=before.cancelled | {"20260306T110000Z"})
    assert LENS.restore(diff(before, after), hub) == {("20260306T120000", "state"): "cancelled"}


def test_x05_utc_stays_utc():
    assert shown(single("UTC")).when.zone == "UTC"


def test_x06_m40_all_day_takes_the_dates_as_they_are():
    holiday = ObjectFields(EventFields(When(NOON.date(), NOON.date() + 2 * DAY)))
    body = new_event(LENS.view(holiday), key="k", uid="u")
    assert body["start"]["dateTime"] == "2026-03-02T00:00:00"
    assert body["end"]["dateTime"] == "2026-03-04T00:00:00"
    assert body["isAllDay"] is True
    for zone in ("Pacific Standard Time", "Tonga Standard Time"):
        moved = {**answered(body), "originalStartTimeZone": zone, "originalEndTimeZone": zone}
        assert read(moved).fields == LENS.view(holiday)


def test_x08_no_duration_and_x09_two_zones():
    assert shown(single(end=NOON)).when == When(NOON, NOON, "Europe/Berlin")
    flight = ObjectFields(EventFields(When(NOON, NOON + HOUR, "Europe/Vienna", "America/New_York")))
    assert shown(flight).when == When(NOON, NOON + HOUR, "Europe/Berlin", "America/New_York")
    assert read(answered(new_event(LENS.view(flight), key="k", uid="u"))).fields == LENS.view(flight)


def test_a_wall_clock_time_that_comes_twice_keeps_its_instant():
    """02:30 on the last Sunday of October, the second time."""
    body = answered(new_event(LENS.view(single()), key="k", uid="u"))
    again = {"dateTime": "2026-10-25T01:30:00.0000000", "timeZone": "UTC"}
    found = read({**body, "start": again, "end": again}).fields.master.when
    assert (found.start, found.zone) == (dt.datetime.fromisoformat("2026-10-25 01:30"), "UTC")


def test_x10_a_title_is_one_line():
    assert shown(single(summary=" Lunch\r\n with Eve ")).summary == "Lunch with Eve"
    assert len(shown(single(summary="x" * 300)).summary) == 255


def test_x11_m63_html_is_read_as_text():
    html = "<html><head><style>p {}</style></head><body><p>One&nbsp;two</p>\r\n<div>Three<br>Four &amp; five</div></body></html>"
    payload = answered(new_event(LENS.view(single()), key="k", uid="u"), body={"contentType": "html", "content": html})
    assert read(payload).fields.master.description == "One two\nThree\nFour & five"


def test_m63_an_occurrence_edited_there_keeps_the_body_that_it_has_from_its_series():
    hub = replace(single(description="  as  written"), recurrence=("RRULE:FREQ=DAILY;COUNT=3",))
    key = "20260303T110000Z"
    echoed = replace(LENS.view(hub).master, description="as written")
    edited = replace(echoed, summary="Other", when=When(NOON + DAY, NOON + DAY + HOUR, "Europe/Berlin"))
    told = replace(LENS.view(hub), overrides={key: edited})
    assert LENS.restore(diff(LENS.view(hub), told), hub)[key, "description"] == "  as  written"


def test_x15_x17_what_graph_cannot_hold_is_never_taken_from_it():
    hub = single(url="https://example.com/", status="TENTATIVE")
    series = replace(hub, recurrence=("RRULE:FREQ=DAILY;COUNT=3",))
    before = LENS.view(series)
    moved = replace(before.master, when=When(NOON + DAY + HOUR, NOON + DAY + 2 * HOUR, "Europe/Berlin"))
    change = LENS.restore(diff(before, replace(before, overrides={"20260303T110000Z": moved})), series)
    override = patch(series, change).overrides["20260303T110000Z"]
    assert (override.url, override.status) == ("https://example.com/", "TENTATIVE")


def test_x18_a_cancelled_event_is_free_and_a_cancelled_instance_deleted():
    assert shown(single(status="CANCELLED")).transp == "TRANSPARENT"
    gone = EventFields(When(NOON + DAY, NOON + DAY + HOUR, "Europe/Berlin"), status="CANCELLED")
    series = replace(single(), recurrence=("RRULE:FREQ=DAILY;COUNT=3",), overrides={"20260303T110000Z": gone})
    assert LENS.view(series).cancelled == {"20260303T110000Z"}
    assert LENS.view(series).overrides == {}


@pytest.mark.parametrize("show_as", ["oof", "tentative", "workingElsewhere", "busy", "unknown"])
def test_x19_show_as_is_left_alone_while_its_class_is_the_same(show_as):
    current = read(answered(new_event(LENS.view(single()), key="k", uid="u"), showAs=show_as)).fields
    assert current.master.transp == "OPAQUE"
    renamed = replace(current, master=replace(current.master, summary="New"))
    assert master_patch(current, LENS.view(renamed)) == {"subject": "New"}
    freed = replace(current, master=replace(current.master, transp="TRANSPARENT", show_as=""))
    assert master_patch(current, LENS.view(freed)) == {"showAs": "free"}


@pytest.mark.parametrize(("shows", "words"), SHOWN_AS.items())
def test_x20_what_outlook_says_of_busy_time_is_there_in_its_own_word(shows, words):
    current = read(answered(new_event(LENS.view(single()), key="k", uid="u"), showAs=shows)).fields
    assert (current.master.transp, current.master.show_as) == ("OPAQUE", words)
    assert new_event(LENS.view(single(show_as=words)), key="k", uid="u")["showAs"] == shows
    assert master_patch(current, LENS.view(single())) == {"showAs": "busy"}


def test_x21_classes():
    for sensitivity, expected in {
        "normal": "",
        "personal": "PRIVATE",
        "private": "PRIVATE",
        "confidential": "CONFIDENTIAL",
    }.items():
        payload = answered(new_event(LENS.view(single()), key="k", uid="u"), sensitivity=sensitivity)
        assert read(payload).fields.master.classification == expected
    hub = single(classification="PUBLIC", priority=3, categories=("Work", "Blue"))
    after = replace(LENS.view(hub), master=replace(LENS.view(hub).master, summary="New"))
    assert LENS.restore(diff(LENS.view(hub), after), hub) == {(MASTER, "summary"): "New"}


@pytest.mark.parametrize(
    ("number", "importance", "folded"),
    [(0, "normal", 0), (1, "high", 1), (4, "high", 1), (5, "normal", 0), (6, "low", 9), (9, "low", 9)],
)
def test_x22_priority_is_folded_to_three_classes(number, importance, folded):
    assert shown(single(priority=number)).priority == folded
    assert new_event(LENS.view(single(priority=number)), key="k", uid="u")["importance"] == importance


def test_x50_the_nearest_alarm_is_shown_and_the_others_kept():
    hub = single(reminders=(Reminder(10), Reminder(30, "EMAIL"), Reminder(60)))
    before = LENS.view(hub)
    assert before.master.reminders == (Reminder(10),)
    change = {(MASTER, "reminders"): (Reminder(5),)}
    assert LENS.restore(change, hub)[MASTER, "reminders"] == (Reminder(5), Reminder(30, "EMAIL"), Reminder(60))
    off = LENS.restore({(MASTER, "reminders"): ()}, hub)
    assert off[MASTER, "reminders"] == (Reminder(30, "EMAIL"),)


def test_x55_x56_no_alarm_is_said_and_every_default_too():
    body = new_event(LENS.view(single()), key="k", uid="u")
    assert body["isReminderOn"] is False
    assert {"showAs", "sensitivity", "importance", "categories", "location", "body"} <= body.keys()


def test_x26_m53_attendees_are_never_written_and_s02_markers_are():
    body = new_event(LENS.view(single()), key="k", uid="u")
    assert not {"attendees", "organizer"} & body.keys()
    assert [each["value"] for each in body["singleValueExtendedProperties"]] == ["u", "k"]
    assert body["transactionId"] == "k"


def test_rule_24_the_hubs_own_words_for_the_same_rule_stay():
    hub = replace(single(), recurrence=("RRULE:FREQ=WEEKLY;UNTIL=20260401T235959Z",))
    before = LENS.view(hub)
    assert before.recurrence == ("RRULE:FREQ=WEEKLY;BYDAY=MO;UNTIL=20260330T100000Z",)
    later = LENS.view(replace(single(start=NOON + HOUR), recurrence=("RRULE:FREQ=WEEKLY;UNTIL=20260401T235959Z",)))
    assert diff(before, later).keys() == {(MASTER, "when"), (MASTER, "recurrence")}
    assert LENS.restore(diff(before, later), hub).keys() == {(MASTER, "when")}


def test_a_series_in_a_zone_without_an_equal_is_refused_and_a_single_event_kept():
    """Troll's rules are nobody else's."""
    assert shown(single("Antarctica/Troll")).when.zone == "UTC"
    with pytest.raises(Unmappable, match="Antarctica/Troll"):
        LENS.view(replace(single("Antarctica/Troll"), recurrence=("RRULE:FREQ=DAILY",)))


def test_m47_cancelled_days_take_the_masters_time_and_m48_exceptions_their_original_start():
    body = answered(
        new_event(LENS.view(replace(single(), recurrence=("RRULE:FREQ=WEEKLY;COUNT=6",))), key="k", uid="u")
    )
    exception = {
        "@odata.etag": 'W/"2"',
        "id": "2",
        "type": "exception",
        "originalStart": "2026-04-06T10:00:00Z",
        "subject": "Other",
        "start": {"dateTime": "2026-04-06T13:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-04-06T14:00:00.0000000", "timeZone": "UTC"},
    }
    payload = {**body, "cancelledOccurrences": ["OID.1.2026-03-30"], "exceptionOccurrences": [exception]}
    found = read(payload).fields
    assert found.cancelled == {"20260330T100000Z"}  # after the clocks have changed
    assert found.overrides["20260406T100000Z"].summary == "Other"
    assert found.overrides["20260406T100000Z"].when.start == dt.datetime.fromisoformat("2026-04-06 15:00")
    called_off = {**payload, "exceptionOccurrences": [{**exception, "isCancelled": True}]}
    assert read(called_off).fields.cancelled == {"20260330T100000Z", "20260406T100000Z"}
    assert item(called_off).version == item(payload).version != item(body).version


def test_m45_a_master_that_starts_before_its_first_match():
    fields = LENS.view(replace(single(), recurrence=("RRULE:FREQ=WEEKLY;BYDAY=MO",)))
    body = answered(new_event(fields, key="k", uid="u"))
    body["recurrence"]["pattern"]["daysOfWeek"] = ["wednesday"]
    assert read(body).fields.master.when.start == NOON + 2 * DAY


def test_an_occurrence_alone_is_no_object():
    with pytest.raises(Unmappable):
        read({**answered(new_event(LENS.view(single()), key="k", uid="u")), "type": "occurrence"})


def test_a_patch_of_an_occurrence_names_only_what_differs():
    one = LENS.view(single()).master
    assert event_patch(one, replace(one, location="Here")) == {"location": {"displayName": "Here"}}


# --- places

CAFE = {
    "displayName": "Café Central",
    "address": {"city": "Wien"},
    "locationUri": "https://maps.example/1",
    "coordinates": {"latitude": 48.2104, "longitude": 16.3654, "accuracy": 5},
}


def placed(**location):
    payload = answered(new_event(LENS.view(single(location="Café Central", geo="48.2104;16.3654")), key="k", uid="u"))
    return {**payload, "location": {**CAFE, **location}, "locations": [{**CAFE, **location}]}


def test_x14_coordinates_are_numbers_there():
    body = new_event(LENS.view(single(location="Café", geo="48.20;-16.37")), key="k", uid="u")
    assert body["location"] == {"displayName": "Café", "coordinates": {"latitude": 48.2, "longitude": -16.37}}
    assert "coordinates" not in new_event(LENS.view(single(location="Café")), key="k", uid="u")["location"]
    assert read(answered(body)).fields.master.geo == "48.2;-16.37"


@pytest.mark.parametrize(
    "odd", [{}, None, {"latitude": 1}, {"latitude": "NaN", "longitude": "NaN"}, {"latitude": 99, "longitude": 1}]
)
def test_x14_what_is_no_place_is_none(odd):
    assert read(placed(coordinates=odd)).fields.master.geo == ""


def test_m64_what_else_stands_in_a_place_survives_other_coordinates_and_no_other_name():
    there, held = read(placed()).fields, placed()
    moved = replace(there, master=replace(there.master, geo="1;2"))
    assert master_patch(there, moved, held)["location"] == {**CAFE, "coordinates": {"latitude": 1.0, "longitude": 2.0}}
    bare = replace(there, master=replace(there.master, geo=""))
    assert master_patch(there, bare, held)["location"] == {k: v for k, v in CAFE.items() if k != "coordinates"}
    elsewhere = replace(there, master=replace(there.master, location="At home"))
    coordinates = {"latitude": 48.2104, "longitude": 16.3654}
    assert master_patch(there, elsewhere, held) == {"location": {"displayName": "At home", "coordinates": coordinates}}
    retitled = replace(there, master=replace(there.master, summary="Other"))
    assert master_patch(there, retitled, held) == {"subject": "Other"}


def test_m64_of_several_places_those_that_are_still_named_stay_what_they_are():
    room = {"displayName": "Room 5", "locationEmailAddress": "room5@example.com"}
    held = {
        **placed(),
        "location": {"displayName": "Café Central; Room 5"},
        "locations": [CAFE, {**room, "locationType": "conferenceRoom"}],
    }
    there = read(held).fields
    assert (there.master.location, there.master.geo) == ("Café Central; Room 5", "")
    other = replace(there, master=replace(there.master, location="Room 5; Room 6"))
    assert master_patch(there, other, held) == {"locations": [room, {"displayName": "Room 6"}]}


def test_x14_only_another_place_takes_coordinates_away():
    hub = single(location="Café  Central ", geo="48.2104;16.3654")
    seen = LENS.view(hub)
    for change, geo in [
        ({(MASTER, "geo"): ""}, hub.master.geo),
        ({(MASTER, "geo"): "", (MASTER, "location"): seen.master.location}, hub.master.geo),
        ({(MASTER, "geo"): "", (MASTER, "location"): "At home"}, ""),
        ({(MASTER, "geo"): "1;2"}, "1;2"),
    ]:
        assert patch(hub, LENS.restore(change, hub)).master.geo == geo


def test_x14_digits_that_no_number_there_holds_stay_here():
    hub = single(geo="48.123456789012345678;16.3")
    seen = LENS.view(hub)
    assert seen.master.geo != hub.master.geo
    assert LENS.restore({(MASTER, "geo"): seen.master.geo}, hub) == {(MASTER, "geo"): hub.master.geo}
