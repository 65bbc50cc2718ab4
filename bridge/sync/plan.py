"""What to do about one object, given what both sides last agreed on: no clock, no network, no database.

A link's two bases always tell the truth, whatever has happened to the intent that was planned from them: taking a remote
change moves both bases at once, in the transaction that writes the hub; a hub change moves the hub's base only when the
remote has answered. So a plan may be thrown away and made anew at any time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import edit, objects, recurrence, times, view
from bridge.ical.fields import MASTER, SCHEDULE, Change, ObjectFields, Path, Span, TodoFields, When, diff, patch
from bridge.sync import asides, guests, kinship, parts, projection
from bridge.sync.guests import Say
from bridge.sync.identity import creation_key, derived_uid
from bridge.sync.laying import edited
from bridge.sync.ledger import Conflict, Direction, HubObject, Intent, Link, Policy, Winner
from bridge.sync.merge import EVENT_FIELDS, Edited, Merged, merge, of_schedule, unite
from bridge.sync.ports import Lens, RemoteObject
from bridge.sync.projection import Projection
from bridge.sync.standing import again, clean, quarantined, trying

PERSONAL = frozenset({"reminders", "transp", "show_as"})
"""What may be written on a meeting that someone else organises (R3, M-56)."""

MATTERS_OF_TASTE = frozenset({"color", "aside"})
"""What is neither written on such a meeting nor set back here."""

BEYOND = "its times lie beyond the years that can be reckoned with"

UNTOLD = "its rule cannot be held there: its occurrences are there one by one, and its guests are told of none of them"

ASKED = "both sides have changed the same: its owner is to say which version stands"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rules:
    """How this pair is kept. ``pair`` is its key; ``pairing``: nothing may be deleted (R8); ``now`` is aware UTC.

    ``projection`` is what the remote may see of objects whose home is elsewhere; ``invitations``: guests are told to it where
    it is their home; ``own``: this person's addresses.
    """

    lens: Lens
    pair: str
    direction: Direction
    policy: Policy
    pairing: bool
    now: dt.datetime
    projection: Projection = field(default_factory=Projection)
    invitations: bool = True
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """One object, as both sides have it. None: it is not there (any more).

    ``uid`` is the name that it has, or would get, in the hub; ``series`` the remote's id, be it readable or not.
    ``buried`` is the last version of a hub object that was deleted. ``problem``: why it must be left alone. ``home``: this
    pair's remote is where it belongs, with its guests; any other remote has a copy without them (R1). ``parts`` of it are
    linked.
    """

    uid: str
    link: Link | None
    hub: HubObject | None
    remote: RemoteObject | None
    series: str | None = None
    buried: bytes | None = None
    problem: str | None = None
    home: bool = False
    parts: frozenset[str] = frozenset()

    @property
    def part(self) -> str:
        """The instance that ``uid`` names; MASTER: the whole object."""
        return parts.split(self.uid)[1] if self.hub is None else self.hub.part


@dataclass(frozen=True, slots=True)
class HubPut:
    """A new object where ``href`` and ``expected`` are None, else the change of that version (R36)."""

    href: str | None
    data: bytes
    expected: str | None


@dataclass(frozen=True, slots=True)
class HubDelete:
    href: str
    expected: str


@dataclass(frozen=True, slots=True)
class Step:
    """What to do about one case. ``link`` is how it shall stand then; None: there is nothing to remember.

    ``parts`` are to be planned then, for they are shown one by one; ``calls_off``: what is put has one occurrence less.
    """

    case: Case
    link: Link | None
    hub: HubPut | HubDelete | None = None
    intent: Intent | None = None
    conflicts: tuple[Conflict, ...] = ()
    deferred: bool = False
    parts: tuple[str, ...] = ()
    calls_off: bool = False

    @property
    def deletes(self) -> Winner | None:
        """The side that would lose its object."""
        if isinstance(self.hub, HubDelete) or self.calls_off:
            return "hub"
        if self.case.hub is None and self.case.parts:
            return "remote"
        return "remote" if self.intent is not None and self.intent.kind == "delete" else None

    @property
    def mails(self) -> bool:
        """Whether somebody would be invited who is not yet."""
        if self.intent is None or self.intent.target is None or not self.case.home:
            return False
        there = guests.of(self.case.remote.fields) if self.case.remote is not None else frozenset()
        return bool(guests.of(self.intent.target) - there)


def plan(case: Case, rules: Rules) -> Step:
    """Decide about one object. What cannot be mapped is quarantined with its reason, and nothing else is held up (R32)."""
    if case.problem is not None:
        return quarantine(case, rules, case.problem, retry=False)
    try:
        try:
            step = _decide(case, rules)
        except Unmappable as error:
            return _in_parts(case, rules) or quarantine(case, rules, str(error))
        return _with_orphans(step, rules)
    except (Unmappable, InvalidCalendarData) as error:
        return quarantine(case, rules, str(error))
    except OverflowError:
        return quarantine(case, rules, BEYOND, retry=False)
    except Exception as error:  # noqa: BLE001 - whatever one object makes us stumble over, the others go on
        return quarantine(case, rules, f"unexpected {type(error).__name__}")


def _in_parts(case: Case, rules: Rules) -> Step | None:
    """Show the occurrences of a series one by one where the remote cannot hold it as one (R-29). None: that is not the trouble.

    What it holds as one has to go first; but nothing that has changed there, nor a meeting whose guests would be told.
    """
    hub, link, remote = case.hub, case.link, case.remote
    if hub is None or case.part or rules.direction == "pull":
        return None
    whole = parts.read(hub.data)
    visible = whole if case.home else replace(whole, fields=rules.projection.show(whole.fields))
    found = parts.spread(visible, rules.lens, now=rules.now)
    if found.whole:
        return None
    if remote is not None:
        if link is None or link.remote_base is None or diff(link.remote_base, remote.fields) or rules.pairing:
            return None
        if remote.organized_elsewhere or guests.of(remote.fields):
            return None
        doomed = replace(clean(link), version=remote.version)
        return Step(case, trying(doomed, link), intent=Intent(case.uid, "delete"))
    untold = case.home and rules.invitations and guests.of(whole.fields) - rules.own
    window = Link(
        case.uid,
        dirty=found.more,
        retry_at=rules.now + parts.MOVES if found.more else None,
        quarantine=UNTOLD if untold else None,
    )
    return Step(case, window, parts=tuple(parts.name(case.uid, key) for key in found.keys))


def _with_orphans(step: Step, rules: Rules) -> Step:
    """With those overrides that the rule does not have, and the remote therefore not either (X-39)."""
    case = step.case
    data = step.hub.data if isinstance(step.hub, HubPut) else case.hub.data if case.hub is not None else b""
    if case.part or isinstance(step.hub, HubDelete) or b"RECURRENCE-ID" not in data or rules.direction == "pull":
        return step
    if case.remote is not None and case.remote.organized_elsewhere:
        return step
    found = parts.spread(parts.read(data), rules.lens, now=rules.now)
    return replace(step, parts=tuple(parts.name(case.uid, key) for key in found.keys))


def quarantine(case: Case, rules: Rules, reason: str, *, retry: bool = True) -> Step:
    """Leave this one alone until a side changes, or for a while. Its bases stay, so nothing is lost."""
    known = case.link or Link(case.uid, remote_id=case.series)
    return Step(case, quarantined(known, reason, now=rules.now, retry=retry))


def _decide(case: Case, rules: Rules) -> Step:
    hub, remote, link = case.hub, case.remote, case.link
    if hub is None and remote is None:
        return Step(case, None)
    if link is None or link.hub_base is None or link.remote_base is None:
        if hub is None:
            return _arrive(case, _there(remote), rules)
        if remote is None:
            return _depart(case, hub, link, rules)
        return _unite(case, hub, remote, rules)
    if hub is None:
        return _hub_gone(case, link, _there(remote), rules)
    if remote is None:
        return _remote_gone(case, link, hub, rules)
    return _both(case, link, hub, remote, rules)


def _there(value: T | None) -> T:
    if value is None:
        raise ValueError("a link without its other half")
    return value


def seen(data: bytes, lens: Lens, part: str = MASTER) -> ObjectFields:
    """The hub's object, or one of its parts, as the provider at its home sees it."""
    return lens.view(_visible(data, Projection(), home=True, part=part))


