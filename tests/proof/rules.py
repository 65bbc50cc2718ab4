"""What people may do, one rule at a time, and when the bridge runs. Each tells the world's truth what it has done.

A rule is given the world and a ``Pick`` and returns False if there was nothing it could be done to.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import wraps
from random import Random

from bridge.store import calendars
from tests.proof import wire
from tests.proof.drafts import draft, lineage
from tests.proof.icalendar_side import IcalendarSide, NotTaken
from tests.proof.world import Broken, words_in


@dataclass
class Pick:
    """Draws by lot, from a seed of its own: the same rule with the same pick does the same to the same world."""

    lot: Random

    def number(self, below):
        return self.lot.randrange(below)

    def of(self, values):
        return self.lot.choice(values)

    def chance(self, share):
        return self.lot.random() < share


def _if_taken(rule):
    """A side may refuse what its person wants: then nothing has happened."""

    @wraps(rule)
    def attempt(world, pick):
        try:
            return rule(world, pick)
        except NotTaken:
            return False

    return attempt


# --- telling the truth


def _wrote(world, side, thing, *words):
    """Somebody has written to an object: what was written to it before may be overwritten without anybody having read it."""
    line = lineage(thing.title)
    world.truth.pristine.pop(line, None)
    world.truth.touched[line].add(side.name)
    world.truth.since[line].places.add(side.name)
    world.truth.unread.pop((side.name, thing.ref), None)
    _said(world, side, thing.ref, line, *words)


def _gone(world, thing):
    line = lineage(thing.title)
    world.truth.gone[line] += 1
    world.truth.since[line].gone = True


def _said(world, side, ref, line, *words):
    for text in words:
        for word in words_in(text):
            if side.provider is None:
                world.truth.words[word] = line
            else:
                world.truth.unread[side.name, ref].append((word, line))


def _tell(world, side, what, thing, *more):
    world.tally.edits[f"{side.name}: {what}"] += 1
    title = thing if isinstance(thing, str) else thing.title
    world.story.append(" ".join([f"{side.name}: {what}", repr(title), *map(str, more)]))


def _anywhere(side):
    return True


def _connected(side):
    return side.provider is not None


def _inviting(side):
    return side.meetings


def _somewhere(world, pick, where=_anywhere):
    return pick.of([side for side in world.sides if where(side)])


def _thing(world, pick, wanted=lambda thing: not thing.foreign, *, where=_anywhere):
    """A place and something in it that is wanted; None if there is nothing."""
    side = _somewhere(world, pick, where)
    parts = world.parts()  # what people do to single parts is told elsewhere
    things = [thing for thing in side.things() if lineage(thing.title) and wanted(thing) and thing.ref not in parts]
    return (side, pick.of(things)) if things else None


def _occurrence(world, pick, *, but_first=False):
    found = _thing(world, pick, lambda thing: thing.series and not thing.foreign)
    if found is None:
        return None
    side, thing = found
    dates = side.occurrences(thing.ref)[1 if but_first else 0 :][:30]
    return (side, thing, pick.of(dates)) if dates else None


# --- whole objects


def add(world, pick):
    side = _somewhere(world, pick)
    line = world.new_lineage()
    made = draft(pick, f"e{line} {world.word()}", world.word)
    guests = ["guest@example.net"] if side.provider is None and pick.chance(0.15) else []
    ref = side.add(made, guests=guests)
    world.truth.made[line] += 1
    world.truth.touched[line].add(side.name)
    world.truth.since[line].places.add(side.name)
    world.truth.homes[line] = side.name if side.provider else "google"
    world.truth.guests[line] |= set(guests)
    _said(world, side, ref, line, made.title, made.location, made.description)
    world.truth.pristine[line] = [one for one in side.shows() if lineage(one[2]) == line]
    _tell(world, side, "add" + (" series" if made.rule else " all-day" if made.zone is None else ""), made.title, made)
    return True


def retitle(world, pick):
    return _reword(world, pick, "retitle", lambda thing, word: f"e{lineage(thing.title)} {word}")


def relocate(world, pick):
    return _reword(world, pick, "relocate", lambda thing, word: word)


def describe(world, pick):
    return _reword(world, pick, "describe", lambda thing, word: word)


def _reword(world, pick, what, text):
    found = _thing(world, pick)
    if found is None:
        return False
    side, thing = found
    words = text(thing, world.word())
    getattr(side, what)(thing.ref, words)
    _wrote(world, side, thing, words)
    if what == "retitle":
        world.truth.since[lineage(thing.title)].title = words
    _tell(world, side, what, thing, "->", words)
    return True


def remind(world, pick):
    found = _thing(world, pick)
    if found is None:
        return False
    side, thing = found
    minutes = pick.of([0, 10, 15, 60])
    side.remind(thing.ref, minutes)
    _wrote(world, side, thing)
    _tell(world, side, "remind", thing, minutes)
    return True


@_if_taken
def shift(world, pick):
    """Moved in time; a series as a whole, within its days."""
    found = _thing(world, pick, lambda thing: not thing.foreign and not (thing.series and thing.all_day))
    if found is None:
        return False
    side, thing = found
    by = dt.timedelta(days=pick.of([-2, -1, 1, 3])) if thing.all_day else dt.timedelta(minutes=pick.of([-30, 30, 60]))
    side.shift(thing.ref, by)
    _wrote(world, side, thing)
    _tell(world, side, "shift", thing, by)
    return True


def remove(world, pick):
    found = _thing(world, pick, lambda thing: True)
    if found is None:
        return False
    side, thing = found
    side.remove(thing.ref)
    _wrote(world, side, thing)
    _gone(world, thing)
    _tell(world, side, "remove series" if thing.series else "remove", thing)
    return True


def copy(world, pick):
    found = _thing(world, pick, lambda thing: not thing.foreign and not thing.guests)
    if found is None:
        return False
    side, thing = found
    side.copy(thing.ref)
    world.truth.made[lineage(thing.title)] += 1
    world.truth.pristine.pop(lineage(thing.title), None)
    _tell(world, side, "copy", thing)
    return True


def move_away(world, pick):
    """To another calendar of the account: here it disappears."""
    found = _thing(world, pick, lambda thing: not thing.foreign and not thing.guests, where=_connected)
    if found is None:
        return False
    side, thing = found
    side.move_away(thing.ref)
    _wrote(world, side, thing)
    _gone(world, thing)
    _tell(world, side, "move away", thing)
    return True


# --- occurrences


def override(world, pick):
    found = _occurrence(world, pick)
    if found is None:
        return False
    side, thing, which = found
    if thing.all_day or pick.chance(0.5):
        title = f"e{lineage(thing.title)} {world.word()}"
        side.retitle_occurrence(thing.ref, which, title)
        _wrote(world, side, thing, title)
        _tell(world, side, "retitle one of", thing, which, "->", title)
    else:
        by = dt.timedelta(minutes=pick.of([-60, 30, 90]))
        side.shift_occurrence(thing.ref, which, by)
        _wrote(world, side, thing)
        _tell(world, side, "shift one of", thing, which, by)
    return True


@_if_taken
def cancel(world, pick):
    found = _occurrence(world, pick)
    if found is None:
        return False
    side, thing, which = found
    side.cancel_occurrence(thing.ref, which)
    _wrote(world, side, thing)
    world.truth.gone[lineage(thing.title)] += 1
    _tell(world, side, "cancel one of", thing, which)
    return True


@_if_taken
def truncate(world, pick):
    found = _occurrence(world, pick, but_first=True)
    if found is None:
        return False
    side, thing, which = found
    side.truncate(thing.ref, which)
    _wrote(world, side, thing)
    world.truth.gone[lineage(thing.title)] += 1
    _tell(world, side, "end before", thing, which)
    return True


@_if_taken
def extend(world, pick):
    where = [side for side in world.sides if isinstance(side, IcalendarSide)]
    found = _thing(world, pick, lambda thing: thing.series and not thing.foreign, where=where.__contains__)
    if found is None:
        return False
    side, thing = found
    side.extend(thing.ref)
    _wrote(world, side, thing)
    _tell(world, side, "extend", thing)
    return True


@_if_taken
def split(world, pick):
    """This and following, in the place's own way."""
    found = _occurrence(world, pick, but_first=True)
    if found is None:
        return False
    side, thing, which = found
    title = f"e{lineage(thing.title)} {world.word()}"
    by = dt.timedelta() if thing.all_day else dt.timedelta(minutes=pick.of([0, 0, 60]))
    before = {one.ref for one in side.things()}
    side.split(thing.ref, which, title, by)
    line = lineage(thing.title)
    _wrote(world, side, thing)
    for half in {one.ref for one in side.things()} - before:
        _said(world, side, half, line, title)
    world.truth.made[line] += 1
    world.truth.gone[line] += 1
    _tell(world, side, "split", thing, which, "->", title, by)
    return True


