"""Objects made to break the sync harm only themselves (R32), and nothing that people write leaves a trace in logs (R41)."""

import io
import json
import logging

import sqlalchemy as sa

from bridge.config import Log
from bridge.services import logs
from bridge.store import tables
from tests.e2e.dates import FROM, TO
from tests.support.bridged import at, event, shown
from tests.support.hostile import POISON

CANARY = "canary-77b1"


def test_r32_objects_at_the_ends_of_time_hold_nobody_up(story):
    for number, lines in enumerate(POISON):
        story.phone.put(f"p{number}", "\n".join(lines))
    story.phone.put("good", event("Good", at(1, 9), at(1, 10)))
    for _ in range(6):  # a service that fails over one event of the year 9999 is asked again later, behind the others
        for provider in story.pairs:
            assert "caldav-bridge itself" not in (story.cycle(provider).error or "")
        story.pass_by(minutes=2)
    good = shown(at(1, 9), at(1, 10), "Good")
    assert good in story.google.shows(FROM, TO)
    assert good in story.graph.shows(FROM, TO)
    assert len(story.phone.stored()) == len(POISON) + 1
    assert {reason for reason in story.quarantined().values() if "unexpected" in reason} == set()
    story.google.retitle(story.google.find("Good"), "Better")
    for _ in range(2):
        for provider in story.pairs:
            story.cycle(provider)
    assert "SUMMARY:Better" in story.phone.stored()["good"]
    assert story.graph.find("Better")


def test_r41_no_log_no_status_and_no_audit_quotes_events_or_tokens(story, caplog):
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    logs.configure(Log(level="debug", format="json"))
    stream = root.handlers[0].stream = io.StringIO()
    try:
        story.phone.put(
            "a", event(f"{CANARY} title", at(1, 9), at(1, 10), f"DESCRIPTION:{CANARY}", f"LOCATION:{CANARY}")
        )
        story.phone.put("b", event(f"{CANARY} odd", at(1, 9), at(1, 10), "RRULE:FREQ=DAILY;BYMONTH=1"))
        story.phone.put("c", f"SUMMARY:{CANARY}\nDTSTART:{CANARY}")
        for path in ("/google/calendar/", "/microsoft/v1"):
            body = {"error": {"code": 400, "message": CANARY, "errors": [{"reason": "invalid", "message": CANARY}]}}
            story.sandbox.faults.inject(method="POST", path=path, status=400, body=body)
            story.sandbox.faults.inject(
                method="GET", path=path, status=200, body={"value": [CANARY], "items": [CANARY]}
            )
        for _ in range(3):
            for provider in story.pairs:
                story.cycle(provider)
        story.sandbox.google.expire_tokens()
        story.sandbox.microsoft.expire_tokens()
        for provider in story.pairs:
            story.cycle(provider)
        story.connect("google")
    finally:
        root.handlers = handlers
        root.setLevel(level)
    text = stream.getvalue()
    assert "synced" in text
    assert CANARY not in text
    with story.context.database.read() as conn:
        told = [conn.execute(sa.select(table)).all() for table in (tables.audit, tables.pairs, tables.accounts)]
        grants = [story.context.vault.open(one) for one in conn.scalars(sa.select(tables.accounts.c.grant))]
    assert CANARY not in repr(told)
    secrets = {value for grant in grants for value in _strings(json.loads(grant)) if len(value) >= 16}
    assert secrets
    assert not any(secret in text or secret in repr(told) for secret in secrets if "//" not in secret)


def _strings(value):
    if isinstance(value, dict):
        return [
            text for name, each in value.items() if "secret" in name or "token" in name for text in _strings(each)
        ] + [text for each in value.values() if isinstance(each, dict) for text in _strings(each)]
    return [value] if isinstance(value, str) else []


def test_the_files_are_readable_for_their_owner_alone(story):
    folder = story.context.settings.data
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert folder.stat().st_mode & 0o077 == 0
