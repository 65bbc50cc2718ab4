"""The page on which people look after their tasks: what they do there is what the API sees."""

import re
from html import unescape

import httpx
import pytest

from tests.support.simulated_google import tasks_client

HOME = {"tasklist": "@default"}
WHO = {"person": "alex@example.com"}


@pytest.fixture
def page(google):
    with httpx.Client(base_url=f"{google.base_url}/todo/", follow_redirects=True) as browser:
        yield browser


@pytest.fixture
def tasks(google):
    with tasks_client(google) as service:
        yield service.tasks()


@pytest.fixture
def home(google):
    return google.state.shelves["alex@example.com"].default.id


def told(tasks, **params):
    return tasks.list(**HOME, showHidden=True, **params).execute().get("items", [])


def test_adding_and_opening_a_task(page, tasks, home):
    form = WHO | {"list": home, "title": "Tea <b>", "due": "2026-03-10", "time": "09:30", "notes": "Green"}
    answer = page.post("new", data=form)
    assert answer.status_code == 200
    assert "The task was added." in answer.text
    assert "Tea &lt;b&gt;" in answer.text
    assert "Tue 10 Mar 2026, 09:30" in answer.text
    (task,) = told(tasks)
    assert (task["title"], task["notes"], task["due"]) == ("Tea <b>", "Green", "2026-03-10T00:00:00.000Z")
    shown = page.get(unescape(re.search(r'href="(task[?][^"]+)"', answer.text)[1])).text
    assert 'value="09:30"' in shown
    assert 'value="2026-03-10"' in shown


def test_g102_what_is_completed_here_is_hidden_and_can_be_reopened(page, tasks, home):
    made = tasks.insert(**HOME, body={"title": "Tea"}).execute()
    which = WHO | {"list": home, "id": made["id"]}
    answer = page.post("task", data=which | {"act": "complete"})
    assert "The task is done." in answer.text
    assert "Complete Tea" not in answer.text
    assert tasks.list(**HOME).execute().get("items") is None
    (task,) = told(tasks)
    assert (task["status"], task["hidden"]) == ("completed", True)
    assert "Reopen Tea" in page.get("./", params=WHO | {"done": "1"}).text
    page.post("task", data=which | {"act": "reopen", "done": "1"})
    (task,) = told(tasks)
    assert task["status"] == "needsAction"


def test_editing_moving_below_another_and_deleting(page, tasks, home):
    other = tasks.insert(**HOME, body={"title": "Other"}).execute()
    made = tasks.insert(**HOME, body={"title": "Tea", "due": "2026-03-10T00:00:00Z"}).execute()
    which = WHO | {"list": home, "id": made["id"]}
    form = which | {"title": "Coffee", "due": "", "notes": "", "parent": other["id"], "act": "save"}
    assert "The task was saved." in page.post("task", data=form).text
    task = tasks.get(**HOME, task=made["id"]).execute()
    assert (task["title"], task["parent"], "due" in task) == ("Coffee", other["id"], False)
    assert "The task was deleted." in page.post("task", data=which | {"act": "delete"}).text
    assert tasks.get(**HOME, task=made["id"]).execute()["deleted"] is True
    assert page.get("task", params=which).status_code == 404


def test_a_save_that_is_refused_moves_nothing(page, google, tasks, home):
    other = tasks.insert(**HOME, body={"title": "Other"}).execute()
    made = tasks.insert(**HOME, body={"title": "Tea"}).execute()
    form = WHO | {"list": home, "id": made["id"], "title": "Coffee", "parent": other["id"], "act": "save"}
    answer = page.post("task", data=form | {"notes": "n" * 8193})
    assert (answer.status_code, "no more than 8192" in answer.text) == (400, True)
    assert "not exist" in page.post("task", data=form | {"parent": "nothing"}).text
    assert tasks.get(**HOME, task=made["id"]).execute() == made


def test_lists_are_added_cleared_and_deleted(page, google, tasks, home):
    tasks.insert(**HOME, body={"title": "done", "status": "completed"}).execute()
    assert "Garden" in page.post("lists", data=WHO | {"title": "Garden"}).text
    garden = list(google.state.shelves["alex@example.com"].lists)[-1]
    page.post("list", data=WHO | {"list": home, "act": "clear"})
    assert told(tasks)[0]["hidden"] is True
    assert "cannot be deleted" in page.post("list", data=WHO | {"list": home, "act": "delete"}).text
    page.post("list", data=WHO | {"list": garden, "act": "delete"})
    assert '<h2 id="list-2">' not in page.get("./", params=WHO).text
    assert "needs a name" in page.post("lists", data=WHO | {"title": " "}).text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": " "}, "a title"),
        ({"due": "soon"}, "give a date"),
        ({"due": "0001-01-01"}, "between 1900 and 2200"),
        ({"time": "09:00"}, "needs a date"),
        ({"due": "2026-03-10", "time": "late"}, "give a time"),
        ({"title": "t" * 1025}, "no more than 1024"),
        ({"list": "nothing"}, "not found"),
    ],
)
def test_bad_input_is_explained_and_kept(page, home, change, words):
    answer = page.post("new", data=WHO | {"list": home, "title": "Tea <b>", "notes": "Green <i>"} | change)
    assert answer.status_code == 400
    assert words in answer.text
    assert "Green &lt;i&gt;" in answer.text


def test_a_seeded_account_has_tasks_with_steps_once(google, page, tasks):
    google.seed("alex@example.com", 1)
    google.seed("alex@example.com", 1)
    found = told(tasks, maxResults=100)
    assert len({each["title"] for each in found}) == len(found)
    assert len([each for each in found if "parent" in each]) == 3
    assert {each["status"] for each in found} == {"needsAction", "completed"}
    assert "(overdue)" in page.get("./", params=WHO).text


def test_the_calendar_and_the_front_page_lead_here(google, page):
    assert 'href="todo/?person=' in httpx.get(f"{google.base_url}/").text
    assert 'href="google/todo/"' in httpx.get(f"{google.base_url.removesuffix('/google')}/").text
