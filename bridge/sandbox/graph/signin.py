"""Sign-in over HTTP as MSAL expects it: discovery, authorize, token, device code (M-02…M-08)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from flask import Flask, Response, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from bridge.sandbox import service as keys
from bridge.sandbox.graph import oauth
from bridge.sandbox.graph.oauth import Denied
from bridge.sandbox.graph.subscriptions import LOOPBACK

if TYPE_CHECKING:
    from bridge.sandbox.graph.service import Microsoft

_CARRIED = ("client_id", "response_type", "redirect_uri", "scope", "state", "response_mode", "code_challenge",
            "code_challenge_method", "nonce", "login_hint", "prompt", "client_info")  # fmt: skip
_SCOPE_WORDS = {
    "offline_access": "keep this access until you take it back",
    "User.Read": "see your name and address",
    "Calendars.Read": "read your calendars",
    "Calendars.ReadBasic": "see when you are busy, without details",
    "Calendars.ReadWrite": "read and change your calendars",
    "MailboxSettings.Read": "see your time zone",
    "Tasks.Read": "read your tasks",
    "Tasks.ReadWrite": "read and change your tasks",
}


def add_to(app: Flask, service: Microsoft) -> None:
    """Add the routes under ``/{tenant}``."""
    app.jinja_env.globals["scope_words"] = _SCOPE_WORDS

    @app.get("/<tenant>/v2.0/.well-known/openid-configuration")
    def discovery(tenant: str) -> ResponseReturnValue:
        base = f"{service.base_url}/{tenant}"
        # MSAL demands https of the token endpoint (M-03); a browser has to reach the other two as they are.
        secure = f"https://{urlsplit(base).netloc}{urlsplit(base).path}"
        return {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{secure}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{secure}/oauth2/v2.0/devicecode",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "form_post"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["none"],
        }

    @app.route("/<tenant>/oauth2/v2.0/authorize", methods=["GET", "POST"])
    def authorize(tenant: str) -> ResponseReturnValue:
        del tenant
        values = {name: value for name, value in request.values.items() if name in (*_CARRIED, "person", "decision")}
        try:
            asked = oauth.asked_for(values)
            _check_redirect(asked.redirect_uri)
        except Denied as error:  # never sent back: the address itself may be what is wrong
            return render_template("microsoft/problem.html", error=error), 400
        if values.get("response_type") != "code":
            return _send_back(values, {"error": "unsupported_response_type", "error_description": "AADSTS700054"})
        if request.method == "GET":
            return render_template(
                "microsoft/consent.html", asked=asked, values=values, people=service.people(),
                hint=values.get("login_hint", "").lower(),
            )  # fmt: skip
        if values.get("decision") != "allow":
            message = "AADSTS65004: User declined to consent to access the app."
            return _send_back(values, {"error": "access_denied", "error_description": message})
        try:
            with service.lock:
                code = service.authority.code(asked, service.box(values.get("person", "")).person)
        except KeyError:
            return render_template("microsoft/problem.html", error="This account does not exist."), 400
        return _send_back(values, {"code": code, "session_state": "sandbox"})

    @app.post("/<tenant>/oauth2/v2.0/token")
    def token(tenant: str) -> ResponseReturnValue:
        request.environ[keys.ROUTE], request.environ[keys.WRITE] = "/oauth2/v2.0/token", False
        try:
            with service.lock:
                answer = service.authority.token(request.form, issuer=f"{service.base_url}/{tenant}/v2.0")
        except Denied as error:
            return _refused(service, error)
        response = jsonify(answer)
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.post("/<tenant>/oauth2/v2.0/devicecode")
    def device_code(tenant: str) -> ResponseReturnValue:
        del tenant
        try:
            with service.lock:
                device, user_code = service.authority.device(oauth.asked_for(request.form))
        except Denied as error:
            return _refused(service, error)
        address = f"{service.base_url}/devicelogin"
        return {
            "device_code": device,
            "user_code": user_code,
            "verification_uri": address,
            "expires_in": int(oauth.DEVICE_LIFE.total_seconds()),
            "interval": 1,
            "message": f"To sign in, open {address} and enter the code {user_code}.",
        }

    @app.route("/devicelogin", methods=["GET", "POST"])
    def device_login() -> ResponseReturnValue:
        user_code = request.values.get("user_code", "")
        with service.lock:
            asked = service.authority.device_asked(user_code) if user_code else None
            problem = "This code is not known, or no longer." if user_code and asked is None else ""
            done = ""
            if asked and request.method == "POST":
                allowed = request.form.get("decision") == "allow"
                who = next((each for each in service.people() if each.address == request.form.get("person")), None)
                if allowed and who is None:
                    problem = "This account does not exist."
                else:
                    service.authority.settle_device(user_code, who if allowed else None)
                    done = "You may close this page." if allowed else "Declined."
        return render_template(
            "microsoft/device.html",
            asked=asked,
            user_code=user_code,
            people=service.people(),
            problem=problem,
            done=done,
        ), (400 if problem else 200)


def _check_redirect(address: str) -> None:
    parts = urlsplit(address)
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        raise Denied("invalid_request", 50011, f"The redirect URI '{address}' is neither https nor on this machine.")


def _send_back(values: dict[str, str], answer: dict[str, str]) -> ResponseReturnValue:
    """To the application, in the query or as a form (response_mode)."""
    if "state" in values:
        answer["state"] = values["state"]
    if values.get("response_mode") == "form_post":
        return render_template("microsoft/form_post.html", action=values["redirect_uri"], answer=answer)
    separator = "&" if urlsplit(values["redirect_uri"]).query else "?"
    return redirect(f"{values['redirect_uri']}{separator}{urlencode(answer)}", 302)


def _refused(service: Microsoft, error: Denied) -> Response:
    request.environ[keys.REASON] = error.error
    response = jsonify(error.view(service.now))
    response.status_code = error.status
    return response
