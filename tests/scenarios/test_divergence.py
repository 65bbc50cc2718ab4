"""R42: what diverges behind the engine's back is found by comparing everything, and set right by the next cycle.

Each divergence is planted by SQL, with no revision, no cursor and no notice that tells of it.
"""

import datetime as dt
import json

import pytest
import sqlalchemy as sa

from bridge.ical import fields as neutral
from bridge.services import consistency, pairing, precedence, questions, syncing
from bridge.store import pairs, tables
from bridge.sync import projection
from bridge.sync.consistency import GUESTS
from tests.contracts.bench import Typed
from tests.e2e.dates import FROM, TO, ZONE
from tests.support.bridged import at, event, shown

PROVIDERS = ("google", "microsoft")


@pytest.fixture
def rested(story):
    """An event made on the phone ("a"), one made at the service, and a series with an exception; nothing is pending."""
    story.phone.put("a", event("Tea", at(1, 9), at(1, 10)))
    story.google.add(Typed("Visit", at(2, 9), at(2, 10), zone=ZONE))
    story.phone.put("s", event("Run", at(3, 7), at(3, 8), "RRULE:FREQ=WEEKLY;COUNT=4"))
    story.settle()
    story.google.move_occurrence(story.google.find("Run"), at(10, 7), at(11, 9), at(11, 10))
    story.settle()
    return story


def expected():
    return [
        shown(at(1, 9), at(1, 10), "Tea"),
        shown(at(2, 9), at(2, 10), "Visit"),
        shown(at(3, 7), at(3, 8), "Run"),
        shown(at(11, 9), at(11, 10), "Run"),
        shown(at(17, 7), at(17, 8), "Run"),
        shown(at(24, 7), at(24, 8), "Run"),
    ]


def sql(story, statement):
    with story.context.database.write() as conn:
        assert conn.execute(statement).rowcount == 1


def of(story, provider, table, **key):
    """The row's condition."""
    return sa.and_(table.c.pair_id == story.pairs[provider], *(table.c[name] == value for name, value in key.items()))


def link(story, provider, uid):
    with story.context.database.read() as conn:
        return conn.execute(sa.select(tables.links).where(of(story, provider, tables.links, uid=uid))).mappings().one()


def compared(story, provider):
    outcome = consistency.run(story.context, story.pairs[provider])
    assert outcome.error is None
    return outcome


def set_right(story, first, *, wanted=None):
    """One cycle of each pair, and all sides show what they should; nothing diverges any more."""
    for provider in sorted(story.pairs, key=lambda each: each != first):
        assert story.cycle(provider).error is None
    seen = story.seen()
    for name, each in seen.items():
        assert each == sorted(wanted or expected()), name
    story.settle(wanted or expected())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_at_rest_nothing_diverges(rested, provider):
    outcome = compared(rested, provider)
    assert (outcome.compared, outcome.divergences, outcome.kinds) == (3, 0, {})
    held = rested.pair(provider)
    assert (held.divergences, held.lease_owner) == (0, None)
    assert rested.context.now() - held.audited_at < dt.timedelta(minutes=1)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("base", "kind"), [("hub_base", "hub-changed"), ("remote_base", "remote-changed")])
@pytest.mark.parametrize("uid", ["a", "s"])
def test_r42_a_base_that_is_wrong(rested, provider, base, kind, uid):
    held = dict(link(rested, provider, uid)[base])
    held["master"] = held["master"] | {"location": "nowhere"}
    sql(rested, sa.update(tables.links).where(of(rested, provider, tables.links, uid=uid)).values({base: held}))
    assert rested.cycle(provider).error is None, "an ordinary cycle does not look"
    outcome = compared(rested, provider)
    assert (outcome.kinds, [dict(each) for each in outcome.found]) == ({kind: 1}, [{"kind": kind, "uid": uid}])
    before = rested.writes()
    set_right(rested, provider)
    assert rested.writes() == before, "both sides were right all along"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_both_bases_wrong(rested, provider):
    for base in ("hub_base", "remote_base"):
        held = dict(link(rested, provider, "a")[base])
        held["master"] = held["master"] | {"summary": "Coffee"}
        sql(rested, sa.update(tables.links).where(of(rested, provider, tables.links, uid="a")).values({base: held}))
    assert compared(rested, provider).divergences == 1
    set_right(rested, provider)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_an_inbox_that_holds_something_else(rested, provider):
    id = link(rested, provider, "a")["remote_id"]
    where = of(rested, provider, tables.inbox, id=id)
    with rested.context.database.read() as conn:
        payload = conn.scalar(sa.select(tables.inbox.c.payload).where(where))
    wrong = json.loads(json.dumps(payload).replace("Tea", "Coffee"))
    assert wrong != payload
    sql(rested, sa.update(tables.inbox).where(where).values(payload=wrong))
    assert compared(rested, provider).kinds == {"inbox": 1}
    set_right(rested, provider)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_an_inbox_that_has_lost_an_object(rested, provider):
    id = link(rested, provider, "a")["remote_id"]
    sql(rested, sa.delete(tables.inbox).where(of(rested, provider, tables.inbox, id=id)))
    assert compared(rested, provider).kinds == {"inbox": 1}
    set_right(rested, provider)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("title", ["Tea", "Visit", "Run"])
