"""What only Google Tasks does: its moods where the facts leave room, what it hides, what it does not tell (G-101 … G-107)."""

import datetime as dt
import json
from dataclasses import replace

import pytest

from bridge.errors import CursorLost, Gone, Refused, Unmappable, Unreachable, VersionMismatch
from bridge.ical.fields import ObjectFields, Span
from bridge.providers.google import api, oauth
from bridge.providers.google.provider import GoogleProvider
from bridge.providers.google.todo_cursor import LISTED_ANEW, SETTLED
from bridge.providers.google.todo_remote import GoogleTodoRemote
from bridge.sync.ports import KeepsNoMark, SupportsBatches, SupportsPush
from tests.contracts.bench import KeptTokens, Mirror
from tests.contracts.google_bench import PERSON
from tests.contracts.todos import google_bench
from tests.contracts.todos.bench import create, due_on, followed, read, todo
from tests.support.elsewhere import Elsewhere

DAY = dt.date(2026, 3, 16)
NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def tasks(sandbox):
    with google_bench.open_bench(sandbox) as opened:
        yield opened


def changed(fields, **news):
    return replace(fields, master=replace(fields.todo, **news))


@pytest.fixture
def sent(tasks, monkeypatch):
    """Method, body and If-Match of every request that the bridge sends from now on."""
    found = []
    execute = api.CalendarApi.execute

    def noted(self, request, **options):
        body = json.loads(request.body) if request.body else None
        found.append((request.method, body, options.get("if_match", "")))
        return execute(self, request, **options)

    monkeypatch.setattr(api.CalendarApi, "execute", noted)
    return found


# --- reading


def test_g102_what_is_hidden_or_assigned_is_shown(tasks):
    done = tasks.add("Done")
    tasks.finish(done)
    with tasks.service.transaction():
        desk = tasks.service.task_desk(PERSON)
        assigned = desk.assign(desk.list_of("@default"), "Assigned").id
    assert set(followed(tasks, NOW).objects()) == {done, assigned}


def test_g105_what_was_cleared_is_not_gone(tasks):
    done, other = tasks.add("Done"), tasks.add("Other")
    mirror = followed(tasks, NOW)
    tasks._call("PATCH", f"/{done}", json={"status": "completed"})
    mirror.follow()
    with tasks.service.transaction():
        desk = tasks.service.task_desk(PERSON)
        desk.clear(desk.list_of("@default"))
    mirror.follow()
    assert set(mirror.objects()) == {done, other}
    assert mirror.items[done].payload["hidden"] is True
    assert mirror.objects()[done].fields.todo.status == "COMPLETED"


@pytest.mark.parametrize("pages", ["short", "empty"])
def test_g101_short_and_empty_pages_are_not_the_end(tasks, pages):
    ids = {tasks.add(f"To-do {number}") for number in range(9)}
    tasks.service.configure({"pages": pages})
    tasks.page_size(4)
    assert set(followed(tasks, NOW).objects()) == ids


@pytest.mark.parametrize("inclusive", [True, False])
def test_g103_whatever_a_bound_means_nothing_is_missed(tasks, inclusive):
    tasks.service.configure({"task_bounds_inclusive": inclusive})
    clock = tasks.service.clock
    clock.freeze(NOW)
    try:
        mirror = Mirror(tasks.remote, NOW)
        tasks.add("First")
        mirror.follow()
        for minutes in (0, 1, 30, 60):
            mirror.now = clock.advance(minutes * MINUTE)
            id = tasks.add(f"After {minutes}")
            assert id in mirror.follow()
            tasks.remove(id)
            assert id in mirror.follow()
        assert len(mirror.objects()) == 1
    finally:
        clock.thaw()


def test_r4_a_list_at_rest_answers_with_nothing(tasks):
    for number in range(3):
        tasks.add(f"To-do {number}")
    mirror = followed(tasks, NOW)
    mirror.now = NOW + SETTLED
    mirror.follow()
    page = tasks.remote.page(mirror.cursor, now=NOW + 2 * SETTLED)
    assert (page.items, page.removals, page.cursor, page.more) == ([], [], mirror.cursor, False)


def test_g103_a_task_that_is_moved_to_another_list_is_missed_within_a_day(tasks):
    other = tasks.add_list("Other")
    id = tasks.add("Bread")
    kept = tasks.add("Kept")
    mirror = followed(tasks, NOW)
    answer = tasks.client.post(f"lists/@default/tasks/{id}/move", params={"destinationTasklist": other})
    answer.raise_for_status()
    assert id not in mirror.follow()
    with pytest.raises(CursorLost):
        tasks.remote.page(mirror.cursor, now=NOW + LISTED_ANEW)
    assert set(followed(tasks, NOW).objects()) == {kept}
    with pytest.raises(Gone):
        tasks.remote.get(id)
    elsewhere = next(each for each in tasks.account.calendars() if each.id == other)
    assert set(Mirror(tasks.account.remote(elsewhere), NOW).items) == set()
    assert tasks.account.remote(elsewhere).get(id)[0].payload["title"] == "Bread"


