"""Alarms (RFC 5545 §3.6.6): the plain ones as reminders; every other stays in the text and in no view (X-53, X-57).

Those of a to-do are told by the moment at which they ring, for that is all that services know of them (X-70).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from bridge.ical import lines, times, values
from bridge.ical.fields import Place, Reminder, Span
from bridge.ical.objects import Component
from bridge.ical.timing import Zones

_METHODS = {"DISPLAY": "DISPLAY", "AUDIO": "DISPLAY", "EMAIL": "EMAIL"}  # X-50 … X-52
_MINUTE = dt.timedelta(minutes=1)


def reminder(alarm: Component) -> Reminder | None:
    """The reminder that a VALARM is; None if it is triggered after the start, by the end, or at an absolute time."""
    action, trigger = alarm.first("ACTION"), alarm.first("TRIGGER")
    method = _METHODS.get(action.value.strip().upper()) if action else None
    if method is None or trigger is None or trigger.param("RELATED").upper() not in ("", "START"):
        return None
    length = values.duration(trigger.value)
    if length is None or length.total > dt.timedelta():
        return None
    minutes = -(length.total // _MINUTE)  # up to whole minutes
    return Reminder(minutes, "EMAIL" if method == "EMAIL" else "DISPLAY")


def reminders(component: Component) -> tuple[Reminder, ...]:
    return tuple(sorted({found for alarm in component.components("VALARM") if (found := reminder(alarm))}))


def ring(alarm: Component, when: Span, zones: Zones) -> Place | None:
    """When the VALARM of a to-do rings first; None where that cannot be told.

    Relative to the start, or by RELATED=END to the time it is due; where it has only one of the two, to that one, as many
    clients write it.
    """
    action, trigger = alarm.first("ACTION"), alarm.first("TRIGGER")
    if action is None or action.value.strip().upper() not in _METHODS or trigger is None:
        return None
    if (length := values.duration(trigger.value)) is None:
        found = zones.place(trigger, trigger.value)
        return found if found is not None and isinstance(found[0], dt.datetime) else None
    by_end = trigger.param("RELATED").upper() == "END"
    base = (when.due or when.start) if by_end else (when.start or when.due)
    return None if base is None else _after(base, length)


def rings(component: Component, when: Span, zones: Zones) -> tuple[Place, ...]:
    found = {place for alarm in component.components("VALARM") if (place := ring(alarm, when, zones))}
    return in_order(found)


def in_order(places: Iterable[Place]) -> tuple[Place, ...]:
    """Without repeats, as they are written."""
    return tuple(sorted(set(places), key=lambda place: (place[0].isoformat(), place[1] or "")))


def _after(base: Place, length: values.Duration) -> Place:
    """Days are nominal, hours exact (RFC 5545 §3.3.6)."""
    value, zone = base
    nominal = values.shifted(values.midnight(value), dt.timedelta(days=length.days))
    if zone is None or not length.time:
        return values.shifted(nominal, length.time), zone
    moment = values.shifted(times.instant(nominal, zone, floating=dt.UTC), length.time)
    local = times.wall(moment, zone)
    if times.instant(local, zone, floating=dt.UTC) != moment:
        return moment.replace(tzinfo=None), "UTC"  # in the second of a repeated hour
    return local, zone


def compose_at(place: Place, summary: str, when: Span, *, eol: str) -> Component:
    """A VALARM that rings at a moment, which has to be written in UTC; a floating one by the to-do's own time."""
    value, zone = place
    moment = values.midnight(value)
    if zone is None and (base := when.due or when.start) is not None:
        before = values.midnight(base[0]) - moment
        sign = "-" if before > dt.timedelta() else ""
        trigger = lines.write(
            "TRIGGER", sign + values.write_duration(0, abs(before)), (("RELATED", "END"),) if when.due else (), eol=eol
        )
    else:
        at = times.instant(moment, zone, floating=dt.UTC).replace(tzinfo=None)
        trigger = lines.write("TRIGGER", values.write_moment(at, utc=True), (("VALUE", "DATE-TIME"),), eol=eol)
    content = (
        lines.write("ACTION", "DISPLAY", eol=eol),
        trigger,
        lines.write("DESCRIPTION", summary or "Reminder", eol=eol),
    )
    return Component("VALARM", lines.write("BEGIN", "VALARM", eol=eol), content, lines.write("END", "VALARM", eol=eol))


def compose(what: Reminder, summary: str, *, eol: str) -> Component:
    """A VALARM; ``summary`` (escaped) is shown. RFC 5545 wants a SUMMARY and an ATTENDEE in a mail.

    Whom the mail goes to is the provider's business: its alarms mail the owner of the calendar, so no ATTENDEE is made up.
    """

    def content() -> Iterator[lines.Line]:
        yield lines.write("ACTION", what.method, eol=eol)
        yield lines.write(
            "TRIGGER", f"-{values.write_duration(0, _MINUTE * what.minutes)}" if what.minutes else "PT0S", eol=eol
        )
        yield lines.write("DESCRIPTION", summary or "Reminder", eol=eol)
        if what.method == "EMAIL":
            yield lines.write("SUMMARY", summary or "Reminder", eol=eol)

    begin, end = lines.write("BEGIN", "VALARM", eol=eol), lines.write("END", "VALARM", eol=eol)
    return Component("VALARM", begin, tuple(content()), end)
