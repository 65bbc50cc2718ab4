"""Every object of ``tests/data`` on its way to Google and to Outlook: no byte changes here, and nobody is shown other times."""

import datetime as dt

import pytest

from bridge.ical import objects as calendar_objects
from bridge.ical import recurrence, times
from bridge.services import fidelity
from bridge.store import links, objects
from bridge.sync import parts
from tests.support import bridged
from tests.support.corpus import ACCEPTED

FROM = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
TO = dt.datetime(2028, 1, 1, 12, tzinfo=dt.UTC)
ZONE = times.zone_info("Europe/Vienna")
MANY = 10
"""Occurrences of one series in parts: of more the others are cut, which is told like anywhere else."""

PAGE = 2500
"""No service shows more instances of a series on one page."""

CALLED_OFF = {"status-cancelled"}
"""An event that is called off as a whole stays there, and its time is free (X-18)."""


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, bridged.running() as sandbox:
        patch.setattr(parts, "MANY", MANY)
        with bridged.opened(sandbox, tmp_path_factory.mktemp("corpus")) as opened:
            with opened.context.database.write() as conn:
                for name, data in ACCEPTED.items():
                    objects.put(
                        conn, opened.phone.calendar, f"{name}.ics", data, actor="device:1", now=opened.context.now()
                    )
            opened.rest()
            yield opened


def test_every_byte_stays(story):
    with story.context.database.read() as conn:
        stored = {each.href.removesuffix(".ics"): each.data for each in objects.every(conn, story.phone.calendar)}
    assert stored == ACCEPTED


def test_nobody_is_mailed(story):
    assert story.mails() == []


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_everybody_is_shown_the_same_times_or_the_report_says_why_not(story, provider):
    side = {"google": story.google, "microsoft": story.graph}[provider]
    told = {row.uid: row for row in fidelity.report(story.context, story.pairs[provider]).rows}
    wrong, equal = {}, 0
    for name, data in ACCEPTED.items():
        calendar_object = calendar_objects.parse(data)
        row = told.get(calendar_object.uid)
        if (
            calendar_object.component != "VEVENT"
            or name in CALLED_OFF
            or (row and (row.how == "not there" or row.since))
        ):
            continue
        meant, there = _here(calendar_object), _there(story, provider, side, calendar_object.uid)
        if set(sorted(meant)[:PAGE]) == there:
            equal += 1
        else:
            wrong[name] = {"missing": sorted(meant - there), "too much": sorted(there - meant)}
    assert wrong == {}
    assert equal > 600


def _here(calendar_object):
    found = recurrence.instances(parts.read(calendar_object.to_bytes()).fields, FROM, TO, floating=ZONE)
    return {start for each in found if _compared(start := _start(each.when))}


def _compared(start):
    """Not those on the first and the last day, which are of another year in another zone."""
    return f"{FROM:%Y%m%d}" < start.replace("-", "")[:8] < f"{TO:%Y%m%d}"


def _start(when):
    return (
        when.start.isoformat()
        if when.all_day
        else f"{times.instant(when.start, when.zone, floating=ZONE):%Y%m%dT%H%M%SZ}"
    )


def _there(story, provider, side, uid):
    with story.context.database.read() as conn:
        names = links.parts(conn, story.pairs[provider], [uid]).get(uid, [])
        found = links.by_uid(conn, story.pairs[provider], [uid, *names]).values()
    return {
        start
        for link in found
        if link.remote_id
        for start, _ in side.occurrences(link.remote_id, FROM, TO)
        if _compared(start)
    }
