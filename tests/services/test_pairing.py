"""Which calendar is mirrored with which: how often, in which direction, and what is refused (R19)."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from bridge.errors import AlreadyExists, NotFound, UsageError
from bridge.services import connecting, pairing, principals
from bridge.services.pairing import Frequency
from bridge.store import audit, calendars, pairs, remote_calendars
from tests.contracts import google_bench
from tests.support.house import EMAIL


@pytest.fixture
def account(house):
    """Connected, with three more calendars: one her own, one shared to be read, one whose times alone she sees (G-19)."""
    google = house.sandbox.google
    google.add_calendar(EMAIL, "Climbing")
    for name, role in (("Team", "reader"), ("Boss", "freeBusyReader")):
        google.share(google.add_calendar("sam@example.com", name).id, EMAIL, role)
    return house.connect().account


@pytest.fixture
def number(house, account):
    """The number by which ``calendar list`` names a remote calendar."""
    known = {one.calendar.name: str(one.id) for one in house.read(remote_calendars.of_account, account.id)}
    return known.__getitem__


def add(house, local, remote, *, direction="both", how_often="realtime"):
    return pairing.add(house.context, local, remote, direction=direction, how_often=how_often)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("realtime", Frequency(realtime=True, interval_seconds=300)),
        ("manual", Frequency(realtime=False, interval_seconds=None)),
        ("1", Frequency(realtime=False, interval_seconds=60)),
        ("15", Frequency(realtime=False, interval_seconds=900)),
        ("10080", Frequency(realtime=False, interval_seconds=604_800)),
    ],
)
def test_a_frequency_is_read(text, expected):
    assert pairing.frequency(text, safety=300) == expected


@pytest.mark.parametrize("text", ["", "0", "-5", "1.5", "10081", "５", "hourly", " 5", "1e3"])
def test_what_is_no_frequency_is_told(text):
    with pytest.raises(UsageError, match="realtime, manual, a number of minutes"):
        pairing.frequency(text, safety=300)


@pytest.mark.parametrize("direction", ["both", "pull", "push"])
def test_a_pair_is_made_and_noted(house, number, direction):
    made = add(house, "alex/calendar", number("Climbing"), direction=direction, how_often="15")
    pair = house.pair(made.pair.id)
    assert (pair.direction, pair.interval_seconds, pair.realtime) == (direction, 900, False)
    assert pair.due_at == house.context.now()
    assert (made.calendar.slug, made.remote.calendar.name) == ("calendar", "Climbing")
    newest = house.read(audit.of_principal, made.account.principal_id)[0]
    assert (newest.action, newest.detail["pair"]) == ("pair.added", pair.id)


def test_a_manual_pair_is_due_only_when_told(house, number):
    made = add(house, "alex/calendar", number("Climbing"), how_often="manual")
    assert house.pair(made.pair.id).due_at is None
    assert house.cycle(made.pair.id).error is None
    assert house.pair(made.pair.id).due_at is None


def test_the_direction_holds(house, number):
    """Pushed to one calendar, and never written to the other that is only pulled from."""
    pushed = add(house, "alex/calendar", number("Climbing"), direction="push").pair
    primary = house.read(pairs.every)[0].id
    house.add("google", "Seen at Google")
    assert house.cycle(primary).hub_writes == 1
    assert house.cycle(pushed.id).remote_writes == 1
    pulled = add(house, "alex/calendar", number("Team"), direction="pull").pair
    outcome = house.cycle(pulled.id)
    assert (outcome.error, outcome.remote_writes) == (None, 0)


@pytest.mark.parametrize("name", ["Team", "Boss"])
@pytest.mark.parametrize("direction", ["both", "push"])
def test_a_read_only_calendar_is_not_written(house, number, name, direction):
    with pytest.raises(UsageError, match="--direction pull"):
        add(house, "alex/calendar", number(name), direction=direction)
    assert len(house.read(pairs.every)) == 1


def test_r19_a_remote_calendar_has_one_pair_at_most(house, number):
    add(house, "alex/calendar", number("Climbing"))
    with house.context.database.write() as conn:
        owner = calendars.get(conn, "alex", "calendar").principal_id
        calendars.create(conn, owner, "work", properties={"tag": "VCALENDAR"}, now=house.context.now())
    for local in ("alex/calendar", "alex/work"):
        with pytest.raises(AlreadyExists, match="would chase each other"):
            add(house, local, number("Climbing"), direction="pull")


def connect_as(house, person):
    """Alex signs in with another account of Google's."""
    url = connecting.begin(house.context, "alex", "google", sandbox=True)
    scopes = dict(parse_qsl(urlsplit(url).query))["scope"].split()
    answer = google_bench.decide(url, decision="allow", person=person, scope=scopes)
    return connecting.finish(house.context, "google", answer)