def test_r42_r12_a_link_that_is_lost_is_found_again_and_nothing_is_copied(rested, provider, title):
    """Whoever made the event: the hub's UID is not the service's iCalUID everywhere."""
    uid = rested.phone.find(title)
    sql(rested, sa.delete(tables.links).where(of(rested, provider, tables.links, uid=uid)))
    outcome = compared(rested, provider)
    assert outcome.kinds == {"hub-unlinked": 1}
    before = rested.writes()
    set_right(rested, provider)
    assert rested.writes() == before


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_a_hub_object_changed_without_a_revision(rested, provider):
    """As by a restored backup of one table."""
    pair = rested.pair(provider)
    where = sa.and_(tables.objects.c.calendar_id == pair.calendar_id, tables.objects.c.uid == "a")
    with rested.context.database.read() as conn:
        data = conn.scalar(sa.select(tables.objects.c.data).where(where))
    sql(rested, sa.update(tables.objects).where(where).values(data=data.replace(b"Tea", b"Cake")))
    assert [rested.cycle(each).remote_writes for each in rested.pairs] == [0, 0], "an ordinary cycle does not look"
    for each in rested.pairs:
        assert compared(rested, each).kinds == {"hub-changed": 1}
    set_right(rested, provider, wanted=[(*when, title.replace("Tea", "Cake")) for *when, title in expected()])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_a_hub_object_that_vanished_comes_back(rested, provider):
    """Nobody has deleted it: nothing is deleted anywhere on the strength of that."""
    calendar = rested.pair(provider).calendar_id
    where = sa.and_(tables.objects.c.calendar_id == calendar, tables.objects.c.uid == "a")
    with rested.context.database.read() as conn:
        data = conn.scalar(sa.select(tables.objects.c.data).where(where))
    sql(rested, sa.delete(tables.objects).where(where))
    assert compared(rested, provider).kinds == {"hub-missing": 1}
    assert rested.cycle(provider).hub_writes == 1
    with rested.context.database.read() as conn:
        assert conn.scalar(sa.select(tables.objects.c.data).where(where)) == data, "to the byte"
    rested.settle(expected())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_a_deletion_that_was_overlooked_is_made_good(rested, provider):
    rested.phone.remove("a")
    with rested.context.database.write() as conn:
        for each in rested.pairs.values():
            cursor = conn.scalar(
                sa.select(tables.calendars.c.revision).where(tables.calendars.c.id == rested.pair("google").calendar_id)
            )
            conn.execute(sa.update(tables.pairs).where(tables.pairs.c.id == each).values(hub_cursor=cursor))
    for each in rested.pairs:
        assert rested.cycle(each).remote_writes == 0
        assert compared(rested, each).kinds == {"hub-missing": 1}
    set_right(rested, provider, wanted=expected()[1:])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_a_link_of_nothing(rested, provider):
    row = dict(link(rested, provider, "a")) | {"uid": "ghost", "remote_id": "ghost", "creation_key": None}
    sql(rested, sa.insert(tables.links).values(row))
    assert compared(rested, provider).kinds == {"both-missing": 1}
    set_right(rested, provider)
    with rested.context.database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).where(tables.links.c.uid == "ghost")) == 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_a_link_that_never_came_to_anything(rested, provider):
    """Its creation was dropped: no side says so. Here the remote object is there, so it is linked, not made again."""
    statement = sa.update(tables.links).where(of(rested, provider, tables.links, uid="a"))
    sql(rested, statement.values(hub_base=None, remote_base=None))
    assert compared(rested, provider).kinds == {"never-agreed": 1}
    before = rested.writes()
    set_right(rested, provider)
    assert rested.writes() == before


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("part", ["when", "title"])
def test_r42_r35_sides_that_differ_as_their_bases_say(rested, provider, part):
    """Both bases tell the truth of their own side, and the sides say different things: the newest edit wins, none is lost."""
    pair = rested.pair(provider)
    where = sa.and_(tables.objects.c.calendar_id == pair.calendar_id, tables.objects.c.uid == "a")
    with rested.context.database.write() as conn:
        data = conn.scalar(sa.select(tables.objects.c.data).where(where))
        data = (
            data.replace(b"Tea", b"Cake") if part == "title" else data.replace(b"T09", b"T11").replace(b"T10", b"T12")
        )
        conn.execute(sa.update(tables.objects).where(where).values(data=data))
    for each in rested.pairs:
        base = neutral.from_json(link(rested, each, "a")["hub_base"])
        change = {("", "summary"): "Cake"}
        if part == "when":  # a lens has its own name for the zone
            change = {("", "when"): neutral.When(at(1, 11), at(1, 12), base.master.when.zone)}
        told = neutral.to_json(neutral.patch(base, change))
        sql(rested, sa.update(tables.links).where(of(rested, each, tables.links, uid="a")).values(hub_base=told))
    assert compared(rested, provider).kinds == {"sides-differ": 1}
    rested.cycle(provider)
    with rested.context.database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).where(tables.conflicts.c.pair_id == pair.id)) == 1
    other = next(each for each in rested.pairs if each != provider)
    compared(rested, other)
    rested.settle()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_a_remote_object_that_vanished_unheard_goes_here_too(rested, provider):
    """As outside of the window of Graph's delta: the service is asked for it before that is believed (R26)."""
    side = rested.google if provider == "google" else rested.graph
    side.remove(side.find("Tea"))
    skip_news(rested, provider)
    assert compared(rested, provider).kinds == {"remote-missing": 1}
    set_right(rested, provider, wanted=expected()[1:])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_a_remote_object_that_came_unheard_comes_here_too(rested, provider):
    side = rested.google if provider == "google" else rested.graph
    side.add(Typed("New", at(4, 9), at(4, 10), zone=ZONE))
    skip_news(rested, provider)
    assert compared(rested, provider).kinds == {"remote-unlinked": 1}
    rested.cycle(provider)
    set_right(rested, provider, wanted=[*expected(), shown(at(4, 9), at(4, 10), "New")])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_a_remote_change_that_came_unheard_comes_here_too(rested, provider):
    side = rested.google if provider == "google" else rested.graph
    side.retitle(side.find("Tea"), "Cake")
    skip_news(rested, provider)
    assert compared(rested, provider).kinds == {"inbox": 1}
    rested.cycle(provider)
    set_right(rested, provider, wanted=[(*when, title.replace("Tea", "Cake")) for *when, title in expected()])