def shown(data: bytes, lens: Lens, projection: Projection, *, home: bool, part: str = MASTER) -> ObjectFields:
    """The hub's object, or one of its parts, as a pair's remote may see it, with what is noted beside it there (R41)."""
    visible = _visible(data, projection, home=home, part=part)
    return asides.laid(visible, lens.view(visible), lens)


def _visible(data: bytes, projection: Projection, *, home: bool, part: str) -> ObjectFields:
    fields = parts.read(data).fields if part else view.read(objects.parse(data))
    if not home:
        fields = projection.show(fields)
    return parts.single(fields, part) if part else fields


def within_time(fields: ObjectFields) -> ObjectFields:
    """Raises OverflowError where a time is at an end of all calendars: it has been cut there, and would mean another one."""
    ends = (end for event in (fields.master, *fields.overrides.values()) for end in _ends(event.when))
    if any(end.year in (dt.MINYEAR, dt.MAXYEAR) for end in ends):
        raise OverflowError
    return fields


def _ends(when: When | Span) -> list[dt.date]:
    if isinstance(when, Span):
        return [place[0] for place in (when.start, when.due) if place is not None]
    return [when.start, when.end]


def _shown(data: bytes, case: Case, rules: Rules) -> ObjectFields:
    """Raises OverflowError as ``within_time`` does."""
    return within_time(shown(data, rules.lens, rules.projection, home=case.home, part=case.part))


