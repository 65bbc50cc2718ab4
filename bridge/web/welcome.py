"""What a browser sees at ``/``, where phones speak CalDAV: how to add the account, in one page."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, render_template

from bridge.services import addresses
from bridge.services.context import Context


def pages(context: Context) -> Blueprint:
    blueprint = Blueprint("welcome", __name__, static_folder="static", static_url_path="/static")

    @blueprint.get("/")
    def welcome() -> str:
        url = addresses.public_url(context)
        return render_template("welcome.html", url=f"{url}/", host=urlsplit(url).netloc, tls=url.startswith("https:"))

    return blueprint
