"""The validators themselves: what they must catch, planted one by one; and a life of the bridge, in which they find nothing."""

import dataclasses
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import bridged
from tests.support.bridged import at, event, local
from tests.traffic import checks, exchange, google, graph, graph_sdk, odata
from tests.traffic.exchange import Exchange
from tests.traffic.recording import Recording

JSON = {"content-type": "application/json"}
SIGNED = JSON | {"authorization": "Bearer x"}
VERDICT = {"google": google.violations, "graph": graph.violations}


def asked(method, path, body=None, query="", **more):
    """By the bridge, and never answered, so that only the request is judged."""
    text = b"" if body is None else json.dumps(body).encode()
    return Exchange(method, path, query, SIGNED, text, **{"strict": True, **more})


def answered(exchange, body, status=200, **headers):
    text = b"" if body is None else json.dumps(body).encode()
    return dataclasses.replace(exchange, status=status, answer=text, answer_headers=JSON | headers)


# --- Google

EVENTS = "/calendar/v3/calendars/primary/events"
WHEN = {"start": {"dateTime": "2026-03-10T09:00:00+01:00"}, "end": {"dateTime": "2026-03-10T10:00:00+01:00"}}


def insert(**fields):
    return asked("POST", EVENTS, WHEN | fields, "sendUpdates=none")


TASKS = "/tasks/v1/lists/@default/tasks"
TASK = f"{TASKS}/abc"


def task(**fields):
    return asked("POST", TASKS, fields, "previous=abc")


def told_task(**fields):
    return answered(asked("GET", TASK), {"kind": "tasks#task", "id": "abc"} | fields)


