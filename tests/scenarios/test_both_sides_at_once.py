"""Two people, or one person with two devices, change the same event before a sync sees either change."""

from tests.contracts.bench import Typed
from tests.e2e.dates import ZONE
from tests.support.bridged import at, event, shown


def weekly(title, count, *, hour=9, first=0):
    return {week: shown(at(first + 7 * week, hour), at(first + 7 * week, hour + 1), title) for week in range(count)}


def series(story, title="Stand-up", *more, count=30):
    story.phone.put("s", event(title, at(0, 9), at(0, 10), f"RRULE:FREQ=WEEKLY;COUNT={count}"), *more)
    story.settle(weekly(title, count).values())
    return weekly(title, count)


def test_the_same_field_on_two_sides(story):
    story.phone.put("a", event("Tea", at(1, 9), at(1, 10)))
    story.settle([shown(at(1, 9), at(1, 10), "Tea")])
    story.graph.retitle(story.graph.find("Tea"), "Outlook's tea")
    story.google.retitle(story.google.find("Tea"), "Google's tea")
    story.phone.edit("a", "Tea", "The phone's tea")
    story.settle()


def test_a_new_rule_here_and_an_occurrence_moved_there(story):
    expected = series(story)
    story.phone.edit("s", "COUNT=30", "COUNT=20")
    story.google.move_occurrence(story.google.find("Stand-up"), at(14, 9), at(15, 11), at(15, 12))
    expected = {week: expected[week] for week in range(20)}
    expected[2] = shown(at(15, 11), at(15, 12), "Stand-up")
    story.settle(expected.values())


def test_a_new_rule_in_google_and_an_occurrence_cancelled_in_outlook(story):
    expected = series(story)
    story.google.change_rule(story.google.find("Stand-up"), "FREQ=WEEKLY;COUNT=20")
    story.graph.remove_occurrence(story.graph.find("Stand-up"), at(21, 9))
    expected = {week: expected[week] for week in range(20) if week != 3}
    story.settle(expected.values())


def test_the_whole_series_later_with_exceptions_from_the_phone(story):
    """The phone writes every RECURRENCE-ID and EXDATE anew, as iOS and DAVx5 do."""
    expected = series(story)
    story.google.move_occurrence(story.google.find("Stand-up"), at(14, 9), at(15, 11), at(15, 12))
    story.graph.remove_occurrence(story.graph.find("Stand-up"), at(28, 9))
    story.settle()
    moved = event("Stand-up", at(15, 11), at(15, 12), f"RECURRENCE-ID;TZID={ZONE}:{at(14, 10):%Y%m%dT%H%M%S}")
    exdate = f"EXDATE;TZID={ZONE}:{at(28, 10):%Y%m%dT%H%M%S}"
    story.phone.put("s", event("Stand-up", at(0, 10), at(0, 11), "RRULE:FREQ=WEEKLY;COUNT=30", exdate), moved)
    expected = weekly("Stand-up", 30, hour=10)
    expected[2] = shown(at(15, 11), at(15, 12), "Stand-up")
    del expected[4]
    story.settle(expected.values())


def test_the_whole_series_later_in_the_phone_leaving_its_exceptions_stale(story):
    """An override of no occurrence is on the phone's screen, so it is everywhere: as an event of its own (X-39)."""
    series(story)
    story.google.move_occurrence(story.google.find("Stand-up"), at(14, 9), at(15, 11), at(15, 12))
    story.settle()
    day = f"{at(0, 9):%Y%m%d}"
    story.phone.edit("s", f"DTSTART;TZID={ZONE}:{day}T090000", f"DTSTART;TZID={ZONE}:{day}T100000")
    story.phone.edit("s", f"DTEND;TZID={ZONE}:{day}T100000", f"DTEND;TZID={ZONE}:{day}T110000")
    stale = shown(at(15, 11), at(15, 12), "Stand-up")
    # what reads the hub's object here takes the override for the regular occurrence of that day
    story.settle([*weekly("Stand-up", 30, hour=10).values(), stale], but=("hub",))
    assert stale in story.seen()["hub"]


def test_the_whole_series_later_in_google_with_an_exception(story):
    series(story)
    id = story.google.find("Stand-up")
    story.google.move_occurrence(id, at(14, 9), at(15, 11), at(15, 12))
    story.settle()
    story.google.reschedule(id, at(0, 10), at(0, 11))
    story.settle()


def test_the_whole_series_later_in_outlook_with_an_exception(story):
    series(story)
    id = story.graph.find("Stand-up")
    story.graph.move_occurrence(id, at(14, 9), at(15, 11), at(15, 12))
    story.settle()
    story.graph.reschedule(id, at(0, 10), at(0, 11))
    story.settle()


def test_deleted_here_edited_there(story):
    for uid in "abc":
        story.phone.put(uid, event(f"Tea {uid}", at(1, 9), at(1, 10)))
    story.settle()
    story.phone.remove("a")
    story.google.retitle(story.google.find("Tea a"), "Tea a!")
    story.google.remove(story.google.find("Tea b"))
    story.phone.edit("b", "Tea b", "Tea b!")
    story.graph.remove(story.graph.find("Tea c"))
    story.google.retitle(story.google.find("Tea c"), "Tea c!")
    story.settle(shown(at(1, 9), at(1, 10), f"Tea {uid}!") for uid in "abc")


def test_the_same_event_made_in_three_places_is_there_three_times_and_stays(story):
    """Nothing says that they are one (R16 is for the first sync only)."""
    story.phone.put("p", event("Lunch", at(1, 12), at(1, 13)))
    story.google.add(Typed("Lunch", at(1, 12), at(1, 13), zone=ZONE))
    story.graph.add(Typed("Lunch", at(1, 12), at(1, 13), zone=ZONE))
    story.settle([shown(at(1, 12), at(1, 13), "Lunch")] * 3)
