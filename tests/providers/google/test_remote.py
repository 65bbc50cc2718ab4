"""What only Google does: its moods where the facts leave room, the switch against mails, someone else's meetings."""

import datetime as dt
from dataclasses import replace
from unittest import mock

import pytest

from bridge.errors import Gone, Refused, Throttled, Unreachable
from bridge.ical.fields import EventFields, ObjectFields, Reminder, When
from tests.contracts.bench import Mirror, Typed, wall

KEY = "0123456789abcdefghijklmnopqrstuv"
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
START = wall("2026-03-16 09:00")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
MASTER = EventFields(When(START, START + HOUR, "Europe/Vienna"), summary="Standup")


def moved(day, by=HOUR):
    start = START + day * DAY + by
    return replace(MASTER, when=When(start, start + HOUR, "Europe/Vienna"))


DAILY = ObjectFields(
    MASTER,
    ("RRULE:FREQ=DAILY;COUNT=9",),
    {"20260317T080000Z": moved(1), "20260319T080000Z": moved(3)},
    frozenset({"20260318T080000Z"}),
)
LONGER = replace(DAILY, recurrence=("RRULE:FREQ=DAILY;COUNT=12",))


def create(bench, fields):
    return bench.remote.lens.read(bench.remote.create(fields, key=KEY, uid="hub-uid"))


def update(bench, current, target):
    return bench.remote.lens.read(bench.remote.update(current, target))


def get(bench, id):
    return bench.remote.lens.read(bench.remote.get(id))


@pytest.mark.parametrize("dropped", ["stale", "all"])
def test_g66_a_changed_rule_keeps_what_became_of_the_series(bench, dropped):
    bench.service.configure({"dropped_exceptions": dropped})
    after = update(bench, create(bench, DAILY), LONGER)
    assert after.fields == bench.remote.lens.view(LONGER)
    assert get(bench, after.id).fields == after.fields


def test_a_rule_that_ends_before_all_that_is_left_empties_the_series(bench):
    """Google refuses a rule with nothing but excluded instances: the last one is cancelled as an instance."""
    current = create(bench, ObjectFields(MASTER, ("RRULE:FREQ=DAILY;COUNT=2",)))
    emptied = ObjectFields(MASTER, ("RRULE:FREQ=DAILY;UNTIL=20260316T080000Z",), {}, frozenset({"20260316T080000Z"}))
    assert update(bench, current, emptied).fields == bench.remote.lens.view(emptied)
    revived = replace(emptied, cancelled=frozenset())
    assert update(bench, get(bench, current.id), revived).fields == bench.remote.lens.view(revived)


def test_g66_exceptions_dropped_without_a_word_are_forgotten(bench):
    """Google tells of the master only; the page says that it is the whole series."""
    bench.service.configure({"dropped_exceptions": "all"})
    made = create(bench, DAILY)
    mirror = Mirror(bench.remote, NOW)
    mirror.follow()
    bench.change_rule(made.id, "FREQ=DAILY;COUNT=12")
    mirror.follow()
    followed = mirror.objects()[made.id]
    assert followed.fields.overrides == {}
    assert followed.fields == get(bench, made.id).fields


@pytest.mark.parametrize("pages", ["short", "empty"])
def test_g26_short_and_empty_pages_are_not_the_end(bench, pages):
    ids = {bench.add(Typed(f"Meeting {number}", START, START + HOUR)) for number in range(9)}
    bench.service.configure({"pages": pages})
    bench.page_size(4)
    mirror = Mirror(bench.remote, NOW)
    mirror.follow()
    assert set(mirror.objects()) == ids
    assert mirror.pages > 3


def test_r20_what_google_rewrites_is_one_write_and_then_none(bench):
    bench.service.configure({"rewrites": True})
    fields = replace(DAILY, master=replace(MASTER, description="Two  blanks \n\n and <b>bold</b>  "))
    fields = replace(
        fields, overrides={key: replace(each, description="x  y ") for key, each in DAILY.overrides.items()}
    )
    made = create(bench, fields)
    writes = bench.writes()
    assert update(bench, made, made.fields).version == made.version
    mirror = Mirror(bench.remote, NOW)
    mirror.follow()
    assert mirror.objects()[made.id].fields == made.fields
    assert bench.writes() == writes


