"""What Outlook cannot hold as one series is there in parts, and each part can be lived with on both sides (R-29, X-39)."""

import datetime as dt
import itertools

import pytest

from bridge.services import conflicts, precedence, questions, removing, undoing
from bridge.store import journal
from bridge.sync.plan import UNTOLD
from tests.contracts.bench import Typed
from tests.e2e.dates import FROM, MONDAY, TO, ZONE
from tests.scenarios.test_taking_back import add_again, remove
from tests.support.bridged import at, event, local, shown

HOURLY = "RRULE:FREQ=HOURLY;INTERVAL=6;COUNT=9"
THE_31ST = "RRULE:FREQ=MONTHLY;BYMONTHDAY=31;COUNT=5"
FIFTH_MONDAYS = "RRULE:FREQ=MONTHLY;BYDAY=5MO;COUNT=5"
WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=5"


def days_of(rule):
    """The days behind the Monday of the stories on which the series takes place."""
    fits = {
        THE_31ST: lambda day: day.day == 31,
        FIFTH_MONDAYS: lambda day: day.weekday() == 0 and day.day > 28,
        WEEKLY: lambda day: day.weekday() == 0,
    }[rule]
    found = (day for day in range(4000) if fits(MONDAY + dt.timedelta(days=day)))
    return list(itertools.islice(found, 5))


def series(story, title="Review", rule=FIFTH_MONDAYS, *more):
    """On the phone, and from there on all sides. Returns its days."""
    days = days_of(rule)
    story.phone.put("s", event(title, at(days[0], 9), at(days[0], 10), rule, *more))
    story.settle()
    return days


def meetings(days, title="Review"):
    return [shown(at(day, 9), at(day, 10), title) for day in days]


def part(story, day):
    """Outlook's event on that day."""
    (found,) = (
        one["id"]
        for one in story.graph._list("me/events")
        if one["start"]["dateTime"].startswith(at(day, 0).date().isoformat())
    )
    return found


@pytest.mark.parametrize("rule", [FIFTH_MONDAYS, THE_31ST])
def test_the_occurrences_are_shown_one_by_one(story, rule):
    days = series(story, "Review", rule)
    assert story.graph.shows(FROM, TO) == meetings(days)
    assert not story.quarantined()


def test_so_are_those_of_a_rule_that_neither_service_knows(story):
    story.phone.put("s", event("Pill", at(0, 6), at(0, 7), HOURLY))
    assert len(story.settle()) == 9
    assert not story.quarantined()


def test_a_new_title_reaches_every_part(story):
    days = series(story)
    story.phone.edit("s", "SUMMARY:Review", "SUMMARY:Retro")
    story.settle(meetings(days, "Retro"))


def test_a_part_that_is_changed_there_is_an_override_here(story):
    days = series(story)
    for day in days[1:3]:  # two at once, which are one object here
        story.graph.retitle(part(story, day), "Retro")
    story.cycle("microsoft")
    expected = [*meetings(days[:1]), *meetings(days[1:3], "Retro"), *meetings(days[3:])]
    story.settle(expected)
    assert story.phone.stored()["s"].count("RECURRENCE-ID") == 2


def test_a_part_that_is_deleted_there_is_called_off_here(story):
    days = series(story)
    story.graph.remove(part(story, days[1]))
    story.settle(meetings([days[0], *days[2:]]))
    assert "EXDATE" in story.phone.stored()["s"]


def test_what_is_called_off_or_moved_here_is_so_there(story):
    days = series(story)
    moved = event("Retro", at(days[2], 14), at(days[2], 15), local("RECURRENCE-ID", at(days[2], 9)))
    master = event("Review", at(days[0], 9), at(days[0], 10), FIFTH_MONDAYS, local("EXDATE", at(days[1], 9)))
    story.phone.put("s", master, moved)
    story.settle([*meetings([days[0], *days[3:]]), shown(at(days[2], 14), at(days[2], 15), "Retro")])


def test_a_series_that_is_deleted_here_is_gone_there(story):
    series(story)
    story.phone.remove("s")
    story.settle([])


def test_a_rule_becomes_one_that_there_is_not_and_back(story):
    """Never twice on anybody's screen at rest, and an identity is never lost on the way."""
    days = series(story, "Review", WEEKLY)
    fifth = days_of(FIFTH_MONDAYS)
    story.phone.put("s", event("Review", at(fifth[0], 9), at(fifth[0], 10), FIFTH_MONDAYS))
    story.settle(meetings(fifth))
    assert len(story.graph._list("me/events")) == 5
    story.phone.put("s", event("Review", at(days[0], 9), at(days[0], 10), WEEKLY))
    story.settle(meetings(days))
    assert len(story.graph._list("me/events")) == 1


