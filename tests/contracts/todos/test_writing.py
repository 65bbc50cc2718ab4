"""Writing a to-do: once, only what differs, and never over what somebody else has written."""

import datetime as dt
from dataclasses import replace

import pytest

from bridge.errors import CursorLost, Gone, NeedsReconnect, Throttled, Unmappable, Unreachable, VersionMismatch
from bridge.ical.fields import EventFields, ObjectFields, Span, When
from bridge.sync.ports import KeepsNoMark
from tests.contracts.bench import wall
from tests.contracts.todos.bench import Shown, create, due_on, read, todo

KEY = "0123456789abcdefghijklmnopqrstuv"
DAY = dt.date(2026, 3, 16)
BREAD = todo("Bread", description="Rye\nor wheat", when=due_on(DAY), status="NEEDS-ACTION")


def changed(fields, **news):
    return replace(fields, master=replace(fields.todo, **news))


def update(bench, current, target):
    return bench.remote.lens.read(bench.remote.update(current, target))


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        (todo("Bread"), Shown("Bread")),
        (todo(""), Shown("")),
        (BREAD, Shown("Bread", "Rye\nor wheat", DAY)),
        (todo("Done", status="COMPLETED"), Shown("Done", done=True)),
        (
            todo("Done", status="COMPLETED", completed=dt.datetime(2026, 3, 2, 10, 11, 12, tzinfo=dt.UTC)),
            Shown("Done", done=True),
        ),
        (
            todo("Timed", when=Span(None, (wall("2026-03-16 23:30"), "Europe/Vienna"))),
            Shown("Timed", due=DAY),
        ),
        (
            todo("In UTC", when=Span(None, (wall("2026-03-15 23:30"), "UTC"))),
            Shown("In UTC", due=DAY),
        ),
    ],
    ids=["plain", "untitled", "full", "done", "done then", "timed", "in UTC"],
)
def test_a_creation_says_what_the_lens_sees(todos, fields, shown):
    made = create(todos, fields)
    view = todos.remote.lens.view(fields)
    assert changed(made.fields, completed=None) == changed(view, completed=None)
    assert (made.fields.todo.completed is not None) is shown.done
    assert todos.shown(made.id) == shown
    assert read(todos, made.id).fields == made.fields
    assert read(todos, made.id).version == made.version
    assert todos.writes() == 1


@pytest.mark.parametrize(
    ("news", "shown"),
    [
        ({"summary": "Cake"}, Shown("Cake", "Rye\nor wheat", DAY)),
        ({"summary": ""}, Shown("", "Rye\nor wheat", DAY)),
        ({"description": ""}, Shown("Bread", "", DAY)),
        ({"when": due_on(DAY + dt.timedelta(days=3))}, Shown("Bread", "Rye\nor wheat", dt.date(2026, 3, 19))),
        ({"when": due_on(None)}, Shown("Bread", "Rye\nor wheat", None)),
        ({"status": "COMPLETED"}, Shown("Bread", "Rye\nor wheat", DAY, done=True)),
        ({"status": "CANCELLED"}, Shown("Bread", "Rye\nor wheat", DAY, done=True)),
    ],
    ids=["title", "no title", "no notes", "another day", "no day", "done", "cancelled"],
)
def test_an_update_becomes_what_was_asked_for(todos, news, shown):
    made = create(todos, BREAD)
    writes = todos.writes()
    after = update(todos, made, changed(BREAD, **news))
    assert todos.shown(made.id) == shown
    assert todos.writes() == writes + 1
    assert after.id == made.id
    assert after.version != made.version
    assert read(todos, made.id).fields == after.fields
    back = update(todos, after, BREAD)
    assert back.fields == made.fields
    assert todos.shown(made.id) == Shown("Bread", "Rye\nor wheat", DAY)


def test_r4_what_the_service_cannot_hold_is_no_reason_to_write(todos):
    made = create(todos, BREAD)
    requests = todos.requests()
    assert update(todos, made, changed(BREAD, location="Bakery", percent=40)).version == made.version
    assert todos.requests() == requests


