"""R16: what looks alike at a first sync is asked, and the answer makes one event of two, or a copy of each."""

import shutil
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bridge.errors import NotFound, UsageError
from bridge.ical.fields import Attendee
from bridge.services import holding, questions
from bridge.store import audit, conflicts, links, pairs, tables
from bridge.store.session import connect
from bridge.sync.ledger import Link
from tests.support.owners import context_of
from tests.support.worlds import LEASE, Boundaries, World, retitled, tea


def asked(world, here=("a", "b"), there=1, **terms):
    """A first sync that ends with a question: ``here`` are UIDs in the hub, ``there`` how many are on the remote."""
    side = world.pair(**terms)
    for uid in here:
        world.put(uid, tea())
    ids = [side.calendar.add(tea()) for _ in range(there)]
    world.settle()
    return side, ids


def waiting(world, side):
    with world.database.read() as conn:
        return [link.uid for link in links.quarantined(conn, side.pair)]


def link(world, side, uid):
    with world.database.read() as conn:
        return links.by_uid(conn, side.pair, [uid])[uid]


def sides(question):
    return [each.id for each in question.here], [each.id for each in question.there]


def test_r16_questions_are_grouped_by_what_looks_alike(world):
    side = world.pair()
    for uid in ("a", "b"):
        world.put(uid, tea())
        world.put(f"{uid}-lunch", tea("Lunch", day=3, hour=12))
    world.put("other", tea("other"))
    teas = [side.calendar.add(tea())]
    lunches = [side.calendar.add(tea("Lunch", day=3, hour=12)) for _ in range(2)]
    world.settle()
    first, second = questions.unanswered(context_of(world), side.pair)
    assert sides(first) == (["a", "b"], teas)
    assert sides(second) == (["a-lunch", "b-lunch"], sorted(lunches))
    assert (first.here[0].title, first.there[0].title) == ("Tea", "Tea")
    assert first.there[0].when == "2026-03-02 09:00 to 10:00 Europe/Vienna"


def test_r16_the_same_become_one_and_the_one_left_over_is_copied(world):
    side, (remote_id,) = asked(world)
    questions.same(context_of(world), side.pair, "b", remote_id)
    world.settle()
    assert waiting(world, side) == []
    assert world.titles() == side.titles() == ["Tea", "Tea"]
    assert link(world, side, "b").remote_id == remote_id
    world.edit("b", lambda fields: retitled(fields, "Tea with Sam"))
    world.settle()
    assert side.calendar.objects()[remote_id].master.summary == "Tea with Sam"
    assert world.titles() == side.titles() == ["Tea", "Tea with Sam"]


def test_r16_of_two_and_two_the_rest_is_still_asked(world):
    side, (first, second) = asked(world, there=2)
    questions.same(context_of(world), side.pair, "a", second)
    world.settle()
    (left,) = questions.unanswered(context_of(world), side.pair)
    assert sides(left) == (["b"], [first])
    assert len(world.hub()) == len(side.calendar.objects()) == 2
    questions.same(context_of(world), side.pair, "b", first)
    world.settle()
    assert len(world.hub()) == len(side.calendar.objects()) == 2
    assert questions.unanswered(context_of(world), side.pair) == []


def test_r16_all_different_each_gets_its_copy_once(world):
    side, (remote_id,) = asked(world)
    assert questions.different(context_of(world), side.pair, None) == 3
    world.settle()
    assert world.titles() == side.titles() == ["Tea"] * 3
    assert waiting(world, side) == []
    uid = side.calendar.kept[remote_id].uid
    assert set(world.hub()) == {"a", "b", uid}  # it keeps its own name, by which another pairing would know it
    side.calendar.remove(remote_id)
    world.settle()
    assert set(world.hub()) == {"a", "b"}


def test_r2_an_answer_invites_nobody_who_was_a_guest_before(world):
    guests = (Attendee("ann@example.net"),)
    side = world.pair()
    for uid in ("a", "b"):
        event = tea(day=20)
        world.put(uid, replace(event, master=replace(event.master, attendees=guests, organizer="alice@example.org")))
    side.calendar.add(tea(day=20))
    world.settle()
    questions.different(context_of(world), side.pair, None)
    world.settle()
    assert len(side.calendar.objects()) == 3
    assert side.calendar.mails == []
    world.edit("a", lambda fields: retitled(fields, "Tea, later"))
    world.settle()
    assert side.calendar.mails == []


def test_r16_different_by_name_leaves_the_others_in_question(world):
    side, (remote_id,) = asked(world)
    assert questions.different(context_of(world), side.pair, ["a"]) == 1
    world.settle()
    assert world.titles() == side.titles() == ["Tea", "Tea"]
    assert sides(questions.unanswered(context_of(world), side.pair)[0]) == (["b"], [remote_id])
    assert questions.different(context_of(world), side.pair, [remote_id]) == 2
    world.settle()
    assert world.titles() == side.titles() == ["Tea"] * 3


@pytest.mark.parametrize(("direction", "here", "there"), [("pull", 3, 1), ("push", 2, 3)])
def test_the_answer_goes_no_other_way_than_the_pair(world, direction, here, there):
    side, _ = asked(world, direction=direction)
    questions.different(context_of(world), side.pair, None)
    world.settle()
    assert (len(world.hub()), len(side.calendar.objects())) == (here, there)
    assert waiting(world, side) == []


