"""Chains of creations by ``$batch`` (M-34, M-77, M-79): what only Graph does."""

import datetime as dt
import json

import httpx
import pytest

from bridge.errors import DuplicateKey, Gone, NeedsReconnect, Refused, Throttled, Unreachable
from bridge.ical.fields import EventFields, ObjectFields, When
from bridge.sync.ports import New
from tests.providers.graph.test_remote_elsewhere import CALENDAR, Graph

START = dt.datetime.fromisoformat("2026-03-02 12:00")
HOUR = dt.timedelta(hours=1)
CREATION = r"^/microsoft/v1\.0/me/calendars/[^/]+/events$"
BUSY = {"status": 429, "headers": {"Retry-After": "7"}, "body": {"error": {"code": "TooManyRequests"}}}
INVALID = {"status": 400, "body": {"error": {"code": "ErrorInvalidRequest"}}}


def event(title="Lunch", **more):
    return EventFields(When(START, START + HOUR, "Europe/Vienna"), title, **more)


def several(count=5, **more):
    return [
        New(ObjectFields(event(f"Lunch {number}", **more)), f"{number:032}", f"{number}@hub") for number in range(count)
    ]


@pytest.fixture
def batches(bench):
    """The bodies of the batches that were sent."""
    seen = []

    def note(request):
        if request.url.path.endswith("/$batch"):
            seen.append(json.loads(request.content)["requests"])

    bench.remote.listing.events.api.http.event_hooks["request"].append(note)
    return seen


def test_m77_m79_each_creation_waits_for_the_one_before_it(bench, batches):
    assert len(bench.remote.create_many(several(20))) == 20
    (requests,) = batches
    assert [each.get("dependsOn") for each in requests] == [None, *([str(number)] for number in range(19))]
    assert {each["headers"]["Content-Type"] for each in requests} == {"application/json"}
    assert all('IdType="ImmutableId"' in each["headers"]["Prefer"] for each in requests)
    assert all(each["url"].startswith("/me/calendars/") for each in requests)
    assert [each["body"]["transactionId"] for each in requests] == [each.key for each in several(20)]  # M-34
    assert "attendees" not in json.dumps(requests)  # R1


def test_m79_what_stands_behind_a_refused_one_goes_in_a_chain_of_its_own(bench, batches, sandbox):
    sandbox.faults.inject(method="POST", path=CREATION, times=2, delay=0.001)
    sandbox.faults.inject(method="POST", path=CREATION, **INVALID)
    outcomes = bench.remote.create_many(several(6))
    assert [len(each) for each in batches] == [6, 3]
    assert isinstance(outcomes[2], Refused)
    assert bench.titles() == [f"Lunch {number}" for number in (0, 1, 3, 4, 5)]


def test_m78_m79_nothing_is_sent_behind_a_throttled_one(bench, batches, sandbox):
    sandbox.faults.inject(method="POST", path=CREATION, times=2, delay=0.001)
    sandbox.faults.inject(method="POST", path=CREATION, **BUSY)
    outcomes = bench.remote.create_many(several(6))
    assert len(batches) == 1
    assert [type(each) for each in outcomes[2:]] == [Throttled] * 4
    assert {each.retry_after for each in outcomes[2:]} == {7}
    assert bench.titles() == ["Lunch 0", "Lunch 1"]


def test_m79_behind_one_that_nobody_knows_of_nothing_was_sent(bench, sandbox):
    sandbox.faults.inject(method="POST", path=CREATION, times=2, delay=0.001)
    sandbox.faults.inject(method="POST", path=CREATION, drop=True, phase="after")
    outcomes = bench.remote.create_many(several(6))
    assert isinstance(outcomes[2], Unreachable)
    assert outcomes[3:] == [None, None, None]
    assert bench.titles() == ["Lunch 0", "Lunch 1", "Lunch 2"]


def test_r12_a_second_chain_that_is_lost_does_not_undo_the_first(bench, sandbox):
    sandbox.faults.inject(method="POST", path=CREATION, delay=0.001)
    sandbox.faults.inject(method="POST", path=CREATION, **INVALID)
    sandbox.faults.inject(method="POST", path=r"\$batch$", delay=0.001)
    sandbox.faults.inject(method="POST", path=r"\$batch$", drop=True, phase="after")
    outcomes = bench.remote.create_many(several(4))
    assert bench.remote.lens.read(outcomes[0]).fields.master.summary == "Lunch 0"
    assert [type(each) for each in outcomes[1:]] == [Refused, Unreachable, Unreachable]
    assert bench.titles() == ["Lunch 0", "Lunch 2", "Lunch 3"]


