"""Reading and writing at a Graph that offers less than our simulated one, as its documents let it."""

import datetime as dt
from dataclasses import replace

import httpx
import pytest

from bridge.errors import CursorLost, Gone, Refused, Unreachable
from bridge.ical.recurrence import regular
from bridge.providers.graph.api import Api
from bridge.providers.graph.mapping import GraphLens, item
from bridge.providers.graph.provider import GraphAccount, _Window
from bridge.sync.ports import RemoteCalendar
from tests.support.elsewhere import Elsewhere

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
CALENDAR = "/v1.0/me/calendars/c"
NOT_OFFERED = 501, {"error": {"code": "NotImplemented"}}
NOT_THERE = 404, {"error": {"code": "ErrorItemNotFound"}}


def at(day, hour=9):
    return {"dateTime": f"2026-03-{day:02}T{hour:02}:00:00.0000000", "timeZone": "UTC"}


def instance(day, kind="occurrence", hour=9, **more):
    original = f"2026-03-{day:02}T09:00:00Z"
    return {"id": f"m~{day}", "type": kind, "seriesMasterId": "m", "originalStart": original} | {
        "start": at(day, hour),
        "end": at(day, hour + 1),
        **more,
    }


MASTER = {
    "id": "m",
    "type": "seriesMaster",
    "@odata.etag": 'W/"1"',
    "subject": "Standup",
    "start": at(2),
    "end": at(2, 10),
    "lastModifiedDateTime": "2026-03-01T00:00:00Z",
    "recurrence": {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "numbered", "startDate": "2026-03-02", "numberOfOccurrences": 6},
    },
}
SINGLE = {"id": "s", "type": "singleInstance", "@odata.etag": 'W/"5"', "subject": "One", "start": at(3), "end": at(4)}
SHOWN = [instance(2), instance(4, "exception", 12, subject="Moved"), instance(5), instance(7)]


class Tokens:
    def current(self):
        return "token"

    def instead_of(self, refused):
        return "token"

    def home_account(self):
        return "", ""


class Graph(Elsewhere):
    """``known`` maps paths under the calendar, and whole ones, to answers; everything else is not there."""

    def __init__(self, **known):
        super().__init__(self._known)
        self.known = {"/events/m": (200, MASTER), "/events/m/instances": (200, {"value": SHOWN}), **known}

    def _known(self, asked):
        answer = self.known.get(asked.path.removeprefix(CALENDAR)) or self.known.get(asked.path) or NOT_THERE
        return answer(asked) if callable(answer) else answer

    def api(self, http):
        return Api(http, f"{self.url}/v1.0", Tokens())

    def remote(self, http, *, default=True):
        account = GraphAccount(self.api(http), _Window(dt.timedelta(days=30), dt.timedelta(days=90)))
        return account.remote(RemoteCalendar("c", "Calendar", writable=True, primary=default, zone="UTC"))


@pytest.fixture
def http():
    with httpx.Client() as client:
        yield client


# --- what became of a series' occurrences -----------------------------------------------------------------------------


def read(http, shown, **master):
    with Graph(**{"/events/m": (200, {**MASTER, **master}), "/events/m/instances": (200, {"value": shown})}) as graph:
        remote = graph.remote(http)
        return remote.lens.read(remote.get("m")).fields, graph.asked


def test_m47_exceptions_and_gaps_are_read_off_the_instances(http):
    fields, _ = read(http, SHOWN)
    assert {key: event.summary for key, event in fields.overrides.items()} == {"20260304T090000Z": "Moved"}
    assert fields.cancelled == {"20260303T090000Z", "20260306T090000Z"}


def test_r5_what_lies_behind_the_last_one_shown_is_not_deleted(http):
    fields, _ = read(http, SHOWN[:1])
    assert not fields.cancelled
    fields, _ = read(http, [])
    assert not fields.cancelled


@pytest.mark.parametrize(
    "odd", [{**instance(3), "originalStart": None}, {**instance(3), "originalStart": "2026-03-03T11:00:00Z"}]
)
def test_instances_that_are_not_understood_show_no_gap(http, odd):
    fields, _ = read(http, [*SHOWN, odd])
    assert not fields.cancelled
    assert fields.overrides


