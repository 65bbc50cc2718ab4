"""What only Microsoft To Do does: its moods where the facts leave room, and what goes over the wire (M-84 … M-89)."""

import datetime as dt
import json
from dataclasses import replace

import pytest

from bridge.errors import CursorLost, Refused, VersionMismatch
from bridge.ical.fields import ObjectFields, Span, TodoFields
from bridge.providers.graph.oauth import TASKS
from bridge.sync.ports import KeepsNoMark, Replays, SupportsBatches, SupportsPush
from tests.contracts.bench import KeptTokens, Mirror
from tests.contracts.graph_bench import REDIRECT, agree, without_tasks
from tests.contracts.todos import graph_bench
from tests.contracts.todos.bench import create, due_on, followed, read, todo

DAY = dt.date(2026, 3, 16)
WEEK = dt.timedelta(days=7)
KEY = "0123456789abcdefghijklmnopqrstuv"
WEEKLY = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
    "range": {"type": "noEnd", "startDate": "2026-03-16"},
}
RULE = ("RRULE:FREQ=WEEKLY;BYDAY=MO",)


@pytest.fixture
def todos(sandbox):
    with graph_bench.open_bench(sandbox) as opened:
        yield opened


@pytest.fixture
def sent(todos):
    """Method, body and If-Match of every write that the bridge sends from now on."""
    seen = []

    def note(request):
        if request.method != "GET" and "/todo/" in request.url.path:
            body = json.loads(request.content) if request.content else None
            seen.append((request.method, body, request.headers.get("If-Match")))

    todos.remote._api.http.event_hooks["request"].append(note)
    return seen


def changed(fields, **news):
    return replace(fields, master=replace(fields.todo, **news))


def update(todos, current, **news):
    return todos.remote.lens.read(todos.remote.update(current, changed(current.fields, **news)))


def repeated(**fields):
    return todo("Water", when=Span((DAY, None), (DAY, None)), rules=RULE, **fields)


def open_and_done(mirror):
    objects = mirror.objects()
    done = [each for each in objects.values() if each.fields.todo.status == "COMPLETED"]
    return [each for each in objects.values() if each not in done], done


# --- the lists


def test_m84_flagged_mails_are_no_list(todos):
    names = [each.name for each in todos.account.calendars() if each.component == "VTODO"]
    assert "Flagged Emails" not in names
    assert len(names) == 1
    assert {each.zone for each in todos.account.calendars()} == {"Europe/Berlin"}


def test_it_is_only_asked_and_keeps_marks(todos):
    assert not isinstance(todos.remote, SupportsPush | SupportsBatches | KeepsNoMark)
    assert isinstance(todos.remote, Replays)


# --- consent


def test_r28_a_grant_from_before_is_renewed_for_what_it_holds(todos):
    with without_tasks(todos.sandbox) as old:
        consent = old.begin(redirect_uri=REDIRECT)
        tokens = KeptTokens(old.finish(consent.memory, agree(consent.url)))
    account = todos.provider.account(tokens)
    todos.service.expire_tokens()
    assert {each.component for each in account.calendars()} == {"VEVENT"}


def test_r28_a_grant_with_the_to_dos_is_renewed_with_them(todos):
    for _ in range(2):
        todos.service.expire_tokens()
        assert {each.component for each in todos.account.calendars()} == {"VEVENT", "VTODO"}
        assert not todos.remote.page(None, now=dt.datetime(2026, 3, 1, tzinfo=dt.UTC)).items


def test_where_they_are_not_wanted_nobody_is_asked_for_them(todos):
    with without_tasks(todos.sandbox) as old:
        assert TASKS not in old.begin(redirect_uri=REDIRECT).url
    assert TASKS in todos.provider.begin(redirect_uri=REDIRECT).url


# --- reading


def test_m87_options_are_in_the_first_request_only(todos, now):
    for number in range(3):
        todos.add(f"To-do {number}")
    todos.page_size(2)
    urls = []
    todos.remote._api.http.event_hooks["request"].append(lambda request: urls.append(request.url))
    mirror = followed(todos, now)
    mirror.follow()
    first, *rest = (url.query.decode() for url in urls)
    assert "expand=linkedResources" in first
    assert "$top=2" in first
    assert len(rest) > 1
    assert all("token=" in query and "expand" not in query and "top" not in query for query in rest)


