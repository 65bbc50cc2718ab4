"""One pair's cycles: what is done on one side is there on the other, once, and then nothing moves."""

from dataclasses import replace

import pytest

from bridge.errors import NeedsReconnect, Refused, Throttled, Unreachable
from bridge.ical.fields import MASTER, Reminder
from bridge.providers.memory import EVENT_FIELDS, MemoryLens
from bridge.store import conflicts, history, links, objects, outbox
from tests.support.worlds import at, retitled, tea


def recorded(world, side):
    with world.database.read() as conn:
        return [(each.uid, each.winner, dict(each.lost)) for each in conflicts.unresolved(conn, side.pair)]


def quarantined(world, side):
    with world.database.read() as conn:
        return {link.uid: link.quarantine for link in links.quarantined(conn, side.pair)}


def agreed(world):
    """World with one event on both sides, at rest."""
    side = world.pair()
    world.put("tea", tea())
    world.settle()
    return side, side.id_of("Tea")


def test_an_event_of_the_phone_arrives_on_the_remote_once(world_on_each):
    world = world_on_each
    side = world.pair()
    world.put("tea", tea(rule="FREQ=WEEKLY;COUNT=4"))
    report = world.cycle(side)
    assert (report.hub_writes, report.remote_writes, report.linked) == (0, 1, 1)
    assert list(side.calendar.objects().values()) == [tea(rule="FREQ=WEEKLY;COUNT=4")]
    assert world.state(side).phase == "steady"


def test_an_event_of_the_remote_arrives_in_the_hub_under_its_uid(world):
    side = world.pair()
    side.calendar.add(tea(), uid="abc@google.com")
    report = world.cycle(side)
    assert (report.hub_writes, report.remote_writes, report.linked) == (1, 0, 1)
    assert world.hub() == {"abc@google.com": tea()}


def test_edits_and_deletions_travel_both_ways(world_on_each):
    world = world_on_each
    side, id = agreed(world)
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    world.settle()
    assert side.titles() == ["Coffee"]
    side.calendar.edit(id, at(tea("Coffee"), 11))
    world.settle()
    assert world.hub()["tea"] == at(tea("Coffee"), 11)
    assert side.calendar.objects() == {id: at(tea("Coffee"), 11)}
    side.calendar.remove(id)
    world.settle()
    assert world.hub() == {}
    world.put("cake", tea("Cake"))
    world.settle()
    world.delete("cake")
    world.settle()
    assert side.titles() == []
    assert world.rows(links.links) == 0


def test_r17_one_hub_two_remotes_once_each(world_on_each):
    world = world_on_each
    google, outlook = world.pair(), world.pair()
    google.calendar.add(tea("from Google"))
    outlook.calendar.add(tea("from Outlook"))
    world.put("mine", tea("from the phone"))
    world.settle()
    everything = ["from Google", "from Outlook", "from the phone"]
    assert world.titles() == google.titles() == outlook.titles() == everything
    google.calendar.edit(google.id_of("from Outlook"), tea("edited"))
    outlook.calendar.remove(outlook.id_of("from Google"))
    world.settle()
    assert world.titles() == google.titles() == outlook.titles() == ["edited", "from the phone"]


def test_r4_r20_idle_cycles_write_nothing_and_nothing_grows(world_on_each):
    world = world_on_each
    sides = [world.pair(), world.pair()]
    for number in range(5):
        sides[0].calendar.add(tea(f"a{number}"))
        world.put(f"b{number}", tea(f"b{number}", rule="FREQ=DAILY;COUNT=3"))
    world.settle()
    writes, growth = [side.calendar.writes for side in sides], world.growth()
    etags = {uid: each.etag for uid, each in world.stored().items()}
    for _ in range(5):
        for side in sides:
            report = world.cycle(side)
            assert report.idle
            assert report.rounds == 0
    assert [side.calendar.writes for side in sides] == writes
    assert world.growth() == growth
    assert {uid: each.etag for uid, each in world.stored().items()} == etags


def test_r4_one_edit_is_one_write(world):
    side, _ = agreed(world)
    before = side.calendar.writes
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    world.settle()
    assert side.calendar.writes == before + 1
    assert side.calendar.requests["get"] == 0


def test_r20_a_service_that_rewrites_what_it_is_given_is_written_to_once(world):
    side = world.pair(rewrite=lambda event: replace(event, description=f"<p>{event.description}</p>", location=""))
    event = replace(tea(), master=replace(tea().master, description="with milk", location="Kitchen"))
    world.put("tea", event)
    world.settle()
    assert side.calendar.writes == 1
    assert world.hub()["tea"] == event
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    world.settle()
    assert side.calendar.writes == 2
    assert world.hub()["tea"].master.description == "with milk"