def _hidden(data: bytes, case: Case, rules: Rules) -> frozenset[str]:
    return frozenset() if case.home else rules.projection.hidden(parts.read(data).fields)


def _arrive(case: Case, remote: RemoteObject, rules: Rules) -> Step:
    """The remote has an object that the hub has not."""
    if rules.direction == "push":
        return Step(case, None)
    if (
        case.part
    ):  # its series has gone, or has it no more, and there it was changed meanwhile: that is an event of its own now
        case = replace(case, uid=derived_uid(rules.pair, remote.id), home=True)
    fields = kinship.here(asides.recalled(remote, rules.lens), rules.lens)
    fields = fields if case.home else guests.without(fields)
    data = edit.compose(fields, uid=case.uid, now=rules.now)
    link = Link(
        case.uid,
        remote_id=remote.id,
        version=remote.version,
        hub_base=_shown(data, case, rules),
        remote_base=remote.fields,
    )
    return Step(case, link, HubPut(None, data, None))


def _depart(case: Case, hub: HubObject, link: Link | None, rules: Rules, *, uninvited: bool = False) -> Step:
    """The hub has an object that the remote has not. ``uninvited``: its guests get no mail, for they were sent a cancellation.

    Nor do those of an object about which its owner was asked whether it is another one: it was there before (R2).
    """
    uninvited = uninvited or (link is not None and link.decision is not None)
    if rules.direction == "pull":
        return Step(case, None)
    fields = _shown(hub.data, case, rules)
    if _emptied(fields):  # as if the remote had dropped it: some have no series without occurrences
        return Step(case, Link(hub.uid, hub_base=fields, remote_base=fields))
    invites = _invites(fields, hub, case, rules) and not uninvited
    target = guests.but(fields, rules.own) if invites else guests.without(fields)
    target = rules.lens.view(target)
    # a creation that was refused may have got halfway: the same key then finishes it
    key = (link and link.creation_key) or creation_key(rules.pair, hub.uid, hub.revision)
    # planned anew before it was made, it is as quiet as it was to be, though the first sync may be over by then (R2)
    quiet: Winner | None = "hub" if uninvited or rules.pairing else None
    made = trying(Link(hub.uid, creation_key=key, decision=quiet), link)
    return Step(case, made, intent=Intent(hub.uid, "create", target, fields))