def test_a_calendar_that_is_gone_is_no_deleted_event(bench, sandbox):
    sandbox.faults.inject(method="POST", path=CREATION, status=404, body={"error": {"code": "ErrorItemNotFound"}})
    assert isinstance(bench.remote.create_many(several(3))[0], Refused)


def test_m49_series_with_occurrences_of_their_own_are_left(bench):
    rule = ("RRULE:FREQ=DAILY;COUNT=5",)
    moved = {"20260304T110000Z": event("Moved")}
    wanted = [
        ObjectFields(event(), rule),
        ObjectFields(event(), rule, overrides=moved),
        ObjectFields(event(), rule, cancelled=frozenset({"20260304T110000Z"})),
        ObjectFields(event(), ("RRULE:FREQ=MONTHLY;BYDAY=2MO,2TU;BYSETPOS=1;COUNT=3",)),
        ObjectFields(event(), ("RRULE:FREQ=DAILY;BYHOUR=1,2",)),
    ]
    bench.service.meter.reset()
    outcomes = bench.remote.create_many([New(each, str(n) * 32, str(n)) for n, each in enumerate(wanted)])
    assert bench.remote.lens.read(outcomes[0]).fields == bench.remote.lens.view(wanted[0])
    assert outcomes[1:3] == [None, None]
    assert all(each is None or isinstance(each, Exception) for each in outcomes[3:])
    assert bench.service.meter.requests == 1


def test_r34_a_token_that_has_ended_is_renewed(bench):
    bench.service.expire_tokens()
    found = [bench.remote.lens.read(each).fields.master.summary for each in bench.remote.create_many(several())]
    assert found == [f"Lunch {number}" for number in range(5)]


# --- at a Graph that is otherwise


@pytest.fixture
def http():
    with httpx.Client() as client:
        yield client


def answered(request, **more):
    shown = {"id": f"id-{request['body']['subject']}", "type": "singleInstance", "@odata.etag": 'W/"1"'}
    return {"id": request["id"], "status": 201, "body": {**request["body"], **shown, **more}}


def a_graph(answer, **known):
    """``answer`` gets the requests of a batch."""

    def batch(asked):
        return 200, {"responses": list(reversed(answer(asked.body["requests"])))}  # in no order (M-79)

    return Graph(**{"/v1.0/$batch": batch, **known})


def test_r20_bodies_answered_in_another_form_are_read_back_by_one_request(http):
    html = {"body": {"contentType": "html", "content": "<p>Bring the card</p>"}}

    def answer(requests):
        if requests[0]["method"] == "POST":
            return [answered(each, **(html if each["id"] != "1" else {})) for each in requests]
        text = {"body": {"contentType": "text", "content": "Bring the card"}}
        names = [each["url"].split("/events/")[1].split("?")[0].replace("%20", " ") for each in requests]
        times = {"start": {"dateTime": "2026-03-02T11:00:00", "timeZone": "UTC"}}
        times["end"] = {"dateTime": "2026-03-02T12:00:00", "timeZone": "UTC"}
        return [
            {"id": each["id"], "status": 200, "body": {"id": name, "type": "singleInstance", **times, **text}}
            if name != "id-Lunch 3"
            else {"id": each["id"], "status": 404, "body": {"error": {"code": "ErrorItemNotFound"}}}
            for each, name in zip(requests, names, strict=True)
        ]

    with a_graph(answer) as graph:
        remote = graph.remote(http)
        outcomes = remote.create_many(several(4, description="Bring the card"))
        assert len(graph.asked) == 2
    assert [len(each) for each in outcomes[:3]] == [1, 1, 1]
    assert [each[0].payload["body"]["contentType"] for each in outcomes[:3]] == ["text"] * 3
    assert isinstance(outcomes[3], Gone)


def test_r12_what_cannot_be_read_back_is_there_and_unknown(http):
    html = {"body": {"contentType": "html", "content": "<p>Bring the card</p>"}}

    def answer(requests):
        if requests[0]["method"] == "POST":
            return [answered(each, **(html if each["id"] == "1" else {})) for each in requests]
        return [{"id": each["id"], "status": 429, "headers": {"Retry-After": "7"}, "body": {}} for each in requests]

    with a_graph(answer) as graph:
        outcomes = graph.remote(http).create_many(several(3, description="Bring the card"))
    assert [type(each) for each in outcomes] == [list, Unreachable, list]


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_a_graph_without_batches_gets_them_singly(http, status):
    with Graph(**{"/v1.0/$batch": (status, {"error": {"code": "NotImplemented"}})}) as graph:
        assert graph.remote(http).create_many(several(3)) == [None] * 3
        assert len(graph.asked) == 1


