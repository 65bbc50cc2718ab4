"""The policy "ask" (R35): where both sides have changed the same, neither is touched until the owner has spoken."""

import dataclasses

import pytest

from bridge.ical.fields import MASTER
from bridge.store import conflicts, links
from tests.support.worlds import retitled, tea


def both_retitled(world):
    side = world.pair(policy="ask")
    world.put("a", tea("Tea"))
    world.put("b", tea("Other", day=3))
    world.settle()
    world.edit("a", lambda fields: retitled(fields, "Here"))
    id = side.id_of("Tea")
    side.calendar.edit(id, retitled(side.calendar.objects()[id], "There"))
    return side


def answer(world, side, decision):
    with world.database.write() as conn:
        link = links.by_uid(conn, side.pair, ["a"])["a"]
        links.save(conn, side.pair, [dataclasses.replace(link, decision=decision, dirty=True, quarantine=None)])


def asked(world, side):
    with world.database.read() as conn:
        return conflicts.unresolved(conn, side.pair)


def test_r35_both_versions_are_kept_and_nothing_is_written(world_on_each):
    world = world_on_each
    side = both_retitled(world)
    for _ in range(3):
        assert world.cycle(side).idle
    (question,) = asked(world, side)
    assert question.winner == "ask"
    assert (question.hub[MASTER, "summary"], question.remote[MASTER, "summary"]) == ("Here", "There")
    assert "Here" in world.titles()
    assert "There" in side.titles()


@pytest.mark.parametrize(("decision", "title"), [("hub", "Here"), ("remote", "There")])
def test_r35_the_owners_word_counts(world, decision, title):
    side = both_retitled(world)
    world.cycle(side)
    answer(world, side, decision)
    world.settle()
    assert sorted(world.titles()) == sorted(side.titles()) == sorted([title, "Other"])


def test_r35_a_later_edit_asks_about_what_is_there_then(world):
    side = both_retitled(world)
    world.cycle(side)
    world.edit("a", lambda fields: retitled(fields, "Here, later"))
    world.cycle(side)
    (question,) = asked(world, side)
    assert question.hub[MASTER, "summary"] == "Here, later"


def test_what_only_one_side_has_changed_is_not_asked(world):
    side = both_retitled(world)
    world.cycle(side)
    world.edit("b", lambda fields: retitled(fields, "Another"))
    world.cycle(side)
    assert "Another" in side.titles()
