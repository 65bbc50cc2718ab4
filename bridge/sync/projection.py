"""What a remote calendar is shown of events whose home is elsewhere (R1, R41). Pure, and applied before anything leaves the hub.

Whatever it is shown, it never gets their guests: a copy with guests would be a second invitation. What is hidden from a
remote is never taken from it either, so a projection cannot be read back over the origin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeVar, get_args

from bridge.errors import UsageError
from bridge.ical import onward
from bridge.ical.fields import MASTER, Change, EventFields, ObjectFields, TodoFields

Level = Literal["full", "titles", "busy"]
_Component = TypeVar("_Component", bound=EventFields | TodoFields)

GUESTS = frozenset({"organizer", "attendees"})
_DETAILS = frozenset(
    {
        *(
            "description",
            "location",
            "geo",
            "categories",
            "color",
            "priority",
            "show_as",
            "url",
            "conference",
            "others",
            "alarms",
        ),
        "reminders",
    }
)
_HIDDEN: Mapping[Level, frozenset[str]] = {
    "full": GUESTS,
    "titles": GUESTS | _DETAILS,
    "busy": GUESTS | _DETAILS | {"summary", "classification", "status"},
}
BUSY = "Busy"
_DEFAULTS = {
    each.name: each.default for kind in (EventFields, TodoFields) for each in fields(kind) if each.name != "when"
}
_OF_EVENTS = frozenset(each.name for each in fields(EventFields))
_OF_TODOS = frozenset(each.name for each in fields(TodoFields)) - {"status"}  # what is done is to be seen as done


@dataclass(frozen=True, slots=True)
class Redaction:
    """Events with this class, or with this category, are shown at ``level`` at the most."""

    by: Literal["class", "category"]
    value: str
    level: Level

    def concerns(self, event: EventFields | TodoFields) -> bool:
        if self.by == "class":
            return event.classification == self.value.upper()
        return self.value.casefold() in (each.casefold() for each in event.categories)


@dataclass(frozen=True, slots=True)
class Projection:
    """``level`` for all events; the strictest of it and of what ``redactions`` say of any component counts for the whole object."""

    level: Level = "full"
    redactions: tuple[Redaction, ...] = ()

    def level_of(self, what: ObjectFields) -> Level:
        events = (what.master, *what.overrides.values())
        asked = (each.level for each in self.redactions if any(each.concerns(event) for event in events))
        return max((self.level, *asked), key=get_args(Level).index)

    def hidden(self, what: ObjectFields) -> frozenset[str]:
        """The names of the fields that are not shown."""
        hidden = _HIDDEN[self.level_of(what)]
        return hidden & (_OF_TODOS if isinstance(what.master, TodoFields) else _OF_EVENTS)

    def show(self, what: ObjectFields) -> ObjectFields:
        """What may leave the hub."""
        return _overlaid(what, _shown(self.hidden(what)))

    def to_json(self) -> dict[str, Any] | None:
        if self == Projection():
            return None
        rules = [{each.by: each.value, "level": each.level} for each in self.redactions]
        return {"level": self.level, "rules": rules}

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Projection:
        if value is None:
            return cls()
        return cls(value["level"], tuple(_redaction(each) for each in value.get("rules", ())))


def _redaction(rule: Mapping[str, Any]) -> Redaction:
    by: Literal["class", "category"] = "class" if "class" in rule else "category"
    return Redaction(by, rule[by], rule["level"])


def read(level: str, rules: Iterable[str] = ()) -> Projection:
    """From what a person writes: a level, and rules such as ``class=PRIVATE:busy`` or ``category=Health:titles``.

    Raises UsageError.
    """
    return Projection(_level(level), tuple(_rule(each) for each in rules))


def _rule(rule: str) -> Redaction:
    what, _, level = rule.rpartition(":")
    by, _, value = what.partition("=")
    if by not in ("class", "category") or not value.strip():
        raise UsageError(f"a redaction reads class=PRIVATE:busy or category=Health:titles, not {rule!r}")
    if by == "class" and value.strip().upper() not in ("PUBLIC", "PRIVATE", "CONFIDENTIAL"):
        raise UsageError(f"a class is PUBLIC, PRIVATE or CONFIDENTIAL, not {value!r}")
    return Redaction("class" if by == "class" else "category", value.strip(), _level(level))


def _level(word: str) -> Level:
    for level in get_args(Level):
        if word == level:
            return level  # type: ignore[no-any-return]
    raise UsageError(f"what is shown is one of {', '.join(get_args(Level))}, not {word!r}")


def _shown(hidden: Iterable[str]) -> dict[str, Any]:
    return {name: BUSY if name == "summary" else _DEFAULTS[name] for name in hidden}


def _overlaid(what: ObjectFields, values: Mapping[str, Any]) -> ObjectFields:
    if not values:
        return what
    overrides = {key: replace(event, **values) for key, event in what.overrides.items()}
    return replace(what, master=replace(what.master, **values), overrides=overrides)


def unseen(base: ObjectFields, now: ObjectFields, hidden: frozenset[str]) -> ObjectFields:
    """``now`` as if nothing hidden had changed in it since ``base``; an instance that is new has what its series had."""
    if not hidden:
        return now

    def kept(event: _Component, was: EventFields | TodoFields) -> _Component:
        return replace(event, **{each.name: getattr(was, each.name) for each in fields(event) if each.name in hidden})

    overrides = {key: kept(event, onward.event(base, key)) for key, event in now.overrides.items()}
    return replace(now, master=kept(now.master, base.master), overrides=overrides)


def own_words(change: Change, own: ObjectFields, hidden: Iterable[str]) -> Change:
    """A change from a remote for the hub's ``own`` object, of which ``hidden`` was not shown: there the hub's values stay.

    An instance that becomes an override names all its fields: those that were hidden are the hub's, not what the remote was
    shown in their stead.
    """
    names = frozenset(hidden)
    if not names:
        return change
    whole = {key for (key, name), value in change.items() if name == "state" and value == "override"}
    kept = {path: value for path, value in change.items() if path[1] not in names}
    for key in whole - {MASTER}:
        instance = onward.event(own, key)
        kept |= {(key, name): getattr(instance, name) for name in names}
    return kept


def names(projection: Projection) -> Sequence[str]:
    """How it is written, in the words of ``read``: the level first, then its rules."""
    return [projection.level, *(f"{each.by}={each.value}:{each.level}" for each in projection.redactions)]
