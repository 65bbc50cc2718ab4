"""A pair's memory and the hub's calendar, as the sync needs them (``bridge.sync.ledger``)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from bridge.errors import LeaseLost, NotFound, ObjectChanged, SyncTokenInvalid
from bridge.ical.attendees import address
from bridge.store import changes, conflicts, former, history, homes, inbox, journal, links, objects, outbox, pairs
from bridge.store.pairs import Pair
from bridge.store.session import Database
from bridge.store.tables import accounts, calendars, principals, remote_calendars
from bridge.store.tables import history as history_table
from bridge.store.tables import objects as objects_table
from bridge.store.tables import pairs as pairs_table
from bridge.sync.ledger import Clock, Conflict, Done, HubChange, HubObject, Intent, Link, PairState, Policy, Replica
from bridge.sync.ports import Page, RemoteItem
from bridge.sync.projection import Projection


@dataclass(frozen=True, slots=True)
class PairLedger:
    """The ledger of one pair that this worker, ``owner``, has claimed; every transaction prolongs its ``lease``."""

    database: Database
    pair_id: int
    owner: str
    lease: dt.timedelta
    now: Clock

    @contextmanager
    def reading(self) -> Iterator[Snapshot]:
        with self.database.read() as conn:
            yield Snapshot(conn, self._pair(conn))

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """The calendar is locked before the pair, as ``changes.lock`` asks; the pair's row is the fence (LeaseLost)."""
        with self.database.write() as conn:
            now = self.now()
            changes.lock(conn, self._pair(conn).calendar_id)
            pair = pairs.renew(conn, self.pair_id, owner=self.owner, now=now, lease=self.lease)
            yield Transaction(conn, pair, now)

    def _pair(self, conn: sa.Connection) -> Pair:
        """One that was removed is nobody's any more: whoever is at work on it ends, as if it had been taken over."""
        try:
            return pairs.get(conn, self.pair_id)
        except NotFound:
            raise LeaseLost(f"pair {self.pair_id} has been removed") from None


