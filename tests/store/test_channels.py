"""Channels: found by the id in the call, renewed at half their life (R30)."""

import datetime as dt

import pytest

from bridge.store import calendars, channels
from bridge.store.channels import PairChannel
from bridge.sync.ports import Channel

DAY = dt.timedelta(days=1)


@pytest.fixture
def pair(calendar, make_pair):
    return make_pair(calendar)


def test_a_channel_is_found_by_its_id(database, pair, t0):
    channel = Channel("c1", "resource", t0 + 6 * DAY)
    with database.write() as conn:
        channels.add(conn, pair, channel, secret="s", now=t0)
    with database.read() as conn:
        assert channels.get(conn, "c1") == PairChannel(pair, channel, "s", t0)
        assert channels.get(conn, "made up") is None
        assert channels.of_pair(conn, pair) == [channels.get(conn, "c1")]
        assert channels.of_pair(conn, pair + 1) == []


def test_a_channel_is_due_from_half_its_life_on(database, pair, t0):
    with database.write() as conn:
        channels.add(conn, pair, Channel("week", "r", t0 + 6 * DAY), secret="s", now=t0)
        channels.add(conn, pair, Channel("days", "r", t0 + 4 * DAY), secret="s", now=t0)

    def due(now):
        with database.read() as conn:
            return [one.channel.id for one in channels.due(conn, now)]

    tick = dt.timedelta(microseconds=1)
    assert due(t0 + 2 * DAY - tick) == []
    assert due(t0 + 2 * DAY) == ["days"]
    assert due(t0 + 3 * DAY) == ["days", "week"]
    with database.write() as conn:  # renewed under its id: Graph (M-72)
        channels.add(conn, pair, Channel("days", "r", t0 + 9 * DAY), secret="s", now=t0 + 2 * DAY)
        assert [one.channel.id for one in channels.of_pair(conn, pair)] == ["days", "week"]
    assert due(t0 + 3 * DAY) == ["week"]


def test_channels_go_by_themselves_and_with_their_pair(database, calendar, pair, t0):
    with database.write() as conn:
        for name in ("one", "two"):
            channels.add(conn, pair, Channel(name, "r", t0 + DAY), secret="s", now=t0)
        channels.remove(conn, "one")
        channels.remove(conn, "one")
        assert [one.channel.id for one in channels.of_pair(conn, pair)] == ["two"]
        calendars.delete(conn, calendar)
        assert channels.get(conn, "two") is None
