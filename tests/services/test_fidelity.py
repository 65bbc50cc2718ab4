"""What a pair's report says of events of which something stays here."""

from dataclasses import replace

import pytest

from bridge.errors import NotFound
from bridge.services import fidelity, pairing
from bridge.store import links
from tests.support import bridged
from tests.support.bridged import at, event, local


@pytest.fixture(scope="module")
def sandbox():
    with bridged.running() as running:
        yield running


@pytest.fixture
def story(sandbox, tmp_path):
    with bridged.opened(sandbox, tmp_path) as opened:
        yield opened


def rows(story, provider="microsoft"):
    return {row.uid: row for row in fidelity.report(story.context, story.pairs[provider]).rows}


def put(story, uid, *more):
    story.phone.put(uid, event(uid, at(0, 9), at(0, 10), *more))


def test_what_is_there_with_all_it_says_is_only_counted(story):
    put(story, "plain", "LOCATION:Room 5", "DESCRIPTION:Bring tea")
    put(story, "weekly", "RRULE:FREQ=WEEKLY;COUNT=3")
    found = fidelity.report(story.context, story.pairs["microsoft"])
    assert (found.events, found.exact, found.rows) == (2, 2, [])


def test_what_says_nothing_more_than_silence_is_no_loss(story):
    put(story, "usual", "STATUS:CONFIRMED", "CLASS:PUBLIC")
    assert rows(story) == {}
    put(story, "usual", "STATUS:TENTATIVE")
    assert rows(story)["usual"].kept == ("STATUS",)


def test_properties_without_a_place_there_are_named(story):
    put(
        story,
        "rich",
        "GEO:48.2;16.3",
        "COLOR:navy",
        "URL:https://example.com/",
        "X-OURS:1",
        "ATTACH:https://example.com/a",
    )
    (row,) = rows(story).values()
    assert (row.how, row.kept) == ("whole", ("ATTACH", "COLOR", "URL", "X-OURS"))
    (row,) = rows(story, "google").values()
    assert row.kept == ("ATTACH", "GEO", "X-OURS")


def test_of_several_alarms_those_that_stay_here(story):
    alarms = "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT{}M\nDESCRIPTION:x\nEND:VALARM"
    put(story, "alarms", *(alarms.format(minutes) for minutes in (5, 10)))
    assert rows(story)["alarms"].kept == ("VALARM",)
    assert rows(story, "google") == {}
    put(story, "alarms", "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER;RELATED=END:PT5M\nDESCRIPTION:x\nEND:VALARM")
    assert rows(story, "google")["alarms"].kept == ("VALARM",)


def test_a_series_in_parts(story):
    put(story, "fifth", "RRULE:FREQ=WEEKLY;COUNT=3", local("RDATE", at(2, 9)))
    row = rows(story)["fifth"]
    assert (row.how, row.parts, row.since, row.until) == ("in parts", 4, "", "")
    assert "added dates" in row.why


def test_a_series_of_which_not_everything_is_shown(story):
    put(story, "hourly", "RRULE:FREQ=HOURLY")
    row = rows(story)["hourly"]
    assert (row.how, row.parts) == ("in parts", 750)
    assert row.since < row.until


def test_an_override_beside_its_series(story):
    stray = event("Extra", at(3, 14), at(3, 15), local("RECURRENCE-ID", at(3, 9)))
    story.phone.put("s", event("Review", at(0, 9), at(0, 10), "RRULE:FREQ=WEEKLY;COUNT=3"), stray)
    row = rows(story)["s"]
    assert (row.how, row.parts) == ("whole", 1)


def test_instances_of_a_series_that_is_not_here(story):
    story.phone.put("s", event("Review", at(0, 9), at(0, 10), local("RECURRENCE-ID", at(0, 8)), "COLOR:red"))
    row = rows(story)["s"]
    assert (row.how, row.parts, row.kept) == ("in parts", 1, ("COLOR",))
    told = list(fidelity.told(fidelity.report(story.context, story.pairs["microsoft"])))
    assert told[1].startswith(
        "Review: there in parts, 1 occurrence\n  why: single occurrences of a series that is not here"
    )


def test_what_is_not_there(story):
    put(story, "hebrew", "RRULE:RSCALE=HEBREW;FREQ=YEARLY")
    story.rest()
    row = rows(story, "google")["hebrew"]
    assert (row.how, row.why) == ("not there", "a rule in another calendar system (RFC 7529)")
    assert list(fidelity.told(fidelity.report(story.context, story.pairs["google"]))) == [
        "1 event here, 0 there with all that they say.",
        "hebrew: not there, or not as it is here now\n  why: a rule in another calendar system (RFC 7529)\n  hebrew",
    ]


def test_guests_are_no_loss_where_the_event_is_not_at_home(story):
    put(story, "meeting", "ORGANIZER:mailto:alex@example.com", "ATTENDEE:mailto:robin@example.com")
    story.rest()
    assert rows(story) == rows(story, "google") == {}


def test_what_its_owner_hides_is_no_loss(story):
    """Nor is that what an event is called there."""
    put(story, "secret", "CLASS:PRIVATE")
    assert rows(story) == {}


def test_an_occurrence_that_is_left_alone_is_told_of(story):
    put(story, "fifth", "RRULE:FREQ=WEEKLY;COUNT=3", local("RDATE", at(2, 9)))
    story.rest()
    pair = story.pairs["microsoft"]
    with story.context.database.write() as conn:
        (name, *_) = links.parts(conn, pair, ["fifth"])["fifth"]
        (link,) = links.by_uid(conn, pair, [name]).values()
        links.save(conn, pair, [replace(link, quarantine="Outlook will not have it")])
    row = rows(story)["fifth"]
    assert (row.how, row.why) == ("in parts", "some occurrences are left alone: Outlook will not have it")


def test_a_pair_that_only_pulls_says_so(story):
    put(story, "plain")
    pairing.change(story.context, story.pairs["google"], direction="pull")
    found = fidelity.report(story.context, story.pairs["google"])
    assert list(fidelity.told(found)) == [f"Pair {found.pair} only pulls: nothing goes from here to there."]


def test_a_pair_that_is_not(story):
    with pytest.raises(NotFound):
        fidelity.report(story.context, 99)
