"""How the service behaves where the facts leave room, or where a test wants it worse."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

CHOICES = {"pages": ("full", "short", "empty"), "dropped_exceptions": ("stale", "all"), "rate_status": (403, 429)}


@dataclass(slots=True)
class Switches:
    """``pages``: short ones hold half of what fits, empty ones hold nothing every other time (G-26).

    ``dropped_exceptions``: what an edit of a master's time or rule takes with it (G-66): those whose instance is gone, or
    all. ``full_tombstones``: deleted events keep their fields in answers (G-62). ``revive``: status confirmed brings a
    deleted event back; else 403 (G-46). ``rewrites``: texts and rules come back otherwise than they were sent (R20).
    ``rotate_refresh_tokens``: each refresh gives a new one and ends the old. ``testing``: the consent screen is in testing,
    refresh tokens die after seven days (G-10). ``rate_per_minute``: requests of one person, 0 for no limit, refused with
    ``rate_status`` (G-91). ``sync_token_days``: the age at which a sync token, or an updatedMin, is too old (G-35, G-37).
    ``horizon_days``: how far ahead endless series are expanded where no timeMax is given.

    What the facts leave open of tasks: ``task_if_match``: If-Match is honoured; else it is ignored. ``task_tombstones``:
    a deleted task can be read, revived and deleted again; else it is 404 but for lists. ``task_children_deleted``: the tasks
    below a deleted one go with it; else they come to the top. ``task_move_tombstones``: a task that was moved to another
    list leaves a tombstone in the old one. ``task_due_in_utc``: the date of ``due`` is that of its instant in UTC; else the
    one that is written. ``task_due_keeps_time``: a write of ``due`` leaves a time that Google's own pages gave (G-107).
    ``task_put_needs_id``: an update must name the task's id in its body. ``task_levels``: how deep tasks may stand below each
    other, 0 for any depth. ``task_bounds_inclusive``: what lies on a bound of a list is within. ``task_lists_move``: a change
    of its tasks changes the etag and ``updated`` of their list.
    """

    pages: str = "full"
    dropped_exceptions: str = "stale"
    full_tombstones: bool = False
    revive: bool = True
    rewrites: bool = False
    rotate_refresh_tokens: bool = False
    testing: bool = False
    rate_per_minute: int = 0
    rate_status: int = 403
    sync_token_days: int = 28
    horizon_days: int = 1000
    task_if_match: bool = True
    task_tombstones: bool = True
    task_children_deleted: bool = True
    task_move_tombstones: bool = False
    task_due_in_utc: bool = False
    task_due_keeps_time: bool = False
    task_put_needs_id: bool = True
    task_levels: int = 0
    task_bounds_inclusive: bool = True
    task_lists_move: bool = False

    def change(self, options: dict[str, Any]) -> dict[str, Any]:
        """Set some of them; all of them as they are now. ValueError for an unknown name or a bad value, nothing set."""
        known = {each.name: each for each in fields(self)}
        for name, value in options.items():
            if name not in known:
                raise ValueError(f"no option {name!r}; there are {', '.join(known)}")
            if type(value) is not type(getattr(self, name)) or value not in CHOICES.get(name, (value,)):
                raise ValueError(f"{value!r} is no value for {name}")
        for name, value in options.items():
            setattr(self, name, value)
        return asdict(self)
