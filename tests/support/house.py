"""A hub's data directory with one person in it, and the running sandbox beside it: what the use cases are tested on.

Hub and services go by one clock, the sandbox's, which stands still unless a test moves it.
"""

import datetime as dt
from contextlib import contextmanager
from urllib.parse import urlsplit

from bridge import config
from bridge.services import connecting, principals, syncing
from bridge.services.context import open_context
from bridge.store import accounts, calendars, channels, objects, pairs
from tests.contracts import google_bench, graph_bench

BENCHES = {"google": google_bench, "microsoft": graph_bench}
EMAIL = google_bench.PERSON


class House:
    """``context`` is opened as every command opens it; Alex is its only person, nothing is connected yet."""

    def __init__(self, context, sandbox):
        self.context, self.sandbox = context, sandbox
        self.services = {"google": sandbox.google, "microsoft": sandbox.microsoft}

    def connect(self, provider="google"):
        """Consent as a person gives it, on the service's own page."""
        url = connecting.begin(self.context, "alex", provider, sandbox=True)
        return connecting.finish(self.context, provider, BENCHES[provider].agree(url))

    def more_pairs(self, provider, count):
        """So many calendars here and there, paired and due; the pairs' ids."""
        held = self.read(accounts.every)
        account = next(one for one in held if one.provider == provider)
        known = {one.calendar.id for one in connecting.refresh_calendars(self.context, account)}
        for number in range(count):
            if provider == "google":
                self.sandbox.google.add_calendar(EMAIL, f"More {number}")
            else:
                with self.sandbox.microsoft.lock:
                    self.sandbox.microsoft.box(EMAIL).add_calendar(f"More {number}", "auto")
        fresh = [one for one in connecting.refresh_calendars(self.context, account) if one.calendar.id not in known]
        now = self.context.now()
        with self.context.database.write() as conn:
            owner = calendars.get(conn, "alex", "calendar").principal_id
            here = [
                calendars.create(conn, owner, f"c{one.id}", properties={"tag": "VCALENDAR"}, now=now) for one in fresh
            ]
            return [
                pairs.add(conn, calendar_id=local.id, remote_calendar_id=one.id, now=now).id
                for local, one in zip(here, fresh, strict=True)
            ]

    def add(self, provider, title):
        """An hour tomorrow, as if the person had typed it in at the service."""
        start = (self.context.now() + dt.timedelta(days=1)).replace(minute=0, second=0, microsecond=0, tzinfo=None)
        times = [{"dateTime": at.isoformat(), "timeZone": "UTC"} for at in (start, start + dt.timedelta(hours=1))]
        event = dict(zip(("start", "end"), times, strict=True))
        if provider == "microsoft":
            self.sandbox.microsoft.create(EMAIL, {"subject": title, **event})
        else:
            with self.sandbox.google.transaction():
                self.sandbox.google.writer(EMAIL).insert({"summary": title, **event})

    def cycle(self, pair_id):
        return syncing.run_now(self.context, pair_id)

    def quiet(self, pair_id):
        """One cycle that must succeed, and write nothing on either side."""
        writes = {name: each.meter.writes for name, each in self.services.items()}
        outcome = self.cycle(pair_id)
        assert outcome.error is None, outcome
        assert (outcome.hub_writes, outcome.remote_writes) == (0, 0), outcome
        return writes == {name: each.meter.writes for name, each in self.services.items()}

    def pass_by(self, **delta):
        self.sandbox.clock.advance(dt.timedelta(**delta))
        return self.context.now()

    # --- what the database holds

    def read(self, function, *arguments):
        with self.context.database.read() as conn:
            return function(conn, *arguments)

    def pair(self, pair_id):
        return self.read(pairs.get, pair_id)

    def account(self, account_id):
        return self.read(accounts.by_id, account_id)

    def channels(self, pair_id):
        return self.read(channels.of_pair, pair_id)

    def calendar(self):
        return self.read(calendars.get, "alex", "calendar")

    def objects(self):
        return list(self.read(lambda conn: list(objects.every(conn, self.calendar().id))))


@contextmanager
def opened(sandbox, folder, toml=""):
    """``toml`` is what else stands in config.toml."""
    (folder / "config.toml").write_text(f"[sandbox]\nport = {urlsplit(sandbox.url).port}\n{toml}")
    context = open_context(config.load(folder), now=sandbox.clock, sleep=sandbox.clock.sleep)
    try:
        principals.add(context.database, "alex", EMAIL, now=context.now())
        yield House(context, sandbox)
    finally:
        context.close()