def _invites(fields: ObjectFields, hub: HubObject, case: Case, rules: Rules) -> bool:
    """Whether guests may be told: this person's own event, at home, not over yet, and not found there by a first sync.

    Who is a guest of what was there before has been told by whoever made it.
    """
    if not case.home or not rules.invitations or rules.pairing or _over(fields, rules.now):
        return False
    return not guests.anothers(hub.data, rules.own)


def _over(fields: ObjectFields, now: dt.datetime) -> bool:
    when = fields.master.when
    if fields.recurrence or isinstance(when, Span):
        return False
    return times.instant(when.end, when.end_zone or when.zone, floating=dt.UTC) < now


def _unite(case: Case, hub: HubObject, remote: RemoteObject, rules: Rules) -> Step:
    """Both have it, and have never agreed."""
    fields = _shown(hub.data, case, rules)
    # what is not shown to it cannot be compared with what it has; and who was invited before they met is nobody's news
    hidden = _hidden(hub.data, case, rules)
    there = projection.unseen(fields, remote.fields, hidden | projection.GUESTS)
    merged = unite(fields, there, winner=_winner(hub, remote, case.link, rules))
    if hidden:
        merged.to_remote |= asides.outdated(remote, fields, rules.lens)
    if remote.organized_elsewhere:
        merged.to_remote = {path: value for path, value in merged.to_remote.items() if _personal(path)}
    met = Edited(guests.without(remote.fields), remote.fields)
    _complete(merged, Edited(fields, fields), met, Say(), case=case, rules=rules)
    # as if they had agreed on everything but what the remote is still to be told
    base = patch(fields, diff(patch(there, merged.to_remote), there))
    return _settle(case, Link(hub.uid), Edited(base, fields), merged, rules=rules)


def _hub_gone(case: Case, link: Link, remote: RemoteObject, rules: Rules) -> Step:
    """Deleted in the hub: a remote edit beats the deletion, else the remote's goes too."""
    edited = rules.direction != "push" and _edited_there(case, link, remote, rules)
    if edited or (remote.organized_elsewhere and rules.direction == "both"):
        return _undelete(case, link, remote, rules)
    if rules.direction == "pull":
        return Step(case, clean(link))
    if rules.pairing:
        return Step(case, again(link), deferred=True)
    doomed = replace(clean(link), version=remote.version, remote_base=remote.fields)
    return Step(case, trying(doomed, link), intent=Intent(case.uid, "delete"))


def _edited_there(case: Case, link: Link, remote: RemoteObject, rules: Rules) -> bool:
    """Whether anything is there that neither was agreed on nor has come from here: an answer to our write may have been lost."""
    change = diff(_there(link.remote_base), remote.fields)
    if not change or case.buried is None:
        return bool(change)
    own = diff(_there(link.hub_base), _shown(case.buried, case, rules))
    return any(path not in own or own[path] != value for path, value in change.items())