@pytest.mark.parametrize("tombstones", [True, False])
def test_g47_a_deleted_task_is_gone_whether_google_still_shows_it_or_not(tasks, tombstones):
    tasks.service.configure({"task_tombstones": tombstones})
    made = create(tasks, todo("Bread"))
    tasks.remove(made.id)
    with pytest.raises(Gone):
        tasks.remote.get(made.id)
    with pytest.raises(Gone):
        tasks.remote.update(made, todo("Rolls"))
    tasks.remote.delete(made)


@pytest.mark.parametrize("answer", [{}, {"error": "no"}, []])
def test_r7_what_is_no_list_is_not_an_empty_one(tasks, answer):
    tasks.add("Bread")
    tasks.sandbox.faults.inject(path=r"/tasks/v1/lists/", times=10, status=200, body=answer)
    with pytest.raises(Unreachable):
        tasks.remote.page(None, now=NOW)
    with pytest.raises(Unreachable):
        tasks.remote.get("abc")
    tasks.sandbox.faults.clear()


# --- writing


def test_g104_only_what_differs_is_sent(tasks, sent):
    bread = todo("Bread", description="Rye", when=due_on(DAY))
    made = create(tasks, bread)
    for news, body in [
        ({"summary": "Cake"}, {"title": "Cake"}),
        ({"description": ""}, {"notes": None}),
        ({"when": due_on(None)}, {"due": None}),
        ({"when": due_on(dt.date(2026, 4, 1))}, {"due": "2026-04-01T00:00:00.000Z"}),
        ({"status": "COMPLETED"}, {"status": "completed"}),
    ]:
        sent.clear()
        current = read(tasks, made.id)
        sent.clear()
        tasks.remote.update(current, changed(current.fields, **news))
        assert sent == [("GET", None, ""), ("PATCH", body, current.version)]


def test_g107_a_time_set_at_google_stays_unless_the_day_changes(tasks):
    made = create(tasks, todo("Bread", when=due_on(DAY)))
    with tasks.service.transaction():
        desk = tasks.service.task_desk(PERSON)
        held = desk.find(desk.list_of("@default"), made.id)
        held.time = dt.time(9)
    after = tasks.remote.lens.read(tasks.remote.update(made, changed(made.fields, summary="Rolls", status="COMPLETED")))
    assert held.time == dt.time(9)
    tasks.remote.update(after, changed(after.fields, when=due_on(dt.date(2026, 3, 17))))
    assert held.time is None


def test_g104_a_completion_says_when(tasks, sent):
    at = dt.datetime(2026, 3, 2, 10, 11, 12, tzinfo=dt.UTC)
    made = create(tasks, todo("Bread", status="COMPLETED", completed=at))
    assert sent == [("POST", {"title": "Bread", "status": "completed", "completed": "2026-03-02T10:11:12.000Z"}, "")]
    assert made.fields.todo.completed == at


@pytest.mark.parametrize("honoured", [True, False])
def test_r36_it_is_read_before_it_is_written_for_nobody_says_that_if_match_counts(tasks, honoured):
    tasks.service.configure({"task_if_match": honoured})
    made = create(tasks, todo("Bread"))
    tasks.retitle(made.id, "Cake")
    with pytest.raises(VersionMismatch):
        tasks.remote.update(made, todo("Rolls"))
    with pytest.raises(VersionMismatch):
        tasks.remote.delete(made)
    assert tasks.titles() == ["Cake"]


def test_r36_if_match_guards_the_moment_between(tasks, monkeypatch):
    made = create(tasks, todo("Bread"))
    check = GoogleTodoRemote._check

    def then_edited(self, current):
        check(self, current)
        tasks.retitle(made.id, "Cake")

    monkeypatch.setattr(GoogleTodoRemote, "_check", then_edited)
    with pytest.raises(VersionMismatch):
        tasks.remote.update(made, todo("Rolls"))
    with pytest.raises(VersionMismatch):
        tasks.remote.delete(made)
    assert tasks.titles() == ["Cake"]


def family(tasks):
    """Pack with its part Socks, and Cook beside them."""
    pack, cook = (create(tasks, todo(title)).id for title in ("Pack", "Cook"))
    return pack, create(tasks, todo("Socks", parent=pack)).id, cook


