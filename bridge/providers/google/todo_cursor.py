"""Where a reader of a task list stands: Google keeps no place for us, so all of it is in the cursor (G-103). Pure.

What has changed is asked for by time, and only the service's own times say from when: the latest ``updated`` that was seen.
Its servers' clocks may differ a little, and a change may show up late; so a round begins ``OVERLAP`` before that, and earlier
by as much as the round before it took. Once a change can be late no more, it begins behind it, and a list at rest answers with
nothing.

Our own clock (``now``) only measures how long something took; it is never compared with a time of the service.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass, fields, replace

from bridge.errors import CursorLost

OVERLAP = dt.timedelta(minutes=5)
SETTLED = dt.timedelta(minutes=10)
"""After the last change was seen: what shows up later still, the next complete listing finds."""
LISTED_ANEW = dt.timedelta(hours=24)
"""A task that was moved to another list may leave nothing behind in the old one; a complete listing misses it."""
_TICK = dt.timedelta(milliseconds=1)  # in which Google tells times


@dataclass(frozen=True, slots=True)
class Position:
    """All times are aware UTC. ``since``: what the round asks for; None: everything, for no task was ever seen.

    ``top`` is the latest change seen before this round, and ``seen`` when that was. ``listed``: when the last complete listing
    ended; None while the first round lists. Within a round: when it ``began``, the ``latest`` change so far, and Google's
    token of the next ``page``.
    """

    since: dt.datetime | None = None
    top: dt.datetime | None = None
    seen: dt.datetime | None = None
    listed: dt.datetime | None = None
    began: dt.datetime | None = None
    latest: dt.datetime | None = None
    page: str | None = None

    @classmethod
    def of(cls, cursor: str | None, *, now: dt.datetime) -> Position:
        """At the beginning of a round, or within one. Raises CursorLost where everything has to be listed."""
        if cursor is None:
            return cls(began=now)
        found = _read(cursor)
        if found.began is not None:
            return found
        if found.listed is None or abs(now - found.listed) >= LISTED_ANEW:
            raise CursorLost("it is time to list everything anew")
        return replace(found, began=now)

    @property
    def listing(self) -> bool:
        return self.listed is None

    def behind(self, changes: list[dt.datetime], page: str | None, *, now: dt.datetime) -> Position:
        """Behind a page with these changes; ``page`` is the next one's token, None at the end of the round."""
        latest = max([*changes, *([self.latest] if self.latest else [])], default=None)
        if page is not None:
            return replace(self, latest=latest, page=page)
        listed = self.listed or now
        if latest is not None and (self.top is None or latest > self.top):
            took = max(now - self.began, dt.timedelta()) if self.began else dt.timedelta()
            return Position(latest - took - OVERLAP, latest, now, listed)
        if self.top is not None and self.seen is not None and abs(now - self.seen) >= SETTLED:
            return Position(self.top + _TICK, self.top, self.seen, listed)
        return Position(self.since, self.top, self.seen, listed)

    def dump(self) -> str:
        held = {
            name: value.isoformat() if isinstance(value, dt.datetime) else value for name, value in asdict(self).items()
        }
        return json.dumps({name: value for name, value in held.items() if value is not None})


def _read(cursor: str) -> Position:
    names = [each.name for each in fields(Position) if each.name != "page"]
    try:
        held = json.loads(cursor)
        times = {name: dt.datetime.fromisoformat(held[name]) for name in names if name in held}
        return Position(**times, page=held.get("page"))
    except (ValueError, TypeError, AttributeError):
        raise CursorLost("this is no cursor of ours") from None
