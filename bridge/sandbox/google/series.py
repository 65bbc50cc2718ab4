"""Masters, their instances and exceptions on one calendar."""

from __future__ import annotations

from bridge.sandbox.google import recurrence
from bridge.sandbox.google.errors import not_found
from bridge.sandbox.google.state import Calendar, Event, State
from bridge.sandbox.google.view import Instance


def find(calendar: Calendar, id: str) -> Event | Instance:
    """The event, exception or regular instance of that id; 404 if there is none (G-94)."""
    if id in calendar.events:
        return calendar.events[id]
    master_id, _, tail = id.rpartition("_")
    master = calendar.events.get(master_id)
    if master is None or not master.recurring or master.cancelled:
        raise not_found()
    original = recurrence.from_suffix(tail, master.start)
    if original is None or not recurrence.occurs(master.lines, master.start, original):
        raise not_found()
    return Instance(master, original)


def materialize(state: State, calendar: Calendar, instance: Instance) -> Event:
    """Make the exception that stands for a regular instance from now on; the caller changes and touches it."""
    master = instance.master
    exception = state.new_event(
        calendar,
        instance.body(),
        id=instance.id,
        ical_uid=master.ical_uid,
        creator=master.creator,
        organizer=master.organizer,
        master_id=master.id,
        original=instance.original,
    )
    exception.created = master.created
    exception.sequence = master.sequence
    exception.reminders = dict(master.reminders)
    return exception


def prune(state: State, calendar: Calendar, master: Event) -> None:
    """Drop the exceptions that an edit of the master's time or rule leaves behind (G-66)."""
    for exception in calendar.exceptions_of(master.id):
        stale = (
            not master.recurring
            or exception.original is None
            or not recurrence.occurs(master.lines, master.start, exception.original)
        )
        if stale or state.switches.dropped_exceptions == "all":
            state.forget(calendar, exception)


def cancel(state: State, calendar: Calendar, event: Event) -> None:
    """Make a tombstone of an event, or a cancelled instance of an exception (G-61); a master takes its exceptions along."""
    for each in (event, *(calendar.exceptions_of(event.id) if event.recurring else ())):
        each.body = each.body | {"status": "cancelled"}
        state.touch(calendar, each)
