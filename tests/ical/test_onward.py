# ruff: noqa: DTZ001 - wall-clock times are naive here
"""Overrides for an instance and all later ones (RFC 5545 §3.2.13, X-02): what they mean, and what becomes of their lines."""

import datetime as dt
from dataclasses import replace

import pytest
import recurring_ical_events
from icalendar import Calendar

from bridge.errors import Unmappable
from bridge.ical import busy, edit, objects, onward, recurrence, times, view
from bridge.ical.fields import MASTER, change_from_json, change_to_json, diff, from_json, patch, to_json
from bridge.providers.google.mapping import GoogleLens
from bridge.providers.graph.mapping import GraphLens
from bridge.sync import guests
from bridge.sync.projection import Projection, Redaction

FROM, TO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 12, 31, tzinfo=dt.UTC)
RULE = "RRULE:FREQ=WEEKLY;COUNT=6"
BERLIN = "TZID=Europe/Berlin"
SECOND, THIRD, FOURTH = (f"2026{day}T080000Z" for day in ("0309", "0316", "0323"))


def calendar(master, *overrides):
    """The series is on Mondays, from 2 March 2026, 9 to 10 in Berlin; the clocks are put forward on the last Sunday."""
    start = [] if any(line.startswith("DTSTART") for line in master) else [f"DTSTART;{BERLIN}:20260302T090000"]
    end = [] if any(line.startswith(("DTEND", "DURATION")) for line in master) else ["DURATION:PT1H"]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN"]
    for component in ([*start, *end, *master], *overrides):
        lines += ["BEGIN:VEVENT", "UID:u", "DTSTAMP:20260101T000000Z", *component, "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def override(day, *lines, params=";RANGE=THISANDFUTURE", hour=9):
    return [f"RECURRENCE-ID{params};{BERLIN}:2026{day}T{hour:02}0000", *lines]


def later(day="0309", hour=11, *more):
    """From that Monday on at another hour, for two hours, and called otherwise."""
    times_ = [f"DTSTART;{BERLIN}:2026{day}T{hour:02}0000", "DURATION:PT2H"]
    return override(day, *times_, f"SUMMARY:At {hour}", *more)


def seen(data):
    return view.read(objects.parse(data))


def shown(data):
    """(start, end, title) in Berlin, month and day and hour."""
    found = recurrence.instances(seen(data), FROM, TO, floating=dt.UTC)
    return [
        (f"{each.when.start:%m%d %H}", f"{each.when.end:%H}", each.fields.summary)
        if not each.when.all_day
        else (f"{each.when.start:%m%d}", f"{each.when.end:%m%d}", each.fields.summary)
        for each in found
    ]


def starts(data):
    return [start for start, *_ in shown(data)]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            calendar([RULE, "SUMMARY:Tea"], later()),
            [("0302 09", "10", "Tea"), *((f"{day} 11", "13", "At 11") for day in ("0309", "0316", "0323", "0330", "0406"))],
        ),
        (  # a single one within it is its own; so is the instance that it begins with
            calendar(
                [RULE, "SUMMARY:Tea"],
                later(),
                override("0316", f"DTSTART;{BERLIN}:20260317T150000", "SUMMARY:Once", params=""),
                override("0309", f"DTSTART;{BERLIN}:20260309T080000", "SUMMARY:First", params=""),
            ),
            [
                ("0302 09", "10", "Tea"), ("0309 08", "08", "First"), ("0317 15", "15", "Once"),
                *((f"{day} 11", "13", "At 11") for day in ("0323", "0330", "0406")),
            ],
        ),
        (  # until another range; each is told from where the rule has them
            calendar([RULE, "SUMMARY:Tea"], later("0323", 8), later("0309", 11)),
            [
                ("0302 09", "10", "Tea"), ("0309 11", "13", "At 11"), ("0316 11", "13", "At 11"),
                *((f"{day} 08", "10", "At 8") for day in ("0323", "0330", "0406")),
            ],
        ),
        (  # what is excluded does not take place, be it the first; and one called off has called off all
            calendar([RULE, f"EXDATE;{BERLIN}:20260309T090000,20260323T090000"], later(), later("0330", 9, "STATUS:CANCELLED")),
            [("0302 09", "10", ""), ("0316 11", "13", "At 11")],
        ),
        (  # a series that is called off but for its end
            calendar([RULE, "STATUS:CANCELLED"], later("0330", 9, "STATUS:CONFIRMED")),
            [("0330 09", "11", "At 9"), ("0406 09", "11", "At 9")],
        ),
        (  # to another day, over the change of the clock
            calendar([RULE], override("0323", f"DTSTART;{BERLIN}:20260322T090000", "DURATION:PT1H")),
            [(f"{day} 09", "10", "") for day in ("0302", "0309", "0316", "0322", "0329", "0405")],
        ),
        (  # whole days
            calendar([RULE, "DTSTART;VALUE=DATE:20260302"], ["RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20260316",
                      "DTSTART;VALUE=DATE:20260317", "DTEND;VALUE=DATE:20260319"]),
            [("0302", "0303", ""), ("0309", "0310", ""), *((f"{a:04}", f"{b:04}", "") for a, b in
             ((317, 319), (324, 326), (331, 402), (407, 409)))],
        ),
        (  # from whole days to hours, and the other way round
            calendar([RULE, "DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260303"],
                     ["RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20260323", f"DTSTART;{BERLIN}:20260324T180000",
                      "DURATION:PT1H"]),
            [*((f"{a:04}", f"{a + 1:04}", "") for a in (302, 309, 316)), *((f"{day} 18", "19", "") for day in
             ("0324", "0331", "0407"))],
        ),
        (
            calendar([RULE], override("0323", "DTSTART;VALUE=DATE:20260324")),
            [*((f"{day} 09", "10", "") for day in ("0302", "0309", "0316")), *((f"{a:04}", b, "") for a, b in
             ((324, "0325"), (331, "0401"), (407, "0408")))],
        ),
        (  # its rule does not have the one that it begins with: it takes place, and so do those behind it
            calendar([RULE], override("0317", f"DTSTART;{BERLIN}:20260317T100000", "SUMMARY:Stray")),
            [*((f"{day} 09", "10", "") for day in ("0302", "0309", "0316")), *((f"{day} 10", "10", "Stray") for day in
             ("0317", "0323", "0330", "0406"))],
        ),
    ],
)  # fmt: skip
def test_x02_what_holds_onward(data, expected):
    assert shown(data) == expected
    first, last = busy.bounds(objects.parse(data))
    for each in recurrence.instances(seen(data), FROM, TO, floating=dt.UTC):
        ends = times.instant(each.when.end, each.when.end_zone or each.when.zone, floating=dt.UTC)
        assert first <= times.instant(each.when.start, each.when.zone, floating=dt.UTC) <= ends <= last


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"])
@pytest.mark.parametrize(
    "rule", ["FREQ=WEEKLY", "FREQ=DAILY;INTERVAL=5", "FREQ=MONTHLY;BYDAY=-1SU", "FREQ=WEEKLY;BYDAY=TU,SU"]
)
@pytest.mark.parametrize("by", [dt.timedelta(hours=2), dt.timedelta(days=-1, hours=-3), dt.timedelta(days=9)])
def test_r23_another_library_reads_it_likewise(zone, rule, by):
    """recurring-ical-events, over the year with both changes of the clock."""
    data = calendar([f"DTSTART;TZID={zone}:20260104T143000", f"RRULE:{rule}", "DURATION:PT1H"])
    fields = seen(data)
    keys = [key for key, _ in zip(recurrence.keys(fields), range(9), strict=False)]
    moved = {}
    for name in (onward.named(keys[2]), keys[4], onward.named(keys[6])):
        when = recurrence.regular(fields, onward.anchor(name))
        moved[name] = replace(
            fields.master,
            when=replace(when, start=when.start + by, end=when.end + by * 1.5 if by > dt.timedelta() else when.end),
        )
        by = -by
    data = edit.compose(replace(fields, overrides=moved), uid="u", now=FROM)
    ours = recurrence.instances(seen(data), FROM, TO, floating=dt.UTC)
    theirs = recurring_ical_events.of(Calendar.from_ical(data)).between(FROM, TO)
    assert [times.instant(each.when.start, each.when.zone, floating=dt.UTC) for each in ours] == sorted(
        each["DTSTART"].dt.astimezone(dt.UTC) for each in theirs
    )