def test_r36_an_edit_made_meanwhile_is_not_overwritten(todos):
    made = create(todos, BREAD)
    todos.retitle(made.id, "Cake")
    with pytest.raises(VersionMismatch):
        todos.remote.update(made, changed(BREAD, summary="Rolls"))
    with pytest.raises(VersionMismatch):
        todos.remote.delete(made)
    assert todos.titles() == ["Cake"]


def test_r36_nor_is_a_completion(todos):
    made = create(todos, BREAD)
    todos.finish(made.id)
    with pytest.raises(VersionMismatch):
        todos.remote.update(made, changed(BREAD, summary="Rolls"))
    assert todos.shown(made.id).done


def test_what_is_gone_cannot_be_changed_and_is_deleted_already(todos):
    made = create(todos, BREAD)
    todos.remove(made.id)
    with pytest.raises(Gone):
        todos.remote.update(made, changed(BREAD, summary="Rolls"))
    todos.remote.delete(made)
    assert todos.titles() == []


def test_a_deletion_deletes_one(todos):
    made, other = create(todos, BREAD), create(todos, todo("Milk"), key="v" * 32, uid="other")
    todos.remote.delete(made)
    assert todos.titles() == ["Milk"]
    with pytest.raises(Gone):
        todos.remote.get(made.id)
    todos.remote.delete(made)
    assert read(todos, other.id).fields == other.fields


def test_r12_a_creation_without_an_answer_is_found_again(todos):
    with todos.trouble("answer lost"), pytest.raises(Unreachable):
        todos.remote.create(BREAD, key=KEY, uid="hub-uid")
    todos.wait_over()
    assert todos.titles() == ["Bread"], "it sends once"
    if isinstance(todos.remote, KeepsNoMark):
        (found,) = todos.remote.alike(todos.remote.lens.view(BREAD))
    else:
        found = todos.remote.find(KEY)
    assert todos.remote.lens.read(found).fields == todos.remote.lens.view(BREAD)
    assert todos.remote.find("v" * 32) == ()


def test_what_is_read_tells_its_key_where_the_service_keeps_it(todos):
    made = read(todos, create(todos, BREAD).id)
    assert isinstance(todos.remote, KeepsNoMark) is not todos.marked
    assert bool(made.creation_key) is todos.marked
    assert not made.organized_elsewhere


CALLS = {
    "page": lambda remote, current, now: remote.page(None, now=now),
    "get": lambda remote, current, now: remote.get(current.id),
    "create": lambda remote, current, now: remote.create(todo("Canary 0815"), key="v" * 32, uid="other"),
    "update": lambda remote, current, now: remote.update(current, todo("Canary 0815")),
    "delete": lambda remote, current, now: remote.delete(current),
}


@pytest.fixture(params=CALLS)
def call(request, todos, now):
    current = create(todos, todo("Canary 4711"))
    return lambda: CALLS[request.param](todos.remote, current, now)


def test_a_service_that_is_down_is_unreachable_and_nothing_else(todos, call):
    with todos.trouble("down"), pytest.raises(Unreachable) as caught:
        call()
    assert not isinstance(caught.value, NeedsReconnect | CursorLost)
    assert todos.titles() == ["Canary 4711"]


def test_a_service_that_is_busy_says_when_to_come_back(todos, call):
    with todos.trouble("busy"), pytest.raises(Throttled) as caught:
        call()
    assert caught.value.retry_after == 7
    assert todos.titles() == ["Canary 4711"]


def test_errors_and_logs_tell_no_contents(todos, call, caplog):
    """DESIGN §3: ids, never contents."""
    caplog.set_level("DEBUG")
    for kind in ("down", "busy", "answer lost"):
        with todos.trouble(kind), pytest.raises(Unreachable) as caught:
            call()
        assert "Canary" not in f"{caught.value!r} {caught.value.args}"
        todos.wait_over()
    assert "Canary" not in caplog.text


def test_an_event_is_nothing_to_a_list_of_to_dos(todos):
    at = wall("2026-03-02 12:00")
    event = ObjectFields(EventFields(When(at, at, "Europe/Vienna"), summary="Tea"))
    with pytest.raises(Unmappable):
        todos.remote.lens.view(event)
    with pytest.raises(Unmappable):
        todos.remote.create(event, key=KEY, uid="hub-uid")
    assert todos.writes() == 0