GOOGLE_GOOD = [
    task(title="t" * 1024, notes="n" * 8192, due="2026-03-10T00:00:00.000Z", status="needsAction"),
    asked("PATCH", TASK, {"status": "completed", "completed": "2026-03-10T09:00:00Z", "due": None, "deleted": False}),
    asked("PUT", TASK, {"id": "abc", "title": "x", "position": "as a GET has shown it", "hidden": True}),
    asked("GET", TASKS, query="maxResults=100&showHidden=true&updatedMin=2026-01-01T00%3A00%3A00Z"),
    asked("POST", f"{TASK}/move", query="destinationTasklist=x&parent=y&previous=z"),
    asked("POST", "/tasks/v1/lists/x/clear"),
    told_task(status="completed", completed="2026-03-10T09:00:00.000Z", position="1", links=[{"type": "email"}]),
    answered(asked("GET", TASKS), {"kind": "tasks#tasks", "items": [{"deleted": True}], "nextPageToken": "x"}),
    answered(asked("DELETE", TASK), None, 204),
    insert(),
    insert(id="abcde", reminders={"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}),
    insert(start={"dateTime": "2026-03-10T09:00:00", "timeZone": "Europe/Vienna"}),
    insert(extendedProperties={"private": {"anything": "goes"}}, description=None),
    asked("PUT", f"{EVENTS}/abcde", WHEN | {"htmlLink": "as a GET has shown it"}),
    asked("GET", EVENTS, query="maxResults=2500&showDeleted=true&timeMin=2026-01-01T00%3A00%3A00Z&alt=json"),
    asked("GET", EVENTS, query="privateExtendedProperty=a%3Db&privateExtendedProperty=c%3Dd"),
    asked("DELETE", f"{EVENTS}/abcde"),
    asked("GET", "/tasks/v1/users/@me/lists", query="maxResults=1000"),
    asked("GET", "/o/oauth2/v2/auth", query="what=ever"),
]
GOOGLE_BAD = {
    "an unknown path": (asked("GET", f"{EVENTS}/abcde/guests"), "no such path"),
    "an unknown version": (asked("GET", "/calendar/v4/colors"), "no such path"),
    "a wrong method": (asked("PATCH", EVENTS, {}), "the path takes"),
    "an unknown parameter": (asked("GET", EVENTS, query="maxResult=1"), "no such query parameter: maxResult"),
    "a parameter of a wrong type": (asked("GET", EVENTS, query="maxResults=many"), "maxResults"),
    "a parameter out of range": (asked("GET", EVENTS, query="maxResults=0"), "maxResults"),
    "a boolean that is none": (asked("GET", EVENTS, query="singleEvents=True"), "singleEvents"),
    "an enum in a parameter": (asked("GET", EVENTS, query="orderBy=title"), "orderBy"),
    "a parameter twice": (asked("GET", EVENTS, query="q=a&q=b"), "q stands 2 times"),
    "a time without an offset": (asked("GET", EVENTS, query="timeMin=2026-01-01T00:00:00"), "timeMin"),
    "a missing parameter": (asked("POST", f"{EVENTS}/abcde/move"), "destination is required"),
    "a body where none is taken": (asked("DELETE", f"{EVENTS}/abcde", {}), "takes no body"),
    "a body that is no JSON": (dataclasses.replace(insert(), body=b"{"), "no JSON"),
    "a body of another type": (dataclasses.replace(insert(), headers=SIGNED | {"content-type": "text/plain"}), "text/plain"),
    "no token": (dataclasses.replace(insert(), headers=JSON), "no bearer token"),
    "a tag without quotes": (
        dataclasses.replace(asked("DELETE", f"{EVENTS}/abcde"), headers=SIGNED | {"if-match": "123"}),
        "if-match: '123' is no entity tag",
    ),
    "a missing field": (asked("POST", EVENTS, {"start": WHEN["start"]}), "end: is required"),
    "an unknown field": (insert(title="x"), "title: no such field"),
    "an unknown field below": (insert(attendees=[{"email": "a@b.c"}, {"mail": "x"}]), "attendees[1].mail: no such field"),
    "a string for an integer": (insert(sequence="1"), "sequence"),
    "an integer for a boolean": (insert(guestsCanModify=1), "guestsCanModify"),
    "a boolean for an integer": (insert(sequence=True), "sequence"),
    "a string for an array": (insert(recurrence="RRULE:FREQ=DAILY"), "recurrence"),
    "a number in a map of strings": (insert(extendedProperties={"private": {"k": 1}}), "extendedProperties.private.k"),
    "a bad enum": (insert(transparency="busy"), "transparency"),
    "a bad enum below": (insert(reminders={"overrides": [{"method": "sms", "minutes": 5}]}), "reminders.overrides[0].method"),
    "a bad date-time": (insert(start={"dateTime": "2026-03-10 09:00"}), "start.dateTime"),
    "a day that does not exist": (insert(start={"dateTime": "2026-02-30T09:00:00Z"}), "start.dateTime"),
    "a bad date": (insert(start={"date": "10.3.2026"}), "start.date"),
    "a local time without a zone": (insert(start={"dateTime": "2026-03-10T09:00:00"}), "start.dateTime"),
    "a read-only field": (insert(htmlLink="https://x"), "htmlLink: is read-only"),
    "an id of other letters": (insert(id="UPPER"), "id"),
    "an unknown field in an answer": (answered(insert(), {"id": "abcde", "title": "x"}), "title: no such field"),
    "a wrong type in an answer": (answered(insert(), {"sequence": "1"}), "sequence"),
    "a wrong kind": (answered(insert(), {"kind": "calendar#events"}), "kind"),
    "null in an answer": (answered(insert(), {"summary": None}), "summary"),
    "a bad item in a list": (answered(asked("GET", EVENTS), {"items": [{}, {"status": "gone"}]}), "items[1].status"),
    "a body with a deletion": (answered(asked("DELETE", f"{EVENTS}/abcde"), {}), "a body"),
    "an answer that is no JSON": (dataclasses.replace(answered(insert(), {}), answer=b"{"), "no JSON"),
    "an error of another form": (answered(insert(), {"error": "invalid_grant"}, 403), "error"),
    "a sync token for tasks": (asked("GET", TASKS, query="syncToken=x"), "no such query parameter: syncToken"),
    "a page of tasks too long": (asked("GET", TASKS, query="maxResults=101"), "maxResults"),
    "a page of lists too long": (asked("GET", "/tasks/v1/users/@me/lists", query="maxResults=1001"), "maxResults"),
    "a bound of tasks that is no time": (asked("GET", TASKS, query="updatedMin=2026-01-01"), "updatedMin"),
    "a watch on tasks": (asked("POST", f"{TASKS}/watch", {}), "the path takes"),
    "a task moved by PATCH": (asked("PATCH", f"{TASK}/move"), "the path takes POST"),
    "a body with a move": (asked("POST", f"{TASK}/move", {"parent": "x"}), "takes no body"),
    "a field that a task has not": (task(priority=1), "priority: no such field"),
    "a task's place in its body": (task(parent="x"), "parent: is read-only"),
    "a task hidden by its body": (asked("PATCH", TASK, {"hidden": True}), "hidden: is read-only"),
    "a task's title too long": (task(title="t" * 1025), "title: has 1025 characters, 1024 are allowed"),
    "a task's notes too long": (task(notes="n" * 8193), "notes: has 8193 characters"),
    "a list's title too long": (asked("POST", "/tasks/v1/users/@me/lists", {"title": "t" * 1025}), "title: has 1025"),
    "a task's status": (task(status="done"), "status: 'done' is none of completed, needsAction"),
    "a task's due date without a time": (task(due="2026-03-10"), "due"),
    "a task's time of completion": (told_task(completed="2026-03-10 09:00"), "completed"),
    "a task of another kind": (told_task(kind="tasks#tasks"), "kind: 'tasks#tasks' is none of tasks#task"),
    "an unknown field of a told task": (told_task(recurrence="x"), "recurrence: no such field"),
    "a wrong type in a task": (told_task(deleted="true"), "deleted"),
    "a number as a position": (told_task(position=1), "position"),
    "a bad task in a list": (answered(asked("GET", TASKS), {"items": [{}, {"updated": "now"}]}), "items[1].updated"),
    "a sync token in a list of tasks": (answered(asked("GET", TASKS), {"nextSyncToken": "x"}), "nextSyncToken: no such field"),
    "a body with a deleted task": (answered(asked("DELETE", TASK), {}), "a body"),
    "an error that contradicts its status": (
        answered(insert(), {"error": {"code": 404, "message": "x", "errors": []}}, 403),
        "error.code: 404",
    ),
}  # fmt: skip


def multipart(*parts, kind="application/http"):
    """Each part its head, and a body if it has one."""
    written = "".join(
        f"--b\r\nContent-Type: {kind}\r\nContent-ID: <{'response-' if part.startswith('HTTP') else ''}p{number}>\r\n\r\n"
        f"{part}\r\n"
        for number, part in enumerate(parts)
    )
    return f"{written}--b--\r\n".encode()


def google_batch(parts, answers=None, **more):
    headers = {"content-type": "multipart/mixed; boundary=b"}
    found = Exchange(
        "POST", "/batch/calendar/v3", "", SIGNED | headers, multipart(*parts), strict=True, mount="/google", **more
    )
    if answers is None:
        return found
    return dataclasses.replace(found, status=200, answer_headers=headers, answer=multipart(*answers))


def part(method, path, body=None, query=""):
    text = "" if body is None else f"Content-Type: application/json\r\n\r\n{json.dumps(body)}"
    return f"{method} /google{path}{'?' + query if query else ''} HTTP/1.1\r\n{text}" + (
        "" if body is not None else "\r\n"
    )


def answer_part(body, status=200):
    return f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n\r\n{json.dumps(body)}"


# --- Graph

GRAPH = "/v1.0/me/events"
AT = {"dateTime": "2026-03-10T09:00:00", "timeZone": "UTC"}
EXTENDED = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name CdbUid"


def post(**fields):
    return asked("POST", GRAPH, {"subject": "x", "start": AT, "end": AT} | fields)


def listed(query, path=GRAPH):
    return asked("GET", path, query=query)


def preferring(text):
    return dataclasses.replace(listed(""), headers=SIGNED | {"prefer": text})


WINDOW = "startDateTime=2026-01-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z"
ERROR = {"error": {"code": "ErrorItemNotFound", "message": "x", "innerError": {"date": "2026-03-01T00:00:00"}}}
DELTA = listed(WINDOW, "/v1.0/me/calendarView/delta")
TODO = "/v1.0/me/todo/lists/x/tasks"
GRAPH_GOOD = [
    post(),
    post(singleValueExtendedProperties=[{"id": EXTENDED, "value": "v"}], transactionId="x"),
    post(
        recurrence={"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd", "startDate": "2026-03-10"}}
    ),
    listed(f"$select=id,subject&$expand=singleValueExtendedProperties($filter=id eq '{EXTENDED}')&$top=5"),
    listed("$expand=exceptionOccurrences($select=id,originalStart)", f"{GRAPH}/x"),
    listed("$filter=start/dateTime ge '2026-01-01T00:00:00' and (isAllDay eq true or not showAs eq 'busy')"),
    listed(f"$filter=singleValueExtendedProperties/Any(ep: ep/id eq '{EXTENDED}' and ep/value eq 'it''s')"),
    listed("$filter=createdDateTime ge 2026-01-01T00:00:00Z and contains(subject,'x')&$orderby=start/dateTime desc"),
    DELTA,
    listed("$skiptoken=opaque", "/v1.0/me/calendarView/delta"),
    listed("", "/v1.0/me/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')"),
    preferring('IdType="ImmutableId", outlook.body-content-type="text",odata.maxpagesize=50'),
    asked("POST", f"{GRAPH}/x/accept", {"sendResponse": False, "comment": "fine"}),
    answered(DELTA, {"value": [{"id": "x", "@removed": {"reason": "deleted"}}], "@odata.deltaLink": "https://x"}),
    answered(asked("DELETE", f"{GRAPH}/x"), None, 204),
    answered(asked("GET", f"{GRAPH}/x", strict=False), ERROR, 404),
    listed("", "/v1.0/me/todo/lists/x/tasks/delta"),
    asked("POST", TODO, {"title": "x", "dueDateTime": AT, "linkedResources": [{"externalId": "uid"}]}),
    listed("$select=title&$expand=linkedResources&$top=5", f"{TODO}/delta"),
    answered(listed("", f"{TODO}/delta"), {"value": [{"id": "x", "@removed": {"reason": "deleted"}}]}),
    listed("$filter=status ne 'completed'&$expand=checklistItems", TODO),
    answered(listed("", f"{TODO}/delta"), {"value": [{"id": "x", "@removed": {"reason": "deleted"}}]}),
    asked("POST", "/common/oauth2/v2.0/token", {"what": "ever"}),
]
GRAPH_BAD = {
    "an unknown path": (listed("", f"{GRAPH}/x/guests"), "no such path"),
    "another case": (listed("", "/v1.0/me/calendarview"), "no such path"),
    "another version": (listed("", "/beta/me/events"), "no such version"),
    "a wrong method": (asked("PUT", GRAPH, {}), "the path takes GET, POST"),
    "an unknown parameter": (listed("$limit=5"), "no such query parameter: $limit"),
    "a parameter of a wrong type": (listed("$top=many"), "$top"),
    "a bad instant": (listed("startDateTime=today&endDateTime=2026-01-01", "/v1.0/me/calendarView"), "startDateTime"),
    "a missing parameter": (listed("startDateTime=2026-01-01", "/v1.0/me/calendarView"), "endDateTime is required"),
    "a parameter with a write": (asked("PATCH", f"{GRAPH}/x", {}, "$select=id"), "no such query parameter"),
    "$select of an unknown property": (listed("$select=id,uid"), "has no property 'uid'"),
    "$expand of an unknown property": (listed("$expand=guests"), "has no property 'guests'"),
    "$expand of what is a field": (listed("$expand=start"), "start is no navigation property"),
    "an unknown property inside $expand": (listed("$expand=exceptionOccurrences($select=uid)"), "has no property 'uid'"),
    "an unknown option inside $expand": (listed("$expand=instances($limit=1)"), "no option '$limit'"),
    "$filter of an unknown property": (listed("$filter=title eq 'x'"), "has no property 'title'"),
    "$filter of an unknown property below": (listed("$filter=start/date eq 'x'"), "has no property 'date'"),
    "$filter of an unknown property in a lambda": (
        listed("$filter=singleValueExtendedProperties/any(e:e/name eq 'x')"), "has no property 'name'",
    ),
    "$filter with a wrong literal": (listed("$filter=isAllDay eq 'true'"), "a boolean is compared with"),
    "$filter with a time in quotes": (listed("$filter=createdDateTime ge '2026-01-01T00:00:00Z'"), "instant is compared with"),
    "$filter with a bad enum": (listed("$filter=showAs eq 'out'"), "'out' is no FreeBusyStatus"),
    "$filter that is none": (listed("$filter=subject = 'x'"), "not understood"),
    "$filter with an end too many": (listed("$filter=subject eq 'x')"), "where the filter should end"),
    "$orderby of an unknown property": (listed("$orderby=title"), "has no property 'title'"),
    "$orderby in no order": (listed("$orderby=subject up"), "is no order"),
    "an unknown preference": (preferring('outlook.timezones="UTC"'), "no such preference"),
    "a preference of a wrong value": (preferring('outlook.body-content-type="markdown"'), "'markdown' is none of"),
    "a tag without quotes": (
        dataclasses.replace(asked("DELETE", f"{GRAPH}/x"), headers=SIGNED | {"if-match": "123"}),
        "if-match: '123' is no entity tag",
    ),
    "no token": (dataclasses.replace(post(), headers=JSON), "no bearer token"),
    "a body of another type": (dataclasses.replace(post(), headers=SIGNED | {"content-type": "text/plain"}), "text/plain"),
    "an unknown field": (post(title="x"), "title: no such field"),
    "an unknown field of a task": (asked("POST", TODO, {"percentComplete": 5}), "percentComplete: no such field"),
    "a bad status of a task": (asked("POST", TODO, {"status": "done"}), "status"),
    "an unknown field of a link": (
        asked("POST", f"{TODO}/x/linkedResources", {"uid": "x"}), "uid: no such field",
    ),
    "a string for a boolean in a step": (asked("PATCH", f"{TODO}/x/checklistItems/y", {"isChecked": "yes"}), "isChecked"),
    "a due date with an offset": (
        asked("POST", TODO, {"dueDateTime": AT | {"dateTime": "2026-03-10T09:00:00Z"}}), "dueDateTime.dateTime",
    ),
    "$filter with a bad status": (listed("$filter=status eq 'done'", TODO), "'done' is no TaskStatus"),
    "a bad list in an answer": (
        answered(listed("", "/v1.0/me/todo/lists"), {"value": [{"wellknownListName": "mine"}]}), "wellknownListName",
    ),
    "an unknown field below": (post(start=AT | {"zone": "UTC"}), "start.zone: no such field"),
    "a string for an integer": (post(reminderMinutesBeforeStart="5"), "reminderMinutesBeforeStart"),
    "an integer for a boolean": (post(isAllDay=1), "isAllDay"),
    "null for a collection": (post(categories=None), "categories"),
    "a bad enum": (post(showAs="away"), "showAs"),
    "a bad enum below": (post(recurrence={"pattern": {"type": "hourly"}}), "recurrence.pattern.type"),
    "a bad enum in a collection": (
        post(recurrence={"pattern": {"daysOfWeek": ["mon"]}}), "recurrence.pattern.daysOfWeek[0]",
    ),
    "a date-time with an offset": (post(start=AT | {"dateTime": "2026-03-10T09:00:00+01:00"}), "start.dateTime"),
    "a bad date": (post(recurrence={"range": {"startDate": "2026-3-1"}}), "recurrence.range.startDate"),
    "a bad instant in a body": (
        asked("PATCH", "/v1.0/subscriptions/x", {"expirationDateTime": "2026-03-10T09:00:00"}), "expirationDateTime",
    ),
    "a missing field": (
        asked("POST", "/v1.0/subscriptions", {
            "changeType": "updated", "resource": "/me/events", "expirationDateTime": "2026-03-10T09:00:00Z",
        }), "notificationUrl: is required",
    ),
    "a read-only field": (post(iCalUId="mine"), "iCalUId: is read-only"),
    "an id that is no extended property's": (
        post(singleValueExtendedProperties=[{"id": "CdbUid", "value": "x"}]), "singleValueExtendedProperties[0].id",
    ),
    "a wrong @odata.type": (post(**{"@odata.type": "#microsoft.graph.message"}), "@odata.type"),
    "a wrong @odata.type below": (
        post(location={"@odata.type": "microsoft.graph.location"}), "location.@odata.type",
    ),
    "a parameter that an action has not": (asked("POST", f"{GRAPH}/x/accept", {"mail": False}), "mail: no such field"),
    "a field that a to-do has not": (asked("POST", TODO, {"title": "x", "percentComplete": 5}), "percentComplete: no such field"),
    "a bad status of a to-do": (asked("PATCH", f"{TODO}/y", {"status": "cancelled"}), "status"),
    "a due date that is a string": (asked("POST", TODO, {"title": "x", "dueDateTime": "2026-03-10"}), "dueDateTime"),
    "an unknown field of a linked resource": (
        asked("POST", f"{TODO}/y/linkedResources", {"externalID": "x"}), "externalID: no such field",
    ),
    "an unknown field of a step": (asked("POST", f"{TODO}/y/checklistItems", {"title": "x"}), "title: no such field"),
    "$expand of what a to-do has not": (listed("$expand=subtasks", f"{TODO}/delta"), "has no property 'subtasks'"),
    "a bad list name in an answer": (
        answered(listed("", "/v1.0/me/todo/lists"), {"value": [{"wellknownListName": "inbox"}]}), "value[0].wellknownListName",
    ),
    "a bad removal of a to-do": (
        answered(listed("", f"{TODO}/delta"), {"value": [{"id": "x", "@removed": {"reason": "x"}}]}), "@removed.reason",
    ),
    "an unknown field in an answer": (answered(post(), {"id": "x", "uid": "y"}, 201), "uid: no such field"),
    "a wrong type in an answer": (answered(post(), {"isAllDay": "no"}, 201), "isAllDay"),
    "a wrong @odata.type in an answer": (
        answered(post(), {"@odata.type": "#microsoft.graph.calendar"}, 201), "@odata.type",
    ),
    "an annotation of nothing": (answered(post(), {"guests@odata.count": 1}, 201), "guests@odata.count"),
    "a bad item in a list": (answered(listed(""), {"value": [{}, {"type": "single"}]}), "value[1].type"),
    "a list without one": (answered(listed(""), {}), "value: is required"),
    "both links": (answered(DELTA, {"value": [], "@odata.nextLink": "x", "@odata.deltaLink": "y"}), "both"),
    "a reason unknown": (answered(DELTA, {"value": [{"id": "x", "@removed": {"reason": "x"}}]}), "value[0].@removed.reason"),
    "a removal outside a round": (answered(listed(""), {"value": [{"id": "x", "@removed": {}}]}), "value[0].@removed"),
    "a preference nobody had": (answered(listed(""), {"value": []}, **{"preference-applied": "respond-async"}), "respond-async"),
    "a body with a deletion": (answered(asked("DELETE", f"{GRAPH}/x"), {}, 204), "a body"),
    "an error of another form": (answered(post(), {"error": "x"}, 404), "error"),
    "an error without a code": (answered(post(), {"error": {"message": "x"}}, 404), "error.code: is required"),
}  # fmt: skip


def graph_batch(*requests, answers=None, **more):
    found = asked("POST", "/v1.0/$batch", {"requests": list(requests)}, **more)
    return found if answers is None else answered(found, {"responses": answers})


def request(exchange, id="1"):
    """An exchange as one request of a batch."""
    body = {"body": json.loads(exchange.body), "headers": JSON} if exchange.body else {}
    url = exchange.path.removeprefix("/v1.0") + (f"?{exchange.query}" if exchange.query else "")
    return {"id": id, "method": exchange.method, "url": url, **body}


# --- what they say


@pytest.mark.parametrize("exchange", GOOGLE_GOOD)
def test_google_as_it_should_be(exchange):
    assert google.violations(exchange) == []


@pytest.mark.parametrize("exchange", GRAPH_GOOD)
def test_graph_as_it_should_be(exchange):
    assert graph.violations(exchange) == []


@pytest.mark.parametrize("what", GOOGLE_BAD)
def test_google_is_caught_with(what):
    exchange, words = GOOGLE_BAD[what]
    (found,) = google.violations(exchange)
    assert words in found


@pytest.mark.parametrize("what", GRAPH_BAD)
def test_graph_is_caught_with(what):
    exchange, words = GRAPH_BAD[what]
    (found,) = graph.violations(exchange)
    assert words in found


NOT_IN_A_BATCH = (
    "no token",
    "a tag without quotes",
    "a body of another type",
    "a body that is no JSON",
    "an answer that is no JSON",
)


@pytest.mark.parametrize("what", [each for each in GOOGLE_BAD if each not in NOT_IN_A_BATCH])
def test_a_part_of_a_google_batch_is_caught_with(what):
    """The second of two; and with an answer, if it was the answer that is bad."""
    exchange, words = GOOGLE_BAD[what]
    body = json.loads(exchange.body) if exchange.body else None
    parts = [part("GET", "/calendar/v3/colors"), part(exchange.method, exchange.path, body, exchange.query)]
    answers = None
    if exchange.status is not None:
        answers = [answer_part({}), answer_part(json.loads(exchange.answer or b"{}"), exchange.status)]
    (found,) = google.violations(google_batch(parts, answers))
    assert words in found


@pytest.mark.parametrize("what", [each for each in GRAPH_BAD if each not in (*NOT_IN_A_BATCH, "another version")])
def test_a_part_of_a_graph_batch_is_caught_with(what):
    exchange, words = GRAPH_BAD[what]
    prefer = {"headers": JSON | {"Prefer": exchange.headers["prefer"]}} if "prefer" in exchange.headers else {}
    requests = [request(listed(""), "0"), request(exchange) | prefer]
    answers = None
    if exchange.status is not None:
        body = json.loads(exchange.answer)
        answers = [{"id": "1", "status": exchange.status, "headers": dict(exchange.answer_headers), "body": body}]
        answers.append({"id": "0", "status": 200, "headers": JSON, "body": {"value": []}})
    (found,) = graph.violations(graph_batch(*requests, answers=answers))
    assert words in found


def test_a_google_batch_is_one():
    whole = google_batch([part("GET", "/calendar/v3/colors")], [answer_part({})])
    assert google.violations(whole) == []
    assert google.violations(dataclasses.replace(whole, headers=SIGNED))
    assert google.violations(dataclasses.replace(whole, body=multipart("GET /x HTTP/1.1\r\n", kind="text/plain")))
    assert "2 parts for 1" in str(
        google.violations(google_batch([part("GET", "/calendar/v3/colors")], [answer_part({})] * 2))
    )
    assert "no call" in str(google.violations(google_batch([part("GET", "/elsewhere")])))
    tasks = google_batch([part("GET", TASKS)], [answer_part({})])
    assert "no call of /batch/calendar/v3" in str(google.violations(tasks))
    assert google.violations(dataclasses.replace(tasks, path="/batch")) == []
    assert "no call of /batch" in str(google.violations(dataclasses.replace(whole, path="/batch")))
    bad = google_batch([part("POST", TASKS, {"status": "done"})], [answer_part({})])
    assert "status: 'done'" in str(google.violations(dataclasses.replace(bad, path="/batch")))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "https://graph.microsoft.com/v1.0/me"}, "not relative"),
        ({"id": 1}, "requests[0].id"),
        ({"methods": "GET"}, "requests[0].methods: no such field"),
        ({"method": "LIST"}, "requests[0].method"),
        ({"dependsOn": ["7"]}, "dependsOn"),
        ({"body": {}}, "no Content-Type"),
    ],
)
def test_a_graph_batch_is_one(change, words):
    one = {"id": "1", "method": "GET", "url": "/me/events"}
    assert graph.violations(graph_batch(one)) == []
    assert words in graph.violations(graph_batch(one | change))[0]
    assert "21 requests" in str(graph.violations(graph_batch(*(one | {"id": str(n)} for n in range(21)))))
    assert "asked were" in str(graph.violations(graph_batch(one, answers=[])))


