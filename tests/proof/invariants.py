"""What must hold whenever all pairs have come to rest (R1-R17, R20, R35)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import icalendar
import recurring_ical_events
import sqlalchemy as sa

from bridge.store import tables
from tests.proof.drafts import lineage
from tests.proof.world import Broken, by_lineage, words_in

IDLE = 2
"""Rounds that must neither write nor store anything."""


def check(world):
    """Raises Broken with the first invariant that does not hold. The world must be at rest."""
    held = quarantined(world)
    world.tally.objects += sum(len(side.things()) for side in world.sides)
    world.tally.quarantined.update(reason for reasons in held.values() for reason in set(reasons))
    _reasons(held)
    _same_everywhere(world, held)
    _as_made(world, held)
    _as_many(world, held)
    _links(world)
    _no_word_lost(world, held)
    _guests_kept(world, held)
    _no_mail(world)
    _as_last_said(world, held)
    _nothing_refused(world)
    _idle(world)


def quarantined(world):
    """Reasons by lineage: such an object is left alone until a side changes, or for good."""
    query = sa.select(tables.links.c.pair_id, tables.links.c.uid, tables.links.c.remote_id, tables.links.c.quarantine)
    with world.context.database.read() as conn:
        rows = conn.execute(query.where(tables.links.c.quarantine.is_not(None))).all()
        payloads = dict(conn.execute(sa.select(tables.inbox.c.id, tables.inbox.c.payload)).all())
    stored = world.side("hub").stored()
    found = defaultdict(list)
    for _, uid, remote_id, reason in rows:
        title = _title(stored.get(uid)) or _remote_title(payloads.get(remote_id))
        found[lineage(title or "")].append(reason)
    return dict(found)


def _title(data):
    if data is None:
        return None
    return next((str(each.get("SUMMARY", "")) for each in icalendar.Calendar.from_ical(data).walk("VEVENT")), None)


def _shows(data):
    """Whether anything of it is on a calendar's page."""
    around = icalendar.Calendar.from_ical(data)
    return next(iter(recurring_ical_events.of(around).all()), None) is not None


def _remote_title(payload):
    return payload and (payload.get("summary") or payload.get("subject") or _title(payload.get("data")))


def _reasons(held):
    for line, reasons in held.items():
        for reason in reasons:
            if reason.startswith("unexpected"):
                raise Broken(f"e{line} is quarantined for no reason that anybody understands: {reason}")


def _same_everywhere(world, held):
    seen = {side.name: by_lineage(side.shows()) for side in world.sides}
    for name, each in seen.items():
        for line in sorted({*each, *seen["hub"]} - set(held), key=str):
            here, there = Counter(seen["hub"].get(line, [])), Counter(each.get(line, []))
            if here != there:
                less, more = list((here - there).elements()), list((there - here).elements())
                raise Broken(f"e{line} at {name} lacks {less[:4]} ({len(less)}), has too much {more[:4]} ({len(more)})")


def _as_made(world, held):
    """What nobody has touched is everywhere as it was where it was made."""
    for side in world.sides:
        seen = by_lineage(side.shows())
        for line, shown in world.truth.pristine.items():
            if line not in held and sorted(seen.get(line, [])) != sorted(shown):
                raise Broken(f"e{line} was made as {shown[:4]} and is {seen.get(line, [])[:4]} at {side.name}")


def _as_many(world, held):
    """No more objects than people made (R12, R17), and no fewer than they left."""
    truth, parts = world.truth, world.parts()
    empty = Counter(lineage(_title(data) or "") for data in world.side("hub").stored().values() if not _shows(data))
    for side in world.sides:
        things = {(parts.get(thing.ref, thing.ref), lineage(thing.title)) for thing in side.things()}
        count = Counter(line for _, line in things)
        for line, made in truth.made.items():
            if line in held:
                continue
            if count[line] > made:
                raise Broken(f"e{line}: {made} were made, {count[line]} are at {side.name}")
            if (
                count[line] < made - truth.gone[line] - empty[line]
            ):  # a service may drop a series with its last occurrence
                raise Broken(f"e{line}: {made} were made, {truth.gone[line]} deleted, {count[line]} are at {side.name}")


def _as_last_said(world, held):
    """What was done in one place only since the last rest has come about in all: a new title, a deletion."""
    truth, once = world.truth, [line for line, made in world.truth.made.items() if made == 1]
    parts = world.parts()
    for line in set(once) - set(held) - truth.foreign:
        since = truth.since.get(line)
        if since is None or len(since.places) != 1:
            continue
        for side in world.sides:
            found = [thing for thing in side.things() if lineage(thing.title) == line]
            titles = [thing.title for thing in found if thing.ref not in parts]
            if since.gone and found:
                raise Broken(
                    f"e{line} was deleted at {since.places} and nothing else was done to it; {side.name} has {found}"
                )
            if since.title and not since.gone and titles not in ([], [since.title]):
                raise Broken(f"e{line} was called {since.title!r} at {since.places} only; {side.name} has {titles}")
    truth.since.clear()