@pytest.mark.parametrize("shift", [dt.timedelta(days=-200), dt.timedelta(days=200)])
def test_what_is_moved_far_is_found_where_it_is(shift):
    day = dt.datetime(2026, 3, 9, 9) + shift
    data = calendar(
        ["RRULE:FREQ=WEEKLY;COUNT=20"], override("0309", f"DTSTART;{BERLIN}:{day:%Y%m%dT%H%M%S}", "DURATION:PT1H")
    )
    for number in range(19):
        there = (day + number * dt.timedelta(days=7)).replace(tzinfo=times.zone_info("Europe/Berlin"))
        within = recurrence.instances(seen(data), there, there + dt.timedelta(minutes=30), floating=dt.UTC)
        assert len([each for each in within if each.by]) == 1, number


def test_it_stands_among_the_overrides_and_in_every_form_of_a_base():
    fields = seen(calendar([RULE, "SUMMARY:Tea"], later()))
    assert list(fields.overrides) == [onward.named(SECOND)] == ["20260309T080000Z+"]
    assert from_json(to_json(fields)) == fields
    change = diff(seen(calendar([RULE, "SUMMARY:Tea"])), fields)
    assert patch(seen(calendar([RULE, "SUMMARY:Tea"])), change_from_json(change_to_json(change))) == fields


