"""What goes over the wire to Graph, and what must not (R1, R3, R26, R34), against the simulated service."""

import datetime as dt
import json
from dataclasses import replace

import pytest

from bridge.errors import CursorLost, Gone, Refused, Unmappable, VersionMismatch
from bridge.ical.fields import EventFields, ObjectFields, Reminder, When
from bridge.sync.ports import Channel
from tests.contracts.bench import Mirror, Typed

PERSON = "alex@example.com"
KEY = "0123456789abcdefghijklmnopqrstuv"
START = dt.datetime.fromisoformat("2026-03-02 12:00")
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
DAILY = "RRULE:FREQ=DAILY;COUNT=5"


def event(title="Lunch", start=START, **more):
    return EventFields(When(start, start + HOUR, "Europe/Berlin"), summary=title, **more)


def series(**more):
    return ObjectFields(event(), (DAILY,), **more)


def create(bench, fields):
    return bench.remote.lens.read(bench.remote.create(fields, key=KEY, uid="hub"))


def get(bench, id):
    return bench.remote.lens.read(bench.remote.get(id))


def everything(bench):
    """A life of a series with most of what may be written."""
    moved = {"20260304T110000Z": event("Moved", START + 2 * DAY + HOUR)}
    made = create(bench, series(overrides=moved, cancelled=frozenset({"20260303T110000Z"})))
    made = bench.remote.lens.read(bench.remote.update(made, replace(made.fields, master=event("Brunch", START + HOUR))))
    bench.remote.create(made.fields, key=KEY, uid="hub")
    bench.remote.delete(get(bench, made.id))


def test_r1_attendees_are_in_no_request(bench, sent):
    everything(bench)
    assert len(sent) > 5
    assert not [body for _, _, body in sent if body and "attendees" in json.dumps(body)]
    assert bench.service.meter.with_attendees == 0
    assert bench.mails() == 0


def test_m64_places_that_were_not_asked_for_once_are_read_before_they_are_written(bench):
    """What the inbox holds from before has no ``locations``: a write would leave one of them."""
    made = create(bench, ObjectFields(event(location="Café")))
    room = {"displayName": "Room 5", "locationEmailAddress": "room5@example.com"}
    bench.remote._api.patch(bench.remote._events.path(made.id), {"locations": [{"displayName": "Café"}, room]})
    there = get(bench, made.id)
    (now,) = there.items
    old = replace(now, payload={name: value for name, value in now.payload.items() if name != "locations"})
    target = replace(there.fields, master=replace(there.fields.master, location="Park; Room 5"))
    (after,) = bench.remote.update(replace(there, items=[old]), target)
    assert [each["displayName"] for each in after.payload["locations"]] == ["Park", "Room 5"]
    assert after.payload["locations"][1]["locationEmailAddress"] == "room5@example.com"
    stale = replace(old, payload=old.payload | {"@odata.etag": made.items[0].payload["@odata.etag"]})
    with pytest.raises(VersionMismatch):
        bench.remote.update(replace(there, items=[stale]), target)


def test_r34_the_transaction_id_is_sent_at_creation_only(bench, sent):
    everything(bench)
    assert {method for method, _, body in sent if body and "transactionId" in body} == {"POST"}
    assert {method for method, _, body in sent if body and "singleValueExtendedProperties" in body} == {"POST"}


def test_a_rule_is_sent_with_the_first_day_of_the_week_and_nothing_unused(bench, sent):
    """R34, M-43."""
    create(bench, ObjectFields(event(), ("RRULE:FREQ=WEEKLY",)))
    assert sent[0][2]["recurrence"] == {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
        "range": {"type": "noEnd", "startDate": "2026-03-02"},
    }


def test_a_patch_holds_only_what_differs(bench, sent):
    made = create(bench, ObjectFields(event(description="Old")))
    bench.remote.update(made, ObjectFields(event("Brunch", description="Old")))
    assert sent[-1] == ("PATCH", sent[-1][1], {"subject": "Brunch"})


# --- other people's meetings ----------------------------------------------------------------------------------------


@pytest.fixture
def meeting(bench):
    body = {
        "subject": "Their meeting",
        "start": {"dateTime": "2026-03-02T11:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-03-02T12:00:00", "timeZone": "UTC"},
    }
    return get(bench, bench.service.receive_invitation(PERSON, "eve@elsewhere.example", body))


