"""Every event of ``tests/data`` as each service would be shown it: faithfully, or not at all and with a reason (R-29, R32)."""

import pytest

from bridge.errors import Unmappable
from bridge.ical import objects, view
from bridge.providers.caldav.mapping import CaldavLens
from bridge.providers.google.mapping import GoogleLens
from bridge.providers.graph.mapping import GraphLens
from bridge.providers.ics.mapping import IcsLens
from tests.support.corpus import ACCEPTED

LENSES = [GoogleLens("Europe/Vienna"), GraphLens("Europe/Vienna"), CaldavLens(), IcsLens()]


def events():
    for name, data in ACCEPTED.items():
        try:
            yield name, view.read(objects.parse(data))
        except Unmappable:
            continue


EVENTS = dict(events())


@pytest.mark.parametrize("lens", LENSES, ids=lambda lens: type(lens).__name__)
def test_r32_an_odd_event_is_seen_in_normal_form_or_declined_with_a_reason(lens):
    wrong, seen = {}, 0
    for name, fields in EVENTS.items():
        try:
            shown = lens.view(fields)
            if lens.view(shown) != shown:
                wrong[name] = "seen twice it is another"
            seen += 1
        except Unmappable as declined:
            if not str(declined):
                wrong[name] = "no reason"
        except OverflowError:  # told as times that no calendar can show
            if "9999" not in name and "year-1" not in name:
                wrong[name] = "a date out of range"
    assert not wrong
    assert seen > len(EVENTS) / 2
