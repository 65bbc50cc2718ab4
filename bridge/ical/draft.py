"""A component while it is being edited: its lines in their order, of which only those that are named change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bridge.ical import lines
from bridge.ical.lines import Line
from bridge.ical.objects import Component


class Draft:
    """Begins as a copy of a component; ``component()`` is what became of it.

    New lines get the object's own line end (``eol``).
    """

    def __init__(self, component: Component, eol: str) -> None:
        self._component = component
        self._children = list(component.children)
        self.eol = eol

    def component(self) -> Component:
        source = self._component
        return Component(source.name, source.begin, tuple(self._children), source.end)

    def first(self, name: str) -> Line | None:
        return self.component().first(name)

    def every(self, *names: str) -> list[Line]:
        return [child for child in self._children if isinstance(child, Line) and child.name in names]

    def components(self, name: str) -> list[Component]:
        return [child for child in self._children if isinstance(child, Component) and child.name == name]

    def set(self, name: str, value: str, *, drop: Sequence[str] = (), after: Sequence[str] = ()) -> None:
        """Give the first line of this name an (escaped) value, or add one; ``drop`` names parameters that are no longer true."""
        old = self.first(name)
        if old is None:
            self.insert(lines.write(name, value, eol=self.eol), after=after)
        else:
            self.replace(old, lines.rewrite(old, value, drop=drop, eol=self.eol))

    def replace(self, old: Line, new: Line) -> None:
        self._children[self._index(old)] = new

    def remove(self, *old: Line | Component) -> None:
        gone = {id(each) for each in old}
        self._children = [child for child in self._children if id(child) not in gone]

    def drop(self, *names: str) -> None:
        self.remove(*self.every(*names))

    def insert(self, *new: Line, after: Sequence[str] = ()) -> None:
        """Put lines behind the last one of these names, or else behind all properties."""
        place = self._place(lambda line: line.name in after) or self._place(lambda _: True)
        self._children[place:place] = new

    def swap(self, names: Sequence[str], new: Sequence[Line], *, after: Sequence[str]) -> None:
        """Put these lines in the place of all of these names; behind ``after`` if there was none."""
        old = self.every(*names)
        if not old:
            self.insert(*new, after=after)
            return
        place = self._index(old[0])
        self.remove(*old)
        self._children[place:place] = new

    def append(self, component: Component) -> None:
        self._children.append(component)

    def _place(self, wanted: Callable[[Line], bool]) -> int:
        places = [n for n, child in enumerate(self._children, 1) if isinstance(child, Line) and wanted(child)]
        return places[-1] if places else 0

    def _index(self, line: Line) -> int:
        return next(n for n, child in enumerate(self._children) if child is line)