def _links(world):
    """Every object in the hub has at most one counterpart in each place, and the other way round."""
    query = sa.select(tables.links.c.pair_id, tables.links.c.remote_id).where(tables.links.c.remote_id.is_not(None))
    with world.context.database.read() as conn:
        twice = [key for key, count in Counter(map(tuple, conn.execute(query))).items() if count > 1]
        open_intents = conn.scalar(sa.select(sa.func.count()).select_from(tables.outbox).where(~_waits_for_its_half()))
    if twice:
        raise Broken(f"linked twice: {twice}")
    if open_intents:
        raise Broken(f"{open_intents} intents are open at rest")


def _waits_for_its_half():
    """A series is not cut where the half that follows cannot be made."""
    links, outbox = tables.links, tables.outbox
    half = (links.c.pair_id == outbox.c.pair_id, links.c.uid == outbox.c.after, links.c.quarantine.is_not(None))
    return sa.exists().where(*half)


def _no_word_lost(world, held):
    """Whatever a person wrote is there, in the history, or in a conflict (R35)."""
    with world.context.database.read() as conn:
        versions = [data.decode() for data in conn.scalars(sa.select(tables.history.c.data)) if data]
        lost = [repr(tuple(row)) for row in conn.execute(sa.select(tables.conflicts.c.hub, tables.conflicts.c.remote))]
    known = words_in("\n".join(re.sub(r"\r?\n[ \t]", "", text) for text in versions) + "\n".join(lost))
    missing = {word for word, line in world.truth.words.items() if line not in held} - known
    if missing:
        told = ", ".join(f"{word} of e{world.truth.words[word]}" for word in sorted(missing))
        raise Broken(f"nobody remembers {told}")


def _guests_kept(world, held):
    """ATTENDEE lines of the hub stand as they were written."""
    texts = defaultdict(str)
    for data in world.side("hub").stored().values():
        texts[lineage(_title(data) or "")] += re.sub(r"\r?\n[ \t]", "", data)
    for line, guests in world.truth.guests.items():
        if world.truth.made[line] > 1:
            continue  # what a service has split off is an object of its own
        for guest in guests:
            if line not in texts or line in held:
                continue
            whole = re.search(rf"^ATTENDEE[^\n]*;X-OURS=1[^\n]*:mailto:{re.escape(guest)}", texts[line], re.MULTILINE)
            if not whole:
                raise Broken(f"e{line} has lost its guest {guest}")


def _no_mail(world):
    """Guests are told by the service where the meeting is at home, and of nothing but what a person did elsewhere (R1, R2)."""
    world.tally.mails += len(world.mails_of_bridge)
    for service, mail in world.mails_of_bridge:
        line = lineage(mail.subject)
        home = world.truth.homes.get(line)
        if service != home or not world.truth.since[line].places - {home}:
            raise Broken(f"a mail of {service} that nobody has caused: {mail}")
    world.mails_of_bridge.clear()
    # a CalDAV server that schedules (RFC 6638) mails those whom it finds in an object; this one does not, so it is asked what
    # it was sent. It is the home of nothing that has guests: those of the hub are at Google's, those of services at theirs
    if world.wire.with_guests:
        raise Broken(f"guests were written to a CalDAV server: {world.wire.with_guests}")
    for name, text in world.side("caldav").stored().items():
        if re.search(r"^(ATTENDEE|ORGANIZER)", text, re.MULTILINE):
            raise Broken(f"{name} at the CalDAV server has guests: {text}")


def _nothing_refused(world):
    """No scheduling field was sent of somebody else's meeting: the service would have refused it (R3).

    A CalDAV server without scheduling takes anything; but it is sent nothing that has an organizer (``_no_mail``).
    """
    for service in world.sandbox.services.values():
        for refusal in service.meter.refusals:
            if refusal.reason in ("forbiddenForNonOrganizer", "ErrorAccessDenied"):
                raise Broken(f"{service.name} refused {refusal}")


def _idle(world):
    """Idle cycles write nothing, here or there, and store nothing (R4, R20)."""
    writes, rows = _writes(world), _rows(world)
    for _ in range(IDLE):
        for provider in world.pairs:
            outcome = world.cycle(provider)
            world.tally.idle_cycles += 1
            if outcome.error or outcome.hub_writes or outcome.remote_writes:
                raise Broken(f"an idle cycle of {provider}: {outcome}")
    if sent := _writes(world) - writes:
        raise Broken(f"idle cycles sent writes: {dict(sent)}")
    if grown := {
        name: (old, new) for (name, old), new in zip(rows.items(), _rows(world).values(), strict=True) if old != new
    }:
        raise Broken(f"idle cycles changed the number of rows: {grown}")


def _writes(world):
    routes = sum((service.meter.routes for service in world.sandbox.services.values()), Counter())
    writes = Counter({route: count for route, count in routes.items() if not route.startswith("GET ")})
    return writes + Counter({f"caldav {method}": count for method, count in world.dav.server.screws.written().items()})


def _rows(world):
    with world.context.database.read() as conn:
        return {
            table.name: conn.scalar(sa.select(sa.func.count()).select_from(table))
            for table in tables.metadata.sorted_tables
        }