def test_a_field_that_the_remote_cannot_hold_stays_in_the_hub(world):
    side = world.pair(lens=MemoryLens(EVENT_FIELDS - {"categories", "priority"}))
    world.put("tea", replace(tea(), master=replace(tea().master, categories=("Drinks",), priority=3)))
    world.settle()
    side.calendar.edit(side.id_of("Tea"), tea("Coffee"))
    world.settle()
    master = world.hub()["tea"].master
    assert (master.summary, master.categories, master.priority) == ("Coffee", ("Drinks",), 3)


def test_r35_different_fields_of_both_sides_merge(world):
    side, id = agreed(world)
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    side.calendar.edit(id, at(tea(), 11))
    world.settle()
    assert list(world.hub().values()) == list(side.calendar.objects().values()) == [at(tea("Coffee"), 11)]
    assert recorded(world, side) == []


@pytest.mark.parametrize(("policy", "winner"), [("hub", "hub"), ("remote", "remote"), ("newest", "remote")])
def test_r35_a_true_clash_goes_by_policy_and_the_loser_is_kept(world, policy, winner):
    side = world.pair(policy=policy)
    world.put("tea", tea())
    world.settle()
    world.edit("tea", lambda fields: retitled(fields, "hub"))
    side.calendar.edit(side.id_of("Tea"), tea("remote"))
    world.settle()
    assert world.titles() == side.titles() == [winner]
    loser = "hub" if winner == "remote" else "remote"
    assert recorded(world, side) == [("tea", winner, {(MASTER, "summary"): loser})]


def test_newest_is_the_hub_where_the_phone_was_later(world):
    side, id = agreed(world)
    side.calendar.edit(id, tea("remote"))
    world.edit("tea", lambda fields: retitled(fields, "hub"))
    world.settle()
    assert world.titles() == side.titles() == ["hub"]


def test_edit_beats_delete_of_the_hub(world):
    side, id = agreed(world)
    world.delete("tea")
    side.calendar.edit(id, tea("Coffee"))
    world.settle()
    assert world.titles() == side.titles() == ["Coffee"]
    assert list(side.calendar.objects()) == [id]


def test_edit_beats_delete_of_the_remote_and_makes_a_new_object_there(world_on_each):
    world = world_on_each
    side, id = agreed(world)
    side.calendar.remove(id)
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    world.settle()
    assert world.titles() == side.titles() == ["Coffee"]
    assert list(side.calendar.objects()) != [id]
    keys = [kept.key for kept in side.calendar.kept.values()]
    assert len(set(keys)) == 2


def test_a_restored_object_keeps_what_only_the_hub_could_hold(world):
    side = world.pair(lens=MemoryLens(EVENT_FIELDS - {"categories"}))
    world.put("tea", replace(tea(), master=replace(tea().master, categories=("Drinks",))))
    world.settle()
    world.delete("tea")
    side.calendar.edit(side.id_of("Tea"), tea("Coffee"))
    world.settle()
    assert world.hub()["tea"].master.categories == ("Drinks",)


def test_deleted_on_both_sides_is_forgotten(world):
    side, id = agreed(world)
    world.delete("tea")
    side.calendar.remove(id)
    world.settle()
    assert (world.titles(), side.titles()) == ([], [])
    assert (world.rows(links.links), world.rows(outbox.outbox)) == (0, 0)


def test_r36_a_phone_that_writes_while_we_do_wins_and_is_merged(world_on_each):
    """The phone PUTs between plan and apply: the hub write is refused, that object is planned again."""
    world = world_on_each
    side, id = agreed(world)
    side.calendar.edit(id, at(tea(), 11))
    ledger, written = world.ledger(side), []
    original = objects.put

    def put(conn, calendar_id, href, data, **rest):
        if rest["actor"].startswith("pair:") and not written:
            written.append(True)
            stored = objects.get(conn, calendar_id, href)
            phone = stored.data.replace(b"SUMMARY:Tea", b"SUMMARY:Coffee")
            original(conn, calendar_id, href, phone, actor="device:1", now=world.clock())
        return original(conn, calendar_id, href, data, **rest)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(objects, "put", put)
        world.cycle(side, ledger=ledger)
    world.settle()
    assert list(world.hub().values()) == list(side.calendar.objects().values()) == [at(tea("Coffee"), 11)]
    with world.database.read() as conn:
        titles = [b"SUMMARY:Coffee" in version.data for version in history.of_object(conn, world.calendar, "tea")]
    assert titles == [True, True, False]


