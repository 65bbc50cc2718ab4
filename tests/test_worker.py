"""The process that syncs: it claims what is due, a few at a time, and ends in order."""

import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from bridge.sandbox.server import Sandbox
from bridge.services import pushes, syncing
from bridge.store import pairs
from bridge.sync import engine
from bridge.worker import Worker
from tests.support import house as houses
from tests.support.hub import wait_for


@pytest.fixture
def house(tmp_path, _migrated_file, monkeypatch):
    """At a clock that runs: the scheduler does, too."""
    for name in [name for name in os.environ if name.startswith("CALDAV_BRIDGE_")]:
        monkeypatch.delenv(name)
    shutil.copy(_migrated_file, tmp_path / "bridge.db")
    settings = "[sync]\ntick_seconds = 0.05\nconcurrency = 2\n"
    with Sandbox() as sandbox, houses.opened(sandbox, tmp_path, settings) as opened:
        yield opened


@pytest.fixture
def running():
    """``running(worker, during)``: run it here, where signals come, and ``during()`` beside it; then it is stopped."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def run(worker, during):
        problems = []

        def beside():
            try:
                during()
            except Exception as problem:  # noqa: BLE001 - raised again where it is seen
                problems.append(problem)
            finally:
                worker.stop()

        thread = threading.Thread(target=beside)
        thread.start()
        worker.run()
        thread.join()
        if problems:
            raise problems[0]

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


def every(house):
    return house.read(pairs.every)


def test_what_is_due_is_synced_and_what_comes_due_is_too(house, running):
    house.sandbox.google.seed(houses.EMAIL, 5)
    house.connect("google")
    house.connect("microsoft")

    def look():
        wait_for(lambda: all(pair.last_success_at and not pair.lease_owner for pair in every(house)))
        wait_for(lambda: len(house.sandbox.microsoft.box(houses.EMAIL).events) == 5)
        house.add("google", "Later")
        with house.context.database.write() as conn:
            pairs.wake(conn, 1, now=house.context.now())
        wait_for(lambda: len(house.sandbox.microsoft.box(houses.EMAIL).events) == 6)

    running(Worker(house.context), look)


def test_no_more_pairs_at_once_than_it_may(house, running, monkeypatch):
    house.connect()
    house.more_pairs("google", 5)
    at_work, most, done = set(), [], []
    cycle = engine.cycle

    def slow(ledger, *args, **kwargs):
        at_work.add(ledger.pair_id)
        most.append(len(at_work))
        leased = sum(1 for pair in every(house) if pair.lease_owner)
        most.append(leased)
        cycle(ledger, *args, **kwargs)
        time.sleep(0.1)
        at_work.discard(ledger.pair_id)
        done.append(ledger.pair_id)

    monkeypatch.setattr(engine, "cycle", slow)
    running(Worker(house.context), lambda: wait_for(lambda: set(done) == {pair.id for pair in every(house)}))
    assert max(most) == 2, "what it cannot sync yet stays free for others"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_behind_the_running_cycle(house, running, monkeypatch, number):
    pair_id = house.connect().pair_id
    began, ended = threading.Event(), []
    cycle = engine.cycle

    def slow(*args, **kwargs):
        began.set()
        cycle(*args, **kwargs)
        time.sleep(0.5)
        ended.append(pair_id)

    monkeypatch.setattr(engine, "cycle", slow)

    def interrupt():
        assert began.wait(20)
        os.kill(os.getpid(), number)
        time.sleep(0.1)

    running(Worker(house.context), interrupt)
    assert ended == [pair_id]
    left = house.pair(pair_id)
    assert (left.lease_owner, left.failures) == (None, 0)
    assert left.last_success_at is not None


def test_what_was_claimed_is_done_and_nothing_claimed_once_it_is_to_end(house, running):
    """Nobody has to wait for the end of a lease that is in nobody's hands."""
    first = house.connect("google").pair_id
    worker = Worker(house.context)
    worker._tick()
    second = house.connect("microsoft").pair_id
    worker.stop()
    running(worker, lambda: None)
    assert house.pair(first).last_success_at is not None
    assert [pair.lease_owner for pair in every(house)] == [None, None]
    assert house.pair(second).last_attempt_at is None


def test_a_defect_at_one_pairs_channel_leaves_the_others_theirs(house, running, monkeypatch):
    first, second = house.connect("google").pair_id, house.connect("microsoft").pair_id
    asked = []

    def broken(context, pair_id):
        asked.append(pair_id)
        raise ZeroDivisionError

    monkeypatch.setattr(pushes, "ensure", broken)
    worker = Worker(house.context)
    worker._keep_channels()
    assert asked == [first, second]


def test_g87_where_no_channel_is_to_be_had_it_is_asked_for_less_and_less(house):
    house.connect("google")
    house.sandbox.faults.inject(path=r"/watch\b", status=400, times=1000)
    worker, asked = Worker(house.context), []
    for half_minute in range(60):
        worker._keep_channels()
        ((_, left),) = house.sandbox.faults.waiting()
        if 1000 - left > len(asked):
            asked.append(half_minute)
        house.sandbox.clock.advance(dt.timedelta(seconds=30))
    assert asked == [0, 1, 3, 7, 15, 31]


def test_a_defect_in_one_cycle_leaves_the_worker_at_work(house, running, monkeypatch):
    first, second = house.connect("google").pair_id, house.connect("microsoft").pair_id
    cycle = engine.cycle

    def broken_at_one(ledger, *args, **kwargs):
        if ledger.pair_id == first:
            raise ZeroDivisionError
        cycle(ledger, *args, **kwargs)

    monkeypatch.setattr(engine, "cycle", broken_at_one)

    def look():
        wait_for(lambda: house.pair(first).failures == 1)
        wait_for(lambda: house.pair(second).last_success_at is not None)

    running(Worker(house.context), look)


