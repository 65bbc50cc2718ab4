"""Channels: found by the id in the call; a pair wants a fresh one from half its life on (R30)."""

import datetime as dt

import pytest

from bridge.store import calendars, channels, pairs
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


def test_r30_a_pair_wants_a_channel_from_half_its_life_on(database, pair, t0):
    def wanting(now):
        with database.read() as conn:
            return pairs.without_fresh_channel(conn, now)

    tick = dt.timedelta(microseconds=1)
    assert wanting(t0) == [pair]
    with database.write() as conn:
        channels.add(conn, pair, Channel("days", "r", t0 + 4 * DAY), secret="s", now=t0)
    assert wanting(t0) == []
    assert wanting(t0 + 2 * DAY - tick) == []
    assert wanting(t0 + 2 * DAY) == [pair]
    with database.write() as conn:  # a new one stands before the old one is stopped
        channels.add(conn, pair, Channel("week", "r", t0 + 9 * DAY), secret="s", now=t0 + 2 * DAY)
    assert wanting(t0 + 3 * DAY) == []
    with database.write() as conn:  # renewed under its id: Graph (M-72)
        channels.add(conn, pair, Channel("days", "r", t0 + 12 * DAY), secret="s", now=t0 + 6 * DAY)
        assert [one.channel.id for one in channels.of_pair(conn, pair)] == ["days", "week"]
    assert wanting(t0 + 6 * DAY) == []


def test_channels_go_by_themselves_and_with_their_pair(database, calendar, pair, t0):
    with database.write() as conn:
        for name in ("one", "two"):
            channels.add(conn, pair, Channel(name, "r", t0 + DAY), secret="s", now=t0)
        channels.remove(conn, "one")
        channels.remove(conn, "one")
        assert [one.channel.id for one in channels.of_pair(conn, pair)] == ["two"]
        calendars.delete(conn, calendar, now=t0)
        assert channels.get(conn, "two") is None
