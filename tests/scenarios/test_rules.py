"""Rules learned from other bridges, told as stories of a person with a phone, Google and Outlook (R11, R18, R19, R22)."""

from bridge.services import pairing
from tests.support.bridged import PERSON, at, event, local, shown

WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=6"


def google_items(story):
    """Singles and masters alone, with what the service keeps beside them."""
    return [one for one in story.google._list(singleEvents="false") if "recurringEventId" not in one]


def test_r11_occurrences_moved_and_cancelled_on_each_side_are_the_same_over_two_years(story):
    story.phone.put("s", event("Tea", at(0, 9), at(0, 10), WEEKLY))
    story.settle()
    series = {"google": story.google.find("Tea"), "graph": story.graph.find("Tea")}
    story.graph.move_occurrence(series["graph"], at(7, 9), at(8, 14), at(8, 15))
    story.settle()
    story.google.move_occurrence(series["google"], at(14, 9), at(15, 11), at(15, 12))
    story.settle()
    story.graph.remove_occurrence(series["graph"], at(21, 9))
    story.settle()
    story.google.remove_occurrence(series["google"], at(28, 9))
    moved = {7: at(8, 14), 14: at(15, 11)}
    starts = [moved.get(day, at(day, 9)) for day in (0, 7, 14, 35)]
    story.settle(shown(start, start.replace(hour=start.hour + 1), "Tea") for start in starts)


def test_r18_a_series_is_one_object_everywhere_and_its_occurrences_are_none(story):
    """Whoever expanded it on one side and kept the rule on the other would show it twice."""
    story.phone.put(
        "s",
        event("Tea", at(0, 9), at(0, 10), WEEKLY),
        event("Late tea", at(7, 15), at(7, 16), local("RECURRENCE-ID", at(7, 9))),
    )
    story.settle(
        [*(shown(at(d, 9), at(d, 10), "Tea") for d in (0, 14, 21, 28, 35)), shown(at(7, 15), at(7, 16), "Late tea")]
    )
    assert list(story.phone.stored()) == ["s"]
    assert [one["summary"] for one in google_items(story)] == ["Tea"]
    assert [(one["subject"], one["type"]) for one in story.graph._list("me/events")] == [("Tea", "seriesMaster")]
    story.graph.retitle(story.graph.find("Tea"), "Coffee")
    story.settle()
    assert len(google_items(story)) == len(story.graph._list("me/events")) == len(story.phone.stored()) == 1


def test_r19_marks_that_other_sync_tools_leave_are_data_and_decide_nothing(story):
    """Two events with one and the same foreign mark are two events; nobody takes the mark away."""
    marks = {
        "private": {"outlook_GlobalApptID": "040000008200E00074C5B7101A82E008", "reclaim.event.id": "42"},
        "shared": {"googleCalendarSync": "one"},
    }
    with story.sandbox.google.transaction():
        writer = story.sandbox.google.writer(PERSON)
        for number, title in enumerate(("Tea", "Tea, copied by a tool")):
            body = {"summary": title, "iCalUID": f"{number}@keeper.sh", "extendedProperties": marks}
            times = {
                "start": {"dateTime": f"{at(1, 9).isoformat()}Z"},
                "end": {"dateTime": f"{at(1, 10).isoformat()}Z"},
            }
            writer.insert({**body, **times})
    story.settle()
    assert sorted(one["subject"] for one in story.graph._list("me/events")) == ["Tea", "Tea, copied by a tool"]
    assert len(story.phone.stored()) == 2
    story.graph.retitle(story.graph.find("Tea"), "Coffee")
    story.settle()
    for one in google_items(story):
        kept = one["extendedProperties"]
        assert marks["private"].items() <= kept["private"].items()
        assert marks["shared"].items() <= kept["shared"].items()


def test_r22_other_terms_of_a_pair_are_a_diff_and_no_clearing_out(story):
    for number in range(8):
        story.phone.put(f"{number}", event(f"Event {number}", at(number, 9), at(number, 10)))
    story.settle()
    ids = {one["id"] for one in google_items(story)}
    story.sandbox.google.meter.reset()
    pair = story.pairs["google"]
    pairing.change(story.context, pair, direction="pull", how_often="manual")
    for number in range(2):
        story.phone.edit(f"{number}", f"Event {number}", f"Edited {number}")
    story.phone.put("new", event("New", at(9, 9), at(9, 10)))
    story.cycle("google")
    assert story.sandbox.google.meter.writes == 0, "pull only"
    pairing.change(story.context, pair, direction="both", how_often="realtime")
    story.settle()
    routes = story.sandbox.google.meter.routes
    assert story.sandbox.google.meter.writes == 3, routes
    assert [route for route in routes if route.startswith(("DELETE", "POST"))] == [
        "POST /calendars/{calendarId}/events"
    ]
    assert ids < {one["id"] for one in google_items(story)}
    story.sandbox.google.meter.reset()
    pairing.change(story.context, pair, direction="push", how_often=None)
    story.google.retitle(story.google.find("Event 7"), "Retitled")
    story.rest()
    pairing.change(story.context, pair, direction="both", how_often=None)
    story.settle()
    assert story.phone.find("Retitled") == "7"
    assert story.sandbox.google.meter.writes == 1, "the person's own"