def test_x71_a_part_stays_one_and_moves_where_it_is_put(tasks):
    pack, socks, cook = family(tasks)
    current = read(tasks, socks)
    assert current.fields.todo.parent == tasks._call("GET", f"/{socks}")["parent"] == pack
    tasks.remote.update(current, changed(current.fields, summary="Hats", status="COMPLETED"))
    assert tasks._call("GET", f"/{socks}")["parent"] == pack
    for parent in (cook, "", pack):
        current = read(tasks, socks)
        after = tasks.remote.lens.read(tasks.remote.update(current, changed(current.fields, parent=parent)))
        assert after.fields.todo.parent == tasks._call("GET", f"/{socks}").get("parent", "") == parent


@pytest.mark.parametrize("with_it", [True, False])
def test_x71_deleting_what_it_is_a_part_of_spares_it(tasks, with_it):
    tasks.service.configure({"task_children_deleted": with_it})
    pack, socks, _ = family(tasks)
    tasks.remote.delete(read(tasks, pack))
    assert tasks.titles() == ["Cook", "Socks"]
    assert read(tasks, socks).fields.todo.parent == ""


@pytest.mark.parametrize("how", ["hidden", "assigned", "gone"])
def test_x71_nothing_is_put_below_what_takes_no_parts(tasks, how):
    """Google would refuse it for good; at the top it is there at least, and says the rest as it should."""
    pack, _, cook = family(tasks)
    if how == "hidden":
        tasks.finish(pack)
    elif how == "gone":
        tasks.remove(pack)
    else:
        with tasks.service.transaction():
            desk = tasks.service.task_desk(PERSON)
            pack = desk.assign(desk.list_of("@default"), "Assigned").id
    made = create(tasks, todo("Hats", parent=pack))
    assert (made.fields.todo.summary, made.fields.todo.parent) == ("Hats", "")
    current = read(tasks, cook)
    writes = tasks.writes()
    assert tasks.remote.update(current, changed(current.fields, parent=pack)) == current.items
    assert tasks.writes() == writes
    after = tasks.remote.lens.read(tasks.remote.update(current, changed(current.fields, parent=pack, summary="Bake")))
    assert (after.fields.todo.summary, after.fields.todo.parent) == ("Bake", "")


def test_what_was_assigned_is_written_but_never_deleted(tasks):
    """Its original in the document would go with it (G-104)."""
    with tasks.service.transaction():
        desk = tasks.service.task_desk(PERSON)
        id = desk.assign(desk.list_of("@default"), "Assigned").id
    current = read(tasks, id)
    done = tasks.remote.lens.read(tasks.remote.update(current, changed(current.fields, status="COMPLETED")))
    with pytest.raises(Unmappable, match="Docs or Chat"):
        tasks.remote.delete(done)
    assert tasks.titles() == ["Assigned"]


# --- no key


def test_g106_it_is_a_remote_that_keeps_no_mark(tasks):
    assert isinstance(tasks.remote, KeepsNoMark)
    assert not isinstance(tasks.remote, SupportsPush | SupportsBatches)
    create(tasks, todo("Bread"), key="v" * 32)
    assert tasks.remote.find("v" * 32) == ()


def test_r12_a_creation_is_sent_once_by_the_library_too(tasks):
    """httplib2 sends again, by itself, what was dropped without an answer."""
    with tasks.trouble("answer lost"), pytest.raises(Unreachable):
        create(tasks, todo("Bread"))
    assert tasks.titles() == ["Bread"]
    with tasks.trouble("down"), pytest.raises(Unreachable):
        create(tasks, todo("Rolls"))
    assert tasks.titles() == ["Bread"]
    create(tasks, todo("Cake"))
    assert tasks.titles() == ["Bread", "Cake"]


def test_r12_alike_is_what_reads_the_same_the_newest_first(tasks):
    bread = todo("Bread", description="Rye", when=due_on(DAY))
    clock = tasks.service.clock
    ids = []
    clock.freeze(NOW)
    try:
        for fields in (bread, todo("Bread"), bread, changed(bread, status="COMPLETED"), bread):
            clock.advance(MINUTE)
            ids.append(create(tasks, fields).id)
    finally:
        clock.thaw()
    tasks.remove(ids[4])
    tasks.page_size(2)
    found = [items[0].id for items in tasks.remote.alike(bread)]
    assert found == [ids[2], ids[0]]
    assert [items[0].id for items in tasks.remote.alike(changed(bread, status="COMPLETED"))] == [ids[3]]
    assert tasks.remote.alike(todo("Cake")) == []


def test_r12_alike_looks_at_what_the_lens_sees(tasks):
    timed = ObjectFields(replace(todo("Bread").todo, when=Span(None, (dt.datetime(2026, 3, 16, 9), "Europe/Vienna"))))  # noqa: DTZ001
    id = create(tasks, timed).id
    assert [items[0].id for items in tasks.remote.alike(timed)] == [id]