# --- whose fault it is

GOOGLE_ERROR = {
    "error": {"code": 400, "message": "x", "errors": [{"domain": "d", "reason": "invalid", "message": "x"}]}
}


@pytest.mark.parametrize(
    ("name", "bad", "error"), [("google", insert(title="x"), GOOGLE_ERROR), ("graph", post(title="x"), ERROR)]
)
def test_a_test_may_ask_for_nonsense_that_is_refused_and_the_bridge_may_not(name, bad, error):
    refused = answered(bad, error, 400)
    assert VERDICT[name](dataclasses.replace(refused, strict=False)) == []
    assert len(VERDICT[name](refused)) == 2, "the field, and that the service refused it"
    taken = answered(bad, {}, 200)
    assert VERDICT[name](dataclasses.replace(taken, strict=False)), "who takes nonsense is no good service"


@pytest.mark.parametrize(("name", "good", "error"), [("google", insert(), GOOGLE_ERROR), ("graph", post(), ERROR)])
def test_what_the_schema_does_not_know_the_service_may(name, good, error):
    assert "refused the bridge" in VERDICT[name](answered(good, error, 400))[0]
    assert VERDICT[name](dataclasses.replace(answered(good, error, 400), strict=False)) == []


@pytest.mark.parametrize(
    ("name", "good", "bad"), [("google", insert(), insert(title="x")), ("graph", post(), post(title="x"))]
)
def test_the_answer_of_a_fault_is_exempt_and_what_was_asked_is_not(name, good, bad):
    for each, count in ((good, 0), (bad, 1)):
        asked_for = each.path + (f"?{each.query}" if each.query else "")
        struck = frozenset({("POST", asked_for)})
        cut = dataclasses.replace(each, status=200, answer=b'{"value": [{"id', struck=struck)
        assert len(VERDICT[name](cut)) == count
        assert VERDICT[name](dataclasses.replace(cut, struck=frozenset()))