class Snapshot:
    """``Reading``."""

    def __init__(self, conn: sa.Connection, pair: Pair) -> None:
        self._conn = conn
        self._pair = pair

    def state(self) -> PairState:
        pair = self._pair
        return PairState(
            key=f"{pair.id}:{pair.created_at.isoformat()}",
            direction=pair.direction,
            policy=self._policy(),
            phase="pairing" if pair.phase == "pairing" else "steady",
            hub_cursor=pair.hub_cursor,
            remote_cursor=pair.remote_cursor,
            listing=pair.listing,
            parked=pair.parked,
            approved=pair.approved,
            projection=Projection.from_json(pair.projection),
            invitations=pair.invitations,
            home_by_default=homes.default(self._conn, pair.calendar_id) == pair.id,
        )

    def _policy(self) -> Policy:
        """By the calendar's truth: a pair that is it wins with its remote, and every other one with the hub."""
        truth = self._conn.scalar(sa.select(calendars.c.truth).where(calendars.c.id == self._pair.calendar_id))
        if truth in ("newest", "ask"):
            return cast("Policy", truth)
        return "remote" if truth == f"pair:{self._pair.id}" else "hub"

    # --- the hub

    def hub_revision(self) -> int:
        query = sa.select(calendars.c.revision).where(calendars.c.id == self._pair.calendar_id)
        return int(self._conn.execute(query).scalar_one())

    def hub_changes(self, after: int) -> Sequence[HubChange]:
        calendar = self._pair.calendar_id
        try:
            changed = changes.since(self._conn, calendar, after)
        except SyncTokenInvalid:
            alive = [HubChange(uid, deleted=False) for uid in self._every_uid()]
            return [*alive, *(HubChange(uid, deleted=True) for uid in links.orphaned(self._conn, *self._both()))]
        # a tombstone gives way to whatever takes its href; history does not forget that soon
        buried = sa.select(history_table.c.uid).where(
            history_table.c.calendar_id == calendar, history_table.c.revision > after, history_table.c.data.is_(None)
        )
        there = {change.uid for change in changed if not change.deleted}
        gone = {change.uid for change in changed if change.deleted} | set(self._conn.scalars(buried))
        uids = dict.fromkeys(change.uid for change in changed if not change.deleted)
        return [*(HubChange(uid, deleted=False) for uid in uids), *self._deleted(sorted(gone - there))]

    def _deleted(self, uids: list[str]) -> Iterator[HubChange]:
        linked, again = {*self.links(uids), *self.parts(uids)}, self.hub_objects(uids)
        return (HubChange(uid, deleted=True) for uid in uids if uid in linked and uid not in again)

    def _every_uid(self) -> Iterator[str]:
        query = sa.select(objects_table.c.uid).where(objects_table.c.calendar_id == self._pair.calendar_id)
        return iter(self._conn.scalars(query.order_by(objects_table.c.revision, objects_table.c.href)))

    def _both(self) -> tuple[int, int]:
        return self._pair.id, self._pair.calendar_id

    def hub_objects(self, uids: Collection[str]) -> Mapping[str, HubObject]:
        found: dict[str, HubObject] = {}
        columns = [objects_table.c[name] for name in HubObject.__slots__ if name != "part"]
        for chunk in links.in_chunks(uids):
            query = sa.select(*columns).where(
                objects_table.c.calendar_id == self._pair.calendar_id, objects_table.c.uid.in_(chunk)
            )
            found |= {row["uid"]: HubObject(**row) for row in self._conn.execute(query).mappings()}
        return found

    def buried(self, uids: Collection[str]) -> Mapping[str, bytes]:
        found: dict[str, bytes] = {}
        for uid in uids:
            versions = history.of_object(self._conn, self._pair.calendar_id, uid)
            data = next((version.data for version in versions if version.data is not None), None)
            if data is not None:
                found[uid] = data
        return found

    def unlinked(self) -> Sequence[str]:
        return links.unlinked(self._conn, *self._both())

    def former(self) -> Mapping[str, str]:
        return former.of(self._conn, self._pair.calendar_id, self._pair.remote_calendar_id)

    def deletions(self, uids: Collection[str]) -> Collection[str]:
        versions = ((uid, history.of_object(self._conn, self._pair.calendar_id, uid)) for uid in uids)
        return {uid for uid, of_object in versions if of_object and of_object[0].data is None}

    # --- whose it is

    def homes(self, uids: Collection[str]) -> Mapping[str, bool]:
        settled = homes.of(self._conn, self._pair.calendar_id, uids)
        return {uid: pair == self._pair.id for uid, pair in settled.items()}

    def addresses(self) -> frozenset[str]:
        query = (
            sa.select(principals.c.email, accounts.c.email, remote_calendars.c.owner, remote_calendars.c.remote_id)
            .join(accounts, accounts.c.principal_id == principals.c.id)
            .join(remote_calendars, remote_calendars.c.account_id == accounts.c.id)
            .where(remote_calendars.c.id == self._pair.remote_calendar_id)
        )
        found = (address(each) for row in self._conn.execute(query) for each in row)
        return frozenset(each for each in found if "@" in each)

    def deleted(self, since: dt.datetime) -> int:
        return journal.deletions(self._conn, self._pair.id, since)

    # --- the links

    def linked(self) -> Sequence[str]:
        return links.every_uid(self._conn, self._pair.id)

    def link_count(self) -> int:
        return links.count(self._conn, self._pair.id)

    def links(self, uids: Collection[str]) -> Mapping[str, Link]:
        return links.by_uid(self._conn, self._pair.id, uids)

    def parts(self, uids: Collection[str]) -> Mapping[str, Collection[str]]:
        return links.parts(self._conn, self._pair.id, uids)

    def links_to(self, remote_ids: Collection[str]) -> Mapping[str, Link]:
        return links.by_remote_id(self._conn, self._pair.id, remote_ids)

    def links_made_with(self, keys: Collection[str]) -> Mapping[str, Link]:
        return links.by_creation_key(self._conn, self._pair.id, keys)

    def dirty(self, now: dt.datetime) -> Sequence[str]:
        return links.to_plan_again(self._conn, self._pair.id, now)

    # --- the inbox and the outbox

    def pending(self) -> Sequence[str]:
        return inbox.pending(self._conn, self._pair.id)

    def unknown(self, remote_ids: Collection[str]) -> Collection[str]:
        return inbox.unknown(self._conn, self._pair.id, remote_ids)

    def removed(self, *, certain: bool) -> Sequence[str]:
        return inbox.removed(self._conn, self._pair.id, certain=certain)

    def replicas(self, series: Collection[str]) -> Mapping[str, Replica]:
        return inbox.replicas(self._conn, self._pair.id, series)

    def intents(self, now: dt.datetime, *, backfill: bool = True) -> Sequence[str]:
        return outbox.due(self._conn, self._pair.id, now, backfill=backfill)

    def attempted_creations(self) -> Mapping[str, Intent]:
        return outbox.attempted_creations(self._conn, self._pair.id)

    def intents_of(self, uids: Collection[str]) -> Mapping[str, Intent]:
        return outbox.by_uid(self._conn, self._pair.id, uids)


