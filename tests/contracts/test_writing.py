"""Creating, changing and deleting single events: in place, once, and without a mail (R2, R4, R12, R36)."""

import datetime as dt
from dataclasses import replace

import pytest

from bridge.errors import Gone, Unreachable, VersionMismatch
from bridge.ical.fields import EventFields, ObjectFields, Reminder, When
from tests.contracts.bench import Mirror, Typed, wall

KEY = "0123456789abcdefghijklmnopqrstuv"
OTHER_KEY = "v" * 32
UID = "5a7e-hub@example.com"
START = wall("2026-03-02 12:00")
HOUR = dt.timedelta(hours=1)


def single(summary="Dentist", zone="Europe/Vienna", start=START, end=START + HOUR, **more):
    return ObjectFields(EventFields(When(start, end, zone), summary=summary, **more))


def all_day(summary="Holiday", days=2):
    first = dt.date(2026, 3, 28)
    return ObjectFields(EventFields(When(first, first + dt.timedelta(days=days)), summary=summary))


KINDS = {
    "zoned": single(),
    "another zone": single(zone="America/New_York"),
    "an old zone name": single(zone="Europe/Kiev"),
    "UTC": single(zone="UTC"),
    "floating": single(zone=None),
    "all-day": all_day(),
    "one day": all_day(days=1),
    "no duration": single(end=START),
    "over midnight and over a DST change": single(start=wall("2026-03-28 22:00"), end=wall("2026-03-29 08:00")),
    "rich": single(
        description="Bring the card.\n<b>Not</b> hungry & früh\n\nEnd",
        location="Praxis, Stiege 2; Tür 7",
        transp="TRANSPARENT",
        classification="PRIVATE",
        reminders=(Reminder(10),),
        status="TENTATIVE",
        url="https://example.com/card?a=1&b=2",
        categories=("Health",),
        priority=1,
    ),
    "no title": single(summary=""),
    "cancelled": single(status="CANCELLED"),
    "public": single(classification="PUBLIC"),
    "several reminders": single(reminders=(Reminder(0), Reminder(15), Reminder(60, "EMAIL"))),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def create(bench, fields, key=KEY, uid=UID):
    return bench.remote.lens.read(bench.remote.create(fields, key=key, uid=uid))


def test_what_create_answers_is_what_was_meant(bench, kind):
    """The echo law: no change will be seen in it (R20)."""
    made = create(bench, kind)
    assert made.fields == bench.remote.lens.view(kind)
    assert bench.titles() == [made.fields.master.summary]
    assert bench.mails() == 0


def test_what_was_created_is_listed_as_answered(bench, kind, now):
    made = create(bench, kind)
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    assert {id: each.fields for id, each in mirror.objects().items()} == {made.id: made.fields}
    assert mirror.objects()[made.id].version == made.version


def test_the_service_shows_the_time_that_was_meant(bench):
    made = create(bench, single(zone="America/New_York"))
    shown = bench.occurrences(made.id, dt.datetime(2026, 3, 1, tzinfo=dt.UTC), dt.datetime(2026, 4, 1, tzinfo=dt.UTC))
    assert shown == [("20260302T170000Z", "Dentist")]


def test_r25_an_all_day_event_has_its_days_and_no_others(bench):
    made = create(bench, all_day(days=1))
    assert made.fields.master.when == When(dt.date(2026, 3, 28), dt.date(2026, 3, 29))
    shown = bench.occurrences(made.id, dt.datetime(2026, 3, 1, tzinfo=dt.UTC), dt.datetime(2026, 4, 1, tzinfo=dt.UTC))
    assert shown == [("2026-03-28", "Holiday")]


def test_r12_creating_again_makes_no_second_one(bench):
    first = create(bench, single())
    second = create(bench, single())
    assert (second.id, second.version, second.fields) == (first.id, first.version, first.fields)
    assert bench.titles() == ["Dentist"]


def test_r12_a_creation_whose_answer_was_lost_is_finished_by_the_next(bench):
    """R12: the connection died after the service had done it."""
    with bench.trouble("answer lost"), pytest.raises(Unreachable):
        create(bench, single())
    made = create(bench, single())
    assert bench.titles() == ["Dentist"]
    assert made.fields == bench.remote.lens.view(single())


def test_creating_again_with_other_contents_brings_it_there(bench):
    first = create(bench, single())
    second = create(bench, single("Dentist, moved", start=START + HOUR, end=START + 2 * HOUR))
    assert second.id == first.id
    assert second.fields.master.summary == "Dentist, moved"
    assert bench.titles() == ["Dentist, moved"]


def test_two_keys_make_two_events(bench):
    uid = "b3f1-hub@example.com" if bench.by_name else UID
    one, other = create(bench, single()), create(bench, single(), key=OTHER_KEY, uid=uid)
    assert one.id != other.id
    assert bench.titles() == ["Dentist", "Dentist"]


def test_creating_over_a_deleted_key_says_gone(bench):
    """Whoever deleted it meant it (G-45)."""
    made = create(bench, single())
    bench.remove(made.id)
    if not bench.remembers:
        assert (create(bench, single()).id == made.id) is bench.by_name
        assert bench.titles() == ["Dentist"]
        return
    with pytest.raises(Gone):
        create(bench, single())
    assert bench.titles() == []


def test_find_knows_what_a_key_made(bench):
    assert not bench.remote.find(KEY)
    made = create(bench, single())
    found = bench.remote.lens.read(bench.remote.find(KEY))
    assert (found.id, found.version, found.fields) == (made.id, made.version, made.fields)
    assert found.creation_key == KEY
    assert not bench.remote.find(OTHER_KEY)
    bench.remove(made.id)
    assert not bench.remote.find(KEY)


def test_get_of_a_deleted_event_says_gone(bench):
    id = bench.add(Typed("Dentist", START, START + HOUR))
    assert bench.remote.lens.read(bench.remote.get(id)).fields.master.summary == "Dentist"
    bench.remove(id)
    with pytest.raises(Gone):
        bench.remote.get(id)


def test_get_of_an_unknown_event_says_gone(bench):
    with pytest.raises(Gone):
        bench.remote.get("0" * 26)


CHANGES = {
    "title": lambda event: replace(event, summary="Dentist again"),
    "no title": lambda event: replace(event, summary=""),
    "description": lambda event: replace(event, description="Bring the card"),
    "location": lambda event: replace(event, location="Stiege 2"),
    "time": lambda event: replace(event, when=When(START + HOUR, START + 3 * HOUR, "Europe/Vienna")),
    "zone": lambda event: replace(event, when=replace(event.when, zone="Asia/Tokyo")),
    "all-day": lambda event: replace(event, when=When(dt.date(2026, 3, 2), dt.date(2026, 3, 3))),
    "show as": lambda event: replace(event, transp="TRANSPARENT"),
    "privacy": lambda event: replace(event, classification="PRIVATE"),
    "reminder": lambda event: replace(event, reminders=(Reminder(30),)),
    "no reminder": lambda event: replace(event, reminders=()),
    "everything": lambda event: EventFields(
        When(dt.date(2026, 3, 2), dt.date(2026, 3, 3)), summary="Off", classification="PRIVATE"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_r4_an_update_changes_in_place_with_one_write(bench, change):
    before = create(bench, single(description="Old", location="Old", reminders=(Reminder(5),)))
    target = replace(before.fields, master=CHANGES[change](before.fields.master))
    writes = bench.writes()
    after = bench.remote.lens.read(bench.remote.update(before, target))
    assert after.fields == bench.remote.lens.view(target)
    assert after.id == before.id
    assert after.version != before.version
    assert bench.writes() == writes + 1
    assert bench.remote.lens.read(bench.remote.get(before.id)).fields == after.fields
    assert bench.titles() == [target.master.summary]
    assert bench.mails() == 0


def test_from_all_day_to_timed(bench):
    before = create(bench, all_day())
    after = bench.remote.lens.read(bench.remote.update(before, single("Holiday")))
    assert after.fields == bench.remote.lens.view(single("Holiday"))


def test_an_update_without_a_difference_asks_nothing(bench, kind):
    made = create(bench, kind)
    requests = bench.requests()
    assert bench.remote.lens.read(bench.remote.update(made, kind)).version == made.version
    assert bench.requests() == requests


def test_r36_an_update_of_what_the_owner_has_edited_is_refused(bench):
    """The version is the one merged from, not the newest (R36)."""
    stale = create(bench, single())
    bench.retitle(stale.id, "By hand")
    with pytest.raises(VersionMismatch):
        bench.remote.update(stale, single("By us"))
    assert bench.titles() == ["By hand"]


def test_an_update_of_what_the_owner_has_deleted_says_gone(bench):
    made = create(bench, single())
    bench.remove(made.id)
    with pytest.raises(Gone):
        bench.remote.update(made, single("By us"))
    assert bench.titles() == []


def test_an_update_whose_answer_was_lost_ends_in_the_same_state(bench):
    before = create(bench, single())
    with bench.trouble("answer lost"), pytest.raises(Unreachable):
        bench.remote.update(before, single("Again"))
    now = bench.remote.lens.read(bench.remote.get(before.id))
    after = bench.remote.lens.read(bench.remote.update(now, single("Again")))
    assert after.fields.master.summary == "Again"
    assert bench.titles() == ["Again"]


def test_delete_deletes_and_is_told(bench, now):
    made = create(bench, single())
    mirror = Mirror(bench.remote, now)
    mirror.follow()
    bench.remote.delete(made)
    assert bench.titles() == []
    assert made.id in mirror.follow()
    assert mirror.objects() == {}
    assert bench.mails() == 0


def test_deleting_what_is_gone_is_success(bench):
    made = create(bench, single())
    bench.remote.delete(made)
    bench.remote.delete(made)
    assert bench.titles() == []


def test_deleting_what_the_owner_has_edited_is_refused(bench):
    stale = create(bench, single())
    bench.retitle(stale.id, "By hand")
    with pytest.raises(VersionMismatch):
        bench.remote.delete(stale)
    assert bench.titles() == ["By hand"]


def test_what_the_owner_typed_can_be_updated(bench):
    id = bench.add(Typed("Dentist", START, START + HOUR))
    current = bench.remote.lens.read(bench.remote.get(id))
    assert not current.organized_elsewhere
    target = replace(current.fields, master=replace(current.fields.master, location="Stiege 2"))
    after = bench.remote.lens.read(bench.remote.update(current, target))
    assert (after.fields.master.summary, after.fields.master.location) == ("Dentist", "Stiege 2")
