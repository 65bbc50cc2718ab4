"""Feeds over HTTP: what Google, Outlook, Apple, Thunderbird and ICSx5 fetch. No sign-in, no cookie, no redirect."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from bridge.errors import NotFound
from bridge.services import addresses, apple_profile, feeds
from bridge.services.context import Context
from bridge.services.feeds import State
from bridge.web.profiles import Profiles

_ROBOTS = "User-agent: *\nAllow: /feeds/\nDisallow: /\n"
"""Google's reader obeys it (CLIENTS 1.9)."""

_MAX_AGE = 300


def pages(context: Context, profiles: Profiles) -> Blueprint:
    blueprint = Blueprint("feeds", __name__)

    @blueprint.get("/robots.txt")
    def robots() -> Response:
        return Response(_ROBOTS, mimetype="text/plain")

    @blueprint.get("/feeds/<secret>/<name>.ics")
    def feed(secret: str, name: str) -> Response:
        now = context.now()
        with context.database.read() as conn:
            try:
                known = feeds.state(conn, secret, now=now)
            except NotFound as error:
                return _gone(isinstance(error, feeds.Ended))
            answer = Response(mimetype="text/calendar")
            answer.set_etag(known.etag.strip('"'))
            answer.cache_control.private = True
            answer.cache_control.max_age = _MAX_AGE
            answer.last_modified = known.dated
            made = None
            if _is_known(known):
                answer.status_code = 304
            else:
                made = feeds.content(conn, known)
                answer.set_data(made.text)
                answer.headers["Content-Disposition"] = f'inline; filename="{_file_name(name)}.ics"'
        feeds.fetched(context.database, known.feed, made, agent=request.user_agent.string, now=now)
        return answer

    @blueprint.get("/feeds/<secret>/<name>.mobileconfig")
    def profile(secret: str, name: str) -> Response:
        with context.database.read() as conn:
            try:
                known = feeds.state(conn, secret, now=context.now()).feed
            except NotFound as error:
                return _gone(isinstance(error, feeds.Ended))
        url = f"{addresses.public_url(context)}/feeds/{secret}/{_file_name(name)}.ics"
        made = apple_profile.subscription(url, known.name, known.id, root=profiles.root)
        answer = profiles.answer(made, _file_name(name))
        answer.cache_control.no_store = True
        return answer

    return blueprint


def _is_known(known: State) -> bool:
    """RFC 9110 §13.1.3: the date counts only where there is no ETag."""
    if request.if_none_match:
        return request.if_none_match.contains_weak(known.etag.strip('"'))
    since = request.if_modified_since
    return since is not None and known.modified_at.replace(microsecond=0) <= since


def _file_name(name: str) -> str:
    return "".join(each for each in name if each.isascii() and (each.isalnum() or each == "-"))[:100] or "calendar"


def _gone(was_there: bool) -> Response:
    """410 ends a subscription in programs that know better than to ask for ever."""
    words = (
        "Its owner has taken this feed back, or has given it another address."
        if was_there
        else "There is nothing here."
    )
    return Response(render_template("message.html", title="No such feed", text=words), 410 if was_there else 404)
