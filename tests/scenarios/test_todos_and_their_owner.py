"""What the owner of a list may ask and say, as of a calendar: a preview, an undo, a conflict, a question, what others see."""

import datetime as dt

import pytest

from bridge.services import conflicts, pairing, precedence, previewing, questions, removing, undoing
from bridge.store import journal
from bridge.sync import projection
from tests.support import listed

BEGIN = dt.datetime(2035, 3, 4, 12, tzinfo=dt.UTC)
DUE = "DUE;TZID=Europe/Berlin:20350305T180000"


@pytest.fixture(params=["google", "microsoft"])
def story(request, sandbox, tmp_path):
    with listed.opened(sandbox, tmp_path, lists=(request.param,), now=BEGIN) as opened:
        opened.provider = request.param
        opened.side = opened.google if request.param == "google" else opened.graph
        yield opened


def preview(story):
    with previewing.previewed(story.context, story.pairs[story.provider]) as foreseen:
        return [(row.what, row.where, row.title) for row in foreseen.rows]


def test_a_preview_names_to_dos_and_writes_nothing(story):
    story.phone.put("bread", "SUMMARY:Bread", DUE)
    story.side.add("Milk")
    before = story.writes()
    assert sorted(preview(story)) == [("create", "here", "Milk"), ("create", "there", "Bread")]
    assert story.writes() == before
    story.rest()
    story.side.tick("Bread")
    assert preview(story) == [("change", "here", "Bread")]


def test_r35_a_cycle_is_taken_back(story):
    story.phone.put("bread", "SUMMARY:Bread", DUE, "X-OWN:kept")
    story.rest()
    before = story.phone.stored()["bread"]
    story.side.tick("Bread")
    story.rest()
    with story.context.database.read() as conn:
        number = journal.latest(conn, story.pairs[story.provider], limit=1)[0].number
    undoing.undo(story.context, story.pairs[story.provider], number)
    assert story.phone.stored()["bread"] == before
    story.rest()
    assert not story.side.done("Bread")


def test_r35_the_version_that_gave_way_is_put_back(story):
    story.phone.put("bread", "SUMMARY:Bread")
    story.rest()
    story.phone.edit("bread", "SUMMARY:Bread", "SUMMARY:Rolls")
    story.pass_by(minutes=5)
    story.side.edit("Bread", title="Cake")
    story.rest()
    (found,) = conflicts.unresolved(story.context)
    conflicts.resolve(story.context, found.id, take="hub")
    story.rest()
    assert story.phone.titles() == story.side.titles() == ["Rolls"]


def test_r35_a_list_whose_owner_wants_to_be_asked(story):
    precedence.set_truth(story.context, "alex/tasks", "ask")
    story.phone.put("bread", "SUMMARY:Bread")
    story.rest()
    story.phone.edit("bread", "SUMMARY:Bread", "SUMMARY:Rolls")
    story.side.edit("Bread", title="Cake")
    story.rest()
    assert (story.phone.titles(), story.side.titles()) == (["Rolls"], ["Cake"])
    (found,) = conflicts.unresolved(story.context)
    conflicts.resolve(story.context, found.id, take="remote")
    story.rest()
    assert story.phone.titles() == story.side.titles() == ["Cake"]


def test_r41_others_see_that_there_is_something_to_do_and_not_what(sandbox, tmp_path):
    def before(lists):
        lists.google.add("Canary", notes="Canary", due="2035-03-05T00:00:00.000Z")

    with listed.opened(sandbox, tmp_path, lists=("google",), now=BEGIN, before=before) as story:
        story.rest()
        story.pairs |= listed.pair_lists(story.context, wanted=("microsoft",))
        pairing.change(story.context, story.pairs["microsoft"], projection=projection.read("busy"))
        story.rest()
        assert (story.graph.titles(), story.graph.due("Busy")) == (["Busy"], "2035-03-05")
        story.graph.tick("Busy")
        story.rest()
        assert (story.google.titles(), story.google.done("Canary")) == (["Canary"], True)
        assert story.google.task("Canary")["notes"] == "Canary"
        assert story.quarantined() == {}


def test_r16_look_alikes_are_asked_about(sandbox, tmp_path):
    def before(lists):
        for uid in ("one", "two"):
            lists.phone.put(uid, "SUMMARY:Milk")
        for _ in range(2):
            lists.google.add("Milk")

    with listed.opened(sandbox, tmp_path, lists=("google",), now=BEGIN, before=before) as story:
        story.rest()
        (asked,) = questions.unanswered(story.context, story.pairs["google"])
        assert [each.title for each in (*asked.here, *asked.there)] == ["Milk"] * 4
        assert questions.different(story.context, story.pairs["google"], None) == 4
        story.rest()
        assert len(story.phone.titles()) == len(story.google.titles()) == 4


def test_r15_a_pair_made_anew_finds_its_to_dos(story):

    story.phone.put("bread", "SUMMARY:Bread", DUE)
    story.side.add("Milk")
    story.rest()
    removing.remove_pair(story.context, story.pairs[story.provider])
    story.phone.edit("bread", "SUMMARY:Bread", "SUMMARY:Rolls")
    story.pairs = listed.pair_lists(story.context, wanted=(story.provider,))
    story.rest()
    assert story.phone.titles() == story.side.titles() == ["Milk", "Rolls"]
    assert story.quarantined() == {}
