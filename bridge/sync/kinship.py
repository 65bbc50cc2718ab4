"""Which to-do another one is a part of, where the service says so, too (X-71).

The hub names a parent by its UID (RELATED-TO), a service by its own id. A lens knows nothing of links; so what is planned
together is seen through a lens that knows those of its parents. To the bases, and to whatever is sent, parents are the
service's ids.

A part whose parent is not there yet is made without it, and told of it once it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.ical.fields import MASTER, Change, ObjectFields, TodoFields
from bridge.sync.ledger import Conflict
from bridge.sync.ports import Lens, ObjectKind, RemoteItem, RemoteObject

PARENT = (MASTER, "parent")


@dataclass(frozen=True, slots=True)
class KinLens:
    """``ids``: the service's id of a parent by its UID, "" where it is not there; ``uids``: the other way round."""

    lens: Lens
    ids: Mapping[str, str]
    uids: Mapping[str, str]

    @property
    def component(self) -> ObjectKind:
        return self.lens.component

    def view(self, fields: ObjectFields) -> ObjectFields:
        return self.lens.view(_replaced(fields, self.ids))

    def read(self, items: Sequence[RemoteItem]) -> RemoteObject:
        return self.lens.read(items)

    def restore(self, change: Change, hub: ObjectFields) -> Change:
        return self.lens.restore(_told(change, self.uids), hub)


def _replaced(fields: ObjectFields, names: Mapping[str, str]) -> ObjectFields:
    """Idempotent, for no name of one side is one of the other."""
    todo = fields.master
    if not isinstance(todo, TodoFields) or todo.parent not in names:
        return fields
    return replace(fields, master=replace(todo, parent=names[todo.parent]))


def _told(change: Change, names: Mapping[str, str]) -> Change:
    return {**change, PARENT: names.get(change[PARENT], change[PARENT])} if PARENT in change else change


def here(fields: ObjectFields, lens: Lens) -> ObjectFields:
    """What the service has, with the hub's name of its parent."""
    return _replaced(fields, lens.uids) if isinstance(lens, KinLens) else fields


def in_hub_terms(conflicts: Iterable[Conflict], lens: Lens) -> tuple[Conflict, ...]:
    """For those who read or resolve them later, and know of no kin."""
    if not isinstance(lens, KinLens):
        return tuple(conflicts)
    return tuple(
        replace(each, hub=_told(each.hub, lens.uids), remote=_told(each.remote, lens.uids)) for each in conflicts
    )