def test_a_master_that_tells_is_not_asked_again(http):
    _, asked = read(http, SHOWN, exceptionOccurrences=[], cancelledOccurrences=[])
    assert [each.path for each in asked] == [f"{CALENDAR}/events/m"]


def test_m45_a_series_without_an_original_zone_is_in_its_rules(http):
    limits = {**MASTER["recurrence"]["range"], "recurrenceTimeZone": "W. Europe Standard Time"}
    told = {**MASTER, "recurrence": {**MASTER["recurrence"], "range": limits}}
    assert GraphLens().read([item(told)]).fields.master.when.zone == "Europe/Berlin"


# --- listings ---------------------------------------------------------------------------------------------------------


def listed(remote):
    """The ids that a complete listing shows, and its cursor."""
    cursor, found, more = None, set(), True
    while more:
        page = remote.page(cursor, now=NOW)
        found |= {each.id for each in page.items}
        cursor, more = page.cursor, page.more
    return found, cursor


def test_m19_the_default_calendars_changes_are_the_mailboxs(http):
    answers = {"/events": (200, {"value": [SINGLE, MASTER]})}
    with Graph(**answers) as graph:
        link = f"{graph.url}/v1.0/me/calendarView/delta?tok=1".replace("127.0.0.1", "localhost")
        graph.known["/v1.0/me/calendarView/delta"] = 200, {"value": [], "@odata.deltaLink": link}
        remote = graph.remote(http)
        found, cursor = listed(remote)
        assert found == {"s", "m"}
        page = remote.page(cursor, now=NOW)
        assert (page.items, page.more) == ([], False)
        assert graph.asked[-1].query == {"tok": "1"}


@pytest.mark.parametrize("answer", [NOT_OFFERED, NOT_THERE, (400, {"error": {"code": "BadRequest"}})])
def test_without_any_delta_each_cycle_lists_anew(http, answer):
    known = {"/calendarView/delta": answer, "/v1.0/me/calendarView/delta": answer}
    with Graph(**known, **{"/events": (200, {"value": [SINGLE]})}) as graph:
        for default in (True, False):
            remote = graph.remote(http, default=default)
            found, cursor = listed(remote)
            assert found == {"s"}
            with pytest.raises(CursorLost):
                remote.page(cursor, now=NOW)


def test_a_delta_in_trouble_is_not_one_that_is_missing(http):
    with Graph(**{"/calendarView/delta": (503, None)}) as graph, pytest.raises(Unreachable):
        graph.remote(http).page(None, now=NOW)


@pytest.mark.parametrize("answer", [NOT_OFFERED, NOT_THERE, (405, None)])
def test_m79_without_batches_each_is_asked_for(http, answer):
    known = {"/v1.0/$batch": answer, "/v1.0/one": (200, {"id": "1"}), "/v1.0/two": (200, {"id": "2"})}
    with Graph(**known) as graph:
        assert graph.api(http).many(["/one", "/none", "/two"]) == [{"id": "1"}, None, {"id": "2"}]


def test_a_link_may_name_this_machine_otherwise_but_not_another_one(http):
    with Graph(**{"/v1.0/next": (200, {"value": []})}) as graph:
        api = graph.api(http)
        assert api.follow(f"{graph.url}/v1.0/next".replace("127.0.0.1", "localhost")) == {"value": []}
        seen = len(graph.asked)
        port = graph.url.rpartition(":")[2]
        for link in (
            "http://localhost:1/v1.0/next",
            f"http://graph.example:{port}/v1.0/next",
            f"https://localhost:{port}/",
        ):
            with pytest.raises(Refused):
                api.follow(link)
        assert len(graph.asked) == seen