def test_r3_someone_elses_meeting_takes_only_what_is_mine(bench, meeting, sent):
    assert meeting.organized_elsewhere
    mine = replace(meeting.fields.master, reminders=(Reminder(5),), transp="TRANSPARENT", show_as="")
    after = bench.remote.lens.read(bench.remote.update(meeting, ObjectFields(mine)))
    assert after.fields.master == mine
    assert [(method, sorted(body)) for method, _, body in sent] == [
        ("PATCH", ["isReminderOn", "reminderMinutesBeforeStart", "showAs"])
    ]
    assert bench.mails() == 0


@pytest.mark.parametrize(
    "change", [{"summary": "Mine"}, {"when": When(START, START + HOUR, "UTC")}, {"location": "Here"}]
)
def test_r3_anything_else_is_refused_before_it_is_sent(bench, meeting, sent, change):
    target = ObjectFields(replace(meeting.fields.master, reminders=(), **change))
    with pytest.raises(Refused):
        bench.remote.update(meeting, target)
    assert sent == []


def test_m59_a_meeting_called_off_does_not_block_its_time(bench, meeting):
    bench.service.organizer_cancels(PERSON, meeting.id)
    assert get(bench, meeting.id).fields.master.transp == "TRANSPARENT"


def test_m60_the_body_of_an_online_meeting_is_left_alone(bench, sent):
    body = {
        "subject": "Call",
        "start": {"dateTime": "2026-03-02T11:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-03-02T12:00:00", "timeZone": "UTC"},
        "isOnlineMeeting": True,
    }
    call = get(bench, bench.service.create(PERSON, body))
    assert call.items[0].payload["isOnlineMeeting"]
    target = replace(call.fields.master, summary="Our call", description="Ours")
    after = bench.remote.lens.read(bench.remote.update(call, ObjectFields(target)))
    assert sent[-1][2] == {"subject": "Our call"}
    assert after.fields.master.description == call.fields.master.description


# --- occurrences ----------------------------------------------------------------------------------------------------


def test_x38_an_occurrence_beyond_its_neighbour_is_refused_with_a_reason(bench):
    made = create(bench, series())
    far = {"20260304T110000Z": event(start=START + 5 * DAY)}
    with pytest.raises(Unmappable, match="neighbour"):
        bench.remote.update(made, series(overrides=far))
    assert get(bench, made.id).fields == made.fields


def test_x38_the_others_are_written_all_the_same(bench):
    """R32: one bad occurrence does not hold up the rest."""
    made = create(bench, series())
    mixed = {"20260304T110000Z": event(start=START + 5 * DAY), "20260305T110000Z": event("Other", START + 3 * DAY)}
    with pytest.raises(Unmappable):
        bench.remote.update(made, series(overrides=mixed))
    assert get(bench, made.id).fields.overrides.keys() == {"20260305T110000Z"}


def test_rule_29_a_creation_that_cannot_be_finished_leaves_nothing(bench):
    with pytest.raises(Unmappable):
        create(bench, series(overrides={"20260304T110000Z": event(start=START + 5 * DAY)}))
    assert bench.titles() == []


def test_rule_13_the_nth_of_several_weekdays_is_read_back(bench):
    fields = ObjectFields(event(start=START + DAY), ("RRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=2;COUNT=4",))
    reads = bench.service.meter.routes["GET /calendars/<calendar>/events/<event>/instances"]
    assert create(bench, fields).fields == bench.remote.lens.view(fields)
    assert bench.service.meter.routes["GET /calendars/<calendar>/events/<event>/instances"] == reads + 1


def test_many_cancelled_occurrences_are_found_by_few_listings(bench):
    rule = "RRULE:FREQ=DAILY;COUNT=400"
    keys = frozenset(f"{START + number * DAY:%Y%m%d}T110000Z" for number in range(1, 20))
    made = create(bench, ObjectFields(event(), (rule,), cancelled=keys - {"20260329T110000Z"}))
    assert len(made.fields.cancelled) == 19
    listings = bench.service.meter.routes["GET /calendars/<calendar>/events/<event>/instances"]
    assert listings <= 2


# --- reading ---------------------------------------------------------------------------------------------------------


def test_r26_a_window_that_has_drifted_is_opened_anew(bench, now):
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    assert bench.remote.page(mirror.cursor, now=now + 29 * DAY)
    with pytest.raises(CursorLost):
        bench.remote.page(mirror.cursor, now=now + 31 * DAY)


def test_m23_what_leaves_the_window_is_not_certainly_gone(bench, now):
    id = bench.add(Typed("Lunch", START, START + HOUR))
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    mirror.follow()
    far = START.replace(year=2035)
    bench.reschedule(id, far, far + HOUR)
    page = bench.remote.page(mirror.cursor, now=now)
    told = [removal for removal in page.removals if removal.id == id]
    assert all(not removal.certain for removal in told)
    assert told
    assert get(bench, id).fields.master.when.start.year == 2035


