"""The OAuth endpoints: the consent page for people, token and revoke for clients (G-07…G-11)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from flask import Flask, redirect, render_template, request
from flask.typing import ResponseReturnValue

from bridge.sandbox.google import oauth
from bridge.sandbox.google.oauth import Ask, Denied

if TYPE_CHECKING:
    from bridge.sandbox.google.service import Google

_SCOPE_WORDS = {
    "calendar": "See, change and share all your calendars",
    "calendar.readonly": "See all your calendars",
    "calendar.events": "See and change the events in your calendars",
    "calendar.events.readonly": "See the events in your calendars",
    "calendar.events.owned": "See and change the events in calendars you own",
    "calendar.calendarlist": "See and change the list of your calendars",
    "calendar.calendarlist.readonly": "See the list of your calendars",
    "calendar.freebusy": "See when you are busy",
    "tasks": "Create, edit, organize, and delete all your tasks",
    "tasks.readonly": "View your tasks",
    "openid": "Know who you are",
    "email": "See your address",
    "userinfo.email": "See your address",
}


def mount(app: Flask, google: Google) -> None:
    """Put the endpoints on the application."""
    app.jinja_env.globals["scope_words"] = _SCOPE_WORDS

    @app.get("/o/oauth2/v2/auth")
    def authorize() -> ResponseReturnValue:
        try:
            ask = oauth.read_ask(request.args.to_dict())
        except ValueError as error:
            return render_template("google/consent.html", ask=None, problem=str(error)), 400
        with google.lock:
            people = sorted(google.state.people.values(), key=lambda each: each.email != ask.hint)
        return render_template("google/consent.html", ask=ask, people=people)

    @app.post("/o/oauth2/v2/auth")
    def decide() -> ResponseReturnValue:
        try:
            ask = oauth.read_ask(request.args.to_dict())
        except ValueError as error:
            return render_template("google/consent.html", ask=None, problem=str(error)), 400
        if request.form.get("decision") != "allow":
            return _back(ask, {"error": "access_denied"})
        person = request.form.get("person", "")
        scopes = tuple(each for each in ask.scopes if each in request.form.getlist("scope"))
        with google.lock:
            people = list(google.state.people.values())
            if person not in google.state.people or not scopes:
                problem = "Choose an account, and at least one permission."
                return render_template("google/consent.html", ask=ask, people=people, problem=problem), 400
            code = google.grants.consent(ask, person, scopes)
        return _back(ask, {"code": code, "scope": " ".join(scopes)})

    @app.post("/token")
    def token() -> ResponseReturnValue:
        form = request.form
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        if request.authorization and request.authorization.type == "basic":
            client_id, secret = request.authorization.username or "", request.authorization.password or ""
        try:
            with google.lock:
                answer = _grant(google, form.to_dict(), client_id, secret)
        except Denied as error:
            return {"error": error.error, "error_description": error.description}, error.status
        return answer, {"Cache-Control": "no-store"}

    @app.post("/revoke")
    def revoke() -> ResponseReturnValue:
        with google.lock:
            done = google.grants.revoke(request.values.get("token", ""))
        return ({}, 200) if done else ({"error": "invalid_token"}, 400)


def _grant(google: Google, form: dict[str, str], client_id: str, secret: str) -> dict[str, object]:
    if not client_id or not secret:
        raise Denied("invalid_client", "The OAuth client was not found.", 401)
    if form.get("grant_type") == "authorization_code":
        return google.grants.exchange(
            form.get("code", ""), client_id, form.get("redirect_uri", ""), form.get("code_verifier", "")
        )
    if form.get("grant_type") == "refresh_token":
        return google.grants.renew(form.get("refresh_token", ""), client_id, tuple(form.get("scope", "").split()))
    raise Denied("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")


def _back(ask: Ask, answer: dict[str, str]) -> ResponseReturnValue:
    """To the client, with its state."""
    query = urlencode(answer | ({"state": ask.state} if ask.state else {}))
    joint = "&" if urlsplit(ask.redirect_uri).query else "?"
    return redirect(f"{ask.redirect_uri}{joint}{query}")