@pytest.fixture
def shared(house):
    """Sam's account is Alex's too, and both see the calendar "Family" there: one at the service, two numbers here."""
    google = house.sandbox.google
    family = google.add_calendar(EMAIL, "Family")
    google.share(family.id, "sam@example.com", "writer")
    numbers = []
    for account in (house.connect().account, connect_as(house, "sam@example.com").account):
        numbers += [
            str(one.id) for one in house.read(remote_calendars.of_account, account.id) if one.calendar.id == family.id
        ]
    return numbers


def test_r19_a_calendar_shared_by_two_accounts_is_mirrored_once(house, shared):
    """Through both, each event would come in twice."""
    mine, sams = shared
    assert mine != sams
    first = add(house, "alex/calendar", mine).pair
    with pytest.raises(AlreadyExists, match=f"by pair {first.id} through another account"):
        add(house, "alex/calendar", sams, direction="pull")
    with house.context.database.write() as conn:
        owner = calendars.get(conn, "alex", "calendar").principal_id
        calendars.create(conn, owner, "family", properties={"tag": "VCALENDAR"}, now=house.context.now())
    assert add(house, "alex/family", sams).pair.id  # another calendar here is no overlap


def test_r19_connecting_makes_no_second_pair_on_a_shared_calendar(house, number):
    """Sam's own calendar, which Alex sees and mirrors already, is Sam's default calendar, too."""
    house.sandbox.google.share("sam@example.com", EMAIL, "writer")
    account = house.connect().account
    sams = next(
        one for one in house.read(remote_calendars.of_account, account.id) if one.calendar.id == "sam@example.com"
    )
    add(house, "alex/calendar", str(sams.id))
    assert connect_as(house, "sam@example.com").pair_id is None


def test_nobody_pairs_with_somebody_elses_account(house, number):
    principals.add(house.context.database, "kim", "kim@example.com", now=house.context.now())
    with pytest.raises(NotFound, match="kim has no remote calendar"):
        add(house, "kim/calendar", number("Climbing"))


@pytest.mark.parametrize(
    ("local", "remote", "direction", "kind", "words"),
    [
        ("alex", "2", "both", UsageError, "USER/CALENDAR"),
        ("alex/nowhere", "2", "both", NotFound, "calendar list alex"),
        ("bob/calendar", "2", "both", NotFound, "no calendar bob/calendar"),
        ("alex/calendar", "99", "both", NotFound, "number 99"),
        ("alex/calendar", "²", "both", UsageError, "by the number"),
        ("alex/calendar", "2", "sideways", UsageError, "both, pull, push"),
        ("alex/calendar", "2", "", UsageError, "both, pull, push"),
    ],
)
@pytest.mark.usefixtures("account")
def test_what_cannot_be_paired_is_told(house, local, remote, direction, kind, words):
    with pytest.raises(kind, match=words):
        add(house, local, remote, direction=direction)


def test_a_persons_calendars_are_listed_on_both_sides(house, account):
    here, there = pairing.calendars_of(house.context, "alex")
    assert [one.slug for one in here] == ["calendar", "tasks"]
    ((listed, remote),) = there
    assert listed == account
    assert {one.calendar.name: one.calendar.writable for one in remote}["Team"] is False
    with pytest.raises(NotFound):
        pairing.calendars_of(house.context, "bob")


def test_pairs_are_shown_by_owner(house, account):
    assert [one.account for one in pairing.every(house.context, "alex")] == [account]
    assert pairing.every(house.context, "kim") == []


def test_a_pair_is_kept_on_other_terms_and_what_is_not_named_stays(house, number):
    pair = add(house, "alex/calendar", number("Climbing"), direction="both", how_often="15").pair.id
    pairing.change(house.context, pair, direction="push", how_often=None)
    assert (house.pair(pair).direction, house.pair(pair).interval_seconds) == ("push", 900)
    pairing.change(house.context, pair, direction=None, how_often="manual")
    held = house.pair(pair)
    assert (held.direction, held.interval_seconds, held.realtime, held.due_at) == ("push", None, False, None)
    pairing.change(house.context, pair, direction=None, how_often="realtime")
    assert (house.pair(pair).realtime, house.pair(pair).due_at) == (True, house.context.now())


def test_what_a_pair_cannot_be_is_told_and_changes_nothing(house, number):
    pair = add(house, "alex/calendar", number("Team"), direction="pull").pair.id
    before = house.pair(pair)
    for terms in ({"direction": "both"}, {"direction": "up"}, {"how_often": "hourly"}):
        with pytest.raises(UsageError):
            pairing.change(house.context, pair, **{"direction": None, "how_often": None, **terms})
    with pytest.raises(NotFound):
        pairing.change(house.context, 99, direction="pull", how_often=None)
    assert house.pair(pair) == before
