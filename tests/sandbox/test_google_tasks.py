"""Google Tasks v1 over HTTP, by Google's own library: G-101…G-106, and what the facts leave open (switches)."""

import datetime as dt

import httpx
import pytest

from tests.support.simulated_google import TASKS, client, refused, tasks_client

HOME = {"tasklist": "@default"}
ALL = {"showCompleted": True, "showHidden": True, "showDeleted": True, "showAssigned": True, "maxResults": 100}


@pytest.fixture
def api(google):
    with tasks_client(google) as service:
        yield service


@pytest.fixture
def tasks(api):
    return api.tasks()


@pytest.fixture
def lists(api):
    return api.tasklists()


def titles(tasks, **params):
    return [each["title"] for each in tasks.list(**HOME | params).execute().get("items", [])]


def add(tasks, title, **more):
    place = {name: more.pop(name) for name in ("parent", "previous", "tasklist") if name in more}
    return tasks.insert(**HOME | place, body={"title": title} | more).execute()


def conditional(call, etag):
    call.headers["If-Match"] = etag
    return call


# --- who may


def test_g13_tasks_need_a_scope_of_their_own(google, api):
    with tasks_client(google, "alex@example.com", "https://www.googleapis.com/auth/calendar") as calendars_only:
        assert refused(calendars_only.tasklists().list()) == (403, "insufficientPermissions")
    with client(google, "alex@example.com", TASKS) as tasks_only:
        assert refused(tasks_only.calendarList().list()) == (403, "insufficientPermissions")
    with tasks_client(google, "alex@example.com", f"{TASKS}.readonly") as reader:
        assert reader.tasks().list(**HOME).execute()["kind"] == "tasks#tasks"
        for call in (reader.tasks().insert(**HOME, body={"title": "x"}), reader.tasks().clear(**HOME)):
            assert refused(call) == (403, "insufficientPermissions")


def test_g90_without_a_token_nothing(google):
    answer = httpx.get(f"{google.base_url}/tasks/v1/users/@me/lists")
    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (401, "required")


def test_each_person_has_lists_of_their_own(google, tasks):
    mine = add(tasks, "Mine")
    with tasks_client(google, "sam@example.com") as sam:
        assert titles(sam.tasks()) == []
        assert refused(sam.tasks().get(**HOME, task=mine["id"])) == (404, "notFound")


# --- lists


def test_g101_the_default_list_is_there_has_an_alias_and_stays(lists):
    (home,) = lists.list().execute()["items"]
    assert lists.get(tasklist="@default").execute() == home
    assert refused(lists.delete(tasklist="@default")) == (400, "invalid")
    assert refused(lists.delete(tasklist=home["id"])) == (400, "invalid")


def test_g101_lists_are_made_renamed_and_deleted_with_all_that_is_in_them(lists, tasks):
    made = lists.insert(body={"title": "Garden"}).execute()
    assert made["kind"] == "tasks#taskList"
    renamed = lists.patch(tasklist=made["id"], body={"title": "Balcony"}).execute()
    assert (renamed["title"], renamed["id"]) == ("Balcony", made["id"])
    assert renamed["etag"] != made["etag"]
    assert lists.update(tasklist=made["id"], body={"title": "Shed"}).execute()["title"] == "Shed"
    add(tasks, "Dig", tasklist=made["id"])
    lists.delete(tasklist=made["id"]).execute()
    assert refused(tasks.list(tasklist=made["id"])) == (404, "notFound")
    assert len(lists.list().execute()["items"]) == 1


def test_g101_lists_come_in_pages_of_at_most_1000_and_there_are_2000_of_them(lists):
    for number in range(4):
        lists.insert(body={"title": f"L{number}"}).execute()
    first = lists.list(maxResults=3).execute()
    rest = lists.list(maxResults=3, pageToken=first["nextPageToken"]).execute()
    assert len(first["items"]) + len(rest["items"]) == 5
    assert "nextPageToken" not in rest
    assert refused(lists.list(maxResults=1001)) == (400, "invalid")
    assert refused(lists.list(pageToken="no such token")) == (400, "invalid")


