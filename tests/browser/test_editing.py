"""What a person does on one service's page is on the other's, and on their phone."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.dates import FROM, MONDAY, TO, ZONE
from tests.support.hub import wait_for

pytestmark = pytest.mark.browser

TUESDAY = MONDAY + dt.timedelta(days=1)


def on_phone(phone, *days):
    """The phone's events in the months of these days, as the pages show them."""
    months = {f"{day:%Y-%m}" for day in days}
    local = [
        (dt.datetime.strptime(start, "%Y%m%dT%H%M%S%z").astimezone(ZoneInfo(ZONE)), title)
        for start, _, title in phone.shows(FROM, TO)
        if len(start) > len("2026-01-01")
    ]
    return sorted(
        (f"{start:%Y-%m-%d}", f"{start:%H:%M}", title) for start, title in local if f"{start:%Y-%m}" in months
    )


def everywhere(pages, connected, wanted, *days):
    """Wait until both pages and the phone show exactly this."""
    sides = {name: lambda one=one: one.shows(*days) for name, one in pages.items()}
    sides["phone"] = lambda: on_phone(connected.phone, *days)
    for name, see in sides.items():
        wait_for(lambda name=name, see=see: (seen := see()) == sorted(wanted) or Disagrees(name, seen), every=0.4)


class Disagrees:
    """Falsy, and says in a failed wait who saw what."""

    def __init__(self, name, seen):
        self.name, self.seen = name, seen

    def __bool__(self):
        return False

    def __repr__(self):
        return f"{self.name} shows {self.seen}"


def tab_to(page, target):
    """Press Tab until the target has the focus, as somebody without a mouse does."""
    for _ in range(150):
        page.keyboard.press("Tab")
        if target.evaluate("one => one === document.activeElement"):
            return
    raise AssertionError(f"{target} cannot be reached by Tab")


def test_adding_at_google_editing_in_outlook_deleting_at_google_by_keyboard_alone(pages, connected, page):
    google, outlook = pages["google"], pages["microsoft"]
    keyboard = page.keyboard

    google.open(TUESDAY, "month")
    tab_to(page, page.get_by_role("link", name=f"New event on {TUESDAY.day} {TUESDAY:%B}", exact=True))
    keyboard.press("Enter")
    page.get_by_role("heading", name="New event").wait_for()
    keyboard.type("Dentist")  # the title has the focus
    keyboard.press("Enter")
    assert google.said() == "The event was added."
    everywhere(pages, connected, [(f"{TUESDAY}", "09:00", "Dentist")], TUESDAY)

    outlook.open(TUESDAY)
    tab_to(page, outlook.link("Dentist", TUESDAY))
    keyboard.press("Enter")
    tab_to(page, page.get_by_label("Subject"))
    keyboard.press("Control+a")
    keyboard.type("Dentist, Dr. Novak")
    tab_to(page, page.get_by_label("Location"))
    keyboard.type("Hauptstrasse 12")
    keyboard.press("Enter")
    assert outlook.said() == "The event was saved."
    everywhere(pages, connected, [(f"{TUESDAY}", "09:00", "Dentist, Dr. Novak")], TUESDAY)

    google.open(TUESDAY)
    tab_to(page, google.link("Dentist, Dr. Novak", TUESDAY))
    keyboard.press("Enter")
    page.get_by_role("heading", name="Event").wait_for()
    assert page.get_by_label("Place").input_value() == "Hauptstrasse 12"
    tab_to(page, page.get_by_role("button", name="Delete"))
    keyboard.press("Enter")
    assert google.said() == "The event was deleted."
    everywhere(pages, connected, [], TUESDAY)


@pytest.mark.parametrize("acting", ["google", "microsoft"])
def test_a_weekly_series_this_one_these_and_all(pages, connected, acting):
    mine = pages[acting]
    weeks = [MONDAY + dt.timedelta(weeks=week) for week in range(5)]
    shown = {week: (f"{day}", "09:00", "Choir") for week, day in enumerate(weeks)}

    def settled():
        everywhere(pages, connected, list(shown.values()), *weeks)

    mine.add_weekly("Choir", MONDAY, 5)
    settled()

    mine.look_up("Choir", weeks[1])
    mine.choose("this event")
    mine.fill(to="13:00", **{"from": "12:00"})
    mine.press("Save")
    shown[1] = (f"{weeks[1]}", "12:00", "Choir")
    settled()

    mine.look_up("Choir", weeks[3])
    mine.choose("this and following events")
    mine.fill(title="Choir with orchestra")
    mine.press("Save")
    for week in (3, 4):
        shown[week] = (f"{weeks[week]}", "09:00", "Choir with orchestra")
    settled()

    mine.look_up("Choir with orchestra", weeks[4])
    mine.choose("all events")
    mine.fill(to="11:30", **{"from": "10:30"})
    mine.press("Save")
    for week in (3, 4):
        shown[week] = (f"{weeks[week]}", "10:30", "Choir with orchestra")
    settled()

    mine.look_up("Choir", weeks[0])
    mine.choose("this event")
    mine.press("Delete")
    del shown[0]
    settled()

    mine.look_up("Choir with orchestra", weeks[4])
    mine.choose("this and following events")
    mine.press("Delete")
    del shown[4]
    settled()

    mine.look_up("Choir", weeks[2])
    mine.choose("all events")
    mine.press("Delete")
    del shown[1], shown[2]
    settled()

    mine.look_up("Choir with orchestra", weeks[3])
    mine.choose("all events")
    mine.press("Delete")
    del shown[3]
    settled()
