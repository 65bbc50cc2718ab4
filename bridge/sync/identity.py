"""Names that come out the same whenever they are made again, and how two strangers are recognised as one event."""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from bridge.ical.fields import ObjectFields, Span, When
from bridge.ical.times import instant

_OURS = re.compile("[0-9a-v]{32}")


def creation_key(pair: str, uid: str, revision: int) -> str:
    """The key of one creation: 32 characters of [0-9a-v] (G-44, M-34).

    The hub's ``revision`` makes it another one where an object that was deleted on the remote is created again: the
    service keeps a deleted key taken (G-45).
    """
    return _hash(pair, uid, str(revision))


def is_ours(key: str) -> bool:
    """Whether a creation key has the form of those that we make; other clients make theirs in other ways."""
    return bool(_OURS.fullmatch(key))


def derived_uid(pair: str, remote_id: str) -> str:
    """The UID in the hub of a remote object whose iCalUID is taken by another object, or is not known."""
    return f"{_hash(pair, remote_id)}@caldav-bridge"


def _hash(*parts: str) -> str:
    # lengths keep ("ab", "c") and ("a", "bc") apart
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return base64.b32hexencode(hashlib.sha256(text.encode()).digest()[:20]).decode().lower()


def fingerprint(fields: ObjectFields) -> str:
    """When, title and recurrence, whatever case, spaces and zone names they are written in (R16)."""
    title = normal_title(fields.master.summary)
    rules = sorted(";".join(sorted(re.split(r"[:;]", line.upper()))) for line in fields.recurrence)
    return _hash(_when(fields.master.when), title, *rules)


def normal_title(title: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", title).casefold().split())


def _when(when: When | Span) -> str:
    if isinstance(when, Span):
        # not the time of day: services know the day only
        return f"/{when.due[0].isoformat()[:10]}" if when.due else ""
    if when.zone is None:
        return f"{when.start.isoformat()}/{when.end.isoformat()}"
    utc = ZoneInfo("UTC")
    start = instant(when.start, when.zone, floating=utc)
    return f"{start.isoformat()}/{instant(when.end, when.end_zone or when.zone, floating=utc).isoformat()}"


@dataclass(frozen=True, slots=True)
class Matches:
    """The outcome of pairing: remote ids to hub UIDs, and those of both sides that nobody can tell apart."""

    found: Mapping[str, str] = field(default_factory=dict)
    ambiguous_hub: frozenset[str] = frozenset()
    ambiguous_remote: frozenset[str] = frozenset()


def match(
    hub: Mapping[str, str], remote: Mapping[str, tuple[str, str]], former: Mapping[str, str] | None = None
) -> Matches:
    """Find the counterparts among what is linked on neither side: by UID, then by fingerprint, one to one (R16).

    ``hub`` maps UIDs to fingerprints, ``remote`` ids to (iCalUID, fingerprint). Several objects alike are not guessed at.
    ``former`` maps remote ids to UIDs as they were linked once, which goes before all that: neither an edit on one side nor a
    copy with the same UID changes it (R9, R15).
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for id, uid in sorted((former or {}).items()):
        if id in remote and uid in hub and uid not in taken:
            found[id] = uid
            taken.add(uid)
    for id in sorted(remote.keys() - found.keys()):
        uid, _ = remote[id]
        if uid in hub and uid not in taken:
            found[id] = uid
            taken.add(uid)
    here: dict[str, list[str]] = defaultdict(list)
    there: dict[str, list[str]] = defaultdict(list)
    for uid in sorted(hub.keys() - taken):
        here[hub[uid]].append(uid)
    for id in sorted(remote.keys() - found.keys()):
        there[remote[id][1]].append(id)
    ambiguous_hub: set[str] = set()
    ambiguous_remote: set[str] = set()
    for print_ in here.keys() & there.keys():
        if len(here[print_]) == len(there[print_]) == 1:
            found[there[print_][0]] = here[print_][0]
        else:
            ambiguous_hub.update(here[print_])
            ambiguous_remote.update(there[print_])
    return Matches(found, frozenset(ambiguous_hub), frozenset(ambiguous_remote))