def test_m27_oddities_of_a_round_change_nothing(todos, now):
    todos.service.configure({"delta_oddities": True})
    kept, removed = (todos.add(title) for title in ("Kept", "Removed"))
    todos.remove(removed)
    todos.page_size(1)
    mirror = followed(todos, now)
    todos.retitle(kept, "Anew")
    mirror.follow()
    assert {id: each.fields.todo.summary for id, each in mirror.objects().items()} == {kept: "Anew"}


def test_a_cursor_of_another_graph_is_lost(todos, now):
    with pytest.raises(CursorLost):
        todos.remote.page("https://graph.example/v1.0/me/todo/lists/1/tasks/delta?$deltatoken=1", now=now)


def test_r13_a_round_that_has_been_forgotten_is_begun_anew(todos, now):
    todos.add("Bread")
    mirror = followed(todos, now)
    todos.forget_cursors()
    with pytest.raises(CursorLost):
        mirror.follow()


@pytest.mark.parametrize("told", [True, False])
def test_x69_a_rule_that_a_listing_may_hide_is_asked_for(todos, now, told):
    todos.service.configure({"todo_recurrence_in_lists": told})
    id = todos.add("Water", due=DAY, recurrence=WEEKLY)
    todos.add("Bread", due=DAY)
    found = followed(todos, now).objects()[id].fields
    assert found.todo.rules == RULE
    assert found.todo.when == Span((DAY, None), (DAY, None))
    assert read(todos, id).fields == found


@pytest.mark.parametrize("utc", [True, False])
def test_m86_the_day_is_the_same_whatever_becomes_of_its_time(todos, utc):
    todos.service.configure({"todo_due_as_utc": utc})
    made = create(todos, todo("Bread", when=due_on(DAY)))
    assert made.fields.todo.when == due_on(DAY)
    assert read(todos, made.id).fields == made.fields


def test_m86_of_completion_the_day_is_left(todos, sent):
    at = dt.datetime(2026, 3, 16, 23, 30, tzinfo=dt.UTC)
    made = create(todos, todo("Bread", status="COMPLETED", completed=at))
    assert made.fields.todo.completed == at.replace(hour=0, minute=0)
    assert update(todos, made, completed=at + WEEK).fields.todo.completed == (at + WEEK).replace(hour=0, minute=0)
    assert sent[-1][1]["status"] == "completed"


@pytest.mark.parametrize("rewritten", [True, False])
def test_r20_a_text_that_comes_back_in_other_lines_is_no_change(todos, rewritten):
    todos.service.configure({"todo_bodies_rewritten": rewritten})
    made = create(todos, todo("Bread", description="Rye\nor wheat"))
    assert made.fields.todo.description == "Rye\nor wheat"
    assert todos.remote.update(made, made.fields) == made.items


def test_html_that_somebody_wrote_is_read_as_text_before_and_after_our_own_write(todos):
    id = todos.add("Bread")
    todos.write(id, body={"contentType": "html", "content": "<p>Rye</p><p>Wheat</p>"})
    current = read(todos, id)
    assert current.fields.todo.description.split() == ["Rye", "Wheat"]
    after = update(todos, current, summary="Rolls")
    assert after.fields == read(todos, id).fields == changed(current.fields, summary="Rolls")


# --- writing


FULL = ObjectFields(
    TodoFields(
        Span((DAY, None), (DAY + WEEK, None)),
        summary="Bread",
        description="Rye",
        status="IN-PROCESS",
        categories=("Home", "Town"),
        priority=1,
        alarms=((dt.datetime(2026, 3, 16, 7, 30), "UTC"),),  # noqa: DTZ001 - a wall clock
    )
)


def test_x60_x70_all_that_a_task_holds_is_there_at_once(todos, sent):
    made = create(todos, FULL)
    assert made.fields == FULL
    assert len(sent) == 1
    task = todos.task(made.id)
    (link,) = task["linkedResources"]
    assert (link["applicationName"], link["externalId"]) == ("caldav-bridge", f"{KEY} hub-uid")
    assert (task["importance"], task["status"], task["isReminderOn"]) == ("high", "inProgress", True)


def test_m88_marks_are_sent_once_and_survive_every_write(todos, sent):
    made = create(todos, FULL)
    after = update(todos, made, summary="Rolls")
    assert (after.creation_key, after.uid) == (KEY, "hub-uid")
    assert [body for _, body, _ in sent[1:]] == [{"title": "Rolls"}]
    assert "linkedResources" in sent[0][1]


