"""X-02: a phone changes one instance and all later ones with RANGE=THISANDFUTURE, which neither service knows.

Nothing of it is lost and nobody is shown another time: there are its occurrences, one by one, and each can be lived with.
"""

import datetime as dt

import pytest

from bridge.services import fidelity, undoing
from bridge.store import journal
from tests.e2e.dates import FROM, TO
from tests.scenarios.test_projections import CANARY, everything, show
from tests.scenarios.test_taking_back import add_again, remove
from tests.support.bridged import at, event, local, shown

WEEKLY = "RRULE:FREQ=WEEKLY;COUNT=5"
BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
OWN = "X-OWN:kept"


def onward(day, hour, title="Later", *more, original=9):
    """From that day on at another hour, under another title."""
    since = local("RECURRENCE-ID;RANGE=THISANDFUTURE", at(day, original))
    return event(title, at(day, hour), at(day, hour + 2), since, OWN, *more)


def meetings(*days, title="Review", hour=9, length=1):
    return [shown(at(day, hour), at(day, hour + length), title) for day in days]


def later(*days, title="Later", hour=14):
    return meetings(*days, title=title, hour=hour, length=2)


def series(story):
    """On the phone, and from there on all sides."""
    story.phone.put("s", event("Review", at(0, 9), at(0, 10), WEEKLY), onward(14, 14))
    story.settle([*meetings(0, 7), *later(14, 21, 28)])


def hands(story, provider):
    return {"google": story.google, "microsoft": story.graph}[provider]


def on(story, provider, day):
    """That service's event on that day."""
    wanted = at(day, 0).date().isoformat()
    if provider == "google":
        events = {one["id"]: one["start"]["dateTime"] for one in story.google._list(singleEvents="true")}
    else:
        events = {one["id"]: one["start"]["dateTime"] for one in story.graph._list("me/events")}
    (found,) = (id for id, start in events.items() if start.startswith(wanted))
    return found


def test_the_occurrences_are_shown_one_by_one_and_the_report_says_why(story):
    series(story)
    assert story.quarantined() == {}
    for pair in story.pairs.values():
        (row,) = fidelity.report(story.context, pair).rows
        assert row.how == "in parts"
        assert row.why == "an override for this and all later instances"


def test_a_series_that_is_there_becomes_one_and_is_whole_again(story):
    """Never twice on anybody's screen at rest."""
    whole = event("Review", at(0, 9), at(0, 10), WEEKLY)
    story.phone.put("s", whole)
    story.settle(meetings(0, 7, 14, 21, 28))
    story.phone.put("s", whole, onward(14, 14))
    story.settle([*meetings(0, 7), *later(14, 21, 28)])
    assert len(story.graph._list("me/events")) == 5
    story.phone.put("s", whole)
    story.settle(meetings(0, 7, 14, 21, 28))
    assert len(story.graph._list("me/events")) == 1


@BOTH
@pytest.mark.parametrize("day", [7, 14, 21, 28])
def test_a_part_that_is_changed_there_is_an_override_here(story, provider, day):
    """Be it the very one with which the others begin, or the last."""
    series(story)
    hands(story, provider).retitle(on(story, provider, day), "Retro")
    story.cycle(provider)
    hour, length = (9, 1) if day < 14 else (14, 2)
    rest = [*meetings(*({0, 7} - {day})), *later(*({14, 21, 28} - {day}))]
    story.settle([*rest, *meetings(day, title="Retro", hour=hour, length=length)])
    text = story.phone.stored()["s"]
    assert text.count("RANGE=THISANDFUTURE") == 1
    assert text.count("BEGIN:VEVENT") == 3
    assert text.count(OWN) == (1 if day < 14 else 2)


@BOTH
@pytest.mark.parametrize("day", [14, 28])
def test_a_part_that_is_moved_there_is_moved_here(story, provider, day):
    series(story)
    hands(story, provider).reschedule(on(story, provider, day), at(day + 1, 16), at(day + 1, 17))
    story.cycle(provider)
    story.settle(
        [*meetings(0, 7), *later(*({14, 21, 28} - {day})), *meetings(day + 1, title="Later", hour=16, length=1)]
    )


