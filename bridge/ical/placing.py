"""How times are written within one object: in its own spelling of a zone, with a VTIMEZONE where one is missing."""

from __future__ import annotations

import datetime as dt

from bridge.ical import lines, onward, times, timing, values
from bridge.ical.draft import Draft
from bridge.ical.fields import Place, When
from bridge.ical.lines import Line
from bridge.ical.timing import Zones

_DAY = dt.timedelta(days=1)


class Places:
    """Writes date properties, and remembers which zones they need a definition of."""

    def __init__(self, zones: Zones, eol: str) -> None:
        self.zones = zones
        self.eol = eol
        self.needed: set[str] = set()

    def tzid(self, zone: str, old: Line | None = None) -> str:
        """A TZID for a zone: the line's own if it means that zone, one that the object defines, or its IANA name."""
        if old and (own := old.param("TZID")) and self.zones.name(own) == zone:
            return own
        for defined in self.zones.components:
            if self.zones.name(defined) == zone:
                return defined
        self.needed.add(zone)
        return zone

    def line(self, name: str, place: Place, old: Line | None = None) -> Line:
        """A date property; parameters that ``old`` has besides VALUE and TZID stay."""
        value, zone = place
        text = values.write_moment(value, utc=zone == "UTC")
        params: list[tuple[str, str]] = []
        if not isinstance(value, dt.datetime):
            params = [("VALUE", "DATE")]
        elif zone not in (None, "UTC"):
            params = [("TZID", self.tzid(zone, old))]
        if old:
            return lines.rewrite(old, text, drop=("VALUE", "TZID"), params=params, eol=self.eol)
        return lines.write(name, text, params, eol=self.eol)

    def original(self, key: str, master: When) -> Place:
        """Where an instance key stands in its series, in the form of the series' DTSTART (RFC 5545 §3.8.4.4, §3.8.5.1).

        In UTC where the series' zone cannot say it: the second of a repeated hour.
        """
        moment = values.moment(key)
        if moment is None or not timing.conforms(key, master):
            raise ValueError(f"no instance of this series can be called {key}")
        if master.zone is None or not isinstance(moment.value, dt.datetime):
            return moment.value, None
        instant = moment.value.replace(tzinfo=dt.UTC)
        wall = times.wall(instant, master.zone)
        if times.instant(wall, master.zone, floating=dt.UTC) != instant:
            return moment.value, "UTC"
        return wall, master.zone

    def distance(self, key: str, master: When) -> dt.timedelta:
        """How far an instance is from its series' start, by the clock."""
        there = values.midnight(self.original(onward.anchor(key), master)[0])
        return there - values.midnight(master.start)

    def write(self, draft: Draft, when: When) -> None:
        """Rewrite DTSTART, DTEND and DURATION, those of them that do not say ``when`` already.

        A DURATION stays one where it can say the end (X-07); an end that goes without saying is not written (X-06, X-08).
        """
        start = draft.first("DTSTART")
        place = (when.start, when.zone)
        if start is None:
            draft.insert(self.line("DTSTART", place))
        elif self.zones.place(start, start.value) != place:
            draft.replace(start, self.line("DTSTART", place, start))
        end, duration = draft.first("DTEND"), draft.first("DURATION")
        if end is None and duration and (length := _length(when, duration)):
            if length != duration.value:
                draft.set("DURATION", length)
            return
        draft.drop("DURATION")
        if when == timing.default(when.start, when.zone) and (end is None or isinstance(when.start, dt.datetime)):
            draft.drop("DTEND")
            return
        place = (when.end, when.end_zone or when.zone)
        if end is None:
            draft.insert(self.line("DTEND", place), after=("DTSTART",))
        elif self.zones.place(end, end.value) != place:
            draft.replace(end, self.line("DTEND", place, end))


def _length(when: When, old: Line) -> str | None:
    """A DURATION from start to end; the old one if it says it; None if none can: an end in another zone."""

    def says(text: str) -> bool:
        length = values.duration(text)
        return length is not None and timing.lasting(when.start, when.zone, length) == when

    if says(old.value):
        return old.value
    if not isinstance(when.start, dt.datetime) or not isinstance(when.end, dt.datetime):
        return values.write_duration(when.end.toordinal() - when.start.toordinal(), dt.timedelta())
    clock = when.end - when.start
    ends = times.instant(when.end, when.end_zone or when.zone, floating=dt.UTC)
    exact = ends - times.instant(when.start, when.zone, floating=dt.UTC)
    if clock < dt.timedelta():
        return None
    forms = (values.write_duration(clock.days, clock % _DAY), values.write_duration(0, exact))
    return next((form for form in forms if says(form)), None)