def refused_part(request):
    return {"id": request["id"], "status": 401, "body": {"error": {"code": "InvalidAuthenticationToken"}}}


def behind(requests):
    return [{"id": each["id"], "status": 424, "body": {"error": {"code": "FailedDependency"}}} for each in requests]


def test_a_token_that_ends_in_the_middle_of_a_chain_is_renewed_once(http):
    sizes = []

    def answer(requests):
        sizes.append(len(requests))
        if len(sizes) == 1:
            return [*map(answered, requests[:2]), refused_part(requests[2]), *behind(requests[3:])]
        return list(map(answered, requests))

    with a_graph(answer) as graph:
        outcomes = graph.remote(http).create_many(several(5))
    assert sizes == [5, 3]
    assert [each[0].id for each in outcomes] == [f"id-Lunch {number}" for number in range(5)]


def test_a_token_that_is_refused_again_means_the_person(http):
    with a_graph(lambda requests: [refused_part(requests[0]), *behind(requests[1:])]) as graph:
        outcomes = graph.remote(http).create_many(several(3))
        assert len(graph.asked) == 2
    assert [type(each) for each in outcomes] == [NeedsReconnect] * 3


def test_m34_a_key_that_is_taken_is_left_to_create(http):
    def answer(requests):
        taken = {"error": {"code": "ErrorDuplicateTransactionId"}}
        return [{"id": requests[0]["id"], "status": 409, "body": taken}, *behind(requests[1:])]

    with a_graph(answer) as graph:
        outcomes = graph.remote(http).create_many(several(3))
        assert [len(each.body["requests"]) for each in graph.asked] == [3, 2, 1]
    assert [type(each) for each in outcomes] == [DuplicateKey] * 3


def test_an_answer_that_is_missing_is_unknown(http):
    with a_graph(lambda requests: [answered(requests[0])]) as graph:
        outcomes = graph.remote(http).create_many(several(3))
    assert [type(each) for each in outcomes] == [list, Unreachable, type(None)]


@pytest.mark.parametrize("whole", [{}, {"responses": None}, []])
def test_r7_an_answer_that_is_no_batch_tells_nothing(http, whole):
    with Graph(**{"/v1.0/$batch": (200, whole)}) as graph, pytest.raises(Unreachable):
        graph.remote(http).create_many(several(3))


def test_the_calendars_path_is_asked(http):
    with a_graph(lambda requests: list(map(answered, requests))) as graph:
        graph.remote(http).create_many(several(3))
        urls = {each["url"] for each in graph.asked[0].body["requests"]}
    assert urls == {CALENDAR.removeprefix("/v1.0") + "/events"}


def test_r33_a_batch_of_questions_that_is_lost_as_a_whole_is_asked_again(bench, sandbox):
    ids = [item.id for answer in bench.remote.create_many(several(3)) for item in answer]
    sandbox.faults.inject(method="POST", path=r"^/microsoft/v1.0/\$batch", drop=True, times=2)
    assert [each.id for each in bench.remote.listing.events.many(ids)] == ids


@pytest.mark.parametrize("trouble", [{"status": 503}, {"status": 429, "headers": {"Retry-After": "1"}}])
def test_r33_of_many_events_only_what_had_no_answer_is_asked_for_again(bench, sandbox, trouble):
    ids = [item.id for answer in bench.remote.create_many(several(8)) for item in answer]
    before = bench.service.meter.routes.copy()
    sandbox.faults.inject(method="GET", path="^/microsoft/v1.0/", times=2, **trouble)
    found = bench.remote.listing.events.many(ids)
    assert [each.id for each in found] == ids
    assert sum((bench.service.meter.routes - before).values()) <= 8 + 2


def test_r33_who_never_answers_is_not_asked_for_ever(bench, sandbox):
    (item,) = bench.remote.create(several(1)[0].fields, key="k" * 32, uid="u")
    sandbox.faults.inject(method="GET", path="^/microsoft/v1.0/", status=503, times=100)
    with pytest.raises(Unreachable):
        bench.remote.listing.events.many([item.id])