def test_r36_somebody_who_writes_on_the_remote_while_we_do_is_merged(world):
    side, id = agreed(world)
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    original = side.calendar.request

    def request(method):
        if method == "update" and side.calendar.objects()[id].master.when == tea().master.when:
            side.calendar.edit(id, at(tea(), 11))
        return original(method)

    side.calendar.request = request
    report = world.cycle(side)
    assert report.rounds == 2
    world.settle()
    assert list(world.hub().values()) == list(side.calendar.objects().values()) == [at(tea("Coffee"), 11)]


def test_a_phone_that_writes_while_an_intent_is_under_way_is_told_later(world):
    side = world.pair()
    world.put("tea", tea())
    original = side.calendar.request

    def request(method):
        if method == "create":
            world.edit("tea", lambda fields: retitled(fields, "Coffee"))
            side.calendar.request = original
        return original(method)

    side.calendar.request = request
    world.settle()
    assert world.titles() == side.titles() == ["Coffee"]


def test_r32_one_bad_object_does_not_hold_up_the_others(world):
    lens = MemoryLens(refuses=lambda fields: "no faithful copy" if fields.master.summary == "bad" else None)
    side = world.pair(lens=lens)
    for title in ("a", "bad", "z"):
        world.put(title, tea(title))
    world.settle()
    assert side.titles() == ["a", "z"]
    assert quarantined(world, side) == {"bad": "no faithful copy"}
    world.edit("bad", lambda fields: retitled(fields, "good"))
    world.settle()
    assert side.titles() == ["a", "good", "z"]
    assert quarantined(world, side) == {}


def test_r32_an_unreadable_remote_object_is_quarantined_until_it_changes(world):
    lens = MemoryLens(refuses=lambda fields: "cannot be read" if fields.master.summary == "bad" else None)
    side = world.pair(lens=lens)
    id = side.calendar.add(tea("bad"), uid="bad@remote")
    side.calendar.add(tea("good"))
    world.settle()
    assert world.titles() == ["good"]
    assert list(quarantined(world, side).values()) == ["cannot be read"]
    side.calendar.edit(id, tea("better"))
    world.settle()
    assert world.titles() == ["better", "good"]
    assert "bad@remote" in world.hub()
    assert quarantined(world, side) == {}
    assert world.rows(links.links) == 2


@pytest.mark.parametrize("method", ["create", "update", "delete"])
def test_r32_what_the_service_refuses_is_retried_with_patience(world_on_each, method):
    world = world_on_each
    side = world.pair()
    if method != "create":
        world.put("tea", tea())
        world.settle()
    side.calendar.fail(method, Refused("no", status=400))
    if method == "delete":
        world.delete("tea")
    else:
        world.put("tea", tea("Coffee"))
    world.put("zz", tea("other"))
    world.cycle(side)
    assert quarantined(world, side) == {"tea": "no"}
    assert "other" in side.titles()
    requests = side.calendar.requests[method]
    world.cycle(side)
    assert side.calendar.requests[method] == requests
    world.clock.pass_by(minutes=6)
    world.settle()
    assert quarantined(world, side) == {}
    assert side.titles() == world.titles()


@pytest.mark.parametrize("error", [Unreachable("down"), Throttled("slow", retry_after=9), NeedsReconnect("dead")])
@pytest.mark.parametrize("method", ["page", "create", "update", "delete"])
def test_an_unreachable_service_ends_the_cycle_and_loses_nothing(world, error, method):
    side = world.pair()
    for title in ("a", "b"):
        world.put(title, tea(title))
    world.settle()
    world.edit("a", lambda fields: retitled(fields, "edited"))
    world.delete("b")
    world.put("c", tea("c"))
    side.calendar.add(tea("d"))
    lost = (3 if method == "page" else 2) if type(error) is Unreachable else 1  # a lost answer is asked for again
    side.calendar.fail(method, error, times=lost)
    with pytest.raises(type(error)):
        world.cycle(side)
    world.clock.pass_by(minutes=2)
    world.settle()
    assert world.titles() == side.titles() == ["c", "d", "edited"]
    assert world.rows(outbox.outbox) == 0


def test_r32_one_lost_answer_costs_that_request_and_not_the_cycle(world):
    side = world.pair()
    for number in range(40):
        world.put(f"{number}", tea(f"{number}"))
    side.calendar.fail("create", Unreachable("lost"), after_effect=True)
    report = world.cycle(side)
    assert report.remote_writes == 39, "the fortieth was there and is taken up"
    assert len(side.titles()) == len(set(side.titles())) == 40
    assert world.rows(outbox.outbox) == 0
    world.settle()