def skip_news(story, provider):
    """The cursor moves on over what has happened, and nobody has read it."""
    pair = story.pair(provider)
    remote, _ = syncing.open_remote(story.context, pair.id)
    cursor, more = pair.remote_cursor, True
    while more:
        page = remote.page(cursor, now=story.context.now())
        cursor, more = page.cursor, page.more
    with story.context.database.write() as conn:
        conn.execute(sa.update(tables.pairs).where(tables.pairs.c.id == pair.id).values(remote_cursor=cursor))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_what_is_about_to_be_told_is_no_divergence(rested, provider):
    """Edits on every side that no cycle has seen yet."""
    side = rested.google if provider == "google" else rested.graph
    rested.phone.edit("a", "Tea", "Cake")
    side.retitle(side.find("Visit"), "Call")
    side.add(Typed("New", at(4, 9), at(4, 10), zone=ZONE))
    rested.phone.put("n", event("Newer", at(5, 9), at(5, 10)))
    side.remove(side.find("Run"))
    assert compared(rested, provider).divergences == 0
    rested.settle()


def test_r42_what_was_found_stands_in_the_audit_trail_by_id(rested):
    sql(rested, sa.delete(tables.links).where(of(rested, "google", tables.links, uid="a")))
    compared(rested, "google")
    with rested.context.database.read() as conn:
        rows = conn.execute(sa.select(tables.audit.c.action, tables.audit.c.detail)).all()
    pair = rested.pairs["google"]
    found = [detail for action, detail in rows if action == "pair.diverged"]
    assert found == [{"pair": pair, "kind": "hub-unlinked", "uid": "a"}]
    assert [detail for action, detail in rows if action == "pair.compared"] == [
        {"pair": pair, "compared": 2, "hub-unlinked": 1}
    ]