def test_a_rule_becomes_one_that_there_is_not_while_the_series_is_edited_there(story):
    """What somebody has changed there is not deleted: it waits until the rule can be said again, and both changes stay."""
    days = series(story, "Review", WEEKLY)
    story.phone.edit("s", WEEKLY, "RRULE:FREQ=DAILY;BYMONTH=1,2;COUNT=5")
    story.graph.retitle(story.graph.find("Review"), "Retro")
    story.rest()
    assert story.graph.titles() == ["Retro"]
    assert list(story.quarantined()) == [("microsoft", "s")]
    story.phone.edit("s", "RRULE:FREQ=DAILY;BYMONTH=1,2;COUNT=5", "RRULE:FREQ=DAILY;COUNT=5")
    story.settle(meetings(range(days[0], days[0] + 5), "Retro"))
    assert story.quarantined() == {}


def test_the_window_moves_with_the_time(story):
    day = days_of(THE_31ST)[0]
    story.phone.put("s", event("Pay", at(day, 9), at(day, 10), "RRULE:FREQ=MONTHLY;BYMONTHDAY=31"))
    story.rest()
    first = story.graph.shows(FROM, TO + dt.timedelta(days=400))
    for _ in range(2):
        story.pass_by(days=60)
        story.rest()
    later = story.graph.shows(FROM, TO + dt.timedelta(days=400))
    assert len(later) > len(first)
    assert later[: len(first)] == first


def test_edit_beats_delete_and_the_part_becomes_an_event_of_its_own(story):
    days = series(story)
    story.graph.retitle(part(story, days[1]), "Retro")
    story.phone.remove("s")
    story.settle(meetings(days[1:2], "Retro"))


def test_both_sides_at_once(story):
    """The one that gave way can be put back, as anywhere else (R35)."""
    days = series(story)
    story.graph.retitle(part(story, days[1]), "Theirs")
    story.phone.edit("s", "SUMMARY:Review", "SUMMARY:Ours")
    story.cycle("microsoft")
    (found,) = conflicts.unresolved(story.context)
    assert (found.uid, found.title) == ("s", "Ours")
    before = {title for *_, title in story.settle()}
    assert "Ours" in before
    conflicts.resolve(story.context, found.id, take="hub" if "Theirs" in before else "remote", actor="alex")
    assert {title for *_, title in story.settle()} != before


def test_r1_nobody_is_told_of_a_part(story):
    """Its guests would get an invitation for each; its owner is told instead."""
    days = days_of(FIFTH_MONDAYS)
    guest = "ATTENDEE:mailto:robin@example.com"
    story.phone.put("s", event("Review", at(days[0], 9), at(days[0], 10), FIFTH_MONDAYS, guest))
    story.rest()
    assert story.graph.shows(FROM, TO) == meetings(days)
    assert [mail.recipient for mail in story.mails()] == ["robin@example.com"], (
        "Google's own invitation, for it is at home there"
    )
    assert not any(one["attendees"] for one in story.graph._list("me/events"))


def test_r1_at_home_where_it_is_in_parts_nobody_is_told_and_its_owner_hears_of_it(story):
    precedence.set_home(story.context, "alex/calendar", str(story.pairs["microsoft"]))
    days = days_of(FIFTH_MONDAYS)
    guest = "ATTENDEE:mailto:robin@example.com"
    story.phone.put("s", event("Review", at(days[0], 9), at(days[0], 10), FIFTH_MONDAYS, guest))
    story.rest()
    assert story.graph.shows(FROM, TO) == meetings(days)
    assert story.quarantined() == {("microsoft", "s"): UNTOLD}
    assert story.mails() == []
    assert not any(one["attendees"] for one in story.graph._list("me/events"))


@pytest.mark.parametrize("edited", [False, True])
def test_r15_a_pair_removed_and_added_again_finds_its_parts(story, edited):
    days = series(story)
    known = remove(story, "microsoft")
    story.pass_by(minutes=5)
    if edited:
        story.graph.retitle(part(story, days[1]), "Retro")
    story.rest()
    add_again(story, "microsoft", known)
    second = meetings(days[1:2], "Retro" if edited else "Review")
    story.settle([*meetings(days[:1]), *second, *meetings(days[2:])])
    assert list(story.phone.stored()) == ["s"]
    assert len(story.graph._list("me/events")) == 5


def test_r15_an_account_connected_again_finds_its_parts(story):
    days = series(story)
    removing.disconnect(story.context, "alex", "microsoft")
    del story.pairs["microsoft"]
    story.rest()
    story.pairs["microsoft"] = story.connect("microsoft").pair_id
    story.sign_in()
    story.settle(meetings(days))
    assert list(story.phone.stored()) == ["s"]


def typed(story, days):
    """The same meetings, typed into Outlook one by one before there was a pair."""
    known = remove(story, "microsoft")
    for day in days:
        story.graph.add(Typed("Review", at(day, 9), at(day, 10), zone=ZONE))
    first = days_of(FIFTH_MONDAYS)[0]
    story.phone.put("s", event("Review", at(first, 9), at(first, 10), FIFTH_MONDAYS))
    story.rest()
    add_again(story, "microsoft", known)