# --- guests and invitations


def invite(world, pick):
    side = _somewhere(world, pick, _inviting)
    homes = world.truth.homes
    things = [one for one in side.things() if homes.get(lineage(one.title)) == side.name and not one.foreign]
    if not things:
        return False
    thing = pick.of(things)
    side.invite(thing.ref, f"guest{pick.number(3)}@example.net")
    _wrote(world, side, thing)
    _tell(world, side, "invite to", thing)
    return True


def uninvite(world, pick):
    found = _thing(world, pick, lambda thing: thing.guests and not thing.foreign, where=_inviting)
    if found is None:
        return False
    side, thing = found
    side.uninvite(thing.ref)
    _wrote(world, side, thing)
    world.truth.guests.pop(lineage(thing.title), None)
    _tell(world, side, "uninvite from", thing)
    return True


def receive(world, pick):
    """An invitation of somebody else arrives."""
    side = _somewhere(world, pick, _inviting)
    line = world.new_lineage()
    made = draft(pick, f"e{line} {world.word()}", world.word)
    ref = side.receive(made)
    world.truth.foreign.add(line)
    world.truth.made[line] += 1
    _said(world, side, ref, line, made.title, made.location, made.description)
    world.truth.pristine[line] = [one for one in side.shows() if lineage(one[2]) == line]
    _tell(world, side, "receive an invitation", made.title, made)
    return True


