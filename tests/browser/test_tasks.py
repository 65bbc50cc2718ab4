"""A person looks after their tasks at the simulated Google with the keyboard alone, on a phone's screen."""

import pytest

from tests.support.simulated_google import tasks_client

pytestmark = pytest.mark.browser

HOME = {"tasklist": "@default"}


@pytest.fixture
def board(town, page):
    page.set_viewport_size({"width": 375, "height": 700})
    page.goto(f"{town.sandbox.url}/google/todo/?person=sam@example.com")
    return page


@pytest.fixture
def tasks(town):
    with tasks_client(town.sandbox.google, "sam@example.com") as service:
        yield service.tasks()


def press(page, role, name, key="Enter"):
    """Go there as a keyboard does, and use it."""
    wanted = page.get_by_role(role, name=name, exact=True)
    page.locator("body").press("Home")
    for _ in range(40):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            break
    else:
        raise AssertionError(f"{name} is not reached")
    page.keyboard.press(key)


def test_adding_completing_reopening_and_deleting_by_keyboard(board, tasks):
    press(board, "link", "New task")
    board.get_by_label("Title").wait_for()
    board.keyboard.type("Water the plants")
    board.keyboard.press("Enter")
    board.get_by_text("The task was added.").wait_for()
    (made,) = tasks.list(**HOME).execute()["items"]
    assert (made["title"], made["status"]) == ("Water the plants", "needsAction")

    press(board, "button", "Complete Water the plants")
    board.get_by_text("The task is done.").wait_for()
    done = tasks.get(**HOME, task=made["id"]).execute()
    assert (done["status"], done["hidden"]) == ("completed", True)

    press(board, "link", "Show what is done")
    press(board, "button", "Reopen Water the plants", "Space")
    board.get_by_text("The task is open again.").wait_for()
    assert tasks.get(**HOME, task=made["id"]).execute()["status"] == "needsAction"

    press(board, "link", "Water the plants")
    press(board, "button", "Delete")
    board.get_by_text("The task was deleted.").wait_for()
    assert tasks.get(**HOME, task=made["id"]).execute()["deleted"] is True
