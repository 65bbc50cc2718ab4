"""Writers that meet: no revision twice, none left out, no update lost. Threads with connections of their own."""

import threading

from bridge.errors import ObjectChanged
from bridge.store import calendars, changes, history, objects

WRITERS = 4
ROUNDS = 8


def _at_once(*works):
    """Run them at the same moment, each in a thread; raise what went wrong in the first that failed."""
    failures = []
    together = threading.Barrier(len(works), timeout=30)

    def run(work):
        try:
            together.wait()
            work()
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    if failures:
        raise failures[0]


def test_revisions_are_distinct_and_consecutive(database, calendar, event, t0):
    given = []

    def writer(name):
        def write():
            for number in range(ROUNDS):
                with database.write() as conn:
                    href = f"{name}-{number}"
                    stored = objects.put(conn, calendar, href, event(href), actor=f"device:{name}", now=t0)
                    given.append(stored.revision)

        return write

    _at_once(*(writer(name) for name in range(WRITERS)))
    assert sorted(given) == list(range(1, WRITERS * ROUNDS + 1))
    with database.read() as conn:
        assert calendars.by_id(conn, calendar).revision == WRITERS * ROUNDS
        assert [one.revision for one in changes.since(conn, calendar, 0)] == sorted(given)


def test_no_update_is_lost_with_an_expected_etag(database, calendar, event, t0):
    """Each adds one to a number in the summary; whoever was overtaken reads again, as a client does after 412 (R36)."""
    with database.write() as conn:
        objects.put(conn, calendar, "n", event("n", "0"), actor="cli", now=t0)

    def summary(stored):
        return int(stored.data.split(b"SUMMARY:")[1].split(b"\r\n")[0])

    def write():
        done = 0
        while done < ROUNDS:
            with database.read() as conn:
                seen = objects.get(conn, calendar, "n")
            try:
                with database.write() as conn:
                    new = event("n", str(summary(seen) + 1))
                    objects.put(conn, calendar, "n", new, actor="cli", now=t0, expected=seen.etag)
                done += 1
            except ObjectChanged:
                pass

    _at_once(*[write] * WRITERS)
    with database.read() as conn:
        assert summary(objects.get(conn, calendar, "n")) == WRITERS * ROUNDS
        assert len(history.of_object(conn, calendar, "n")) == WRITERS * ROUNDS + 1


def test_of_two_that_create_the_same_href_one_wins(database, calendar, event, t0):
    """If-None-Match: * at the same moment, and a UID that two hrefs want."""
    outcomes = []

    def creator(name):
        def create():
            for number in range(ROUNDS):
                try:
                    with database.write() as conn:
                        data = event(f"{number}", name)
                        objects.put(conn, calendar, f"{number}", data, actor=name, now=t0, expected=objects.ABSENT)
                    outcomes.append((number, "won"))
                except ObjectChanged:
                    outcomes.append((number, "lost"))

        return create

    _at_once(creator("one"), creator("two"))
    assert sorted(outcomes) == sorted((number, word) for number in range(ROUNDS) for word in ("won", "lost"))


def test_readers_never_see_half_a_transaction(database, calendar, event, t0):
    """What ``since`` lists and what the calendar says are of the same moment, while two objects change together."""
    finished = threading.Event()
    torn = []

    def write():
        try:
            for number in range(3 * ROUNDS):
                with database.write() as conn:
                    for href in ("a", "b"):
                        objects.put(conn, calendar, href, event(href, str(number)), actor="cli", now=t0)
        finally:
            finished.set()

    def read():
        while not finished.is_set():
            with database.read() as conn:
                revision = calendars.by_id(conn, calendar).revision
                found = [(one.href, one.revision) for one in changes.since(conn, calendar, 0)]
                if revision and found != [("a", revision), ("b", revision)]:
                    torn.append((revision, found))

    _at_once(write, read, read)
    assert torn == []


def test_two_writers_with_two_calendars_each_do_not_lock_each_other_out(database, alice, calendar, event, t0):
    with database.write() as conn:
        other = calendars.create(conn, alice.id, "other", properties={}, now=t0).id

    def writer(name):
        def write():
            for number in range(ROUNDS):
                with database.write() as conn:
                    for one in (calendar, other):  # by ascending id, as changes.lock says
                        objects.put(conn, one, name, event(name, str(number)), actor="cli", now=t0)

        return write

    _at_once(writer("one"), writer("two"))
    with database.read() as conn:
        assert [one.revision for one in calendars.of_principal(conn, "alice")] == [2 * ROUNDS, 2 * ROUNDS]