def test_events_outside_the_window_are_listed(bench, now):
    for year in (2001, 2040):
        start = START.replace(year=year)
        bench.add(Typed(str(year), start, start + HOUR))
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    assert len(mirror.objects()) == 2


@pytest.mark.parametrize("rule", ["", "FREQ=DAILY;COUNT=3"])
def test_m23_new_beyond_the_window_is_told_as_removed_and_is_there(bench, now, rule):
    bench.add(Typed("Standup", START, START + HOUR, rule="FREQ=DAILY;COUNT=9"))
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    mirror.follow()
    far = START.replace(year=2040)
    id = bench.add(Typed("Jubilee", far, far + HOUR, rule=rule))
    told = [each.id for each in bench.remote.page(mirror.cursor, now=now).removals]
    assert id in told
    requests = bench.requests()
    (found,), _ = bench.remote.behind(told)
    assert bench.requests() == requests + 1  # a batch counts as what it asks for
    assert bench.remote.lens.read([found]).fields.master.summary == "Jubilee"


def test_a_series_is_read_once_a_page_however_many_occurrences_are_told(bench, now):
    id = bench.add(Typed("Standup", START, START + HOUR, rule="FREQ=DAILY;COUNT=30"))
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    bench.retitle(id, "Scrum")
    reads = bench.service.meter.routes["GET /calendars/<calendar>/events/<event>"]
    assert mirror.follow() == {id}
    assert bench.service.meter.routes["GET /calendars/<calendar>/events/<event>"] <= reads + mirror.pages


def test_a_link_to_elsewhere_is_never_followed(bench, now):
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    cursor = json.loads(mirror.cursor)
    cursor["link"] = cursor["link"].replace("127.0.0.1", "evil.example")
    requests = bench.requests()
    with pytest.raises(CursorLost):
        bench.remote.page(json.dumps(cursor), now=now)
    with pytest.raises(Refused):
        bench.remote.listing.events.api.follow("https://evil.example/v1.0/me/events")
    assert bench.requests() == requests


def test_r9_a_copy_is_an_event_of_its_own_and_not_found_by_the_originals_key(bench, now):
    """S-03: Outlook copies the marks too."""
    made = create(bench, ObjectFields(event()))
    copy = bench.service.copy(PERSON, made.id)
    assert [each.id for each in bench.remote.find(KEY)] == [made.id]
    bench.remote.update(made, ObjectFields(event("Brunch")))
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    assert {id: each.fields.master.summary for id, each in mirror.objects().items()} == {
        made.id: "Brunch",
        copy: "Lunch",
    }


def test_what_was_dragged_into_another_calendar_is_gone_from_this_one(bench):
    made = create(bench, ObjectFields(event()))
    box = bench.service.box(PERSON)
    bench.client.post("me/calendars", json={"name": "Other"}).raise_for_status()
    bench.service.move(PERSON, made.id, "Other")
    assert len(box.events) == 1
    with pytest.raises(Gone):
        bench.remote.get(made.id)
    other = next(each for each in bench.account.calendars() if each.name == "Other")
    assert bench.account.remote(other).get(made.id)


def test_a_calendar_that_is_gone_is_no_event_that_is_gone(bench, now):
    bench.client.post("me/calendars", json={"name": "Other"}).raise_for_status()
    other = next(each for each in bench.account.calendars() if each.name == "Other")
    remote = bench.account.remote(other)
    bench.client.delete(f"me/calendars/{other.id}").raise_for_status()
    with pytest.raises(Refused):
        remote.page(None, now=now)
    with pytest.raises(Refused):
        remote.create(ObjectFields(event()), key=KEY, uid="hub")


# --- subscriptions ---------------------------------------------------------------------------------------------------


def test_m70_m74_a_subscription_that_is_gone_is_made_anew(bench, receiver):
    now = dt.datetime.now(dt.UTC)
    gone = Channel("00000000-0000-0000-0000-000000000000", "/me/events", now)
    made = bench.remote.renew(gone, address=receiver.address, secret="s" * 32, channel_id="x", now=now)
    assert made.id != gone.id
    assert 6 * DAY < made.expires - now < 7 * DAY
    again = bench.remote.renew(made, address=receiver.address, secret="s" * 32, channel_id="y", now=now + HOUR)
    assert (again.id, again.expires - made.expires) == (made.id, HOUR)