def organizer_updates(world, pick):
    found = _thing(world, pick, lambda thing: thing.foreign and "Canceled" not in thing.title, where=_inviting)
    if found is None:
        return False
    side, thing = found
    title = f"e{lineage(thing.title)} {world.word()}"
    by = dt.timedelta(minutes=pick.of([0, 30])) if not thing.all_day else dt.timedelta()
    side.organizer_updates(thing.ref, title, by)
    _wrote(world, side, thing, title)
    _tell(world, side, "the organizer updates", thing, "->", title, by)
    return True


def organizer_cancels(world, pick):
    found = _thing(world, pick, lambda thing: thing.foreign and "Canceled" not in thing.title, where=_inviting)
    if found is None:
        return False
    side, thing = found
    side.organizer_cancels(thing.ref)
    _wrote(world, side, thing)
    world.truth.gone[lineage(thing.title)] += 1
    _tell(world, side, "the organizer cancels", thing)
    return True


def answer(world, pick):
    found = _thing(world, pick, lambda thing: thing.foreign and "Canceled" not in thing.title, where=_inviting)
    if found is None:
        return False
    side, thing = found
    side.answer(thing.ref, pick)
    _wrote(world, side, thing)
    _tell(world, side, "answer", thing)
    return True


# --- the bridge


def cycle(world, pick):
    """A pair is woken; some of its requests meet a fault, or its process dies."""
    provider = pick.of(sorted(world.pairs))
    faults, die_at = {}, None
    if pick.chance(0.45):
        for _ in range(1 + pick.number(3)):
            faults[1 + pick.number(pick.of([4, 12]))] = pick.of(wire.KINDS)
    if pick.chance(0.25):
        die_at = 1 + pick.number(pick.of([30, 120]))
    before = _counted(world)
    world.cycle(provider, faults=faults, die_at=die_at)
    _guarded(world, before, _counted(world))
    return True


def _counted(world):
    parts = world.parts()
    return {side.name: {parts.get(thing.ref, thing.ref) for thing in side.things()} for side in world.sides}


def _guarded(world, before, after):
    """Of no place may a cycle take more than the guard lets pass (R6); nobody has said yes to more."""
    gone = sum(len(before[name] - after[name]) for name in before)
    links = max(len(each) for each in before.values())
    if gone > max(10, links // 10):
        raise Broken(f"{gone} deletions passed the guard")


def pause(world, pick):
    """Time passes; what failed may be tried again."""
    delta = dt.timedelta(minutes=pick.of([1, 10, 70]))
    world.pass_by(delta)
    world.story.append(f"{delta} pass")
    return True


def lose_cursors(world, pick):
    side = _somewhere(world, pick, _connected)
    side.lose_cursors()
    world.tally.edits[f"{side.name}: cursors lost"] += 1
    world.story.append(f"{side.name}: all cursors are lost")
    return True


def sweep(world, pick):
    """Somebody empties a place in one go: more than the guard lets pass is asked about first (R6)."""
    side = _somewhere(world, pick)
    parts = world.parts()
    things = [thing for thing in side.things() if thing.ref not in parts]
    if len(things) < 12:
        return False
    for thing in things:
        side.remove(thing.ref)
        _wrote(world, side, thing)
        if lineage(thing.title):
            _gone(world, thing)
    _tell(world, side, "empty", f"all {len(things)}")
    return True


def policy(world, pick):
    """Whose word counts where both changed the same."""
    truth = pick.of(["newest", "newest", "hub", f"pair:{pick.of(sorted(world.pairs.values()))}"])
    with world.context.database.write() as conn:
        calendars.set_truth(conn, world.calendar, truth)
    world.story.append(f"the truth is {truth}")
    return True


RULES = {
    "add": (add, 14),
    "retitle": (retitle, 8),
    "relocate": (relocate, 4),
    "describe": (describe, 3),
    "remind": (remind, 3),
    "shift": (shift, 6),
    "remove": (remove, 5),
    "copy": (copy, 3),
    "move away": (move_away, 2),
    "override": (override, 7),
    "cancel": (cancel, 5),
    "truncate": (truncate, 2),
    "extend": (extend, 3),
    "split": (split, 4),
    "invite": (invite, 2),
    "uninvite": (uninvite, 1),
    "receive": (receive, 2),
    "organizer updates": (organizer_updates, 1),
    "organizer cancels": (organizer_cancels, 1),
    "answer": (answer, 1),
    "cycle": (cycle, 26),
    "pause": (pause, 3),
    "lose cursors": (lose_cursors, 2),
    "sweep": (sweep, 0.3),
    "policy": (policy, 1),
}
