"""What the pages for people share: the folder of templates, and the front page that leads to the services."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, render_template
from flask.typing import ResponseReturnValue

if TYPE_CHECKING:
    from bridge.sandbox.server import Sandbox

TEMPLATES = Path(__file__).parent / "templates"
"""Give it to Flask as ``template_folder``; every page extends ``base.html``."""


def front(sandbox: Sandbox) -> Flask:
    """The application at ``/``."""
    app = Flask("bridge.sandbox.front", template_folder=str(TEMPLATES), static_folder=None)

    @app.get("/")
    def index() -> ResponseReturnValue:
        return render_template("front.html", sandbox=sandbox)

    return app