def test_r1_r41_its_guests_and_secrets_are_those_of_the_object():
    """Whoever looks at all components of an object looks at this one, too."""
    fields = seen(
        calendar([RULE], later("0309", 11, "ATTENDEE:mailto:robin@example.com", "CLASS:PRIVATE", "LOCATION:canary"))
    )
    busy_only = Projection(redactions=(Redaction("class", "PRIVATE", "busy"),))
    assert "canary" not in str(busy_only.show(fields))
    assert "robin" not in str(guests.without(fields))


@pytest.mark.parametrize("lens", [GoogleLens("Europe/Berlin"), GraphLens("Europe/Berlin")])
def test_no_service_is_shown_it_as_one_series(lens):
    with pytest.raises(Unmappable, match="an override for this and all later instances"):
        lens.view(seen(calendar([RULE], later())))


def test_all_earlier_ones_are_left_alone():
    """RFC 2445's THISANDPRIOR, which nobody writes any more."""
    data = calendar([RULE], override("0309", "SUMMARY:x", params=";RANGE=THISANDPRIOR"))
    with pytest.raises(Unmappable, match="all earlier instances"):
        seen(data)
    assert busy.bounds(objects.parse(data)) == (None, None)


def test_without_its_series_it_is_one_instance():
    master, alone = calendar([RULE], later()).split(b"BEGIN:VEVENT", 1)[0], block(calendar([RULE], later()), "At 11")
    data = b"".join(
        [master, b"BEGIN:VEVENT\r\n", *(f"{line}\r\n".encode() for line in alone), b"END:VEVENT\r\nEND:VCALENDAR\r\n"]
    )
    (key,) = view.strays(objects.parse(data))
    assert key == SECOND


# --- what becomes of its lines


OWN = "X-OWN;X-P=1:kept"
TEXT = calendar([RULE, "SUMMARY:Tea", "X-OF-ALL:1"], later("0309", 11, OWN))


def block(data, title):
    """The lines of the component with that title."""
    (found,) = [each for each in data.decode().split("BEGIN:VEVENT\r\n") if f"SUMMARY:{title}\r\n" in each]
    return found.split("END:VEVENT")[0].splitlines()


def test_a_title_of_the_series_touches_no_line_of_it(now):
    edited = edit.apply(TEXT, {(MASTER, "summary"): "Coffee"}, now=now)
    assert block(edited, "At 11") == block(TEXT, "At 11")
    assert starts(edited) == starts(TEXT)