def test_r42_a_listing_cut_short_proves_nothing(rested):
    """R5: the comparison ends without a verdict, and nothing is marked."""
    rested.sandbox.faults.inject(path=r"^/google/calendar/v3/calendars/", status=503, times=100)
    outcome = consistency.run(rested.context, rested.pairs["google"])
    assert (outcome.divergences, outcome.error) == (
        None,
        "the service cannot be reached (HTTP 503); the sync goes on by itself",
    )
    held = rested.pair("google")
    assert (held.failures, held.lease_owner) == (0, None)
    rested.sandbox.faults.clear()
    rested.settle(expected())


def test_r42_a_pair_that_is_being_synced_is_not_compared_beside(rested):
    pair = rested.pairs["google"]
    with rested.context.database.write() as conn:
        conn.execute(sa.update(tables.pairs).values(due_at=rested.context.now()))
        pairs.claim(
            conn,
            pair,
            owner="w",
            now=rested.context.now(),
            lease=dt.timedelta(minutes=5),
        )
    assert "right now" in consistency.run(rested.context, pair).error
    assert rested.pair("google").lease_owner == "w"


@pytest.fixture
def invited(story):
    """A meeting made on the phone, whose guest has had one mail."""
    who = ["ORGANIZER:mailto:alex@example.com", "ATTENDEE:mailto:guest@elsewhere.example"]
    story.phone.put("m", event("Meeting", at(1, 9), at(1, 10), *who))
    story.rest()
    assert [mail.recipient for mail in story.mails()] == ["guest@elsewhere.example"]
    story.compared()
    return story


@pytest.mark.parametrize("base", ["hub_base", "remote_base"])
def test_r42_r1_a_wrong_base_of_a_meeting_mails_nobody(invited, base):
    held = dict(link(invited, "google", "m")[base])
    held["master"] = held["master"] | {"summary": "Other"}
    sql(invited, sa.update(tables.links).where(of(invited, "google", tables.links, uid="m")).values({base: held}))
    assert compared(invited, "google").divergences == 1
    invited.rest()
    invited.compared()
    assert len(invited.mails()) == 1
    assert invited.phone.stored()["m"].count("SUMMARY:Meeting") == 1


def test_r42_r1_a_meeting_whose_sides_differ_is_left_alone_at_its_home_until_somebody_edits_it(invited):
    """The guests would be told of what nobody has said. Its copy elsewhere has no guests, and is set right."""
    where = sa.and_(tables.objects.c.calendar_id == invited.pair("google").calendar_id, tables.objects.c.uid == "m")
    with invited.context.database.read() as conn:
        data = conn.scalar(sa.select(tables.objects.c.data).where(where))
    sql(invited, sa.update(tables.objects).where(where).values(data=data.replace(b"Meeting", b"Changed")))
    for each in invited.pairs:
        assert compared(invited, each).kinds == {"hub-changed": 1}
    invited.rest()
    assert invited.quarantined() == {("google", "m"): GUESTS}
    assert len(invited.mails()) == 1
    assert invited.google.find("Meeting")
    assert invited.graph.find("Changed")
    invited.compared()
    invited.phone.edit("m", "Changed", "Decided")
    invited.rest()
    assert invited.quarantined() == {}
    assert invited.google.find("Decided")
    invited.compared()