def test_two_workers_never_sync_the_same_pair_at_once(house):
    house.connect()
    house.more_pairs("google", 9)
    claimed = []

    def claim(owner):
        while got := syncing.claim_due(house.context, owner=owner, limit=1):
            claimed.extend(got)

    threads = [threading.Thread(target=claim, args=[f"worker {number}"]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == [pair.id for pair in every(house)]


def slowly(monkeypatch, slow, at_work):
    """Cycles of the pairs in ``slow`` end when they are let go; ``at_work`` notes who has begun."""
    cycle, let_go = engine.cycle, threading.Event()

    def noted(ledger, *args, **kwargs):
        at_work.append(ledger.pair_id)
        if ledger.pair_id in slow:
            assert let_go.wait(20)
        cycle(ledger, *args, **kwargs)

    monkeypatch.setattr(engine, "cycle", noted)
    return let_go


def test_r33_interactive_edits_go_ahead_of_a_back_fill(house, running, monkeypatch):
    """Two places, five first syncs that take long: an edit in a pair that is kept is at the service meanwhile."""
    kept = house.connect("google").pair_id
    assert house.cycle(kept).error is None
    first = house.more_pairs("google", 5)
    at_work = []
    let_go = slowly(monkeypatch, set(first), at_work)

    def look():
        wait_for(lambda: set(at_work) & set(first))
        house.add("google", "Now")
        with house.context.database.write() as conn:
            pairs.wake(conn, kept, now=house.context.now())
        wait_for(lambda: [one.uid for one in house.objects()])
        assert len(set(at_work) & set(first)) == 1, "the last place is not theirs"
        let_go.set()
        wait_for(lambda: all(house.pair(pair).last_success_at for pair in first))

    running(Worker(house.context), look)


def test_r33_nor_is_a_first_sync_held_up_by_edits(house, monkeypatch):
    """Every place could be taken by pairs that are kept; the first free one is for the one that is filled."""
    kept = [house.connect("google").pair_id, *house.more_pairs("google", 3)]
    for pair in kept:
        assert house.cycle(pair).error is None
    (first,) = house.more_pairs("google", 1)
    with house.context.database.write() as conn:
        for pair in kept:
            pairs.wake(conn, pair, now=house.context.now())
    at_work = []
    let_go = slowly(monkeypatch, {first, *kept}, at_work)
    worker = Worker(house.context)
    try:
        worker._tick()
        wait_for(lambda: len(at_work) == 2)
        assert first in at_work
        assert len(set(at_work) & set(kept)) == 1
    finally:
        let_go.set()
        worker._cycles.shutdown(wait=True)


def test_r33_with_one_place_edits_go_first(house, monkeypatch):
    kept = house.connect("google").pair_id
    assert house.cycle(kept).error is None
    house.more_pairs("google", 2)
    with house.context.database.write() as conn:
        pairs.wake(conn, kept, now=house.context.now())
    at_work = []
    let_go = slowly(monkeypatch, {kept}, at_work)
    worker = Worker(house.context)
    worker._slots = 1
    try:
        worker._tick()
        wait_for(lambda: at_work)
        worker._tick()
        assert at_work == [kept]
    finally:
        let_go.set()
        worker._cycles.shutdown(wait=True)


def test_m77_r33_a_flood_of_pairs_of_one_mailbox_is_never_more_than_four_requests_at_once(house, running, monkeypatch):
    """Two workers with places for all; five pairs with series to look up, which is done by batches."""
    made = [house.connect("microsoft").pair_id, *house.more_pairs("microsoft", 4)]
    house.sandbox.microsoft.seed(houses.EMAIL, 40)
    house.sandbox.microsoft.meter.reset()
    house.sandbox.faults.inject(path=r"^/microsoft/v1\.0/", delay=0.01, times=10_000)
    at_work, most = set(), [0]
    cycle = engine.cycle

    def noted(ledger, *args, **kwargs):
        at_work.add(ledger.pair_id)
        most[0] = max(most[0], len(at_work))
        try:
            cycle(ledger, *args, **kwargs)
        finally:
            at_work.discard(ledger.pair_id)

    monkeypatch.setattr(engine, "cycle", noted)
    other = Worker(house.context)
    ticking = threading.Event()

    def tick():
        while not ticking.wait(0.05):
            other._tick()

    beside = threading.Thread(target=tick)
    beside.start()

    def look():
        wait_for(lambda: all(house.pair(pair).last_success_at and not house.pair(pair).lease_owner for pair in made))

    try:
        running(Worker(house.context), look)
    finally:
        ticking.set()
        beside.join()
        other._cycles.shutdown(wait=True)
    meter = house.sandbox.microsoft.meter
    assert most[0] == syncing.CYCLES["microsoft"]
    assert 2 <= meter.most_at_once <= 4
    assert [one for one in meter.refusals if one.status == 429] == []


def test_the_process_ends_with_its_standard_input(house):
    """So it does not outlive the server that keeps it, however that dies."""
    log = house.context.settings.data / "worker.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "bridge.server",
                "--data",
                str(house.context.settings.data),
                "worker",
                "--until-eof",
            ],
            stdin=subprocess.PIPE,
            stderr=out,
        )
    try:
        wait_for(lambda: b"worker ready" in log.read_bytes())
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