@BOTH
@pytest.mark.parametrize("day", [7, 14, 21, 28])
def test_a_part_that_is_deleted_there_is_called_off_here(story, provider, day):
    series(story)
    hands(story, provider).remove(on(story, provider, day))
    story.cycle(provider)
    story.settle([*meetings(*({0, 7} - {day})), *later(*({14, 21, 28} - {day}))])
    text = story.phone.stored()["s"]
    assert text.count("EXDATE") == 1
    assert "RANGE=THISANDFUTURE" in text


@BOTH
def test_the_first_and_the_next_at_once(story, provider):
    """They are one object here, and what the first one does to the range is there when the next one comes."""
    series(story)
    hands(story, provider).retitle(on(story, provider, 14), "Retro")
    hands(story, provider).remove(on(story, provider, 21))
    story.cycle(provider)
    story.settle([*meetings(0, 7), *later(14, title="Retro"), *later(28)])
    assert story.phone.stored()["s"].count(OWN) == 2


def test_the_first_there_while_the_phone_moves_them_all(story):
    series(story)
    story.graph.retitle(on(story, "microsoft", 14), "Retro")
    story.phone.put("s", event("Review", at(0, 9), at(0, 10), WEEKLY), onward(14, 15))
    story.cycle("microsoft")
    story.settle([*meetings(0, 7), *later(14, title="Retro", hour=15), *later(21, 28, hour=15)])


@BOTH
def test_all_of_them_one_after_the_other(story, provider):
    series(story)
    for day in (14, 21, 28):
        hands(story, provider).remove(on(story, provider, day))
        story.cycle(provider)
    story.settle(meetings(0, 7))


def test_the_series_is_edited_on_the_phone(story):
    series(story)
    story.phone.edit("s", "SUMMARY:Review", "SUMMARY:Retro")
    story.settle([*meetings(0, 7, title="Retro"), *later(14, 21, 28)])
    story.phone.edit("s", "SUMMARY:Later", "SUMMARY:Later still")
    story.settle([*meetings(0, 7, title="Retro"), *later(14, 21, 28, title="Later still")])
    story.phone.edit("s", "COUNT=5", "COUNT=6")
    story.settle([*meetings(0, 7, title="Retro"), *later(14, 21, 28, 35, title="Later still")])


def test_another_range_follows_and_single_instances_stand_within(story):
    single = event("Once", at(22, 8), at(22, 9), local("RECURRENCE-ID", at(21, 9)))
    story.phone.put(
        "s",
        event("Review", at(0, 9), at(0, 10), WEEKLY, local("EXDATE", at(7, 9))),
        onward(7, 14),
        onward(28, 16, "Evening"),
        single,
    )
    once = meetings(22, title="Once", hour=8)
    story.settle([*meetings(0), *later(14), *once, *later(28, title="Evening", hour=16)])
    story.google.retitle(on(story, "google", 22), "Twice")
    story.graph.remove(on(story, "microsoft", 14))
    for provider in story.pairs:
        story.cycle(provider)
    story.settle([*meetings(0), *meetings(22, title="Twice", hour=8), *later(28, title="Evening", hour=16)])


def test_the_rest_of_a_series_is_called_off(story):
    story.phone.put("s", event("Review", at(0, 9), at(0, 10), WEEKLY), onward(14, 9, "Review", "STATUS:CANCELLED"))
    story.rest()
    assert story.google.shows(FROM, TO) == story.graph.shows(FROM, TO) == meetings(0, 7)
    assert story.quarantined() == {}
    story.compared()


def test_edit_beats_delete_and_the_part_becomes_an_event_of_its_own(story):
    series(story)
    story.graph.retitle(on(story, "microsoft", 21), "Retro")
    story.phone.remove("s")
    story.settle(meetings(21, title="Retro", hour=14, length=2))


def test_a_series_that_is_deleted_here_is_gone_there(story):
    series(story)
    story.phone.remove("s")
    story.settle([])