def test_g62_full_tombstones_are_deletions_too(bench):
    bench.service.configure({"full_tombstones": True})
    made = create(bench, DAILY)
    mirror = Mirror(bench.remote, NOW)
    mirror.follow()
    bench.remove(made.id)
    assert made.id in mirror.follow()
    assert mirror.objects() == {}
    anew = Mirror(bench.remote, NOW)
    anew.follow()
    assert anew.objects() == {}


def test_a_series_deleted_over_several_pages_leaves_no_orphans(bench):
    made = create(bench, DAILY)
    bench.remove_occurrence(made.id, START + 5 * DAY)
    mirror = Mirror(bench.remote, NOW)
    mirror.follow()
    bench.remove(made.id)
    bench.page_size(1)
    mirror.follow()
    assert mirror.items == {}


def test_r2_every_write_says_that_nobody_is_to_be_told(bench):
    """Checked on the wire: the service would mail the guests of this meeting for each of them."""
    id = bench._call(
        "POST",
        "",
        json={
            "summary": "Review",
            "start": {"dateTime": "2026-03-16T09:00:00", "timeZone": "Europe/Vienna"},
            "end": {"dateTime": "2026-03-16T10:00:00", "timeZone": "Europe/Vienna"},
            "recurrence": ["RRULE:FREQ=DAILY;COUNT=5"],
            "attendees": [{"email": "sam@example.com"}, {"email": "someone@elsewhere.example"}],
        },
    )["id"]
    bench.service.meter.reset()
    current = get(bench, id)
    target = replace(
        current.fields,
        master=replace(current.fields.master, summary="Review 2"),
        overrides={"20260317T080000Z": replace(moved(1), summary="Review 2")},
        cancelled=frozenset({"20260318T080000Z"}),
    )
    after = update(bench, current, target)
    assert after.fields == bench.remote.lens.view(target)
    bench.remote.delete(after)
    assert bench.service.meter.writes >= 4
    assert bench.mails() == 0
    assert bench.service.meter.with_attendees == 0


def test_r3_of_someone_elses_meeting_only_the_own_share_is_written(bench, sandbox):
    with sandbox.google.transaction():
        sandbox.google.writer("sam@example.com").insert(
            {
                "summary": "Sam's review",
                "start": {"dateTime": "2026-03-16T09:00:00", "timeZone": "Europe/Vienna"},
                "end": {"dateTime": "2026-03-16T10:00:00", "timeZone": "Europe/Vienna"},
                "attendees": [{"email": "alex@example.com"}],
            }
        )
    mirror = Mirror(bench.remote, NOW)
    mirror.follow()
    (invited,) = mirror.objects().values()
    assert invited.organized_elsewhere
    master = replace(invited.fields.master, summary="Mine", location="Here", reminders=(Reminder(5),))
    writes = bench.writes()
    after = update(bench, invited, replace(invited.fields, master=master))
    assert bench.writes() == writes + 1
    assert after.fields.master == replace(invited.fields.master, reminders=(Reminder(5),))
    requests = bench.requests()
    assert update(bench, after, replace(after.fields, master=replace(after.fields.master, summary="Mine"))) == after
    assert bench.requests() == requests


def test_x56_reminders_of_the_calendar_stay_its_own(bench):
    """Read as none, and an edit of something else does not say anything about them."""
    id = bench.add(Typed("Dentist", START, START + HOUR))
    current = get(bench, id)
    assert current.fields.master.reminders == ()
    update(bench, current, replace(current.fields, master=replace(current.fields.master, summary="Dentist!")))
    assert bench._call("GET", f"/{id}")["reminders"] == {"useDefault": True}


def test_properties_that_are_not_ours_survive(bench):
    id = bench._call(
        "POST",
        "",
        json={
            "summary": "Call",
            "start": {"date": "2026-03-16"},
            "end": {"date": "2026-03-17"},
            "colorId": "3",
            "guestsCanModify": True,
            "extendedProperties": {"private": {"other": "x"}},
        },
    )["id"]
    current = get(bench, id)
    master = EventFields(MASTER.when, summary="Phone", color=current.fields.master.color)
    update(bench, current, replace(current.fields, master=master))
    held = bench._call("GET", f"/{id}")
    assert (held["summary"], held["colorId"], held["guestsCanModify"]) == ("Phone", "3", True)
    assert held["extendedProperties"] == {"private": {"other": "x"}}