def test_a_key_is_found_where_lists_cannot_be_filtered(http):
    kept = [{**SINGLE, "transactionId": "another"}, {**SINGLE, "id": "k", "transactionId": "key"}]

    def answer(asked):
        return (
            (400, {"error": {"code": "ErrorInvalidUrlQueryFilter"}})
            if "$filter" in asked.query
            else (200, {"value": kept})
        )

    with Graph(**{"/events": answer, "/events/k": (200, {**SINGLE, "id": "k"})}) as graph:
        remote = graph.remote(http)
        assert [each.id for each in remote.find("key")] == ["k"]
        assert list(remote.find("unknown")) == []


def test_m26_a_removed_occurrence_is_found_without_a_word_of_its_series(http):
    told = {**MASTER, "exceptionOccurrences": [], "cancelledOccurrences": ["OID.m.2026-03-03"]}
    with Graph(**{"/events": (200, {"value": [SINGLE, MASTER]}), "/events/m": (200, told)}) as graph:
        link = f"{graph.url}{CALENDAR}/calendarView/delta?tok="
        removed = {"id": "m~3", "@removed": {"reason": "deleted"}}
        rounds = {
            None: {"value": [], "@odata.deltaLink": f"{link}1"},
            "1": {"value": [removed], "@odata.deltaLink": f"{link}2"},
        }
        graph.known["/calendarView/delta"] = lambda asked: (200, rounds[asked.query.get("tok")])
        remote = graph.remote(http)
        page = remote.page(listed(remote)[1], now=NOW)
        items, _ = remote.behind(["m~3"])
    assert [each.id for each in items] == ["m"]
    assert remote.lens.read(items).fields.cancelled == {"20260303T090000Z"}
    assert [(each.id, each.certain) for each in page.removals] == [("m~3", False)]


# --- writing ----------------------------------------------------------------------------------------------------------


def test_m31_occurrences_may_have_versions_of_their_own(http):
    """A write to one occurrence renews that one's etag only: the next goes under the version that was read."""

    def write(asked):
        taken = asked.headers["if-match"] == 'W/"1"'
        return (
            (200, {"id": "m~4", "@odata.etag": 'W/"9"'})
            if taken
            else (412, {"error": {"code": "ErrorIrresolvableConflict"}})
        )

    told = {**MASTER, "exceptionOccurrences": [], "cancelledOccurrences": []}
    shown = [{**instance(day), "@odata.etag": 'W/"1"'} for day in range(2, 8)]
    with Graph(**{"/events/m~4": write, "/events/m~6": write, "/events/m": (200, told)}) as graph:
        graph.known["/events/m/instances"] = 200, {"value": shown}
        remote = graph.remote(http)
        current = remote.lens.read(remote.get("m"))
        remote.update(current, changed(current.fields, "20260304T090000Z", "20260306T090000Z"))
    assert [each.headers["if-match"] for each in graph.asked if each.method == "PATCH"] == ['W/"1"', 'W/"9"', 'W/"1"']


def changed(fields, *keys):
    overrides = {key: replace(fields.master, when=regular(fields, key), summary="Other") for key in keys}
    return replace(fields, overrides=overrides)


# --- the account ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alone", [NOT_OFFERED, NOT_THERE, (403, {"error": {"code": "ErrorAccessDenied"}})])
def test_an_account_is_known_by_little(http, alone):
    calendar = {"id": "c", "name": "Calendar", "owner": {"address": "pat@contoso.com"}}
    known = {"/v1.0/me/calendars": (200, {"value": [{"id": "b"}, calendar]}), "/v1.0/me/calendar": (200, calendar)}
    with Graph(**known, **{"/v1.0/me/mailboxSettings": alone, "/v1.0/me": alone}) as graph:
        account = GraphAccount(graph.api(http), _Window(dt.timedelta(days=30), dt.timedelta(days=90)))
        assert account.identity() == ("pat@contoso.com", "pat@contoso.com")
        assert [(each.id, each.primary, each.writable, each.zone) for each in account.calendars()] == [
            ("b", False, False, ""),
            ("c", True, True, ""),
        ]


def test_an_account_of_nobody_is_refused(http):
    with Graph(**{"/v1.0/me/calendar": (200, {"id": "c"})}) as graph, pytest.raises((Refused, Gone)):
        GraphAccount(graph.api(http), _Window(dt.timedelta(days=30), dt.timedelta(days=90))).identity()