def test_r1_nobody_is_told_of_a_part(story):
    guest = "ATTENDEE:mailto:robin@example.com"
    story.phone.put("s", event("Review", at(0, 9), at(0, 10), WEEKLY), onward(14, 14, "Later", guest))
    story.rest()
    assert story.google.shows(FROM, TO) == story.graph.shows(FROM, TO) == [*meetings(0, 7), *later(14, 21, 28)]
    assert story.mails() == []
    assert not any(one["attendees"] for one in story.graph._list("me/events"))


def test_r41_what_it_says_is_hidden_where_the_series_is_busy_only(story):
    show(story, "microsoft", "busy")
    story.phone.put("s", event("Review", at(0, 9), at(0, 10), WEEKLY), onward(14, 14, CANARY, f"LOCATION:{CANARY}"))
    story.rest()
    assert story.graph.shows(FROM, TO) == [*meetings(0, 7, title="Busy"), *later(14, 21, 28, title="Busy")]
    assert CANARY not in everything(story)
    story.graph.reschedule(on(story, "microsoft", 14), at(15, 16), at(15, 17))
    story.rest()
    assert story.google.shows(FROM, TO) == [
        *meetings(0, 7), *meetings(15, title=CANARY, hour=16), *later(21, 28, title=CANARY)
    ]  # fmt: skip
    assert story.phone.stored()["s"].count(f"LOCATION:{CANARY}") == 2
    assert CANARY not in everything(story)


@BOTH
def test_r15_a_pair_removed_and_added_again_finds_its_parts(story, provider):
    series(story)
    known = remove(story, provider)
    story.pass_by(minutes=5)
    hands(story, provider).retitle(on(story, provider, 14), "Retro")
    story.rest()
    add_again(story, provider, known)
    story.settle([*meetings(0, 7), *later(14, title="Retro"), *later(21, 28)])
    assert list(story.phone.stored()) == ["s"]


@BOTH
def test_what_came_from_there_is_taken_back(story, provider):
    """The range, that had begun with the next one meanwhile, begins where it did."""
    series(story)
    before = story.phone.stored()["s"]
    hands(story, provider).remove(on(story, provider, 14))
    story.cycle(provider)
    assert story.phone.stored()["s"] != before
    with story.context.database.read() as conn:
        cycle = journal.latest(conn, story.pairs[provider], limit=1)[0].number
    story.rest()
    undoing.undo(story.context, story.pairs[provider], cycle)
    story.settle([*meetings(0, 7), *later(14, 21, 28)])
    assert story.phone.stored()["s"] == before


def test_its_window_moves_with_the_time(story):
    story.phone.put("s", event("Review", at(0, 9), at(0, 10), "RRULE:FREQ=MONTHLY"), onward_monthly())
    story.rest()
    first = story.graph.shows(FROM, TO + dt.timedelta(days=400))
    for _ in range(2):
        story.pass_by(days=60)
        story.rest()
    after = story.graph.shows(FROM, TO + dt.timedelta(days=400))
    assert len(after) > len(first)
    assert after[: len(first)] == first
    assert {title for *_, title in after[1:]} == {"Later"}


def onward_monthly():
    """From the second time on. No day of the stories is told by this: their Monday may be any day of a month below 29."""
    first = at(0, 9)
    second = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return event(
        "Later",
        second + dt.timedelta(hours=5),
        second + dt.timedelta(hours=6),
        local("RECURRENCE-ID;RANGE=THISANDFUTURE", second),
    )


def test_all_earlier_ones_are_left_alone_with_the_reason(story):
    """RFC 2445's THISANDPRIOR: kept as it is, and said so."""
    prior = onward(14, 14).replace("THISANDFUTURE", "THISANDPRIOR")
    story.phone.put("s", event("Review", at(0, 9), at(0, 10), WEEKLY), prior)
    story.rest()
    assert set(story.quarantined().values()) == {"an override for this and all earlier instances"}
    assert story.google.shows(FROM, TO) == story.graph.shows(FROM, TO) == []
