"""Reading a list of to-dos by its pages, and what became of it since."""

import datetime as dt

import pytest

from bridge.errors import CursorLost, Gone, Unreachable
from tests.contracts.bench import Mirror
from tests.contracts.todos.bench import create, due_on, followed, read, todo

DAY = dt.date(2026, 3, 16)


def titles(mirror):
    return sorted(each.fields.todo.summary for each in mirror.objects().values())


@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_listing_shows_everything_done_or_not(todos, now, size):
    ids = [todos.add(f"To-do {number}") for number in range(5)]
    todos.finish(ids[2])
    todos.page_size(size)
    mirror = followed(todos, now)
    assert set(mirror.objects()) == set(ids)
    assert [mirror.objects()[id].fields.todo.status == "COMPLETED" for id in ids] == [False, False, True, False, False]
    assert all(item.series == item.id and item.modified.tzinfo for item in mirror.items.values())


def test_x61_x62_what_it_says_is_read(todos, now):
    id = todos.add("Bread", notes="Rye\nor wheat", due=DAY)
    fields = followed(todos, now).objects()[id].fields
    assert (fields.todo.summary, fields.todo.description) == ("Bread", "Rye\nor wheat")
    assert fields.todo.when.due == (DAY, None)
    assert todos.remote.lens.view(fields) == fields


def test_edits_are_followed(todos, now):
    kept, edited, finished, removed = (todos.add(title) for title in ("Kept", "Edited", "Finished", "Removed"))
    mirror = followed(todos, now)
    todos.retitle(edited, "Anew")
    todos.finish(finished)
    todos.remove(removed)
    added = todos.add("Added", due=DAY)
    named = mirror.follow()
    assert {edited, finished, removed, added} <= named
    assert titles(mirror) == ["Added", "Anew", "Finished", "Kept"]
    assert mirror.objects()[finished].fields.todo.status == "COMPLETED"
    assert mirror.objects()[kept].fields.todo.status == "NEEDS-ACTION"
    todos.reopen(finished)
    todos.reschedule(added, None)
    mirror.follow()
    assert mirror.objects()[finished].fields.todo.status == "NEEDS-ACTION"
    assert mirror.objects()[finished].fields.todo.completed is None
    assert mirror.objects()[added].fields.todo.when == due_on(None)


def test_what_is_added_to_an_empty_list_is_told(todos, now):
    mirror = followed(todos, now)
    id = todos.add("First")
    assert mirror.follow() == {id}


def test_r5_what_happens_between_two_pages_of_a_listing_is_not_lost(todos, now):
    ids = [todos.add(f"To-do {number}") for number in range(6)]
    todos.page_size(2)
    mirror = Mirror(todos.remote, now)
    page = todos.remote.page(None, now=now)
    mirror.items |= {item.id: item for item in page.items}
    assert page.more
    shown = [item.id for item in page.items]
    todos.retitle(shown[0], "Anew")
    todos.remove(shown[1])
    added = todos.add("Added")
    mirror.cursor = page.cursor
    mirror.follow()
    mirror.follow()
    assert set(mirror.objects()) == {*ids, added} - {shown[1]}
    assert mirror.objects()[shown[0]].fields.todo.summary == "Anew"


def test_r4_an_idle_round_is_one_request_and_brings_nothing_new(todos, now):
    for number in range(3):
        todos.add(f"To-do {number}")
    mirror = followed(todos, now)
    mirror.follow()
    requests, writes, known = todos.requests(), todos.writes(), dict(mirror.items)
    for number in (1, 2):
        mirror.follow()
        assert todos.requests() == requests + number
    assert todos.writes() == writes
    assert {id: item.version for id, item in mirror.items.items()} == {id: item.version for id, item in known.items()}


def test_our_own_write_comes_back_in_the_version_that_it_was_answered_with(todos, now):
    """S-04: so that it is known for what it is."""
    mirror = followed(todos, now)
    made = create(todos, todo("Bread"))
    mirror.follow()
    assert mirror.objects()[made.id].version == made.version
    assert mirror.objects()[made.id].fields == made.fields


def test_r13_a_lost_cursor_is_said(todos, now):
    for number in range(4):
        todos.add(f"To-do {number}")
    with pytest.raises(CursorLost):
        todos.remote.page("{}", now=now)
    with pytest.raises(CursorLost):
        todos.remote.page("nonsense", now=now)
    todos.page_size(1)
    page = todos.remote.page(None, now=now)
    todos.forget_cursors()
    with pytest.raises(CursorLost):
        todos.remote.page(page.cursor, now=now)
    assert len(followed(todos, now).objects()) == 4


def test_r5_an_interrupted_listing_is_no_complete_one(todos, now):
    for number in range(5):
        todos.add(f"To-do {number}")
    todos.page_size(2)
    pages, cursor = 0, None
    while True:
        with todos.trouble("down"), pytest.raises(Unreachable):
            todos.remote.page(cursor, now=now)
        page = todos.remote.page(cursor, now=now)
        pages, cursor = pages + 1, page.cursor
        if not page.more:
            break
    assert pages >= 3
    assert len(followed(todos, now).objects()) == 5


def test_what_is_removed_is_gone(todos):
    id = todos.add("Bread")
    assert read(todos, id).fields == todos.remote.lens.view(todo("Bread"))
    todos.remove(id)
    with pytest.raises(Gone):
        todos.remote.get(id)
    with pytest.raises(Gone):
        todos.remote.get("nosuchtodo")