def test_r16_what_was_typed_there_one_by_one_is_what_the_series_has(story):
    days = days_of(FIFTH_MONDAYS)
    typed(story, days)
    story.settle(meetings(days))
    assert list(story.phone.stored()) == ["s"]


def test_r16_of_two_alike_there_its_owner_is_asked_which_is_the_part(story):
    days = days_of(FIFTH_MONDAYS)
    typed(story, [*days[:3], days[1]])
    story.rest()
    (question,) = questions.unanswered(story.context, story.pairs["microsoft"])
    assert ([each.title for each in question.here], len(question.there)) == (["Review"], 2)
    assert list(story.phone.stored()) == ["s"]
    questions.same(story.context, story.pairs["microsoft"], question.here[0].id, question.there[0].id)
    story.settle([*meetings(days), *meetings(days[1:2])])


def test_a_series_in_parts_is_taken_back(story):
    """By the cycle that carried it over: it goes on both sides, as any other event."""
    days = series(story, "Review", FIFTH_MONDAYS)
    story.phone.edit("s", "SUMMARY:Review", "SUMMARY:Retro")
    story.rest()
    with story.context.database.read() as conn:
        cycle = journal.latest(conn, story.pairs["microsoft"], limit=1)[0].number
    undoing.undo(story.context, story.pairs["microsoft"], cycle)
    story.settle(meetings(days))


def test_r6_a_series_in_parts_is_one_deletion(story):
    for number in range(3):
        day = days_of(THE_31ST)[0]
        story.phone.put(f"s{number}", event("Pay", at(day, 9), at(day, 10), THE_31ST))
    story.settle()
    for number in range(3):
        story.phone.remove(f"s{number}")
    story.settle([])
    assert story.pair("microsoft").parked is None


@pytest.mark.parametrize("rule", ["RRULE:FREQ=WEEKLY;COUNT=3", None])
def test_an_override_that_its_rule_does_not_have_is_an_event_of_its_own(story, rule):
    days = [0, 7, 14] if rule else [0]
    stray = event("Extra", at(3, 14), at(3, 15), local("RECURRENCE-ID", at(3, 9)))
    story.phone.put("s", event("Review", at(0, 9), at(0, 10), *([rule] if rule else [])), stray)
    extra = shown(at(3, 14), at(3, 15), "Extra")
    story.settle([*meetings(days), extra])
    story.graph.retitle(story.graph.find("Extra"), "More")
    story.settle([*meetings(days), (*extra[:2], "More")])
    story.google.remove(story.google.find("More"))
    story.settle(meetings(days))


def test_a_series_without_any_occurrence_is_left_alone(story):
    """It ends before it begins: who shows something of it reads it in another way."""
    story.phone.put("s", event("Review", at(0, 9), at(0, 10), "RRULE:FREQ=WEEKLY;UNTIL=20200101T000000Z"))
    story.rest()
    assert story.quarantined()["microsoft", "s"] == "the series ends before it begins"


def instance(title, day, hour, uid="s"):
    """Of a series that is somebody else's: what an invitation to one of its instances leaves."""
    return event(title, at(day, hour), at(day, hour + 1), local("RECURRENCE-ID", at(day, 9)))


def test_single_instances_of_a_series_that_is_not_here_are_events_of_their_own(story):
    story.phone.put("s", instance("Review", 0, 14), instance("Review", 7, 15))
    shows = [shown(at(0, 14), at(0, 15), "Review"), shown(at(7, 15), at(7, 16), "Review")]
    story.rest()
    assert story.google.shows(FROM, TO) == story.graph.shows(FROM, TO) == shows
    assert not story.quarantined()
    story.compared()


def test_such_an_instance_is_edited_and_deleted_there(story):
    story.phone.put("s", instance("Review", 0, 14), instance("Review", 7, 15))
    story.rest()
    story.graph.retitle(part(story, 7), "Retro")
    story.rest()
    assert story.phone.stored()["s"].count("SUMMARY:Retro") == 1
    assert story.phone.stored()["s"].count("RECURRENCE-ID") == 2
    assert {title for *_, title in story.google.shows(FROM, TO)} == {"Review", "Retro"}
    story.google.remove(story.google.find("Retro"))
    story.rest()
    assert story.phone.stored()["s"].count("RECURRENCE-ID") == 1
    story.google.remove(story.google.find("Review"))
    story.rest()
    assert story.phone.stored() == {}
    assert story.graph.shows(FROM, TO) == []
    story.compared()


def test_the_series_comes_behind_its_instance(story):
    """Then that is an override of it like any other, and nobody has it twice."""
    stray = instance("Review", 7, 15)
    story.phone.put("s", stray)
    story.rest()
    story.phone.put("s", event("Review", at(0, 9), at(0, 10), WEEKLY), stray)
    story.settle([*meetings([0, 14, 21, 28]), shown(at(7, 15), at(7, 16), "Review")])