def test_g101_the_2001st_list_is_refused(google, lists):
    with google.transaction():
        desk = google.task_desk("alex@example.com")
        for number in range(1999):
            desk.add_list({"title": str(number)})
    assert refused(lists.insert(body={"title": "one more"})) == (403, "quotaExceeded")


# --- fields


def test_g104_g106_a_task_as_it_is_told(world, lists, tasks):
    made = add(tasks, "Tea", notes="Green", id="mine", links=[{"link": "https://x"}], position="1")
    home = lists.get(tasklist="@default").execute()
    assert made["id"] != "mine", "the server assigns ids (G-106)"
    assert made == {
        "kind": "tasks#task",
        "id": made["id"],
        "etag": made["etag"],
        "title": "Tea",
        "notes": "Green",
        "status": "needsAction",
        "updated": "2026-03-01T12:00:00.000Z",
        "position": made["position"],
        "links": [],
        "selfLink": f"{world.google.base_url}/tasks/v1/lists/{home['id']}/tasks/{made['id']}",
        "webViewLink": made["webViewLink"],
    }
    assert httpx.get(made["webViewLink"]).status_code == 200
    assert tasks.get(**HOME, task=made["id"]).execute() == made


@pytest.mark.parametrize("sent", ["2026-03-10T00:00:00.000Z", "2026-03-10T17:45:00Z", "2026-03-10T23:59:59+02:00"])
def test_g104_due_is_a_date_and_its_time_is_gone(tasks, sent):
    made = add(tasks, "Tea", due=sent)
    assert made["due"] == "2026-03-10T00:00:00.000Z"
    assert "due" not in tasks.patch(**HOME, task=made["id"], body={"due": None}).execute()


def test_g104_which_date_a_due_with_an_offset_has_is_not_known(google, tasks):
    google.configure({"task_due_in_utc": True})
    assert add(tasks, "Tea", due="2026-03-10T23:30:00-05:00")["due"] == "2026-03-11T00:00:00.000Z"


@pytest.mark.parametrize("due", ["2026-03-10", "tomorrow", "2026-02-30T00:00:00Z", "2026-03-10T10:00:00"])
def test_g104_due_is_an_rfc_3339_timestamp(tasks, due):
    assert refused(tasks.insert(**HOME, body={"title": "x", "due": due})) == (400, "invalid")


def test_g107_writing_due_can_take_a_time_away_that_googles_pages_gave(google, tasks):
    made = add(tasks, "Tea", due="2026-03-10T00:00:00Z")

    def timed():
        with google.transaction() as state:
            return state.shelves["alex@example.com"].default.tasks[made["id"]]

    for keeps in (True, False):
        google.configure({"task_due_keeps_time": keeps})
        timed().time = dt.time(9)
        tasks.patch(**HOME, task=made["id"], body={"title": "Coffee"}).execute()
        assert timed().time == dt.time(9)
        tasks.patch(**HOME, task=made["id"], body={"due": "2026-03-10T00:00:00Z"}).execute()
        assert timed().time == (dt.time(9) if keeps else None)


def test_g104_status_and_completed_go_together(world, tasks):
    made = add(tasks, "Tea")
    done = tasks.patch(**HOME, task=made["id"], body={"status": "completed"}).execute()
    assert (done["status"], done["completed"]) == ("completed", "2026-03-01T12:00:00.000Z")
    assert "hidden" not in done, "by an app: only Google's own hide it (G-102)"
    world.clock.advance(dt.timedelta(minutes=9))
    again = tasks.patch(**HOME, task=made["id"], body={"status": "completed"}).execute()
    assert again["completed"] == done["completed"]
    told = tasks.patch(
        **HOME, task=made["id"], body={"status": "completed", "completed": "2026-02-01T08:00:00Z"}
    ).execute()
    assert told["completed"] == "2026-02-01T08:00:00.000Z"
    reopened = tasks.patch(**HOME, task=made["id"], body={"status": "needsAction"}).execute()
    assert reopened["status"] == "needsAction"
    assert "completed" not in reopened
    alone = tasks.patch(**HOME, task=made["id"], body={"completed": "2026-02-01T08:00:00Z"}).execute()
    assert alone["status"] == "needsAction"
    assert refused(tasks.patch(**HOME, task=made["id"], body={"status": "done"})) == (400, "invalid")