def test_g83_an_address_nobody_may_call_is_refused(bench):
    with pytest.raises(Refused):
        bench.remote.watch(channel_id="c", address="http://hub.example/push", secret="s" * 32, now=NOW)


def test_g92_a_spent_quota_means_an_hour(bench, sandbox):
    body = {"error": {"code": 403, "errors": [{"domain": "usageLimits", "reason": "quotaExceeded"}]}}
    sandbox.faults.inject(path="^/google/calendar", status=403, body=body)
    with pytest.raises(Throttled) as caught:
        bench.remote.find(KEY)
    assert caught.value.retry_after == 3600


@pytest.mark.parametrize("body", [b"", b"<html>proxy</html>", b"{}"])
def test_r7_an_answer_that_is_no_listing_is_no_empty_calendar(bench, sandbox, body):
    sandbox.faults.inject(path="^/google/calendar", status=200, body=body)
    with pytest.raises(Unreachable):
        bench.remote.page(None, now=NOW)


def test_r7_an_answer_that_is_no_event_is_no_event_that_has_gone(bench, sandbox):
    made = create(bench, DAILY)
    sandbox.faults.inject(path="^/google/calendar", status=200, body=b"{}")
    with pytest.raises(Unreachable):
        bench.remote.get(made.id)


def test_r32_an_event_of_the_year_nought_does_not_stop_its_calendar(bench, sandbox):
    """So Google dates some old events that were imported."""
    create(bench, DAILY)
    first = bench.remote.page(None, now=NOW)
    with sandbox.google.transaction():
        sandbox.google.writer("alex@example.com").patch(KEY, {"summary": "Old"})
    answer = bench.remote._api.execute

    def dated(request, **more):
        found = answer(request, **more)
        for event in found.get("items", ()):
            event |= {"created": "0000-12-31T00:00:00.000Z", "sequence": 0}
        return found

    with mock.patch.object(type(bench.remote._api), "execute", staticmethod(dated)):
        page = bench.remote.page(first.cursor, now=NOW)
    assert {each.series for each in page.items} == {KEY}


def test_a_calendar_that_cannot_be_seen_any_more_does_not_make_its_events_gone(bench, sandbox):
    calendar = sandbox.google.add_calendar("sam@example.com", "Team")
    sandbox.google.share(calendar.id, "alex@example.com", "writer")
    found = [each for each in bench.account.calendars() if each.id == calendar.id]
    remote = bench.account.remote(found[0] if found else replace(bench.calendar, id=calendar.id))
    first = remote.page(None, now=NOW)
    sandbox.google.share(calendar.id, "alex@example.com", "none")
    for cursor in (None, first.cursor):
        with pytest.raises((Refused, Unreachable)) as caught:
            remote.page(cursor, now=NOW)
        assert not isinstance(caught.value, Gone)


def test_a_calendar_id_is_escaped(bench, sandbox):
    """G-16: ids hold @ and #."""
    calendar = sandbox.google.add_calendar("alex@example.com", "Second", zone="America/New_York")
    found = next(each for each in bench.account.calendars() if each.id == calendar.id)
    assert (found.zone, found.writable, found.primary) == ("America/New_York", True, False)
    remote = bench.account.remote(found)
    floating = ObjectFields(EventFields(When(START, START + HOUR), summary="Tea"))
    made = remote.lens.read(remote.create(floating, key=KEY, uid="hub-uid"))
    assert made.fields.master.when.zone == "America/New_York"
    assert not made.organized_elsewhere


def test_g20_readers_do_not_write(bench, sandbox):
    for role, writable in (("reader", False), ("freeBusyReader", False), ("writer", True)):
        calendar = sandbox.google.add_calendar("sam@example.com", f"Team {role}")
        sandbox.google.share(calendar.id, "alex@example.com", role)
        with sandbox.google.transaction() as state:
            state.list_calendar(state.person("alex@example.com"), state.calendars[calendar.id])
        found = next(each for each in bench.account.calendars() if each.id == calendar.id)
        assert found.writable is writable
