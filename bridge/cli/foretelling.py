"""How what would be done is put before a person: previews line by line as they are planned, an undo as a whole."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from bridge.cli.state import counted, say
from bridge.services.previewing import Preview, Row
from bridge.services.undoing import Item, Undo

_WHERE = {"here": "here", "there": "there", "both": ""}


@contextmanager
def printing(*, as_json: bool) -> Iterator[Lines | JsonArray]:
    printer = JsonArray() if as_json else Lines()
    yield printer
    printer.end()


class Lines:
    def show(self, preview: Preview) -> None:
        say(f"Pair {preview.pair}")
        nothing = True
        for row in preview.rows:
            nothing = False
            say(_line(row))
        if nothing:
            say("  nothing to do")
        held = preview.held
        if held is not None:
            deletions, mails = counted(held["hub"], "deletion"), counted(held["mails"], "event")
            of = f"{deletions} here, {held['remote']} there, {mails} with invitations"
            approve = f"caldav-bridge pair approve {preview.pair}"
            if preview.asked:
                say(f"  All of this waits for your yes ({of}): {approve}")
            else:
                say(f"  All of this would wait for your yes ({of}): {approve} once a sync has asked for it.")

    def end(self) -> None:
        """Nothing is left to print."""


class JsonArray:
    """One array of objects, a pair each, written as the rows come."""

    def __init__(self) -> None:
        self._between = "["

    def show(self, preview: Preview) -> None:
        head = json.dumps({"pair": preview.pair, "held": preview.held, "asked": preview.asked})
        typer.echo(f'{self._between}{head[:-1]}, "rows": [', nl=False)
        between = "\n"
        for row in preview.rows:
            typer.echo(f"{between}{json.dumps(dataclasses.asdict(row))}", nl=False)
            between = ",\n"
        typer.echo("]}", nl=False)
        self._between = ",\n"

    def end(self) -> None:
        typer.echo("[]" if self._between == "[" else "]")


def _line(row: Row) -> str:
    notes = [", ".join(row.fields), "invites its guests" if row.invites else "", row.why]
    return _told(f"{row.what:8} {_WHERE[row.where]:5}", _named(row), notes)


def undo(undo: Undo) -> str:
    lines = [_item(item) for item in undo.items]
    if not undo.acts:
        lines.append("There is nothing to take back.")
    lines += [
        f"So many deletions at once wait for your yes: pair {pair} will ask, and"
        f" 'caldav-bridge pair approve {pair}' lets it go on."
        for pair in undo.parks
    ]
    return "\n".join(lines)


def _item(item: Item) -> str:
    guests = "it has guests, who may be told by its home" if item.guests else ""
    what = "as is" if item.what == "none" else item.what
    return _told(f"{what:8}", _named(item), [", ".join(item.fields), guests, item.why])


def _named(one: Row | Item) -> str:
    """With its time, for several may have one title."""
    name = one.title or one.uid
    return f"{name} ({one.when})" if one.when else name


def _told(head: str, name: str, notes: list[str]) -> str:
    said = "; ".join(filter(None, notes))
    return f"  {head} {name}: {said}" if said else f"  {head} {name}"
