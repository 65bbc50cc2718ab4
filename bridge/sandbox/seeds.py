"""What a calendar is filled with: one person's private and working life around today, no two titles alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

Life = Literal["private", "work"]


@dataclass(frozen=True, slots=True)
class Seed:
    """An event to be made. Dates for all-day (``end`` exclusive), else naive wall-clock times of the calendar's zone.

    ``weeks`` is how often it takes place, each week once; ``reminder`` is minutes before.
    """

    title: str
    start: dt.date | dt.datetime
    end: dt.date | dt.datetime
    place: str = ""
    notes: str = ""
    weeks: int = 1
    reminder: int | None = None

    @property
    def all_day(self) -> bool:
        return not isinstance(self.start, dt.datetime)


def seeds(life: Life, count: int, today: dt.date) -> Iterator[Seed]:
    """The ``count`` first events of a life: what everybody would recognise, then appointments as far as they are needed."""
    monday = today - dt.timedelta(days=today.weekday())
    known = [_placed(line, monday) for line in _KNOWN[life]]
    yield from islice(known, count)
    yield from _appointments(life, count - len(known), monday)


def _placed(line: str, monday: dt.date) -> Seed:
    """A line of the tables below: week, weekday, time or all-day, length, title; what follows is optional."""
    when, title, *more = (part.strip() for part in line.split("|"))
    week, weekday, time, length = when.split()
    day = monday + dt.timedelta(weeks=int(week), days=_DAYS.index(weekday))
    options = dict(part.partition(":")[::2] for part in more)
    start: dt.date | dt.datetime = day
    end: dt.date | dt.datetime = day + dt.timedelta(days=int(length))
    if time != "all-day":
        start = dt.datetime.combine(day, dt.time.fromisoformat(time))
        end = start + dt.timedelta(minutes=int(length))
    return Seed(
        title,
        start,
        end,
        place=options.get("at", "").strip(),
        notes=options.get("note", "").strip(),
        weeks=int(options.get("weeks", 1)),
        reminder=int(options["remind"]) if "remind" in options else None,
    )


def _appointments(life: Life, count: int, monday: dt.date) -> Iterator[Seed]:
    """Some with everybody, mostly ahead; every tenth takes the whole day, every twentieth is weekly."""
    purposes, hours = _PURPOSES[life], _HOURS[life]
    days = min(max(6 * 7, count // 6), 700)
    for number in range(count):
        # 11 and 17 share no factor with the lengths below, so that neighbours differ in everything
        person, purpose = _PEOPLE[number % len(_PEOPLE)], purposes[number * 11 % len(purposes)]
        again = number // (len(_PEOPLE) * len(purposes)) + 1
        title = f"{purpose} with {person}" + (f" ({again})" if again > 1 else "")
        day = monday + dt.timedelta(days=number * 17 % days - days // 3)
        if life == "work" and day.weekday() > 4:
            day -= dt.timedelta(days=day.weekday() - 4)
        if number % 10 == 9:
            yield Seed(title, day, day + dt.timedelta(days=1 + number % 3 // 2))
            continue
        start = dt.datetime.combine(day, dt.time(hours[number % len(hours)], 30 * (number // 3 % 2)))
        yield Seed(
            title,
            start,
            start + dt.timedelta(minutes=30 + 15 * (number % 4)),
            place=_PLACES[life][number % len(_PLACES[life])],
            notes=f"{person} asked for it." if number % 4 == 1 else "",
            weeks=4 if number % 20 == 10 else 1,
            reminder=15 if number % 7 == 0 else None,
        )


_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_HOURS: dict[Life, tuple[int, ...]] = {"private": (17, 18, 12, 19, 8, 20, 16), "work": (9, 14, 11, 15, 10, 13, 16)}
_PLACES: dict[Life, tuple[str, ...]] = {
    "private": ("", "Café Central, Herrengasse 14", "City park", "", "Library", "At home"),
    "work": ("Room Danube", "", "Room Alps", "Online", "Room 4, second floor", "Canteen"),
}
# 29 and 16 share no factor either: a person and a purpose meet once before the first pair comes again
_PEOPLE = (
    "Mia", "Tom", "Priya", "Jonas", "Elena", "Omar", "Lena", "David", "Aisha", "Lukas", "Sofia", "Ken", "Maria", "Felix",
    "Nora", "Ivan", "Chloé", "Samir", "Julia", "Peter", "Hana", "Marco", "Ingrid", "Leo", "Fatima", "Anna", "Max", "Ruth",
    "Zoë",
)  # fmt: skip
_PURPOSES: dict[Life, tuple[str, ...]] = {
    "private": (
        "Coffee", "Dinner", "Tennis", "A walk", "Cinema", "Piano lesson", "Phone call", "Board games", "Running",
        "Concert", "Shopping", "Picnic", "Swimming", "Birthday party", "Museum", "Book club",
    ),
    "work": (
        "One-to-one", "Design review", "Interview", "Budget check", "Handover", "Project status", "Customer call",
        "Training", "Code review", "Planning", "Workshop", "Lunch", "Contract talks", "Roadmap", "Retrospective", "Demo",
    ),
}  # fmt: skip
_KNOWN: dict[Life, tuple[str, ...]] = {
    "private": (
        "-1 tu 18:30 60  | Yoga | at: Studio Lindengasse 8 | weeks: 10 | remind: 30",
        "-1 th 19:30 90  | Choir rehearsal | at: Parish hall, Kirchengasse 3 | weeks: 12",
        "-1 fr 17:00 30  | Vet: Whiskers’ check-up | at: Dr. Lang, Ringstrasse 40",
        "-1 su 15:00 120 | Museum with the children | at: Natural History Museum",
        " 0 mo 12:30 60  | Lunch with Mia and Sam | at: Café Central, Herrengasse 14",
        " 0 tu 08:15 45  | Dentist | at: Dr. Novak, Hauptstrasse 12 | remind: 60 | note: Bring the insurance card.",
        " 0 we 20:00 30  | Call Mum",
        " 0 th all-day 1 | Paper collection | note: Put the bin out the evening before.",
        " 0 fr 20:00 150 | Late film with Tom | at: Gartenbau, Parkring 12",
        " 0 sa 09:30 90  | Farmers’ market | at: Karmelitermarkt",
        " 0 sa 19:00 180 | Dinner at Priya and Jonas’s | note: We bring dessert.",
        " 0 su 10:00 75  | Run along the river",
        " 1 mo 17:30 45  | Parents’ evening | at: School, room 4",
        " 1 tu 07:45 30  | Car to the garage | at: Berger, Industriestrasse 9 | note: Winter tyres.",
        " 1 we 16:00 45  | Haircut | at: Salon Eva",
        " 1 th 18:00 60  | Swimming lesson for Leo | at: Public pool | weeks: 6",
        " 1 fr all-day 3 | Weekend in Salzburg",
        " 2 tu all-day 1 | Grandma’s birthday",
        " 2 we 19:00 120 | Book club | at: Library, Zieglergasse",
        " 2 sa 11:00 150 | Brunch at Lena’s",
        " 3 mo 09:00 30  | Passport office | at: Town hall, desk 7 | remind: 1440 | note: Old passport and a photo.",
        " 4 mo all-day 7 | Holiday at the lake",
    ),
    "work": (
        "-1 mo 09:15 15  | Team stand-up | at: Room Danube | weeks: 12",
        "-1 we 13:30 60  | Sprint retrospective | at: Room Alps",
        "-1 fr 15:00 45  | Sprint demo | at: Online",
        " 0 mo 10:00 60  | Sprint planning | at: Room Danube | note: Estimates for the import, then the bugs.",
        " 0 tu 11:00 30  | One-to-one with Megan | weeks: 8 | remind: 5",
        " 0 tu 14:00 60  | Design review: new checkout | at: Room Alps",
        " 0 we 12:00 60  | Lunch with the new colleagues | at: Canteen",
        " 0 we 15:30 30  | Release 4.2: go or no-go | at: Online | remind: 15",
        " 0 th 09:30 90  | Interview: backend engineer | at: Room 4, second floor | note: CV is in the folder.",
        " 0 th 16:00 60  | Budget for next quarter",
        " 0 fr 10:30 45  | Call with Contoso about the contract | at: Online",
        " 1 mo all-day 1 | Office closed for the move",
        " 1 tu 09:00 240 | Workshop: threat modelling | at: Room Danube",
        " 1 we all-day 2 | Conference in Berlin | note: Train 06:30, hotel is booked.",
        " 1 fr 13:00 60  | Team lunch | at: Trattoria da Enzo",
        " 2 mo 14:00 60  | Quarterly business review | at: Room Danube",
        " 2 tu 10:00 30  | Fire drill",
        " 2 th 11:00 60  | Roadmap with sales | at: Online",
        " 3 mo all-day 5 | On call",
        " 3 we 16:30 60  | Farewell drinks for Ingrid | at: Canteen",
        " 4 tu 09:30 60  | Performance talk with Megan | remind: 30",
    ),
}