def test_a_service_that_is_away_is_left_alone_after_a_few_requests(world):
    side = world.pair()
    for number in range(100):
        world.put(f"{number}", tea(f"{number}"))
    side.calendar.fail("create", Unreachable("down"), times=1000)
    with pytest.raises(Unreachable):
        world.cycle(side)
    assert side.calendar.requests["create"] == 3 * side.calendar.batch_size
    side.calendar.faults.clear()
    world.clock.pass_by(minutes=2)
    world.settle()
    assert len(side.titles()) == 100


def test_r32_an_object_that_always_times_out_does_not_hold_up_the_others(world):
    side = world.pair()
    for title in ("a", "b", "c"):
        world.put(title, tea(title))
    original = side.calendar.make

    def make(fields, **rest):
        if fields.master.summary == "a":
            raise Unreachable("504")
        return original(fields, **rest)

    side.calendar.make = make
    with pytest.raises(Unreachable):
        world.cycle(side)
    world.cycle(side)
    assert side.titles() == ["b", "c"]
    side.calendar.make = original
    world.clock.pass_by(hours=1)
    world.settle()
    assert side.titles() == ["a", "b", "c"]


def test_pull_takes_and_does_not_give(world):
    side = world.pair(direction="pull")
    id = side.calendar.add(tea("theirs"), uid="x")
    world.put("mine", tea("mine"))
    world.settle()
    world.edit("x", lambda fields: retitled(fields, "scribbled"))
    world.settle()
    assert world.titles() == ["mine", "scribbled"]
    side.calendar.edit(id, at(tea("theirs"), 11))
    world.settle()
    assert world.hub()["x"] == at(tea("scribbled"), 11)
    side.calendar.edit(id, at(tea("new"), 11))
    world.settle()
    assert world.titles() == ["mine", "new"]
    assert side.calendar.writes == 0
    assert [conflict[1:] for conflict in recorded(world, side)] == [("remote", {(MASTER, "summary"): "scribbled"})]


def test_push_gives_and_does_not_take(world):
    side = world.pair(direction="push")
    side.calendar.add(tea("theirs"))
    world.put("tea", tea())
    world.settle()
    id = side.id_of("Tea")
    side.calendar.edit(id, at(tea("scribbled"), 11))
    world.settle()
    assert world.hub() == {"tea": tea()}
    assert "scribbled" in side.titles()
    world.edit("tea", lambda fields: retitled(fields, "Coffee"))
    world.settle()
    assert side.calendar.objects()[id] == at(tea("Coffee"), 11)
    side.calendar.remove(id)
    world.settle()
    assert world.titles() == ["Coffee"]


def test_r3_someone_elses_meeting_is_not_rewritten(world):
    side = world.pair()
    id = side.calendar.add(tea("Board"), uid="board", organized_elsewhere=True)
    world.settle()
    remind = (Reminder(15),)
    world.edit(
        "board", lambda fields: replace(fields, master=replace(fields.master, summary="Boring", reminders=remind))
    )
    world.settle()
    assert side.calendar.objects()[id].master == replace(tea("Board").master, reminders=remind)
    assert world.hub()["board"] == side.calendar.objects()[id]
    assert recorded(world, side) == [("board", "remote", {(MASTER, "summary"): "Boring"})]
    world.delete("board")
    world.settle()
    assert world.titles() == side.titles() == ["Board"]


def test_what_is_no_event_is_skipped_without_noise(world):
    side = world.pair()
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VTODO", "UID:t", "DTSTAMP:20260101T000000Z"]
    todo = "\r\n".join([*lines, "SUMMARY:x", "END:VTODO", "END:VCALENDAR", ""]).encode()
    with world.database.write() as conn:
        objects.put(conn, world.calendar, "t.ics", todo, actor="device:1", now=world.clock())
    world.settle()
    assert side.calendar.writes == 0
    assert world.rows(links.links) == 0


def test_a_uid_twice_on_the_remote_is_two_objects_in_the_hub(world):
    side = world.pair()
    side.calendar.add(tea("one"), uid="same")
    side.calendar.add(tea("two"), uid="same")
    world.settle()
    assert world.titles() == side.titles() == ["one", "two"]
    assert "same" in world.hub()


def test_the_other_pair_is_woken_by_what_came_in(world_on_each):
    world = world_on_each
    first, second = world.pair(), world.pair()
    world.settle()
    first.calendar.add(tea())
    with world.database.write() as conn:
        from bridge.store import pairs

        for side in (first, second):
            owner = "worker"
            assert pairs.claim(
                conn, side.pair, owner=owner, now=world.clock(), lease=world.clock.time - world.clock.time
            )
            pairs.finish(conn, side.pair, owner=owner, now=world.clock())
    later = world.state(second).due_at
    world.cycle(first)
    assert world.state(second).due_at < later