def test_what_differs_is_united_and_what_gives_way_is_kept(world):
    side, (remote_id,) = asked(world)
    world.edit("a", lambda fields: retitled(fields, "Tea at ours"))
    side.calendar.edit(remote_id, retitled(tea(), "Tea at theirs"))
    world.settle()
    assert len(waiting(world, side)) == 3  # an edit is no answer
    questions.same(context_of(world), side.pair, "a", remote_id)
    world.settle()
    assert side.titles() == world.titles() == ["Tea", "Tea at theirs"]
    with world.database.read() as conn:
        (lost,) = conflicts.unresolved(conn, side.pair)
    assert list(lost.lost.values()) == ["Tea at ours"]


def test_r16_an_edit_is_no_answer_and_copies_nothing(world):
    side, (remote_id,) = asked(world)
    world.edit("a", lambda fields: retitled(fields, "Breakfast"))
    side.calendar.edit(remote_id, retitled(tea(), "Dinner"))
    world.settle()
    assert (len(world.hub()), len(side.calendar.objects())) == (2, 1)
    assert len(waiting(world, side)) == 3


def test_what_is_deleted_is_asked_about_no_more(world):
    side, (remote_id,) = asked(world)
    world.delete("a")
    world.settle()
    assert len(waiting(world, side)) == 2
    assert sides(questions.unanswered(context_of(world), side.pair)[0]) == (["b"], [remote_id])
    side.calendar.remove(remote_id)
    world.settle()
    assert sides(questions.unanswered(context_of(world), side.pair)[0]) == (["b"], [])
    questions.different(context_of(world), side.pair, ["b"])
    world.settle()
    assert world.titles() == side.titles() == ["Tea"]


def test_a_second_answer_is_refused_in_plain_words_and_changes_nothing(world):
    side, (remote_id,) = asked(world)
    context = context_of(world)
    questions.same(context, side.pair, "a", remote_id)
    for again in (
        lambda: questions.same(context, side.pair, "b", remote_id),
        lambda: questions.same(context, side.pair, "a", remote_id),
        lambda: questions.different(context, side.pair, ["a"]),
        lambda: questions.different(context, side.pair, None),
    ):
        with pytest.raises(UsageError, match=r"not in question|no open question"):
            again()
    world.settle()
    assert world.titles() == side.titles() == ["Tea", "Tea"]


def test_of_several_names_one_wrong_one_refuses_all(world):
    side, _ = asked(world)
    with pytest.raises(UsageError, match="'nonsense' is not in question"):
        questions.different(context_of(world), side.pair, ["a", "nonsense"])
    assert len(waiting(world, side)) == 3
    with pytest.raises(NotFound):
        questions.unanswered(context_of(world), 99)


@pytest.fixture
def new_world(tmp_path, _migrated_file):
    """Worlds in any number, each with two events here that look like the one there; nothing is synced yet."""
    opened = []

    def make():
        path = tmp_path / f"world-{len(opened)}.db"
        shutil.copy(_migrated_file, path)
        opened.append(connect(f"sqlite:///{path}"))
        world = World(opened[-1])
        side = world.pair()
        for uid in ("a", "b"):
            world.put(uid, tea())
        side.calendar.add(tea())
        return world, side

    yield make
    for each in opened:
        each.close()


@pytest.mark.parametrize("answer", ["same", "different"])
def test_r16_answered_while_the_first_sync_is_not_through(new_world, answer):
    """It dies wherever it can; what is asked by then is answered, the rest later, and nothing comes twice."""
    phases = set()
    for die_at in range(1, 40):
        world, side = new_world()
        context = context_of(world)
        died = world.dying_cycle(side, Boundaries(die_at))
        for _ in range(2):
            for question in questions.unanswered(context, side.pair):
                assert (len(question.here), len(question.there)) == (2, 1)
                phases.add(world.state(side).phase)
                if answer == "same":
                    questions.same(context, side.pair, question.here[0].id, question.there[0].id)
                else:
                    questions.different(context, side.pair, None)
            world.settle()
        assert waiting(world, side) == []
        expected = ["Tea"] * (2 if answer == "same" else 3)
        assert world.titles() == side.titles() == expected, die_at
        if not died:
            break
    else:
        raise AssertionError("it never came to its end")
    assert phases == {"pairing", "steady"}


def test_an_answer_waits_for_the_cycle_that_is_under_way(world, monkeypatch):
    """It would be lost between what a cycle has read and what it writes."""
    side, (remote_id,) = asked(world)
    monkeypatch.setattr(holding, "PATIENCE_SECONDS", 0.2)
    with world.database.write() as conn:
        assert pairs.claim(conn, side.pair, owner="worker", now=world.clock(), lease=LEASE)
    with pytest.raises(UsageError, match="under way"):
        questions.same(context_of(world), side.pair, "a", remote_id)
    assert len(waiting(world, side)) == 3
    world.clock.pass_by(minutes=6)  # the worker has died
    questions.same(context_of(world), side.pair, "a", remote_id)
    assert world.state(side).lease_owner is None
    world.settle()
    assert world.titles() == side.titles() == ["Tea", "Tea"]


def test_the_pair_is_woken_and_the_answer_noted_without_contents(world):
    side, (remote_id,) = asked(world)
    with world.database.write() as conn:
        conn.execute(sa.update(tables.pairs).values(due_at=world.clock() + LEASE))
    questions.same(context_of(world), side.pair, "a", remote_id)
    assert world.state(side).due_at < world.clock()
    with world.database.read() as conn:
        newest = audit.of_principal(conn, world.principal)[0]
    assert (newest.action, newest.detail) == ("question.answered", {"pair": side.pair, "answer": "same", "events": 2})


def test_what_is_quarantined_for_another_reason_is_no_question(world):
    side, (remote_id,) = asked(world)
    with world.database.write() as conn:
        links.save(conn, side.pair, [Link("a", quarantine="refused")])
    with pytest.raises(UsageError):
        questions.same(context_of(world), side.pair, "a", remote_id)
