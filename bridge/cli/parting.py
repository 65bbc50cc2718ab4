"""What is said before and after a pair is removed or an account disconnected, and when a plan was refused."""

from __future__ import annotations

import dataclasses
from typing import Any

from bridge.cli.state import counted
from bridge.services.removing import Leaving, Parting
from bridge.sync.refusal import Refusal


def plain(what: Parting | Leaving, *, done: bool) -> dict[str, Any]:
    return {**dataclasses.asdict(what), "done": done}


def before(one: Parting) -> str:
    return "\n".join(
        [f"Pair {one.pair} mirrors {one.here} with {one.there}.", *_unsent(one), "All events stay on both sides."]
    )


def after(one: Parting) -> str:
    return "\n".join(
        [f"Pair {one.pair} is gone: {one.here} and {one.there} are mirrored no more; all events stay.", *_notes(one)]
    )


def before_leaving(one: Leaving) -> str:
    lines = [f"The {one.provider} account {one.email} of {one.user} has {counted(len(one.pairs), 'pair')}."]
    for each in one.pairs:
        lines += [f"  pair {each.pair}: {each.here} and {each.there}", *(f"    {line}" for line in _unsent(each))]
    return "\n".join([*lines, "It is forgotten with its access. All events stay on both sides."])


def after_leaving(one: Leaving) -> str:
    account = f"the {one.provider} account {one.email}"
    lines = [f"{one.user} is disconnected from {account}; {counted(len(one.pairs), 'pair')} went with it."]
    if one.revoked:
        lines.append("Its access has been given back at the service, and its tokens are deleted.")
    else:
        lines.append(f"Its tokens are deleted here; {one.by_hand}.")
    return "\n".join([*lines, *(note for each in one.pairs for note in _notes(each))])


def refused(pair: int, done: Refusal) -> str:
    lines = [
        (done.back_here, "that were deleted here are back"),
        (done.made_there, "that were deleted there are made there again with the next sync, and no guest is told"),
        (done.only_here, "that were deleted there stay here only: it is not for us to make them again"),
        (done.quiet, "go there with the next sync, and their guests are not told"),
        (
            done.unsent,
            "are left as they are until either side is edited: they could not be sent without telling guests",
        ),
    ]
    said = [f"  {len(uids)} event(s) {what}" for uids, what in lines if uids]
    return "\n".join([f"The plan of pair {pair} is refused.", *(said or ["  Nothing of it was left to take back."])])


def _unsent(one: Parting) -> list[str]:
    if not one.unsent:
        return []
    changes = "1 change has" if one.unsent == 1 else f"{one.unsent} changes have"
    return [f"{changes} not reached {one.service} yet: sync first, or it will not be there."]


def _notes(one: Parting) -> list[str]:
    notes = [f"{command} of {one.here} named this pair and is back at its default." for command in one.settings]
    if not one.silenced:
        notes.append(f"{one.service} could not be told to notify us no more: it stops by itself within a week.")
    return [note[0].upper() + note[1:] for note in notes]
