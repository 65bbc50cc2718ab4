"""The simulated Microsoft To Do over HTTP: lists, tasks, their parts, and rounds of changes (M-84…M-90)."""

import httpx
import pytest

from bridge.sandbox.server import Sandbox
from tests.support.simulated_graph import BERLIN, at, client, code, rounds

SCOPES = ("openid", "offline_access", "Tasks.ReadWrite")
WEEKLY = {
    "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], "firstDayOfWeek": "monday"},
    "range": {"type": "noEnd", "startDate": "2026-03-02"},
}


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as running:
        yield running


@pytest.fixture
def api(sandbox):
    sandbox.reset()
    with client(sandbox.microsoft, scopes=SCOPES) as connected:
        yield connected


@pytest.fixture
def tasks(api):
    return f"me/todo/lists/{api.get('me/todo/lists').json()['value'][0]['id']}/tasks"


def made(api, where, **fields):
    answer = api.post(where, json={"title": "Tea"} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


def all_of(api, tasks):
    return api.get(f"{tasks}?$top=100&$expand=linkedResources,checklistItems").json()["value"]


def test_m84_lists_and_those_that_cannot_be_deleted(api):
    first, flagged = api.get("me/todo/lists").json()["value"]
    assert (first["wellknownListName"], flagged["wellknownListName"]) == ("defaultList", "flaggedEmails")
    for each in (first, flagged):
        assert code(api.delete(f"me/todo/lists/{each['id']}"))[0] == 403
    new = api.post("me/todo/lists", json={"displayName": "Garden"}).json()
    assert (new["displayName"], new["isOwner"], new["wellknownListName"]) == ("Garden", True, "none")
    where = f"me/todo/lists/{new['id']}"
    assert api.patch(where, json={"displayName": "Field"}).json()["displayName"] == "Field"
    assert api.delete(where).status_code == 204
    assert code(api.get(where)) == (404, "ErrorItemNotFound")
    assert code(api.post(f"me/todo/lists/{flagged['id']}/tasks", json={"title": "x"}))[0] == 400


def test_m10_only_who_asked_for_tasks_gets_them(sandbox, api, tasks):
    with client(sandbox.microsoft) as calendars:
        assert code(calendars.get("me/todo/lists")) == (403, "ErrorAccessDenied")
    with client(sandbox.microsoft, scopes=("Tasks.Read",)) as reader:
        assert reader.get(tasks).status_code == 200
        assert code(reader.post(tasks, json={"title": "x"})) == (403, "ErrorAccessDenied")


def test_m85_fields_come_back(api, tasks):
    task = made(
        api, tasks, body={"content": "Green", "contentType": "text"}, importance="high", categories=["Red"],
        status="inProgress", reminderDateTime=at("2026-03-10", "08:00"), isReminderOn=True,
        linkedResources=[{"externalId": "uid-1", "applicationName": "x"}],
    )  # fmt: skip
    assert task["linkedResources"][0]["externalId"] == "uid-1"
    read = api.get(f"{tasks}/{task['id']}").json()
    assert (read["body"], read["importance"], read["categories"]) == (
        {"content": "Green", "contentType": "text"}, "high", ["Red"],
    )  # fmt: skip
    assert read["reminderDateTime"] == {"dateTime": "2026-03-10T07:00:00.0000000", "timeZone": "UTC"}
    assert (read["status"], read["hasAttachments"], "dueDateTime" in read) == ("inProgress", False, False)
    changed = api.patch(f"{tasks}/{task['id']}", json={"reminderDateTime": None, "title": "Coffee"}).json()
    assert (changed["title"], changed["isReminderOn"], changed["importance"]) == ("Coffee", False, "high")
    assert api.delete(f"{tasks}/{task['id']}").status_code == 204
    assert code(api.get(f"{tasks}/{task['id']}")) == (404, "ErrorItemNotFound")


@pytest.mark.parametrize(
    ("as_utc", "told"), [(False, "2026-03-09T23:00:00.0000000"), (True, "2026-03-10T00:00:00.0000000")]
)
def test_m86_a_due_date_loses_its_time(sandbox, api, tasks, as_utc, told):
    sandbox.microsoft.configure({"todo_due_as_utc": as_utc})
    task = made(api, tasks, dueDateTime=at("2026-03-10", "16:30"))
    assert task["dueDateTime"] == {"dateTime": told, "timeZone": "UTC"}
    if not as_utc:
        shown = api.get(f"{tasks}/{task['id']}", headers={"Prefer": f'outlook.timezone="{BERLIN}"'}).json()
        assert shown["dueDateTime"] == {"dateTime": "2026-03-10T00:00:00.0000000", "timeZone": BERLIN}


def test_m86_completion_is_a_day_in_utc(api, tasks):
    task = made(api, tasks, status="completed", completedDateTime=at("2026-03-10", "00:30"))
    assert task["completedDateTime"]["dateTime"] == "2026-03-09T00:00:00.0000000"
    assert "completedDateTime" not in api.patch(f"{tasks}/{task['id']}", json={"status": "notStarted"}).json()


@pytest.mark.parametrize(("repeats", "new"), [(True, True), (True, False), (False, True)])
def test_m89_completing_a_recurring_task(sandbox, api, tasks, repeats, new):
    sandbox.microsoft.configure({"todo_completing_repeats": repeats, "todo_next_is_new": new})
    task = made(
        api, tasks, dueDateTime=at("2026-03-02"), recurrence=WEEKLY, linkedResources=[{"externalId": "u"}]
    )  # fmt: skip
    api.patch(f"{tasks}/{task['id']}", json={"status": "completed"})
    found = {each["status"]: each for each in all_of(api, tasks)}
    assert len(all_of(api, tasks)) == 1 + repeats
    if repeats:
        assert (found["completed"]["id"] == task["id"]) is new
        assert found["notStarted"]["dueDateTime"]["dateTime"].startswith("2026-03-08T23")
        assert found["notStarted"]["recurrence"]["pattern"]["type"] == "weekly"
        assert found["notStarted"]["linkedResources"][0]["externalId"] == "u"


@pytest.mark.parametrize("honoured", [True, False])
def test_m88_if_match(sandbox, api, tasks, honoured):
    sandbox.microsoft.configure({"todo_if_match": honoured})
    task = made(api, tasks)
    where, old = f"{tasks}/{task['id']}", {"If-Match": task["@odata.etag"]}
    assert api.patch(where, json={"title": "a"}, headers=old).json()["@odata.etag"] != task["@odata.etag"]
    assert api.patch(where, json={"title": "b"}, headers=old).status_code == (412 if honoured else 200)


@pytest.mark.parametrize(
    ("part", "body", "change"),
    [
        ("checklistItems", {"displayName": "Cup"}, {"isChecked": True}),
        ("linkedResources", {"externalId": "1", "displayName": "x"}, {"webUrl": "https://example.com/"}),
    ],
)
def test_m85_m88_parts_have_endpoints_of_their_own(api, tasks, part, body, change):
    task = made(api, tasks)
    where = f"{tasks}/{task['id']}/{part}"
    one = api.post(where, json=body).json()
    assert body.items() <= one.items()
    assert change.items() <= api.patch(f"{where}/{one['id']}", json=change).json().items()
    assert [each["id"] for each in api.get(where).json()["value"]] == [one["id"]]
    assert api.get(f"{tasks}/{task['id']}").json()["@odata.etag"] != task["@odata.etag"]
    assert all_of(api, tasks)[0][part][0]["id"] == one["id"]
    assert api.delete(f"{where}/{one['id']}").status_code == 204
    assert code(api.get(f"{where}/{one['id']}")) == (404, "ErrorItemNotFound")


@pytest.mark.parametrize("oddities", [True, False])
def test_m87_rounds_of_tasks(sandbox, api, tasks, oddities):
    sandbox.microsoft.configure({"delta_oddities": oddities})
    wanted = [made(api, tasks)["id"] for _ in range(5)]
    entries, link, sizes = rounds(api, f"{tasks}/delta?$top=2&$select=title")
    assert {each["id"] for each in entries} == set(wanted)
    assert max(sizes) == 2
    assert "status" not in entries[0]
    assert rounds(api, link)[0] == []
    api.delete(f"{tasks}/{wanted[0]}")
    (gone,) = rounds(api, link)[0]
    assert (gone["id"], gone["@removed"]) == (wanted[0], {"reason": "deleted"})
    sandbox.microsoft.lose_sync_state()
    assert code(api.get(link)) == (410, "SyncStateNotFound")


def test_m87_rounds_of_lists(api):
    _, link, _ = rounds(api, "me/todo/lists/delta")
    new = api.post("me/todo/lists", json={"displayName": "Garden"}).json()
    assert [each["displayName"] for each in rounds(api, link)[0]] == ["Garden"]
    api.delete(f"me/todo/lists/{new['id']}")
    (gone,) = rounds(api, link)[0]
    assert (gone["id"], "@removed" in gone) == (new["id"], True)


def test_m16_pages_and_filters(api, tasks):
    for number in range(3):
        made(api, tasks, title=f"t{number}", status="completed" if number else "notStarted")
    page = api.get(f"{tasks}?$top=2").json()
    assert len(page["value"]) == 2
    assert [each["title"] for each in api.get(page["@odata.nextLink"]).json()["value"]] == ["t2"]
    assert [each["title"] for each in api.get(f"{tasks}?$filter=status ne 'completed'").json()["value"]] == ["t0"]


@pytest.mark.parametrize(
    "body",
    [
        {"title": ""}, {"title": "x", "percentComplete": 5}, {"title": "x", "status": "done"}, {"title": "x" * 256},
        {"title": "x", "completedDateTime": at("2026-03-10")}, {"title": "x", "recurrence": WEEKLY},
        {"title": "x", "dueDateTime": {"dateTime": "2026-03-10T00:00:00", "timeZone": "Nowhere"}},
        {"title": "x", "isReminderOn": True},
    ],
)  # fmt: skip
def test_m80_what_does_not_fit_is_refused_and_nothing_made(api, tasks, body):
    assert api.post(tasks, json=body).status_code == 400
    assert all_of(api, tasks) == []


def test_the_page_adds_completes_edits_and_deletes(sandbox, api, tasks):
    who = {"person": "alex@example.com", "list": tasks.split("/")[3]}
    with httpx.Client(base_url=f"{sandbox.microsoft.base_url}/todo/", follow_redirects=True) as page:
        assert "was added" in page.post("new", data=who | {"title": "Tea <b>", "due": "2026-03-10"}).text
        (task,) = all_of(api, tasks)
        which = who | {"id": task["id"]}
        assert "Tea &lt;b&gt;" in page.get("task", params=which).text
        saved = page.post("task", data=which | {"title": "Tea", "due": "", "new_step": "Cup", "act": "save"})
        assert "was saved" in saved.text
        (task,) = all_of(api, tasks)
        assert (task["title"], "dueDateTime" in task, task["checklistItems"][0]["displayName"]) == ("Tea", False, "Cup")
        page.post("task", data=which | {"act": "complete"})
        assert all_of(api, tasks)[0]["status"] == "completed"
        assert page.post("new", data=who | {"title": " "}).status_code == 400
        page.post("task", data=which | {"act": "delete"})
        assert page.get("task", params=which).status_code == 404


def test_seeds_fill_the_default_list_once(sandbox, api, tasks):
    sandbox.microsoft.seed("alex@example.com", 1)
    sandbox.microsoft.seed("alex@example.com", 1)
    titles = [each["title"] for each in all_of(api, tasks)]
    assert len(titles) == len(set(titles)) > 3


def test_what_the_facts_leave_open_can_be_switched(sandbox, api, tasks):
    sandbox.microsoft.configure({
        "todo_start_keeps_time": False, "todo_bodies_rewritten": True, "todo_inline_parts": True,
        "todo_recurrence_in_lists": False, "todo_parts_touch": False, "todo_recurrence_needs_due": False,
        "todo_due_edit_duplicates": True, "todo_next_keeps_links": False,
    })  # fmt: skip
    task = made(
        api, tasks, startDateTime=at("2026-03-02", "10:00", "UTC"), recurrence=WEEKLY,
        body={"content": "a\nb", "contentType": "text"}, linkedResources=[{"externalId": "u"}],
    )  # fmt: skip
    assert task["startDateTime"]["dateTime"].startswith("2026-03-02T00:00")
    assert task["dueDateTime"]["dateTime"].startswith("2026-03-02T00:00")
    assert task["body"]["content"] == "a\r\nb\r\n"
    api.post(f"{tasks}/{task['id']}/checklistItems", json={"displayName": "Cup"})
    (listed,) = api.get(tasks).json()["value"]
    assert (listed["@odata.etag"], "recurrence" in listed) == (task["@odata.etag"], False)
    assert listed["checklistItems"][0]["displayName"] == "Cup"
    assert "recurrence" in api.get(f"{tasks}/{task['id']}").json()
    api.patch(f"{tasks}/{task['id']}", json={"dueDateTime": at("2026-03-04", "00:00", "UTC")})
    days = {each["id"] == task["id"]: each["dueDateTime"]["dateTime"][:10] for each in all_of(api, tasks)}
    assert days == {True: "2026-03-02", False: "2026-03-04"}
    api.patch(f"{tasks}/{task['id']}", json={"status": "completed"})
    assert sorted(len(each["linkedResources"]) for each in all_of(api, tasks)) == [0, 1, 1]


@pytest.mark.parametrize("immutable", [True, False])
def test_m30_moving_changes_the_default_id(sandbox, api, tasks, immutable):
    sandbox.microsoft.configure({"todo_immutable_ids": immutable})
    task = made(api, tasks)
    other = api.post("me/todo/lists", json={"displayName": "Garden"}).json()["id"]
    _, link, _ = rounds(api, f"{tasks}/delta")
    which = {"person": "alex@example.com", "list": tasks.split("/")[3], "title": "Tea", "target": other, "act": "save"}
    with httpx.Client(base_url=f"{sandbox.microsoft.base_url}/todo/", follow_redirects=True) as page:
        shown = page.get("./", params=which).text
        id = shown.split('name="id" value="')[1].split('"')[0]
        assert "was saved" in page.post("task", data=which | {"id": id}).text
    (gone,) = rounds(api, link)[0]
    assert (gone["id"], "@removed" in gone) == (task["id"], True)
    (moved,) = api.get(f"me/todo/lists/{other}/tasks").json()["value"]
    assert (moved["id"] == task["id"]) is immutable


@pytest.mark.parametrize(("let_in", "status"), [(False, 403), (True, 200)])
def test_m90_an_app_without_a_person(sandbox, api, let_in, status):
    sandbox.microsoft.configure({"todo_app_only": let_in})
    form = {"client_id": "app", "grant_type": "client_credentials", "client_secret": "s", "scope": "x/.default"}
    token = sandbox.microsoft.authority.token(form, issuer="")["access_token"]
    where = f"{sandbox.microsoft.base_url}/v1.0/users/alex@example.com/todo/lists"
    assert httpx.get(where, headers={"Authorization": f"Bearer {token}"}).status_code == status