def _undelete(case: Case, link: Link, remote: RemoteObject, rules: Rules) -> Step:
    """Put the hub's object back as it last was, with what the remote has changed."""
    if case.buried is None:
        return _arrive(case, remote, rules)
    hidden = _hidden(case.buried, case, rules)
    base = _there(link.remote_base)
    before = _shown(case.buried, case, rules)
    here, there = Edited(_there(link.hub_base), before), Edited(base, projection.unseen(base, remote.fields, hidden))
    # an instance that the phone had changed may have no place under the remote's new rule (R10)
    merged = merge(guests.apart(here), guests.apart(there), winner="remote")
    guests.settle(here, Edited(base, remote.fields), merged, Say())
    change = projection.own_words(merged.to_hub, view.read(objects.parse(case.buried)), hidden)
    data = edited(case.buried, change, rules.lens, now=rules.now) if change else case.buried
    after = _shown(data, case, rules)
    link = replace(
        clean(link),
        version=remote.version,
        hub_base=_agreed(here, _taken(before, after, merged, rules), remote.fields, merged),
        remote_base=remote.fields,
        dirty=True,  # the phone may have changed it before it was deleted
    )
    return Step(case, link, HubPut(None, data, None), conflicts=merged.conflicts(case.uid))


def _remote_gone(case: Case, link: Link, hub: HubObject, rules: Rules) -> Step:
    """Deleted on the remote: a hub edit beats the deletion, else the hub's goes too."""
    gone = replace(clean(link), remote_id=None, version=None)
    fields = _shown(hub.data, case, rules)
    if (
        case.home
        and rules.direction == "both"
        and guests.organizer(fields) not in ("", *rules.own)
        and not rules.pairing
    ):
        # someone else's meeting, called off or declined: whoever made it anew would organise another one (R3)
        return Step(case, None, HubDelete(hub.href, hub.etag))
    if _emptied(fields) and (link.remote_id is None or not _emptied(_there(link.remote_base))):
        # some services drop a series with its last occurrence: that was called off, and nobody has deleted the event
        return Step(case, replace(gone, hub_base=fields))
    if diff(_there(link.hub_base), fields):
        return _depart(case, hub, None, rules, uninvited=True)
    if rules.direction == "push":
        return Step(case, gone)
    if rules.pairing:
        return Step(case, again(gone), deferred=True)
    return _taken_out(case, hub, rules)


def _taken_out(case: Case, hub: HubObject, rules: Rules) -> Step:
    """Gone there, so gone here; of a series that is there in parts, one occurrence."""
    if not case.part:
        return Step(case, None, HubDelete(hub.href, hub.etag))
    data = parts.without(hub.data, case.part, now=rules.now)
    rest = HubDelete(hub.href, hub.etag) if data is None else HubPut(hub.href, data, hub.etag)
    return Step(case, None, rest, calls_off=True)


def _emptied(fields: ObjectFields) -> bool:
    try:
        return recurrence.called_off(fields)
    except Unmappable:
        return False


def _both(case: Case, link: Link, hub: HubObject, remote: RemoteObject, rules: Rules) -> Step:
    """Both sides have it: three-way against the two bases."""
    here = Edited(_there(link.hub_base), _shown(hub.data, case, rules))
    hidden = _hidden(hub.data, case, rules)
    base = _there(link.remote_base)
    there = Edited(base, projection.unseen(base, remote.fields, hidden))
    alone, opposite = guests.apart(here), guests.apart(there)
    if rules.direction == "push":
        merged = Merged(to_remote=dict(alone.change))
        overruled = alone.change.keys() & opposite.change.keys()
        lost = {path: opposite.change[path] for path in overruled if opposite.change[path] != alone.change[path]}
        merged.overrule("hub", lost, {path: alone.change[path] for path in lost})
    else:
        merged = merge(alone, opposite, winner=_winner(hub, remote, link, rules))
        if (
            rules.policy == "ask"
            and rules.direction == "both"
            and link.decision is None
            and not remote.organized_elsewhere
        ):
            undecided = merged.conflicts(case.uid)
            if undecided:
                return _ask(case, link, undecided)
    if remote.organized_elsewhere:
        _keep_personal(merged, alone, revert=rules.direction == "both")
    invite = not remote.organized_elsewhere and _invites(here.now, hub, case, rules)
    answer = remote.organized_elsewhere and case.home and not rules.pairing and rules.direction != "pull"
    say = Say(rules.own, invite=invite, answer=answer)
    _complete(merged, here, Edited(base, remote.fields), say, case=case, rules=rules)
    return _settle(case, link, here, merged, rules=rules)


