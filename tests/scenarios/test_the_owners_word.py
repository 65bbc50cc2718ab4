"""What the owner says after the fact reaches both services, in their own terms, and no request is made to say it."""

import pytest

from bridge.services import conflicts, history, precedence, questions
from tests.contracts.bench import Typed
from tests.support.bridged import at, event, opened, shown

HERE = "alex/calendar"
SIDES = {"google": "google", "microsoft": "graph"}


def clash(story, provider):
    """The phone and one service move and rename the same tea."""
    story.phone.put("tea", event("Tea", at(1, 9), at(1, 10)))
    story.settle([shown(at(1, 9), at(1, 10), "Tea")])
    side = getattr(story, SIDES[provider])
    side.retitle(side.find("Tea"), "theirs")
    story.phone.put("tea", event("ours", at(1, 9), at(1, 10), "X-MOOD:good"))
    story.cycle(provider)


def only_conflict(story):
    (found,) = conflicts.unresolved(story.context, HERE)
    assert [(each.field, each.hub, each.remote) for each in found.differences] == [("title", "ours", "theirs")]
    return found


def requests(story):
    return story.sandbox.google.meter.requests + story.sandbox.microsoft.meter.requests


@pytest.mark.parametrize("provider", ["google", "microsoft"])
@pytest.mark.parametrize(("truth", "take"), [("hub", "remote"), ("pair", "hub"), ("ask", "hub"), ("ask", "remote")])
def test_r35_the_version_that_gave_way_stands_everywhere_in_the_end(story, provider, truth, take):
    precedence.set_truth(story.context, HERE, str(story.pairs[provider]) if truth == "pair" else truth)
    clash(story, provider)
    found = only_conflict(story)
    story.pass_by(minutes=1)
    before = requests(story)
    conflicts.resolve(story.context, found.id, take=take)
    assert requests(story) == before
    story.settle([shown(at(1, 9), at(1, 10), "ours" if take == "hub" else "theirs")])
    assert conflicts.unresolved(story.context) == []
    assert "X-MOOD:good" in story.phone.stored()["tea"]


def test_a_deleted_series_comes_back_with_its_exceptions(story):
    rule = "RRULE:FREQ=WEEKLY;COUNT=4"
    story.phone.put("s", event("Stand-up", at(0, 9), at(0, 10), rule))
    story.settle()
    story.google.move_occurrence(story.google.find("Stand-up"), at(7, 9), at(8, 11), at(8, 12))
    expected = story.settle()
    story.graph.remove(story.graph.find("Stand-up"))
    story.settle([])
    assert history.of_object(story.context, HERE, "s")[0].who == f"Microsoft pair {story.pairs['microsoft']}"
    history.restore(story.context, HERE, "s")
    story.settle(expected)


@pytest.fixture
def alone(sandbox, tmp_path):
    with opened(sandbox, tmp_path, connect=()) as story:
        yield story


@pytest.mark.parametrize("provider", ["google", "microsoft"])
@pytest.mark.parametrize("answer", ["same", "different"])
def test_r16_a_question_is_answered_and_nothing_is_doubled(alone, provider, answer):
    """Two on the phone and one at the service, before they are connected."""
    story, side = alone, getattr(alone, SIDES[provider])
    for uid in ("a", "b"):
        story.phone.put(uid, event("Tea", at(1, 9), at(1, 10)))
    side.add(Typed("Tea", at(1, 9), at(1, 10)))
    story.pairs[provider] = story.connect(provider).pair_id
    story.rest()
    (question,) = questions.unanswered(story.context, story.pairs[provider])
    assert (len(question.here), len(question.there)) == (2, 1)
    assert {each.title for each in (*question.here, *question.there)} == {"Tea"}
    if answer == "same":
        questions.same(story.context, story.pairs[provider], question.here[0].id, question.there[0].id)
    else:
        questions.different(story.context, story.pairs[provider], None)
    story.rest()
    expected = [shown(at(1, 9), at(1, 10), "Tea")] * (2 if answer == "same" else 3)
    assert story.seen()["hub"] == story.seen()[side.name] == expected
    assert questions.unanswered(story.context, story.pairs[provider]) == []
