"""Notifications: they come to the address, they carry the secret, they stop (G-80…G-86, M-69…M-75)."""

import datetime as dt

import pytest

from bridge.sync.ports import SupportsPush
from tests.contracts.bench import Typed, wall

START = wall("2026-03-02 12:00")
EVENT = Typed("Dentist", START, START + dt.timedelta(hours=1))
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def bench(pushing):
    """Only where there are notifications."""
    return pushing


@pytest.fixture
def real_now():
    # services count a channel's life by their own clock
    return dt.datetime.now(dt.UTC)


def test_the_remote_can_be_watched(bench):
    assert isinstance(bench.remote, SupportsPush)


def test_a_change_is_told_to_the_address_with_the_secret(bench, receiver, real_now):
    channel = bench.remote.watch(channel_id="first-channel", address=receiver.address, secret=SECRET, now=real_now)
    assert real_now < channel.expires
    bench.add(EVENT)
    told = receiver.wait_for(channel.id)
    assert told == SECRET


def test_after_a_renewal_it_goes_on_and_the_old_one_can_go(bench, receiver, real_now):
    old = bench.remote.watch(channel_id="first-channel", address=receiver.address, secret=SECRET, now=real_now)
    new = bench.remote.renew(old, address=receiver.address, secret=SECRET, channel_id="second-channel", now=real_now)
    assert new.expires > real_now
    if new.id != old.id:  # G-85: both are open until the new one is known
        bench.remote.unwatch(old)
    receiver.forget()
    bench.add(EVENT)
    assert receiver.wait_for(new.id) == SECRET
    assert new.id == old.id or old.id not in receiver.seen()


def test_a_stopped_channel_is_silent(bench, receiver, real_now):
    stopped = bench.remote.watch(channel_id="first-channel", address=receiver.address, secret=SECRET, now=real_now)
    kept = bench.remote.watch(channel_id="second-channel", address=receiver.address, secret=SECRET, now=real_now)
    bench.remote.unwatch(stopped)
    receiver.forget()
    bench.add(EVENT)
    receiver.wait_for(kept.id)
    assert stopped.id not in receiver.seen()


def test_stopping_twice_is_no_error(bench, receiver, real_now):
    channel = bench.remote.watch(channel_id="first-channel", address=receiver.address, secret=SECRET, now=real_now)
    bench.remote.unwatch(channel)
    bench.remote.unwatch(channel)
