"""Answers that get lost, cursors that are forgotten, deletions in masses, accounts that go and come back."""

import pytest

from bridge.services import connecting, pairing
from bridge.store import pairs
from tests.contracts.bench import Typed
from tests.e2e.dates import FROM, TO, ZONE
from tests.support.bridged import PERSON, at, event, shown

API = {
    "google": r"^/google/(calendar|batch)/",
    "microsoft": r"^/microsoft/v1\.0/",
}


def expected(titles):
    return [shown(at(1, 9), at(1, 10), title) for title in titles]


def patiently(story):
    """Cycle until no error and no write is left; time passes between, for what waits after a failure."""
    for _ in range(12):
        done = [story.cycle(each) for each in story.pairs]
        story.pass_by(hours=7)
        if not any(each.error or each.hub_writes or each.remote_writes for each in done):
            return
    raise AssertionError(done)


def everything(story):
    """One of each kind of write waits for both services."""
    story.phone.put("new", event("New", at(1, 9), at(1, 10)))
    story.phone.put(
        "new series",
        event("Weekly", at(0, 9), at(0, 10), "RRULE:FREQ=WEEKLY;COUNT=10", _exdate(7)),
        event("Moved", at(15, 11), at(15, 12), _recurrence_id(14)),
    )
    story.phone.edit("old", "SUMMARY:Old", "SUMMARY:Older")
    story.phone.put(
        "old series",
        event("Stand-up", at(0, 12), at(0, 13), "RRULE:FREQ=WEEKLY;COUNT=10", _exdate(21, 12)),
        event("Seated", at(15, 14), at(15, 15), _recurrence_id(14, 12)),
    )
    story.phone.remove("gone")


def _exdate(day, hour=9):
    return f"EXDATE;TZID={ZONE}:{at(day, hour):%Y%m%dT%H%M%S}"


def _recurrence_id(day, hour=9):
    return f"RECURRENCE-ID;TZID={ZONE}:{at(day, hour):%Y%m%dT%H%M%S}"


def _before(story):
    story.phone.put("old", event("Old", at(1, 9), at(1, 10)))
    story.phone.put("old series", event("Stand-up", at(0, 12), at(0, 13), "RRULE:FREQ=WEEKLY;COUNT=10"))
    story.phone.put("gone", event("Gone", at(1, 9), at(1, 10)))
    story.settle()


@pytest.mark.parametrize(("phase", "trouble"), [("before", {"drop": True}), ("after", {"status": 500})])
def test_r12_the_answer_to_every_write_is_lost_once(story, phase, trouble):
    _before(story)
    everything(story)
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        for path in API.values():
            story.sandbox.faults.inject(method=method, path=path, phase=phase, **trouble)
    patiently(story)
    story.sandbox.faults.clear()
    story.settle(story.phone.shows(FROM, TO))


@pytest.mark.parametrize("number", [1, 3, 5])
def test_r12_the_answer_to_one_of_the_writes_is_lost(story, number):
    """Writes before it are answered: an event that delays nothing takes their place in the list of faults."""
    _before(story)
    everything(story)
    for path in API.values():
        if number > 1:
            story.sandbox.faults.inject(method="POST|PATCH|DELETE", path=path, times=number - 1, delay=0.001)
        story.sandbox.faults.inject(method="POST|PATCH|DELETE", path=path, phase="after", drop=True)
    patiently(story)
    story.sandbox.faults.clear()
    story.settle(story.phone.shows(FROM, TO))


def test_r13_cursors_forgotten_in_the_middle(story):
    _before(story)
    story.google.retitle(story.google.find("Old"), "Older")
    story.graph.remove(story.graph.find("Gone"))
    story.phone.put("new", event("New", at(1, 9), at(1, 10)))
    story.google.add(Typed("Fresh", at(1, 9), at(1, 10), zone=ZONE))
    story.sandbox.google.expire_sync_tokens()
    story.sandbox.microsoft.lose_sync_state()
    story.cycle("google")
    story.sandbox.google.expire_sync_tokens()
    story.sandbox.microsoft.lose_sync_state()
    seen = story.settle()
    singles = sorted(title for _, _, title in seen if title != "Stand-up")
    assert singles == ["Fresh", "New", "Older"]


def test_r14_a_listing_that_breaks_off_deletes_nothing(story):
    _before(story)
    story.sandbox.google.expire_sync_tokens()
    story.sandbox.microsoft.lose_sync_state()
    for path in API.values():
        story.sandbox.faults.inject(method="GET", path=path, status=503, times=1)
        story.sandbox.faults.inject(method="GET", path=path, times=1, phase="after", status=200, body={"value": []})
    for _ in range(4):
        for provider in story.pairs:
            story.cycle(provider)
            assert len(story.phone.stored()) == 3
    story.sandbox.faults.clear()
    patiently(story)
    story.settle()
    assert len(story.phone.stored()) == 3


