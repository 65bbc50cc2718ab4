"""The page behind a setup link: how to add the account on the device that looks at it, everything filled in.

Mail programs and chats look at links before people do. A GET therefore neither uses the link up nor shows the password;
that takes a press of a button (POST). The link ends with the device's first sign-in.
"""

from __future__ import annotations

import io
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import segno
from flask import Blueprint, Response, make_response, render_template, request
from markupsafe import Markup

from bridge.errors import NotFound
from bridge.services import addresses, apple_profile, setting_up
from bridge.services.context import Context
from bridge.store.setup_links import SetupLink
from bridge.web.profiles import Profiles

_KINDS = (
    ("apple", ("iPhone", "iPad", "Macintosh", "Mac OS X")),
    ("android", ("Android",)),
    ("outlook", ("Windows",)),
    ("gnome", ("Linux", "X11")),
)
"""What a User-Agent says, looked through in this order: Android says Linux as well."""

_ALL = ("apple", "android", "thunderbird", "gnome", "kde", "outlook", "other")


def pages(context: Context, profiles: Profiles) -> Blueprint:
    blueprint = Blueprint("onboarding", __name__, url_prefix="/setup")

    @blueprint.get("/<secret>")
    def look(secret: str) -> str:
        return _page(setting_up.find(context, secret), secret, shown=False)

    @blueprint.post("/<secret>")
    def reveal(secret: str) -> str:
        return _page(setting_up.find(context, secret), secret, shown=True)

    @blueprint.get("/<secret>/calendar.mobileconfig")
    def profile(secret: str) -> Response:
        link = setting_up.find(context, secret)
        url = addresses.public_url(context)
        made = apple_profile.account(url, link.username, link.device_id, root=profiles.root)
        return profiles.answer(made, "calendar")

    def _page(link: SetupLink, secret: str, *, shown: bool) -> str:
        url = addresses.public_url(context)
        first = _kind(request.user_agent.string)
        return render_template(
            "setup.html",
            link=link,
            secret=secret,
            password=link.password if shown else None,
            order=[first, *(kind for kind in _ALL if kind != first)],
            url=f"{url}/",
            host=urlsplit(url).netloc,
            tls=url.startswith("https:"),
            private_root=profiles.root is not None,
            signed=profiles.signer is not None,
            davx5=_davx5(url, "davx5", link) if shown else None,
            caldavs=_davx5(url, "caldavs", link) if shown else None,
            code=_code(f"{url}/setup/{secret}"),
        )

    @blueprint.errorhandler(NotFound)
    def ended(_error: NotFound) -> Response:
        return make_response(render_template("setup_ended.html"), HTTPStatus.GONE)

    @blueprint.after_request
    def keep_private(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return blueprint


def _kind(agent: str) -> str:
    return next((kind for kind, words in _KINDS if any(word in agent for word in words)), "other")


def _davx5(url: str, scheme: str, link: SetupLink) -> str:
    """What DAVx5 opens its sign-in with; it takes https for granted."""
    parts = urlsplit(url)
    user, password = quote(link.username, safe=""), quote(link.password, safe="")
    return f"{scheme}://{user}:{password}@{parts.netloc}{parts.path}/"


def _code(text: str) -> Markup:
    """A QR code as SVG in the page, dark on white in dark mode too: scanners want it so."""
    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=True,
        light="#fff",
        border=4,
        omitsize=True,  # it is as large as the page makes it: of a fixed size it would be cut off where that is smaller
        title="QR code of this page",
        svgclass="qr",
        lineclass=None,
    )
    return Markup(out.getvalue().decode())  # noqa: S704 - drawn by us, of squares