def _complete(merged: Merged, here: Edited, there: Edited, say: Say, *, case: Case, rules: Rules) -> None:
    """Add what is to be told of people, and let nothing come back to the hub that the remote was not shown."""
    guests.settle(here, there, merged, say)
    if rules.direction == "push":
        merged.to_hub = {}
    elif not case.home:
        data = _there(case.hub).data
        own, hidden = parts.read(data).fields, _hidden(data, case, rules)
        own = parts.single(own, case.part) if case.part else own
        merged.to_hub = dict(projection.own_words(merged.to_hub, own, hidden))


def _ask(case: Case, link: Link, undecided: tuple[Conflict, ...]) -> Step:
    """Neither side is touched until the owner has said which of the two versions stands."""
    hub = {path: value for each in undecided for path, value in each.hub.items()}
    remote = {path: value for each in undecided for path, value in each.remote.items()}
    waiting = replace(link, dirty=False, quarantine=ASKED, retry_at=None)
    return Step(case, waiting, conflicts=(Conflict(case.uid, "ask", hub, remote),))


def _keep_personal(merged: Merged, here: Edited, *, revert: bool) -> None:
    """Of someone else's meeting only the personal fields are written; the rest is set back in the hub (R3)."""
    foreign = {path: value for path, value in merged.to_remote.items() if not _personal(path)}
    merged.to_remote = {path: value for path, value in merged.to_remote.items() if path not in foreign}
    foreign = {path: value for path, value in foreign.items() if not _of_taste(path, here)}
    if not foreign or not revert:
        return
    kept = patch(here.base, {p: v for p, v in here.change.items() if _personal(p) or _of_taste(p, here)})
    merged.to_hub = {**diff(here.now, kept), **merged.to_hub}
    merged.overrule("remote", foreign, {path: value for path, value in merged.to_hub.items() if path in foreign})


def _personal(path: Path) -> bool:
    """Of the meeting as a whole: an instance that is changed becomes an exception, and that is its organizer's to make."""
    return path[0] == MASTER and path[1] in PERSONAL


def _of_taste(path: Path, here: Edited) -> bool:
    """Of the series, or of an instance that was and is an override."""
    key, name = path
    return name in MATTERS_OF_TASTE and (
        key == MASTER or (key in here.base.overrides and (key, "state") not in here.change)
    )


def _winner(hub: HubObject, remote: RemoteObject, link: Link | None, rules: Rules) -> Winner:
    """Whose value stays where both changed it. A direction and an organizer are stronger than the policy."""
    if rules.direction == "push":
        return "hub"
    if rules.direction == "pull" or remote.organized_elsewhere:
        return "remote"
    if link is not None and link.decision is not None:
        return link.decision
    if rules.policy in ("hub", "remote"):
        return rules.policy
    return "remote" if remote.updated > hub.modified_at else "hub"


