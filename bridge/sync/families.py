"""The parents of the to-dos that are planned together, looked up once for all of them (X-71)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.errors import InvalidCalendarData, Unmappable
from bridge.ical import objects, view
from bridge.ical.fields import TodoFields
from bridge.sync.identity import derived_uid
from bridge.sync.kinship import KinLens
from bridge.sync.ledger import HubObject, Ledger, Link, Reading
from bridge.sync.plan import Case, Rules, Step
from bridge.sync.ports import Lens, Nests
from bridge.sync.standing import again

_DEEPEST = 20
"""Generations that are followed; whatever is below more is made without a parent first."""


@dataclass(frozen=True, slots=True)
class Family:
    """The parents of a batch. ``awaited`` are those in the hub that are not there yet, and are going to be."""

    rules: Rules
    parents: Mapping[str, str]
    awaited: Collection[str]

    @classmethod
    def of(cls, memory: Reading, cases: Sequence[Case], rules: Rules) -> Family:
        """What can be known of the parents of these; ``rules`` are by which they are to be planned."""
        if not isinstance(rules.lens, Nests) or not rules.lens.nests:
            return cls(rules, {}, ())
        parents = {case.uid: parent for case in cases if (parent := _parent(case))}
        there = {case.remote.fields.todo.parent for case in cases if case.remote} - {""}
        beside = {case.series: case.uid for case in cases if case.series is not None}
        linked = {id: link.uid for id, link in memory.links_to(there).items() if link.hub_base is not None}
        links = memory.links(set(parents.values()))
        ids = {uid: _standing(links.get(uid), memory) for uid in parents.values()}
        uids = {id: linked.get(id) or beside.get(id) or derived_uid(rules.pair, id) for id in there}
        ids |= {uid: id for id, uid in uids.items() if not ids.get(uid)}
        missing = {uid for uid, id in ids.items() if not id and (uid not in links or links[uid].quarantine is None)}
        for case in cases:  # one that is there no more is none that anybody has changed
            if (uid := parents.get(case.uid)) and not ids[uid]:
                ids[uid] = _agreed(case.link)
        awaited = {uid for uid in missing if _will_be_there(uid, memory, rules.lens.component)}
        uids = {id: uid for uid, id in ids.items() if id} | uids
        return cls(replace(rules, lens=KinLens(rules.lens, ids, uids)), parents, awaited)

    def waited_for(self, step: Step) -> Step:
        """Planned again as long as its parent is awaited, and not made before."""
        if self.parents.get(step.case.uid) not in self.awaited or step.link is None or step.link.quarantine is not None:
            return step
        if step.intent is not None and step.intent.kind == "create":
            return replace(step, link=again(step.case.link or Link(step.case.uid)), intent=None)
        return replace(step, link=again(step.link))


def seeing(ledger: Ledger, hub: HubObject, lens: Lens) -> Lens:
    """A lens through which this one has the parent that its service knows."""
    parent = _named_in(hub.data) if isinstance(lens, Nests) and lens.nests else ""
    if not parent:
        return lens
    with ledger.reading() as memory:
        links = memory.links([parent, hub.uid])
    held = links.get(parent)
    id = (held.remote_id if held else None) or _agreed(links.get(hub.uid))
    return KinLens(lens, {parent: id}, {id: parent} if id else {})


def _standing(link: Link | None, memory: Reading) -> str:
    """The service's id of what is linked, and not gone there."""
    if link is None or link.remote_id is None:
        return ""
    replica = memory.replicas([link.remote_id]).get(link.remote_id)
    return "" if replica is None or replica.removed else link.remote_id


def _agreed(link: Link | None) -> str:
    """The parent that both sides have agreed on, by the service's id; "" where there is none."""
    base = link.hub_base if link is not None else None
    return base.todo.parent if base is not None else ""


def _will_be_there(uid: str, memory: Reading, kind: str) -> bool:
    """It is in the hub, and not, by way of its own parents, below itself."""
    seen: list[str] = []
    while uid and uid not in seen and len(seen) < _DEEPEST:
        hub = memory.hub_objects([uid]).get(uid)
        if hub is None or hub.component != kind:
            return bool(seen)
        seen.append(uid)
        uid = _named_in(hub.data)
    return not uid


def _parent(case: Case) -> str:
    """The UID of its parent, as the hub has it."""
    data = case.hub.data if case.hub is not None else case.buried
    return "" if data is None else _named_in(data)


def _named_in(data: bytes) -> str:
    if b"RELATED-TO" not in data.upper():
        return ""
    try:
        fields = view.read(objects.parse(data))
    except (Unmappable, InvalidCalendarData):
        return ""
    return fields.master.parent if isinstance(fields.master, TodoFields) else ""
