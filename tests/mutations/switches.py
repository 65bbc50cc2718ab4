"""The rules that protect people, each with the text that carries it, what to put in its place, and the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Switch:
    """``text`` stands exactly once in ``file``; with ``instead`` in its place the rule is off. ``tests`` are pytest's arguments."""

    rule: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]

    def count(self, root: Path = ROOT) -> int:
        return (root / self.file).read_text().count(self.text)

    def flip(self, root: Path) -> None:
        """Switch the rule off in a copy of the project. Raises ValueError unless the text is there once."""
        if self.count(root) != 1:
            raise ValueError(f"{self.rule}: its text does not stand once in {self.file}")
        path = root / self.file
        path.write_text(path.read_text().replace(self.text, self.instead))


SWITCHES = (
    Switch(
        "echo base: what the service answered is the base (R20)",
        "bridge/sync/sending.py",
        "    return Answer(sent, new, new.fields)\n",
        "    return Answer(sent, new, sent.intent.target or new.fields)\n",
        ("tests/sync/test_cycle.py", "-k", "r20"),
    ),
    Switch(
        "deterministic id: the same creation, the same key (R12)",
        "bridge/sync/identity.py",
        "return _hash(pair, uid, str(revision))",
        'return _hash(pair, uid, str(revision), __import__("uuid").uuid4().hex)',
        ("tests/sync/test_identity.py", "-k", "r12"),
    ),
    Switch(
        "deterministic id: Google creates under it (R12)",
        "bridge/providers/google/bodies.py",
        '{"id": key, **',
        "{**",
        ("tests/contracts/test_writing.py", "-k", "r12"),
    ),
    Switch(
        "deterministic id: what may be there is asked for (R12)",
        "bridge/sync/sending.py",
        "if sent.replay and (found := _made_before(session, remote, key, target)):",
        "if False and (found := _made_before(session, remote, key, target)):",
        ("tests/sync/test_batches.py", "-k", "r12"),
    ),
    Switch(
        "If-Match: Google (R36)",
        "bridge/providers/google/api.py",
        "        if if_match:\n",
        "        if False:\n",
        ("tests/contracts/test_writing.py", "-k", "r36"),
    ),
    Switch(
        "If-Match: Outlook (R36)",
        "bridge/providers/graph/api.py",
        "        if etag:\n",
        "        if False:\n",
        ("tests/contracts/test_writing.py", "-k", "r36"),
    ),
    # a sweep before the last page alone does no harm: what it marks is doubtful, and is shown again by its own page
    Switch(
        "incomplete listing: what it has not shown is only doubtful (R5, R26)",
        "bridge/store/inbox.py",
        ".values(payload=None, pending=True, certain=False)",
        ".values(payload=None, pending=True, certain=True)",
        ("tests/sync/test_listing.py", "-k", "r5 or r26"),
    ),
    Switch(
        "guard: many deletions wait for their owner (R6)",
        "bridge/sync/guard.py",
        "return toll.deletions > 0 and toll.deletions + toll.past > allowance(toll.links, approved)",
        "return False",
        ("tests/sync/test_parking.py", "-k", "r6"),
    ),
    Switch(
        "attendees: no copy carries them (R1)",
        "bridge/sync/projection.py",
        'GUESTS = frozenset({"organizer", "attendees"})',
        "GUESTS: frozenset[str] = frozenset()",
        ("tests/sync/test_guests.py", "tests/scenarios/test_guests.py", "-k", "r1"),
    ),
    Switch(
        "attendees: only the home invites, and only to one's own (R1, R2)",
        "bridge/sync/plan.py",
        "return not guests.anothers(hub.data, rules.own)",
        "return True",
        ("tests/sync/test_guests.py", "tests/scenarios/test_guests.py", "-k", "r1 or r2"),
    ),
    Switch(
        "attendees: what a first sync has not created yet stays quiet when it is over (R2)",
        "bridge/sync/plan.py",
        'quiet: Winner | None = "hub" if uninvited or rules.pairing else None',
        "quiet: Winner | None = None",
        ("tests/sync/test_guests.py", "-k", "r2"),
    ),
    Switch(
        "attendees: another pair invites nobody once the home is removed (R1)",
        "bridge/services/removing.py",
        "    homes.hush(conn, calendar.id, homes.at(conn, pair.id), but=pair.id)\n",
        "",
        ("tests/scenarios/test_taking_back.py", "-k", "r1"),
    ),
    Switch(
        "deterministic id: what is created again after a no has a key of its own (R6, R12)",
        "bridge/sync/refusal.py",
        'creation_key(f"{rules.pair}, refused {rules.now.isoformat()}", ',
        "creation_key(rules.pair, ",
        ("tests/sync/test_refusal.py", "-k", "r6"),
    ),
)
