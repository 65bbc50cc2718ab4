"""Input that cannot be: the page says what is wrong, keeps what was typed, and nothing breaks."""

import datetime as dt

import pytest

from tests.e2e.dates import MONDAY

pytestmark = pytest.mark.browser

SERVICES = ("google", "microsoft")
DAY = MONDAY + dt.timedelta(weeks=9)


@pytest.fixture(params=SERVICES)
def form(request, pages, page):
    """A new event's form, and every answer of a server that is an error of its own."""
    broken = []
    page.on("response", lambda answer: broken.append(answer.url) if answer.status >= 500 else None)
    mine = pages[request.param]
    page.goto(f"{mine.address}new?day={DAY}")
    yield mine
    assert not broken


def typed_freely(page, label, text):
    """As in a browser that knows no date fields: a plain text field."""
    field = page.get_by_label(label, exact=True)
    field.evaluate("field => { field.type = 'text'; }")
    field.fill(text)


def test_an_end_before_the_start(form, page):
    form.fill(title="Backwards", to="09:00", **{"from": "10:00"})
    form.press("Save")
    assert form.said() == "The event ends before it begins."
    assert page.get_by_label(form.title, exact=True).input_value() == "Backwards"


def test_an_all_day_event_that_ends_before_it_begins(form, page):
    form.fill(title="Backwards", last_day=f"{DAY - dt.timedelta(days=2)}")
    page.get_by_label("All day").check()
    form.press("Save")
    assert form.said() == "The last day is before the first day."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soon", "First day: please give a date."),
        ("2026-02-30", "First day: please give a date."),
        ("0001-01-01", "First day: please give a year between 1900 and 2200."),
        ("9999-12-31", "First day: please give a year between 1900 and 2200."),
    ],
)
def test_a_date_that_is_none(form, page, text, words):
    form.fill(title="Never")
    typed_freely(page, "First day", text)
    typed_freely(page, "Last day", text)
    form.press("Save")
    assert form.said() == words


def test_a_time_and_a_zone_that_are_none(form, page):
    form.fill(title="Never", time_zone="Middle-earth")
    form.press("Save")
    assert "There is no time zone" in form.said()
    page.goto(f"{form.address}new?day={DAY}")
    typed_freely(page, "From", "noonish")
    form.press("Save")
    assert form.said() == "From: please give a time."


def test_a_number_of_times_that_is_none(form, page):
    page.get_by_label("Repeats").select_option(form.weekly)
    form.fill(title="Often", how_many_times="often")
    form.press("Save")
    assert "between 1 and 999" in form.said()


def test_an_event_without_a_title_is_taken_and_called_so(form):
    form.press("Save")
    assert form.said() == "The event was added."
    untitled = [title for day, _, title in form.shows(DAY) if day == f"{DAY}"]
    assert untitled
    assert set(untitled) <= {"(No title)", "(No subject)"}  # once here, or also from the other service


@pytest.mark.parametrize("service", SERVICES)
def test_an_address_that_is_nonsense_shows_a_month(pages, page, service):
    for query in ("month=0001-01", "month=9999-12", "month=never", "view=upside-down", "person=nobody"):
        assert page.goto(f"{pages[service].address}?{query}").status == 200, query
        assert page.get_by_role("link", name="New event", exact=True).count() == 1, query
    assert page.goto(f"{pages[service].address}new?day=9999-99-99").status == 200


@pytest.mark.parametrize("service", SERVICES)
def test_an_event_that_is_gone_says_so(pages, page, service):
    answer = page.goto(f"{pages[service].address}event?id=gone&calendar=alex%40example.com")
    assert answer.status == 404
    assert page.get_by_role("alert").inner_text() == "This event is not there any more."
    page.get_by_role("link", name="Back to the calendar").click()
    assert page.get_by_role("link", name="New event", exact=True).count() == 1