def test_a_title_of_its_own_touches_that_line(now):
    edited = edit.apply(TEXT, {(onward.named(SECOND), "summary"): "Later"}, now=now)
    assert block(edited, "Tea") == block(TEXT, "Tea")
    kept = [line for line in block(TEXT, "At 11") if not line.startswith(("SUMMARY", "DTSTAMP"))]
    assert [line for line in block(edited, "Later") if not line.startswith(("SUMMARY", "DTSTAMP", "LAST-MOD"))] == kept


def test_an_instance_within_it_is_a_copy_of_it(now):
    full = seen(TEXT)
    one = replace(recurrence.inherited(full, FOURTH), summary="Once")
    edited = edit.apply(TEXT, diff(full, replace(full, overrides={**full.overrides, FOURTH: one})), now=now)
    assert block(edited, "At 11") == block(TEXT, "At 11")
    once = block(edited, "Once")
    assert OWN in once
    assert "X-OF-ALL:1" not in once
    assert f"RECURRENCE-ID;{BERLIN}:20260323T090000" in once
    assert f"DTSTART;{BERLIN}:20260323T110000" in once
    assert starts(edited) == starts(TEXT)


def test_where_its_first_instance_goes_its_own_way_it_begins_with_the_next(now):
    full = seen(TEXT)
    apart = recurrence.onward_from_next(full, SECOND)
    once = replace(apart.overrides[SECOND], summary="Once")
    edited = edit.apply(TEXT, diff(full, replace(apart, overrides={**apart.overrides, SECOND: once})), now=now)
    rest = block(edited, "At 11")
    assert OWN in rest
    assert f"RECURRENCE-ID;RANGE=THISANDFUTURE;{BERLIN}:20260316T090000" in rest
    assert f"DTSTART;{BERLIN}:20260316T110000" in rest
    assert OWN in block(edited, "Once")
    assert starts(edited) == starts(TEXT)
    assert seen(edited) == replace(apart, overrides={**apart.overrides, SECOND: once})


@pytest.mark.parametrize(
    ("overrides", "left"),
    [
        ([later("0406")], set()),  # the last one
        ([later("0309"), later("0316", 8)], {onward.named(THIRD)}),  # another one follows at once
        ([later("0309"), later("0323", 8)], {onward.named(THIRD), onward.named(FOURTH)}),
    ],
)
def test_it_goes_where_no_instance_is_left(overrides, left):
    full = seen(calendar([RULE], *overrides))
    first = onward.anchor(min(full.overrides))
    apart = recurrence.onward_from_next(full, first)
    assert set(apart.overrides) == {first, *left}
    assert recurrence.onward_from_next(apart, first) == apart


@pytest.mark.parametrize("wide", [True, False])
def test_a_range_that_becomes_one_instance_and_the_other_way_round_keeps_its_lines(now, wide):
    data = TEXT if wide else TEXT.replace(b";RANGE=THISANDFUTURE", b"")
    names = [onward.named(SECOND), SECOND] if wide else [SECOND, onward.named(SECOND)]
    full = seen(data)
    edited = edit.apply(data, diff(full, replace(full, overrides={names[1]: full.overrides[names[0]]})), now=now)
    assert list(seen(edited).overrides) == names[1:]
    assert OWN in block(edited, "At 11")
    assert edited.count(b"BEGIN:VEVENT") == 2


def test_it_follows_a_series_that_moves(now):
    full = seen(TEXT)
    by = dt.timedelta(hours=-2)
    when = replace(full.master.when, start=full.master.when.start + by, end=full.master.when.end + by)
    name, moved = onward.named("20260309T060000Z"), full.overrides[onward.named(SECOND)]
    after = replace(full, master=replace(full.master, when=when), overrides={name: moved})
    edited = edit.apply(TEXT, diff(full, after), now=now)
    assert seen(edited) == after
    assert OWN in block(edited, "At 11")
    assert f"RECURRENCE-ID;RANGE=THISANDFUTURE;{BERLIN}:20260309T070000" in block(edited, "At 11")