@pytest.mark.parametrize("answer", [{}, {"value": []}, b"<html>Sign in</html>"])
def test_r7_an_empty_or_foreign_answer_is_unknown_and_never_empty(story, answer):
    _before(story)
    for lose in (False, True):
        if lose:
            story.sandbox.google.expire_sync_tokens()
            story.sandbox.microsoft.lose_sync_state()
        for path in API.values():
            story.sandbox.faults.inject(method="GET", path=path, status=200, body=answer, times=3)
        for _ in range(4):
            for provider in story.pairs:
                outcome = story.cycle(provider)
                assert outcome.error is None or "caldav-bridge itself" not in outcome.error, outcome
        story.sandbox.faults.clear()
        assert len(story.phone.stored()) == 3
    patiently(story)
    assert len(story.settle()) == 12


def many(story, count=25):
    for number in range(count):
        story.phone.put(f"e{number}", event(f"Event {number}", at(1, 9), at(1, 10)))
    story.settle()


@pytest.mark.parametrize("where", ["google", "graph"])
def test_r6_sixty_per_cent_deleted_at_a_service_waits_for_a_yes(story, where):
    many(story)
    side, provider = getattr(story, where), {"google": "google", "graph": "microsoft"}[where]
    for number in range(15):
        side.remove(side.find(f"Event {number}"))
    for _ in range(2):
        assert story.cycle(provider).parked
    assert len(story.phone.stored()) == 25
    other = next(each for each in story.pairs if each != provider)
    assert not story.cycle(other).parked
    with story.context.database.write() as conn:
        pairs.approve(conn, story.pairs[provider], now=story.context.now())
    story.cycle(provider)
    assert len(story.phone.stored()) == 10
    # the person has said yes once, for the calendar; yet nobody asked about the other account
    assert story.cycle(other).parked
    with story.context.database.write() as conn:
        pairs.approve(conn, story.pairs[other], now=story.context.now())
    story.settle(expected(f"Event {number}" for number in range(15, 25)))


def test_r6_a_phone_that_deletes_everything_waits_for_a_yes(story):
    many(story)
    for uid in story.phone.stored():
        story.phone.remove(uid)
    for provider in story.pairs:
        assert story.cycle(provider).parked
    assert len(story.google.titles()) == len(story.graph.titles()) == 25


def test_r6_the_hub_loses_everything_and_gets_it_back_by_edits_at_google(story):
    """While a plan is parked, edits of the other side are not lost."""
    many(story)
    for uid in story.phone.stored():
        story.phone.remove(uid)
    story.cycle("google")
    story.google.retitle(story.google.find("Event 3"), "Saved")
    with story.context.database.write() as conn:
        pairs.approve(conn, story.pairs["google"], now=story.context.now())
    story.cycle("google")
    assert story.google.titles() == ["Saved"]
    assert story.phone.find("Saved")


def test_r15_disconnected_and_connected_again(story):
    _before(story)
    story.sandbox.google.kill_grants()
    story.sandbox.google.expire_tokens()
    story.sign_in()
    outcome = story.cycle("google")
    assert "consent" in outcome.error
    story.phone.edit("old", "SUMMARY:Old", "SUMMARY:Older")
    story.cycle("google")
    connected = story.connect("google")
    assert connected.pair_id is None
    before = story.sandbox.google.meter.routes["POST /calendars/calendarId/events"]
    story.settle()
    assert story.sandbox.google.meter.routes["POST /calendars/calendarId/events"] == before
    assert len(story.phone.stored()) == 3


def test_r8_a_pair_removed_and_made_anew_creates_and_deletes_nothing(story):
    _before(story)
    writes = story.writes()
    for provider, old in list(story.pairs.items()):
        pair = story.pair(provider)
        with story.context.database.write() as conn:
            pairs.remove(conn, old)
        made = pairing.add(
            story.context, "alex/calendar", str(pair.remote_calendar_id), direction="both", how_often="manual"
        )
        story.pairs[provider] = made.pair.id
    story.rest()
    assert len(story.phone.stored()) == 3
    assert story.writes() == writes
    story.settle()


def test_r8_gone_meanwhile_is_not_deleted_by_the_new_pair(story):
    _before(story)
    pair = story.pair("google")
    with story.context.database.write() as conn:
        pairs.remove(conn, pair.id)
    story.google.remove(story.google.find("Gone"))
    made = pairing.add(
        story.context, "alex/calendar", str(pair.remote_calendar_id), direction="both", how_often="manual"
    )
    story.pairs["google"] = made.pair.id
    story.settle()
    assert story.google.find("Gone")


