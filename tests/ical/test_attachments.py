"""ATTACH lines of attachments that the server keeps: only they and the stamps change."""

import datetime as dt
from dataclasses import replace

import pytest

from bridge.ical import attachments, objects
from bridge.ical.attachments import Attachment
from tests.support.corpus import ACCEPTED

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
PLAN = Attachment("id1", "https://cal.example.org/alice/.attachments/id1", "Plan; 'A', Ü.pdf", "application/pdf", 5)
STAMPS = ("DTSTAMP", "LAST-MODIFIED")
SIMPLE = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:20260101T000000Z\r\n"
    b"DTSTART:20260310T090000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def _without_stamps(data):
    parts = objects.parse(data).calendar.components()
    return [[raw for raw in part.raws() if not raw.upper().startswith(STAMPS)] for part in parts]


@pytest.mark.parametrize("data", ACCEPTED.values(), ids=ACCEPTED)
def test_added_and_removed_leaves_every_other_line(data):
    before = attachments.managed_ids(data)
    added = attachments.add(data, PLAN, now=NOW)
    assert attachments.managed_ids(added) == before | {"id1"}
    assert attachments.most(added) == attachments.most(data) + 1
    removed = attachments.remove(added, "id1", now=NOW)
    assert _without_stamps(removed) == _without_stamps(data)
    assert attachments.remove(data, "id1", now=NOW) == data


def test_one_is_put_in_the_place_of_another():
    data = attachments.add(SIMPLE, PLAN, now=NOW)
    new = replace(PLAN, managed_id="id2", name="b.pdf")
    assert attachments.managed_ids(attachments.update(data, "id1", new, now=NOW)) == {"id2"}
    assert attachments.update(data, "id3", new, now=NOW) == data


def test_its_name_comes_back():
    (line,) = objects.parse(attachments.add(SIMPLE, PLAN, now=NOW)).master.every("ATTACH")
    assert (line.param("FILENAME"), line.param("SIZE"), line.value) == (PLAN.name, "5", PLAN.url)


def test_a_reference_is_found_wherever_the_line_is_folded():
    line = b"ATTACH;FILENAME=x;MANA\r\n GED-ID=id1:https://cal.example.org/x\r\n"
    assert attachments.managed_ids(SIMPLE.replace(b"END:VEVENT", line + b"END:VEVENT")) == {"id1"}


@pytest.mark.parametrize("data", [b"", b"BEGIN:VCALENDAR\r\nATTACH:x\r\n", b"ATTACH;MANAGED-ID=x:y"])
def test_what_cannot_be_read_refers_to_nothing(data):
    assert attachments.managed_ids(data) == frozenset()
