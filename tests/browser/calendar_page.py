"""The page of a simulated service as its person uses it: what it shows, and what can be filled in and pressed."""

import re
from urllib.parse import urlencode

_SHOWN = """() => [...document.querySelectorAll('.agenda > li')].flatMap(day =>
    [...day.querySelectorAll('a.event')].map(one => [
        day.querySelector('h2').textContent,
        one.querySelector('time')?.textContent ?? '',
        one.textContent.replace(/^\\s*[0-9]{2}:[0-9]{2}/, '').replace(/[↻✉]/g, '').trim(),
    ]))"""


class CalendarPage:
    title, place, weekly = "", "", ""

    def __init__(self, page, address):
        self.page, self.address = page, address

    def open(self, day, view="agenda"):
        self.page.goto(f"{self.address}?{urlencode({'month': f'{day:%Y-%m}', 'view': view})}")

    def shows(self, *days):
        """(day, time, title) of all there is in the months of these days."""
        found = []
        for month in sorted({day.replace(day=1) for day in days}):
            self.open(month)
            found += [
                (f"{month:%Y-%m}-{int(re.search(r'[0-9]+', heading)[0]):02d}", time, title)
                for heading, time, title in self.page.evaluate(_SHOWN)
            ]
        return sorted(found)

    def link(self, title, day):
        """The event of that title in the list, on that day."""
        heading = self.page.get_by_role("heading", name=f"{day:%A}, {day.day} {day:%B}", exact=True)
        days = self.page.locator(".agenda > li").filter(has=heading)
        return days.get_by_role("link", name=re.compile(f"{re.escape(title)}( ↻)?$"))

    def look_up(self, title, day):
        self.open(day)
        self.link(title, day).click()

    def fill(self, **values):
        """By label, or by the name of the kind of field where the services' labels differ."""
        for name, value in values.items():
            label = {"title": self.title, "place": self.place}.get(name, name.replace("_", " ").capitalize())
            self.page.get_by_label(label, exact=True).fill(value)

    def add(self, title, day, **values):
        self.page.goto(f"{self.address}new?day={day}")
        self.fill(title=title, **values)
        self.press("Save")

    def add_weekly(self, title, day, count):
        self.page.goto(f"{self.address}new?day={day}")
        self.fill(title=title, how_many_times=str(count))
        self.page.get_by_label("Repeats").select_option(self.weekly)
        self.press("Save")

    def choose(self, scope):
        self.page.get_by_role("radio", name=scope, exact=True).check()

    def press(self, button):
        self.page.get_by_role("button", name=button).click()

    def said(self):
        """The notice or the problem on top of the page."""
        return self.page.get_by_role("status").or_(self.page.get_by_role("alert")).inner_text()


class GooglePage(CalendarPage):
    title, place, weekly = "Title", "Place", "WEEKLY"


class MicrosoftPage(CalendarPage):
    title, place, weekly = "Subject", "Location", "weekly"