class Transaction(Snapshot):
    """``Writing``."""

    def __init__(self, conn: sa.Connection, pair: Pair, now: dt.datetime) -> None:
        super().__init__(conn, pair)
        self._now = now
        self._actor = f"pair:{pair.id}"

    def _note(self, **values: Any) -> None:
        self._conn.execute(sa.update(pairs_table).where(pairs_table.c.id == self._pair.id).values(**values))

    # --- what comes in

    def begin_listing(self) -> None:
        self._note(generation=self._pair.generation + 1, listing=True, remote_cursor=None)

    def keep_page(self, page: Page) -> None:
        pair, conn = self._pair, self._conn
        inbox.take_removals(conn, pair.id, page.removals)
        inbox.keep(conn, pair.id, page.items, generation=pair.generation)
        inbox.complete(conn, pair.id, page.whole, page.items)
        if pair.listing and not page.more:
            inbox.sweep(conn, pair.id, generation=pair.generation)
        self._note(remote_cursor=page.cursor, listing=pair.listing and page.more)

    def keep_cursor(self, cursor: str) -> None:
        self._note(remote_cursor=cursor)

    def refresh(self, series: str, items: Sequence[RemoteItem], *, pending: bool) -> None:
        generation = self._pair.generation
        inbox.refresh(self._conn, self._pair.id, series, items, generation=generation, pending=pending)

    def remove(self, series: str) -> None:
        inbox.remove(self._conn, self._pair.id, series, generation=self._pair.generation)

    def doubt(self, series: Collection[str]) -> None:
        for each in sorted(series):
            inbox.remove(self._conn, self._pair.id, each, generation=self._pair.generation, certain=False)

    def settle(self, series: Collection[str]) -> None:
        inbox.settle(self._conn, self._pair.id, series)

    def forget(self, series: str) -> None:
        inbox.bury(self._conn, self._pair.id, series, generation=self._pair.generation)

    # --- the hub

    def put_object(self, uid: str, href: str | None, data: bytes, *, expected: str | None) -> None:
        objects.put(
            self._conn,
            self._pair.calendar_id,
            objects.free_href(self._conn, self._pair.calendar_id, uid) if href is None else href,
            data,
            actor=self._actor,
            now=self._now,
            expected=objects.ABSENT if expected is None else expected,
        )

    def delete_object(self, href: str, *, expected: str) -> None:
        try:
            objects.delete(
                self._conn, self._pair.calendar_id, href, actor=self._actor, now=self._now, expected=expected
            )
        except NotFound as error:
            raise ObjectChanged(str(error)) from None

    # --- what was decided

    def save_links(self, links_: Collection[Link]) -> None:
        links.save(self._conn, self._pair.id, links_)

    def drop_links(self, uids: Collection[str]) -> None:
        links.drop(self._conn, self._pair.id, uids)

    def save_intents(self, intents: Collection[Intent]) -> None:
        outbox.save(self._conn, self._pair.id, intents, now=self._now)

    def drop_intents(self, uids: Collection[str]) -> None:
        outbox.drop(self._conn, self._pair.id, uids)

    def record(self, found: Collection[Conflict]) -> int:
        return conflicts.record(self._conn, self._pair.id, found, now=self._now)

    def take_home(self, uids: Collection[str]) -> None:
        homes.settle(self._conn, self._pair.calendar_id, self._pair.id, uids)

    def share_home(self, uids: Mapping[str, str]) -> None:
        settled = homes.of(self._conn, self._pair.calendar_id, uids.values())
        for uid, first in uids.items():
            if first in settled:
                homes.settle(self._conn, self._pair.calendar_id, settled[first], [uid])

    def hush(self, uids: Collection[str]) -> None:
        homes.hush(self._conn, self._pair.calendar_id, uids, but=self._pair.id)

    def journal(self, entries: Collection[Done]) -> None:
        journal.note(self._conn, self._pair.id, self._pair.cycles, entries, now=self._now)

    def advance(self, hub_cursor: int, *, paired: bool = False) -> None:
        self._note(hub_cursor=hub_cursor, **({"phase": "steady"} if paired else {}))

    def park(self, summary: Mapping[str, Any] | None) -> None:
        self._note(parked=None if summary is None else dict(summary), approved=False)