def test_two_calendars_of_one_google_account_in_one_calendar_here(story):
    second = story.sandbox.google.add_calendar(PERSON, "Sport", zone=ZONE)
    _, listed = pairing.calendars_of(story.context, "alex")
    account = next(one for one, _ in listed if one.provider == "google")
    known = next(
        one
        for one in connecting.refresh_calendars(story.context, account)
        if one.calendar.name == "Sport" or one.calendar.id == second.id
    )
    made = pairing.add(story.context, "alex/calendar", str(known.id), direction="both", how_often="manual")
    story.pairs["sport"] = made.pair.id
    _before(story)
    events = story.google.client.get(f"calendars/{second.id}/events").json()["items"]
    assert sorted(each["summary"] for each in events if each["status"] != "cancelled") == ["Gone", "Old", "Stand-up"]
    one = next(each for each in events if each["summary"] == "Old")
    story.google.client.patch(f"calendars/{second.id}/events/{one['id']}", json={"summary": "Older"})
    story.settle()
    assert story.phone.find("Older")
    assert story.google.find("Older")
    assert len(story.phone.stored()) == 3
    story.google.remove(story.google.find("Gone"))
    story.settle()
    assert len(story.phone.stored()) == 2


def test_an_event_moved_to_another_calendar_of_the_account_is_deleted_once(story):
    _before(story)
    second = story.sandbox.google.add_calendar(PERSON, "Sport", zone=ZONE)
    id = story.google.find("Old")
    story.google.client.post(
        f"calendars/primary/events/{id}/move", params={"destination": second.id}
    ).raise_for_status()
    story.settle()
    assert sorted(story.phone.stored()) == ["gone", "old series"]


def test_a_worker_that_is_late_does_not_write_over_the_phone(story):
    """The phone edits between two pairs' cycles, time and again."""
    _before(story)
    for number in range(6):
        story.phone.edit("old", "SUMMARY:Old" + "r" * number, "SUMMARY:Old" + "r" * (number + 1))
        story.google._call("PATCH", f"/{story.google.find('Stand-up')}", json={"location": f"Room {number}"})
        story.cycle("google" if number % 2 else "microsoft")
    seen = story.settle()
    assert any(title == "Oldrrrrrr" for _, _, title in seen)
    assert "Room 5" in story.phone.stored()["old series"]


def _series(rule):
    return (
        event("Weekly", at(0, 9), at(0, 10), rule, _exdate(21)),
        event("MINE", at(14, 11), at(14, 12), _recurrence_id(14)),
    )


@pytest.mark.parametrize("provider", ["microsoft", "google"])
@pytest.mark.parametrize("trouble", [{"drop": True}, {"status": 503}], ids=["dropped", "503"])
def test_r11_r35_the_lost_answer_to_a_new_rule_loses_no_occurrence(story, provider, trouble):
    story.phone.put("s", *_series("RRULE:FREQ=WEEKLY;COUNT=6"))
    story.settle()
    story.phone.put("s", *_series("RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=12"))
    story.sandbox.faults.inject(method="PATCH", path=API[provider], phase="after", **trouble)
    patiently(story)
    story.sandbox.faults.clear()
    seen = story.settle()
    assert len(seen) == 11
    assert sum(title == "MINE" for _, _, title in seen) == 1


@pytest.mark.parametrize("provider", ["microsoft", "google"])
def test_r11_r35_the_lost_answer_to_longer_occurrences_loses_none_of_them(story, provider):
    story.phone.put("s", *_series("RRULE:FREQ=WEEKLY;COUNT=6"))
    story.settle()
    ends = "DTEND;TZID=Europe/Vienna:{:%Y%m%dT%H%M%S}"
    story.phone.edit("s", ends.format(at(0, 10)), ends.format(at(0, 10, 30)))
    story.sandbox.faults.inject(method="PATCH", path=API[provider], phase="after", status=503)
    patiently(story)
    story.sandbox.faults.clear()
    assert sum(title == "MINE" for _, _, title in story.settle()) == 1


def test_r12_r35_a_creation_that_is_throttled_halfway_does_not_overwrite_what_somebody_did_to_it_meanwhile(story):
    """The master is made; for the request that cancels its occurrence the service asks for patience."""
    wait = story.sandbox.microsoft.throttled(60)
    story.sandbox.faults.inject(method="DELETE", path=API["microsoft"], **wait)
    story.phone.put("s", event("Weekly", at(0, 9), at(0, 10), "RRULE:FREQ=WEEKLY;COUNT=4", _exdate(7)))
    assert story.cycle("microsoft").error
    story.graph.retitle(story.graph.find("Weekly"), "Scrum")
    story.pass_by(minutes=10)
    story.settle()
    assert story.graph.titles() == ["Scrum"]
    assert "EXDATE" in story.phone.stored()["s"]