def _settle(case: Case, link: Link, here: Edited, merged: Merged, *, rules: Rules) -> Step:
    """Turn what each side is to be told into a hub operation, an intent, and bases that hold until it is answered."""
    hub, remote, base = _there(case.hub), _there(case.remote), link.remote_base
    data = _told(case, merged.to_hub, rules) if merged.to_hub else hub.data
    put, after = None, here.now
    if data != hub.data:  # the same bytes are no change: an etag must not move without a reason (R38)
        put, after = HubPut(hub.href, data, hub.etag), _shown(data, case, rules)
    conflicts = kinship.in_hub_terms(merged.conflicts(case.uid), rules.lens)
    link = replace(clean(link), remote_id=remote.id, version=remote.version)
    if rules.direction != "push" or link.remote_base is None:
        link = replace(link, remote_base=remote.fields)
    took = _taken(here.now, after, merged, rules)
    if put is not None and took != after:  # what it has made of that goes out with whatever else it has changed
        told = _agreed(here, took, remote.fields, merged) if merged.to_remote else took
        return Step(case, again(replace(link, hub_base=told)), put, None, conflicts)
    if not merged.to_remote:
        return Step(case, replace(link, hub_base=after), put, None, conflicts)
    # what came from the remote is agreed; the hub's own change stays a change until the remote has answered
    agreed = replace(link, hub_base=_agreed(here, after, remote.fields, merged))
    if rules.direction == "pull":
        return Step(case, agreed, put, None, conflicts)
    target = rules.lens.view(patch(remote.fields, merged.to_remote))
    if target != remote.fields and not remote.organized_elsewhere:
        target = asides.along(target, here.now, {key for key, _ in merged.to_remote})
    if target == remote.fields:
        return Step(case, replace(link, hub_base=after), put, None, conflicts)
    if base is not None and rules.direction != "push":
        overruled = _overruled(here, base, remote.fields, merged)
        # what its owner has said about that holds until it is done
        decision = None if overruled == remote.fields or case.link is None else case.link.decision
        agreed = replace(agreed, remote_base=overruled, decision=decision)
    return Step(case, trying(agreed, case.link), put, Intent(hub.uid, "update", target, after), conflicts)


def _taken(before: ObjectFields, after: ObjectFields, merged: Merged, rules: Rules) -> ObjectFields:
    """What the hub has been told. A to-do that is done may have gone on to its next time: that is the hub's own change (X-69)."""
    todo = isinstance(after.master, TodoFields) and rules.direction == "both"
    return patch(before, merged.to_hub) if todo else after


def _told(case: Case, change: Change, rules: Rules) -> bytes:
    data = _there(case.hub).data
    if case.part:
        return parts.edited(data, case.part, change, rules.lens, now=rules.now)
    return edited(data, change, rules.lens, now=rules.now)


def _overruled(here: Edited, base: ObjectFields, remote: ObjectFields, merged: Merged) -> ObjectFields:
    """The remote's base: what it has, but for the schedule or the instances that are to be others there for no change of the
    hub's own.

    That they gave way has to be seen again, should this intent come to nothing.
    """
    own, back = here.change, diff(remote, base)
    if any(path in back and path not in own for path in SCHEDULE & merged.lost["hub"].keys()):
        return patch(remote, {path: value for path, value in back.items() if of_schedule(path)})
    states = {path for path in merged.to_remote if path[0] != MASTER and path[1] == "state"}
    keys = {path[0] for path in states if path in back and path not in own}
    return patch(remote, {path: value for path, value in back.items() if path[0] in keys})


def _agreed(here: Edited, after: ObjectFields, remote: ObjectFields, merged: Merged) -> ObjectFields:
    """The hub's base with what it has just been told; of an instance that both sides have changed, all that the remote has.

    What both are told (guests of both sides, an end that moved along) is still the hub's change. An instance that only the
    hub has changed is its own change as a whole, be it that guests were added to it. Where the hub has won it is its change
    against what the remote has: taken back before it was told, it is still to be told. A time is not (it names instances).
    """
    known = {MASTER, *here.base.overrides}
    overruled = {path: value for path, value in merged.lost["hub"].items() if path in here.change}
    told = {path: value for path, value in overruled.items() if path[0] == MASTER and path[1] != "when"}
    told |= {
        path: value
        for path, value in diff(here.now, after).items()
        if path[0] not in known or path not in merged.to_remote
    }
    for key in {key for key, _ in told} - known:
        if key in remote.overrides:
            event = remote.overrides[key]
            told |= {(key, "state"): "override", **{(key, name): getattr(event, name) for name in EVENT_FIELDS}}
        elif (key, "state") not in told:
            told = {path: value for path, value in told.items() if path[0] != key}
    return patch(here.base, told)
