"""What the pages for people share: templates, how a task list looks, and the front page that leads to the services."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, render_template
from flask.typing import ResponseReturnValue

if TYPE_CHECKING:
    from bridge.sandbox.server import Sandbox

TEMPLATES = Path(__file__).parent / "templates"
"""Give it to Flask as ``template_folder``; every page extends ``base.html``."""


@dataclass(frozen=True, slots=True)
class ShownTask:
    """A task on the page. ``when`` is words; ``notes`` are short remarks behind it."""

    id: str
    title: str
    when: str
    done: bool
    late: bool
    depth: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownList:
    """A task list on the page, its tasks in their order."""

    id: str
    title: str
    tasks: tuple[ShownTask, ...]


def front(sandbox: Sandbox) -> Flask:
    """The application at ``/``."""
    app = Flask("bridge.sandbox.front", template_folder=str(TEMPLATES), static_folder=None)

    @app.get("/")
    def index() -> ResponseReturnValue:
        return render_template("front.html", sandbox=sandbox)

    return app
