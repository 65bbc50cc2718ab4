"""2,000 events in simulated Google: each once in the hub and once in simulated Outlook, then nothing more to do."""

import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx

from bridge import config
from bridge.ical import view
from bridge.ical.objects import parse
from bridge.services.context import open_context
from bridge.store import calendars, objects
from tests.benchmarks import setting
from tests.support import simulated_graph

EVENTS = 2000


def run(events=EVENTS):
    with setting.sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        sandbox.google.seed(setting.PERSON, events)
        setting.connect(data, sandbox)
        services = sandbox.google, sandbox.microsoft
        for service in services:
            service.meter.reset()
        started = time.monotonic()
        peak, outcomes = 0.0, []
        for pair in (1, 2, 1):  # Google to the hub; the hub to Outlook; what Outlook had, to Google
            outcome, memory = setting.sync_now(data, pair)
            outcomes.append(outcome)
            peak = max(peak, memory)
        seconds = time.monotonic() - started
        requests = {service.name: service.meter.requests for service in services}
        writes = {service.name: service.meter.writes for service in services}
        print(f"first sync of {events} events: {seconds:.1f} s in 3 processes, peak memory {peak:.0f} MB")
        trips = {service.name: service.meter.round_trips for service in services}
        print(f"  requests {requests}, of them writes {writes}; a batch counts as one: {trips}")
        for outcome in outcomes:
            print(
                f"  pair {outcome['pair']}: {outcome['hub_writes']} hub writes, {outcome['remote_writes']} remote writes"
            )
        each_once(data, sandbox, events)
        for service in services:
            service.meter.reset()
        again = [setting.sync_now(data, pair)[0] for pair in (1, 2)]
        idle = {service.name: (service.meter.requests, service.meter.writes) for service in services}
        print(
            f"  second sync: {sum(one['hub_writes'] + one['remote_writes'] for one in again)} writes, (requests, writes) {idle}"
        )
        assert all(one["hub_writes"] == one["remote_writes"] == 0 for one in again)
        assert not any(writes for _, writes in idle.values())


def each_once(data, sandbox, events):
    headers = {"Authorization": f"Bearer {sandbox.google.token(setting.PERSON, client_id='hands')}"}
    google, token = Counter(), None
    with httpx.Client(base_url=f"{sandbox.url}/google/calendar/v3/", headers=headers, timeout=60) as client:
        while True:
            query = {"maxResults": 2500, "showDeleted": "false", **({"pageToken": token} if token else {})}
            page = client.get("calendars/primary/events", params=query).raise_for_status().json()
            google.update(one["summary"] for one in page["items"] if "recurringEventId" not in one)
            token = page.get("nextPageToken")
            if not token:
                break
    graph = Counter()
    with simulated_graph.client(sandbox.microsoft) as client:
        url = "me/events?$top=500"
        while url:
            page = client.get(url, timeout=60).raise_for_status().json()
            graph.update(one["subject"] for one in page["value"])
            url = page.get("@odata.nextLink")
    context = open_context(config.load(data))
    with context.database.read() as conn:
        calendar = calendars.get(conn, "alex", "calendar")
        hub = Counter(view.read(parse(one.data)).master.summary for one in objects.every(conn, calendar.id))
    context.close()
    print(f"  events: Google {google.total()}, hub {hub.total()}, Outlook {graph.total()}")
    assert google == hub == graph
    assert google.total() == events
