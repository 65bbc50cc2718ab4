"""The Flask application: what the server answers besides CalDAV."""

from __future__ import annotations

from types import TracebackType

import structlog
from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from bridge.errors import ProviderError, UsageError
from bridge.services.context import Context
from bridge.web import feeds, health, metrics, oauth, onboarding, profiles, push, welcome

log = structlog.get_logger(__name__)

MAX_BODY = 1 << 20  # notifications and forms are small; calendars go to the CalDAV side


class _Web(Flask):
    def log_exception(self, exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None]) -> None:
        """Not Flask's way: it logs the path, and paths of ours hold secrets. The rule that they matched tells as much."""
        rule = None if request.url_rule is None else request.url_rule.rule
        log.error("a page failed", method=request.method, rule=rule, exc_info=exc_info)


def create_app(context: Context) -> Flask:
    """Wire the pages to the services. The context is the only state."""
    app = _Web(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.register_blueprint(welcome.pages(context))
    app.register_blueprint(oauth.pages(context))
    apple = profiles.read(context.settings.onboarding)
    app.register_blueprint(onboarding.pages(context, apple))
    app.register_blueprint(push.receivers(context))
    app.register_blueprint(feeds.pages(context, apple))
    app.register_blueprint(health.probes(context))
    app.register_blueprint(metrics.figures(context))
    app.register_error_handler(UsageError, _usage_error)
    app.register_error_handler(ProviderError, _provider_error)
    app.register_error_handler(HTTPException, _http_error)
    app.after_request(_harden)
    return app


def _usage_error(error: UsageError) -> tuple[str, int]:
    return render_template("message.html", title="That did not work", text=_sentence(str(error))), 400


def _sentence(text: str) -> str:
    """An error's words, which the command line puts behind a colon, as a sentence of their own."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "…")) else ".")


def _provider_error(error: ProviderError) -> tuple[str, int]:
    text = "The service did not answer as it should. Nothing was changed; please try again in a minute."
    return render_template("message.html", title="That did not work", text=text, detail=error.code), 502


def _http_error(error: HTTPException) -> Response:
    """A page of ours, with what its status needs: Allow, for instance."""
    page = render_template("message.html", title=error.name, text=error.description or "")
    response = Response(page, error.code or 500)
    needed = ((name, value) for name, value in error.get_headers() if name.lower() != "content-type")
    response.headers.extend(needed)
    return response


def _harden(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; form-action 'self'")
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")  # a code or a state must not leave with a click
    return response
