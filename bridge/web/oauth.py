"""Where a browser comes back to after consent was given (or declined) at Google or Microsoft."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from werkzeug.exceptions import MethodNotAllowed

from bridge.services import connecting, providers
from bridge.services.context import Context


def pages(context: Context) -> Blueprint:
    blueprint = Blueprint("oauth", __name__, url_prefix="/oauth")

    @blueprint.get(f"/<any({', '.join(providers.NAMES)}):provider>/callback")
    def callback(provider: str) -> str:
        if request.method == "HEAD":  # a look at the address must not use up what is good only once
            raise MethodNotAllowed(["GET"])
        connected = connecting.finish(context, provider, request.args.to_dict())
        return render_template("connected.html", connected=connected)

    return blueprint