def test_r42_r1_a_meeting_that_has_lost_its_link_and_its_counterpart_invites_nobody_again(invited):
    invited.phone.edit("m", "Meeting", "Second title")  # so the service does not know it again by its creation
    invited.rest()
    invited.google.remove(invited.google.find("Second title"))
    mails = len(invited.mails())
    skip_news(invited, "google")
    sql(invited, sa.delete(tables.links).where(of(invited, "google", tables.links, uid="m")))
    assert compared(invited, "google").kinds == {"hub-unlinked": 1}
    invited.rest()
    invited.compared()
    assert invited.google.find("Second title")
    assert len(invited.mails()) == mails
    assert "guest@elsewhere.example" in invited.phone.stored()["m"].replace("\r\n ", "")


@pytest.fixture
def lost(story):
    """Two events that no link names any more, and that nothing recognises: both have been edited on both sides since."""
    for uid, title in (("a", "Tea"), ("b", "Cake")):
        story.phone.put(uid, event(title, at(1, 9), at(1, 10)))
    story.settle()
    for uid, title in (("a", "Tea"), ("b", "Cake")):
        story.phone.edit(uid, title, f"{title} here")  # so the service does not know it again by its creation
    story.settle()
    for uid, title in (("a", "Tea"), ("b", "Cake")):
        story.google.retitle(story.google.find(f"{title} here"), f"{title} there")
        sql(story, sa.delete(tables.links).where(of(story, "google", tables.links, uid=uid)))
    skip_news(story, "google")
    assert compared(story, "google").kinds == {"hub-unlinked": 2, "remote-unlinked": 2}
    return story


def test_r42_r16_events_that_have_lost_each_other_wait_for_their_owners_word(lost):
    pair = lost.pairs["google"]
    lost.phone.edit("a", "Tea here", "Tea at home")
    lost.google.retitle(lost.google.find("Cake there"), "Cake out")
    before = lost.writes()
    lost.cycle("google")
    lost.cycle("google")
    assert lost.writes() == before, "an edit is no answer"
    assert sorted(lost.phone.stored()) == ["a", "b"]
    (question,) = questions.unanswered(lost.context, pair)
    assert [each.title for each in question.here] == ["Tea at home", "Cake here"]
    assert sorted(each.title for each in question.there) == ["Cake out", "Tea there"]
    questions.same(lost.context, pair, "a", lost.google.find("Tea there"))
    assert len(questions.unanswered(lost.context, pair)) == 1
    questions.same(lost.context, pair, "b", lost.google.find("Cake out"))
    lost.settle()
    assert questions.unanswered(lost.context, pair) == []
    assert sorted(lost.phone.stored()) == ["a", "b"]


def test_r42_r16_what_has_lost_its_counterpart_and_is_an_event_of_its_own_is_copied(lost):
    pair = lost.pairs["google"]
    questions.same(lost.context, pair, "a", lost.google.find("Tea there"))
    assert questions.different(lost.context, pair, ["b"]) == 2, "nothing is left that the other one could be"
    lost.settle()
    assert len(lost.phone.stored()) == 3


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_r6_the_guard_stands_before_what_a_comparison_finds(story, provider):
    """Events are gone there and no cycle was told: nothing is deleted anywhere before somebody has said yes."""
    side = story.google if provider == "google" else story.graph
    for number in range(14):
        side.add(Typed(f"Event {number}", at(1 + number, 9), at(1 + number, 10), zone=ZONE))
    story.settle()
    for number in range(14):
        side.remove(side.find(f"Event {number}"))
    skip_news(story, provider)
    assert compared(story, provider).kinds == {"remote-missing": 14}
    before = story.writes()
    assert story.cycle(provider).parked
    assert (story.writes(), len(story.phone.stored())) == (before, 14)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_r42_r41_a_calendar_that_is_shown_less_is_compared_with_what_it_is_shown(story, provider):
    pairing.change(story.context, story.pairs[provider], projection=projection.read("busy"))
    side = story.google if provider == "google" else story.graph
    home = next(pair for name, pair in story.pairs.items() if name != provider)
    precedence.set_home(story.context, "alex/calendar", str(home))
    story.phone.put("own", event("Elsewhere", at(1, 9), at(1, 10)))
    story.rest()
    story.compared()
    sql(story, sa.delete(tables.links).where(of(story, provider, tables.links, uid="own")))
    assert compared(story, provider).kinds == {"hub-unlinked": 1}
    before = story.writes()
    story.rest()
    story.compared()
    assert story.writes() == before
    assert len(side.shows(FROM, TO)) == 1