# --- lists


def test_r5_a_list_that_is_gone_says_nothing_of_its_tasks(tasks):
    """Nor of what was about to be made in it: it would be taken for deleted by its owner, and go here as well."""
    id = tasks.add_list("Shopping")
    remote = tasks.account.remote(next(each for each in tasks.account.calendars() if each.id == id))
    made = remote.lens.read(remote.create(todo("Bread"), key="v" * 32, uid="hub-uid"))
    tasks.remove_list(id)
    for call in (
        lambda: remote.get(made.id),
        lambda: remote.create(todo("Milk"), key="u" * 32, uid="other"),
        lambda: remote.update(made, todo("Rolls")),
        lambda: remote.delete(made),
        lambda: remote.alike(todo("Bread")),
    ):
        with pytest.raises(Refused):
            call()


def test_g101_the_default_list_is_asked_for_only_where_there_are_several(tasks, sent):
    tasks.account.calendars()
    assert len(sent) == 2
    tasks.add_list("Shopping")
    sent.clear()
    tasks.account.calendars()
    assert len(sent) == 3


def test_g101_the_default_list_need_not_be_the_first(tasks):
    shopping = {"id": "shop", "title": "Shopping"}
    default = {"id": tasks.calendar.id, "title": "My Tasks"}
    tasks.sandbox.faults.inject(path=r"/users/@me/lists\?", status=200, body={"items": [shopping, default]})
    found = [(each.name, each.primary) for each in tasks.account.calendars() if each.component == "VTODO"]
    assert found == [("Shopping", False), ("My Tasks", True)]


@pytest.mark.parametrize("reason", ["accessNotConfigured", "insufficientPermissions"])
def test_an_api_that_is_not_enabled_is_no_trouble(tasks, reason):
    body = {"error": {"code": 403, "errors": [{"domain": "global", "reason": reason}]}}
    tasks.sandbox.faults.inject(path=r"/users/@me/lists", status=403, body=body)
    assert [each.component for each in tasks.account.calendars()] == ["VEVENT"]


def test_lists_are_where_their_owner_lives(tasks):
    assert tasks.calendar.zone == "Europe/Vienna"
    assert tasks.remote.lens.zone == "Europe/Vienna"


# --- where the API is


@pytest.mark.parametrize("suffix", ["", "/", "/calendar/v3"])
def test_g01_googles_own_tasks_have_a_host_of_their_own(suffix):
    grant = oauth.Grant("access", "refresh", NOW).dump()
    client = oauth.Client("https://a.example", "https://t.example/token", "id", "secret", lambda: NOW)
    at_google = api.CalendarApi(
        f"https://www.googleapis.com{suffix}", oauth.StoredCredentials(client, KeptTokens(grant))
    )
    assert at_google.tasks.list(tasklist="x").uri.startswith("https://tasks.googleapis.com/tasks/v1/lists/x/tasks?")
    assert at_google.events.list(calendarId="x").uri.startswith("https://www.googleapis.com/calendar/v3/calendars/x/")


def test_a_token_of_another_service_stays_there():
    """An emulator without tasks is asked for them itself, and has none."""

    def answer(asked):
        if asked.path.endswith("/calendarList"):
            return 200, {"items": [{"id": "alex@example.com", "primary": True, "summary": "Alex"}]}
        return 404, None

    with Elsewhere(answer) as service:
        far = dt.datetime(2999, 1, 1, tzinfo=dt.UTC)
        client = oauth.Client(f"{service.url}/a", f"{service.url}/token", "id", "secret", lambda: NOW)
        provider = GoogleProvider(
            api_url=service.url,
            auth_url=client.auth_url,
            token_url=client.token_url,
            client_id="id",
            client_secret="secret",
            now=lambda: NOW,
        )
        account = provider.account(KeptTokens(oauth.Grant("access", "refresh", far).dump()))
        assert [each.component for each in account.calendars()] == ["VEVENT"]
        assert any(each.path == "/tasks/v1/users/@me/lists" for each in service.asked)


def test_r33_writes_to_a_list_have_a_pace_of_their_own():
    root = "https://tasks.googleapis.com/tasks/v1"
    assert api.written("POST", f"{root}/lists/abc/tasks?alt=json") == "abc"
    assert api.written("PATCH", f"{root}/lists/abc/tasks/t1") == "abc"
    assert api.written("GET", f"{root}/lists/abc/tasks/t1") == ""
    assert api.written("POST", "http://127.0.0.1:1/google/tasks/v1/lists/abc/tasks") == "abc"