@pytest.mark.parametrize("heeded", [True, False])
def test_r36_m88_no_edit_is_overwritten_whether_if_match_is_heeded_or_not(todos, sent, heeded):
    todos.service.configure({"todo_if_match": heeded})
    made = create(todos, todo("Bread"))
    todos.retitle(made.id, "Cake")
    del sent[:]
    for write in (lambda: update(todos, made, description="Rye"), lambda: todos.remote.delete(made)):
        with pytest.raises(VersionMismatch):
            write()
    assert sent == []
    assert todos.titles() == ["Cake"]
    update(todos, read(todos, made.id), description="Rye")
    assert sent[0][2].startswith('W/"')


def test_x64_what_waits_for_others_goes_on_waiting(todos):
    id = todos.add("Bread", status="waitingOnOthers")
    current = update(todos, read(todos, id), summary="Rolls")
    assert todos.task(id)["status"] == "waitingOnOthers"
    update(todos, current, status="COMPLETED")
    assert todos.task(id)["status"] == "completed"


def test_x70_a_reminder_is_turned_off(todos):
    after = update(todos, create(todos, FULL), alarms=())
    assert after.fields.todo.alarms == ()
    assert not todos.task(after.id)["isReminderOn"]


def test_a_refusal_is_of_this_one_task(todos):
    todos.sandbox.faults.inject(method="POST", path=graph_bench.API, status=400)
    with pytest.raises(Refused):
        create(todos, todo("Bread"))


def test_r12_of_two_with_one_mark_the_older_one_is_ours(todos):
    made = create(todos, repeated())
    todos.finish(made.id)
    assert len(todos.tasks()) == 2
    (found,) = todos.remote.find(KEY)
    assert found.id == made.id


def test_an_uid_may_be_anything(todos):
    made = create(todos, todo("Bread"), uid="ü b\tc" * 100)
    assert (made.creation_key, made.uid) == (KEY, "")


# --- what recurs


def test_x69_moving_on_is_one_plain_change(todos, sent):
    made = create(todos, repeated())
    assert made.fields == repeated(status="NEEDS-ACTION")
    later = update(todos, made, when=Span((DAY + WEEK, None), (DAY + WEEK, None)))
    assert later.fields.todo.when.due == (DAY + WEEK, None)
    assert later.fields.todo.rules == RULE
    assert [method for method, _, _ in sent] == ["POST", "PATCH"]
    assert len(todos.tasks()) == 1


def test_x69_a_rule_ends_and_begins(todos):
    made = create(todos, repeated())
    without = update(todos, made, rules=())
    assert without.fields.todo.rules == ()
    assert update(todos, without, rules=("RRULE:FREQ=DAILY;COUNT=4",)).fields.todo.rules == (
        "RRULE:FREQ=DAILY;COUNT=4",
    )


def test_m89_what_is_completed_here_makes_no_further_task(todos):
    made = create(todos, repeated())
    done = update(todos, made, status="COMPLETED")
    assert (done.fields.todo.status, done.fields.todo.rules) == ("COMPLETED", ())
    assert len(todos.tasks()) == 1


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("new", [True, False])
def test_m89_what_is_completed_there_is_one_done_and_one_to_come(todos, now, new, links):
    todos.service.configure({"todo_next_is_new": new, "todo_next_keeps_links": links})
    made = create(todos, repeated())
    mirror = followed(todos, now)
    todos.finish(made.id)
    mirror.follow()
    (following,), (done,) = open_and_done(mirror)
    assert (following.fields.todo.rules, done.fields.todo.rules) == (RULE, ())
    assert following.fields.todo.when.due == (DAY + WEEK, None)
    assert done.fields.todo.when.due == (DAY, None)
    assert (done if new else following).id == made.id


def test_x69_of_what_is_counted_one_less_is_left(todos, now):
    rule = {**WEEKLY, "range": {"type": "numbered", "startDate": "2026-03-16", "numberOfOccurrences": 3}}
    id = todos.add("Water", due=DAY, recurrence=rule)
    mirror = Mirror(todos.remote, now)
    left = []
    for _ in range(3):
        mirror.follow()
        ((current,), _) = open_and_done(mirror)
        left.append(current.fields.todo.rules[0].rpartition(";")[2])
        todos.finish(current.id)
    mirror.follow()
    assert left == ["COUNT=3", "COUNT=2", "COUNT=1"]
    assert open_and_done(mirror)[0] == []
    assert id in mirror.objects()
