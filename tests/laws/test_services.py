"""The laws where they count: texts of other programs in the hub, real cycles, and each service over HTTP (DESIGN §1).

Many objects live one life: put into the hub at once, mirrored, left alone, then edited one field at a time at the service as
its owner would, and what each edit has done to the hub's text is compared line by line. The same objects are drawn each time:
nothing is shrunk here, and the same kind of them goes through ``test_text.py`` and ``test_lenses.py``, other ones each time.
"""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bridge.services import connecting
from bridge.store import links, objects, pairs
from bridge.sync import parts
from tests.laws import hands, texts
from tests.laws.dates import NOW
from tests.laws.dav_hands import Caldav
from tests.laws.lines import assert_only, differing, places
from tests.support import bridged
from tests.support.caldav_server import PASSWORD, USER, xandikos
from tests.support.corpus import ACCEPTED

DRAWN, TAKEN = 60, 12
"""So many objects are drawn; and every twelfth of ``tests/data`` comes with them."""


def drawn(many):
    found = {}

    @settings(
        max_examples=many,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    @given(st.data())
    def draw(data):
        uid = (
            f"drawn-{len(found)}{data.draw(st.sampled_from(['', '@example.org', '-ü{;}']))}"  # two would be one object
        )
        found[uid] = data.draw(texts.calendar_objects(uid))

    draw()
    assert len(found) == many
    return found


@dataclass
class Life:
    """``before`` is what was put into the hub."""

    story: object
    hands: object
    before: dict

    @property
    def pair(self):
        return self.story.pairs[self.hands.provider]

    def stored(self):
        with self.story.context.database.read() as conn:
            return {each.uid: each.data for each in objects.every(conn, self.story.phone.calendar)}

    def ids(self):
        """By UID, of those that are there as a whole and without a trouble."""
        with self.story.context.database.read() as conn:
            found = links.by_uid(conn, self.pair, [*self.before])
        return {uid: link.remote_id for uid, link in found.items() if link.remote_id and not link.quarantine}


@contextmanager
def google(sandbox, folder):
    with bridged.opened(sandbox, folder, connect=("google",), now=NOW) as story:
        yield story, hands.Google(story)


@contextmanager
def graph(sandbox, folder):
    with bridged.opened(sandbox, folder, connect=("microsoft",), now=NOW) as story:
        yield story, hands.Graph(story)


@contextmanager
def caldav(sandbox, folder):
    """Xandikos, which keeps the texts that it is given."""
    with ExitStack() as stack:
        story = stack.enter_context(bridged.opened(sandbox, folder, connect=(), now=NOW))
        server = stack.enter_context(xandikos(folder))
        path = server.make_calendar("home")
        client = stack.enter_context(server.hands())
        made = connecting.connect_directly(
            story.context, "alex", "caldav", url=server.url, username=USER, password=PASSWORD
        )
        story.pairs["caldav"] = made.pair_id
        story.cycle("caldav")
        yield story, Caldav(client, path)


@pytest.fixture(scope="module")
def sandbox():
    with bridged.running() as running:
        yield running


@contextmanager
def lived(connected, sandbox, folder):
    with connected(sandbox, folder) as (story, its_hands):
        before = {uid: each.data for uid, each in drawn(DRAWN).items()}
        before |= {f"corpus-{name}": data for name, data in [*ACCEPTED.items()][::TAKEN]}
        with story.context.database.write() as conn:
            kept = {}
            for number, data in enumerate(before.values()):
                put = objects.put(
                    conn, story.phone.calendar, f"{number}.ics", data, actor="device:1", now=story.context.now()
                )
                kept[put.uid] = data
        life = Life(story, its_hands, kept)
        if story.cycle(
            its_hands.provider
        ).parked:  # so many guests would be invited at once: that is for their host to say (R1)
            with story.context.database.write() as conn:
                pairs.approve(conn, life.pair, now=story.context.now())
        story.rest()
        assert not any(each.parked for each in story.outcomes[-3:])
        yield life


@pytest.fixture(scope="module", params=[google, graph, caldav], ids=lambda each: each.__name__)
def life(request, sandbox, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "MANY", 25)  # what is shown in parts is another story: here a few of each will do
        with lived(request.param, sandbox, tmp_path_factory.mktemp(request.param.__name__)) as living:
            yield living


def test_there_and_back_without_an_edit_no_byte_changes_and_nothing_more_is_written(life):
    """``rest`` has seen to that: three idle rounds behind the first ones wrote nothing."""
    assert life.stored() == life.before
    assert len(life.ids()) > DRAWN / 2


def test_one_field_edited_there_changes_that_property_alone_here(life):
    wrong, made = {}, 0
    names = cycle(life.hands.fields)
    for round in range(4):
        before, edited = life.stored(), {}
        for uid, id in life.ids().items():
            if (done := edit(life, uid, id, before[uid], next(names), occurrence=round % 2 == 1)) is not None:
                edited[uid] = done
        life.story.rest()
        assert not life.story.outcomes[-1].parked
        after = life.stored()
        assert after.keys() == before.keys()
        assert {uid for uid in before if before[uid] != after[uid]} <= edited.keys()
        for uid, (field, where) in edited.items():
            made += 1
            try:
                assert differing(before[uid], after[uid])
                assert_only(before[uid], after[uid], field, where=where)
            except AssertionError as error:
                wrong[uid] = (field, where, str(error), before[uid], after[uid])
    for uid, each in wrong.items():
        print("-----", uid, *each[:3])
        print(each[3].decode(errors="replace"), each[4].decode(errors="replace"))
    assert not wrong
    assert made > 2 * DRAWN


def edit(life, uid, id, data, field, *, occurrence):
    """One edit at the service; (field, where) for ``assert_only``, None if there is nothing so to edit."""
    shown = life.hands.event(id)
    series = "recurrence" in shown and shown["recurrence"]
    if occurrence:
        if not series or field in (*life.hands.of_the_series, "recurrence"):
            return None
        there = life.hands.occurrences(id)
        if len(there) < 3:
            return None
        if field == "url":
            life.hands.cancel(there[2])
            return "cancelled", None
        return life.hands.edit(there[2], field) or field, None
    if field == "recurrence" and not series:
        return None
    if series and field in ("when", "recurrence") and (len(places(data)) > 1 or b"EXDATE" in data.upper()):
        return None
    if field in life.hands.of_the_series and len(places(data)) > 1:
        return None  # the strictest of its events may say it still (G-65)
    return life.hands.edit(id, field) or field, ""
