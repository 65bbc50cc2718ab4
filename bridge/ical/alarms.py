"""Alarms (RFC 5545 §3.6.6): the plain ones as reminders; every other stays in the text and in no view (X-53, X-57)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from bridge.ical import lines, values
from bridge.ical.fields import Reminder
from bridge.ical.objects import Component

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
