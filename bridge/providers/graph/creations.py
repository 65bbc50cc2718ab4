"""Many events created by few requests: chains of creations, and one reading of what their answers leave open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.errors import BridgeError, Gone, NeedsReconnect, ProviderError, Refused, Throttled, Unmappable, Unreachable
from bridge.providers.graph.api import Api
from bridge.providers.graph.events import Events
from bridge.providers.graph.mapping import GraphLens, item, new_event
from bridge.providers.graph.rules import depends_on_counting
from bridge.sync.ports import New, RemoteItem

Outcome = Sequence[RemoteItem] | BridgeError | None


def create(api: Api, events: Events, path: str, lens: GraphLens, wanted: Sequence[New]) -> list[Outcome]:
    """What became of each (``SupportsBatches.create_many``). ``path`` is where the calendar takes new events."""
    outcomes: list[Outcome] = [None] * len(wanted)
    waiting: dict[int, Mapping[str, Any]] = {}
    for number, new in enumerate(wanted):
        try:
            body = _at_once(new, lens)
        except Unmappable as error:
            outcomes[number] = error
            continue
        if body is not None:
            waiting[number] = body
    answers = _chains(api, path, waiting)
    shown = _read_back(events, [each for each in answers.values() if not isinstance(each, ProviderError)])
    for number, answer in answers.items():
        outcomes[number] = answer if isinstance(answer, ProviderError) else shown[answer["id"]]
    return outcomes


def _at_once(new: New, lens: GraphLens) -> Mapping[str, Any] | None:
    """The body of what one request creates whole: no series with occurrences of their own (M-49) or to be checked (R-13)."""
    target = lens.view(new.fields)
    if target.overrides or target.cancelled:
        return None
    body = new_event(target, key=new.key, uid=new.uid)
    return None if target.recurrence and depends_on_counting(body["recurrence"]) else body


def _chains(api: Api, path: str, waiting: dict[int, Mapping[str, Any]]) -> dict[int, Mapping[str, Any] | ProviderError]:
    """The answers by number. What stands behind one that was refused goes in a chain of its own (M-79).

    Whoever is not in there was not sent: batches are not offered here, or the service is in trouble.
    """
    answers: dict[int, Mapping[str, Any] | ProviderError] = {}
    renew = renewed = False
    while waiting:
        try:
            if renew:
                api.renew()
                renew = False
            told = api.chain(path, list(waiting.values()))
        except (Gone, Refused):
            break
        except (Unreachable, NeedsReconnect) as error:
            if not answers:
                raise
            return answers | dict.fromkeys(waiting, error)
        for answer in told:
            number = next(iter(waiting))
            match answer:
                case NeedsReconnect() if not renewed:  # a token may end in the middle of a batch
                    renew = renewed = True
                case Throttled() | NeedsReconnect():
                    return answers | dict.fromkeys(waiting, answer)
                case Unreachable():
                    return answers | {number: answer}
                case _:
                    answers[number] = _meaning(answer)
                    del waiting[number]
    return answers


def _meaning(answer: Mapping[str, Any] | ProviderError) -> Mapping[str, Any] | ProviderError:
    """404 here means the calendar, not an event."""
    if isinstance(answer, Gone):
        return Refused("the calendar is not there any more", status=answer.status, code=answer.code)
    return answer


def _read_back(events: Events, made: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[RemoteItem] | BridgeError]:
    """The created events by id, as reading shows them (R20)."""
    shown: dict[str, Sequence[RemoteItem] | BridgeError] = {each["id"]: [item(each)] for each in made}
    unlike = [each["id"] for each in made if not reads_alike(each)]
    if not unlike:
        return shown
    try:
        for id, found in zip(unlike, events.many(unlike), strict=True):
            shown[id] = Gone("deleted meanwhile", status=404) if found is None else [found]
    except ProviderError as error:  # it is there; what it looks like is to be asked for later
        shown |= dict.fromkeys(unlike, Unreachable(f"made, but not read back: {error}", status=error.status))
    return shown


def reads_alike(answer: Mapping[str, Any]) -> bool:
    """Whether the answer to a write shows the body in the form that reading does (R20)."""
    body = answer.get("body") or {}
    return not body.get("content") or str(body.get("contentType")).lower() == "text"