def test_g104_limits_of_title_and_notes(tasks):
    longest = add(tasks, "t" * 1024, notes="n" * 8192)
    assert (len(longest["title"]), len(longest["notes"])) == (1024, 8192)
    for field, length in (("title", 1025), ("notes", 8193)):
        assert refused(tasks.insert(**HOME, body={field: "x" * length})) == (400, "invalid")
        assert refused(tasks.patch(**HOME, task=longest["id"], body={field: "x" * length})) == (400, "invalid")


@pytest.mark.parametrize("field", ["priority", "start", "reminder", "recurrence", "extendedProperties"])
def test_g104_what_a_task_has_not_is_refused(google, field):
    headers = {"Authorization": f"Bearer {google.token('alex@example.com', TASKS)}"}
    url = f"{google.base_url}/tasks/v1/lists/@default/tasks"
    answer = httpx.post(url, json={"title": "x", field: "y"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (400, "invalid")
    answer = httpx.get(url, params={"syncToken": "x"}, headers=headers)
    assert answer.status_code == 400, "no sync token (G-103)"


def test_patch_merges_and_update_replaces(google, tasks):
    made = add(tasks, "Tea", notes="Green", due="2026-03-10T00:00:00Z", status="completed")
    patched = tasks.patch(**HOME, task=made["id"], body={"title": "Coffee"}).execute()
    assert (patched["title"], patched["notes"], patched["status"]) == ("Coffee", "Green", "completed")
    assert refused(tasks.update(**HOME, task=made["id"], body={"title": "Milk"})) == (400, "invalid")
    replaced = tasks.update(**HOME, task=made["id"], body={"id": made["id"], "title": "Milk"}).execute()
    assert replaced["title"] == "Milk"
    assert not {"notes", "due", "completed"} & set(replaced)
    google.configure({"task_put_needs_id": False})
    assert tasks.update(**HOME, task=made["id"], body={"title": "Beer"}).execute()["title"] == "Beer"


@pytest.mark.parametrize("bad", [{"due": "soon"}, {"status": "done"}, {"notes": "n" * 8193}, {"completed": ""}])
def test_a_refused_write_changes_nothing(tasks, bad):
    made = add(tasks, "Tea", notes="Green")
    for call in (tasks.patch, tasks.update):
        assert refused(call(**HOME, task=made["id"], body={"id": made["id"], "title": "x"} | bad)) == (400, "invalid")
    assert tasks.get(**HOME, task=made["id"]).execute() == made


@pytest.mark.parametrize("moves", [True, False])
def test_whether_a_list_changes_with_its_tasks_is_not_known(google, lists, tasks, moves):
    google.configure({"task_lists_move": moves})
    before = lists.get(tasklist="@default").execute()
    add(tasks, "Tea")
    assert (lists.get(tasklist="@default").execute()["etag"] != before["etag"]) is moves


def test_etag_and_updated_move_with_a_write_and_if_match_is_honoured_or_not(world, google, tasks):
    made = add(tasks, "Tea")
    world.clock.advance(dt.timedelta(minutes=1))
    changed = tasks.patch(**HOME, task=made["id"], body={"title": "Coffee"}).execute()
    assert changed["etag"] != made["etag"]
    assert changed["updated"] == "2026-03-01T12:01:00.000Z"
    late = tasks.patch(**HOME, task=made["id"], body={"title": "Milk"})
    assert refused(conditional(late, made["etag"])) == (412, "conditionNotMet")
    assert refused(conditional(tasks.delete(**HOME, task=made["id"]), made["etag"])) == (412, "conditionNotMet")
    assert conditional(late, changed["etag"]).execute()["title"] == "Milk"
    google.configure({"task_if_match": False})
    assert conditional(tasks.patch(**HOME, task=made["id"], body={"title": "Beer"}), made["etag"]).execute()


def test_if_match_counts_for_each_write_of_tasks_and_lists(google, lists, tasks):
    garden, made = lists.insert(body={"title": "Garden"}).execute(), add(tasks, "Tea")
    body = {"id": made["id"], "title": "x"}
    calls = [
        (lambda: tasks.patch(**HOME, task=made["id"], body=body), lambda: tasks.get(**HOME, task=made["id"])),
        (lambda: tasks.update(**HOME, task=made["id"], body=body), lambda: tasks.get(**HOME, task=made["id"])),
        (lambda: tasks.delete(**HOME, task=made["id"]), lambda: tasks.get(**HOME, task=made["id"])),
        (lambda: lists.patch(tasklist=garden["id"], body={"title": "x"}), lambda: lists.get(tasklist=garden["id"])),
        (lambda: lists.update(tasklist=garden["id"], body={"title": "y"}), lambda: lists.get(tasklist=garden["id"])),
        (lambda: lists.delete(tasklist=garden["id"]), lambda: lists.get(tasklist=garden["id"])),
    ]
    for write, read in calls:
        before = read().execute()
        assert refused(conditional(write(), '"1"')) == (412, "conditionNotMet")
        assert read().execute() == before
        conditional(write(), before["etag"]).execute()
    again = add(tasks, "Tea")
    conditional(tasks.patch(**HOME, task=again["id"], body={"title": "x"}), "*").execute()


def test_g103_nothing_of_tasks_can_be_watched_and_no_sync_token_is_given(google, tasks):
    headers = {"Authorization": f"Bearer {google.token('alex@example.com', TASKS)}"}
    for path in ("lists/@default/tasks/watch", "users/@me/lists/watch", "lists/@default/watch"):
        answer = httpx.post(f"{google.base_url}/tasks/v1/{path}", json={"id": "x"}, headers=headers)
        assert answer.status_code in (404, 405)
    assert set(tasks.list(**HOME).execute()) == {"kind", "etag"}


# --- lists of tasks


def test_g102_what_is_shown_unless_asked_for(google, tasks):
    add(tasks, "open")
    add(tasks, "done", status="completed")
    gone = add(tasks, "gone")
    tasks.delete(**HOME, task=gone["id"]).execute()
    with google.transaction():
        desk = google.task_desk("alex@example.com", in_app=True)
        held = desk.list_of("@default")
        desk.insert(held, {"title": "done in the app", "status": "completed"})
        desk.assign(held, "assigned")
    assert set(titles(tasks)) == {"open", "done"}
    assert set(titles(tasks, showCompleted=False)) == {"open"}
    assert set(titles(tasks, showHidden=True)) == {"open", "done", "done in the app"}
    assert set(titles(tasks, showHidden=True, showCompleted=False)) == {"open"}
    assert set(titles(tasks, showDeleted=True)) == {"open", "done", "gone"}
    assert set(titles(tasks, showAssigned=True)) == {"open", "done", "assigned"}
    assert set(titles(tasks, **ALL)) == {"open", "done", "gone", "done in the app", "assigned"}


def test_g102_pages_of_twenty_and_of_at_most_a_hundred(google, tasks):
    for number in range(25):
        add(tasks, f"T{number}")
    first = tasks.list(**HOME).execute()
    assert len(first["items"]) == 20
    rest = tasks.list(**HOME, pageToken=first["nextPageToken"]).execute()
    assert len(rest["items"]) == 5
    assert "nextPageToken" not in rest
    assert not {"nextSyncToken"} & (set(first) | set(rest))
    assert refused(tasks.list(**HOME, maxResults=101)) == (400, "invalid")
    assert refused(tasks.list(**HOME, maxResults=0)) == (400, "invalid")
    assert refused(tasks.list(**HOME, pageToken=first["nextPageToken"], showHidden=True)) == (400, "invalid")
    google.configure({"expire_sync_tokens": True})
    assert refused(tasks.list(**HOME, pageToken=first["nextPageToken"])) == (400, "invalid")


@pytest.mark.parametrize("pages", ["full", "short", "empty"])
def test_g26_pages_may_be_short_or_empty(google, tasks, pages):
    google.configure({"pages": pages})
    for number in range(7):
        add(tasks, f"T{number}")
    found, call = [], tasks.list(**HOME, maxResults=3)
    while call is not None:
        page = call.execute()
        found += page.get("items", [])
        call = tasks.list_next(call, page)
    assert len({each["id"] for each in found}) == len(found) == 7


def test_g102_g103_bounds_and_polling_by_updated_min(world, tasks):
    old = add(tasks, "old", due="2026-03-10T00:00:00Z")
    world.clock.advance(dt.timedelta(minutes=5))
    mark = world.clock().isoformat().replace("+00:00", "Z")
    new = add(tasks, "new", due="2026-03-20T00:00:00Z", status="completed", completed="2026-02-20T10:00:00Z")
    assert titles(tasks, updatedMin=mark) == ["new"]
    tasks.delete(**HOME, task=old["id"]).execute()
    assert titles(tasks, updatedMin=mark) == ["new"]
    assert set(titles(tasks, updatedMin=mark, **ALL)) == {"new", "old"}
    (tombstone,) = [
        each for each in tasks.list(**HOME, updatedMin=mark, **ALL).execute()["items"] if each.get("deleted")
    ]
    assert tombstone["id"] == old["id"]
    assert titles(tasks, dueMin="2026-03-15T00:00:00Z") == ["new"]
    assert titles(tasks, dueMax="2026-03-15T00:00:00Z", showDeleted=True) == ["old"]
    assert titles(tasks, completedMin="2026-02-01T00:00:00Z", completedMax="2026-03-01T00:00:00Z") == ["new"]
    assert titles(tasks, completedMin="2026-02-21T00:00:00Z") == []
    for bad in ("yesterday", "2026-03-01", "2026-03-01T00:00:00", ""):
        assert refused(tasks.list(**HOME, updatedMin=bad)) == (400, "invalid")
    assert new["updated"] == "2026-03-01T12:05:00.000Z"


def test_g102_whether_a_bound_itself_is_within_is_not_known(google, tasks):
    made = add(tasks, "Tea", due="2026-03-10T00:00:00Z")
    bounds = ({"updatedMin": made["updated"]}, {"dueMin": made["due"]}, {"dueMax": made["due"]})
    assert [titles(tasks, **bound) for bound in bounds] == [["Tea"]] * 3
    google.configure({"task_bounds_inclusive": False})
    assert [titles(tasks, **bound) for bound in bounds] == [[]] * 3


def test_the_etag_of_a_list_of_tasks_is_that_of_what_it_shows(lists, tasks):
    garden = lists.insert(body={"title": "Garden"}).execute()["id"]
    add(tasks, "Tea")
    seen = [tasks.list(**HOME).execute()["etag"]]
    made = add(tasks, "Coffee")
    seen.append(tasks.list(**HOME).execute()["etag"])
    tasks.patch(**HOME, task=made["id"], body={"title": "Milk"}).execute()
    seen.append(tasks.list(**HOME).execute()["etag"])
    assert len(set(seen)) == 3
    tasks.move(**HOME, task=made["id"], destinationTasklist=garden).execute()
    assert tasks.list(**HOME).execute()["etag"] == seen[0]


# --- order and nesting


def test_g104_position_and_parent_change_by_move_only(tasks):
    first = add(tasks, "first")
    second = add(tasks, "second", previous=first["id"])
    third = add(tasks, "third")  # before the others
    child = add(tasks, "child", parent=second["id"])
    assert third["position"] < first["position"] < second["position"]
    assert child["parent"] == second["id"]
    written = tasks.patch(**HOME, task=child["id"], body={"parent": None, "position": "0"}).execute()
    assert (written["parent"], written["position"]) == (child["parent"], child["position"])
    moved = tasks.move(**HOME, task=third["id"], previous=first["id"]).execute()
    assert first["position"] < moved["position"] < second["position"]
    up = tasks.move(**HOME, task=child["id"]).execute()
    assert "parent" not in up
    assert up["position"] < first["position"]
    assert refused(tasks.move(**HOME, task=first["id"], previous="nothing")) == (400, "invalid")
    assert refused(tasks.insert(**HOME, parent="nothing", body={"title": "x"})) == (400, "invalid")
    tasks.move(**HOME, task=child["id"], parent=second["id"]).execute()
    for below in (second["id"], child["id"]):
        assert refused(tasks.move(**HOME, task=second["id"], parent=below)) == (400, "invalid"), "below itself"


def test_positions_stay_in_order_however_often_something_is_put_between(tasks):
    first = add(tasks, "0")
    for number in range(80):
        add(tasks, str(number + 1), previous=first["id"])
    ordered = titles(tasks, maxResults=100)
    assert ordered == ["0", *(str(number) for number in range(80, 0, -1))]


def test_how_deep_tasks_may_stand_below_each_other_is_not_known(google, tasks):
    parent = add(tasks, "parent")
    child = add(tasks, "child", parent=parent["id"])
    grandchild = add(tasks, "grandchild", parent=child["id"])
    assert grandchild["parent"] == child["id"]
    google.configure({"task_levels": 1})
    other = add(tasks, "other")
    assert refused(tasks.insert(**HOME, parent=child["id"], body={"title": "x"})) == (400, "invalid")
    assert refused(tasks.move(**HOME, task=other["id"], parent=child["id"])) == (400, "invalid")
    assert refused(tasks.move(**HOME, task=child["id"], parent=other["id"])) == (400, "invalid"), (
        "with what is below it"
    )
    assert tasks.move(**HOME, task=grandchild["id"], parent=other["id"]).execute()["parent"] == other["id"]


def test_g102_a_hidden_or_deleted_task_is_no_place(google, tasks):
    anchor, other = add(tasks, "anchor", status="completed"), add(tasks, "other")
    tasks.clear(**HOME).execute()
    for place in ("previous", "parent"):
        assert refused(tasks.move(**HOME, task=other["id"], **{place: anchor["id"]})) == (400, "invalid")
        assert refused(tasks.move(**HOME, task=anchor["id"], **{place: other["id"]})) == (400, "invalid")


@pytest.mark.parametrize("tombstones", [True, False])
def test_a_task_moves_to_another_list_with_what_is_below_it(google, lists, tasks, tombstones):
    google.configure({"task_move_tombstones": tombstones})
    garden = lists.insert(body={"title": "Garden"}).execute()["id"]
    parent = add(tasks, "parent")
    child = add(tasks, "child", parent=parent["id"])
    moved = tasks.move(**HOME, task=parent["id"], destinationTasklist=garden).execute()
    assert moved["id"] == parent["id"]
    assert {each["id"] for each in tasks.list(tasklist=garden).execute()["items"]} == {parent["id"], child["id"]}
    assert titles(tasks) == []
    assert sorted(titles(tasks, **ALL)) == (["child", "parent"] if tombstones else [])


@pytest.mark.parametrize("children", [True, False])
def test_what_becomes_of_the_tasks_below_a_deleted_one_is_not_known(google, tasks, children):
    google.configure({"task_children_deleted": children})
    parent = add(tasks, "parent")
    child = add(tasks, "child", parent=parent["id"])
    tasks.delete(**HOME, task=parent["id"]).execute()
    left = tasks.get(**HOME, task=child["id"]).execute()
    assert left.get("deleted", False) is children
    assert ("parent" in left) is children
    revived = tasks.patch(**HOME, task=child["id"], body={"deleted": False}).execute()
    assert "parent" not in revived, "which is gone"


def test_no_two_siblings_have_one_position_after_deletion_and_return(google, tasks):
    google.configure({"task_children_deleted": False})
    first = add(tasks, "first")
    tasks.delete(**HOME, task=first["id"]).execute()
    second = add(tasks, "second")
    tasks.patch(**HOME, task=first["id"], body={"deleted": False}).execute()
    for number in range(3):
        add(tasks, f"child {number}", parent=second["id"])
    tasks.delete(**HOME, task=second["id"]).execute()
    positions = [each["position"] for each in tasks.list(**HOME).execute()["items"]]
    assert len(positions) == len(set(positions)) == 4
    assert titles(tasks) == ["child 2", "child 1", "child 0", "first"], "in their order, before the others"


# --- endings


def test_g105_clear_hides_what_is_completed(tasks):
    add(tasks, "open")
    done = add(tasks, "done", status="completed")
    tasks.clear(**HOME).execute()
    assert titles(tasks) == ["open"]
    assert tasks.get(**HOME, task=done["id"]).execute()["hidden"] is True
    reopened = tasks.patch(**HOME, task=done["id"], body={"status": "needsAction"}).execute()
    assert "hidden" not in reopened


def test_g104_deleted_tasks_are_tombstones_and_may_be_revived(google, tasks):
    made = add(tasks, "Tea", notes="Green")
    tasks.delete(**HOME, task=made["id"]).execute()
    told = tasks.get(**HOME, task=made["id"]).execute()
    assert (told["deleted"], told["notes"]) == (True, "Green")
    tasks.delete(**HOME, task=made["id"]).execute()
    revived = tasks.patch(**HOME, task=made["id"], body={"deleted": False}).execute()
    assert "deleted" not in revived
    assert tasks.patch(**HOME, task=made["id"], body={"deleted": True}).execute()["deleted"] is True
    google.configure({"task_tombstones": False})
    for call in (tasks.get, tasks.delete):
        assert refused(call(**HOME, task=made["id"])) == (404, "notFound")
    assert titles(tasks, showDeleted=True) == ["Tea"], "lists tell of it all the same (G-103)"


def test_g104_an_assigned_task_is_told_where_it_comes_from(google, tasks):
    with google.transaction():
        desk = google.task_desk("alex@example.com")
        id = desk.assign(desk.list_of("@default"), "assigned").id
    assert tasks.get(**HOME, task=id).execute()["assignmentInfo"]["surfaceType"] == "DOCUMENT"
    assert refused(tasks.patch(**HOME, task=id, body={"deleted": True})) == (400, "invalid")
    assert refused(tasks.insert(**HOME, parent=id, body={"title": "below"})) == (400, "invalid")
    tasks.delete(**HOME, task=id).execute()


def test_g105_a_list_holds_20000_and_a_task_2000_below_it(google, tasks, monkeypatch):
    monkeypatch.setattr("bridge.sandbox.google.tasks_writing.MOST_IN_LIST", 4)
    monkeypatch.setattr("bridge.sandbox.google.tasks_writing.MOST_CHILDREN", 2)
    parent = add(tasks, "parent", status="completed")
    child, _ = (add(tasks, f"child {number}", parent=parent["id"]) for number in range(2))
    assert refused(tasks.insert(**HOME, parent=parent["id"], body={"title": "x"})) == (403, "quotaExceeded")
    tasks.move(**HOME, task=child["id"], parent=parent["id"]).execute()  # within its own parent
    add(tasks, "fourth")
    assert refused(tasks.insert(**HOME, body={"title": "x"})) == (403, "quotaExceeded")
    tasks.clear(**HOME).execute()
    add(tasks, "hidden ones do not count")


# --- how requests look


def test_g100_batches_come_by_the_path_of_the_tasks_document(google, api, tasks):
    answers = {}
    batch = api.new_batch_http_request(callback=lambda name, found, error: answers.__setitem__(name, error or found))
    batch.add(tasks.insert(**HOME, body={"title": "Grüße"}), request_id="insert")
    batch.add(tasks.get(**HOME, task="nothing"), request_id="get")
    batch.add(api.tasklists().list(), request_id="lists")
    batch.execute()
    assert answers["insert"]["title"] == "Grüße"
    assert answers["get"].resp.status == 404
    assert answers["lists"]["items"][0]["title"] == "My Tasks"
    assert (google.meter.requests, google.meter.batches, google.meter.writes) == (3, 1, 1)


def test_g91_the_limit_of_requests_counts_tasks_too(google, tasks):
    google.configure({"rate_per_minute": 2, "rate_status": 429})
    add(tasks, "Tea")
    titles(tasks)
    assert refused(tasks.list(**HOME)) == (429, "rateLimitExceeded")


def test_a_fault_strikes_a_creation_after_it_was_carried_out(world, google, tasks):
    world.faults.inject(method="POST", path="/tasks/v1/lists/", phase="after", status=503, body={})
    assert refused(tasks.insert(**HOME, body={"title": "Tea"}))[0] == 503
    assert titles(tasks) == ["Tea"]
    assert google.meter.routes["POST /tasks/v1/lists/{tasklist}/tasks"] == 1


def test_partial_answers(tasks):
    add(tasks, "Tea", notes="Green")
    (item,) = tasks.list(**HOME, fields="items(id,title)").execute()["items"]
    assert set(item) == {"id", "title"}