# --- as it happens


@pytest.mark.parametrize("module", [google, graph, graph_sdk, odata, checks, exchange])
def test_the_validators_know_neither_the_bridge_nor_the_sandbox(module):
    assert not re.search(
        r"^\s*(from|import) (bridge|radicale_plugins|tests\.(?!traffic))", inspect.getsource(module), re.MULTILINE
    )


def test_a_life_of_the_bridge_breaks_no_schema(tmp_path):
    """Sign in, list, create, update, move an occurrence, delete: by both providers; and all of it was seen as the bridge's."""
    with Recording().watching() as seen, bridged.running() as sandbox, bridged.opened(sandbox, tmp_path) as story:
        hands = seen.calls - seen.by_bridge
        for day in range(5):
            story.phone.put(f"e{day}", event(f"Tea {day}", at(day, 9), at(day, 10)))
        story.phone.put("s", event("Run", at(3, 7), at(3, 8), "RRULE:FREQ=WEEKLY;COUNT=4"))
        story.rest()
        story.phone.edit("e1", "Tea 1", "Coffee")
        story.phone.remove("e2")
        override = local("RECURRENCE-ID", at(10, 7))
        story.phone.put(
            "s",
            event("Run", at(3, 7), at(3, 8), "RRULE:FREQ=WEEKLY;COUNT=4"),
            event("Run late", at(10, 8), at(10, 9), override),
        )
        story.rest()
        assert seen.calls - seen.by_bridge == hands, "nobody else has asked meanwhile"
    for service in ("google", "microsoft"):
        assert seen.by_bridge[service] > 20
    assert (seen.violations, seen.take()) == (0, [])


def test_a_test_with_bad_traffic_fails(tmp_path):
    """A service that takes what the vendor would not, and a test that is content with it."""
    root = Path(__file__).parents[2]
    (tmp_path / "test_planted.py").write_text(PLANTED)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.traffic.plugin", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True, text=True, cwd=root, timeout=120, check=False,
    )  # fmt: skip
    assert "1 failed, 1 passed" in run.stdout, run.stdout + run.stderr
    assert "answer 200: colour: no such field" in run.stdout
    assert "traffic: 2 calls of Google and 0 of Graph checked, 1 violations" in run.stdout


PLANTED = """
import httpx
from bridge.sandbox.google import app
from bridge.sandbox.server import Sandbox

def ask():
    with Sandbox() as sandbox:
        token = sandbox.google.token("alex@example.com")
        url = f"{sandbox.url}/google/calendar/v3/colors"
        return httpx.get(url, headers={"Authorization": f"Bearer {token}"}).json()

def test_good():
    assert ask()

def test_bad(monkeypatch):
    monkeypatch.setitem(app.HANDLERS, "calendar.colors.get", lambda call: {"colour": "red"})
    assert ask() == {"colour": "red"}
"""
