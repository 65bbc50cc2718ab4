"""Who organises an event and who is asked to come (RFC 5545 §3.8.4.1, §3.8.4.3), by mail address.

Calendar users without a mail address (``urn:uuid:…``, ``https:…``) stay in the text and in no view: no provider knows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bridge.ical import lines, text
from bridge.ical.draft import Draft
from bridge.ical.fields import Attendee, PartStat, Role
from bridge.ical.lines import Line
from bridge.ical.objects import CalendarObject, Component

_ROLES: dict[str, Role] = {"OPT-PARTICIPANT": "OPTIONAL", "NON-PARTICIPANT": "OPTIONAL"}
_PARTSTATS: dict[str, PartStat] = {"ACCEPTED": "ACCEPTED", "DECLINED": "DECLINED", "TENTATIVE": "TENTATIVE"}
_WORDS = {"REQUIRED": "REQ-PARTICIPANT", "OPTIONAL": "OPT-PARTICIPANT"}


def address(value: str) -> str:
    """The mail address of a calendar user address or a plain address, in lower case; "" if it has none."""
    found = value.strip()
    if found[:7].lower() == "mailto:":
        found = found[7:]
    elif ":" in found:
        return ""
    found = text.normal(found).strip().lower()
    if found.startswith("/"):  # the path of a principal, or a name in Exchange's directory (X.500)
        return ""
    return found if found and found.isprintable() and " " not in found else ""


def organizer(component: Component) -> str:
    line = component.first("ORGANIZER")
    return address(line.value) if line else ""


def organizers(obj: CalendarObject) -> frozenset[str]:
    """Whoever organises any component: unlike ``organizer``, also those that have no mail address, as they are called there.

    Who has one in EMAIL (RFC 7986 §6.2) is known by that. What says nothing is somebody unknown (""), not nobody.
    """
    components = (*obj.overrides, *((obj.master,) if obj.master else ()))
    return frozenset(_who(line) for component in components for line in component.every("ORGANIZER"))


def _who(line: Line) -> str:
    return address(line.value) or address(line.param("EMAIL")) or line.value.strip().lower()


def attendees(component: Component) -> tuple[Attendee, ...]:
    return normal(_read(line) for line in component.every("ATTENDEE"))


def normal(every: Iterable[Attendee]) -> tuple[Attendee, ...]:
    """One for each address, the first that is named, in the order of addresses."""
    found: dict[str, Attendee] = {}
    for each in every:
        where = address(each.address)
        if where and where not in found:
            found[where] = Attendee(where, _name(each.name), each.role, each.partstat)
    return tuple(found[where] for where in sorted(found))


def _name(value: str) -> str:
    return " ".join(text.normal(value).split())


def _read(line: Line) -> Attendee:
    resource = line.param("CUTYPE").upper() in ("RESOURCE", "ROOM")
    return Attendee(
        address(line.value),
        line.param("CN"),
        "RESOURCE" if resource else _ROLES.get(line.param("ROLE").upper(), "REQUIRED"),
        _PARTSTATS.get(line.param("PARTSTAT").upper(), "NEEDS-ACTION"),  # the finer ones stay in the text
    )


def write(draft: Draft, before: Sequence[Attendee], after: Sequence[Attendee]) -> None:
    """Make the ATTENDEE lines say ``after``; of a line that stays only the parameters that differ are touched."""
    was, wanted = ({each.address: each for each in side} for side in (before, after))
    seen: set[str] = set()
    for line in draft.every("ATTENDEE"):
        where = address(line.value)
        if where not in was:
            continue
        if where not in wanted or where in seen:
            draft.remove(line)
        elif wanted[where] != was[where]:
            params = _parameters(wanted[where], was[where])
            gone = ("CUTYPE",) if was[where].role == "RESOURCE" != wanted[where].role else ()
            draft.replace(line, lines.rewrite(line, line.value, drop=gone, params=params, eol=draft.eol))
        seen.add(where)
    for where in sorted(wanted.keys() - was.keys()):
        new = lines.write("ATTENDEE", f"mailto:{where}", _parameters(wanted[where], None), eol=draft.eol)
        draft.insert(new, after=("ORGANIZER", "ATTENDEE"))


def write_organizer(draft: Draft, after: str) -> None:
    """Make the ORGANIZER line say ``after``; one without a mail address stays, for it may name somebody else."""
    old = draft.first("ORGANIZER")
    if old is not None and not address(old.value):
        return
    if after:
        draft.set("ORGANIZER", f"mailto:{after}", drop=("CN", "SENT-BY", "DIR", "EMAIL"))
    else:
        draft.remove(*(line for line in draft.every("ORGANIZER") if address(line.value)))


def _parameters(wanted: Attendee, was: Attendee | None) -> list[tuple[str, str]]:
    params: list[tuple[str, str]] = []
    if wanted.name != (was.name if was else ""):
        params.append(("CN", wanted.name))
    if wanted.role != (was.role if was else "REQUIRED"):
        params.append(("CUTYPE", "RESOURCE") if wanted.role == "RESOURCE" else ("ROLE", _WORDS[wanted.role]))
    if was is None or wanted.partstat != was.partstat:
        params.append(("PARTSTAT", wanted.partstat))
    return params
